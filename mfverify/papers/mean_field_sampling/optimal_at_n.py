"""'Converges to the optimal policy as k -> n': the policy executed at k = n. Claim P3."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import EXACT_AND_INDEPENDENT
from mfverify.papers.mean_field_sampling.exact_gaps import bundled, exact_gap, exact_sizes
from mfverify.papers.quantities import trivial_gap
from mfverify.papers.screens import independent_gap
from mfverify.theory.cases.of_model import Subsampled, all_sampled
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.sabotage import by_adding
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement
from mfverify.theory.witness import GapProof


def _optimal_at_n(case: Subsampled) -> Outcome:
    model, n = case.model, case.agents
    try:
        gap, where = exact_gap(model, n, n)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(gap), Interval.exactly(0), trivial_gap(model), {"worst": where})


def _p3_instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    return [Subsampled(m, n, n) for m in bundled(given) for n in exact_sizes(profile, m)]


def _zero(case: Subsampled) -> Interval:
    del case
    return Interval.exactly(0)


P3 = Claim(
    id="P3",
    title="At k = n the executed policy is optimal",
    statement=r"$V^{\pi_n}(s_0) = V^*(s_0)$ for all $s_0$.",
    source="'converges to the optimal policy as k -> n'",
    reading="exact operator, k = n, ties broken lexicographically; the sides are the largest gap over start states and 0, exact rationals",
    assumptions=EXACT_AND_INDEPENDENT,
    registered=Status.REFUTED,
    screen=independent_gap(),
    sides=_optimal_at_n,
    instances=_p3_instances,
    control=Control("a millionth is added to the gap", left=by_adding(Fraction(1, 10**6))),
    rests_on=("B2", "P2"),
    left_means="largest gap at k = n",
    right_means="0",
    failing_step="At k = n every agent sees the whole population, but each plays its own part of the maximiser that has itself as first agent: where the optimum gives "
    "agents in one local state different actions, all of them take the same one",
    certificate=GapProof(right=_zero),
    searched=Arrangement(all_sampled, rational_cost),
)
