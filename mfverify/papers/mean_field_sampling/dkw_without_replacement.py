"""DKW without replacement (appendix): the largest deviation of a class. Claim C1."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import sympy as sp

from mfverify.papers.mean_field_sampling.assumptions import UNIFORM_SAMPLE
from mfverify.papers.mean_field_sampling.symbols import TABLE, Z
from mfverify.papers.mean_field_sampling.tails import SERFLING_EXPONENT, tail_instances, tail_sides
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.populations import with_sample
from mfverify.theory.claim import Claim, Control, Status
from mfverify.theory.grounds import theorem
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_space import Populations

SUP_NORM_TAIL: Final = Bound(
    "C1",
    2 * Z * sp.exp(SERFLING_EXPONENT),
    "DKW without replacement (appendix)",
    "bounds the probability that some class deviates by more than epsilon",
    TABLE,
)


def largest_deviation(sample: tuple[int, ...], population: tuple[int, ...]) -> Fraction:
    """``max_z |F_Delta(z) - F_[n](z)|``."""
    k, n = sum(sample), sum(population)
    return Fraction(max(abs(x * n - c * k) for x, c in zip(sample, population, strict=True)), k * n)


_sup_norm = bind(tail_sides, largest_deviation, SUP_NORM_TAIL)

C1 = Claim(
    id="C1",
    title="DKW without replacement, sup norm",
    statement=r"$\Pr\big[\max_z |F_{z_\Delta}(z) - F_{z_{[n]}}(z)| > \epsilon\big] \le "
    + SUP_NORM_TAIL.latex
    + r"$ for every $\epsilon > 0$.",
    source="DKW without replacement (appendix)",
    reading="all epsilon at once, exact hypergeometric probabilities; |Z_l| is the number of classes of the population",
    assumptions=UNIFORM_SAMPLE,
    registered=Status.CORROBORATED,
    sides=_sup_norm,
    instances=tail_instances,
    control=Control("the factor 2 |Z_l| is replaced by |Z_l| / 4", right=by_factor(Fraction(1, 8))),
    left_means="exact tail probability",
    right_means="bound",
    grounds=theorem("Serfling 1974, The Annals of Statistics 2, Corollary 1.1, for both sides of each class, and a union over the classes"),
    searched=Populations(with_sample),
)
