"""Random coupled models: near-deterministic kernels and a local reward that depends on the global state.

With independent dense random kernels the gap of SUBSAMPLE-MFQ is almost always zero: the best global action then does not
depend on the counts, and the value is affine in them. Kernels drawn near the corners of the simplex (Dirichlet weight 0.15,
rounded to sixteenths) with a local reward that rewards agreement with the global state couple the agents.
"""

from __future__ import annotations

import random
from fractions import Fraction

from mfverify.model import Model
from mfverify.rationals import exact, parameter

_WEIGHT = 0.15
_PARTS = 16


def random_coupled(
    seed: int = 0,
    local_states: int = 2,
    local_actions: int = 2,
    global_states: int = 2,
    global_actions: int = 2,
    discount: str | Fraction = "9/10",
) -> Model:
    """The random coupled model of a seed: the same for the same arguments, on every machine."""
    gamma = exact(discount, "discount")
    rng = random.Random(f"{seed} {local_states} {local_actions} {global_states} {global_actions}")

    def row(size: int) -> list[Fraction]:
        draws = [rng.gammavariate(_WEIGHT, 1.0) for _ in range(size)]
        total = sum(draws) or 1.0
        parts = [round(x / total * _PARTS) for x in draws]
        parts[parts.index(max(parts))] += _PARTS - sum(parts)
        return [Fraction(p, _PARTS) for p in parts]

    def reward() -> Fraction:
        return Fraction(rng.randint(-8, 8), 8)

    states, actions, targets, moves = range(local_states), range(local_actions), range(global_states), range(global_actions)
    return Model(
        [[row(global_states) for _ in moves] for _ in targets],
        [[[row(local_states) for _ in actions] for _ in targets] for _ in states],
        [[reward() / 4 for _ in moves] for _ in targets],
        [[[reward() for _ in actions] for _ in targets] for _ in states],
        discount=gamma,
        name=f"random_coupled(seed={seed}, sizes={global_states}{global_actions}{local_states}{local_actions}, discount={parameter(gamma)})",
        documentation=__doc__ or "",
    )
