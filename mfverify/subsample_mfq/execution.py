"""Algorithm 2 of SUBSAMPLE-MFQ: n agents act on samples of k, and the exact value of that.

At every step of the *independent* variant (the paper's):

1. the global agent draws a uniform k-subset of the n local agents and plays the global part of ``pi-hat(s_g, s_Delta)``;
2. each local agent draws its own uniform (k-1)-subset of the others and plays its own part of
   ``pi-hat(s_g, s_i, s_Delta_i)``.

Given the state all draws are independent, so the joint action is a product of marginals (eq. 11-12), each a sum of
hypergeometric probabilities over the samples that lead to an action: integers over ``C(n, k)`` and ``C(n-1, k-1)``.

In the *shared* variant (ours, claim R4) one k-subset is drawn for everybody; its members play their own part of one
maximising joint action, and an agent outside copies a uniformly random member in the same state (in an absent state it
plays action 0). Given the sample all agents are independent, so the chain is a hypergeometric mixture.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from math import comb, lcm
from typing import TYPE_CHECKING

import flint
import numpy as np

from mfverify import counts
from mfverify.bellman import sweeps
from mfverify.enclosure import UNDERFLOW, UNIT_ROUNDOFF, Enclosure
from mfverify.errors import ModelError, TooLargeError, UndecidedTieError
from mfverify.exact.policy_value import JointChain, PolicyChain, compact
from mfverify.exact.rational import fraction, solve_chain
from mfverify.subsample_mfq.learning import UNDECIDED_ACTION, Learned
from mfverify.validation import chosen, positive_integer

if TYPE_CHECKING:
    from mfverify.exact.rational import JointAction, State
    from mfverify.model import Model
    from mfverify.notation import Exact, Integers

_MOST_NUMBERS = 10**9
_MOST_EXACT_STATES = 400


class Sampling(Enum):
    """How the agents draw; the value is the word that users type."""

    INDEPENDENT = "independent"
    SHARED = "shared"


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

    Returns an :class:`Enclosure` with axes ``[g, rank in count_vectors(n, |S_l|)]``. Raises :class:`ModelError` when
    k > n or the policy was learned on another model, :class:`UndecidedTieError` when a needed greedy action is undecided.
    Cost: ``C(n+S-1, S-1)`` sums over ``C(k+S-2, S-1)`` samples in integers, then rows of n agents each, then one linear solve.
    Source: Algorithm 2.
    """
    n = positive_integer("agents", n)
    _check(model, n, learned)
    if chosen("sampling", sampling, Sampling) is Sampling.SHARED:
        return shared_chain(model, n, learned).enclose(width)
    return independent_chain(model, n, learned).enclose(width)


def _check(model: Model, n: int, learned: Learned) -> None:
    if learned.model != model:
        raise ModelError(
            f"learned: the policy was learned on the model {learned.model.name!r}, which differs from {model.name!r}; learn it on this model"
        )
    if learned.k > n:
        raise ModelError(f"subsample: found {learned.k}, expected at most agents = {n}")


def policy_marginals(learned: Learned, n: int) -> Marginals:
    """The exact marginals of ``pi_k`` (eq. 11-12), by summing the hypergeometric numerators of the samples that lead to an action."""
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
        weights = _numerators(population, samples)
        for g in range(global_states):
            of_global[g, c] = _shares(weights, global_table[g], global_actions, (g, population))
        for s in range(size):
            if population[s] == 0:
                continue
            rest = (*population[:s], population[s] - 1, *population[s + 1 :])
            weights = _numerators(rest, others)
            for g in range(global_states):
                of_local[g, c, s] = _shares(weights, local_table[g, position[s], s], local_actions, (g, population))
    return Marginals(of_global, of_local, comb(n, k), comb(n - 1, k - 1))


def _numerators(population: tuple[int, ...], samples: Integers) -> Exact:
    """``prod_s C(population_s, sample_s)`` for every sample, Python integers; 0 where the sample does not fit."""
    out: Exact = np.ones(len(samples), dtype=object)
    for s, size in enumerate(population):
        top = int(samples[:, s].max(initial=0))
        column = np.zeros(top + 1, dtype=object)
        value = 1
        for j in range(min(top, size) + 1):
            column[j] = value
            value = value * (size - j) // (j + 1)
        out = out * column[samples[:, s]]
    return out


def _shares(weights: Exact, table: Integers, actions: int, state: object) -> Exact:
    """Numerators grouped by the action that each sample leads to."""
    possible = weights.astype(bool)
    if (table[possible] == UNDECIDED_ACTION).any():
        raise UndecidedTieError(
            f"state {state}: a sample leads to a tie that exact arithmetic cannot decide at this size; use a smaller subsample"
        )
    return np.array([int(weights[possible & (table == a)].sum()) for a in range(actions)], dtype=object)


@dataclass(frozen=True)
class _Scaled:
    """An array of rationals as integers over one common denominator, so that sums of products stay integers."""

    numerators: Exact
    denominator: int

    @classmethod
    def of(cls, array: Exact) -> _Scaled:
        common = lcm(*(x.denominator for x in array.ravel()))
        return cls(np.array([int(x * common) for x in array.ravel()], dtype=object).reshape(array.shape), common)


