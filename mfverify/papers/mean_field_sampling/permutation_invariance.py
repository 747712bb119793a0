"""Remark 3.3, Lemma C.19: every iterate is a function of counts. Claim B2, in exact arithmetic on small systems.

Proof: docs/mathematics/operators.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import flint

from mfverify.enclosure import Interval
from mfverify.exact.labelled_rational import LabelledRationalSystem
from mfverify.exact.rational import RationalSystem, fraction
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.small_systems import Values, bundled, small, with_a_wrong_row
from mfverify.papers.screens import iterates
from mfverify.theory.cases.of_model import OfAgents
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import of_model, same_model
from mfverify.theory.search_costs import labelled_cost
from mfverify.theory.search_space import Arrangement

_STEPS: Final = 3
"""Iterations that are compared, in a search and in the quick profile."""


@dataclass(frozen=True)
class Iterations(OfAgents):
    """n agents, and the number of iterations."""

    iterations: int


def _symmetry(case: Iterations, counted_model: Model) -> Outcome:
    """``max |Q^t(s, a) - Q^t(counts of (s, a))|`` over all labelled pairs and all t up to ``iterations``, counts in a model that should be the same."""
    labelled = LabelledRationalSystem(case.model, case.agents)
    lumped = RationalSystem(counted_model, case.agents)
    local_states, local_actions = case.model.sizes[2:]
    value: Values = dict.fromkeys(labelled.states, Fraction(0))
    counted = dict.fromkeys(lumped.states, Fraction(0))
    largest, where = Fraction(0), "all pairs agree"
    for t in range(1, case.iterations + 1):
        table = labelled.action_values(value)
        as_flint = {state: flint.fmpq(v.numerator, v.denominator) for state, v in counted.items()}
        known: dict[Any, Fraction] = {}
        for ((g, s), (b, a)), q in table.items():
            state = (g, tuple(s.count(x) for x in range(local_states)))
            pairs = [x * local_actions + y for x, y in zip(s, a, strict=True)]
            action = (b, tuple(pairs.count(z) for z in range(local_states * local_actions)))
            if (state, action) not in known:
                known[state, action] = fraction(lumped.action_value(state, action, as_flint))
            difference = abs(q - known[state, action])
            if difference > largest:
                largest, where = difference, f"t={t}, state {(g, s)}, action {(b, a)}"
        value = labelled.maxima(table)
        counted = {state: max(q for (x, _), q in known.items() if x == state) for state in lumped.states}
    return Sides(
        Interval.exactly(largest),
        Interval.exactly(0),
        Interval.exactly(2 * case.model.rt / (1 - case.model.discount)),
        {"worst": where, "pairs compared": len(table) * case.iterations},
    )


def _b2_instances(profile: Profile, given: Sequence[Model] | None) -> list[Iterations]:
    steps = _STEPS if profile is Profile.QUICK else 8
    return [Iterations(m, n, steps) for m in bundled(given) for n in (1, 2, 3) if small(m, n)]


def _few_steps(model: Model, n: int, k: int) -> Iterations | None:
    return Iterations(model, n, _STEPS) if small(model, n) else None


B2 = Claim(
    id="B2",
    title="Permutation invariance of every iterate",
    statement=r"$Q^t(s_g, s_{1..n}, a_g, a_{1..n}) = Q^t(s_g, F_{z_{[n]}}, a_g)$ for every $t$.",
    source="Section 3, Remark 3.3, Lemma C.19 (appendix)",
    reading="labelled iterates against count-vector iterates, both exact, for all pairs and all t up to the stated number of iterations; "
    "the sides are the largest difference and 0",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    screen=iterates(_STEPS),
    sides=same_model(_symmetry),
    instances=_b2_instances,
    control=Control("one row of the local kernel is replaced on the mean-field side", of_model(_symmetry, with_a_wrong_row)),
    left_means="largest |labelled - mean-field|",
    right_means="0",
    grounds=proof("docs/mathematics/operators.md", "B2"),
    searched=Arrangement(_few_steps, labelled_cost, (1, 2, 3)),
)
