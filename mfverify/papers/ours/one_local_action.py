"""The gap where only the global agent acts. Claims R7 and R7b, in place of Theorem 4.2 (T1, T1b, T1c) for one local action.

``L = 2 rt_l/(1-gamma)``. Local agents have no choice, so one draw a step is Algorithm 2 itself. The optimism of the k-agent values telescopes: what
one step loses is at most the maximum over the global actions of variables of mean 0, which are sub-Gaussian under sampling without
replacement. Proofs: docs/mathematics/gap.md; their steps are checked in tests/claims/test_one_local_action.py.
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
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.mean_field_sampling.theorem_e_3 import SLOPE
from mfverify.papers.ours.all_agents_sampled import shared_at_n
from mfverify.papers.ours.symbols import A_g, gamma, k, n
from mfverify.papers.screens import shared_gap
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Subsampled, few_and_all_sampled
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Status, Unresolved
from mfverify.theory.formula import root, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import rational_cost, shared_cost
from mfverify.theory.search_space import LARGE, Arrangement

ONE_LOCAL_ACTION: Final = Bound(
    "R7",
    times(gamma * SLOPE / (1 - gamma), root(times((n - k + 1) / (2 * n * k), sp.log(A_g)))),
    "optimism that telescopes, and the maximum of |A_g| sub-Gaussian variables (ours)",
    "|A_l| = 1: only the global agent acts",
)

LARGE_SAMPLES: Final = Bound(
    "R7b",
    times(gamma * SLOPE / (1 - gamma), root(times((n - k) * (k + 1) / (2 * n * k**2), sp.log(A_g)))),
    "R7 with the agents that are not sampled in place of those that are (ours)",
    "|A_l| = 1; smaller than R7 from more than n/2 sampled agents on, and 0 at k = n",
)

_MOST_EXACT_AGENTS = 8


def fixed_sides(discount: str | Fraction = "1/2") -> Model:
    """Local agents on two sides that they never leave; the global agent picks its next side, and agents on its side have +1, others -1."""
    return Model(
        [[[1, 0], [0, 1]]] * 2,
        [[[[1, 0]]] * 2, [[[0, 1]]] * 2],
        [[0, 0]] * 2,
        [[[1], [-1]], [[-1], [1]]],
        discount=discount,
        name=f"fixed-sides(discount={discount})",
    )


def _one_local_action(bound: Bound, case: Subsampled) -> Outcome:
    """The largest gap against a bound; at k = n, where the gap is 0, in exact arithmetic."""
    model, n, k = case.model, case.agents, case.subsample
    if model.sizes[3] != 1:
        return NotApplicable(f"|A_l| = {model.sizes[3]}, and the statement requires |A_l| = 1")
    if k < n:
        return gap_sides(bound, "shared", case)
    if n > _MOST_EXACT_AGENTS:
        return Unresolved(f"k = n = {n}, where the gap is 0, is out of reach of exact arithmetic; choose at most {_MOST_EXACT_AGENTS}")
    return shared_at_n(model, n, bound.enclose(symbol_values(model, n, k)))


def _instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    if given is not None:
        return few_and_all_sampled(given)
    plan: list[tuple[Model, int, tuple[int, ...]]] = [
        *((fixed_sides(discount), 3, (1, 2, 3)) for discount in ("1/100", "1/2")),
        (fixed_sides("1/10"), 60, (10, 30, 59)),
        (models.absorbing(), 10, (1, 2, 4, 8)),
        *((models.random_coupled(seed, 3, 1, 2, 2, discount="1/2"), 12, (3, 6, 11)) for seed in (7, 9)),
        (models.random_coupled(4, 3, 1, 2, 4, discount="1/10"), 5, (1, 3, 4, 5)),
    ]
    if profile is Profile.FULL:
        plan += [(fixed_sides("1/10"), 400, (51, 101, 399)), (models.absorbing(), 30, (5, 15, 29))]
        plan += [(models.random_coupled(seed, 3, 1, 2, 2, discount="1/2"), 20, (2, 5, 10, 19)) for seed in range(12)]
        plan += [(models.random_coupled(seed, 3, 1, 2, 4, discount="1/10"), 5, (1, 3, 4, 5)) for seed in (0, 1, 2, 3, 5)]
    return [Subsampled(m, n, k) for m, n, ks in plan for k in ks]


def acts_globally_alone(model: Model) -> bool:
    """Whether local agents have no choice, |A_l| = 1."""
    return model.sizes[3] == 1


def _cost(model: Model, n: int, k: int) -> float:
    """Of a shared draw, and of exact arithmetic at k = n."""
    return max(shared_cost(model, n, k), rational_cost(model, n, k) if k == n else 0)


_OURS = "ours, unreviewed"
_READING = (
    "the global agent plays the lexicographically smallest argmax on its one draw of the step; exact operator; at k = n exact rationals"
)
SIZES: Final = ((2, 2, 2, 1), (2, 2, 3, 1), (2, 3, 2, 1), (3, 2, 2, 1))
"""``(|S_g|, |A_g|, |S_l|, 1)`` of random models."""

_SEARCHED: Final = Arrangement(Subsampled, _cost, LARGE[:10], admits=acts_globally_alone, sizes=SIZES)


_CONTROL: Final = Control(
    "the bound is divided by two",
    instances=lambda: [Subsampled(fixed_sides("1/100"), 3, k) for k in (1, 2)],
    right=by_factor(Fraction(1, 2)),
)


R7 = Claim(
    id="R7",
    title="A gap bound where only the global agent acts",
    statement=r"If $|\mathcal A_l| = 1$: $V^*(s_0) - V^{\pi_k}(s_0) \le " + ONE_LOCAL_ACTION.latex + "$",
    source=_OURS,
    reading=_READING,
    assumptions=(*FINITE, "|A_l| = 1", EXACT_OPERATOR),
    registered=Status.CORROBORATED,
    screen=shared_gap(ONE_LOCAL_ACTION),
    sides=bind(_one_local_action, ONE_LOCAL_ACTION),
    instances=_instances,
    control=_CONTROL,
    left_means="largest gap",
    right_means="bound R7",
    repairs=("T1", "T1b", "T1c"),
    grounds=proof("docs/mathematics/gap.md", "R7", uses=("L1", "R1")),
    searched=_SEARCHED,
)

R7B = Claim(
    id="R7b",
    title="A gap bound where only the global agent acts, for large samples",
    statement=r"If $|\mathcal A_l| = 1$: $V^*(s_0) - V^{\pi_k}(s_0) \le " + LARGE_SAMPLES.latex + "$",
    source=_OURS,
    reading=_READING,
    assumptions=(*FINITE, "|A_l| = 1", EXACT_OPERATOR),
    registered=Status.CORROBORATED,
    screen=shared_gap(LARGE_SAMPLES),
    sides=bind(_one_local_action, LARGE_SAMPLES),
    instances=_instances,
    control=_CONTROL,
    left_means="largest gap",
    right_means="bound R7b",
    repairs=("T1", "T1b", "T1c"),
    grounds=proof("docs/mathematics/gap.md", "R7b", uses=("R7",)),
    searched=_SEARCHED,
)
