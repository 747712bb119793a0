"""Sweeps: verdicts are those of the claim, each way of knowing is named, and a simulation never decides."""

from __future__ import annotations

import csv
import json
import shlex
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import mfverify as mfv
from mfverify.cli import run
from mfverify.errors import ModelError, TooLargeError
from mfverify.papers import CATALOGUE
from mfverify.points import outcome
from mfverify.points.outcome import By, Effort, known_at
from mfverify.points.sweep import sweep
from mfverify.theory.cases.populations import SampledPopulation
from mfverify.theory.claim import Sides, Verdict, finding, judge

COORDINATION = mfv.models.coordination()
GAPS = [claim for claim in CATALOGUE if claim.gap_bound is not None]


@pytest.mark.parametrize("claim", GAPS, ids=lambda claim: claim.id)
def test_the_bound_of_a_gap_claim_is_its_right_side_and_the_gap_its_left(claim: mfv.Claim) -> None:
    """What every shortcut rests on: the claim says that the largest gap is at most the bound, and nothing else."""
    compared = 0
    for model in (mfv.models.coordination(), mfv.models.absorbing()):
        for n, k in ((2, 1), (5, 3), (6, 5)):
            sides = claim.sides(mfv.Subsampled(model, n, k))
            assert isinstance(sides, Sides), (model.name, n, k)
            gap = (mfv.optimal_value(model, n) - mfv.execution_value(model, n, mfv.learn(model, k), claim.gap_sampling)).max()
            assert (sides.left - gap).contains(0)
            assert outcome.bound_at(claim.gap_bound)(mfv.Subsampled(model, n, k)).lower == sides.right.lower
            assert sides.left.upper <= outcome.trivial_gap(model).upper
            compared += 1
    assert compared == 6


def test_every_point_has_the_verdict_of_the_claim() -> None:
    found = sweep("T1", COORDINATION, {"n": [20, 50], "k": "1:49:8"}, workers=1).document["points"]
    assert len(found) == 14
    for one in found:
        n, k = one["agents"], one["subsample"]
        if k > n:
            assert (one["verdict"], one["by"]) == ("not-applicable", "nothing")
            assert one["reason"] == f"k = {k} of n = {n} agents cannot be sampled"
        else:
            assert one["verdict"] == finding(CATALOGUE["T1"], mfv.Subsampled(COORDINATION, n, k)).verdict.value
            assert one["by"] == "values"
    assert {"violated", "holds", "vacuous", "not-applicable"} == {one["verdict"] for one in found}


def test_verdicts_alone_are_the_same_with_fewer_values() -> None:
    axes = {"n": [30], "k": "1:29:4", "discount": "1/10..9/10:3"}
    whole, quick = (sweep("T1", "coordination", axes, workers=1, verdicts=only).document["points"] for only in (False, True))
    assert [one["verdict"] for one in whole] == [one["verdict"] for one in quick]
    assert {one["by"] for one in whole} == {"values"}
    assert {one["by"] for one in quick} == {"values", "bound"}
    assert all(one["verdict"] == "vacuous" for one in quick if one["by"] == "bound")


def test_where_values_are_out_of_reach_the_bound_decides_or_a_simulation_is_shown() -> None:
    tiny = mfv.models.absorbing()
    reached = finding(CATALOGUE["T1"], mfv.Subsampled(tiny, 12, 11))
    with_bound = known_at(CATALOGUE["T1"], mfv.Subsampled(tiny, 12, 1), Effort(seconds=1e-9))
    assert (judge(with_bound.outcome), with_bound.by) == (Verdict.VACUOUS, By.BOUND)
    left = known_at(CATALOGUE["T1"], mfv.Subsampled(tiny, 12, 11), Effort(seconds=1e-9, episodes=50))
    assert (judge(left.outcome), left.by) == (Verdict.UNDECIDED, By.BOUND)
    assert left.simulated is not None and "a simulation takes about" in left.simulated["reason"]
    assert reached.verdict is Verdict.HOLDS


