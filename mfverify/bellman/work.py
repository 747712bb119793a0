"""Elementary steps of a sweep and of what it prepares, and the doubles it holds, from sizes alone: nothing is computed.

``n`` agents, ``size`` local states, ``choices`` distinct (local state, kernel) pairs and ``kernels`` distinct kernels of one global
state. The operators choose their loops by these numbers, and ``costs.py`` tells them to the user.
"""

from __future__ import annotations

from math import comb
from typing import Final

from mfverify.counts import number_of_count_vectors

MOST_NUMBERS: Final = 2 * 10**9 // 8
"""Arrays of more doubles than this (2 GB) are refused before any work."""

SWEEPS: Final = 20
"""Applications of the operator, policy evaluations included, that policy iteration needs within a factor of a few."""

SEARCH: Final = 10**8
"""Steps of the search for a plan, unless a single start needs more."""

_OVERHEAD: Final = 10**6
"""Preparing, or writing numbers, in no more steps than this is as fast as the calls around it."""

_EXACT_STEP: Final = 100
"""A multiplication of rationals takes as long as about so many multiplications of doubles."""


def walk_steps(n: int, choices: int) -> int:
    """Steps of a fused sweep: one for each joint action of each count vector."""
    return comb(n + choices - 1, choices - 1)


def search_steps(size: int, choices: int) -> int:
    """Steps of the search for a plan from one start: at most ``size`` exchanges, every choice as a candidate against every other one."""
    return size**2 * choices**2


def planning_steps(size: int, choices: int) -> int:
    """Steps of planning a fused sweep, once per global state: the search, and the exchanges in exact arithmetic."""
    if size == 2:
        return _EXACT_STEP * choices
    each = search_steps(size, choices)
    return max(each, min(each * size * choices, SEARCH)) + _EXACT_STEP * size * choices * min(size, choices)


def table_steps(n: int, size: int, kernels: int, choices: int) -> int:
    """Steps of a tabled sweep, in units of those of a fused one.

    For three or more local states a step of the max-plus recursion costs about a quarter of what a pair costs there, for two about eight
    times as much; numbers that are held are written once, about eight of them in a step.
    """
    if kernels <= 2:
        return (n + 1) * number_of_count_vectors(n, size) * (kernels - 1)
    steps = transport_steps(n, size, kernels, choices)
    held = max(0, transport_numbers(n, size, kernels, choices) - _OVERHEAD) // 8
    return (n + 1) * number_of_count_vectors(n, kernels) + (8 * steps if size == 2 else steps // 4) + held


def table_numbers(n: int, size: int, kernels: int, choices: int) -> int:
    """Doubles that a tabled sweep holds."""
    return number_of_count_vectors(n, kernels) if kernels <= 2 else transport_numbers(n, size, kernels, choices)


def transport_steps(n: int, size: int, kernels: int, choices: int) -> int:
    """Additions and comparisons of the max-plus recursion, about: one per choice of a state, node of the tree and entry."""
    return comb(n + size + kernels - 1, size + kernels - 1) * max(1, choices // size)


def transport_numbers(n: int, size: int, kernels: int, choices: int) -> int:
    """Doubles that the max-plus recursion holds, decisions (a byte each) included."""
    widest = max(1, choices - size + 1)
    return comb(n + kernels - 1, kernels - 1) * (2 * choices + 1) + comb(n + kernels, kernels) * widest // 8


def prefers_table(n: int, size: int, kernels: int, choices: int) -> bool:
    """Whether the table over kernel counts fits and costs less than the fused sweep with its plan, over the sweeps of a solution.

    For one agent the table is the list of kernels: both ways cost next to nothing, and the table rounds less often.
    """
    if table_numbers(n, size, kernels, choices) > MOST_NUMBERS:
        return False
    if n == 1:
        return True
    planning = max(0, planning_steps(size, choices) - _OVERHEAD)
    return SWEEPS * table_steps(n, size, kernels, choices) < SWEEPS * walk_steps(n, choices) + planning
