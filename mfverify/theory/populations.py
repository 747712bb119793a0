"""Populations of agents in classes, up to the names of the classes, and their texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

Population: TypeAlias = tuple[int, ...]
"""How many agents there are in each class."""


def partitions(total: int, largest: int | None = None) -> Iterator[Population]:
    """The populations of ``total`` agents up to the names of the classes: descending positive counts."""
    if total == 0:
        yield ()
        return
    for first in range(min(total, total if largest is None else largest), 0, -1):
        for rest in partitions(total - first, first):
            yield (first, *rest)


def counts_of(text: object) -> Population:
    """The count vector that a text such as ``3+1+0`` denotes."""
    return tuple(int(x) for x in str(text).split("+"))


def text_of(population: Sequence[int]) -> str:
    """A count vector as a text such as ``3+1+0``."""
    return "+".join(map(str, population))
