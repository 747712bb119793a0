"""What ``make floors`` says: the package whose oldest declared version is wrong, untested or fails."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from packaging.version import Version

from tests.architecture.sources import PROJECT
from tests.floors import PYPROJECT, TESTED_BY, declared, to_blame, untested

DECLARED = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
FLOORS = {"numpy": Version("1.26"), "scipy": Version("1.12")}


def project(*needed: str) -> dict[str, Any]:
    return {"project": {"name": "mfverify", "dependencies": list(needed), "optional-dependencies": {"test": ["mfverify[more]"], "more": ["pytest>=8"]}}}


def test_every_dependency_has_one_oldest_version() -> None:
    assert {"numpy", "scipy", "numba", "llvmlite", "pytest", "quantecon", "pyarrow", "distributed"} <= set(declared(DECLARED))
    assert declared(project("numpy>=1.26")) == {"numpy": Version("1.26"), "pytest": Version("8")}
    assert declared(project("numpy>=1.26; sys_platform == 'none'")) == {"pytest": Version("8")}


@pytest.mark.parametrize("requirement", ["llvmlite", "llvmlite<1", "llvmlite>=0.42,>=0.43"])
def test_a_dependency_without_one_is_named(requirement: str) -> None:
    with pytest.raises(ValueError, match=r"llvmlite: pyproject\.toml declares no oldest version"):
        declared(project(requirement))


@pytest.mark.parametrize("extra", [name for name in DECLARED["project"]["optional-dependencies"] if name != "test"])
def test_the_extras_have_oldest_versions_too(extra: str) -> None:
    assert len(declared(DECLARED, extra)) > len(DECLARED["project"]["dependencies"])


def test_a_version_that_nothing_tested_is_named() -> None:
    assert list(untested(FLOORS, {"numpy": Version("1.26.0"), "scipy": Version("1.12.0")})) == []
    assert list(untested(FLOORS, {"numpy": Version("2.0.0"), "scipy": None})) == [
        "numpy: 1.26 is declared as the oldest version, but the oldest that goes with the others is 2.0.0: declare that",
        "scipy: 1.12 is declared as the oldest version, and none is installed",
    ]


def test_what_fails_names_its_packages() -> None:
    failed = ["tests/agreement/test_solvers.py::test_a", "tests/agreement/test_solvers.py::test_b"]
    assert list(to_blame(failed, FLOORS)) == [
        "numpy 1.26, scipy 1.12: 2 of tests/agreement/test_solvers.py failed, such as tests/agreement/test_solvers.py::test_a"
    ]
    assert list(to_blame([], FLOORS)) == []


def test_every_package_that_the_program_uses_has_tests_at_its_oldest_version() -> None:
    tested = {name for packages in TESTED_BY.values() for name in packages}
    extras = {name for extra in ("interchange", "tables", "frames") for name in declared(DECLARED, extra)}
    slow = {"quantecon", "distributed"}  # their tests take minutes: where the newest versions are tested
    assert extras | set(declared(DECLARED, "cluster")) == (tested - {"hypothesis", "mpmath"}) | slow
    assert [path for path in TESTED_BY if not (PROJECT / path).exists()] == []


def test_continuous_integration_tests_the_oldest_versions() -> None:
    assert "make floors" in (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
