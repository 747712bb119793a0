"""``mfverify verify``: is it true?"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from mfverify.cli.options import ListOptions, checked_workers, integer, json_option, load_argument
from mfverify.cli.terminal import say, sides
from mfverify.consoles import console
from mfverify.errors import ModelError
from mfverify.exit_status import ExitStatus, tell


@click.command(cls=ListOptions)
@click.option("--profile", type=click.Choice(["quick", "full"]), default="quick", show_default=True, help="How much to compute.")
@click.option(
    "--claims",
    "claims",
    multiple=True,
    metavar="ID...",
    help="Only these claims, such as: --claims T1 L2. FILE.py:NAME is one of your own; the file is executed.",
)
@click.option("--paper", metavar="NAME", help="Only the claims of this paper, such as mean_field_sampling.")
@click.option("--models", "models", multiple=True, metavar="FILE...", help="Model files (or models:NAME) instead of the bundled models.")
@click.option("--instance", metavar="LABEL", help="Only the instance with this label (as in report.json).")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder for report.html, report.json and the store of results.")
@click.option("--workers", type=integer, default=None, help="Worker processes [default: what pays, up to the usable cores].")
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the Dask cluster with this scheduler, such as tcp://10.0.0.1:8786.")
@click.option("--resume", is_flag=True, help="Take finished instances from the store in --out.")
@json_option
def verify(
    profile: str,
    claims: tuple[str, ...],
    paper: str | None,
    models: tuple[str, ...],
    instance: str | None,
    out: Path | None,
    workers: int | None,
    scheduler: str | None,
    resume: bool,
    as_json: bool,
) -> int:
    """Check the claim catalogue; exit 1 if a status differs from the registered one."""
    if resume and out is None:
        raise ModelError("--resume: needs --out DIR, the folder of the run to continue")
    workers = checked_workers(workers, scheduler)
    if paper is not None and claims:
        raise ModelError("--paper: chooses the claims, and so does --claims; leave one of the two out")
    chosen_models = [load_argument(m) for m in models] or None
    from mfverify.papers import CATALOGUE
    from mfverify.verification import verify as run_catalogue

    chosen_claims = list(claims) if paper is None else CATALOGUE.of_paper(paper)

    try:
        report = run_catalogue(
            chosen_claims or None,
            chosen_models,
            profile,
            instance=instance,
            out=out,
            workers=workers,
            scheduler=scheduler,
            resume=resume,
            model_arguments=shlex.join(models),
        )
    except KeyboardInterrupt:
        kept = "what was finished is kept, --resume continues" if out is not None else "nothing is kept without --out DIR"
        tell(f"interrupted; {kept}")
        return ExitStatus.INTERRUPTED
    # A single instance or a user's models need not show what a whole claim is registered with.
    partial = instance is not None or chosen_models is not None
    if as_json:
        click.echo(report.to_json(), nl=False)
    else:
        _print_report(report.document)
        if out is not None:
            # A path is never broken over lines.
            click.echo(f"wrote {out / 'report.html'}\nwrote {out / 'report.json'}")
    if partial:
        registered = {part["id"]: part["registered"] for part in report.document["claims"]}
        return int(any(part["status"] == "refuted" and registered[part["id"]] != "refuted" for part in report.document["claims"]))
    return int(bool(report.unexpected))


def _print_report(document: dict[str, Any] | Any) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("id", "claim", "status", "holds", "viol.", "vac.", "n/a", "und."):
        table.add_column(column, justify="left" if column in ("id", "claim", "status") else "right", no_wrap=column != "claim")
    given = any(model["given"] for model in document["models"])  # the catalogue registers nothing for models of the caller
    for part in document["claims"]:
        tally = [
            sum(1 for i in part["instances"] if i["verdict"] == v) for v in ("holds", "violated", "vacuous", "not-applicable", "undecided")
        ]
        registered = part["status"] == part["registered"] or (given and part["status"] != "refuted")
        mark = "" if registered else f" (!= {part['registered']})"
        table.add_row(part["id"], part["title"], part["status"] + mark, *(str(x) if x else "." for x in tally))
    console().print(table)
    if len(document["claims"]) == 1 and len(document["claims"][0]["instances"]) == 1:
        one = document["claims"][0]["instances"][0]
        say(f"{one['label']}: {one['verdict']}")
        for line in sides(one):
            say(line)
        for text in (one["reason"], one["details"].get("worst", "")):
            if text:
                say(f"  {text}")
