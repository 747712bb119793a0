r"""The settings to which the paper extends its theorems: stochastic rewards (X1), off-policy learning (X2), linear processes (X3, X3b).

X1 is an identity in exact arithmetic. X2 is about a limit: its sides are exact and concern the mean update, which decides where the limit
lies; the trajectories on seeds are shown as a figure, an experiment on which no verdict depends.
X3 and X3b compare certified optimality gaps at two sample sizes; the order of Theorem 4.12 hides constants, so what is checked is
whether the gap decays. Both are refuted; X3p and X3r say what holds.

**X1.** *Proof.* Let policies see the last outcomes of all rewards beside the state. The law of the next state and outcomes, given state,
outcomes and action, does not depend on the old outcomes, and the mean reward of the step is the expected reward. So the Bellman equations,
of the optimum and of a policy that does not look at outcomes, are solved by the values of the model with the expected rewards, whatever the
outcomes; and their solutions are unique (B1).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache, partial
from itertools import product
from math import prod, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from mfverify import counts, models
from mfverify.bellman.sampled import SampledOperator
from mfverify.bounds import optimality, symbols
from mfverify.bounds.evaluate import UndefinedError
from mfverify.claims.claim import Claim, Control, Instance, NotApplicable, Outcome, Profile, Sides, Status, Unresolved, tightest
from mfverify.claims.grounds import proof, theorem
from mfverify.claims.optimality_gap import symbol_values
from mfverify.claims.quantities import executed, learned, optimum, rational_system
from mfverify.enclosure import Enclosure, Interval, round_down, round_up
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.exact.labelled_rational import LabelledRationalSystem, LabelledState
from mfverify.exact.rational import fraction
from mfverify.extensions.linear_mdp import LinearMDP, learn_with_kernel, random_mixture, sampled_kernel, spread
from mfverify.extensions.off_policy import StepSize, Subsystem, Target, distance, irreducible, mean_update, q_learning, shares, subsystem
from mfverify.extensions.stochastic_rewards import (
    Mixture,
    NoisySystem,
    SampledRewardOperator,
    StochasticRewards,
    distance_to,
    policy_value,
    with_noise,
)
from mfverify.model import Model
from mfverify.rationals import estimate, written
from mfverify.subsample_mfq.execution import execution_value, policy_marginals

if TYPE_CHECKING:
    from mfverify.notation import Exact

# ----------------------------------------------------------------------------------------------------- X1: stochastic rewards

_REWARD_SAMPLES = (4, 16, 64, 256, 1024)


def _expected_model(rewards: StochasticRewards) -> Model:
    return rewards.expected_model()


def _unweighted_model(rewards: StochasticRewards) -> Model:
    """Sabotage: the mean of the support, without the probabilities, in place of the expectation."""
    of_global, of_local = rewards.of_global.values, rewards.of_local.values
    means = of_global.sum(axis=-1) / of_global.shape[-1], of_local.sum(axis=-1) / of_local.shape[-1]
    return replace(rewards.dynamics, global_reward=means[0], local_reward=means[1])


def executed_mixtures(model: Model, n: int, k: int) -> dict[LabelledState, Mixture]:
    """The policy ``pi_k`` of the exact learner in every labelled state: joint actions with positive probability (eq. 11-12)."""
    marginals = policy_marginals(learned(model, k), n)
    of_global, of_local = marginals.global_action, marginals.local_action
    global_states, global_actions, local_states, local_actions = model.sizes
    mixtures: dict[LabelledState, Mixture] = {}
    for g, s in product(range(global_states), product(range(local_states), repeat=n)):
        rank = int(counts.rank(np.array([s.count(x) for x in range(local_states)])))
        weighted = [
            ((b, a), of_global[g, rank, b] * prod((of_local[g, rank, si, ai] for si, ai in zip(s, a, strict=True)), start=Fraction(1)))
            for b in range(global_actions)
            for a in product(range(local_actions), repeat=n)
        ]
        mixtures[g, s] = [(action, p) for action, p in weighted if p]
    return mixtures


def _reward_noise(instance: Instance) -> Outcome:
    return _reward_noise_against(instance, _expected_model)


def _reward_noise_against(instance: Instance, stand_in: Callable[[StochasticRewards], Model]) -> Outcome:
    """Largest difference of ``V*`` and of ``V^{pi_k}`` between the system that draws rewards and a model with fixed rewards."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    rewards = with_noise(model, instance["noise"])
    compared = stand_in(rewards)
    try:
        noisy = NoisySystem(rewards, n)
        optimal = rational_system(compared, n).optimum
        mixtures = executed_mixtures(rewards.expected_model(), n, k)
    except (TooLargeError, UndecidedTieError) as error:
        return Unresolved(str(error))
    fixed = policy_value(LabelledRationalSystem(compared, n), mixtures)
    drawn = noisy.policy_value({state: mixtures[noisy.forget(state)] for state in noisy.states})
    size = model.sizes[2]
    largest, worst, gap = Fraction(0), "all states agree", Fraction(0)
    for state in noisy.states:
        g, s = noisy.forget(state)
        best = fraction(optimal[g, tuple(s.count(x) for x in range(size))])
        for difference, what in ((noisy.optimum[state] - best, "V*"), (drawn[state] - fixed[g, s], "V^pi")):
            if abs(difference) > largest:
                largest, worst = abs(difference), f"{what} in state {(g, s)} after the outcomes {state[1][n:]}"
        gap = max(gap, noisy.optimum[state] - drawn[state])
    gap_text = written(gap)
    details: dict[str, Any] = {
        "worst": worst,
        "states compared": len(noisy.states),
        "gap of the system with drawn rewards": gap_text if len(gap_text) <= 40 else estimate(gap),
        "rt of the support": written(rewards.rt),
        "rt of the expected rewards": written(rewards.expected_model().rt),
        "bound of Theorem 4.2 with rt of the support": _theorem_with(rewards, n, k),
    }
    trivial = Interval.exactly(2 * rewards.rt / (1 - model.discount))
    return Sides(Interval.exactly(largest), Interval.exactly(0), trivial, details | {"curve": _sampled_reward_curve(rewards, k)})


