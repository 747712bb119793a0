"""``mfverify sweep``: a claim about a model at many n and k."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mfverify.cli.options import json_option
from mfverify.cli.points import compute, points_options

if TYPE_CHECKING:
    from mfverify.points.axes import Axis


@click.command()
@click.argument("model", required=False)
@click.option("--claim", required=True, metavar="CLAIM", help="An id of the catalogue, or FILE.py:NAME, a file that is executed.")
@click.option("--agents", required=True, metavar="VALUES", help="Numbers of local agents n: 500, or 100,500, or 100:500:50.")
@click.option("--subsample", required=True, metavar="VALUES", help="Numbers of sampled agents k: 1:60, or 1:60:5, or 1,5,25.")
@click.option("--discount", metavar="VALUES", help="Discounts in place of the model's: 9/10, or 1/10..9/10:9.")
@click.option("--classes", metavar="VALUES", help="For claims about populations: classes that the agents are divided over [default: 2].")
@click.option("--plot", type=click.Path(path_type=Path), help="File for the picture: .svg, .png or .pdf.")
@points_options
@json_option
def sweep(
    model: str | None, claim: str, agents: str, subsample: str, discount: str | None, classes: str | None, plot: Path | None, **rest: Any
) -> int:
    """A claim about MODEL (a file or models:NAME) at every n and k: a certified verdict for each, and what is known where values are out of reach.

    Where values are out of reach, the bound alone decides if it can; --start compares the gap at one start; and where nothing
    exact fits, episodes are simulated, which is shown beside the verdict and decides nothing.
    """
    from mfverify.points.axes import Axis

    given = {"agents": agents, "subsample": subsample, "discount": discount, "classes": classes}
    axes: list[Axis] = [Axis.of(name, text, f"--{name}") for name, text in given.items() if text is not None]
    return compute(claim, model, axes, plot, "--plot", verdicts=False, **rest)
