"""The paper's symbols as sympy symbols, their LaTeX, their ranges: one table; and how a formula is written.

sympy rewrites formulas under the assumptions of their symbols (``sqrt(k n)`` becomes ``sqrt(k) sqrt(n)`` because both
are positive). Two consequences: the assumptions below are part of the meaning, and the evaluation refuses values
outside them; and a right-hand side that is to look like the paper's is put together with :func:`root`, :func:`times`
and :func:`plus`, which write a root, a product or a sum and leave it as it was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sympy as sp
from sympy.printing.latex import LatexPrinter


@dataclass(frozen=True)
class PaperSymbol:
    """One symbol of the paper: what sympy computes with, what the reader sees, what it means.

    ``below`` is a strict upper limit of the range where there is one; the other limits are the assumptions of
    ``symbol`` (integer, positive, nonnegative).
    """

    symbol: sp.Symbol
    latex: str
    meaning: str
    below: int | None = None


def _count(name: str) -> sp.Symbol:
    return sp.Symbol(name, integer=True, positive=True)


def _size(name: str) -> sp.Symbol:
    return sp.Symbol(name, integer=True, nonnegative=True)


def _amount(name: str) -> sp.Symbol:
    return sp.Symbol(name, real=True, nonnegative=True)


def _positive(name: str) -> sp.Symbol:
    return sp.Symbol(name, real=True, positive=True)


n: Final = _count("n")
k: Final = _count("k")
m: Final = _count("m")
T: Final = _size("T")
t: Final = _size("t")
delta: Final = _positive("delta")
epsilon: Final = _amount("epsilon")
gamma: Final = _positive("gamma")
rt_g: Final = _amount("rt_g")
rt_l: Final = _amount("rt_l")
rt: Final = _amount("rt")
S_g: Final = _count("S_g")
A_g: Final = _count("A_g")
S_l: Final = _count("S_l")
A_l: Final = _count("A_l")
Z: Final = _count("Z")
eps_km: Final = _amount("eps_km")
TV: Final = _amount("TV")
E: Final = _count("E")
eta: Final = _amount("eta")
span: Final = _amount("span")
disagreement: Final = _amount("disagreement")

TABLE: Final = (
    PaperSymbol(n, "n", "number of local agents"),
    PaperSymbol(k, "k", "number of sampled local agents, at most n"),
    PaperSymbol(m, "m", "sampled next states per (state, action)"),
    PaperSymbol(T, "T", "iterations of the learning algorithm"),
    PaperSymbol(t, "t", "iterations done so far"),
    PaperSymbol(delta, r"\delta", "probability of failure"),
    PaperSymbol(epsilon, r"\epsilon", "deviation of an empirical distribution"),
    PaperSymbol(gamma, r"\gamma", "discount", below=1),
    PaperSymbol(rt_g, r"\tilde{r}_g", "max |r_g| (Assumption 2.2)"),
    PaperSymbol(rt_l, r"\tilde{r}_l", "max |r_l| (Assumption 2.2)"),
    PaperSymbol(rt, r"\tilde{r}", "rt_g + rt_l (Assumption 2.2)"),
    PaperSymbol(S_g, r"|\mathcal{S}_g|", "number of global states"),
    PaperSymbol(A_g, r"|\mathcal{A}_g|", "number of global actions"),
    PaperSymbol(S_l, r"|\mathcal{S}_l|", "number of local states"),
    PaperSymbol(A_l, r"|\mathcal{A}_l|", "number of local actions"),
    PaperSymbol(Z, r"|\mathcal{Z}_l|", "number of local state-action pairs, |S_l| |A_l|"),
    PaperSymbol(eps_km, r"\epsilon_{k,m}", "Bellman noise, ||Q^est_{k,m} - Q*_k||_inf"),
    PaperSymbol(TV, r"\mathrm{TV}", "total variation distance of two empirical distributions"),
    PaperSymbol(E, r"|\mathcal{E}|", "number of agent types"),
    PaperSymbol(eta, r"\eta", "cost of moving in a bundled model (ours)"),
    PaperSymbol(span, r"\mathrm{span}", "largest minus smallest value of a value function (ours)"),
    PaperSymbol(disagreement, r"\mathrm{dis}", "mean share of agents whose own draw makes them act otherwise than a shared one (R6)"),
)
"""Every symbol that a right-hand side may use, in the order in which a report lists them."""

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
    """LaTeX with the paper's names, ``n - k + 1`` in that order, and indicators written ``1{..}``."""

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


def latex(expr: sp.Expr) -> str:
    """LaTeX of an expression (without dollar signs) in the paper's symbols."""
    names = {entry.symbol: entry.latex for entry in TABLE}
    return str(_PaperPrinter({"symbol_names": names, "ln_notation": True, "mul_symbol": None}).doprint(expr))
