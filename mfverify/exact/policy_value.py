"""The certified value of a fixed policy on (global state, count vector).

A policy makes the system a Markov chain with reward ``reward[g, c]``; its value solves ``V = reward + gamma P V``. The form of
``P`` belongs to the subclass; :class:`JointChain` is a plain matrix. The linear system is solved to double precision by any means; what certifies the
value is one final application with its rounding bounded (``enclosure.fixed_point_enclosure``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from mfverify.enclosure import Enclosure, StopReason, Work, fixed_point_enclosure, rounding_error

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

    def solve(self) -> Floats:
        """An uncertified solution of ``V = reward + gamma P V`` to about double precision.

        Restarted GMRES on the residual, refined until the residual no longer halves.
        """
        shape = self.reward.shape
        discount = float(self.discount)

        def apply_matrix(flat: Floats) -> Floats:
            moved: Floats = flat.ravel() - discount * self.expect(flat.reshape(shape)).ravel()
            return moved

        operator = LinearOperator((self.reward.size, self.reward.size), matvec=apply_matrix, dtype=np.float64)
        value = np.zeros(shape)
        residual = self.reward.ravel()
        while True:
            size = float(np.abs(residual).max())
            step, _ = gmres(operator, residual, rtol=1e-6, restart=30, maxiter=4)
            refined = value + step.reshape(shape)
            residual = (self.apply(refined) - refined).ravel()
            left = float(np.abs(residual).max())
            if left == 0.0 or not left <= size / 2:
                return refined if left < size else value
            value = refined

    def enclose(self, width: float) -> Enclosure:
        """The policy's value, to ``width`` where double precision allows it (the stop reason says which)."""
        value = self.solve()
        best: Enclosure | None = None
        sweeps = 0
        while True:
            image = self.apply(value)
            sweeps += 1
            now = fixed_point_enclosure(image, value, self.error(value), self.discount)
            # A sweep narrows the span of the residual by gamma until only rounding is left; then no sweep can help.
            narrower = best is None or bool(now.width.max() < best.width.max())
            if best is None or narrower:
                best = now
            reached = bool(best.width.max() <= width)
            if reached or not narrower:
                stop = StopReason.WIDTH if reached else StopReason.PRECISION
                return Enclosure(best.lower, best.upper, None, Work(stop, sweeps=sweeps, evaluations=1))
            value = image


@dataclass(frozen=True, eq=False)
class JointChain(MarkovReward):
    """``law[(g, c), (g', c')]``: the transition matrix over flat states."""

    law: Floats

    def expect(self, value: Floats) -> Floats:
        """``P V``; cost the size of the matrix."""
        expected: Floats = (self.law @ value.ravel()).reshape(value.shape)
        return expected
