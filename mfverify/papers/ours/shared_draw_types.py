"""The gap under a shared draw where agents have types. Claim S4r, in place of S4b.

R4 for the local states ``E x S_l``, of which the first component never changes. Proof: docs/mathematics/gap.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from mfverify import models
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.models.preferences import preferences
from mfverify.papers.mean_field_sampling.assumptions import EXACT_OPERATOR, FINITE
from mfverify.papers.mean_field_sampling.remark_4_9 import TWO_TYPES, Typed, never_changes_type, twins, with_two_types
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.ours import symbols
from mfverify.papers.ours.shared_draw import COPYING, shared_draw_bound
from mfverify.papers.ours.symbols import TABLE, E, S_l, Z
from mfverify.papers.quantities import executed, optimum, trivial_gap
from mfverify.papers.screens import typed_gap
from mfverify.theory.bound import Bound
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import shared_cost
from mfverify.theory.search_space import Arrangement, Origin

SHARED_DRAW_TYPES: Final = Bound(
    "S4r",
    shared_draw_bound(E * S_l, E * Z),
    "R4 with the local states E x S_l (ours)",
    "|S_l| and |Z_l| are those of one type: the bound grows like the root of the number of types, not less",
    TABLE,
)


def _typed_gap(case: Typed) -> Outcome:
    """The largest gap of a model with types under a shared draw against R4 for that many types."""
    model, n, k, types = case.model, case.agents, case.subsample, case.types
    try:
        gap = (optimum(model, n) - executed(model, n, k, "shared")).max()
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    values = dict(symbol_values(model, n, k))
    values |= {symbols.E: types, symbols.S_l: model.sizes[2] // types, symbols.Z: model.sizes[2] * model.sizes[3] // types}
    right = SHARED_DRAW_TYPES.enclose(values)
    return Sides(gap, right, trivial_gap(model))


def _typed_instances(profile: Profile, given: Sequence[Model] | None) -> list[Typed]:
    if given is not None:
        return [Typed(twins(m), 3, 2, 2) for m in given if 2 * m.sizes[2] * m.sizes[3] <= 8]
    plan = [(preferences(2), 2, n, k) for n, k in ((6, 3), (24, 5), (24, 23), (60, 31), (60, 55))]
    plan += [(preferences(3), 3, 6, 5), (preferences(3), 3, 12, 11), (twins(models.coordination()), 2, 3, 2)]
    if profile is Profile.FULL:
        plan += [(preferences(2), 2, 150, 101), (preferences(3), 3, 20, 15), (preferences(4), 4, 8, 7)]
    return [Typed(m, n, k, types) for m, types, n, k in plan]


_OURS = "ours, unreviewed"

S4R = Claim(
    id="S4r",
    title="The gap with types grows at most like the root of their number",
    statement=r"With $|\mathcal E|$ types, one $k$-subset per step and copying: $V^*(s_0) - V(s_0) \le " + SHARED_DRAW_TYPES.latex + "$",
    source=_OURS,
    reading=r"$|\mathcal S_l|$ and $|\mathcal Z_l|$ are those of one type; " + COPYING,
    assumptions=(*FINITE, "types are a component of the local state that never changes", EXACT_OPERATOR),
    registered=Status.CORROBORATED,
    screen=typed_gap(SHARED_DRAW_TYPES, symbols.E, 2),
    sides=_typed_gap,
    instances=_typed_instances,
    control=Control("the bound is divided by forty", right=by_factor(Fraction(1, 40))),
    left_means="largest gap, shared draw",
    right_means="bound S4r",
    repairs=("S4b",),
    grounds=proof("docs/mathematics/gap.md", "S4r", uses=("R4",)),
    searched=Arrangement(with_two_types, shared_cost, (2, 3, 4, 6, 8), admits=never_changes_type, sizes=TWO_TYPES, origin=Origin.TYPES),
)
