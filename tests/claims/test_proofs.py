"""Statements, proofs, anchors and grounds are held together: every proof of ours is written out where the grounds say, and names checks that exist."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mfverify import bundled
from mfverify.bundled import proof_text
from mfverify.cli import main
from mfverify.errors import ModelError
from mfverify.papers import CATALOGUE
from mfverify.theory.claim import Claim
from mfverify.theory.grounds import Anchor, Ground
from tests.architecture.sources import PROJECT

sys.path.insert(0, str(PROJECT / "docs"))
import statements

PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted((PROJECT / "docs" / "mathematics").glob("*.md"))}
LINK = re.compile(r"\]\(#([\w-]+)\)")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
DISPLAY = re.compile(r"^\$\$\n.+?\n\$\$$", re.MULTILINE | re.DOTALL)

PROVED = [claim for claim in CATALOGUE if CATALOGUE.paper_of(claim) and claim.stands_on.kind is Ground.PROOF]
EVERY_PROOF = pytest.mark.parametrize("claim", PROVED, ids=[claim.id for claim in PROVED])


def text_of(claim: Claim) -> str:
    where = claim.stands_on.where
    assert isinstance(where, Anchor)
    return proof_text(where.place, where.heading)


def complaints(claim: Claim) -> list[str]:
    """What is wrong with the proof of a claim; nothing where it is written out and every name in it leads somewhere."""
    try:
        text = text_of(claim)
    except ModelError as error:
        return [str(error)]
    found = [] if "*Proof" in text and len(text) > 80 else ["no proof stands there"]
    where = claim.stands_on.where
    assert isinstance(where, Anchor)
    if not where.on_a_page:
        return found
    found += [] if where.heading == claim.id else [f"the anchor is that of {where.heading}"]
    found += [] if DISPLAY.search(text) else ["no step is a displayed formula"]
    labels = {label for page in PAGES.values() for label in re.findall(r"^\(([\w-]+)\)=$", page, re.MULTILINE)}
    found += [f"{name} is no statement and no section" for name in LINK.findall(text) if name not in CATALOGUE and name not in labels]
    for file, name in TEST.findall(text):
        path = PROJECT / file
        if not path.is_file() or not re.search(rf"^def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE):
            found.append(f"there is no test {file}::{name}")
    uses = claim.stands_on.uses
    found += [f"it uses {used}, and the proof does not name it" for used in uses if used not in LINK.findall(text)]
    checks = [name for check in re.findall(r"checks?: ((?:\[\w+\]\(#\w+\)(?:, )?)+)", text) for name in LINK.findall(check)]
    found += [f"it names the check {name}, which its grounds do not use" for name in checks if name not in uses]
    return found


@EVERY_PROOF
def test_a_proof_of_ours_is_written_out_at_its_anchor(claim: Claim) -> None:
    assert complaints(claim) == []


def test_every_statement_has_one_place() -> None:
    placed = statements.placed(PROJECT / "docs" / "mathematics")
    assert len(set(placed)) == len(placed) > 70
    assert set(placed) <= {claim.id for claim in CATALOGUE}
    left = statements.remaining(PROJECT / "docs" / "mathematics", html=True)
    assert all(claim.id in placed or f"({claim.id})=" in left for claim in CATALOGUE if CATALOGUE.paper_of(claim))


def test_the_tests_that_proofs_name_are_many() -> None:
    assert len({found for page in PAGES.values() for found in TEST.findall(page)}) >= 15


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("```{statement} R4\n```", "", "the page has no statement R4"),
        ("```{statement} R4\n", "```{statement} R44\n", "the page has no statement R4"),
        ("(check: [R2](#R2))", "(check: [R99](#R99))", "R99 is no statement"),
        ("(check: [C4](#C4))", "(check: `tests/claims/test_proof_steps.py::test_nothing`)", "there is no test"),
        ("*Proof.* In every state one step draws", "In every state one step draws", "no proof stands there"),
    ],
)
def test_a_sabotaged_page_is_noticed(old: str, new: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(PROJECT / "docs" / "mathematics", tmp_path / "docs" / "mathematics")
    page = tmp_path / "docs" / "mathematics" / "gap.md"
    text = page.read_text(encoding="utf-8")
    assert old in text
    page.write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(bundled, "folder", lambda name: tmp_path / name)
    assert complaint in " ".join(complaints(CATALOGUE["R4"]))


def test_a_removed_page_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "folder", lambda name: tmp_path / name)
    assert complaints(CATALOGUE["R4"]) == ["docs/mathematics/gap.md: there is no such page"]


MODULE = '''"""Title.

**A, b.** First
line.

More of it.

*C (mean).* Third. *No heading* here.

``x`` and *y*.
"""
'''


def test_a_proof_in_a_docstring_is_found_by_its_heading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_statements.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    for heading in ("A", "b"):
        assert " ".join(proof_text("my_statements", heading).split()) == "First line.More of it."
    assert " ".join(proof_text("my_statements", "C").split()) == "Third. *No heading* here.``x`` and *y*."
    for place, heading in (("my_statements", "D"), ("no_such_module", "A")):
        with pytest.raises(ModelError, match=f"{place}: the docstring of the module has no heading {heading}"):
            proof_text(place, heading)


def test_the_command_prints_statement_and_proof() -> None:
    said = CliRunner().invoke(main, ["claims", "--proof", "R4"]).output
    assert "docs/mathematics/gap.md#R4" in said
    assert text_of(CATALOGUE["R4"]) in said
    assert "Grounds: counterexample" in CliRunner().invoke(main, ["claims", "--proof", "T1"]).output
    assert CliRunner().invoke(main, ["claims", "--proof", "T99"]).exit_code != 0


# ---------------------------------------------------------------------------------------------------------------- the generated text


def test_the_text_beside_a_statement_comes_from_the_catalogue() -> None:
    text = statements.statement("T1", html=True)
    claim = CATALOGUE["T1"]
    assert text.startswith(f"(T1)=\n## T1. {claim.title}\n")
    for expected in ("**refuted**", "[R4](#R4)", "certificates:T1", 'pytest proofs_checks -k "T1- or T1]"', "theorem_4_2.py", "$$\n"):
        assert expected in text
    assert "*Certificate*" not in statements.statement("R4", html=True)
    assert "href" not in statements.statement("R4", html=False)


def test_markup_in_a_fact_is_escaped() -> None:
    assert statements.prose("m* and T_k < 1, $x_1 * y$, |Z|^k [a] `b`") == r"m\* and T\_k \< 1, $x_1 * y$, \|Z\|\^k \[a\] \`b\`"
    assert statements.displayed("For $x$: $" + "y" * 91 + "$. End") == "For $x$: \n\n$$\n" + "y" * 91 + ".\n$$\n\n End"
    assert statements.displayed("$" + "y" * 91 + "$").startswith("\n\n$$\n")


def test_every_statement_is_in_the_table_and_those_with_arguments_in_the_graph() -> None:
    table = statements.table()
    assert all(f"| [{claim.id}](#{claim.id}) |" in table for claim in CATALOGUE if CATALOGUE.paper_of(claim))
    drawn = statements.picture()
    for link in ('href="gap.html#r6"', 'href="across-sizes.html#l1"', 'href="concentration.html#c7"'):
        assert link in drawn
    assert "R6: our argument uses L1, P1, P2, R4;" in drawn
