"""The largest gap over start states against a bound of it, from two certified enclosures.

The left side is ``max over s_0 of V*(s_0) - V^{pi_k}(s_0)`` in the n-agent system; the operator is exact, so eps_{k,m} = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import sympy as sp

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.quantities import executed, optimum, trivial_gap
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import NotApplicable, Outcome, Sides, Unresolved
from mfverify.theory.evaluate import UndefinedError, Value

_NOTHING: Final[Mapping[sp.Symbol, Value]] = MappingProxyType({})


def bound_at(bound: Bound) -> Callable[[Subsampled], Interval]:
    """The bound as a function of a case, with an exact operator."""

    def value(case: Subsampled) -> Interval:
        return bound.enclose(symbol_values(case.model, case.agents, case.subsample))

    return value


def gap_sides(bound: Bound, sampling: str, case: Subsampled, own: Mapping[sp.Symbol, Value] = _NOTHING) -> Outcome:
    """The largest gap over start states against a bound of it; ``own`` are the values of symbols beside those of the paper."""
    model, n, k = case.model, case.agents, case.subsample
    try:
        gap = optimum(model, n) - executed(model, n, k, sampling)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    g, c = np.unravel_index(int(gap.lower.argmax()), gap.shape)
    worst = f"s_g={g}, counts {tuple(int(x) for x in counts.count_vectors(n, model.sizes[2])[c])}"
    try:
        right = bound.enclose({**symbol_values(model, n, k), **own})
    except UndefinedError as error:
        return NotApplicable(str(error), {"gap": [float(gap.max().lower), float(gap.max().upper)], "worst": worst})
    return Sides(gap.max(), right, trivial_gap(model), {"worst": worst})
