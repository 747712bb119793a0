"""The certificates beside the sources are named in the section of their claim, and nothing else in that folder is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mfverify.checker.check_certificate import check_file
from mfverify.errors import ModelError
from mfverify.report import render
from mfverify.report.certificates import FOLDER, beside_the_sources
from tests.report.documents import Json, claim, document, instance, realistic, side
from tests.report.pages import parse


def test_those_of_the_project_are_found_and_state_what_the_checker_shows() -> None:
    found = beside_the_sources({"T1", "B1"})
    assert [one["file"] for one in found] == [f"reports/certificates/{name}.json" for name in ("T1", "T1_elimination", "T1_many_agents", "T1_two_steps")]
    assert {one["claim"] for one in found} == {"T1"}
    path = FOLDER / Path(found[0]["file"]).name
    answer = check_file(str(path))
    assert answer.accepted
    assert answer.reasons[0] == f"T1 is violated: left side >= {found[0]['left_at_least']}, right side <= {found[0]['right_at_most']}"


def test_what_is_no_certificate_is_left_out(tmp_path: Path) -> None:
    for name, content in {"a": "{", "b": "[]", "c": '{"claim": "T1"}', "d": '{"claim": "T1", "actual": 1, "bound": 2}'}.items():
        (tmp_path / f"{name}.json").write_text(content)
    assert beside_the_sources({"T1"}, tmp_path) == []
    (tmp_path / "T1_small.json").write_text(json.dumps({"claim": "T1", "actual": {"lower": "1/2"}, "bound": {"upper": "0.4"}}))
    (one,) = beside_the_sources({"T1"}, tmp_path)
    assert (one["file"], one["left_at_least"], one["story"]) == ("reports/certificates/T1_small.json", "1/2", None)
    (tmp_path / "T1.md").write_text("why")
    assert beside_the_sources({"T1"}, tmp_path)[0]["story"] == "reports/certificates/T1.md"
    assert beside_the_sources({"T1"}, tmp_path / "nowhere") == []


def certified(**changes: object) -> Json:
    found = instance("violated", label="x", actual=side(2.0, 2.0), bound=side(1.0, 1.0))
    entry = {"claim": "X", "file": "reports/certificates/X.json", "sha256": "ab" * 32, "left_at_least": "2", "right_at_most": "1", "story": None}
    return document([claim("X", "refuted", [found]), claim("Y", "refuted", [found])], certificates=[entry | changes])


def test_a_certificate_stands_in_the_section_of_its_claim_alone() -> None:
    tree = parse(render(certified(story="reports/certificates/X.md")))
    said = tree.section("claim-X").text
    assert "left side at least 2, right side at most 1" in said
    assert "mfverify check certificates:X (files reports/certificates/X.json and, with its story, reports/certificates/X.md)" in said
    assert "mfverify check X.json (file X.json)" in parse(render(certified(file="X.json"))).section("claim-X").text
    assert "Certificate" not in tree.section("claim-Y").text
    assert "Certificate" not in parse(render(realistic())).section("claim-T1").text


def test_a_certificate_of_another_shape_is_refused_with_its_place() -> None:
    with pytest.raises(ModelError, match="certificate 1"):
        render(certified(file=3))
    assert "<b>" not in render(certified(file="<b>", story="<b>"))
