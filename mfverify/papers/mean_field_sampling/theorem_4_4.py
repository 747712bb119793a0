"""Theorem 4.4: the optimality gap after learning from samples. Claims T2, and its weaker readings T2b and T2c."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import sympy as sp

from mfverify import models
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.argument_of_theorem_4_2 import walk
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.gaps import bound_at, gap_sides
from mfverify.papers.mean_field_sampling.laws_of_estimates import pairs_of_counts
from mfverify.papers.mean_field_sampling.number_of_iterations import ITERATION_TARGET
from mfverify.papers.mean_field_sampling.symbols import k, symbol_values
from mfverify.papers.mean_field_sampling.theorem_4_2 import LOG_OUTSIDE_ROOT, LOG_UNDER_ROOT, THEOREM_4_2_DOUBLED
from mfverify.papers.quantities import optimum, scaled
from mfverify.papers.screens import independent_gap
from mfverify.subsample_mfq.execution import execution_value
from mfverify.subsample_mfq.learning import bellman_noise, learn
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Learned, Subsampled
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.evaluate import UndefinedError
from mfverify.theory.formula import plus, times
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import lumped_cost
from mfverify.theory.search_space import LARGE, Arrangement
from mfverify.theory.witness import GapProof

THEOREM_4_4: Final = Bound(
    "T2",
    plus(LOG_UNDER_ROOT, 4 / sp.sqrt(k)),
    "Theorem 4.4",
    "the logarithm under the root; m as in Lemma 4.3, with probability >= 1 - 1/(100 e^k)",
)

THEOREM_4_4_WEAKER: Final = Bound(
    "T2b",
    plus(LOG_OUTSIDE_ROOT, 4 / sp.sqrt(k)),
    "Theorem 4.4",
    "the logarithm outside the root",
)


THEOREM_4_4_DOUBLED: Final = Bound(
    "T2c",
    plus(times(2, LOG_UNDER_ROOT), 4 / sp.sqrt(k)),
    "Theorem 4.4",
    "the logarithm under the root, the first term doubled",
)


def _gap(bound: Bound, case: Subsampled | Learned) -> Outcome:
    """The largest gap against the bound: of the exact operator, or of an empirical one that is certified good."""
    if isinstance(case, Subsampled):
        return gap_sides(bound, "independent", case)
    model, n, k = case.model, case.agents, case.subsample
    try:
        learned = learn(model, k, samples=case.samples, seed=case.seed)
        noise = bellman_noise(learned)
        if (noise <= ITERATION_TARGET.enclose({symbols.k: k})) is not True:
            return NotApplicable(f"eps_{{k,m}} = {noise!r} is not certified to be at most 1/sqrt(k): more samples are needed")
        gap = (optimum(model, n) - execution_value(model, n, learned)).max()
        right = bound.enclose(symbol_values(model, n, k))
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    except UndefinedError as error:
        return NotApplicable(str(error))
    return Sides(gap, right, Interval.exactly(2 * model.rt / (1 - model.discount)), {"Bellman noise": repr(noise)})


def _t2_instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled | Learned]:
    if given is not None:
        return [
            Subsampled(m, n, k)
            for m in given
            for n, ks in ((4, (1, 2, 3, 4)), (8, (1, 2, 4, 8)))
            for k in ks
            if pairs_of_counts(m, n) <= 20_000
        ]
    coordination = models.coordination()
    plan: list[tuple[Model, int, tuple[int, ...]]] = [
        (coordination, 100, (11, 51, 99, 100)),
        (coordination, 200, (101, 151, 199)),
        (coordination, 400, (399,)),
        (models.coordination(discount="7/10"), 200, (199,)),
        (scaled(coordination, 100), 100, (51, 99)),
        (scaled(coordination, 100), 250, (249,)),
        (models.absorbing(), 12, (4, 8, 12)),
        *((models.random_coupled(seed), 40, (10, 40)) for seed in (4, 16)),
    ]
    measured = [
        (coordination, 50, 11, 1),
        *((models.random_coupled(seed, discount="1/2"), 12, 11, 64) for seed in (4, 16)),
        (models.random_coupled(4), 40, 4, 4),
    ]
    if profile is Profile.FULL:
        plan += [
            (coordination, 1000, (501, 801, 999)),
            (models.coordination("1/2"), 400, (399,)),
            (models.coordination(discount="9/10"), 1000, (999,)),
        ]
        measured += [(models.random_coupled(seed), 40, 8, 256) for seed in (4, 5, 16)]
    return [*(Subsampled(m, n, k) for m, n, ks in plan for k in ks), *(Learned(*one, seed=0) for one in measured)]


def _t2_control_instances() -> list[Subsampled]:
    return [Subsampled(models.coordination(), 100, 99), Subsampled(models.coordination(), 200, 199)]


_SURE = (
    "exact operator and T large: the event that the theorem gives probability 1 - 1/(100 e^k) is then sure. Where every next state is certain "
    "(coordination), T_{k,m} = T_k for every m, m* included, so this is the theorem as stated. Rewards bounded by about 1 except where an instance says so: "
    "4/sqrt(k) does not grow with the rewards, while both other sides do. Instances with samples: a smaller m than required, with eps_{k,m} <= 1/sqrt(k) certified"
)

_SEARCHED = Arrangement(Subsampled, lumped_cost, LARGE, scaled=True)


T2 = Claim(
    id="T2",
    title="Theorem 4.4: the gap with enough samples",
    statement=r"For all $s_0$, with probability at least $1 - \frac{1}{100 e^k}$: $V^*(s_0) - V^{\pi^{est}_{k,m}}(s_0) \le "
    + THEOREM_4_4.latex
    + "$",
    source="Theorem 4.4",
    reading="the logarithm under the root; " + _SURE,
    assumptions=(*FINITE, "rewards additive over agents (eq. 2)", "independent draws (Algorithm 2)"),
    registered=Status.REFUTED,
    screen=independent_gap(THEOREM_4_4),
    sides=bind(_gap, THEOREM_4_4),
    instances=_t2_instances,
    control=Control("the bound is halved", instances=_t2_control_instances, right=by_factor(Fraction(1, 2))),
    rests_on=("T1", "N1", "B7"),
    left_means="largest gap over start states",
    right_means="bound of Theorem 4.4",
    failing_step="It inherits the steps of T1: expectation and maximum are exchanged (M1, in L2), and independently drawn samples are treated as one. The "
    "learning part is not to blame: where every next state is certain the empirical operator is the exact one",
    gap_bound=THEOREM_4_4,
    certificate=GapProof(right=bound_at(THEOREM_4_4)),
    argument=bind(walk, THEOREM_4_4, THEOREM_4_2_DOUBLED),
    searched=_SEARCHED,
)

T2B = Claim(
    id="T2b",
    title="Theorem 4.4, weaker reading",
    statement=r"For all $s_0$, with probability at least $1 - \frac{1}{100 e^k}$: $V^*(s_0) - V^{\pi^{est}_{k,m}}(s_0) \le "
    + THEOREM_4_4_WEAKER.latex
    + "$",
    source="Theorem 4.4, weaker reading",
    reading="the logarithm outside the root: a larger right side, so a weaker statement; " + _SURE,
    assumptions=(*FINITE, "rewards additive over agents (eq. 2)", "independent draws (Algorithm 2)"),
    registered=Status.REFUTED,
    screen=independent_gap(THEOREM_4_4_WEAKER),
    sides=bind(_gap, THEOREM_4_4_WEAKER),
    instances=_t2_instances,
    control=Control("the bound is divided by four", instances=_t2_control_instances, right=by_factor(Fraction(1, 4))),
    rests_on=("T1b", "N1", "B7"),
    left_means="largest gap over start states",
    right_means="bound, weaker reading",
    failing_step="As for T2: the remainder 4/sqrt(k) and the logarithm outside the root still fall with k, and the loss from samples that disagree does not",
    gap_bound=THEOREM_4_4_WEAKER,
    certificate=GapProof(right=bound_at(THEOREM_4_4_WEAKER)),
    argument=bind(walk, THEOREM_4_4_WEAKER, THEOREM_4_2_DOUBLED),
    searched=_SEARCHED,
)

T2C = Claim(
    id="T2c",
    title="Theorem 4.4, the first term doubled",
    statement=r"For all $s_0$, with probability at least $1 - \frac{1}{100 e^k}$: $V^*(s_0) - V^{\pi^{est}_{k,m}}(s_0) \le "
    + THEOREM_4_4_DOUBLED.latex
    + "$",
    source="Theorem 4.4, as two comparisons with the slope of Theorem E.3 give it",
    reading="the logarithm under the root, the first term twice the printed one as in T1c: a larger right side, so a weaker statement; "
    + _SURE,
    assumptions=(*FINITE, "rewards additive over agents (eq. 2)", "independent draws (Algorithm 2)"),
    registered=Status.REFUTED,
    screen=independent_gap(THEOREM_4_4_DOUBLED),
    sides=bind(_gap, THEOREM_4_4_DOUBLED),
    instances=_t2_instances,
    control=Control("the bound is divided by four", instances=_t2_control_instances, right=by_factor(Fraction(1, 4))),
    rests_on=("T1c", "N1", "B7"),
    left_means="largest gap over start states",
    right_means="bound, first term doubled",
    failing_step="As for T2: the remainder 4/sqrt(k) and twice the first term still fall with k, and the loss from samples that disagree does not",
    gap_bound=THEOREM_4_4_DOUBLED,
    certificate=GapProof(right=bound_at(THEOREM_4_4_DOUBLED)),
    argument=bind(walk, THEOREM_4_4_DOUBLED, THEOREM_4_2_DOUBLED),
    searched=_SEARCHED,
)
