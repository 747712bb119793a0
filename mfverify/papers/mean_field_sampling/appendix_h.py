"""Appendix H: stochastic rewards. Claim X1, an identity in exact arithmetic; proof: docs/mathematics/extensions.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from mfverify import counts, models
from mfverify.bellman.sampled import SampledOperator
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.exact.labelled_rational import LabelledRationalSystem, LabelledState
from mfverify.exact.rational import fraction
from mfverify.extensions.stochastic_rewards import (
    Mixture,
    NoisySystem,
    SampledRewardOperator,
    StochasticRewards,
    distance_to,
    policy_value,
    with_noise,
)
from mfverify.model import Model
from mfverify.papers.curves import curve, line
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.mean_field_sampling.theorem_4_2 import THEOREM_4_2
from mfverify.papers.quantities import learned, rational_system
from mfverify.rationals import estimate, written
from mfverify.subsample_mfq.execution import policy_marginals
from mfverify.theory.bind import bind
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.evaluate import UndefinedError
from mfverify.theory.grounds import proof

_REWARD_SAMPLES = (4, 16, 64, 256, 1024)


def _unweighted_model(rewards: StochasticRewards) -> Model:
    """The mean of the support, without the probabilities, in place of the expectation."""
    of_global, of_local = rewards.of_global.values, rewards.of_local.values
    means = of_global.sum(axis=-1) / of_global.shape[-1], of_local.sum(axis=-1) / of_local.shape[-1]
    return replace(rewards.dynamics, global_reward=means[0], local_reward=means[1])


def executed_mixtures(model: Model, n: int, k: int) -> dict[LabelledState, Mixture]:
    """The policy ``pi_k`` of the exact learner in every labelled state: joint actions with positive probability (eq. 11-12)."""
    marginals = policy_marginals(learned(model, k), n)
    of_global, of_local = marginals.global_action, marginals.local_action
    global_states, global_actions, local_states, local_actions = model.sizes
    mixtures: dict[LabelledState, Mixture] = {}
    for g, s in product(range(global_states), product(range(local_states), repeat=n)):
        rank = int(counts.rank(np.array([s.count(x) for x in range(local_states)])))
        weighted = [
            ((b, a), of_global[g, rank, b] * prod((of_local[g, rank, si, ai] for si, ai in zip(s, a, strict=True)), start=Fraction(1)))
            for b in range(global_actions)
            for a in product(range(local_actions), repeat=n)
        ]
        mixtures[g, s] = [(action, p) for action, p in weighted if p]
    return mixtures


@dataclass(frozen=True)
class Noise(Subsampled):
    """k sampled of n agents, and the seed of the laws of the rewards."""

    noise: int


def _reward_noise(stand_in: Callable[[StochasticRewards], Model], case: Noise) -> Outcome:
    """Largest difference of ``V*`` and of ``V^{pi_k}`` between the system that draws rewards and a model with fixed rewards."""
    model, n, k = case.model, case.agents, case.subsample
    rewards = with_noise(model, case.noise)
    compared = stand_in(rewards)
    try:
        noisy = NoisySystem(rewards, n)
        optimal = rational_system(compared, n).optimum
        mixtures = executed_mixtures(rewards.expected_model(), n, k)
    except (TooLargeError, UndecidedTieError) as error:
        return Unresolved(str(error))
    fixed = policy_value(LabelledRationalSystem(compared, n), mixtures)
    drawn = noisy.policy_value({state: mixtures[noisy.forget(state)] for state in noisy.states})
    size = model.sizes[2]
    largest, worst, gap = Fraction(0), "all states agree", Fraction(0)
    for state in noisy.states:
        g, s = noisy.forget(state)
        best = fraction(optimal[g, tuple(s.count(x) for x in range(size))])
        for difference, what in ((noisy.optimum[state] - best, "V*"), (drawn[state] - fixed[g, s], "V^pi")):
            if abs(difference) > largest:
                largest, worst = abs(difference), f"{what} in state {(g, s)} after the outcomes {state[1][n:]}"
        gap = max(gap, noisy.optimum[state] - drawn[state])
    gap_text = written(gap)
    details: dict[str, Any] = {
        "worst": worst,
        "states compared": len(noisy.states),
        "gap of the system with drawn rewards": gap_text if len(gap_text) <= 40 else estimate(gap),
        "rt of the support": written(rewards.rt),
        "rt of the expected rewards": written(rewards.expected_model().rt),
        "bound of Theorem 4.2 with rt of the support": _theorem_with(rewards, n, k),
    }
    trivial = Interval.exactly(2 * rewards.rt / (1 - model.discount))
    return Sides(Interval.exactly(largest), Interval.exactly(0), trivial, details | {"curve": _sampled_reward_curve(rewards, k)})


def _theorem_with(rewards: StochasticRewards, n: int, k: int) -> str:
    """The right side of Theorem 4.2 (refuted in general, see T1), for the reader."""
    values = dict(symbol_values(rewards.expected_model(), n, k))
    values |= {symbols.rt: rewards.rt, symbols.rt_g: rewards.of_global.largest, symbols.rt_l: rewards.of_local.largest}
    try:
        return estimate(THEOREM_4_2.enclose(values).midpoint)
    except UndefinedError as error:
        return str(error)


@lru_cache(maxsize=64)
def _optimal_action_values(model: Model, k: int) -> tuple[Fraction, ...]:
    """``Q*_k`` of every pair in the order of the empirical operator's listing, exact."""
    system = rational_system(model, k)
    listing = SampledOperator(model, k, 1, np.random.default_rng(0))
    pairs = [(state, action) for state, actions in zip(listing.states, listing.actions, strict=True) for action in actions]
    return tuple(fraction(system.action_value(state, action, system.optimum)) for state, action in pairs)


