"""The expected KL divergence of a uniform k-subset. Claim R3k; proof: docs/mathematics/concentration.md."""

from __future__ import annotations

from fractions import Fraction
from math import comb

from mfverify.enclosure import Interval
from mfverify.papers.mean_field_sampling.assumptions import UNIFORM_SAMPLE
from mfverify.papers.mean_field_sampling.lemma_f_6 import logarithm
from mfverify.papers.mean_field_sampling.populations import OCCUPIED, population_control_instances, population_instances
from mfverify.papers.mean_field_sampling.total_variation import mean_sides
from mfverify.papers.ours.symbols import Z, k, n
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.populations import Population, with_sample
from mfverify.theory.claim import Claim, Control, Status
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_space import Populations

KL_MEAN = Bound("R3k", (Z - 1) * (n - k) / (k * (n - 1)), "ours", "bounds E KL(F_Delta || F_[n]) by the mean of chi squared")


def mean_divergence(population: Population, size: int) -> Interval:
    """``E KL(F_Delta || F_[n])``, enclosed: ``(1/k) sum_z sum_x Pr[X_z = x] x ln(x n / (k c_z))``."""
    total = sum(population)
    mean = Interval.exactly(0)
    for c in population:
        for x in range(max(1, size - total + c), min(c, size) + 1):
            weight = Fraction(comb(c, x) * comb(total - c, size - x) * x, comb(total, size) * size)
            mean += logarithm(Fraction(x * total, size * c)) * weight
    return mean


_mean_of_divergence = bind(mean_sides, mean_divergence, KL_MEAN, lambda total, size: logarithm(Fraction(total, size)))

R3K = Claim(
    id="R3k",
    title="The expected KL divergence decays like 1/k",
    statement=r"$\mathbb E\, \mathrm{KL}(F_{z_\Delta} \,\|\, F_{z_{[n]}}) \le " + KL_MEAN.latex + "$",
    source="ours: the expected chi-squared divergence; qualifies C5's 'decays too slowly'",
    reading="expectation enclosed in ball arithmetic; vacuous where no smaller than ln(n/k); " + OCCUPIED,
    assumptions=UNIFORM_SAMPLE,
    registered=Status.CORROBORATED,
    sides=_mean_of_divergence,
    instances=population_instances,
    control=Control("the right side is divided by four", None, population_control_instances, right=by_factor(Fraction(1, 4))),
    left_means="E KL",
    right_means="bound",
    grounds=proof("docs/mathematics/concentration.md", "R3k"),
    searched=Populations(with_sample),
)
