"""Lemma 4.3, Theorem 4.4: the number T of iterations suffices. Claim B7; proof: docs/mathematics/operators.md.

*The errors for B7.* ``Q^T - Q*_k = gamma E[V^{T-1} - V*_k]``, so the iteration error is enclosed from one table of expectations per
iteration, the rounding errors of the sweeps added up with the factor gamma.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Final

import numpy as np
import sympy as sp

from mfverify import models
from mfverify.bellman.lumped import LumpedOperator
from mfverify.enclosure import Interval, rounding_error
from mfverify.model import Model
from mfverify.papers.curves import curve, line
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.laws_of_estimates import pairs_of_counts
from mfverify.papers.mean_field_sampling.symbols import TABLE, T, gamma, k, rt, symbol_values
from mfverify.papers.quantities import optimum, scaled
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import OfSample, sample_alone
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.evaluate import UndefinedError
from mfverify.theory.formula import times
from mfverify.theory.grounds import proof
from mfverify.theory.search_costs import table_cost
from mfverify.theory.search_space import Arrangement

ITERATIONS: Final = Bound(
    "B7 iterations",
    times(2 / (1 - gamma), sp.log(rt * sp.sqrt(k) / (1 - gamma))),
    "Lemma 4.3, Theorem 4.4",
    "the number T of iterations that the theorem asks for",
)

ITERATION_ERROR: Final = Bound(
    "B7 error",
    gamma**T * rt / (1 - gamma),
    "contraction from 0 (B3, B5)",
    "bounds ||Q^T_k - Q*_k||_inf",
    TABLE,
)

ITERATION_TARGET: Final = Bound(
    "B7",
    1 / sp.sqrt(k),
    "Lemma 4.3, Theorem 4.4",
    "the order 1/sqrt(k) read as at most 1/sqrt(k)",
)

_MOST_ITERATIONS: Final = 20_000


def asked_iterations(model: Model, k: int) -> int:
    """The number T of Lemma 4.3 and Theorem 4.4, rounded up; 0 where the formula is negative. Raises :class:`UndefinedError` for rewards 0."""
    return max(0, ceil(ITERATIONS.enclose(symbol_values(model, k, k)).upper))


@lru_cache(maxsize=64)
def iteration_errors(model: Model, k: int, steps: int) -> tuple[Interval, ...]:
    """``||Q^t_k - Q*_k||_inf`` for t = 1 .. steps, enclosed; ``Q^0 = 0``.

    ``Q^t - Q*_k = gamma E[V^{t-1} - V*_k]``, and every kernel-count vector belongs to some state, so the largest entry of the
    tables of expectations is the norm. Cost: one sweep and one table of expectations per iteration.
    """
    operator = LumpedOperator(model, k)
    best = optimum(model, k)
    width = Fraction(float(best.width.max()))
    value, drift = np.zeros(operator.shape), Fraction(0)
    out = []
    for _ in range(steps):
        difference = value - best.midpoint
        size = Fraction(float(np.abs(difference).max()))
        largest = max(Fraction(float(np.abs(table).max())) for g in range(model.sizes[0]) for table in operator.expectations(g, difference))
        # The sweeps so far, the enclosure of V*_k, the subtraction (one more rounding), and the expectation itself.
        error = (
            drift + width + rounding_error(1, size * 2) + rounding_error(operator.roundings, size, operator.roundings * sum(model.sizes))
        )
        out.append(Interval(model.discount * max(Fraction(0), largest - error), model.discount * (largest + error)))
        drift = model.discount * drift + operator.error(value)
        value = operator.apply(value)
    return tuple(out)


def _iteration_error(case: OfSample) -> Outcome:
    """The error after the T iterations that the theorem asks for, against 1/sqrt(k)."""
    model, k = case.model, case.subsample
    values = symbol_values(model, k, k)
    try:
        asked = asked_iterations(model, k)
    except UndefinedError as error:
        return NotApplicable(f"all rewards are 0: {error}")
    target = ITERATION_TARGET.enclose(values)
    start = Interval.exactly(model.rt / (1 - model.discount))
    if asked > _MOST_ITERATIONS:
        return Unresolved(f"{asked} iterations are required, more than {_MOST_ITERATIONS}; choose a smaller discount")
    if asked == 0:
        largest = abs(optimum(model, k)).max()
        return Sides(Interval(min(largest.lower, start.lower), start.upper), target, start, {"required iterations": 0})
    errors = iteration_errors(model, k, asked)
    enough = next((t for t, e in enumerate(errors, start=1) if (e <= target) is True), None)
    shown = range(1, asked + 1, max(1, asked // 60))
    shrinking = [ITERATION_ERROR.enclose({**values, symbols.T: t}) for t in shown]
    series = [
        line("iteration error", [errors[t - 1] for t in shown]),
        line("bound from the contraction", shrinking),
        line("1/sqrt(k)", [target] * len(shown)),
    ]
    details = {
        "required iterations": asked,
        "iterations that suffice here": enough,
        "curve": curve(f"Iteration error, k = {k}", "iterations t", "sup distance to Q*_k", shown, series),
    }
    return Sides(errors[-1], target, start, details)


def _after_an_eighth(left: Interval, case: OfSample) -> Interval:
    asked = asked_iterations(case.model, case.subsample)
    return iteration_errors(case.model, case.subsample, asked)[ceil(Fraction(asked, 8)) - 1] if asked else left


def _b7_instances(profile: Profile, given: Sequence[Model] | None) -> list[OfSample]:
    if given is not None:
        return [OfSample(m, k) for m in given for k in (1, 2, 4) if pairs_of_counts(m, k) <= 20_000]
    plan = [
        (models.coordination(), (1, 2, 10, 100)),
        (models.absorbing(), (1, 2, 4, 8)),
        (models.splitting(), (1, 2, 4)),
        (models.patrol(), (1, 2, 4)),
    ]
    plan += [(models.random_coupled(seed), (1, 2, 4, 8, 16)) for seed in (4, 5, 16)]
    plan += [(models.random_coupled(4, discount="1/2"), (1, 4)), (scaled(models.coordination(), Fraction(1, 1000)), (1, 100))]
    if profile is Profile.FULL:
        plan += [
            (models.coordination(), (400, 1000)),
            (models.absorbing(), (16, 30)),
            (models.patrol(), (6, 8)),
            (models.random_coupled(4, discount="99/100"), (1, 4, 16)),
        ]
        plan += [(models.random_coupled(seed), (32, 64)) for seed in (4, 5, 16)]
    return [OfSample(m, k) for m, ks in plan for k in ks]


B7 = Claim(
    id="B7",
    title="The required number of iterations suffices",
    statement=r"$T = \lceil "
    + ITERATIONS.latex
    + r" \rceil$ iterations from 0 give $\|Q^T_k - \hat Q^*_k\|_\infty \le "
    + ITERATION_TARGET.latex
    + "$.",
    source="Lemma 4.3, Theorem 4.4",
    reading="the order 1/sqrt(k) read as at most 1/sqrt(k); exact operator. It follows from the contraction, and half of T suffices already, since "
    "gamma^t rt/(1-gamma) <= exp(-(1-gamma) t) rt/(1-gamma). T is taken as 0 where the formula is negative",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    sides=_iteration_error,
    instances=_b7_instances,
    control=Control("an eighth of the iterations", left=_after_an_eighth),
    rests_on=("B3", "B5"),
    left_means="iteration error after T iterations",
    right_means="1/sqrt(k)",
    grounds=proof("docs/mathematics/operators.md", "B7", uses=("B3", "B5")),
    searched=Arrangement(sample_alone, table_cost, (1, 2, 3, 4, 6, 8)),
)
