"""``mfverify export``: what do other tools say?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from mfverify.cli.options import integer, json_option, load_argument
from mfverify.cli.terminal import say
from mfverify.validation import positive_integer


@click.command()
@click.argument("model")
@click.option("--agents", type=integer, required=True, help="Number of local agents n.")
@click.option("--to", type=click.Choice(["drn", "quantecon-npz"]), required=True, help="Storm, exact rationals; or QuantEcon, doubles.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="The file [default: the model's name and n].")
@json_option
def export(model: str, agents: int, to: str, out: Path | None, as_json: bool) -> None:
    """Write the n-agent system explicitly for Storm or QuantEcon."""
    agents = positive_integer("--agents", agents)
    loaded = load_argument(model)
    from mfverify.export.formats import export_model

    written = export_model(loaded, agents, out, to)
    if as_json:
        click.echo(json.dumps({"model": loaded.name, "agents": agents, **written.to_json()}, indent=1))
        return
    click.echo(f"wrote {written.path}")
    size = written.extent
    say(f"{loaded.name} with n = {agents}: {size.states} states, {size.choices} choices, {size.transitions} transitions")
    for line in written.reading:
        say(line)
