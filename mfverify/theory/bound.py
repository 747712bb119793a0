"""The record of one right-hand side.

It is one sympy expression. The LaTeX shown, the numbers plotted and the certified enclosure come from it, so the three cannot
disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.theory import evaluate
from mfverify.theory.evaluate import Value
from mfverify.theory.formula import latex
from mfverify.theory.symbols import MODEL_CLASS, PaperSymbol, SymbolTable


@dataclass(frozen=True)
class Bound:
    """One right-hand side: an expression in declared symbols, and where it comes from.

    Parameters
    ----------
    name
        The claim's id, with a word where a claim has several sides.
    expression
        In sympy.
    source
        The place in the paper.
    reading
        What was read into it, or what the number means.
    symbols
        A table of symbols, or :class:`~mfverify.theory.symbols.PaperSymbol` records that are added to those of the model class.

    Raises
    ------
    ModelError
        An expression with a symbol that is not declared.

    Examples
    --------
    >>> from mfverify.theory.symbols import gamma, k
    >>> bound = Bound("G2", 1 / (sp.sqrt(k) * (1 - gamma)), "a lemma of ours", "the order alone")
    >>> f"{bound.enclose({k: 16, gamma: sp.Rational(1, 2)}):.3f}"
    '0.500'
    """

    name: str
    expression: sp.Expr
    source: str
    reading: str
    symbols: SymbolTable | Sequence[PaperSymbol] = MODEL_CLASS

    def __post_init__(self) -> None:
        if not isinstance(self.symbols, SymbolTable):
            object.__setattr__(self, "symbols", MODEL_CLASS.extended(*self.symbols))
        undeclared = sorted(str(symbol) for symbol in self.expression.free_symbols if symbol not in self.table)
        if undeclared:
            raise ModelError(
                f"bound {self.name}: {', '.join(undeclared)} are not declared; use those of the model class, or give symbols=(PaperSymbol(...), ...)"
            )

    @property
    def table(self) -> SymbolTable:
        """All declared symbols."""
        assert isinstance(self.symbols, SymbolTable)  # since it was made
        return self.symbols

    @cached_property
    def needed(self) -> tuple[sp.Symbol, ...]:
        """The symbols that need a value, in the order of the table of symbols."""
        free = self.expression.free_symbols
        return tuple(entry.symbol for entry in self.table if entry.symbol in free)

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
