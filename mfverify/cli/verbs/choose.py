"""``mfverify choose``: which k, for a gap that is accepted or a table that can be held?"""

from __future__ import annotations

import json

import click

from mfverify.cli.options import integer, json_option, load_argument
from mfverify.cli.points import shortened
from mfverify.cli.terminal import say
from mfverify.consoles import console
from mfverify.errors import ModelError
from mfverify.subsample_mfq.draws import WORDS
from mfverify.validation import positive_integer

_SHOWN = 40


@click.command()
@click.argument("model")
@click.option("--agents", type=integer, required=True, help="Number of local agents n.")
@click.option("--largest-gap", metavar="NUMBER", help="The smallest k whose largest gap is certified to be at most this.")
@click.option(
    "--largest-table", type=integer, metavar="ENTRIES", help="Only k whose table (mean-field regime) has at most so many entries."
)
@click.option("--subsample", metavar="VALUES", help="The k to try, such as 1:60:5 [default: 1 to n].")
@click.option("--sampling", type=click.Choice(WORDS), metavar="WAY", default="independent", show_default=True, help="How the agents draw.")
@json_option
def choose(
    model: str, agents: int, largest_gap: str | None, largest_table: int | None, subsample: str | None, sampling: str, as_json: bool
) -> None:
    """Choose k for a budget: a largest gap that is accepted, a largest table, or both.

    With --largest-gap the smallest k that is certified to be good enough; with --largest-table alone the best of those that fit. Without a
    k that fits nothing is chosen.
    """
    agents = positive_integer("--agents", agents)
    if largest_gap is None and largest_table is None:
        raise ModelError("choose: needs --largest-gap or --largest-table; give one of the two, or both")
    if largest_table is not None:
        largest_table = positive_integer("--largest-table", largest_table)
    loaded = load_argument(model)
    from mfverify.points.axes import Axis
    from mfverify.points.choice import choose_k

    sizes = None if subsample is None else [int(x) for x in Axis.of("k", subsample, "--subsample").values]
    found = choose_k(loaded, agents, largest_gap=largest_gap, largest_table=largest_table, sampling=sampling, sizes=sizes)
    if as_json:
        document = {
            "model": loaded.name,
            "agents": agents,
            "sampling": sampling,
            "largest_gap": largest_gap,
            "largest_table": largest_table,
            "chosen": found.k,
            "tried": [one.to_json() for one in found.tried],
        }
        click.echo(json.dumps(document, indent=1))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("k", "entries", "largest gap", ""):
        table.add_column(name, justify="right" if name in ("k", "entries") else "left")
    for one in found.tried[-_SHOWN:]:
        mark = (
            "chosen" if one.k == found.k else "undecided" if one.gap is None or (largest_gap is not None and one.accepted is None) else ""
        )
        table.add_row(str(one.k), str(one.entries), one.reason if one.gap is None else shortened(one.gap), mark)
    if len(found.tried) > _SHOWN:
        click.echo(f"the last {_SHOWN} of {len(found.tried)} that were tried; --json prints all")
    console().print(table)
    say(f"{loaded.name}, n = {agents}, {sampling} draws: " + (f"k = {found.k}" if found.k is not None else "no k is certified to fit"))
