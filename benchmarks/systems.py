"""The systems that are timed: the same for every solver, on every machine."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from scipy import sparse

from mfverify.counts import count_vectors, rank
from mfverify.model import Model
from mfverify.models import random_coupled
from mfverify.notation import Exact, Floats, Integers


def dense(local_states: int = 2, local_actions: int = 2, seed: int = 4) -> Model:
    """A coupled model in which every transition has a positive probability: nothing for a sparse solver to skip.

    The bundled random coupled model of the seed, each of its laws mixed with the uniform one (share 1/8).
    """
    base = random_coupled(seed, local_states, local_actions)

    def mixed(kernel: Exact) -> Exact:
        size = kernel.shape[-1]
        return np.asarray(kernel * Fraction(7, 8) + Fraction(1, 8 * size), dtype=object)

    return Model(
        mixed(base.global_kernel),
        mixed(base.local_kernel),
        base.global_reward,
        base.local_reward,
        base.discount,
        name=f"dense, |S_l| = {local_states}, |A_l| = {local_actions}",
    )


SYSTEMS: dict[str, Callable[[], Model]] = {
    "dense": dense,
    "coupled": lambda: random_coupled(4),
    "dense 3x2": lambda: dense(3, 2),
    "dense 3x3": lambda: dense(3, 3),
}
"""Name -> model. ``dense`` and ``coupled`` have |S_g| = |A_g| = |S_l| = |A_l| = 2; all have gamma = 9/10."""


def labelled_system(model: Model, n: int) -> tuple[Integers, Floats, sparse.csr_matrix, Integers]:
    """The decision process of labelled agents, symmetry not used: states, rewards and laws of all choices, ordered by state.

    Also the rank of ``(g, counts)`` of every labelled state, to compare values with. ``|S_g| |S_l|^n`` states.
    """
    global_states, global_actions, size, local_actions = model.sizes
    joint_states = size**n
    digits = np.stack(np.unravel_index(np.arange((size * local_actions) ** n), (size * local_actions,) * n), axis=1)
    own = np.ravel_multi_index(tuple((digits // local_actions).T), (size,) * n)
    state, reward, law = [], [], []
    for g in range(global_states):
        kernel = model.floats("local_kernel")[:, g].reshape(-1, size)
        joint = np.ones((1, 1))
        for _ in range(n):
            joint = np.kron(joint, kernel)
        local_reward = model.floats("local_reward")[:, g].ravel()[digits].mean(axis=1)
        for b in range(global_actions):
            state.append(g * joint_states + own)
            reward.append(model.floats("global_reward")[g, b] + local_reward)
            law.append(sparse.kron(model.floats("global_kernel")[g, b][None, :], sparse.csr_matrix(joint), format="csr"))
    order = np.argsort(np.concatenate(state), kind="stable")
    local = np.stack(np.unravel_index(np.arange(joint_states), (size,) * n), axis=1)
    counts = np.stack([(local == s).sum(axis=1) for s in range(size)], axis=1)
    per_global_state = len(count_vectors(n, size))
    position = (np.arange(global_states)[:, None] * per_global_state + rank(counts)).ravel()
    return np.concatenate(state)[order], np.concatenate(reward)[order], sparse.vstack(law, format="csr")[order], position