def _theorem_with(rewards: StochasticRewards, n: int, k: int) -> str:
    """The right side of Theorem 4.2 (refuted in general, see T1), for the reader."""
    values = dict(symbol_values(rewards.expected_model(), n, k))
    values |= {symbols.rt: rewards.rt, symbols.rt_g: rewards.of_global.largest, symbols.rt_l: rewards.of_local.largest}
    try:
        return estimate(optimality.THEOREM_4_2.enclose(values).midpoint)
    except UndefinedError as error:
        return str(error)


@lru_cache(maxsize=64)
def _optimal_action_values(model: Model, k: int) -> tuple[Fraction, ...]:
    """``Q*_k`` of every pair in the order of the empirical operator's listing, exact."""
    system = rational_system(model, k)
    listing = SampledOperator(model, k, 1, np.random.default_rng(0))
    pairs = [(state, action) for state, actions in zip(listing.states, listing.actions, strict=True) for action in actions]
    return tuple(fraction(system.action_value(state, action, system.optimum)) for state, action in pairs)


def _sampled_reward_curve(rewards: StochasticRewards, k: int) -> dict[str, Any]:
    """``||Q^est_{k,m} - Q*_k||`` against m, with expected and with sampled rewards; for the reader."""
    expected = rewards.expected_model()
    exact = _optimal_action_values(expected, k)
    plain = [distance_to(SampledOperator(expected, k, m, np.random.default_rng(m)), exact) for m in _REWARD_SAMPLES]
    noisy = [distance_to(SampledRewardOperator(rewards, k, m, np.random.default_rng(m)), exact) for m in _REWARD_SAMPLES]
    series = [_series("rewards expected", plain), _series("rewards sampled", noisy)]
    return _curve("Bellman noise", "samples m per pair", "sup distance to Q*_k", _REWARD_SAMPLES, series)


def _series(label: str, intervals: Sequence[Interval]) -> dict[str, Any]:
    """A line of a curve on a logarithmic scale; points that may be zero are left out."""
    ends = [(round_down(x.lower), round_up(x.upper)) if x.lower > 0 else (None, None) for x in intervals]
    return {"label": label, "lower": [lower for lower, _ in ends], "upper": [upper for _, upper in ends]}


def _order(label: str, first: float, x: Sequence[int]) -> dict[str, Any]:
    """The order ``1/sqrt(x)`` through the first point, for the eye."""
    shape = [first * sqrt(x[0] / point) for point in x]
    return {"label": f"order 1/sqrt({label}), fitted at the first point", "lower": shape, "upper": shape}


def _curve(title: str, x_label: str, y_label: str, x: Sequence[int], series: list[dict[str, Any]]) -> dict[str, Any]:
    return {"title": title, "x_label": x_label, "y_label": y_label, "x": list(x), "series": series, "scale": "log"}


