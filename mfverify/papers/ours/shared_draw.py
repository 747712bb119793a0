"""The gap under a shared draw. Claims R4 (in place of T1), R4u (T3), X3r (X3 and X3b).

``L = 2 rt_l/(1-gamma)``; ``V_n``, ``Q_n`` belong to the n-agent system; ``z_D`` are the state-action pairs of the members of D.

*Policy.* One uniform k-subset D per step for all agents. ``a^D`` is a maximiser of ``Q_k(s_g, s_D, .)``; the global agent and the members of
D play their part; an agent outside whose state s occurs in D copies a uniformly random member in s, one whose state does not
occur plays a fixed action. Proofs: docs/mathematics/gap.md and, for X3r, docs/mathematics/extensions.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import sympy as sp

from mfverify import models
from mfverify.extensions.linear_mdp import random_mixture, spread
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import EXACT_OPERATOR, FINITE
from mfverify.papers.mean_field_sampling.gaps import gap_sides
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.mean_field_sampling.theorem_e_3 import SLOPE
from mfverify.papers.ours.all_agents_sampled import shared_at_n
from mfverify.papers.ours.symbols import A_l, S_l, Z, gamma, k, n
from mfverify.papers.quantities import executed, optimum
from mfverify.papers.screens import shared_gap
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Subsampled, few_and_all_sampled, fewer_sampled
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.formula import HALF, indicator, plus, root, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import rational_cost, shared_cost
from mfverify.theory.search_space import LARGE, Arrangement


def shared_draw_bound(states: sp.Expr, pairs: sp.Expr) -> sp.Expr:
    """R4 for that many local states and local state-action pairs."""
    return times(
        SLOPE / (1 - gamma),
        plus(
            times(HALF, root((states - 1) * (n - k) / (k * (n - 1)))),
            times(1 / (2 * n), root(states * (A_l - 1) * (n - k))),
            times(
                gamma / (1 - gamma),
                plus(times(HALF, root((states - 1) * (n - k) / (n * k))), times(indicator(k < n), pairs / (4 * n))),
            ),
        ),
    )


SHARED_DRAW: Final = Bound(
    "R4",
    shared_draw_bound(S_l, Z),
    "section 5 of the theory page (ours)",
    "one draw a step shared by all agents, the others copy a member of the sample; a single agent (n = 1) is excluded, 0/0",
)

_SPREAD: Final = times(HALF, root(S_l - 1))

SHARED_DRAW_UNIFORM: Final = Bound(
    "R4u",
    times(
        SLOPE / ((1 - gamma) * sp.sqrt(k)),
        plus(_SPREAD, times(sp.Rational(1, 4), root(S_l * (A_l - 1))), times(gamma / (1 - gamma), plus(_SPREAD, Z / (4 * sp.sqrt(k))))),
    ),
    "R4 with the largest value over n of each of its terms (ours)",
    "one constant for all n: (n-k)/(k(n-1)) <= 1/k, (n-k)/n^2 <= 1/(4k), and 1{k<n}/n <= 1/k",
)

_MOST_EXACT_AGENTS = 12

_MANY_AGENTS = 1000
"""From here on an instance also shows what sharing the list does without copying, about which nothing is proved."""

ONE_AGENT = NotApplicable("the bound divides by n - 1; with one agent k = n and there is nothing to subsample")


def _shared_gap(bound: Bound, case: Subsampled) -> Outcome:
    """The largest gap under a shared draw against a bound; at k = n, where the bound may be 0, in exact arithmetic."""
    model, n, k = case.model, case.agents, case.subsample
    if n == 1:
        return ONE_AGENT
    if k < n:
        out = gap_sides(bound, "shared", case)
        if n < _MANY_AGENTS or not isinstance(out, Sides):
            return out
        plain = (optimum(model, n) - executed(model, n, k, "shared-list")).max()
        return Sides(out.left, out.right, out.trivial, {**out.details, "gap if the list is shared and no agent copies": repr(plain)})
    if n > _MOST_EXACT_AGENTS:
        return Unresolved(f"k = n = {n}, where both sides are 0, is out of reach of exact arithmetic; choose at most {_MOST_EXACT_AGENTS}")
    return shared_at_n(model, n, bound.enclose(symbol_values(model, n, k)))


def _shared_instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    if given is not None:
        return few_and_all_sampled(given)
    plan: list[tuple[Model, int, tuple[int, ...]]] = [
        (models.coordination(), 60, (11, 31, 51, 59)),
        (models.coordination(), 100, (91, 99)),
        (models.coordination(), 1000, (11, 101, 401)),
        (models.redrawn(), 60, (31, 59)),
        (models.absorbing(), 10, (1, 2, 4, 8)),
        (models.splitting(), 10, (1, 2, 4, 8)),
        (models.splitting(), 3, (3,)),
        *((models.random_coupled(seed, discount="1/2"), 24, (1, 6, 12, 18, 23)) for seed in (4, 5, 16, 100)),
        (models.random_coupled(4, discount="1/100"), 12, (1, 4, 11)),
        (models.random_coupled(4, discount="99/100"), 6, (5, 6)),
    ]
    if profile is Profile.FULL:
        plan += [(models.random_coupled(seed, discount="1/2"), 40, (1, 5, 20, 35, 39)) for seed in range(10)]
        plan += [(models.random_coupled(seed, 3, 3, discount="1/4"), 6, (1, 3, 5, 6)) for seed in range(6)]
        plan += [(models.coordination(), 200, (101, 151, 191, 199)), (models.redrawn(), 200, (101, 199))]
        plan += [(models.coordination(), 2000, (11, 101, 401))]
    return [Subsampled(m, n, k) for m, n, ks in plan for k in ks]


_TENTH = "1/10"


def _uniform_instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    if given is not None:
        return [i for i in _shared_instances(profile, given) if i.subsample != i.agents]
    plan = [
        (models.random_coupled(seed, discount=gamma), n, k)
        for seed in (4, 5, 16)
        for gamma, n, k in (("1/10", 12, 6), ("1/10", 24, 12), ("1/10", 24, 23), ("1/2", 24, 23))
    ]
    plan += [(models.coordination(discount=_TENTH), 60, k) for k in (11, 31, 59)]
    if profile is Profile.FULL:
        plan += [(models.coordination(discount=_TENTH), 200, k) for k in (11, 101, 199)] + [(models.coordination(), 200, 101)]
    return [Subsampled(m, n, k) for m, n, k in plan]


def _linear_instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    if given is not None:
        return [Subsampled(spread(m).reduction, 4, k) for m in given for k in (2, 3, 4)]
    plan = [(spread(models.coordination()).reduction, 60, k) for k in (11, 31, 51)]
    plan += [(spread(models.random_coupled(seed, discount="1/2")).reduction, 24, k) for seed in (4, 100) for k in (12, 23)]
    seeds = (1, 6) if profile is Profile.QUICK else range(16)
    plan += [(random_mixture(seed).reduction, 8, 7) for seed in seeds]
    plan += [(random_mixture(seed).reduction, 3, 3) for seed in seeds] + [(spread(models.splitting(discount="9/10")).reduction, 4, 4)]
    return [Subsampled(m, n, k) for m, n, k in plan]


_OURS = "ours, unreviewed"
COPYING = "members play their part of the lexicographically smallest joint argmax; an agent outside copies a random member in the same state, or plays action 0"


def _linear_cost(model: Model, n: int, k: int) -> float:
    """Of a shared draw, and of exact arithmetic at k = n."""
    return max(shared_cost(model, n, k), rational_cost(model, n, k) if k == n else 0)


R4 = Claim(
    id="R4",
    title="A gap bound with a shared draw",
    statement=r"With one $k$-subset per step for all agents and copying: $V^*(s_0) - V(s_0) \le " + SHARED_DRAW.latex + "$",
    source=_OURS,
    reading=COPYING,
    assumptions=(*FINITE, EXACT_OPERATOR),
    registered=Status.CORROBORATED,
    screen=shared_gap(SHARED_DRAW),
    sides=bind(_shared_gap, SHARED_DRAW),
    instances=_shared_instances,
    control=Control("the bound is divided by forty", right=by_factor(Fraction(1, 40))),
    left_means="largest gap, shared draw",
    right_means="bound R4",
    repairs=("T1", "T1b", "T1c"),
    grounds=proof("docs/mathematics/gap.md", "R4", uses=("C4", "P1", "R1", "R2")),
    gap_bound=SHARED_DRAW,
    gap_sampling="shared",
    searched=Arrangement(fewer_sampled, shared_cost, LARGE[:10]),
)

R4U = Claim(
    id="R4u",
    title="A gap of order 1/sqrt(k) uniformly in n, with a shared draw",
    statement=r"With one $k$-subset per step for all agents and copying, for every $n$: $V^*(s_0) - V(s_0) \le "
    + SHARED_DRAW_UNIFORM.latex
    + "$",
    source=_OURS,
    reading=COPYING,
    assumptions=(*FINITE, EXACT_OPERATOR),
    registered=Status.CORROBORATED,
    screen=shared_gap(SHARED_DRAW_UNIFORM),
    sides=bind(_shared_gap, SHARED_DRAW_UNIFORM),
    instances=_uniform_instances,
    control=Control("the bound is divided by two hundred", right=by_factor(Fraction(1, 200))),
    left_means="largest gap, shared draw",
    right_means="bound R4u",
    repairs=("T3",),
    grounds=proof("docs/mathematics/gap.md", "R4u", uses=("R4",)),
    searched=Arrangement(fewer_sampled, shared_cost, LARGE[:10]),
)

X3R = Claim(
    id="X3r",
    title="Linear processes with a shared draw",
    statement=r"On a linear process whose features are constant on $|\mathcal S_l|$ cells, with one $k$-subset per step and copying within cells: "
    r"$V^*(s_0) - V(s_0) \le " + SHARED_DRAW.latex + "$",
    source=_OURS,
    reading="values are exactly those of the finite model over the cells; exact regression; " + COPYING,
    assumptions=("kernel and reward linear in features (Theorem 4.12)", "features constant on the cells of a partition of [0, 1]"),
    registered=Status.CORROBORATED,
    screen=shared_gap(SHARED_DRAW),
    sides=bind(_shared_gap, SHARED_DRAW),
    instances=_linear_instances,
    control=Control("the bound is divided by two hundred", right=by_factor(Fraction(1, 200))),
    left_means="largest gap, shared draw",
    right_means="bound R4",
    repairs=("X3", "X3b"),
    grounds=proof("docs/mathematics/extensions.md", "X3r", uses=("R4",)),
    searched=Arrangement(Subsampled, _linear_cost, (2, 3, 4, 6, 8)),
)
