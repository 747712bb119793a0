"""A user's claim, as documented in examples/own_claim.py, gets verdicts, a report section and a place in the catalogue."""

import importlib.util
import json
import pickle
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mfverify as mfv
from mfverify.cli import run
from mfverify.papers import CATALOGUE, register_installed
from mfverify.papers.named import claim_named, name_of
from mfverify.theory.catalogue import Catalogue
from mfverify.theory.claim import Status, Verdict, finding, judge
from mfverify.verification import _Task

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
    assert "<h1>Verification report: G1</h1>" in page
    assert "Only the global agent subsamples" in page


def test_the_report_of_the_catalogue_keeps_its_title(tmp_path: Path) -> None:
    mfv.verify(["C3"], out=tmp_path, workers=1, instance="n=2 k=1 population=1+1")
    assert "<h1>Verification report: mean-field subsampling</h1>" in (tmp_path / "report.html").read_text(encoding="utf-8")


OTHER = """
from dataclasses import replace
from mfverify.papers import CATALOGUE
from beside import TITLE

OWN = replace(CATALOGUE["C3"], id="Y1", title=TITLE)
NUMBER = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another folder, with a claim file that imports a file beside it."""
    (tmp_path / "claims.py").write_text(OTHER, encoding="utf-8")
    (tmp_path / "beside.py").write_text('TITLE = "A claim of the user"\n', encoding="utf-8")
    (tmp_path / "broken.py").write_text("x = 1\nx.nothing\n", encoding="utf-8")
    (tmp_path / "unread.py").write_text("def f(:\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_claim_of_a_file_is_verified_from_any_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["verify", "--claims", "claims.py:OWN", "--instance", "n=2 k=1 population=1+1", "--workers", "1"]
    assert run([*line, "--out", "out"]) == 0
    assert "violated" in capsys.readouterr().out
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "A claim of the user" in page and "<h1>Verification report: Y1</h1>" in page
    assert run([*line, "--json"]) == 0
    (instance,) = json.loads(capsys.readouterr().out)["claims"][0]["instances"]
    assert instance["reproduce"].startswith(f"mfverify verify --claims {folder / 'claims.py'}:OWN --instance ")


def test_workers_read_the_file_of_a_claim_again(folder: Path) -> None:
    claim = claim_named("claims.py:OWN")
    assert name_of(claim) == f"{folder / 'claims.py'}:OWN"
    sent = pickle.dumps(_Task(claim, claim.instances(mfv.Profile.QUICK, None)[0], "key", "", False))
    assert pickle.loads(sent).claim is claim
    assert name_of(replace(claim, title="made elsewhere")) is None
    assert name_of(CATALOGUE["C3"]) == "C3"


def test_a_changed_file_is_read_again(folder: Path) -> None:
    assert claim_named("claims.py:OWN").id == "Y1"
    (folder / "claims.py").write_text(OTHER.replace("Y1", "Y2"), encoding="utf-8")
    assert claim_named("claims.py:OWN").id == "Y2"


def test_a_claim_of_a_file_is_searched(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["falsify", "claims.py:OWN", "--candidates", "20", "--workers", "1"]) == 0
    assert "Y1: violated at" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nowhere.py:OWN", "nowhere.py: there is no such file; a claim of your own is given as FILE.py:NAME"),
        ("claims.py:OTHER", "claims.py: defines no 'OTHER'; the claims in it are OWN"),
        ("claims.py:", "claims.py: defines no ''; the claims in it are OWN"),
        ("claims.py:NUMBER", "claims.py:NUMBER: is a int, expected a Claim"),
        ("broken.py:OWN", "broken.py: line 2: AttributeError: 'int' object has no attribute 'nothing'"),
        ("unread.py:OWN", "unread.py: line 1: SyntaxError: "),
    ],
)
def test_a_file_without_the_claim_is_refused_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    assert run(["verify", "--claims", text, "--out", "out"]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith(f"mfverify: error: {said}")
    assert not (folder / "out").exists()


def test_sabotaged_claim_is_refuted_where_the_claim_holds(example: ModuleType) -> None:
    pairs = [(finding(example.CLAIM, x).verdict, judge(example.CLAIM.sabotaged(x))) for x in example.CLAIM.controlled()]
    assert (Verdict.HOLDS, Verdict.VIOLATED) in pairs
    refuted = mfv.verify(claims=[replace(example.CLAIM, sides=example.CLAIM.sabotaged)], workers=1)
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
