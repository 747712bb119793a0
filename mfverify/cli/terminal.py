"""What a command prints: lines, tables and progress bars."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from mfverify.rationals import described, from_text, written

if TYPE_CHECKING:
    from mfverify.enclosure import Enclosure
    from mfverify.model import Model
    from mfverify.verification import Progress

_SHOWN_STATES: Final = 24
LONGEST_EXACT: Final = 40
"""Characters of a rational that are shown beside its lower and upper bound; --json has all of them."""
_LONGEST_FOLDED: Final = 400
"""Characters of an exact value that are printed over several lines; --json has all of them."""


def state_rows(model: Model, agents: int, value: Enclosure) -> list[dict[str, Any]]:
    """A value as JSON, one object for each state."""
    from mfverify.counts import count_vectors

    vectors = count_vectors(agents, model.sizes[2])
    return [
        {"global": g, "counts": row.tolist(), "lower": float(value.lower[g, c]), "upper": float(value.upper[g, c])}
        | ({"exact": written(value.exact[g, c])} if value.exact is not None else {})
        for g in range(value.shape[0])
        for c, row in enumerate(vectors)
    ]


def print_states(states: Sequence[dict[str, Any]]) -> None:
    """Print :func:`state_rows` as a table, the first of them where there are many."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("s_g", justify="right")
    table.add_column("counts", overflow="fold")
    exact = "exact" in states[0]
    for name in ("exact",) if exact else ("lower", "upper"):
        table.add_column(name, justify="right", overflow="fold")
    shortened = {
        text: described(from_text(text), _LONGEST_FOLDED)
        for text in (state["exact"] for state in states[:_SHOWN_STATES] if exact)
        if len(text) > _LONGEST_FOLDED
    }
    for state in states[:_SHOWN_STATES]:
        numbers = (shortened.get(state["exact"], state["exact"]),) if exact else (repr(state["lower"]), repr(state["upper"]))
        table.add_row(str(state["global"]), " ".join(map(str, state["counts"])), *numbers)
    console().print(table)
    if shortened:
        click.echo("long fractions are shown by their first digits; --json prints them in full")
    if len(states) > _SHOWN_STATES:
        click.echo(f"... and {len(states) - _SHOWN_STATES} more states; --json prints all")


def say(text: str) -> None:
    """A line of text, folded to the width of the terminal; names are shown as they are, control characters apart."""
    console().print("".join(c if c.isprintable() else "?" for c in text))


def console(stderr: bool = False) -> Any:
    """A console that shows every text as it is, and leaves an output that cannot be written to :func:`run`."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would end the process with status 1

    return Plain(stderr=stderr, soft_wrap=False, highlight=False, markup=False, emoji=False)


@contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """A progress bar on standard error, only when that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        BarColumn(30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("starting", total=None)

        def update(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total, description=label[:36])

        yield update
