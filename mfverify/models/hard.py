"""Families of models for searches, each with its numbers left open, and rows of kernels in which states are places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from mfverify.model import Model

Rows: TypeAlias = list[list[Fraction]]


@dataclass(frozen=True)
class Hard:
    """A family that is hard for statements about subsampling, as the file of a model declares it.

    ``model(places, leaning, discount, scale)`` makes its members; ``order`` is the family's place in a search; ``places`` are the
    numbers of places that are drawn.
    """

    model: Callable[[int, Fraction, Fraction, Fraction], Model]
    order: int
    places: tuple[int, ...] = (2, 2, 3)


def unit(size: int) -> Rows:
    """A certain row for every place."""
    return [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]


def for_every_global_state(kernel: list[Rows], times: int) -> list[list[Rows]]:
    """A local kernel ``[s][a]``, the same for that many global states."""
    return [[rows for _ in range(times)] for rows in kernel]
