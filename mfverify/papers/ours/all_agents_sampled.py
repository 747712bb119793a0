"""When sampling all agents is optimal. Claims P3r and P3s in place of P3, and X3p in place of X3.

At k = n every sample is the population. P3r: independent draws are optimal where the optimum is unique and gives agents in one local state the
same action. P3s: one draw for all agents is always optimal. X3p: P3r for linear processes. Proofs: docs/mathematics/policies.md and
docs/mathematics/extensions.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from mfverify import counts, models
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.exact.rational import fraction
from mfverify.extensions.linear_mdp import random_mixture, spread
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.exact_gaps import exact_gap
from mfverify.papers.ours.coupled_models import coupled
from mfverify.papers.quantities import learned, rational_system, trivial_gap
from mfverify.papers.screens import OPTIMAL_AT_N, UNIQUE_OPTIMUM_AT_N
from mfverify.subsample_mfq.plays import joint_action
from mfverify.theory.cases.of_model import Subsampled, all_sampled
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_adding
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement


@lru_cache(maxsize=64)
def everybody_shares(model: Model, n: int) -> tuple[Fraction, str]:
    """The largest gap under a shared draw at k = n, exactly, and where: all agents play one maximising joint action."""
    system, found = rational_system(model, n), learned(model, n)
    played = system.policy_value({(g, c): joint_action(found, g, c) for g, c in system.states})
    worst = max(system.states, key=lambda state: fraction(system.optimum[state] - played[state]))
    return fraction(system.optimum[worst] - played[worst]), f"s_g={worst[0]}, counts {worst[1]}"


def shared_at_n(model: Model, n: int, right: Interval) -> Outcome:
    """The largest gap under a shared draw at k = n, exactly, against a right side."""
    try:
        gap, where = everybody_shares(model, n)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(gap), right, trivial_gap(model), {"worst": where})


def _optimal_at_n(case: Subsampled) -> Outcome:
    return shared_at_n(case.model, case.agents, Interval.exactly(0))


def _agrees_at_n(case: Subsampled) -> Outcome:
    """The largest gap of independent draws at k = n where the optimum is unique and gives agents in one state the same action."""
    model, n = case.model, case.agents
    local_actions = model.sizes[3]
    try:
        for state, found in learned(model, n).choices.items():
            if found.actions is None:
                return Unresolved(f"the tie in state {state} is undecided")
            if len(found.actions) > 1:
                return NotApplicable(f"state {state} has {len(found.actions)} optimal joint actions")
            _, d = found.actions[0]
            if any(sum(x > 0 for x in d[s : s + local_actions]) > 1 for s in range(0, len(d), local_actions)):
                return NotApplicable(f"in state {state} the optimum gives agents in one local state different actions")
        gap, where = exact_gap(model, n, n)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(gap), Interval.exactly(0), trivial_gap(model), {"worst": where})


def _everybody_instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    most = 4 if profile is Profile.QUICK else 7
    chosen = [*coupled(given), *([models.redrawn()] if given is None else [])]
    return [
        Subsampled(m, n, n)
        for m in chosen
        for n in range(1, most + 1)
        if m.sizes[0] * m.sizes[1] * counts.number_of_count_vectors(n, m.sizes[2] * m.sizes[3]) <= 2000
    ]


def _cells_instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    if given is not None:
        return [Subsampled(spread(m).reduction, n, n) for m in given for n in (2, 3)]
    sizes, seeds = ((2, 3), range(4)) if profile is Profile.QUICK else ((2, 3, 4, 5), range(16))
    spreads = [models.absorbing(), models.splitting(discount="9/10"), *(models.random_coupled(s, discount="1/2") for s in seeds)]
    chosen = [*(spread(m).reduction for m in spreads), *(random_mixture(seed).reduction for seed in seeds)]
    return [Subsampled(m, n, n) for m in chosen for n in sizes]


_OURS = "ours, unreviewed"

P3R = Claim(
    id="P3r",
    title="At k = n independent draws are optimal where the optimum is unique and gives equals the same action",
    statement=r"If in every state the optimal joint action is unique and gives agents in one local state the same action, then $V^{\pi_n} = V^*$.",
    source=_OURS,
    reading="the condition is decided exactly (actions that are the same in everything count once); the sides are the largest gap and 0, exact rationals",
    assumptions=(*FINITE, "unique optimal joint actions, pure in each local state"),
    registered=Status.CORROBORATED,
    screen=UNIQUE_OPTIMUM_AT_N,
    sides=_agrees_at_n,
    instances=_everybody_instances,
    control=Control("a millionth is added to the gap", left=by_adding(Fraction(1, 10**6))),
    left_means="largest gap at k = n",
    right_means="0",
    repairs=("P3",),
    grounds=proof("docs/mathematics/policies.md", "P3r", uses=("B2", "P1")),
    searched=Arrangement(all_sampled, rational_cost),
)

P3S = Claim(
    id="P3s",
    title="At k = n a shared draw is optimal",
    statement=r"With one draw for all agents and $k = n$: $V(s_0) = V^*(s_0)$ for all $s_0$.",
    source=_OURS,
    reading="all agents play one maximising joint action, of several the lexicographically smallest; the sides are the largest gap and 0, exact rationals",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    screen=OPTIMAL_AT_N,
    sides=_optimal_at_n,
    instances=_everybody_instances,
    control=Control("a millionth is added to the gap", left=by_adding(Fraction(1, 10**6))),
    left_means="largest gap at k = n",
    right_means="0",
    repairs=("P3",),
    grounds=proof("docs/mathematics/policies.md", "P3s", uses=("B1", "B2")),
    searched=Arrangement(all_sampled, rational_cost),
)

X3P = Claim(
    id="X3p",
    title="Linear processes: at k = n nothing is lost where the optimum is unique and gives equals the same action",
    statement=r"On a linear process whose features are constant on cells: if in every state the optimal joint action is unique and gives agents in one "
    r"cell the same action, then $V^{\pi_n} = V^*$, hence $\max_{s_0} (V^* - V^{\pi_n}) \le \max_{s_0} (V^* - V^{\pi_k})$ for every $k$.",
    source=_OURS,
    reading="values are exactly those of the finite model over the cells; exact regression, independent draws; the condition is decided exactly (actions "
    "that are the same in everything count once); the sides are the largest gap at n and 0, which is at most the gap at any k; exact rationals",
    assumptions=(
        "kernel and reward linear in features (Theorem 4.12)",
        "features constant on the cells of a partition of [0, 1]",
        "unique optimal joint actions, pure in each cell",
    ),
    registered=Status.CORROBORATED,
    screen=UNIQUE_OPTIMUM_AT_N,
    sides=_agrees_at_n,
    instances=_cells_instances,
    control=Control("a millionth is added to the gap", left=by_adding(Fraction(1, 10**6))),
    grounds=proof("docs/mathematics/extensions.md", "X3p", uses=("P3r",)),
    left_means="largest gap at k = n",
    right_means="0",
    repairs=("X3",),
    searched=Arrangement(all_sampled, rational_cost),
)
