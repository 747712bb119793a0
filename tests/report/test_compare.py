"""Two runs beside each other: every kind of change is seen, and nothing is seen where nothing changed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from mfverify.cli import run
from mfverify.report.compare import Change, Comparison, compare
from tests.report.documents import Json, claim, document, instance, model, realistic, side


def one(verdict: str = "holds", actual: tuple[float, float] = (0.25, 0.5), **given: Any) -> Json:
    """A run of one claim on one instance."""
    found = instance(verdict, model="m", label="m n=2", actual=side(*actual), bound=side(1.0, 1.0))
    return document([claim("X", given.pop("status", "corroborated"), [found], **given)], [model("m")])


def changes(old: Json, new: Json) -> dict[str, tuple[Any, ...]]:
    """The kinds of change there are."""
    found = compare(old, new)
    return {name: value for name in Comparison.__dataclass_fields__ if name != "compared" and (value := getattr(found, name))}


def test_a_run_does_not_differ_from_itself() -> None:
    found = compare(realistic(), realistic())
    assert changes(realistic(), realistic()) == {}
    assert found.compared == sum(len(part["instances"]) for part in realistic()["claims"]) == 43
    assert found.lines() == ["43 instances in both runs", "nothing changed"]
    assert not found.alarming


def test_a_narrower_enclosure_moved_and_one_apart_contradicts() -> None:
    narrower = changes(one(), one(actual=(0.25, 0.375)))
    assert narrower == {"moved": (Change("X, m n=2, actual", "[0.25, 0.5]", "[0.25, 0.375]"),)}
    for other in ((0.6, 0.7), (0.1, 0.2)):
        assert [change.new for change in changes(one(), one(actual=other))["contradictions"]] == [f"[{other[0]}, {other[1]}]"]
        assert compare(one(), one(actual=other)).alarming
    assert changes(one(), one(actual=(0.5, 0.7))).keys() == {"moved"}, "touching ends may both hold the value"
    assert not compare(one(), one(actual=(0.25, 0.375))).alarming


def test_a_changed_verdict_changes_the_status_too() -> None:
    found = changes(one(), one("violated", (1.5, 1.75), status="refuted", registered="refuted"))
    assert found["statuses"] == (Change("X", "corroborated", "refuted"),)
    assert found["verdicts"] == (Change("X, m n=2", "holds", "violated"),)
    assert found["contradictions"][0].place == "X, m n=2, actual"


def test_what_states_something_else_is_not_compared() -> None:
    assert changes(one(), one(actual=(0.6, 0.7), statement="another $x$")) == {"reworded": ("X",)}
    other = one(actual=(0.6, 0.7))
    other["models"][0]["fingerprint"] = "f" * 64
    assert changes(one(), other) == {"models_changed": ("m",)}


def test_claims_and_instances_that_come_and_go() -> None:
    more = copy.deepcopy(one())
    more["claims"][0]["instances"].append(instance("holds", label="m n=3", actual=side(0, 0), bound=side(1, 1)))
    more = document([*more["claims"], claim("Y", "undecided", [])], more["models"])
    assert changes(one(), more) == {"claims_added": ("Y",), "instances_added": ("X, m n=3",)}
    assert changes(more, one()) == {"claims_removed": ("Y",), "instances_removed": ("X, m n=3",)}


def test_provenance_alone_is_no_change_of_outcome() -> None:
    later = one() | {"provenance": {"version": "0.2.0", "commit": "abc1234"}}
    assert changes(one(), later) == {"provenance": (Change("version", "0.1.0", "0.2.0"),)}
    assert compare(one(), later).lines()[-1] == "nothing changed but the provenance"
    assert not compare(one(), later).alarming


def test_long_lists_are_cut_in_words_only() -> None:
    many = [instance("holds", label=f"n={n}", actual=side(0, 0), bound=side(1, 1)) for n in range(30)]
    found = compare(document([claim("X", "undecided", [])]), document([claim("X", "corroborated", many)]))
    assert "  and 18 more (--json lists all)" in found.lines()
    assert len(found.to_json()["instances_added"]) == 30


def stored(folder: Path, content: Json) -> str:
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps(content), encoding="utf-8")
    return str(folder)


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = stored(tmp_path / "old", one()), stored(tmp_path / "new", one(actual=(0.6, 0.7)))
    assert run(["report", "--compare", old, old]) == 0
    assert capsys.readouterr().out == "1 instance in both runs\nnothing changed\n"
    assert run(["report", "--compare", old, new]) == 1
    assert "one of the runs is wrong: 1" in " ".join(capsys.readouterr().out.split())
    assert run(["report", "--compare", old, new, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["contradictions"] == [{"place": "X, m n=2, actual", "old": "[0.25, 0.5]", "new": "[0.6, 0.7]"}]
    assert (said["compared"], said["verdicts"]) == (1, [])


@pytest.mark.parametrize("arguments", [[], ["--compare", "a"], ["here", "--compare", "a", "b"], ["--compare", "a", "b"]], ids=" ".join)
def test_what_cannot_be_compared_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", *arguments]) == 2
    assert capsys.readouterr().err.startswith("mfverify: error: ")
