"""The checker stands alone: the standard library only, no code of the rest, each of its two files short enough to be read in one sitting."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGE, PROJECT

CHECKER = PACKAGE / "checker" / "check_certificate.py"
FINITE = CHECKER.with_name("finite_claims.py")
EACH_OTHER = {CHECKER: {"finite_claims"}, FINITE: {"check_certificate", "mfverify.checker.check_certificate"}}
"""What the two files import of each other: the first one when it is run as a program, the second one what the first one defines."""
MOST = {CHECKER: (500, 740), FINITE: (240, 300)}
"""Lines of code, and lines in all. The first file has an evaluator of right sides, so that those of the theorems stand in it as they are printed;
the claims of the second file are read one by one, each in less than 35 lines."""
CERTIFICATES = PROJECT / "reports" / "certificates"
BUNDLED = sorted(CERTIFICATES.glob("*.json"))


@pytest.mark.parametrize("path", MOST, ids=lambda path: path.stem)
def test_it_imports_the_standard_library_only(path: Path) -> None:
    tops = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            tops |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            module = node.module or ""
            tops.add(module if module in EACH_OTHER[path] else module.split(".")[0])
    assert "fractions" in tops
    assert tops - EACH_OTHER[path] <= set(sys.stdlib_module_names)
    assert EACH_OTHER[path] <= tops
    assert not tops & {"importlib", "runpy", "subprocess", "os"}


def run_alone(folder: Path, *files: Path, certificate: str) -> tuple[int, str]:
    """What copies of these files say in a folder of their own."""
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
    line = [sys.executable, "-I", str(folder / CHECKER.name), str(CERTIFICATES / f"{certificate}.json")]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_nothing_of_the_package_is_loaded_and_it_runs_alone(tmp_path: Path) -> None:
    status, said = run_alone(tmp_path, CHECKER, certificate="P3")
    assert (status, said.splitlines()[0]) == (0, "accepted"), said
    status, said = run_alone(tmp_path, CHECKER, certificate="M1")
    assert status == 1
    assert "finite_claims.py adds more" in said
    status, said = run_alone(tmp_path, CHECKER, FINITE, certificate="M1")
    assert (status, said.splitlines()[0]) == (0, "accepted"), said


@pytest.mark.parametrize("path", MOST, ids=lambda path: path.stem)
def test_it_can_be_read_in_one_sitting(path: Path) -> None:
    """Few lines of code; the rest is what they mean."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    said: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            said |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = source.splitlines()
    code = [i for i, line in enumerate(lines, start=1) if line.strip() and not line.strip().startswith("#") and i not in said]
    assert 100 < len(code) <= MOST[path][0]
    assert len(lines) <= MOST[path][1]
    if path == FINITE:
        assert all((node.end_lineno or 0) - node.lineno < 36 for node in tree.body if isinstance(node, ast.FunctionDef))
