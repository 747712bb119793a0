"""The value of a deterministic policy to about double precision: what policy iteration improves on. Nothing here is certified.

Only the final application of the Bellman operator is certified, so the transition rows may be truncated and the linear
system solved by any means. With two local states the next count is a sum of binomials, one per kernel: a row is kept where
it is not negligible, in a band of about ``9 sqrt(n)`` numbers. With more local states rows are whole. The system is solved by
GMRES from the current value; compiled, for with few agents an interpreted one, or the threads of a dense elimination, would
take longer than the sweeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, comb, sqrt
from typing import TYPE_CHECKING, Final

import numba
import numpy as np

from mfverify.bellman import sweeps
from mfverify.compiled import njit
from mfverify.parallel import one_and_all_threads

if TYPE_CHECKING:
    from mfverify.bellman.lumped import LumpedOperator, Policy
    from mfverify.notation import Floats, Integers

_MOST_CHAIN_NUMBERS = 10**8
"""A policy whose transition rows need more doubles than this is not evaluated (0.8 GB)."""

_DIRECTIONS: Final = 40
"""Steps of GMRES before it begins again; so many arrays over the states are held."""

_NEGLIGIBLE: Final = 1e-18
"""Probabilities below this multiple of the largest one are dropped; their sum is far below double precision."""


def row_numbers(operator: LumpedOperator) -> int:
    """How many doubles the transition rows of a policy take."""
    global_states, states = operator.shape
    return global_states * states * _row_length(operator)


def evaluation_work(operator: LumpedOperator) -> int:
    """Elementary steps of setting up the transition rows of a policy."""
    global_states, states = operator.shape
    n, size = operator.n, operator.model.sizes[2]
    return global_states * states * (_row_length(operator) * 200 if size == 2 else size * comb(n + size, size))


def fits(operator: LumpedOperator) -> bool:
    """Whether a policy is evaluated at all: its rows fit, and cost no more than the sweeps that they save."""
    return row_numbers(operator) <= _MOST_CHAIN_NUMBERS and evaluation_work(operator) <= 10**8 + 10 * operator.work


def _row_length(operator: LumpedOperator) -> int:
    n = operator.n
    if operator.model.sizes[2] != 2:
        return operator.shape[1]
    # Hoeffding: beyond 4.6 sqrt(n) from the mean there is less than 1e-18.
    return min(n + 1, ceil(9.2 * sqrt(n)) + 60)


@dataclass(frozen=True, eq=False)
class GreedyChain:
    """The Markov chain of a deterministic policy.

    ``reward[g, c]``; ``global_rows[g, c]``: which of the distinct rows ``mixtures[g, row, g']`` of ``P_g`` is played; the next counts have
    the law ``laws[g, c, :]`` from the place ``first[g, c]`` on; at place ``i`` of a law stands the count vector of rank ``order[i]``.
    """

    reward: Floats
    discount: float
    mixtures: Floats
    global_rows: Integers
    laws: Floats
    first: Integers
    order: Integers

    def solve(self, start: Floats) -> Floats:
        """A solution of ``V = reward + gamma P V``, from ``start`` on. Cost: a few dozen times the numbers in the rows."""
        solution: Floats = _solution(
            self.laws, self.first, self.order, self.mixtures, self.global_rows, self.reward, self.discount, start
        )
        return solution


def policy_chain(operator: LumpedOperator, policy: Policy) -> GreedyChain:
    """The Markov chain of a deterministic policy given as in :meth:`LumpedOperator.apply`."""
    model, n, space = operator.model, operator.n, operator.space
    global_states, states = operator.shape
    length = _row_length(operator)
    laws = np.zeros((global_states, states, length)) if space.size == 2 else np.empty((global_states, states, length))
    first = np.zeros((global_states, states), dtype=np.int64)
    reward = np.empty((global_states, states))
    mixtures = np.zeros((global_states, max(len(choices.global_rows) for choices in operator.choices), global_states))
    global_rows = np.empty((global_states, states), dtype=np.int64)
    for g, (global_action, action_counts) in enumerate(policy):
        choices = operator.choices[g]
        multiplicity = operator.kernel_counts(g, action_counts)
        kernels = np.array([[float(p) for p in row] for row in choices.kernels])
        if space.size == 2:
            # The lexicographic rank of two local states is the number of agents in local state 0.
            sweeps.for_work(states * length * len(kernels), _TWO_STATE_LAWS)(multiplicity, kernels[:, 0].copy(), laws[g], first[g])
        else:
            per_state = np.ascontiguousarray(np.broadcast_to(kernels, (states, *kernels.shape)))
            laws[g] = sweeps.next_count_laws(multiplicity, per_state, space.up, space.level_sizes)
        mixtures[g, : len(choices.global_rows)] = [[float(p) for p in row] for row in choices.global_rows]
        global_rows[g] = np.array(choices.global_row, dtype=np.int64)[global_action]
        local = action_counts @ np.array([float(r / n) for r in choices.reward])
        reward[g] = np.array([float(r) for r in model.global_reward[g]])[global_action] + local
    order = np.arange(states) if space.size == 2 else space.order
    return GreedyChain(reward, float(model.discount), mixtures, global_rows, laws, first, order)


@njit
def _binomial(d: int, p: float, out: Floats) -> tuple[int, int]:
    """Probabilities of Binomial(d, p) from the returned value on, as many as returned second, without the negligible ones."""
    if p <= 0.0 or p >= 1.0:
        out[0] = 1.0
        return (d if p >= 1.0 else 0), 1
    mode = min(d, int((d + 1) * p))
    low = mode
    weight = 1.0
    ratio = (1.0 - p) / p
    while low > 0:
        weight *= low / (d - low + 1) * ratio
        if weight < _NEGLIGIBLE:
            break
        low -= 1
    out[mode - low] = 1.0
    weight = 1.0
    total = 1.0
    for i in range(mode - 1, low - 1, -1):
        weight *= (i + 1) / (d - i) * ratio
        out[i - low] = weight
        total += weight
    weight = 1.0
    high = mode
    while high < d:
        weight *= (d - high) / (high + 1) / ratio
        if weight < _NEGLIGIBLE:
            break
        high += 1
        out[high - low] = weight
        total += weight
    for i in range(high - low + 1):
        out[i] /= total
    return low, high - low + 1


def _two_state_laws(multiplicity: Integers, probability: Floats, laws: Floats, first: Integers) -> None:
    """Per state the law of a sum of binomials: ``multiplicity[c, u]`` agents succeed with ``probability[u]``.

    Writes ``laws[c, :]`` from the value ``first[c]`` on; what does not fit into the row is dropped where it is smallest.
    """
    states, kernels = multiplicity.shape
    length = laws.shape[1]
    for c in numba.prange(states):
        law = np.zeros(states)
        further = np.zeros(states)
        binomial = np.zeros(states)
        law[0] = 1.0
        low, count = 0, 1
        for u in range(kernels):
            if multiplicity[c, u] > 0:
                start, more = _binomial(multiplicity[c, u], probability[u], binomial)
                further[: count + more - 1] = 0.0
                for i in range(more):
                    for j in range(count):
                        further[i + j] += binomial[i] * law[j]
                count += more - 1
                low += start
                law[:count] = further[:count]
                skipped = 0
                while count > 1 and law[skipped + count - 1] < _NEGLIGIBLE:
                    count -= 1
                while count > 1 and law[skipped] < _NEGLIGIBLE:
                    skipped += 1
                    count -= 1
                if skipped > 0:
                    for i in range(count):
                        law[i] = law[i + skipped]
                    low += skipped
        skipped = 0
        while count > length:
            if law[skipped] < law[skipped + count - 1]:
                skipped += 1
            count -= 1
        first[c] = low + skipped
        laws[c, :count] = law[skipped : skipped + count]


_TWO_STATE_LAWS: Final = one_and_all_threads(_two_state_laws)


_reassociated = njit(fastmath={"reassoc", "contract", "nsz"})


@_reassociated
def _moved(
    laws: Floats, first: Integers, order: Integers, mixtures: Floats, rows: Integers, discount: float, value: Floats, out: Floats
) -> None:
    """``out = V - gamma P V``."""
    global_states, states, length = laws.shape
    mixed = np.empty((mixtures.shape[1], states))
    for g in range(global_states):
        mixed[:] = 0.0
        for row in range(mixtures.shape[1]):
            for target in range(global_states):
                share = discount * mixtures[g, row, target]
                for i in range(states):
                    mixed[row, i] += share * value[target, order[i]]
        for c in range(states):
            total = 0.0
            source = mixed[rows[g, c], first[g, c] :]
            for i in range(min(length, len(source))):
                total += laws[g, c, i] * source[i]
            out[g, c] = value[g, c] - total


@_reassociated
def _dot(x: Floats, y: Floats) -> float:
    total = 0.0
    for i in range(len(x)):
        total += x[i] * y[i]
    return total


@_reassociated
def _subtract(x: Floats, share: float, y: Floats) -> None:
    for i in range(len(x)):
        x[i] -= share * y[i]


@_reassociated
def _solution(
    laws: Floats, first: Integers, order: Integers, mixtures: Floats, rows: Integers, reward: Floats, discount: float, start: Floats
) -> Floats:
    """GMRES (Saad and Schultz 1986) with Givens rotations; begun again from what it found until the residual no longer halves."""
    shape = reward.shape
    basis = np.empty((_DIRECTIONS + 1, reward.size))
    triangle = np.zeros((_DIRECTIONS + 1, _DIRECTIONS))
    cosine, sine = np.empty(_DIRECTIONS), np.empty(_DIRECTIONS)
    right = np.empty(_DIRECTIONS + 1)
    value, refined = start.copy(), start.copy()
    residual = np.empty(shape)
    _moved(laws, first, order, mixtures, rows, discount, value, residual)
    residual[:] = reward - residual
    while True:
        size = np.abs(residual).max()
        # What rounding leaves of a residual: less is not to be had.
        floor = 2.0**-52 * (np.abs(value).max() + np.abs(reward).max())
        if size <= floor:
            return value
        right[0] = sqrt(_dot(residual.ravel(), residual.ravel()))
        basis[0] = residual.ravel() / right[0]
        steps = 0
        while steps < _DIRECTIONS and abs(right[steps]) > floor:
            k = steps
            new = basis[k + 1]
            _moved(laws, first, order, mixtures, rows, discount, basis[k].reshape(shape), new.reshape(shape))
            whole = sqrt(_dot(new, new))
            for i in range(k + 1):
                triangle[i, k] = _dot(basis[i], new)
                _subtract(new, triangle[i, k], basis[i])
            length = sqrt(_dot(new, new))
            # Of a vector that lies in the span of the others only rounding is left.
            length = length if length > 2.0**-45 * whole else 0.0
            for i in range(k):
                upper, lower = triangle[i, k], triangle[i + 1, k]
                triangle[i, k] = cosine[i] * upper + sine[i] * lower
                triangle[i + 1, k] = cosine[i] * lower - sine[i] * upper
            radius = sqrt(triangle[k, k] ** 2 + length**2)
            if radius == 0.0:
                break
            cosine[k], sine[k] = triangle[k, k] / radius, length / radius
            triangle[k, k] = radius
            right[k], right[k + 1] = cosine[k] * right[k], -sine[k] * right[k]
            steps += 1
            if length == 0.0:
                break
            new /= length
        refined[:] = value
        for k in range(steps - 1, -1, -1):
            for i in range(k + 1, steps):
                right[k] -= triangle[k, i] * right[i]
            right[k] /= triangle[k, k]
            _subtract(refined.ravel(), -right[k], basis[k])
        _moved(laws, first, order, mixtures, rows, discount, refined, residual)
        residual[:] = reward - residual
        left = np.abs(residual).max()
        if not left <= size / 2:
            return refined if left < size else value
        value[:] = refined
