"""Stochastic rewards against brute force over reward outcomes, and against laws worked out by hand."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from mfverify import Model, ModelError, TooLargeError
from mfverify.bellman.sampled import SampledOperator
from mfverify.exact.labelled_rational import LabelledRationalSystem
from mfverify.extensions.stochastic_rewards import (
    NoisySystem,
    RewardLaw,
    SampledRewardOperator,
    StochasticRewards,
    distance_to,
    policy_value,
    with_noise,
)
from mfverify.fixed_point import enclose
from mfverify.models import absorbing, coordination, random_coupled
from tests.agreement.checks import instance_of
from tests.oracles import Action, LabelledSystem, Row, State, solve_decisions

HALF = Fraction(1, 2)


def one_state_model() -> Model:
    """One state, one global action, two local actions; discount 1/2."""
    return Model([[[1]]], [[[[1], [1]]]], [[0]], [[[0, 0]]], discount=HALF, name="one state")


def one_state() -> StochasticRewards:
    """Action 0 earns 0 or 3 with probabilities 1/3 and 2/3, action 1 earns 1 or 2 evenly; the global agent earns 0 for sure."""
    third = Fraction(1, 3)
    of_global = RewardLaw(np.array([[[0]]], dtype=object), np.array([[[1]]], dtype=object))
    of_local = RewardLaw(np.array([[[[0, 3], [1, 2]]]], dtype=object), np.array([[[[third, 2 * third], [HALF, HALF]]]], dtype=object))
    return StochasticRewards(one_state_model(), of_global, of_local)


def by_enumeration(rewards: StochasticRewards, n: int) -> dict[State, Fraction]:
    """``V*`` of the labelled system whose rewards are averaged over every combination of outcomes, one by one."""
    system = LabelledSystem(instance_of(rewards.dynamics), n)
    of_global, of_local = rewards.of_global, rewards.of_local
    decisions: defaultdict[State, dict[Action, Row[State]]] = defaultdict(dict)
    for (g, s), (b, a) in product(system.states, system.joint_actions):
        laws = [list(zip(of_global.values[g, b], of_global.probabilities[g, b], strict=True))]
        laws += [list(zip(of_local.values[x, g, y], of_local.probabilities[x, g, y], strict=True)) for x, y in zip(s, a, strict=True)]
        mean = Fraction(0)
        for (first, weight), *others in product(*laws):
            for _, p in others:
                weight = weight * p
            mean += weight * (first + sum(v for v, _ in others) / Fraction(n))
        decisions[g, s][b, a] = (mean, system.row((g, s), (b, a))[1])
    return solve_decisions(decisions, rewards.dynamics.discount)[0]


@pytest.mark.parametrize("seed", range(5))
def test_noise_keeps_the_expectation_and_moves_the_support(seed: int) -> None:
    for model in (coordination(), random_coupled(4)):
        rewards = with_noise(model, seed)
        assert rewards.expected_model() == model
        means = rewards.of_local.values.sum(axis=-1) / 2
        assert (means != model.local_reward).all()


@pytest.mark.parametrize("model", [coordination(), absorbing(), random_coupled(4), random_coupled(16)], ids=lambda m: m.name)
@pytest.mark.parametrize("n", [1, 2])
def test_optimum_is_that_of_the_enumerated_outcomes(model: Model, n: int) -> None:
    rewards = with_noise(model, 3)
    noisy = NoisySystem(rewards, n)
    expected = by_enumeration(rewards, n)
    assert len(noisy.optimum) == len(expected) * 2 ** (n + 1)
    for state, value in noisy.optimum.items():
        assert value == expected[noisy.forget(state)]


def test_optimum_and_policy_value_by_hand() -> None:
    # The better action earns 2 in expectation, the other one 3/2; discount 1/2 doubles.
    for n in (1, 2):
        noisy = NoisySystem(one_state(), n)
        assert set(noisy.optimum.values()) == {Fraction(4)}
        even = {state: [((0, a), Fraction(1, 2**n)) for a in product(range(2), repeat=n)] for state in noisy.states}
        assert set(noisy.policy_value(even).values()) == {Fraction(7, 2)}
        labelled = LabelledRationalSystem(one_state().expected_model(), n)
        assert policy_value(labelled, {noisy.forget(state): mixture for state, mixture in even.items()}) == {(0, (0,) * n): Fraction(7, 2)}


def test_a_policy_may_use_the_remembered_outcome() -> None:
    """Playing the worse action after the outcome 0 and the better one after 3: a chain solved by hand."""
    noisy = NoisySystem(one_state(), 1)
    value = noisy.policy_value({state: [((0, (1,) if state[1][-1] == 0 else (0,)), Fraction(1))] for state in noisy.states})
    # After the first outcome the worse action: x = 3/2 + (x/2 + y/2)/2; after the second the better one: y = 2 + (x/3 + 2y/3)/2.
    x, y = value[0, (0, 0, 0)], value[0, (0, 0, 1)]
    assert x == Fraction(3, 2) + (x + y) / 4
    assert y == 2 + (x / 3 + 2 * y / 3) / 2
    assert (x, y) == (Fraction(36, 11), Fraction(42, 11))


def test_draws_list_every_outcome_with_its_reward() -> None:
    noisy = NoisySystem(one_state(), 2)
    drawn = noisy.draws((0, (0, 0)), (0, (0, 1)))
    assert sum(p for _, p, _ in drawn) == 1
    assert {(reward, p) for _, p, reward in drawn} == {
        (HALF, Fraction(1, 6)),
        (Fraction(1), Fraction(1, 6)),
        (Fraction(2), Fraction(1, 3)),
        (Fraction(5, 2), Fraction(1, 3)),
    }


def test_bound_of_the_support_leaves_out_what_is_never_drawn() -> None:
    law = RewardLaw(np.array([[-5, 2, 9]], dtype=object), np.array([["1/4", "3/4", 0]], dtype=object))
    assert law.largest == 5
    assert list(law.expectation) == [Fraction(1, 4)]


@pytest.mark.parametrize(
    ("values", "probabilities", "message"),
    [
        ([[1, 2]], [[1]], "shape"),
        ([[1, 2]], [["1/2", "1/3"]], "sum 1"),
        ([[1, 2]], [["3/2", "-1/2"]], "numbers >= 0"),
    ],
)
def test_what_is_no_law_is_refused(values: object, probabilities: object, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        RewardLaw(np.array(values, dtype=object), np.array(probabilities, dtype=object))


def test_laws_that_do_not_fit_the_model_are_refused() -> None:
    with pytest.raises(ModelError, match="of_global: found laws of shape"):
        StochasticRewards(coordination(), one_state().of_global, with_noise(coordination(), 0).of_local)


def test_systems_beyond_enumeration_are_refused() -> None:
    with pytest.raises(TooLargeError, match="fewer agents"):
        NoisySystem(with_noise(coordination(), 0), 4)


def exact_fixed_point(operator: SampledOperator, steps: int) -> tuple[list[Fraction], Fraction]:
    """Value iteration in Fractions on the drawn samples, and how far the result may be from the fixed point."""
    gamma = operator.model.discount
    value = [Fraction(0)] * len(operator.states)
    for _ in range(steps):
        means = [sum((value[j] for j in row), Fraction(0)) / operator.samples for row in operator.successors]
        table = [r + gamma * mean for r, mean in zip(operator.rewards, means, strict=True)]
        value = [max(table[operator.pairs_of(i)]) for i in range(len(value))]
    return value, gamma**steps * max(abs(r) for r in operator.rewards) / (1 - gamma)


def test_fixed_point_with_sampled_rewards_against_iteration_in_fractions() -> None:
    operator = SampledRewardOperator(with_noise(coordination(), 0), 2, 4, np.random.default_rng(5))
    found = enclose(operator, 1e-9)
    value, radius = exact_fixed_point(operator, 40)
    for x, lower, upper in zip(value, found.lower.ravel(), found.upper.ravel(), strict=True):
        assert Fraction(float(lower)) - radius <= x <= Fraction(float(upper)) + radius
    assert found.width.max() <= 1e-9


def test_distance_of_the_fixed_point_against_iteration_in_fractions() -> None:
    model = coordination()
    operator = SampledRewardOperator(with_noise(model, 0), 1, 3, np.random.default_rng(2))
    value, radius = exact_fixed_point(operator, 60)
    truth = [Fraction(i, 7) for i in range(len(operator.rewards))]
    means = [sum((value[j] for j in row), Fraction(0)) / 3 for row in operator.successors]
    wanted = max(abs(r + model.discount * mean - x) for r, mean, x in zip(operator.rewards, means, truth, strict=True))
    found = distance_to(operator, truth)
    assert found.lower - radius <= wanted <= found.upper + radius
    assert found.lower > 0
    assert found.width < Fraction(1, 10**8)


def test_sampled_rewards_are_means_of_outcomes() -> None:
    """One sample and one agent: the reward is one of the four sums; certain rewards are not changed at all."""
    rewards = with_noise(coordination(), 1)
    operator = SampledRewardOperator(rewards, 1, 1, np.random.default_rng(0))
    checked = 0
    for i, ((g, _), actions) in enumerate(zip(operator.states, operator.actions, strict=True)):
        for j, (b, d) in enumerate(actions):
            s, a = divmod(d.index(1), 2)
            possible = {x + y for x in rewards.of_global.values[g, b] for y in rewards.of_local.values[s, g, a]}
            assert operator.rewards[operator.pairs_of(i).start + j] in possible
            checked += 1
    assert checked == len(operator.rewards) == 16
    model = coordination()
    certain = StochasticRewards(
        model,
        RewardLaw(model.global_reward[..., np.newaxis], np.ones((*model.global_reward.shape, 1), dtype=object)),
        RewardLaw(model.local_reward[..., np.newaxis], np.ones((*model.local_reward.shape, 1), dtype=object)),
    )
    plain = SampledOperator(model, 3, 7, np.random.default_rng(1))
    assert SampledRewardOperator(certain, 3, 7, np.random.default_rng(1)).rewards == plain.rewards


def test_sampled_rewards_concentrate_on_the_expected_ones() -> None:
    """Hoeffding's bound for each pair, all pairs at once with failure probability below 1e-9."""
    rewards, samples = with_noise(random_coupled(4), 0), 4096
    operator = SampledRewardOperator(rewards, 2, samples, np.random.default_rng(3))
    plain = SampledOperator(rewards.expected_model(), 2, 1, np.random.default_rng(0))
    radius = 2 * float(rewards.rt) * np.sqrt(np.log(2 * len(plain.rewards) * 1e9) / (2 * samples))
    errors = [abs(float(x - y)) for x, y in zip(operator.rewards, plain.rewards, strict=True)]
    assert max(errors) <= radius
    assert sum(e > 0 for e in errors) > len(errors) / 2
