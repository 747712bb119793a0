"""The simulator against the exact values: its intervals contain them, and miss them where something is wrong."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import log, sqrt

import numpy as np
import pytest

from mfverify import Model, ModelError, counts, models
from mfverify.simulation import simulate
from mfverify.subsample_mfq import random_draws
from mfverify.subsample_mfq.draws import WORDS, way
from mfverify.subsample_mfq.execution import execution_value
from mfverify.subsample_mfq.learning import learn
from tests import oracles
from tests.agreement.checks import model_of, rules_of
from tests.oracles import Greedy, Instance, LabelledSystem, random_instance, tied_instance

CASES = [
    (model, n, k, sampling)
    for model in (models.coordination(), models.absorbing(), models.patrol(), models.splitting(), models.random_coupled(4, discount="1/2"))
    for n, k in ((3, 1), (5, 3), (6, 6))
    for sampling in WORDS
    if sampling != "pool" or n < 6  # its states are labelled
]


def _start(model: Model, n: int) -> tuple[int, tuple[int, ...]]:
    """The last global state and agents spread as evenly as possible."""
    size = model.sizes[2]
    return model.sizes[0] - 1, tuple(n // size + int(s < n % size) for s in range(size))


def missed(cases: list[tuple[Model, int, int, str]], episodes: int) -> list[tuple[str, int, int, str]]:
    """The cases whose interval at 99 % misses the exact value."""
    found = []
    for i, (model, n, k, sampling) in enumerate(cases):
        learned, start = learn(model, k), _start(model, n)
        exact = execution_value(model, n, learned, sampling)[start[0], int(counts.rank(start[1]))]
        seen = simulate(model, n, learned, start, episodes=episodes, sampling=sampling, seed=i)
        assert seen.upper - seen.lower < 2 * float(model.rt / (1 - model.discount)), "an interval that says nothing"
        if not seen.lower <= exact.lower <= exact.upper <= seen.upper:
            found.append((model.name, n, k, sampling))
    return found


@pytest.mark.slow
def test_intervals_contain_the_exact_values() -> None:
    """About a hundred cases at 99 %: on average at most one misses, even at the stated level; the bound is conservative."""
    assert len(CASES) >= 90
    assert {sampling for _, _, _, sampling in CASES} == set(WORDS)
    assert len(missed(CASES, 400)) < 3


@pytest.mark.parametrize("sampling", WORDS)
def test_every_way_of_drawing_is_simulated(sampling: str) -> None:
    assert missed([(models.random_coupled(4, discount="1/2"), 5, 3, sampling)], 400) == []


@pytest.mark.parametrize("sampling", WORDS)
@pytest.mark.parametrize(
    ("instance", "k", "g", "c"),
    [
        (random_instance(942, 2, 2, 2, 2), 2, 0, (1, 3)),
        (tied_instance(934, 2, 2, 2, 2), 3, 0, (3, 1)),
        (random_instance(934, 2, 2, 3, 2), 2, 1, (1, 1, 1)),
    ],
    ids=["two states", "ties", "three states"],
)
def test_actions_have_the_law_of_the_enumerated_draws(instance: Instance, k: int, g: int, c: tuple[int, ...], sampling: str) -> None:
    """Each frequency of (global action, action counts) within Hoeffding's half-width at 10^-6 of its exact probability."""
    n, learned, greedy = sum(c), learn(model_of(instance), k), Greedy(LabelledSystem(instance, k), rules_of(instance))
    episodes, how, rng = 20_000, way(sampling), np.random.default_rng(6)
    states = np.full(episodes, g), np.tile(np.array(c), (episodes, 1))
    parts = how.parts(rng, learned, *states)
    played, acting = how.act(rng, learned, 0, states[0], parts)
    assert (acting.sum(axis=3) == parts).all()  # in the first step agents are where they begin
    seen = Counter(tuple(row) for row in np.column_stack([played, acting.sum(axis=1).reshape(episodes, -1)]).tolist())
    law = oracles.play_by_counts(greedy, n, g, c, sampling)
    assert sum(law.values()) == 1
    assert (len(law) == 1) is (sampling in ("plan", "plan-fixed") and instance.name.startswith("tied"))  # its limit has one plan there
    assert set(seen) <= set(law)
    half = sqrt(log(2 / 1e-6) / (2 * episodes))
    for action, p in law.items():
        assert abs(seen[action] / episodes - float(p)) <= half


