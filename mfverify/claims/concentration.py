r"""Concentration without replacement: how far the empirical distribution of a sample is from the population's. Claims C1, C2, C3.

A population of n agents with count vector c over Z_l; Delta a uniform k-subset. The law of the sample's counts is
multivariate hypergeometric, so every left side is an exact rational.

A tail inequality for all epsilon > 0 is checked at all of them: with the possible deviations d_1 < d_2 < .., the probability
``Pr[D > e]`` is constant for e in [d_{i-1}, d_i) and the right side decreases, so the inequality holds for all e if and only
if ``Pr[D >= d_i] <= right(d_i)`` for every i. The instance shows the tightest of these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from mfverify import counts
from mfverify.bounds import concentration as bounds
from mfverify.bounds import symbols
from mfverify.bounds.bound import Bound
from mfverify.claims.claim import Claim, Control, Instance, Outcome, Profile, Sides, Status, tightest
from mfverify.claims.grounds import theorem
from mfverify.enclosure import Interval, round_down, round_up
from mfverify.model import Model

Deviation = Callable[[tuple[int, ...], tuple[int, ...]], Fraction]


def largest_deviation(sample: tuple[int, ...], population: tuple[int, ...]) -> Fraction:
    """``max_z |F_Delta(z) - F_[n](z)|``."""
    k, n = sum(sample), sum(population)
    return Fraction(max(abs(x * n - c * k) for x, c in zip(sample, population, strict=True)), k * n)


def population_of(instance: Instance) -> tuple[int, ...]:
    """The population's count vector from its parameter, such as ``"3+1+0"``."""
    return tuple(int(x) for x in str(instance["population"]).split("+"))


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


def tail_sides(deviation: Deviation, bound: Bound, instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The tightest of ``Pr[D >= d] <= bound(d)`` over all possible deviations d."""
    population, k = population_of(instance), instance.subsample
    assert k is not None
    n = sum(population)
    support = len(population)
    values: dict[Any, Any] = {symbols.n: n, symbols.k: k, symbols.Z: support}
    candidates: list[Sides] = []
    shown: list[tuple[Fraction, Fraction, Interval]] = []
    for d, probability in tail(population, k, deviation):
        right = bound.enclose(values | {symbols.epsilon: d}) * scale
        shown.append((d, probability, right))
        candidates.append(Sides(Interval.exactly(probability), right, Interval.exactly(1), {"worst": f"deviation {d}"}))
    if not candidates:
        return Sides(
            Interval.exactly(0),
            bound.enclose(values | {symbols.epsilon: Fraction(1)}) * scale,
            Interval.exactly(0),
            {"worst": "every sample has the population's distribution, so that no deviation has a positive probability"},
        )
    worst = tightest(candidates)
    step = max(1, len(shown) // 60)
    kept = shown[::step]
    curve = {
        "title": f"population {instance['population']}, k = {k}",
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


_sup_norm = partial(tail_sides, largest_deviation, bounds.SUP_NORM_TAIL)
_total_variation = partial(tail_sides, counts.total_variation, bounds.TV_TAIL)
_quantile = partial(tail_sides, counts.total_variation, bounds.TV_QUANTILE_TAIL)


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


def _instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    out = []
    if profile is Profile.FULL:
        out += [Instance(None, 400, k, (("population", "100+100+100+100"),)) for k in (40, 80)]
    for population in populations(profile):
        n = sum(population)
        sizes = sorted({1, 2, n // 4, n // 2, 3 * n // 4, n - 1} & set(range(1, n)))
        for k in sizes:
            out.append(Instance(None, n, k, (("population", "+".join(map(str, population))),)))
    return out


def _control_instances() -> list[Instance]:
    return _instances(Profile.QUICK, None)


_SAMPLE = ("Delta uniform among the k-subsets of [n]",)

C1 = Claim(
    id="C1",
    title="DKW without replacement, sup norm",
    statement=r"$\Pr\big[\max_z |F_{z_\Delta}(z) - F_{z_{[n]}}(z)| > \epsilon\big] \le "
    + bounds.SUP_NORM_TAIL.latex
    + r"$ for every $\epsilon > 0$.",
    source="DKW without replacement (appendix)",
    reading="all epsilon at once, exact hypergeometric probabilities; |Z_l| is the number of classes of the population",
    assumptions=_SAMPLE,
    registered=Status.CORROBORATED,
    sides=_sup_norm,
    instances=_instances,
    control=Control("the factor 2 |Z_l| is replaced by |Z_l| / 4", partial(_sup_norm, scale=Fraction(1, 8)), _control_instances),
    left_means="exact tail probability",
    right_means="bound",
    grounds=theorem("Serfling 1974, The Annals of Statistics 2, Corollary 1.1, for both sides of each class, and a union over the classes"),
)

C2 = Claim(
    id="C2",
    title="The same tail for total variation",
    statement=r"$\Pr\big[\mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) > \epsilon\big] \le "
    + bounds.TV_TAIL.latex
    + r"$ for every $\epsilon > 0$.",
    source="the way Theorem 4.2 uses the DKW bound",
    reading="TV is half the l1 distance (Definition 3.2); all epsilon at once",
    assumptions=_SAMPLE,
    registered=Status.REFUTED,
    sides=_total_variation,
    instances=_instances,
    control=Control("the factor 2 |Z_l| is replaced by |Z_l| / 4", partial(_total_variation, scale=Fraction(1, 8)), _control_instances),
    rests_on=("C1",),
    left_means="exact tail probability",
    right_means="bound",
    failing_step="The union bound over the |Z_l| classes controls the largest deviation of one class. Total variation is the largest deviation over sets of classes, of "
    "which there are 2^|Z_l|: up to |Z_l|/2 times as large",
)

C3 = Claim(
    id="C3",
    title="Total variation with probability 1 - delta",
    statement=r"With probability at least $1 - \delta$: $\mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) \le "
    + bounds.TV_QUANTILE.latex
    + r"$, for every $\delta \in (0, 1)$.",
    source="reading of the appendix in which TV is half the largest deviation",
    reading="solved for delta: Pr[TV >= t] <= "
    + "delta(t) for every possible value t, delta(t) = 2|Z_l| exp(-8 n k t^2 / (n-k+1)); where delta(t) >= 1 nothing is claimed",
    assumptions=_SAMPLE,
    registered=Status.REFUTED,
    sides=_quantile,
    instances=_instances,
    control=Control("the factor 2 |Z_l| is replaced by |Z_l| / 4", partial(_quantile, scale=Fraction(1, 8)), _control_instances),
    rests_on=("C1",),
    left_means="exact tail probability at the bound",
    right_means="delta",
    failing_step="Total variation is half the sum of the deviations of all classes, which is at least the largest deviation (and equal to it for two classes); "
    "the reading takes half of the largest one",
)

CLAIMS = (C1, C2, C3)
