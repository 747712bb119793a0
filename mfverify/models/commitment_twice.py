"""Commitment in two steps: all agents choose a place twice, and only those that are right both times earn afterwards.

A local state holds a type and a place, ``types`` and ``places`` both ``0..places-1``; agents of different types prefer different places, so
their types vote. The global agent chooses a place too. An agent that stands elsewhere after the first choice is out for good. Samples that
differ in one agent disagree twice, while the bounds count local states and actions alone: the global state remembers the steps for free.

Closed form, while ``leaning`` is small: at the first choice all agents, of any types, agree twice on the place that costs them least, so the optimal value
is ``scale / (1 - gamma)`` less ``1 + gamma`` times the least mean cost of a place.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Final

from mfverify.errors import ModelError
from mfverify.model import Model
from mfverify.models.hard import Hard, unit
from mfverify.rationals import exact

UNEVEN: Final = Fraction(1, 8)
"""By how much the preference of a type exceeds that of the type before, as a share of that of type 0: equal counts are no tie then."""


def commitment_twice(
    places: int = 2, leaning: str | int | Fraction = "1/64", discount: str | Fraction = "1/2", scale: str | int | Fraction = 1
) -> Model:
    """The model of commitment in two steps; ``leaning`` and ``scale`` as in :func:`hard`. Raises :class:`ModelError` for fewer than two places."""
    if places < 2:
        raise ModelError(f"places: found {places}, expected at least 2")
    return hard(places, exact(leaning, "leaning"), exact(discount, "discount"), exact(scale, "scale"))


def hard(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """Global state 0 is the first choice, ``1 + p`` the second one at place p, ``1 + places + p`` the time after it.

    Local state ``places * type + place`` until then. Afterwards state p < places earns ``scale`` where p is the place of the global agent and
    ``-scale`` elsewhere, and every state of a higher number is out: it earns ``-scale``. ``leaning`` > 0 is the cost of choosing another
    place than that of one's type, < 0 the cost of choosing it; it grows by :data:`UNEVEN` from type to type. Agents that are out pay as much
    for the second choice of the global agent, over the remaining time: as voters they count as much as the others.
    """
    spots, states = range(places), range(places**2)
    row = unit(places**2)

    cost = partial(cost_of, scale, leaning)

    def kernel(kind: int, place: int) -> list[list[list[Fraction]]]:
        first = [row[places * kind + a] for a in spots]
        second = [[row[a] for a in spots] if place == h else [row[places + kind]] * places for h in spots]
        return [first, *second, *([row[places * kind + place]] * places for _ in spots)]

    def reward(kind: int, place: int) -> list[list[Fraction]]:
        chosen = [scale - cost(kind, a) for a in spots]
        after = [scale * (2 * (place == h) - 1) if kind == 0 else -scale for h in spots]
        if kind == 1:  # out, of type ``place``
            share = (1 - discount) / discount
            after = [-scale + share * (cost(place, (place + (leaning > 0)) % places) - cost(place, h)) for h in spots]
        return [chosen, *(chosen if place == h else [-scale] * places for h in spots), *([x] * places for x in after)]

    global_states = unit(1 + 2 * places)
    types = [divmod(s, places) for s in states]
    return Model(
        [
            [global_states[1 + b] for b in spots],
            *([global_states[1 + places + b] for b in spots] for _ in spots),
            *([global_states[1 + places + h]] * places for h in spots),
        ],
        [kernel(*one) for one in types],
        [[0] * places for _ in range(1 + 2 * places)],
        [reward(*one) for one in types],
        discount,
        f"commitment to {places} places in two steps (leaning {leaning}, discount {discount}, scale {scale})",
    )


def cost_of(scale: Fraction, leaning: Fraction, kind: int, place: int) -> Fraction:
    """What a place costs an agent of a type: every other place than that of its type for ``leaning`` > 0, that place for < 0."""
    return scale * abs(leaning) * (1 + UNEVEN * kind) * ((place != kind) if leaning > 0 else (place == kind))


HARD: Final = Hard(hard, order=6, places=(2,))
