"""Grounds of claims: what they have to say, and what a claim without any stands on."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module

import pytest

from mfverify.claims import CATALOGUE
from mfverify.claims.claim import Status
from mfverify.claims.grounds import REFUTED, SEARCH_ONLY, Anchor, Ground, Grounds, by_definition, proof, theorem
from mfverify.errors import ModelError


def headings(docstring: str) -> dict[str, str]:
    """The texts of a docstring by heading: a paragraph that begins with words between asterisks, and what follows up to the next."""
    found: dict[str, str] = {}
    current: list[str] = []
    for paragraph in re.split(r"\n\s*\n", docstring):
        emphasised = re.match(r"\s*\*{1,2}([^*]+?)\.?\*{1,2}(?=[\s.:])", paragraph)
        if emphasised:
            words = re.sub(r"\s*\([^)]*\)", "", " ".join(emphasised[1].split()))
            current = [part.strip() for part in words.split(",")]
            text = paragraph[emphasised.end() :]
        else:
            text = paragraph
        for name in current:
            found[name] = found.get(name, "") + text
    return found


def proof_text(anchor: Anchor) -> str:
    """What stands at an anchor; empty where there is no such heading."""
    return headings(import_module(anchor.module).__doc__ or "").get(anchor.heading, "")


def test_the_texts_of_a_docstring_are_found_by_their_headings() -> None:
    found = headings("Title.\n\n**A, b.** First\nline.\n\nMore of it.\n\n*C (mean).* Third. *No heading* here.\n\n``x`` and *y*.\n")
    assert {name: " ".join(text.split()) for name, text in found.items()} == {
        "A": "First line.More of it.",
        "b": "First line.More of it.",
        "C": "Third. *No heading* here.``x`` and *y*.",
    }
    assert proof_text(Anchor("mfverify.claims.repaired", "R1"))
    assert not proof_text(Anchor("mfverify.claims.repaired", "R99"))


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
    assert proof("mfverify.claims.repaired", "R1", ["B1"]).to_json() == {
        "kind": "proof of ours",
        "sentence": Ground.PROOF.sentence,
        "where": "mfverify/claims/repaired.py, under R1",
        "uses": ["B1"],
    }
    assert SEARCH_ONLY.to_json() == {"kind": "search only", "sentence": Ground.SEARCH.sentence, "where": "", "uses": []}


def test_a_claim_without_grounds_stands_on_its_counterexample_or_on_a_search() -> None:
    claim = replace(CATALOGUE["C1"], grounds=None)
    assert claim.stands_on is SEARCH_ONLY
    assert replace(claim, registered=Status.REFUTED).stands_on is REFUTED
    given = theorem("Serfling 1974")
    assert replace(claim, grounds=given).stands_on is given
    assert replace(claim, grounds=given, registered=Status.REFUTED).stands_on is REFUTED  # a counterexample outweighs an argument
