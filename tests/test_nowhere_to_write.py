"""Nothing can be kept: an unknown user without a home, and a package and a checkout that are not the user's to write in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mfverify import compiled

ROOT = Path(__file__).parents[1]
NOT_KEPT = "mfverify: compiled loops cannot be kept, so every process compiles them; set NUMBA_CACHE_DIR to a folder that can be written\n"


def somebody_else(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command run by a user id that the system does not know, which may read everything and write nothing of others."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("needs the superuser, and setpriv (util-linux), to become another user")
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    prefix = [setpriv, "--reuid=54321", "--regid=54321", "--clear-groups", *reading, "--"]
    environment = {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"} | variables
    if sys.pycache_prefix is not None:  # bytecode that is there is read
        environment["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    return subprocess.run([*prefix, *command], capture_output=True, text=True, check=False, timeout=300, cwd=ROOT, env=environment)


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that all users may enter and write."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and folder != Path("/") and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    tmp_path.chmod(0o777)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        "claims",
        "verify --claims L1 --workers 2",
        "verify --claims C1 --workers 1 --json",
        "falsify C3 --budget 60 --workers 1",
    ],
)
def test_commands_that_compile_nothing_have_nothing_to_say(arguments: str) -> None:
    done = somebody_else(sys.executable, "-m", "mfverify.cli", *arguments.split())
    assert done.stderr == ""
    assert done.returncode in (0, 1) and done.stdout


@pytest.mark.slow
def test_a_report_is_written_and_rendered_again(open_folder: Path) -> None:
    for arguments in (("verify", "--claims", "L1", "--out"), ("report",)):
        done = somebody_else(sys.executable, "-m", "mfverify.cli", *arguments, str(open_folder / "run"))
        assert done.returncode == 0
        # What matplotlib has to say of its own folder.
        assert len(done.stderr.splitlines()) == done.stderr.count("MPLCONFIGDIR") <= 1, done.stderr
    assert "</html>" in (open_folder / "run" / "report.html").read_text()


LOOP = """
import sys
from mfverify.compiled import njit


@njit
def twice(x):
    return 2 * x


@njit
def thrice(x):
    return 3 * x


twice.py_func.__module__ = thrice.py_func.__module__ = "mfverify.example"
print(twice(3), thrice(3))
"""


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{}, {"HOME": "/nonexistent"}, {"NUMBA_CACHE_DIR": "/nonexistent"}])
def test_what_compiles_says_once_that_nothing_is_kept(open_folder: Path, variables: dict[str, str]) -> None:
    script = open_folder / "script.py"
    script.write_text(LOOP)
    done = somebody_else(sys.executable, str(script), **{"PYTHONPATH": str(ROOT)} | variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, "6 9\n", NOT_KEPT)


@pytest.mark.slow
def test_what_can_be_kept_says_nothing(open_folder: Path) -> None:
    script = open_folder / "script.py"
    script.write_text(LOOP)
    done = somebody_else(sys.executable, str(script), PYTHONPATH=str(ROOT), NUMBA_CACHE_DIR=str(open_folder / "kept"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "6 9\n", "")
    assert list((open_folder / "kept").rglob("*.nbi"))


@pytest.mark.slow
def test_the_tests_of_a_read_only_checkout() -> None:
    chosen = "tests/test_counts.py::test_total_variation_is_the_largest_difference_of_an_event"
    done = somebody_else(sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", chosen)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("fails", ["load", "save"])
def test_files_of_loops_that_cannot_be_used_are_as_none(
    fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on a disk that is full, or where another user's files lie."""
    import numba

    def refused(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(numba.core.caching.FunctionCache, f"{fails}_overload", refused)
    monkeypatch.setattr("mfverify.notices._SAID", set())
    assert compiled.njit(lambda x: x + 1)(4) == 5
    assert capsys.readouterr().err == (NOT_KEPT if fails == "save" else "")
