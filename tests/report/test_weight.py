"""How heavy the page is: bytes, and the elements that a browser builds when it opens it, on a run of half the size of the catalogue's own."""

from __future__ import annotations

from mfverify.report import render
from tests.report.documents import Json, claim, document, gap_claim, instance, model, side
from tests.report.pages import parse

MOST_BYTES = 1_000_000
MOST_ELEMENTS = 10_000
"""Half of what the page of the catalogue may have."""

CLAIMS, INSTANCES, MODELS = 40, 30, 35


def large() -> Json:
    """A run of 40 claims on 30 instances each, with four plots a claim and a long formula in every third."""
    gap = gap_claim()
    claims = []
    for number in range(CLAIMS):
        entries = [
            instance(
                "holds", model=f"model {number % MODELS}", agents=100 + i // 10, subsample=1 + i % 10, parameters={"seed": number},
                label=f"model {number % MODELS} n={100 + i // 10} k={1 + i % 10} seed={number}",
                actual=side(0.1 / (1 + i % 10), 0.1 / (1 + i % 10) + 1e-11), bound=side(0.5, 0.5), trivial=side(4.04, 4.05),
                slack=side(5.0, 5.1 * (1 + i % 10)), details={"worst": "s_g=0, counts (25, 25)"} | ({"curve": curve(number)} if i == 0 else {}),
                reproduce=f"mfverify verify --claims X{number} --instance 'model {number % MODELS} n={100 + i // 10} k={1 + i % 10} seed={number}'",
            )
            for i in range(INSTANCES)
        ]  # fmt: skip
        long = {"statement": gap["statement"]} if number % 3 == 0 else {}
        claims.append(claim(f"X{number}", "corroborated", entries, title=gap["title"], assumptions=gap["assumptions"], **long))
    return document(claims, [model(f"model {number}", documentation="What it is. " * 20) for number in range(MODELS)])


def curve(number: int) -> Json:
    ends = [1 / (3 + number + i) for i in range(40)]
    return {
        "title": f"curve {number}", "x_label": "deviation", "y_label": "probability", "x": list(range(40)), "scale": "log",
        "series": [{"label": label, "lower": ends, "upper": ends} for label in ("exact tail probability", "bound")],
    }  # fmt: skip


def test_the_page_is_light() -> None:
    page = render(large())
    tree = parse(page)
    assert len(page.encode()) < MOST_BYTES
    inside = {id(element) for hidden in tree.all("noscript") for element in hidden.all()}
    assert sum(id(element) not in inside for element in tree.all()) < MOST_ELEMENTS
    # What is weighed is there.
    assert len(tree.all("svg")) == CLAIMS * (INSTANCES // 10 + 1)
    assert sum(len(pre.all("span")) for pre in tree.all("pre")) == CLAIMS * INSTANCES
    assert len(tree.all("math")) >= CLAIMS
