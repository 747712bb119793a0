"""A run on a Dask cluster of separate processes: the same report, nothing lost with a worker, nothing written but by this process."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import mfverify as mfv
from mfverify import runner
from mfverify.cli import run
from mfverify.errors import ModelError, WorkersError
from mfverify.falsifier.attack import Attack, attack
from mfverify.papers import CATALOGUE
from mfverify.runner import completed, connected, in_order
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Outcome
from mfverify.verification import verify
from tests.clusters import Cluster, cluster
from tests.signals import control_c_interrupts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),
    pytest.mark.skipif(
        find_spec("distributed") is None,
        reason="distributed is not installed (pip install 'mfverify[cluster]'): runs on a cluster were not tested",
    ),
]

CHEAP = ["C1", "L2"]
INTERRUPTED = "mfverify: interrupted; what was finished is kept, --resume continues"
BUSY = threading.Lock()


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One worker process with a single thread, one with two."""
    with cluster(tmp_path_factory.mktemp("cluster"), [1, 2]) as found:
        yield found


def where(task: int, seconds: float = 0.0) -> tuple[int, int]:
    """Which process computes a task."""
    time.sleep(seconds)
    return task, os.getpid()


def alone(_: int) -> tuple[bool, int, int]:
    """Whether nothing else is computed in this process meanwhile; the threads of compiled loops; the process."""
    from mfverify.parallel import thread_count

    free = BUSY.acquire(blocking=False)
    time.sleep(0.05)
    if free:
        BUSY.release()
    return free, thread_count(), os.getpid()


def unlucky(task: int) -> int:
    """A computation that fails once, or that takes its worker with it."""
    if task == 3:
        raise ModelError("task 3: out of luck")
    if task == 13:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


def content(document: Any) -> str:
    """All of a report but its provenance."""
    return json.dumps({key: value for key, value in document.items() if key != "provenance"})


