"""The documented searches: each names what it searched, shown at its claim and nowhere else, and never called a proof."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mfverify.errors import ModelError
from mfverify.papers import CATALOGUE
from mfverify.report import render
from mfverify.report.searches import FILE, decided_sentence, documented_searches
from mfverify.theory.claim import Status
from tests.report.documents import Json, claim, document, instance, realistic, side
from tests.report.pages import parse

FOUND = {"family": "local search", "label": "n=8 k=4 <b>", "ratio": 0.935414, "actual": side(0.9, 0.9), "bound": side(1.0, 1.0)}


def recorded(**changes: object) -> Json:
    """A search as the report has it."""
    entry = {
        "claim": "X", "version": "0.1.0", "date": "2026-11-24", "code": "0123456789abcdef", "seed": 7, "candidates": 400, "seconds": 1.94,
        "exhausted": False, "families": {"all populations": 242, "local search": 158}, "verdicts": {"holds": 73, "vacuous": 327}, "violated": None, "best": FOUND,
    }  # fmt: skip
    return entry | changes


def page(searches: object) -> str:
    holds = instance("holds", label="x", actual=side(0.5, 0.5), bound=side(1.0, 1.0))
    violated = instance("violated", label="x", actual=side(2.0, 2.0), bound=side(1.0, 1.0))
    claims = [claim("X", "corroborated", [holds]), claim("Y", "corroborated", [holds]), claim("Z", "refuted", [violated])]
    return render(document(claims, searches=searches))


def test_those_of_the_project_are_about_the_claims_as_they_are_stated() -> None:
    statements = {one.id: one.statement for one in CATALOGUE if one.registered is not Status.REFUTED}
    found = documented_searches(statements)
    assert found is not None
    assert len(found) > 40
    assert [one["claim"] for one in found] == [name for name in statements if name in {one["claim"] for one in found}]
    assert all(one["candidates"] > 0 and one["violated"] is None for one in found)
    kept = {one["claim"] for one in json.loads(FILE.read_text())["searches"] if one["claim"] in statements}
    assert {one["claim"] for one in found} == kept, "a claim was reworded since it was searched"


def test_what_is_about_another_statement_or_no_search_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "searches.json"
    assert documented_searches({"X": "as"}, path) is None
    searched = {"candidates": 3, "exhausted": True, "families": {}, "verdicts": {}, "best": None}
    entry = {
        "claim": "X", "statement": "as", "seed": 0, "seconds": 1.0, "version": "1", "date": "d", "code": "c", "violated": None, "searched": searched,
    }  # fmt: skip
    path.write_text(json.dumps({"searches": [entry, entry | {"claim": "Y"}, {}, 3, entry | {"claim": "Z", "searched": 1}]}))
    found = documented_searches({"Y": "as it is now", "Z": "as", "X": "as"}, path, tmp_path / "none.json")
    assert found is not None and [one["claim"] for one in found] == ["X"]
    for content in ("{", "[]", "{}", '{"searches": 3}'):
        path.write_text(content)
        assert documented_searches({"X": "as"}, path) == []


def a_class(**changes: object) -> Json:
    """A class on which a claim was decided, as the record has it."""
    entry = {
        "claim": "X", "statement": "as", "class": "two of everything", "pairs": [[2, 1], [3, 2]], "status": "holds", "models": 136048896, "orbits": 1755621,
        "verdicts": ["vacuous", "holds"], "worst": {"ratio": 0.25}, "digest": "0123456789abcdef01",
    }  # fmt: skip
    return entry | changes


def test_how_often_the_condition_of_a_claim_fails_is_told() -> None:
    assert "The condition" not in decided_sentence(a_class())
    told = decided_sentence(a_class(not_applicable=1234, instances=272097792))
    assert "The condition of the claim fails on 1,234 of 272,097,792 instances." in told


def test_classes_on_which_a_claim_is_decided_are_told(tmp_path: Path) -> None:
    searched = {
        "candidates": 3,
        "exhausted": True,
        "families": {},
        "verdicts": {},
        "best": None,
        "screened": 12000,
        "per_second": 900,
        "seconds_each": 0.0123,
        "curve": [[5, 0.1], [77, 0.5]],
    }
    entry = {
        "claim": "X", "statement": "as", "seed": 0, "seconds": 1.0, "version": "1", "date": "d", "code": "c", "violated": None, "searched": searched,
    }  # fmt: skip
    path, classes = tmp_path / "searches.json", tmp_path / "classes.json"
    path.write_text(json.dumps({"searches": [entry]}))
    classes.write_text(json.dumps({"classes": [a_class(), a_class(statement="as it was"), {}, 3, a_class(status="undecided", worst=None)]}))
    found = documented_searches({"X": "as"}, path, classes)
    assert found is not None
    each, ranked, first, second = found[0]["notes"]
    assert each == "The certified sides of a candidate took 12.3 ms on average."
    assert (
        ranked
        == "Ranked without enclosures: 12,000 candidates, 900 a second. The largest ratio among them rose last to 0.1 after 5, 0.5 after 77."
    )
    assert first.startswith(
        "Holds on all 136,048,896 models of a class (1,755,621 up to relabelling), at n=2 k=1, n=3 k=2: two of everything."
    )
    assert "The bound is vacuous there at n=2 k=1. Largest left side / right side: 0.25." in first
    assert second.startswith("Not decided on all of the 136,048,896 models") and "Largest" not in second
    assert "Holds on all 136,048,896 models" in parse(page([recorded(notes=[first])])).section("claim-X").text
    classes.write_text("{")
    assert documented_searches({"X": "as"}, path, classes) == [{**found[0], "notes": [each, ranked]}]


def test_other_searches_against_a_claim_are_told(tmp_path: Path) -> None:
    searched = {"candidates": 3, "exhausted": False, "families": {}, "verdicts": {}, "best": None}
    entry = {
        "claim": "X", "statement": "as", "seed": 0, "seconds": 1.0, "version": "1", "date": "d", "code": "c", "violated": None, "searched": searched,
    }  # fmt: skip
    one = {"seed": 1, "seconds": 3600.4, "candidates": 5000, "screened": 120000, "ratio": 0.25}
    path = tmp_path / "searches.json"
    for others, sentences in (
        ([], []),
        ([one], ["Another search without a violation: 5,000 candidates, 120,000 ranked, 3,600 s; largest ratio: 0.25."]),
        (
            [one, one | {"ratio": None}, one | {"ratio": 0.5}],
            ["3 other searches without a violation: 15,000 candidates, 360,000 ranked, 10,801 s; largest ratio: 0.5, 0.25."],
        ),
    ):
        path.write_text(json.dumps({"searches": [entry | {"others": others}]}))
        found = documented_searches({"X": "as"}, path, tmp_path / "none.json")
        assert found is not None and found[0]["notes"] == sentences


def ranked(best: object = FOUND, **changes: object) -> Json:
    """A search among the records, with a curve of what was ranked."""
    searched = {"candidates": 3, "exhausted": False, "families": {}, "verdicts": {}, "best": best, "screened": 1000, "per_second": 9}
    searched |= {"curve": [[5, 0.125], [6, 0.25], [90, 0.5]]} | changes
    return {
        "claim": "X", "statement": "as", "seed": 3, "seconds": 1.0, "version": "1", "date": "d", "code": "c", "violated": None, "searched": searched,
    }  # fmt: skip


def shown_curve(path: Path, entry: Json) -> Json | None:
    path.write_text(json.dumps({"searches": [entry]}))
    found = documented_searches({"X": "as"}, path, path.with_name("none.json"))
    assert found is not None
    curve: Json | None = found[0]["curve"]
    return curve


def test_the_best_ratio_is_drawn_against_effort(tmp_path: Path) -> None:
    path = tmp_path / "searches.json"
    curve = shown_curve(path, ranked())
    assert curve is not None
    assert curve["x"] == [8, 16, 32, 64, 128, 256, 512, 1000]
    (line,) = curve["series"]
    assert line["lower"] == line["upper"] == [0.25] * 4 + [0.5] * 4
    section = parse(page([recorded(curve=curve)])).section("claim-X")
    assert "Best ratio against effort (seed 7)." in section.text
    assert "candidates ranked" in section.text
    for none in (None, {**curve, "x": [1, 2], "series": [{"label": "a", "lower": [1, 2], "upper": [1, 2]}]}):
        assert "against effort" not in parse(page([recorded(curve=none)])).section("claim-X").text, "too few points"
    with pytest.raises(ModelError, match="search 1, curve, x"):
        page([recorded(curve={**curve, "x": []})])


def test_no_curve_where_nothing_was_ranked_or_the_right_side_is_not_positive(tmp_path: Path) -> None:
    path = tmp_path / "searches.json"
    for entry in (ranked(screened=0), ranked(None), ranked(FOUND | {"ratio": None}), ranked(curve=[])):
        assert shown_curve(path, entry) is None


def test_a_search_is_shown_at_its_claim_with_what_it_is_worth() -> None:
    tree = parse(page([recorded()]))
    said = tree.section("claim-X").text
    assert "400 candidates in 1.9 s (all populations: 242; local search: 158), seed 7, on 2026-11-24 with version 0.1.0" in said
    assert (
        "None is violated (holds: 73, vacuous: 327). The largest certified left side / right side was 0.935414, at n=8 k=4 <b> (local search)."
        in said
    )
    assert "A search that finds nothing is no proof. To search again: mfverify falsify X --seed 7 --candidates 400" in said
    assert "No search for a counterexample is documented." in tree.section("claim-Y").text
    assert "Searched" not in tree.section("claim-Z").text
    summary = tree.section("summary").text
    assert "Against 1 claim that is not refuted here a search for a counterexample is documented" in summary
    assert "None is documented for Y." in summary


def test_other_outcomes_of_a_search() -> None:
    exhausted = parse(page([recorded(exhausted=True, best=None)])).section("claim-X").text
    assert "400 candidates, all that there are, in 1.9 s" in exhausted and "vacuous: 327). A search" in exhausted
    equal = FOUND | {"ratio": None, "actual": side(0.0, 0.0, "0"), "bound": side(0.0, 0.0, "0")}
    assert "The closest was a left side of 0 against 0, at" in parse(page([recorded(best=equal)])).section("claim-X").text
    assert "One is violated: n=2." in parse(page([recorded(violated="n=2")])).section("claim-X").text


def test_without_the_record_nothing_is_said_of_searches() -> None:
    for text in (page(None), render(realistic())):
        assert "Searched" not in text and "search for a counterexample" not in text


@pytest.mark.parametrize(
    ("searches", "place"),
    [
        (3, "searches: found int"),
        ([recorded(seed="0")], "search 1, seed"),
        ([recorded(seconds=-1)], "search 1, seconds"),
        ([recorded(best={"family": "x"})], "search 1, best"),
        ([recorded(families=[])], "search 1, families"),
        ([recorded(), recorded()], "claims searched: 'X' occurs twice"),
    ],
)
def test_a_record_of_another_shape_is_refused_with_its_place(searches: object, place: str) -> None:
    with pytest.raises(ModelError, match=place):
        page(searches)


# ------------------------------------------------------------------------------------------------------------------- durations


def timed(seconds: object) -> Json:
    entries = [instance("holds", label=f"n={i}", actual=side(0, 0), bound=side(1, 1)) for i in (1, 2, 3)]
    return document([claim("X", "corroborated", entries)], provenance={"version": "1", "seconds_of_instances": {"X": seconds}})


def test_durations_stand_in_the_provenance_and_nowhere_else() -> None:
    one, other = render(timed([0.25, 61.5, None])), render(timed([7.0, 8.0, 9.0]))
    tree = parse(one)
    said = tree.section("provenance").text
    assert "Together the instances took 61.8 s." in said
    assert "61.50 s: X, n=2 0.25 s: X, n=1" in said
    assert "seconds_of_instances" not in said
    head, tail = one.split('<h2 id="provenance">')
    assert head == other.split('<h2 id="provenance">')[0]
    assert tail != other.split('<h2 id="provenance">')[1]


@pytest.mark.parametrize("seconds", [[1.0], [1.0, 2.0, -3.0], [1.0, 2.0, "soon"], 3])
def test_durations_that_do_not_fit_are_refused_with_their_place(seconds: object) -> None:
    with pytest.raises(ModelError, match="provenance, seconds_of_instances"):
        render(timed(seconds))
