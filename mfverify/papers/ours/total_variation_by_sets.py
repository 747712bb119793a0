"""The total variation of a uniform k-subset, its tail and its mean. Claims R3 and R3m, in place of C2 and C3.

Proofs: docs/mathematics/concentration.md.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import sympy as sp

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.papers.mean_field_sampling.assumptions import UNIFORM_SAMPLE
from mfverify.papers.mean_field_sampling.populations import OCCUPIED, population_control_instances, population_instances
from mfverify.papers.mean_field_sampling.tails import SERFLING_EXPONENT, tail, tail_sides
from mfverify.papers.mean_field_sampling.total_variation import exact_mean, mean_sides, never_more
from mfverify.papers.ours import symbols
from mfverify.papers.ours.symbols import TABLE, Z, k, n
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.populations import EveryPopulation, Population, SampledPopulation, text_of, with_sample
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Status, tightest
from mfverify.theory.formula import HALF, root, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_space import Populations

TV_TAIL_BY_SETS: Final = Bound(
    "R3",
    2**Z * sp.exp(SERFLING_EXPONENT),
    "repaired C2: TV is the largest deviation over sets of classes",
    "bounds the probability that TV > epsilon: Serfling's inequality and a union over the 2^Z sets of classes",
    TABLE,
)

TV_MEAN: Final = Bound(
    "R3m",
    times(HALF, root(Z * (n - k) / (k * (n - 1)))),
    "paper, section 4 gives the order; the constant is ours (R3)",
    "bounds E TV: a hypergeometric variance per class, then Jensen and Cauchy-Schwarz; a single agent (n = 1) is excluded, 0/0",
)


def _tail_by_sets(case: SampledPopulation | EveryPopulation) -> Outcome:
    """The tightest of ``Pr[TV >= d] <= 2^Z exp(..)`` over the cases and all possible d > 0."""
    if isinstance(case, SampledPopulation):
        return tail_sides(counts.total_variation, TV_TAIL_BY_SETS, case)
    # The right side depends on the population through Z alone: for every (Z, k, d) only the most likely deviation matters.
    largest: dict[tuple[int, int, Fraction], tuple[Fraction, Population]] = {}
    for population, size in case.pairs:
        for d, probability in tail(population, size, counts.total_variation):
            key = (len(population), size, d)
            if key not in largest or probability > largest[key][0]:
                largest[key] = probability, population
    candidates = []
    for (support, size, d), (probability, population) in largest.items():
        values: dict[Any, Any] = {symbols.n: case.agents, symbols.k: size, symbols.Z: support, symbols.epsilon: d}
        right = TV_TAIL_BY_SETS.enclose(values)
        details = {"worst": f"population {text_of(population)}, k={size}, deviation {d}", "tails compared": len(largest)}
        candidates.append(Sides(Interval.exactly(probability), right, Interval.exactly(1), details))
    return tightest(candidates)


_repaired_mean = bind(mean_sides, exact_mean, TV_MEAN, never_more)

R3 = Claim(
    id="R3",
    title="Tail of the total variation (repaired C2)",
    statement=r"$\Pr\big[\mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) > \epsilon\big] \le "
    + TV_TAIL_BY_SETS.latex
    + r"$ for every $\epsilon > 0$.",
    source="ours: Serfling's inequality and a union over the sets of classes",
    reading="all epsilon at once, exact hypergeometric probabilities; " + OCCUPIED,
    assumptions=UNIFORM_SAMPLE,
    registered=Status.CORROBORATED,
    sides=_tail_by_sets,
    instances=population_instances,
    control=Control("the factor 2^|Z| is replaced by 2^|Z| / 4", None, population_control_instances, right=by_factor(Fraction(1, 4))),
    left_means="exact tail probability",
    right_means="bound",
    repairs=("C2", "C3", "C3b"),
    grounds=proof("docs/mathematics/concentration.md", "R3"),
    searched=Populations(with_sample),
)

R3M = Claim(
    id="R3m",
    title="Mean of the total variation (repaired C2)",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) \le " + TV_MEAN.latex + "$",
    source="ours: hypergeometric variance, Jensen, Cauchy-Schwarz",
    reading="exact hypergeometric expectation; implied by C4, whose constant is smaller; " + OCCUPIED,
    assumptions=UNIFORM_SAMPLE,
    registered=Status.CORROBORATED,
    sides=_repaired_mean,
    instances=population_instances,
    control=Control("the constant 1/2 is replaced by 1/4", None, population_control_instances, right=by_factor(Fraction(1, 2))),
    left_means="exact E TV",
    right_means="bound",
    repairs=("C2",),
    grounds=proof("docs/mathematics/concentration.md", "R3m", uses=("C4",)),
    searched=Populations(with_sample),
)
