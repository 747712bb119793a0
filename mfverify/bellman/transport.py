"""Which agents use which kernels, when rewards are to be largest: the max-plus recursion over one agent after another.

Given a table ``f(e)`` over kernel counts, the best joint action of a population ``c`` is

    max over d of  sum_j d_j r_j + f(e(d)),      e(d)_u = number of agents whose choice has kernel u.

One agent of local state ``s`` is the operator ``(M_s f)(e) = max_j r_j + f(e + e_{u(j)})`` over its choices; the operators of single
agents commute, so populations are walked as a tree in which all children of a node share its partial result. Deterministic moves
are the case in which ``f`` is the value function itself. So that a joint action is one path, not one for every order of its agents,
the agents of one state take their choices in order: ``H_j`` assigns them to choices ``j, j+1, ..`` only,

    H_j(m agents) (e) = max( r_j + H_j(m - 1 agents)(e + e_{u(j)}),  H_{j+1}(m agents)(e) ).

Then the second largest value of all paths is that of the second best joint action. Rounding: one addition per agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mfverify.compiled import njit

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers


@njit
def _one_agent_more(
    best: Floats, second: Floats, first: int, end: int, kernel: Integers, reward: Floats, up: Integers, size: int, taken: Integers
) -> None:
    """``H_j`` of one state for one agent more, choices ``first .. end - 1``, in place; ``taken[j - first, i]`` says where j itself is used."""
    for j in range(end - 1, first - 1, -1):
        u = kernel[j]
        for i in range(size):
            source = i if u == 0 else up[i, u - 1]
            use = reward[j] + best[j, source]
            use_second = reward[j] + second[j, source]
            if j == end - 1:
                best[j, i] = use
                second[j, i] = use_second
                taken[j - first, i] = 1
                continue
            skip = best[j + 1, i]
            taken[j - first, i] = use >= skip
            best[j, i] = max(use, skip)
            second[j, i] = max(min(use, skip), use_second, second[j + 1, i])


class Offers(NamedTuple):
    """What agents choose between: choices ``starts[s] .. starts[s+1] - 1`` of local state ``s``, each with a kernel and a reward."""

    starts: Integers
    kernel: Integers
    reward: Floats


class Levels(NamedTuple):
    """Kernel counts of 0 to n agents in graded order: ``up`` and ``sizes`` as in ``sweeps.py``, and ``starts[t]``: where the decisions of the
    t-th agent begin.
    """

    up: Integers
    sizes: Integers
    starts: Integers


@njit
def _assign_one(
    depth: int, n: int, left: Integers, used: Integers, best: Floats, second: Floats, offers: Offers, levels: Levels, taken: Integers
) -> None:
    """One agent more in the local state ``depth``; its decisions are written where those of its turn belong."""
    left[depth] -= 1
    used[depth] += 1
    size = levels.sizes[left[depth]]
    level = levels.starts[n - left[depth] - 1]
    first, end = offers.starts[depth], offers.starts[depth + 1]
    _one_agent_more(best, second, first, end, offers.kernel, offers.reward, levels.up, size, taken[:, level : level + size])


@njit
def transport(table: Floats, offers: Offers, levels: Levels, n: int, length: int) -> tuple[Floats, Floats, Integers]:
    """Values ``[c]``, runners-up ``[c]`` (-inf where there is none) and action counts ``[c, choice]`` of a maximiser.

    ``table``: ``f`` in graded order over kernel counts of ``n`` agents. ``c`` is lexicographic. Cost: :func:`work.transport_steps`, and ``n`` steps back for every ``c``.
    """
    starts, kernel, up, sizes = offers.starts, offers.kernel, levels.up, levels.sizes
    states = len(starts) - 1
    choices = len(kernel)
    values = np.empty(length)
    runners_up = np.empty(length)
    maximisers = np.zeros((length, choices), dtype=np.int64)
    best = np.empty((choices, len(table)))
    second = np.empty((choices, len(table)))
    widest = 1
    for s in range(states):
        widest = max(widest, starts[s + 1] - starts[s])
    taken = np.empty((widest, levels.starts[-1]), dtype=np.int8)
    left = np.zeros(states, dtype=np.int64)
    used = np.zeros(states, dtype=np.int64)
    for j in range(starts[1]):
        best[j] = table
        second[j] = -np.inf
    left[0] = n
    emitted = 0
    depth = 0
    while depth >= 0:
        while depth < states - 1:
            size = sizes[left[depth]]
            for j in range(starts[depth + 1], starts[depth + 2]):
                best[j, :size] = best[starts[depth], :size]
                second[j, :size] = second[starts[depth], :size]
            left[depth + 1] = left[depth]
            used[depth + 1] = 0
            depth += 1
        # The last state takes all agents that are left.
        while left[depth] > 0:
            _assign_one(depth, n, left, used, best, second, offers, levels, taken)
        values[emitted] = best[starts[depth], 0]
        runners_up[emitted] = second[starts[depth], 0]
        # Back along the decisions, from the last agent to the first.
        t = n
        e = 0
        for s in range(states - 1, -1, -1):
            j = starts[s]
            agents = used[s]
            while agents > 0:
                if taken[j - starts[s], levels.starts[t - 1] + e]:
                    maximisers[emitted, j] += 1
                    if kernel[j] > 0:
                        e = up[e, kernel[j] - 1]
                    agents -= 1
                    t -= 1
                else:
                    j += 1
        emitted += 1
        depth -= 1
        while depth >= 0 and left[depth] == 0:
            depth -= 1
        if depth >= 0:
            _assign_one(depth, n, left, used, best, second, offers, levels, taken)
    return values, runners_up, maximisers
