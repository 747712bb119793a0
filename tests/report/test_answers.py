"""The first screen, held against the findings: it says that a main theorem fails where an instance is violated, and only there."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from mfverify import Model, verify
from mfverify.errors import ModelError
from mfverify.papers import CATALOGUE
from mfverify.report import render
from mfverify.report.certificates import FOLDER, beside_the_sources
from mfverify.report.digits import listed
from mfverify.theory.paper import Paper
from tests.report.documents import Json, claim, document, gap_claim, instance, lipschitz_claim, model, side
from tests.report.pages import Element, parse

PAPERS = [
    {"name": "a_paper", "title": "A paper", "authors": ["A. Author"], "arxiv": "2412.00661", "main": [["T1", "T1b"], ["T2"]]},
    {"name": "ours", "title": "What holds", "authors": [], "arxiv": "", "main": []},
]


def holding(name: str, **given: object) -> Json:
    """A claim that holds on one instance."""
    return claim(name, "corroborated", [instance("holds", agents=4, subsample=2, actual=side(0.5, 0.5), bound=side(0.75, 0.75))], **given)


def first_screen(claims: list[Json], **given: object) -> Element:
    """The summary of a run of these claims."""
    return parse(render(document(claims, papers=PAPERS, **given))).section("summary")


def heading(screen: Element) -> str:
    (found,) = screen.all("h2")
    return found.text


def answers(screen: Element) -> list[Element]:
    return [part for part in screen.all("div") if part.attributes.get("class", "").startswith("answer ")]


def refuted() -> Json:
    return gap_claim() | {"paper": "a_paper"}


def test_a_main_theorem_that_is_violated_fails_and_the_screen_says_where() -> None:
    screen = first_screen([refuted(), holding("R4", paper="ours", repairs=["T1"])])
    assert heading(screen) == "The main theorem, as read, fails."
    (answer,) = answers(screen)
    assert answer.attributes["class"] == "answer refuted"
    # the clearest violation of the run, as typed in the document
    said = answer.text
    assert "fails, as read: at coordination, n = 2000, k = 401," in said
    assert "in [0.733856, 0.733857] but" in said and "in [0.605512, 0.605513]." in said
    assert "In this run: 2 violated, 13 hold, 3 vacuous, 1 undecided." in said
    assert "What holds in its place, on everything tried: R4, title of R4 (1 holds), search only." in said
    assert "Not checked in this run: T2." in screen.text
    (drawing,) = screen.all("svg")
    assert drawing.attributes["aria-label"].startswith("coordination, n = 2000: both sides against k, violated at k = 300 and 401.")


def test_a_run_in_which_the_main_theorem_holds_everywhere_says_so() -> None:
    held = refuted()
    held["instances"] = [entry for entry in held["instances"] if entry["verdict"] == "holds"]
    held |= {"status": "corroborated", "registered": "corroborated", "grounds": {"kind": "search only", "where": "", "uses": []}}
    certificate = {
        "claim": "T1",
        "file": "T1.json",
        "sha256": "ab",
        "left_at_least": "2",
        "right_at_most": "1",
        "story": None,
        "where": "x, n = 1",
    }
    screen = first_screen([held, holding("R4", paper="ours", repairs=["T1"])], certificates=[certificate])
    assert heading(screen) == "The main theorem holds on everything tried. That is no proof."
    (answer,) = answers(screen)
    assert answer.attributes["class"] == "answer corroborated"
    assert "holds on 13 instances, with no violation; that is no proof" in answer.text
    for wrong in ("fails", "violated", "What holds in its place", "x, n = 1"):
        assert wrong not in answer.text
    (drawing,) = screen.all("svg")
    assert "no violation" in drawing.attributes["aria-label"]


def test_a_run_without_the_main_theorem_says_that() -> None:
    screen = first_screen([holding("L1", paper="a_paper"), holding("R4", paper="ours", repairs=["T1"])])
    assert heading(screen) == "No main theorem of a paper was checked in this run."
    assert answers(screen) == []
    assert screen.all("svg") == []
    assert "Not checked in this run: T1 and T2." in screen.text
    assert heading(first_screen([holding("R4", paper="ours")])) == "No main theorem of a paper was checked in this run."


def test_a_proof_is_named_where_there_is_one() -> None:
    for kind, words in (
        ("proof of ours", "it has a proof of ours"),
        ("known theorem", "it is a known theorem"),
        ("by definition", "it holds by definition"),
    ):
        screen = first_screen([holding("T1", paper="a_paper", grounds={"kind": kind, "where": "here", "uses": []})])
        assert words in screen.text and "no proof" not in answers(screen)[0].text


@pytest.mark.parametrize(
    ("entries", "status", "says"),
    [
        (
            [instance("vacuous", actual=side(0, 0), bound=side(2, 2), trivial=side(1, 1))],
            "vacuous",
            "says nothing here: on 1 instance its bound",
        ),
        ([instance("undecided", reason="Beyond memory.")], "undecided", "is not decided: 1 instance undecided, none violated"),
        ([instance("not-applicable", reason="k = n")], "undecided", "does not apply: its assumptions fail on 1 instance"),
        ([], "undecided", "was not computed on any instance"),
    ],
)
def test_what_is_not_shown_to_hold_is_not_said_to(entries: list[Json], status: str, says: str) -> None:
    screen = first_screen([claim("T1", status, entries, paper="a_paper")])
    assert heading(screen) == "No violation of the main theorem was found; 1 of 1 is not shown to hold anywhere."
    assert says in answers(screen)[0].text


def test_of_several_main_theorems_those_that_fail_are_counted() -> None:
    two = [refuted(), holding("T2", paper="a_paper")]
    assert heading(first_screen(two)) == "Of 2 main theorems, as read, 1 fails."
    both = [refuted(), refuted() | {"id": "T2"}]
    assert heading(first_screen(both)) == "The main theorems, as read, fail: all 2."
    other = [holding("T1", paper="a_paper"), refuted() | {"id": "T1b"}]
    (answer,) = answers(first_screen(other))
    assert "Other readings: T1b refuted." in answer.text


def test_of_many_repairs_the_first_are_named_by_their_titles() -> None:
    many = [holding(f"R{i}", paper="ours", repairs=["T1"]) for i in range(1, 6)]
    said = answers(first_screen([refuted(), *many]))[0].text
    assert "R3, title of R3 (1 holds), search only. Also R4, R5." in said
    assert "title of R4" not in said


def test_the_smallest_certificate_is_quoted() -> None:
    found = beside_the_sources({"T1"})
    screen = first_screen([refuted()], certificates=found)
    stated = min((json.loads((FOLDER / one["file"].rsplit("/")[-1]).read_text()) for one in found), key=lambda one: int(one["agents"]))
    assert stated["agents"] < 16, "T1.json is not the smallest"
    said = answers(screen)[0].text
    assert f"at {stated['model']['name']}, n = {stated['agents']}, k = {stated['subsample']}," in said
    assert f"≥ {stated['actual']['lower']} but" in said and f"≤ {stated['bound']['upper']} (certificate, in words)." in said
    # Numbers in the wrong order refute nothing.
    wrong = [one | {"left_at_least": "0.1"} for one in found]
    assert "n = 2000, k = 401" in answers(first_screen([refuted()], certificates=wrong))[0].text


def test_a_certificate_and_its_story_are_in_the_page() -> None:
    tree = parse(render(document([refuted()], papers=PAPERS, certificates=beside_the_sources({"T1"}))))
    (link,) = (link for link in tree.all("a") if link.attributes["href"].startswith("data:application/json;base64,"))
    content = base64.b64decode(link.attributes["href"].partition(",")[2])
    assert content == (FOLDER / "T1.json").read_bytes()
    assert link.attributes["download"] == "T1.json"
    story = tree.by_id("story-of-claim-T1")
    assert "A single draw for" in story.text and "**" not in story.text
    assert "#story-of-claim-T1" in [link.attributes["href"] for link in tree.section("summary").all("a")]


def test_a_certificate_that_is_not_the_file_that_it_names_is_refused() -> None:
    one = next(one for one in beside_the_sources({"T1"}) if one["content"])
    other = base64.b64encode(b"{}").decode()
    for content in (other, "no base64", "é"):
        with pytest.raises(ModelError, match="certificate 1, content: is not base64 of a file with the SHA-256"):
            render(document([refuted()], certificates=[one | {"content": content}]))
    render(document([refuted()], certificates=[one | {"content": other, "sha256": hashlib.sha256(b"{}").hexdigest()}]))


def test_claims_come_paper_by_paper_with_main_theorems_first() -> None:
    claims = [
        holding("S1", paper="a_paper"), holding("R1", paper="ours"), holding("R4", paper="ours", repairs=["T1"]), refuted(),
        holding("X", paper=None), holding("T2", paper="a_paper"), lipschitz_claim() | {"paper": "a_paper"},
    ]  # fmt: skip
    tree = parse(render(document(claims, papers=PAPERS)))
    table = tree.section("claims").all("table")[0]
    bodies = [[row.all("th")[0].text for row in body.all("tr")] for body in table.all("tbody")]
    assert bodies == [["A paper", "T1", "T2", "S1", "L2"], ["What holds", "R4", "R1"], ["Claims of your own", "X"]]
    assert [part.text for part in tree.all("h2")][2:5] == ["A paper", "What holds", "Claims of your own"]
    by_paper = {row.all("th")[0].text: [cell.text for cell in row.all("td")] for row in tree.section("summary").all("tbody")[0].all("tr")}
    assert by_paper == {
        "A paper": ["4", "2", "2", "0", "0"],
        "What holds": ["2", "0", "2", "0", "0"],
        "Claims of your own": ["1", "0", "1", "0", "0"],
    }


def test_main_theorems_are_claims_of_their_paper() -> None:
    assert any(paper.main for paper in CATALOGUE.papers)
    for paper in CATALOGUE.papers:
        ids = [claim_id for readings in paper.main_theorems for claim_id in readings]
        assert len(ids) == len(set(ids))
        assert all(readings for readings in paper.main_theorems)
        assert {CATALOGUE.paper_of(CATALOGUE[claim_id]) for claim_id in ids} <= {paper.name}
    assert Paper("p", "A paper", headlines=("A", "B")).main_theorems == (("A",), ("B",))


def test_a_real_run_names_its_papers_and_whose_models_it_used() -> None:
    run = verify(["C3", "R3"], instance="n=2 k=1 population=1+1", workers=1).document
    assert [(paper["name"], bool(paper["main"])) for paper in run["papers"]] == [("mean_field_sampling", True), ("ours", False)]
    screen = parse(render(run)).section("summary")
    assert heading(screen) == "No main theorem of a paper was checked in this run."
    main = next(paper for paper in CATALOGUE.papers if paper.name == "mean_field_sampling").main_theorems
    assert f"Not checked in this run: {listed([readings[0] for readings in main])}." in screen.text
    own = Model([[[1]]], [[[[1]]]], [[0]], [[[1]]], discount="1/2", name="mine")
    assert [one["given"] for one in verify(["B5"], models=[own], workers=1).document["models"]] == [True]


def test_models_and_claims_of_the_caller_are_named_as_such() -> None:
    entries = [instance("vacuous", model="mine", actual=side(0, 0), bound=side(2, 2), trivial=side(1, 1))]
    on_own = claim("T1", "vacuous", entries, paper="a_paper", registered="refuted")
    tree = parse(render(document([on_own], [model("mine", given=True)], papers=PAPERS)))
    assert [part.text for part in tree.all("h1")] == ["Verification report: mean-field subsampling, on models of your own"]
    assert "Models of your own: mine." in tree.all("header")[0].text
    assert "mine (your own)" in tree.section("models").text
    assert "registered: refuted" not in tree.text and "differs" not in tree.section("summary").text
    assert "○ vacuous: 1 vacuous." in tree.section("claim-T1").text
    # What the package holds to be true is an alarm on any model.
    broken = claim(
        "R4", "refuted", [instance("violated", model="mine", actual=side(2, 2), bound=side(1, 1))], paper="ours", registered="corroborated"
    )
    assert (
        "R4 (registered corroborated, found refuted)"
        in parse(render(document([broken], [model("mine", given=True)]))).section("summary").text
    )
    bundled = parse(render(document([on_own], [model("mine")], papers=PAPERS)))
    assert "registered: refuted" in bundled.text
    own = parse(render(document([holding("X", paper=None)])))
    assert [part.text for part in own.all("h1")] == ["Verification report: X"]
    assert "Claims of your own: X." in own.all("header")[0].text


def test_a_paper_that_does_not_fit_is_refused() -> None:
    for change, message in (
        ({"main": [[]]}, "paper 1, main: a main theorem without a claim"),
        ({"main": [["T1", 3]]}, "paper 1, main: found 3, expected a string"),
        ({"title": None}, "paper 1, title: found None, expected a string"),
    ):
        with pytest.raises(ModelError, match=message):
            render(document([refuted()], papers=[PAPERS[0] | change]))
    with pytest.raises(ModelError, match="papers: 'a_paper' occurs twice"):
        render(document([refuted()], papers=[PAPERS[0]] * 2))
    with pytest.raises(ModelError, match="model 'mine', given: found 1, expected true or false"):
        render(document([], [model("mine", given=1)]))
