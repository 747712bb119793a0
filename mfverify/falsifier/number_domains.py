"""Instances without a model: populations and samples, transitions of a population, and plain parameters."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import prod
from typing import Any

from mfverify import counts
from mfverify.falsifier.model_domains import found_of, simplest_first
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.populations import OfPopulation, Population, partitions
from mfverify.theory.cases.transitions import NAMED, MeanTransition, Moving, Transition, seeded

_MOST_SAMPLES = 400
"""Populations with more kinds of samples than this are not candidates."""
_MOST_REFUSED = 20_000
"""Populations in a row without an instance after which a family counts as finished: a claim may cover none."""
_MOST_MOVED = 64
"""Agents of a population that moves, at most: what takes some milliseconds."""
_MOST_EXHAUSTED = 9
"""With so many agents all simpler populations are tried: what is left is the simplest violation there is."""


@dataclass(frozen=True)
class PopulationDomain:
    """Populations of n agents in two or more classes, all occupied, with a sample size 1 <= k <= n; ``make`` may ignore k."""

    make: Callable[[Population, int], OfPopulation | None]

    def families(self, seed: int) -> Mapping[str, Iterator[OfPopulation]]:
        """All populations of 2, 3, .. agents with every k; random ones of up to 80 agents."""
        rng = random.Random(f"populations {seed}")
        return {
            "all populations": self._made((p, k) for n in count(2) for p in partitions(n) for k in range(1, n + 1)),
            "random populations": self._made(self._random(rng) for _ in count()),
        }

    def _random(self, rng: random.Random) -> tuple[Population, int]:
        classes = rng.randint(2, 8)
        even = rng.random() < 0.3
        each = rng.randint(1, 20)
        population = (each,) * classes if even else tuple(rng.randint(1, 80 // classes) for _ in range(classes))
        n = sum(population)
        return population, rng.choice((1, 2, n // 2, n - 1, rng.randint(1, n)))

    def _made(self, pairs: Iterator[tuple[Population, int]]) -> Iterator[OfPopulation]:
        return found_of((self._one(population, k) for population, k in pairs), _MOST_REFUSED)

    def _one(self, population: Population, k: int) -> OfPopulation | None:
        occupied = tuple(sorted((x for x in population if x > 0), reverse=True))
        if len(occupied) < 2 or not 1 <= k <= sum(occupied) or prod(min(x, k) + 1 for x in occupied) > _MOST_SAMPLES:
            return None
        return self.make(occupied, k)

    def neighbours(self, instance: OfPopulation, rng: random.Random) -> Iterator[OfPopulation]:
        """An agent more, less, or in another class; another sample size. Infinite, unless :data:`_MOST_REFUSED` in a row have no instance."""
        return found_of(self._changes(instance, rng), _MOST_REFUSED)

    def _changes(self, instance: OfPopulation, rng: random.Random) -> Iterator[OfPopulation | None]:
        while True:
            population, k = list(instance.population), instance.written.subsample or 1
            for _ in range(rng.choice((1, 1, 2, 4))):
                population[rng.randrange(len(population))] += rng.choice((-1, 1))
            population += [1] * (rng.random() < 0.1)
            yield self._one(tuple(population), k + rng.choice((-1, 0, 0, 1)))

    def simpler(self, instance: OfPopulation) -> Iterator[OfPopulation]:
        """Fewer agents in one class or in all, two classes made one, smaller samples; of few agents every simpler population."""
        population, k = instance.population, instance.written.subsample or 1
        if sum(population) <= _MOST_EXHAUSTED:
            pairs = ((p, j) for n in range(2, sum(population) + 1) for p in partitions(n) for j in range(1, n + 1))
            yield from simplest_first(instance, [self._one(p, j) for p, j in pairs])
            return
        fewer = [tuple(x - (i == j) for j, x in enumerate(population)) for i in range(len(population))]
        fewer += [tuple(x - 1 for x in population), tuple(x // 2 for x in population)]
        merged = [
            (*(x for h, x in enumerate(population) if h not in (i, j)), population[i] + population[j])
            for i in range(len(population))
            for j in range(i)
        ]
        found = [self._one(p, j) for p in (*fewer, *merged, population) for j in {k, k - 1, k // 2, 1}]
        yield from simplest_first(instance, found)


KERNELS = (*NAMED, *map(seeded, range(12)))
"""The kernels that are tried on every population, the simplest first."""


@dataclass(frozen=True)
class TransitionDomain:
    """A sample of a population that moves by a kernel; ``uniform``: the sample is a uniform k-subset instead of a given one."""

    uniform: bool

    def families(self, seed: int) -> Mapping[str, Iterator[Moving]]:
        """All populations of 2, 3, .. agents in two or three classes with all samples and kernels; random ones of up to 24 agents."""
        rng = random.Random(f"transitions {seed}")
        return {"all samples": self._all(), "random samples": (self._random(rng) for _ in count())}

    def _all(self) -> Iterator[Moving]:
        for n in count(2):
            for classes in (2, 3):
                for row in counts.count_vectors(n, classes)[::-1]:
                    population = tuple(int(x) for x in row)
                    if list(population) != sorted(population, reverse=True):
                        continue
                    for k in range(1, n):
                        samples = [next(counts.subcounts(population, k))] if self.uniform else list(counts.subcounts(population, k))
                        for sample in samples:
                            for kernel in KERNELS:
                                yield self._one(sample, population, kernel)

    def _random(self, rng: random.Random) -> Moving:
        population = tuple(rng.randint(0, 8) for _ in range(rng.randint(2, 3)))
        population = (population[0] + 1, *population[1:-1], population[-1] + 1)
        sample = tuple(rng.randint(0, x) for x in population)
        if sum(sample) in (0, sum(population)):
            sample = (1, *(0 for _ in population[1:]))
        return self._one(sample, population, rng.choice((*KERNELS[3:], seeded(rng.randrange(10**4)))))

    def _one(self, sample: Population, population: Population, kernel: str) -> Moving:
        return MeanTransition(population, kernel, sum(sample)) if self.uniform else Transition(sample, population, kernel)

    def neighbours(self, instance: Moving, rng: random.Random) -> Iterator[Moving]:
        """An agent more or less in the sample or outside it, or another kernel."""
        while True:
            yield from self._parts(instance, rng.choice((-1, 1)), (instance.kernel, seeded(rng.randrange(10**4))))

    def _parts(self, instance: Moving, step: int, kernels: Sequence[str]) -> Iterator[Moving]:
        population = instance.population
        sample = instance.sample if isinstance(instance, Transition) else next(counts.subcounts(population, instance.subsample))
        for i in range(len(population)):
            for inside in (0, 1):
                more = tuple(x + step * (i == j) for j, x in enumerate(population))
                some = tuple(x + step * inside * (i == j) for j, x in enumerate(sample))
                if all(0 <= x <= y for x, y in zip(some, more, strict=True)) and 0 < sum(some) < sum(more) <= _MOST_MOVED:
                    for kernel in kernels:
                        yield self._one(some, more, kernel)

    def simpler(self, instance: Moving) -> Iterator[Moving]:
        """An agent less, an earlier kernel."""
        kernel = instance.kernel
        earlier = KERNELS[: KERNELS.index(kernel)] if kernel in KERNELS else KERNELS
        found: list[Moving | None] = [*self._parts(instance, -1, (kernel, *earlier))]
        found += [replace(instance, kernel=other) for other in earlier]
        yield from simplest_first(instance, found)


@dataclass(frozen=True)
class ParameterDomain:
    """All combinations of a few parameters, each with its values in the order from the simplest on."""

    axes: tuple[Sequence[Any], ...]
    make: Callable[..., Case | None]

    def families(self, seed: int) -> Mapping[str, Iterator[Case]]:
        """The whole grid, the simplest combinations first; the seed does not matter."""
        return {"all parameters": self._all()}

    def _all(self) -> Iterator[Case]:
        sizes = [len(axis) for axis in self.axes]
        for total in range(sum(sizes)):
            for index in _indices(total, sizes):
                found = self._one(index)
                if found is not None:
                    yield found

    def _one(self, index: Sequence[int]) -> Case | None:
        return self.make(*(axis[i] for axis, i in zip(self.axes, index, strict=True)))

    def neighbours(self, instance: Case, rng: random.Random) -> Iterator[Case]:
        """None: the grid is exhausted anyway."""
        return iter(())

    def simpler(self, instance: Case) -> Iterator[Case]:
        """Everything on the grid that is simpler."""
        yield from simplest_first(instance, list(self._all()))


def _indices(total: int, sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """All index tuples with the given sum."""
    if not sizes:
        if total == 0:
            yield ()
        return
    for first in range(max(0, total - sum(sizes[1:]) + len(sizes) - 1), min(total, sizes[0] - 1) + 1):
        for rest in _indices(total - first, sizes[1:]):
            yield (first, *rest)
