"""The oldest versions that pyproject.toml declares, installed together, and the quick tests that need each package.

``make floors`` runs it in a virtual environment of its own. It fails with the names of the packages: where a declared version is not the
one that was installed (so that nothing has tested it), and where a test fails.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

PYPROJECT: Final = Path(__file__).parents[1] / "pyproject.toml"

TESTED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "tests/test_enclosure.py": ("numpy", "hypothesis"),
    "tests/test_readable.py": ("pandas", "xarray"),
    "tests/bounds": ("sympy", "python-flint", "mpmath"),
    "tests/agreement/test_solvers.py": ("numpy", "scipy", "numba", "llvmlite"),
    "tests/test_model_files.py": ("tomli-w",),
    "tests/test_costs.py": ("psutil",),
    "tests/test_runner.py": ("loky",),
    "tests/falsifier/test_climb.py": ("threadpoolctl",),
    "tests/test_cli.py": ("click", "rich"),
    "tests/report/test_page.py": ("networkx", "Jinja2", "markupsafe"),
    "tests/report/test_mathematics.py": ("latex2mathml", "sympy"),
    "tests/report/test_table.py": ("pyarrow",),
    "tests/environments": ("pettingzoo", "gymnasium"),
    "tests/export/test_storm.py": ("stormpy",),
}
"""Files of tests, and the packages that they are here for."""

OPTIONS: Final = ("-q", "-p", "no:cacheprovider", "-m", "not slow", "-W", "default::DeprecationWarning")
"""An old package beside new ones that it builds on may warn of what it uses; that is no fault of the declared version."""


def required(pyproject: Mapping[str, Any], extra: str = "test") -> Iterator[Requirement]:
    """Every package that the project and one of its extras need here, extras of extras included."""
    project = pyproject["project"]
    pending = [*project["dependencies"], *project["optional-dependencies"][extra]]
    for text in pending:
        requirement = Requirement(text)
        if requirement.name == project["name"]:
            pending += [one for name in sorted(requirement.extras) for one in project["optional-dependencies"][name]]
        elif requirement.marker is None or requirement.marker.evaluate():
            yield requirement


def declared(pyproject: Mapping[str, Any], extra: str = "test") -> dict[str, Version]:
    """The floor of every such package, by the name that is declared. Raises ValueError, with the name, where a requirement has none."""
    floors: dict[str, Version] = {}
    for requirement in required(pyproject, extra):
        lowest = [Version(one.version) for one in requirement.specifier if one.operator in (">=", "==")]
        if len(lowest) != 1:
            raise ValueError(f"{requirement.name}: pyproject.toml declares no oldest version; write {requirement.name}>=VERSION")
        floors[requirement.name] = lowest[0]
    return floors


def untested(floors: Mapping[str, Version], installed: Mapping[str, Version | None]) -> Iterator[str]:
    """A line for every package of which another version than the declared one is installed."""
    for name, floor in floors.items():
        found = installed[name]
        if found is None:
            yield f"{name}: {floor} is declared as the oldest version, and none is installed"
        elif found != floor:
            yield f"{name}: {floor} is declared as the oldest version, but the oldest that goes with the others is {found}: declare that"


def to_blame(failed: Sequence[str], floors: Mapping[str, Version]) -> Iterator[str]:
    """A line for every file of tests that failed: the packages that it is here for, with their versions."""
    for tests, packages in TESTED_BY.items():
        here = [one for one in failed if one.startswith(tests)]
        if here:
            yield f"{', '.join(f'{name} {floors[name]}' for name in packages if name in floors)}: {len(here)} of {tests} failed, such as {here[0]}"


class _Failures:
    """What failed in a run of pytest."""

    def __init__(self) -> None:
        self.tests: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.tests.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.tests.append(report.nodeid)


def _installed(name: str) -> Version | None:
    try:
        return Version(version(name))
    except PackageNotFoundError:
        return None


def main() -> int:
    """Compare versions, then run the tests; the exit status."""
    floors = declared(tomllib.loads(PYPROJECT.read_text(encoding="utf-8")))
    wrong = list(untested(floors, {name: _installed(name) for name in floors}))
    if not wrong:
        failures = _Failures()
        status = pytest.main([*OPTIONS, *TESTED_BY], plugins=[failures])
        wrong = list(to_blame(failures.tests, floors)) or ([f"pytest ended with status {int(status)}"] if status else [])
    for line in wrong:
        print(f"floors: {line}", file=sys.stderr)
    if not wrong:
        print(f"the oldest declared versions work: {', '.join(f'{name} {floor}' for name, floor in floors.items())}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
