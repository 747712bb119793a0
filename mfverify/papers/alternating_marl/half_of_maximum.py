"""Total variation and half of the largest deviation, taken to be the same condition. Claim C3b.

``TV <= e iff max_z |F_Delta(z) - F_[n](z)| < 2 e`` for every e > 0 has two directions. *TV to maximum* says that ``max/2 <= TV``, which
holds: TV is the largest deviation over sets of classes, so at least that of one class. *Maximum to TV* says that ``TV <= max/2``: otherwise
some e lies between the two. As ``max <= TV``, that fails for every sample whose distribution is not that of the population, two classes included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import UNIFORM_SAMPLE
from mfverify.papers.mean_field_sampling.tails import tail_instances
from mfverify.papers.mean_field_sampling.total_variation import never_more
from mfverify.theory.cases.populations import SampledPopulation, text_of
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, tightest
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_space import Populations
from mfverify.theory.witness import Witness


class Direction(Enum):
    """Which of the two follows from the other."""

    TO_MAXIMUM = "TV to maximum"
    TO_TV = "maximum to TV"


@dataclass(frozen=True)
class OneDirection(SampledPopulation):
    """A population, the size of a sample, and a direction."""

    direction: Direction


def _largest_deviation(sample: Sequence[int], population: Sequence[int]) -> Fraction:
    k, n = sum(sample), sum(population)
    return max(abs(Fraction(x, k) - Fraction(c, n)) for x, c in zip(sample, population, strict=True))


def _equivalence(case: OneDirection) -> Outcome:
    """The tightest over all samples of the population."""
    population, k = case.population, case.subsample
    trivial = never_more(sum(population), k)
    found = []
    for sample, _ in counts.subsample_law(population, k):
        sides = _largest_deviation(sample, population) / 2, counts.total_variation(sample, population)
        left, right = sides if case.direction is Direction.TO_MAXIMUM else sides[::-1]
        details = {"worst": f"sample {text_of(sample)}"}
        found.append(Sides(Interval.exactly(left), Interval.exactly(right), trivial, details))
    return tightest(found)


def _farthest(case: OneDirection) -> Witness:
    """The sample that lies farthest from its population, which shows most in either direction."""
    population, k = case.population, case.subsample
    sample, _ = max(counts.subsample_law(population, k), key=lambda pair: counts.total_variation(pair[0], population))
    sides = [_largest_deviation(sample, population) / 2, counts.total_variation(sample, population)]
    left, right = map(Interval.exactly, sides if case.direction is Direction.TO_MAXIMUM else sides[::-1])
    return Witness(left, right, {"sample": list(sample)})


def _instances(profile: Profile, given: Sequence[Model] | None) -> list[OneDirection]:
    few = [one for one in tail_instances(profile, given) if one.agents <= 8]
    return [OneDirection(x.population, x.subsample, which) for x in few for which in Direction]


def _to_tv(population: tuple[int, ...], k: int) -> OneDirection:
    return OneDirection(population, k, Direction.TO_TV)


C3B = Claim(
    id="C3b",
    title="Total variation and half of the largest deviation",
    statement=r"For every $\epsilon > 0$: $\mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) \le \epsilon$ if and only if "
    r"$\max_z |F_{z_\Delta}(z) - F_{z_{[n]}}(z)| < 2\epsilon$.",
    source="a step of arXiv 2603.03759 from the largest deviation to total variation; the factor of Theorem D.2 (C3) is the same",
    reading="TV is half the l1 distance; each direction, solved for epsilon, is one inequality between TV and half of the largest deviation; all "
    "samples of a population, exact",
    assumptions=UNIFORM_SAMPLE,
    registered=Status.REFUTED,
    sides=_equivalence,
    instances=_instances,
    control=Control("the right side is divided by four", right=by_factor(Fraction(1, 4))),
    left_means="half of the largest deviation, or TV",
    right_means="TV, or half of the largest deviation",
    failing_step="TV is the largest deviation over sets of classes, so at least the largest deviation of one class; the step takes it to be at most half of that. "
    "It fails for every sample that is not exact, with two classes too",
    certificate=_farthest,
    searched=Populations(_to_tv),
)
