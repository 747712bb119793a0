"""Compiled loops as plain Python, for mutants of them: ``pytest -p mutation.uncompiled``.

What a loop computes is the same, and a change of it needs no compiler. Four numbers in a register (``mfverify/bellman/lanes.py``) are
lists of four then; that module itself, which writes instructions, is judged compiled.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numba

if TYPE_CHECKING:
    from mfverify.notation import Floats

numba.config.DISABLE_JIT = True

LANES: Final = 4


Four: TypeAlias = list[float]


def load(array: Floats, position: int) -> Four:
    """The four numbers at a position."""
    four: Four = array[LANES * position : LANES * (position + 1)].tolist()
    return four


def store(array: Floats, position: int, four: Four) -> None:
    """Write four numbers to a position."""
    array[LANES * position : LANES * (position + 1)] = four


def spread(x: float) -> Four:
    """The same number four times."""
    return [float(x)] * LANES


def multiply_add(a: Four, x: Four, y: Four) -> Four:
    """``a x + y``."""
    return [p * q + r for p, q, r in zip(a, x, y, strict=True)]


def plus(x: Four, y: Four) -> Four:
    """``x + y``."""
    return [p + q for p, q in zip(x, y, strict=True)]


def larger(x: Four, y: Four) -> Four:
    """``max(x, y)``."""
    return [max(p, q) for p, q in zip(x, y, strict=True)]


def smaller(x: Four, y: Four) -> Four:
    """``min(x, y)``."""
    return [min(p, q) for p, q in zip(x, y, strict=True)]


def where_larger(x: Four, y: Four, four: Four) -> Four:
    """``four`` where ``x > y``, 0 elsewhere."""
    return [r if p > q else 0.0 for p, q, r in zip(x, y, four, strict=True)]


def first_lanes(count: int, x: Four, y: Four) -> Four:
    """The first ``count`` lanes of ``x``, the others of ``y``."""
    return [p if lane < count else q for lane, (p, q) in enumerate(zip(x, y, strict=True))]


def _as_module(name: str) -> ModuleType:
    module = ModuleType(name)
    functions: tuple[Any, ...] = (load, store, spread, multiply_add, plus, larger, smaller, where_larger, first_lanes)
    vars(module).update({function.__name__: function for function in functions}, LANES=LANES)
    return module


sys.modules["mfverify.bellman.lanes"] = _as_module("mfverify.bellman.lanes")
