"""Threads of compiled loops in a forked process, in a process with threads of its own, and limited for one caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mfverify import parallel, threads

LOOP = """
import os, signal, sys, threading
import numba, numpy
from mfverify import parallel


def squares(numbers):
    found = numpy.empty(len(numbers))
    for i in numba.prange(len(numbers)):
        found[i] = numbers[i] * numbers[i]
    return found


loop = numba.njit(parallel=True)(squares) if sys.argv[1] == "numba" else parallel.in_threads(squares)
NUMBERS = numpy.arange(300_000.0)
EXPECTED = NUMBERS * NUMBERS


def right():
    return bool((loop(NUMBERS) == EXPECTED).all())


assert parallel.thread_count() == 2
"""

FORKED = """
def child_of(what):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(what())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def grandchild():
    return 0 if right() else 1


assert right()
"""

AT_ONCE = """
def caller():
    for _ in range(200):
        answers.append(right())


assert right()
answers = []
callers = [threading.Thread(target=caller) for _ in range(4)]
for one in callers:
    one.start()
for one in callers:
    one.join()
print(len(answers), all(answers))
"""


def run(folder: Path, what: str, maker: str, layer: str) -> subprocess.CompletedProcess[str]:
    """A process whose loop is made by ``maker`` and has two threads of a layer of numba's."""
    path = folder / "script.py"
    path.write_text(LOOP + what)
    environment = os.environ | {"NUMBA_NUM_THREADS": "2", "NUMBA_THREADING_LAYER": layer}
    return subprocess.run([sys.executable, str(path), maker], capture_output=True, text=True, check=False, timeout=120, env=environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the script lies: what it compiles is kept for the next test."""
    return tmp_path_factory.mktemp("loops")


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_a_forked_process_computes_without_the_threads_of_its_parent(folder: Path, layer: str) -> None:
    both = "print(child_of(grandchild), child_of(lambda: child_of(grandchild)), right(), parallel.thread_count())\n"
    done = run(folder, FORKED + both, "mfverify", layer)
    assert (done.returncode, done.stdout.split()) == (0, ["0", "0", "True", "2"]), done.stderr


@pytest.mark.slow
def test_numba_alone_does_not_compute_in_a_forked_process(folder: Path) -> None:
    """The test above sees what it looks for: the child is ended by numba or by the alarm."""
    done = run(folder, FORKED.replace("alarm(20)", "alarm(4)") + "print(child_of(grandchild))\n", "numba", "omp")
    assert done.returncode == 0, done.stderr
    assert {int(done.stdout)} <= {-signal.SIGTERM, -signal.SIGABRT, -signal.SIGALRM}


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_threads_of_the_caller_take_turns(folder: Path, layer: str) -> None:
    done = run(folder, AT_ONCE, "mfverify", layer)
    assert (done.returncode, done.stdout.split()) == (0, ["800", "True"]), done.stderr


@pytest.mark.slow
def test_numba_alone_ends_a_process_whose_threads_take_no_turns(folder: Path) -> None:
    assert run(folder, AT_ONCE, "numba", "workqueue").returncode == -signal.SIGABRT


def test_a_limit_is_one_of_the_calling_thread_and_ends_with_its_block() -> None:
    import numba

    before = numba.get_num_threads()
    seen: list[int] = []
    with threads.at_most(1):
        assert parallel.thread_count() == 1
        with threads.at_most(10**6):
            assert parallel.thread_count() == before
        assert parallel.thread_count() == 1
        other = threading.Thread(target=lambda: seen.append(threads.allowed(7)))
        other.start()
        other.join()
    assert seen == [7]
    assert (parallel.thread_count(), numba.get_num_threads()) == (before, before)
    with pytest.raises(ZeroDivisionError), threads.at_most(2):
        assert (threads.allowed(8), threads.allowed(1)) == (2, 1)
        1 / 0  # noqa: B018
    assert threads.allowed(8) == 8


@pytest.mark.slow
def test_a_limit_reaches_the_loop_and_not_the_next_one_of_numba(folder: Path) -> None:
    limited = """
from mfverify import threads


def used(numbers):
    found = numpy.zeros(len(numbers))
    for i in numba.prange(len(numbers)):
        found[i] = numba.get_num_threads()
    return found


three = parallel.in_threads(used)
with threads.at_most(2):
    print({int(x) for x in three(NUMBERS)}, numba.get_num_threads())
print({int(x) for x in three(NUMBERS)})
"""
    path = folder / "limited.py"
    path.write_text(LOOP.replace("== 2", "== 3") + limited)
    environment = os.environ | {"NUMBA_NUM_THREADS": "3"}
    done = subprocess.run([sys.executable, str(path), ""], capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.stdout.splitlines() == ["{2} 3", "{3}"], done.stderr
