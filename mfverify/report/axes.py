"""Axes of a plot: where numbers lie on the paper, and which of them are labelled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from mfverify.report.digits import superscript

_MOST_TICKS: Final = 6
_MARGIN: Final = 0.04
"""The part of the range of an axis that is left free at its ends."""

_HUGE: Final = 1e300
_LONGEST: Final = 280
"""Numbers beyond these, or powers of ten beyond, are drawn at the end of the axis, so that its length is a double."""


@dataclass(frozen=True)
class Axis:
    """The numbers from ``low`` to ``high`` on the coordinates from ``start`` to ``end``; ``logarithmic`` needs ``low > 0``."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool

    def at(self, value: float) -> float:
        """The coordinate of a number; the nearest end for one outside the axis."""
        low, high, here = (math.log10(x) if self.logarithmic else x for x in (self.low, self.high, min(max(value, self.low), self.high)))
        return self.start + (self.end - self.start) * (here / (high - low) - low / (high - low))

    def ticks(self) -> list[tuple[float, str]]:
        """The labelled numbers with their labels."""
        if self.logarithmic:
            return [(value, _power(value)) for value in _powers(self.low, self.high)]
        step = _step(self.high - self.low)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(number * step, _decimal(number * step, step)) for number in range(first, last + 1)]


def linear(values: Sequence[float], start: float, end: float, *, from_zero: bool = False) -> Axis:
    """A linear axis on which the values fit, from 0 where that is asked for and none is negative; huge ones end at its ends."""
    within = [min(max(value, -_HUGE), _HUGE) for value in values]
    low, high = min(within, default=0.0), max(within, default=1.0)
    zero = from_zero and low >= 0
    free = _MARGIN * (high - (0.0 if zero else low)) or _MARGIN * abs(high) or 0.5
    return Axis(0.0 if zero else low - free, high + free, start, end, logarithmic=False)


def logarithmic(values: Sequence[float], start: float, end: float) -> Axis:
    """A logarithmic axis on which positive values fit, at least a factor of two from end to end; tiny and huge ones end at its ends."""
    low, high = (min(max(math.log10(value), -_LONGEST), _LONGEST) for value in (min(values, default=1.0), max(values, default=10.0)))
    free = max(_MARGIN * (high - low), (math.log10(2) - (high - low)) / 2)
    return Axis(10.0 ** (low - free), 10.0 ** (high + free), start, end, logarithmic=True)


def geometric(values: Sequence[float]) -> bool:
    """Whether abscissas grow by factors, so that they should lie on a logarithmic axis."""
    ordered = sorted(set(values))
    return len(ordered) >= 4 and ordered[0] > 0 and all(b >= 1.4 * a for a, b in pairwise(ordered))


def _step(width: float) -> float:
    """One, two or five times a power of ten, so that few numbers are labelled."""
    unit = 10.0 ** math.floor(math.log10(width / _MOST_TICKS))
    return next((factor * unit for factor in (1, 2, 5) if width / (factor * unit) <= _MOST_TICKS), 10 * unit)


def _powers(low: float, high: float) -> list[float]:
    """Powers of ten between two numbers, every second or third where there are many, with twos and fives where there are few."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    every = -(-(last - first + 1) // _MOST_TICKS) or 1
    if last - first >= 1:
        return [10.0**exponent for exponent in range(first, last + 1) if exponent % every == 0]
    fine = [factor * 10.0**exponent for exponent in range(first - 1, last + 1) for factor in range(1, 10)]
    inside = [value for value in fine if low <= value <= high]
    return inside[:: -(-len(inside) // _MOST_TICKS) or 1]


def _decimal(value: float, step: float) -> str:
    if value and (abs(value) >= 1e6 or step < 1e-5):
        return f"{value:.3g}".replace("-", "−")
    return f"{value:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}".replace("-", "−")


def _power(value: float) -> str:
    """A number with one digit on a logarithmic axis, in plain characters."""
    exponent = math.floor(math.log10(value) + 1e-9)
    if -3 <= exponent <= 4:
        return f"{value:.{max(0, -exponent)}f}"
    factor = round(value / 10.0**exponent)
    return ("" if factor == 1 else f"{factor}·") + "10" + superscript(exponent)
