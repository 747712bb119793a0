"""Kernels between classes, named by a text."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

Kernel: TypeAlias = tuple[tuple[Fraction, ...], ...]
"""One row per class, the law of the next class of an agent."""


def random_kernel(rng: random.Random, classes: int, targets: int) -> Kernel:
    """Rows of small random integers, normalised; sparse, so that some classes share no target."""
    rows = []
    for _ in range(classes):
        weights = [rng.choice((0, 0, 1, 2, 5)) for _ in range(targets)]
        weights[rng.randrange(targets)] += 1
        rows.append(tuple(Fraction(w, sum(weights)) for w in weights))
    return tuple(rows)


def kernel_of(name: str, classes: int) -> Kernel:
    """A kernel by name: ``stay``, ``rotate``, ``merge`` (all to class 0), ``uniform``, ``lazy`` (half stay, half rotate), ``random-SEED``."""
    if name.startswith("random-"):
        return random_kernel(random.Random(int(name.removeprefix("random-"))), classes, classes)
    half = Fraction(1, 2)
    entry: dict[str, Callable[[int, int], Fraction]] = {
        "stay": lambda s, t: Fraction(int(s == t)),
        "rotate": lambda s, t: Fraction(int(t == (s + 1) % classes)),
        "merge": lambda s, t: Fraction(int(t == 0)),
        "uniform": lambda s, t: Fraction(1, classes),
        "lazy": lambda s, t: half * int(s == t) + half * int(t == (s + 1) % classes),
    }
    return tuple(tuple(entry[name](s, t) for t in range(classes)) for s in range(classes))
