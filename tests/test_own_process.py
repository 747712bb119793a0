"""The process belongs to the caller: it is never ended, its alarm, its precision and its processes are left as they were."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import FrameType

import pytest
from flint import arb, ctx

from mfverify import runner
from mfverify.falsifier.evaluation import Asked, Candidate, evaluate
from mfverify.papers import CATALOGUE
from mfverify.runner import completed
from mfverify.theory import evaluate as balls
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.populations import SampledPopulation
from mfverify.theory.claim import Outcome

# ------------------------------------------------------------------------------------------------ where others compute

TASKS = """
import multiprocessing, os, sys, threading
from mfverify.runner import completed


def where(task):
    return os.getpid()


def processes():
    return {where for _, where in completed(where, [[i] for i in range(4)], workers=2)}


def here():
    return processes() == {os.getpid()}


def pipe_of(make):
    heard, said = multiprocessing.Pipe(duplex=False)
    child = make(said)
    child.start()
    found = heard.recv() if heard.poll(60) else "nothing"
    child.join(60)
    return found, child.exitcode


def send(said):
    said.send(here())
"""

CALLERS = {
    "a daemonic process": """
if __name__ == "__main__":
    print(*pipe_of(lambda said: multiprocessing.get_context("spawn").Process(target=send, args=(said,), daemon=True)))
""",
    "a process forked from one with workers": """
if __name__ == "__main__":
    assert os.getpid() not in processes()
    print(*pipe_of(lambda said: multiprocessing.get_context("fork").Process(target=send, args=(said,))))
    assert os.getpid() not in processes()
""",
    "a process forked in the middle of a run": """
if __name__ == "__main__":
    results = completed(where, [[i] for i in range(9)], workers=2)
    next(results)
    child = multiprocessing.get_context("fork").Process(target=results.close)
    child.start()
    child.join(60)
    print(len(list(results)) == 8, child.exitcode)
""",
    "a process that can start one and no more": """
if __name__ == "__main__":
    from loky.backend.process import LokyProcess
    start = LokyProcess.start

    def start_one(process):
        if multiprocessing.active_children():
            raise BlockingIOError("Resource temporarily unavailable")
        start(process)

    LokyProcess.start = start_one
    print(here(), len(multiprocessing.active_children()))
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("caller", CALLERS)
def test_what_cannot_have_worker_processes_computes_itself(caller: str, tmp_path: Path) -> None:
    """The caller is alive a while after it has its results: nothing watches over it and ends it."""
    script = tmp_path / "script.py"
    script.write_text(TASKS + CALLERS[caller] + "    import time; time.sleep(1.5); print('alive')\n")
    done = subprocess.run([sys.executable, "-W", "error", str(script)], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.split()) == (0, ["True", "0", "alive"]), done.stderr


def where(task: int) -> int:
    return os.getpid()


@pytest.mark.slow
def test_another_run_in_the_same_process_computes_itself_meanwhile() -> None:
    """What is given up of one run is not what another waits for."""
    first = completed(where, [[i] for i in range(4)], workers=2)
    assert next(first)[1] != os.getpid()
    assert {process for _, process in completed(where, [[1], [2]], workers=2)} == {os.getpid()}
    first.close()  # type: ignore[attr-defined]  # a generator
    assert os.getpid() not in {process for _, process in completed(where, [[1], [2]], workers=2)}


@pytest.mark.slow
def test_threads_of_a_pool_get_the_right_results_and_leave_the_process_as_it_was() -> None:
    blocked, handler = signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getsignal(signal.SIGINT)
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda first: dict(completed(where, [[first], [first + 1]], workers=2)), range(9)):
            assert len(found) == 2
    assert (signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getsignal(signal.SIGINT)) == (blocked, handler)
    assert os.getpid() not in {process for _, process in completed(where, [[1], [2]], workers=2)}


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_only_a_worker_process_watches_its_parent(monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    watched: list[int] = []
    monkeypatch.setattr(runner, "_end_with", watched.append)
    assert len(list(completed(where, [[1], [2]], workers=workers))) == 2
    assert watched == []


# ----------------------------------------------------------------------------------------------------------- the alarm


def never_ends(instance: Case) -> Outcome:
    while True:
        pass


CANDIDATE = Candidate("", SampledPopulation((2, 2), 2))
ENDLESS = replace(CATALOGUE["C1"], id="endless", sides=never_ends)


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The moments at which the caller's alarm rings."""
    heard: list[float] = []

    def ring(number: int, frame: FrameType | None) -> None:
        heard.append(time.monotonic())

    before = signal.signal(signal.SIGALRM, ring)
    yield heard
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("seconds", [1000.0, 0.05])
def test_the_alarm_of_the_caller_rings_when_it_is_due(rings: list[float], seconds: float) -> None:
    handler = signal.getsignal(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, seconds, 500.0)
    assert evaluate(Asked(ENDLESS, CANDIDATE, time.monotonic() + 0.3)).reason == "out of time"
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    assert signal.getsignal(signal.SIGALRM) is handler
    assert interval == 500.0
    assert (len(rings), left > 500.0) == ((0, True) if seconds > 1 else (1, False))


def test_an_alarm_that_only_has_a_handler_is_left_to_the_caller(rings: list[float]) -> None:
    handler = signal.getsignal(signal.SIGALRM)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGALRM))
    timer.start()
    assert evaluate(Asked(ENDLESS, CANDIDATE, time.monotonic() + 0.4)).reason == "out of time"
    timer.join()
    assert len(rings) == 1
    assert signal.getsignal(signal.SIGALRM) is handler


def waits(instance: Case) -> Outcome:
    time.sleep(60)
    raise AssertionError("the wait was not ended")


def test_an_alarm_that_nobody_uses_ends_a_wait_and_is_as_before() -> None:
    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)) == (signal.SIG_DFL, (0.0, 0.0))
    assert evaluate(Asked(replace(ENDLESS, sides=waits), CANDIDATE, time.monotonic() + 0.2)).reason == "out of time"
    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)) == (signal.SIG_DFL, (0.0, 0.0))


# ------------------------------------------------------------------------------------------------ precision of balls


def test_threads_leave_the_precision_as_it_was() -> None:
    """Two blocks of two threads that overlap would restore what the other had set."""
    before = ctx.prec
    inside, leave = threading.Event(), threading.Event()

    def long() -> arb:
        inside.set()
        leave.wait(10)
        return arb(1) / 3

    found: list[Fraction] = []
    first = threading.Thread(target=lambda: found.append(balls._ball(long, 100).width))
    second = threading.Thread(target=lambda: found.append(balls._ball(lambda: arb(1) / 3, 200).width))
    first.start()
    assert inside.wait(10)
    second.start()
    second.join(0.2)
    leave.set()
    first.join()
    second.join()
    assert ctx.prec == before
    assert 0 < found[1] < Fraction(1, 2**190) < found[0] < Fraction(1, 2**90)


def test_an_error_within_leaves_the_precision_as_it_was() -> None:
    def fails() -> arb:
        raise KeyboardInterrupt

    before = ctx.prec
    with pytest.raises(KeyboardInterrupt):
        balls._ball(fails, 300)
    assert ctx.prec == before


def test_balls_in_a_process_forked_while_a_thread_computes_one() -> None:
    inside, leave = threading.Event(), threading.Event()

    def long() -> arb:
        inside.set()
        leave.wait(10)
        return arb(1)

    thread = threading.Thread(target=lambda: balls._ball(long, 100))
    thread.start()
    assert inside.wait(10)
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        os._exit(0 if balls._ball(lambda: arb(2), 100).lower == 2 else 1)
    leave.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
