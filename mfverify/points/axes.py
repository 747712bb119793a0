"""The numbers that a claim is looked at for: axes, written as text in commands.

==============  ==========================================================
``7``           one number
``1,2,5``       a list
``A..B``        the integers from A to B
``A..B:COUNT``  COUNT numbers from A to B, equally spaced, both included
``A:B``         the integers from A to B
``A:B:STEP``    the integers A, A + STEP, ... up to B
==============  ==========================================================
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from mfverify.errors import ModelError
from mfverify.rationals import exact, parameter, quoted

MOST_POINTS: Final = 100_000
"""More points than this are refused: each is computed, kept and drawn."""

INTEGERS: Final = ("n", "k", "classes")
"""Axes whose values are integers of at least 1."""

_NAMES: Final = {"agents": "n", "subsample": "k", "gamma": "discount"}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPECTED: Final = "expected numbers such as 7, 1,2,5, 1..60, 1:60:5 or 1/10..9/10:33"


@dataclass(frozen=True)
class Axis:
    """What is varied, and its values in the order given: ``n``, ``k``, ``discount``, ``classes`` or a parameter of a bundled model."""

    name: str
    values: tuple[Fraction, ...]

    @classmethod
    def of(cls, name: str, values: Sequence[object] | str, place: str = "") -> Axis:
        """An axis from its name and its values, or a text of them.

        Raises :class:`ModelError`, which begins with ``place`` (the name where none is given), for no value, a repeated one, one that is no
        number, and for ``n`` and ``k`` one that is not a positive integer.
        """
        if not _NAME.fullmatch(name):
            raise ModelError(f"{place or 'over'}: found the name {quoted(name)}, expected n, k, discount or a parameter of the model")
        name, place = _NAMES.get(name, name), place or name
        found = _numbers(values, place, name in INTEGERS) if isinstance(values, str) else tuple(exact(x, place) for x in values)
        if not found:
            raise ModelError(f"{place}: found no value, {_EXPECTED}")
        if len(set(found)) < len(found):
            raise ModelError(f"{place}: a value is given twice; name each once")
        wrong = next((x for x in found if name in INTEGERS and (x.denominator != 1 or x < 1)), None)
        if wrong is not None:
            raise ModelError(f"{place}: found {parameter(wrong)}, expected integers of at least 1; A:B:STEP counts in steps")
        return cls(name, found)

    @classmethod
    def named(cls, text: str, place: str = "--over") -> Axis:
        """Read ``NAME=VALUES``."""
        name, sign, values = text.partition("=")
        if not sign:
            raise ModelError(f"{place}: found {quoted(text)}, expected NAME=VALUES, such as discount=1/10..9/10:33 or k=1..60")
        return cls.of(name.strip(), values.strip(), f"{place} {name.strip()}")


def _numbers(text: str, place: str, whole: bool) -> tuple[Fraction, ...]:
    """The numbers that a text lists."""
    if ".." in text:
        begin, _, rest = text.partition("..")
        end, spaced, number = rest.partition(":")
        first, last = exact(begin.strip(), place), exact(end.strip(), place)
        if spaced:
            return _spaced(first, last, exact(number.strip(), place), place)
        if not whole and (first.denominator != 1 or last.denominator != 1):
            raise ModelError(f"{place}: found {quoted(text)}; say how many values, such as {text}:33")
        return _stepped(first, last, Fraction(1), place)
    if ":" in text:
        parts = [exact(part.strip(), place) for part in text.split(":")]
        if len(parts) > 3:
            raise ModelError(f"{place}: found {quoted(text)}, {_EXPECTED}")
        return _stepped(parts[0], parts[1], parts[2] if len(parts) == 3 else Fraction(1), place)
    return tuple(exact(part.strip(), place) for part in text.split(","))


def _spaced(first: Fraction, last: Fraction, number: Fraction, place: str) -> tuple[Fraction, ...]:
    if number.denominator != 1 or not 2 <= number <= MOST_POINTS or first >= last:
        raise ModelError(f"{place}: found {parameter(number)} values, expected 2 to {MOST_POINTS} from a number to a larger one")
    return tuple(first + (last - first) * i / (int(number) - 1) for i in range(int(number)))


def _stepped(first: Fraction, last: Fraction, step: Fraction, place: str) -> tuple[Fraction, ...]:
    if step <= 0 or last < first:
        raise ModelError(f"{place}: expected a range from a number to one that is no smaller, in positive steps")
    number = (last - first) // step + 1
    if number > MOST_POINTS:
        raise ModelError(f"{place}: found {number} values, expected at most {MOST_POINTS}; take larger steps")
    return tuple(first + i * step for i in range(number))
