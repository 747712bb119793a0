"""Random small models with what is hard in them, and how much of the claimed error the computed values use."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from mfverify import batch
from mfverify.exact.rational import RationalSystem
from mfverify.subsample_mfq.execution import exact_execution_value
from mfverify.subsample_mfq.learning import learn

DISCOUNTS = ("1/100", "1/2", "9/10", "99/100", "999/1000")


def random_models(
    rng: np.random.Generator, number: int, sizes: tuple[int, int, int, int], discount: Fraction | None = None
) -> batch.Models:
    """Whole weights of 0 to 6, rewards in sevenths that doubles do not hold as they are drawn; a third of the models have equal kernels in two
    actions, a third equal rewards, and a sixth no rewards at all.
    """
    global_states, global_actions, local_states, local_actions = sizes

    def weights(*shape: int) -> Any:
        drawn = rng.integers(0, 7, (number, *shape)).astype(float)
        drawn[..., 0] += drawn.sum(axis=-1) == 0
        return drawn

    global_kernel = weights(global_states, global_actions, global_states)
    local_kernel = weights(local_states, global_states, local_actions, local_states)
    global_reward = rng.integers(-7, 8, (number, global_states, global_actions)) / 7
    local_reward = rng.integers(-7, 8, (number, local_states, global_states, local_actions)) / 7
    same = rng.random(number) < 1 / 3
    local_kernel[same, :, :, -1] = local_kernel[same, :, :, 0]
    flat = rng.random(number) < 1 / 3
    local_reward[flat] = local_reward[flat][..., :1]
    nothing = rng.random(number) < 1 / 6
    global_reward[nothing] = 0.0
    local_reward[nothing] = 0.0
    discounts = [Fraction(x) for x in rng.choice(DISCOUNTS, number)] if discount is None else discount
    return batch.Models(global_kernel, local_kernel, global_reward, local_reward, discounts)


PARTS = ("optimum", "learned", "executed", "gap")
"""What :func:`~mfverify.batch.gaps` encloses: ``V*`` of n agents and of k, the value of the executed policy, the largest gap."""


def ratios_to_claimed(many: batch.Models, n: int, k: int, executed: bool = True) -> tuple[dict[str, float], int]:
    """The largest distance of exact values from the middle of their enclosures, over half the width, for each part; above 1 a value is outside.

    Also how many models are decided, which have executed values and gaps. An executed policy that no exact maximisation gives counts as infinitely far.
    """
    found = batch.gaps(many, n, k)
    largest, decided = dict.fromkeys(PARTS, 0.0), 0

    def measure(part: str, lower: Any, upper: Any, exact: Any) -> None:
        for low, high, value in zip(np.ravel(lower).tolist(), np.ravel(upper).tolist(), np.ravel(exact), strict=True):
            middle, half = (Fraction(low) + Fraction(high)) / 2, (Fraction(high) - Fraction(low)) / 2
            largest[part] = max(largest[part], float(abs(value - middle) / half))

    for i in range(len(many)):
        model = many.model(i)
        optimum, smaller = RationalSystem(model, n), RationalSystem(model, k)
        best = optimum.array(optimum.optimum)
        measure("optimum", found.optimum.lower[i], found.optimum.upper[i], best)
        if not executed or not found.decided[i]:
            continue
        decided += 1
        measure("learned", found.learned.lower[i], found.learned.upper[i], smaller.array(smaller.optimum))
        for g, c in np.ndindex(found.learned.global_action[i].shape):
            played = int(found.learned.global_action[i, g, c]), tuple(found.learned.action_counts[i, g, c].ravel().tolist())
            if played not in smaller.greedy((g, smaller.vectors[c]), smaller.optimum)[1]:
                largest["learned"] = np.inf
        value = exact_execution_value(learn(model, k), n).exact
        measure("executed", found.executed.lower[i], found.executed.upper[i], value)
        measure("gap", found.lower[i], found.upper[i], (best - value).max())
    return largest, decided
