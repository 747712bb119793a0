r"""Facts about policies that the proof of Theorem 4.2 uses: the performance difference lemma (P1) and the marginals of pi_k (P2).

Both are identities; the sides are the largest difference, an exact rational, and 0.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product
from typing import TypeAlias

import flint

from mfverify import counts, models
from mfverify.claims.claim import Claim, Control, Instance, Outcome, Profile, Sides, Status
from mfverify.claims.grounds import by_definition, theorem
from mfverify.claims.quantities import learned, rational_system
from mfverify.enclosure import Interval
from mfverify.exact.rational import JointAction, RationalSystem, State, fraction
from mfverify.model import Model
from mfverify.rationals import described
from mfverify.subsample_mfq.execution import policy_marginals
from mfverify.subsample_mfq.learning import Learned

Policy: TypeAlias = dict[State, list[tuple[JointAction, flint.fmpq]]]
"""A stochastic policy: joint actions with probabilities, per state."""


def random_policy(system: RationalSystem, rng: random.Random) -> Policy:
    """A policy that mixes up to three joint actions per state with rational weights."""
    policy: Policy = {}
    for g, c in system.states:
        actions = [(b, d) for b in range(system.model.sizes[1]) for d in system.local_action_counts(c)]
        picked = rng.sample(actions, min(len(actions), 3))
        weights = [rng.randint(1, 5) for _ in picked]
        policy[g, c] = [(a, flint.fmpq(w, sum(weights))) for a, w in zip(picked, weights, strict=True)]
    return policy


def _transition(system: RationalSystem, policy: Policy) -> tuple[flint.fmpq_mat, flint.fmpq_mat]:
    """Transition matrix and reward vector of a stochastic policy."""
    number = {state: i for i, state in enumerate(system.states)}
    matrix = flint.fmpq_mat(len(number), len(number))
    reward = flint.fmpq_mat(len(number), 1)
    for state, mixture in policy.items():
        g, _ = state
        i = number[state]
        for (b, d), weight in mixture:
            reward[i, 0] += weight * system.reward(g, (b, d))
            for h, p in enumerate(system.model.global_kernel[g, b]):
                for c, q in system.law(g, d).items():
                    j = number[h, c]
                    matrix[i, j] += weight * flint.fmpq(p.numerator, p.denominator) * q
    return matrix, reward


def _performance_difference(instance: Instance, shift: int = 0) -> Outcome:
    """Both sides for every start state: the left from two linear solves, the right from the discounted occupancy of pi.

    The occupancy ``d^pi = (1 - gamma) e_s (I - gamma P)^{-1}`` is the explicit inverse, so the sides share no solve. ``shift``
    sabotages: the advantage is taken with one more discount factor.
    """
    assert instance.model is not None and instance.agents is not None
    system = rational_system(instance.model, instance.agents)
    gamma = flint.fmpq(instance.model.discount.numerator, instance.model.discount.denominator)
    rng = random.Random(int(instance["seed"]))
    pi, other = random_policy(system, rng), random_policy(system, rng)
    size = len(system.states)
    identity = flint.fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])
    matrix, reward = _transition(system, pi)
    other_matrix, other_reward = _transition(system, other)
    value = (identity - gamma * matrix).solve(reward)
    other_value = (identity - gamma * other_matrix).solve(other_reward)
    by_state = {state: other_value[i, 0] for i, state in enumerate(system.states)}
    advantage = flint.fmpq_mat(size, 1)
    for i, state in enumerate(system.states):
        for action, weight in pi[state]:
            advantage[i, 0] += weight * (system.action_value(state, action, by_state) - by_state[state])
    occupancy = (1 - gamma) * (identity - gamma * matrix).inv()
    right = occupancy * advantage * (gamma**shift / (1 - gamma))
    differences = [abs(fraction(value[i, 0] - other_value[i, 0] - right[i, 0])) for i in range(size)]
    worst = max(range(size), key=lambda i: differences[i])
    gap = fraction(value[worst, 0] - other_value[worst, 0])
    return Sides(
        Interval.exactly(differences[worst]),
        Interval.exactly(0),
        None,
        {
            "worst": f"start {system.states[worst]}",
            "start states": size,
            "both sides there, as fractions": f"{described(gap, 60)} and {described(fraction(right[worst, 0]), 60)}",
        },
    )


def _p1_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    seeds = range(3) if profile is Profile.QUICK else range(20)
    chosen = (
        list(given)
        if given is not None
        else [models.coordination(), models.absorbing(), models.random_coupled(4), models.random_coupled(16)]
    )
    return [Instance(m, n, None, (("seed", seed),)) for m in chosen for n in (1, 2, 3) for seed in seeds if _small(m, n)]


def _small(model: Model, n: int) -> bool:
    g, b, s, a = model.sizes
    return g * counts.number_of_count_vectors(n, s) <= 60 and g * b * counts.number_of_count_vectors(n, s * a) <= 3000


def _wrong_occupancy(instance: Instance) -> Outcome:
    return _performance_difference(instance, shift=1)


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


def _marginals(instance: Instance) -> Outcome:
    return _marginals_with_draw(instance, own_included=True)


def _marginals_with_draw(instance: Instance, own_included: bool) -> Outcome:
    """Largest difference between the hypergeometric marginals and the enumeration, over all labelled states and agents."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    policy = learned(model, k)
    exact = policy_marginals(policy, n)
    of_global, of_local = exact.global_action, exact.local_action
    local_states = model.sizes[2]
    largest, where, compared = Fraction(0), "all agree", 0
    for g, s in product(range(model.sizes[0]), product(range(local_states), repeat=n)):
        rank = int(counts.rank([s.count(x) for x in range(local_states)]))
        global_share, local_share = enumerated_marginals(policy, n, (g, s), k - 1 if own_included else k)
        pairs = [(of_global[g, rank, b], x, f"global action {b}") for b, x in enumerate(global_share)]
        pairs += [(of_local[g, rank, s[i], a], x, f"agent {i}, action {a}") for i, row in enumerate(local_share) for a, x in enumerate(row)]
        for formula, counted, what in pairs:
            compared += 1
            if abs(formula - counted) > largest:
                largest, where = abs(formula - counted), f"state {(g, s)}, {what}"
    return Sides(Interval.exactly(largest), Interval.exactly(0), None, {"worst": where, "probabilities compared": compared})


