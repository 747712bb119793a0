"""Elimination: in every step all agents choose a place, and who does not stand where the global agent does is out for good.

A local state holds a type and a place, or a type and that the agent is out; agents of different types prefer different places by a little, so their
types vote on the next place of the global agent, also those of agents that are out. Samples that differ in one agent disagree in every step, and each
time cost a share of those that are left: commitment in two steps (``commitment_twice``) without end, with more local states and fewer global ones.

Closed form, while ``leaning`` is small: where all agents stand at the place of the global agent, all stay together at the place that costs least from
the next step on, so the optimal value is ``scale / (1 - gamma)`` less the mean cost of the present place and ``gamma / (1 - gamma)`` times the
least mean cost of a place.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import Final

from mfverify.errors import ModelError
from mfverify.model import Model
from mfverify.models.commitment_twice import cost_of
from mfverify.models.hard import Hard, unit
from mfverify.rationals import exact


def elimination(
    places: int = 2, leaning: str | int | Fraction = "1/64", discount: str | Fraction = "1/2", scale: str | int | Fraction = 1
) -> Model:
    """The elimination model; ``leaning`` and ``scale`` as in :func:`hard`. Raises :class:`ModelError` for fewer than two places."""
    if places < 2:
        raise ModelError(f"places: found {places}, expected at least 2")
    return hard(places, exact(leaning, "leaning"), exact(discount, "discount"), exact(scale, "scale"))


def hard(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """Local state ``(places + 1) * type + place``, with the last place for agents that are out; the global state is a place.

    An agent earns ``scale`` at the place of the global agent and ``-scale`` elsewhere or out. For ``leaning`` > 0 it pays ``scale * leaning`` while the
    global agent is not at the place of its type, for < 0 while it is there; from type to type that grows (:func:`cost_of`).
    """
    spots, row = range(places), unit(places * (places + 1))

    cost = partial(cost_of, scale, leaning)

    def moves(kind: int, place: int, here: int) -> list[list[Fraction]]:
        first = (places + 1) * kind
        return [row[first + a] for a in spots] if place == here else [row[first + places]] * places

    def pay(kind: int, place: int, here: int) -> Fraction:
        if place == here:
            return scale - cost(kind, here)
        return -scale + cost(kind, (kind + (leaning > 0)) % places) - cost(kind, here)

    states = [(kind, place) for kind in spots for place in range(places + 1)]
    return Model(
        [unit(places)] * places,
        [[moves(*state, here) for here in spots] for state in states],
        [[0] * places for _ in spots],
        [[[pay(*state, here)] * places for here in spots] for state in states],
        discount,
        f"elimination with {places} places (leaning {leaning}, discount {discount}, scale {scale})",
    )


HARD: Final = Hard(hard, order=7, places=(2,))
