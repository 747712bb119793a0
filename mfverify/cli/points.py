"""What ``sweep`` and ``map`` share: options, the run and what is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mfverify.cli.options import checked_workers, integer, load_argument, number
from mfverify.cli.terminal import say
from mfverify.consoles import console
from mfverify.errors import ModelError
from mfverify.exit_status import ExitStatus, tell
from mfverify.files import check_writable
from mfverify.rationals import outward, quoted

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.models.families import Family
    from mfverify.points.axes import Axis
    from mfverify.points.sweep import Sweep

_SHOWN_POINTS: Final = 100

_OPTIONS: Final = (
    click.option("--table", type=click.Path(path_type=Path), help="File for the table: .csv or .parquet."),
    click.option(
        "--start", metavar="GLOBAL:C1+C2...", help="Compare the gap at this start alone: the global state, the agents in each local one."
    ),
    click.option(
        "--seconds",
        type=number,
        default=600.0,
        show_default=True,
        help="Values that take longer at one point (estimated) are out of reach.",
    ),
    click.option(
        "--episodes", type=integer, default=1000, show_default=True, help="Episodes of a simulation where values are out of reach; 0: none."
    ),
    click.option("--seed", type=integer, default=0, show_default=True, help="Seed of the episodes."),
    click.option("--store", type=click.Path(path_type=Path), help="File of finished points: what it has is not computed again."),
    click.option("--workers", type=integer, default=None, help="Worker processes [default: what pays, up to the usable cores]."),
    click.option("--scheduler", metavar="ADDRESS", help="Compute on the Dask cluster with this scheduler."),
)


def points_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that both commands take."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def compute(
    claim: str,
    model: str | None,
    axes: Sequence[Axis],
    picture: Path | None,
    option: str,
    *,
    verdicts: bool,
    table: Path | None,
    start: str | None,
    seconds: float,
    episodes: int,
    seed: int,
    store: Path | None,
    workers: int | None,
    scheduler: str | None,
    as_json: bool,
    record: tuple[Path, str] | None = None,
) -> int:
    """Check every argument, compute the points, print and write; the exit status. ``record``: a file of maps and the command for it."""
    from mfverify.papers.named import claim_named
    from mfverify.points.picture import check_picture, write_picture
    from mfverify.points.record import entry, keep
    from mfverify.points.record import kept as earlier
    from mfverify.points.sweep import sweep
    from mfverify.points.table import check_suffix, write_table

    workers = checked_workers(workers, scheduler)
    if episodes < 0 or seed < 0:
        raise ModelError(f"--{'episodes' if episodes < 0 else 'seed'}: found {min(episodes, seed)}, expected an integer of at least 0")
    if picture is not None:
        check_picture(picture, [len(axis.values) for axis in axes], option)
    if table is not None:
        check_suffix(table, "--table")
        check_writable(table, "--table")
    if record is not None:
        check_writable(record[0], "--record")
        if sum(len(axis.values) > 1 for axis in axes) != 2:
            raise ModelError("--record: a map in a report has two axes with several values; give --over for both")
        earlier(record[0])
    source = None if model is None else _source(model)
    try:
        found = sweep(
            claim,
            source,
            axes,
            start=None if start is None else start_of(start),
            seconds=seconds,
            episodes=episodes,
            seed=seed,
            verdicts=verdicts,
            store=store,
            workers=workers,
            scheduler=scheduler,
            model_argument="" if model is None else model,
        )
    except KeyboardInterrupt:
        kept = (
            f"what was finished is kept in {store}, the same command continues"
            if store is not None
            else "nothing is kept without --store FILE"
        )
        tell(f"interrupted; {kept}")
        return ExitStatus.INTERRUPTED
    document = found.document
    if table is not None:
        write_table(document, table)
    if picture is not None:
        write_picture(document, picture)
    if record is not None:
        keep(record[0], entry(document, claim_named(claim).statement, record[1]))
    if as_json:
        click.echo(found.to_json(), nl=False)
    else:
        report(found, [path for path in (picture, table, record[0] if record else None) if path is not None], listed=option == "--plot")
    return int(found.verdicts["violated"] > 0 and found.document["registered"] != "refuted")


def _source(text: str) -> Model | Family:
    from mfverify.models.families import PREFIX, Family

    return Family.named(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else load_argument(text)


def start_of(text: str) -> tuple[int, tuple[int, ...]]:
    """A start from ``GLOBAL:C1+C2+...``."""
    s_g, _, listed = text.partition(":")
    try:
        return integer(s_g), tuple(integer(c) for c in listed.split("+"))
    except click.BadParameter:
        raise ModelError(
            f"--start: found {quoted(text)}, expected the global state and the agents in each local state, such as 0:3+1"
        ) from None


def report(found: Sweep, written: Sequence[Path], listed: bool) -> None:
    """Print the points where they are ``listed``, how many have each verdict, and what was written."""
    from mfverify.points.sweep import sentence

    points = found.document["points"]
    if listed:
        _print_points(found.document)
    say(sentence(found.document))
    simulated = sum(bool(one["simulated"] and "lower" in one["simulated"]) for one in points)
    if simulated:
        say(f"{simulated} of them simulated: intervals with 99% confidence, which no verdict rests on")
    alone = [one for one in points if one["by"] == "bound" and one["reason"]]
    if alone:
        remedy = "" if found.document["start"] else "; --start GLOBAL:COUNTS compares one start"
        say(f"the bound alone: {len(alone)}; values are out of reach ({alone[0]['reason']}){remedy}")
        why = next((one["simulated"]["reason"] for one in alone if "reason" in (one["simulated"] or {})), "")
        if why:
            say(f"not simulated: {why}; --seconds and --episodes say how far to go")
    for path in written:
        click.echo(f"wrote {path}")


def _print_points(document: Mapping[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    axes = [axis["name"] for axis in document["axes"]]
    for name in axes:
        table.add_column(name, justify="right")
    for name in ("verdict", "left side", "right side", "by"):
        table.add_column(name)
    points = document["points"]
    for one in points[:_SHOWN_POINTS]:
        left = "" if one["by"] == "bound" else _side(one["actual"])
        simulated = one["simulated"] or {}
        if "lower" in simulated:
            left = f"simulated {simulated['lower']:.3g} to {simulated['upper']:.3g}"
        table.add_row(*(one["at"][name] for name in axes), one["verdict"], left, _side(one["bound"]), one["by"])
    console().print(table)
    if len(points) > _SHOWN_POINTS:
        click.echo(f"... and {len(points) - _SHOWN_POINTS} more points; --table and --json have all")


def _side(document: Mapping[str, Any] | None) -> str:
    """Certified digits of a side."""
    from mfverify.enclosure import Interval, ends_of

    if document is None:
        return ""
    lower, upper = ends_of(document)
    if lower is None or upper is None:
        return f"[{document['lower']}, {document['upper']}]"
    return shortened(Interval(lower, upper))


def shortened(value: Any) -> str:
    """Six certified decimals, or the two ends, rounded outward, where these are not certified."""
    text = f"{value:.6f}"
    return text if not text.startswith("[") else outward(value.lower, value.upper)