def independent_chain(model: Model, n: int, learned: Learned) -> PolicyChain:
    """The Markov chain of ``pi_k`` under independent draws, its marginals rounded once from exact rationals."""
    global_states, _, size, _ = model.sizes
    states = counts.number_of_count_vectors(n, size)
    if global_states * states * states > _MOST_NUMBERS:
        raise TooLargeError(f"{n} agents need {global_states * states**2:.3g} transition probabilities; use fewer agents or local states")
    marginals = policy_marginals(learned, n)
    vectors = counts.count_vectors(n, size)
    order, up, levels = sweeps.graded_order(n, size), sweeps.successor_table(n, size), sweeps.level_sizes(n, size)
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
        law = np.empty((states, states))
        law[:, order] = sweeps.next_count_laws(vectors, moves, up, levels)
        local_law.append(compact(law))
    # One correctly rounded weight, product and |S_l|-1 additions per agent; one rounding of the global law.
    return PolicyChain(reward, model.discount, (size + 1) * n + 1, model.rt, UNIT_ROUNDOFF * model.rt + UNDERFLOW, global_law, local_law)


def joint_action(learned: Learned, g: int, sample: tuple[int, ...]) -> JointAction:
    """The joint action that a shared sample plays: the lexicographically smallest maximiser (a_g, action counts over Z_l).

    Only maximisers listed in ``learned.choices`` count: there, of the actions of a local state with one kernel and one
    reward only the smallest is played.
    """
    actions = learned.choices[g, sample].actions
    if actions is None:
        raise UndecidedTieError(f"sample {(g, sample)}: the tie between joint actions is undecided at this size; use a smaller subsample")
    return min(actions)


def copied_mixture(action_counts: tuple[int, ...], sample: tuple[int, ...], s: int, local_actions: int) -> Exact:
    """What an agent in state ``s`` outside a shared sample plays: the action of a uniformly random member in ``s``, or action 0."""
    if sample[s] == 0:
        return np.array([Fraction(int(a == 0)) for a in range(local_actions)], dtype=object)
    return np.array([Fraction(action_counts[s * local_actions + a], sample[s]) for a in range(local_actions)], dtype=object)


@dataclass(frozen=True)
class _SharedPlay:
    """What a shared sample makes everybody do, whatever the population: the groups are, per local state, the members by their
    action and then the outsiders who copy."""

    global_action: int
    multiplicity: list[int]
    moves: list[list[float]]
    global_reward: Fraction
    member_reward: Fraction
    outside_reward: list[Fraction]


def _shared_play(learned: Learned, g: int, sample: tuple[int, ...]) -> _SharedPlay:
    """The play of one sample; group sizes of outsiders are left 0, since they depend on the population."""
    model = learned.model
    _, _, size, local_actions = model.sizes
    b, d = joint_action(learned, g, sample)
    multiplicity: list[int] = []
    moves: list[list[float]] = []
    member_reward = Fraction(0)
    outside_reward: list[Fraction] = []
    for s in range(size):
        for a in range(local_actions):
            number = d[s * local_actions + a]
            multiplicity.append(number)
            moves.append([float(p) for p in model.local_kernel[s, g, a]])
            member_reward += number * model.local_reward[s, g, a]
        mixture = copied_mixture(d, sample, s, local_actions)
        multiplicity.append(0)
        moves.append([float(p) for p in mixture @ model.local_kernel[s, g]])
        outside_reward.append(mixture @ model.local_reward[s, g])
    return _SharedPlay(b, multiplicity, moves, model.global_reward[g, b], member_reward, outside_reward)


def shared_chain(model: Model, n: int, learned: Learned) -> JointChain:
    """The Markov chain of the shared draw with copying: for every state a hypergeometric mixture over the samples.

    Cost: one row of n agents for every (state, sample) pair; meant for n up to about 100 with two local states.
    """
    global_states, _, size, local_actions = model.sizes
    vectors = counts.count_vectors(n, size)
    states = len(vectors)
    if global_states**2 * states**2 > _MOST_NUMBERS:
        raise TooLargeError(
            f"{n} agents need {global_states**2 * states**2:.3g} transition probabilities; use fewer agents or local states"
        )
    order, up, levels = sweeps.graded_order(n, size), sweeps.successor_table(n, size), sweeps.level_sizes(n, size)
    law = np.zeros((global_states, states, global_states, states))
    reward = np.empty((global_states, states))
    most_samples = 0
    for g in range(global_states):
        plays = [_shared_play(learned, g, tuple(int(x) for x in row)) for row in counts.count_vectors(learned.k, size)]
        members = np.array([play.multiplicity for play in plays], dtype=np.int64)
        moves = np.array([play.moves for play in plays])
        for c, row in enumerate(vectors):
            population = tuple(int(x) for x in row)
            samples = counts.subsample_law(population, learned.k)
            position = counts.rank(np.array([sample for sample, _ in samples], dtype=np.int64))
            most_samples = max(most_samples, len(samples))
            multiplicity = members[position]
            multiplicity[:, local_actions :: local_actions + 1] = row - np.array([sample for sample, _ in samples])
            exact = Fraction(0)
            for (sample, probability), i in zip(samples, position, strict=True):
                outside = sum(((x - y) * r for x, y, r in zip(population, sample, plays[i].outside_reward, strict=True)), Fraction(0))
                exact += probability * (plays[i].global_reward + (plays[i].member_reward + outside) / n)
            rows = np.empty((len(samples), states))
            rows[:, order] = sweeps.next_count_laws(multiplicity, moves[position], up, levels)
            for h in range(global_states):
                weights = np.array(
                    [float(p * model.global_kernel[g, plays[i].global_action, h]) for (_, p), i in zip(samples, position, strict=True)]
                )
                law[g, c, h] = weights @ rows
            reward[g, c] = float(exact)
    # As for independent draws, then a rounded weight, a product and an addition per sample.
    roundings = (size + 1) * n + 2 + most_samples
    flat = law.reshape(global_states * states, global_states * states)
    return JointChain(reward, model.discount, roundings, model.rt, UNIT_ROUNDOFF * model.rt + UNDERFLOW, flat)


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
