"""The bundled certificates are accepted, have their stories, and come out of claim and instance again, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from mfverify.certificate import certify, check_certificate, load_certificate
from mfverify.papers import CATALOGUE
from mfverify.theory.claim import Status
from tests.checker.test_tampering import BUNDLED, FOLDER, QUICK

LONG = [path for path in BUNDLED if path not in QUICK]
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")


def accepted(path: Path) -> None:
    answer = check_certificate(path)
    assert answer.accepted, answer.reasons
    assert answer.steps == load_certificate(path).document["cost"]["steps"]


@pytest.mark.parametrize("path", QUICK, ids=lambda path: path.stem)
def test_quick_ones_are_accepted_and_come_out_again(path: Path) -> None:
    accepted(path)
    certificate = load_certificate(path)
    assert certify(certificate.document["claim"], certificate.instance).to_json() == path.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("path", LONG, ids=lambda path: path.stem)
def test_long_ones_are_accepted(path: Path) -> None:
    if load_certificate(path).document["cost"]["steps"] > 10**8:
        pytest.skip(f"takes a minute: mfverify check reports/certificates/{path.name}")
    accepted(path)


def test_every_refuted_claim_has_a_certificate_and_every_certificate_a_story() -> None:
    certified = {load_certificate(path).document["claim"] for path in BUNDLED}
    refuted = {claim.id for claim in CATALOGUE if claim.registered is Status.REFUTED}
    assert len(refuted) > 20
    assert certified == refuted
    assert {claim.id for claim in CATALOGUE if claim.certificate is not None} == refuted
    for path in BUNDLED:
        assert f"({path.name})" in INDEX
        assert len((FOLDER / f"{path.stem.split('_')[0]}.md").read_text(encoding="utf-8").split()) > 80
