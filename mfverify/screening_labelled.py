"""Labelled agents of many models at once, in doubles: the operator without count vectors, for ranking candidates.

Values are ``[g, s_1, .., s_n, m]``, action values ``[g, b, z_1, .., z_n, m]`` with pairs ``z = s |A_l| + a``; the model is the last axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mfverify import counts
from mfverify.screening import Models, laws_and_rewards, layout, stepped

if TYPE_CHECKING:
    from mfverify.notation import Floats


def action_values(models: Models, value: Floats) -> Floats:
    """``Q = r + gamma E V`` of every joint action."""
    global_states, global_actions, states, actions = models.sizes
    agents = value.ndim - 2
    out = []
    for g in range(global_states):
        rows = models.local_kernel[:, g].reshape(states * actions, states, -1)
        ahead = value
        for i in range(1, agents + 1):
            last = np.moveaxis(ahead, i, 0)  # [t, .., m]
            shape = (states * actions, *(1 for _ in range(agents)), models.number)
            mean = sum(last[t] * rows[:, t].reshape(shape) for t in range(states))
            ahead = np.moveaxis(np.asarray(mean), 0, i)
        q = models.discount * np.einsum("bhm,h...m->b...m", models.global_kernel[g], ahead)
        for i in range(agents):
            own = models.local_reward[:, g].reshape(states * actions, -1) / agents
            q = q + own.reshape(*(states * actions if i == j else 1 for j in range(agents)), -1)
        out.append(q + models.global_reward[g].reshape(global_actions, *(1 for _ in range(agents)), -1))
    return np.stack(out)


def maxima(models: Models, q: Floats) -> Floats:
    """``V(s) = max_a Q(s, a)``."""
    _, _, states, actions = models.sizes
    agents = q.ndim - 3
    by_action = q.reshape(*q.shape[:2], *(x for _ in range(agents) for x in (states, actions)), q.shape[-1])
    found: Floats = by_action.max(axis=(1, *(3 + 2 * i for i in range(agents))))
    return found


def largest_contraction(models: Models, agents: int, pairs: int) -> Floats:
    """The largest ``||T V - T U|| / ||V - U||`` of each model over seeded pairs of value functions and one constant shift."""
    global_states, _, states, _ = models.sizes
    rng = np.random.default_rng(pairs)
    ratios = []
    for i in range(pairs + 1):
        base = rng.uniform(-12, 12, (global_states, *(states for _ in range(agents)), 1)) * np.ones(models.number)
        other = base + 1 if i == 0 else rng.uniform(-12, 12, (*base.shape[:-1], 1)) * np.ones(models.number)
        images = [maxima(models, action_values(models, value)) for value in (base, other)]
        axes = tuple(range(base.ndim - 1))
        ratios.append(np.abs(images[0] - images[1]).max(axis=axes) / np.abs(base - other).max(axis=axes))
    return np.max(ratios, axis=0)  # type: ignore[no-any-return]


def largest_difference_of_iterates(models: Models, n: int, iterations: int) -> Floats:
    """The largest difference of labelled iterates and iterates on counts, from 0, over all pairs."""
    _, _, states, actions = models.sizes
    plan, (laws, earned) = layout(n, states, actions), laws_and_rewards(models, n)
    labels = np.indices((states * actions,) * n).reshape(n, -1)
    at = np.argsort(plan.order)[counts.rank((labels[:, :, None] == np.arange(states * actions)).sum(axis=0))]
    value = np.zeros((models.sizes[0], *(states for _ in range(n)), models.number))
    counted, largest = np.zeros((models.sizes[0], len(plan.starts), models.number)), np.zeros(models.number)
    for _ in range(iterations):
        labelled, q = action_values(models, value), stepped(models, laws, earned, counted)
        difference = np.abs(labelled.reshape(*labelled.shape[:2], -1, models.number) - q[:, :, at])
        largest = np.maximum(largest, difference.max(axis=(0, 1, 2)))
        value, counted = maxima(models, labelled), np.maximum.reduceat(q.max(axis=1), plan.starts, axis=1)
    return largest
