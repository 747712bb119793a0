"""Numbers for the families of models that are hard for statements about subsampling (``HARD`` in the files of :mod:`mfverify.models`).

Three mechanisms recur. Agents that draw separately *disagree* about what the global agent will do (coordination, commitment,
redrawn types). The maximum over next actions sees how far a small sample *fluctuates* (lottery, splitting). Options that are
*nearly tied* are decided by one agent more or less in the sample (preferences, and the leaning of the others).

In all of them the global agent picks its next state. ``scale`` multiplies all rewards: bounds with an additive term or a logarithm
of the rewards are not homogeneous in them.
"""

from __future__ import annotations

import random
from fractions import Fraction

from mfverify.model import Model
from mfverify.models import HARD

DISCOUNTS = tuple(Fraction(x) for x in ("1/10", "1/5", "1/4", "1/3", "2/5", "1/2", "3/5", "2/3", "3/4", "4/5", "9/10", "19/20"))
SCALES = tuple(Fraction(x) for x in ("1/4", "1/2", "1", "1", "2", "8", "64", "512"))
LEANINGS = tuple(Fraction(x) for x in ("-1/4", "-1/16", "1/64", "1/16", "1/4", "1/2", "1"))


def drawn(rng: random.Random, index: int) -> Model:
    """The family number ``index`` (cyclic) with its numbers drawn: two or three places; the middle of each ladder more often than its ends."""
    family = HARD[index % len(HARD)]
    places = family.places[0] if len(family.places) == 1 else rng.choice(family.places)
    return family.model(places, middling(rng, LEANINGS), middling(rng, DISCOUNTS), middling(rng, SCALES))


def middling(rng: random.Random, ladder: tuple[Fraction, ...]) -> Fraction:
    """One of the values, those in the middle of the ladder more often."""
    return ladder[int(rng.triangular(0, len(ladder)))]
