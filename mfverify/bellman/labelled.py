"""The full n-agent Bellman operator over labelled joint states and joint actions (paper, eq. 4), no symmetry used.

State ``(g, s_1, .., s_n)``, action ``(b, a_1, .., a_n)``. This is the reference that the lumped operator is judged by, so
it shares nothing with it: expectations are contractions of the value array with one local kernel per agent.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mfverify.enclosure import rounding_error
from mfverify.errors import ModelError, TooLargeError

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

_MOST_NUMBERS = 10**8
"""A table of more (state, action) pairs than this is refused before any work."""


class LabelledOperator:
    """``T`` on values ``[g, s_1, .., s_n]`` in double precision with a rigorous error bound.

    Cost of one application: ``|S_g|^2 (|S_l||A_l|)^n |S_l|`` for the expectations and ``|A_g|`` times the table
    ``|S_g||A_g|(|S_l||A_l|)^n`` for the maximum. Meant for n up to about 5.
    """

    def __init__(self, model: Model, n: int) -> None:
        if n < 1:
            raise ModelError(f"agents: found {n}, expected at least 1")
        global_states, global_actions, local_states, local_actions = model.sizes
        pairs = global_states * global_actions * (local_states * local_actions) ** n
        if pairs > _MOST_NUMBERS:
            raise TooLargeError(
                f"{n} labelled agents have {pairs:.3g} (state, action) pairs, more than {_MOST_NUMBERS:.0e}; use method 'lumped' or fewer agents"
            )
        self.model = model
        self.n = n
        self.pairs = pairs
        self.shape = (global_states, *(local_states,) * n)
        self._global_kernel = model.floats("global_kernel")
        self._global_reward = model.floats("global_reward")
        self._local_kernel = model.floats("local_kernel")

    @cached_property
    def _mean_local_reward(self) -> list[Floats]:
        """``(1/n) sum_i r_l(s_i, g, a_i)`` per global state, axes ``[z_1, .., z_n]`` with z = s A + a."""
        means = []
        for g in range(self.shape[0]):
            share = np.array([float(r / self.n) for r in self.model.local_reward[:, g, :].ravel()])
            total = np.zeros((1,) * self.n)
            for i in range(self.n):
                total = total + share.reshape([-1 if j == i else 1 for j in range(self.n)])
            means.append(total)
        return means

    @property
    def discount(self) -> Fraction:
        """``gamma``, exact."""
        return self.model.discount

    def error(self, value: Floats) -> Fraction:
        """Bound ``max |fl(T V) - T V|`` (Higham 2002, Lemma 3.1; the weights of each contraction sum to one)."""
        global_states, _, local_states, _ = self.model.sizes
        # Per agent: the weight, the product and |S_l|-1 additions; likewise for the global row; discount; rewards; sums.
        roundings = (local_states + 1) * self.n + (global_states + 1) + 2 + (self.n + 3) + 3
        magnitude = self.model.rt + self.model.discount * Fraction(float(np.abs(value).max()))
        return rounding_error(roundings, magnitude, roundings * sum(self.model.sizes))

    def action_values(self, g: int, value: Floats) -> Floats:
        """``Q(g, .)`` with axes ``[b, z_1, .., z_n]``."""
        _, _, local_states, local_actions = self.model.sizes
        kernel = self._local_kernel[:, g].reshape(local_states * local_actions, local_states)
        expected = value.reshape(self.shape[0], -1)
        expected = (self._global_kernel[g] @ expected).reshape(-1, *self.shape[1:])
        for _ in range(self.n):
            # The first remaining state axis is contracted; its state-action axis goes to the end, so the order is kept.
            expected = np.tensordot(expected, kernel, axes=([1], [1]))
        reward = self._global_reward[g].reshape(-1, *(1,) * self.n) + self._mean_local_reward[g]
        total: Floats = reward + float(self.model.discount) * expected
        return total

    def apply(self, value: Floats) -> Floats:
        """``T V`` for an array ``[g, s_1, .., s_n]``; off by at most :meth:`error`."""
        _, _, local_states, local_actions = self.model.sizes
        image = np.empty(self.shape)
        for g in range(self.shape[0]):
            best = self.action_values(g, value).max(axis=0)
            paired = best.reshape((local_states, local_actions) * self.n)
            image[g] = paired.max(axis=tuple(range(1, 2 * self.n, 2)))
        return image

    def count_vector_of_state(self) -> Integers:
        """Count vectors of all labelled local states, axes ``[s_1, .., s_n, local state]``."""
        grid = np.indices(self.shape[1:])
        return np.stack([(grid == s).sum(axis=0) for s in range(self.shape[1])], axis=-1).astype(np.int64)
