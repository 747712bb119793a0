r"""What does hold, in exact arithmetic: repaired statements, ours, with proofs (R1, R2, R2L, P3r, P3s, P4r, R5, R5b, X3p).

``L = 2 rt_l / (1 - gamma)``; ``V_n``, ``Q_n`` belong to the n-agent system. The proof of L1, which is used, stands in ``lipschitz.py``.

**R1, subsampling is optimistic.** ``E_Delta V_k(s_g, s_Delta) >= V_n(s_g, s_[n])`` for any random k-subset that contains every agent with
probability k/n (a uniform one, say), and the same for Q. *Proof.* The k-agent system can draw Delta, simulate the other n - k agents with
private randomness and play the n-optimal policy's actions for its own agents and the global one: the labelled n-agent process has its own
law, Delta is independent of it, and so the mean over Delta of the mean reward over Delta is the mean reward over [n]. What it earns with
randomness and memory is at most ``V_k(s_g, s_Delta)``.

**P4r.** *Proof.* Given k + 1 sampled agents, a uniform k of them: R1 with k + 1 in place of n, then the mean over the k + 1. So ``E V_k``
falls as k grows, from ``E V_1`` down to ``V_n`` at k = n. This monotonicity in k, of what the learner expects and not of what it gets,
stands in for P4.

**R2, Lipschitz across sizes with a fluctuation term.** For ``z_Delta`` inside ``z_[n]``: ``Q_k(z_Delta) - Q_n(z_[n]) <= L TV + (gamma
L/(1-gamma)) [ (1/2) sqrt((|S_l|-1)(n-k)/(nk)) + Z/(4n) ]``. *Proof.* Let C be the largest of ``Q_k(z_Delta) - Q_n(z_[n]) - L TV(z_Delta,
z_[n])``. The rewards differ by at most ``2 rt_l TV``. Let the shared agents move alike. The next distributions differ by the difference of
the means, at most TV (C6), and by independent centred noise with the weights ``1/k - 1/n`` (sampled) and ``-1/n``, whose squares add up to
``(n-k)/(nk)``: in the mean the square root (C7r, into |S_l| classes). Then give the agents of Delta a k-optimal joint action, and complete
it to [n] so that in each local state the actions have the shares that they have in Delta, rounded by largest remainders (per state the
errors add up to at most |A_l|/2; where no sampled agent is, any actions do): that costs ``Z/(4n)``, and ``z_Delta`` lies again inside
``z_[n]``, since with ``n_s >= k_s`` agents in a state no share is rounded below the sample's number. So ``C <= gamma (L [fluctuation +
rounding] + C)``, and ``2 rt_l + gamma L = L`` keeps the slope.

**R2L, the other side.** ``Q_n(z_[n]) - Q_k(F) <= L (TV(F, z_[n]) + Z/(4k))`` for every F of k agents. *Proof.* In R1 draw Delta by
systematic sampling, so that every class has its share rounded up or down, in the mean ``E TV(z_Delta, z_[n]) <= Z/(4k)`` (a share with
fractional part t is off by ``2 t (1-t)/k <= 1/(2k)`` in the mean). So ``Q_n(z_[n]) <= E Q_k(z_Delta) <= Q_k(F) + L E TV(F, z_Delta)`` by
L1.

**P3r, P3s.** *Proof.* At k = n every sample is the population. P3r: if in every state the optimal joint action is unique and gives all
agents in one local state the same action, each agent finds its part of it alone, so independent draws are optimal. P3s: with one draw for
all agents the members play one optimal joint action, of several any, and a policy that does so in every state is optimal (Puterman 1994,
section 6.2).

**X3p.** *Proof.* On a linear process whose features are constant on cells, the cells of the agents form the n-agent system of the finite
model over cells, and the values of the process are its values (``extensions/linear_mdp.py``). So P3r for that model says: where the optimum
is unique and gives all agents in one cell the same action, the gap at k = n is 0, and no gap at a smaller sample is below it, since no gap
is negative. This is X3 with the condition that its counterexample lacks; the decay to 0 under a shared draw needs no condition (P3s, and
X3r at k = n).

**R5, R5b, when independent draws are harmless.** R5b: let in the one-agent system, for every s_g, one global action ``b(s_g)`` be the only
optimal one for every local state. Let v be the one-agent value. *Proof* that the gap is 0 for every k and n: by R1 with k = 1, ``V_n`` is
at most the mean of ``v(s_g, s_i)``, and playing b and each agent's own best action earns it, so ``V_n`` is that mean and ``Q_n(s_g, z, a_g)
= mean of q(s_g, a_g, z_i)`` for every a_g; for every n, also for the k of the learner. So b(s_g) is its only optimal global action for
every sample and every agent's part maximises ``q(s_g, b, s_i, .)``, whatever it samples: what is played earns the mean of ``v(s_g, s_i)``,
which is ``V_n``. R5: ``|A_g| = 1`` is the special case without a choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache, partial

from mfverify import counts, models
from mfverify.bounds import lipschitz, symbols
from mfverify.bounds.bound import Bound
from mfverify.claims.claim import Claim, Control, Instance, NotApplicable, Outcome, Profile, Sides, Status, Unresolved, tightest
from mfverify.claims.convergence import exact_gap
from mfverify.claims.grounds import proof
from mfverify.claims.lipschitz import exact_table
from mfverify.claims.optimality_gap import symbol_values
from mfverify.claims.quantities import learned, rational_system, trivial_gap
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.exact.rational import fraction
from mfverify.extensions.linear_mdp import random_mixture, spread
from mfverify.model import Model
from mfverify.subsample_mfq.plays import joint_action


def _optimistic(instance: Instance, factor: Fraction = Fraction(1)) -> Outcome:
    """Largest ``V_n(s) - E_Delta V_k(s_Delta)`` over all states, exact; ``factor`` sabotages the k-value."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    large, small = rational_system(model, n).optimum, rational_system(model, k).optimum
    worst: tuple[Fraction, str] | None = None
    for (g, c), v in large.items():
        mean = sum((p * fraction(small[g, sample]) for sample, p in counts.subsample_law(c, k)), Fraction(0))
        excess = fraction(v) - factor * mean
        if worst is None or excess > worst[0]:
            worst = excess, f"s_g={g}, counts {c}"
    assert worst is not None
    return Sides(Interval.exactly(worst[0]), Interval.exactly(0), trivial_gap(model), {"worst": worst[1]})


