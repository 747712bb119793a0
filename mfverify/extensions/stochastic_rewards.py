r"""Stochastic rewards (Appendix H of the paper): each reward is drawn from its own law.

In state ``s`` under the joint action ``a`` the global agent draws ``R_g ~ law(s_g, a_g)`` and every local agent its own
``R_i ~ law(s_i, s_g, a_i)``, independently of each other and of the next state; the stage reward is
``R_g + (1/n) sum_i R_i``. The laws have finite rational support.

- What cannot change: expectation is linear, so the expected-reward :class:`~mfverify.model.Model` has the same ``V*``,
  ``V^pi`` and ``Q*_k``. :class:`NoisySystem` does not use this. It draws every outcome, and its state remembers the outcomes
  of the last step, so that a policy may look at them.
- What does change: the learner sees samples. :class:`SampledRewardOperator` is ``T_{k,m}`` with the m rewards of a pair
  sampled too, so its fixed point is off by more than with expected rewards.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import flint
import numpy as np

from mfverify.bellman.sampled import SampledOperator
from mfverify.enclosure import Interval, rounding_error
from mfverify.errors import ModelError, TooLargeError
from mfverify.exact.labelled_rational import LabelledAction, LabelledRationalSystem, LabelledState
from mfverify.exact.rational import fraction, solve_chain
from mfverify.fixed_point import enclose
from mfverify.rationals import exact, shown

if TYPE_CHECKING:
    from mfverify.exact.rational import State
    from mfverify.model import Model
    from mfverify.notation import Exact, Floats

Outcome: TypeAlias = tuple[int, ...]
"""Which outcome the global agent drew, then which outcome each local agent drew."""
Mixture: TypeAlias = Sequence[tuple[LabelledAction, Fraction]]
"""Labelled joint actions with their probabilities in one state."""

_MOST_TRANSITIONS = 10**6


@dataclass(frozen=True, eq=False)
class RewardLaw:
    """Laws of finite support: ``values[.., o]`` is drawn with probability ``probabilities[.., o]``.

    Entries may be Fractions, ints or strings such as ``"1/3"``; all are Fractions afterwards. Raises :class:`ModelError`
    for different shapes, a negative probability or a law that does not sum to one.
    """

    values: Exact
    probabilities: Exact

    def __post_init__(self) -> None:
        for name in ("values", "probabilities"):
            given = np.array(getattr(self, name), dtype=object)
            numbers = np.array([exact(x, f"reward law, {name}") for x in given.ravel()], dtype=object).reshape(given.shape)
            numbers.flags.writeable = False
            object.__setattr__(self, name, numbers)
        if self.values.shape != self.probabilities.shape or self.values.size == 0:
            shapes = f"values of shape {self.values.shape}, probabilities of shape {self.probabilities.shape}"
            raise ModelError(f"reward law: found {shapes}, expected one of each per outcome")
        for index in np.ndindex(self.probabilities.shape[:-1]):
            row = self.probabilities[index]
            if min(row) < 0 or sum(row) != 1:
                raise ModelError(f"reward law, probabilities{list(index)}: found {[shown(p) for p in row]}, expected numbers >= 0 with sum 1")

    @property
    def expectation(self) -> Exact:
        """The expected rewards, axes ``[..]``."""
        expected: Exact = (self.values * self.probabilities).sum(axis=-1)
        return expected

    @property
    def largest(self) -> Fraction:
        """The largest absolute value that is drawn with positive probability."""
        size: Fraction = max(abs(v) for v, p in zip(self.values.ravel(), self.probabilities.ravel(), strict=True) if p)
        return size


@dataclass(frozen=True, eq=False)
class StochasticRewards:
    """A model with reward laws: ``of_global[g, b, outcome]`` and ``of_local[s, g, a, outcome]``.

    ``dynamics`` gives kernels, discount and name; the rewards in it are replaced by the laws.
    """

    dynamics: Model
    of_global: RewardLaw
    of_local: RewardLaw

    def __post_init__(self) -> None:
        fixed = self.dynamics
        for name, law, rewards in (("of_global", self.of_global, fixed.global_reward), ("of_local", self.of_local, fixed.local_reward)):
            if law.values.shape[:-1] != rewards.shape:
                raise ModelError(f"{name}: found laws of shape {law.values.shape[:-1]}, expected {rewards.shape} as in the model")

    def expected_model(self) -> Model:
        """The model whose rewards are the expected ones."""
        return replace(self.dynamics, global_reward=self.of_global.expectation, local_reward=self.of_local.expectation)

    @property
    def rt(self) -> Fraction:
        """A bound of the stage reward that holds almost surely: Assumption 2.2 for the support of the laws."""
        return self.of_global.largest + self.of_local.largest


def with_noise(model: Model, seed: int) -> StochasticRewards:
    """Two-point reward laws, seeded, whose expectations are exactly the model's rewards.

    Each reward ``r`` becomes ``r + h (1 - p)`` with probability ``p`` and ``r - h p`` otherwise, ``p`` in {1/4, 3/4} and
    ``h`` in {1/8, .., 1}: never symmetric, so that the mean of the support is not the expectation.
    """
    rng = random.Random(f"reward noise {seed}")

    def laws(rewards: Exact) -> RewardLaw:
        values, probabilities = [], []
        for r in rewards.ravel():
            p, h = Fraction(rng.choice((1, 3)), 4), Fraction(rng.randint(1, 8), 8)
            values.append([r + h * (1 - p), r - h * p])
            probabilities.append([p, 1 - p])
        shape = (*rewards.shape, 2)
        return RewardLaw(np.array(values, dtype=object).reshape(shape), np.array(probabilities, dtype=object).reshape(shape))

    return StochasticRewards(model, laws(model.global_reward), laws(model.local_reward))


class NoisySystem:
    """The labelled n-agent system in which reward outcomes are drawn, in exact arithmetic.

    A state is ``(g, (s_1, .., s_n, o_g, o_1, .., o_n))``: the labelled state and the outcomes of the last step. Its operator
    is ``(T V)(s, o) = max_a sum_o' P(o'|s, a) [ r(o'|s, a) + gamma sum_s' P(s'|s, a) V(s', o') ]``. Meant for n up to 2.
    """

    def __init__(self, rewards: StochasticRewards, n: int) -> None:
        self.rewards, self.n = rewards, n
        self.labelled = LabelledRationalSystem(rewards.dynamics, n)
        drawn = [rewards.of_global.values.shape[-1], *(rewards.of_local.values.shape[-1],) * n]
        self.outcomes: list[Outcome] = list(product(*(range(x) for x in drawn)))
        transitions = (len(self.labelled.states) * len(self.outcomes)) ** 2 * len(self.labelled.actions)
        if transitions > _MOST_TRANSITIONS:
            most = f"{_MOST_TRANSITIONS:.0e}"
            raise TooLargeError(
                f"{n} agents with reward outcomes have {transitions:.3g} transitions, more than {most}; use fewer agents or outcomes"
            )
        self.states: list[State] = [(g, s + o) for g, s in self.labelled.states for o in self.outcomes]
        self._discount = _fmpq(rewards.dynamics.discount)

    def forget(self, state: State) -> LabelledState:
        """The labelled state without the remembered outcomes."""
        return state[0], state[1][: self.n]

    def draws(self, state: LabelledState, action: LabelledAction) -> list[tuple[Outcome, Fraction, Fraction]]:
        """Every outcome with its probability and its stage reward ``R_g + (1/n) sum_i R_i``."""
        (g, s), (b, a) = state, action
        of_global, of_local = self.rewards.of_global, self.rewards.of_local
        out = []
        for outcome in self.outcomes:
            first, *others = outcome
            places = [(si, g, ai, o) for si, ai, o in zip(s, a, others, strict=True)]
            probability = of_global.probabilities[g, b, first]
            for place in places:
                probability = probability * of_local.probabilities[place]
            if probability:
                reward = of_global.values[g, b, first] + sum((of_local.values[place] for place in places), Fraction(0)) / self.n
                out.append((outcome, probability, reward))
        return out

    def row(self, state: State, mixture: Mixture) -> tuple[flint.fmpq, dict[State, flint.fmpq]]:
        """Expected reward and law of the next state, summed over actions, outcomes and moves."""
        here = self.forget(state)
        reward = flint.fmpq(0)
        law: dict[State, flint.fmpq] = {}
        for action, weight in mixture:
            for outcome, probability, r in self.draws(here, action):
                both = _fmpq(weight * probability)
                reward += both * _fmpq(r)
                for (h, t), p in self.labelled.law(here, action):
                    target = (h, t + outcome)
                    law[target] = law.get(target, flint.fmpq(0)) + both * _fmpq(p)
        return reward, law

    def policy_value(self, policy: Mapping[State, Mixture]) -> dict[State, Fraction]:
        """The exact value of a policy that may depend on the remembered outcomes."""
        rows = {state: self.row(state, mixture) for state, mixture in policy.items()}
        value = solve_chain({state: law for state, (_, law) in rows.items()}, {state: r for state, (r, _) in rows.items()}, self._discount)
        return {state: fraction(v) for state, v in value.items()}

    @cached_property
    def _decisions(self) -> dict[State, dict[LabelledAction, tuple[flint.fmpq, dict[State, flint.fmpq]]]]:
        return {state: {action: self.row(state, [(action, Fraction(1))]) for action in self.labelled.actions} for state in self.states}

    def _scores(self, state: State, value: Mapping[State, flint.fmpq]) -> dict[LabelledAction, flint.fmpq]:
        return {
            action: reward + self._discount * sum((p * value[target] for target, p in law.items()), flint.fmpq(0))
            for action, (reward, law) in self._decisions[state].items()
        }

    @cached_property
    def optimum(self) -> dict[State, Fraction]:
        """``V*`` of every state, exactly, by policy iteration over policies that see the outcomes."""
        policy = {state: max(rows, key=lambda action: rows[action][0]) for state, rows in self._decisions.items()}
        while True:
            value = solve_chain(
                {state: self._decisions[state][action][1] for state, action in policy.items()},
                {state: self._decisions[state][action][0] for state, action in policy.items()},
                self._discount,
            )
            better = {}
            for state in self.states:
                scores = self._scores(state, value)
                best = max(scores, key=lambda action: scores[action])
                if scores[best] > value[state]:
                    better[state] = best
            if not better:
                return {state: fraction(v) for state, v in value.items()}
            policy |= better


def policy_value(system: LabelledRationalSystem, policy: Mapping[LabelledState, Mixture]) -> dict[LabelledState, Fraction]:
    """The exact value of a stochastic policy in a labelled system with fixed rewards, to compare with."""
    rows: dict[State, dict[State, flint.fmpq]] = {}
    rewards: dict[State, flint.fmpq] = {}
    for state, mixture in policy.items():
        rewards[state] = sum((_fmpq(weight * system.reward(state, action)) for action, weight in mixture), flint.fmpq(0))
        rows[state] = {}
        for action, weight in mixture:
            for target, p in system.law(state, action):
                rows[state][target] = rows[state].get(target, flint.fmpq(0)) + _fmpq(weight * p)
    value = solve_chain(rows, rewards, _fmpq(system.model.discount))
    return {state: fraction(v) for state, v in value.items()}


class SampledRewardOperator(SampledOperator):
    """``T_{k,m}`` with sampled rewards: the reward of a pair is the mean of m draws of ``R_g + (1/k) sum_i R_i``.

    Rewards are exact rationals once drawn; the rest is as in :class:`SampledOperator`.
    """

    def __init__(self, rewards: StochasticRewards, k: int, samples: int, rng: np.random.Generator) -> None:
        super().__init__(rewards.expected_model(), k, samples, rng)
        self._support = rewards.rt
        local_actions = self.model.sizes[3]
        drawn: list[Fraction] = []
        for (g, _), actions in zip(self.states, self.actions, strict=True):
            for b, d in actions:
                total = k * _total(rewards.of_global, (g, b), samples, rng)
                for z, x in enumerate(d):
                    if x:
                        s, a = divmod(z, local_actions)
                        total += _total(rewards.of_local, (s, g, a), samples * x, rng)
                drawn.append(total / (k * samples))
        self.rewards = drawn
        self.rounded_rewards = np.array([float(r) for r in drawn])

    def error(self, value: Floats) -> Fraction:
        """As for the operator with expected rewards, with the bound of the support in place of ``rt``."""
        roundings = self.samples + 1 + 2 + 2
        magnitude = self._support + self.model.discount * Fraction(float(np.abs(value).max()))
        return rounding_error(roundings, magnitude, roundings)


def _total(law: RewardLaw, place: tuple[int, ...], draws: int, rng: np.random.Generator) -> Fraction:
    """The exact sum of independent draws from one law."""
    probabilities = np.array([float(p) for p in law.probabilities[place]])
    times = rng.multinomial(draws, probabilities / probabilities.sum())
    return sum((int(x) * v for x, v in zip(times, law.values[place], strict=True)), Fraction(0))


def distance_to(operator: SampledOperator, exact: Sequence[Fraction]) -> Interval:
    """Enclose ``||Q^est - Q||_inf`` for exact action values ``Q``, one per pair in the order of ``operator.actions``."""
    value = enclose(operator, 1e-9)
    midpoint = value.midpoint
    estimate = operator.action_values(midpoint)
    largest = max(abs(Fraction(float(q)) - x) for q, x in zip(estimate, exact, strict=True))
    error = operator.error(midpoint) + operator.model.discount * Fraction(float(value.width.max()))
    return Interval(max(Fraction(0), largest - error), largest + error)


def _fmpq(x: Fraction) -> flint.fmpq:
    return flint.fmpq(x.numerator, x.denominator)
