"""``mfverify explain``: where does the argument for a claim break?"""

from __future__ import annotations

import json

import click

from mfverify.cli.options import json_option
from mfverify.cli.terminal import say
from mfverify.errors import ModelError


@click.command()
@click.argument("claim")
@click.option("--instance", metavar="LABEL", required=True, help="The instance with this label (as in report.json).")
@json_option
def explain(claim: str, instance: str, as_json: bool) -> None:
    """Walk through the argument for a claim on one instance, line by line, with certified numbers."""
    from mfverify.papers import CATALOGUE
    from mfverify.points.instances import instance_labelled
    from mfverify.theory.argument import Walk

    chosen = CATALOGUE[claim]
    if chosen.argument is None:
        with_one = ", ".join(one.id for one in CATALOGUE if one.argument is not None)
        raise ModelError(f"claim {claim}: no argument is reconstructed for it; the claims with one are {with_one}")
    found = instance_labelled(chosen, instance)
    walk = Walk(chosen, found, chosen.argument(found))
    if as_json:
        click.echo(json.dumps(walk.to_json(), indent=1))
        return
    for line in walk.as_text().splitlines():
        say(line)
