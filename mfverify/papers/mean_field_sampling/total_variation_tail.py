"""The tail of the total variation as Theorem 4.2 uses it. Claims C2 and C3."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

import sympy as sp

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.assumptions import UNIFORM_SAMPLE
from mfverify.papers.mean_field_sampling.dkw_without_replacement import SUP_NORM_TAIL
from mfverify.papers.mean_field_sampling.symbols import TABLE, Z, delta, epsilon, k, n
from mfverify.papers.mean_field_sampling.tails import tail, tail_instances, tail_sides
from mfverify.rationals import written
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.populations import SampledPopulation, with_sample
from mfverify.theory.claim import Claim, Control, Status
from mfverify.theory.formula import root, times
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_space import Populations
from mfverify.theory.witness import Witness

TV_TAIL: Final = replace(
    SUP_NORM_TAIL, name="C2", source="the way Theorem 4.2 uses C1", reading="the same number for the probability that TV > epsilon"
)

TV_QUANTILE: Final = Bound(
    "C3",
    root(times((n - k + 1) / (8 * n * k), sp.log(2 * Z / delta))),
    "Theorem D.2 (appendix)",
    "with probability >= 1 - delta, TV is at most this: TV read as half the largest deviation of one class",
    TABLE,
)

TV_QUANTILE_TAIL: Final = Bound(
    "C3 tail",
    2 * Z * sp.exp(-8 * n * k * epsilon**2 / (n - k + 1)),
    "C3 solved for delta",
    "the delta for which C3 equals epsilon, hence what C3 says of the probability that TV > epsilon",
    TABLE,
)

_total_variation = bind(tail_sides, counts.total_variation, TV_TAIL)
_quantile = bind(tail_sides, counts.total_variation, TV_QUANTILE_TAIL)


def _largest_tail(bound: Bound, case: SampledPopulation) -> Witness:
    """The deviation at which the tail probability exceeds its bound most."""
    population, k = case.population, case.subsample
    values = {symbols.n: sum(population), symbols.k: k, symbols.Z: len(population)}
    found = [(p, bound.enclose(values | {symbols.epsilon: d}), d) for d, p in tail(population, k, counts.total_variation)]
    probability, right, d = max(found, key=lambda sides: sides[0] - sides[1].upper)
    return Witness(Interval.exactly(probability), right, {"deviation": written(d)}, agents=sum(population))


C2 = Claim(
    id="C2",
    title="The same tail for total variation",
    statement=r"$\Pr\big[\mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) > \epsilon\big] \le " + TV_TAIL.latex + r"$ for every $\epsilon > 0$.",
    source="the way Theorem 4.2 uses the DKW bound",
    reading="TV is half the l1 distance (Definition 3.2); all epsilon at once",
    assumptions=UNIFORM_SAMPLE,
    registered=Status.REFUTED,
    sides=_total_variation,
    instances=tail_instances,
    control=Control("the factor 2 |Z_l| is replaced by |Z_l| / 4", right=by_factor(Fraction(1, 8))),
    rests_on=("C1",),
    left_means="exact tail probability",
    right_means="bound",
    failing_step="The union bound over the |Z_l| classes controls the largest deviation of one class. Total variation is the largest deviation over sets of classes, of "
    "which there are 2^|Z_l|: up to |Z_l|/2 times as large",
    certificate=bind(_largest_tail, TV_TAIL),
    searched=Populations(with_sample),
)

C3 = Claim(
    id="C3",
    title="Theorem D.2: total variation with probability 1 - delta",
    statement=r"With probability at least $1 - \delta$: $\mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) \le "
    + TV_QUANTILE.latex
    + r"$, for every $\delta \in (0, 1)$.",
    source="Theorem D.2 (appendix)",
    reading="TV is half the l1 distance (Definition 3.2); solved for delta: Pr[TV >= t] <= "
    + "delta(t) for every possible value t, delta(t) = 2|Z_l| exp(-8 n k t^2 / (n-k+1)); where delta(t) >= 1 nothing is claimed",
    assumptions=UNIFORM_SAMPLE,
    registered=Status.REFUTED,
    sides=_quantile,
    instances=tail_instances,
    control=Control("the factor 2 |Z_l| is replaced by |Z_l| / 4", right=by_factor(Fraction(1, 8))),
    rests_on=("C1",),
    left_means="exact tail probability at the bound",
    right_means="delta",
    failing_step="Total variation is half the sum of the deviations of all classes, which is at least the largest deviation (and equal to it for two classes); "
    "the reading takes half of the largest one",
    certificate=bind(_largest_tail, TV_QUANTILE_TAIL),
    searched=Populations(with_sample),
)