def test_an_interval_misses_the_value_of_another_way_of_drawing() -> None:
    model, n, k = models.coordination(), 20, 5
    learned, start = learn(model, k), (0, (10, 10))
    independent = simulate(model, n, learned, start, sampling="independent", seed=0)
    shared = simulate(model, n, learned, start, sampling="shared", seed=0)
    assert independent.upper < shared.lower


def test_an_interval_misses_the_value_of_another_policy() -> None:
    model, n = models.patrol(), 6
    start = (0, (6, 0, 0))
    found = simulate(model, n, learn(model, 6), start, episodes=4000, seed=0)
    worse = execution_value(model, n, learn(model, 1))[0, int(counts.rank(start[1]))]
    assert worse.upper < found.lower


@pytest.mark.parametrize(("population", "k"), [((3, 2, 1), 2), ((4, 4), 3), ((1, 0, 5), 4)])
def test_subsets_have_the_hypergeometric_law(population: tuple[int, ...], k: int) -> None:
    """Each frequency within Hoeffding's half-width at 10^-6 of its exact probability."""
    draws = 20_000
    found = random_draws.subsets(np.random.default_rng(5), np.tile(np.array(population), (draws, 1)), k)
    half = sqrt(log(2 / 1e-6) / (2 * draws))
    law = counts.subsample_law(population, k)
    assert {tuple(row) for row in found.tolist()} <= {sample for sample, _ in law}
    for sample, p in law:
        frequency = float((found == np.array(sample)).all(axis=1).mean())
        assert abs(frequency - float(p)) <= half


def test_a_million_agents_behave_like_their_mean() -> None:
    model, n = models.coordination(), 10**6
    found = simulate(model, n, learn(model, 1), (0, (n, 0)), episodes=2, horizon=3, seed=0)
    # All agents are with the global agent and see only themselves, so none moves: the reward is one at every step.
    assert found.returns.tolist() == [1.75, 1.75]


def test_equal_seeds_give_equal_returns_and_others_do_not() -> None:
    model, learned = models.patrol(), learn(models.patrol(), 2)
    first, again, other = (simulate(model, 4, learned, (0, (2, 1, 1)), episodes=20, seed=s) for s in (1, 1, 2))
    assert np.array_equal(first.returns, again.returns)
    assert not np.array_equal(first.returns, other.returns)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"start": (0, (3, 2))}, "start: found"),
        ({"start": (2, (2, 2))}, "start: found"),
        ({"confidence": 1.0}, "confidence: found 1.0"),
        ({"episodes": 1}, "episodes: found 1"),
        ({"n": 1, "start": (0, (1, 0))}, "expected at most agents = 1"),
        ({"sampling": "by telephone"}, "sampling: found"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, object], words: str) -> None:
    model = models.coordination()
    given: dict[str, object] = {"n": 4, "start": (0, (2, 2))} | arguments
    n, start = given.pop("n"), given.pop("start")
    with pytest.raises(ModelError, match=words):
        simulate(model, n, learn(model, 2), start, **given)  # type: ignore[arg-type]


def test_the_rest_of_the_discounted_sum_is_in_the_interval() -> None:
    model = models.coordination()
    found = simulate(model, 3, learn(model, 3), (0, (3, 0)), episodes=50, horizon=1, seed=0)
    assert found.returns.tolist() == [1.0] * 50
    assert found.lower <= 2 - 1e-9 and found.upper >= 2 >= Fraction(found.mean)
