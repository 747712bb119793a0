"""Splitting lottery: the optimum must give agents in one local state different actions.

Local states ``0, +, -``; from 0 an agent stays (action 0) or gambles (action 1, cost ``c``), which absorbs it in + or - with
probability 1/2 each. The global agent is at + or - and chooses where to be next; ``r_l = +1`` where signs agree, -1 where they
differ, 0 in local state 0. Two gamblers cancel each other half of the time, so with two agents one gambler is worth as much
as two and costs less: ``E max`` of a sum is not the sum of maxima.

Closed form for two agents in state 0, while it is positive: ``V* = gamma^2 / (2 (1 - gamma)) - c / 2`` (pay c/2 on average now;
one step later the sign is met by chance, from then on by choice). A policy that lets both agents do the same and stays earns 0.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from mfverify.model import Model
from mfverify.models.hard import Hard, for_every_global_state, unit
from mfverify.rationals import exact


def splitting(cost: str | Fraction = "1/10", discount: str | Fraction = "1/2") -> Model:
    """The splitting lottery; local states in the order 0, +, -, global states in the order +, -."""
    half, c = Fraction(1, 2), exact(cost, "cost")
    stay, gamble, plus, minus = [1, 0, 0], [0, half, half], [0, 1, 0], [0, 0, 1]
    agree = [[0, 0], [1, -1], [-1, 1]]
    return Model(
        [[[1, 0], [0, 1]], [[1, 0], [0, 1]]],
        [[[stay, gamble]] * 2, [[plus, plus]] * 2, [[minus, minus]] * 2],
        [[0, 0], [0, 0]],
        [[[agree[s][g] - (c if s == 0 and a == 1 else 0) for a in range(2)] for g in range(2)] for s in range(3)],
        discount=discount,
        name="splitting",
        documentation=__doc__ or "",
    )


def hard(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """As the lottery, but an agent may keep out of it (action 0); taking part costs ``leaning``. Two who take part may cancel each other."""
    spots = range(places)
    stay, gamble = unit(places + 1)[0], [Fraction(0), *([Fraction(1, places)] * places)]
    absorbed = [[row, row] for row in unit(places + 1)[1:]]
    reward = [
        [[Fraction(0), -scale * abs(leaning)] for _ in spots],
        *([[scale * (1 if s == g else -1)] * 2 for g in spots] for s in spots),
    ]
    return Model(
        [unit(places)] * places,
        for_every_global_state([[stay, gamble], *absorbed], places),
        [[0] * places] * places,
        reward,
        discount,
        f"splitting lottery of {places} places (leaning {leaning}, discount {discount}, scale {scale})",
    )


HARD: Final = Hard(hard, order=3)
