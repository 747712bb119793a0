"""The Bellman operator on (global state, count vector): agents are exchangeable, so only their counts matter.

State ``(g, c)`` with ``c`` in ``count_vectors(n, S)``; joint action: a global action ``b`` and, for every local state, how
many of its agents take which action. The operator is

    (T V)(g, c) = max_d max_b  r_g(g, b) + (1/n) sum_z d_z r_l(z, g) + gamma sum_g' P_g(g'|g, b) E[ V(g', c') | d ].

Agents move independently given the global state, so ``E`` applies the one-agent operator
``(K_z f)(c) = sum_s' P_l(s'|z, g) f(c + e_s')`` once per agent; these commute, and no transition matrix is built. Two
actions of one local state with the same kernel differ in reward only, so just the better one is kept (of equals, the
smaller action: the contract's tie-breaking). The local reward does not depend on ``b``, so the maximum over ``b`` is taken
once per kernel-count vector.

With ``n = k`` this is the paper's ``T_k`` (eq. 13); with all agents it is eq. 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb, prod
from typing import TYPE_CHECKING

import numpy as np

from mfverify import counts
from mfverify.bellman import sweeps
from mfverify.enclosure import rounding_error
from mfverify.errors import ModelError, TooLargeError

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

_MOST_NUMBERS = 2 * 10**9 // 8
"""Arrays of more doubles than this (2 GB) are refused before any work."""


@dataclass(frozen=True)
class Choices:
    """What the agents can choose between in one global state, after merging actions that share a kernel.

    ``kernels``: the distinct rows of ``P_l(.|., g, .)``, exact. ``starts[s]:starts[s+1]`` are the choices of local state
    ``s``; choice ``j`` has kernel ``kernel[j]``, the exact reward ``reward[j]`` and stands for the local action
    ``action[j]`` (the smallest of those with this kernel and the best reward). ``global_rows``: the distinct rows of
    ``P_g(.|g, .)``; global action ``b`` has row ``global_row[b]``.
    """

    kernels: tuple[tuple[Fraction, ...], ...]
    starts: Integers
    kernel: Integers
    reward: tuple[Fraction, ...]
    action: Integers
    global_rows: tuple[tuple[Fraction, ...], ...]
    global_row: tuple[int, ...]


def choices_in(model: Model, g: int) -> Choices:
    """Merge, in global state ``g``, local actions by kernel and global actions by row. Cost: S A rows compared exactly."""
    _, global_actions, local_states, local_actions = model.sizes
    rows = {tuple(model.local_kernel[s, g, a]) for s in range(local_states) for a in range(local_actions)}
    kernels = _ordered_kernels(rows)
    number = {row: u for u, row in enumerate(kernels)}
    starts, kernel, reward, action = [0], [], [], []
    for s in range(local_states):
        best: dict[int, tuple[Fraction, int]] = {}
        for a in range(local_actions):
            u = number[tuple(model.local_kernel[s, g, a])]
            r = model.local_reward[s, g, a]
            if u not in best or r > best[u][0]:
                best[u] = (r, a)
        for u in sorted(best):
            kernel.append(u)
            reward.append(best[u][0])
            action.append(best[u][1])
        starts.append(len(kernel))
    global_rows = list(dict.fromkeys(tuple(model.global_kernel[g, b]) for b in range(global_actions)))
    return Choices(
        kernels,
        np.array(starts, dtype=np.int64),
        np.array(kernel, dtype=np.int64),
        tuple(reward),
        np.array(action, dtype=np.int64),
        tuple(global_rows),
        tuple(global_rows.index(tuple(model.global_kernel[g, b])) for b in range(global_actions)),
    )


def _ordered_kernels(rows: set[tuple[Fraction, ...]]) -> tuple[tuple[Fraction, ...], ...]:
    """Sorted; with two local states the two extreme kernels come last, because they are the basis of the others."""
    ordered = sorted(rows, key=lambda row: row[1:])
    if len(ordered) >= 2 and len(ordered[0]) == 2:
        ordered = [*ordered[1:-1], ordered[0], ordered[-1]]
    return tuple(ordered)


class LumpedOperator:
    """``T`` of an n-agent system on values ``[g, c]``, in double precision with a rigorous error bound.

    Cost of one application, with ``U`` distinct kernels per global state: tables of ``C(n+U-1, U-1)`` expectations for each
    global state and distinct global row, then one evaluation per (state, joint action) pair, of which there are
    ``pairs``. Memory: one table per distinct global row plus arrays linear in the number of states.
    """

    def __init__(self, model: Model, n: int) -> None:
        if n < 1:
            raise ModelError(f"agents: found {n}, expected at least 1")
        self.model = model
        self.n = n
        self.choices = tuple(choices_in(model, g) for g in range(model.sizes[0]))
        size = model.sizes[2]
        largest = max(
            counts.number_of_count_vectors(n, size) * size,
            *(counts.number_of_count_vectors(n, len(c.kernels)) * (len(c.global_rows) + 1) for c in self.choices),
        )
        if largest > _MOST_NUMBERS:
            raise TooLargeError(
                f"{n} agents need a table of {largest:.3g} numbers ({largest * 8 / 2**30:.3g} GiB), more than "
                f"{_MOST_NUMBERS * 8 / 2**30:.3g} GiB; use fewer agents or a model with fewer distinct local kernels"
            )
        self.vectors = counts.count_vectors(n, size)
        self.order = sweeps.graded_order(n, size)
        self.up = sweeps.successor_table(n, size)
        self.level_sizes = sweeps.level_sizes(n, size)

    @property
    def shape(self) -> tuple[int, int]:
        """``(|S_g|, number of count vectors)``, the shape of values."""
        return self.model.sizes[0], len(self.vectors)

    @cached_property
    def pairs(self) -> int:
        """Number of (state, joint local action) pairs, merged actions counted once."""
        total = 0
        for choices in self.choices:
            widths = np.diff(choices.starts)
            total += sum(prod(comb(int(c) + int(w) - 1, int(w) - 1) for c, w in zip(row, widths, strict=True)) for row in self.vectors)
        return total

    @cached_property
    def roundings(self) -> int:
        """Roundings on the longest path from an input to an entry of the image; see :meth:`error`."""
        global_states, _, local_states, local_actions = self.model.sizes
        # Per agent and convex combination: the weight, the product, and the additions of the other terms.
        expectation = 9 * self.n if local_states == 2 else (local_states + 1) * self.n
        # Global row: weight, product, |S_g|-1 additions. Discount: itself, product. Rewards: r/n, product, one addition
        # per choice, r_g; then the additions that put the three parts together.
        return expectation + (global_states + 1) + 2 + (local_states * local_actions + 4) + 4

    def error(self, value: Floats) -> Fraction:
        """Bound ``max |fl(T V) - T V|``: the weights are positive and sum to one, so Higham's Lemma 3.1 applies."""
        magnitude = self.model.rt + self.model.discount * Fraction(float(np.abs(value).max()))
        return rounding_error(self.roundings, magnitude, self.roundings * sum(self.model.sizes))

    def expectations(self, g: int, value: Floats) -> list[Floats]:
        """For each distinct global row in state ``g``: ``sum_g' P_g(g') E[V(g', c')]`` for every kernel-count vector.

        Each table is lexicographic over ``count_vectors(n, U)``, ``U`` the number of kernels in ``g``.
        """
        choices = self.choices[g]
        kernels = choices.kernels
        length = counts.number_of_count_vectors(self.n, len(kernels))
        tables = []
        for row in choices.global_rows:
            mixed = np.zeros(len(self.vectors))
            for target, p in enumerate(row):
                if p:
                    mixed += float(p) * value[target]
            mixed = mixed[self.order]
            if len(kernels[0]) == 2 and len(kernels) >= 2:
                tables.append(sweeps.expectation_segment(mixed, *_segment_weights(kernels), self.n, length))
            else:
                weights = np.array([[float(p) for p in k] for k in kernels])
                tables.append(sweeps.expectation_tree(mixed, self.up, self.level_sizes, weights, self.n, length))
        return tables

    def action_values(self, g: int, value: Floats) -> list[Floats]:
        """For each global action ``b``: ``r_g(g, b) + gamma E[V]`` per kernel-count vector (the local reward is added later)."""
        discount = float(self.model.discount)
        tables = [discount * table for table in self.expectations(g, value)]
        return [float(self.model.global_reward[g, b]) + tables[row] for b, row in enumerate(self.choices[g].global_row)]

    def local_maximum(self, g: int, table: Floats) -> tuple[Floats, Floats, Integers]:
        """Maximise ``(1/n) sum r_l + table`` over the joint local actions for every count vector.

        Returns values ``[c]``, the largest value of any other joint action ``[c]``, and the action counts ``[c, choice]``
        of a maximiser (which one of several is decided elsewhere, in exact arithmetic).
        """
        choices = self.choices[g]
        kernels = len(choices.kernels)
        reward = np.array([float(r / self.n) for r in choices.reward])
        binomials = np.array([[comb(i, j) for j in range(kernels)] for i in range(self.n + kernels)], dtype=np.int64)
        return sweeps.joint_maximum(self.vectors, choices.starts, choices.kernel, reward, table, binomials, kernels)

    def _two_kernel_maximum(self, g: int, table: Floats) -> tuple[Floats, Integers]:
        """:meth:`local_maximum` without the runner-up, for a global state with two kernels; cost n per count vector."""
        choices = self.choices[g]
        starts = choices.starts
        free = [s for s in range(len(starts) - 1) if starts[s + 1] - starts[s] == 2]
        preference = sorted(free, key=lambda s: choices.reward[starts[s]] - choices.reward[starts[s] + 1])
        reward = np.array([float(r / self.n) for r in choices.reward])
        return sweeps.two_kernel_maximum(self.vectors, starts, choices.kernel, reward, np.array(preference, dtype=np.int64), table)

    def apply(self, value: Floats) -> tuple[Floats, list[tuple[Integers, Integers]]]:
        """``T V`` to double precision (off by at most :meth:`error`) and a greedy policy.

        ``value`` has axes ``[g, c]``. The policy lists, for each global state, the global action ``[c]`` and the action
        counts ``[c, choice]``; it is a candidate from rounded numbers, not a certified argmax.
        """
        image = np.empty(self.shape)
        policy = []
        for g in range(len(self.choices)):
            tables = np.stack(self.action_values(g, value))
            best_global = tables.max(axis=0)
            if len(self.choices[g].kernels) == 2:
                image[g], action_counts = self._two_kernel_maximum(g, best_global)
            else:
                image[g], _, action_counts = self.local_maximum(g, best_global)
            position = counts.rank(self.kernel_counts(g, action_counts))
            policy.append((tables[:, position].argmax(axis=0).astype(np.int64), action_counts))
        return image, policy

    def kernel_counts(self, g: int, action_counts: Integers) -> Integers:
        """How many agents use each kernel: action counts ``[.., choice]`` summed to ``[.., kernel]``."""
        choices = self.choices[g]
        out = np.zeros((*action_counts.shape[:-1], len(choices.kernels)), dtype=np.int64)
        for j, u in enumerate(choices.kernel):
            out[..., u] += action_counts[..., j]
        return out


def _segment_weights(kernels: tuple[tuple[Fraction, ...], ...]) -> tuple[Floats, Floats, Floats]:
    """Convex weights for :func:`sweeps.expectation_segment`, each correctly rounded from the exact rational."""
    *inner, lower, upper = (row[1] for row in kernels)
    width = upper - lower
    first = np.array([float(1 - lower), float(lower)])
    second = np.array([float((1 - upper) / (1 - lower)), float(width / (1 - lower))])
    rest = np.array([[float((upper - x) / width), float((x - lower) / width)] for x in inner]).reshape(len(inner), 2)
    return first, second, rest
