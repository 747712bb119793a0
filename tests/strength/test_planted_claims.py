"""The falsifier against false statements: true claims of the catalogue, each made a little too strong.

Each is searched like the claim that it is made from, with a limited number of candidates in place of a time limit, so that the outcome
does not depend on the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial

import pytest
import sympy as sp

from mfverify.enclosure import Interval
from mfverify.falsifier.evaluation import Evaluator
from mfverify.falsifier.search import Searched, search
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.dkw_without_replacement import SUP_NORM_TAIL, largest_deviation
from mfverify.papers.mean_field_sampling.mean_distance import TV_MEAN_SHARP
from mfverify.papers.mean_field_sampling.table_sizes import Distributions
from mfverify.papers.mean_field_sampling.tails import tail_sides
from mfverify.papers.mean_field_sampling.total_variation import exact_mean, mean_sides, never_more
from mfverify.papers.ours import symbols
from mfverify.papers.ours.transition_with_fluctuation import fluctuation
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.transitions import Transition
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Verdict
from mfverify.theory.sabotage import by_factor

CANDIDATES = 150


def smaller(claim_id: str, factor: Fraction) -> Claim:
    """The claim with its right side multiplied by a constant below 1."""
    original = CATALOGUE[claim_id]

    def sides(instance: Case) -> Outcome:
        outcome = original.sides(instance)
        return replace(outcome, right=outcome.right * factor) if isinstance(outcome, Sides) else outcome

    return replace(original, id=f"{claim_id} times {factor}", sides=sides)


def sabotaged(claim_id: str, control: Control) -> Claim:
    """The claim with another side."""
    return planted(claim_id, control.sabotage, replace(CATALOGUE[claim_id], control=control).sabotaged)


def three_quarters(right: Interval, case: Transition) -> Interval:
    """The right side of C7r with three quarters of the fluctuation."""
    return right - fluctuation(case) / 4


def planted(claim_id: str, name: str, sides: Callable[[Case], Outcome]) -> Claim:
    return replace(CATALOGUE[claim_id], id=f"{claim_id}, {name}", sides=sides)


def table_without_two(instance: Case) -> Outcome:
    outcome = CATALOGUE["S1"].sides(instance)
    assert isinstance(outcome, Sides) and isinstance(instance, Distributions)
    return replace(outcome, right=outcome.right * Fraction(1, instance.subsample**2))


_ROOT_OF_THE_CUBE = 2 * symbols.Z * sp.exp(-2 * symbols.k * symbols.n * symbols.epsilon ** sp.Rational(3, 2) / (symbols.n - symbols.k + 1))
_N_FOR_N_MINUS_1 = sp.sqrt((symbols.Z - 1) * (symbols.n - symbols.k) / (symbols.k * symbols.n)) / 2

FAST = [
    smaller("C1", Fraction(1, 3)),
    planted(
        "C1",
        "epsilon^1.5 for epsilon^2",
        partial(tail_sides, largest_deviation, replace(SUP_NORM_TAIL, expression=_ROOT_OF_THE_CUBE)),
    ),
    planted(
        "C4",
        "n for n - 1",
        partial(
            mean_sides,
            exact_mean,
            replace(TV_MEAN_SHARP, expression=_N_FOR_N_MINUS_1),
            never_more,
        ),
    ),
    sabotaged("C4l", Control("2/5 for 1/4", left=by_factor(Fraction(8, 5)))),
    smaller("C4m", Fraction(99, 100)),
    sabotaged("C7r", Control("three quarters of the fluctuation", right=three_quarters)),
    smaller("R3m", Fraction(3, 4)),
    planted("S1", "exponent |Z| - 2 for |Z|", table_without_two),
]
SLOW = [
    smaller("L1", Fraction(19, 20)),
    smaller("R2", Fraction(1, 2)),
    smaller("R4", Fraction(1, 10)),
]


def first_violation(claim: Claim) -> Searched:
    searched = Searched(claim.id, 0)
    search(claim, Evaluator(claim, 1, time.monotonic() + 600), CANDIDATES, searched)
    return searched


def check(claim: Claim) -> None:
    found = first_violation(claim).found
    assert found is not None
    assert found.verdict is Verdict.VIOLATED
    assert found.left is not None and found.right is not None and found.left.lower > found.right.upper
    original = CATALOGUE[claim.id.replace(",", " ").split()[0]]
    outcome = original.sides(found.candidate.instance)
    assert isinstance(outcome, Sides) and (outcome.left <= outcome.right) is True, "the true claim holds there"


def test_there_are_ten_and_more() -> None:
    assert len(FAST) + len(SLOW) >= 10


@pytest.mark.parametrize("claim", FAST, ids=lambda claim: claim.id)
def test_a_planted_false_claim_is_found(claim: Claim) -> None:
    check(claim)


def test_a_planted_false_claim_whose_right_side_is_zero_is_found() -> None:
    # 99/100 of "0" is 0: R1 is made false on its left side instead.
    claim = CATALOGUE["R1"]
    check(planted("R1", claim.control.sabotage, claim.sabotaged))


@pytest.mark.slow
@pytest.mark.parametrize("claim", SLOW, ids=lambda claim: claim.id)
def test_a_planted_false_claim_is_found_by_local_search(claim: Claim) -> None:
    check(claim)


def test_the_true_claim_is_not_found_violated() -> None:
    searched = first_violation(CATALOGUE["C4"])
    assert searched.found is None
    assert searched.evaluations == CANDIDATES
    assert searched.verdicts[Verdict.HOLDS.value] > 0
