"""Islands: the numbers of a model climb towards a larger ratio, and what they reach is rounded to exact models."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

import mfverify as mfv
from mfverify import screening
from mfverify.falsifier.climb import MOST_NUMBERS, climb, drawn, numbers_of, scores, space_of
from mfverify.falsifier.evaluation import Evaluator, Island, climbed
from mfverify.falsifier.search import Searched, search, summary
from mfverify.papers import CATALOGUE
from mfverify.screening import Models
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Claim, Outcome, Sides, Verdict
from mfverify.theory.screen import Screen


def _smaller_sides(claim_id: str, factor: Fraction, instance: Case) -> Outcome:
    outcome = CATALOGUE[claim_id].sides(instance)
    return replace(outcome, right=outcome.right * factor) if isinstance(outcome, Sides) else outcome


def _smaller_screen(screen: Screen, factor: float, models: Models, n: int, k: int) -> object:
    left, right = screen.sides(models, n, k)
    return left, right * factor


def planted(claim_id: str, factor: str) -> Claim:
    """The claim with its right side multiplied by a constant below 1, on both of its ways."""
    claim = CATALOGUE[claim_id]
    assert claim.screen is not None
    number = Fraction(factor)
    screen = Screen(partial(_smaller_screen, claim.screen, float(number)))  # type: ignore[arg-type]
    return replace(claim, id=f"{claim_id} times {factor}", sides=partial(_smaller_sides, claim_id, number), screen=screen)


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


@pytest.mark.parametrize(
    "claim",
    [pytest.param(planted("R4", "1/2"), marks=pytest.mark.slow), planted("R2", "9/10"), planted("L1", "99/100")],
    ids=lambda one: one.id,
)
def test_a_planted_false_claim_is_found_by_climbing(claim: Claim) -> None:
    found = searched(claim)
    assert found.found is not None and found.found.verdict is Verdict.VIOLATED
    true = CATALOGUE[claim.id.split()[0]].sides(found.found.candidate.instance)
    assert isinstance(true, Sides) and (true.left <= true.right) is True, "the true claim holds there"
    assert found.screened > 0 and found.families["climbing"] >= 1


def test_a_true_claim_is_approached_and_not_violated() -> None:
    found = searched(CATALOGUE["R2"], most=30)
    assert found.found is None and found.verdicts["violated"] == 0
    document = summary(found)
    assert document["screened"] > 1000 and document["per_second"] > 0
    ratios = [ratio for _, ratio in document["curve"]]
    assert ratios == sorted(ratios) and 0.9 < ratios[-1] < 1


@pytest.mark.slow
def test_what_is_found_does_not_depend_on_the_number_of_workers() -> None:
    alone, together = (searched(planted("R2", "9/10"), workers=workers) for workers in (1, 2))
    assert alone.found is not None and together.found is not None
    assert alone.found.candidate.instance == together.found.candidate.instance
    assert alone.curve == together.curve