def _lipschitz_side(bound: Bound, upward: bool, instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The tightest of all differences between a sample's Q_k and its population's Q_n against the bound."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    large, small = exact_table(model, n), exact_table(model, k)
    values = symbol_values(model, n, k)
    best: dict[Fraction, tuple[Fraction, str]] = {}
    for key, rows in large.items():
        for e, q in rows.items():
            for d in counts.subcounts(e, k):
                difference = (small[key][d] - q) * (1 if upward else -1)
                distance = counts.total_variation(d, e)
                if distance not in best or difference > best[distance][0]:
                    best[distance] = difference, f"s_g={key[0]}, a_g={key[1]}, sample {d} of {e}, TV={distance}"
    trivial = trivial_gap(model)
    return tightest(
        [
            Sides(Interval.exactly(x), bound.enclose({**values, symbols.TV: distance}) * scale, trivial, {"worst": where})
            for distance, (x, where) in best.items()
        ]
    )


def _coupled(given: Sequence[Model] | None) -> list[Model]:
    if given is not None:
        return list(given)
    coupled = [
        models.random_coupled(s, discount=gamma) for s, gamma in ((4, "9/10"), (16, "9/10"), (5, "1/2"), (100, "1/2"), (100, "1/10"))
    ]
    return [models.coordination(), models.absorbing(), models.splitting(), *coupled]


def _exact_pairs(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    most = 3 if profile is Profile.QUICK else 5
    return [
        Instance(m, n, k)
        for m in _coupled(given)
        for n in range(2, most + 1)
        for k in range(1, n)
        if m.sizes[0] * m.sizes[1] * counts.number_of_count_vectors(n, m.sizes[2] * m.sizes[3]) <= 2000
    ]


def _optimism_falls(instance: Instance, exchanged: bool = False) -> Outcome:
    """The largest ``E V_{k+1} - E V_k`` over populations of n agents, exact; ``exchanged`` sabotages."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    fewer, more = rational_system(model, k).optimum, rational_system(model, k + 1).optimum
    worst: tuple[Fraction, str] | None = None
    for g in range(model.sizes[0]):
        for row in counts.count_vectors(n, model.sizes[2]):
            population = tuple(int(x) for x in row)
            means = [
                sum((p * fraction(table[g, sample]) for sample, p in counts.subsample_law(population, size)), Fraction(0))
                for size, table in ((k, fewer), (k + 1, more))
            ]
            rise = means[0] - means[1] if exchanged else means[1] - means[0]
            if worst is None or rise > worst[0]:
                worst = rise, f"s_g={g}, counts {population}"
    assert worst is not None
    return Sides(Interval.exactly(worst[0]), Interval.exactly(0), trivial_gap(model), {"worst": worst[1]})


@lru_cache(maxsize=64)
def everybody_shares(model: Model, n: int) -> tuple[Fraction, str]:
    """The largest gap under a shared draw at k = n, exactly, and where: everybody plays one maximising joint action."""
    system, found = rational_system(model, n), learned(model, n)
    played = system.policy_value({(g, c): joint_action(found, g, c) for g, c in system.states})
    worst = max(system.states, key=lambda state: fraction(system.optimum[state] - played[state]))
    return fraction(system.optimum[worst] - played[worst]), f"s_g={worst[0]}, counts {worst[1]}"


def _shared_at_n(instance: Instance, sabotage: Fraction = Fraction(0)) -> Outcome:
    model, n = instance.model, instance.agents
    assert model is not None and n is not None
    try:
        gap, where = everybody_shares(model, n)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(gap + sabotage), Interval.exactly(0), trivial_gap(model), {"worst": where})


def _agrees_at_n(instance: Instance, sabotage: Fraction = Fraction(0)) -> Outcome:
    """The largest gap of independent draws at k = n where the optimum is unique and treats agents in one state alike."""
    model, n = instance.model, instance.agents
    assert model is not None and n is not None
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
    return Sides(Interval.exactly(gap + sabotage), Interval.exactly(0), trivial_gap(model), {"worst": where})


def _everybody_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    most = 4 if profile is Profile.QUICK else 7
    chosen = [*_coupled(given), *([models.redrawn()] if given is None else [])]
    return [
        Instance(m, n, n)
        for m in chosen
        for n in range(1, most + 1)
        if m.sizes[0] * m.sizes[1] * counts.number_of_count_vectors(n, m.sizes[2] * m.sizes[3]) <= 2000
    ]


def _cells_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:
        return [Instance(spread(m).reduction, n, n) for m in given for n in (2, 3)]
    sizes, seeds = ((2, 3), range(4)) if profile is Profile.QUICK else ((2, 3, 4, 5), range(16))
    spreads = [models.absorbing(), models.splitting(discount="9/10"), *(models.random_coupled(s, discount="1/2") for s in seeds)]
    chosen = [*(spread(m).reduction for m in spreads), *(random_mixture(seed).reduction for seed in seeds)]
    return [Instance(m, n, n) for m in chosen for n in sizes]


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


def _one_global_choice(instance: Instance, sabotage: Fraction = Fraction(0)) -> Outcome:
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    refusal = one_global_choice(model)
    if refusal:
        return NotApplicable(refusal)
    try:
        gap, where = exact_gap(model, n, k)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(gap + sabotage), Interval.exactly(0), trivial_gap(model), {"worst": where})


def _r5b_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:
        return [Instance(m, n, k) for m in given for n in (2, 3) for k in range(1, n + 1)]
    seeds = range(6) if profile is Profile.QUICK else range(40)
    chosen = [models.random_coupled(s, discount=gamma) for s in seeds for gamma in ("1/2", "99/100")] + [models.coordination()]
    chosen += [models.random_coupled(s, 3, 2, discount="1/2") for s in seeds]
    return [Instance(m, 3, k) for m in chosen for k in (1, 2, 3)]


def _no_global_choice(instance: Instance, sabotage: Fraction = Fraction(0)) -> Outcome:
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    if model.sizes[1] != 1:
        return NotApplicable(f"|A_g| = {model.sizes[1]}, and the statement is about |A_g| = 1")
    try:
        gap, where = exact_gap(model, n, k)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(gap + sabotage), Interval.exactly(0), trivial_gap(model), {"worst": where})


def _r5_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    seeds = range(4) if profile is Profile.QUICK else range(20)
    chosen = list(given) if given is not None else [models.random_coupled(s, 2, 2, 2, 1) for s in seeds] + [models.coordination()]
    return [Instance(m, n, k) for m in chosen for n in (2, 3) for k in range(1, n + 1)]


_FINITE = ("Assumption 2.1 (finite sets)", "Assumption 2.2 (bounded rewards)")
_OURS = "ours, unreviewed; proof in repaired.py"
_MILLIONTH = Fraction(1, 10**6)

R1 = Claim(
    id="R1",
    title="Subsampling is optimistic",
    statement=r"$V_n(s_g, s_{[n]}) - \mathbb E_\Delta V_k(s_g, s_\Delta) \le 0$ for a uniform $k$-subset $\Delta$.",
    source=_OURS,
    reading="all states, exact rationals; the sides are the largest difference and 0",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_optimistic,
    instances=_exact_pairs,
    control=Control(
        "the k-value is multiplied by 9/10", partial(_optimistic, factor=Fraction(9, 10)), lambda: _exact_pairs(Profile.QUICK, None)
    ),
    left_means="largest V_n - E V_k",
    right_means="0",
    grounds=proof(__name__, "R1"),
)

R2 = Claim(
    id="R2",
    title="Lipschitz across sizes with a fluctuation term",
    statement=r"$Q_k(z_\Delta) - Q_n(z_{[n]}) \le " + lipschitz.UPPER.latex + r"$ for $\Delta \subseteq [n]$.",
    source=_OURS,
    reading="all samples of all populations, exact rationals against the enclosed bound",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=partial(_lipschitz_side, lipschitz.UPPER, True),
    instances=_exact_pairs,
    control=Control(
        "the bound is divided by four",
        partial(_lipschitz_side, lipschitz.UPPER, True, scale=Fraction(1, 4)),
        lambda: _exact_pairs(Profile.QUICK, None),
    ),
    left_means="largest Q_k - Q_n",
    right_means="bound",
    repairs=("L2",),
    grounds=proof(__name__, "R2", uses=("B3", "C6", "C7r")),
)

R2L = Claim(
    id="R2L",
    title="Lipschitz across sizes, the other side",
    statement=r"$Q_n(z_{[n]}) - Q_k(z_\Delta) \le " + lipschitz.LOWER.latex + r"$ for $\Delta \subseteq [n]$.",
    source=_OURS,
    reading="all samples of all populations, exact rationals against the enclosed bound",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=partial(_lipschitz_side, lipschitz.LOWER, False),
    instances=_exact_pairs,
    control=Control(
        "the bound is divided by four",
        partial(_lipschitz_side, lipschitz.LOWER, False, scale=Fraction(1, 4)),
        lambda: _exact_pairs(Profile.QUICK, None),
    ),
    left_means="largest Q_n - Q_k",
    right_means="bound",
    repairs=("L2",),
    grounds=proof(__name__, "R2L", uses=("L1", "R1")),
)

R5 = Claim(
    id="R5",
    title="Without a global choice independent draws are harmless",
    statement=r"If $|\mathcal A_g| = 1$ then $V^{\pi_k} = V^*$ for every $k$.",
    source=_OURS,
    reading="independent draws, exact operator, exact rationals; the sides are the largest gap and 0",
    assumptions=(*_FINITE, "|A_g| = 1"),
    registered=Status.CORROBORATED,
    sides=_no_global_choice,
    instances=_r5_instances,
    control=Control(
        "a millionth is added to the gap",
        partial(_no_global_choice, sabotage=Fraction(1, 10**6)),
        lambda: _r5_instances(Profile.QUICK, None),
    ),
    left_means="largest gap",
    right_means="0",
    grounds=proof(__name__, "R5", uses=("R5b",)),
)

R5B = Claim(
    id="R5b",
    title="Independent draws are harmless where one global action is always best",
    statement=r"If for every $s_g$ one $a_g$ is the only optimal one of the one-agent system for every $s_l$, then $V^{\pi_k} = V^*$ for every $k$ and $n$.",
    source=_OURS,
    reading="the condition is decided exactly; independent draws, exact operator, exact rationals; the sides are the largest gap and 0",
    assumptions=(*_FINITE, "the optimal global action of one agent is unique and does not depend on the local state"),
    registered=Status.CORROBORATED,
    sides=_one_global_choice,
    instances=_r5b_instances,
    control=Control(
        "a millionth is added to the gap",
        partial(_one_global_choice, sabotage=_MILLIONTH),
        lambda: _r5b_instances(Profile.QUICK, None),
    ),
    left_means="largest gap",
    right_means="0",
    repairs=("T1", "T1b"),
    grounds=proof(__name__, "R5b", uses=("R1",)),
)

P3R = Claim(
    id="P3r",
    title="At k = n independent draws are optimal where the optimum is unique and treats equals alike",
    statement=r"If in every state the optimal joint action is unique and gives agents in one local state the same action, then $V^{\pi_n} = V^*$.",
    source=_OURS,
    reading="the condition is decided exactly (actions that are the same in everything count once); the sides are the largest gap and 0, exact rationals",
    assumptions=(*_FINITE, "unique optimal joint actions, pure in each local state"),
    registered=Status.CORROBORATED,
    sides=_agrees_at_n,
    instances=_everybody_instances,
    control=Control(
        "a millionth is added to the gap",
        partial(_agrees_at_n, sabotage=_MILLIONTH),
        lambda: _everybody_instances(Profile.QUICK, None),
    ),
    left_means="largest gap at k = n",
    right_means="0",
    repairs=("P3",),
    grounds=proof(__name__, "P3r", uses=("B2",)),
)

P3S = Claim(
    id="P3s",
    title="At k = n a shared draw is optimal",
    statement=r"With one draw for everybody and $k = n$: $V(s_0) = V^*(s_0)$ for all $s_0$.",
    source=_OURS,
    reading="everybody plays one maximising joint action, of several the lexicographically smallest; the sides are the largest gap and 0, exact rationals",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_shared_at_n,
    instances=_everybody_instances,
    control=Control(
        "a millionth is added to the gap",
        partial(_shared_at_n, sabotage=_MILLIONTH),
        lambda: _everybody_instances(Profile.QUICK, None),
    ),
    left_means="largest gap at k = n",
    right_means="0",
    repairs=("P3",),
    grounds=proof(__name__, "P3s", uses=("B1", "B2")),
)

P4R = Claim(
    id="P4r",
    title="What the learner expects falls with k, down to the optimum",
    statement=r"$\mathbb E_{\Delta} V_{k+1}(s_g, s_{\Delta}) - \mathbb E_{\Delta'} V_k(s_g, s_{\Delta'}) \le 0$ for uniform subsets of $k+1$ and of $k$ of the $n$ agents.",
    source=_OURS,
    reading="all populations of n agents, exact rationals; at k + 1 = n the first mean is V_n. The bound R4 of the gap falls with k too, the gap itself need not (P4)",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_optimism_falls,
    instances=_exact_pairs,
    control=Control("k and k + 1 are exchanged", partial(_optimism_falls, exchanged=True), lambda: _exact_pairs(Profile.QUICK, None)),
    left_means="largest E V_{k+1} - E V_k",
    right_means="0",
    repairs=("P4",),
    grounds=proof(__name__, "P4r", uses=("R1",)),
)

X3P = Claim(
    id="X3p",
    title="Linear processes: at k = n nothing is lost where the optimum is unique and treats equals alike",
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
    sides=_agrees_at_n,
    instances=_cells_instances,
    control=Control(
        "a millionth is added to the gap",
        partial(_agrees_at_n, sabotage=_MILLIONTH),
        lambda: _cells_instances(Profile.QUICK, None),
    ),
    grounds=proof(__name__, "X3p", uses=("P3r",)),
    left_means="largest gap at k = n",
    right_means="0",
    repairs=("X3",),
)

CLAIMS = (R1, R2, R2L, P3R, P3S, P4R, R5, R5B, X3P)
