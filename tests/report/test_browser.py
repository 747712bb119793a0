"""The page in real headless Chromium: what it asks for, how it fits a desktop, a phone and paper, what axe-core says, what the script does."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mfverify.report import render
from tests.report.browser import CHROMIUM, DRIVER, MISSING, Browser, chromium
from tests.report.documents import claim, document, gap_claim, instance, model, realistic, side

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason=MISSING),
    # The driver's client leaves sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
LONG = "a_name_without_any_place_to_break_" * 5


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def unfold(browser: Browser) -> None:
    """Open everything that is folded, and wait until the script has built it."""
    browser.run("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    browser.driver.execute_async_script("setTimeout(arguments[0], 0)")
    assert browser.run("return document.querySelectorAll('details:not([open]), noscript, pre.rows').length") == 0


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("page"), render(realistic()))


def written(folder: Path, text: str) -> Path:
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_said_on_the_console_and_nothing_asked_for(browser: Browser, page: Path, size: str) -> None:
    browser.open(page, *SIZES[size])
    assert browser.console() == []
    assert browser.requests() == [page.as_uri()]


def test_the_record_shows_what_a_page_asks_for(browser: Browser, tmp_path: Path) -> None:
    browser.open(written(tmp_path, "<!DOCTYPE html><title>t</title><img src='other.png' alt=''>"), 800, 600)
    assert any(address.endswith("other.png") for address in browser.requests())
    assert browser.console() != []


@pytest.mark.parametrize("size", SIZES)
def test_nothing_sticks_out(browser: Browser, page: Path, size: str) -> None:
    browser.open(page, *SIZES[size])
    assert sticking_out(browser) == []
    wide, height = browser.run("return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert wide == SIZES[size][0]
    assert height > 2000


def sticking_out(browser: Browser) -> list[str]:
    """Elements beyond the right edge that are in nothing that scrolls."""
    found: list[str] = browser.run(
        """
        const scrolls = (e) => { for (; e; e = e.parentElement) if (getComputedStyle(e).overflowX === "auto") return true; return false; };
        return [...document.body.querySelectorAll("*")]
            .filter((e) => !e.closest("svg, math, .skip") && e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e))
            .map((e) => e.outerHTML.slice(0, 120));
        """
    )
    return found


@pytest.mark.parametrize("size", SIZES)
def test_long_names_do_not_stick_out_either(browser: Browser, tmp_path: Path, size: str) -> None:
    entries = [
        instance(
            "violated", model=LONG, agents=3, subsample=k, label=f"{LONG} {k}", parameters={LONG: LONG}, reason=LONG, reproduce=LONG,
            actual=side(2.0 * k, 2.0 * k), bound=side(1.0, 1.0), details={"worst": LONG},
        )
        for k in (1, 2)
    ]  # fmt: skip
    text = render(document([claim("X", "refuted", entries, source=LONG)], [model(LONG, documentation=LONG)], provenance={LONG: LONG}))
    browser.open(written(tmp_path, text), *SIZES[size])
    assert sticking_out(browser) == []


def test_formulas_are_drawn(browser: Browser, page: Path) -> None:
    browser.open(page, *SIZES["desktop"])
    boxes = browser.run("return [...document.querySelectorAll('math')].map((e) => [e.offsetParent !== null, e.getBoundingClientRect().height])")
    assert len(boxes) > 10
    assert all(height > 5 for shown, height in boxes if shown)
    # A fraction is taller than a letter only where the browser lays out MathML.
    fraction, letter = browser.run("return ['mfrac', 'mi'].map((tag) => document.querySelector(tag).getBoundingClientRect().height)")
    assert fraction > 1.5 * letter


def test_every_link_inside_leads_somewhere(browser: Browser, page: Path) -> None:
    browser.open(page, *SIZES["desktop"])
    unfold(browser)
    missed = browser.run(
        """
        const links = [...document.querySelectorAll('a[href^="#"]')];
        const missed = links.filter((a) => {
            location.hash = a.getAttribute("href");
            const target = document.querySelector(":target");
            return !target || (target.id !== "main" && target.getClientRects().length === 0);
        });
        return [links.length, missed.map((a) => a.outerHTML)];
        """
    )
    assert missed[0] > 50
    assert missed[1] == []


def test_a_link_to_a_folded_instance_unfolds_it(browser: Browser, page: Path) -> None:
    row = "claim-T1-coordination-n-2000-k-401"
    shown = "const t = document.getElementById(arguments[0]); return [t.tagName, t.className, t.closest('details').open, t.getBoundingClientRect().height > 5]"
    for way in ("from the page", "from outside"):
        browser.open(page, *SIZES["desktop"])
        assert browser.run("return [document.getElementById(arguments[0]), document.querySelectorAll('details[open]').length]", row) == [None, 0]
        if way == "from the page":
            browser.run("location.hash = arguments[0]", row)
            browser.driver.execute_async_script("setTimeout(arguments[0], 50)")
        else:
            browser.driver.get("about:blank")
            browser.driver.get(f"{page.as_uri()}#{row}")
        assert browser.run(shown, row) == ["TR", "found", True, True]
        cells = browser.run("return [...document.getElementById(arguments[0]).cells].map((c) => c.textContent.trim())", row)
        assert cells[:4] == ["✗ violated", "coordination", "2000", "401"] and cells[5:8] == ["0.73385[6, 7]", "0.60551[2, 3]", "101/25"]


def test_everything_can_be_read_without_the_script(browser: Browser, page: Path) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(page, *SIZES["desktop"])
        source = browser.driver.execute_cdp_cmd("DOM.getDocument", {"depth": -1})["root"]
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    names = [node["nodeName"].lower() for node in nodes(source)]
    assert names.count("svg") == 7, "the folded plots are elements"
    assert "button" not in names and "form" not in names, "nothing that does nothing"
    said = " ".join(node.get("nodeValue", "") for node in nodes(source))
    assert "coordination\t2000\t401" in said


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("children", []):
        yield from nodes(child)


@pytest.mark.parametrize("size", SIZES)
def test_accessibility(browser: Browser, page: Path, size: str) -> None:
    browser.open(page, *SIZES[size])
    browser.run("document.querySelector('.search select').value = 'violated'; document.querySelector('.search select').dispatchEvent(new Event('change'))")
    assert browser.findings() == []
    unfold(browser)
    assert browser.findings() == []


def test_accessibility_in_the_dark(browser: Browser, page: Path) -> None:
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        browser.open(page, *SIZES["desktop"])
        unfold(browser)
        assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 27)"
        assert browser.findings() == []
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_checker_notices_what_is_wrong(browser: Browser, page: Path, tmp_path: Path) -> None:
    spoiled = page.read_text(encoding="utf-8").replace('<html lang="en">', "<html>").replace("--soft: #4d4d4d", "--soft: #bbbbbb")
    browser.open(written(tmp_path, spoiled), *SIZES["desktop"])
    assert {"html-has-lang", "color-contrast"} <= {finding.split(":")[0] for finding in browser.findings()}


def test_every_plot_has_a_name(browser: Browser, page: Path) -> None:
    browser.open(page, *SIZES["desktop"])
    unfold(browser)
    names = browser.run("return [...document.querySelectorAll('svg')].map((e) => [e.getAttribute('role'), e.getAttribute('aria-label')])")
    assert len(names) == 7
    assert sorted(role for role, _ in names) == ["group", *["img"] * 6]  # the graph holds links, so it is no picture
    assert all(len(name) > 20 for _, name in names)


# ------------------------------------------------------------------------------------------------------------------- the script


def shown(browser: Browser) -> list[str]:
    found: list[str] = browser.run("return [...document.querySelectorAll('.overview tbody tr')].filter((r) => !r.hidden).map((r) => r.cells[0].textContent)")
    return found


def test_the_table_of_claims_is_sorted_by_any_column(browser: Browser, page: Path) -> None:
    browser.open(page, *SIZES["desktop"])
    assert shown(browser) == ["C1", "L2", "T1", "N1", "C5"]
    heading = "const th = [...document.querySelectorAll('.overview th[scope=col]')].find((h) => h.textContent.startsWith(arguments[0]));"
    press = heading + "th.querySelector('button').click(); return th.getAttribute('aria-sort')"
    assert browser.run(press, "Claim") == "ascending"
    assert shown(browser) == ["C1", "C5", "L2", "N1", "T1"]
    assert browser.run(press, "Claim") == "descending"
    assert shown(browser) == ["T1", "N1", "L2", "C5", "C1"]
    assert browser.run(press, "Smallest slack") == "ascending"
    ascending = shown(browser)
    assert ascending == ["L2", "T1", "C1", "N1", "C5"], "0, then below one, then 9.5, then those without a slack"
    assert browser.run(press, "Smallest slack") == "descending"
    assert shown(browser)[:3] == ascending[:3][::-1]


def test_the_table_of_claims_is_filtered(browser: Browser, page: Path) -> None:
    browser.open(page, *SIZES["phone"])
    choose = "const s = document.querySelector('.filter select'); s.value = arguments[0]; s.dispatchEvent(new Event('change'))"
    type_ = "const s = document.querySelector('.filter input'); s.value = arguments[0]; s.dispatchEvent(new Event('input'))"
    browser.run(choose, "refuted")
    assert shown(browser) == ["L2", "T1"]
    browser.run(type_, "LIPSCHITZ")
    assert shown(browser) == ["L2"]
    assert browser.run("return document.querySelector('.filter output').value") == "1 of 5 claims"
    browser.run(choose, "")
    browser.run(type_, "")
    assert len(shown(browser)) == 5


def test_instances_are_found_by_words_and_verdict(browser: Browser, page: Path) -> None:
    browser.open(page, *SIZES["desktop"])
    found = "return [...document.querySelectorAll('#search tbody tr')].map((r) => [...r.cells].map((c) => c.textContent.trim()))"
    enter = "const [s, v, e] = arguments; const f = document.querySelector('.search ' + s); f.value = v; f.dispatchEvent(new Event(e))"
    browser.run(enter, "input", "T1 n=2000", "input")
    assert browser.run("return document.querySelector('.search output').value") == "6 of 43 instances"
    browser.run(enter, "select", "violated", "change")
    rows = browser.run(found)
    assert [row[:3] for row in rows] == [["T1", f"coordination n=2000 k={k}", "✗ violated"] for k in (300, 401)]
    assert rows[1][3:] == ["0.73385[6, 7]", "0.60551[2, 3]"]
    browser.run("document.querySelectorAll('#search tbody button')[1].click()")
    browser.driver.execute_async_script("setTimeout(arguments[0], 50)")
    assert browser.run("return document.querySelector('tr.found').id") == "claim-T1-coordination-n-2000-k-401"
    browser.run(enter, "input", "no such words", "input")
    assert browser.run("return document.querySelector('.search output').value") == "0 of 43 instances"
    assert browser.run(found) == []


def test_the_search_finds_instances_that_were_unfolded_before(browser: Browser, page: Path) -> None:
    browser.open(page, *SIZES["desktop"])
    unfold(browser)
    browser.run("const f = document.querySelector('.search input'); f.value = 'T1 n=2000'; f.dispatchEvent(new Event('input'))")
    assert browser.run("return document.querySelector('.search output').value") == "6 of 43 instances"


def test_what_a_button_copies(browser: Browser, page: Path) -> None:
    browser.open(page, *SIZES["desktop"])
    unfold(browser)
    browser.run("window.copied = []; Object.defineProperty(navigator, 'clipboard', {value: {writeText: async (words) => { copied.push(words); }}})")
    words = "const b = [...document.querySelector(arguments[0]).querySelectorAll('button')].find((b) => b.textContent === arguments[1]); b.click(); return copied.at(-1)"
    section = "section[aria-labelledby=claim-T1]"
    assert browser.run(words, section, "Copy LaTeX").startswith("For all $s_0$ and $1 \\le k \\le n$, $$V^{\\star}(s_0)")
    assert browser.run(words, section, "Copy command") == "mfverify verify --claims T1 --instance 'coordination n=2000 k=401'"
    assert browser.run(words, "#claim-T1-absorbing-n-12-k-7", "copy") == "mfverify verify --claims T1 --instance 'absorbing n=12 k=7'"
    cited = browser.run(words, "section[aria-labelledby=provenance]", "Copy BibTeX")
    assert cited.startswith("@misc{mfverify-20250131T120000Z,\n  title = {{Verification report of mfverify: 5 claims on 43 instances}},\n  year = {2025},")
    assert "version 0.1.0, commit 3f2a1b9c0d" in cited


def test_a_pointer_on_a_plot_shows_the_values_of_the_nearest_point(browser: Browser, page: Path) -> None:
    browser.open(page, *SIZES["desktop"])
    tip = browser.run(
        """
        const svg = document.querySelector("section[aria-labelledby=claim-T1] svg");
        svg.scrollIntoView();
        const box = svg.getBoundingClientRect();
        svg.dispatchEvent(new PointerEvent("pointermove", {bubbles: true, clientX: box.right - 5, clientY: box.top + 50}));
        return svg.parentElement.querySelector(".tip").textContent;
        """
    )
    assert tip.startswith("k = 401; max_s V^star(s) - V^pi_k(s), own draws: [0.733856, 0.733857]; ")
    assert tip.endswith(": [0.605512, 0.605513]; violated")
    browser.run("document.body.dispatchEvent(new PointerEvent('pointermove', {bubbles: true}))")
    assert browser.run("return document.querySelectorAll('.tip').length") == 0


def test_the_contents_stay_in_view(browser: Browser, page: Path) -> None:
    browser.open(page, *SIZES["phone"])
    browser.run("scrollTo(0, 4000)")
    assert browser.run("return [scrollY > 3000, document.querySelector('nav').getBoundingClientRect().top]") == [True, 0]


def test_no_foreign_script_runs(browser: Browser, page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8").replace("</main>", "<script>document.title = 'run'</script><img src=x onerror='document.title=1'></main>")
    browser.open(written(tmp_path, text), *SIZES["desktop"])
    assert browser.run("return document.title").startswith("Verification report")
    assert sum("Content Security Policy" in line for line in browser.console()) >= 2


# ------------------------------------------------------------------------------------------------------------------------ paper


def test_on_paper(browser: Browser, page: Path, tmp_path: Path) -> None:
    browser.open(page, *SIZES["desktop"])
    pdf = tmp_path / "report.pdf"
    browser.print(pdf)
    assert pdf.read_bytes().startswith(b"%PDF-")
    if shutil.which("pdftotext") is None:
        return
    text = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True).stdout
    for said in ("Verification report", "T1. Optimality gap", "1000 agents in each local state"):
        assert said in text
    assert "Skip to the report" not in text
    # Scaled to paper, nothing is wider than it.
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 690, "height": 1000, "deviceScaleFactor": 1, "mobile": False})
    assert browser.run(
        "return [...document.body.querySelectorAll('*')].filter((e) => !e.closest('svg, math, .skip')"
        " && e.getBoundingClientRect().right > innerWidth + 2).map((e) => e.outerHTML.slice(0, 120))"
    ) == []  # fmt: skip
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_print_begins_with_a_summary_of_two_pages(browser: Browser, tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("needs pdftotext")
    papers = [{"name": "p", "title": "The paper", "authors": ["A. Author"], "arxiv": "", "main": [["T1"]]}]
    fillers = [
        claim(f"X{i}", "corroborated", [instance("holds", actual=side(0.1, 0.1), bound=side(1.0, 1.0))], paper="p", title="A title of the usual length")
        for i in range(90)
    ]
    browser.open(written(tmp_path, render(document([*fillers, gap_claim() | {"paper": "p"}], papers=papers))), *SIZES["desktop"])
    pdf = tmp_path / "report.pdf"
    browser.print(pdf)
    pages = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True).stdout.split("\f")
    assert "The main theorem, as read, fails." in pages[0] and "n = 2000" in pages[0]
    assert "All claims" in pages[1] and "X89" in pages[1]
    assert "T1. Optimality gap" not in pages[0] + pages[1]
    assert "T1. Optimality gap" in pages[2]
