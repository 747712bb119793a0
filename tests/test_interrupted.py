"""Runs that are killed, that run out of disk, that may not write, that share a store: nothing finished is lost, one clear line.

``MFVERIFY_KILLS=300 pytest tests/test_interrupted.py -k random`` kills as often; a few kills are part of every run of the tests.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from mfverify.verification import verify

pytestmark = pytest.mark.slow

CLAIMS = ["C4", "C5"]
KILLS = int(os.environ.get("MFVERIFY_KILLS", "8"))
COMMAND = [sys.executable, "-m", "mfverify.cli", "verify", "--claims", *CLAIMS, "--out"]


def content(document: Any) -> str:
    """All of a report but its provenance."""
    return json.dumps({key: value for key, value in document.items() if key != "provenance"})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run without an interruption."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    verify(CLAIMS, out=folder, workers=1)
    return folder


@pytest.fixture(scope="module")
def whole(finished: Path) -> Any:
    """The report of that run."""
    return json.loads((finished / "report.json").read_text())


def rows(folder: Path) -> dict[str, str]:
    """What is in the store of a run, as text by key; nothing where there is no store yet."""
    try:
        with closing(sqlite3.connect(folder / "results.sqlite", timeout=30)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return dict(connection.execute("SELECT key, document FROM finding").fetchall())
    except sqlite3.OperationalError as error:
        assert "no such table" in str(error) or "unable to open" in str(error)
        return {}


def run(folder: Path, *more: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own."""
    return subprocess.run([*COMMAND, str(folder), *more], capture_output=True, text=True, timeout=300, check=False, **how)


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit status 2, nothing on standard output, one line that says these words."""
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("mfverify: error: ")
    for word in words:
        assert word in done.stderr


# ------------------------------------------------------------------------------------------------------------- random kills


def announced_run(folder: Path, workers: int, said: Connection) -> None:
    """A run that says what it has finished as it goes; the first in a process group of its own."""
    os.setpgid(0, 0)
    said.send("started")
    verify(CLAIMS, workers=workers, out=folder, resume=True, progress=lambda done, total, label: said.send(label))


def test_random_kills_lose_nothing(tmp_path: Path, whole: Any) -> None:
    """All that a run reported as finished is in the store after SIGKILL at any moment; the report is the same in the end.

    Runs are forked from a process that has everything imported, so that kills fall on work and not on starting up.
    """
    expected = {f"{part['id']} {one['label']}": one for part in whole["claims"] for one in part["instances"]}
    nursery = multiprocessing.get_context("forkserver")
    nursery.set_forkserver_preload(["mfverify.verification", "mfverify.papers.mean_field_sampling.mean_distance", "tests.test_interrupted"])
    chance = random.Random(7)
    kills = most_kept = rounds = 0
    while kills < KILLS:
        folder = tmp_path / f"round {rounds}"
        rounds += 1
        claimed: set[str] = set()
        before: dict[str, str] = {}
        while not (folder / "report.json").exists():
            heard, said = nursery.Pipe(duplex=False)
            workers = 2 if kills % 50 == 49 else 1
            child = nursery.Process(target=announced_run, args=(folder, workers, said))
            child.start()
            said.close()
            until = time.monotonic() + 120
            while not heard.poll(0.2):
                assert child.is_alive() and time.monotonic() < until, "the run does not start"
            assert heard.recv() == "started"
            # One kill in five falls before or while the store is opened, the others among results that are finished.
            if chance.random() < 0.2:
                child.join(0.1 * chance.random())
            else:
                heard.poll(60)
                child.join((0.3 if workers == 1 else 1.0) * chance.random())
            ended = child.exitcode is not None
            if not ended and workers == 2 and chance.random() < 0.5:
                os.kill(child.pid or 0, signal.SIGKILL)
            else:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid or 0, signal.SIGKILL)
            child.join()
            with suppress(EOFError):
                while True:
                    claimed.add(heard.recv())
            heard.close()
            kills += child.exitcode == -signal.SIGKILL
            after = rows(folder)
            assert before.items() <= after.items(), "a finished instance is gone or has changed"
            documents = [json.loads(text) for text in after.values()]
            held = {name for name, one in expected.items() if one in documents}
            assert claimed <= held, "what was said to be finished is not in the store"
            assert len(documents) == sum(one in list(expected.values()) for one in documents), "a stored result is none of the right ones"
            before = after
            if child.exitcode != -signal.SIGKILL:
                assert child.exitcode == 0
            most_kept = max(most_kept, len(after))
        assert content(json.loads((folder / "report.json").read_text())) == content(whole)
        shutil.rmtree(folder)
    assert most_kept == len(expected)
    print(f"{kills} kills in {rounds} runs of {len(expected)} instances")


def test_workers_whose_run_is_killed_end_by_themselves(tmp_path: Path) -> None:
    with subprocess.Popen([*COMMAND, str(tmp_path / "run"), "--workers", "2", "--profile", "full"], start_new_session=True) as child:
        until = time.monotonic() + 120
        while len(rows(tmp_path / "run")) < 5:
            assert child.poll() is None and time.monotonic() < until, "no result is kept"
            time.sleep(0.05)
        child.kill()
    while time.monotonic() < until:
        try:
            os.killpg(child.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("processes of a killed run are left over")


# ---------------------------------------------------------------------------------------------------------------- full disk


def test_a_full_disk_is_one_clear_line_and_what_was_finished_is_kept(tmp_path: Path, whole: Any) -> None:
    """A limit on the size of a file simulates the disk; the store's write-ahead log reaches it in the middle of the run."""

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = run(tmp_path / "run", "--workers", "1", preexec_fn=small_disk)
    refused(done, "results.sqlite: a result cannot be kept", "free the disk or choose another folder, then --resume")
    kept = rows(tmp_path / "run")
    assert 3 < len(kept) < whole["summary"]["instances"]
    assert not (tmp_path / "run" / "report.json").exists()
    seen: list[int] = []
    report = verify(CLAIMS, out=tmp_path / "run", workers=1, resume=True, progress=lambda done, *_: seen.append(done))
    assert seen[0] == len(kept) + 1
    assert kept.items() <= rows(tmp_path / "run").items()
    assert content(report.document) == content(whole)


