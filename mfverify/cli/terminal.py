"""What a command prints: lines and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from mfverify.consoles import console
from mfverify.rationals import described, from_text, written

if TYPE_CHECKING:
    from mfverify.enclosure import Enclosure
    from mfverify.model import Model

_SHOWN_STATES: Final = 24
LONGEST_EXACT: Final = 40
"""Characters of a rational that are shown beside its digits; --json has all of them."""
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


def digits(side: Mapping[str, Any]) -> str:
    """The certified digits of a number from a JSON document, and the rational itself where it is known and short."""
    from mfverify.enclosure import Interval, ends_of

    exact = side.get("exact") or ""
    lower, upper = ends_of({"lower": side["lower"], "upper": side["upper"]})
    unbounded = f"[{side['lower']!r}, {side['upper']!r}]".replace("None", "unbounded")
    text = unbounded if lower is None or upper is None else f"{Interval(lower, upper)}"
    return text if not exact or len(exact) > LONGEST_EXACT else f"= {exact}" if text == exact else f"= {exact}, {text}"


def sides(one: Mapping[str, Any]) -> Iterator[str]:
    """A line for each of the two sides of a comparison that is there: their certified digits, or all of both ends where these are the same."""
    known = {name: one[name] for name in ("actual", "bound") if one[name]}
    shown = {name: digits(side) for name, side in known.items()}
    if len(set(shown.values())) < len(known) and not all(text.startswith("=") for text in shown.values()):
        shown = {name: f"[{side['lower']!r}, {side['upper']!r}]" for name, side in known.items()}
    for name, text in shown.items():
        yield f"  {name:7}{text if text.startswith('=') else f'  {text}'}"


def print_states(states: Sequence[dict[str, Any]], name: str = "value") -> None:
    """Print :func:`state_rows` as a table, the first of them where there are many; ``name``: what the certified digits are called."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("s_g", justify="right")
    table.add_column("counts", overflow="fold")
    exact = "exact" in states[0]
    table.add_column("exact" if exact else name, justify="right", overflow="fold")
    shortened = {
        text: described(from_text(text), _LONGEST_FOLDED)
        for text in (state["exact"] for state in states[:_SHOWN_STATES] if exact)
        if len(text) > _LONGEST_FOLDED
    }
    for state in states[:_SHOWN_STATES]:
        number = shortened.get(state["exact"], state["exact"]) if exact else digits(state)
        table.add_row(str(state["global"]), " ".join(map(str, state["counts"])), number)
    console().print(table)
    if shortened:
        click.echo("long fractions are shown by their first digits; --json prints them in full")
    if len(states) > _SHOWN_STATES:
        click.echo(f"... and {len(states) - _SHOWN_STATES} more states; --json prints all")


def say(text: str) -> None:
    """A line of text, folded to the width of the terminal; names are shown as they are, control characters apart."""
    console().print("".join(c if c.isprintable() else "?" for c in text))
