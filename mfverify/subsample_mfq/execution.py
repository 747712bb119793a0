"""Algorithm 2 of SUBSAMPLE-MFQ: n agents act on samples of k, and the exact value of that.

At every step of the *independent* variant (the paper's):

1. the global agent draws a uniform k-subset of the n local agents and plays the global part of ``pi-hat(s_g, s_Delta)``;
2. each local agent draws its own uniform (k-1)-subset of the others and plays its own part of
   ``pi-hat(s_g, s_i, s_Delta_i)``.

Given the state all draws are independent, so the joint action is a product of marginals (eq. 11-12), each a sum of
hypergeometric probabilities over the samples that lead to an action: integers over ``C(n, k)`` and ``C(n-1, k-1)``. With two
local states they are known to four roundings at any size (``draw_laws.py``), and so are the rows of the chain
(``binomial_rows.py``).

:class:`Sampling` lists the other ways of drawing (ours): with replacement, and several in which all agents share the draw
(``plays.py``), where the chain is a mixture over draws (``mixture_chain.py``), or draw only once (``fixed_subset.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from math import comb, factorial, lcm
from typing import TYPE_CHECKING, Final

import flint
import numpy as np

from mfverify import costs, counts
from mfverify.bellman import sweeps
from mfverify.enclosure import UNDERFLOW, UNIT_ROUNDOFF, Enclosure, rounding_error
from mfverify.errors import ModelError, TooLargeError, UndecidedTieError
from mfverify.exact.rational import fraction, solve_chain
from mfverify.subsample_mfq import binomial_rows, draw_laws
from mfverify.subsample_mfq.fixed_subset import fixed_subset_value
from mfverify.subsample_mfq.learning import UNDECIDED_ACTION, Learned
from mfverify.subsample_mfq.mixture_chain import MOST_NUMBERS, SharedDraw, mixture_chain
from mfverify.subsample_mfq.plays import copying_plays, list_plays, list_weights, stratified_weights, subset_weights
from mfverify.subsample_mfq.truncated_chain import ProductRows, TruncatedChain, dropped, longest_row, sparse_rows
from mfverify.validation import chosen, positive_integer

if TYPE_CHECKING:
    from mfverify.exact.rational import State
    from mfverify.model import Model
    from mfverify.notation import Exact, Floats, Integers

_BLOCK_NUMBERS = 4 * 10**6
_MOST_EXACT_STATES = 400


class Sampling(Enum):
    """How the agents draw; the value is the word that users type."""

    INDEPENDENT = "independent"
    WITH_REPLACEMENT = "with-replacement"
    SHARED = "shared"
    SHARED_LIST = "shared-list"
    STRATIFIED = "stratified"
    FIXED = "fixed"


_SHARED_DRAWS: Final = {
    Sampling.SHARED: SharedDraw(copying_plays, subset_weights),
    Sampling.SHARED_LIST: SharedDraw(list_plays, list_weights),
    Sampling.STRATIFIED: SharedDraw(copying_plays, stratified_weights),
}


@dataclass(frozen=True, eq=False)
class Marginals:
    """The marginals of ``pi_k`` in the n-agent system, exact (eq. 11-12), as integers over ``C(n, k)`` and ``C(n-1, k-1)``.

    ``global_numerator[g, c, b]`` and ``local_numerator[g, c, s, a]``; rows of local states without agents are 0.
    """

    global_numerator: Exact
    local_numerator: Exact
    global_denominator: int
    local_denominator: int

    @property
    def global_action(self) -> Exact:
        """Probabilities ``[g, c, b]`` of the global action, Fractions."""
        return _over(self.global_numerator, self.global_denominator)

    @property
    def local_action(self) -> Exact:
        """Probabilities ``[g, c, s, a]`` of a local agent's action in local state ``s``, Fractions."""
        return _over(self.local_numerator, self.local_denominator)