def stored(folder: Path) -> int:
    """Number of finished instances in the store of a run; 0 while there is none."""
    try:
        with closing(sqlite3.connect(f"file:{folder / 'results.sqlite'}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM finding").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_the_report_is_that_of_one_process(two_workers: Cluster, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    report = verify(CHEAP, scheduler=two_workers.address, out=tmp_path / "run", progress=lambda done, total, _: calls.append((done, total)))
    assert content(report.document) == content(verify(CHEAP, workers=1).document)
    total = report.document["summary"]["instances"]
    assert calls == [(i, total) for i in range(1, total + 1)]
    assert stored(tmp_path / "run") == total
    # Workers of other machines have no access to the file; these have not either.
    assert list(two_workers.folder.rglob("*.sqlite")) == []


def test_results_are_kept_by_this_process_as_they_arrive(two_workers: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "SLICE_SECONDS", 0.2)
    kept: list[tuple[int, int]] = []
    for task, _ in completed(
        partial(where, seconds=0.1), [list(range(12))], scheduler=two_workers.address, keep=lambda t, r: kept.append(r)
    ):
        assert kept[-1][0] >= task
        assert len(kept) <= task + 4, "the group has come as a whole"
    assert [task for task, _ in kept] == list(range(12))
    processes = {process for _, process in kept}
    assert len(processes) == 1, "a group was torn apart"
    assert os.getpid() not in processes


def test_a_worker_computes_one_task_at_a_time_with_all_its_threads(two_workers: Cluster) -> None:
    found = [result for _, result in completed(alone, [[i] for i in range(24)], scheduler=two_workers.address)]
    assert len(found) == 24
    assert all(free for free, *_ in found)
    cores = os.cpu_count() or 1
    assert {count for _, count, _ in found} == {1, min(2, cores)}
    assert len({process for *_, process in found}) == 2


def test_a_killed_worker_takes_nothing_with_it(tmp_path: Path) -> None:
    with cluster(tmp_path, [1, 1]) as found:
        finished = []
        for task, result in completed(partial(where, seconds=0.02), [[i, i + 1] for i in range(0, 200, 2)], scheduler=found.address):
            finished.append((task, result))
            if len(finished) == 20:
                found.workers[0].kill()
                found.workers[0].wait()
        assert sorted(task for task, _ in finished) == list(range(200))
        assert all(task == result[0] for task, result in finished)
        survivors = {process for _, (_, process) in finished[-100:]}
        assert survivors == {found.workers[1].pid}


def test_a_run_that_loses_a_worker_gives_the_same_report(tmp_path: Path) -> None:
    with cluster(tmp_path, [1, 1]) as found:

        def lose(done: int, *_: Any) -> None:
            if done == 10:
                found.workers[1].kill()

        report = verify(["C1"], scheduler=found.address, out=tmp_path / "run", progress=lose)
        assert found.workers[1].wait() == -signal.SIGKILL
    assert content(report.document) == content(verify(["C1"], workers=1).document)


def test_without_workers_or_without_the_scheduler_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "SLICE_SECONDS", 0.2)
    monkeypatch.setattr(runner, "_WAIT_SECONDS", 1.0)
    with cluster(tmp_path, []) as found:
        with pytest.raises(ModelError, match="has no workers after 1 s; start some: dask worker tcp://127"):
            list(completed(where, [[1]], scheduler=found.address))
        monkeypatch.setattr(runner, "_WAIT_SECONDS", 60.0)
        found.add_worker()
        kept: list[int] = []
        with pytest.raises(WorkersError, match=r"has had no worker for 1 s; start some$") as refusal:
            for task, _ in completed(partial(where, seconds=0.05), [[i] for i in range(400)], scheduler=found.address):
                if not kept:
                    monkeypatch.setattr(runner, "_WAIT_SECONDS", 1.0)
                    found.workers[0].kill()
                kept.append(task)
        assert 0 < len(kept) < 400
        assert len(str(refusal.value).splitlines()) == 1


def test_errors_of_a_computation_are_raised_here(two_workers: Cluster) -> None:
    with pytest.raises(ModelError, match=r"^task 3: out of luck$"):
        list(completed(unlucky, [[1], [2], [3]], scheduler=two_workers.address))


def test_a_task_that_kills_every_worker_is_given_up(tmp_path: Path) -> None:
    with (
        cluster(tmp_path, [1] * 4) as found,
        pytest.raises(WorkersError, match="a task was lost with its worker several times") as refusal,
    ):
        list(completed(unlucky, [[13]], scheduler=found.address))
    assert len(str(refusal.value).splitlines()) == 1


def test_workers_with_other_code_are_refused(two_workers: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "code_version", lambda: "newer code")
    with pytest.raises(ModelError, match=r"worker tcp://\S+ runs another version of mfverify; install the same"):
        list(completed(where, [[1]], scheduler=two_workers.address))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere", "https://x", ""])
def test_an_address_where_no_scheduler_answers_is_refused(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_ANSWER_SECONDS", 0.5)
    assert run(["verify", "--claims", "L2", "--scheduler", address, "--out", str(tmp_path / "run")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert f"--scheduler: {address}" in err


def test_control_c_and_resume(two_workers: Cluster, tmp_path: Path) -> None:
    arguments = ["verify", "--claims", "C1", "L2", "--scheduler", two_workers.address, "--out", "parts"]
    with subprocess.Popen(
        [sys.executable, "-m", "mfverify.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        preexec_fn=control_c_interrupts,
    ) as child:
        until = time.monotonic() + 120
        while stored(tmp_path / "parts") < 10 and child.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, "")
    assert err.split() == INTERRUPTED.split()
    kept = stored(tmp_path / "parts")
    computed: list[int] = []
    report = verify(
        ["C1", "L2"],
        scheduler=two_workers.address,
        out=tmp_path / "parts",
        resume=True,
        progress=lambda done, *_: computed.append(done),
    )
    total = report.document["summary"]["instances"]
    assert 10 <= kept < total
    assert computed == list(range(kept + 1, total + 1))
    assert content(report.document) == content(verify(["C1", "L2"], workers=1).document)


# ------------------------------------------------------------------------------------------------------------------ the falsifier


def said(found: Attack) -> str:
    """All of a search but how long it took."""
    return json.dumps(untimed(found.to_json() | {"budget": None}))


def untimed(record: dict[str, Any]) -> dict[str, Any]:
    """A record of a search without times and rates."""
    searched = {name: value for name, value in record["searched"].items() if name not in ("seconds_each", "per_second")}
    return record | {"seconds": None, "searched": searched}


@pytest.mark.parametrize("claim", ["C2", "C3", "R3m"])
def test_a_search_on_the_cluster_is_that_of_one_process(two_workers: Cluster, claim: str) -> None:
    alone = attack(claim, 600, workers=1, candidates=300)
    assert said(attack(claim, 600, scheduler=two_workers.address, candidates=300)) == said(alone)
    assert (alone.certificate is None) == (claim == "R3m")


def test_a_search_that_loses_a_worker_finds_the_same(tmp_path: Path) -> None:
    with cluster(tmp_path, [1, 1]) as found:

        def lose(claim: str, searched: Any, shrunk: Any) -> None:
            if searched.evaluations == 40 and shrunk is None:
                found.workers[0].kill()
                found.workers[0].wait()

        lost = attack("C2", 600, scheduler=found.address, candidates=300, progress=lose)
        assert found.workers[0].poll() == -signal.SIGKILL and found.workers[1].poll() is None
    assert lost.searched.evaluations > 40
    assert said(lost) == said(attack("C2", 600, workers=2, candidates=300))


def never_ends(instance: Case) -> Outcome:
    while True:
        pass


def test_a_search_on_the_cluster_ends_with_its_budget_and_frees_the_workers(two_workers: Cluster) -> None:
    endless = replace(CATALOGUE["C1"], id="endless", sides=never_ends)
    started = time.monotonic()
    outcome = attack(endless, 1.0, scheduler=two_workers.address)
    assert (outcome.found, outcome.searched.evaluations) == (None, 0)
    with connected(two_workers.address) as there:
        assert [task for task, _ in in_order(where, range(8), cluster=there)] == list(range(8))
    assert time.monotonic() - started < 60


def test_the_command_searches_several_claims_on_the_cluster(
    two_workers: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = ["falsify", "C3", "R3m", "--candidates", "60", "--json", "--record"]
    assert run([*shared, str(tmp_path / "there.json"), "--scheduler", two_workers.address]) == 0
    assert run([*shared, str(tmp_path / "here.json"), "--workers", "1"]) == 0
    there, here = (
        [untimed(one) for one in json.loads((tmp_path / name).read_text())["searches"]] for name in ("there.json", "here.json")
    )
    assert there == here
    capsys.readouterr()
    assert run([*shared, str(tmp_path / "not.json"), "--scheduler", two_workers.address, "--workers", "2"]) == 2
    out, err = capsys.readouterr()
    assert (
        out == "" and err == "mfverify: error: --workers: are those of the cluster where --scheduler is given; leave one of the two out\n"
    )
    assert run([*shared, str(tmp_path / "not.json"), "--scheduler", "nowhere"]) == 2
    assert not (tmp_path / "not.json").exists()


def test_falsify_takes_the_address(two_workers: Cluster) -> None:
    there, here = mfv.falsify("C3", scheduler=two_workers.address), mfv.falsify("C3", workers=1)
    assert there is not None and here is not None
    assert there.document == here.document