def _sampled_reward_curve(rewards: StochasticRewards, k: int) -> dict[str, Any]:
    """``||Q^est_{k,m} - Q*_k||`` against m, with expected and with sampled rewards; for the reader."""
    expected = rewards.expected_model()
    exact = _optimal_action_values(expected, k)
    plain = [distance_to(SampledOperator(expected, k, m, np.random.default_rng(m)), exact) for m in _REWARD_SAMPLES]
    noisy = [distance_to(SampledRewardOperator(rewards, k, m, np.random.default_rng(m)), exact) for m in _REWARD_SAMPLES]
    series = [line("rewards expected", plain), line("rewards sampled", noisy)]
    return curve("Bellman noise", "samples m per pair", "sup distance to Q*_k", _REWARD_SAMPLES, series)


def _x1_instances(profile: Profile, given: Sequence[Model] | None) -> list[Noise]:
    bundled = models.coordination(), models.absorbing(), models.random_coupled(4), models.random_coupled(16)
    seeds = range(1) if profile is Profile.QUICK else range(5)
    sizes = [(m, n) for m in (bundled if given is None else given) for n in (1, 2) if _enumerable(m, n)]
    return [Noise(m, n, k, seed) for m, n in sizes for k in range(1, n + 1) for seed in seeds]


def _enumerable(model: Model, n: int) -> bool:
    """Whether the labelled system that remembers two-point outcomes is quick in exact arithmetic."""
    g, b, s, a = model.sizes
    return bool((g * s**n * 2 ** (n + 1)) ** 2 * b * a**n <= 200_000)


X1 = Claim(
    id="X1",
    title="Stochastic rewards",
    statement=r"With rewards drawn from laws of support in $[-\tilde r, \tilde r]$, $V^*$ and $V^{\pi_k}$ are those of the model with the "
    "expected rewards; so a bound of the gap holds for the one where it holds for the other.",
    source="Appendix H",
    reading="independent two-point laws, seeded, with the model's rewards as expectations; one system draws every outcome, lets policies see "
    "the last outcomes and is enumerated for labelled agents; the other has fixed rewards; the sides are the largest difference and 0, exact. "
    "The bound of Theorem 4.2 is refuted in general (T1), so the identity is checked, and the bound is shown beside the gap. The curve shows "
    "the empirical operator with sampled rewards, one seed for each m",
    assumptions=(*FINITE, "rewards are independent of each other and of the next state, given state and action"),
    registered=Status.CORROBORATED,
    sides=bind(_reward_noise, StochasticRewards.expected_model),
    instances=_x1_instances,
    control=Control("the unweighted mean of the support replaces the expectation", bind(_reward_noise, _unweighted_model)),
    left_means="largest difference of V* and of V^pi",
    right_means="0",
    grounds=proof("docs/mathematics/extensions.md", "X1", uses=("B1",)),
)
