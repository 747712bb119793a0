"""Plans of infinitely many agents for many models at once, in doubles: what the limit is worth at least, for ranking candidates.

A plan is a node of a finite controller: a global action, an action for each local state, and the node with which to continue for each next
global state. There is one node for each global state and each distribution of a grid, and of those that follow their first steps. In turn
each node takes the best step at its distribution, then all nodes are evaluated exactly (Hansen 1998); so ``vectors`` are what policies are
worth, and their largest value at a distribution is at most ``V_inf`` there. The certified limit is :mod:`mfverify.mean_field.limit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

from mfverify import counts
from mfverify.screening import Models, chain_value, subsample_matrix, with_one_more

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers

_ROUNDS: Final = 5
"""How often the controller is evaluated."""
_FIRST_SWEEPS: Final = 12
"""Steps that plans look ahead before they are evaluated first."""
_FINEST: Final = 6
"""The grid of distributions is that of so many agents at most."""
_TESTED: Final = 24
"""The distributions at which it is tested whether one more step gains something are those of so many agents."""


@dataclass(frozen=True, eq=False)
class Controller:
    """``vectors[g, j, s, m]``: what node j of global state g is worth to an agent in s; its first step ``b[g, j, m]`` and ``a[g, j, s, m]``.

    ``excess[m]``: how much more ``V_inf`` may be worth than the best node, about: what one more step gains at most at the distributions of a
    fine grid, over ``1 - gamma``.
    """

    models: Models
    vectors: Floats
    b: Integers
    a: Integers
    excess: Floats

    def best(self, n: int) -> Integers:
        """The node ``[g, c, m]`` that is worth most to n agents with counts c."""
        worth = np.einsum("cs,gjsm->gcjm", counts.count_vectors(n, self.vectors.shape[2]) / n, self.vectors)
        found: Integers = worth.argmax(axis=2)
        return found

    def value(self, n: int) -> Floats:
        """A lower bound ``[g, c, m]`` of ``V_inf`` up to rounding."""
        shares = counts.count_vectors(n, self.vectors.shape[2]) / n
        found: Floats = np.einsum("cs,gjsm->gcjm", shares, self.vectors).max(axis=2)
        return found

    def once_value(self, n: int, k: int) -> Floats:
        """The value ``[g, c, m]`` where n agents follow the best node of one sample of k agents forever."""
        chosen = np.take_along_axis(self.vectors, self.best(k)[:, :, None], axis=1)  # [g, d, s, m]
        shares = counts.count_vectors(n, self.vectors.shape[2]) / n
        found: Floats = np.einsum("cd,cs,gdsm->gcm", subsample_matrix(n, k, self.vectors.shape[2]), shares, chosen)
        return found

    def anew_value(self, n: int, k: int) -> Floats:
        """The value ``[g, c, m]`` where n agents take the first step of the best node of a new shared sample of k agents at each step."""
        models, best = self.models, self.best(k)
        global_states, _, states, _ = models.sizes
        large, weights = counts.count_vectors(n, states), subsample_matrix(n, k, states)
        b = np.take_along_axis(self.b, best, axis=1)  # [g, d, m]
        a = np.take_along_axis(self.a, best[:, :, None], axis=1)  # [g, d, s, m]
        g_at, m_at = np.arange(global_states)[:, None, None], np.arange(models.number)
        s_at = np.arange(states)[:, None]
        rows = models.local_kernel[s_at, g_at[..., None], a, :, m_at].transpose(0, 1, 2, 4, 3)  # [g, d, s, t, m]
        earned = models.local_reward[s_at, g_at[..., None], a, m_at]
        global_rows = models.global_kernel[g_at, b, :, m_at].transpose(0, 1, 3, 2)  # [g, d, h, m]
        joint = np.zeros((global_states, len(large), global_states, len(large), models.number))
        reward = np.einsum("cd,gdm->gcm", weights, models.global_reward[g_at, b, m_at])
        reward += np.einsum("cd,cs,gdsm->gcm", weights, large / n, earned)
        for d in range(weights.shape[1]):
            laws: dict[tuple[int, ...], Floats] = {(0,) * states: np.ones((global_states, 1, models.number))}
            for c, row in enumerate(large.tolist()):
                if weights[c, d]:
                    law = _moved(laws, tuple(row), rows[:, d])
                    joint[:, c] += weights[c, d] * global_rows[:, d][:, :, None] * law[:, None]
        return chain_value(joint, reward, models.discount)


def _moved(laws: dict[tuple[int, ...], Floats], row: tuple[int, ...], rows: Floats) -> Floats:
    """The law ``[g, c', m]`` of the next counts of agents with counts ``row``, one agent after the other."""
    if row not in laws:
        s = max(i for i, x in enumerate(row) if x)
        fewer = _moved(laws, tuple(x - (i == s) for i, x in enumerate(row)), rows)
        laws[row] = with_one_more(fewer, rows[:, s], sum(row), len(row))
    return laws[row]


def controller(models: Models, n: int) -> Controller:
    """The nodes for the distributions of n agents, and for those to which their first steps lead."""
    global_states, _, states, actions = models.sizes
    number, m_at = models.number, np.arange(models.number)
    fine = min(n, _FINEST)
    grid = _distributions(fine, models)
    points = grid  # [j, s, m]
    plans = np.array(list(product(range(actions), repeat=states)))  # [plan, s]
    rows = models.local_kernel[np.arange(states), :, plans].transpose(2, 0, 1, 3, 4)  # [g, plan, s, t, m]
    earned = models.local_reward[np.arange(states), :, plans].transpose(2, 0, 1, 3)  # [g, plan, s, m]
    vectors = np.zeros((global_states, len(points), states, number))
    g_at = np.arange(global_states)[:, None, None]

    def best_step(at: Floats) -> tuple[Floats, Floats, Integers, Integers]:
        """At distributions ``[j, s, m]``: where plans move them, their best first step and continuation, and what that is worth."""
        moved = np.einsum("jsm,gpstm->gpjtm", at, rows)
        worth = sum(moved[:, :, :, t][:, :, :, None, None] * vectors[:, :, t] for t in range(states))  # [g, plan, j, h, i, m]
        ahead = models.discount * np.einsum("gbhm,gpjhm->gbpjm", models.global_kernel, worth.max(axis=4))
        q = ahead + np.einsum("jsm,gpsm->gpjm", at, earned)[:, None] + models.global_reward[:, :, None, None]
        flat = q.reshape(global_states, -1, *q.shape[3:])
        return flat.max(axis=1), moved, flat.argmax(axis=1), worth.argmax(axis=4)

    for round_ in range(_ROUNDS):
        j_at = np.arange(len(points))[:, None]
        for _ in range(_FIRST_SWEEPS if round_ == 0 else 1):
            _, moved, step, node = best_step(points)
            b, plan = np.divmod(step, len(plans))  # [g, j, m]
            chosen = node[g_at, plan, j_at, :, m_at].transpose(0, 1, 3, 2)  # [g, j, h, m]
            global_rows = models.discount * models.global_kernel[g_at, b, :, m_at].transpose(0, 1, 3, 2)
            moves = rows[g_at, plan, :, :, m_at].transpose(0, 1, 3, 4, 2)  # [g, j, s, t, m]
            reward = models.global_reward[g_at, b, m_at][:, :, None] + earned[g_at, plan, :, m_at].transpose(0, 1, 3, 2)
            after = vectors[np.arange(global_states)[:, None], chosen, :, m_at].transpose(0, 1, 2, 4, 3)  # [g, j, h, t, m]
            vectors = reward + np.einsum("gjhm,gjstm,gjhtm->gjsm", global_rows, moves, after)
        vectors = _worth_forever(chosen, global_rows, moves, reward)
        points = np.concatenate([grid, *moved[g_at, plan, j_at, :, m_at].transpose(0, 1, 3, 2)[:, : len(grid)]])
    finer = _distributions(_TESTED, models)
    gain = best_step(finer)[0] - np.einsum("csm,gjsm->gcjm", finer, vectors).max(axis=2)
    excess = np.maximum(gain.max(axis=(0, 1)), 0) / (1 - models.discount)
    return Controller(models, vectors, b, plans[plan].transpose(0, 1, 3, 2), excess)


def _distributions(n: int, models: Models) -> Floats:
    """The distributions ``[j, s, m]`` of n agents."""
    shares = counts.count_vectors(n, models.sizes[2]) / n
    return np.repeat(shares[:, :, None], models.number, axis=2)


def _worth_forever(chosen: Integers, global_rows: Floats, step: Floats, reward: Floats) -> Floats:
    """What nodes are worth that continue with the nodes ``chosen[g, j, h, m]``."""
    global_states, nodes, states, number = reward.shape
    size = reward[..., 0].size
    matrix = np.zeros((number, size, size))
    row_at = np.arange(size).reshape(global_states, nodes, states, 1)
    for h in range(global_states):
        for t in range(states):
            column = (h * nodes + chosen[:, :, h]) * states + t
            matrix[np.arange(number), row_at, column[:, :, None]] -= global_rows[:, :, h][:, :, None] * step[:, :, :, t]
    matrix[:, np.arange(size), np.arange(size)] += 1
    found = np.linalg.solve(matrix, reward.reshape(size, number).T[:, :, None])[:, :, 0]
    return np.ascontiguousarray(found.T).reshape(reward.shape)
