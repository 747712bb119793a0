"""``mfverify falsify``: is there a counterexample?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from mfverify.cli.options import checked_workers, integer, json_option, number
from mfverify.cli.terminal import digits, say, sides
from mfverify.errors import ModelError
from mfverify.exit_status import ExitStatus, tell
from mfverify.files import check_writable, write_whole


@click.command()
@click.argument("claims", nargs=-1, required=True, metavar="CLAIM...")
@click.option(
    "--budget", type=number, default=60.0, show_default=True, metavar="SECONDS", help="Time for each claim: searching, then shrinking."
)
@click.option("--candidates", type=integer, default=None, help="At most so many instances in the search, and in the shrinking.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="File for the certificate of the violation (one claim).")
@click.option(
    "--record", type=click.Path(path_type=Path), default=None, help="File for what was searched and found; other claims in it are kept."
)
@click.option("--continue", "continued", is_flag=True, help="Begin with the best instances in the file of --record.")
@click.option("--seed", type=integer, default=0, show_default=True, help="Seed of the sequence of candidates.")
@click.option("--workers", type=integer, default=None, help="Worker processes [default: the usable cores].")
@click.option("--scheduler", metavar="ADDRESS", help="Search on the Dask cluster with this scheduler, such as tcp://10.0.0.1:8786.")
@json_option
def falsify(
    claims: tuple[str, ...],
    budget: float,
    candidates: int | None,
    out: Path | None,
    record: Path | None,
    continued: bool,
    seed: int,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
) -> int:
    """Search for a simple instance that violates a claim (an id or FILE.py:NAME, or "all"); exit 1 if one refutes what is not registered as refuted.

    A file FILE.py is executed: it is code that you choose to run.
    """
    from mfverify.falsifier import attack as falsifier
    from mfverify.papers import CATALOGUE
    from mfverify.papers.named import claim_named

    ids = [claim.id for claim in CATALOGUE] if claims == ("all",) else list(dict.fromkeys(claims))
    for claim_id in ids:
        claim_named(claim_id)
    workers = checked_workers(workers, scheduler)
    if out is not None and len(ids) > 1:
        raise ModelError(f"--out: found {len(ids)} claims, expected one; a certificate concerns one claim, --record takes several")
    if continued and record is None:
        raise ModelError("--continue: needs the file of earlier searches; give it with --record")
    for name, path in (("--out", out), ("--record", record)):
        if path is not None:
            check_writable(path, name)
    earlier = falsifier.recorded(record) if record is not None else []
    first = earlier if continued else []
    done: list[falsifier.Attack] = []
    for claim_id in ids:
        try:
            one = falsifier.attack(claim_id, budget, seed=seed, workers=workers, scheduler=scheduler, candidates=candidates, earlier=first)
            done.append(one)
        except falsifier.InterruptedAttack as stopped:
            tell("interrupted; so far:")
            for line in _attack_lines(stopped.attack.to_json()):
                click.echo(line, err=True)
            return ExitStatus.INTERRUPTED
        if record is not None:
            write_whole(record, json.dumps(falsifier.record(done, earlier), indent=1) + "\n")
        if not as_json:
            for line in _attack_lines(done[-1].to_json()):
                say(line)
    if out is not None and done[0].certificate is not None:
        done[0].certificate.save(out)
    if as_json:
        documents = [one.to_json() for one in done]
        click.echo(json.dumps(documents[0] if len(ids) == 1 else documents, indent=1))
    else:
        written = [path for path in (out if done[0].certificate is not None else None, record) if path is not None]
        for path in written:
            click.echo(f"wrote {path}")
        if out is not None and out not in written:
            say(f"wrote nothing to {out}: there is no certificate")
    return int(any(one.found is not None and one.claim.registered.value != "refuted" for one in done))


def _attack_lines(document: dict[str, Any]) -> Iterator[str]:
    """The result of a search as text."""
    from mfverify.report.searches import decided_sentence

    searched, violated, shrinking = document["searched"], document["violated"], document["shrinking"]
    families = ", ".join(f"{name} {number}" for name, number in searched["families"].items())
    looked = f"searched {searched['candidates']} candidates with seed {document['seed']} ({families or 'none'})"
    if document["first"]:
        looked += f", beginning with {', '.join(document['first'])}"
    if searched["exhausted"]:
        looked += ", all that there are"
    if searched["screened"]:
        looked += f"; ranked {searched['screened']:,} without enclosures"
    if violated is None:
        yield f"{document['claim']}: undecided, nothing found"
        yield f"  {looked}"
        if searched["best"] is not None:
            best = searched["best"]
            ratio = f"{best['ratio']:.6g}" if best["ratio"] is not None else f"{digits(best['actual'])} / {digits(best['bound'])}"
            yield f"  largest left/right: {ratio}, {best['family']}: {best['label']}"
    else:
        yield f"{document['claim']}: violated at {violated['label']}"
        yield from sides(violated)
        yield f"  {looked}"
        if shrinking is not None:
            end = "nothing simpler that was tried is violated" if shrinking["finished"] else "not finished"
            yield f"  shrunk from {shrinking['from']} in {shrinking['steps']} steps, {shrinking['tried']} tried: {end}"
        if len(document["smallest"]) > 1:
            shown = "; ".join(
                f"n={one['agents']} k={one['subsample']} denominators up to {one['denominator']}" for one in document["smallest"]
            )
            yield f"  the smallest found: {shown}"
        if document["certificate"] is None:
            yield f"  no certificate: {document['reason'] or 'interrupted'}"
        else:
            yield f"  certified; a simpler one is not: {document['reason']}" if document["reason"] else "  certified"
    for one in searched["classes"]:
        yield f"  {decided_sentence(one)}"
    for failure in searched["failures"]:
        yield f"  the claim's code failed at {failure}"
