"""Sides of claims take a case and nothing else; texts of populations are read and cases are unpacked in one place."""

from __future__ import annotations

import inspect
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mfverify.papers import CATALOGUE
from mfverify.theory.claim import Claim
from tests.architecture.sources import PACKAGE

IN_PAPERS = {
    "an optional is asserted": re.compile(r"^\s*assert .*is not None", re.MULTILINE),
    "a parameter or a docstring speaks of sabotage": re.compile(r"\bsabotag(?!e import)", re.IGNORECASE),
    "the text of a population is parsed": re.compile(r"split\(\"[+/]\"\)"),
}
"""What the files of statements must not contain; the word sabotage only where ``theory.sabotage`` is imported, or as the source of a control's bound."""

EXCUSED = re.compile(r'^from mfverify\.theory\.sabotage import .*$|, "sabotage", ', re.MULTILINE)


def unbound(sides: Any) -> Any:
    """The function whose first arguments are given, if any are."""
    while isinstance(sides, partial):
        sides = sides.func
    return sides


def faults(claim: Claim) -> list[str]:
    """Why the sides of a claim are not those of a case alone."""
    open_parameters = list(inspect.signature(claim.sides).parameters.values())
    found = [] if len(open_parameters) == 1 else [f"it takes {len(open_parameters)} arguments"]
    given = inspect.signature(unbound(claim.sides)).parameters.values()
    return found + [f"{one.name} has a default" for one in given if one.default is not inspect.Parameter.empty]


@pytest.mark.parametrize("claim", CATALOGUE, ids=lambda claim: claim.id)
def test_sides_take_a_case_and_nothing_else(claim: Claim) -> None:
    assert faults(claim) == []


def words(text: str) -> list[str]:
    """What a file of statements contains and must not."""
    return [what for what, pattern in IN_PAPERS.items() if pattern.search(EXCUSED.sub("", text))]


@pytest.mark.parametrize("path", sorted((PACKAGE / "papers").rglob("*.py")), ids=lambda path: path.stem)
def test_a_statement_unpacks_no_case(path: Path) -> None:
    assert words(path.read_text(encoding="utf-8")) == []


def test_both_checks_can_fail() -> None:
    def scaled(case: Any, scale: int = 1) -> Any:
        return case, scale

    from dataclasses import replace

    assert faults(replace(CATALOGUE["T1"], sides=scaled)) == ["it takes 2 arguments", "scale has a default"]
    assert words("    assert case.model is not None\n") == ["an optional is asserted"]
    assert words('    """``scale`` sabotages."""\n') == ["a parameter or a docstring speaks of sabotage"]
    assert words('    x.split("+")\n') == ["the text of a population is parsed"]
