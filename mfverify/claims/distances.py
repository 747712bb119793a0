r"""How far a uniform k-subset lies from its population: in the mean, in KL, and after a transition. Claims C4 to C7 and R3.

A population of n agents with count vector c over Z classes, all of them occupied; ``Delta`` a uniform k-subset. Left sides are
exact rationals, except where a logarithm enters: those are enclosed in ball arithmetic.

**C4, R3m (mean).** *Proof.* The number X_z of sampled agents in class z is hypergeometric, so ``Var(X_z/k) = p_z (1-p_z) (n-k) / (k (n-1))``
with ``p_z = c_z/n``. By Jensen ``E TV <= (1/2) sum_z sqrt(Var(X_z/k))``, and by Cauchy-Schwarz ``sum_z sqrt(p_z (1-p_z)) <= sqrt(Z sum_z
p_z (1-p_z)) <= sqrt(Z - 1)``, since ``sum_z p_z^2 >= 1/Z``. R3m keeps Z in place of Z - 1.

**C4l (no less than that).** *Proof.* Write ``S = sum_i e_i`` with ``e_i = 1`` or -1 for the class of the i-th of k agents drawn from n/2
and n/2, so that ``TV = |S|/(2k)``. Then ``E e_1 e_2 = -1/(n-1)`` and ``E e_1 e_2 e_3 e_4 = 3/((n-1)(n-3))`` give ``E S^2 = k(n-k)/(n-1)``
and ``E S^4 - 3 (E S^2)^2 = -2 k (n-k) (n^2 - n - 3k(n-k)) / ((n-1)^2 (n-3)) <= 0`` for even n >= 4, since ``3 k(n-k) <= 3 n^2/4 <= n^2 -
n``. By Hoelder's inequality ``(E S^2)^3 <= (E|S|)^2 E S^4``, so ``E|S| >= sqrt(E S^2/3) >= sqrt(E S^2)/2``. For n = 2, k = 1: TV = 1/2, and
the bound is 1/4.

**C4m (monotone).** *Proof.* Draw k+1 agents and drop a random one: given the larger sample the smaller one has the larger one's distribution
in the mean, so ``F_k - F_[n]`` has the conditional mean ``F_{k+1} - F_[n]``. Jensen.

**R3 (tail).** *Proof.* TV is the largest of ``F_Delta(A) - F_[n](A)`` over the 2^Z sets A of classes. For one set the sample mean of its
indicator is without replacement, and Serfling (1974) gives ``Pr[F_Delta(A) - F_[n](A) >= e] <= exp(-2 k n e^2 / (n-k+1))``.

**R3k (KL in the mean).** *Proof.* ``KL(F||G) <= ln(1 + chi2(F||G)) <= chi2(F||G)``, and ``E chi2 = sum_z Var(X_z/k)/p_z = (Z-1) (n-k) / (k
(n-1))``.

**C5.** *Proof.* ``F_[n] >= (k/n) F_Delta``, for Delta is a part of [n]. So ``KL = sum_z F_Delta(z) ln(F_Delta(z)/F_[n](z)) <= ln(n/k)``, and also
``TV <= 1 - k/n``. These two are the trivial bounds of the other claims here.

**C5e.** *Proof.* With every agent in a class of its own ``F_Delta(z)/F_[n](z) = n/k`` wherever ``F_Delta(z) > 0``, so ``KL = ln(n/k)`` for
every sample.

**C6.** *Proof.* ``2 TV(F P, G P) = sum_t |sum_s (F - G)(s) P(s, t)| <= sum_s |F - G|(s) sum_t P(s, t) = 2 TV(F, G)``; a permutation of the
classes attains equality.

**C7r.** *Proof.* The next distributions differ by ``(F_Delta - F_[n]) P``, which is C6, plus a noise of mean 0: in class t it is ``sum_i
w_i (1{s_i' = t} - p_it)`` over independent agents i that move to t with probability ``p_it``, with the weights ``1/k - 1/n`` (sampled) and
``-1/n``, whose squares add up to ``(n-k)/(nk)``. Half the sum over t of its mean size is at most ``(1/2) sum_t sqrt(sum_i w_i^2 p_it (1 -
p_it))``, and as for C4 that is at most ``(1/2) sqrt(Z sum_i w_i^2 sum_t p_it (1 - p_it)) <= (1/2) sqrt((Z-1) sum_i w_i^2)``, Z being the
number of classes that agents move to.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache, partial
from math import comb, prod
from typing import Any, TypeAlias

import sympy as sp

from mfverify import counts
from mfverify.bounds import concentration as bounds
from mfverify.bounds import symbols
from mfverify.bounds.bound import Bound
from mfverify.bounds.evaluate import enclose
from mfverify.bounds.symbols import HALF, TV, Z, k, n, plus, root, times
from mfverify.claims.claim import Claim, Control, Instance, Outcome, Profile, Sides, Status, tightest
from mfverify.claims.concentration import populations, tail, tail_sides
from mfverify.claims.grounds import proof
from mfverify.enclosure import Interval, maximum, round_down, round_up
from mfverify.model import Model
from mfverify.rationals import estimate

Population: TypeAlias = tuple[int, ...]
Kernel: TypeAlias = tuple[tuple[Fraction, ...], ...]
"""One row per class, the law of the next class of an agent."""

ALL = "all"
"""Value of the parameter ``population`` for every population of n agents, up to the names of the classes."""

TV_MEAN_SHARP = Bound(
    "C4",
    times(HALF, root((Z - 1) * (n - k) / (k * (n - 1)))),
    "paper, section 4 gives the order; the constant is ours",
    "bounds E TV; a single agent (n = 1) is excluded, 0/0",
)

TV_MEAN_LEAST = Bound(
    "C4l",
    times(sp.Rational(1, 4), root((n - k) / (k * (n - 1)))),
    "paper, section 4 gives the order; the constant is ours",
    "bounds E TV from below for two classes of n/2 agents each",
)

KL_MEAN = Bound("R3k", (Z - 1) * (n - k) / (k * (n - 1)), "ours", "bounds E KL(F_Delta || F_[n]) by the mean of chi squared")

AFTER_TRANSITION = Bound(
    "C7r",
    plus(TV, times(HALF, root((Z - 1) * (n - k) / (n * k)))),
    "repaired C7, the fluctuation of section 5 of the theory page (ours)",
    "bounds E TV after one sampled transition into Z classes",
)


# ------------------------------------------------------------------------------------------------------------ populations


def partitions(total: int, largest: int | None = None) -> Iterator[Population]:
    """The populations of ``total`` agents up to the names of the classes: descending positive counts."""
    if total == 0:
        yield ()
        return
    for first in range(min(total, total if largest is None else largest), 0, -1):
        for rest in partitions(total - first, first):
            yield (first, *rest)


def _counts(text: object) -> Population:
    return tuple(int(x) for x in str(text).split("+"))


def _text(population: Sequence[int]) -> str:
    return "+".join(map(str, population))


def _cases(instance: Instance) -> list[tuple[Population, int]]:
    """The (population, k) that an instance speaks about: one, or all of n agents in at least two classes with 1 <= k <= n."""
    if instance["population"] != ALL:
        assert instance.subsample is not None
        return [(_counts(instance["population"]), instance.subsample)]
    assert instance.agents is not None
    return [(p, size) for p in partitions(instance.agents) if len(p) > 1 for size in range(1, instance.agents + 1)]


def _instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    """All populations of few agents, then larger ones with several k each."""
    most = 8 if profile is Profile.QUICK else 11
    out = [Instance(None, size, None, (("population", ALL),)) for size in range(2, most + 1)]
    large = [p for p in populations(profile) if sum(p) > most] + [(7, 1), (60, 20, 15, 5)]
    for population in large:
        total = sum(population)
        for size in sorted({1, total // 4, total // 2, total - 1}):
            out.append(Instance(None, total, size, (("population", _text(population)),)))
    if profile is Profile.FULL:
        out += [
            Instance(None, sum(p), size, (("population", _text(p)),))
            for p, size in (((100,) * 4, 40), ((97, 101, 50, 52), 40), ((150, 100, 50), 100))
        ]
    return out


def _control_instances() -> list[Instance]:
    return [Instance(None, 100, size, (("population", "50+50"),)) for size in (3, 25)] + _instances(Profile.QUICK, None)


# ------------------------------------------------------------------------------------------------------------ exact quantities


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


@lru_cache(maxsize=65536)
def _log(ratio: Fraction) -> Interval:
    """The natural logarithm of a rational > 0, enclosed."""
    return enclose(sp.log(symbols.epsilon), {symbols.epsilon: ratio})


def mean_divergence(population: Population, size: int) -> Interval:
    """``E KL(F_Delta || F_[n])``, enclosed: ``(1/k) sum_z sum_x Pr[X_z = x] x ln(x n / (k c_z))``."""
    total = sum(population)
    mean = Interval.exactly(0)
    for c in population:
        for x in range(max(1, size - total + c), min(c, size) + 1):
            weight = Fraction(comb(c, x) * comb(total - c, size - x) * x, comb(total, size) * size)
            mean += _log(Fraction(x * total, size * c)) * weight
    return mean


def divergence_power(sample: Population, population: Population) -> Fraction:
    """``exp(k KL(F_Delta || F_[n])) = prod_z (x_z n / (k c_z))^x_z``, a rational."""
    size, total = sum(sample), sum(population)
    return prod((Fraction(x * total, size * c) ** x for x, c in zip(sample, population, strict=True) if x), start=Fraction(1))


def _never_more(total: int, size: int) -> Interval:
    """``1 - k/n``, which TV never exceeds."""
    return Interval.exactly(1 - Fraction(size, total))


# ------------------------------------------------------------------------------------------------------------ C4, R3m, R3k


def _mean_sides(
    left: Callable[[Population, int], Interval],
    bound: Bound,
    trivial: Callable[[int, int], Interval],
    instance: Instance,
    scale: Fraction = Fraction(1),
) -> Outcome:
    """The tightest of ``left <= bound`` over the cases; of those with the same n, k, Z only the largest left side matters."""
    groups: dict[tuple[int, int, int], list[tuple[Interval, Population]]] = {}
    for population, size in _cases(instance):
        groups.setdefault((sum(population), size, len(population)), []).append((left(population, size), population))
    candidates = []
    for (total, size, support), found in groups.items():
        right = bound.enclose({symbols.n: total, symbols.k: size, symbols.Z: support}) * scale
        where = max(found, key=lambda pair: pair[0].midpoint)[1]
        details = {"worst": f"population {_text(where)}, k={size}", "populations compared": len(found)}
        candidates.append(Sides(maximum([value for value, _ in found]), right, trivial(total, size), details))
    return tightest(candidates)


def _exact_mean(population: Population, size: int) -> Interval:
    return Interval.exactly(mean_total_variation(population, size))


_mean = partial(_mean_sides, _exact_mean, TV_MEAN_SHARP, _never_more)
_repaired_mean = partial(_mean_sides, _exact_mean, bounds.TV_MEAN, _never_more)
_mean_of_divergence = partial(_mean_sides, mean_divergence, KL_MEAN, lambda total, size: _log(Fraction(total, size)))


def _least_mean(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """``(1/4) sqrt((n-k)/(k(n-1))) <= E TV`` in two classes of n/2 agents, for all k < n."""
    half = int(instance["half"])
    candidates = []
    for size in range(1, 2 * half):
        left = TV_MEAN_LEAST.enclose({symbols.n: 2 * half, symbols.k: size}) * scale
        candidates.append(Sides(left, Interval.exactly(mean_total_variation((half, half), size)), None, {"worst": f"k={size}"}))
    return tightest(candidates)


def _least_mean_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    halves = (1, 2, 3, 5, 10, 25) if profile is Profile.QUICK else (1, 2, 3, 4, 5, 7, 10, 25, 50, 100)
    return [Instance(None, 2 * half, None, (("half", half),)) for half in halves]


def _decrease(instance: Instance, exchanged: tuple[int, int] = (1, 0)) -> Outcome:
    """The tightest of ``E TV at k+1 <= E TV at k`` over all k (and all populations); ``exchanged`` = (0, 1) sabotages."""
    assert instance.agents is not None
    total = instance.agents
    chosen = [p for p in partitions(total) if len(p) > 1] if instance["population"] == ALL else [_counts(instance["population"])]
    candidates = []
    for population in chosen:
        for size in range(1, total):
            means = [mean_total_variation(population, size + step) for step in exchanged]
            details = {"worst": f"population {_text(population)}, from k={size} to k={size + 1}"}
            candidates.append(
                Sides(Interval.exactly(means[0]), Interval.exactly(means[1]), _never_more(total, size + exchanged[0]), details)
            )
    worst = tightest(candidates)
    if instance["population"] == ALL:
        return worst
    sizes = list(range(1, total + 1, max(1, total // 60)))
    means = [mean_total_variation(chosen[0], size) for size in sizes]
    limits = [TV_MEAN_SHARP.enclose({symbols.n: total, symbols.k: size, symbols.Z: len(chosen[0])}) for size in sizes]
    curve = {
        "title": f"population {instance['population']}",
        "x_label": "k",
        "y_label": "mean total variation",
        "scale": "linear",
        "x": [float(size) for size in sizes],
        "series": [
            {"label": "exact E TV", "lower": [round_down(x) for x in means], "upper": [round_up(x) for x in means]},
            {"label": "bound C4", "lower": [round_down(x.lower) for x in limits], "upper": [round_up(x.upper) for x in limits]},
        ],
    }
    return Sides(worst.left, worst.right, worst.trivial, {**worst.details, "curve": curve})


def _decrease_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    most = 9 if profile is Profile.QUICK else 13
    out = [Instance(None, size, None, (("population", ALL),)) for size in range(2, most + 1)]
    large = [(10, 10), (25, 15), (10, 10, 10), (20, 10, 5, 5)] + (
        [(50, 50), (90, 10), (100, 100), (40, 30, 20)] if profile is Profile.FULL else []
    )
    return out + [Instance(None, sum(p), None, (("population", _text(p)),)) for p in large]


# ------------------------------------------------------------------------------------------------------------ R3


def _tail_by_sets(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The tightest of ``Pr[TV >= d] <= 2^Z exp(..)`` over the cases and all possible d > 0."""
    if instance["population"] != ALL:
        return tail_sides(counts.total_variation, bounds.TV_TAIL_BY_SETS, instance, scale)
    assert instance.agents is not None
    # The right side depends on the population through Z alone: for every (Z, k, d) only the most likely deviation matters.
    largest: dict[tuple[int, int, Fraction], tuple[Fraction, Population]] = {}
    for population, size in _cases(instance):
        for d, probability in tail(population, size, counts.total_variation):
            key = (len(population), size, d)
            if key not in largest or probability > largest[key][0]:
                largest[key] = probability, population
    candidates = []
    for (support, size, d), (probability, population) in largest.items():
        values: dict[Any, Any] = {symbols.n: instance.agents, symbols.k: size, symbols.Z: support, symbols.epsilon: d}
        right = bounds.TV_TAIL_BY_SETS.enclose(values) * scale
        details = {"worst": f"population {_text(population)}, k={size}, deviation {d}", "tails compared": len(largest)}
        candidates.append(Sides(Interval.exactly(probability), right, Interval.exactly(1), details))
    return tightest(candidates)


