"""The falsifier against false statements: claims of the catalogue made a little too strong, and plausible ones that are false.

Each is searched like the claim that it is made from, with a limited number of candidates in place of a time limit, so that the outcome
does not depend on the machine. Three more that need islands are in ``tests/falsifier/test_climb.py``. ``python -m
tests.strength.test_planted_claims`` searches all of these and counts those that are found.
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
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.falsifier.evaluation import Candidate, Evaluator
from mfverify.falsifier.search import Searched, search
from mfverify.model import Model
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.dkw_without_replacement import SUP_NORM_TAIL, largest_deviation
from mfverify.papers.mean_field_sampling.mean_distance import TV_MEAN_SHARP
from mfverify.papers.mean_field_sampling.table_sizes import Distributions
from mfverify.papers.mean_field_sampling.tails import tail_sides
from mfverify.papers.mean_field_sampling.total_variation import exact_mean, mean_sides, never_more
from mfverify.papers.ours import symbols
from mfverify.papers.ours.transition_with_fluctuation import fluctuation
from mfverify.papers.quantities import executed, optimum
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import Subsampled, fewer_sampled
from mfverify.theory.cases.transitions import Transition
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Unresolved, Verdict
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement

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
    smaller("R3", Fraction(2, 5)),
    smaller("R3k", Fraction(9, 10)),
    smaller("C5", Fraction(99, 100)),
    smaller("C5e", Fraction(99, 100)),
    smaller("S3", Fraction(7, 10)),
    smaller("B3", Fraction(19, 20)),
    smaller("B5", Fraction(19, 20)),
    smaller("B6", Fraction(3, 5)),
    smaller("X2", Fraction(9, 10)),
    smaller("N1", Fraction(1, 2)),
    smaller("B4r", Fraction(2, 5)),
    smaller("R6", Fraction(1, 10)),
]


def shifted_optimism(instance: Case) -> Outcome:
    """R1 with a thousandth of the range of a gap added to its left side."""
    outcome = CATALOGUE["R1"].sides(instance)
    if not isinstance(outcome, Sides):
        return outcome
    assert outcome.trivial is not None
    return replace(outcome, left=outcome.left + outcome.trivial * Fraction(1, 1000))


def even(model: Model, n: int, k: int) -> Subsampled | None:
    """n agents of which an even number smaller than n is sampled."""
    return fewer_sampled(model, n, k) if k % 2 == 0 else None


def list_against_draw(case: Subsampled) -> Outcome:
    """The largest gap where a list is shared against that where a draw is shared."""
    model, n, k = case.model, case.agents, case.subsample
    try:
        shared_list, draw = ((optimum(model, n) - executed(model, n, k, how)).max() for how in ("shared-list", "shared"))
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(shared_list, draw)


FALSE = [
    planted("R1", "shifted by a thousandth of the range", shifted_optimism),
    replace(CATALOGUE["P4"], id="P4, even k", searched=Arrangement(even, rational_cost)),
    replace(
        CATALOGUE["P4"],
        id="the gap under a shared list is at most that under a shared draw",
        sides=list_against_draw,
        screen=None,
        searched=Arrangement(fewer_sampled, rational_cost),
    ),
]
"""False statements that are not a claim with a smaller constant."""

CANDIDATES_OF = {"N1 times 1/2": 400, "R3k times 9/10": 400}
"""More candidates, where a violation is rare."""


def first_violation(claim: Claim) -> Searched:
    searched = Searched(claim.id, 0)
    search(claim, Evaluator(claim, 1, time.monotonic() + 600), CANDIDATES_OF.get(claim.id, CANDIDATES), searched)
    return searched


def violation(claim: Claim) -> Candidate:
    """What is found, with its sides apart."""
    found = first_violation(claim).found
    assert found is not None
    assert found.verdict is Verdict.VIOLATED
    assert found.left is not None and found.right is not None and found.left.lower > found.right.upper
    return found.candidate


def check(claim: Claim) -> None:
    original = CATALOGUE[claim.id.replace(",", " ").split()[0]]
    outcome = original.sides(violation(claim).instance)
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


@pytest.mark.slow
@pytest.mark.parametrize("claim", FALSE, ids=lambda claim: claim.id)
def test_a_false_claim_is_found(claim: Claim) -> None:
    violation(claim)


def test_the_true_claim_is_not_found_violated() -> None:
    searched = first_violation(CATALOGUE["C4"])
    assert searched.found is None
    assert searched.evaluations == CANDIDATES
    assert searched.verdicts[Verdict.HOLDS.value] > 0


def _tally() -> None:
    """Search every planted claim and count those that are found."""
    one = CATALOGUE["R1"]
    every = [*FAST, planted("R1", one.control.sabotage, one.sabotaged), *FALSE, *SLOW]
    number = 0
    for claim in every:
        searched = first_violation(claim)
        number += searched.found is not None
        looked = f"{searched.evaluations} candidates, {searched.screened} ranked, {searched.seconds:.0f} s"
        print(f"{claim.id}: {'found' if searched.found is not None else 'not found'} ({looked})", flush=True)
    print(f"{number} of {len(every)} found")


if __name__ == "__main__":
    _tally()
