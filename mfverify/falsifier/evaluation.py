"""One candidate evaluated: by the claim's own sides, in this process or a worker, and never beyond the deadline."""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from types import FrameType
from typing import Any, TypeAlias

from mfverify.enclosure import Interval
from mfverify.errors import MfverifyError, ModelError
from mfverify.falsifier.climb import Climbed, Near, climb, space_of
from mfverify.papers.named import SentByName
from mfverify.runner import Cluster, in_order
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Claim, Sides, Verdict, judge


@dataclass(frozen=True)
class Candidate:
    """An instance and the family that it comes from."""

    family: str
    instance: Case


@dataclass(frozen=True)
class Evaluated:
    """A candidate with its verdict. ``verdict`` is None where time ran out before there was one; ``reason`` says why sides are missing.

    ``failed``: the claim's own code raised an error that is none of ours.
    """

    candidate: Candidate
    verdict: Verdict | None
    left: Interval | None = None
    right: Interval | None = None
    reason: str = ""
    failed: bool = False

    @property
    def score(self) -> float:
        """Certified lower bound of left/right, which local search maximises; above 1 exactly for violations, up to rounding.

        Where the right side is not positive there is no ratio: then it is the certified excess of the left side, plus 1 where that is
        positive.
        """
        if self.left is None or self.right is None:
            return float("-inf")
        if self.right.upper > 0:
            return _float(self.left.lower / self.right.upper)
        excess = self.left.lower - self.right.upper
        return _float(excess + 1 if excess > 0 else excess)


def _float(x: Fraction) -> float:
    try:
        return float(x)
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")


class _Task(SentByName):
    """What a worker needs: a claim, and the deadline (of this machine's ``time.monotonic()``).

    The deadline is sent as the remaining time, since clocks of two machines need not agree.
    """

    deadline: float

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"deadline": self.deadline - time.monotonic()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state | {"deadline": time.monotonic() + state["deadline"]})


@dataclass(frozen=True)
class Asked(_Task):
    """A candidate to be evaluated."""

    claim: Claim
    candidate: Candidate
    deadline: float = field(compare=False)


class _OutOfTime(BaseException):
    """Raised in the middle of an evaluation when the deadline passes; not an Exception, so that no claim catches it."""


_NOT_TO_BE_INTERRUPTED = {"numba", "llvmlite", "importlib", "_frozen_importlib", "_frozen_importlib_external"}
"""What is left in pieces when it is interrupted: compiling and importing. Both happen once and end soon."""


def _in_the_middle_of(packages: set[str], frame: FrameType | None) -> bool:
    """Whether a call into one of the packages is under way."""
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] in packages:
            return True
        frame = frame.f_back
    return False


