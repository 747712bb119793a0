"""What a claim says about how it can be looked at on many small models at once, in doubles.

A claim whose sides are functions of the optimum, of ``Q_k``, of the greedy policy or of the executed value names its screen next to its
sides. A search ranks candidates by it; only what comes near a violation is evaluated by the certified sides. For a finite class of models
that doubles hold exactly, a screen may also *decide*: give a certified upper bound of left minus right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class Exactness:
    """Of a class of models with integer rewards: bits behind the binary point of local rows and of global rows, and the discount."""

    local_bits: int
    global_bits: int
    discount: Fraction


@dataclass(frozen=True)
class Screen:
    """The sides of a claim on arrays of models, for n agents of which k are sampled.

    ``sides(models, n, k)``: left and right side of each model in doubles, not certified. ``decides(models, n, k)``: for models that
    doubles hold exactly, certified upper bounds of left minus right, and ratios of left to right in doubles, nan where the
    condition of the claim fails; without it classes of models cannot be decided. What it bounds are all members of an orbit, that is all
    models that differ by names. ``grain(sizes, exactness, n, k)``, where equality is common: an exact excess that is positive is at least this, so that a certified bound below it means
    that the claim holds. ``local_states``: how many local states models may have for the sides to be close; ``agents``: up to how many agents
    they are cheap; None for any number.
    """

    sides: Callable[[Any, int, int], tuple[Any, Any]]
    decides: Callable[[Any, int, int], tuple[Any, Any]] | None = None
    grain: Callable[[tuple[int, int, int, int], Exactness, int, int], Fraction] | None = None
    local_states: int | None = None
    agents: int | None = None
