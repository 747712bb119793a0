"""Every public name is on the page of Python names, with numpy-style sections: parameters, results, errors, and an example."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from enum import EnumMeta
from types import FunctionType, ModuleType
from typing import Any

import pytest

import mfverify as mfv
from tests.architecture.sources import PROJECT

PAGE = (PROJECT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
_HEADING = re.compile(r"^([A-Z][a-z]+)\n-+$", re.M)


def sections(text: str) -> dict[str, str]:
    """The text below each underlined heading of a docstring."""
    _, *parts = _HEADING.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def described(text: str) -> list[str]:
    """The names that a section describes: its lines that are not indented."""
    return [name.strip() for line in text.splitlines() if line and not line.startswith(" ") for name in line.split(",")]


def missing(found: Any) -> Iterator[str]:
    """What the docstring of a public object lacks."""
    text = inspect.getdoc(found) or ""
    have = sections(text)
    needed = ["Examples"]
    if isinstance(found, FunctionType):
        needed += ["Parameters", "Raises"] + (["Returns"] if inspect.signature(found).return_annotation != "None" else [])
    takes: Callable[..., Any] | None = found if isinstance(found, FunctionType) else found.__init__ if inspect.isclass(found) else None
    if isinstance(found, (ModuleType, EnumMeta)) or takes in (object.__init__, Exception.__init__, None):
        parameters: list[str] = []
    else:
        parameters = [name for name in inspect.signature(takes).parameters if name != "self"] if takes else []
    if isinstance(found, ModuleType):
        if ">>> " not in text:
            yield "an example"
        return
    yield from (section for section in needed if section not in have)
    if "Examples" in have and ">>> " not in have["Examples"]:
        yield "an example"
    if sorted(parameters) != sorted(described(have.get("Parameters", ""))):
        yield f"parameters {parameters}"


@pytest.mark.parametrize("name", mfv.__all__)
def test_a_public_name_has_its_sections_and_is_on_the_page(name: str) -> None:
    assert list(missing(getattr(mfv, name))) == []
    assert f"`{name}`" in PAGE, f"docs/reference/python.md does not name {name}"


def test_what_is_missing_is_named() -> None:
    def bare(model: int) -> int:
        """Do something."""
        return model

    assert list(missing(bare)) == ["Examples", "Parameters", "Raises", "Returns", "parameters ['model']"]
    bare.__doc__ = "Do.\n\nParameters\n----------\nmodel\n    One.\n\nReturns\n-------\nint\n    It.\n\nRaises\n------\nE\n    Never.\n\nExamples\n--------\n>>> 1\n1\n"
    assert list(missing(bare)) == []


def test_the_page_names_nothing_else() -> None:
    names = {name for row in re.findall(r"^\| [a-z ]+ \| (`.*`) \|$", PAGE, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert names == set(mfv.__all__)
