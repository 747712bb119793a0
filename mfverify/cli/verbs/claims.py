"""``mfverify claims``: which statements are there?"""

from __future__ import annotations

import json

import click

from mfverify.cli.options import json_option
from mfverify.cli.terminal import console, say


@click.command()
@click.option("--graph", "show", flag_value="graph", help="Print what rests on what, with the registered statuses.")
@click.option("--paper", metavar="NAME", help="Only the claims of this paper, such as mean_field_sampling.")
@json_option
def claims(show: str | None, paper: str | None, as_json: bool) -> None:
    """List the catalogue: id, statement, source, registered status and grounds of each claim."""
    from mfverify.papers import CATALOGUE
    from mfverify.theory import dependencies

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
