"""The end of a run says what was skipped and why, and nothing where all was run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import PROJECT
from tests.skipped import not_tested

SOME = """
import pytest
if __name__ == "test_absent":
    pytest.importorskip("no_such_module", reason="install no_such_module")
browser = pytest.mark.skipif(True, reason="no browser here (install one)")
@browser
def test_page(): pass
@browser
def test_print(): pass
def test_root(): pytest.skip("run it as another user")
def test_expected(): pytest.xfail("known")
def test_run(): pass
"""


def summary(folder: Path, text: str, processes: int) -> list[str]:
    """The lines about what was not tested, of a run of this file, and of a second file of the same text."""
    for name in ("test_some", "test_absent"):
        (folder / f"{name}.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "tests.skipped", "-p", "no:cacheprovider", "-n", str(processes), str(folder)]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, check=False, timeout=120, env=alone)
    assert done.returncode == 0, done.stdout
    return [line for line in done.stdout.splitlines() if "not tested" in line]


@pytest.mark.parametrize("processes", [0, 2])
def test_every_reason_has_a_line_with_its_tests(tmp_path: Path, processes: int) -> None:
    assert summary(tmp_path, SOME, processes) == [
        "not tested, 2 tests (test_some.py): no browser here (install one)",
        "not tested, 1 file (test_absent.py): install no_such_module",
        "not tested, 1 test (test_some.py): run it as another user",
    ]


def test_a_run_of_everything_says_nothing() -> None:
    assert list(not_tested([])) == []


def test_the_tests_of_the_project_are_summarised(pytestconfig: pytest.Config) -> None:
    hooks = pytestconfig.pluginmanager.hook.pytest_terminal_summary.get_hookimpls()
    assert "tests.skipped" in {hook.function.__module__ for hook in hooks}
