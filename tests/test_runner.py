"""Many tasks on the cores of this machine: each once, kept where it is computed, on no more threads than there are cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from mfverify import runner
from mfverify.errors import ModelError, WorkersError
from mfverify.runner import completed, in_order
from tests.signals import control_c_interrupts

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
    assert len(list(in_order(slow_at_first, range(12), workers=2))) == 12
    first = {child.pid for child in multiprocessing.active_children()}
    ((_, process),) = in_order(slow_at_first, [5], workers=2)
    assert process in first
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
    time.sleep(1.5)
    kept = len(list(tmp_path.iterdir()))
    time.sleep(0.5)
    assert 1 <= len(list(tmp_path.iterdir())) == kept < 200


# -------------------------------------------------------------------------------------- runs that end early, programs that end

TASKS = """
import multiprocessing, os, signal, threading, time
from functools import partial
from mfverify.runner import completed, in_order


def where(task, longer=()):
    time.sleep(600 if task in longer else 0.02)
    return os.getpid()


def give_up(**how):
    results = in_order(partial(where, **how), range(100), workers=2)
    one = next(results)
    results.close()
    return one


def running():
    return {child.pid for child in multiprocessing.active_children()}


"""


def start(folder: Path, text: str) -> subprocess.Popen[str]:
    """A program of its own, in which a warning is an error."""
    (folder / "program.py").write_text(TASKS + text)
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(folder / "program.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=control_c_interrupts,
    )


def seconds_until_all_have_ended(group: int) -> float:
    """How long processes of a group still run."""
    since = time.monotonic()
    while time.monotonic() < since + 60:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    return time.monotonic() - since


ENDS = {
    "calls closed early leave the processes to the next": """
list(in_order(where, range(2), workers=2))
first = running()
for _ in range(30):
    assert give_up() in first
    assert set(in_order(where, range(2), workers=2)) <= first
print(first == running(), len(first))
""",
    "a long task that was given up keeps one process from the next call": """
give_up(longer=[1])
print(set(in_order(where, range(8), workers=2)) < running(), len(running()))
""",
    "long tasks that were given up end with the program": """
give_up(longer=range(1, 100))
print(True, len(running()))
""",
    "they end when another number of processes is wanted": """
give_up(longer=range(1, 100))
before = running()
found = set(in_order(where, range(30), workers=3))
print(found <= running() and not found & before, len(running()) - 1)
""",
    "a call that waits for them is interrupted": """
give_up(longer=[1])
give_up(longer=[1])
threading.Timer(0.5, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT]).start()
try:
    list(in_order(where, range(9), workers=2))
except KeyboardInterrupt:
    print(True, len(running()) + 2)
""",
    "a run that is closed ends its processes": """
results = completed(partial(where, longer=range(1, 100)), [[i] for i in range(100)], workers=2)
next(results)
since = time.monotonic()
results.close()
print(time.monotonic() - since < 60, len(running()) + 2)
""",
    "so does one with an error": """
def fails(task):
    if task == 1:
        raise ValueError
    return where(task, range(100))

try:
    list(completed(fails, [[i] for i in range(100)], workers=2))
except ValueError:
    print(True, len(running()) + 2)
""",
    "a run that is not closed ends with the program": """
results = completed(partial(where, longer=range(1, 100)), [[i] for i in range(100)], workers=2)
next(results)
print(True, len(running()))
""",
    "processes that were killed are replaced": """
list(in_order(where, range(2), workers=2))
first = running()
for process in first:
    os.kill(process, signal.SIGKILL)
while threading.active_count() > 1:  # that of loky ends once it has noticed
    time.sleep(0.01)
print(first.isdisjoint(in_order(where, range(8), workers=2)), len(running()))
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("case", ENDS)
def test_runs_that_end_early(case: str, tmp_path: Path) -> None:
    """The program says nothing, and what it has given up does not delay its end."""
    with start(tmp_path, ENDS[case] + "print('end', flush=True)") as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(2)]
        since = time.monotonic()
        out, err = child.communicate(timeout=120)
        assert time.monotonic() - since < 60  # what was given up takes ten minutes
    assert (child.returncode, lines, out, err) == (0, ["True 2\n", "end\n"], "", "")
    assert seconds_until_all_have_ended(child.pid) < 10


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["the process", "the process group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_that_is_ended_by_a_signal_says_nothing(tmp_path: Path, number: signal.Signals, whom: str) -> None:
    text = """
try:
    for _ in in_order(partial(where, longer=range(1, 100)), range(100), workers=2):
        print("computes", flush=True)
except KeyboardInterrupt:
    print("interrupted")
"""
    with start(tmp_path, text) as child:
        assert child.stdout is not None
        child.stdout.readline()
        since = time.monotonic()
        (os.kill if whom == "the process" else os.killpg)(child.pid, number)
        out, err = child.communicate(timeout=60)
        assert time.monotonic() - since < 60  # what was given up takes ten minutes
    assert err == ""
    assert (child.returncode, out) == ((0, "interrupted\n") if number == signal.SIGINT else (-signal.SIGTERM, ""))
    assert seconds_until_all_have_ended(child.pid) < 10
