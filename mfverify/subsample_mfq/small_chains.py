"""The value of an executed policy in small systems: marginals or plays, rows, linear solve and certificate in one compiled call.

For many models at once, as ``bellman/small.py``; for all ways in which agents draw on their own (``own_draws.py``), and for a shared subset whose
members are copied. What depends on the way and ``(n, k, |S_l|)`` alone is in :class:`Draws`. The policy is a table over samples; no sample may be undecided.

*Certificate.* ``T V = reward + P V`` with the discount inside ``P``; from any ``V`` as in ``fixed_point.py``. *Error of one application*, with
``W_l``, ``W_g`` and ``R`` roundings in probabilities and rewards, ``A``, ``B`` local and global actions, ``S`` and ``G`` states, ``N`` count vectors, ``M``
samples:

- the number of draws that lead to an action is an integer and exact; over the number of all draws, or the share of a member's
  action, it has 1 rounding. A mixture of kernels: 1, ``W_l``, product, ``A - 1`` sums: ``W_l + A + 1``. A law of next counts: ``n`` steps of that,
  product and ``S - 1`` sums: ``n (W_l + A + 1 + S)``;
- independent draws: global row ``W_g + B + 1``, discount 2, product with the law 1, product with the value 1, ``G N - 1`` sums, reward 1;
- shared subset: ``W_g``, probability of the draw, discount, two products: ``W_g + 4``, product with the law 1, ``M - 1`` sums, product with the value 1,
  ``G N - 1`` sums, reward 1. Together at most ``n (W_l + A + 1 + S) + W_g + max(B, M) + G N + 6`` of what adds up to at most ``gamma max |V|``;
- reward of a draw: mixture ``R + A + 1``, product with a count 1, at most ``S A + S`` sums, over ``n`` 1, global reward 1, probability of the draw and
  product 2, ``M - 1`` or ``B - 1`` sums, added to the expectation 1: at most ``R + A + S A + S + max(B, M) + 8`` of at most ``rt``;
- every operation may lose ``2**-1022``: at most ``8 (n S (A + 3) G N + (M + 2) (G N + G + S A + S + B + 8) + n) (1 + max |V|)`` of them.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache, partial
from math import comb
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from mfverify import counts
from mfverify.bellman.small import (
    SMALLEST_PIVOT,
    Roundings,
    above,
    application_error,
    below,
    centre,
    residual_range,
    times_below,
)
from mfverify.bellman.sweeps import graded_order, successor_table
from mfverify.compiled import njit
from mfverify.enclosure import UNDERFLOW, round_up, rounding_error
from mfverify.parallel import over_range
from mfverify.subsample_mfq.uniform_subset import subset_numerators

if TYPE_CHECKING:
    from mfverify.bellman.small import Copies, Errors
    from mfverify.notation import Booleans, Floats, Integers
    from mfverify.subsample_mfq.own_draws import OwnDraws

_MOST_DRAWS: Final = 2**53
"""Fewer draws than this are counted exactly in doubles."""

_MOST_STATES: Final = 160
"""Systems with more states than this are not small: a dense solve takes longer than the sparse one."""

_MOST_STEPS: Final = 10**7
"""Nor are those whose rows take more multiply-adds than this."""

_REFINEMENTS: Final = 3
"""Solutions of the linear system, the first one included; the last enclosure is one however good they are."""


class Draws(NamedTuple):
    """The draws of ``k`` of ``n`` agents. States of the population in graded order, samples in lexicographic order.

    ``vectors[c, s]``: counts of the population, ``samples[x, s]`` of a sample. ``of_global[c, x]``: how many draws of k from the population lead to the
    sample; ``of_local[c, s, x]``: how many draws of k - 1 others do, with an agent in ``s`` itself. ``every``: how many there are of both. ``order``
    and ``up`` as in :class:`~mfverify.bellman.small.Plan`.
    """

    n: int
    vectors: Integers
    samples: Integers
    of_global: Floats
    of_local: Floats
    every: Floats
    order: Integers
    up: Integers


def fits(n: int, k: int, sizes: tuple[int, int, int, int], how: OwnDraws | None = None) -> bool:
    """Whether a system is small, and its draws can be counted in doubles."""
    global_states, _, size, _ = sizes
    states = global_states * comb(n + size - 1, size - 1)
    if states > _MOST_STATES or (how.number if how else comb)(n, k) >= _MOST_DRAWS:
        return False
    samples = comb(k + size - 1, size - 1)
    return states * samples * n * comb(n + size - 1, size - 1) * size <= _MOST_STEPS


@lru_cache(maxsize=64)
def draws(n: int, k: int, size: int, how: OwnDraws | None = None) -> Draws:
    """The draws of ``k`` of ``n`` agents, uniform subsets unless agents draw on their own in another way. Cost: about linear in the numbers that it holds."""
    order = graded_order(n, size)
    vectors, samples = counts.count_vectors(n, size)[order], counts.count_vectors(k, size)
    up = np.concatenate([np.arange(counts.number_of_count_vectors(n - 1, size), dtype=np.int64)[:, None], successor_table(n, size)], axis=1)
    of_global = np.zeros((len(vectors), len(samples)))
    of_local = np.zeros((len(vectors), size, len(samples)))
    numerators, number = (how.numerators, how.number) if how else (subset_numerators, comb)
    for c, population in enumerate(vectors):
        of_global[c] = numerators(tuple(population.tolist()), samples).astype(np.float64)
        for s in np.flatnonzero(population):
            own, with_own = np.eye(size, dtype=np.int64)[s], np.flatnonzero(samples[:, s])
            of_local[c, s, with_own] = numerators(tuple((population - own).tolist()), samples[with_own] - own).astype(np.float64)
    every = np.array([number(n, k), number(n - 1, k - 1)], dtype=np.float64)
    return Draws(n, vectors, samples, of_global, of_local, every, order, up)


@lru_cache(maxsize=256)
def relative_errors(n: int, k: int, sizes: tuple[int, int, int, int], roundings: Roundings) -> tuple[float, float, float]:
    """The error of one application is at most ``a gamma max|V| + b rt + c (1 + max|V|)``; see the head of this file."""
    global_states, global_actions, size, actions = sizes
    vectors, samples = counts.number_of_count_vectors(n, size), counts.number_of_count_vectors(k, size)
    most = max(global_actions, samples)
    path = n * (roundings.local + actions + 1 + size) + roundings.global_ + most + global_states * vectors + 6
    reward = roundings.reward + actions + size * actions + size + most + 8
    products = (samples + 2) * (global_states * (vectors + 1) + size * actions + size + global_actions + 8)
    lost = 8 * (n * size * (actions + 3) * global_states * vectors + products + n)
    a, b = (round_up(rounding_error(number, Fraction(1))) for number in (path, reward))
    return a, b, round_up(lost * UNDERFLOW)


class Policies(NamedTuple):
    """Tables over samples in lexicographic order, leading axis: the model.

    ``global_action[i, g, x]``; ``local_action[i, g, x, s]`` of an agent in ``s``, for independent draws; ``action_counts[i, g, x, z]`` of the members of a
    shared subset. ``decided[i]``: the models to be looked at.
    """

    global_action: Integers
    local_action: Integers
    action_counts: Integers
    decided: Booleans


def execute(
    models: Copies, n: int, k: int, policies: Policies, shared: bool, roundings: Roundings, width: float, how: OwnDraws | None = None
) -> tuple[Floats, Floats]:
    """Lower and upper ends ``[i, g, c]`` of the value of executed policies, count vectors in lexicographic order; NaN where undecided.

    ``models`` with the rewards of all actions: agents that copy no one play action 0, also where another one replaces it in an optimum.
    """
    number, global_states, global_actions, _ = models.global_kernel.shape
    size, _, actions = models.local_kernel.shape[1:4]
    sizes = global_states, global_actions, size, actions
    of_all = draws(n, k, size, how)
    lower = np.full((number, global_states, len(of_all.vectors)), np.nan)
    upper = lower.copy()
    errors = relative_errors(n, k, sizes, roundings)
    over_range(partial(_values, models, of_all, policies, shared, errors, width, lower, upper), number)
    return lower, upper


@njit
def factorise(matrix: Floats) -> None:
    """Gaussian elimination in place, without pivots."""
    size = len(matrix)
    for i in range(size):
        pivot = matrix[i]
        if pivot[i] == 0.0:
            pivot[i] = SMALLEST_PIVOT
        inverse = 1.0 / pivot[i]
        for j in range(i + 1, size):
            row = matrix[j]
            share = row[i] * inverse
            row[i] = share
            if share != 0.0:
                rest, of_pivot = row[i + 1 :], pivot[i + 1 :]
                for t in range(len(rest)):
                    rest[t] -= share * of_pivot[t]


@njit
def solve_factorised(matrix: Floats, right: Floats) -> None:
    """Solve in place with what :func:`factorise` left."""
    size = len(right)
    for i in range(1, size):
        total = right[i]
        for j in range(i):
            total -= matrix[i, j] * right[j]
        right[i] = total
    for i in range(size - 1, -1, -1):
        total = right[i]
        for j in range(i + 1, size):
            total -= matrix[i, j] * right[j]
        right[i] = total / matrix[i, i]


@njit
def _moved(law: Floats, other: Floats, up: Integers, agents: int, levels: int, kernel: Floats) -> None:
    """One agent more in the law of ``agents`` agents: from ``law`` to ``other``; ``levels``: count vectors of the former."""
    other[:] = 0.0
    for c in range(levels):
        if law[c] != 0.0:
            for s in range(len(kernel)):
                if kernel[s] != 0.0:
                    other[up[c, s]] += law[c] * kernel[s]


@njit
def _level(agents: int, size: int) -> int:
    """Count vectors of so many agents."""
    number = 1
    for j in range(1, size):
        number = number * (agents + j) // j
    return number


@njit
def _independent_row(
    models: Copies, i: int, of_all: Draws, policies: Policies, g: int, c: int, laws: Floats, row: Floats, global_law: Floats
) -> float:
    """The row of state ``(g, c)``, discounted, and its reward: marginals, then the agents one by one."""
    global_states, global_actions = models.global_reward.shape[1:]
    size, _, actions = models.local_reward.shape[1:]
    states = len(of_all.vectors)
    played = np.zeros(max(global_actions, actions))
    for x in range(len(of_all.samples)):
        played[policies.global_action[i, g, x]] += of_all.of_global[c, x] if of_all.of_global[c, x] > 0.0 else 0.0
    global_law[:] = 0.0
    reward = 0.0
    for b in range(global_actions):
        if played[b] > 0.0:
            p = played[b] / of_all.every[0]
            reward += p * models.global_reward[i, g, b]
            for h in range(global_states):
                global_law[h] += p * models.global_kernel[i, g, b, h]
    kernel = np.empty(size)
    laws[:] = 0.0
    laws[0, 0] = 1.0
    now, agents = 0, 0
    local = 0.0
    for s in range(size):
        if of_all.vectors[c, s] == 0:
            continue
        played[:] = 0.0
        for x in range(len(of_all.samples)):
            if of_all.of_local[c, s, x] > 0.0:
                played[policies.local_action[i, g, x, s]] += of_all.of_local[c, s, x]
        kernel[:] = 0.0
        mean = 0.0
        for a in range(actions):
            if played[a] > 0.0:
                p = played[a] / of_all.every[1]
                mean += p * models.local_reward[i, s, g, a]
                for t in range(size):
                    kernel[t] += p * models.local_kernel[i, s, g, a, t]
        local += (of_all.vectors[c, s] / of_all.n) * mean
        for _ in range(of_all.vectors[c, s]):
            _moved(laws[now], laws[1 - now], of_all.up, agents, _level(agents, size), kernel)
            now, agents = 1 - now, agents + 1
    for h in range(global_states):
        share = models.discount[i] * global_law[h]
        for t in range(states):
            row[h * states + t] = share * laws[now, t]
    return reward + local


@njit
def _shared_row(models: Copies, i: int, of_all: Draws, policies: Policies, g: int, c: int, laws: Floats, row: Floats) -> float:
    """The row of state ``(g, c)``, discounted, and its reward: a sum over draws of members and of those who copy them."""
    global_states = models.global_reward.shape[1]
    size, _, actions = models.local_reward.shape[1:]
    states = len(of_all.vectors)
    kernel = np.empty(size)
    row[:] = 0.0
    reward = 0.0
    for x in range(len(of_all.samples)):
        if not of_all.of_global[c, x] > 0.0:
            continue
        weight = of_all.of_global[c, x] / of_all.every[0]
        b = policies.global_action[i, g, x]
        laws[:] = 0.0
        laws[0, 0] = 1.0
        now, agents = 0, 0
        earned = 0.0
        for s in range(size):
            members = of_all.samples[x, s]
            outside = of_all.vectors[c, s] - members
            mean = 0.0
            kernel[:] = 0.0
            for a in range(actions):
                playing = policies.action_counts[i, g, x, s * actions + a]
                if playing > 0:
                    earned += playing * models.local_reward[i, s, g, a]
                    for _ in range(playing):
                        _moved(laws[now], laws[1 - now], of_all.up, agents, _level(agents, size), models.local_kernel[i, s, g, a])
                        now, agents = 1 - now, agents + 1
                p = playing / members if members > 0 else (1.0 if a == 0 else 0.0)
                if p > 0.0 and outside > 0:
                    mean += p * models.local_reward[i, s, g, a]
                    for t in range(size):
                        kernel[t] += p * models.local_kernel[i, s, g, a, t]
            if outside > 0:
                earned += outside * mean
                for _ in range(outside):
                    _moved(laws[now], laws[1 - now], of_all.up, agents, _level(agents, size), kernel)
                    now, agents = 1 - now, agents + 1
        reward += weight * (models.global_reward[i, g, b] + earned / of_all.n)
        for h in range(global_states):
            share = (models.discount[i] * weight) * models.global_kernel[i, g, b, h]
            for t in range(states):
                row[h * states + t] += share * laws[now, t]
    return reward


@njit
def _value(
    models: Copies, i: int, of_all: Draws, policies: Policies, shared: bool, errors: Errors, width: float, lower: Floats, upper: Floats
) -> None:
    """One model."""
    global_states, states = models.global_kernel.shape[1], len(of_all.vectors)
    size = global_states * states
    rows, reward = np.empty((size, size)), np.empty(size)
    laws, global_law = np.empty((2, states)), np.empty(global_states)
    for g in range(global_states):
        for c in range(states):
            row = rows[g * states + c]
            if shared:
                reward[g * states + c] = _shared_row(models, i, of_all, policies, g, c, laws, row)
            else:
                reward[g * states + c] = _independent_row(models, i, of_all, policies, g, c, laws, row, global_law)
    matrix = -rows
    for j in range(size):
        matrix[j, j] += 1.0
    factorise(matrix)
    value, image, right = np.zeros((1, size)), np.empty((1, size)), reward.copy()
    narrowest = np.inf
    for _ in range(_REFINEMENTS):
        solve_factorised(matrix, right)
        for j in range(size):
            value[0, j] += right[j]
        largest = centre(value)
        for j in range(size):
            total = 0.0
            for t in range(size):
                total += rows[j, t] * value[0, t]
            image[0, j] = reward[j] + total
        error = application_error(errors, models.discount[i], models.rt[i], largest)
        lo, hi = residual_range(image, value, error)
        now = models.high[i] * (hi - lo) + 2 * error
        if now < narrowest:
            down, up = times_below(models.low[i], models.high[i], lo), -times_below(models.low[i], models.high[i], -hi)
            for g in range(global_states):
                for c in range(states):
                    j = g * states + c
                    lower[i, g, of_all.order[c]] = below(below(image[0, j] - error) + down)
                    upper[i, g, of_all.order[c]] = above(above(image[0, j] + error) + up)
        if now <= width / 2 or not now < narrowest / 2:
            break
        narrowest = now
        middle = lo / 2 + hi / 2
        for j in range(size):
            right[j] = image[0, j] - value[0, j] - middle


@njit(nogil=True)
def _values(
    models: Copies,
    of_all: Draws,
    policies: Policies,
    shared: bool,
    errors: Errors,
    width: float,
    lower: Floats,
    upper: Floats,
    begin: int,
    end: int,
) -> None:
    """The models of a range, those that are decided."""
    for i in range(begin, end):
        if policies.decided[i]:
            _value(models, i, of_all, policies, shared, errors, width, lower, upper)
