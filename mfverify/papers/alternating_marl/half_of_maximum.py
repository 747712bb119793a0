"""Total variation and half of the largest deviation, taken to be the same condition. Claim C3b.

``TV <= e iff max_z |F_Delta(z) - F_[n](z)| < 2 e`` for every e > 0 has two directions. *TV to maximum* says that ``max/2 <= TV``, which
holds: TV is the largest deviation over sets of classes, so at least that of one class. *Maximum to TV* says that ``TV <= max/2``: otherwise
some e lies between the two. As ``max <= TV``, that fails for every sample whose distribution is not that of the population, two classes included.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import UNIFORM_SAMPLE
from mfverify.papers.mean_field_sampling.tails import population_of, tail_instances
from mfverify.papers.mean_field_sampling.total_variation import never_more
from mfverify.theory.claim import Claim, Control, Instance, Outcome, Profile, Sides, Status, tightest
from mfverify.theory.populations import text_of
from mfverify.theory.search_space import Populations

TO_MAXIMUM, TO_TV = "TV to maximum", "maximum to TV"


def _largest_deviation(sample: Sequence[int], population: Sequence[int]) -> Fraction:
    k, n = sum(sample), sum(population)
    return max(abs(Fraction(x, k) - Fraction(c, n)) for x, c in zip(sample, population, strict=True))


def _equivalence(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The tightest over all samples of the population."""
    population, k = population_of(instance), instance.subsample
    assert k is not None
    trivial = never_more(sum(population), k)
    found = []
    for sample, _ in counts.subsample_law(population, k):
        sides = _largest_deviation(sample, population) / 2, counts.total_variation(sample, population)
        left, right = sides if instance["direction"] == TO_MAXIMUM else sides[::-1]
        details = {"worst": f"sample {text_of(sample)}"}
        found.append(Sides(Interval.exactly(left), Interval.exactly(right * scale), trivial, details))
    return tightest(found)


def _instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    few = [one for one in tail_instances(profile, given) if one.agents is not None and one.agents <= 8]
    return [Instance(None, x.agents, x.subsample, (*x.parameters, ("direction", which))) for x in few for which in (TO_MAXIMUM, TO_TV)]


def _to_tv(population: tuple[int, ...], k: int) -> Instance:
    return Instance(None, sum(population), k, (("population", text_of(population)), ("direction", TO_TV)))


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
    control=Control(
        "the right side is divided by four", partial(_equivalence, scale=Fraction(1, 4)), lambda: _instances(Profile.QUICK, None)
    ),
    left_means="half of the largest deviation, or TV",
    right_means="TV, or half of the largest deviation",
    failing_step="TV is the largest deviation over sets of classes, so at least the largest deviation of one class; the step takes it to be at most half of that. "
    "It fails for every sample that is not exact, with two classes too",
    searched=Populations(_to_tv),
)
