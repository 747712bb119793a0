"""``mfverify report``: show a run again; what changed?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from mfverify.cli.options import json_option
from mfverify.cli.terminal import say
from mfverify.errors import ModelError
from mfverify.files import write_whole
from mfverify.json_files import parse_json, read_text

_LARGEST_REPORT: Final = 256 * 2**20


@click.command()
@click.argument("run_dir", type=click.Path(path_type=Path), required=False)
@click.option("--compare", "runs", nargs=2, type=click.Path(path_type=Path), metavar="OLD NEW", help="Say what changed between two runs.")
@click.option(
    "--to", "table", type=click.Choice(["csv", "parquet"]), help="Write the instances as a table instead: results.csv or .parquet."
)
@json_option
def report(run_dir: Path | None, runs: tuple[Path, Path] | None, table: str | None, as_json: bool) -> int:
    """Render report.html again from the stored results of a run, or compare two runs (exit 1 if an outcome changed)."""
    if (run_dir is None) == (runs is None):
        raise click.UsageError("give the folder of one run, or --compare OLD NEW")
    if runs is not None and table is not None:
        raise click.UsageError("--to: writes the instances of one run; give its folder instead of --compare")
    if runs is not None:
        old, new = map(_stored, runs)
        from mfverify.report.compare import compare

        found = compare(old, new)
        if as_json:
            click.echo(json.dumps({"old": str(runs[0]), "new": str(runs[1])} | found.to_json(), indent=1))
        else:
            for line in found.lines():
                say(line)
        return int(found.alarming)
    assert run_dir is not None  # one of the two was given
    document = _stored(run_dir)
    if table is not None:
        from mfverify.report.table import Format, write_table

        path = run_dir / f"results.{table}"
        write_table(document, path, Format(table))
        click.echo(json.dumps({"table": str(path), "summary": document["summary"]}, indent=1) if as_json else f"wrote {path}")
        return 0
    from mfverify.report.page import render

    page = run_dir / "report.html"
    write_whole(page, render(document))
    if as_json:
        click.echo(
            json.dumps({"report": {"html": str(page), "json": str(run_dir / "report.json")}, "summary": document["summary"]}, indent=1)
        )
    else:
        click.echo(f"wrote {page}")
    return 0


def _stored(folder: Path) -> dict[str, Any]:
    """The document of a finished run."""
    path = folder / "report.json"
    document = parse_json(path, read_text(path, _LARGEST_REPORT, "the folder of a finished run"))
    if document.get("format") != 1:
        raise ModelError(f"{path}: is not a report of this format; run mfverify verify --out {folder}")
    return document
