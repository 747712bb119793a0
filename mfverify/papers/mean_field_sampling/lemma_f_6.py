"""Lemma F.6 (appendix): the KL divergence of a sample from its population. Claims C5 and C5e.

``KL <= ln(n/k)`` and ``TV <= 1 - k/n`` for every sample; the two are the trivial bounds of the claims about distances. Proofs:
docs/mathematics/concentration.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb, prod
from typing import Final

import sympy as sp

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.model import Model
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.populations import OCCUPIED
from mfverify.papers.mean_field_sampling.symbols import k, n
from mfverify.papers.mean_field_sampling.total_variation import mean_total_variation
from mfverify.rationals import estimate
from mfverify.theory.bound import Bound
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.populations import EveryPopulation, Population, SampledPopulation, text_of, with_sample
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, tightest
from mfverify.theory.evaluate import enclose
from mfverify.theory.grounds import proof
from mfverify.theory.search_space import Parameters, Populations

KL_LARGEST: Final = Bound(
    "C5",
    sp.log(n / k),
    "Lemma F.6 (appendix)",
    "bounds KL(F_Delta || F_[n]); too slow in k to be of use",
)


@lru_cache(maxsize=65536)
def logarithm(ratio: Fraction) -> Interval:
    """The natural logarithm of a rational > 0, enclosed."""
    return enclose(sp.log(symbols.epsilon), {symbols.epsilon: ratio})


def divergence_power(sample: Population, population: Population) -> Fraction:
    """``exp(k KL(F_Delta || F_[n])) = prod_z (x_z n / (k c_z))^x_z``, a rational."""
    size, total = sum(sample), sum(population)
    return prod((Fraction(x * total, size * c) ** x for x, c in zip(sample, population, strict=True) if x), start=Fraction(1))


def _largest_divergence(case: SampledPopulation | EveryPopulation) -> Outcome:
    """The tightest of ``exp(k KL) <= (n/k)^k`` over all samples of all cases, in rationals; equality is decided exactly.

    Trivial is ``KL <= ln(1/min_z F_[n](z))``, as a mean of ``ln(F_Delta/F_[n])`` is at most the largest of these; and KL = 0 at k = n.
    """
    candidates = []
    attained = samples = 0
    for population, size in case.pairs:
        total = sum(population)
        found = [(divergence_power(sample, population), sample) for sample in counts.subcounts(population, size)]
        power, sample = max(found)
        right = Fraction(total, size) ** size
        samples += len(found)
        attained += sum(value == right for value, _ in found)
        divergence = logarithm(power) / size
        most = Interval.exactly(Fraction(total, min(population)) ** size if size < total else 1)
        details = {"worst": f"population {text_of(population)}, sample {text_of(sample)}: KL = {estimate(divergence.midpoint)}"}
        candidates.append(Sides(Interval.exactly(power), Interval.exactly(right), most, details))
    worst = tightest(candidates)
    return Sides(worst.left, worst.right, worst.trivial, {**worst.details, "samples compared": samples, "samples with equality": attained})


def _divergence_instances(profile: Profile, _: Sequence[Model] | None) -> list[SampledPopulation | EveryPopulation]:
    most = 8 if profile is Profile.QUICK else 10
    large = [((10, 10), 5), ((10, 10), 10), ((20, 10, 5, 5), 5), ((20, 10, 5, 5), 10), ((90, 10), 10)]
    large += [((100, 100), 100), ((40, 30, 20), 30)] if profile is Profile.FULL else []
    return [*map(EveryPopulation, range(2, most + 1)), *(SampledPopulation(p, size) for p, size in large)]


def _single() -> list[SampledPopulation]:
    return [one for one in _divergence_instances(Profile.QUICK, None) if isinstance(one, SampledPopulation)]


def _one_agent_less(right: Interval, case: SampledPopulation) -> Interval:
    del right
    return Interval.exactly(Fraction(case.agents - 1, case.subsample) ** case.subsample)


@dataclass(frozen=True)
class Distinct(Case):
    """n agents in n classes, of which k are sampled."""

    agents: int
    subsample: int


def _powers(case: Distinct, together: int) -> list[Fraction]:
    """``exp(k KL)`` of all samples where ``together`` agents share a class."""
    population = (together,) * (case.agents // together)
    return [divergence_power(sample, population) for sample in counts.subcounts(population, case.subsample)]


def _least_divergence(case: Distinct) -> Outcome:
    """``(n/k)^k <= exp(k KL)`` for every sample from n agents in n classes."""
    total, size = case.agents, case.subsample
    powers, mean = _powers(case, 1), mean_total_variation((1,) * total, size)
    details = {"worst": f"KL = ln({total}/{size}) in all {len(powers)} kinds of samples, where TV = {mean}"}
    return Sides(Interval.exactly(Fraction(total, size) ** size), Interval.exactly(min(powers)), None, details)


def _two_together(right: Interval, case: Distinct) -> Interval:
    del right
    return Interval.exactly(min(_powers(case, 2)))


def _least_divergence_instances(profile: Profile, _: Sequence[Model] | None) -> list[Distinct]:
    sizes = (2, 4, 8) if profile is Profile.QUICK else (2, 4, 6, 8, 10, 12)
    return [Distinct(total, size) for total in sizes for size in range(1, total)]


_MOST_LISTED = 20_000


def _all_different(n: int, k: int) -> Distinct | None:
    """A case of a search: all samples are listed, so there must be few."""
    return Distinct(n, k) if k < n and n * comb(n, k) <= _MOST_LISTED else None


C5 = Claim(
    id="C5",
    title="KL divergence never exceeds ln(n/k)",
    statement=r"$\mathrm{KL}(F_{z_\Delta} \,\|\, F_{z_{[n]}}) \le " + KL_LARGEST.latex + "$ for every sample.",
    source="Lemma F.6 (appendix)",
    reading="the largest over all samples; the sides are exp(k KL) and (n/k)^k, both rational, so that equality is decided exactly; vacuous where k is at most "
    "the smallest class, so that KL <= ln(1/min F) says as much; " + OCCUPIED,
    assumptions=("Delta any k-subset of [n]",),
    registered=Status.CORROBORATED,
    sides=_largest_divergence,
    instances=_divergence_instances,
    control=Control("n/k is replaced by (n - 1)/k", instances=_single, right=_one_agent_less),
    left_means="largest exp(k KL)",
    right_means="(n/k)^k",
    grounds=proof("docs/mathematics/concentration.md", "C5"),
    searched=Populations(with_sample),
)

C5E = Claim(
    id="C5e",
    title="KL divergence attains ln(n/k), and then surely",
    statement=r"For all $k < n$ there is a population with $\mathrm{KL}(F_{z_\Delta} \,\|\, F_{z_{[n]}}) \ge "
    + KL_LARGEST.latex
    + "$ for every sample.",
    source="Lemma F.6 (appendix), 'decays too slowly to be used'",
    reading="n agents in n different classes; the sides are (n/k)^k and the smallest exp(k KL). In a fixed number of classes the mean decays like 1/k: R3k",
    assumptions=("the number of classes grows with n",),
    registered=Status.CORROBORATED,
    sides=_least_divergence,
    instances=_least_divergence_instances,
    control=Control("two agents share each class", right=_two_together),
    left_means="(n/k)^k",
    right_means="smallest exp(k KL)",
    grounds=proof("docs/mathematics/concentration.md", "C5e"),
    searched=Parameters((range(2, 201), range(1, 200)), _all_different),
)
