"""Kakade and Langford 2002, Appendix G: the performance difference lemma. Claim P1.

An identity; the sides are the largest difference, an exact rational, and 0.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
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
from mfverify.theory.bind import bind
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


def _performance_difference(factors: int, case: Seeded) -> Outcome:
    """Both sides for every start state: the left from two linear solves, the right from the discounted occupancy of pi.

    The occupancy ``d^pi = (1 - gamma) e_s (I - gamma P)^{-1}`` is the explicit inverse, so the sides share no solve. The right side
    has ``factors`` factors gamma; the statement has none.
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
    differences = [abs(fraction(value[i, 0] - other_value[i, 0] - right[i, 0])) for i in range(size)]
    worst = max(range(size), key=lambda i: differences[i])
    gap = fraction(value[worst, 0] - other_value[worst, 0])
    return Sides(
        Interval.exactly(differences[worst]),
        Interval.exactly(0),
        None,
        {
            "worst": f"start {system.states[worst]}",
            "start states": size,
            "both sides there, as fractions": f"{described(gap, 60)} and {described(fraction(right[worst, 0]), 60)}",
        },
    )


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
    sides=bind(_performance_difference, 0),
    instances=_p1_instances,
    control=Control("the right side carries one more factor gamma", bind(_performance_difference, 1)),
    left_means="largest |left - right| of the identity",
    right_means="0",
    grounds=theorem("Kakade and Langford 2002, Lemma 6.1"),
)
