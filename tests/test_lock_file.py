"""``requirements.lock``: exact versions, from no particular registry, of everything that pyproject.toml asks for, within its bounds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.sources import PROJECT
from tests.floors import PYPROJECT, required

DECLARED = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
LOCK = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
PYTHONS = ("3.11.0", "3.12.0", "3.13.0")


def pins(lock: str, python: str) -> dict[str, Version]:
    """The version of every package on Linux with this version of Python."""
    environment = {"python_full_version": python, "python_version": python.rpartition(".")[0], "sys_platform": "linux"}
    found: dict[str, Version] = {}
    for line in lock.splitlines():
        if not line.startswith("#"):
            one = Requirement(line)
            (exact,) = one.specifier
            assert exact.operator == "==", line
            if one.marker is None or one.marker.evaluate(environment):
                assert found.setdefault(canonicalize_name(one.name), Version(exact.version)) == Version(exact.version), line
    return found


def out_of_line(lock: str, pyproject: Mapping[str, Any], python: str) -> Iterator[str]:
    """A line for every declared dependency that the lock file lacks, or has in a version that is not allowed."""
    locked = pins(lock, python)
    for requirement in required(pyproject):
        version = locked.get(canonicalize_name(requirement.name))
        if version is None or version not in requirement.specifier:
            yield f"{requirement} is declared, {version} is locked: make lock"


@pytest.mark.parametrize("python", PYTHONS)
def test_it_has_an_allowed_version_of_every_dependency(python: str) -> None:
    assert len(pins(LOCK, python)) > 100
    assert list(out_of_line(LOCK, DECLARED, python)) == []


def test_a_declaration_that_it_does_not_keep_is_named() -> None:
    project = {"project": {"name": "mfverify", "dependencies": ["numpy>=2", "scipy>=1.12"], "optional-dependencies": {"test": []}}}
    assert list(out_of_line("numpy==1.26\nscipy==1.17\n", project, "3.11.0")) == ["numpy>=2 is declared, 1.26 is locked: make lock"]
    assert list(out_of_line("numpy==2.4\n", project, "3.11.0")) == ["scipy>=1.12 is declared, None is locked: make lock"]
    assert list(out_of_line("numpy==2.4 ; python_full_version < '3.12'\nscipy==1.17\n", project, "3.12.0")) != []
    assert list(out_of_line("numpy==2.4\nscipy==1.17\n", project, "3.12.0")) == []


def test_it_names_versions_only() -> None:
    assert re.findall(r"(?i)https?:|file:|--|\bsha256\b|@", LOCK) == []
