"""The exact law of one application of the empirical operator (eq. 8, 10), and its bias after the maximum.

``Qhat(s, a) = r(s, a) + (gamma / m) sum_j V(s_j)`` with m next states, drawn once. Its law is computed exactly: labelled next states (eq. 1),
convolved m times. Sample sets of different actions are independent, so the law of the maximum has the product of the distribution functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb

from mfverify import models
from mfverify.exact.labelled_rational import LabelledRationalSystem
from mfverify.exact.rational import JointAction, State, fraction
from mfverify.model import Model
from mfverify.papers.quantities import rational_system
from mfverify.theory.bind import bind
from mfverify.theory.cases.of_model import OfSample
from mfverify.theory.claim import Profile

Law = Mapping[Fraction, Fraction]
"""A law on the rationals: values and their probabilities."""


def pairs_of_counts(model: Model, k: int) -> int:
    """How many (state, joint action) pairs of counts the k-agent system has."""
    global_states, global_actions, local_states, local_actions = model.sizes
    z = local_states * local_actions
    return global_states * global_actions * comb(k + z - 1, z - 1)


def law_of_mean(law: Law, samples: int) -> dict[Fraction, Fraction]:
    """The exact law of the mean of independent draws, by repeated convolution."""
    total = {Fraction(0): Fraction(1)}
    for _ in range(samples):
        longer: dict[Fraction, Fraction] = {}
        for x, p in total.items():
            for y, q in law.items():
                longer[x + y] = longer.get(x + y, Fraction(0)) + p * q
        total = longer
    return {x / samples: p for x, p in total.items()}


def mean_of(law: Law) -> Fraction:
    """The expectation of a law."""
    return sum((x * p for x, p in law.items()), Fraction(0))


def mean_of_maximum(laws: Sequence[Law]) -> Fraction:
    """``E max`` of independent variables: its distribution function is the product of theirs."""
    below = [Fraction(0)] * len(laws)
    before, out = Fraction(0), Fraction(0)
    for x in sorted({x for law in laws for x in law}):
        below = [F + law.get(x, Fraction(0)) for F, law in zip(below, laws, strict=True)]
        now = Fraction(1)
        for F in below:
            now *= F
        out += x * (now - before)
        before = now
    return out


def estimate_law(
    model: Model, system: LabelledRationalSystem, state: State, action: JointAction, value: Mapping[State, Fraction], samples: int
) -> dict[Fraction, Fraction]:
    """The exact law of ``Qhat(state, action)``: m next states drawn from ``system``, rewards from ``model``.

    One labelled arrangement of the agents represents the counts; ``value`` is indexed by global state and count vector.
    """
    (g, _), (b, d) = state, action
    local_states, local_actions = model.sizes[2:]
    arranged = [divmod(z, local_actions) for z, x in enumerate(d) for _ in range(x)]
    law: dict[Fraction, Fraction] = {}
    for (h, targets), p in system.law((g, tuple(s for s, _ in arranged)), (b, tuple(a for _, a in arranged))):
        v = value[h, tuple(targets.count(s) for s in range(local_states))]
        law[v] = law.get(v, Fraction(0)) + p
    reward = model.global_reward[g, b] + sum((model.local_reward[s, g, a] for s, a in arranged), Fraction(0)) / len(arranged)
    return {reward + model.discount * x: p for x, p in law_of_mean(law, samples).items()}


def optimum_of(model: Model, k: int) -> dict[State, Fraction]:
    """``V*_k`` as Fractions."""
    return {state: fraction(v) for state, v in rational_system(model, k).optimum.items()}


def joint_actions(model: Model, k: int, state: State) -> list[JointAction]:
    """All joint actions (a_g, action counts) of a state."""
    return [(b, d) for b in range(model.sizes[1]) for d in rational_system(model, k).local_action_counts(state[1])]


def biases(model: Model, k: int, samples: int, sampled_from: Model) -> dict[State, Fraction]:
    """``E (T_{k,m} V)(s) - (T_k V)(s)`` for every state and ``V = V*_k``, so that ``T_k V = V``; exact. The samples are those of ``sampled_from``."""
    sampled = LabelledRationalSystem(sampled_from, k)
    value = optimum_of(model, k)
    return {
        state: mean_of_maximum([estimate_law(model, sampled, state, action, value, samples) for action in joint_actions(model, k, state)])
        - best
        for state, best in value.items()
    }


@dataclass(frozen=True)
class Estimate(OfSample):
    """k agents, and the number of samples for each pair."""

    samples: int


def bias_instances(most: int, profile: Profile, given: Sequence[Model] | None) -> list[Estimate]:
    """Models, k and numbers of samples for which the laws have at most ``most`` terms."""
    chosen = (
        [models.coordination(), models.absorbing(), models.splitting(), models.random_coupled(4), models.random_coupled(16)]
        if given is None
        else given
    )
    sizes = (
        ((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3))
        if profile is Profile.QUICK
        else ((1, 1), (1, 2), (1, 5), (2, 1), (2, 2), (2, 3), (2, 4), (3, 1), (3, 2))
    )
    return [
        Estimate(m, k, samples)
        for m in chosen
        for k, samples in sizes
        if pairs_of_counts(m, k) * m.sizes[0] * m.sizes[2] ** k * samples <= most
    ]


b4b_instances = bind(bias_instances, 2_500)
