"""The joint maximum of one global state from a table over kernel counts: for kernels that several local states share.

Where many choices have the same kernel, far fewer kernel-count vectors than joint actions exist. Their expectations are
tabled once; what remains is to distribute kernels to agents so that the rewards are largest, a transport of counts. With two
kernels its optimum is known: agents move in the order of what moving earns, so ``n + 1`` assignments per state are compared.
With more it is found by the max-plus recursion of ``transport.py``. Of deterministic kernels the table is the value function itself.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mfverify import counts
from mfverify.bellman import sweeps, work
from mfverify.bellman.choices import Choices, JointMaximum, Wanted
from mfverify.bellman.transport import Levels, Offers, transport
from mfverify.enclosure import UNDERFLOW, rounding_error

if TYPE_CHECKING:
    from mfverify.bellman.sweeps import CountSpace
    from mfverify.notation import Floats, Integers


class TabledSweep:
    """The joint maximum over the choices of one global state, by way of a table over its kernels.

    Memory: ``numbers`` doubles. Cost of :meth:`maximum` with ``U`` kernels: the table, then ``n`` comparisons per count vector
    for two kernels and the max-plus recursion for more. ``work`` compares it with :class:`fused.FusedSweep`.
    """

    def __init__(self, space: CountSpace, choices: Choices) -> None:
        self.space, self.choices = space, choices
        n, kernels = space.n, len(choices.kernels)
        self.length = counts.number_of_count_vectors(n, kernels)
        self.numbers = work.table_numbers(n, space.size, kernels, len(choices.kernel))
        self.work = work.table_steps(n, space.size, kernels, len(choices.kernel))

    @property
    def table_roundings(self) -> int:
        """Roundings on the longest path through :meth:`table`: one combination per agent, of a weight, a product and additions.

        With two local states and two or more kernels values are first brought to the extreme kernels, at most one per agent for each.
        """
        size, kernels = self.space.size, len(self.choices.kernels)
        return (3 if size == 2 and kernels >= 2 else 1) * self.space.n * (size + 1)

    @property
    def reward_roundings(self) -> int:
        """Roundings on the longest path from the table, or a reward, to a maximum or runner-up."""
        kernels = len(self.choices.kernels)
        if kernels == 1:  # A rounded reward and its product, the sum over the local states, the table.
            return self.space.size + 2
        if kernels == 2:  # The same over the choices, and for a runner-up the exchange of one agent.
            return len(self.choices.kernel) + 6
        return self.space.n + 1  # A rounded reward, one addition per agent.

    @property
    def roundings(self) -> int:
        """Roundings on the longest path from an expected value, or a reward, to a maximum or runner-up."""
        return self.table_roundings + self.reward_roundings

    @property
    def error(self) -> tuple[Fraction, Fraction]:
        """Bound the error of :meth:`maximum`: the first number times the largest absolute value of ``expected``, plus the second.

        First that of the table. Then local rewards are added, ``rt_l`` in all, and twice those of two agents where one is exchanged.
        """
        of_table, of_rewards = (rounding_error(number, Fraction(1)) for number in (self.table_roundings, self.reward_roundings))
        lost = self.table_roundings * self.space.size * UNDERFLOW
        rewards = max(map(abs, self.choices.reward)) * (1 + Fraction(4, self.space.n))
        constant = lost + of_rewards * (lost + rewards) + self.reward_roundings * len(self.choices.kernel) * UNDERFLOW
        return of_table + of_rewards * (1 + of_table), constant

    @cached_property
    def reward(self) -> Floats:
        """``r_j / n`` per choice, correctly rounded."""
        return np.array([float(r / self.space.n) for r in self.choices.reward])

    @cached_property
    def _weights(self) -> Floats:
        """The kernels, each probability correctly rounded."""
        return np.array([[float(p) for p in row] for row in self.choices.kernels])

    @cached_property
    def _levels(self) -> Levels:
        """Counts of agents over kernels, and where the decisions of each agent begin when they are laid end to end."""
        n, kernels = self.space.n, len(self.choices.kernels)
        sizes = sweeps.level_sizes(n, kernels)
        return Levels(sweeps.successor_table(n, kernels), sizes, np.concatenate([[0], np.cumsum(sizes[:n][::-1])]))

    @cached_property
    def _order(self) -> Integers:
        """Lexicographic ranks of kernel counts in graded order."""
        return sweeps.graded_order(self.space.n, len(self.choices.kernels))

    def table(self, expected: Floats) -> Floats:
        """``E[f(next counts)]`` per kernel-count vector, lexicographic, for ``expected[c] = f(c)``."""
        space, kernels = self.space, self.choices.kernels
        graded = expected[space.order]
        if len(kernels[0]) == 2 and len(kernels) >= 2:
            segment: Floats = sweeps.expectation_segment(graded, *_segment_weights(kernels), space.n, self.length)
            return segment
        walked: Floats = sweeps.expectation_tree(graded, space.up, space.level_sizes, self._weights, space.n, self.length)
        return walked

    def maximum(self, expected: Floats, wanted: Wanted) -> JointMaximum:
        """``max_d E[f(next counts) | d] + (1/n) sum r_l`` for every count vector, ``expected[c] = f(c)`` lexicographic."""
        return self.maximum_of(self.table(expected), wanted)

    def maximum_of(self, table: Floats, wanted: Wanted) -> JointMaximum:
        """The same from the table."""
        space, choices = self.space, self.choices
        kernels = len(choices.kernels)
        if kernels == 1:
            # Merged actions leave one choice per local state.
            values = space.vectors @ self.reward + table[0]
            return JointMaximum(values, np.full(len(values), -np.inf), space.vectors.copy())
        if kernels == 2:
            free = [s for s in range(space.size) if choices.starts[s + 1] - choices.starts[s] == 2]
            gain = [choices.reward[choices.starts[s]] - choices.reward[choices.starts[s] + 1] for s in free]
            preference = np.array([s for _, s in sorted(zip(gain, free, strict=True))], dtype=np.int64)
            return JointMaximum(*sweeps.two_kernel_maximum(space.vectors, choices.starts, choices.kernel, self.reward, preference, table))
        offers = Offers(choices.starts, choices.kernel, self.reward)
        return JointMaximum(*transport(table[self._order], offers, self._levels, space.n, len(space.vectors)))


def _segment_weights(kernels: tuple[tuple[Fraction, ...], ...]) -> tuple[Floats, Floats, Floats]:
    """Convex weights for :func:`sweeps.expectation_segment`, each correctly rounded from the exact rational."""
    *inner, lower, upper = (row[1] for row in kernels)
    width = upper - lower
    first = np.array([float(1 - lower), float(lower)])
    second = np.array([float((1 - upper) / (1 - lower)), float(width / (1 - lower))])
    rest = np.array([[float((upper - x) / width), float((x - lower) / width)] for x in inner]).reshape(len(inner), 2)
    return first, second, rest
