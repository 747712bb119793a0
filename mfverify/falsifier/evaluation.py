"""One candidate evaluated: by the claim's own sides, in this process or a worker, and never beyond the deadline."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from types import FrameType
from typing import Any

from joblib import Parallel, delayed

from mfverify.claims import CATALOGUE
from mfverify.claims.claim import Claim, Instance, Sides, Verdict, judge
from mfverify.enclosure import Interval
from mfverify.errors import MfverifyError


@dataclass(frozen=True)
class Candidate:
    """An instance and the family that it comes from."""

    family: str
    instance: Instance


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
        """Certified lower end of left/right, what local search maximises; above 1 exactly for violations, up to rounding.

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


@dataclass(frozen=True)
class Asked:
    """What a worker needs: the claim, a candidate, and the moment (seconds since the epoch) at which to give up."""

    claim: Claim
    candidate: Candidate
    deadline: float = field(compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """A claim of the catalogue travels by its id: expressions that are kept unevaluated do not survive being pickled."""
        registered = self.claim.id in CATALOGUE and CATALOGUE[self.claim.id] is self.claim
        return {**self.__dict__, "claim": self.claim.id} if registered else dict(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        claim = state["claim"]
        self.__dict__.update({**state, "claim": CATALOGUE[claim] if isinstance(claim, str) else claim})


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
    """Interrupt the block at the deadline, where the platform and the thread allow it."""
    left = deadline - time.time()
    if left <= 0:
        raise _OutOfTime
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if _in_the_middle_of(_NOT_TO_BE_INTERRUPTED, frame):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            return
        raise _OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    # A year is more than any timer needs to hold.
    signal.setitimer(signal.ITIMER_REAL, min(left, 3e7))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def evaluate(asked: Asked) -> Evaluated:
    """The verdict on one candidate from the claim's sides; errors are reported, since one odd candidate must not end a search."""
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
        if time.time() >= asked.deadline:
            return Evaluated(candidate, None, reason="out of time")
        return Evaluated(candidate, Verdict.UNDECIDED, reason=f"{type(error).__name__}: {error}", failed=True)
    verdict = judge(outcome)
    if isinstance(outcome, Sides):
        return Evaluated(candidate, verdict, outcome.left, outcome.right)
    return Evaluated(candidate, verdict, reason=outcome.reason)


class Evaluator:
    """Evaluates candidates of one claim on some worker processes until a deadline; answers come in the order of the candidates."""

    def __init__(self, claim: Claim, workers: int, deadline: float) -> None:
        self.claim, self.workers, self.deadline = claim, workers, deadline
        self._parallel = Parallel(n_jobs=workers, return_as="generator", pre_dispatch="3 * n_jobs") if workers > 1 else None

    @property
    def out_of_time(self) -> bool:
        """Whether the deadline has passed."""
        return time.time() >= self.deadline

    def evaluated(self, candidates: Sequence[Candidate]) -> Iterator[Evaluated]:
        """One answer for each candidate, in order. All of an iterator has to be consumed before the next one is asked for."""
        asked = [Asked(self.claim, candidate, self.deadline) for candidate in candidates]
        if self._parallel is None:
            yield from map(evaluate, asked)
        else:
            yield from self._parallel(delayed(evaluate)(one) for one in asked)
