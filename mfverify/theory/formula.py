"""How a formula is written, as a sympy expression and in LaTeX.

sympy rewrites formulas under the assumptions of their symbols (``sqrt(k n)`` becomes ``sqrt(k) sqrt(n)`` because both
are positive). A right-hand side that is to look like the paper's is built with :func:`root`, :func:`times`
and :func:`plus`, which write a root, a product or a sum and leave it as it was written.
"""

from __future__ import annotations

from typing import Any, Final

import sympy as sp
from sympy.printing.latex import LatexPrinter

from mfverify.theory.symbols import MODEL_CLASS, SymbolTable

HALF: Final = sp.Rational(1, 2)


def root(radicand: sp.Expr) -> sp.Expr:
    """The square root of ``radicand``, kept under one root sign."""
    return sp.Pow(radicand, HALF, evaluate=False)


def times(*factors: sp.Expr) -> sp.Expr:
    """The product of the factors, in the order written."""
    return sp.Mul(*factors, evaluate=False)


def plus(*terms: sp.Expr) -> sp.Expr:
    """The sum of the terms, in the order written."""
    return sp.Add(*terms, evaluate=False)


def indicator(condition: Any) -> sp.Expr:
    """``1{condition}``: one where the condition holds, else zero."""
    return sp.Piecewise((1, condition), (0, True))


def _is_indicator(expr: sp.Expr) -> bool:
    return isinstance(expr, sp.Piecewise) and [value for value, _ in expr.args] == [1, 0] and expr.args[1][1] == sp.true


class _PaperPrinter(LatexPrinter):  # type: ignore[misc]  # sympy is not typed
    """LaTeX with ``n - k + 1`` in that order, and indicators written ``1{..}``."""

    def _as_ordered_terms(self, expr: sp.Add, order: str | None = None) -> list[sp.Expr]:
        """The terms as written, unless one is a number or negative: then sympy's order, led by a positive term."""
        terms = list(expr.args)
        if any(term.is_Number or term.could_extract_minus_sign() for term in terms):
            terms = super()._as_ordered_terms(expr, order)
            leaders = [i for i, term in enumerate(terms) if not term.could_extract_minus_sign()]
            if leaders:
                terms.insert(0, terms.pop(leaders[0]))
        return terms

    def _needs_mul_brackets(self, expr: sp.Expr, first: bool = False, last: bool = False) -> bool:
        return not _is_indicator(expr) and bool(super()._needs_mul_brackets(expr, first=first, last=last))

    def _print_Piecewise(self, expr: sp.Piecewise) -> str:  # sympy finds it by this name
        if _is_indicator(expr):
            return rf"\mathbf{{1}}\{{{self._print(expr.args[0][1])}\}}"
        return str(super()._print_Piecewise(expr))


def latex(expr: sp.Expr, table: SymbolTable = MODEL_CLASS) -> str:
    """LaTeX of an expression (without dollar signs) with the names of a table of symbols."""
    names = {entry.symbol: entry.latex for entry in table}
    return str(_PaperPrinter({"symbol_names": names, "ln_notation": True, "mul_symbol": None}).doprint(expr))
