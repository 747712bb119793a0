"""Arithmetic that is not that of IEEE 754 is refused, in the calling thread and in the threads of compiled loops."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest

from mfverify.enclosure import Enclosure, Interval, add_down, add_up, round_down, round_up, rounding_error
from mfverify.errors import ArithmeticModeError
from mfverify.fixed_point import fixed_point_enclosure
from mfverify.floating_point import require_ieee_arithmetic

FLUSH_TO_ZERO, DENORMALS_ARE_ZERO = 0x8000, 0x0040
DOWN, UP, TOWARD_ZERO = 0x2000, 0x4000, 0x6000

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or platform.libc_ver()[0] != "glibc",
    reason="the mode is set through the layout of fenv_t of glibc on x86-64",
)


@contextmanager
def mode(bits: int) -> Iterator[None]:
    """Arithmetic with these bits of the control register set, as a foreign library leaves it."""
    library = ctypes.CDLL("libm.so.6")
    environment = (ctypes.c_uint32 * 8)()
    assert library.fegetenv(ctypes.byref(environment)) == 0
    before = environment[7]
    environment[7] = before | bits
    library.fesetenv(ctypes.byref(environment))
    try:
        yield
    finally:
        environment[7] = before
        library.fesetenv(ctypes.byref(environment))


SMALL = np.array([2.0**-1074])

USES = {
    "a lower bound of a sum": lambda: add_down(SMALL, SMALL),
    "an upper bound of a sum": lambda: add_up(SMALL, np.array([1.0])),
    "a sum of enclosures": lambda: Enclosure(SMALL, SMALL) + Enclosure(SMALL, SMALL),
    "a double below a rational": lambda: round_down(Fraction(1, 3)),
    "a double above a rational": lambda: round_up(Fraction(1, 3)),
    "an error bound": lambda: rounding_error(3, Fraction(1)),
    "a fixed point": lambda: fixed_point_enclosure(SMALL, SMALL, Fraction(0), Fraction(1, 2)),
    "a number that is shown": lambda: Interval.exactly("1/3").to_json(),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("bits", [FLUSH_TO_ZERO, DENORMALS_ARE_ZERO, FLUSH_TO_ZERO | DENORMALS_ARE_ZERO])
def test_flushed_subnormals_are_refused(bits: int, use: str) -> None:
    with mode(bits), pytest.raises(ArithmeticModeError, match=r"^floating point: subnormal numbers are replaced by zero in this thread"):
        USES[use]()
    USES[use]()


@pytest.mark.parametrize("bits", [DOWN, UP, TOWARD_ZERO])
def test_another_direction_of_rounding_is_refused(bits: int) -> None:
    with mode(bits), pytest.raises(ArithmeticModeError, match="sums are not rounded to the nearest double in this thread"):
        require_ieee_arithmetic()
    require_ieee_arithmetic()


def test_what_is_refused_would_have_been_wrong() -> None:
    """A summand is lost, which a bound of the sum must not lose."""
    with mode(FLUSH_TO_ZERO):
        lost = SMALL + SMALL
    assert lost[0] == 0.0 < add_up(SMALL, SMALL)[0]


THREADS = """
import sys
import numpy
from mfverify import parallel
from mfverify.errors import ArithmeticModeError
from mfverify.floating_point import PROBES
from tests.test_floating_point import FLUSH_TO_ZERO, mode
import numba

with mode(FLUSH_TO_ZERO if sys.argv[1] == "flushed" else 0):
    numba.get_num_threads()  # starts the threads
    parallel._modes(numpy.array(PROBES), numpy.zeros((2, 2), dtype=numpy.bool_))


def doubled(numbers):
    found = numpy.empty(len(numbers))
    for i in numba.prange(len(numbers)):
        found[i] = numbers[i] + numbers[i]
    return found


try:
    print(parallel.in_threads(doubled)(numpy.full(100, 2.0**-1074)).min() > 0)
except ArithmeticModeError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("started", "said"), [("flushed", "subnormal numbers are replaced by zero"), ("as usual", "True")])
def test_threads_that_another_library_started_are_seen(started: str, said: str) -> None:
    """The calling thread computes as usual again, the threads that it started meanwhile do not."""
    environment = os.environ | {"NUMBA_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", THREADS, started], capture_output=True, text=True, check=True, timeout=120, env=environment
    )
    assert said in done.stdout
