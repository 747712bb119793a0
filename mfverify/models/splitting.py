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

from mfverify.model import Model
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
