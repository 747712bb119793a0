"""``mfverify explain``: where does the argument for a claim break?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mfverify.cli.options import json_option
from mfverify.cli.terminal import say
from mfverify.errors import ModelError

if TYPE_CHECKING:
    from mfverify.theory.cases.case import Case
    from mfverify.theory.claim import Claim


@click.command()
@click.argument("claim")
@click.option("--instance", metavar="LABEL", required=True, help="The instance with this label (as in report.json).")
@json_option
def explain(claim: str, instance: str, as_json: bool) -> None:
    """Walk through the argument for a claim on one instance, line by line, with certified numbers."""
    from mfverify.papers import CATALOGUE
    from mfverify.theory.argument import Walk

    chosen = CATALOGUE[claim]
    if chosen.argument is None:
        with_one = ", ".join(one.id for one in CATALOGUE if one.argument is not None)
        raise ModelError(f"claim {claim}: no argument is reconstructed for it; the claims with one are {with_one}")
    found = _instance_of(chosen, instance)
    walk = Walk(chosen, found, chosen.argument(found))
    if as_json:
        click.echo(json.dumps(walk.to_json(), indent=1))
        return
    for line in walk.as_text().splitlines():
        say(line)


def _instance_of(claim: Claim, label: str) -> Case:
    """The instance with a label, of either profile."""
    from mfverify.theory.claim import Profile

    for profile in Profile:
        cases: Sequence[Case] = claim.instances(profile, None)
        for one in cases:
            if one.label == label:
                return one
    raise ModelError(f"--instance: {label!r} is no instance of {claim.id}; take a label from report.json")
