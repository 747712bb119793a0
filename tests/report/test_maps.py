"""Maps of verdicts in a report: drawn at their claim from the project's record, and read with suspicion."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mfverify import cli
from mfverify.errors import ModelError
from mfverify.papers import CATALOGUE
from mfverify.report import render
from mfverify.report.document import read
from mfverify.report.maps import FILE, documented_maps, panel
from tests.report.documents import Json, claim, document, instance, side
from tests.report.pages import parse

MAP: Json = {
    "claim": "X", "place": "model <m>, n = 4", "x": {"name": "discount", "values": ["1/3", "1/2", "2/3"]}, "y": {"name": "k", "values": ["1", "2"]},
    "rows": ["hhx", "vvu"], "command": "mfverify map X --over discount=1/3..2/3:3 --over k=1..2 --agents 4",
}  # fmt: skip


def run(*maps: Json) -> Json:
    holds = instance("holds", label="x", actual=side(0.5, 0.5), bound=side(1.0, 1.0))
    return document([claim("X", "corroborated", [holds]), claim("Y", "corroborated", [holds])], maps=list(maps))


def test_the_record_has_maps_of_claims_as_they_are_stated() -> None:
    found = documented_maps({one.id: one.statement for one in CATALOGUE})
    assert {"T1", "T1b", "L2", "C2", "R4"} <= {one["claim"] for one in found}
    assert len(found) == len(json.loads(FILE.read_text())["maps"]), "a claim was reworded since its map was made: mfverify map --record"
    refuted = {one["claim"]: any("x" in row for row in one["rows"]) for one in found}
    assert {name: CATALOGUE[name].registered.value == "refuted" for name in refuted} == refuted


def test_a_map_is_drawn_at_its_claim_alone() -> None:
    page = parse(render(run(MAP)))
    drawn = [svg for svg in page.all("svg") if svg.attributes.get("class") == "map"]
    assert len(drawn) == 1
    paths = {path.attributes["class"]: path.attributes["d"] for path in drawn[0].all("path")}
    assert paths == {"holds": "M0 1h2", "violated": "M2 1h1", "stripe": "M2 1h1", "vacuous": "M0 0h2", "undecided": "M2 0h1"}
    assert "2 holds, 2 vacuous, 1 violated, 1 undecided" in page.text and "mfverify map X" in page.text
    assert "<m>" in page.text


def test_it_is_small() -> None:
    (found,) = read(run(MAP | {"rows": ["hvx" * 20] * 33, "x": {"name": "n", "values": ["1"] * 60}, "y": {"name": "k", "values": ["1"] * 33}})).maps
    assert len(panel(found).svg) < 50_000  # nothing runs on
    (found,) = read(run(MAP | {"rows": ["h" * 30 + "x" * 30] * 33, "x": {"name": "n", "values": ["1"] * 60}, "y": {"name": "k", "values": ["1"] * 33}})).maps
    assert len(panel(found).svg) < 3000


@pytest.mark.parametrize("change", [{"rows": ["hhx"]}, {"rows": ["hh", "vv"]}, {"rows": ["hhx", "vv<"]}, {"x": {"name": "n", "values": []}}, {"y": 3}])
def test_what_is_no_map_is_refused(change: Json) -> None:
    with pytest.raises(ModelError, match="map 1, "):
        render(run(MAP | change))


def test_a_map_is_recorded_and_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "maps.json"
    command = ["map", "C3", "--over", "n=2..4", "--over", "classes=2..3", "--subsample", "1", "--record", str(path), "--workers", "1"]
    for _ in range(2):
        assert cli.run(command) == 0, capsys.readouterr().err
    (found,) = documented_maps({"C3": CATALOGUE["C3"].statement}, path)
    assert len(found["rows"]) == 2 and all(len(row) == 3 for row in found["rows"]) and "x" in "".join(found["rows"])
    assert documented_maps({"C3": "something else"}, path) == []
    path.write_text('{"format": 2}')
    assert cli.run(command) == 2 and "is no record of maps" in capsys.readouterr().err
    assert documented_maps({"C3": "C3"}, path) == []
    assert cli.run([*command[:4], "--agents", "3", "--subsample", "1", "--record", str(tmp_path / "new.json")]) == 2