def _over(numerators: Exact, denominator: int) -> Exact:
    out = np.array([Fraction(int(x), denominator) for x in numerators.ravel()], dtype=object)
    return out.reshape(numerators.shape)


def execution_value(
    model: Model, n: int, learned: Learned, sampling: str | Sampling = Sampling.INDEPENDENT, width: float = 1e-9
) -> Enclosure:
    """Enclose the value of the executed policy ``pi_k`` in the n-agent system.

    ``sampling`` says how the agents draw (:class:`Sampling`). Returns an :class:`Enclosure` with axes
    ``[g, rank in count_vectors(n, |S_l|)]``. Raises :class:`ModelError` when k > n or the policy was learned on another model,
    :class:`UndecidedTieError` when a needed greedy action is undecided, :class:`TooLargeError` before work that does not fit.
    Cost with two local states: about ``n`` operations and at most ``20 sqrt(n)`` numbers per state; otherwise
    ``C(n+S-1, S-1)`` sums over ``C(k+S-2, S-1)`` samples in integers, then rows of n agents each. Then one sparse linear solve.
    Rows are held, and with three local states they are nearly full up to some hundred agents: about ``n^4/4`` numbers for each global
    state, 2.4 GB for n = 140 and two of them, which is where it is refused. No law that is left out of a row brings that far down: what
    a law loses has to stay below the width over the number of states. Source: Algorithm 2.

    >>> from mfverify.models import coordination
    >>> from mfverify.subsample_mfq.learning import learn
    >>> alone, shared = (execution_value(coordination(), 4, learn(coordination(), 3), how) for how in ("independent", "shared"))
    >>> (alone - shared).max().lower < 0.3 < (shared - alone).max().lower     # agents that draw alone disagree
    True
    """
    n = positive_integer("agents", n)
    _check(model, n, learned)
    how = chosen("sampling", sampling, Sampling)
    costs.check(costs.executing(model, n, learned.k, how.value))
    if how is Sampling.FIXED:
        return fixed_subset_value(model, n, learned, width)
    return execution_chain(model, n, learned, how).enclose(width)


def execution_chain(model: Model, n: int, learned: Learned, sampling: Sampling) -> TruncatedChain:
    """The Markov chain of ``pi_k`` on (global state, count vector), for draws that are made anew at every step."""
    if sampling in _SHARED_DRAWS:
        return mixture_chain(model, n, learned, _SHARED_DRAWS[sampling])
    return two_state_chain(model, n, learned, sampling) if model.sizes[2] == 2 else independent_chain(model, n, learned, sampling)


def _check(model: Model, n: int, learned: Learned) -> None:
    if learned.model != model:
        raise ModelError(
            f"learned: the policy was learned on the model {learned.model.name!r}, which differs from {model.name!r}; learn it on this model"
        )
    if learned.k > n:
        raise ModelError(f"subsample: found {learned.k}, expected at most agents = {n}")


def policy_marginals(learned: Learned, n: int, sampling: Sampling = Sampling.INDEPENDENT) -> Marginals:
    """The exact marginals of ``pi_k`` (eq. 11-12), by summing the integer numerators of the samples that lead to an action.

    ``sampling`` is one of the two in which everybody draws alone. Cost: a sum over all samples for every count vector.
    """
    numerators, denominator = _ALONE[sampling]
    model, k = learned.model, learned.k
    global_states, global_actions, size, local_actions = model.sizes
    vectors = counts.count_vectors(n, size)
    samples = counts.count_vectors(k, size)
    others = counts.count_vectors(k - 1, size)
    position = [counts.rank(others + np.eye(size, dtype=np.int64)[s]) for s in range(size)]
    global_table, local_table = learned.global_action, learned.local_action
    of_global = np.zeros((global_states, len(vectors), global_actions), dtype=object)
    of_local = np.zeros((global_states, len(vectors), size, local_actions), dtype=object)
    for c, row in enumerate(vectors):
        population = tuple(int(x) for x in row)
        weights = numerators(population, samples)
        for g in range(global_states):
            of_global[g, c] = _shares(weights, global_table[g], global_actions, (g, population))
        for s in range(size):
            if population[s] == 0:
                continue
            rest = (*population[:s], population[s] - 1, *population[s + 1 :])
            weights = numerators(rest, others)
            for g in range(global_states):
                of_local[g, c, s] = _shares(weights, local_table[g, position[s], s], local_actions, (g, population))
    return Marginals(of_global, of_local, denominator(n, k), denominator(n - 1, k - 1))


