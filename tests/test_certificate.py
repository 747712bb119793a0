"""Certificates: built for violated instances, accepted by the independent checker, the same bytes every time."""

from __future__ import annotations

from pathlib import Path

import pytest

import mfverify as mfv
from mfverify.certificate import certify, check_certificate, load_certificate
from mfverify.cli import run
from mfverify.theory.claim import Instance

POPULATION = (("population", "1+1+1+1+1+1+1+1"),)
MOVE = (("population", "2+0"), ("kernel", "uniform"))
SMALL = [
    ("T1", Instance(mfv.models.coordination(), 50, 49)),
    ("P3", Instance(mfv.models.splitting(), 2, 2)),
    ("P4", Instance(mfv.models.splitting(), 3, 1)),
    ("L2", Instance(mfv.models.absorbing(), None, 1, (("other", 2),))),
    ("C2", Instance(None, 8, 4, POPULATION)),
    ("C3", Instance(None, 2, 1, (("population", "1+1"),))),
    ("C7", Instance(None, 2, 1, (("sample", "1+0"), *MOVE))),
    ("C7b", Instance(None, 2, 1, (("sample", "uniform"), *MOVE))),
    ("X3b", Instance(mfv.models.absorbing(), 8, 1, (("transitions", 0),))),
]


@pytest.mark.parametrize(("claim", "instance"), SMALL, ids=[claim for claim, _ in SMALL])
def test_a_violation_is_certified_and_accepted(claim: str, instance: Instance) -> None:
    certificate = certify(claim, instance)
    assert certificate.document["claim"] == claim
    answer = check_certificate(certificate)
    assert answer.accepted, answer.reasons
    assert certify(claim, instance).to_json() == certificate.to_json()


def test_a_file_holds_all_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c3.json"
    certificate = certify(*SMALL[5])
    certificate.save(path)
    assert load_certificate(path).document == certificate.document
    assert check_certificate(path).accepted
    assert run(["check", str(path)]) == 0
    assert capsys.readouterr().out.startswith("accepted")
    path.write_text(path.read_text().replace('"C3"', '"C2"'))
    assert run(["check", str(path), "--json"]) == 1
    assert '"accepted": false' in capsys.readouterr().out
    assert run(["check", str(tmp_path / "missing.json")]) == 2


def test_what_holds_is_not_certified() -> None:
    with pytest.raises(mfv.ModelError, match="is holds, and only a violation can be certified"):
        certify("P3", Instance(mfv.models.coordination(), 3, 3))
    with pytest.raises(mfv.ModelError, match="certificates cover"):
        certify("L1", Instance(mfv.models.absorbing(), None, 1, (("other", 1),)))
    with pytest.raises(mfv.ModelError, match="is not in the catalogue"):
        certify("Z9", Instance(None))
