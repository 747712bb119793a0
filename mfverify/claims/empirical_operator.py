r"""Section 4: learning from samples. Claims B4, B4b, B6, B7, N1 to N1c (Lemma 4.3), T2 and T2b (Theorem 4.4).

The empirical operator replaces the mean over next states by m samples per (state, action), drawn once:
``Qhat(s, a) = r(s, a) + (gamma / m) sum_j V(s_j)`` (eq. 8, 10). Its fixed point is ``Q^est_{k,m}``, its Bellman noise
``eps_{k,m} = ||Q^est_{k,m} - Q*_k||_inf``.

*B4, B4b.* The law of ``Qhat(s, a)`` is computed exactly: labelled next states (eq. 1), convolved m times. Sample sets of
different actions are independent, so the law of the maximum has the product of the distribution functions.

*B7.* ``Q^T - Q*_k = gamma E[V^{T-1} - V*_k]``, so the iteration error is enclosed from one table of expectations per
iteration, the rounding errors of the sweeps added up with the factor gamma.

*N1b.* ``eps_{k,m} <= gamma/(1-gamma) max |(P^ - P) V*_k|``, for ``Q^est - Q*_k = gamma P^ (V^est - V*_k) + gamma (P^ - P) V*_k``.
By Hoeffding's inequality and a union bound over N pairs the maximum exceeds ``t`` with probability at most
``2 N exp(-2 m t^2 / span^2)``, ``span = max V*_k - min V*_k``. So ``eps <= 1/sqrt(k)`` with probability at least
``1 - 1/(100 e^k)`` for every ``m >= gamma^2 k span^2 / (2 (1-gamma)^2) (ln(200 N) + k)``.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache, partial
from math import ceil, comb, sqrt
from typing import Any, Final

import numpy as np
import sympy as sp
from scipy.special import betaincinv

from mfverify import models
from mfverify.bellman.lumped import LumpedOperator
from mfverify.bounds import noise as bounds
from mfverify.bounds import optimality, symbols
from mfverify.bounds.bound import Bound
from mfverify.bounds.evaluate import UndefinedError, enclose
from mfverify.claims.claim import Claim, Control, Instance, NotApplicable, Outcome, Profile, Sides, Status, Unresolved, tightest
from mfverify.claims.optimality_gap import gap_sides, symbol_values
from mfverify.claims.quantities import optimum, rational_system
from mfverify.enclosure import Interval, maximum, round_down, round_up, rounding_error
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.exact.labelled_rational import LabelledRationalSystem
from mfverify.exact.rational import JointAction, State, fraction
from mfverify.model import Model
from mfverify.subsample_mfq.execution import execution_value
from mfverify.subsample_mfq.learning import bellman_noise, learn

Law = Mapping[Fraction, Fraction]
"""A law on the rationals: values and their probabilities."""


def _pairs(model: Model, k: int) -> int:
    """How many (state, joint action) pairs of counts the k-agent system has."""
    global_states, global_actions, local_states, local_actions = model.sizes
    z = local_states * local_actions
    return global_states * global_actions * comb(k + z - 1, z - 1)


def _deterministic(model: Model) -> bool:
    """Whether every next state is certain, so that any sample tells all."""
    return all(p in (0, 1) for kernel in (model.global_kernel, model.local_kernel) for p in kernel.ravel())


# ------------------------------------------------------------------------------------------------------------- B4, B4b: bias


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


def estimate_law(model: Model, system: LabelledRationalSystem, state: State, action: JointAction, value: Mapping[State, Fraction], samples: int) -> dict[Fraction, Fraction]:
    """The exact law of ``Qhat(state, action)``: m next states drawn from ``system``, rewards from ``model``.

    One labelled arrangement of the agents stands for the counts; ``value`` is indexed by global state and count vector.
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


def _with_a_wrong_row(model: Model) -> Model:
    """The model with one row of the local kernel replaced by another of its rows."""
    kernel = model.local_kernel.copy()
    kernel[0, 0, 0] = kernel[-1, -1, -1]
    return Model(model.global_kernel, kernel, model.global_reward, model.local_reward, model.discount, model.name)


def _optimum_of(model: Model, k: int) -> dict[State, Fraction]:
    return {state: fraction(v) for state, v in rational_system(model, k).optimum.items()}


def _bias_before_maximum(instance: Instance, *, wrong_samples: bool = False) -> Outcome:
    """``max |E Qhat(s, a) - Q(s, a)|`` over all pairs, for the optimum and for one seeded random value function."""
    model, k = instance.model, instance.subsample
    assert model is not None and k is not None
    exact = rational_system(model, k)
    sampled = LabelledRationalSystem(_with_a_wrong_row(model) if wrong_samples else model, k)
    rng = random.Random(k)
    values = [_optimum_of(model, k), {state: Fraction(rng.randint(-12, 12), rng.randint(1, 6)) for state in exact.states}]
    largest, where, compared = Fraction(0), "all pairs agree", 0
    for value in values:
        as_flint = {state: sp_free for state, sp_free in zip(value, map(_fmpq, value.values()), strict=True)}
        for g, c in exact.states:
            for b in range(model.sizes[1]):
                for d in exact.local_action_counts(c):
                    estimate = mean_of(estimate_law(model, sampled, (g, c), (b, d), value, instance["samples"]))
                    difference = abs(estimate - fraction(exact.action_value((g, c), (b, d), as_flint)))
                    compared += 1
                    if difference > largest:
                        largest, where = difference, f"state {(g, c)}, action {(b, d)}"
    return Sides(Interval.exactly(largest), Interval.exactly(0), None, {"worst": where, "pairs compared": compared})