def _subset_numerators(population: tuple[int, ...], samples: Integers) -> Exact:
    """``prod_s C(population_s, sample_s)`` for every sample, Python integers; 0 where the sample does not fit."""
    out: Exact = np.ones(len(samples), dtype=object)
    for s, size in enumerate(population):
        out = out * _binomials(size, int(samples[:, s].max(initial=0)))[samples[:, s]]
    return out


@lru_cache(maxsize=4096)
def _binomials(size: int, top: int) -> Exact:
    """``C(size, 0) .. C(size, top)``, Python integers."""
    column = np.zeros(top + 1, dtype=object)
    value = 1
    for j in range(min(top, size) + 1):
        column[j] = value
        value = value * (size - j) // (j + 1)
    return column


def _sequence_numerators(population: tuple[int, ...], samples: Integers) -> Exact:
    """``k! prod_s population_s^sample_s / sample_s!`` for every sample: how many sequences with replacement lead to it."""
    k = int(samples[0].sum())
    out: Exact = np.full(len(samples), factorial(k), dtype=object)
    for s, size in enumerate(population):
        column = np.array([size**j for j in range(k + 1)], dtype=object)
        orders = np.array([factorial(j) for j in range(k + 1)], dtype=object)
        out = out // orders[samples[:, s]] * column[samples[:, s]]
    return out


_ALONE: Final[dict[Sampling, tuple[Callable[[tuple[int, ...], Integers], Exact], Callable[[int, int], int]]]] = {
    Sampling.INDEPENDENT: (_subset_numerators, comb),
    Sampling.WITH_REPLACEMENT: (_sequence_numerators, pow),
}
"""Draws that everybody makes alone: how many lead to each sample, and how many there are of k from n."""


def _shares(weights: Exact, table: Integers, actions: int, state: object) -> Exact:
    """Numerators grouped by the action that each sample leads to."""
    possible = weights.astype(bool)
    if (table[possible] == UNDECIDED_ACTION).any():
        raise _undecided(state)
    return np.array([int(weights[possible & (table == a)].sum()) for a in range(actions)], dtype=object)


def _undecided(state: object) -> UndecidedTieError:
    return UndecidedTieError(
        f"state {state}: a sample leads to a tie that exact arithmetic cannot decide at this size; use a smaller subsample"
    )


@dataclass(frozen=True)
class _Scaled:
    """An array of rationals as integers over one common denominator, so that sums of products stay integers."""

    numerators: Exact
    denominator: int

    @classmethod
    def of(cls, array: Exact) -> _Scaled:
        common = lcm(*(x.denominator for x in array.ravel()))
        return cls(np.array([int(x * common) for x in array.ravel()], dtype=object).reshape(array.shape), common)


