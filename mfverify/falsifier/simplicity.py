"""What "simpler" means. Defined here once, for the exhaustive families and the shrinker.

Of two instances the simpler one has, in this order: fewer agents, a smaller subsample, fewer states and actions (classes, for a
population), smaller denominators, fewer nonzero numbers, smaller numerators, a rounder discount, smaller other parameters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from mfverify.theory.claim import Instance

Key: TypeAlias = tuple[Any, ...]
"""What instances are ordered by; equal keys only for instances that say the same."""


def simplicity(instance: Instance) -> Key:
    """The key of an instance: smaller is simpler. A total order on the instances of one claim."""
    model = instance.model
    parameters = dict(instance.parameters)
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
        agents_of(instance),
        instance.subsample or 0,
        sizes or len(str(parameters.get("population", "")).split("+")),
        max(denominators),
        sum(denominators),
        nonzero,
        sum(numerators),
        discount,
        (sum(numbers), len(numbers), str(instance.parameters)),
        model.fingerprint if model is not None else "",
    )


def agents_of(instance: Instance) -> int:
    """The number of agents of an instance: of its larger system, where there are two."""
    if instance.agents is not None:
        return instance.agents
    other = dict(instance.parameters).get("other")
    return max(int(other) if other is not None else 0, instance.subsample or 0)
