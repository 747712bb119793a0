"""Section 4, eq. 8, 10: the empirical operator is unbiased before the maximum (B4), and not after it (B4b).

Proof of B4: docs/mathematics/operators.md.
"""

from __future__ import annotations

import random
from fractions import Fraction

import flint

from mfverify.enclosure import Interval
from mfverify.exact.labelled_rational import LabelledRationalSystem
from mfverify.exact.rational import fraction
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.laws_of_estimates import (
    Estimate,
    b4b_instances,
    bias_instances,
    biases,
    estimate_law,
    joint_actions,
    mean_of,
    optimum_of,
)
from mfverify.papers.mean_field_sampling.small_systems import with_a_wrong_row
from mfverify.papers.quantities import exact_values, rational_system
from mfverify.rationals import estimate
from mfverify.theory.bind import bind
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Status
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import of_model, same_model
from mfverify.theory.witness import Witness


def _bias_before_maximum(case: Estimate, sampled_from: Model) -> Outcome:
    """``max |E Qhat(s, a) - Q(s, a)|`` over all pairs, for the optimum and for one seeded random value function.

    The samples are those of a model that should be that of the case.
    """
    model, k = case.model, case.subsample
    exact = rational_system(model, k)
    sampled = LabelledRationalSystem(sampled_from, k)
    rng = random.Random(k)
    values = [optimum_of(model, k), {state: Fraction(rng.randint(-12, 12), rng.randint(1, 6)) for state in exact.states}]
    largest, where, compared = Fraction(0), "all pairs agree", 0
    for value in values:
        as_flint = {state: flint.fmpq(v.numerator, v.denominator) for state, v in value.items()}
        for state in exact.states:
            for action in joint_actions(model, k, state):
                estimate = mean_of(estimate_law(model, sampled, state, action, value, case.samples))
                difference = abs(estimate - fraction(exact.action_value(state, action, as_flint)))
                compared += 1
                if difference > largest:
                    largest, where = difference, f"state {state}, action {action}"
    return Sides(Interval.exactly(largest), Interval.exactly(0), None, {"worst": where, "pairs compared": compared})


def _bias_after_maximum(case: Estimate, sampled_from: Model) -> Outcome:
    """The largest bias after the maximum, in absolute value."""
    model, k = case.model, case.subsample
    bias = biases(model, k, case.samples, sampled_from)
    worst = max(bias, key=lambda state: abs(bias[state]))
    details = {
        "worst": f"state {worst}",
        "smallest bias": estimate(min(bias.values())),
        "largest bias": estimate(max(bias.values())),
    }
    return Sides(Interval.exactly(abs(bias[worst])), Interval.exactly(0), None, details)


def _most_biased(case: Estimate) -> Witness:
    """The state with the largest bias, and the exact values from which the checker computes it."""
    model, k = case.model, case.subsample
    bias = biases(model, k, case.samples, model)
    g, c = worst = max(bias, key=lambda state: abs(bias[state]))
    sides = Interval.exactly(abs(bias[worst])), Interval.exactly(0)
    return Witness(*sides, {"values": exact_values(model, k)}, state={"global": g, "counts": list(c)})


_b4_instances = bind(bias_instances, 20_000)

B4 = Claim(
    id="B4",
    title="The empirical operator is unbiased before the maximum",
    statement=r"$\mathbb E\big[r(s,a) + \tfrac{\gamma}{m} \sum_{j \le m} V(s^j)\big] = r(s,a) + \gamma\, \mathbb E[V(s')]$ for every $(s, a)$ and every fixed $V$.",
    source="Section 4, eq. 8, 10",
    reading="unbiased per (state, joint action), before the maximum: as an operator on Q functions, T_{k,m} takes its maximum over a fixed Q inside the mean. "
    "Exact law of the m samples of labelled next states against exact expectations on counts; V = V*_k and one seeded random V; the sides are the largest difference and 0",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    sides=same_model(_bias_before_maximum),
    instances=_b4_instances,
    control=Control("the samples come from a kernel with one wrong row", of_model(_bias_before_maximum, with_a_wrong_row)),
    left_means="largest |E Qhat(s, a) - Q(s, a)|",
    right_means="0",
    grounds=proof("docs/mathematics/operators.md", "B4", uses=("B2",)),
)

B4B = Claim(
    id="B4b",
    title="The empirical operator is unbiased after the maximum",
    statement=r"$\mathbb E\big[(\hat{\mathcal T}_{k,m} V)(s)\big] = (\mathcal T_k V)(s)$ for every $s$, as an operator on values $V(s) = \max_a Q(s, a)$.",
    source="Section 4, read for values",
    reading="after the maximum over joint actions, V = V*_k, independent sample sets per action: the mean of a maximum is at least the maximum of the means (Jensen), "
    "and more where samples can change the order of two actions. Exact law of the maximum; the sides are the largest bias and 0",
    assumptions=FINITE,
    registered=Status.REFUTED,
    sides=same_model(_bias_after_maximum),
    instances=b4b_instances,
    control=Control("the samples come from a kernel with one wrong row", of_model(_bias_after_maximum, with_a_wrong_row)),
    rests_on=("B4",),
    left_means="largest |E max - max E|",
    right_means="0",
    certificate=_most_biased,
    failing_step="Unbiasedness passes through the mean over samples but not through the maximum over actions (Jensen). Read for Q functions, with the maximum inside the "
    "mean, the statement is true (B4), so only this reading fails",
)
