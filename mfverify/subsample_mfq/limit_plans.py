"""The plan of the mean-field limit that is best for a sample, and what it makes the agents do.

A plan of the limit is worth a linear function of the distribution of local states (``mean_field/limit.py``). Agents that see a sample follow
the plan whose function is largest at the distribution of the sample, the first of those that are equal. The functions are rows of doubles,
and doubles are rationals: the comparison is exact.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mfverify.mean_field.limit import MeanFieldLimit, mean_field_value

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Exact, Integers


@lru_cache(maxsize=64)
def limit_of(model: Model) -> MeanFieldLimit:
    """The mean-field limit of a model, at the default width."""
    return mean_field_value(model)


@lru_cache(maxsize=256)
def _functions(model: Model, g: int) -> Exact:
    """The linear functions of the plans of a global state, all multiplied by one power of two, as integers ``[s, plan]``."""
    rows = [[Fraction(x) for x in row] for row in limit_of(model).vectors[g].tolist()]
    scale = max(x.denominator for row in rows for x in row)  # denominators of doubles are powers of two
    return np.array([[int(x * scale) for x in column] for column in zip(*rows, strict=True)], dtype=object)


def best_plans(model: Model, g: int, samples: Integers) -> Integers:
    """For each sample, counts ``[sample, s]`` of equally many agents, the first plan of global state ``g`` that is worth most there.

    Cost: a product of integers for each sample, local state and plan.
    """
    worth = samples.astype(object) @ _functions(model, g)
    return np.array([max(range(len(row)), key=row.__getitem__) for row in worth], dtype=np.int64)


def acting(model: Model, g: int, plans: Integers, c: Integers) -> tuple[Integers, Integers]:
    """What plans of global state ``g`` make populations ``c[i, s]`` do: global actions ``[i]`` and action counts ``[i, s, a]``."""
    limit = limit_of(model)
    _, _, size, actions = model.sizes
    chosen = np.zeros((*c.shape, actions), dtype=np.int64)
    chosen[np.arange(len(c))[:, None], np.arange(size), limit.local_action[g][plans]] = c
    return limit.global_action[g][plans], chosen
