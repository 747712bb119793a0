"""The checker stands alone: the standard library only, no code of the rest, short enough to be read in one sitting."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import PACKAGE, PROJECT

CHECKER = PACKAGE / "checker" / "check_certificate.py"
BUNDLED = sorted((PROJECT / "reports" / "certificates").glob("*.json"))


def test_it_imports_the_standard_library_only() -> None:
    tree = ast.parse(CHECKER.read_text(encoding="utf-8"))
    tops = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            tops |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            tops.add((node.module or "").split(".")[0])
    assert "fractions" in tops
    assert tops <= set(sys.stdlib_module_names)
    assert not tops & {"importlib", "runpy", "subprocess", "os"}


def test_nothing_of_the_package_is_loaded_and_it_runs_alone(tmp_path: Path) -> None:
    alone = tmp_path / "check_certificate.py"
    alone.write_bytes(CHECKER.read_bytes())
    done = subprocess.run([sys.executable, "-I", str(alone), str(BUNDLED[0])], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "accepted"), done.stdout + done.stderr


def test_it_can_be_read_in_one_sitting() -> None:
    """Below 450 lines of code; the rest is what they mean."""
    source = CHECKER.read_text(encoding="utf-8")
    said: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            said |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = source.splitlines()
    code = [i for i, line in enumerate(lines, start=1) if line.strip() and not line.strip().startswith("#") and i not in said]
    assert 100 < len(code) <= 450
    assert len(lines) <= 660
