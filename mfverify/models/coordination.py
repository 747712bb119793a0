"""Majority coordination: agents are rewarded for being in the state of the global agent.

Every agent, global or local, chooses its next state freely. A local agent earns +1 where the global agent is and -1
elsewhere, and pays ``eta`` for moving. The k-agent optimum sends everyone to the majority side of the sample, so
independent samples of a balanced population disagree. Closed form: where all local agents are in the
state of the global agent no agent needs to move, so the optimal value there is ``1 / (1 - gamma)``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from mfverify.model import Model
from mfverify.models.hard import Hard, for_every_global_state, unit
from mfverify.rationals import exact, parameter


def coordination(eta: str | int | Fraction = "1/100", discount: str | Fraction = "1/2") -> Model:
    """The coordination model with moving cost ``eta`` in [0, 2]."""
    cost = exact(eta, "eta")
    gamma = exact(discount, "discount")
    two = range(2)
    given = [f"eta={parameter(cost)}"] * (cost != Fraction(1, 100)) + [f"discount={parameter(gamma)}"] * (gamma != Fraction(1, 2))
    stay = [[[[int(a == t) for t in two] for a in two] for _g in two] for _s in two]
    return Model(
        [[[int(b == t) for t in two] for b in two] for _g in two],
        stay,
        [[0, 0], [0, 0]],
        [[[(1 if s == g else -1) - (cost if a != s else 0) for a in two] for g in two] for s in two],
        discount=gamma,
        name=f"coordination({', '.join(given)})" if given else "coordination",
        documentation=__doc__ or "",
    )


def hard(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """Every agent chooses a place at every step; +1 where the global agent is, -1 elsewhere; ``leaning`` is the cost of moving."""
    spots = range(places)
    return Model(
        [unit(places)] * places,
        for_every_global_state([unit(places)] * places, places),
        [[0] * places] * places,
        [[[scale * ((1 if s == g else -1) - leaning * (a != s)) for a in spots] for g in spots] for s in spots],
        discount,
        f"coordination of {places} places (leaning {leaning}, discount {discount}, scale {scale})",
    )


HARD: Final = Hard(hard, order=2)
