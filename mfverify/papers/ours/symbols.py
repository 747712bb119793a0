"""The symbols of our statements: those of the paper that they concern, and four more."""

from __future__ import annotations

from typing import Final

from mfverify.papers.mean_field_sampling.symbols import TABLE as PAPER_TABLE
from mfverify.papers.mean_field_sampling.symbols import (
    TV,
    A_g,
    A_l,
    E,
    S_g,
    S_l,
    T,
    Z,
    delta,
    eps_km,
    epsilon,
    gamma,
    k,
    m,
    n,
    rt,
    rt_g,
    rt_l,
    span,
    symbol_values,
    t,
)
from mfverify.theory.symbols import PaperSymbol, amount

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
    "disagreement",
    "eps_km",
    "epsilon",
    "eta",
    "excess",
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

eta: Final = amount("eta")
disagreement: Final = amount("disagreement")
excess: Final = amount("excess")

TABLE: Final = PAPER_TABLE.extended(
    PaperSymbol(eta, r"\eta", "cost of moving in a bundled model"),
    PaperSymbol(disagreement, r"\mathrm{dis}", "mean share of agents whose own draw makes them act otherwise than a shared one (R6)"),
    PaperSymbol(
        excess, r"\mathrm{exc}", "how much less than the limit a computed plan may be worth at the distribution that chose it (V3)"
    ),
)
"""Every symbol that a right-hand side of ours may use, in the order in which a report lists them."""
