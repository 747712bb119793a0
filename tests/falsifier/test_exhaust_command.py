"""``mfverify exhaust``: what it prints and writes, its exit status, and bad input."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from mfverify.cli import run
from mfverify.falsifier import exhaust as exhausting
from mfverify.falsifier.classes import ModelClass

TINY = ModelClass((2, 2, 2, 1), (Fraction(0), Fraction(1)), picks=True, uncoupled=True)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhausting, "CLASSES", {"tiny": TINY})


def test_a_claim_that_holds_on_a_class_is_printed_and_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, store = tmp_path / "classes.json", tmp_path / "store.json"
    arguments = ["exhaust", "R2", "--class", "tiny", "--agents", "3,2", "--workers", "1", "--record", str(record), "--store", str(store)]
    assert run(arguments) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith(f"R2: holds on all {TINY.members:,} models of a class")
    assert "n, k: 2, 1; 3, 1; 3, 2" in said and "digest" in said
    (kept,) = json.loads(record.read_text())["classes"]
    assert run([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == kept, "the second run takes all slices from the store"
    assert document["models"] == TINY.members and document["status"] == "holds"


def test_what_is_not_decided_has_status_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(exhausting, "MOST_EXACT", 0)
    monkeypatch.setattr(exhausting, "exactness", lambda models: exhausting.Exactness(9, 9, Fraction(1, 2)))
    assert run(["exhaust", "R1", "--class", "tiny", "--agents", "2", "--workers", "1"]) == 1
    assert "is not decided on all of" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["R2", "--class", "none", "--agents", "2"], "--class: found 'none', expected one of these"),
        (["R2", "--class", "tiny", "--agents", "x"], "--agents: found 'x', expected integers"),
        (["R2", "--class", "tiny", "--agents", "1"], "--agents: claim R2 speaks of none"),
        (["C1", "--class", "tiny", "--agents", "2"], "claim C1: cannot be decided on a class"),
        (["R9x", "--class", "tiny", "--agents", "2"], "R9x"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["exhaust", *arguments]) == 2
    printed = capsys.readouterr()
    assert message in printed.err and printed.out == "" and "Traceback" not in printed.err


def test_another_file_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"mine": 1}')
    assert run(["exhaust", "R2", "--class", "tiny", "--agents", "2", "--record", str(other)]) == 2
    assert "is no record of classes" in capsys.readouterr().err
    assert other.read_text() == '{"mine": 1}'
