"""Compiled loops are kept, but never longer than the sources they were made from."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mfverify import compiled

LOOPS = {
    "inner.py": "from mfverify.compiled import njit\n\n\n@njit\ndef inner(x):\n    return x + 1\n",
    "outer.py": "from inner import inner\nfrom mfverify.compiled import njit\n\n\n@njit\ndef outer(x):\n    return inner(x)\n",
}
RUN = """
import sys
from collections.abc import Iterator
from pathlib import Path
from mfverify import compiled
compiled._PACKAGE = Path(sys.argv[1])
from outer import outer
print(outer(40), sum(outer.stats.cache_hits.values()))
"""


def answer(folder: Path) -> list[str]:
    """What a fresh process computes with the loops of a folder, and how many it found compiled."""
    run = subprocess.run([sys.executable, "-c", RUN, str(folder)], capture_output=True, text=True, check=True, cwd=folder)
    return run.stdout.split()


@pytest.mark.slow
def test_a_change_of_a_loop_reaches_the_loops_of_other_files_that_use_it(tmp_path: Path) -> None:
    for name, source in LOOPS.items():
        (tmp_path / name).write_text(source)
    assert answer(tmp_path) == ["41", "0"]
    assert answer(tmp_path) == ["41", "1"]  # kept
    (tmp_path / "inner.py").write_text(LOOPS["inner.py"].replace("x + 1", "x + 2"))
    assert answer(tmp_path) == ["42", "0"]  # numba alone answers 41 from the disk, for outer.py is what it was


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of two files, one of which has to do with compiled loops."""
    (tmp_path / "loop.py").write_text(LOOPS["inner.py"])
    (tmp_path / "page.py").write_text("TITLE = 'x'\n")
    monkeypatch.setattr(compiled, "_PACKAGE", tmp_path)
    compiled.folder.cache_clear()
    yield tmp_path
    compiled.folder.cache_clear()


def folder(chosen: str = "") -> str:
    compiled.folder.cache_clear()
    return compiled.folder(chosen)


def test_only_sources_of_compiled_loops_count(package: Path) -> None:
    before = folder()
    (package / "page.py").write_text("TITLE = 'y'\n")
    assert folder() == before
    (package / "loop.py").write_text(LOOPS["inner.py"] + "\n")
    assert folder() != before


def test_where_they_are_kept(package: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path(folder()).parent == package / "__pycache__"
    chosen = tmp_path_factory.mktemp("chosen")
    assert Path(folder(str(chosen))).parent == chosen
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setattr(Path, "home", lambda: home)
    monkeypatch.setattr(compiled, "_writable", lambda place: home in place.parents)
    assert Path(folder()).parent == home / ".cache" / "mfverify"


def test_the_choice_of_others_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    loop = compiled.njit(lambda x: x)
    assert str(tmp_path) == numba.config.CACHE_DIR
    assert loop(3) == 3
    assert len(list(tmp_path.glob("loops-*"))) == 1
