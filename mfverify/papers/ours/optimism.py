"""Subsampling is optimistic, and less so the more agents are sampled. Claims R1, and P4r in place of P4.

``V_n``, ``Q_n`` belong to the n-agent system. R1: ``E_Delta V_k(s_g, s_Delta) >= V_n(s_g, s_[n])``, and the same for Q. P4r: what the learner expects,
``E V_k``, falls as k grows, down to ``V_n`` at k = n. What it gets need not. Proofs: docs/mathematics/across-sizes.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from operator import itemgetter

import flint

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.exact.rational import State, fraction
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.ours.coupled_models import SEARCHED, exact_pairs
from mfverify.papers.quantities import rational_system, scaled, trivial_gap
from mfverify.papers.screens import OPTIMISM, OPTIMISM_FALLS
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Status
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import of_model, same_model


def _optimistic(case: Subsampled, sampled: Model) -> Outcome:
    """Largest ``V_n(s) - E_Delta V_k(s_Delta)`` over all states, exact; k agents are those of a model that should be that of the case."""
    model, n, k = case.model, case.agents, case.subsample
    large, small = rational_system(model, n).optimum, rational_system(sampled, k).optimum
    excesses = [(fraction(v) - _mean(small, g, c, k), f"s_g={g}, counts {c}") for (g, c), v in large.items()]
    worst, where = max(excesses, key=itemgetter(0))
    return Sides(Interval.exactly(worst), Interval.exactly(0), trivial_gap(model), {"worst": where})


def _mean(table: Mapping[State, flint.fmpq], g: int, population: tuple[int, ...], size: int) -> Fraction:
    """``E V_k(g, s_Delta)`` over uniform samples of that size."""
    return sum((p * fraction(table[g, sample]) for sample, p in counts.subsample_law(population, size)), Fraction(0))


def _rises(case: Subsampled) -> list[tuple[Fraction, str]]:
    """``E V_{k+1} - E V_k`` for every global state and population of n agents, exact."""
    model, n, k = case.model, case.agents, case.subsample
    fewer, more = (rational_system(model, size).optimum for size in (k, k + 1))
    rises = []
    for g in range(model.sizes[0]):
        for row in counts.count_vectors(n, model.sizes[2]):
            population = tuple(int(x) for x in row)
            rises.append((_mean(more, g, population, k + 1) - _mean(fewer, g, population, k), f"s_g={g}, counts {population}"))
    return rises


def _optimism_falls(case: Subsampled) -> Outcome:
    worst, where = max(_rises(case), key=itemgetter(0))
    return Sides(Interval.exactly(worst), Interval.exactly(0), trivial_gap(case.model), {"worst": where})


def _exchanged(left: Interval, case: Subsampled) -> Interval:
    del left
    return Interval.exactly(max(-rise for rise, _ in _rises(case)))


def _less_paid(model: Model) -> Model:
    return scaled(model, Fraction(9, 10))


_OURS = "ours, unreviewed"

R1 = Claim(
    id="R1",
    title="Subsampling is optimistic",
    statement=r"$V_n(s_g, s_{[n]}) - \mathbb E_\Delta V_k(s_g, s_\Delta) \le 0$ for a uniform $k$-subset $\Delta$.",
    source=_OURS,
    reading="all states, exact rationals; the sides are the largest difference and 0",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    screen=OPTIMISM,
    sides=same_model(_optimistic),
    instances=exact_pairs,
    control=Control("the k-value is multiplied by 9/10", of_model(_optimistic, _less_paid)),
    left_means="largest V_n - E V_k",
    right_means="0",
    grounds=proof("docs/mathematics/across-sizes.md", "R1"),
    searched=SEARCHED,
)

P4R = Claim(
    id="P4r",
    title="What the learner expects falls with k, down to the optimum",
    statement=r"$\mathbb E_{\Delta} V_{k+1}(s_g, s_{\Delta}) - \mathbb E_{\Delta'} V_k(s_g, s_{\Delta'}) \le 0$ for uniform subsets of $k+1$ and of $k$ of the $n$ agents.",
    source=_OURS,
    reading="all populations of n agents, exact rationals; at k + 1 = n the first mean is V_n. The bound R4 of the gap falls with k too, the gap itself need not (P4)",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    screen=OPTIMISM_FALLS,
    sides=_optimism_falls,
    instances=exact_pairs,
    control=Control("k and k + 1 are exchanged", left=_exchanged),
    left_means="largest E V_{k+1} - E V_k",
    right_means="0",
    repairs=("P4",),
    grounds=proof("docs/mathematics/across-sizes.md", "P4r", uses=("R1",)),
    searched=SEARCHED,
)
