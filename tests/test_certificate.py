"""Certificates: built for violated instances, accepted by the independent checker, the same bytes every time."""

from __future__ import annotations

from pathlib import Path

import pytest

import mfverify as mfv
from mfverify.certificate import certify, check_certificate, load_certificate
from mfverify.cli import run
from mfverify.papers.mean_field_sampling.theorem_4_12 import LinearProcess
from mfverify.papers.mean_field_sampling.theorem_e_3 import TwoSizes
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.cases.populations import SampledPopulation
from mfverify.theory.cases.transitions import MeanTransition, Transition

SMALL = [
    ("T1", Subsampled(mfv.models.coordination(), 50, 49)),
    ("P3", Subsampled(mfv.models.splitting(), 2, 2)),
    ("P4", Subsampled(mfv.models.splitting(), 3, 1)),
    ("L2", TwoSizes(mfv.models.absorbing(), 1, 2)),
    ("C2", SampledPopulation((1,) * 8, 4)),
    ("C3", SampledPopulation((1, 1), 1)),
    ("C7", Transition((1, 0), (2, 0), "uniform")),
    ("C7b", MeanTransition((2, 0), "uniform", 1)),
    ("X3b", LinearProcess(mfv.models.absorbing(), 8, 1, None, 0)),
]


@pytest.mark.parametrize(("claim", "instance"), SMALL, ids=[claim for claim, _ in SMALL])
def test_a_violation_is_certified_and_accepted(claim: str, instance: Case) -> None:
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
    with pytest.raises(mfv.ModelError, match="the verdict is holds, and only a violation can be certified"):
        certify("P3", Subsampled(mfv.models.coordination(), 3, 3))
    with pytest.raises(mfv.ModelError, match="certificates cover"):
        certify("L1", TwoSizes(mfv.models.absorbing(), 1, 1))
    with pytest.raises(mfv.ModelError, match="is not in the catalogue"):
        certify("Z9", Case())
