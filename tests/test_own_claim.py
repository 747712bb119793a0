"""A user's claim, as documented in examples/own_claim.py, gets verdicts, a report section and a place in the catalogue."""

import importlib.util
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mfverify as mfv
from mfverify.papers import register_installed
from mfverify.theory.catalogue import Catalogue
from mfverify.theory.claim import Status, Verdict, finding, judge

EXAMPLE = Path(__file__).parent.parent / "examples" / "own_claim.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("own_claim", EXAMPLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["own_claim"] = module
    spec.loader.exec_module(module)
    return module


def test_claim_gets_a_status_and_a_section_of_the_report(example: ModuleType, tmp_path: Path) -> None:
    report = mfv.verify(claims=[example.CLAIM], out=tmp_path, workers=1)
    assert report.claim("G1")["status"] == Status.CORROBORATED.value
    assert report.unexpected == []
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'id="claim-G1"' in page
    assert "Only the global agent subsamples" in page


def test_sabotaged_claim_is_refuted_where_the_claim_holds(example: ModuleType) -> None:
    pairs = [(finding(example.CLAIM, x).verdict, judge(example.CLAIM.control.sides(x))) for x in example.CLAIM.control.instances()]
    assert (Verdict.HOLDS, Verdict.VIOLATED) in pairs
    refuted = mfv.verify(claims=[replace(example.CLAIM, sides=example.CLAIM.control.sides)], workers=1)
    assert refuted.claim("G1")["status"] == Status.REFUTED.value
    assert refuted.unexpected == ["G1"]


def test_installed_claims_are_registered(example: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Entry:
        found: Any

        def load(self) -> Any:
            return self.found

    other = replace(example.CLAIM, id="G2")
    monkeypatch.setattr(
        "mfverify.papers.entry_points", lambda group: [Entry(example.CLAIM), Entry([other])] if group == "mfverify.claims" else []
    )
    catalogue = Catalogue()
    register_installed(catalogue)
    assert [claim.id for claim in catalogue] == ["G1", "G2"]
