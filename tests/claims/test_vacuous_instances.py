"""Instances that say nothing are called vacuous: every use of ``tightest``, and every claim with a trivial bound that is easy to miss."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mfverify import models
from mfverify.model import Model
from mfverify.models import absorbing, coordination, random_coupled, redrawn, splitting
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.laws_of_estimates import Estimate
from mfverify.papers.mean_field_sampling.mean_distance import Balanced
from mfverify.papers.mean_field_sampling.permutation_invariance import Iterations
from mfverify.papers.mean_field_sampling.regime_switch import Switched
from mfverify.papers.mean_field_sampling.theorem_e_3 import TwoSizes
from mfverify.papers.ours import bias_after_maximum
from mfverify.papers.ours.redrawn_types import RedrawnTypes
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.cases.populations import EveryPopulation, SampledPopulation
from mfverify.theory.claim import Sides, Verdict, finding, judge

HOLDS, VACUOUS, VIOLATED = Verdict.HOLDS, Verdict.VACUOUS, Verdict.VIOLATED


def still(rewards: int = 0, global_actions: int = 2) -> Model:
    """A model in which nothing moves, and every agent earns ``rewards`` in state 1 and nothing in state 0."""
    stay = [[[[int(t == s) for t in range(2)] for _ in range(2)]] for s in range(2)]
    earned = [[[0, 0]], [[rewards, rewards]]]
    return Model([[[1]] * global_actions], stay, [[0] * global_actions], earned, "1/2", f"still({rewards}, {global_actions})")


def population(counts: str, k: int) -> Case:
    return SampledPopulation(tuple(map(int, counts.split("+"))), k)


def everything(n: int) -> Case:
    return EveryPopulation(n)


def switch(first: int, last: int, states: int = 2) -> Case:
    return Switched(states, 1, first, last)


def samples(model: Model, k: int, m: int) -> Case:
    return Estimate(model, k, m)


def types(n: int, k: int) -> Case:
    return RedrawnTypes(redrawn(), n, k, Fraction("1/100"))


@pytest.mark.parametrize(
    ("claim", "instance", "verdict"),
    [
        # The bias: 2.136 against gamma times the span, 2.095. With more samples the bound is below it.
        ("B4r", samples(random_coupled(4), 2, 1), VACUOUS),
        ("B4r", samples(random_coupled(4), 2, 2), HOLDS),
        ("B4r", samples(coordination(), 2, 1), VACUOUS),
        ("B4r", samples(coordination(), 1, 1), HOLDS),
        # Lipschitz: without rewards nothing can differ.
        ("L1", TwoSizes(still(0), 2, 2), VACUOUS),
        ("L1", TwoSizes(still(1), 2, 2), HOLDS),
        ("R2", Subsampled(random_coupled(4), 2, 1), VACUOUS),
        ("R2", Subsampled(coordination(), 2, 1), HOLDS),
        ("R2L", Subsampled(coordination(), 2, 1), VACUOUS),
        ("R2L", Subsampled(absorbing(), 3, 2), HOLDS),
        # Distances: of two agents 1 - k/n is 1/2.
        ("C4", everything(2), VACUOUS),
        ("C4", everything(3), HOLDS),
        ("C4m", everything(2), VACUOUS),
        ("C4m", everything(4), HOLDS),
        ("C4l", Balanced(1), HOLDS),
        ("R3m", everything(3), VACUOUS),
        ("R3m", everything(4), HOLDS),
        ("R3k", everything(2), VACUOUS),
        ("R3k", everything(3), HOLDS),
        ("R3", everything(4), VACUOUS),
        ("R3", everything(8), HOLDS),
        # In two balanced classes KL <= ln 2 <= ln(n/k).
        ("C5", population("10+10", 5), VACUOUS),
        ("C5", population("10+10", 10), VACUOUS),
        ("C5", population("19+1", 20), VACUOUS),
        ("C5", population("19+1", 5), HOLDS),
        ("C5", everything(4), HOLDS),
        # Every sample of one class has the population's distribution, and so has the sample of all.
        ("C1", population("4", 2), VACUOUS),
        ("C1", population("2+2", 4), VACUOUS),
        ("C1", population("50+50", 50), HOLDS),
        ("R3", population("4", 2), VACUOUS),
        # Tables: where both are equal any rule picks the smaller one.
        ("S2", switch(1, 2), VACUOUS),
        ("S2", switch(1, 30, states=1), VACUOUS),
        ("S2", switch(7, 7), HOLDS),
        ("S2", switch(3, 3), VIOLATED),
        ("S2e", switch(1, 1), VACUOUS),
        ("S2e", switch(1, 30), HOLDS),
        ("S2r", switch(1, 2), VACUOUS),
        ("S2r", switch(7, 7), HOLDS),
        # A lower bound of a gap that is not positive.
        ("T3f", types(8, 1), VACUOUS),
        ("T3f", types(7, 7), VACUOUS),
        ("T3f", types(20, 3), HOLDS),
        # Where all rewards are 0 every value is 0.
        *((name, Subsampled(still(0), 3, k), VACUOUS) for name, k in (("R1", 2), ("P4r", 2), ("P3", 3), ("P3s", 3))),
        *((name, Subsampled(still(1), 3, k), HOLDS) for name, k in (("R1", 2), ("P4r", 2), ("P3", 3), ("P3s", 3))),
        *((name, Subsampled(still(0, 1), 3, 2), VACUOUS) for name in ("R5", "R5b")),
        *((name, Subsampled(still(1, 1), 3, 2), HOLDS) for name in ("R5", "R5b")),
        ("B2", Iterations(still(0), 2, 2), VACUOUS),
        ("B2", Iterations(still(1), 2, 2), HOLDS),
        ("P3", Subsampled(splitting(), 2, 2), VIOLATED),
    ],
    ids=lambda x: x.label if isinstance(x, Case) else getattr(x, "value", x),
)
def test_the_verdict(claim: str, instance: Case, verdict: Verdict) -> None:
    assert finding(CATALOGUE[claim], instance).verdict is verdict


def test_the_numbers_of_a_vacuous_bias() -> None:
    sides = CATALOGUE["B4r"].sides(samples(random_coupled(4), 2, 1))
    assert isinstance(sides, Sides) and sides.trivial is not None
    assert 2.135 < sides.right.lower < 2.137
    assert 2.094 < sides.trivial.lower < 2.096


def test_a_negative_bias_violates_however_vacuous_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bias_after_maximum, "biases", lambda *_: {(0, (1, 1)): Fraction(-1, 10**9), (1, (1, 1)): Fraction(1, 10)})
    sides = CATALOGUE["B4r"].sides(samples(random_coupled(4), 2, 1))
    assert judge(sides) is VIOLATED
    assert isinstance(sides, Sides) and sides.left.lower == Fraction(1, 10**9)


def test_claims_that_need_a_condition_are_vacuous_without_rewards() -> None:
    """Without rewards every action is optimal, so the unique optimum of P3r exists only where there is one action."""
    alone = Model([[[1]]], [[[[1, 0]]], [[[0, 1]]]], [[0]], [[[0]], [[0]]], "1/2", "one action, no reward")
    for claim in ("P3r", "X3p"):
        assert finding(CATALOGUE[claim], Subsampled(alone, 2, 2)).verdict is VACUOUS
    assert finding(CATALOGUE["P3r"], Subsampled(models.coordination(), 3, 3)).verdict is HOLDS
