"""The gap under independent draws, where samples agree on what to do. Claim R6, in place of Theorem 4.2 (T1, T1b).

With ``P_s`` the law of an agent's action and ``x_s`` that of a copying agent of R4 on the global agent's draw D,

    dis(s) = E_D sum_s [ (k_s/n) (1 - sum_a x_sa P_s(a)) + ((n_s - k_s)/n) TV(P_s, x_s) ]

is the mean share of agents that act otherwise, and costs at most ``L dis(s)`` a step. It is small where samples of one population rarely disagree
on what to do, and about 1/2 where a population is balanced, as in the counterexamples. Proof: docs/mathematics/gap.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final

from mfverify import counts, models
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import EXACT_OPERATOR, FINITE
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.mean_field_sampling.theorem_e_3 import SLOPE
from mfverify.papers.ours import symbols
from mfverify.papers.ours.shared_draw import ONE_AGENT, SHARED_DRAW
from mfverify.papers.ours.symbols import TABLE, gamma
from mfverify.papers.quantities import executed, learned, optimum, trivial_gap
from mfverify.papers.screens import agreeing_gap
from mfverify.rationals import estimate
from mfverify.subsample_mfq.execution import policy_marginals
from mfverify.subsample_mfq.plays import copied_mixture, joint_action
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.formula import plus, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import shared_cost
from mfverify.theory.search_space import Arrangement

INDEPENDENT_DRAWS: Final = Bound(
    "R6",
    plus(SHARED_DRAW.expression, times(SLOPE / (1 - gamma), symbols.disagreement)),
    "R4 plus the price of disagreeing (ours)",
    "independent draws: dis is the largest, over states, mean share of agents that act otherwise than the copying agents of R4",
    TABLE,
)


@lru_cache(maxsize=64)
def disagreement(model: Model, n: int, k: int) -> tuple[Fraction, str]:
    """The largest ``dis`` over states of the n-agent system (head of this file; step 1 of the proof of R6), exactly, and where it is.

    Cost: for every state the samples that it allows. Raises :class:`UndecidedTieError` for an undecided tie.
    """
    found = learned(model, k)
    own = policy_marginals(found, n).local_action
    global_states, _, size, local_actions = model.sizes
    largest, where = Fraction(-1), ""
    for g in range(global_states):
        for rank, row in enumerate(counts.count_vectors(n, size)):
            population = tuple(int(x) for x in row)
            total = Fraction(0)
            for sample, p in counts.subsample_law(population, k):
                _, d = joint_action(found, g, sample)
                for s in range(size):
                    if population[s]:
                        mixture, law = copied_mixture(d, sample, s, local_actions), own[g, rank, s]
                        total += p * sample[s] * (1 - sum(mixture * law, Fraction(0)))
                        total += p * (population[s] - sample[s]) * sum(abs(mixture - law), Fraction(0)) / 2
            if total > largest:
                largest, where = total, f"s_g={g}, counts {population}"
    return largest / n, where


def _independent_gap(case: Subsampled) -> Outcome:
    """The largest gap under independent draws against R4 plus what disagreeing costs."""
    model, n, k = case.model, case.agents, case.subsample
    if n == 1:
        return ONE_AGENT
    try:
        share, where = disagreement(model, n, k)
        gap = (optimum(model, n) - executed(model, n, k, "independent")).max()
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    right = INDEPENDENT_DRAWS.enclose({**symbol_values(model, n, k), symbols.disagreement: share})
    details = {"worst": f"largest disagreement {estimate(share, 4)} in {where}"}
    return Sides(gap, right, trivial_gap(model), details)


def _independent_instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    if given is not None:
        return [Subsampled(m, n, k) for m in given for n, ks in ((4, (1, 2, 3)), (6, (1, 3, 5))) for k in ks]
    plan: list[tuple[Model, int, tuple[int, ...]]] = [
        (models.coordination(), 40, (21, 39)),
        (models.redrawn(), 24, (23,)),
        (models.absorbing(), 10, (4, 8, 9)),
        *((models.random_coupled(seed, discount="1/2"), 20, (4, 10, 19)) for seed in (2, 4, 5, 16, 100)),
        *((models.random_coupled(seed, discount="1/10"), 20, (4, 10, 19)) for seed in (4, 16)),
    ]
    if profile is Profile.FULL:
        plan += [(models.random_coupled(seed, discount="1/4"), 30, (5, 15, 29)) for seed in range(12)]
    return [Subsampled(m, n, k) for m, n, ks in plan for k in ks]


def _several(model: Model, n: int, k: int) -> Subsampled | None:
    return Subsampled(model, n, k) if n >= 2 else None


_OURS = "ours, unreviewed"

R6 = Claim(
    id="R6",
    title="Independent draws are fine where samples agree on what to do",
    statement=r"With independent draws: $V^*(s_0) - V^{\pi_k}(s_0) \le " + INDEPENDENT_DRAWS.latex + "$",
    source=_OURS,
    reading="dis is the largest, over states, mean share of agents that act otherwise than the copying agents of R4 would on the global agent's draw: "
    "exact hypergeometric means of exact marginals",
    assumptions=(*FINITE, EXACT_OPERATOR),
    registered=Status.CORROBORATED,
    screen=agreeing_gap(INDEPENDENT_DRAWS, symbols.disagreement),
    sides=_independent_gap,
    instances=_independent_instances,
    control=Control("the bound is divided by forty", right=by_factor(Fraction(1, 40))),
    left_means="largest gap, independent draws",
    right_means="bound R6",
    repairs=("T1", "T1b", "T1c"),
    grounds=proof("docs/mathematics/gap.md", "R6", uses=("L1", "P1", "P2", "R4")),
    searched=Arrangement(_several, shared_cost, (2, 3, 4, 6, 8, 12)),
)
