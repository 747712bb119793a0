"""All agents follow a plan of the mean-field limit for a sample: V3 (a new sample at each step), V3f (one sample for all time).

The limit keeps finitely many plans, each with a linear function that bounds its worth from below; a sample ``F_Delta`` chooses the plan whose
function is largest at it. ``excess`` is how much less than ``V_inf(F_Delta)`` the chosen plan may be worth there, a number that is computed with
the plans. Let ``L = 2 rt_l/(1-gamma)`` and ``t = E TV(F_Delta, F) <= (1/2) sqrt((|S_l|-1)(n-k)/(k(n-1)))`` (C4, over local states).

Proofs: docs/mathematics/mean-field-limit.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final

import numpy as np

from mfverify import counts, models
from mfverify.errors import TooLargeError
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.ours.symbols import TABLE, S_l, excess, gamma, k, n, rt_l
from mfverify.papers.quantities import executed, learned, optimum, trivial_gap
from mfverify.papers.screens import plan_gap
from mfverify.subsample_mfq.draws.plan_fixed import WAY as PLAN_FIXED
from mfverify.subsample_mfq.limit_plans import limit_of
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Subsampled, few_and_all_sampled
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.formula import plus, root, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import shared_cost
from mfverify.theory.search_space import LARGE, Arrangement

_MORE_THAN_INFINITELY_MANY: Final = times(gamma * rt_l / (1 - gamma) ** 2, root((S_l - 1) / n))
_SAMPLE: Final = root((S_l - 1) * (n - k) / (k * (n - 1)))

PLAN_ANEW: Final = Bound(
    "V3",
    plus(_MORE_THAN_INFINITELY_MANY, times(rt_l / (1 - gamma) ** 2, _SAMPLE), excess / (1 - gamma)),
    "section 8 of the theory page (ours)",
    "bounds the gap of the plan for a new sample at each step",
    TABLE,
)

PLAN_ONCE: Final = Bound(
    "V3f",
    plus(_MORE_THAN_INFINITELY_MANY, times(rt_l / (1 - gamma), _SAMPLE), excess),
    "section 8 of the theory page (ours)",
    "bounds the gap of the plan for one sample, followed forever",
    TABLE,
)


@lru_cache(maxsize=128)
def excess_forever(model: Model) -> Fraction:
    """How much less than ``V_inf`` a plan that is followed forever may be worth where its function is largest: a certified upper bound."""
    limit = limit_of(model)
    worth = PLAN_FIXED.chain(model, 1, learned(model, 1)).enclose(1e-9).lower
    short = float(np.nextafter((np.concatenate(limit.vectors) - worth).max(), np.inf))
    return Fraction(limit.excess) + max(Fraction(0), Fraction(short))


def _gap(bound: Bound, sampling: str, case: Subsampled) -> Outcome:
    """The largest gap over start states against the bound."""
    model, agents, size = case.model, case.agents, case.subsample
    if agents == 1:
        return NotApplicable("the bound divides by n - 1; with one agent k = n and there is nothing to subsample")
    try:
        gap = optimum(model, agents) - executed(model, agents, size, sampling)
    except TooLargeError as error:
        return Unresolved(str(error))
    g, c = np.unravel_index(int(gap.lower.argmax()), gap.shape)
    less = Fraction(limit_of(model).excess) if bound is PLAN_ANEW else excess_forever(model)
    right = bound.enclose({**symbol_values(model, agents, size), excess: less})
    worst = f"s_g={g}, counts {tuple(int(x) for x in counts.count_vectors(agents, model.sizes[2])[c])}"
    return Sides(gap.max(), right, trivial_gap(model), {"worst": worst, "plans": sum(len(rows) for rows in limit_of(model).vectors)})


def _instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    if given is not None:
        return few_and_all_sampled(given)
    plan: list[tuple[Model, int, tuple[int, ...]]] = [
        (models.coordination(), 100, (1, 5, 11, 51, 100)),
        (models.coordination(), 400, (11, 101)),
        (models.redrawn(), 40, (5, 11, 40)),
        (models.absorbing(), 20, (1, 5, 11, 20)),
        (models.splitting(), 12, (1, 5, 12)),
        *((models.random_coupled(seed, discount="1/2"), 60, (1, 11, 51)) for seed in (4, 5, 16, 100)),
        (models.random_coupled(4, discount="1/100"), 60, (1, 11, 60)),
        (models.random_coupled(22, 3, 2), 10, (1, 5)),
    ]
    if profile is Profile.FULL:
        plan += [(models.random_coupled(seed, discount="1/2"), 200, (1, 11, 51, 200)) for seed in range(12)]
        plan += [(models.random_coupled(seed, 3, 3, discount="1/2"), 10, (1, 5, 10)) for seed in range(12)]
        plan += [(models.coordination(), 2000, (5, 11, 51))]
    return [Subsampled(m, n, k) for m, n, ks in plan for k in ks]


_ASSUMPTIONS = (
    "Assumption 2.1 (finite sets)",
    "Assumption 2.2 (bounded rewards)",
    "kernels and rewards do not depend on the distribution (eq. 1, 2)",
)
_OURS = "ours, unreviewed"

V3 = Claim(
    id="V3",
    title="The plan of the limit for a new sample at each step",
    statement=r"If all agents play the first step of the limit's plan for one shared $k$-subset, drawn at each step: $V_n - V^\pi \le "
    + PLAN_ANEW.latex
    + "$",
    source=_OURS,
    reading="all start states, certified enclosures of both values; the plans are those of mean_field_value at its default width, and a sample "
    "chooses the first one that is worth most to it, compared exactly",
    assumptions=_ASSUMPTIONS,
    registered=Status.CORROBORATED,
    screen=plan_gap(PLAN_ANEW, excess, anew=True),
    sides=bind(_gap, PLAN_ANEW, "plan"),
    instances=_instances,
    control=Control("the bound is divided by 100", right=by_factor(Fraction(1, 100))),
    left_means="largest gap, plan for a new sample",
    right_means="bound V3",
    grounds=proof("docs/mathematics/mean-field-limit.md", "V3", uses=("C4", "C6", "V2")),
    searched=Arrangement(Subsampled, shared_cost, LARGE[:10]),
)

V3F = Claim(
    id="V3f",
    title="The plan of the limit for one sample, followed forever",
    statement=r"If all agents follow the limit's plan for one shared $k$-subset that is drawn once: $V_n - V^\pi \le "
    + PLAN_ONCE.latex
    + "$",
    source=_OURS,
    reading="as V3; the excess counts what a plan is worth when it is followed forever",
    assumptions=_ASSUMPTIONS,
    registered=Status.CORROBORATED,
    screen=plan_gap(PLAN_ONCE, excess, anew=False),
    sides=bind(_gap, PLAN_ONCE, "plan-fixed"),
    instances=_instances,
    control=Control("the bound is divided by 100", right=by_factor(Fraction(1, 100))),
    left_means="largest gap, plan for one sample",
    right_means="bound V3f",
    grounds=proof("docs/mathematics/mean-field-limit.md", "V3f", uses=("C4", "V1", "V2")),
    searched=Arrangement(Subsampled, shared_cost, LARGE[:10]),
)
