"""How a certified number is written for a reader: never narrower than the document states it.

A short exact rational is written as it is (``5/8``). Any other number is written as a lower bound, rounded down, and an
upper bound, rounded up: the two share their leading digits and differ in the last, so ``0.73385[6, 7]`` denotes
the interval ``[0.733856, 0.733857]``. Two numbers that are compared get enough digits to show the
comparison.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from mfverify.report.document import Side

DIGITS: Final = 6
"""Significant digits of a number that is not compared with another."""

MOST_DIGITS: Final = 17
"""Significant digits that determine a double."""

_LONGEST_RATIONAL: Final = 11
"""Exact rationals of at most this many characters are shown as they are."""

_SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

_ENOUGH: Final = 5
"""How many digits fewer than requested are written of the width of an interval."""


@dataclass(frozen=True)
class Shown:
    """A number as written, and the interval that the text denotes (``None``: unbounded)."""

    text: str
    lower: Fraction | None
    upper: Fraction | None


def compact(side: Side, digits: int = DIGITS) -> Shown:
    """One number with about ``digits`` significant digits, as ``5/8``, ``0.5``, ``0.73385[6, 7]`` or ``[0.12, 0.57]``."""
    if side.exact is not None and len(side.exact) <= _LONGEST_RATIONAL:
        return Shown(side.exact.replace("-", "−"), side.lower, side.upper)
    if side.lower is None or side.upper is None:
        return interval(side, digits)
    exponent, decimals = _layout(side.lower, side.upper, digits)
    scale = Fraction(10) ** (decimals - exponent)
    low, high = math.floor(side.lower * scale), math.ceil(side.upper * scale)
    times = _times(exponent)
    if low == high:
        digits_shown = _decimal(low, decimals)
        stripped = digits_shown.rstrip("0").rstrip(".") if "." in digits_shown else digits_shown
        return Shown(stripped + times, low / scale, high / scale)
    texts = _decimal(low, decimals), _decimal(high, decimals)
    shared = _shared(*texts)
    leading = texts[0][:shared]
    if len(texts[0]) == len(texts[1]) and "." in leading and leading.strip("−0.") and len(texts[0]) - shared <= 2:
        return Shown(f"{leading}[{texts[0][shared:]}, {texts[1][shared:]}]{times}", low / scale, high / scale)
    return interval(side, digits)


def interval(side: Side, digits: int = DIGITS) -> Shown:
    """One number as ``5/8`` or as both bounds in full, ``[0.733856, 0.733857]``, each with its own digits."""
    if side.exact is not None and len(side.exact) <= _LONGEST_RATIONAL:
        return Shown(side.exact.replace("-", "−"), side.lower, side.upper)
    if side.lower is not None and side.upper is not None and side.lower < side.upper:
        magnitude = max(abs(side.lower), abs(side.upper))
        digits = min(digits, max(3, digits - _ENOUGH + 1) + _exponent(magnitude) - _exponent(side.upper - side.lower))
    low: tuple[str, Fraction | None] = ("−∞", None) if side.lower is None else _end(side.lower, digits, math.floor)
    high: tuple[str, Fraction | None] = ("∞", None) if side.upper is None else _end(side.upper, digits, math.ceil)
    if low[0] == high[0]:
        return Shown(low[0], low[1], high[1])
    return Shown(f"[{low[0]}, {high[0]}]", low[1], high[1])


def compared(left: Side, right: Side) -> tuple[Shown, Shown]:
    """Two numbers written compactly with enough digits to show how they compare, if their ends decide it."""
    for digits in range(DIGITS, MOST_DIGITS + 1):
        shown = compact(left, digits), compact(right, digits)
        if _order(*shown) == _order(left, right):
            break
    return shown


def compared_intervals(left: Side, right: Side) -> tuple[Shown, Shown]:
    """The same with both bounds of each number written in full."""
    for digits in range(DIGITS, MOST_DIGITS + 1):
        shown = interval(left, digits), interval(right, digits)
        if _order(*shown) == _order(left, right):
            break
    return shown


def ratio(side: Side) -> Shown:
    """A slack, written with enough digits to see on which side of 1 it lies."""
    one = Shown("1", Fraction(1), Fraction(1))
    for digits in range(4, MOST_DIGITS + 1):
        shown = compact(side, digits)
        if _order(one, shown) == _order(one, side):
            break
    return shown


def drawn(side: Side) -> tuple[float, float]:
    """Lower and upper bound as coordinates of a plot; ``nan`` where unbounded."""
    return coordinate(side.lower), coordinate(side.upper)


def coordinate(end: Fraction | None) -> float:
    """An end as a double for a plot (an estimate); ``nan`` where it is unbounded or beyond double precision."""
    try:
        return math.nan if end is None else float(end)
    except OverflowError:
        return math.nan


def _order(left: Side | Shown, right: Side | Shown) -> int:
    """-1 if left <= right certainly, 1 if left > right certainly, 0 if the ends leave it open."""
    if left.upper is not None and right.lower is not None and left.upper <= right.lower:
        return -1
    if left.lower is not None and right.upper is not None and left.lower > right.upper:
        return 1
    return 0


def _layout(lower: Fraction, upper: Fraction, digits: int) -> tuple[int, int]:
    """The power of ten to factor out, and how many decimals to write after that."""
    magnitude = max(abs(lower), abs(upper))
    if magnitude == 0:
        return 0, 0
    exponent = _exponent(magnitude)
    factored = exponent if exponent <= -5 or exponent >= 9 else 0
    decimals = max(0, digits - 1 - (exponent - factored))
    if upper > lower:
        useful = max(1, digits - _ENOUGH) - (_exponent(upper - lower) - factored)
        decimals = min(decimals, max(0, useful))
    return factored, decimals


def _end(value: Fraction, digits: int, rounded: Callable[[Fraction], int]) -> tuple[str, Fraction]:
    """One end, rounded in one direction to ``digits`` significant digits."""
    exponent, decimals = _layout(value, value, digits)
    scale = Fraction(10) ** (decimals - exponent)
    scaled = rounded(value * scale)
    written = _decimal(scaled, decimals)
    if value * scale == scaled and "." in written:
        written = written.rstrip("0").rstrip(".")
    return written + _times(exponent), scaled / scale


def _exponent(value: Fraction) -> int:
    """The integer e with 10**e <= value < 10**(e+1), for value > 0."""
    guess = len(str(value.numerator)) - len(str(value.denominator))
    return guess if Fraction(10) ** guess <= value else guess - 1


def _decimal(scaled: int, decimals: int) -> str:
    """``scaled * 10**-decimals`` written out."""
    digits = str(abs(scaled)).rjust(decimals + 1, "0")
    sign = "−" if scaled < 0 else ""
    return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)


def _shared(one: str, other: str) -> int:
    """How many leading characters two texts share; all of one of them, where it begins the other (``1``, ``100``)."""
    shorter = min(len(one), len(other))
    return next((place for place in range(shorter) if one[place] != other[place]), shorter)


def _times(exponent: int) -> str:
    return f" × 10{superscript(exponent)}" if exponent else ""


def superscript(exponent: int) -> str:
    """An exponent in superscript characters."""
    return str(exponent).translate(_SUPERSCRIPTS)


def plain(value: float) -> str:
    """A coordinate of a plot for a text alternative: to three digits, an estimate."""
    return "none" if math.isnan(value) else f"{value:.3g}".replace("-", "−")


def listed(items: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + f" and {items[-1]}" if items else ""