def two_state_chain(model: Model, n: int, learned: Learned, sampling: Sampling) -> ProductRows:
    """The chain of ``pi_k`` where everybody draws alone, for two local states: rows of two binomials, at any size.

    Cost: about n operations per state; memory ``14 sqrt(n)`` numbers per state.
    """
    global_states, global_actions, _, local_actions = model.sizes
    _refuse_beyond(n, global_states * (n + 1) * binomial_rows.width_of_row(n))
    played_global, played_local, flagged = draw_laws.marginals(
        n,
        learned.k,
        learned.global_action,
        learned.local_action,
        (global_actions, local_actions),
        UNDECIDED_ACTION,
        sampling is Sampling.WITH_REPLACEMENT,
    )
    if flagged.any():
        g, c = (int(x[0]) for x in flagged.nonzero())
        raise _undecided((g, (c, n - c)))
    vectors = counts.count_vectors(n, 2)
    global_law = np.einsum("gcb,gbh->gch", played_global, model.floats("global_kernel"))
    moves = np.einsum("gcsa,sgat->gcst", played_local, model.floats("local_kernel"))
    odds = binomial_rows.odds_of(moves[..., 0], moves[..., 1])
    earned = np.einsum("gcsa,sga->gcs", played_local, model.floats("local_reward"))
    reward = np.einsum("gcb,gb->gc", played_global, model.floats("global_reward")) + (earned * vectors).sum(axis=-1) / n
    seen = binomial_rows.RowRoundings()
    local_law = [sparse_rows(binomial_rows.independent_rows(vectors, odds[g], seen), n + 1) for g in range(global_states)]
    # An expectation over a marginal: its roundings, a rounded number, a product, the additions.
    of_global = draw_laws.ROUNDINGS + 2 + global_actions
    of_local = draw_laws.ROUNDINGS + 2 + local_actions
    # Windows of the draws change each of n + 1 marginals by at most LOST_OF_DRAW in total variation.
    draws = 2 * (n + 1) * draw_laws.LOST_OF_DRAW
    error = rounding_error(max(of_global, of_local + 4) + 1, model.rt, 8 * (global_actions + local_actions)) + draws * model.rt
    return ProductRows(
        reward,
        model.discount,
        of_global + seen.most,
        model.rt,
        error,
        max(longest_row(law) for law in local_law) + global_states,
        draws + binomial_rows.lost_by_odds(n, 2 * of_local + 1) + dropped(n + 1),
        global_law,
        local_law,
    )


def _refuse_beyond(n: int, numbers: int) -> None:
    if numbers > MOST_NUMBERS:
        raise TooLargeError(f"{n} agents need {numbers:.3g} transition probabilities; use fewer agents or local states")


def independent_chain(model: Model, n: int, learned: Learned, sampling: Sampling = Sampling.INDEPENDENT) -> ProductRows:
    """The same for any number of local states: marginals rounded once from exact rationals, rows convolved agent by agent."""
    global_states, _, size, _ = model.sizes
    states = counts.number_of_count_vectors(n, size)
    _refuse_beyond(n, global_states * states * states)
    marginals = policy_marginals(learned, n, sampling)
    vectors = counts.count_vectors(n, size)
    global_law = np.empty((global_states, states, global_states))
    local_law = []
    reward = np.empty((global_states, states))
    kernel, reward_l = _Scaled.of(model.local_kernel), _Scaled.of(model.local_reward)
    global_kernel, reward_g = _Scaled.of(model.global_kernel), _Scaled.of(model.global_reward)
    # Python divides integers with one correct rounding, whatever their length.
    over_global = marginals.global_denominator * global_kernel.denominator
    over_local = marginals.local_denominator * kernel.denominator
    for g in range(global_states):
        moves = np.zeros((states, size, size))
        for c, row in enumerate(vectors):
            played = marginals.global_numerator[g, c]
            global_law[g, c] = [x / over_global for x in played @ global_kernel.numerators[g]]
            exact_global = int(played @ reward_g.numerators[g])
            exact_local = 0
            for s, x in enumerate(row):
                if x:
                    mixture = marginals.local_numerator[g, c, s]
                    moves[c, s] = [p / over_local for p in mixture @ kernel.numerators[s, g]]
                    exact_local += int(x) * int(mixture @ reward_l.numerators[s, g])
            over_reward = marginals.global_denominator * reward_g.denominator, n * marginals.local_denominator * reward_l.denominator
            reward[g, c] = (exact_global * over_reward[1] + exact_local * over_reward[0]) / (over_reward[0] * over_reward[1])
        local_law.append(sparse_rows(_agent_by_agent(vectors, moves), states))
    # One correctly rounded weight, product and |S_l|-1 additions per agent; one rounding of the global law.
    roundings = (size + 1) * n + 1
    error = UNIT_ROUNDOFF * model.rt + UNDERFLOW
    terms = max(longest_row(law) for law in local_law) + global_states
    return ProductRows(reward, model.discount, roundings, model.rt, error, terms, dropped(states), global_law, local_law)


