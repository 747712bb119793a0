"""``mfverify exhaust``: does a claim hold on every member of a finite class of models?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from mfverify.cli.options import checked_workers, integer, json_option
from mfverify.cli.terminal import say
from mfverify.errors import ModelError
from mfverify.exit_status import ExitStatus, tell
from mfverify.files import check_writable, write_whole


@click.command()
@click.argument("claim", metavar="CLAIM")
@click.option("--class", "models", required=True, metavar="NAME", help="The class of models; an unknown name lists those that there are.")
@click.option(
    "--agents", required=True, metavar="N,...", help="Numbers of agents, such as 2,3: each with every k that the claim speaks of."
)
@click.option(
    "--record", type=click.Path(path_type=Path), default=None, help="File for what was decided; other claims and classes in it are kept."
)
@click.option(
    "--store", type=click.Path(path_type=Path), default=None, help="File that keeps finished slices; an interrupted run continues from it."
)
@click.option("--workers", type=integer, default=None, help="Worker processes [default: what pays, up to the usable cores].")
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the Dask cluster with this scheduler, such as tcp://10.0.0.1:8786.")
@json_option
def exhaust(
    claim: str,
    models: str,
    agents: str,
    record: Path | None,
    store: Path | None,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> int:
    """Decide a claim on every model of a finite class, up to relabelling; exit 1 unless it holds on all of them."""
    from mfverify.falsifier import exhaust as falsifier
    from mfverify.papers import CATALOGUE

    found = CATALOGUE[claim]
    if models not in falsifier.CLASSES:
        known = "\n".join(f"  {name}: {one.members:,} models: {one.title}" for name, one in falsifier.CLASSES.items())
        raise ModelError(f"--class: found {models!r}, expected one of these:\n{known}")
    pairs = falsifier.pairs_of(found, falsifier.CLASSES[models], _numbers(agents))
    if not pairs:
        raise ModelError(f"--agents: claim {claim} speaks of none of these numbers of agents; give others")
    workers = checked_workers(workers, scheduler)
    for name, path in (("--record", record), ("--store", store)):
        if path is not None:
            check_writable(path, name)
    earlier = falsifier.recorded(record) if record is not None else []
    try:
        document = falsifier.exhaust(found, models, pairs, store=store, workers=workers, scheduler=scheduler)
    except KeyboardInterrupt:
        tell(
            "interrupted" + (f"; finished slices are kept in {store}" if store is not None else "; --store FILE would keep finished slices")
        )
        return ExitStatus.INTERRUPTED
    if record is not None:
        write_whole(record, json.dumps(falsifier.record([document], earlier), indent=1) + "\n")
    if as_json:
        click.echo(json.dumps(document, indent=1))
    else:
        for line in _lines(document):
            say(line)
    return ExitStatus.DONE if document["status"] == "holds" else ExitStatus.DIFFERS


def _numbers(text: str) -> list[int]:
    try:
        return sorted({integer(part) for part in text.split(",")})
    except click.BadParameter:
        raise ModelError(f"--agents: found {text!r}, expected integers of at least 1 with commas between them") from None


def _lines(document: dict[str, Any]) -> Iterator[str]:
    """What was decided, as text."""
    what = {"holds": "holds on all", "violated": "is violated on some of", "undecided": "is not decided on all of"}[document["status"]]
    yield f"{document['claim']}: {what} {document['models']:,} models of a class ({document['orbits']:,} up to relabelling)"
    yield f"  {document['class']}"
    yield "  n, k: " + "; ".join(f"{n}, {k}" for n, k in document["pairs"]) + f" ({document['instances']:,} instances)"
    if document["by_sides"] or document["undecided"]:
        yield f"  {document['by_sides']:,} decided by the certified sides, {document['undecided']:,} undecided"
    if document["not_applicable"]:
        yield f"  the condition of the claim fails on {document['not_applicable']:,} instances"
    worst = document["worst"]
    if worst is not None:
        yield f"  largest left/right: {worst['ratio']:.6g} at n={worst['agents']} k={worst['subsample']}, member {worst['tuple']}"
    vacuous = [f"n={n} k={k}" for (n, k), verdict in zip(document["pairs"], document["verdicts"], strict=False) if verdict == "vacuous"]
    if vacuous:
        yield f"  vacuous on that member, no better than what is trivially true: {', '.join(vacuous)}"
    yield f"  {document['seconds']} s of work; digest {document['digest'][:16]}"
