"""Random small models with what is hard in them, and how much of the claimed error the computed values use."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from mfverify import batch
from mfverify.bellman import small
from mfverify.exact.rational import rational_optimal_value
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


def ratio_to_claimed(many: batch.Models, n: int, k: int, owner: Any) -> float:
    """The largest distance of an exact value from the middle of its enclosure, over half the width; of optima or of executed values."""
    learned = batch.learn(many, k)
    found = batch.optimum(many, n) if owner is small else batch.execution_value(many, n, learned)
    largest = 0.0
    for i in range(len(many)):
        if owner is not small and not learned.decided[i]:
            continue
        model = many.model(i)
        exact = (rational_optimal_value(model, n) if owner is small else exact_execution_value(learn(model, k), n)).exact
        assert exact is not None
        for at, value in np.ndenumerate(exact):
            low, high = Fraction(float(found.lower[i][at])), Fraction(float(found.upper[i][at]))
            largest = max(largest, float(abs(value - (low + high) / 2) / ((high - low) / 2)))
    return largest