def _agent_by_agent(vectors: Integers, moves: Floats) -> Iterator[Floats]:
    """Dense blocks of rows ``[c, c']``: agents in state ``s`` of count vector ``c`` move by ``moves[c, s]``."""
    states, size = vectors.shape
    n = int(vectors[0].sum())
    order, up, levels = sweeps.graded_order(n, size), sweeps.successor_table(n, size), sweeps.level_sizes(n, size)
    height = max(1, _BLOCK_NUMBERS // states)
    for begin in range(0, states, height):
        rows = np.empty((min(height, states - begin), states))
        rows[:, order] = sweeps.next_count_laws(vectors[begin : begin + height], moves[begin : begin + height], up, levels)
        yield rows


def exact_execution_value(learned: Learned, n: int) -> Enclosure:
    """The value of ``pi_k`` under independent draws as Fractions, for small systems (claims that turn on equality).

    Rows are convolved agent by agent in rational arithmetic and the linear system is solved exactly. Raises
    :class:`TooLargeError` before any work beyond a few hundred states.
    """
    model = learned.model
    _check(model, n, learned)
    global_states, _, size, _ = model.sizes
    vectors = [tuple(int(x) for x in row) for row in counts.count_vectors(n, size)]
    if global_states * len(vectors) > _MOST_EXACT_STATES:
        raise TooLargeError(
            f"{n} agents have {global_states * len(vectors)} states, more than {_MOST_EXACT_STATES} for exact arithmetic; use execution_value"
        )
    marginals = policy_marginals(learned, n)
    of_global, of_local = marginals.global_action, marginals.local_action
    rows: dict[State, dict[State, flint.fmpq]] = {}
    rewards: dict[State, flint.fmpq] = {}
    for g in range(global_states):
        for i, c in enumerate(vectors):
            law: dict[tuple[int, ...], Fraction] = {(0,) * size: Fraction(1)}
            reward = of_global[g, i] @ model.global_reward[g]
            for s, x in enumerate(c):
                mixture = of_local[g, i, s]
                move = mixture @ model.local_kernel[s, g]
                reward += Fraction(x, n) * (mixture @ model.local_reward[s, g]) if x else 0
                for _agent in range(x):
                    law = _one_agent_more(law, move)
            next_global = of_global[g, i] @ model.global_kernel[g]
            rows[g, c] = {
                (h, d): flint.fmpq((p * q).numerator, (p * q).denominator) for h, p in enumerate(next_global) if p for d, q in law.items()
            }
            rewards[g, c] = flint.fmpq(reward.numerator, reward.denominator)
    value = solve_chain(rows, rewards, flint.fmpq(model.discount.numerator, model.discount.denominator))
    exact = np.array([[fraction(value[g, c]) for c in vectors] for g in range(global_states)], dtype=object)
    return Enclosure.of_fractions(exact)


def _one_agent_more(law: dict[tuple[int, ...], Fraction], move: Exact) -> dict[tuple[int, ...], Fraction]:
    """The law of the counts after one more independent agent has moved."""
    out: dict[tuple[int, ...], Fraction] = {}
    for c, p in law.items():
        for t, q in enumerate(move):
            if q:
                target = (*c[:t], c[t] + 1, *c[t + 1 :])
                out[target] = out.get(target, Fraction(0)) + p * q
    return out
