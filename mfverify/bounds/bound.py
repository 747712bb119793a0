"""The record of one right-hand side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from mfverify.bounds import evaluate
from mfverify.bounds.evaluate import Value
from mfverify.bounds.symbols import TABLE, latex
from mfverify.enclosure import Interval
from mfverify.errors import ModelError


@dataclass(frozen=True)
class Bound:
    """One right-hand side: an expression in the paper's symbols, and where it comes from.

    ``name`` is the claim's id, with a word where a claim has several sides; ``source`` the place in the paper;
    ``reading`` what was read into it, or what the number means. Raises :class:`ModelError` for an expression with a
    symbol that is not in the table of symbols.
    """

    name: str
    expression: sp.Expr
    source: str
    reading: str

    def __post_init__(self) -> None:
        strangers = self.expression.free_symbols - {entry.symbol for entry in TABLE}
        if strangers:
            raise ModelError(f"bound {self.name}: {sorted(map(str, strangers))} are not in the table of symbols; use its symbols")

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The symbols that need a value, in the order of the table of symbols."""
        return tuple(entry.symbol for entry in TABLE if entry.symbol in self.expression.free_symbols)

    @property
    def latex(self) -> str:
        """The expression in LaTeX, without dollar signs."""
        return latex(self.expression)

    def enclose(self, values: Mapping[sp.Symbol, Value]) -> Interval:
        """The certified value; ``values`` and errors as in :func:`mfverify.bounds.evaluate.enclose`."""
        return evaluate.enclose(self.expression, values)

    def evaluate_float(self, values: Mapping[sp.Symbol, Value]) -> float:
        """The value to double precision, for plots; errors as in :func:`mfverify.bounds.evaluate.evaluate_float`."""
        return evaluate.evaluate_float(self.expression, values)
