"""Preferences: agents of types that only want something, and a global agent that has to find the majority in its sample.

Closed form: where all agents are of one type the optimal value in the global state that it wants is ``1 / (1 - gamma)``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from mfverify.model import Model
from mfverify.models.agent_types import typed
from mfverify.models.hard import Hard, for_every_global_state, unit


def preferences(types: int = 2) -> Model:
    """Agents that only want something: the global agent chooses its next state, type e earns 1 while the global state is e.

    One local state and one action for each of the ``types`` types. Agents of one type agree, so alone they have no gap; in a
    mixed population the global agent has to find the majority in its sample.
    """
    states = range(types)
    follow = [[[int(h == b) for h in states] for b in states] for _ in states]
    nothing = [[0] * types for _ in states]
    kinds = [
        Model(follow, [[[[1]] for _ in states]], nothing, [[[int(g == e)] for g in states]], Fraction(1, 2), f"wants {e}") for e in states
    ]
    return typed(kinds, f"preferences of {types} types")


def hard(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """Agents that only want something: type e, which never changes, earns 1 while the global state is e (type 0: ``1 + leaning``)."""
    spots = range(places)
    return Model(
        [unit(places)] * places,
        for_every_global_state([[row] for row in unit(places)], places),
        [[0] * places] * places,
        [[[scale * (1 + leaning * (e == 0)) * (e == g)] for g in spots] for e in spots],
        discount,
        f"preferences of {places} types (leaning {leaning}, discount {discount}, scale {scale})",
    )


HARD: Final = Hard(hard, order=5)
