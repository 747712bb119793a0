"""'Monotonic improvement as k -> n' (section 2, experiments). Claim P4."""

from __future__ import annotations

from collections.abc import Sequence

from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import EXACT_AND_INDEPENDENT
from mfverify.papers.mean_field_sampling.exact_gaps import bundled, exact_gap, exact_sizes
from mfverify.papers.quantities import trivial_gap
from mfverify.papers.screens import GAP_RISES
from mfverify.theory.cases.of_model import Subsampled, fewer_sampled
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.sabotage import by_adding
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement
from mfverify.theory.witness import GapProof


def _monotone(case: Subsampled) -> Outcome:
    model, n, k = case.model, case.agents, case.subsample
    try:
        (smaller, _), (larger, where) = exact_gap(model, n, k), exact_gap(model, n, k + 1)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(larger), Interval.exactly(smaller), trivial_gap(model), {"worst": f"at k+1: {where}"})


def _p4_instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    return [Subsampled(m, n, k) for m in bundled(given) for n in exact_sizes(profile, m) for k in range(1, n)]


P4 = Claim(
    id="P4",
    title="The gap does not increase with k",
    statement=r"$\max_{s_0} V^*(s_0) - V^{\pi_{k+1}}(s_0) \le \max_{s_0} V^*(s_0) - V^{\pi_k}(s_0)$",
    source="'monotonic improvement as k -> n' (Section 2, experiments)",
    reading="largest gap over start states at k + 1 against k, exact operator, exact rationals",
    assumptions=EXACT_AND_INDEPENDENT,
    registered=Status.REFUTED,
    screen=GAP_RISES,
    sides=_monotone,
    instances=_p4_instances,
    control=Control("1 is added to the gap at k + 1", left=by_adding(1)),
    left_means="largest gap at k + 1",
    right_means="largest gap at k",
    failing_step="A bound that falls with k does not determine the order of the gaps below it: a larger sample can disagree with another one more often, and its greedy "
    "policy can be a worse one for n agents",
    certificate=GapProof(later=lambda n, k: k + 1),
    searched=Arrangement(fewer_sampled, rational_cost),
)
