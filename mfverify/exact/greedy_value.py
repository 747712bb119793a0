"""The value of a deterministic policy to about double precision: what policy iteration improves on. Nothing here is certified.

Only the final application of the Bellman operator is certified, so the transition rows may be truncated and the linear
system solved by any means. With two local states the next count is a sum of binomials, one per kernel: a row is kept where
it is not negligible, in a band of about ``9 sqrt(n)`` numbers. With more local states rows are whole. Small systems are
solved directly, large ones by GMRES from the current value.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, comb, sqrt
from typing import TYPE_CHECKING, Final

import numba
import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from mfverify.bellman import sweeps

if TYPE_CHECKING:
    from mfverify.bellman.lumped import LumpedOperator, Policy
    from mfverify.notation import Floats, Integers

_MOST_CHAIN_NUMBERS = 10**8
"""A policy whose transition rows need more doubles than this is not evaluated (0.8 GB)."""

_MOST_DIRECT_STATES: Final = 64
"""Linear systems up to this size are solved directly; from there on the threads of LAPACK cost more than GMRES does."""

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
    """Whether a policy is evaluated at all: its rows fit, and cost no more than some tens of sweeps."""
    return row_numbers(operator) <= _MOST_CHAIN_NUMBERS and evaluation_work(operator) <= 10**8 + 20 * operator.work


def _row_length(operator: LumpedOperator) -> int:
    n = operator.n
    if operator.model.sizes[2] != 2:
        return operator.shape[1]
    # Hoeffding: beyond 4.6 sqrt(n) from the mean there is less than 1e-18.
    return min(n + 1, ceil(9.2 * sqrt(n)) + 60)


@dataclass(frozen=True, eq=False)
class GreedyChain:
    """The Markov chain of a deterministic policy.

    ``reward[g, c]``; ``global_rows[g][c]``: which of the distinct rows ``mixtures[g]`` of ``P_g`` is played; the next counts have
    the law ``laws[g, c, :]`` from the rank ``first[g, c]`` on.
    """

    reward: Floats
    discount: float
    mixtures: list[Floats]
    global_rows: list[Integers]
    laws: Floats
    first: Integers

    def expect(self, value: Floats) -> Floats:
        """``P V``. Cost: the numbers in the rows."""
        expected = np.empty_like(value)
        for g, rows in enumerate(self.mixtures):
            _banded_product(self.laws[g], self.first[g], rows @ value, self.global_rows[g], expected[g])
        return expected

    def matrix(self) -> Floats:
        """``I - gamma P`` over flat states."""
        global_states, states = self.reward.shape
        out = np.zeros((global_states, states, global_states, states))
        columns = np.arange(self.laws.shape[2])
        for g in range(global_states):
            law = np.zeros((states, states + len(columns)))
            np.put_along_axis(law, self.first[g][:, None] + columns, self.laws[g], axis=1)
            mixture = self.mixtures[g][self.global_rows[g]]
            out[g] = -self.discount * mixture[:, :, None] * law[:, None, :states]
        flat = out.reshape(self.reward.size, self.reward.size)
        flat[np.diag_indices_from(flat)] += 1.0
        return flat

    def solve(self, start: Floats) -> Floats:
        """A solution of ``V = reward + gamma P V``; ``start`` is where GMRES begins."""
        shape = self.reward.shape
        if self.reward.size <= _MOST_DIRECT_STATES:
            return np.asarray(np.linalg.solve(self.matrix(), self.reward.ravel()), dtype=np.float64).reshape(shape)

        def apply_matrix(flat: Floats) -> Floats:
            moved: Floats = flat.ravel() - self.discount * self.expect(flat.reshape(shape)).ravel()
            return moved

        system = LinearOperator((self.reward.size, self.reward.size), matvec=apply_matrix, dtype=np.float64)
        value = start
        residual = self.reward.ravel() - apply_matrix(value)
        while True:
            size = float(np.abs(residual).max())
            if size == 0.0:
                return value
            step, _ = gmres(system, residual, rtol=1e-6, restart=30, maxiter=4)
            refined = value + step.reshape(shape)
            residual = self.reward.ravel() - apply_matrix(refined)
            left = float(np.abs(residual).max())
            if not left <= size / 2:
                return refined if left < size else value
            value = refined


def policy_chain(operator: LumpedOperator, policy: Policy) -> GreedyChain:
    """The Markov chain of a deterministic policy given as in :meth:`LumpedOperator.apply`."""
    model, n, space = operator.model, operator.n, operator.space
    global_states, states = operator.shape
    length = _row_length(operator)
    laws = np.zeros((global_states, states, length))
    first = np.zeros((global_states, states), dtype=np.int64)
    reward = np.empty((global_states, states))
    mixtures, global_rows = [], []
    for g, (global_action, action_counts) in enumerate(policy):
        choices = operator.choices[g]
        multiplicity = operator.kernel_counts(g, action_counts)
        kernels = np.array([[float(p) for p in row] for row in choices.kernels])
        if space.size == 2:
            # The lexicographic rank of two local states is the number of agents in local state 0.
            sweeps.for_work(states * length * len(kernels), _TWO_STATE_LAWS)(multiplicity, kernels[:, 0].copy(), laws[g], first[g])
        else:
            per_state = np.ascontiguousarray(np.broadcast_to(kernels, (states, *kernels.shape)))
            laws[g][:, space.order] = sweeps.next_count_laws(multiplicity, per_state, space.up, space.level_sizes)
        mixtures.append(np.array([[float(p) for p in row] for row in choices.global_rows]))
        global_rows.append(np.array(choices.global_row, dtype=np.int64)[global_action])
        local = action_counts @ np.array([float(r / n) for r in choices.reward])
        reward[g] = np.array([float(r) for r in model.global_reward[g]])[global_action] + local
    return GreedyChain(reward, float(model.discount), mixtures, global_rows, laws, first)


@numba.njit(cache=True)
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


_TWO_STATE_LAWS: Final = (numba.njit(cache=True)(_two_state_laws), numba.njit(cache=True, parallel=True)(_two_state_laws))


@numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _banded_product(laws: Floats, first: Integers, mixed: Floats, rows: Integers, out: Floats) -> None:
    """``out[c] = sum_i laws[c, i] mixed[rows[c], first[c] + i]``."""
    states, length = laws.shape
    for c in range(states):
        total = 0.0
        source = mixed[rows[c], first[c] :]
        for i in range(min(length, len(source))):
            total += laws[c, i] * source[i]
        out[c] = total
