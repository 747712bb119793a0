"""A clone that is not set up: pytest says in one line what to do, and the commands that set up say how to go on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import PROJECT

WITHOUT = "import importlib.util\nfind = importlib.util.find_spec\nimportlib.util.find_spec = lambda name, *more: None if name == {name!r} else find(name, *more)\n"
"""A start of Python that pretends not to have a package."""


@pytest.mark.parametrize("arguments", [["proofs_checks"], ["tests"], ["proofs_checks/test_statements.py", "-n", "2"], []], ids=" ".join)
def test_pytest_without_a_dependency_is_one_line(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT.format(name="numba"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.splitlines() == [
        "ERROR: mfverify cannot be tested here: this Python has no numba; run 'make test' once, which sets up .venv, "
        "then '. .venv/bin/activate' and pytest again"
    ]


def test_tests_without_their_own_dependency_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "hypothesis.py").write_text("raise ImportError\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/architecture", "-p", "no:hypothesispytest"],
        env=os.environ | {"PYTHONPATH": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 4
    assert done.stderr.startswith("ERROR: the tests need the package hypothesis; run 'make test' once") and done.stderr.count("\n") == 1


def test_readme_and_makefile_say_how_to_activate() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert readme.index("make report") < readme.index(". .venv/bin/activate") < readme.index("$ mfverify claims")
    shown = subprocess.run(["make", "--no-print-directory", "-n", "report"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert shown[-1] == 'echo "to use the command mfverify in this shell: . .venv/bin/activate"'
    assert shown[-2].startswith(".venv/bin/mfverify verify")
