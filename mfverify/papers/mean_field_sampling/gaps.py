"""The largest gap over start states against a bound of it, from two certified enclosures.

The left side is ``max over s_0 of V*(s_0) - V^{pi_k}(s_0)`` in the n-agent system; the operator is exact, so eps_{k,m} = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.papers.mean_field_sampling import assumptions_off
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.quantities import executed, optimum, trivial_gap
from mfverify.theory.bound import Bound
from mfverify.theory.claim import Instance, NotApplicable, Outcome, Sides, Unresolved
from mfverify.theory.evaluate import UndefinedError


def bound_at(bound: Bound) -> Callable[[Instance], Interval]:
    """The bound as a function of an instance, with an exact operator."""

    def value(instance: Instance) -> Interval:
        assert instance.model is not None and instance.agents is not None and instance.subsample is not None
        return bound.enclose(symbol_values(instance.model, instance.agents, instance.subsample))

    return value


def gap_sides(bound: Bound, instance: Instance, sampling: str = "independent", scale: Fraction = Fraction(1)) -> Outcome:
    """The largest gap over start states against a bound of it."""
    model, n, k = instance.model, instance.agents, instance.subsample
    if model is None:
        return assumptions_off.outcome(instance)
    assert n is not None and k is not None
    try:
        gap = optimum(model, n) - executed(model, n, k, sampling)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    g, c = np.unravel_index(int(gap.lower.argmax()), gap.shape)
    worst = f"s_g={g}, counts {tuple(int(x) for x in counts.count_vectors(n, model.sizes[2])[c])}"
    try:
        right = bound.enclose(symbol_values(model, n, k)) * scale
    except UndefinedError as error:
        return NotApplicable(str(error), {"gap": [float(gap.max().lower), float(gap.max().upper)], "worst": worst})
    return Sides(gap.max(), right, trivial_gap(model), {"worst": worst})
