"""The falsifier against false statements (``false_claims.py``), and against a true one that is close to them.

Each is searched like a claim of the catalogue, with a limited number of candidates in place of a time limit, so that the outcome does not
depend on the machine. ``python -m tests.strength.tally`` searches all of them with the usual budget.
"""

from __future__ import annotations

import pytest

from mfverify.falsifier.search import Searched
from mfverify.papers import CATALOGUE
from mfverify.theory.claim import Claim, Sides, Verdict, judge
from tests.strength.false_claims import EARLIER, FALSE, TRUE, Planted
from tests.strength.tally import searched

CANDIDATES = 150

MORE = {
    "X3, twice the gap at k, k >= n/2, discount <= 3/4": 400,
    "N1b, (1-gamma)^2 for (1-gamma)^5": 400,
    "S1, exponent |Z| - 3/2, four or more pairs": 400,
    "P4, the gap of systematic draws is at most that of independent ones": 300,
    "N1, times 1/2": 400,
    "R3k, times 9/10": 400,
    "B6, times 3/5": 300,
}
"""More candidates, where a violation is rare."""

SEEDS = {"R4, times 1/2": 1, "R6, times 1/9": 2, "P4, shared draw, two local actions, k >= n/2": 5}
"""Seeds with which a violation is found after few candidates, where seed 0 needs many islands."""

LONG = {
    "P4, a twentieth of the range as room",
    "P4, shared draw: the gap does not grow with n from 2k on",
    "P4, the smallest gap over start states is at most half of the largest",
    "P4, the gap of a draw at each step is at most that of one draw forever",
    "P3, where each state has one optimal joint action",
    "X3, twice the gap at k, k >= n/2, discount <= 3/4",
    "V3f, without the distance of the limit",
    "B7, three sevenths of the iterations",
    "R1, the largest value over states does not fall with n",
}
"""Claims whose search takes more than a second or two."""

TALLY_ALONE = {"R4, times 3/4", "R4, independent draws", "V2, times 1/5"}
"""Claims of the list that need about a minute; ``python -m tests.strength.tally`` searches them."""


def marked(claim: Claim) -> object:
    return pytest.param(claim, id=claim.id, marks=[pytest.mark.slow] if claim.id in LONG else [])


def first_violation(claim: Claim) -> Searched:
    return searched(claim, SEEDS.get(claim.id, 0), 600, MORE.get(claim.id, CANDIDATES))


def test_the_lists_are_as_long_as_they_say() -> None:
    ids = [one.claim.id for one in FALSE] + [one.id for one in (*EARLIER, *TRUE)]
    assert (len(FALSE), len(TRUE)) == (30, 10) and len(set(ids)) == len(ids) >= 66
    assert {*LONG, *TALLY_ALONE, *MORE, *SEEDS} <= set(ids)


@pytest.mark.parametrize("planted", FALSE, ids=lambda planted: planted.claim.id)
def test_a_false_claim_fails_where_it_is_said_to(planted: Planted) -> None:
    assert judge(planted.claim.sides(planted.witness)) is Verdict.VIOLATED


@pytest.mark.parametrize("claim", [marked(one.claim) for one in FALSE if one.claim.id not in TALLY_ALONE])
def test_a_false_claim_of_the_list_is_found(claim: Claim) -> None:
    check_violated(claim)


@pytest.mark.slow
@pytest.mark.parametrize("claim", list(EARLIER), ids=lambda claim: claim.id)
def test_an_earlier_false_claim_is_found(claim: Claim) -> None:
    instance = check_violated(claim)
    if "times" in claim.id:
        outcome = CATALOGUE[claim.id.split(",")[0]].sides(instance)
        assert isinstance(outcome, Sides) and (outcome.left <= outcome.right) is True, "the true claim holds there"


def check_violated(claim: Claim) -> object:
    """Search it; what is found is violated, its sides apart."""
    found = first_violation(claim).found
    assert found is not None and found.verdict is Verdict.VIOLATED
    assert found.left is not None and found.right is not None and found.left.lower > found.right.upper
    return found.candidate.instance


def test_the_true_claim_is_not_found_violated() -> None:
    out = first_violation(CATALOGUE["C4"])
    assert out.found is None
    assert out.evaluations == CANDIDATES
    assert out.verdicts[Verdict.HOLDS.value] > 0
