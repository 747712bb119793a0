"""The project's files: dependencies that are explained, declared and used, and text that speaks of the project alone."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.sources import MODULES, PROJECT, imports

PYPROJECT = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
DECLARED = tomllib.loads(PYPROJECT)["project"]

DISTRIBUTION = {"flint": "python-flint", "jinja2": "Jinja2", "tomli_w": "tomli-w"}
"""Import names that differ from the names of their distributions."""


def requirement_name(requirement: str) -> str:
    """The distribution that a requirement names."""
    return re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0]


EXTRAS = DECLARED["optional-dependencies"]


@pytest.mark.parametrize("requirement", [*DECLARED["dependencies"], *dict.fromkeys(one for extra in EXTRAS.values() for one in extra)])
def test_every_dependency_says_what_it_is_for(requirement: str) -> None:
    lines = [line for line in PYPROJECT.splitlines() if line.strip().startswith(f'"{requirement}"')]
    assert lines
    for line in lines:
        _, sign, reason = line.partition("#")
        assert sign, f"{requirement}: no comment says what it is for"
        assert reason.strip()


def third_party() -> set[str]:
    """Distributions that the package imports; what comes with the type checker and is imported for it alone does not count."""
    found = [one for module in MODULES for one in imports(module)]
    tops = {one.imported.split(".")[0] for one in found if not (one.typing_only and one.imported == "typing_extensions")}
    checker = {"check_certificate", "finite_claims"}  # the files of the checker name each other so where they are run without the package
    return {DISTRIBUTION.get(top, top) for top in tops - set(sys.stdlib_module_names) - checker - {"mfverify", "__future__"}}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    needed = {requirement_name(requirement) for requirement in DECLARED["dependencies"]}
    optional = {requirement_name(one) for name, extra in EXTRAS.items() if name != "test" for one in extra}
    assert needed - third_party() == set()
    assert third_party() - needed - optional == set()


MADE = {".git", ".venv", ".venv-bench", ".venv-floors", ".hypothesis", "build", "_build", "mutants", "dist", "latest", "__pycache__"}
"""Folders of what is made or cached, which does not belong to the project."""


@cache
def texts() -> dict[str, str]:
    """Every text file that belongs to the project, by its path."""
    found = {}
    for folder, folders, files in os.walk(PROJECT):
        folders[:] = [name for name in folders if name not in MADE and not name.endswith(("_cache", ".egg-info"))]
        for name in files:
            path = Path(folder, name)
            if name not in MADE and path.is_file():
                with suppress(UnicodeDecodeError):
                    found[str(path.relative_to(PROJECT))] = path.read_text(encoding="utf-8")
    return found


# Written in two parts each, so that this file does not contain them.
FOREIGN = [
    r"(?<![\w.])/wo" + r"rk/",
    r"/ro" + r"ot/",
    r"/home/" + r"\w+/",
    r"pypi" + r"\.org",
    r"pytho" + r"nhosted",
    r"\bissue" + r" #?\d",
    r"paper" + r"\.md",
    r"contract" + r"\.md",
    r"style" + r"\.md",
    r"\bTO" + r"DO\b",
    r"\bFIX" + r"ME\b",
    r"\bX" + r"XX\b",
    r"(?i)\bas an AI\b|language" + " model",
]


@pytest.mark.parametrize("pattern", FOREIGN)
def test_the_files_speak_of_the_project_alone(pattern: str) -> None:
    assert len(texts()) > 100
    found = [
        f"{path}, line {text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for path, text in texts().items()
        for match in re.finditer(pattern, text)
    ]
    assert found == []


def test_continuous_integration_runs_what_a_person_runs() -> None:
    script = PROJECT / ".ci" / "run"
    assert script.stat().st_mode & 0o111, "is not executable"
    assert "make test" in script.read_text(encoding="utf-8")


def test_the_two_commands_are_there() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for target in ("report", "test"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
