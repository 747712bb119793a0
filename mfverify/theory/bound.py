"""The record of one right-hand side.

It is one sympy expression. The LaTeX shown, the numbers plotted and the certified enclosure come from it, so the three cannot
disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.theory import evaluate
from mfverify.theory.evaluate import Value
from mfverify.theory.formula import latex
from mfverify.theory.symbols import MODEL_CLASS, SymbolTable


@dataclass(frozen=True)
class Bound:
    """One right-hand side: an expression in declared symbols, and where it comes from.

    ``name`` is the claim's id, with a word where a claim has several sides; ``source`` the place in the paper;
    ``reading`` what was read into it, or what the number means; ``table`` declares the symbols: those of the model class
    unless a paper needs more. Raises :class:`ModelError` for an expression with a symbol that the table does not declare.
    """

    name: str
    expression: sp.Expr
    source: str
    reading: str
    table: SymbolTable = MODEL_CLASS

    def __post_init__(self) -> None:
        undeclared = sorted(str(symbol) for symbol in self.expression.free_symbols if symbol not in self.table)
        if undeclared:
            raise ModelError(
                f"bound {self.name}: {undeclared} are not in the table of symbols; use its symbols, or declare them and give the table"
            )

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The symbols that need a value, in the order of the table of symbols."""
        return tuple(entry.symbol for entry in self.table if entry.symbol in self.expression.free_symbols)

    @property
    def latex(self) -> str:
        """The expression in LaTeX, without dollar signs."""
        return latex(self.expression, self.table)

    def enclose(self, values: Mapping[sp.Symbol, Value]) -> Interval:
        """The certified value; ``values`` and errors as in :func:`mfverify.theory.evaluate.enclose`."""
        return evaluate.enclose(self.expression, values)

    def evaluate_float(self, values: Mapping[sp.Symbol, Value]) -> float:
        """The value to double precision, for plots; errors as in :func:`mfverify.theory.evaluate.evaluate_float`."""
        return evaluate.evaluate_float(self.expression, values)
