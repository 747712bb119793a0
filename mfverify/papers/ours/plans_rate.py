"""The distance of infinitely many agents from n, from the plans of the model at hand. Claim V2p; it is attained.

V2 and V2s hold for all models of given sizes. On one model what counts is how the plans of the limit differ on the states between which local
moves are random. Where each local move is deterministic, n agents are worth exactly as much as infinitely many. The bound is computed by
``mfverify/mean_field/fluctuation.py`` from certified plans. Proof: docs/mathematics/mean-field-limit.md.

*Attained.* On ``toss`` (V2s) the bound is ``gamma^2/((1-gamma) sqrt(n))``, which is the distance of one agent, and of many up to ``sqrt(2/pi)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mfverify import counts, models
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError
from mfverify.exact.rational import fraction
from mfverify.mean_field.fluctuation import distances
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.ours.sharper_limit import toss
from mfverify.papers.quantities import optimum, rational_system, trivial_gap
from mfverify.subsample_mfq.limit_plans import limit_of
from mfverify.theory.cases.of_model import OfAgents
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved, tightest
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement

_WIDTH = Fraction(1, 10**8)
"""A bound as small as this is compared in exact arithmetic only."""

_MOST_PAIRS = 3000
"""Pairs of a state and a joint action up to which n agents are solved in exact arithmetic."""


def _pairs(model: Model, agents: int) -> int:
    return model.sizes[0] * model.sizes[1] * counts.number_of_count_vectors(agents, model.sizes[2] * model.sizes[3])


def _distance(case: OfAgents) -> Outcome:
    """For each global state the largest excess of ``V_n`` over the plans of the limit, against the bound; the tightest of them."""
    model, n = case.model, case.agents
    limit, small = limit_of(model), _pairs(model, case.agents) <= _MOST_PAIRS
    bounds = [bound + Fraction(limit.excess) for bound in distances(limit, n)]
    if not small and min(bounds) <= _WIDTH:
        return Unresolved(f"n = {n}, where the bound is {float(min(bounds)):.2g}, is out of reach of exact arithmetic; choose fewer agents")
    try:
        best = None if small else optimum(model, n)
    except TooLargeError as error:
        return Unresolved(str(error))
    exact = rational_system(model, n).optimum if small else {}
    listed = []
    for g, (rows, bound) in enumerate(zip(limit.vectors, bounds, strict=True)):
        plans = [[Fraction(x) for x in row] for row in rows.tolist()]
        excess = []
        for rank, c in enumerate(tuple(row) for row in counts.count_vectors(n, model.sizes[2]).tolist()):
            value = Interval.exactly(fraction(exact[g, c])) if best is None else best[g, rank]
            worth = max(sum((x * a for x, a in zip(c, row, strict=True)), Fraction(0)) for row in plans) / n
            excess.append((value - worth, c))
        left, c = max(excess, key=lambda found: found[0].lower)
        left = Interval(left.lower, max(found.upper for found, _ in excess))
        listed.append(Sides(left, Interval.exactly(bound), trivial_gap(model), {"worst": f"s_g={g}, counts {c}"}))
    return tightest(listed)


def _instances(profile: Profile, given: Sequence[Model] | None) -> list[OfAgents]:
    if given is not None:
        return [OfAgents(m, n) for m in given for n in (1, 2, 4) if _pairs(m, n) <= _MOST_PAIRS]
    plan: list[tuple[Model, tuple[int, ...]]] = [(toss(discount), (2, 8, 32)) for discount in ("1/10", "1/2", "9/10")]
    plan += [(models.absorbing(), (2, 8, 20)), (models.splitting(), (2, 8)), (models.coordination(), (1, 2, 4)), (models.redrawn(), (2, 4))]
    plan += [(models.random_coupled(seed, discount="1/2"), (2, 4)) for seed in (0, 4)]
    if profile is Profile.FULL:
        plan += [(toss("1/2"), (200, 2000)), (models.patrol(), (2, 14)), *((models.random_coupled(seed), (1, 2, 4)) for seed in range(12))]
        plan += [(models.random_coupled(seed, 3, discount=discount), (2,)) for seed in range(12) for discount in ("1/2", "9/10")]
    return [OfAgents(m, n) for m, many in plan for n in many]


def _at(model: Model, n: int, k: int) -> OfAgents | None:
    del k
    return OfAgents(model, n) if _pairs(model, n) <= _MOST_PAIRS else None


V2P = Claim(
    id="V2p",
    title="How far infinitely many agents are from n, from the plans",
    statement=r"Let $\alpha_1, \dots, \alpha_N$ be plans of $h$ with $V_\infty(h, F) \le \max_i \langle \alpha_i, F \rangle + \mathrm{exc}$, let $d_i = \alpha_i - m_{gh}$ "
    r"for any vector $m_{gh}$, and $f_{gh}$ the least of $R \sqrt{\ln N / 2}$, $\sqrt{\max_p \sum_i \mathrm{Var}_p(d_i)}$ and "
    r"$\frac12 R' \sqrt{u \max_p (1 - \sum_t p(t)^2)}$ over the laws $p = P_l(\cdot \mid s, g, a)$, with $R$ the largest range of a $d_i$ on one support, $R'$ that on the "
    r"$u$ states in any of them. Then $V_n(g, F) - V_\infty(g, F) \le D(g)/\sqrt n + \frac{\gamma}{1-\gamma} \mathrm{exc}$, where $D(g) = \gamma \max_{a_g} \sum_h "
    r"P_g(h \mid g, a_g) (D(h) + f_{gh})$. In particular $V_n = V_\infty$ where local moves are deterministic.",
    source="ours, unreviewed",
    reading="the plans are those that the program computes, whose certified functions are at most V_inf; laws that are a single state are left out, f = 0 where "
    "no other is left; small systems in exact rationals, others by certified enclosures; per global state the largest excess of V_n over the plans",
    assumptions=(*FINITE, "kernels and rewards do not depend on the distribution (eq. 1, 2)"),
    registered=Status.CORROBORATED,
    sides=_distance,
    instances=_instances,
    control=Control(
        "the bound is multiplied by 3/4",
        instances=lambda: [OfAgents(toss(discount), n) for discount in ("1/10", "9/10") for n in (1, 8, 32)],
        right=by_factor(Fraction(3, 4)),
    ),
    left_means="largest V_n less the plans",
    right_means="bound V2p",
    grounds=proof("docs/mathematics/mean-field-limit.md", "V2p", uses=("V2",)),
    searched=Arrangement(_at, rational_cost, (1, 2, 3, 4)),
)
