"""The page in real headless Chromium: what it asks for, how it fits a desktop, a phone and paper, what axe-core says, what the script does."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mfverify.report import render
from tests.report.browser import CHROMIUM, DRIVER, MISSING, Browser, chromium
from tests.report.documents import claim, document, instance, model, realistic, side

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
    browser.open(page, *SIZES["desktop"])
    address = browser.run("return [...document.querySelectorAll('details.long tr[id]')].at(-1).id")
    browser.run("location.hash = arguments[0]", address)
    assert browser.run("const t = document.querySelector(':target'); return t.closest('details').open && t.getBoundingClientRect().height") > 5


@pytest.mark.parametrize("size", SIZES)
def test_accessibility(browser: Browser, page: Path, size: str) -> None:
    browser.open(page, *SIZES[size])
    browser.run("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    assert browser.findings() == []


def test_the_checker_notices_what_is_wrong(browser: Browser, page: Path, tmp_path: Path) -> None:
    spoiled = page.read_text(encoding="utf-8").replace('<html lang="en">', "<html>").replace("--soft: #4d4d4d", "--soft: #bbbbbb")
    browser.open(written(tmp_path, spoiled), *SIZES["desktop"])
    assert {"html-has-lang", "color-contrast"} <= {finding.split(":")[0] for finding in browser.findings()}


def test_every_plot_has_a_name(browser: Browser, page: Path) -> None:
    browser.open(page, *SIZES["desktop"])
    names = browser.run("return [...document.querySelectorAll('svg')].map((e) => [e.getAttribute('role'), e.getAttribute('aria-label')])")
    assert len(names) == 8
    assert all(role == "img" and len(name) > 20 for role, name in names)


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
    for said in ("Verification report", "T1. Optimality gap", "1000 agents in each local state", "the other 9 instances (folded"):
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
