"""Classes of models that are hard for statements about subsampling, each with its numbers left open.

Three mechanisms recur. Agents that draw separately *disagree* about what the global agent will do (coordination, commitment,
redrawn types). The maximum over next actions sees how far a small sample *fluctuates* (lottery, splitting). Options that are
*nearly tied* are decided by one agent more or less in the sample (preferences, and the leaning of the others).

In all of them the global agent picks its next state. ``scale`` multiplies all rewards: bounds with an additive term or a logarithm
of the rewards are not homogeneous in them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

from mfverify.model import Model

Rows: TypeAlias = list[list[Fraction]]

DISCOUNTS = tuple(Fraction(x) for x in ("1/10", "1/5", "1/4", "1/3", "2/5", "1/2", "3/5", "2/3", "3/4", "4/5", "9/10", "19/20"))
SCALES = tuple(Fraction(x) for x in ("1/4", "1/2", "1", "1", "2", "8", "64", "512"))
LEANINGS = tuple(Fraction(x) for x in ("-1/4", "-1/16", "1/16", "1/4", "1/2", "1"))


def _unit(size: int) -> Rows:
    return [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]


def _same(kernel: list[Rows], times: int) -> list[list[Rows]]:
    """The local kernel ``[s][a]`` for every global state."""
    return [[rows for _ in range(times)] for rows in kernel]


def coordination(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """Every agent chooses a place at every step; +1 where the global agent is, -1 elsewhere; ``leaning`` is the cost of moving."""
    spots = range(places)
    return Model(
        [_unit(places)] * places,
        _same([_unit(places)] * places, places),
        [[0] * places] * places,
        [[[scale * ((1 if s == g else -1) - leaning * (a != s)) for a in spots] for g in spots] for s in spots],
        discount,
        f"coordination of {places} places (leaning {leaning}, discount {discount}, scale {scale})",
    )


def commitment(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """All agents, the global one included, choose a place once: +1 at every later step where the global agent is, -1 elsewhere.

    Global state 0 is the moment of choice, ``1 + p`` the place p. ``leaning`` > 0 is the cost of choosing another place than
    one's own, < 0 the cost of choosing one's own (then the rarest place is the best).
    """
    spots = range(places)
    stay = _unit(places)
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


def redrawn(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """Coordination in which what an agent leans to is redrawn uniformly at every step, so that every population stays nearly tied.

    Local state ``(type, place)`` is number ``type * places + place``; choosing a place that is not one's type costs ``leaning``.
    """
    spots = range(places)
    rows = [[Fraction(int(t % places == a), places) for t in range(places * places)] for a in spots]
    reward = [
        [[scale * ((1 if place == g else -1) - leaning * (a != kind)) for a in spots] for g in spots] for kind in spots for place in spots
    ]
    return Model(
        [_unit(places)] * places,
        _same([rows] * (places * places), places),
        [[0] * places] * places,
        reward,
        discount,
        f"redrawn types, {places} places (leaning {leaning}, discount {discount}, scale {scale})",
    )


def lottery(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """Every agent is absorbed in one of several places by chance; 1 where the global agent is, and place 0 is worth ``leaning`` more."""
    spots = range(places)
    start = [Fraction(0), *([Fraction(1, places)] * places)]
    absorbed = _unit(places + 1)[1:]
    reward = [[[Fraction(0)]] * places, *([[scale * (1 + leaning * (s == 0)) * (s == g)] for g in spots] for s in spots)]
    return Model(
        [_unit(places)] * places,
        _same([[row] for row in (start, *absorbed)], places),
        [[0] * places] * places,
        reward,
        discount,
        f"lottery of {places} places (leaning {leaning}, discount {discount}, scale {scale})",
    )


def splitting(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """As the lottery, but an agent may keep out of it (action 0); taking part costs ``leaning``. Two who take part may cancel each other."""
    spots = range(places)
    stay, gamble = _unit(places + 1)[0], [Fraction(0), *([Fraction(1, places)] * places)]
    absorbed = [[row, row] for row in _unit(places + 1)[1:]]
    reward = [
        [[Fraction(0), -scale * abs(leaning)] for _ in spots],
        *([[scale * (1 if s == g else -1)] * 2 for g in spots] for s in spots),
    ]
    return Model(
        [_unit(places)] * places,
        _same([[stay, gamble], *absorbed], places),
        [[0] * places] * places,
        reward,
        discount,
        f"splitting lottery of {places} places (leaning {leaning}, discount {discount}, scale {scale})",
    )


def preferences(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """Agents that only want something: type e, which never changes, earns 1 while the global state is e (type 0: ``1 + leaning``)."""
    spots = range(places)
    return Model(
        [_unit(places)] * places,
        _same([[row] for row in _unit(places)], places),
        [[0] * places] * places,
        [[[scale * (1 + leaning * (e == 0)) * (e == g)] for g in spots] for e in spots],
        discount,
        f"preferences of {places} types (leaning {leaning}, discount {discount}, scale {scale})",
    )


Template: TypeAlias = Callable[[int, Fraction, Fraction, Fraction], Model]

TEMPLATES: tuple[Template, ...] = (commitment, lottery, coordination, splitting, redrawn, preferences)


def drawn(rng: random.Random, index: int) -> Model:
    """The template number ``index`` (cyclic) with its numbers drawn: two or three places; the middle of each ladder more often than its ends."""
    template = TEMPLATES[index % len(TEMPLATES)]
    places = 2 if template is redrawn else rng.choice((2, 2, 3))
    return template(places, middling(rng, LEANINGS), middling(rng, DISCOUNTS), middling(rng, SCALES))


def middling(rng: random.Random, ladder: tuple[Fraction, ...]) -> Fraction:
    """One of the values, those in the middle of the ladder more often."""
    return ladder[int(rng.triangular(0, len(ladder)))]
