"""The symbols of the paper: those of the model class, and what this paper adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from mfverify.theory.symbols import (
    MODEL_CLASS,
    TV,
    A_g,
    A_l,
    PaperSymbol,
    S_g,
    S_l,
    Z,
    amount,
    count,
    gamma,
    k,
    n,
    positive,
    rt,
    rt_g,
    rt_l,
    size,
    values_of,
)

if TYPE_CHECKING:
    from mfverify.model import Model

__all__ = [
    "TABLE",
    "TV",
    "A_g",
    "A_l",
    "E",
    "S_g",
    "S_l",
    "T",
    "Z",
    "delta",
    "eps_km",
    "epsilon",
    "gamma",
    "k",
    "m",
    "n",
    "rt",
    "rt_g",
    "rt_l",
    "span",
    "symbol_values",
    "t",
]

m: Final = count("m")
T: Final = size("T")
t: Final = size("t")
delta: Final = positive("delta")
epsilon: Final = amount("epsilon")
eps_km: Final = amount("eps_km")
E: Final = count("E")
span: Final = amount("span")

TABLE: Final = MODEL_CLASS.extended(
    PaperSymbol(m, "m", "sampled next states per (state, action)"),
    PaperSymbol(T, "T", "iterations of the learning algorithm"),
    PaperSymbol(t, "t", "iterations done so far"),
    PaperSymbol(delta, r"\delta", "probability of failure"),
    PaperSymbol(epsilon, r"\epsilon", "deviation of an empirical distribution"),
    PaperSymbol(eps_km, r"\epsilon_{k,m}", "Bellman noise, ||Q^est_{k,m} - Q*_k||_inf"),
    PaperSymbol(E, r"|\mathcal{E}|", "number of agent types"),
    PaperSymbol(span, r"\mathrm{span}", "largest minus smallest value of a value function (ours)"),
)
"""Every symbol that a right-hand side of the paper may use, in the order in which a report lists them."""


def symbol_values(model: Model, agents: int, subsample: int) -> Mapping[Any, Any]:
    """The symbols for one model and one (n, k), with an exact operator: the Bellman noise is 0."""
    return {**values_of(model, agents, subsample), eps_km: 0}
