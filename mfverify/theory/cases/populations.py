"""Cases with a population: agents in classes, up to the names of the classes, with or without the size of a sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from mfverify.theory.cases.case import Case

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


def spread(total: int) -> list[Population]:
    """The populations of ``total`` agents in two or more classes."""
    return [p for p in partitions(total) if len(p) > 1]


def text_of(population: Population) -> str:
    """A population as a text such as ``3+1+0``."""
    return "+".join(map(str, population))


@dataclass(frozen=True)
class OfPopulation(Case):
    """A population.

    Parameters
    ----------
    population
        How many agents there are in each class.

    Examples
    --------
    >>> OfPopulation((3, 1)).label
    'n=4 population=3+1'
    """

    population: Population

    @property
    def agents(self) -> int:
        """n."""
        return sum(self.population)

    @property
    def occupied(self) -> int:
        """The number of classes."""
        return len(self.population)


@dataclass(frozen=True)
class SampledPopulation(OfPopulation):
    """A population and the size of a sample.

    Parameters
    ----------
    population
        How many agents there are in each class.
    subsample
        k, at most the number of agents.

    Examples
    --------
    >>> SampledPopulation((3, 1), 2).label
    'n=4 k=2 population=3+1'
    """

    subsample: int

    @property
    def pairs(self) -> list[tuple[Population, int]]:
        """The (population, k) that it covers: one."""
        return [(self.population, self.subsample)]


@dataclass(frozen=True)
class EveryPopulation(Case):
    """Every population of n agents in two or more classes, up to the names of the classes, with every k <= n."""

    agents: int
    population: str = field(default="all", init=False)

    @property
    def pairs(self) -> list[tuple[Population, int]]:
        """The (population, k) that it covers."""
        return [(p, size) for p in spread(self.agents) for size in range(1, self.agents + 1)]


def with_sample(population: Population, k: int) -> SampledPopulation:
    """A population and the size of a sample."""
    return SampledPopulation(population, k)


def without_sample(population: Population, k: int) -> OfPopulation:
    """A population alone."""
    del k
    return OfPopulation(population)
