"""Kakade and Langford 2002, Appendix G: the performance difference lemma. Claim P1.

An identity; the sides are the largest difference, an exact rational, and 0.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import flint

from mfverify import models
from mfverify.enclosure import Interval
from mfverify.exact.rational import JointAction, RationalSystem, State, fraction
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.exact_gaps import small_enough
from mfverify.papers.quantities import rational_system
from mfverify.rationals import described
from mfverify.theory.cases.of_model import OfAgents
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status
from mfverify.theory.grounds import theorem

Policy: TypeAlias = dict[State, list[tuple[JointAction, flint.fmpq]]]
"""A stochastic policy: joint actions with probabilities, per state."""


def random_policy(system: RationalSystem, rng: random.Random) -> Policy:
    """A policy that mixes up to three joint actions per state with rational weights."""
    policy: Policy = {}
    for g, c in system.states:
        actions = [(b, d) for b in range(system.model.sizes[1]) for d in system.local_action_counts(c)]
        picked = rng.sample(actions, min(len(actions), 3))
        weights = [rng.randint(1, 5) for _ in picked]
        policy[g, c] = [(a, flint.fmpq(w, sum(weights))) for a, w in zip(picked, weights, strict=True)]
    return policy


def _transition(system: RationalSystem, policy: Policy) -> tuple[flint.fmpq_mat, flint.fmpq_mat]:
    """Transition matrix and reward vector of a stochastic policy."""
    number = {state: i for i, state in enumerate(system.states)}
    matrix = flint.fmpq_mat(len(number), len(number))
    reward = flint.fmpq_mat(len(number), 1)
    for state, mixture in policy.items():
        g, _ = state
        i = number[state]
        for (b, d), weight in mixture:
            reward[i, 0] += weight * system.reward(g, (b, d))
            for h, p in enumerate(system.model.global_kernel[g, b]):
                for c, q in system.law(g, d).items():
                    j = number[h, c]
                    matrix[i, j] += weight * flint.fmpq(p.numerator, p.denominator) * q
    return matrix, reward


@dataclass(frozen=True)
class Seeded(OfAgents):
    """n agents, and the seed of two policies."""

    seed: int


def _both_sides(case: Seeded, factors: int) -> list[tuple[State, Fraction, Fraction]]:
    """Both sides for every start state: the left from two linear solves, the right from the discounted occupancy of pi.

    The occupancy ``d^pi = (1 - gamma) e_s (I - gamma P)^{-1}`` is the explicit inverse, so the sides share no solve. The right side
    has ``factors`` factors gamma; the identity has none.
    """
    system = rational_system(case.model, case.agents)
    gamma = flint.fmpq(case.model.discount.numerator, case.model.discount.denominator)
    rng = random.Random(case.seed)
    pi, other = random_policy(system, rng), random_policy(system, rng)
    size = len(system.states)
    identity = flint.fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])
    matrix, reward = _transition(system, pi)
    other_matrix, other_reward = _transition(system, other)
    value = (identity - gamma * matrix).solve(reward)
    other_value = (identity - gamma * other_matrix).solve(other_reward)
    by_state = {state: other_value[i, 0] for i, state in enumerate(system.states)}
    advantage = flint.fmpq_mat(size, 1)
    for i, state in enumerate(system.states):
        for action, weight in pi[state]:
            advantage[i, 0] += weight * (system.action_value(state, action, by_state) - by_state[state])
    occupancy = (1 - gamma) * (identity - gamma * matrix).inv()
    right = occupancy * advantage * (gamma**factors / (1 - gamma))
    return [(state, fraction(value[i, 0] - other_value[i, 0]), fraction(right[i, 0])) for i, state in enumerate(system.states)]


def _performance_difference(case: Seeded) -> Outcome:
    found = _both_sides(case, 0)
    state, left, right = max(found, key=lambda one: abs(one[1] - one[2]))
    details = {
        "worst": f"start {state}",
        "start states": len(found),
        "both sides there, as fractions": f"{described(left, 60)} and {described(right, 60)}",
    }
    return Sides(Interval.exactly(abs(left - right)), Interval.exactly(0), None, details)


def _one_more_discount(left: Interval, case: Seeded) -> Interval:
    del left
    return Interval.exactly(max(abs(one - other) for _, one, other in _both_sides(case, 1)))


def _p1_instances(profile: Profile, given: Sequence[Model] | None) -> list[Seeded]:
    seeds = range(3) if profile is Profile.QUICK else range(20)
    chosen = (
        list(given)
        if given is not None
        else [models.coordination(), models.absorbing(), models.random_coupled(4), models.random_coupled(16)]
    )
    return [Seeded(m, n, seed) for m in chosen for n in (1, 2, 3) for seed in seeds if small_enough(m, n)]


P1 = Claim(
    id="P1",
    title="Performance difference lemma",
    statement=r"$V^{\pi}(s) - V^{\pi'}(s) = \frac{1}{1-\gamma}\, \mathbb E_{s' \sim d^{\pi}_s}\, \mathbb E_{a \sim \pi(\cdot|s')}\big[A^{\pi'}(s', a)\big]$",
    source="Kakade and Langford 2002; Appendix G",
    reading="stochastic policies of the n-agent system on (global state, counts), seeded; every start state; exact rationals",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    sides=_performance_difference,
    instances=_p1_instances,
    control=Control("the right side carries one more factor gamma", left=_one_more_discount),
    left_means="largest |left - right| of the identity",
    right_means="0",
    grounds=theorem("Kakade and Langford 2002, Lemma 6.1"),
)