# ------------------------------------------------------------------------------------------------------------ C5


def _largest_divergence(instance: Instance, base: Callable[[int, int], Fraction] = Fraction) -> Outcome:
    """The tightest of ``exp(k KL) <= (n/k)^k`` over all samples of all cases, in rationals; equality is decided exactly.

    Trivial is ``KL <= ln(1/min_z F_[n](z))``, as a mean of ``ln(F_Delta/F_[n])`` is at most the largest of these; and KL = 0 at k = n.
    """
    candidates = []
    attained = samples = 0
    for population, size in _cases(instance):
        total = sum(population)
        found = [(divergence_power(sample, population), sample) for sample in counts.subcounts(population, size)]
        power, sample = max(found)
        right = base(total, size) ** size
        samples += len(found)
        attained += sum(value == right for value, _ in found)
        divergence = _log(power) / size
        most = Interval.exactly(Fraction(total, min(population)) ** size if size < total else 1)
        details = {"worst": f"population {_text(population)}, sample {_text(sample)}: KL = {estimate(divergence.midpoint)}"}
        candidates.append(Sides(Interval.exactly(power), Interval.exactly(right), most, details))
    worst = tightest(candidates)
    return Sides(worst.left, worst.right, worst.trivial, {**worst.details, "samples compared": samples, "samples with equality": attained})


