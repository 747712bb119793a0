"""Cases with a population that moves by a kernel between classes, with a given sample of it or a uniform one; and the kernels, which have names."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, TypeAlias

from mfverify.theory.cases.case import Case
from mfverify.theory.cases.populations import Population

Kernel: TypeAlias = tuple[tuple[Fraction, ...], ...]
"""One row per class, the law of the next class of an agent."""

_HALF: Final = Fraction(1, 2)

_ENTRIES: Final[dict[str, Callable[[int, int, int], Fraction]]] = {
    "stay": lambda s, t, classes: Fraction(int(s == t)),
    "rotate": lambda s, t, classes: Fraction(int(t == (s + 1) % classes)),
    "merge": lambda s, t, classes: Fraction(int(t == 0)),
    "uniform": lambda s, t, classes: Fraction(1, classes),
    "lazy": lambda s, t, classes: _HALF * int(s == t) + _HALF * int(t == (s + 1) % classes),
}

NAMED: Final = tuple(_ENTRIES)
"""The kernels with a rule, the simplest first; ``merge`` leads to class 0, ``lazy`` is half stay, half rotate."""

_RANDOM: Final = "random-"


def seeded(seed: int) -> str:
    """The name of the random kernel of a seed."""
    return f"{_RANDOM}{seed}"


def random_kernel(rng: random.Random, classes: int, targets: int) -> Kernel:
    """Rows of small random integers, normalised; sparse, so that some classes share no target."""
    rows = []
    for _ in range(classes):
        weights = [rng.choice((0, 0, 1, 2, 5)) for _ in range(targets)]
        weights[rng.randrange(targets)] += 1
        rows.append(tuple(Fraction(w, sum(weights)) for w in weights))
    return tuple(rows)


def kernel_of(name: str, classes: int) -> Kernel:
    """A kernel by its name: one of :data:`NAMED`, or that of :func:`seeded`."""
    if name.startswith(_RANDOM):
        return random_kernel(random.Random(int(name.removeprefix(_RANDOM))), classes, classes)
    return tuple(tuple(_ENTRIES[name](s, t, classes) for t in range(classes)) for s in range(classes))


@dataclass(frozen=True)
class _Moving(Case):
    sample: Population | str
    population: Population
    kernel: str

    @property
    def agents(self) -> int:
        """n."""
        return sum(self.population)

    @property
    def occupied(self) -> int:
        """The number of classes."""
        return len(self.population)

    @property
    def rows(self) -> Kernel:
        """The kernel."""
        return kernel_of(self.kernel, self.occupied)


@dataclass(frozen=True)
class Transition(_Moving):
    """A sample of a population, and the kernel by which all of its agents move."""

    sample: Population

    @property
    def subsample(self) -> int:
        """k."""
        return sum(self.sample)


@dataclass(frozen=True)
class MeanTransition(_Moving):
    """A population, the size of a uniform sample of it, and the kernel by which all of its agents move."""

    sample: str = field(default="uniform", init=False)
    subsample: int


Moving: TypeAlias = Transition | MeanTransition
"""A population that moves, with a sample of it."""
