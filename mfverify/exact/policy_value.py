"""The certified value of a fixed policy on (global state, count vector).

A policy makes the system a Markov chain with reward ``reward[g, c]``; its value solves ``V = reward + gamma P V``. The form of
``P`` belongs to the subclass. The value is found and certified in ``fixed_point.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from mfverify.fixed_point import enclose, newton_of_chain
from mfverify.laws import ROUNDED, Budget

if TYPE_CHECKING:
    from mfverify.enclosure import Enclosure
    from mfverify.notation import Floats


@dataclass(frozen=True, eq=False)
class MarkovReward(ABC):
    """A Markov reward process on ``[g, c]`` with its rounding known.

    Every entry of ``reward`` is within ``reward_error`` of the exact one, which is at most ``reward_bound`` in absolute value.
    """

    reward: Floats
    discount: Fraction
    reward_bound: Fraction
    reward_error: Fraction

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of values."""
        return self.reward.shape

    @property
    def pairs(self) -> int:
        """No actions are compared."""
        return 0

    @abstractmethod
    def expect(self, value: Floats) -> Floats:
        """``P V`` in double precision, axes ``[g, c]``."""

    @property
    @abstractmethod
    def expectation(self) -> Budget:
        """What an entry of ``P V`` may be off by, for exact ``V``."""

    def apply(self, value: Floats) -> Floats:
        """``reward + gamma P V``; off by at most :meth:`error`. Cost: the size of the law."""
        image: Floats = self.reward + float(self.discount) * self.expect(value)
        return image

    def error(self, value: Floats) -> Fraction:
        """Bound the error of one application: the expectation, the rounded discount and its product, the addition of the reward."""
        largest = Fraction(float(np.abs(value).max()))
        applied = self.expectation.times(ROUNDED).summed(2)
        return self.reward_error + applied.error(self.reward_bound + self.reward_error + self.discount * largest)

    def moved(self, value: Floats) -> Floats:
        """``V - gamma P V`` in double precision."""
        left: Floats = value - float(self.discount) * self.expect(value)
        return left

    def enclose(self, width: float) -> Enclosure:
        """The policy's value, to ``width`` where double precision allows it (the stop reason says which)."""
        return enclose(self, width, newton=newton_of_chain(self, self.moved))