def _x1_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    bundled = models.coordination(), models.absorbing(), models.random_coupled(4), models.random_coupled(16)
    seeds = range(1) if profile is Profile.QUICK else range(5)
    sizes = [(m, n) for m in (bundled if given is None else given) for n in (1, 2) if _enumerable(m, n)]
    return [Instance(m, n, k, (("noise", seed),)) for m, n in sizes for k in range(1, n + 1) for seed in seeds]


def _enumerable(model: Model, n: int) -> bool:
    """Whether the labelled system that remembers two-point outcomes is quick in exact arithmetic."""
    g, b, s, a = model.sizes
    return bool((g * s**n * 2 ** (n + 1)) ** 2 * b * a**n <= 200_000)


# ------------------------------------------------------------------------------------------------------- X2: off-policy learning

_FACTOR = 64
_TABLES = 2
"""Random tables from which the mean update is tried, beside 0, Q*_k, and Q*_k raised by one."""


@lru_cache(maxsize=32)
def _subsystem(model: Model, k: int) -> Subsystem:
    return subsystem(model, k)


def _off_policy(instance: Instance) -> Outcome:
    return _off_policy_towards(instance, Target.MAXIMUM)


def _on_policy(instance: Instance) -> Outcome:
    """Sabotage: updates with the mean over next actions, so that the behaviour policy itself is evaluated."""
    return _off_policy_towards(instance, Target.MEAN)


def _off_policy_towards(instance: Instance, target: Target) -> Outcome:
    """The distance to ``Q*_k`` after one mean update against its bound, from several tables, the tightest; exact."""
    model, k = instance.model, instance.subsample
    assert model is not None and k is not None
    parameters = dict(instance.parameters)
    try:
        table = _subsystem(model, k)
        if not irreducible(table):
            return NotApplicable(
                "under the behaviour policy some state cannot be reached again: one trajectory does not visit every pair for ever"
            )
        share = shares(table)
    except TooLargeError as error:
        return Unresolved(str(error))
    rng, best, least = random.Random(k), table.optimum, min(share)
    scale = model.rt / (1 - model.discount)
    tables = {"0": [Fraction(0)] * len(best), "Q*_k": list(best), "Q*_k + 1": [q + 1 for q in best]}
    tables |= {f"random table {i}": [scale * Fraction(rng.randint(-12, 12), 12) for _ in best] for i in range(1, _TABLES + 1)}
    compared = []
    for name, held in tables.items():
        after, before = (max(abs(q - x) for q, x in zip(now, best, strict=True)) for now in (mean_update(table, held, share, target), held))
        right = (1 - (1 - model.discount) * least) * before
        compared.append(Sides(Interval.exactly(after), Interval.exactly(right), None, {"worst": f"from {name}"}))
    worst = tightest(compared)
    details = {
        **worst.details,
        "pairs": len(table.pairs),
        "smallest share of a pair": f"{estimate(least, 3)}: the rarest pair is visited once in {estimate(1 / least, 3)} steps in the mean",
    }
    if "steps" in parameters:
        details |= _trajectories(table, int(parameters["steps"]), int(parameters["seeds"]), StepSize(parameters["step size"]), target)
    return Sides(worst.left, worst.right, None, details)


