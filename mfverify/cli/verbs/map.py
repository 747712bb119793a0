"""``mfverify map``: where a claim holds and where it fails, over two parameters."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mfverify.cli.options import ListOptions, json_option
from mfverify.cli.points import compute, points_options

if TYPE_CHECKING:
    from mfverify.points.axes import Axis


@click.command(cls=ListOptions)
@click.argument("claim")
@click.option("--model", help="A file or models:NAME; left out for claims about populations.")
@click.option(
    "--over", required=True, multiple=True, metavar="NAME=VALUES", help="An axis: discount=1/10..9/10:33, k=1..60, n=10:60:5, eta=0..1:21."
)
@click.option("--agents", metavar="VALUES", help="Number of local agents n, where it is no axis.")
@click.option("--subsample", metavar="VALUES", help="Number of sampled agents k, where it is no axis.")
@click.option("--out", type=click.Path(path_type=Path), help="File for the picture: .svg, .png or .pdf.")
@click.option("--record", type=click.Path(path_type=Path), help="File of maps that reports show, such as reports/maps.json; other claims in it are kept.")
@points_options
@json_option
def map(
    claim: str,
    model: str | None,
    over: tuple[str, ...],
    agents: str | None,
    subsample: str | None,
    out: Path | None,
    record: Path | None,
    **rest: Any,
) -> int:
    """A certified verdict of CLAIM at every point over two parameters, as a picture and a table.

    What is varied: n, k, the discount, the parameters of a bundled model, and the classes of a population. Values are not computed where
    the bound alone decides. CLAIM is an id of the catalogue, or FILE.py:NAME, a file that is executed.
    """
    from mfverify.points.axes import Axis

    axes: list[Axis] = [Axis.named(text) for text in over]
    axes += [Axis.of(name, text, f"--{name}") for name, text in (("agents", agents), ("subsample", subsample)) if text is not None]
    sizes = [part for name, text in (("--agents", agents), ("--subsample", subsample)) if text is not None for part in (name, text)]
    command = ["mfverify", "map", claim, *([] if model is None else ["--model", model]), *(part for one in over for part in ("--over", one)), *sizes]
    return compute(claim, model, axes, out, "--out", verdicts=True, record=None if record is None else (record, shlex.join(command)), **rest)
