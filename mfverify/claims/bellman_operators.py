r"""Sections 2-4 of the paper: the Bellman operators. Claims B1, B2, B3, B5.

All checks are in exact arithmetic on small systems: both sides are rationals.

**B2.** *Proof*, by induction over t; ``Q^0 = 0``. A permutation of the agents, applied to states and actions alike, changes neither the law
of the next joint state, up to the same permutation (eq. 1: the agents move independently given the global state, by one kernel), nor the
reward (eq. 2: a mean). So where ``Q^t`` does not change under permutations neither does ``V^t(s) = max_a Q^t(s, a)``, hence ``V^t`` is a
function of the global state and the counts of the local states, ``Q^{t+1} = r + gamma E[V^t]`` is a function of the global state and action
and the counts of the pairs, and it is the one that the operator on counts gives: both take the mean of the same function under the law of
the next counts.

**B5.** *Proof*, by induction over t: ``|Q^{t+1}| <= rt + gamma max |Q^t| <= rt + gamma rt (1 - gamma^t)/(1 - gamma) = rt (1 -
gamma^{t+1})/(1 - gamma)``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from mfverify import models
from mfverify.bellman.sampled import SampledOperator
from mfverify.bounds import optimality, symbols
from mfverify.claims.claim import Claim, Control, Instance, Outcome, Profile, Sides, Status
from mfverify.claims.grounds import proof, theorem
from mfverify.enclosure import Interval
from mfverify.exact.labelled_rational import LabelledRationalSystem
from mfverify.exact.rational import RationalSystem, fraction
from mfverify.model import Model

Values = Mapping[Any, Fraction]


def _bundled(given: Sequence[Model] | None) -> list[Model]:
    """The models that a claim is checked on unless a user gives others."""
    return (
        list(given)
        if given is not None
        else [models.coordination(), models.absorbing(), models.random_coupled(4), models.random_coupled(16)]
    )


def _contraction_ratio(apply: Callable[[Values], Values], states: Sequence[Any], pairs: int) -> tuple[Fraction, str]:
    """Largest ``||T V - T U|| / ||V - U||`` over seeded pairs of rational value functions and one constant shift, exactly."""
    rng = random.Random(pairs)
    largest, where = Fraction(-1), ""
    for i in range(pairs + 1):
        base = {s: Fraction(rng.randint(-12, 12), rng.randint(1, 6)) for s in states}
        other = {s: (base[s] + 1 if i == 0 else Fraction(rng.randint(-12, 12), rng.randint(1, 6))) for s in states}
        distance = max(abs(base[s] - other[s]) for s in states)
        if distance == 0:
            continue
        image, other_image = apply(base), apply(other)
        ratio = max(abs(image[s] - other_image[s]) for s in states) / distance
        if ratio > largest:
            largest, where = ratio, "a constant shift (attains gamma)" if i == 0 else f"pair {i} of {pairs}"
    return largest, where


def _labelled_contraction(instance: Instance) -> Outcome:
    assert instance.model is not None and instance.agents is not None
    system = LabelledRationalSystem(instance.model, instance.agents)
    ratio, where = _contraction_ratio(system.apply, system.states, instance["pairs"])
    return Sides(Interval.exactly(ratio), Interval.exactly(instance.model.discount), Interval.exactly(1), {"worst": where})


def _subsystem_contraction(instance: Instance) -> Outcome:
    assert instance.model is not None and instance.subsample is not None
    apply, states = _subsystem_operator(instance.model, instance.subsample, instance["samples"])
    ratio, where = _contraction_ratio(apply, states, instance["pairs"])
    return Sides(Interval.exactly(ratio), Interval.exactly(instance.model.discount), Interval.exactly(1), {"worst": where})


def _subsystem_operator(model: Model, k: int, samples: int) -> tuple[Callable[[Values], Values], Sequence[Any]]:
    """``T_k`` (samples = 0) or ``T_{k,m}`` for samples fixed by the seed k, in exact arithmetic."""
    if samples == 0:
        system = LabelledRationalSystem(model, k)
        return system.apply, system.states
    operator = SampledOperator(model, k, samples, np.random.default_rng(k))

    def apply(value: Values) -> Values:
        flat = [value[state] for state in operator.states]
        means = [sum((flat[j] for j in row), Fraction(0)) / samples for row in operator.successors]
        table = [r + model.discount * mean for r, mean in zip(operator.rewards, means, strict=True)]
        return {state: max(table[operator.pairs_of(i)]) for i, state in enumerate(operator.states)}

    return apply, operator.states


def _less_discount(check: Callable[[Instance], Outcome]) -> Callable[[Instance], Outcome]:
    """Sabotage: one per cent is taken off the contraction factor."""

    def sabotaged(instance: Instance) -> Outcome:
        sides = check(instance)
        assert isinstance(sides, Sides)
        return Sides(sides.left, sides.right * Fraction(99, 100), sides.trivial, sides.details)

    return sabotaged


def _b1_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    pairs = 6 if profile is Profile.QUICK else 60
    return [Instance(m, n, None, (("pairs", pairs),)) for m in _bundled(given) for n in (1, 2) if _small(m, n)]


def _b3_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    pairs = 6 if profile is Profile.QUICK else 40
    return [
        Instance(m, None, k, (("pairs", pairs), ("samples", samples)))
        for m in _bundled(given)
        for k in (1, 2)
        for samples in (0, 1, 5)
        if _small(m, k)
    ]


def _small(model: Model, n: int) -> bool:
    """Whether the labelled system is quick in exact arithmetic."""
    g, b, s, a = model.sizes
    return bool(g * g * b * (s * s * a) ** n <= 40_000)


def _symmetry(instance: Instance) -> Outcome:
    """``max |Q^t(s, a) - Q^t(counts of (s, a))|`` over all labelled pairs and all t up to ``iterations``."""
    return _symmetry_of(instance, instance.model)


def _symmetry_of(instance: Instance, lumped_model: Model | None) -> Outcome:
    assert instance.model is not None and lumped_model is not None and instance.agents is not None
    labelled = LabelledRationalSystem(instance.model, instance.agents)
    lumped = RationalSystem(lumped_model, instance.agents)
    local_states, local_actions = instance.model.sizes[2:]
    value: Values = dict.fromkeys(labelled.states, Fraction(0))
    counted = dict.fromkeys(lumped.states, Fraction(0))
    largest, where = Fraction(0), "all pairs agree"
    for t in range(1, instance["iterations"] + 1):
        table = labelled.action_values(value)
        as_flint = {state: flint.fmpq(v.numerator, v.denominator) for state, v in counted.items()}
        known: dict[Any, Fraction] = {}
        for ((g, s), (b, a)), q in table.items():
            state = (g, tuple(s.count(x) for x in range(local_states)))
            pairs = [x * local_actions + y for x, y in zip(s, a, strict=True)]
            action = (b, tuple(pairs.count(z) for z in range(local_states * local_actions)))
            if (state, action) not in known:
                known[state, action] = fraction(lumped.action_value(state, action, as_flint))
            difference = abs(q - known[state, action])
            if difference > largest:
                largest, where = difference, f"t={t}, state {(g, s)}, action {(b, a)}"
        value = labelled.maxima(table)
        counted = {state: max(q for (x, _), q in known.items() if x == state) for state in lumped.states}
    return Sides(
        Interval.exactly(largest),
        Interval.exactly(0),
        Interval.exactly(2 * instance.model.rt / (1 - instance.model.discount)),
        {"worst": where, "pairs compared": len(table) * instance["iterations"]},
    )


def _symmetry_against_wrong_kernel(instance: Instance) -> Outcome:
    """Sabotage: the mean-field side uses a local kernel in which one row is replaced by another row of the model."""
    model = instance.model
    assert model is not None
    kernel = model.local_kernel.copy()
    kernel[0, 0, 0] = kernel[-1, -1, -1]
    wrong = Model(model.global_kernel, kernel, model.global_reward, model.local_reward, model.discount, model.name)
    return _symmetry_of(instance, wrong)


def _b2_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    steps = 3 if profile is Profile.QUICK else 8
    return [Instance(m, n, None, (("iterations", steps),)) for m in _bundled(given) for n in (1, 2, 3) if _small(m, n)]


def _iterate_size(instance: Instance) -> Outcome:
    """``max |Q^t_k|`` over all states and joint actions after t exact iterations from 0."""
    assert instance.model is not None and instance.subsample is not None
    model, t = instance.model, instance["t"]
    system = LabelledRationalSystem(model, instance.subsample)
    value: Values = dict.fromkeys(system.states, Fraction(0))
    table: Mapping[Any, Fraction] = {}
    for _ in range(t):
        table = system.action_values(value)
        value = system.maxima(table)
    pair, q = max(table.items(), key=lambda item: abs(item[1]))
    right = optimality.ITERATE_SIZE.enclose({symbols.rt: model.rt, symbols.gamma: model.discount, symbols.t: t})
    return Sides(Interval.exactly(abs(q)), right, Interval.exactly(model.rt / (1 - model.discount)), {"worst": f"state and action {pair}"})


def _one_iteration_less(instance: Instance) -> Outcome:
    """Sabotage: the exponent t of the bound is t - 1."""
    sides = _iterate_size(instance)
    assert isinstance(sides, Sides) and instance.model is not None
    model = instance.model
    right = optimality.ITERATE_SIZE.enclose({symbols.rt: model.rt, symbols.gamma: model.discount, symbols.t: instance["t"] - 1})
    return Sides(sides.left, right, sides.trivial, sides.details)


def _b5_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    steps = (1, 2, 4) if profile is Profile.QUICK else (1, 2, 3, 4, 6, 8)
    return [Instance(m, None, k, (("t", t),)) for m in _bundled(given) for k in (1, 2) for t in steps if _small(m, k)]


_FINITE = ("Assumption 2.1 (finite sets)", "Assumption 2.2 (bounded rewards)")

B1 = Claim(
    id="B1",
    title="The Bellman operator contracts",
    statement=r"$\|\mathcal T V - \mathcal T U\|_\infty \le \gamma\, \|V - U\|_\infty$ for all $V, U$; hence a unique fixed point.",
    source="eq. 4",
    reading="the largest ratio over seeded pairs of rational value functions and one constant shift, on the labelled n-agent system",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_labelled_contraction,
    instances=_b1_instances,
    control=Control("gamma is replaced by 0.99 gamma", _less_discount(_labelled_contraction), lambda: _b1_instances(Profile.QUICK, None)),
    left_means="largest ratio ||TV - TU|| / ||V - U||",
    right_means="gamma",
    grounds=theorem(
        "Puterman 1994, Markov Decision Processes, section 6.2 (the operator of a discounted MDP; Banach's fixed point theorem)"
    ),
)

B2 = Claim(
    id="B2",
    title="Permutation invariance of every iterate",
    statement=r"$Q^t(s_g, s_{1..n}, a_g, a_{1..n}) = Q^t(s_g, F_{z_{[n]}}, a_g)$ for every $t$.",
    source="Section 3, Remark 3.3, Lemma C.19 (appendix)",
    reading="labelled iterates against count-vector iterates, both exact, for all pairs and all t up to the stated number of iterations; "
    "the sides are the largest difference and 0",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_symmetry,
    instances=_b2_instances,
    control=Control(
        "one row of the local kernel is replaced on the mean-field side",
        _symmetry_against_wrong_kernel,
        lambda: _b2_instances(Profile.QUICK, None),
    ),
    left_means="largest |labelled - mean-field|",
    right_means="0",
    grounds=proof(__name__, "B2"),
)

B3 = Claim(
    id="B3",
    title="The subsampled and the empirical operator contract",
    statement=r"$\|\mathcal T_k V - \mathcal T_k U\|_\infty \le \gamma \|V - U\|_\infty$, and the same for $\hat{\mathcal T}_{k,m}$ with its samples fixed.",
    source="Section 4",
    reading="as B1; samples = 0 is the exact operator, samples = m the empirical one, its samples drawn once",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_subsystem_contraction,
    instances=_b3_instances,
    control=Control("gamma is replaced by 0.99 gamma", _less_discount(_subsystem_contraction), lambda: _b3_instances(Profile.QUICK, None)),
    rests_on=("B1",),
    left_means="largest ratio ||TV - TU|| / ||V - U||",
    right_means="gamma",
    grounds=theorem(
        "Puterman 1994, section 6.2, for the MDP of k agents, and for the one whose next states are the samples, each with probability 1/m",
        uses=("B1",),
    ),
)

B5 = Claim(
    id="B5",
    title="Iterates stay bounded",
    statement=r"$\|Q^t_k\|_\infty \le " + optimality.ITERATE_SIZE.latex + "$",
    source="from Assumption 2.2",
    reading="exact iterates of the k-agent operator from 0",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_iterate_size,
    instances=_b5_instances,
    control=Control("the exponent t is replaced by t - 1", _one_iteration_less, lambda: _b5_instances(Profile.QUICK, None)),
    left_means="largest |Q^t_k|",
    right_means="bound",
    grounds=proof(__name__, "B5"),
)

CLAIMS = (B1, B2, B3, B5)
