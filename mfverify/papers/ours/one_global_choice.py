"""When independent draws are harmless: there is one global choice. Claims R5 and R5b.

R5b: if in the one-agent system, for every s_g, one global action is the only optimal one for every local state, the gap is 0 for every k and n. R5:
``|A_g| = 1`` is the special case without a choice. Proofs: docs/mathematics/gap.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mfverify import models
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.exact.rational import fraction
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.exact_gaps import exact_gap
from mfverify.papers.quantities import rational_system, trivial_gap
from mfverify.papers.screens import ONE_GLOBAL_CHOICE, no_gap
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_adding
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement, Origin


def one_global_choice(model: Model) -> str:
    """Why the condition of R5b fails in the one-agent system, or an empty string where it holds; decided exactly."""
    system = rational_system(model, 1)
    global_states, global_actions, local_states, _ = model.sizes
    for g in range(global_states):
        best = None
        for s in range(local_states):
            c = tuple(int(t == s) for t in range(local_states))
            q = [
                max(fraction(system.action_value((g, c), (b, d), system.optimum)) for d in system.local_action_counts(c))
                for b in range(global_actions)
            ]
            winners = [b for b in range(global_actions) if q[b] == max(q)]
            if len(winners) > 1:
                return f"with one agent, s_g={g} and s_l={s}, {len(winners)} global actions are optimal"
            if best is not None and winners[0] != best:
                return f"with one agent and s_g={g} the optimal global action depends on the local state"
            best = winners[0]
    return ""


def _one_global_choice(case: Subsampled) -> Outcome:
    model, n, k = case.model, case.agents, case.subsample
    refusal = one_global_choice(model)
    if refusal:
        return NotApplicable(refusal)
    try:
        gap, where = exact_gap(model, n, k)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(gap), Interval.exactly(0), trivial_gap(model), {"worst": where})


def _r5b_instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    if given is not None:
        return [Subsampled(m, n, k) for m in given for n in (2, 3) for k in range(1, n + 1)]
    seeds = range(6) if profile is Profile.QUICK else range(40)
    chosen = [models.random_coupled(s, discount=gamma) for s in seeds for gamma in ("1/2", "99/100")] + [models.coordination()]
    chosen += [models.random_coupled(s, 3, 2, discount="1/2") for s in seeds]
    return [Subsampled(m, 3, k) for m in chosen for k in (1, 2, 3)]


def _no_global_choice(case: Subsampled) -> Outcome:
    model, n, k = case.model, case.agents, case.subsample
    if model.sizes[1] != 1:
        return NotApplicable(f"|A_g| = {model.sizes[1]}, and the statement requires |A_g| = 1")
    try:
        gap, where = exact_gap(model, n, k)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(gap), Interval.exactly(0), trivial_gap(model), {"worst": where})


def _r5_instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    seeds = range(4) if profile is Profile.QUICK else range(20)
    chosen = list(given) if given is not None else [models.random_coupled(s, 2, 2, 2, 1) for s in seeds] + [models.coordination()]
    return [Subsampled(m, n, k) for m in chosen for n in (2, 3) for k in range(1, n + 1)]


_OURS = "ours, unreviewed"


def _has_no_global_choice(model: Model) -> bool:
    return model.sizes[1] == 1


_NO_CHOICE = ((2, 1, 2, 2), (1, 1, 2, 2), (3, 1, 2, 2), (2, 1, 2, 3), (2, 1, 3, 2))
"""Sizes of models with one global action."""


R5 = Claim(
    id="R5",
    title="Without a global choice independent draws are harmless",
    statement=r"If $|\mathcal A_g| = 1$ then $V^{\pi_k} = V^*$ for every $k$.",
    source=_OURS,
    reading="independent draws, exact operator, exact rationals; the sides are the largest gap and 0",
    assumptions=(*FINITE, "|A_g| = 1"),
    registered=Status.CORROBORATED,
    screen=no_gap(),
    sides=_no_global_choice,
    instances=_r5_instances,
    control=Control("a millionth is added to the gap", left=by_adding(Fraction(1, 10**6))),
    left_means="largest gap",
    right_means="0",
    grounds=proof("docs/mathematics/gap.md", "R5", uses=("R5b",)),
    searched=Arrangement(Subsampled, rational_cost, admits=_has_no_global_choice, sizes=_NO_CHOICE, origin=Origin.RANDOM),
)

R5B = Claim(
    id="R5b",
    title="Independent draws are harmless where one global action is always best",
    statement=r"If for every $s_g$ one $a_g$ is the only optimal one of the one-agent system for every $s_l$, then $V^{\pi_k} = V^*$ for every $k$ and $n$.",
    source=_OURS,
    reading="the condition is decided exactly; independent draws, exact operator, exact rationals; the sides are the largest gap and 0",
    assumptions=(*FINITE, "the optimal global action of one agent is unique and does not depend on the local state"),
    registered=Status.CORROBORATED,
    screen=ONE_GLOBAL_CHOICE,
    sides=_one_global_choice,
    instances=_r5b_instances,
    control=Control("a millionth is added to the gap", left=by_adding(Fraction(1, 10**6))),
    left_means="largest gap",
    right_means="0",
    repairs=("T1", "T1b", "T1c"),
    grounds=proof("docs/mathematics/gap.md", "R5b", uses=("P1", "R1")),
    searched=Arrangement(Subsampled, rational_cost),
)
