"""Infinitely many agents compared with n agents: V1 (the limit is a lower bound), V2 (its distance).

``V_inf(s_g, F)`` is the largest value of a plan, ``max_i <alpha_i, F>``; ``V_n`` belongs to the n-agent system, F to its count vector. Proofs:
docs/mathematics/mean-field-limit.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from operator import itemgetter
from typing import Final

import numpy as np

from mfverify import counts, models
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError
from mfverify.exact.rational import fraction
from mfverify.mean_field.limit import exact_values
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.ours.symbols import S_l, gamma, n, rt_l
from mfverify.papers.quantities import optimum, rational_system
from mfverify.papers.screens import PLANS_BELOW, more_than_infinitely_many
from mfverify.subsample_mfq.limit_plans import limit_of
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import OfAgents, agents_alone
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.formula import root, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_adding, by_factor
from mfverify.theory.search_costs import lumped_cost, rational_cost
from mfverify.theory.search_space import LARGE, Arrangement

RATE: Final = Bound(
    "V2",
    times(gamma * rt_l / (1 - gamma) ** 2, root((S_l - 1) / n)),
    "section 8 of the theory page (ours)",
    "bounds V_n - V_inf for every distribution of n agents",
)


def _plans_below(case: OfAgents) -> Outcome:
    """The largest excess of a plan, followed forever, over ``V_n``, in exact arithmetic."""
    model, n = case.model, case.agents
    try:
        system, plans = rational_system(model, n), exact_values(limit_of(model))
    except TooLargeError as error:
        return Unresolved(str(error))
    excesses = []
    for (g, c), best in system.optimum.items():
        worth = max(sum((x * a for x, a in zip(c, row, strict=True)), Fraction(0)) / n for row in plans[g])
        excesses.append((worth - fraction(best), f"s_g={g}, counts {c}"))
    worst = max(excesses, key=itemgetter(0))
    kept = "+".join(str(len(rows)) for rows in plans)
    details = {"worst": worst[1], "plans of each global state": kept}
    return Sides(Interval.exactly(worst[0]), Interval.exactly(0), Interval.exactly(2 * model.rt / (1 - model.discount)), details)


def _distance(case: OfAgents) -> Outcome:
    """The largest ``V_n - V_inf`` over all states against the rate."""
    model, n = case.model, case.agents
    try:
        difference = optimum(model, n) - limit_of(model).value(n)
    except TooLargeError as error:
        return Unresolved(str(error))
    g, c = np.unravel_index(int(difference.lower.argmax()), difference.shape)
    vector = tuple(int(x) for x in counts.count_vectors(n, model.sizes[2])[c])
    right = RATE.enclose(symbol_values(model, n, 1))
    return Sides(difference.max(), right, Interval.exactly(2 * model.rt / (1 - model.discount)), {"worst": f"s_g={g}, counts {vector}"})


def _chosen(given: Sequence[Model] | None, profile: Profile) -> list[Model]:
    if given is not None:
        return list(given)
    seeds = range(4) if profile is Profile.QUICK else range(40)
    return [
        models.coordination(),
        models.absorbing(),
        models.splitting(),
        *(models.random_coupled(seed, size, discount=discount) for seed in seeds for size in (2, 3) for discount in ("1/2", "9/10")),
    ]


def _v1_instances(profile: Profile, given: Sequence[Model] | None) -> list[OfAgents]:
    most = 400 if profile is Profile.QUICK else 3000
    return [
        OfAgents(m, n)
        for m in _chosen(given, profile)
        for n in (1, 2, 3, 4)
        if m.sizes[0] * m.sizes[1] * counts.number_of_count_vectors(n, m.sizes[2] * m.sizes[3]) <= most
    ]


def _v2_instances(profile: Profile, given: Sequence[Model] | None) -> list[OfAgents]:
    large = {2: 200, 3: 20} if profile is Profile.QUICK else {2: 2000, 3: 60}
    return [OfAgents(m, n) for m in _chosen(given, profile) for n in (2, 8, 20, 60, 200, 2000) if n <= large.get(m.sizes[2], 8)]


_FINITE = (
    "Assumption 2.1 (finite sets)",
    "Assumption 2.2 (bounded rewards)",
    "kernels and rewards do not depend on the distribution (eq. 1, 2)",
)
_OURS = "ours, unreviewed"

V1 = Claim(
    id="V1",
    title="Infinitely many agents are worth no more than n",
    statement=r"$V_\infty(s_g, F) \le V_n(s_g, F)$ for every $n$ and every distribution $F$ of $n$ agents; with R1, "
    r"$V_\infty \le V_n \le \mathbb E_\Delta V_k$ for $k \le n$.",
    source=_OURS,
    reading="all states, exact rationals: every plan that the mean-field limit keeps, followed forever, against the optimum of n agents; the sides "
    "are the largest difference and 0",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    screen=PLANS_BELOW,
    sides=_plans_below,
    instances=_v1_instances,
    control=Control("the plans are worth a millionth more", left=by_adding(Fraction(1, 10**6))),
    left_means="largest value of a plan less V_n",
    right_means="0",
    grounds=proof("docs/mathematics/mean-field-limit.md", "V1"),
    searched=Arrangement(agents_alone, rational_cost, (1, 2, 3, 4, 5)),
)

V2 = Claim(
    id="V2",
    title="How far infinitely many agents are from n",
    statement=r"$V_n(s_g, F) - V_\infty(s_g, F) \le " + RATE.latex + "$",
    source=_OURS,
    reading="all states, certified enclosures of both values",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    screen=more_than_infinitely_many(RATE),
    sides=_distance,
    instances=_v2_instances,
    control=Control(
        "the bound is divided by fifty",
        instances=lambda: [OfAgents(models.absorbing(), n) for n in (2, 8, 20)],
        right=by_factor(Fraction(1, 50)),
    ),
    left_means="largest V_n - V_inf",
    right_means="bound",
    grounds=proof("docs/mathematics/mean-field-limit.md", "V2"),
    searched=Arrangement(agents_alone, lumped_cost, LARGE[:12]),
)
