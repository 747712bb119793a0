"""Many tasks on the cores of this machine: each once, kept where it is computed, on no more threads than there are cores."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from mfverify import runner
from mfverify.errors import ModelError, WorkersError
from mfverify.runner import completed, in_order

GROUPS = [[1, 2, 3], [4], [5, 6], [7, 8]]


def square(task: int) -> int:
    """The simplest computation."""
    return task * task


def where(task: int, seconds: float = 0.0) -> tuple[int, int]:
    """Which process computes a task."""
    time.sleep(seconds)
    return task, os.getpid()


def threads(_: int) -> tuple[int, int]:
    """How many threads the compiled loops of a worker have, and the most they could be given."""
    import numba

    return numba.get_num_threads(), numba.config.NUMBA_NUM_THREADS


def write(folder: Path, task: int, result: int) -> None:
    """Keep a result as a file that says who wrote it."""
    (folder / str(task)).write_text(f"{result} {os.getpid()}")


def unlucky(task: int, at: int, how: str) -> int:
    """A computation that fails at one task."""
    if task == at and how == "an error":
        raise ModelError(f"task {task}: out of luck")
    if task == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return task


@pytest.mark.parametrize("workers", [1, None, pytest.param(2, marks=pytest.mark.slow)])
def test_every_task_is_computed_once(workers: int | None) -> None:
    found = list(completed(square, GROUPS, workers=workers))
    assert sorted(found) == [(i, i * i) for i in range(1, 9)]


def slow_at_first(task: int) -> tuple[int, int]:
    """The first tasks are finished last."""
    time.sleep(0.3 if task < 2 else 0.0)
    return task, os.getpid()


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_in_order_whoever_is_finished_first(workers: int) -> None:
    found = list(in_order(slow_at_first, range(12), workers=workers))
    assert [task for task, _ in found] == list(range(12))
    processes = {process for _, process in found}
    assert processes == {os.getpid()} if workers == 1 else os.getpid() not in processes and len(processes) > 1


@pytest.mark.slow
def test_the_processes_stay_for_fewer_tasks_than_there_are_processes() -> None:
    first = {process for _, process in in_order(slow_at_first, range(12), workers=2)}
    assert {process for _, process in in_order(slow_at_first, [5], workers=2)} <= first
    assert list(in_order(square, [], workers=2)) == []


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_behind_a_deadline_nothing_is_begun(workers: int) -> None:
    until = time.monotonic() + 0.3
    found = list(in_order(partial(where, seconds=0.1), range(1000), workers=workers, until=until))
    assert [task for task, _ in found] == list(range(len(found)))
    assert len(found) < 100
    assert time.monotonic() < until + 5


@pytest.mark.parametrize("groups", [[], [[]], [[], []]])
def test_nothing_to_do(groups: list[list[int]]) -> None:
    assert list(completed(square, groups, workers=2)) == []


def test_one_worker_is_this_process_and_keeps_the_order(tmp_path: Path) -> None:
    found = list(completed(where, GROUPS, workers=1))
    assert found == [(i, (i, os.getpid())) for i in range(1, 9)]


def test_a_result_is_kept_before_it_is_delivered(tmp_path: Path) -> None:
    for task, result in completed(square, GROUPS, workers=1, keep=partial(write, tmp_path)):
        assert (tmp_path / str(task)).read_text() == f"{result} {os.getpid()}"


@pytest.mark.slow
def test_a_group_is_computed_and_kept_by_one_process(tmp_path: Path) -> None:
    found = dict(completed(partial(where, seconds=0.2), GROUPS, workers=2, keep=partial(write, tmp_path)))
    assert sorted(found) == list(range(1, 9))
    processes = [{found[task][1] for task in group} for group in GROUPS]
    assert [len(one) for one in processes] == [1] * 4
    assert len(set.union(*processes)) == 2
    assert os.getpid() not in set.union(*processes)
    for task, result in found.items():
        assert (tmp_path / str(task)).read_text() == f"{result} {result[1]}"


@pytest.mark.slow
def test_other_processes_are_started_when_it_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "ALONE_SECONDS", 0.1)
    monkeypatch.setattr(runner, "usable_cores", lambda: 2)
    found = dict(completed(partial(where, seconds=0.04), [[i] for i in range(12)]))
    assert sorted(found) == list(range(12))
    here = [task for task, (_, process) in found.items() if process == os.getpid()]
    # The smallest groups, which come last, are computed here.
    assert sorted(here) == list(range(12 - len(here), 12))
    assert 1 <= len(here) <= 4


@pytest.mark.slow
@pytest.mark.parametrize(("cores", "workers", "expected"), [(8, 2, 4), (8, 3, 2), (2, 2, 1), (1, 2, 1)])
def test_processes_times_threads_do_not_exceed_the_cores(monkeypatch: pytest.MonkeyPatch, cores: int, workers: int, expected: int) -> None:
    monkeypatch.setattr(runner, "usable_cores", lambda: cores)
    # What the user allows one process is no reason to give it to each of several.
    monkeypatch.setenv("NUMBA_NUM_THREADS", "16")
    seen = dict(completed(threads, [[i] for i in range(4)], workers=workers))
    assert set(seen.values()) == {(expected, expected)}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_is_raised_here_and_what_was_finished_is_kept(tmp_path: Path, workers: int) -> None:
    with pytest.raises(ModelError, match="task 3: out of luck"):
        list(completed(partial(unlucky, at=3, how="an error"), [[1, 2, 3, 4]] * workers, workers=workers, keep=partial(write, tmp_path)))
    assert {path.name for path in tmp_path.iterdir()} == {"1", "2"}


@pytest.mark.slow
def test_a_killed_worker_is_one_clear_line_and_what_was_finished_is_kept(tmp_path: Path) -> None:
    with pytest.raises(WorkersError, match=r"a worker process was killed.* fewer --workers than 2 need less$") as refusal:
        list(completed(partial(unlucky, at=3, how="killed"), [[1, 2, 3, 4]] * 2, workers=2, keep=partial(write, tmp_path)))
    assert len(str(refusal.value).splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"1", "2"}
    # The next run has workers again.
    assert sorted(completed(square, [[1], [2]], workers=2)) == [(1, 1), (2, 4)]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_not_wanted_any_more_is_given_up(tmp_path: Path, workers: int) -> None:
    results = completed(partial(where, seconds=0.05), [[i] for i in range(400)], workers=workers, keep=partial(write, tmp_path))
    next(results)
    results.close()
    time.sleep(0.3)
    kept = len(list(tmp_path.iterdir()))
    time.sleep(0.5)
    assert 1 <= len(list(tmp_path.iterdir())) == kept < 200
