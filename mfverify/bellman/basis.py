"""How a sweep walks the joint actions of one global state: kernels as points of a simplex, one after another.

The expected value of the next counts is the *blossom* of the value function: symmetric in the agents and affine in the
kernel of each. So once it is known for all count vectors over ``S`` affinely independent kernels, the *vertices*, a kernel
inside their simplex costs one convex combination per further agent, in the coordinates of that kernel (de Casteljau).
The blossom starts on the simplex of all kernels, whose vertices are "surely in state s next"; each *exchange* puts the
kernel of a choice in the place of a vertex, which is a chain of convex combinations too. Choices outside the final
simplex, the *outer* ones, are applied while the simplex is still the whole one. So all coefficients are >= 0 and sum to
one, however the kernels lie.

The reward of a choice is affine in the counts and rides along: an agent that takes the choice ``j`` in the place of the
convex combination ``w`` of vertices with the rewards ``rho`` adds the *step* ``r_j / n - sum_v w_v rho_v``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import flint
import numpy as np

from mfverify.bellman.work import SEARCH, search_steps
from mfverify.compiled import njit

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers

PADDING = -1
"""In the place of a choice: a vertex of the simplex of all kernels that no choice took over. No agent may stay there."""


@dataclass(frozen=True, eq=False)
class Walk:
    """The order of a sweep and its coefficients, each correctly rounded from the exact rational.

    At first the vertex ``v`` is "surely in local state ``states[v]``". The i-th exchange puts a choice with ``exchange_weights[i]`` and
    ``exchange_steps[i]`` in the place of the vertex ``places[i]``. ``vertices[v]``: the choice that ends there, or ``PADDING``; those come
    first, and the last two belong to different local states if any two do. ``slots``: the choices whose counts are walked as
    a tree, with ``slot_weights`` and ``slot_steps``; ``exchanged[i]`` exchanges come before the i-th of them and ``exchanged[-1]``, all,
    before the innermost loop: a choice is walked as late as it lies inside. ``chain``: the choice of that loop, or ``PADDING`` where
    there is none; its step is the last of ``chain_weights``. ``class_of[s]``: the number of local state ``s`` in the sweep, where 0
    and those of the last two vertices (the last ones) are fixed by what is contiguous in memory.
    """

    states: Integers
    places: Integers
    exchange_weights: Floats
    exchange_steps: Floats
    vertices: Integers
    slots: Integers
    exchanged: Integers
    slot_weights: Floats
    slot_steps: Floats
    chain: int
    chain_weights: Floats
    class_of: Integers


def plan_walk(rows: list[tuple[Fraction, ...]], reward: list[Fraction], state: list[int]) -> Walk:
    """Plan the sweep over choices ``j`` with the kernels ``rows[j]``, rewards per agent ``reward[j]`` and local states ``state[j]``.

    The vertices are chosen so that few choices are outer; with two local states none is. The search is done in double precision, the plan
    itself in exact arithmetic. Cost: :func:`work.planning_steps`.
    """
    size = len(rows[0])
    coordinates = [[_rational(x) for x in row] for row in rows]
    earned = [_rational(r) for r in reward]
    taken = [PADDING] * size
    attached = [flint.fmpq(0)] * size
    # What each choice weighs in the last simplex that holds it, and the step of its reward there.
    inside = [0] * len(rows)
    weights, steps = [row[:] for row in coordinates], earned[:]
    exchanges: list[tuple[int, list[flint.fmpq], flint.fmpq]] = []
    for j, v in _exchanges(rows, state):
        # The search rounds; what it proposes is only done where it is right.
        if inside[j] < len(exchanges) or coordinates[j][v] <= 0:
            continue
        weight = coordinates[j][:]
        exchanges.append((v, weight, earned[j] - _dot(weight, attached)))
        taken[v], attached[v] = j, earned[j]
        for i in range(len(rows)):
            # A simplex lies in the one before it: what is outside of one stays outside.
            if inside[i] == len(exchanges) - 1:
                x = _pivoted(coordinates[i], v, weight)
                if min(x) >= 0:
                    coordinates[i], inside[i], weights[i], steps[i] = x, len(exchanges), x, earned[i] - _dot(x, attached)
    others = [j for j in range(len(rows)) if j not in taken]
    chain, front = _chain([j for j in others if inside[j] == len(exchanges)], taken, state)
    slots = sorted((j for j in others if j != chain), key=lambda j: inside[j])
    at_vertices = [PADDING if j == PADDING else state[j] for j in taken]
    order = [front, 1 - front] if size == 2 else _order(at_vertices)

    def ordered(rows: list[list[flint.fmpq]]) -> Floats:
        return np.array([[_rounded(x[v]) for v in order] for x in rows], dtype=np.float64).reshape(len(rows), size)

    last = [] if chain == PADDING else [*ordered([weights[chain]])[0], _rounded(steps[chain])]
    return Walk(
        np.array(order, dtype=np.int64),
        np.array([order.index(v) for v, _, _ in exchanges], dtype=np.int64),
        ordered([weight for _, weight, _ in exchanges]),
        np.array([_rounded(step) for _, _, step in exchanges]),
        np.array([taken[v] for v in order], dtype=np.int64),
        np.array(slots, dtype=np.int64),
        np.array([*(inside[j] for j in slots), len(exchanges)], dtype=np.int64),
        ordered([weights[j] for j in slots]),
        np.array([_rounded(steps[j]) for j in slots]),
        chain,
        np.array(last or [0.0] * (size + 1)),
        _classes([at_vertices[v] for v in order]),
    )


def _exchanges(rows: list[tuple[Fraction, ...]], state: list[int]) -> list[tuple[int, int]]:
    """Pairs (choice, vertex) in the order of exchange that leave as many choices as possible inside."""
    size = len(rows[0])
    if size == 2:
        # Everything lies between the extreme kernels. Of equal ones prefer two that belong to different local states.
        low, high = min(row[1] for row in rows), max(row[1] for row in rows)
        lowest = [j for j, row in enumerate(rows) if row[1] == low]
        highest = [j for j, row in enumerate(rows) if row[1] == high]
        i, j = next(((i, j) for i, j in product(lowest, highest) if state[i] != state[j]), (lowest[0], highest[-1]))
        return [(i, 0), (j, 1)]
    points = np.array([[float(p) for p in row] for row in rows])
    starts = np.array(list(product(range(len(rows)), range(size))), dtype=np.int64)
    affordable = max(1, SEARCH // search_steps(size, len(rows)))
    if len(starts) > affordable:
        kept = _kept_inside(points, np.ones(size, dtype=np.bool_)).ravel()
        starts = starts[np.argsort(-kept, kind="stable")[:affordable]]
    return [(int(j), int(v)) for j, v in _search(points, starts)]


_TINY: Final = 1e-12
"""How far outside a point counts as inside in the search, which only proposes."""


@njit
def _kept_inside(coordinates: Floats, free: Any) -> Integers:
    """How many choices are inside after choice ``j`` took the place of the vertex ``v``, ``[j, v]``; -1 where it cannot.

    The new coordinates of ``x`` are ``share = x_v / w_v`` and ``x_u - share w_u``: all are >= 0 where ``share`` is the least of the quotients.
    """
    choices, size = coordinates.shape
    kept = np.full((choices, size), -1)
    for j in range(choices):
        weight = coordinates[j]
        if weight.min() < -_TINY:
            continue
        for v in range(size):
            if free[v] and weight[v] > _TINY:
                kept[j, v] = 0
        for i in range(choices):
            x = coordinates[i]
            least = np.inf
            for u in range(size):
                if weight[u] > 0.0:
                    least = min(least, (x[u] + _TINY) / weight[u])
                elif x[u] < -_TINY:
                    least = -np.inf
            for v in range(size):
                if kept[j, v] >= 0 and -_TINY <= x[v] / weight[v] <= least:
                    kept[j, v] += 1
    return kept


@njit
def _search(points: Floats, starts: Integers) -> Integers:
    """Exchanges (choice, vertex) that begin with one of ``starts`` and each time keep the most choices inside: the best such list."""
    choices, size = points.shape
    best = np.empty((0, 2), dtype=np.int64)
    most = -1
    for start in range(len(starts)):
        coordinates = points.copy()
        free = np.ones(size, dtype=np.bool_)
        found = np.empty((size, 2), dtype=np.int64)
        number = 0
        for step in range(size):
            kept = _kept_inside(coordinates, free)
            place = kept.argmax() if step > 0 else starts[start, 0] * size + starts[start, 1]
            j, v = place // size, place % size
            if kept[j, v] < 0:
                break
            found[number, 0], found[number, 1] = j, v
            number += 1
            free[v] = False
            weight = coordinates[j].copy()
            for i in range(choices):
                share = coordinates[i, v] / weight[v]
                for u in range(size):
                    coordinates[i, u] = share if u == v else coordinates[i, u] - share * weight[u]
        inside = 0
        for i in range(choices):
            inside += coordinates[i].min() >= -_TINY
        if number > len(best) or (number == len(best) and inside > most):
            best, most = found[:number], inside
        if number == size and inside == choices:
            break
    return best


def _chain(inner: list[int], vertices: list[int], state: list[int]) -> tuple[int, int]:
    """The innermost choice and the vertex to the front: of the same local state, so that an entry keeps its state along the chain."""
    for j in inner:
        for v, at_vertex in enumerate(vertices):
            if at_vertex != PADDING and state[at_vertex] == state[j]:
                return j, v
    return (inner[0] if inner else PADDING), 0


def _order(at_vertices: list[int]) -> list[int]:
    """Vertices in their final order: padding first, and last two of different local states if there are any."""
    padded = [v for v, s in enumerate(at_vertices) if s == PADDING]
    real = [v for v, s in enumerate(at_vertices) if s != PADDING]
    apart = next(((v, w) for v in real for w in real if v < w and at_vertices[v] != at_vertices[w]), tuple(real[-2:]))
    return [*padded, *(v for v in real if v not in apart), *apart]


def _classes(at_vertices: list[int]) -> Integers:
    """Numbers of the local states: those of the last two vertices last, the others before them."""
    *_, second_last, last = at_vertices
    listed = [s for s in (second_last, last) if s != PADDING]
    if len(at_vertices) == 2 and second_last == last:
        # Their entries all belong to the same state, which the agents in the other one tell apart.
        listed = [second_last, 1 - second_last]
    listed = list(dict.fromkeys(listed))
    listed = [*(s for s in range(len(at_vertices)) if s not in listed), *listed]
    return np.argsort(np.array(listed)).astype(np.int64)


def _pivoted(x: list[flint.fmpq], vertex: int, weights: list[flint.fmpq]) -> list[flint.fmpq]:
    """Coordinates of the same point after a vertex moved to the point with coordinates ``weights``."""
    share = x[vertex] / weights[vertex]
    if not share:
        return x
    return [share if v == vertex else y - share * w if w else y for v, (y, w) in enumerate(zip(x, weights, strict=True))]


def _dot(x: list[flint.fmpq], y: list[flint.fmpq]) -> flint.fmpq:
    return sum((a * b for a, b in zip(x, y, strict=True) if a and b), flint.fmpq(0))


def _rational(x: Fraction) -> flint.fmpq:
    return flint.fmpq(x.numerator, x.denominator)


def _rounded(x: flint.fmpq) -> float:
    """The nearest double: Python divides integers with one correct rounding, whatever their length."""
    return int(x.p) / int(x.q)
