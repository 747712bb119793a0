"""Theorem 3.4: the optimality gap where only the global agent acts. Claims G1, and G2, which has the local rewards alone in its first factor.

The constants were not read in the original: the right side is a reading. One draw a step is the whole of the algorithm, since no other agent acts;
so independent samples cannot disagree, which is what costs Theorem 4.2 of arXiv 2412.00661 its bound (T1).

Both follow from R7, whose bound is smaller. Proofs: docs/mathematics/related.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import sympy as sp

from mfverify import models
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import EXACT_OPERATOR, FINITE
from mfverify.papers.mean_field_sampling.gaps import gap_sides
from mfverify.papers.mean_field_sampling.symbols import TABLE, A_g, S_l, eps_km, gamma, k, n, rt, rt_l
from mfverify.papers.ours.one_local_action import SIZES, acts_globally_alone, fixed_sides
from mfverify.papers.screens import shared_gap
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Subsampled, few_and_all_sampled
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Status
from mfverify.theory.formula import plus, root, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import lumped_cost
from mfverify.theory.search_space import LARGE, Arrangement

_BRACKET: Final = plus(root(times((n - k + 1) / (2 * n * k), sp.log(2 * S_l * A_g * sp.sqrt(k)))), 1 / sp.sqrt(k))

THEOREM_3_4: Final = Bound(
    "G1",
    plus(times(2 * rt / (1 - gamma) ** 2, _BRACKET), 2 * eps_km / (1 - gamma)),
    "arXiv 2403.00222, Theorem 3.4",
    "constants not read in the original",
    TABLE,
)

THEOREM_3_4_LOCAL: Final = Bound(
    "G2",
    plus(times(2 * rt_l / (1 - gamma) ** 2, _BRACKET), 2 * eps_km / (1 - gamma)),
    "G1 with the local rewards alone (ours)",
    "rt_l in place of rt: smaller, hence stronger",
    TABLE,
)


def _gap(bound: Bound, case: Subsampled) -> Outcome:
    """The largest gap of one draw a step against the bound."""
    if case.model.sizes[3] != 1:
        return NotApplicable(f"|A_l| = {case.model.sizes[3]}, and the statement requires |A_l| = 1")
    return gap_sides(bound, "shared", case)


def _instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    if given is not None:
        return few_and_all_sampled(given)
    plan: list[tuple[Model, int, tuple[int, ...]]] = [
        (fixed_sides("1/10"), 60, (10, 30, 59, 60)),
        (fixed_sides("1/2"), 101, (51, 75, 100)),
        (models.absorbing(), 20, (1, 8, 19, 20)),
        *((models.random_coupled(seed, 3, 1, 2, 2, discount="1/10"), 20, (6, 11, 19)) for seed in (7, 9)),
    ]
    if profile is Profile.FULL:
        plan += [(fixed_sides("1/10"), 400, (51, 101, 399)), (models.absorbing(), 40, (5, 20, 39))]
        plan += [(models.random_coupled(seed, 3, 1, 2, 2, discount="1/10"), 20, (6, 11, 19)) for seed in range(6)]
    return [Subsampled(m, n, k) for m, n, ks in plan for k in ks]


_ASSUMPTIONS = (*FINITE, "|A_l| = 1", EXACT_OPERATOR)
_READING = "the global agent plays the lexicographically smallest argmax on its one draw of the step; exact operator, eps = 0"
_SEARCHED: Final = Arrangement(
    Subsampled, lumped_cost, LARGE[:10], admits=acts_globally_alone, sizes=SIZES
)

G1 = Claim(
    id="G1",
    title="Theorem 3.4: the gap where only the global agent acts",
    statement=r"If $|\mathcal A_l| = 1$: $V^*(s_0) - V^{\pi_k}(s_0) \le " + THEOREM_3_4.latex + "$",
    source="arXiv 2403.00222, Theorem 3.4",
    reading="the constants were not read in the original; " + _READING,
    assumptions=_ASSUMPTIONS,
    registered=Status.CORROBORATED,
    screen=shared_gap(THEOREM_3_4),
    sides=bind(_gap, THEOREM_3_4),
    instances=_instances,
    control=Control("the bound is divided by a hundred", right=by_factor(Fraction(1, 100))),
    left_means="largest gap",
    right_means="bound G1",
    grounds=proof("docs/mathematics/related.md", "G1", uses=("R7",)),
    searched=_SEARCHED,
)

G2 = Claim(
    id="G2",
    title="Theorem 3.4 with the local rewards alone",
    statement=r"If $|\mathcal A_l| = 1$: $V^*(s_0) - V^{\pi_k}(s_0) \le " + THEOREM_3_4_LOCAL.latex + "$",
    source="ours: Theorem 3.4 of arXiv 2403.00222 with rt_l for rt",
    reading="G1 with a smaller first factor; " + _READING,
    assumptions=_ASSUMPTIONS,
    registered=Status.CORROBORATED,
    screen=shared_gap(THEOREM_3_4_LOCAL),
    sides=bind(_gap, THEOREM_3_4_LOCAL),
    instances=_instances,
    control=Control("the bound is divided by a hundred", right=by_factor(Fraction(1, 100))),
    left_means="largest gap",
    right_means="bound G2",
    grounds=proof("docs/mathematics/related.md", "G2", uses=("R7",)),
    searched=_SEARCHED,
)