def _self_left_out(instance: Instance) -> Outcome:
    """Sabotage: every local agent draws k of the others and forgets itself."""
    return _marginals_with_draw(instance, own_included=False)


def _p2_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    chosen = (
        list(given)
        if given is not None
        else [models.coordination(), models.random_coupled(4), models.random_coupled(16), models.absorbing()]
    )
    largest = 4 if profile is Profile.QUICK else 6
    return [
        Instance(m, n, k)
        for m in chosen
        for n in range(2, largest + 1)
        for k in range(1, n + 1)
        if m.sizes[0] * m.sizes[2] ** n <= 1000 and _small(m, k)
    ]


_FINITE = ("Assumption 2.1 (finite sets)", "Assumption 2.2 (bounded rewards)")

P1 = Claim(
    id="P1",
    title="Performance difference lemma",
    statement=r"$V^{\pi}(s) - V^{\pi'}(s) = \frac{1}{1-\gamma}\, \mathbb E_{s' \sim d^{\pi}_s}\, \mathbb E_{a \sim \pi(\cdot|s')}\big[A^{\pi'}(s', a)\big]$",
    source="Kakade and Langford 2002; Appendix G",
    reading="stochastic policies of the n-agent system on (global state, counts), seeded; every start state; exact rationals",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_performance_difference,
    instances=_p1_instances,
    control=Control("the right side carries one more factor gamma", _wrong_occupancy, lambda: _p1_instances(Profile.QUICK, None)),
    left_means="largest |left - right| of the identity",
    right_means="0",
    grounds=theorem("Kakade and Langford 2002, Lemma 6.1"),
)

P2 = Claim(
    id="P2",
    title="The marginals of the executed policy",
    statement=r"$\pi_k(a_g | s) = \sum_{\Delta} \binom{n}{k}^{-1} \mathbf 1\{\hat\pi_g(s_g, s_\Delta) = a_g\}$, and for each agent the same over the $(k-1)$-subsets of the others.",
    source="eq. 11-12",
    reading="hypergeometric sums over count vectors against the enumeration of every subset for every labelled agent, exact",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_marginals,
    instances=_p2_instances,
    control=Control(
        "local agents draw k of the others and leave themselves out", _self_left_out, lambda: _p2_instances(Profile.QUICK, None)
    ),
    rests_on=("B2",),
    left_means="largest |formula - enumeration|",
    right_means="0",
    grounds=by_definition("eq. 11-12 are Algorithm 2 written out; subsets with equal counts act alike (B2)", uses=("B2",)),
)

CLAIMS = (P1, P2)
