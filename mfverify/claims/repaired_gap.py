r"""Gap bounds that do hold, ours, with proofs: R4, R4u, R4n, S4r, X3r under a shared draw, R6 under independent draws.

``L = 2 rt_l/(1-gamma)``; ``V_n``, ``Q_n`` belong to the n-agent system; ``z_D`` are the state-action pairs of the members of D.

**R4.** *Policy.* One uniform k-subset D a step for everybody. ``a^D`` is a maximiser of ``Q_k(s_g, s_D, .)``; the global agent and the members of
D play their part; an agent outside whose state s occurs in D copies a uniformly random member in s, one whose state does not
occur plays any action. *Proof.*

1. *Performance difference* (P1): ``V_n - V^pi = 1/(1-gamma)`` times a mean, over states that the policy visits, of the loss
   ``V_n(s) - E Q_n(s, a)`` of one step. So it suffices to bound the loss in every state, and to divide by 1 - gamma.
2. *Optimism* (R1): ``V_n(s) <= E_D V_k(s_g, s_D) = E_D Q_k(s_g, z_D, a_g)``.
3. *The same a_g on both sides, D inside [n]* (R2): ``Q_k(z_D) - Q_n(z_[n]) <= L TV(z_D, z_[n]) + gamma L/(1-gamma) [fluctuation + rounding]``; at
   k = n the two are the same.
4. *The distance.* Let ``x_sa`` be the share of the members in s that play a. For a state that occurs in D, the agents in s that play a are in the
   mean ``n_s x_sa``, so ``sum_a |F_D(s,a) - F_[n](s,a)| <= |F_D(s) - F_[n](s)|`` plus the noise of ``n_s - k_s`` independent copies over n, of mean
   at most ``sqrt((n_s - k_s)(|A_l| - 1))/n``; for one that does not occur the sum is ``F_[n](s)``, the first term. Summing over s, with
   Cauchy-Schwarz, and with ``E TV(s_D, s_[n]) <= (1/2) sqrt((|S_l|-1)(n-k)/(k(n-1)))`` (C4): the two first terms of the bound.

**R4u.** *Proof.* The terms of R4 with their largest value over n: ``(n-k)/(k(n-1)) <= 1/k``, ``(n-k)/n^2 <= 1/(4k)`` (largest at n = 2k),
``1{k<n}/n <= 1/k``. A constant times 1/sqrt(k) for all n at once, which is what T3 says of independent draws.

**R4n.** *Proof.* A maximiser of ``Q^est`` loses at most ``2 eps`` in ``Q_k``: step 2 of R4 becomes ``V_n(s) <= E_D Q_k(z_D) + 2 eps``, once
a step. With ``eps <= 1/sqrt(k)``, which N1r's number of samples gives with probability ``1 - 1/(100 e^k)``, it stands in for Theorem 4.4.

**S4r.** *Proof.* A model with types is a model with the local states ``E x S_l``, of which the first component never changes. R4 holds for
it, with ``|E||S_l|`` in place of ``|S_l|`` and ``|E| Z`` in place of Z.

**X3r.** *Proof.* R4 for the cells. A local state of the process acts through its cell alone, and the mass of a component on a cell is a
fixed number, so the cells of the agents are a Markov decision process of their own, the finite model, with the same values, greedy policies
and executed values (``extensions/linear_mdp.py``); who copies within a cell copies in that model. At k = n the bound is 0
(P3s), so that under a shared draw the gap does decay to 0 as k grows to n, which is what X3 says of independent draws and what fails there.

**R6, independent draws.** *Proof.* Take the global agent's own draw for D, so that the global actions agree. Given D the local agents'
actions are independent, ``a_i`` with the law ``P_s`` of its state. Couple each with what it does under R4, ``x_s`` for an outsider and
``a^D_i`` for a member: the mean share of agents that differ is

    dis(s) = E_D sum_s [ (k_s/n) (1 - sum_a x_sa P_s(a)) + ((n_s - k_s)/n) TV(P_s, x_s) ].

Changing the actions of a share d of the agents changes ``Q_n`` by at most ``L d`` (L1 for n agents), so a step loses at most ``L dis(s)``
more than under R4, whose steps 2 to 4 bound the loss in every state; then step 1 (P1). The condition under which independent draws are fine
is that ``dis`` is small: samples of one population rarely disagree on what to do, as where the k-optimal actions do not depend on the
counts, or where an action gap keeps the population's decision through its fluctuation. Where a population is balanced, as in the
counterexamples, ``dis`` is about 1/2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache, partial

from mfverify import counts, models
from mfverify.bounds import noise, optimality, symbols
from mfverify.bounds.bound import Bound
from mfverify.claims.claim import Claim, Control, Instance, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.claims.costs import twins
from mfverify.claims.grounds import proof
from mfverify.claims.optimality_gap import gap_sides, symbol_values
from mfverify.claims.quantities import executed, learned, optimum, trivial_gap
from mfverify.claims.repaired import everybody_shares
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.extensions.linear_mdp import random_mixture, spread
from mfverify.model import Model
from mfverify.models.agent_types import preferences
from mfverify.rationals import estimate
from mfverify.subsample_mfq.execution import execution_value, policy_marginals
from mfverify.subsample_mfq.learning import bellman_noise, learn
from mfverify.subsample_mfq.plays import copied_mixture, joint_action

_MOST_EXACT_AGENTS = 12
_MANY_AGENTS = 1000
"""From here on an instance also shows what sharing the list does without copying, about which nothing is proved."""
_ONE_AGENT = NotApplicable("the bound divides by n - 1; with one agent k = n and there is nothing to subsample")


def _shared_gap(bound: Bound, instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The largest gap under a shared draw against a bound; at k = n, where the bound may be 0, in exact arithmetic."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    if n == 1:
        return _ONE_AGENT
    if k < n:
        out = gap_sides(bound, instance, "shared", scale)
        if n < _MANY_AGENTS or not isinstance(out, Sides):
            return out
        plain = (optimum(model, n) - executed(model, n, k, "shared-list")).max()
        return Sides(out.left, out.right, out.trivial, {**out.details, "gap if the list is shared and nobody copies": repr(plain)})
    if n > _MOST_EXACT_AGENTS:
        return Unresolved(f"k = n = {n}, where both sides are 0, is out of reach of exact arithmetic; choose at most {_MOST_EXACT_AGENTS}")
    try:
        gap, where = everybody_shares(model, n)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    right = bound.enclose(symbol_values(model, n, k)) * scale
    return Sides(Interval.exactly(gap), right, trivial_gap(model), {"worst": where})


def _shared_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:
        return [Instance(m, n, k) for m in given for n, ks in ((4, (1, 2, 3, 4)), (8, (1, 2, 4))) for k in ks]
    plan: list[tuple[Model, int, tuple[int, ...]]] = [
        (models.coordination(), 60, (11, 31, 51, 59)),
        (models.coordination(), 100, (91, 99)),
        (models.coordination(), 1000, (11, 101, 401)),
        (models.redrawn(), 60, (31, 59)),
        (models.absorbing(), 10, (1, 2, 4, 8)),
        (models.splitting(), 10, (1, 2, 4, 8)),
        (models.splitting(), 3, (3,)),
        *((models.random_coupled(seed, discount="1/2"), 24, (1, 6, 12, 18, 23)) for seed in (4, 5, 16, 100)),
        (models.random_coupled(4, discount="1/100"), 12, (1, 4, 11)),
        (models.random_coupled(4, discount="99/100"), 6, (5, 6)),
    ]
    if profile is Profile.FULL:
        plan += [(models.random_coupled(seed, discount="1/2"), 40, (1, 5, 20, 35, 39)) for seed in range(10)]
        plan += [(models.random_coupled(seed, 3, 3, discount="1/4"), 6, (1, 3, 5, 6)) for seed in range(6)]
        plan += [(models.coordination(), 200, (101, 151, 191, 199)), (models.redrawn(), 200, (101, 199))]
        plan += [(models.coordination(), 2000, (11, 101, 401))]
    return [Instance(m, n, k) for m, n, ks in plan for k in ks]


def _uniform_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:
        return [i for i in _shared_instances(profile, given) if i.subsample != i.agents]
    plan = [
        (models.random_coupled(seed, discount=gamma), n, k)
        for seed in (4, 5, 16)
        for gamma, n, k in (("1/10", 12, 6), ("1/10", 24, 12), ("1/10", 24, 23), ("1/2", 24, 23))
    ]
    plan += [(models.coordination(discount=_TENTH), 60, k) for k in (11, 31, 59)]
    if profile is Profile.FULL:
        plan += [(models.coordination(discount=_TENTH), 200, k) for k in (11, 101, 199)] + [(models.coordination(), 200, 101)]
    return [Instance(m, n, k) for m, n, k in plan]


_TENTH = "1/10"


def _noisy_gap(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The largest gap of what an empirical operator learned, under a shared draw, with its own certified noise."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    if n == 1:
        return _ONE_AGENT
    try:
        found = learn(model, k, samples=int(instance["samples"]), seed=int(instance["seed"]))
        eps = bellman_noise(found)
        gap = (optimum(model, n) - execution_value(model, n, found, "shared")).max()
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    right = optimality.SHARED_DRAW_NOISE.enclose({**symbol_values(model, n, k), symbols.eps_km: eps}) * scale
    target = noise.ITERATION_TARGET.enclose({symbols.k: k})
    details = {"Bellman noise": repr(eps), "noise at most 1/sqrt(k)": str((eps <= target) is True)}
    return Sides(gap, right, trivial_gap(model), details)


def _noisy_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:
        return [Instance(m, 4, k, (("samples", 64), ("seed", 0))) for m in given for k in (1, 3)]
    plan = [(models.coordination(), 60, 11, 1, 0)]
    plan += [(models.random_coupled(seed, discount="1/2"), 12, k, m, 0) for seed in (4, 16) for k, m in ((4, 4), (11, 16), (11, 256))]
    if profile is Profile.FULL:
        plan += [(models.random_coupled(s, discount="1/2"), 20, 16, m, seed) for s in (4, 5, 16) for m in (4, 64) for seed in (0, 1)]
    return [Instance(model, n, k, (("samples", m), ("seed", seed))) for model, n, k, m, seed in plan]


def _typed_gap(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The largest gap of a model with types under a shared draw against R4 for that many types."""
    model, n, k, types = instance.model, instance.agents, instance.subsample, int(instance["types"])
    assert model is not None and n is not None and k is not None
    try:
        gap = (optimum(model, n) - executed(model, n, k, "shared")).max()
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    values = dict(symbol_values(model, n, k))
    values |= {symbols.E: types, symbols.S_l: model.sizes[2] // types, symbols.Z: model.sizes[2] * model.sizes[3] // types}
    right = optimality.SHARED_DRAW_TYPES.enclose(values) * scale
    return Sides(gap, right, trivial_gap(model))


def _typed_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:
        return [Instance(twins(m), 3, 2, (("types", 2),)) for m in given if 2 * m.sizes[2] * m.sizes[3] <= 8]
    plan = [(preferences(2), 2, n, k) for n, k in ((6, 3), (24, 5), (24, 23), (60, 31), (60, 55))]
    plan += [(preferences(3), 3, 6, 5), (preferences(3), 3, 12, 11), (twins(models.coordination()), 2, 3, 2)]
    if profile is Profile.FULL:
        plan += [(preferences(2), 2, 150, 101), (preferences(3), 3, 20, 15), (preferences(4), 4, 8, 7)]
    return [Instance(m, n, k, (("types", types),)) for m, types, n, k in plan]


def _linear_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:
        return [Instance(spread(m).reduction, 4, k) for m in given for k in (2, 3, 4)]
    plan = [(spread(models.coordination()).reduction, 60, k) for k in (11, 31, 51)]
    plan += [(spread(models.random_coupled(seed, discount="1/2")).reduction, 24, k) for seed in (4, 100) for k in (12, 23)]
    seeds = (1, 6) if profile is Profile.QUICK else range(16)
    plan += [(random_mixture(seed).reduction, 8, 7) for seed in seeds]
    plan += [(random_mixture(seed).reduction, 3, 3) for seed in seeds] + [(spread(models.splitting(discount="9/10")).reduction, 4, 4)]
    return [Instance(m, n, k) for m, n, k in plan]


@lru_cache(maxsize=64)
def disagreement(model: Model, n: int, k: int) -> tuple[Fraction, str]:
    """The largest ``dis`` over states of the n-agent system (head of this file), exactly, and where it is.

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


def _independent_gap(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The largest gap under independent draws against R4 plus what disagreeing costs."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    if n == 1:
        return _ONE_AGENT
    try:
        share, where = disagreement(model, n, k)
        gap = (optimum(model, n) - executed(model, n, k, "independent")).max()
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    right = optimality.INDEPENDENT_DRAWS.enclose({**symbol_values(model, n, k), symbols.disagreement: share}) * scale
    details = {"worst": f"largest disagreement {estimate(share, 4)} in {where}"}
    return Sides(gap, right, trivial_gap(model), details)


def _independent_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:
        return [Instance(m, n, k) for m in given for n, ks in ((4, (1, 2, 3)), (6, (1, 3, 5))) for k in ks]
    plan: list[tuple[Model, int, tuple[int, ...]]] = [
        (models.coordination(), 40, (21, 39)),
        (models.redrawn(), 24, (23,)),
        (models.absorbing(), 10, (4, 8, 9)),
        *((models.random_coupled(seed, discount="1/2"), 20, (4, 10, 19)) for seed in (2, 4, 5, 16, 100)),
        *((models.random_coupled(seed, discount="1/10"), 20, (4, 10, 19)) for seed in (4, 16)),
    ]
    if profile is Profile.FULL:
        plan += [(models.random_coupled(seed, discount="1/4"), 30, (5, 15, 29)) for seed in range(12)]
    return [Instance(m, n, k) for m, n, ks in plan for k in ks]


_FINITE = ("Assumption 2.1 (finite sets)", "Assumption 2.2 (bounded rewards)")
_EXACT = "eps_{k,m} = 0 (exact operator)"
_OURS = "ours, unreviewed; proof in repaired_gap.py"
_COPYING = "members play their part of the lexicographically smallest joint argmax; an agent outside copies a random member in the same state, or plays action 0"


def _control(
    sabotage: str,
    check: Callable[..., Outcome],
    factor: Fraction,
    instances: Callable[[Profile, Sequence[Model] | None], list[Instance]],
) -> Control:
    return Control(sabotage, partial(check, scale=factor), lambda: instances(Profile.QUICK, None))


R4 = Claim(
    id="R4",
    title="A gap bound with a shared draw",
    statement=r"With one $k$-subset per step for everybody and copying: $V^*(s_0) - V(s_0) \le " + optimality.SHARED_DRAW.latex + "$",
    source=_OURS,
    reading=_COPYING,
    assumptions=(*_FINITE, _EXACT),
    registered=Status.CORROBORATED,
    sides=partial(_shared_gap, optimality.SHARED_DRAW),
    instances=_shared_instances,
    control=_control("the bound is divided by forty", partial(_shared_gap, optimality.SHARED_DRAW), Fraction(1, 40), _shared_instances),
    left_means="largest gap, shared draw",
    right_means="bound R4",
    repairs=("T1", "T1b"),
    grounds=proof(__name__, "R4", uses=("C4", "P1", "R1", "R2")),
)

R4U = Claim(
    id="R4u",
    title="A gap of order 1/sqrt(k) uniformly in n, with a shared draw",
    statement=r"With one $k$-subset per step for everybody and copying, for every $n$: $V^*(s_0) - V(s_0) \le "
    + optimality.SHARED_DRAW_UNIFORM.latex
    + "$",
    source=_OURS,
    reading=_COPYING,
    assumptions=(*_FINITE, _EXACT),
    registered=Status.CORROBORATED,
    sides=partial(_shared_gap, optimality.SHARED_DRAW_UNIFORM),
    instances=_uniform_instances,
    control=_control(
        "the bound is divided by two hundred", partial(_shared_gap, optimality.SHARED_DRAW_UNIFORM), Fraction(1, 200), _uniform_instances
    ),
    left_means="largest gap, shared draw",
    right_means="bound R4u",
    repairs=("T3",),
    grounds=proof(__name__, "R4u", uses=("R4",)),
)

R4N = Claim(
    id="R4n",
    title="The gap of a learned policy with a shared draw",
    statement=r"With the greedy policy of $\hat Q^{est}_{k,m}$, one $k$-subset per step and copying: $V^*(s_0) - V(s_0) \le "
    + optimality.SHARED_DRAW_NOISE.latex
    + "$",
    source=_OURS,
    reading="certified noise of the sample that was drawn (parameters samples, seed), not a bound of it; " + _COPYING,
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_noisy_gap,
    instances=_noisy_instances,
    control=_control("the bound is divided by two hundred", _noisy_gap, Fraction(1, 200), _noisy_instances),
    left_means="largest gap, shared draw",
    right_means="bound R4n",
    repairs=("T2", "T2b"),
    grounds=proof(__name__, "R4n", uses=("R4",)),
)

S4R = Claim(
    id="S4r",
    title="The gap with types grows at most like the root of their number",
    statement=r"With $|\mathcal E|$ types, one $k$-subset per step and copying: $V^*(s_0) - V(s_0) \le "
    + optimality.SHARED_DRAW_TYPES.latex
    + "$",
    source=_OURS,
    reading=r"$|\mathcal S_l|$ and $|\mathcal Z_l|$ are those of one type; " + _COPYING,
    assumptions=(*_FINITE, "types are a component of the local state that never changes", _EXACT),
    registered=Status.CORROBORATED,
    sides=_typed_gap,
    instances=_typed_instances,
    control=_control("the bound is divided by forty", _typed_gap, Fraction(1, 40), _typed_instances),
    left_means="largest gap, shared draw",
    right_means="bound S4r",
    repairs=("S4b",),
    grounds=proof(__name__, "S4r", uses=("R4",)),
)

X3R = Claim(
    id="X3r",
    title="Linear processes with a shared draw",
    statement=r"On a linear process whose features are constant on $|\mathcal S_l|$ cells, with one $k$-subset per step and copying within cells: "
    r"$V^*(s_0) - V(s_0) \le " + optimality.SHARED_DRAW.latex + "$",
    source=_OURS,
    reading="values are exactly those of the finite model over the cells; exact regression; " + _COPYING,
    assumptions=("kernel and reward linear in features (Theorem 4.12)", "features constant on the cells of a partition of [0, 1]"),
    registered=Status.CORROBORATED,
    sides=partial(_shared_gap, optimality.SHARED_DRAW),
    instances=_linear_instances,
    control=_control(
        "the bound is divided by two hundred", partial(_shared_gap, optimality.SHARED_DRAW), Fraction(1, 200), _linear_instances
    ),
    left_means="largest gap, shared draw",
    right_means="bound R4",
    repairs=("X3", "X3b"),
    grounds=proof(__name__, "X3r", uses=("R4",)),
)

R6 = Claim(
    id="R6",
    title="Independent draws are fine where samples agree on what to do",
    statement=r"With independent draws: $V^*(s_0) - V^{\pi_k}(s_0) \le " + optimality.INDEPENDENT_DRAWS.latex + "$",
    source=_OURS,
    reading="dis is the largest, over states, mean share of agents that act otherwise than the copying agents of R4 would on the global agent's draw: "
    "exact hypergeometric means of exact marginals",
    assumptions=(*_FINITE, _EXACT),
    registered=Status.CORROBORATED,
    sides=_independent_gap,
    instances=_independent_instances,
    control=_control("the bound is divided by forty", _independent_gap, Fraction(1, 40), _independent_instances),
    left_means="largest gap, independent draws",
    right_means="bound R6",
    repairs=("T1", "T1b"),
    grounds=proof(__name__, "R6", uses=("L1", "P1", "P2", "R4")),
)

CLAIMS = (R4, R4U, R4N, S4R, X3R, R6)
