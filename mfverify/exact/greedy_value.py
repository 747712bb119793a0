"""The transition rows of a deterministic policy to about double precision, for policy iteration. Nothing here is certified.

Only applications of the Bellman operator are certified (``fixed_point.py``), so the rows may be truncated and the linear system
solved by any means. With two local states the next count is a sum of binomials, one per kernel: a row is kept where
it is not negligible, in a band of about ``9 sqrt(n)`` numbers. With more local states rows are whole.
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

    ``global_rows[g, c]``: which of the distinct rows ``mixtures[g, row, g']`` of ``P_g`` is played; the next counts have
    the law ``laws[g, c, :]`` from the place ``first[g, c]`` on; at place ``i`` of a law stands the count vector of rank ``order[i]``.
    """

    discount: float
    mixtures: Floats
    global_rows: Integers
    laws: Floats
    first: Integers
    order: Integers

    def moved(self, value: Floats) -> Floats:
        """``V - gamma P V``, for ``fixed_point.correction``. Cost: the numbers in the rows."""
        out = np.empty_like(value)
        _moved(self.laws, self.first, self.order, self.mixtures, self.global_rows, self.discount, value, out)
        return out


def policy_chain(operator: LumpedOperator, policy: Policy) -> GreedyChain:
    """The Markov chain of a deterministic policy given as in :meth:`LumpedOperator.sweep`."""
    model, space = operator.model, operator.space
    global_states, states = operator.shape
    length = _row_length(operator)
    laws = np.zeros((global_states, states, length)) if space.size == 2 else np.empty((global_states, states, length))
    first = np.zeros((global_states, states), dtype=np.int64)
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
    order = np.arange(states) if space.size == 2 else space.order
    return GreedyChain(float(model.discount), mixtures, global_rows, laws, first, order)


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
