"""``mfverify falsify``: what it prints and writes, its exit status, bad input, interruption."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import mfverify as mfv
from mfverify import models
from mfverify.cli import run
from mfverify.cli.verbs.falsify import _attack_lines
from mfverify.errors import ModelError
from mfverify.falsifier import attack as attack_module
from mfverify.falsifier.attack import first_of, with_others
from mfverify.falsifier.model_domains import sizes_of
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.mean_distance import balanced_sample
from mfverify.theory.claim import Status
from mfverify.theory.search_space import Parameters

Shown = tuple[int, str, str]


@pytest.fixture
def mfverify(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Shown]:
    """Run a command in an empty folder: exit status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Shown:
        capsys.readouterr()
        code = run(["falsify", *arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


def test_a_violation_is_certified_and_written(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    code, out, err = mfverify("C3", "--out", "c3.json", "--record", "record.json", "--workers", "1")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "C3: violated at n=2 k=1 population=1+1"
    assert out.splitlines()[-3:] == ["  certified", "wrote c3.json", "wrote record.json"]
    assert run(["check", str(tmp_path / "c3.json")]) == 0
    (search,) = json.loads((tmp_path / "record.json").read_text())["searches"]
    assert (search["claim"], search["status"], search["certificate"]) == ("C3", "refuted", True)


def test_json_is_one_document(mfverify: Callable[..., Shown]) -> None:
    code, out, err = mfverify("C3", "--json", "--workers", "1")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["violated"]["label"] == "n=2 k=1 population=1+1"
    assert document["certificate"]["claim"] == "C3"
    assert document["searched"]["candidates"] == 1


def test_several_claims_and_what_has_no_certificate(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    code, out, err = mfverify("S2", "C4l", "--candidates", "70", "--workers", "1", "--record", "both.json")
    assert (code, err) == (0, "")
    said = " ".join(out.split())
    assert "S2: violated at states=1 actions=2 first k=3 last k=3" in said
    assert "certified C4l: " in said
    assert "C4l: undecided, nothing found searched 70 candidates with seed 0 (all parameters 70) largest left/right" in said
    assert [s["claim"] for s in json.loads((tmp_path / "both.json").read_text())["searches"]] == ["S2", "C4l"]
    own = 'from dataclasses import replace\nfrom mfverify.papers import CATALOGUE\nOWN = replace(CATALOGUE["S2"], id="Y1", certificate=None)\n'
    (tmp_path / "own.py").write_text(own)
    code, out, _ = mfverify("own.py:OWN", "--candidates", "70", "--workers", "1", "--out", "y1.json")
    assert code == 0 and not (tmp_path / "y1.json").exists()
    said = " ".join(out.split())
    assert "no certificate: claim Y1: a certificate of a claim of your own covers a bound of the optimality gap" in said
    assert "wrote nothing to y1.json: there is no certificate" in said
    assert max(map(len, out.splitlines())) <= 80


def test_a_search_of_all_there_are_says_so() -> None:
    claim = replace(CATALOGUE["C4l"], searched=Parameters((range(1, 6), range(1, 12)), balanced_sample))
    said = " ".join(_attack_lines(mfv.attack(claim, workers=1).to_json()))
    assert "searched 25 candidates with seed 0 (all parameters 25), all that there are" in said


def test_a_record_is_added_to(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    for claims, candidates in ((["R3m", "C3"], 30), (["C4l"], 20), (["R3m"], 50)):
        assert mfverify(*claims, "--candidates", str(candidates), "--workers", "1", "--record", "record.json")[0] == 0
    searches = json.loads(record.read_text())["searches"]
    found = {s["claim"]: s["searched"]["candidates"] for s in searches}
    assert list(found) == [claim.id for claim in CATALOGUE if claim.id in found], "in the order of the catalogue"
    assert (found["R3m"], found["C4l"], found["C3"]) == (50, 20, 1)
    assert all(s["statement"] == CATALOGUE[s["claim"]].statement for s in searches)
    assert all(s["version"] and len(s["code"]) == 16 and len(s["date"]) == 10 for s in searches)


def test_searches_with_other_seeds_add_up(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    """The one with the largest ratio is kept whole; the same seed again replaces what it had searched."""
    path, ratios = tmp_path / "record.json", {}
    for seed in (0, 1, 2, 1):
        command = ("R3m", "--candidates", "40", "--workers", "1", "--seed", str(seed))
        assert mfverify(*command, "--record", "record.json")[0] == 0
        ratios[seed] = json.loads(mfverify(*command, "--json")[1])["searched"]["best"]["ratio"]
        (kept,) = json.loads(path.read_text())["searches"]
        others = kept.get("others", [])
        assert sorted([kept["seed"], *(one["seed"] for one in others)]) == sorted(ratios)
        assert kept["searched"]["best"]["ratio"] == max(ratios.values()) == ratios[kept["seed"]]
        assert {one["seed"]: one["ratio"] for one in others} == {s: ratio for s, ratio in ratios.items() if s != kept["seed"]}
        assert all(one["candidates"] == 40 for one in others)
    assert len(set(ratios.values())) > 1


def test_a_search_continues_from_the_best_of_an_earlier_one(mfverify: Callable[..., Shown], tmp_path: Path) -> None:
    """It is the first candidate, so that the ratio does not fall; what it began with is said, and the same again gives the same."""
    path = tmp_path / "record.json"
    assert mfverify("R2", "--candidates", "24", "--workers", "1", "--record", "record.json")[0] == 0
    before = path.read_text()
    (earlier,) = json.loads(before)["searches"]
    best = earlier["searched"]["best"]
    command = ("R2", "--candidates", "2", "--workers", "1", "--seed", "1", "--record", "record.json", "--continue")
    code, out, err = mfverify(*command)
    assert (code, err) == (0, "") and "beginning with found-" in " ".join(out.split())
    once = path.read_text()
    (kept,) = json.loads(once)["searches"]
    assert (kept["seed"], [one["seed"] for one in kept["others"]]) == (1, [0])
    assert kept["searched"]["families"]["earlier searches"] == 1
    assert kept["searched"]["best"]["ratio"] >= best["ratio"]
    (first,) = first_of(CATALOGUE["R2"], [earlier])
    assert kept["first"] == [first.label] and first.written.model is not None
    assert (first.written.model.numbers_as_text(), *sizes_of(first)) == (best["model"], best["agents"], best["subsample"])
    path.write_text(before)
    assert mfverify(*command)[0] == 0
    again = json.loads(path.read_text())["searches"][0]
    assert again | {"seconds": 0, "searched": 0} == kept | {"seconds": 0, "searched": 0}
    assert again["searched"]["best"] == kept["searched"]["best"]


def test_only_instances_of_the_same_statement_begin_a_search(mfverify: Callable[..., Shown]) -> None:
    claim = CATALOGUE["R2"]
    best = {"label": "x", "agents": 3, "subsample": 2, "model": models.commitment().numbers_as_text()}
    entry = {"claim": "R2", "statement": claim.statement, "searched": {"best": best}}
    assert len(first_of(claim, [entry])) == 1
    without = [{**best, "model": None}, {name: value for name, value in best.items() if name != "agents"}, {**best, "subsample": 4}, None]
    others = [entry | {"claim": "R1"}, entry | {"statement": "another"}, *(entry | {"searched": {"best": one}} for one in without)]
    assert first_of(claim, others) == ()
    unreadable = [{**best, "agents": "three"}, {**best, "model": {"discount": "1/2"}}, {**best, "model": 3}]
    for searched in (*({"best": one} for one in unreadable), {}, 3):
        with pytest.raises(ModelError, match="record of R2: its best instance cannot be read"):
            first_of(claim, [entry | {"searched": searched}])
    code, _, err = mfverify("R2", "--continue")
    assert code == 2 and "--continue: needs the file of earlier searches; give it with --record" in err


def test_what_was_searched_against_another_statement_or_found_does_not_add_up() -> None:
    def search(seed: int, ratio: float | None, **changes: object) -> dict[str, Any]:
        searched = {"candidates": 3, "screened": 5, "best": None if ratio is None else {"ratio": ratio}}
        entry = {"statement": "as", "seed": seed, "seconds": 1.0, "date": "d", "version": "1", "code": "c", "violated": None, "searched": searched}
        return entry | changes

    better = with_others(search(1, 0.5), search(0, 0.25))
    assert (better["seed"], [one["ratio"] for one in better["others"]]) == (1, [0.25])
    both = with_others(search(2, None), better)
    assert (both["seed"], [(one["seed"], one["ratio"]) for one in both["others"]]) == (1, [(0, 0.25), (2, None)])
    again = with_others(search(2, 0.75), both)
    assert (again["seed"], [(one["seed"], one["ratio"]) for one in again["others"]]) == (2, [(0, 0.25), (1, 0.5)])
    assert with_others(search(1, 0.5, code="other"), better)["others"][-1]["seed"] == 1, "other code has other candidates"
    for new, old in (
        (search(1, 0.5), None),
        (search(1, 0.5), search(0, 0.75, statement="as it was")),
        (search(1, 2.0, violated={}), better),
        (search(1, 0.5), search(0, 2.0, violated={})),
    ):
        assert with_others(new, old) == new


@pytest.mark.parametrize("content", ["notes of another kind", "{}", '{"format": 1, "searches": [3]}', '{"format": 2, "searches": []}'])
def test_another_file_is_not_overwritten_by_a_record(mfverify: Callable[..., Shown], tmp_path: Path, content: str) -> None:
    (tmp_path / "notes.json").write_text(content)
    code, out, err = mfverify("C3", "--workers", "1", "--record", "notes.json")
    assert (code, out) == (2, "")
    assert "notes.json" in err and err.count("\n") == 1
    assert (tmp_path / "notes.json").read_text() == content


def test_refuting_what_is_registered_otherwise_is_a_difference(mfverify: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CATALOGUE._claims, "C3", replace(CATALOGUE["C3"], registered=Status.CORROBORATED))
    assert mfverify("C3", "--workers", "1")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["C99"], "'C99': is not in the catalogue"),
        (["C3", "--budget", "0"], "budget: found 0.0"),
        (["C3", "--workers", "0"], "workers: found 0"),
        (["C3", "--seed", "-3"], "seed: found -3"),
        (["C3", "C2", "--out", "x.json"], "--out: found 2 claims"),
        (["C3", "--out", "."], "--out: .: cannot be written (it is a folder)"),
        ([], "Missing argument 'CLAIM...'"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    mfverify: Callable[..., Shown], tmp_path: Path, arguments: list[str], message: str
) -> None:
    code, out, err = mfverify(*arguments)
    assert (code, out) == (2, "")
    assert message in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_search_reports_the_best_so_far(mfverify: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch) -> None:
    original = attack_module.search

    def interrupted(*arguments: Any) -> None:
        original(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(attack_module, "search", interrupted)
    code, out, err = mfverify("C1", "--candidates", "30", "--workers", "1")
    assert (code, out) == (130, "")
    assert "interrupted; so far:" in err
    assert "C1: undecided, nothing found" in err and "searched 30 candidates" in err and "largest left/right" in err
