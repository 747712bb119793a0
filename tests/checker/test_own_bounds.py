"""Certificates of bounds of the gap that are not in the catalogue: the checker evaluates their expression, or says that it does not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import sympy as sp

import mfverify as mfv
from mfverify.certificate import certify, check_certificate
from mfverify.cli import run
from mfverify.theory.symbols import k, rt
from tests.checker.own_claims import BOUND, W, number, own_claim, values

CASE = mfv.Subsampled(mfv.models.splitting(), 2, 2)


def test_the_checker_evaluates_the_expression_of_the_bound() -> None:
    certificate = certify(own_claim(), CASE)
    assert certificate.document["claim"] == "own:Y1"
    assert certificate.document["parameters"] == {"bound": "w*log(2*k)/(100*sqrt(k))", "w": "1/2"}
    answer = check_certificate(certificate)
    assert answer.accepted, answer.reasons
    assert answer.reasons[0].startswith("own:Y1 is violated: left side >= ")
    assert answer.reasons[1] == "this is at n = 2, k = 2, bound = w*log(2*k)/(100*sqrt(k)), w = 1/2"
    assert answer.reasons[2:4] == [
        "what the claim assumes beyond the class of models is not checked",
        "w: as the certificate states, not derived from the model",
    ]
    assert certify(own_claim(), CASE).to_json() == certificate.to_json()


@pytest.mark.parametrize(
    "proof",
    [
        mfv.GapProof(number),
        mfv.GapProof(BOUND, lambda _: {W: mfv.Interval(Fraction(1, 2), Fraction(2, 3))}),
        mfv.GapProof(replace(BOUND, expression=BOUND.expression * sp.pi / 4), values),
        mfv.GapProof(replace(BOUND, expression=sp.Piecewise((rt, k > 5), (rt / 1000, True)))),
    ],
    ids=["a function", "a value that is not exact", "a number that is not in the grammar", "cases"],
)
def test_what_the_checker_cannot_read_is_taken_on_trust_and_it_says_so(proof: mfv.GapProof) -> None:
    certificate = certify(own_claim(proof), CASE)
    assert certificate.document["parameters"] == {"bound": None}
    answer = check_certificate(certificate)
    assert answer.accepted, answer.reasons
    assert answer.reasons[0].endswith(", taken on trust")
    assert "the right side is taken on trust: the certificate has no expression of it" in answer.reasons


def test_a_gap_bound_is_certified_without_a_word_about_it() -> None:
    plain = replace(BOUND, expression=rt / 100, symbols=())
    certificate = certify(own_claim(certificate=None, gap_bound=plain), CASE)
    assert certificate.document["parameters"] == {"bound": "rt/100"}
    assert check_certificate(certificate).accepted


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"certificate": None}, "give the claim certificate=mfverify.GapProof"),
        ({"certificate": None, "gap_bound": BOUND, "gap_sampling": "shared"}, "with independent draws"),
        ({"certificate": mfv.GapProof(BOUND, values, later=lambda n, _: n)}, "covers a bound of the optimality gap"),
        ({"certificate": mfv.GapProof()}, "covers a bound of the optimality gap"),
        ({"id": "my lemma"}, "rename the claim"),
    ],
)
def test_what_is_not_covered_is_refused_with_a_remedy(changes: dict[str, object], words: str) -> None:
    with pytest.raises(mfv.ModelError, match=words):
        certify(own_claim(**changes), CASE)


def test_the_instance_is_known_to_the_claim_only() -> None:
    with pytest.raises(mfv.ModelError, match="own:Y1: is the certificate of a claim that is not in the catalogue"):
        _ = certify(own_claim(), CASE).instance
    with pytest.raises(mfv.ModelError, match="the verdict is holds, and only a violation can be certified"):
        certify(own_claim(sides=lambda _: mfv.Sides(mfv.Interval.exactly(0), mfv.Interval.exactly(1))), CASE)


FILE = """
from tests.checker.own_claims import own_claim

OWN = own_claim()
"""


def test_a_search_from_another_folder_certifies_a_claim_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lemma.py").write_text(FILE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(["falsify", "lemma.py:OWN", "--candidates", "5", "--workers", "1", "--out", "Y1.json"]) == 0
    assert "  certified\nwrote Y1.json" in capsys.readouterr().out
    assert run(["check", "Y1.json"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("accepted\n  own:Y1 is violated: ")
    assert max(map(len, said.splitlines())) <= 80