def test_a_disk_without_room_for_the_report_is_one_clear_line(tmp_path: Path, finished: Path, whole: Any) -> None:
    shutil.copytree(finished, tmp_path / "run")
    for name in ("report.json", "report.html"):
        (tmp_path / "run" / name).unlink()

    def tiny_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    refused(run(tmp_path / "run", "--resume", preexec_fn=tiny_disk), "report.json: cannot be written", "choose a folder that can be")
    assert {path.suffix for path in (tmp_path / "run").iterdir()} == {".sqlite"}, "half a file is left"
    assert run(tmp_path / "run", "--resume").returncode == 0
    assert content(json.loads((tmp_path / "run" / "report.json").read_text())) == content(whole)


# ---------------------------------------------------------------------------------------------------------------- read-only


def without_privilege() -> list[str]:
    """A prefix that takes from the superuser the right to write where the permissions say no; nothing for other users."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("the superuser writes everywhere, and setpriv is not here to take that right away: install util-linux")
    return [setpriv, "--inh-caps=-dac_override", "--bounding-set=-dac_override", "--"]


@pytest.mark.parametrize("what", ["the folder", "the folder above", "the file"])
def test_what_is_read_only_is_refused_before_anything_is_computed(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "run"
    if what == "the file":
        verify(["C6"], out=folder, workers=1)
        (folder / "results.sqlite").chmod(0o400)
    elif what == "the folder":
        folder.mkdir(mode=0o500)
    else:
        tmp_path.chmod(0o500)
    try:
        started = time.monotonic()
        done = subprocess.run(
            [*without_privilege(), *COMMAND, str(folder), "--resume"], capture_output=True, text=True, timeout=120, check=False
        )
        if what == "the folder":
            refused(done, "report.json: cannot be written", "choose a folder that can be written to")
        else:
            refused(done, "results.sqlite: cannot be used as a store of results", "choose another folder")
        assert time.monotonic() - started < 60
    finally:
        tmp_path.chmod(0o700)
        if folder.exists():
            folder.chmod(0o700)


# ------------------------------------------------------------------------------------------------------- several runs, damage


@pytest.mark.parametrize("more", [(), ("--resume",)])
def test_two_runs_on_one_store_give_the_same_report(tmp_path: Path, whole: Any, more: tuple[str, ...]) -> None:
    both = [
        subprocess.Popen([*COMMAND, str(tmp_path), "--json", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in "ab"
    ]
    for one in both:
        out, err = one.communicate(timeout=300)
        assert (one.returncode, err) == (1 if json.loads(out)["summary"]["unexpected"] else 0, "")
        assert content(json.loads(out)) == content(whole)
    assert len(rows(tmp_path)) == whole["summary"]["instances"]
    assert content(json.loads((tmp_path / "report.json").read_text())) == content(whole)


def cut_off(path: Path) -> None:
    """Lose the second half of a file."""
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path) -> None:
    """Another program's content in the middle of a file."""
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 3)
        stream.write(b"not a page of a database " * 2000)


def replace_head(path: Path) -> None:
    """No database at all."""
    with path.open("r+b") as stream:
        stream.write(b"something else   ")


@pytest.mark.parametrize("damage", [cut_off, overwrite, replace_head])
def test_a_damaged_store_is_one_clear_line_or_gives_the_same_report(
    tmp_path: Path, finished: Path, whole: Any, damage: Callable[[Path], None]
) -> None:
    """SQLite notices damage only where it reads; what it does not notice, the digest of each row does."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    damage(folder / "results.sqlite")
    damaged = (folder / "results.sqlite").read_bytes()
    done = run(folder, "--resume", "--json", "--workers", "1")
    if done.returncode == 2:
        refused(done, "results.sqlite: ", "remove the file")
        assert (folder / "results.sqlite").read_bytes() == damaged, "a damaged file was changed"
    else:
        assert content(json.loads(done.stdout)) == content(whole)
    (folder / "results.sqlite").unlink()
    assert content(json.loads(run(folder, "--resume", "--json", "--workers", "1").stdout)) == content(whole)
