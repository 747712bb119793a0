"""Tables of symbols, and the one of the model class: sizes, discount, bounds of the rewards, numbers of agents.

A symbol is a sympy symbol with its LaTeX, its meaning and its range. A paper declares what it needs beyond the model class in a
separate table, ``MODEL_CLASS.extended(...)``. sympy uses the assumptions of a symbol (integer, positive) to rewrite formulas, so they
are part of its meaning, and the evaluation refuses values outside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sympy as sp

from mfverify.errors import ModelError

if TYPE_CHECKING:
    from mfverify.model import Model


@dataclass(frozen=True)
class PaperSymbol:
    """One symbol: what sympy computes with, what the reader sees, what it means.

    Parameters
    ----------
    symbol
        Its assumptions (integer, positive, nonnegative) are limits of its range.
    latex
        Without dollar signs.
    meaning
        In a few words.
    below
        A strict upper limit of the range, where there is one.

    Examples
    --------
    >>> PaperSymbol(positive("delta"), "d", "probability of failure", below=1).below
    1
    """

    symbol: sp.Symbol
    latex: str
    meaning: str
    below: int | None = None


@dataclass(frozen=True)
class SymbolTable:
    """The symbols that a formula may use, in the order in which a report lists them."""

    entries: tuple[PaperSymbol, ...]

    def __iter__(self) -> Iterator[PaperSymbol]:
        return iter(self.entries)

    def __contains__(self, symbol: object) -> bool:
        return any(entry.symbol == symbol for entry in self.entries)

    def extended(self, *entries: PaperSymbol) -> SymbolTable:
        """This table with further symbols. Raises :class:`ModelError` for a symbol or a name that it has already."""
        taken = {str(entry.symbol) for entry in self.entries}
        for entry in entries:
            if str(entry.symbol) in taken:
                raise ModelError(f"symbol {entry.symbol}: is in the table already; choose another name")
            taken.add(str(entry.symbol))
        return SymbolTable((*self.entries, *entries))


def count(name: str) -> sp.Symbol:
    """A symbol for an integer of at least 1."""
    return sp.Symbol(name, integer=True, positive=True)


def size(name: str) -> sp.Symbol:
    """A symbol for an integer of at least 0."""
    return sp.Symbol(name, integer=True, nonnegative=True)


def amount(name: str) -> sp.Symbol:
    """A symbol for a real number of at least 0."""
    return sp.Symbol(name, real=True, nonnegative=True)


def positive(name: str) -> sp.Symbol:
    """A symbol for a real number above 0."""
    return sp.Symbol(name, real=True, positive=True)


n: Final = count("n")
k: Final = count("k")
gamma: Final = positive("gamma")
rt_g: Final = amount("rt_g")
rt_l: Final = amount("rt_l")
rt: Final = amount("rt")
S_g: Final = count("S_g")
A_g: Final = count("A_g")
S_l: Final = count("S_l")
A_l: Final = count("A_l")
Z: Final = count("Z")
TV: Final = amount("TV")

MODEL_CLASS: Final = SymbolTable(
    (
        PaperSymbol(n, "n", "number of local agents"),
        PaperSymbol(k, "k", "number of sampled local agents, at most n"),
        PaperSymbol(gamma, r"\gamma", "discount", below=1),
        PaperSymbol(rt_g, r"\tilde{r}_g", "max |r_g| (Assumption 2.2)"),
        PaperSymbol(rt_l, r"\tilde{r}_l", "max |r_l| (Assumption 2.2)"),
        PaperSymbol(rt, r"\tilde{r}", "rt_g + rt_l (Assumption 2.2)"),
        PaperSymbol(S_g, r"|\mathcal{S}_g|", "number of global states"),
        PaperSymbol(A_g, r"|\mathcal{A}_g|", "number of global actions"),
        PaperSymbol(S_l, r"|\mathcal{S}_l|", "number of local states"),
        PaperSymbol(A_l, r"|\mathcal{A}_l|", "number of local actions"),
        PaperSymbol(Z, r"|\mathcal{Z}_l|", "number of local state-action pairs, |S_l| |A_l|"),
        PaperSymbol(TV, r"\mathrm{TV}", "total variation distance of two empirical distributions"),
    )
)
"""The symbols of the model class, which are common to all papers."""


def values_of(model: Model, agents: int, subsample: int) -> Mapping[Any, Any]:
    """The symbols of the model class for one model and one (n, k); ``TV`` is not among them."""
    global_states, global_actions, local_states, local_actions = model.sizes
    return {
        n: agents,
        k: subsample,
        gamma: model.discount,
        rt: model.rt,
        rt_g: model.rt_g,
        rt_l: model.rt_l,
        S_g: global_states,
        A_g: global_actions,
        S_l: local_states,
        A_l: local_actions,
        Z: local_states * local_actions,
    }
