"""The instances of a claim as lines of text, one cell after the other.

A page holds thousands of instances. As tables they would be most of its elements, so they are lines of preformatted text, readable as they
are; the page's script makes a table of those that a reader unfolds. Cells end with tabs, as many as line up the columns.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from mfverify.report.digits import compact, compared, ratio
from mfverify.report.document import ClaimRecord, InstanceRecord, Side
from mfverify.report.words import SYMBOLS, value_in_words
from mfverify.theory.claim import Verdict

NONE: Final = "–"
"""What a cell without a value holds."""

LABEL: Final = "LABEL"
"""What stands for the label of an instance in a command for all of them."""

_TAB: Final = 8
"""Distance of the tab stops, by the page's style sheet."""

_WIDEST: Final = 55
"""Longer cells are not lined up."""


@dataclass(frozen=True)
class Column:
    """A column: its heading, the cell of an instance, and whether to keep the column where no instance has a value."""

    heading: str
    cell: Callable[[InstanceRecord], str]
    always: bool = False


def lines(claim: ClaimRecord) -> Markup:
    """The instances of a claim: a line of headings, then one an instance, each with its address on the page."""
    columns = _columns(claim)
    table = [[_clean(column.cell(instance)) for column in columns] for instance in claim.instances]
    chosen = [i for i, column in enumerate(columns) if column.always or any(row[i] != NONE for row in table)]
    headings = [columns[i].heading for i in chosen]
    rows = [[row[i] for i in chosen] for row in table]
    widths = [min(_WIDEST, max(len(row[i]) for row in [headings, *rows])) for i in range(len(chosen))]
    written = [Markup("<strong>{}</strong>\n").format(_padded(headings, widths))]
    written += [
        Markup('<span id="{}">{}</span>\n').format(instance.anchor, _padded(row, widths))
        for instance, row in zip(claim.instances, rows, strict=True)
    ]
    return Markup("").join(written)


def command(claim: ClaimRecord) -> str:
    """The command that computes most instances again, with :data:`LABEL` for the label; empty where none has its label in it."""
    patterns = Counter(_pattern(instance) for instance in claim.instances)
    patterns.pop("", None)
    return patterns.most_common(1)[0][0] if patterns else ""


def _pattern(instance: InstanceRecord) -> str:
    """The command of an instance with :data:`LABEL` for its label; empty where the label is not in it once."""
    for label in (f"'{instance.label}'", shlex.quote(instance.label)):
        if instance.reproduce.count(label) == 1:
            return instance.reproduce.replace(label, f"'{LABEL}'")
    return ""


def _columns(claim: ClaimRecord) -> list[Column]:
    """The columns; the label is left out where model, n, k and parameters make it, the command where the common one serves."""
    shared = command(claim)
    composed = all(instance.label == _composed(instance) for instance in claim.instances)
    return [
        Column("Verdict", lambda i: f"{SYMBOLS[i.verdict]} {i.verdict.value}", always=True),
        Column("Model", lambda i: i.model if i.model is not None else NONE),
        Column("n", lambda i: NONE if i.agents is None else str(i.agents)),
        Column("k", lambda i: NONE if i.subsample is None else str(i.subsample)),
        Column("Parameters", lambda i: " ".join(f"{name}={value}" for name, value in i.parameters) or NONE),
        Column("Label", lambda i: NONE if composed else i.label),
        Column("Left side", lambda i: _pair(i)[0]),
        Column("Right side", lambda i: _pair(i)[1]),
        Column("Trivial", lambda i: _side(i.trivial)),
        Column("Slack", lambda i: NONE if i.slack is None else ratio(i.slack).text),
        Column("Command", lambda i: NONE if shared and _pattern(i) == shared else i.reproduce),
        Column("Notes", _notes),
    ]


def _composed(instance: InstanceRecord) -> str:
    """The label that model, n, k and the parameters make."""
    parts = [instance.model] if instance.model is not None else []
    parts += [f"{letter}={number}" for letter, number in (("n", instance.agents), ("k", instance.subsample)) if number is not None]
    return " ".join([*parts, *(f"{name}={value}" for name, value in instance.parameters)])


def _notes(instance: InstanceRecord) -> str:
    details = "; ".join(f"{name}: {value_in_words(value)}" for name, value in instance.details)
    return " ".join(part for part in (instance.reason, instance.worst, details) if part) or NONE


def _pair(instance: InstanceRecord) -> tuple[str, str]:
    """Both sides with enough digits to see the verdict."""
    if instance.actual is None or instance.bound is None:
        return _side(instance.actual), _side(instance.bound)
    left, right = compared(instance.actual, instance.bound)
    return left.text, right.text


def comparison(instance: InstanceRecord) -> str:
    """Both sides of an instance and how they compare, for a sentence."""
    left, right = _pair(instance)
    relation = {Verdict.VIOLATED: ">", Verdict.HOLDS: "≤", Verdict.VACUOUS: "≤"}.get(instance.verdict, "against")
    return f"left side {left} {relation} right side {right}"


def _side(side: Side | None) -> str:
    return NONE if side is None else compact(side).text


def _clean(cell: str) -> str:
    """A cell on one line; a tab ends cells."""
    return " ".join(cell.split())


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells with tabs between them, each to the tab stop that follows its column."""
    tabs = ("\t" * max(1, width // _TAB + 1 - len(cell) // _TAB) for cell, width in zip(cells[:-1], widths[:-1], strict=True))
    return "".join(cell + tab for cell, tab in zip(cells[:-1], tabs, strict=True)) + cells[-1]