def test_a_simulation_is_an_interval_with_a_confidence_and_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise TooLargeError("values are out of reach")

    instance = mfv.Subsampled(COORDINATION, 100, 99)
    assert finding(CATALOGUE["T1"], instance).verdict is Verdict.VIOLATED
    monkeypatch.setattr(outcome.costs, "solving", refused)
    found = known_at(CATALOGUE["T1"], instance, Effort(episodes=400))
    assert found.simulated is not None
    assert judge(found.outcome) is Verdict.UNDECIDED  # however clear the simulation is
    assert found.simulated["reason"] == "values are out of reach"
    monkeypatch.undo()
    monkeypatch.setattr(outcome, "_check", lambda effort, *needed: refused() if len(needed) == 3 else None)
    found = known_at(CATALOGUE["T1"], instance, Effort(episodes=400))
    assert judge(found.outcome) is Verdict.UNDECIDED
    assert found.simulated is not None
    assert (found.simulated["start"], found.simulated["confidence"]) == ("0:50+50", 0.99)
    exact = (mfv.optimal_value(COORDINATION, 100) - mfv.execution_value(COORDINATION, 100, mfv.learn(COORDINATION, 99)))[0, 50]
    assert found.simulated["lower"] <= exact.lower and exact.upper <= found.simulated["upper"]


@pytest.mark.slow
def test_one_start_suffices_for_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    start = (0, (25, 25))
    (one,) = sweep("T1", "coordination", {"n": [50], "k": [49]}, start=start, workers=1).document["points"]
    assert (one["verdict"], one["by"], one["start"]) == ("violated", "start", "0:25+25")
    monkeypatch.setattr(outcome, "_fits", lambda effort, cost: False)
    outcome._best_at.cache_clear()
    (again,) = sweep("T1", "coordination", {"n": [50], "k": [49]}, start=start, workers=1).document["points"]
    outcome._best_at.cache_clear()
    assert (again["verdict"], again["by"]) == ("violated", "start")  # from the limit of many agents and the law of the counts
    assert again["actual"]["lower"] <= one["actual"]["upper"] and one["actual"]["lower"] <= again["actual"]["upper"]
    assert again["actual"] != one["actual"]
    (easy,) = sweep("T1", "coordination", {"n": [50], "k": [49]}, start=(0, (50, 0)), workers=1).document["points"]
    assert (easy["verdict"], easy["start"]) == ("holds", "0:50+0")


