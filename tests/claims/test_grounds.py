"""Grounds of claims: what they have to say, and what a claim without any stands on."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mfverify.errors import ModelError
from mfverify.papers import CATALOGUE
from mfverify.theory.claim import Claim, Status
from mfverify.theory.grounds import REFUTED, SEARCH_ONLY, Ground, Grounds, by_definition, proof, theorem


@pytest.mark.parametrize("kind", list(Ground))
def test_every_kind_has_a_sentence_of_its_own(kind: Ground) -> None:
    assert kind.sentence.endswith(".")
    assert [other for other in Ground if other.sentence == kind.sentence] == [kind]


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (lambda: Grounds(Ground.PROOF), "proof of ours without a place"),
        (lambda: Grounds(Ground.PROOF, "Serfling 1974"), "expected the Anchor of a proof"),
        (lambda: theorem(" "), "known theorem without a place"),
        (lambda: by_definition(""), "by definition without a place"),
        (lambda: Grounds(Ground.SEARCH, uses=("C1",)), "search only is no argument, so it uses no claim; found C1"),
    ],
)
def test_grounds_that_say_nothing_are_refused(made: object, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        made()  # type: ignore[operator]


def test_grounds_as_json() -> None:
    assert proof("docs/proofs.md", "R1", ["B1"]).to_json() == {
        "kind": "proof of ours",
        "sentence": Ground.PROOF.sentence,
        "where": "docs/proofs.md#R1",
        "uses": ["B1"],
    }
    assert proof("my.statements", "A").to_json()["where"] == "my/statements.py, under A"
    assert SEARCH_ONLY.to_json() == {"kind": "search only", "sentence": Ground.SEARCH.sentence, "where": "", "uses": []}


def test_a_claim_without_grounds_stands_on_its_counterexample_or_on_a_search() -> None:
    claim = replace(CATALOGUE["C1"], grounds=None)
    assert claim.stands_on is SEARCH_ONLY
    assert replace(claim, registered=Status.REFUTED).stands_on is REFUTED
    given = theorem("Serfling 1974")
    assert replace(claim, grounds=given).stands_on is given
    assert replace(claim, grounds=given, registered=Status.REFUTED).stands_on is REFUTED  # a counterexample outweighs an argument


# ------------------------------------------------------------------------------------------------------- every claim of the catalogue

STANDING = [claim for claim in CATALOGUE if claim.registered is not Status.REFUTED]
EVERY_STANDING_CLAIM = pytest.mark.parametrize("claim", STANDING, ids=[claim.id for claim in STANDING])


@EVERY_STANDING_CLAIM
def test_a_claim_that_is_not_refuted_states_its_grounds(claim: Claim) -> None:
    assert claim.grounds is not None, "state a proof, a theorem, a definition, or SEARCH_ONLY"
    if claim.grounds.kind is Ground.THEOREM:
        assert re.search(r"\b(18|19|20)\d\d\b", str(claim.grounds.where)), "a reference without a year"


def test_a_refuted_claim_states_none() -> None:
    assert [claim.id for claim in CATALOGUE if claim.registered is Status.REFUTED and claim.grounds is not None] == []


@EVERY_STANDING_CLAIM
def test_an_argument_of_ours_uses_only_what_has_an_argument_itself(claim: Claim) -> None:
    uses = claim.stands_on.uses
    assert sorted(set(uses)) == sorted(uses)
    for used in uses:
        assert CATALOGUE[used].stands_on.kind.is_argument, f"{used} is {CATALOGUE[used].stands_on.kind.value}"


def test_no_argument_of_ours_goes_in_a_circle() -> None:
    left = {claim.id: set(claim.stands_on.uses) for claim in CATALOGUE}
    assert any(left.values())
    while left:
        free = {name for name, uses in left.items() if not uses & left.keys()}
        assert free, f"a circle among {sorted(left)}"
        left = {name: uses for name, uses in left.items() if name not in free}


def test_what_has_no_proof_is_known() -> None:
    """None today; a new claim without a proof is added here on purpose."""
    assert {claim.id for claim in STANDING if claim.grounds is SEARCH_ONLY} == set()