def _divergence_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    most = 8 if profile is Profile.QUICK else 10
    large = [((10, 10), 5), ((10, 10), 10), ((20, 10, 5, 5), 5), ((20, 10, 5, 5), 10), ((90, 10), 10)]
    large += [((100, 100), 100), ((40, 30, 20), 30)] if profile is Profile.FULL else []
    small = [Instance(None, size, None, (("population", ALL),)) for size in range(2, most + 1)]
    return small + [Instance(None, sum(p), size, (("population", _text(p)),)) for p, size in large]


def _least_divergence(instance: Instance, together: int = 1) -> Outcome:
    """``(n/k)^k <= exp(k KL)`` for every sample from n agents in n classes; ``together`` agents a class sabotages."""
    assert instance.agents is not None and instance.subsample is not None
    total, size = instance.agents, instance.subsample
    population = (together,) * (total // together)
    powers = [divergence_power(sample, population) for sample in counts.subcounts(population, size)]
    mean = mean_total_variation(population, size)
    details = {"worst": f"KL = ln({total}/{size}) in all {len(powers)} kinds of samples, where TV = {mean}"}
    return Sides(Interval.exactly(Fraction(total, size) ** size), Interval.exactly(min(powers)), None, details)


def _least_divergence_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    sizes = (2, 4, 8) if profile is Profile.QUICK else (2, 4, 6, 8, 10, 12)
    return [Instance(None, total, size) for total in sizes for size in range(1, total)]


# ------------------------------------------------------------------------------------------------------------ C6


def moved(distribution: Sequence[Fraction], kernel: Kernel) -> tuple[Fraction, ...]:
    """``F P``."""
    return tuple(sum((f * row[t] for f, row in zip(distribution, kernel, strict=True)), Fraction(0)) for t in range(len(kernel[0])))


def distance(p: Sequence[Fraction], q: Sequence[Fraction]) -> Fraction:
    """``TV(p, q)`` of two distributions."""
    return sum((abs(x - y) for x, y in zip(p, q, strict=True)), Fraction(0)) / 2


def random_kernel(rng: random.Random, classes: int, targets: int) -> Kernel:
    """Rows of small random integers, normalised; sparse, so that some classes share no target."""
    rows = []
    for _ in range(classes):
        weights = [rng.choice((0, 0, 1, 2, 5)) for _ in range(targets)]
        weights[rng.randrange(targets)] += 1
        rows.append(tuple(Fraction(w, sum(weights)) for w in weights))
    return tuple(rows)


def permutation_kernel(rng: random.Random, classes: int) -> Kernel:
    """A random renaming of the classes."""
    order = list(range(classes))
    rng.shuffle(order)
    return tuple(tuple(Fraction(int(t == target)) for t in range(classes)) for target in order)


def _data_processing(instance: Instance, other_kernel: Callable[[Kernel], Kernel] = lambda kernel: kernel) -> Outcome:
    """The largest ``TV(F P, G P)`` over seeded kernels, the last one a permutation, against ``TV(F, G)``."""
    first, second = (tuple(Fraction(x, sum(c)) for x in c) for c in (_counts(instance["first"]), _counts(instance["second"])))
    rng = random.Random(int(instance["seed"]))
    kernels = [random_kernel(rng, len(first), rng.randint(2, 5)) for _ in range(int(instance["kernels"]))] + [
        permutation_kernel(rng, len(first))
    ]
    right = distance(first, second)
    found = [distance(moved(first, kernel), moved(second, other_kernel(kernel))) for kernel in kernels]
    which = max(range(len(found)), key=found.__getitem__)
    worst = "the permutation" if which == len(kernels) - 1 else f"kernel {which + 1} of {len(kernels) - 1}"
    details = {"worst": worst, "kernels with equality": sum(x == right for x in found), "kernels compared": len(found)}
    return Sides(Interval.exactly(found[which]), Interval.exactly(right), Interval.exactly(1), details)


def _reversed_rows(kernel: Kernel) -> Kernel:
    return kernel[::-1]


def _data_processing_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    pairs = [("1+0", "1+1"), ("3+1+0", "1+1+2"), ("2+1+1", "5+0+3"), ("1+1+1+1", "4+2+1+0"), ("9+1", "4+5"), ("1+2+3+4+5", "5+4+3+2+1")]
    kernels = 40 if profile is Profile.QUICK else 1000
    return [
        Instance(None, None, None, (("first", f), ("second", g), ("kernels", kernels), ("seed", seed))) for seed, (f, g) in enumerate(pairs)
    ]


# ------------------------------------------------------------------------------------------------------------ C7


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


def _arrivals(agents: Population, kernel: Kernel, target: int) -> list[Fraction]:
    """The law of the number of agents that move to ``target``, each independently: ``[Pr[0], .., Pr[sum]]``."""
    law = [Fraction(1)]
    for count, row in zip(agents, kernel, strict=True):
        p = row[target]
        for _ in range(count):
            law = [a * (1 - p) + b * p for a, b in zip([*law, Fraction(0)], [Fraction(0), *law], strict=True)]
    return law


def mean_after_transition(sample: Population, population: Population, kernel: Kernel) -> Fraction:
    """``E TV(F_{z'_Delta}, F_{z'_[n]})`` after every agent of the population, sampled or not, has moved once by itself.

    Exact: for each target class the arrivals from the sample and from the other agents are independent.
    """
    size, total = sum(sample), sum(population)
    outside = tuple(c - x for c, x in zip(population, sample, strict=True))
    twice = Fraction(0)
    for target in range(len(kernel[0])):
        inner, outer = _arrivals(sample, kernel, target), _arrivals(outside, kernel, target)
        for x, p in enumerate(inner):
            twice += sum((p * q * abs(x * (total - size) - y * size) for y, q in enumerate(outer)), Fraction(0)) / (size * total)
    return twice / 2


def mean_after_transition_of_uniform(population: Population, size: int, kernel: Kernel) -> Fraction:
    """The same for a uniform k-subset: drawn independently of the moves, so a uniform k-subset of the population that has moved."""
    total = sum(population)
    twice = Fraction(0)
    for target in range(len(kernel[0])):
        for c, p in enumerate(_arrivals(population, kernel, target)):
            ways = sum(
                comb(c, x) * comb(total - c, size - x) * abs(x * total - c * size)
                for x in range(max(0, size - total + c), min(c, size) + 1)
            )
            twice += p * Fraction(ways, comb(total, size) * size * total)
    return twice / 2


def _before_and_after(instance: Instance) -> tuple[Fraction, Fraction, Kernel]:
    """Distance before and mean distance after: for the sample given, or in the mean where the parameter ``sample`` is ``uniform``."""
    population = _counts(instance["population"])
    kernel = kernel_of(str(instance["kernel"]), len(population))
    if instance["sample"] == "uniform":
        assert instance.subsample is not None
        size = instance.subsample
        return mean_total_variation(population, size), mean_after_transition_of_uniform(population, size, kernel), kernel
    sample = _counts(instance["sample"])
    return counts.total_variation(sample, population), mean_after_transition(sample, population, kernel), kernel


def _transition(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """Mean distance after one sampled transition against the distance before."""
    before, after, _ = _before_and_after(instance)
    assert instance.agents is not None and instance.subsample is not None
    details = {"worst": f"E TV after the transition {after}, TV before it {before}"}
    return Sides(Interval.exactly(after), Interval.exactly(before * scale), _never_more(instance.agents, instance.subsample), details)


def _repaired_transition(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The same with the fluctuation added on the right; ``scale`` multiplies the fluctuation."""
    before, after, kernel = _before_and_after(instance)
    assert instance.agents is not None and instance.subsample is not None
    values = {symbols.n: instance.agents, symbols.k: instance.subsample, symbols.Z: len(kernel[0])}
    fluctuation = AFTER_TRANSITION.enclose({**values, symbols.TV: 0}) * scale
    details = {"worst": f"E TV after the transition {after}, TV before it {before}"}
    return Sides(Interval.exactly(after), fluctuation + before, _never_more(instance.agents, instance.subsample), details)


def _moves(rows: Sequence[tuple[str, str, Sequence[str]]], draw: str | None) -> list[Instance]:
    out = []
    for sample, population, kernels in rows:
        for kernel in kernels:
            size, total = sum(_counts(sample)), sum(_counts(population))
            out.append(Instance(None, total, size, (("sample", draw or sample), ("population", population), ("kernel", kernel))))
    return out


_DETERMINISTIC = ("stay", "rotate", "merge")


def _transition_rows(profile: Profile) -> list[tuple[str, str, Sequence[str]]]:
    kernels = (*_DETERMINISTIC, "uniform", "lazy", *(f"random-{seed}" for seed in range(3 if profile is Profile.QUICK else 20)))
    samples = [("1+0", "2+0"), ("1+0", "1+1"), ("2+0", "2+2"), ("1+1", "3+1"), ("2+1+0", "3+2+1"), ("4+0", "6+2"), ("5+0+0", "5+5+5")]
    more = [("10+0", "10+10"), ("20+5", "30+30"), ("10+5+5", "20+20+20")] if profile is Profile.FULL else []
    return [(sample, population, kernels) for sample, population in samples + more]


def _transition_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    return _moves(_transition_rows(profile), None)


def _mean_transition_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    return _moves(_transition_rows(profile), "uniform")


def _scaled(check: Callable[..., Outcome], factor: Fraction) -> Callable[[Instance], Outcome]:
    return partial(check, scale=factor)


_SAMPLE = ("Delta uniform among the k-subsets of [n]",)
_OCCUPIED = "|Z_l| is the number of classes that the population occupies; 'all' stands for every population of n agents in two or more classes and every k <= n"
_HALVED = Fraction(1, 2)

C4 = Claim(
    id="C4",
    title="Total variation in the mean is of order 1/sqrt(k)",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) \le "
    + TV_MEAN_SHARP.latex
    + "$, at most of order $1/\\sqrt k$ and 0 at $k = n$.",
    source="paper, section 4 (the order); the constant is ours",
    reading="upper half of 'of order', with an explicit constant; exact hypergeometric expectation; " + _OCCUPIED,
    assumptions=_SAMPLE,
    registered=Status.CORROBORATED,
    sides=_mean,
    instances=_instances,
    control=Control("the constant 1/2 is replaced by 1/4", _scaled(_mean, _HALVED), _control_instances),
    left_means="exact E TV",
    right_means="bound",
    grounds=proof(__name__, "C4"),
)

C4L = Claim(
    id="C4l",
    title="Total variation in the mean is no smaller than order 1/sqrt(k)",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) \ge " + TV_MEAN_LEAST.latex + "$ for two classes of $n/2$ agents each.",
    source="paper, section 4 (the order); the constant is ours",
    reading="lower half of 'of order', for balanced populations (a population in one class has TV = 0); all k < n at once",
    assumptions=(*_SAMPLE, "two classes of equal size"),
    registered=Status.CORROBORATED,
    sides=_least_mean,
    instances=_least_mean_instances,
    control=Control(
        "the constant 1/4 is replaced by 1/2", _scaled(_least_mean, Fraction(2)), lambda: _least_mean_instances(Profile.QUICK, None)
    ),
    left_means="bound from below",
    right_means="exact E TV",
    grounds=proof(__name__, "C4l"),
)

C4M = Claim(
    id="C4m",
    title="Total variation in the mean decreases in k",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z_{\Delta_{k+1}}}, F_{z_{[n]}}) \le \mathbb E\, \mathrm{TV}(F_{z_{\Delta_k}}, F_{z_{[n]}})$ for $1 \le k < n$; it is 0 at $k = n$.",
    source="paper, section 4",
    reading="non-increasing, not strictly: population 2+2 has 1/6 at k = 2 and at k = 3; 'all' stands for every population of n agents",
    assumptions=_SAMPLE,
    registered=Status.CORROBORATED,
    sides=_decrease,
    instances=_decrease_instances,
    control=Control("k and k + 1 are exchanged", partial(_decrease, exchanged=(0, 1)), lambda: _decrease_instances(Profile.QUICK, None)),
    left_means="exact E TV at k + 1",
    right_means="exact E TV at k",
    grounds=proof(__name__, "C4m"),
)

C5 = Claim(
    id="C5",
    title="KL divergence never exceeds ln(n/k)",
    statement=r"$\mathrm{KL}(F_{z_\Delta} \,\|\, F_{z_{[n]}}) \le " + bounds.KL_LARGEST.latex + "$ for every sample.",
    source="Lemma F.6 (appendix)",
    reading="the largest over all samples; the sides are exp(k KL) and (n/k)^k, both rational, so that equality is decided exactly; vacuous where k is at most "
    "the smallest class, so that KL <= ln(1/min F) says as much; " + _OCCUPIED,
    assumptions=("Delta any k-subset of [n]",),
    registered=Status.CORROBORATED,
    sides=_largest_divergence,
    instances=_divergence_instances,
    control=Control(
        "n/k is replaced by (n - 1)/k",
        partial(_largest_divergence, base=lambda total, size: Fraction(total - 1, size)),
        lambda: _divergence_instances(Profile.QUICK, None),
    ),
    left_means="largest exp(k KL)",
    right_means="(n/k)^k",
    grounds=proof(__name__, "C5"),
)

C5E = Claim(
    id="C5e",
    title="KL divergence attains ln(n/k), and then surely",
    statement=r"For all $k < n$ there is a population with $\mathrm{KL}(F_{z_\Delta} \,\|\, F_{z_{[n]}}) \ge "
    + bounds.KL_LARGEST.latex
    + "$ for every sample.",
    source="Lemma F.6 (appendix), 'decays too slowly to be used'",
    reading="n agents in n different classes; the sides are (n/k)^k and the smallest exp(k KL). In a fixed number of classes the mean decays like 1/k: R3k",
    assumptions=("the number of classes grows with n",),
    registered=Status.CORROBORATED,
    sides=_least_divergence,
    instances=_least_divergence_instances,
    control=Control(
        "two agents share each class", partial(_least_divergence, together=2), lambda: _least_divergence_instances(Profile.QUICK, None)
    ),
    left_means="(n/k)^k",
    right_means="smallest exp(k KL)",
    grounds=proof(__name__, "C5e"),
)

C6 = Claim(
    id="C6",
    title="Data processing",
    statement=r"$\mathrm{TV}(F P, G P) \le \mathrm{TV}(F, G)$ for every kernel $P$, with equality attained.",
    source="paper, section 4",
    reading="the largest of seeded rational kernels into 2 to 5 classes and one permutation, which attains equality; exact",
    assumptions=("the same kernel on both sides",),
    registered=Status.CORROBORATED,
    sides=_data_processing,
    instances=_data_processing_instances,
    control=Control(
        "G is moved by the kernel with its rows reversed",
        partial(_data_processing, other_kernel=_reversed_rows),
        lambda: _data_processing_instances(Profile.QUICK, None),
    ),
    left_means="largest TV(FP, GP)",
    right_means="TV(F, G)",
    grounds=proof(__name__, "C6"),
)

C7 = Claim(
    id="C7",
    title="One sampled transition does not increase the distance",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z'_\Delta}, F_{z'_{[n]}}) \le \mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}})$ after one sampled transition.",
    source="the way the proof of Theorem E.3 uses it (appendix)",
    reading="each of the n agents moves once by itself, those of Delta included; Delta is given; exact expectation over the moves. "
    "Smallest: one of two agents in one state, a fair coin: 1/4 after, 0 before",
    assumptions=("agents move independently given the global state (eq. 1)",),
    registered=Status.REFUTED,
    sides=_transition,
    instances=_transition_instances,
    control=Control(
        "one per cent is taken off the right side",
        _scaled(_transition, Fraction(99, 100)),
        lambda: _transition_instances(Profile.QUICK, None),
    ),
    rests_on=("C6",),
    left_means="exact E TV after",
    right_means="TV before",
    failing_step="Data processing (C6) is about a kernel applied to a distribution. Agents that move by themselves have an empirical distribution that fluctuates around "
    "its mean, and the sample fluctuates more than the population",
)

C7B = Claim(
    id="C7b",
    title="One sampled transition does not increase the mean distance",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z'_\Delta}, F_{z'_{[n]}}) \le \mathbb E\, \mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}})$ for a uniform $\Delta$.",
    source="the way the proof of Theorem E.3 uses it (appendix), weaker reading",
    reading="as C7, both sides averaged over a uniform k-subset",
    assumptions=(*_SAMPLE, "agents move independently given the global state (eq. 1)"),
    registered=Status.REFUTED,
    sides=_transition,
    instances=_mean_transition_instances,
    control=Control(
        "one per cent is taken off the right side",
        _scaled(_transition, Fraction(99, 100)),
        lambda: _mean_transition_instances(Profile.QUICK, None),
    ),
    rests_on=("C6",),
    left_means="exact E TV after",
    right_means="exact E TV before",
    failing_step="As for C7: on average over the sample, too, the fluctuation of the moves is added to the distance",
)

C7R = Claim(
    id="C7r",
    title="One sampled transition, with the fluctuation (repaired C7)",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z'_\Delta}, F_{z'_{[n]}}) \le "
    + AFTER_TRANSITION.latex
    + r"$ with $\mathrm{TV} = \mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}})$.",
    source="ours",
    reading="as C7; |Z_l| is the number of classes",
    assumptions=("agents move independently given the global state (eq. 1)",),
    registered=Status.CORROBORATED,
    sides=_repaired_transition,
    instances=_transition_instances,
    control=Control(
        "the fluctuation is halved", _scaled(_repaired_transition, _HALVED), lambda: _transition_instances(Profile.QUICK, None)
    ),
    left_means="exact E TV after",
    right_means="bound",
    repairs=("C7", "C7b"),
    grounds=proof(__name__, "C7r", uses=("C6",)),
)

R3 = Claim(
    id="R3",
    title="Tail of the total variation (repaired C2)",
    statement=r"$\Pr\big[\mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) > \epsilon\big] \le "
    + bounds.TV_TAIL_BY_SETS.latex
    + r"$ for every $\epsilon > 0$.",
    source="ours: Serfling's inequality and a union over the sets of classes",
    reading="all epsilon at once, exact hypergeometric probabilities; " + _OCCUPIED,
    assumptions=_SAMPLE,
    registered=Status.CORROBORATED,
    sides=_tail_by_sets,
    instances=_instances,
    control=Control("the factor 2^|Z| is replaced by 2^|Z| / 4", _scaled(_tail_by_sets, Fraction(1, 4)), _control_instances),
    left_means="exact tail probability",
    right_means="bound",
    repairs=("C2", "C3"),
    grounds=proof(__name__, "R3"),
)

R3M = Claim(
    id="R3m",
    title="Mean of the total variation (repaired C2)",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) \le " + bounds.TV_MEAN.latex + "$",
    source="ours: hypergeometric variance, Jensen, Cauchy-Schwarz",
    reading="exact hypergeometric expectation; implied by C4, whose constant is smaller; " + _OCCUPIED,
    assumptions=_SAMPLE,
    registered=Status.CORROBORATED,
    sides=_repaired_mean,
    instances=_instances,
    control=Control("the constant 1/2 is replaced by 1/4", _scaled(_repaired_mean, _HALVED), _control_instances),
    left_means="exact E TV",
    right_means="bound",
    repairs=("C2",),
    grounds=proof(__name__, "R3m", uses=("C4",)),
)

R3K = Claim(
    id="R3k",
    title="KL divergence decays like 1/k in the mean",
    statement=r"$\mathbb E\, \mathrm{KL}(F_{z_\Delta} \,\|\, F_{z_{[n]}}) \le " + KL_MEAN.latex + "$",
    source="ours: chi squared in the mean; qualifies C5's 'decays too slowly'",
    reading="expectation enclosed in ball arithmetic; vacuous where no smaller than ln(n/k); " + _OCCUPIED,
    assumptions=_SAMPLE,
    registered=Status.CORROBORATED,
    sides=_mean_of_divergence,
    instances=_instances,
    control=Control("the right side is divided by four", _scaled(_mean_of_divergence, Fraction(1, 4)), _control_instances),
    left_means="E KL",
    right_means="bound",
    grounds=proof(__name__, "R3k"),
)

CLAIMS: tuple[Claim, ...] = (C4, C4L, C4M, C5, C5E, C6, C7, C7B, C7R, R3, R3M, R3K)
