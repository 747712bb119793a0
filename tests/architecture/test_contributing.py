"""The contributing guide: its paths exist, its commands parse, and what they select is what the guide says."""

from __future__ import annotations

import re
import shlex

import click
import pytest
from _pytest.mark.expression import Expression

from mfverify.cli import main
from mfverify.papers import CATALOGUE
from tests.architecture.shown import blocks
from tests.architecture.sources import PACKAGE, PROJECT

GUIDE = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CODE = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", GUIDE, flags=re.MULTILINE | re.DOTALL))
PATHS = sorted({one for one in CODE if re.fullmatch(r"[\w./-]+", one) and (one.endswith((".py", ".md")) or "/" in one)})
COMMANDS = sorted({one for one in CODE if one.startswith(("pytest ", "make ", "mfverify "))})
LINKS = sorted(set(re.findall(r"\]\(([^)#]+)\)", GUIDE)))


@pytest.mark.parametrize("path", PATHS)
def test_a_path_exists(path: str) -> None:
    assert (PROJECT / path).exists() or any(PACKAGE.rglob(path))


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_to_a_file(link: str) -> None:
    assert (PROJECT / link).is_file()


def selected(expression: str) -> set[str]:
    """The claims whose checks ``pytest proofs_checks -k expression`` runs."""
    compiled = Expression.compile(expression)
    ids = set()
    for claim in CATALOGUE:
        of_class = f"Test_{CATALOGUE.paper_of(claim)}_{claim.id[0]}"
        for name in (f"test_status_is_as_registered[{claim.id}]", f"test_inequality[{claim.id}-x]"):
            if compiled.evaluate(lambda word, text=f"{of_class} {name}".lower(), **_: word.lower() in text):
                ids.add(claim.id)
    return ids


def check(command: str) -> None:
    """Parse a command, and look up the files and targets that it names."""
    program, *arguments = shlex.split(command)
    if program == "make":
        makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
        assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in arguments)
    elif program == "mfverify":
        name, *rest = arguments
        main.commands[name].make_context(name, rest)
    else:
        assert program == "pytest"
        while arguments:
            word = arguments.pop(0)
            if word == "-k":
                assert 0 < len(selected(arguments.pop(0))) < len(list(CATALOGUE))
            elif word == "-m":
                assert arguments.pop(0) == "not slow"
            else:
                assert (PROJECT / word).exists(), word


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_parses_and_names_what_exists(command: str) -> None:
    check(command)


@pytest.mark.parametrize(
    "command", ["make nothing", "pytest tests/nowhere", "pytest proofs_checks -k T99", "mfverify verify --unheard-of", "tox"]
)
def test_a_wrong_command_is_noticed(command: str) -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        check(command)


def test_expressions_select_what_the_guide_says() -> None:
    assert selected("T1") == {one.id for one in CATALOGUE if "T1" in one.id}
    assert selected("T1- or T1]") == {"T1"}
    assert selected("mean_field_sampling") == {one.id for one in CATALOGUE if CATALOGUE.paper_of(one) == "mean_field_sampling"}


def test_the_guide_names_enough() -> None:
    assert len(PATHS) > 15 and len(COMMANDS) > 8 and len(LINKS) >= 3
    assert "make test" in blocks(GUIDE, "sh")[0]
    assert len(re.findall(r"^\| ", GUIDE.split("| instead of | write |")[1], re.MULTILINE)) == 40


def test_the_guide_is_linked() -> None:
    assert "(CONTRIBUTING.md)" in (PROJECT / "README.md").read_text(encoding="utf-8")
    assert "CONTRIBUTING.md" in (PROJECT / "docs" / "index.md").read_text(encoding="utf-8")
