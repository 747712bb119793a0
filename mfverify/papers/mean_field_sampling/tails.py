"""How far the empirical distribution of a uniform k-subset lies from its population: exact tail probabilities at all deviations at once.

A population of n agents with count vector c over Z_l; Delta a uniform k-subset. The law of the sample's counts is
multivariate hypergeometric, so every left side is an exact rational. Sampling without replacement multiplies the exponent of Hoeffding's
inequality by ``n/(n-k+1)`` (Serfling 1974).

A tail inequality for all epsilon > 0 is checked at all of them: with the possible deviations d_1 < d_2 < .., the probability
``Pr[D > e]`` is constant for e in [d_{i-1}, d_i) and the right side decreases, so the inequality holds for all e if and only
if ``Pr[D >= d_i] <= right(d_i)`` for every i. The instance shows the tightest of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final

from mfverify import counts
from mfverify.enclosure import Interval, round_down, round_up
from mfverify.model import Model
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.symbols import epsilon, k, n
from mfverify.theory.bound import Bound
from mfverify.theory.cases.populations import SampledPopulation, text_of
from mfverify.theory.claim import Outcome, Profile, Sides, tightest

SERFLING_EXPONENT: Final = -2 * k * n * epsilon**2 / (n - k + 1)
"""Serfling's exponent for one class (or one set of classes) and a one-sided deviation of ``epsilon``."""

Deviation = Callable[[tuple[int, ...], tuple[int, ...]], Fraction]


def tail(population: tuple[int, ...], k: int, deviation: Deviation) -> list[tuple[Fraction, Fraction]]:
    """Pairs ``(d, Pr[D >= d])`` for every possible deviation d > 0, ascending, exact. Cost: one term per possible sample."""
    mass: dict[Fraction, Fraction] = {}
    for sample, p in counts.subsample_law(population, k):
        d = deviation(sample, population)
        mass[d] = mass.get(d, Fraction(0)) + p
    above = Fraction(0)
    out = []
    for d in sorted(mass, reverse=True):
        above += mass[d]
        if d > 0:
            out.append((d, above))
    return out[::-1]


def tail_sides(deviation: Deviation, bound: Bound, case: SampledPopulation) -> Outcome:
    """The tightest of ``Pr[D >= d] <= bound(d)`` over all possible deviations d."""
    population, k = case.population, case.subsample
    n = sum(population)
    support = len(population)
    values: dict[Any, Any] = {symbols.n: n, symbols.k: k, symbols.Z: support}
    candidates: list[Sides] = []
    shown: list[tuple[Fraction, Fraction, Interval]] = []
    for d, probability in tail(population, k, deviation):
        right = bound.enclose(values | {symbols.epsilon: d})
        shown.append((d, probability, right))
        candidates.append(Sides(Interval.exactly(probability), right, Interval.exactly(1), {"worst": f"deviation {d}"}))
    if not candidates:
        return Sides(
            Interval.exactly(0),
            bound.enclose(values | {symbols.epsilon: Fraction(1)}),
            Interval.exactly(0),
            {"worst": "every sample has the population's distribution, so that no deviation has a positive probability"},
        )
    worst = tightest(candidates)
    step = max(1, len(shown) // 60)
    kept = shown[::step]
    curve = {
        "title": f"population {text_of(population)}, k = {k}",
        "x_label": "deviation",
        "y_label": "probability",
        "scale": "linear",
        "x": [float(d) for d, _, _ in kept],
        "series": [
            {"label": "exact tail probability", "lower": [round_down(p) for _, p, _ in kept], "upper": [round_up(p) for _, p, _ in kept]},
            {"label": "bound", "lower": [round_down(r.lower) for *_, r in kept], "upper": [round_up(r.upper) for *_, r in kept]},
        ],
    }
    return Sides(worst.left, worst.right, worst.trivial, {**worst.details, "curve": curve})


def populations(profile: Profile) -> list[tuple[int, ...]]:
    """All populations of up to 5 agents in 2 or 3 classes up to order, then larger and more spread-out ones."""
    small = [
        tuple(int(x) for x in row)
        for size in (2, 3)
        for n in range(2, 6)
        for row in counts.count_vectors(n, size)
        if list(row) == sorted(row, reverse=True) and row[-1] > 0
    ]
    large = [(10, 10), (25, 15), (50, 50), (90, 10), (5, 5, 5, 5), (10, 10, 10), (20, 10, 5, 5), (1,) * 4, (1,) * 6, (1,) * 8]
    more = [(100, 100), (199, 1), (40, 30, 20), (30, 30, 30, 30), (60, 50, 40, 10), (1,) * 10, (2,) * 6]
    return small + large + (more if profile is Profile.FULL else [])


def tail_instances(profile: Profile, _: Sequence[Model] | None) -> list[SampledPopulation]:
    """Each population with several k; sums over its samples stay short."""
    out = []
    if profile is Profile.FULL:
        out += [SampledPopulation((100, 100, 100, 100), k) for k in (40, 80)]
    for population in populations(profile):
        n = sum(population)
        sizes = sorted({1, 2, n // 4, n // 2, 3 * n // 4, n - 1} & set(range(1, n)))
        for drawn in sizes:
            out.append(SampledPopulation(population, drawn))
    return out
