"""Compiled loops on several threads, in a process that is not ours alone.

Such loops run one at a time, also when several threads call them: each uses all cores, and one of numba's thread layers ends the interpreter
when two run at once. A process that was forked from one with such threads has none of them, and another layer waits for them
forever: there the loops run in the calling thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, Final

import numba
import numpy as np

from mfverify import threads
from mfverify.compiled import njit
from mfverify.floating_point import PROBES, keeps_subnormals, refuse_unless, require_ieee_arithmetic, rounds_to_nearest

_FEWEST: Final = 8
"""A thread is not started for fewer calls than this."""


class _Threads:
    """What this process knows of its threads for compiled loops."""

    def __init__(self) -> None:
        self.one_at_a_time = threading.RLock()
        self.lost = False
        """Whether threads were started before this process was forked."""

    def after_fork(self) -> None:
        """In a forked process. A lock that another thread holds is never released here, and that thread may be starting others."""
        idle = self.one_at_a_time.acquire(blocking=False)
        self.lost = self.lost or not idle or _started()
        self.one_at_a_time = threading.RLock()


_THREADS = _Threads()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_THREADS.after_fork)


def _started() -> bool:
    try:
        numba.threading_layer()
    except ValueError:
        return False
    return True


def thread_count() -> int:
    """How many threads a compiled loop uses here: 1 in a forked process whose parent had started them."""
    return 1 if _THREADS.lost else threads.allowed(numba.get_num_threads())


def in_threads(loop: Callable[..., Any]) -> Callable[..., Any]:
    """``loop``, which has a ``numba.prange``, compiled for as many threads as :func:`thread_count` says, and for one."""
    alone, together = njit(loop), njit(loop, parallel=True)

    @wraps(loop)
    def run(*given: Any) -> Any:
        require_ieee_arithmetic()
        with _THREADS.one_at_a_time:
            number = thread_count()
            if number == 1:
                return alone(*given)
            before = numba.get_num_threads()
            if number != before:
                numba.set_num_threads(number)
            try:
                _require_ieee_arithmetic_in(number)
                return together(*given)
            finally:
                if number != before:
                    numba.set_num_threads(before)

    return run


def _require_ieee_arithmetic_in(number: int) -> None:
    """Raise :class:`ArithmeticModeError` unless the threads compute so: each took over the mode of the thread that started it.

    Costs a few microseconds, as starting any loop does.
    """
    found = np.zeros((number, 2), dtype=np.bool_)
    _modes(np.array(PROBES), found)
    refuse_unless(bool(found[:, 0].all()), bool(found[:, 1].all()))


_keeps_subnormals, _rounds_to_nearest = njit(keeps_subnormals), njit(rounds_to_nearest)


@njit(parallel=True)
def _modes(numbers: Any, found: Any) -> None:
    """For every thread whether it keeps subnormal numbers and whether it rounds to nearest; ``numbers`` are unknown to the compiler."""
    for t in numba.prange(len(found)):
        found[t, 0] = _keeps_subnormals(numbers[0], numbers[1])
        found[t, 1] = _rounds_to_nearest(numbers[2], numbers[3])


def over_range(loop: Callable[[int, int], None], number: int) -> None:
    """Call ``loop(begin, end)`` for pieces of ``range(number)`` on as many threads of Python as :func:`thread_count` says.

    ``loop`` releases the interpreter while it computes (numba's ``nogil``). Unlike loops with a ``numba.prange`` it is compiled once for any
    number of threads. Costs a tenth of a millisecond where there is more than one piece.
    """
    threads_ = min(thread_count(), number // _FEWEST) if number >= 2 * _FEWEST else 1
    if threads_ < 2:
        require_ieee_arithmetic()
        loop(0, number)
        return

    def piece(begin: int, end: int) -> None:
        require_ieee_arithmetic()
        loop(begin, end)

    pieces = np.linspace(0, number, 4 * threads_ + 1).astype(np.int64).tolist()
    with ThreadPoolExecutor(threads_) as pool:
        for _ in pool.map(piece, pieces[:-1], pieces[1:]):
            pass


def one_and_all_threads(loop: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The one-thread and the all-threads form of a loop; neither is compiled before it is used."""
    return njit(loop), in_threads(loop)
