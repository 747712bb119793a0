"""Islands: the numbers of a model climb towards a larger ratio, and what they reach is rounded to exact models."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import mfverify as mfv
from mfverify import screening
from mfverify.falsifier import templates
from mfverify.falsifier.climb import (
    GENERATION,
    GENERATIONS,
    MOST_NUMBERS,
    Near,
    Space,
    around,
    climb,
    drawn,
    numbers_of,
    scores,
    space_of,
    structure_of,
)
from mfverify.falsifier.evaluation import Evaluator, Island, climbed
from mfverify.falsifier.model_moves import random_model
from mfverify.falsifier.search import Searched, search, summary
from mfverify.papers import CATALOGUE
from mfverify.screening import Models
from mfverify.theory.claim import Claim
from mfverify.theory.screen import Screen
from mfverify.theory.search_space import RANDOM_SIZES
from tests.strength.false_claims import times_constant


def searched(claim: Claim, seconds: float = 600.0, most: int | None = 60, workers: int = 1) -> Searched:
    out = Searched(claim.id, 0)
    search(claim, Evaluator(claim, workers, time.monotonic() + seconds), most, out)
    return out


@pytest.mark.parametrize("claim", [one for one in CATALOGUE if space_of(one) is not None], ids=lambda one: one.id)
def test_what_climbs_are_models_that_the_claim_speaks_of(claim: Claim) -> None:
    space = space_of(claim)
    assert space is not None
    for seed in range(6):
        structure, n, k = drawn(space, random.Random(seed))
        assert 1 <= k <= n and numbers_of(structure.sizes, n) <= MOST_NUMBERS
        x = np.random.default_rng(seed).random((structure.dimension, 5))
        models = structure.models(x)
        for kernel in (models.global_kernel, models.local_kernel):
            assert (kernel >= 0).all()
            assert np.allclose(kernel.sum(axis=-2), 1)
        assert (models.discount > 0).all() and (models.discount < 1).all()
        for denominator in (1, 2, 64):
            model = structure.model(x[:, 0], denominator)
            assert model is not None and model.sizes == structure.sizes
            assert claim.searched is not None and space.pair(model, n, k) == (n, k)


def test_finer_denominators_come_nearer() -> None:
    space = space_of(CATALOGUE["R4"])
    assert space is not None
    structure, _, _ = drawn(space, random.Random(3))
    x = np.random.default_rng(3).random(structure.dimension)
    exact = structure.models(x[:, None])
    errors = []
    for denominator in (1, 16, 1024):
        model = structure.model(x, denominator)
        assert model is not None
        near = screening.stacked([model])
        errors.append(max(float(np.abs(a - b).max()) for a, b in zip(near, exact, strict=True)))
    assert errors[0] > errors[1] > errors[2] and errors[2] < 2e-3


@pytest.mark.parametrize("scaled", [False, True])
def test_the_numbers_of_a_model_give_the_model(scaled: bool) -> None:
    rng = random.Random(4)
    for index in range(40):
        model = templates.drawn(rng, index) if index % 2 else random_model(rng, RANDOM_SIZES[index % len(RANDOM_SIZES)], scaled=scaled)
        structure = structure_of(model, rng, scaled, more=index % 3 == 0)
        found = structure.models(structure.numbers(model)[:, None])
        wanted = screening.stacked([model])
        factor = 1.0 if scaled else max(1.0, float(max(wanted.rt_g[0], wanted.rt_l[0])))
        for name in ("global_kernel", "local_kernel", "discount"):
            assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=1e-12)
        for name in ("global_reward", "local_reward"):
            assert getattr(found, name) * factor == pytest.approx(getattr(wanted, name), rel=1e-9, abs=1e-9)


def test_an_island_around_a_model_begins_at_its_ratio() -> None:
    """The best of 48 candidates is no worse than the model itself; with other structures it would be far below."""
    claim, space = CATALOGUE["R4"], space_of(CATALOGUE["R4"])
    assert space is not None and claim.screen is not None
    model = mfv.models.splitting()
    own = float(scores(claim.screen, screening.stacked([model]), 8, 1)[0])
    reached = {}
    for seed in range(8):
        out = climb(claim.screen, space, f"{seed}", most=1, near=Near(model, 8, 1))
        reached[out.agents, out.subsample] = max(ratio for ranked, ratio in out.curve)
    assert reached[8, 1] >= own * (1 - 1e-9)
    assert len(reached) > 1  # other numbers of agents are tried too


def test_an_island_around_a_model_has_as_many_agents_as_take_little_time() -> None:
    space, below = space_of(CATALOGUE["T1"]), space_of(CATALOGUE["T1"], 13)
    assert space is not None and below is not None
    model = mfv.models.commitment()
    found = [around(space, random.Random(seed), Near(model, 128, 127)) for seed in range(20)]
    assert all(one is not None and numbers_of(model.sizes, one[1]) <= MOST_NUMBERS < numbers_of(model.sizes, one[1] + 1) for one in found)
    assert {0, 1} < {n - k for _, n, k in filter(None, found)}  # mostly as many agents are left out as before, up to a change
    fewer = [around(below, random.Random(seed), Near(model, 13, 12)) for seed in range(20)]
    assert {n for _, n, _ in filter(None, fewer)} == {10, 11, 12}
    one_local_action = space_of(CATALOGUE["R7"])
    assert one_local_action is not None and around(one_local_action, random.Random(0), Near(model, 4, 2)) is None


def test_an_island_is_a_function_of_its_seed() -> None:
    claim = CATALOGUE["R2"]
    first, again, other = (climbed(Island(claim, seed, time.monotonic() + 600)) for seed in ("a", "a", "b"))
    assert first is not None and again is not None and other is not None
    assert (first.curve, first.found) == (again.curve, again.found)
    assert first.curve != other.curve
    assert first.ratio == first.curve[-1][1] and sorted(first.curve) == first.curve


def test_an_island_ends_with_the_budget() -> None:
    assert climbed(Island(CATALOGUE["R2"], "a", time.monotonic() - 1)) is None
    assert climbed(Island(CATALOGUE["R4"], "a", time.monotonic() + 0.02)) is None


@pytest.mark.slow
def test_a_ratio_of_rounding_errors_does_not_climb() -> None:
    """Both sides are 0 where there is one action; their ratio is none."""
    space, claim = space_of(CATALOGUE["P4"]), CATALOGUE["P4"]
    assert space is not None and claim.screen is not None
    out = climb(claim.screen, replace(space, sizes=((1, 1, 2, 1),), templates=False), "flat", most=3)
    assert out.screened > 0 and out.ratio < 1e-3
    assert scores(claim.screen, screening.stacked([mfv.models.absorbing()]), 3, 1)[0] >= 0


def test_an_island_ends_at_a_clear_violation_which_is_evaluated_before_other_islands() -> None:
    found = searched(times_constant("R2", "1/4"))
    assert found.found is not None and found.evaluations == found.families["climbing"] == 1
    assert 0 < found.screened < GENERATION * GENERATIONS


def of_size(factor: float, models: Models, n: int, k: int) -> tuple[Any, Any]:
    """A ratio that depends on n alone."""
    return np.full(models.number, factor**n), np.full(models.number, 2.0)


def threads_seen(seen: list[int], models: Models, n: int, k: int) -> tuple[Any, Any]:
    """No ratio; how many threads linear algebra has."""
    seen += [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]
    return np.zeros(models.number), np.ones(models.number)


def test_an_island_has_one_thread_of_linear_algebra() -> None:
    space, seen = Space(((2, 2, 2, 1),), (2,), lambda model, n, k: (n, k), scaled=False, templates=False), list[int]()
    with threadpool_limits(2, user_api="blas"):
        climb(Screen(partial(threads_seen, seen)), space, "threads", most=1)
        after = [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]
    assert seen and set(seen) == {1} and set(after) == {2}


@pytest.mark.parametrize(("factor", "agents"), [(1.01, 7), (0.99, 2)])
def test_the_best_of_an_island_is_tried_with_more_agents(factor: float, agents: int) -> None:
    space = Space(((2, 2, 2, 1),), (2,), lambda model, n, k: (n, k), scaled=False, templates=False, more=(2, 3, 4, 7))
    out = climb(Screen(partial(of_size, factor)), space, "more", most=1)
    assert out.agents == agents and out.found is not None
    assert out.ratio == pytest.approx(factor**agents / 2, rel=1e-4)


@pytest.mark.slow
def test_a_true_claim_is_approached_and_not_violated() -> None:
    found = searched(CATALOGUE["R2"], most=30)
    assert found.found is None and found.verdicts["violated"] == 0
    document = summary(found)
    assert document["screened"] > 1000 and document["per_second"] > 0
    ratios = [ratio for _, ratio in document["curve"]]
    assert ratios == sorted(ratios) and 0.9 < ratios[-1] < 1
    assert found.best is not None
    assert mfv.Model(**document["best"]["model"]) == found.best.candidate.instance.written.model


@pytest.mark.slow
def test_what_is_found_does_not_depend_on_the_number_of_workers() -> None:
    alone, together = (searched(times_constant("R2", "9/10"), workers=workers) for workers in (1, 2))
    assert alone.found is not None and together.found is not None
    assert alone.found.candidate.instance == together.found.candidate.instance
    assert alone.curve == together.curve
    assert alone.screened > 0 and alone.families["climbing"] >= 1
