"""Models and the sizes of their tables, for the claims about costs.

Costs are counted, not timed: entries that exist, found by enumeration, against formulas. Numbers of entries are exact
integers. A cost bound counts as vacuous where it is no smaller than the cost of doing without the structure: labelled tables for
S1 and S3, no subsampling (k = n) for S3b and S4.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import sympy as sp

from mfverify import models
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.symbols import A_g, A_l, S_g, S_l, Z


@lru_cache(maxsize=256)
def sized(local_states: int, local_actions: int, global_states: int = 1, global_actions: int = 1) -> Model:
    """A model of the given sizes in which nothing moves and nothing is earned: only its tables matter."""
    stay = [
        [[[int(t == s) for t in range(local_states)] for _ in range(local_actions)] for _ in range(global_states)]
        for s in range(local_states)
    ]
    return Model(
        [[[int(h == g) for h in range(global_states)] for _ in range(global_actions)] for g in range(global_states)],
        stay,
        [[0] * global_actions for _ in range(global_states)],
        [[[0] * local_actions for _ in range(global_states)] for _ in range(local_states)],
        Fraction(1, 2),
        f"sizes {global_states}{global_actions}{local_states}{local_actions}",
    )


def sizes_of(model: Model) -> dict[sp.Symbol, int]:
    """The symbols of a model's sizes, ``Z`` included."""
    global_states, global_actions, local_states, local_actions = model.sizes
    return {S_g: global_states, A_g: global_actions, S_l: local_states, A_l: local_actions, Z: local_states * local_actions}


def bundled(given: Sequence[Model] | None) -> list[Model]:
    """The models that tables are counted for unless a user gives others."""
    return (
        list(given)
        if given is not None
        else [models.coordination(), models.absorbing(), models.random_coupled(4), models.random_coupled(6, 3, 2)]
    )
