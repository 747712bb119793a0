"""The simulator against the exact values: its intervals contain them, and miss them where something is wrong."""

from __future__ import annotations

from fractions import Fraction
from math import log, sqrt

import numpy as np
import pytest

from mfverify import Model, ModelError, counts, models
from mfverify.simulation import draw_subsets, simulate
from mfverify.subsample_mfq.execution import execution_value
from mfverify.subsample_mfq.learning import learn

CASES = [
    (model, n, k, sampling)
    for model in (models.coordination(), models.absorbing(), models.patrol(), models.splitting(), models.random_coupled(4, discount="1/2"))
    for n, k in ((3, 1), (5, 3), (6, 6))
    for sampling in ("independent", "shared")
]


def _start(model: Model, n: int) -> tuple[int, tuple[int, ...]]:
    """The last global state and agents spread as evenly as possible."""
    size = model.sizes[2]
    return model.sizes[0] - 1, tuple(n // size + int(s < n % size) for s in range(size))


@pytest.mark.slow
def test_intervals_contain_the_exact_values() -> None:
    """30 cases at 99 %: on average at most 0.3 misses; three or more have a probability below 1/250 even at the stated level."""
    assert len(CASES) == 30
    missed = []
    for i, (model, n, k, sampling) in enumerate(CASES):
        learned, start = learn(model, k), _start(model, n)
        exact = execution_value(model, n, learned, sampling)[start[0], int(counts.rank(start[1]))]
        found = simulate(model, n, learned, start, episodes=400, sampling=sampling, seed=i)
        assert found.upper - found.lower < 2 * float(model.rt / (1 - model.discount)), "an interval that says nothing"
        if not found.lower <= exact.lower <= exact.upper <= found.upper:
            missed.append((model.name, n, k, sampling))
    assert len(missed) < 3, missed


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
    found = draw_subsets(np.random.default_rng(5), np.tile(np.array(population), (draws, 1)), k)
    half = sqrt(log(2 / 1e-6) / (2 * draws))
    law = counts.subsample_law(population, k)
    assert {tuple(row) for row in found.tolist()} <= {sample for sample, _ in law}
    for sample, p in law:
        frequency = float((found == np.array(sample)).all(axis=1).mean())
        assert abs(frequency - float(p)) <= half


def test_a_million_agents_behave_like_their_mean() -> None:
    model, n = models.coordination(), 10**6
    found = simulate(model, n, learn(model, 1), (0, (n, 0)), episodes=2, horizon=3, seed=0)
    # Everybody stands with the global agent and sees only itself, so nobody moves: the reward is one at every step.
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