def test_populations_are_divided_evenly() -> None:
    points = sweep("C2", None, {"n": "2:8", "k": [2], "classes": [2, 3]}, workers=1).document["points"]
    for one in points:
        n, classes = one["agents"], int(one["at"]["classes"])
        if classes > n:
            assert one["verdict"] == "not-applicable"
            continue
        text = "+".join(str(n // classes + (i < n % classes)) for i in range(classes))
        instance = SampledPopulation(tuple(map(int, text.split("+"))), 2)
        assert one["verdict"] == finding(CATALOGUE["C2"], instance).verdict.value
    assert sum(one["verdict"] != "not-applicable" for one in points) == 13


def test_a_claim_that_lists_its_instances_without_a_search_space_is_swept() -> None:
    listed = replace(CATALOGUE["R6"], id="R6 listed", searched=None)
    (one,) = sweep(listed, mfv.models.absorbing(), {"n": [6], "k": [3]}, workers=1).document["points"]
    assert one["verdict"] == finding(CATALOGUE["R6"], mfv.Subsampled(mfv.models.absorbing(), 6, 3)).verdict.value


def test_finished_points_are_taken_from_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = {"n": [6], "k": "1:3"}
    store = tmp_path / "points.sqlite"
    first = sweep("T1", "absorbing", axes, workers=1, store=store)

    def never(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("mfverify.points.sweep.known_at", never)
    assert sweep("T1", "absorbing", axes, workers=1, store=store).document == first.document
    with pytest.raises(AssertionError, match="computed again"):
        sweep("T1", "absorbing", {"n": [6], "k": "1:4"}, workers=1, store=store)


@pytest.mark.slow
def test_worker_processes_give_the_same() -> None:
    one, two = (sweep("T1", "absorbing", {"n": [4, 5], "k": "1:4"}, workers=number).document for number in (1, 2))
    assert one == two


@pytest.mark.parametrize(
    ("claim", "model", "axes", "more", "said"),
    [
        ("T1", None, {"n": [4], "k": [2]}, {}, "model: claim T1 is about models; give one"),
        ("C2", "coordination", {"n": [4], "k": [2]}, {}, "model: claim C2 is about populations"),
        ("T1", "coordination", {"n": [4]}, {}, "k: is missing"),
        ("T1", "coordination", {"k": [4]}, {}, "n: is missing"),
        (
            "T1",
            "coordination",
            {"n": [4], "k": [2], "levels": [3]},
            {},
            "levels: is not varied here; what can be varied is n, k, discount, eta",
        ),
        ("N1c", "coordination", {"n": [4], "k": [2]}, {}, "claim N1c: has other parameters than a model, n and k"),
        ("T1", "coordination", {"n": [4], "agents": [5], "k": [2]}, {}, "n: is given twice"),
        ("T1", "coordination", {"n": "1:1000", "k": "1:1000"}, {}, "found 1000000 points, expected at most 100000"),
        ("T1", "coordination", {"n": [4, 5], "k": [2]}, {"start": (0, (2, 2))}, "start: 0:2+2 has 4 agents, expected n = 5"),
        ("T1", "coordination", {"n": [4], "k": [2]}, {"start": (2, (2, 2))}, "state: found the global state 2, expected 0 to 1"),
        ("L2", "coordination", {"n": [4], "k": [2]}, {"start": (0, (2, 2))}, "start: claim L2 is not about the optimality gap"),
        ("T1", "coordination", {"n": [4], "k": [2]}, {"seconds": -1}, "seconds: found -1"),
        ("T1", "coordination", {"n": [4], "k": [2]}, {"episodes": -1}, "episodes: found -1"),
        ("T1", "coordination", {"n": [4], "k": [2], "discount": [2]}, {}, "discount: found 2, expected a number strictly between 0 and 1"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(
    claim: str, model: str | None, axes: dict[str, object], more: dict[str, object], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("computed")

    monkeypatch.setattr("mfverify.points.sweep.known_at", never)
    with pytest.raises(ModelError) as refused:
        sweep(claim, model, axes, workers=1, **more)  # type: ignore[arg-type]
    assert said in str(refused.value)


def test_the_command_prints_and_writes_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    line = "sweep models:coordination --claim T1 --agents 50 --subsample 45:50 --plot out.svg --table out.csv --workers 1"
    assert run(line.split()) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert (
        out.splitlines()[-3:] == ["T1, 6 points: 1 holds, 5 violated", "wrote out.svg", "wrote out.csv"]
        or "violated" in out.splitlines()[-3]
    )
    with open("out.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 6
    for row in rows:
        assert run([*shlex.split(row["reproduce"])[1:], "--workers", "1", "--json"]) == 0
        (again,) = json.loads(capsys.readouterr().out)["points"]
        assert (again["verdict"], again["actual"]["lower"]) == (row["verdict"], float(row["actual_lower"]))
    svg = Path("out.svg").read_text(encoding="utf-8")
    assert svg.startswith("<?xml") and "<title>T1. Theorem 4.2" in svg and "http" not in svg.split("<title>")[1].split("</title>")[0]


def test_a_map_is_a_picture_and_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    line = "map T1 --model models:coordination --over discount=1/10..9/10:3 --over k=1:20:6 --agents 20 --out map.svg --table map.csv --workers 1"
    assert run(line.split()) == 0
    first = Path("map.svg").read_bytes()
    assert "12 points" in capsys.readouterr().out
    assert run(line.split()) == 0
    assert Path("map.svg").read_bytes() == first
    for ending in ("png", "pdf"):
        assert run(line.replace("map.svg", f"map.{ending}").split()) == 0
        assert Path(f"map.{ending}").stat().st_size > 1000


def test_a_violation_of_a_claim_that_is_not_registered_as_refuted_exits_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(
        "from dataclasses import replace\nfrom mfverify import Status\nfrom mfverify.papers import CATALOGUE\n"
        'OWN = replace(CATALOGUE["T1"], id="Y1", registered=Status.CORROBORATED)\n',
        encoding="utf-8",
    )
    line = "sweep models:coordination --claim {} --agents 50 --subsample 49 --workers 2"
    assert run(line.format("T1").split()) == 0
    assert run(line.format("own.py:OWN").split()) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sweep models:coordination --claim T1 --agents 4 --subsample 2 --plot out.gif", "--plot: out.gif: found the ending '.gif'"),
        ("sweep models:coordination --claim T1 --agents 4 --subsample 2 --table out.txt", "--table: out.txt: found the ending '.txt'"),
        ("sweep models:coordination --claim T1 --agents 0 --subsample 2", "--agents: found 0, expected integers of at least 1"),
        ("sweep models:coordination --claim T1 --agents 4 --subsample 2 --start 0", "--start: found '0', expected the global state"),
        (
            "sweep models:coordination --claim T1 --agents 2,3 --subsample 1,2 --discount 1/4,1/2 --plot a.svg",
            "--plot: more than two axes have several values",
        ),
        ("map T1 --model models:coordination --over k --agents 4", "--over: found 'k', expected NAME=VALUES"),
        (
            "map T1 --model models:patrol --over eta=0..1:3 --over k=1:2 --agents 4",
            "eta: is not varied here; what can be varied is n, k, discount",
        ),
        ("choose models:coordination --agents 4", "choose: needs --largest-gap or --largest-table"),
        ("choose models:coordination --agents 4 --largest-gap x", "largest_gap: found 'x', expected a finite number"),
        ("choose models:coordination --agents 4 --largest-gap 1 --subsample 5", "subsample: found 5, expected at most agents = 4"),
    ],
)
def test_the_commands_refuse_in_one_line_and_write_nothing(
    line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(line.split()) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    real, calls = known_at, []

    def second_is_interrupted(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("mfverify.points.sweep.known_at", second_is_interrupted)
    line = [
        "sweep",
        "models:absorbing",
        "--claim",
        "T1",
        "--agents",
        "4",
        "--subsample",
        "1:3",
        "--workers",
        "1",
        "--store",
        "kept.sqlite",
        "--table",
        "out.csv",
    ]
    assert run(line) == 130
    assert "kept in kept.sqlite, the same command continues" in capsys.readouterr().err
    assert not Path("out.csv").exists()
    assert run(line) == 0
    assert len(calls) == 4  # the first point was kept


def test_k_for_a_gap_is_the_smallest_that_is_certified() -> None:
    model = mfv.models.absorbing()
    gaps = [(mfv.optimal_value(model, 6) - mfv.execution_value(model, 6, mfv.learn(model, k))).max() for k in range(1, 7)]
    for accepted in (Fraction(1, 2), Fraction(1, 10), Fraction(1, 100)):
        expected = next(k for k, gap in enumerate(gaps, start=1) if gap.upper <= accepted)
        assert mfv.choose_k(model, 6, largest_gap=accepted).k == expected
    assert mfv.choose_k(model, 6, largest_gap=-1).k is None
    best = min(range(1, 5), key=lambda k: gaps[k - 1].upper)
    entries = [one.entries for one in mfv.choose_k(model, 6, largest_table=10**9).tried]
    assert mfv.choose_k(model, 6, largest_table=entries[3]).k == best
    assert mfv.choose_k(model, 6, largest_table=1).k is None


def test_choose_prints_what_it_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["choose", "models:absorbing", "--agents", "6", "--largest-gap", "1/10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "absorbing, n = 6, independent draws: k = 3"
    assert lines[-2].split() == ["3", "72", "0.075000", "chosen"]
    assert run(["choose", "models:absorbing", "--agents", "6", "--largest-gap", "1/10", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["chosen"] == 3


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        (
            "gap models:absorbing --agents 100000 --subsample 4",
            "mfverify sweep compares what is in reach: the bound alone, one start (--start), a simulation",
        ),
        ("solve models:absorbing --agents 1000000", "--method limit with --state encloses single states of any number of agents"),
    ],
)
def test_a_refusal_for_size_names_another_command(line: str, remedy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == 2
    assert capsys.readouterr().err.rstrip().endswith(remedy)
