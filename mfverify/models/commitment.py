"""Commitment: all agents, the global one included, choose a place once, and stay there.

Closed form: where all agents are at the place that the global agent has chosen the optimal value is ``scale / (1 - gamma)``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from mfverify.model import Model
from mfverify.models.hard import Hard, unit
from mfverify.rationals import exact


def commitment(
    places: int = 2, leaning: str | int | Fraction = "1/16", discount: str | Fraction = "1/2", scale: str | int | Fraction = 1
) -> Model:
    """The commitment model; ``leaning`` and ``scale`` as in :func:`hard`."""
    return hard(places, exact(leaning, "leaning"), exact(discount, "discount"), exact(scale, "scale"))


def hard(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """All agents, the global one included, choose a place once: +1 at every later step where the global agent is, -1 elsewhere.

    Global state 0 is the moment of choice, ``1 + p`` the place p. ``leaning`` > 0 is the cost of choosing another place than
    one's own, < 0 the cost of choosing one's own (then the rarest place is the best).
    """
    spots = range(places)
    stay = unit(places)
    states = range(places + 1)
    choose = [[int(h == b + 1) for h in states] for b in spots]
    remain = [[[int(h == g) for h in states] for _ in spots] for g in states[1:]]
    cost = [[-scale * abs(leaning) * ((a != s) if leaning > 0 else (a == s)) for a in spots] for s in spots]
    return Model(
        [choose, *remain],
        [[(stay if g == 0 else [stay[s]] * places) for g in states] for s in spots],
        [[0] * places for _ in states],
        [[(cost[s] if g == 0 else [scale if g == s + 1 else -scale] * places) for g in states] for s in spots],
        discount,
        f"commitment to {places} places (leaning {leaning}, discount {discount}, scale {scale})",
    )


HARD: Final = Hard(hard, order=0)
