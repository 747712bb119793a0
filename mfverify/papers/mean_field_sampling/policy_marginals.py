"""eq. 11-12: the marginals of the executed policy. Claim P2.

An identity; the sides are the largest difference, an exact rational, and 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product

from mfverify import counts, models
from mfverify.enclosure import Interval
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.exact_gaps import small_enough
from mfverify.papers.quantities import learned
from mfverify.subsample_mfq.execution import policy_marginals
from mfverify.subsample_mfq.learning import Learned
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status
from mfverify.theory.grounds import by_definition
from mfverify.theory.search_costs import labelled_cost
from mfverify.theory.search_space import Arrangement


def enumerated_marginals(
    policy: Learned, n: int, state: tuple[int, tuple[int, ...]], draw: int
) -> tuple[list[Fraction], list[list[Fraction]]]:
    """Eq. 11-12 read literally for labelled agents: every k-subset for the global agent, every ``draw``-subset for each local one.

    Returns the probabilities of the global actions and, per agent, of its local actions. Cost: ``C(n, k) + n C(n-1, k-1)``.
    """
    g, s = state
    model = policy.model
    local_states, local_actions = model.sizes[2:]

    def rank(sample: Sequence[int]) -> int:
        return int(counts.rank([sum(1 for i in sample if s[i] == x) for x in range(local_states)]))

    subsets = list(combinations(range(n), policy.k))
    of_global = [Fraction(0)] * model.sizes[1]
    for subset in subsets:
        of_global[int(policy.global_action[g, rank(subset)])] += Fraction(1, len(subsets))
    of_local = []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        drawn = list(combinations(others, draw))
        shares = [Fraction(0)] * local_actions
        for subset in drawn:
            sample = (i, *subset) if draw == policy.k - 1 else subset
            own = s[i] if any(s[j] == s[i] for j in sample) else s[sample[0]]
            shares[int(policy.local_action[g, rank(sample), own])] += Fraction(1, len(drawn))
        of_local.append(shares)
    return of_global, of_local


def _marginals(case: Subsampled) -> Outcome:
    return _compared(case, case.subsample - 1)


def _left_out(case: Subsampled) -> Outcome:
    return _compared(case, case.subsample)


def _compared(case: Subsampled, others: int) -> Outcome:
    """Largest difference between the hypergeometric marginals and the enumeration in which a local agent draws that many others."""
    model, n, k = case.model, case.agents, case.subsample
    policy = learned(model, k)
    exact = policy_marginals(policy, n)
    of_global, of_local = exact.global_action, exact.local_action
    local_states = model.sizes[2]
    largest, where, compared = Fraction(0), "all agree", 0
    for g, s in product(range(model.sizes[0]), product(range(local_states), repeat=n)):
        rank = int(counts.rank([s.count(x) for x in range(local_states)]))
        global_share, local_share = enumerated_marginals(policy, n, (g, s), others)
        pairs = [(of_global[g, rank, b], x, f"global action {b}") for b, x in enumerate(global_share)]
        pairs += [(of_local[g, rank, s[i], a], x, f"agent {i}, action {a}") for i, row in enumerate(local_share) for a, x in enumerate(row)]
        for formula, counted, what in pairs:
            compared += 1
            if abs(formula - counted) > largest:
                largest, where = abs(formula - counted), f"state {(g, s)}, {what}"
    return Sides(Interval.exactly(largest), Interval.exactly(0), None, {"worst": where, "probabilities compared": compared})


def _p2_instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    chosen = (
        list(given)
        if given is not None
        else [models.coordination(), models.random_coupled(4), models.random_coupled(16), models.absorbing()]
    )
    largest = 4 if profile is Profile.QUICK else 6
    return [
        Subsampled(m, n, k)
        for m in chosen
        for n in range(2, largest + 1)
        for k in range(1, n + 1)
        if m.sizes[0] * m.sizes[2] ** n <= 1000 and small_enough(m, k)
    ]


P2 = Claim(
    id="P2",
    title="The marginals of the executed policy",
    statement=r"$\pi_k(a_g | s) = \sum_{\Delta} \binom{n}{k}^{-1} \mathbf 1\{\hat\pi_g(s_g, s_\Delta) = a_g\}$, and for each agent the same over the $(k-1)$-subsets of the others.",
    source="eq. 11-12",
    reading="hypergeometric sums over count vectors against the enumeration of every subset for every labelled agent, exact",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    sides=_marginals,
    instances=_p2_instances,
    control=Control("local agents draw k of the others and leave themselves out", _left_out),
    rests_on=("B2",),
    left_means="largest |formula - enumeration|",
    right_means="0",
    grounds=by_definition("eq. 11-12 are Algorithm 2 written out; subsets with equal counts act alike (B2)", uses=("B2",)),
    searched=Arrangement(Subsampled, labelled_cost, (2, 3, 4, 5)),
)
