"""Absorbing lottery: every local agent is absorbed in A or B once, the global agent follows the majority.

``S_l = {i, A, B}`` with one action; ``i`` moves to A or B with probability 1/2 each; A and B are absorbing. The global
agent chooses its next state among A and B; ``r_l = 1{s_i = s_g}``. With every agent in ``i`` the empirical
distributions of any two sizes coincide and the values differ: for gamma = 1/2, ``Q*_1 = 3/4`` and ``Q*_2 = 5/8``.

Closed form: from all agents in ``i``, ``V*_k = gamma/2 + gamma^2/(1-gamma) E max(X, k - X)/k`` with X binomial(k, 1/2):
one step later half of the agents are at the state of the global agent, which then follows the majority forever.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from mfverify.model import Model
from mfverify.models.hard import Hard, for_every_global_state, unit


def absorbing(discount: str | Fraction = "1/2") -> Model:
    """The absorbing lottery; local states in the order i, A, B, global states in the order A, B."""
    half = Fraction(1, 2)
    rows = [[0, half, half], [0, 1, 0], [0, 0, 1]]
    return Model(
        [[[1, 0], [0, 1]], [[1, 0], [0, 1]]],
        [[[row] for _g in range(2)] for row in rows],
        [[0, 0], [0, 0]],
        [[[int(s == g + 1)] for g in range(2)] for s in range(3)],
        discount=discount,
        name="absorbing",
        documentation=__doc__ or "",
    )


def hard(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """Every agent is absorbed in one of several places by chance; 1 where the global agent is, and place 0 is worth ``leaning`` more."""
    spots = range(places)
    start = [Fraction(0), *([Fraction(1, places)] * places)]
    absorbed = unit(places + 1)[1:]
    reward = [[[Fraction(0)]] * places, *([[scale * (1 + leaning * (s == 0)) * (s == g)] for g in spots] for s in spots)]
    return Model(
        [unit(places)] * places,
        for_every_global_state([[row] for row in (start, *absorbed)], places),
        [[0] * places] * places,
        reward,
        discount,
        f"lottery of {places} places (leaning {leaning}, discount {discount}, scale {scale})",
    )


HARD: Final = Hard(hard, order=1)
