"""Argument validation: name, value found, what was expected, all in one line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import Enum
from numbers import Integral
from typing import Any, Final, TypeVar

from mfverify.errors import ModelError
from mfverify.rationals import quoted

Choice = TypeVar("Choice", bound=Enum)

_LARGEST_BITS: Final = 2000
"""Longer sizes are refused: no system has so many agents, and Python does not turn much longer integers into text."""

POSIX: Final = os.name == "posix"
"""Whether this is a system that is supported; Windows is not."""


def require_posix(name: str) -> None:
    """Raise :class:`ModelError` on a system that is not supported: locks of folders and timers of signals are those of POSIX."""
    if not POSIX:
        raise ModelError(f"{name}: needs Linux, macOS or another POSIX system; Windows is not supported, its Linux subsystem (WSL) is one")


def positive_integer(name: str, value: Any, most: int | None = None, most_name: str = "") -> int:
    """``value`` as an int >= 1 (and at most ``most``), or a :class:`ModelError` that names the argument."""
    if type(value) is not int and (isinstance(value, bool) or not isinstance(value, Integral)):
        raise ModelError(f"{name}: found {quoted(value)}, expected an integer of at least 1")
    number = int(value)
    if number.bit_length() > _LARGEST_BITS:
        raise ModelError(f"{name}: found {quoted(number)}, expected an integer of at most {_LARGEST_BITS} bits")
    if number < 1:
        raise ModelError(f"{name}: found {quoted(number)}, expected an integer of at least 1")
    if most is not None and number > most:
        raise ModelError(f"{name}: found {quoted(number)}, expected at most {most_name}{quoted(most)}")
    return number


def chosen(name: str, value: Any, choices: type[Choice]) -> Choice:
    """A member of an Enum from itself or from the word users type."""
    if isinstance(value, choices):
        return value
    for member in choices:
        if member.value == value:
            return member
    words: Iterable[str] = (repr(member.value) for member in choices)
    raise ModelError(f"{name}: found {quoted(value)}, expected one of {', '.join(words)}")
