"""How much it costs to evaluate a claim on a model, n and k, as a share of what a search allows: a candidate costs at most 1, a fraction of a second.

A search may then be repeated exactly, on a slow machine too.
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mfverify.model import Model


def lumped_cost(model: Model, n: int, k: int) -> float:
    """Of solving the n-agent system and executing a policy on it in doubles: (state, action) pairs and transition probabilities."""
    global_states, global_actions, local_states, _ = model.sizes
    pairs = 0
    for g in range(global_states):
        # The solver merges actions with the same transition law.
        moves = sum(len({tuple(row) for row in model.local_kernel[s, g]}) for s in range(local_states))
        pairs += global_actions * comb(n + moves - 1, moves - 1)
    states = comb(n + local_states - 1, local_states - 1)
    return max(pairs / 4e6, global_states * states**2 / 1e7)


def shared_cost(model: Model, n: int, k: int) -> float:
    """Of a shared draw: one row of the chain for every (state, sample) pair."""
    states, samples = (comb(x + model.sizes[2] - 1, model.sizes[2] - 1) for x in (n, k))
    return max(lumped_cost(model, n, k), model.sizes[0] * states**2 * samples / 2e6)


def rational_cost(model: Model, n: int, k: int) -> float:
    """Of the n-agent system in exact arithmetic."""
    global_states, global_actions, local_states, local_actions = model.sizes
    pairs = global_states * global_actions * comb(n + local_states * local_actions - 1, local_states * local_actions - 1)
    return max(pairs / 1500, global_states * comb(n + local_states - 1, local_states - 1) / 90)


def comparison_cost(model: Model, n: int, k: int) -> float:
    """Of comparing all action values of n agents with all of k agents, exactly."""
    pairs = model.sizes[2] * model.sizes[3]
    compared = model.sizes[0] * model.sizes[1] * comb(n + pairs - 1, pairs - 1) * comb(k + pairs - 1, pairs - 1)
    return max(rational_cost(model, n, k), compared / 3e4)


def table_cost(model: Model, n: int, k: int) -> float:
    """Of listing all state-action counts of k agents."""
    pairs = model.sizes[2] * model.sizes[3]
    return model.sizes[0] * model.sizes[1] * comb(max(n, k) + pairs - 1, pairs - 1) / 2e4


def labelled_cost(model: Model, n: int, k: int) -> float:
    """Of listing the table of k agents with names."""
    return model.sizes[0] * model.sizes[1] * float(model.sizes[2] * model.sizes[3]) ** k / 2e4
