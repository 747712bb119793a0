"""The compiled loops of the lumped operator: expectations, joint maxima, laws of the next counts.

Everything here computes in double precision with positive weights only, in a fixed number of roundings per agent, which
the callers count (``lumped.py``, ``policy_value.py``). Nothing here decides anything.

Inside, count vectors of ``S`` classes are indexed in *graded* order: by ``(c_1, .., c_{S-1})``, smaller totals first.
Then the vectors of ``m`` agents are a prefix of those of ``m + 1``, adding an agent in class 0 keeps the index, and
adding one in class ``s`` leads to the later index ``up[i, s - 1]``, whatever ``m``: one table serves all levels, and one
agent's step can be done in place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numba
import numpy as np

from mfverify import counts
from mfverify.compiled import njit
from mfverify.parallel import one_and_all_threads, thread_count

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers


def graded_order(n: int, size: int) -> Integers:
    """Lexicographic ranks in graded order: ``lexicographic[graded_order] == graded``."""
    rows = counts.count_vectors(n, size)
    return np.argsort(n - rows[:, 0], kind="stable").astype(np.int64)


def successor_table(n: int, size: int) -> Integers:
    """``up[i, s-1]``: graded index of the count vector ``i`` (of at most n-1 agents) with one more agent in class s >= 1."""
    rows = counts.count_vectors(n - 1, size)
    rest = rows[np.argsort(n - 1 - rows[:, 0], kind="stable")][:, 1:]
    up = np.empty((len(rest), size - 1), dtype=np.int64)
    totals = rest.sum(axis=1)
    before = np.array([counts.number_of_count_vectors(t, size) for t in range(n)], dtype=np.int64)
    for s in range(size - 1):
        more = rest.copy()
        more[:, s] += 1
        up[:, s] = before[totals] + counts.rank(more)
    return up


def run_starts(n: int, size: int) -> Integers:
    """Where runs begin in graded order, and the end: along a run only the last two classes trade agents (``size >= 3``)."""
    if size < 3:
        return np.array([0], dtype=np.int64)
    shorter = counts.count_vectors(n, size - 1)
    lengths = shorter[np.argsort(n - shorter[:, 0], kind="stable")][:, -1] + 1
    return np.concatenate([[0], np.cumsum(lengths)])


def level_sizes(n: int, size: int) -> Integers:
    """Number of count vectors of 0, 1, .., n agents."""
    return np.array([counts.number_of_count_vectors(m, size) for m in range(n + 1)], dtype=np.int64)


class SpaceArrays(NamedTuple):
    """What compiled loops take of a :class:`CountSpace`; ``sizes`` are its ``level_sizes``."""

    entries: Integers
    up: Integers
    runs: Integers
    totals: Integers
    sizes: Integers
    binomials: Integers


@dataclass(frozen=True, eq=False)
class CountSpace:
    """The count vectors of ``n`` agents in ``size`` local states, in both orders, for the compiled loops.

    ``vectors``: lexicographic. ``order``: lexicographic ranks in graded order. ``entries``: the graded vectors without
    their first column. ``up``, ``runs``, ``level_sizes``: see :func:`successor_table`, :func:`run_starts` and :func:`level_sizes`. Memory: linear in the
    number of count vectors. Cost: a sort.
    """

    n: int
    size: int
    vectors: Integers
    order: Integers
    entries: Integers
    up: Integers
    runs: Integers
    level_sizes: Integers

    @classmethod
    def of(cls, n: int, size: int) -> CountSpace:
        """All count vectors of ``n`` agents in ``size`` local states."""
        vectors, order = counts.count_vectors(n, size), graded_order(n, size)
        return cls(n, size, vectors, order, vectors[order][:, 1:], successor_table(n, size), run_starts(n, size), level_sizes(n, size))

    @cached_property
    def arrays(self) -> SpaceArrays:
        """For compiled loops."""
        return SpaceArrays(self.entries, self.up, self.runs, self.totals, self.level_sizes, self.binomials)

    @cached_property
    def totals(self) -> Integers:
        """Agents of each run that are not in the first class."""
        totals: Integers = self.entries[self.runs[:-1]].sum(axis=1)
        return totals

    @cached_property
    def binomials(self) -> Integers:
        """``C(i, j)`` for the ranks of count vectors of at most ``n`` agents."""
        return binomial_table(self.n, self.size)


def binomial_table(n: int, size: int) -> Integers:
    """``[i, j] = C(i, j)``, ``i < n + size``, ``j < size``."""
    return np.array([[comb(i, j) for j in range(size)] for i in range(n + size)], dtype=np.int64)


@njit
def one_agent_moves(f: Floats, up: Integers, size: int, weights: Floats) -> None:
    """``(K f)(c) = sum_s' P(s') f(c + e_s')`` in place: f on m agents becomes K f on m - 1 agents (``size`` vectors)."""
    for i in range(size):
        value = weights[0] * f[i]
        for s in range(1, len(weights)):
            value += weights[s] * f[up[i, s - 1]]
        f[i] = value


@njit
def expectation_tree(f: Floats, up: Integers, sizes: Integers, weights: Floats, n: int, length: int) -> Floats:
    """``E f(next counts)`` for every kernel-count vector ``e`` of n agents over the ``len(weights)`` kernels.

    The operators of single agents commute, so kernel counts are walked as a tree in which all children of a node share
    its partial result. Returns an array in lexicographic order of ``e``. Cost: ``length`` leaves, each at most
    ``C(n+S, S)`` multiplications by S; memory ``U C(n+S-1, S-1)`` beside the result.
    """
    kernels = len(weights)
    out = np.empty(length)
    partial = np.empty((kernels, len(f)))
    left = np.zeros(kernels, dtype=np.int64)
    partial[0] = f
    left[0] = n
    emitted = 0
    depth = 0
    while depth >= 0:
        while depth < kernels - 1:
            size = sizes[left[depth]]
            partial[depth + 1, :size] = partial[depth, :size]
            left[depth + 1] = left[depth]
            depth += 1
        for m in range(left[depth], 0, -1):
            one_agent_moves(partial[depth], up, sizes[m - 1], weights[depth])
        out[emitted] = partial[depth, 0]
        emitted += 1
        depth -= 1
        while depth >= 0 and left[depth] == 0:
            depth -= 1
        if depth >= 0:
            left[depth] -= 1
            one_agent_moves(partial[depth], up, sizes[left[depth]], weights[depth])
    return out


@njit
def expectation_segment(f: Floats, first: Floats, second: Floats, inner: Floats, n: int, length: int) -> Floats:
    """The same for two local states, where every kernel lies on a segment between two extreme ones.

    ``f`` is in graded order (index = agents in state 1). ``first`` are the weights of the lower extreme kernel on
    (state 0, state 1), ``second`` those of the upper extreme on (lower extreme, state 1), ``inner[u]`` those of each
    other kernel on (lower, upper). De Casteljau's triangle converts ``f`` to the basis of the extremes, then every
    further agent costs one convex combination. Returns lexicographic order over (inner.., lower, upper).
    Cost: n^2 + ``length`` combinations; at most 3 n of them on any path.
    """
    work = f.copy()
    edge = np.empty(n + 1)
    edge[n] = work[n]
    for i in range(1, n + 1):
        for j in range(n - i + 1):
            work[j] = first[0] * work[j] + first[1] * work[j + 1]
        edge[n - i] = work[n - i]
    basis = np.empty(n + 1)
    basis[0] = edge[0]
    for i in range(1, n + 1):
        for j in range(n - i + 1):
            edge[j] = second[0] * edge[j] + second[1] * edge[j + 1]
        basis[i] = edge[0]
    depth_of_leaf = len(inner)
    out = np.empty(length)
    partial = np.empty((depth_of_leaf + 1, n + 1))
    left = np.zeros(depth_of_leaf + 1, dtype=np.int64)
    partial[0] = basis
    left[0] = n
    emitted = 0
    depth = 0
    while depth >= 0:
        while depth < depth_of_leaf:
            partial[depth + 1, : left[depth] + 1] = partial[depth, : left[depth] + 1]
            left[depth + 1] = left[depth]
            depth += 1
        for upper in range(left[depth], -1, -1):
            out[emitted] = partial[depth, upper]
            emitted += 1
        depth -= 1
        while depth >= 0 and left[depth] == 0:
            depth -= 1
        if depth >= 0:
            left[depth] -= 1
            for j in range(left[depth] + 1):
                partial[depth, j] = inner[depth, 0] * partial[depth, j] + inner[depth, 1] * partial[depth, j + 1]
    return out


@njit
def rank_of_counts(e: Integers, n: int, binomials: Integers) -> int:
    """Lexicographic rank of a count vector of ``n`` agents; ``binomials[i, j] = C(i, j)``."""
    kernels = len(e)
    left = n
    rank = 0
    for i in range(kernels - 1):
        rest = kernels - 1 - i
        rank += binomials[left + rest, rest]
        left -= e[i]
        rank -= binomials[left + rest, rest]
    return rank


def _two_kernel_maximum(
    vectors: Integers, starts: Integers, kernel: Integers, reward: Floats, preference: Integers, table: Floats
) -> tuple[Floats, Floats, Integers]:
    """``max_d [ sum_j d_j reward_j + table(e(d)) ]`` for every count vector where only two kernels exist: linear work per state.

    ``starts[s]:starts[s+1]`` are the choices of an agent in local state ``s``: choice ``j`` uses ``kernel[j]`` and earns ``reward[j]``; a
    joint action ``d`` says how many agents make each choice; ``table`` is indexed by the agents on kernel 0.

    For a given number of agents on kernel 1 the best assignment moves agents in the order of what moving earns, so only
    those n + 1 assignments are compared; the second best with as many on kernel 1 exchanges one agent between the last state
    that moved and the next one. ``preference`` lists the local states that have both kernels, largest
    ``reward(kernel 1) - reward(kernel 0)`` first, sorted in exact arithmetic. Returns values ``[c]``, runners-up ``[c]`` and the action
    counts ``[c, choice]`` of a maximiser. Rounding per entry is that of one sum over all choices; three roundings more for a
    runner-up.
    """
    values = np.empty(len(vectors))
    runners_up = np.empty(len(vectors))
    maximisers = np.zeros((len(vectors), len(kernel)), dtype=np.int64)
    for c in numba.prange(len(vectors)):
        n = 0
        fixed = 0
        d = np.zeros(len(kernel), dtype=np.int64)
        for s in range(len(starts) - 1):
            n += vectors[c, s]
            d[starts[s]] = vectors[c, s]
            if kernel[starts[s]] == 1:
                fixed += vectors[c, s]
        best = -np.inf
        second = -np.inf
        on_one = fixed
        before = -1  # the last state with agents that moved, and the next one with agents that could
        for i in range(-1, len(preference)):
            # i = -1 compares the assignment in which nobody has moved yet.
            s = preference[max(i, 0)] if len(preference) else 0
            base = 0.0
            for j in range(len(kernel)):
                if i < 0 or j < starts[s] or j >= starts[s + 1]:
                    base += d[j] * reward[j]
            most = vectors[c, s] if i >= 0 else 0
            after = -1
            for k in range(i + 1, len(preference)):
                if vectors[c, preference[k]] > 0:
                    after = preference[k]
                    break
            for x in range(0 if i < 0 else 1, most + 1):
                value = base + table[n - on_one - x]
                if i >= 0:
                    value = base + ((most - x) * reward[starts[s]] + x * reward[starts[s] + 1]) + table[n - on_one - x]
                if value > best:
                    second = best
                    best = value
                    maximisers[c] = d
                    if i >= 0:
                        maximisers[c, starts[s]] = most - x
                        maximisers[c, starts[s] + 1] = x
                elif value > second:
                    second = value
                if i >= 0:
                    gain = reward[starts[s] + 1] - reward[starts[s]]
                    if after >= 0:
                        second = max(second, value + ((reward[starts[after] + 1] - reward[starts[after]]) - gain))
                    if before >= 0 and x < most:
                        second = max(second, value + (gain - (reward[starts[before] + 1] - reward[starts[before]])))
            if i >= 0:
                d[starts[s]] = 0
                d[starts[s] + 1] = most
                on_one += most
                if most > 0:
                    before = s
        values[c] = best
        runners_up[c] = second
    return values, runners_up, maximisers


@njit
def _law_of_three(law: Floats, multiplicity: Integers, weights: Floats) -> None:
    """The law of the next counts of three local states: ``multiplicity[r]`` agents move with probabilities ``weights[r]``; ``law`` is zero before.

    An entry gathers from the three that have one agent less; larger totals first, so it can be done in place. Along a total the
    entries read are consecutive, which vector instructions need. Only totals and places that can have mass are visited.
    """
    law[0] = 1.0
    low, high, first, last = 0, 0, 0, 0
    for r in range(len(multiplicity)):
        stay, one, two = weights[r, 0], weights[r, 1], weights[r, 2]
        for _agent in range(multiplicity[r]):
            high += 1 if one != 0.0 or two != 0.0 else 0
            last += 1 if one != 0.0 else 0
            for total in range(high, low - 1, -1):
                here, below = total * (total + 1) // 2, total * (total - 1) // 2
                if last >= total:
                    law[here + total] *= stay
                    if total > 0:
                        law[here + total] += one * law[below + total - 1]
                for p in range(max(first, 1), min(last, total - 1) + 1):
                    law[here + p] = (stay * law[here + p] + two * law[below + p]) + one * law[below + p - 1]
                if first == 0 and total > 0:
                    law[here] = stay * law[here] + two * law[below]
            low += 1 if stay == 0.0 else 0
            first += 1 if stay == 0.0 and two == 0.0 else 0


def _next_count_laws(multiplicity: Integers, weights: Floats, up: Integers, sizes: Integers) -> Floats:
    """Laws of the next count vector, one row per state, graded order.

    In state ``c``, ``multiplicity[c, r]`` agents move independently with probabilities ``weights[c, r]`` over the local
    states. Cost per row: the sum over agents of the number of count vectors so far; S + 1 roundings per agent.
    """
    states, groups = multiplicity.shape
    n = len(sizes) - 1
    local_states = weights.shape[2]
    laws = np.zeros((states, sizes[n]))
    for c in numba.prange(states):
        law = laws[c]
        if local_states == 3:
            _law_of_three(law, multiplicity[c], weights[c])
            continue
        law[0] = 1.0
        level = 0
        low = 0  # no mass below this index, none above `high`
        high = 0
        for r in range(groups):
            for _agent in range(multiplicity[c, r]):
                first = low
                reach = high
                for i in range(high, low - 1, -1):
                    mass = law[i]
                    if mass != 0.0:
                        law[i] = weights[c, r, 0] * mass
                        for s in range(1, local_states):
                            if weights[c, r, s] != 0.0:
                                target = up[i, s - 1]
                                law[target] += weights[c, r, s] * mass
                                reach = max(reach, target)
                while first < reach and law[first] == 0.0:
                    first += 1
                low = first
                high = reach
                level += 1
    return laws


Compiled: TypeAlias = Callable[..., Any]

PARALLEL_FROM: Final = 200_000
"""Elementary steps from which on starting the threads costs less than it saves (a start takes up to milliseconds)."""

_TWO_KERNEL_MAXIMUM: Final = one_and_all_threads(_two_kernel_maximum)
_NEXT_COUNT_LAWS: Final = one_and_all_threads(_next_count_laws)


def for_work(work: int, compiled: tuple[Compiled, Compiled]) -> Compiled:
    """The one-thread or the all-threads form of the same loop."""
    return compiled[work >= PARALLEL_FROM and thread_count() > 1]


def two_kernel_maximum(
    vectors: Integers, starts: Integers, kernel: Integers, reward: Floats, preference: Integers, table: Floats
) -> tuple[Floats, Floats, Integers]:
    """See :func:`_two_kernel_maximum`; threads are used where the table is large."""
    found: tuple[Floats, Floats, Integers] = for_work(len(table) * len(vectors), _TWO_KERNEL_MAXIMUM)(
        vectors, starts, kernel, reward, preference, table
    )
    return found


def next_count_laws(multiplicity: Integers, weights: Floats, up: Integers, sizes: Integers) -> Floats:
    """See :func:`_next_count_laws`; threads are used where the rows are long."""
    found: Floats = for_work(len(multiplicity) * int(sizes.sum()), _NEXT_COUNT_LAWS)(multiplicity, weights, up, sizes)
    return found
