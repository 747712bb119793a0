"""``mfverify claims``: which statements are there?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mfverify.cli.options import json_option
from mfverify.cli.terminal import say
from mfverify.consoles import console

if TYPE_CHECKING:
    from mfverify.theory.claim import Claim


def _print_proof(claim: Claim) -> None:
    """A statement, its reading, and the text at the anchor of its grounds; the grounds in words where they are no proof of ours."""
    from mfverify.bundled import PREFIX, certificates_of, proof_text
    from mfverify.theory.grounds import Anchor

    grounds = claim.stands_on
    click.echo(f"{claim.id}. {claim.title}\n\n{claim.statement}\n\nReading: {claim.reading}\nStatus: {claim.registered.value}")
    click.echo(f"Grounds: {grounds.kind.value}{f', {grounds.where}' if str(grounds.where) else ''}")
    for name in certificates_of(claim.id):
        click.echo(f"Certificate: mfverify check {PREFIX}{name}")
    if isinstance(grounds.where, Anchor):
        click.echo(f"\n{proof_text(grounds.where.place, grounds.where.heading)}")


@click.command()
@click.option("--graph", "show", flag_value="graph", help="Print what rests on what, with the registered statuses.")
@click.option("--proof", "proved", metavar="ID", help="Print one statement with the full proof of it, as Markdown.")
@click.option("--paper", metavar="NAME", help="Only the claims of this paper, such as mean_field_sampling.")
@json_option
def claims(show: str | None, proved: str | None, paper: str | None, as_json: bool) -> None:
    """List the catalogue: id, statement, source, registered status and grounds of each claim."""
    from mfverify.bundled import PREFIX, certificates_of
    from mfverify.papers import CATALOGUE
    from mfverify.theory import dependencies

    if proved is not None:
        _print_proof(CATALOGUE[proved])
        return
    chosen = list(CATALOGUE) if paper is None else CATALOGUE.of_paper(paper)
    if show == "graph" and not as_json:
        for line in dependencies.as_text(chosen, {c.id: c.registered for c in chosen}).splitlines():
            say(line)
        return
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "id": c.id,
                        "paper": CATALOGUE.paper_of(c),
                        "title": c.title,
                        "statement": c.statement,
                        "source": c.source,
                        "reading": c.reading,
                        "registered": c.registered.value,
                        "grounds": c.stands_on.to_json(),
                        "rests_on": list(c.rests_on),
                        "certificates": certificates_of(c.id),
                    }
                    for c in chosen
                ],
                indent=1,
            )
        )
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("id", "claim", "source", "registered", "grounds"):
        table.add_column(column, no_wrap=column in ("id", "registered", "grounds"))
    for c in chosen:
        table.add_row(c.id, c.title, c.source, c.registered.value, c.stands_on.kind.value)
    console().print(table)
    certified = [name for c in chosen for name in certificates_of(c.id)[:1]]
    if certified:
        click.echo()
        say(f"mfverify check {PREFIX}NAME checks a certificate of each refuted statement: {', '.join(certified)}")
