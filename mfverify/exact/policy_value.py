"""The certified value of a fixed policy on (global state, count vector).

A policy makes the system a Markov chain with reward ``reward[g, c]``; its value solves ``V = reward + gamma P V``. The form of
``P`` belongs to the subclass; :class:`JointChain` is a plain matrix. The value is found and certified in ``fixed_point.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from mfverify.enclosure import Enclosure, rounding_error
from mfverify.fixed_point import enclose, newton_of_chain

if TYPE_CHECKING:
    from mfverify.notation import Floats


@dataclass(frozen=True, eq=False)
class MarkovReward(ABC):
    """A Markov reward process on ``[g, c]`` with its rounding known.

    ``law`` belongs to the subclass. An entry of a law is a sum of products of at most ``law_roundings`` rounded positive
    factors; every entry of ``reward`` is within ``reward_error`` of the exact one; the exact reward is at most
    ``reward_bound`` in absolute value.
    """

    reward: Floats
    discount: Fraction
    law_roundings: int
    reward_bound: Fraction
    reward_error: Fraction

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of values."""
        return self.reward.shape

    @abstractmethod
    def expect(self, value: Floats) -> Floats:
        """``P V`` in double precision, axes ``[g, c]``."""

    def apply(self, value: Floats) -> Floats:
        """``reward + gamma P V``; off by at most :meth:`error`. Cost: the size of the law."""
        image: Floats = self.reward + float(self.discount) * self.expect(value)
        return image

    def error(self, value: Floats) -> Fraction:
        """Bound the rounding of one application (Higham 2002, Lemma 3.1, for sums in any order)."""
        # The laws, dot products of at most |S_g| |c| terms, the discount and its product, the final addition.
        roundings = self.law_roundings + (value.size + value.shape[0] + 3) + 2 + 1
        largest = Fraction(float(np.abs(value).max()))
        magnitude = self.reward_bound + self.reward_error + self.discount * largest
        return self.reward_error + rounding_error(roundings, magnitude, roundings * value.size)

    def moved(self, value: Floats) -> Floats:
        """``V - gamma P V`` in double precision."""
        left: Floats = value - float(self.discount) * self.expect(value)
        return left

    def enclose(self, width: float) -> Enclosure:
        """The policy's value, to ``width`` where double precision allows it (the stop reason says which)."""
        return enclose(self, width, newton=newton_of_chain(self.moved))


@dataclass(frozen=True, eq=False)
class JointChain(MarkovReward):
    """``law[(g, c), (g', c')]``: the transition matrix over flat states."""

    law: Floats

    def expect(self, value: Floats) -> Floats:
        """``P V``; cost the size of the matrix."""
        expected: Floats = (self.law @ value.ravel()).reshape(value.shape)
        return expected
