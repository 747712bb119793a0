"""Exchangeable rewards against the labelled brute force, which enumerates joint actions and draws agent by agent."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mfverify import ModelError, models
from mfverify.exact.optimal import optimal_value
from mfverify.extensions.exchangeable import (
    ExchangeableSystem,
    average_squeeze,
    execution_value_exchangeable,
    learn_exchangeable,
)
from mfverify.extensions.outside import OutsideSystem, executed, optimum
from mfverify.model import Model
from mfverify.models.squeeze import squeeze_weight
from mfverify.subsample_mfq.execution import execution_value
from mfverify.subsample_mfq.learning import learn

LEVELS = 2
"""Two amounts keep the labelled systems small; the last amount played is the local state."""


def _model() -> Model:
    point = [[1, 0], [0, 1]]
    zero = [[0, 0], [0, 0]]
    return Model([point, point], [[point, point]] * 2, zero, [zero, zero], discount="1/2", name="last amount")


def _labelled(mu: Fraction, weight_of_agreement: Fraction) -> OutsideSystem:
    """The same system with named agents; its reward is written down again from the labels."""

    def reward(state, action):  # type: ignore[no-untyped-def]
        average = Fraction(sum(action[1]), len(action[1]))
        agreeing = Fraction(sum(1 for s in state[1] if s == state[0]), len(state[1]))
        return average * squeeze_weight(average, mu, Fraction(1)) + weight_of_agreement * agreeing

    def local_law(_state, action, i):  # type: ignore[no-untyped-def]
        return [Fraction(int(t == action[1][i])) for t in range(LEVELS)]

    return OutsideSystem("squeeze with agreement", "eq. 2", (2, 2, LEVELS, LEVELS), Fraction(1, 2), reward, local_law)


def _exchangeable(mu: Fraction, weight_of_agreement: Fraction):  # type: ignore[no-untyped-def]
    squeeze = average_squeeze(LEVELS, mu)

    def reward(g, b, shares):  # type: ignore[no-untyped-def]
        agreeing = sum(share for z, share in enumerate(shares) if z // LEVELS == g)
        return squeeze(g, b, shares) + weight_of_agreement * agreeing

    return reward


@pytest.mark.parametrize(("n", "k"), [(2, 1), (2, 2), (3, 1), (3, 2)])
@pytest.mark.parametrize("mu", [Fraction(1), Fraction(1, 3)])
def test_optimum_and_execution_match_the_labelled_brute_force(n: int, k: int, mu: Fraction) -> None:
    labelled = _labelled(mu, Fraction(2, 7))
    model, reward = _model(), _exchangeable(mu, Fraction(2, 7))
    best, _ = optimum(labelled, n)
    played = executed(labelled, n, k)
    system = ExchangeableSystem(model, n, reward)
    ours = system.enclosed_optimum().exact
    ran = execution_value_exchangeable(model, n, learn_exchangeable(model, k, reward), reward).exact
    assert ours is not None and ran is not None
    compared = 0
    for (g, labels), value in best.items():
        c = system.position[tuple(labels.count(s) for s in range(LEVELS))]
        assert ours[g, c] == value
        assert ran[g, c] == played[g, labels]
        compared += 1
    assert compared == 2 * LEVELS**n


@pytest.mark.parametrize("k", [1, 2, 3])
def test_without_an_exchangeable_reward_it_is_the_paper_s_system(k: int) -> None:
    model = models.coordination()
    nothing = lambda _g, _b, _shares: Fraction(0)  # noqa: E731
    best = ExchangeableSystem(model, 3, nothing).enclosed_optimum()
    played = execution_value_exchangeable(model, 3, learn_exchangeable(model, k, nothing), nothing)
    assert best.intersects(optimal_value(model, 3))
    assert played.intersects(execution_value(model, 3, learn(model, k)))
    assert not best.intersects(played) or k == 3


def test_the_squeeze_as_it_is_stated_defeats_even_the_full_sample() -> None:
    """Agents without a state all see the same sample, so all play one action; the optimum of an inner average needs two."""
    model = Model([[[1]]], [[[[1]] * 3]], [[0]], [[[0] * 3]], discount="1/2", name="stateless")
    reward = average_squeeze(3, "1/2")
    n = 4
    best = ExchangeableSystem(model, n, reward).enclosed_optimum().exact
    played = execution_value_exchangeable(model, n, learn_exchangeable(model, n, reward), reward).exact
    assert best is not None and played is not None
    highest = max(Fraction(x, n) * squeeze_weight(Fraction(x, n), Fraction(1, 2), Fraction(1)) for x in range(2 * n + 1))
    assert best[0, 0] == 2 * highest
    assert played[0, 0] in {2 * Fraction(a) * squeeze_weight(Fraction(a), Fraction(1, 2), Fraction(1)) for a in range(3)}
    assert played[0, 0] < best[0, 0]


def test_more_samples_than_agents_are_refused() -> None:
    reward = average_squeeze(LEVELS)
    with pytest.raises(ModelError, match="expected at most agents = 2"):
        execution_value_exchangeable(_model(), 2, learn_exchangeable(_model(), 3, reward), reward)
