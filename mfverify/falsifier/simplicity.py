"""What "simpler" means. Defined here once, for the exhaustive families and the shrinker.

Of two cases the simpler one has, in this order: fewer agents, a smaller subsample, fewer states and actions (classes, for a
population), smaller denominators, fewer nonzero numbers, smaller numerators, a rounder discount, smaller other parameters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from mfverify.theory.cases.case import Case

Key: TypeAlias = tuple[Any, ...]
"""What cases are ordered by; equal keys only for cases that say the same."""


def simplicity(case: Case) -> Key:
    """The key of a case: smaller is simpler. A total order on the cases of one claim."""
    model, _, subsample, parameters = case.written
    numbers = [int(x) for value in parameters.values() for x in re.findall(r"\d+", str(value))]
    sizes, denominators, numerators, nonzero = 0, [1], [0], 0
    discount = (0, 0)
    if model is not None:
        entries = [x for array in (model.global_kernel, model.local_kernel, model.global_reward, model.local_reward) for x in array.ravel()]
        sizes = sum(model.sizes)
        denominators = [x.denominator for x in entries]
        numerators = [abs(x.numerator) for x in entries]
        nonzero = sum(x != 0 for x in entries)
        discount = model.discount.denominator, model.discount.numerator
    return (
        case.order,
        subsample or 0,
        sizes or case.occupied,
        max(denominators),
        sum(denominators),
        nonzero,
        sum(numerators),
        discount,
        (sum(numbers), len(numbers), str(tuple(parameters.items()))),
        model.fingerprint if model is not None else "",
    )