@contextmanager
def _until(deadline: float) -> Iterator[None]:
    """Interrupt the block at the deadline: by an alarm, which also ends a wait; by another thread where the alarm is not ours to use.

    A process has one alarm. In a thread, which gets no signals, it cannot be used; and where the caller has a timer running or has
    said what an alarm does, it is left to the caller.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise _OutOfTime
    with (_alarmed if _alarm_is_free() else _watched)(left):
        yield


def _alarm_is_free() -> bool:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        return False
    return signal.getsignal(signal.SIGALRM) is signal.SIG_DFL and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@contextmanager
def _alarmed(left: float) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        if _in_the_middle_of(_NOT_TO_BE_INTERRUPTED, frame):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            return
        raise _OutOfTime

    signal.signal(signal.SIGALRM, stop)
    try:
        # A year is more than any timer needs to hold.
        signal.setitimer(signal.ITIMER_REAL, min(left, 3e7))
        yield
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:  # also where the alarm rings just here
            signal.signal(signal.SIGALRM, signal.SIG_DFL)


@contextmanager
def _watched(left: float) -> Iterator[None]:
    """As it is done in a worker of a cluster; the interpreter raises between two of its steps, so not within compiled code."""
    watched = threading.get_ident()
    ended, raised, turn = threading.Event(), threading.Event(), threading.Lock()

    def raise_there(error: Any) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(watched), error)

    def watch() -> None:
        wait = min(left, threading.TIMEOUT_MAX)
        while not ended.wait(wait):
            with turn:
                if not ended.is_set() and not _in_the_middle_of(_NOT_TO_BE_INTERRUPTED, sys._current_frames().get(watched)):
                    raised.set()
                    raise_there(ctypes.py_object(_OutOfTime))
                    return
            wait = 0.1

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        with turn:
            ended.set()
            if raised.is_set():
                raise_there(None)  # takes back what has not yet been raised


def evaluate(asked: Asked) -> Evaluated:
    """The verdict on one candidate from the claim's sides; errors are reported, since one candidate that fails must not end a search."""
    candidate = asked.candidate
    try:
        with _until(asked.deadline):
            outcome = asked.claim.sides(candidate.instance)
    except _OutOfTime:
        return Evaluated(candidate, None, reason="out of time")
    except MfverifyError as error:
        return Evaluated(candidate, Verdict.UNDECIDED, reason=str(error))
    except Exception as error:
        # Compiled code that is interrupted may raise an error of its own.
        if time.monotonic() >= asked.deadline:
            return Evaluated(candidate, None, reason="out of time")
        return Evaluated(candidate, Verdict.UNDECIDED, reason=f"{type(error).__name__}: {error}", failed=True)
    verdict = judge(outcome)
    if isinstance(outcome, Sides):
        return Evaluated(candidate, verdict, outcome.left, outcome.right)
    return Evaluated(candidate, verdict, reason=outcome.reason)


Start: TypeAlias = tuple[str, Near | None]
"""The seed of an island, and what it is around."""


@dataclass(frozen=True)
class Island(_Task):
    """An island to be climbed (:mod:`mfverify.falsifier.climb`), named by its seed; ``below`` limits the number of agents, ``near`` is what it is around."""

    claim: Claim
    seed: str
    deadline: float = field(compare=False)
    below: int | None = None
    near: Near | None = None


def climbed(island: Island) -> Climbed | None:
    """What an island reached, or None where time ran out before."""
    space, screen = space_of(island.claim, island.below), island.claim.screen
    if space is None or screen is None:
        return None
    try:
        with _until(island.deadline):
            return climb(screen, space, island.seed, near=island.near)
    except (_OutOfTime, ModelError):
        return None
    except Exception:
        if time.monotonic() >= island.deadline:  # compiled code that is interrupted may raise an error of its own
            return None
        raise


class Evaluator:
    """Evaluates candidates of one claim until a deadline (of ``time.monotonic()``), on worker processes of this machine or of a cluster.

    Answers come in the order of the candidates, not in the order in which they are finished.
    """

    def __init__(self, claim: Claim, workers: int, deadline: float, cluster: Cluster | None = None) -> None:
        self.claim, self.workers, self.deadline, self.cluster = claim, workers, deadline, cluster

    @property
    def out_of_time(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.deadline

    def evaluated(self, candidates: Sequence[Candidate]) -> Generator[Evaluated, None, None]:
        """One answer for each candidate, in order; out of time for those not finished by the deadline."""
        asked = [Asked(self.claim, candidate, self.deadline) for candidate in candidates]
        answered = 0
        for answer in in_order(evaluate, asked, workers=self.workers, cluster=self.cluster, until=self.deadline):
            answered += 1
            yield answer
        for candidate in candidates[answered:]:
            yield Evaluated(candidate, None, reason="out of time")

    def climbed(self, starts: Sequence[Start], below: int | None = None) -> Generator[Climbed, None, None]:
        """What islands reached, in order, up to the first that is not finished by the deadline."""
        asked = [Island(self.claim, seed, self.deadline, below, near) for seed, near in starts]
        for answer in in_order(climbed, asked, workers=self.workers, cluster=self.cluster, until=self.deadline):
            if answer is None:
                return
            yield answer
