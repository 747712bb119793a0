"""``mfverify certify``: a certificate that the checker accepts, or one line that says why there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mfverify.cli import run

LABEL = "first=1+0/0+1 second=0+0/0+0"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "lemma.py").write_text("from tests.checker.own_claims import own_claim\n\nOWN = own_claim()\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["M1", "--instance", LABEL], "M1 is violated: left side >= 1, right side <= 0.5"),
        (["C3", "--agents", "2", "--subsample", "1"], "C3 is violated: left side >= 1, right side <= 0.6"),
        (["P3", "models:splitting", "--agents", "2", "--subsample", "2"], "P3 is violated: left side >= "),
        (["lemma.py:OWN", "models:splitting", "--agents", "2", "--subsample", "2"], "own:Y1 is violated: left side >= "),
        (["lemma.py:OWN", "--instance", "splitting(cost=1/10, discount=1/2) n=2 k=2"], ""),
    ],
)
def test_a_violation_is_certified(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], shown: str) -> None:
    assert run(["certify", *arguments, "--out", "found.json"]) == (0 if shown else 2)
    out, err = capsys.readouterr()
    if not shown:
        assert err.startswith("mfverify: error: --instance: ") and "is no instance of Y1; take a label from report.json" in err
        return
    assert err == ""
    assert out.startswith(shown) and out.endswith("\nwrote found.json\n")
    assert max(map(len, out.splitlines())) <= 80
    assert run(["check", "found.json"]) == 0
    assert " ".join(capsys.readouterr().out.split()).startswith(f"accepted {shown}")


def test_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["certify", "M1", "--instance", LABEL, "--out", "found.json", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["certificate"] == json.loads((folder / "found.json").read_text(encoding="utf-8"))
    assert shown["accepted"] is True


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["M1"], "--instance: is missing; give the label of an instance, or a model with --agents and --subsample"),
        (["M1", "--agents", "2", "--instance", LABEL], "--instance: names the instance, and so does --agents; leave one of the two out"),
        (["M1", "--instance", "n=1"], "--instance: 'n=1' is no instance of M1; take a label from report.json"),
        (["M1", "--agents", "2", "--subsample", "1"], "claim M1: has other parameters than a model, n and k"),
        (
            ["C3", "models:splitting", "--agents", "2", "--subsample", "1"],
            "model: claim C3 is about populations of n agents in classes; leave the model out",
        ),
        (["P3", "models:splitting", "--agents", "2"], "k: is missing; give the number of sampled agents (--subsample)"),
        (["P3", "models:splitting", "--agents", "1", "--subsample", "2"], "claim P3: k = 2 of n = 1 agents cannot be sampled"),
        (["T1", "models:splitting", "--agents", "2", "--subsample", "2"], "the verdict is vacuous, and only a violation can be certified"),
        (["L1", "models:splitting", "--agents", "2", "--subsample", "1"], "claim L1: certificates cover "),
        (["Z9", "--instance", "n=1"], "claim 'Z9': is not in the catalogue"),
        (["M1", "--instance", LABEL, "--out", "lemma.py/found.json"], "--out: "),
    ],
)
def test_what_cannot_be_certified_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    out = [] if "--out" in arguments else ["--out", "found.json"]
    assert run(["certify", *arguments, *out]) == 2
    printed, err = capsys.readouterr()
    assert (printed, len(err.splitlines())) == ("", 1)
    assert words in err
    assert not (folder / "found.json").exists()
