"""The exact expected total variation between a uniform k-subset and its population, and the sides of a bound of it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from math import comb

from mfverify.enclosure import Interval, maximum
from mfverify.papers.mean_field_sampling import symbols
from mfverify.theory.bound import Bound
from mfverify.theory.cases.populations import EveryPopulation, Population, SampledPopulation, text_of
from mfverify.theory.claim import Outcome, Sides, tightest


@lru_cache(maxsize=4096)
def mean_total_variation(population: Population, size: int) -> Fraction:
    """``E TV(F_Delta, F_[n])`` for a uniform k-subset, exactly: one univariate hypergeometric sum per class.

    The expectation is linear in the classes, so only their marginals enter. Cost: ``min(k, c_z)`` terms per class.
    """
    total = sum(population)
    weighted = sum(
        comb(c, x) * comb(total - c, size - x) * abs(x * total - c * size)
        for c in population
        for x in range(max(0, size - total + c), min(c, size) + 1)
    )
    return Fraction(weighted, comb(total, size) * 2 * size * total)


def never_more(total: int, size: int) -> Interval:
    """``1 - k/n``, which TV never exceeds."""
    return Interval.exactly(1 - Fraction(size, total))


def mean_sides(
    left: Callable[[Population, int], Interval],
    bound: Bound,
    trivial: Callable[[int, int], Interval],
    case: SampledPopulation | EveryPopulation,
) -> Outcome:
    """The tightest of ``left <= bound`` over the cases; of those with the same n, k, Z only the largest left side matters."""
    groups: dict[tuple[int, int, int], list[tuple[Interval, Population]]] = {}
    for population, size in case.pairs:
        groups.setdefault((sum(population), size, len(population)), []).append((left(population, size), population))
    candidates = []
    for (total, size, support), found in groups.items():
        right = bound.enclose({symbols.n: total, symbols.k: size, symbols.Z: support})
        where = max(found, key=lambda pair: pair[0].midpoint)[1]
        details = {"worst": f"population {text_of(where)}, k={size}", "populations compared": len(found)}
        candidates.append(Sides(maximum([value for value, _ in found]), right, trivial(total, size), details))
    return tightest(candidates)


def exact_mean(population: Population, size: int) -> Interval:
    """The exact mean of the total variation, as an interval."""
    return Interval.exactly(mean_total_variation(population, size))