def _trajectories(table: Subsystem, early: int, seeds: int, step_size: StepSize, target: Target) -> dict[str, Any]:
    """The experiment beside X2, for the reader: the exact distance to ``Q*_k`` along seeded trajectories, up to 64 times ``early`` steps."""
    steps = [early // 16, early // 4, early, 4 * early, 16 * early, _FACTOR * early]
    runs = [q_learning(table, steps, seed, step_size, target) for seed in range(seeds)]
    distances = [[distance(table, held) for held in run.tables] for run in runs]
    means = [sum(column, Fraction(0)) / len(runs) for column in zip(*distances, strict=True)]
    series = [
        _series("mean over seeds", [Interval.exactly(x) for x in means]),
        _series("largest over seeds", [Interval.exactly(max(column)) for column in zip(*distances, strict=True)]),
        _order("steps", float(means[0]), steps),
    ]
    return {
        "the figure": f"an experiment on {seeds} seeds; no verdict depends on it",
        "largest distance at the end": f"{estimate(max(row[-1] for row in distances), 3)} after {steps[-1]} steps",
        "fewest visits of a pair": min(int(run.visits.min()) for run in runs),
        "largest |Q*_k|": estimate(max(abs(x) for x in table.optimum)),
        "curve": _curve("Off-policy Q-learning from one trajectory", "steps of the trajectory", "sup distance to Q*_k", steps, series),
    }


def _x2_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    early, seeds = (2**14, 4) if profile is Profile.QUICK else (2**16, 8)

    def at(model: Model, k: int, step_size: StepSize) -> Instance:
        return Instance(model, None, k, (("steps", early), ("seeds", seeds), ("step size", step_size.value)))

    if given is not None:
        return [at(m, k, StepSize.RESCALED_LINEAR) for m in given for k in (1, 2)]
    chosen = [models.coordination(), models.random_coupled(4), models.random_coupled(16)]
    largest = 2 if profile is Profile.QUICK else 3
    plan = [at(m, k, StepSize.RESCALED_LINEAR) for m in [*chosen, models.patrol()] for k in range(1, largest + 1)]
    plan += [at(m, 1, StepSize.POLYNOMIAL) for m in chosen[1:]]
    return [*plan, at(models.absorbing(), 1, StepSize.RESCALED_LINEAR)]


# --------------------------------------------------------------------------------------------------------- X3: linear processes

_EXACT = 0
"""The number of transitions that stands for the exact regression: the sides of X3 and X3b are always those of the exact one."""
_FEW_TRANSITIONS = 16
"""Beside the number of transitions that an instance names, its curve shows this one."""
_MOST_AGENTS_SAMPLED = 20
_SEED = 0


@lru_cache(maxsize=64)
def _process(model: Model, mixture: int | None) -> LinearMDP:
    return spread(model) if mixture is None else random_mixture(mixture)


@lru_cache(maxsize=64)
def _kernel(process: LinearMDP, transitions: int) -> Exact:
    """The kernel over cells that the learner believes."""
    return process.reduction.local_kernel if transitions == _EXACT else sampled_kernel(process, transitions, _SEED)


@lru_cache(maxsize=1024)
def _value(process: LinearMDP, n: int, k: int, transitions: int) -> Enclosure:
    """The value of the policy that was learned with the regression's kernel, in the true n-agent system."""
    if transitions == _EXACT:
        return executed(process.reduction, n, k, "independent")
    return execution_value(process.reduction, n, learn_with_kernel(process, _kernel(process, transitions), k))


@lru_cache(maxsize=64)
def _misled_value(process: LinearMDP, n: int, k: int, transitions: int) -> Enclosure:
    """Sabotage: the same with the local actions of the regression in reverse order."""
    return execution_value(process.reduction, n, learn_with_kernel(process, _kernel(process, transitions)[:, :, ::-1], k))


def _all_agents(n: int, k: int) -> int:
    """The larger sample of X3."""
    del k
    return n


def _fourfold(n: int, k: int) -> int:
    """The larger sample of X3b."""
    del n
    return 4 * k


def _decay(
    instance: Instance,
    share: Fraction,
    later: Callable[[int, int], int],
    value_later: Callable[[LinearMDP, int, int, int], Enclosure] = _value,
) -> Outcome:
    """The gap at a larger sample size against ``share`` times the gap at k, both certified, with the exact regression.

    With the parameter ``transitions`` above 0 the curve also shows seeded regressions from samples. They are an experiment: the sides,
    and so the verdict, do not depend on them.
    """
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    parameters = dict(instance.parameters)
    mixture = parameters.get("mixture")
    process = _process(model, None if mixture is None else int(mixture))
    larger = later(n, k)
    try:
        best = optimum(model, n)
        before = (best - _value(process, n, k, _EXACT)).max()
        after = best - value_later(process, n, larger, _EXACT)
        curve = _gap_curve(process, n, k, int(instance["transitions"]))
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    if before.lower <= 0:
        return NotApplicable(f"sampling {k} agents costs nothing certain, so there is nothing to decay", {"curve": curve})
    g, c = np.unravel_index(int(after.lower.argmax()), after.shape)
    vector = tuple(int(x) for x in counts.count_vectors(n, model.sizes[2])[c])
    details = {"worst": f"at k = {larger}: s_g={g}, agents per cell {vector}", "gap at k": estimate(before.lower), "curve": curve}
    return Sides(after.max(), before * share, Interval.exactly(2 * model.rt / (1 - model.discount)), details)


def _gap_curve(process: LinearMDP, n: int, first: int, transitions: int) -> dict[str, Any]:
    """The gap against k with the exact regression and the order of the theorem; for ``transitions`` > 0 also with seeded regressions."""
    sizes = sorted({first, *(k for k in (1, 2, 4, 4 * first) if k <= n), n})
    best = optimum(process.reduction, n)
    seeded = sorted({_FEW_TRANSITIONS, transitions}) if transitions != _EXACT and n <= _MOST_AGENTS_SAMPLED else []
    gaps = {m: [(best - _value(process, n, k, m)).max() for k in sizes] for m in (_EXACT, *seeded)}
    labels = {m: f"{m} transitions per (cell, s_g, a), one seed" for m in seeded} | {_EXACT: "exact regression"}
    series = [_series(labels[m], row) for m, row in gaps.items()]
    series.append(_order("k", float(gaps[_EXACT][0].upper), sizes))
    return _curve("Optimality gap on a linear process", "sample size k", "largest gap", sizes, series)


def _plan(profile: Profile, given: Sequence[Model] | None) -> list[tuple[Model, int | None, int]]:
    """Reduced models, the seed of the mixture they come from, and numbers of agents."""
    if given is not None:
        return [(m, None, n) for m in given for n in (2, 8)]
    plan: list[tuple[Model, int | None, int]] = [(models.coordination(), None, 20), (models.absorbing(), None, 8)]
    plan += [(models.splitting(discount="9/10"), None, n) for n in (2, 4)]
    plan += [(models.random_coupled(seed), None, 16) for seed in (4, 96)]
    seeds = (1, 6, 9) if profile is Profile.QUICK else range(16)
    plan += [(random_mixture(seed).reduction, seed, 8) for seed in seeds]
    if profile is Profile.FULL:
        plan += [(models.random_coupled(seed), None, 16) for seed in (5, 52, 79, 98)]
    return plan


def _linear_instance(model: Model, mixture: int | None, n: int, k: int, transitions: int) -> Instance:
    origin: Mapping[str, int] = {} if mixture is None else {"mixture": mixture}
    return Instance(model, n, k, (*origin.items(), ("transitions", transitions)))


def _x3_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    plan = _plan(profile, given)
    exact = [_linear_instance(m, mixture, n, k, _EXACT) for m, mixture, n in plan for k in (1, 2, 4) if k < n]
    return exact + [_linear_instance(m, mixture, n, 3, 256) for m, mixture, n in plan if mixture is not None]


def _x3b_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    plan = _plan(profile, given)
    many = () if given is not None else (11,) if profile is Profile.QUICK else (5, 11, 25)
    far = [_linear_instance(models.coordination(), None, 100, k, _EXACT) for k in many]
    return [_linear_instance(m, mixture, n, k, _EXACT) for m, mixture, n in plan for k in (1, 2) if 4 * k <= n] + far


def _control_instances() -> list[Instance]:
    return [_linear_instance(random_mixture(seed).reduction, seed, 8, 1, _EXACT) for seed in (1, 6, 9)]


_FINITE = ("Assumption 2.1 (finite sets)", "Assumption 2.2 (bounded rewards)")
_LINEAR = (
    "kernel and reward linear in features (Theorem 4.12)",
    "features constant on the cells of a partition of [0, 1]",
    "finite global state space, its kernel and the rewards known to the learner",
    "independent draws (Algorithm 2)",
)

X1 = Claim(
    id="X1",
    title="Stochastic rewards",
    statement=r"With rewards drawn from laws of support in $[-\tilde r, \tilde r]$, $V^*$ and $V^{\pi_k}$ are those of the model with the "
    "expected rewards; so a bound of the gap holds for the one where it holds for the other.",
    source="Appendix H",
    reading="independent two-point laws, seeded, with the model's rewards as expectations; one system draws every outcome, lets policies see "
    "the last outcomes and is enumerated for labelled agents; the other has fixed rewards; the sides are the largest difference and 0, exact. "
    "The bound of Theorem 4.2 is refuted in general (T1), so the identity is checked, and the bound is shown beside the gap. The curve shows "
    "the empirical operator with sampled rewards, one seed for each m",
    assumptions=(*_FINITE, "rewards are independent of each other and of the next state, given state and action"),
    registered=Status.CORROBORATED,
    sides=_reward_noise,
    instances=_x1_instances,
    control=Control(
        "the unweighted mean of the support replaces the expectation",
        partial(_reward_noise_against, stand_in=_unweighted_model),
        lambda: _x1_instances(Profile.QUICK, None),
    ),
    left_means="largest difference of V* and of V^pi",
    right_means="0",
    grounds=proof(__name__, "X1", uses=("B1",)),
)

X2 = Claim(
    id="X2",
    title="Off-policy learning from one trajectory",
    statement=r"Asynchronous Q-learning along one trajectory of the $k$-agent system converges to $\hat Q^*_k$: its mean update $Q + d\,(\hat{\mathcal T}_k Q - Q)$, "
    r"$d$ being the shares of the pairs in the long run, comes closer to it by the factor $1 - (1-\gamma) \min d < 1$.",
    source="Remark 4.7, Appendix I",
    reading="the limit is a theorem where the mean update contracts and every pair is visited for ever; both are decided in exact arithmetic: the distance to Q*_k "
    "after one mean update of the tables 0, Q*_k, Q*_k + 1 and two random ones against the bound. Mean-field table, behaviour uniform over action counts. The figure shows "
    "seeded trajectories: an experiment, on which no verdict depends",
    assumptions=(
        *_FINITE,
        "every state can be reached from every other one under the behaviour policy",
        "step sizes 1/(1 + (1 - gamma) N) or (N + 1)^(-7/10) after N visits",
    ),
    registered=Status.CORROBORATED,
    sides=_off_policy,
    instances=_x2_instances,
    control=Control(
        "updates take the mean over next actions instead of the maximum",
        _on_policy,
        lambda: [replace(one, parameters=()) for one in _x2_instances(Profile.QUICK, None)],
    ),
    rests_on=("B3",),
    left_means="distance to Q*_k after a mean update",
    right_means="1 - (1 - gamma) min d times the distance before",
    grounds=theorem(
        "Tsitsiklis 1994, Machine Learning 16, Theorem 4, for the MDP of k agents; that the mean update contracts is proved in extensions/off_policy.py",
        uses=("B3",),
    ),
)

X3 = Claim(
    id="X3",
    title="Linear processes: the gap decays as k grows to n",
    statement=r"On a linear process with infinitely many local states "
    r"$\max_{s_0} (V^* - V^{\pi_n}) \le \max_{s_0} (V^* - V^{\pi_k})$ for $k < n$.",
    source="Theorem 4.12, Appendix J",
    reading="local states are the points of [0, 1], features constant on cells, so that values are exactly those of a finite model over the "
    "cells; exact regression; the gap at n against the gap at k where sampling k agents certainly costs something. From what sampling few agents "
    "costs to what is left when all agents are sampled: between the two the gap may grow. The theorem states an order with a hidden constant, so it "
    "does not say this in so many words: it is what 'decays with k' means at the end of the range. See X3b for the order. transitions = M adds "
    "seeded regressions from M transitions per (cell, s_g, a) to the figure; the verdict does not depend on them",
    assumptions=_LINEAR,
    registered=Status.REFUTED,
    sides=partial(_decay, share=Fraction(1), later=_all_agents),
    instances=_x3_instances,
    control=Control(
        "the policy for n is learned with the local actions of the regression reversed",
        partial(_decay, share=Fraction(1), later=_all_agents, value_later=_misled_value),
        _control_instances,
    ),
    left_means="largest gap at n",
    right_means="largest gap at k",
    failing_step="That nothing is lost when all agents are sampled (P3). At k = n the agents in one cell see the same population and play the same "
    "action; where the optimum gives them different actions the gap at n is positive, while smaller samples differ from agent to agent and so "
    "spread the actions. Linearity plays no part",
)

X3B = Claim(
    id="X3b",
    title="Linear processes: the gap decays like 1/sqrt(k)",
    statement=r"On a linear process with infinitely many local states "
    r"$\max_{s_0} (V^* - V^{\pi_{4k}}) \le \frac12 \max_{s_0} (V^* - V^{\pi_k})$.",
    source="Theorem 4.12, the order 1/sqrt(k)",
    reading="the order with its constant fitted at k: four times the sample halves the gap. Stronger than the theorem, whose constant is hidden: "
    "a violation says that the gap does not follow the order there, not that no constant would do (that is T3)",
    assumptions=_LINEAR,
    registered=Status.REFUTED,
    sides=partial(_decay, share=Fraction(1, 2), later=_fourfold),
    instances=_x3b_instances,
    control=Control(
        "the policy for 4k is learned with the local actions of the regression reversed",
        partial(_decay, share=Fraction(1, 2), later=_fourfold, value_later=_misled_value),
        _control_instances,
    ),
    left_means="largest gap at 4k",
    right_means="half the largest gap at k",
    failing_step="Not a step of the proof: the order of Theorem 4.12 hides its constant, and this reading fits the constant at k. That no constant would do in general "
    "is T3",
)

CLAIMS = (X1, X2, X3, X3B)
