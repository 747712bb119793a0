"""The mode of double arithmetic, which every error bound rests on and which a foreign library can change for the whole thread.

A library that was compiled for fast mathematics may make the processor replace subnormal numbers by zero, as results (flush to
zero) or already as operands (denormals are zero), and a library for interval arithmetic may change the direction of rounding. Both
are settings of a thread and stay when the library's function has returned. Then ``x + y`` can lose a summand and is not the double
nearest to the sum. The modes are not set back here, since another part of the process may rely on them: a computation is refused.

The two functions that look are also compiled by numba, for its threads.
"""

from __future__ import annotations

from typing import Final

from mfverify.errors import ArithmeticModeError

PROBES: Final = (2.0**-1022, 0.5, 1.0, 2.0**-53)
"""What the arithmetic is tried on: arguments, because a compiler would compute with constants itself."""


def keeps_subnormals(smallest: float, half: float) -> bool:
    """Whether the product of ``smallest``, the smallest normal double, and ``half`` is a subnormal number and not zero.

    A comparison takes a subnormal number for zero too, where operands are replaced.
    """
    return smallest * half > 0.0


def rounds_to_nearest(one: float, unit: float) -> bool:
    """Whether sums are rounded to the nearest double, ties to even; ``unit`` is half the distance from ``one`` to the next double."""
    return one + unit == one and -one - unit == -one and (one + 2 * unit) + unit == one + 4 * unit


def require_ieee_arithmetic() -> None:
    """Raise :class:`ArithmeticModeError` unless this thread computes as IEEE 754 does by default. Costs a fraction of a microsecond."""
    smallest, half, one, unit = PROBES
    if not (smallest * half > 0.0 and one + unit == one and -one - unit == -one and (one + 2 * unit) + unit == one + 4 * unit):
        refuse_unless(keeps_subnormals(smallest, half), rounds_to_nearest(one, unit))


def refuse_unless(subnormals: bool, nearest: bool) -> None:
    """Raise :class:`ArithmeticModeError` that says which property of the arithmetic is missing."""
    if subnormals and nearest:
        return
    found = "sums are not rounded to the nearest double" if subnormals else "subnormal numbers are replaced by zero"
    raise ArithmeticModeError(
        f"floating point: {found} in this thread, a setting that another library made and that no error bound holds with; "
        "set it back (such as torch.set_flush_denormal(False)) or run mfverify in a process without that library"
    )
