"""The page as a browser, a screen reader and a hostile document meet it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import subprocess
import sys
from fractions import Fraction
from html import escape
from importlib.resources import files
from itertools import pairwise
from urllib.parse import unquote

import matplotlib as mpl
import pytest

from mfverify.errors import ModelError
from mfverify.report import render
from mfverify.theory.grounds import Ground
from tests.report.documents import Json, claim, document, gap_claim, instance, model, rational, realistic, side, walk
from tests.report.pages import Element, instances, parse

SCRIPT = (files("mfverify.report") / "page.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page() -> str:
    return render(realistic())


@pytest.fixture(scope="module")
def tree(page: str) -> Element:
    return parse(page)


@pytest.mark.slow
def test_same_document_gives_the_same_bytes_in_another_process(page: str) -> None:
    program = "import json, sys, hashlib; from mfverify.report import render;print(hashlib.sha256(render(json.load(sys.stdin)).encode()).hexdigest())"
    for seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(realistic()), capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path), "TZ": f"UTC-{seed}", "SOURCE_DATE_EPOCH": seed, "HOME": "/tmp"},
        )  # fmt: skip
        assert ran.stdout.strip() == hashlib.sha256(page.encode()).hexdigest()


@pytest.mark.slow
def test_plots_ignore_the_settings_of_the_process_and_leave_them_alone(page: str) -> None:
    with mpl.rc_context({"font.size": 30, "axes.grid": False, "xtick.direction": "in", "axes.edgecolor": "red"}):
        assert render(realistic()) == page
        assert mpl.rcParams["font.size"] == 30


def test_ids_are_unique_and_every_internal_reference_resolves(tree: Element) -> None:
    ids = [element.attributes["id"] for element in tree.all() if "id" in element.attributes]
    assert len(ids) > 20
    assert len(ids) == len(set(ids))
    references = [
        value.removeprefix("#")
        for element in tree.all()
        for name, value in element.attributes.items()
        if name == "href" and value[0] == "#"
    ]
    references += [
        name for element in tree.all() for value in element.attributes.values() for name in re.findall(r"url\(#([^)]*)\)", value)
    ]
    references += [element.attributes["aria-labelledby"] for element in tree.all() if "aria-labelledby" in element.attributes]
    assert len(references) > 30
    assert [name for name in references if name not in ids] == []


def test_no_link_leads_to_what_is_folded() -> None:
    timed = realistic()
    timed["provenance"]["seconds_of_instances"] = {one["id"]: [1.5] * len(one["instances"]) for one in timed["claims"]}
    tree = parse(render(timed))
    assert "1.50 s: " in tree.section("provenance").text
    folded = {part.attributes["id"] for hidden in tree.all("noscript") for part in hidden.all() if "id" in part.attributes}
    assert len(folded) == 43
    assert [link.attributes["href"] for link in tree.all("a") if link.attributes["href"].removeprefix("#") in folded] == []


def test_nothing_is_loaded_from_anywhere(tree: Element, page: str) -> None:
    assert [element.tag for element in tree.all() if element.tag in ("link", "img", "iframe", "object", "embed", "base")] == []
    assert [element.attributes for element in tree.all() if "src" in element.attributes or "srcset" in element.attributes] == []
    (script,) = tree.all("script")
    assert script.attributes == {}
    (policy,) = (e.attributes["content"] for e in tree.all("meta") if e.attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}';" in policy
    outward = [element for element in tree.all() if not element.attributes.get("href", "#").startswith("#")]
    assert len(outward) > 5
    assert all(e.tag == "a" and e.attributes["href"].startswith("data:text/csv;") and "download" in e.attributes for e in outward)
    (style,) = tree.all("style")
    assert "@import" not in style.text
    assert "url(" not in style.text
    assert not re.search(r"\son[a-z]+=", page)


def test_structure_for_assistive_technology(tree: Element) -> None:
    (html,) = tree.all("html")
    assert html.attributes["lang"] == "en"
    assert [len(tree.all(tag)) for tag in ("main", "nav", "header", "footer", "h1")] == [1, 1, 1, 1, 1]
    levels = [int(element.tag[1]) for element in tree.all() if re.fullmatch("h[1-6]", element.tag)]
    assert len(levels) > 15
    assert [(one, two) for one, two in pairwise(levels) if two > one + 1] == []
    first = tree.all("a")[0]
    assert first.attributes["href"] == "#main"
    tables = tree.all("table")
    assert len(tables) == 3  # all claims, the violations, the models
    regions = [element for element in tree.all("div") if element.attributes.get("class") == "scroll"]
    assert sum(len(region.all("table")) for region in regions) == len(tables)
    assert all(region.attributes["tabindex"] == "0" and region.attributes["aria-label"] for region in regions)
    assert all(heading.attributes.get("scope") in ("col", "row") for table in tables for heading in table.all("th"))


def test_every_plot_has_a_name_that_states_its_numbers(tree: Element) -> None:
    plots = tree.all("svg")
    assert len(plots) == 7  # C1: 3 populations against k, a curve of two instances; T1: 2 models against k; what rests on what
    assert sorted(plot.attributes["role"] for plot in plots) == ["group", *["img"] * 6]  # the graph holds links, so it is no picture
    names = [plot.attributes["aria-label"] for plot in plots]
    assert len(set(names)) == len(names)
    (gap,) = (name for name in names if name.startswith("coordination, n = 2000"))
    for stated in ("k = 11: left 0.94012", "right 3.1002", "holds", "k = 401: left 0.73385", "right 0.60551", "violated"):
        assert stated in gap
    assert len(tree.all("figcaption")) == len(plots)


def test_plots_carry_no_style_sheet_no_date_and_no_foreign_metadata(tree: Element, page: str) -> None:
    assert [inner.tag for plot in tree.all("svg") for inner in plot.all() if inner.tag in ("style", "metadata", "title", "script")] == []
    assert "matplotlib" not in page


def test_statements_are_mathml(tree: Element) -> None:
    section = tree.section("claim-T1")
    displayed = [element for element in section.all("math") if element.attributes["display"] == "block"]
    assert len(displayed) == 1
    assert len(displayed[0].all("msqrt")) == 2  # the long root and the root of k
    assert len(displayed[0].all("mfrac")) == 4
    (source,) = (pre for pre in section.all("pre") if pre.attributes.get("data-copy") == "LaTeX")
    assert source.text.endswith(r"+ \frac{1}{10\sqrt{k}} + 2\varepsilon_{k,m}$$")
    assert "\\frac" not in section.text.replace(source.text, "")
    assert displayed[0].attributes["alttext"].startswith("V^{\\star}(s_0)")


def test_summary_states_counts(tree: Element) -> None:
    (header,) = tree.all("header")
    assert (
        "Of 5 claims checked on 43 instances, 2 are refuted by certified violations, 1 is corroborated, 1 is vacuous and 1 is undecided."
        in header.text
    )
    told = tree.section("summary").text
    # by hand: C1 21 hold; L2 1 violated, 1 not applicable; T1 4 + 9 hold, 2 violated, 3 vacuous, 1 undecided; C5 1 vacuous
    assert "34 hold, 3 are violated, 4 hold vacuously" in told
    assert "1 is not applicable and 1 is undecided" in told
    assert "C5 (registered corroborated, found vacuous)" in told
    assert "not a proof" in told


def test_each_refuted_claim_is_shown_by_its_clearest_violation(tree: Element) -> None:
    (table,) = (table for table in tree.all("table") if table.attributes.get("class") == "violations")
    rows = {row.all("th")[0].text: [cell.text for cell in row.all("td")] for row in table.all("tbody")[0].all("tr")}
    assert rows["L2"] == ["Lipschitz continuity across sizes", "absorbing, n = 2, k = 1", "1/8", "0", "–"]
    # T1 at k = 401: 0.7338560624 and 0.6055129938, outward to six digits; k = 300 is the less clear one
    assert rows["T1"][1:] == ["coordination, n = 2000, k = 401", "[0.733856, 0.733857]", "[0.605512, 0.605513]", "–"]
    assert list(rows) == ["L2", "T1"]


def test_overview_counts_the_instances_of_each_claim(tree: Element) -> None:
    rows = {row.all("th")[0].text: [cell.text for cell in row.all("td")] for row in tree.section("claims").all("tbody")[0].all("tr")}
    assert list(rows) == ["C1", "L2", "T1", "N1", "C5"]
    assert rows["T1"][1:8] == ["✗ refuted", "counterexample", "13", "2", "3", "0", "1"]
    # the smallest of T1 is at k = 401: 0.6055129938 / 0.7338560624 = 0.82511138...
    assert [rows["T1"][8], rows["C1"][8]] == ["0.825[1, 2]", "9.50[0, 1]"]
    assert rows["L2"][1:] == ["✗ refuted", "counterexample", "0", "1", "0", "1", "0", "0"]
    assert rows["N1"][1:] == ["? undecided", "search only", "0", "0", "0", "0", "0", "–"]
    assert rows["C5"][1].endswith("registered: corroborated")


def test_instances_are_listed_with_each_number_in_its_column(tree: Element) -> None:
    section = tree.section("claim-T1")
    found = instances(section)
    assert list(found[5]) == ["Verdict", "Model", "n", "k", "Label", "Left side", "Right side", "Trivial", "Slack", "Command", "Notes"]
    # gap 0.7338560624 and bound 0.6055129938 as typed in the document, outward to six digits
    cells = list(found[5].values())
    assert cells[:4] == ["✗ violated", "coordination", "2000", "401"]
    assert cells[5:9] == ["0.73385[6, 7]", "0.60551[2, 3]", "101/25", "0.825[1, 2]"]
    assert [row["Command"] for row in found][5] == "–"
    assert found[-1]["Command"] == "mfverify verify --claims X --instance 'population'"
    assert found[5]["Notes"] == "Worst state: s_g = 0, 1000 agents in each local state. sweeps: 41"
    (summary,) = (details.all("summary")[0].text for details in section.all("details") if details.attributes["class"] == "instances")
    assert summary == "19 instances: 2 violated, 13 hold, 3 vacuous, 1 undecided"
    assert "left side 0.73385[6, 7] > right side 0.60551[2, 3] (violated)" in section.text
    assert "mfverify verify --claims T1 --instance 'coordination n=2000 k=401'" in [block.text for block in section.all("pre")]
    assert "left side 1/8 > right side 0 (violated)" in tree.section("claim-L2").text


def test_status_of_the_claims_that_a_claim_rests_on(tree: Element) -> None:
    section = tree.section("claim-T1")
    assert "L2 (refuted), C2" in section.text
    assert "#claim-L2" in [link.attributes["href"] for link in section.all("a")]


GROUNDS = {
    "A": {"kind": "proof of ours", "where": "mfverify/papers/ours/optimism.py, under R1", "uses": ["C", "D"]},
    "B": {"kind": "known theorem", "where": "Serfling 1974", "uses": []},
    "C": {"kind": "by definition", "where": "eq. 11-12", "uses": []},
    "D": {"kind": "search only", "where": "", "uses": []},
}


def grounded(**statuses: str) -> Element:
    """The page of claims with these grounds; corroborated unless said otherwise."""
    entries = {
        "corroborated": instance("holds", actual=side(0.5, 0.5), bound=side(0.75, 0.75), slack=rational("3/2")),
        "refuted": instance("violated", actual=side(2, 2), bound=side(1, 1)),
    }
    found = {name: statuses.get(name, "corroborated") for name in GROUNDS}
    return parse(render(document([claim(name, found[name], [entries[found[name]]], grounds=GROUNDS[name]) for name in GROUNDS])))


def test_grounds_stand_beside_the_status() -> None:
    tree = grounded()
    rows = tree.section("claims").all("tbody")[0].all("tr")
    assert {row.all("th")[0].text: row.all("td")[2].text for row in rows} == {name: one["kind"] for name, one in GROUNDS.items()}
    for name, one in GROUNDS.items():
        section = tree.section(f"claim-{name}")
        assert f"As registered. Grounds: {one['kind']}." in section.text
        assert Ground(one["kind"]).sentence in section.text
        assert str(one["where"]) in section.text
    assert "It uses C (corroborated), D (corroborated)." in tree.section("claim-A").text
    assert "It uses" not in tree.section("claim-D").text
    assert (
        "Of 4 claims not refuted, 1 has a proof of ours, 1 is a known theorem, 1 holds by definition and 1 has no proof: search only (D)."
        in tree.section("summary").text
    )
    assert all(kind.sentence in tree.section("words").text for kind in Ground)


def test_the_graph_tells_the_arguments_of_the_source_from_ours() -> None:
    held = instance("holds", actual=side(0.5, 0.5), bound=side(0.75, 0.75))
    refuted = claim("C7", "refuted", [instance("violated", actual=side(2, 2), bound=side(1, 1))])
    kept = claim("L1", "corroborated", [held], rests_on=["C7"], grounds=GROUNDS["A"] | {"uses": []})
    above = claim("R6", "corroborated", [held], grounds=GROUNDS["A"] | {"uses": ["L1"]})
    lost = claim("R9", "corroborated", [held], grounds=GROUNDS["A"] | {"uses": ["C7"]})
    graph = {"unsupported": {"R9": ["C7"]}, "replaced": {"L1": ["C7"]}}
    tree = parse(render(document([refuted, kept, above, lost], graph=graph)))
    section = tree.section("dependencies")
    (drawing,) = section.all("svg")
    assert drawing.attributes["aria-label"] == (
        "What rests on what. L1: the source's argument uses C7; R6: our argument uses L1; R9: our argument uses C7."
    )
    assert [item.text for item in section.all("li")] == [
        "R9 is not refuted here, but every argument for it uses C7, which is.",
        "L1 keeps its support: the source's argument for it uses C7, which is refuted; our argument does not.",
    ]
    for words in ("our argument uses", "the source's argument uses", "uses a refuted claim", "every argument uses a refuted claim"):
        assert words in " ".join(part.text for part in drawing.all("text"))


def test_arguments_in_a_circle_are_drawn() -> None:
    held = instance("holds", actual=side(0.5, 0.5), bound=side(0.75, 0.75))
    circle = [claim(a, "corroborated", [held], rests_on=[b]) for a, b in (("X", "Y"), ("Y", "X"))]
    assert (
        "X: the source's argument uses Y" in parse(render(document(circle))).section("dependencies").all("svg")[0].attributes["aria-label"]
    )


def test_a_violation_of_a_proved_claim_is_an_alarm() -> None:
    alarm = "A violated instance is certified here: the argument or the program is wrong."
    tree = grounded(A="refuted", D="refuted")
    assert alarm in tree.section("claim-A").text
    assert alarm not in tree.section("claim-D").text
    assert alarm not in grounded().text


def test_a_document_without_grounds_is_a_page_that_does_not_speak_of_them() -> None:
    old = claim("X", "corroborated", [instance("holds", actual=side(0.5, 0.5), bound=side(0.75, 0.75))])
    del old["grounds"]
    tree = parse(render(document([old])))
    assert "Grounds" not in tree.section("claim-X").text
    assert "not refuted, " not in tree.section("summary").text


def test_grounds_of_an_unknown_kind_are_refused() -> None:
    with pytest.raises(ModelError, match="claim X, grounds, kind: found 'hearsay', expected one of 'proof of ours'"):
        render(document([claim("X", "undecided", [], grounds={"kind": "hearsay", "where": "", "uses": []})]))


def test_a_claim_without_instances_says_so(tree: Element) -> None:
    section = tree.section("claim-N1")
    assert "No instance of this claim was computed in this run." in section.text
    assert section.all("table") == []


@pytest.mark.parametrize("number", [1, 500])
def test_all_instances_are_folded_and_none_is_left_out(number: int) -> None:
    entries = [
        instance("holds", agents=n, label=f"n={n}", actual=side(0.5, 0.5), bound=side(0.75, 0.75), slack=rational("3/2"))
        for n in range(1, number + 1)
    ]
    section = parse(render(document([claim("X", "corroborated", entries)]))).section("claim-X")
    assert [row["n"] for row in instances(section)] == [str(n) for n in range(1, number + 1)]
    assert section.all("table") == []
    (folded,) = (details for details in section.all("details") if details.attributes["class"] == "instances")
    assert "open" not in folded.attributes
    assert instances(folded) == instances(section)


def test_the_command_of_an_instance_is_stated_once_for_all_or_in_a_column() -> None:
    def found(*commands: str) -> Element:
        entries = [instance("holds", label=f"a b{i}", reproduce=one, actual=side(0, 0), bound=side(1, 1)) for i, one in enumerate(commands)]
        return parse(render(document([claim("X", "corroborated", entries)]))).section("claim-X")

    common = found("mfverify verify --instance 'a b0'", "mfverify verify --instance 'a b1'")
    assert "mfverify verify --instance 'LABEL'" in [code.text for code in common.all("code")]
    assert "Command" not in instances(common)[0]
    assert [row["Label"] for row in instances(common)] == ["a b0", "a b1"]
    assert [row["Command"] for row in instances(found("one 'a b0'", "one 'a b1'", "other 'a b2'"))] == ["–", "–", "other 'a b2'"]
    without = found("nothing", "nothing else")
    assert [row["Command"] for row in instances(without)] == ["nothing", "nothing else"]
    assert "LABEL" not in without.text


def test_an_empty_run_is_a_page() -> None:
    tree = parse(render(document([], provenance={})))
    assert "Of 0 claims checked on 0 instances, 0 are refuted and 0 are corroborated." in tree.all("header")[0].text
    assert "No claim was checked in this run." in tree.text


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></svg>",
    "</pre></noscript><img src=x onerror=alert(1)>",
    "{{ 7*7 }}",
    "$x$ \\frac",
    "' onload='x",
    "&lt;b&gt;",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_wherever_they_stand(name: str) -> None:
    curve = {
        "title": name, "x_label": name, "y_label": name, "x": [1, 2, 3, 4], "scale": "linear",
        "series": [{"label": name, "lower": [0.1, 0.2, 0.3, 0.4], "upper": [0.1, 0.2, 0.3, 0.4]}],
    }  # fmt: skip
    entries = [
        instance(
            "violated", model=name, agents=3, subsample=k, parameters={name: name}, label=name, reason=name, reproduce=name,
            actual=side(2.0, 2.0), bound=side(1.0, 1.0), details={"worst": name, name: name, "list": [name], "curve": curve},
        )
        for k in (1, 2, 3, 4)
    ]  # fmt: skip
    claims = [claim("X", "refuted", entries, source=name, rests_on=[name], paper=name)]
    papers = [{"name": name, "title": name, "authors": [name], "arxiv": name, "main": [["X"], [name]]}]
    certificate = {
        "claim": "X",
        "file": name,
        "sha256": name,
        "left_at_least": "2",
        "right_at_most": "1",
        "story": name,
        "where": name,
        "story_text": name,
    }
    models = [model(name, documentation=name, fingerprint=name, given=True)]
    page = render(document(claims, models, profile=name, provenance={name: name}, papers=papers, certificates=[certificate]))
    tree = parse(page)
    assert [element.tag for element in tree.all() if element.tag in ("img", "b")] == []
    assert [script.text for script in tree.all("script")] == [" ".join(SCRIPT.split())]
    assert [element for element in tree.all() if any(key.startswith("on") for key in element.attributes)] == []
    assert len(tree.all("title")) == len(tree.all("style")) == 1
    flat = " ".join(name.split())
    model_heading = tree.by_id("model-1")
    assert model_heading.text == flat
    assert page.count(escape(name, quote=False).split("'")[0].split('"')[0]) >= 10
    assert len(tree.all("svg")) == 3  # on the first screen and in the section one against k; the one curve of all instances
    assert sum(flat in " ".join(part.text for part in plot.all("text")) for plot in tree.all("svg")) == 1
    assert all(link.attributes["href"][0] == "#" or link.attributes["href"].startswith("data:text/csv;") for link in tree.all("a"))


def test_claims_and_instances_have_addresses_that_survive_another_run(tree: Element) -> None:
    ids = [element.attributes["id"] for element in tree.all() if "id" in element.attributes]
    assert {"claim-T1", "claim-T1-coordination-n-2000-k-401", "claim-C1-population-n-8-k-2-epsilon-1-5-types-4"} <= set(ids)
    assert tree.by_id("claim-T1-coordination-n-2000-k-401").text.startswith("✗ violated coordination 2000 401")


def test_instances_with_labels_that_read_alike_have_addresses_of_their_own() -> None:
    entries = [instance("holds", label=label, actual=side(0, 0), bound=side(1, 1)) for label in ("a b", "a-b", "a  b")]
    tree = parse(render(document([claim("X", "corroborated", entries)])))
    assert [row.attributes["id"] for row in tree.section("claim-X").all("pre")[-1].all("span")] == ["claim-X-a-b", "claim-X-a-b--2", "claim-X-a-b--3"]


def test_provenance_names_the_seeds_of_the_instances() -> None:
    entries = [instance("holds", label=f"seed {i}", parameters={"seed": i}, actual=side(0, 0), bound=side(1, 1)) for i in (10, 9)]
    tree = parse(render(document([claim("X", "corroborated", entries)])))
    said = [element.text for element in tree.section("provenance").all() if element.tag in ("dt", "dd")]
    assert said[said.index("seeds") + 1].startswith("9, 10; ")


def test_two_sides_that_do_not_change_with_k_are_not_drawn_unless_violated() -> None:
    def flat(verdict: str, left: float) -> list[Json]:
        return [instance(verdict, subsample=k, label=f"k={k}", actual=side(left, left), bound=side(1, 1)) for k in (1, 2, 3, 4)]

    assert parse(render(document([claim("X", "corroborated", flat("holds", 0.5))]))).all("svg") == []
    assert len(parse(render(document([claim("X", "refuted", flat("violated", 1.5))]))).all("svg")) == 1


def test_characters_that_no_page_may_hold_are_replaced() -> None:
    page = render(document([], [model("a\x00b\x1b\ud800c")]))
    page.encode("utf-8")
    assert parse(page).by_id("model-1").text == "a\ufffdb\ufffd\ufffdc"


def test_every_plot_is_in_the_page_and_the_violated_ones_come_first() -> None:
    def four_sizes(name: str, actual: float) -> list[Json]:
        verdict = "violated" if actual > 1.003 else "holds"
        return [
            instance(verdict, model=name, agents=9, subsample=k, actual=side(actual, actual), bound=side(b, b))
            for k, b in enumerate((1.0, 1.001, 1.002, 1.003), start=1)
        ]

    heights = {"a": 0.2, "b": 0.9, "c": 1.5, "d": 0.3, "e": 3.0, "f": 0.4, "g": 0.5, "h": 0.6}
    entries = [entry for name, actual in heights.items() for entry in four_sizes(name, actual)]
    section = parse(render(document([claim("X", "refuted", entries)]))).section("claim-X")
    assert [caption.text[0] for caption in section.all("figcaption")] == ["e", "c", "b", "h", "g", "f", "d", "a"]
    (folded,) = (details for details in section.all("details") if details.attributes["class"] == "plots")
    assert folded.all("summary")[0].text == "7 further plots"
    assert "not drawn" not in section.text


def test_three_points_are_no_line() -> None:
    for number, plots in ((3, 0), (4, 1)):
        entries = [instance("holds", subsample=k, actual=side(0.1 * k, 0.1 * k), bound=side(1, 1)) for k in range(1, number + 1)]
        assert len(parse(render(document([claim("X", "corroborated", entries)]))).all("svg")) == plots


def data_of(figure: Element) -> list[list[str]]:
    """The file that a figure offers for download."""
    (link,) = (link for link in figure.all("a") if "download" in link.attributes)
    kind, _, content = link.attributes["href"].partition(",")
    assert kind == "data:text/csv;charset=utf-8"
    return list(csv.reader(io.StringIO(unquote(content))))


def test_the_data_of_a_plot_are_the_sides_rounded_outward(tree: Element) -> None:
    (figure,) = (figure for figure in tree.section("claim-T1").all("figure") if figure.all("figcaption")[0].text.startswith("coordination"))
    header, *rows = data_of(figure)
    means = r"max_s V^star(s) - V^pi_k(s), own draws"
    right = "the right side of Theorem 4.2"
    assert header == ["k", f"{means}, lower", f"{means}, upper", f"{right}, lower", f"{right}, upper", "verdict"]
    assert rows[-1] == ["401", "0.733856", "0.733857", "0.605512", "0.605513", "violated"]
    drawing = figure.all("svg")[0]
    places = [int(x) for x in drawing.attributes["data-x"].split()]
    assert places == sorted(places) and len(places) == len(rows)
    words = [label.text for label in drawing.all("text")]
    assert {"subsample size k", right, "violated"} <= set(words)
    assert any(word.startswith("max_s V^star(s)") for word in words)


def test_the_data_of_a_curve_contain_its_ends() -> None:
    third = 1 / 3
    curve = {
        "title": "t", "x_label": "x, in words", "y_label": "y", "x": [1, 2, 3, 4], "scale": "log",
        "series": [{"label": "s", "lower": [third, 1e-20, None, 0], "upper": [third, 1e-20, None, 4e22]}],
    }  # fmt: skip
    entry = instance("holds", actual=side(0.1, 0.1), bound=side(1.0, 1.0), details={"curve": curve})
    (figure,) = parse(render(document([claim("X", "corroborated", [entry])]))).all("figure")
    header, *rows = data_of(figure)
    assert header == ["x, in words", "s, lower", "s, upper"]
    assert rows[0] == ["1", "0.333333", "0.333334"]
    assert rows[2] == ["3", "", ""]
    for row, (low, high) in zip((rows[1], rows[3]), ((1e-20, 1e-20), (0.0, 4e22)), strict=True):
        assert Fraction(row[1]) <= Fraction(low) and Fraction(high) <= Fraction(row[2])
    assert {"x, in words", "y"} <= {label.text for label in figure.all("text")}


def test_of_many_curves_some_are_drawn_violated_ones_first_and_the_others_counted() -> None:
    def entry(number: int, verdict: str) -> Json:
        series = [{"label": "s", "lower": [number + 1.0] * 4, "upper": [number + 1.0] * 4}]
        curve = {"title": f"t{number}", "x_label": "x", "y_label": "y", "x": [1, 2, 3, 4], "scale": "log", "series": series}
        left = 0.1 if verdict == "holds" else 2.0
        return instance(verdict, label=f"number {number}", actual=side(left, left), bound=side(1.0, 1.0), details={"curve": curve})

    for number, said in ((8, ""), (10, "2 further curves of these instances are in report.json.")):
        entries = [*(entry(i, "holds") for i in range(number - 1)), entry(99, "violated")]
        section = parse(render(document([claim("X", "refuted", entries)]))).section("claim-X")
        titles = [figure.all("figcaption")[0].text.split(" ")[0] for figure in section.all("figure")]
        assert titles == ["t99", *(f"t{i}" for i in range(7))]
        assert ("further curve" in section.text) is bool(said) and said in section.text


@pytest.mark.parametrize(("points", "drawn", "said"), [(33, 33, ""), (34, 18, "Every 2nd point"), (100, 26, "Every 4th point"), (4, 4, "")])
def test_of_a_long_curve_some_points_are_drawn_and_the_caption_says_so(points: int, drawn: int, said: str) -> None:
    ends = [1 / (1 + i) for i in range(points)]
    curve = {"title": "t", "x_label": "x", "y_label": "y", "x": list(range(points)), "scale": "log", "series": [{"label": "s", "lower": ends, "upper": ends}]}
    entry = instance("holds", actual=side(0.1, 0.1), bound=side(1.0, 1.0), details={"curve": curve})
    (figure,) = parse(render(document([claim("X", "corroborated", [entry])]))).all("figure")
    _, *rows = data_of(figure)
    assert len(rows) == drawn == len(figure.all("svg")[0].attributes["data-x"].split())
    assert (rows[0][0], rows[-1][0]) == ("0", str(points - 1))
    assert said in figure.text
    assert ("report.json" in figure.text) is bool(said)


def test_numbers_at_the_ends_of_double_precision_are_drawn() -> None:
    for values in ([5e-324, 1e-300, 1.0, 1.7e308], [-1.7e308, 0.0, 1.0, 1.7e308], [1e16, 1e16, 1e16, 1e16], [0.0] * 4):
        for scale in ("linear", "log"):
            curve = {
                "title": "t", "x_label": "x", "y_label": "y", "x": values if len(set(values)) == 4 else [1, 2, 3, 4], "scale": scale,
                "series": [{"label": "s", "lower": values, "upper": values}],
            }  # fmt: skip
            entry = instance("holds", actual=side(0.1, 0.1), bound=side(1.0, 1.0), details={"curve": curve})
            (drawing,) = parse(render(document([claim("X", "corroborated", [entry])]))).all("svg")
            numbers = [int(x) for path in drawing.all("path") for x in re.findall(r"-?\d+", path.attributes["d"])]
            assert numbers and all(-700 <= x <= 700 for x in numbers)


def test_a_curve_that_two_claims_share_is_drawn_once() -> None:
    curve = {
        "title": "t",
        "x_label": "x",
        "y_label": "y",
        "x": [1, 2, 3, 4],
        "scale": "linear",
        "series": [{"label": "s", "lower": [1] * 4, "upper": [1] * 4}],
    }
    entries = [instance("holds", agents=n, actual=side(0.1, 0.1), bound=side(1.0, 1.0), details={"curve": curve}) for n in (1, 2, 3)]
    tree = parse(render(document([claim(name, "corroborated", entries) for name in ("X", "Y")])))
    assert [caption.text for caption in tree.all("figcaption")] == ["t (n = 1, and 2 more instances). data (CSV)"]
    assert "1 further curve of these instances is drawn under X." in tree.section("claim-Y").text


def test_a_long_rational_is_shown_as_an_interval_and_not_as_equal_to_it() -> None:
    # 123456789/987654321 = 0.12499999886..., exact but too long to show
    entries = [instance("violated", agents=2, actual=rational("123456789/987654321"), bound=rational("0"))]
    told = parse(render(document([claim("X", "refuted", entries)]))).section("claims").text
    assert "[0.124999, 0.125]0–" in told.replace("0.125000", "0.125")


@pytest.mark.parametrize(("trivial", "lines"), [(2.9, 3), (3.1, 2)])
def test_a_trivial_bound_that_would_flatten_the_plot_is_mentioned_instead(trivial: float, lines: int) -> None:
    entries = [
        instance("violated", agents=9, subsample=k, actual=side(1.0, 1.0), bound=side(0.5, 0.5), trivial=side(trivial, trivial))
        for k in (1, 2, 3, 4)
    ]
    (figure,) = parse(render(document([claim("X", "refuted", entries)]))).all("figure")
    words = [label.text for label in figure.all("text")]
    assert ("trivial bound" in words) is (lines == 3)
    assert ("The trivial bound lies far above" in figure.text) is (lines == 2)


def test_a_curve_of_three_points_is_not_drawn() -> None:
    def with_points(x: list[float]) -> Json:
        curve = {
            "title": "t",
            "x_label": "x",
            "y_label": "y",
            "x": x,
            "scale": "linear",
            "series": [{"label": "s", "lower": x, "upper": x}],
        }
        return instance("holds", agents=len(x), actual=side(0.1, 0.1), bound=side(1.0, 1.0), details={"curve": curve})

    entries = [with_points([0.5]), with_points([0.5, 0.75, 1.0, 1.5]), with_points([0.5, 0.75, 1.0])]
    tree = parse(render(document([claim("X", "corroborated", entries)])))
    assert [caption.text for caption in tree.all("figcaption")] == ["t (n = 4). data (CSV)"]
    assert "not drawn" not in tree.section("claim-X").text


def test_populations_of_one_subsample_size_are_not_drawn() -> None:
    entries = [instance("holds", agents=n, subsample=2, actual=side(0.1, 0.1), bound=side(1.0, 1.0)) for n in (4, 5, 6)]
    assert parse(render(document([claim("X", "corroborated", entries)]))).all("svg") == []


def test_an_argument_is_shown_line_by_line_with_its_claim() -> None:
    walks = [walk("T1", "coordination n=4 k=2", "holds", "violated", "holds"), walk("T1", "absorbing n=3 k=1", "holds")]
    section = parse(render(document([gap_claim()], walks=walks))).section("claim-T1")
    shown = [found for found in section.all("details") if found.attributes.get("class") == "walk"]
    assert [found.all("summary")[0].text for found in shown] == [
        "The argument line by line at coordination n=4 k=2: breaks at line 2",
        "The argument line by line at absorbing n=3 k=1: no line is violated",
    ]
    assert [line.text for line in shown[0].all("li")][:2] == [
        "✓ holds: step 1 (C3). what is bounded: 1/2 ≤ the bound: 1. At s_g=0.",
        "✗ violated: step 2 (C3). what is bounded: 2 > the bound: 1. At s_g=0.",
    ]
    assert [found.all("p")[0].text for found in shown] == ["That is how it ends."] * 2
    for place, value, says in (
        ("breaks", 3, "walk 1, breaks: found 3, but the first violated line is 2"),
        ("lines", [], "walk 1, breaks: found 'no line'"),
        ("lines", [walks[0]["lines"][0] | {"verdict": "violated"}], "walk 1, line 1: the verdict is violated, but its sides make it holds"),
    ):
        with pytest.raises(ModelError, match=says):
            render(document([gap_claim()], walks=[walks[0] | {place: value}]))


def changed(path: tuple[str | int, ...], value: object) -> Json:
    """The realistic document with one entry replaced; ``...`` deletes it."""
    altered = realistic()
    place = altered
    for step in path[:-1]:
        place = place[step]  # type: ignore[index]
    if value is ...:
        del place[path[-1]]  # type: ignore[arg-type]
    else:
        place[path[-1]] = value  # type: ignore[index]
    return altered


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("format",), 2, "report document, format: found 2, expected 1"),
        (("claims",), ..., "report document: has no entry 'claims'"),
        (("claims", 1, "reading"), ..., "claim L2: has no entry 'reading'"),
        (("claims", 1, "status"), "proved", "claim L2, status: found 'proved', expected one of 'refuted'"),
        (("claims", 1, "status"), "corroborated", "claim L2, status: found corroborated, but its instances make it refuted"),
        (("claims", 1, "id"), "C1", "claim ids: 'C1' occurs twice"),
        (("claims", 2, "instances", 0, "verdict"), "true", "claim T1, instance 1, verdict: found 'true'"),
        (("claims", 2, "instances", 0, "bound"), None, "claim T1, instance 1: the verdict holds needs both sides"),
        (("claims", 2, "instances", 0, "actual", "lower"), "x", "claim T1, instance 1, actual.lower: found 'x', expected a number"),
        (("claims", 2, "instances", 0, "actual", "lower"), float("nan"), "claim T1, instance 1, actual.lower: found nan"),
        (("claims", 2, "instances", 0, "actual", "lower"), 1.5, "claim T1, instance 1, actual: found lower 1.5 above upper 0.94"),
        (("claims", 1, "instances", 0, "actual", "exact"), "1/7", "actual.exact: found '1/7', which is not between"),
        (("claims", 2, "instances", 0, "agents"), 2.5, "claim T1, instance 1, agents: found 2.5, expected an integer"),
        (("claims", 0, "instances", 0, "details", "curve", "scale"), "cubic", "curve, scale: found 'cubic'"),
        (("claims", 0, "instances", 0, "details", "curve", "series", 0, "lower"), [1], "series 1: found 1 lower and 14 upper ends for 14"),
        (("claims", 0, "instances", 0, "details", "curve", "series"), [], "there is nothing to draw"),
        (("claims", 1, "instances", 0, "verdict"), "holds", "claim L2, instance 1: the verdict is holds, but its sides make it violated"),
        (("claims", 1, "instances", 0, "actual"), {"lower": 0.0, "upper": 0.0}, "claim L2, instance 1: the verdict is violated, but its sides"),
        (("claims", 1, "instances", 1, "verdict"), "violated", "claim L2, instance 2: the verdict violated needs both sides"),
        (("claims", 1, "instances", 0, "bound", "exact"), "1e999999999", "claim L2, instance 1, bound.exact: found"),
        (("summary", "claims"), 6, "summary, claims: found 6, but the document holds 5"),
        (("summary", "verdicts", "violated"), 0, "summary, verdicts, violated: found 0, but the document holds 3"),
        (("summary", "unexpected"), [], r"summary, unexpected: found \[\], but the claims that differ are \['C5'\]"),
        (("models", 0, "sizes", "local_states"), ..., "model 'coordination', sizes: has no entry 'local_states'"),
        (("claims", 1, "statement"), "$x", r"claim L2, statement: \$ opens mathematics that is never closed"),
    ],
)  # fmt: skip
def test_a_document_that_does_not_fit_is_refused_with_its_place(path: tuple[str | int, ...], value: object, message: str) -> None:
    with pytest.raises(ModelError, match=message.replace("(", r"\(").replace(")", r"\)")) as caught:
        render(changed(path, value))
    assert "\n" not in str(caught.value)


def test_verdict_words_are_never_shown_by_colour_alone(tree: Element) -> None:
    marks = [element for element in tree.all("span") if element.attributes.get("class", "").startswith("mark ")]
    verdicts = {row["Verdict"] for name in ("C1", "L2", "T1", "C5") for row in instances(tree.section(f"claim-{name}"))}
    assert verdicts == {"✓ holds", "✗ violated", "○ vacuous", "– not-applicable", "? undecided"}
    assert len(marks) > 15
    signs = {mark.attributes["class"].removeprefix("mark "): mark.text for mark in marks}
    assert signs == {
        "refuted": "✗ refuted", "corroborated": "✓ corroborated", "vacuous": "○ vacuous", "undecided": "? undecided",
        "holds": "✓ holds", "violated": "✗ violated", "not-applicable": "– not-applicable",
    }  # fmt: skip
