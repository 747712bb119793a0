"""Section 2, Remark 4.9: agent types. Claims S4 (the table) and S4b (the gap).

Types are a component of the local state that never changes: ``S_l = E x S``, agent i of type e moves and
is rewarded as in the model of type e. A start state in which all agents are of type e is a start state of that model alone. Proof of S4:
docs/mathematics/sizes.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from mfverify import models
from mfverify.enclosure import Interval
from mfverify.errors import ModelError, TooLargeError, UndecidedTieError
from mfverify.model import Model, derived_name
from mfverify.models.agent_types import typed
from mfverify.models.preferences import preferences
from mfverify.papers.mean_field_sampling.assumptions import FINITE_SETS
from mfverify.papers.mean_field_sampling.sizes import sized
from mfverify.papers.mean_field_sampling.symbols import TABLE, A_g, A_l, E, S_g, S_l, n
from mfverify.papers.quantities import learned, rational_system, trivial_gap
from mfverify.subsample_mfq.execution import exact_execution_value
from mfverify.subsample_mfq.learning import mean_field_table_size
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.evaluate import enclose
from mfverify.theory.formula import times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement, Origin, Parameters
from mfverify.theory.witness import GapProof

TYPED_TABLE = Bound(
    "S4",
    times(S_g, A_g, E, S_l, A_l, n ** (S_l * A_l)),
    "Remark 4.9",
    "bounds the mean-field table with |E| types, |S_l| and |A_l| being the states and actions of one type",
    TABLE,
)


def types_and_subsample(total: int) -> tuple[int, int]:
    """``|E| = floor(ln n / ln ln n)`` and ``k = floor(ln n)``, decided by enclosures; n >= 16, so that ``ln ln n > 1``."""
    if total < 16:
        raise ModelError(f"agents: found {total}, expected at least 16 (ln ln n > 1)")
    out = []
    for expression in (sp.log(n) / sp.log(sp.log(n)), sp.log(n)):
        value = enclose(sp.floor(expression), {n: total})
        if not value.is_exact:
            raise ModelError(f"agents: {expression} is too close to an integer at n = {total}; choose another n")
        out.append(int(value.lower))
    return out[0], out[1]


@dataclass(frozen=True)
class ManyTypes(Case):
    """n agents, and the numbers of states and actions of one type."""

    agents: int
    states: int
    actions: int


@dataclass(frozen=True)
class Typed(Subsampled):
    """k sampled of n agents of so many types."""

    types: int


def types_of(case: Typed) -> int:
    """The number of types."""
    return case.types


def _typed_table(bound: Bound, case: ManyTypes) -> Outcome:
    """The table with ``|E|`` types for ``k = floor(ln n)``: since ``k^|E| <= n``, at most ``|S_g||A_g||Z| n^(|S||A|)``."""
    total, states, actions = case.agents, case.states, case.actions
    types, size = types_and_subsample(total)
    model = sized(types * states, actions)
    right = bound.enclose({S_g: 1, A_g: 1, E: types, S_l: states, A_l: actions, n: total})
    details = {"worst": f"|E|={types}, k={size}"}
    return Sides(
        Interval.exactly(mean_field_table_size(model, size)), right, Interval.exactly(mean_field_table_size(model, total)), details
    )


_TWO_TYPES_LINEAR = Bound("S4 control", times(S_g, A_g, E, S_l, A_l, n), "sabotage", "the exponent |S||A| is replaced by 1", TABLE)


def _typed_table_instances(profile: Profile, _: Sequence[Model] | None) -> list[ManyTypes]:
    totals = (16, 100, 1000, 10**4, 10**6) if profile is Profile.QUICK else (16, 50, 100, 1000, 10**4, 10**5, 10**6, 10**8, 10**12)
    return [ManyTypes(total, s, a) for total in totals for s, a in ((1, 1), (2, 1), (2, 2))]


def twins(model: Model, types: int = 2) -> Model:
    """``types`` types that do not differ: every agent behaves as in ``model``."""
    return typed([model] * types, derived_name(model.name, f"{types} types of "))


@lru_cache(maxsize=32)
def gap_by_types(model: Model, types: int, total: int, size: int) -> tuple[Fraction, str, Fraction, str]:
    """The largest exact gap over start states in which all types are present, and over those with one type; each with its place."""
    system = rational_system(model, total)
    gap = system.array(system.optimum) - exact_execution_value(learned(model, size), total).exact
    largest: dict[bool, tuple[Fraction, str]] = {}
    for i, c in enumerate(system.vectors):
        present = int(np.count_nonzero(np.array(c).reshape(types, -1).sum(axis=1)))
        if present not in (1, types):
            continue
        for g in range(model.sizes[0]):
            found = largest.get(present > 1)
            if found is None or gap[g, i] > found[0]:
                largest[present > 1] = gap[g, i], f"s_g={g}, counts {c}"
    return (*largest[True], *largest[False])


@lru_cache(maxsize=8)
def _against_types(size: int) -> dict[str, Any]:
    """Gap and cost against the number of types that want different things, 6 agents: one state and one action for each type."""
    numbers = range(1, 4)
    gaps = [float(gap_by_types(preferences(e), e, 6, size)[0]) if e > 1 else 0.0 for e in numbers]
    tables = [float(mean_field_table_size(preferences(e), size)) for e in numbers]
    return {
        "title": f"gap and cost against the number of types, n = 6, k = {size}",
        "x_label": "|E|",
        "y_label": "largest gap; table entries over 1000",
        "scale": "linear",
        "x": [float(e) for e in numbers],
        "series": [
            {"label": "largest gap with all types present", "lower": gaps, "upper": gaps},
            {
                "label": "entries of the mean-field table, in thousands",
                "lower": [x / 1000 for x in tables],
                "upper": [x / 1000 for x in tables],
            },
        ],
    }


def _gap_by_types(case: Typed) -> Outcome:
    """The largest gap with all types present against the largest with a single one, whichever it is."""
    model, total, size = case.model, case.agents, case.subsample
    try:
        mixed, mixed_place, single, single_place = gap_by_types(model, case.types, total, size)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    details: dict[str, Any] = {"worst": f"all types: {mixed_place}; one type: {single_place}"}
    if model.name.startswith("preferences") and total == 6:
        details["curve"] = _against_types(size)
    return Sides(Interval.exactly(mixed), Interval.exactly(single), trivial_gap(model), details)


def _gap_instances(profile: Profile, given: Sequence[Model] | None) -> list[Typed]:
    """Types that do not differ, types of two random models, and types that want different things."""
    if given is not None:
        return [Typed(twins(m), 3, size, 2) for m in given if 2 * m.sizes[2] * m.sizes[3] <= 8 for size in (1, 2)]
    base = models.coordination()
    plan: list[tuple[Model, int, int, tuple[int, ...]]] = [
        (twins(base), 2, 2, (1,)),
        (twins(base), 2, 3, (1, 2)),
        (typed([models.random_coupled(4), models.random_coupled(5)], "random_coupled 4 and 5"), 2, 3, (1, 2)),
        (typed([base, models.coordination(eta="1/2")], "coordination with moving costs 1/100 and 1/2"), 2, 3, (1, 2)),
        (preferences(2), 2, 3, (1, 2, 3)),
        (preferences(2), 2, 6, (1, 3, 5)),
        (preferences(3), 3, 6, (1, 3, 5)),
    ]
    if profile is Profile.FULL:
        plan += [
            (twins(models.random_coupled(16)), 2, 4, (1, 2, 3)),
            (typed([models.random_coupled(5), models.random_coupled(16)], "random_coupled 5 and 16"), 2, 4, (1, 2, 3)),
            (twins(base, 3), 3, 3, (1, 2)),
            (preferences(4), 4, 6, (1, 3, 5)),
        ]
    return [Typed(m, total, size, types) for m, types, total, sizes in plan for size in sizes]


def with_two_types(model: Model, n: int, k: int) -> Typed | None:
    """k sampled of n agents of two types; both have room."""
    return Typed(model, n, k, 2) if n >= 2 else None


def never_changes_type(model: Model) -> bool:
    """Whether the local states fall into two halves, the types, that no agent ever leaves."""
    size = model.sizes[2]
    half = size // 2
    crossing = [model.local_kernel[:half, ..., half:], model.local_kernel[half:, ..., :half]]
    return size % 2 == 0 and all(p == 0 for part in crossing for p in part.ravel())


TWO_TYPES = ((2, 2, 2, 1), (2, 2, 1, 1), (2, 2, 2, 2), (2, 2, 1, 2))
"""Sizes of the two models that are put into one."""


S4 = Claim(
    id="S4",
    title="O(log n / log log n) types cost poly(n)",
    statement=r"With $|\mathcal E| = \lfloor \ln n / \ln\ln n \rfloor$ types and $k = \lfloor \ln n \rfloor$ the mean-field table has at most $"
    + TYPED_TABLE.latex
    + "$ entries.",
    source="section 2, Remark 4.9",
    reading="|S_l| and |A_l| are those of one type, |Z_l| = |E||S_l||A_l|; |S_g| = |A_g| = 1; vacuous where the bound is no smaller than the table for k = n",
    assumptions=(*FINITE_SETS, "n >= 16"),
    registered=Status.CORROBORATED,
    sides=bind(_typed_table, TYPED_TABLE),
    instances=_typed_table_instances,
    control=Control("the exponent |S_l||A_l| is replaced by 1", bind(_typed_table, _TWO_TYPES_LINEAR)),
    rests_on=("S1",),
    left_means="entries",
    right_means="power of n",
    grounds=proof("docs/mathematics/sizes.md", "S4", uses=("S1", "S1t")),
    searched=Parameters(((*range(16, 400), *(10**i for i in range(3, 31))), range(1, 6), range(1, 6)), ManyTypes),
)

S4B = Claim(
    id="S4b",
    title="The gap does not get worse with the number of types",
    statement=r"$\max_{s_0 : \text{all types}} V^*(s_0) - V^{\pi_k}(s_0) \le \max_{s_0 : \text{one type}} V^*(s_0) - V^{\pi_k}(s_0)$.",
    source="section 2, Remark 4.9",
    reading="one model with |E| types; the largest gap over start states with every type present against the largest over start states with a single type, "
    "whichever it is (weaker than comparing with the first type); exact values, eps = 0, independent draws",
    assumptions=(*FINITE_SETS, "types are a component of the local state that never changes", "eps_{k,m} = 0 (exact operator)"),
    registered=Status.REFUTED,
    sides=_gap_by_types,
    instances=_gap_instances,
    control=Control("one per cent is taken off the right side", right=by_factor(Fraction(99, 100))),
    left_means="largest gap, all types present",
    right_means="largest gap, a single type",
    failing_step="With types as part of the local state the theorem's bound holds with |S_l| replaced by |E||S_l|, which grows with |E|. That the gap itself does not is "
    "an additional statement: agents of one type can agree with any sample of their own, agents of several types cannot",
    certificate=GapProof(types=types_of),
    searched=Arrangement(with_two_types, rational_cost, admits=never_changes_type, sizes=TWO_TYPES, origin=Origin.TYPES),
)
