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
from typing import TYPE_CHECKING

import numpy as np

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

    The vertices are chosen so that few choices are outer; with two local states none is. Cost: a search in double
    precision, at most cubic in the number of choices times the number of local states; the plan itself is exact.
    """
    size = len(rows[0])
    coordinates = [list(row) for row in rows]
    taken = [PADDING] * size
    attached = [Fraction(0)] * size
    # What each choice weighs in the last simplex that holds it, and the step of its reward there.
    inside = [0] * len(rows)
    weights, steps = [row[:] for row in coordinates], reward[:]
    exchanges: list[tuple[int, list[Fraction], Fraction]] = []
    for j, v in _exchanges(rows, state):
        # The search rounds; what it proposes is only done where it is right.
        if min(coordinates[j]) < 0 or coordinates[j][v] <= 0:
            continue
        weight = coordinates[j][:]
        exchanges.append((v, weight, reward[j] - _dot(weight, attached)))
        taken[v], attached[v] = j, reward[j]
        coordinates = [_pivoted(x, v, weight) for x in coordinates]
        for i, x in enumerate(coordinates):
            if min(x) >= 0 and inside[i] == len(exchanges) - 1:
                inside[i], weights[i], steps[i] = len(exchanges), x, reward[i] - _dot(x, attached)
    others = [j for j in range(len(rows)) if j not in taken]
    chain, front = _chain([j for j in others if inside[j] == len(exchanges)], taken, state)
    slots = sorted((j for j in others if j != chain), key=lambda j: inside[j])
    at_vertices = [PADDING if j == PADDING else state[j] for j in taken]
    order = [front, 1 - front] if size == 2 else _order(at_vertices)

    def ordered(rows: list[list[Fraction]]) -> Floats:
        return np.array([[float(x[v]) for v in order] for x in rows], dtype=np.float64).reshape(len(rows), size)

    last = [] if chain == PADDING else [*ordered([weights[chain]])[0], float(steps[chain])]
    return Walk(
        np.array(order, dtype=np.int64),
        np.array([order.index(v) for v, _, _ in exchanges], dtype=np.int64),
        ordered([weight for _, weight, _ in exchanges]),
        np.array([float(step) for _, _, step in exchanges]),
        np.array([taken[v] for v in order], dtype=np.int64),
        np.array(slots, dtype=np.int64),
        np.array([*(inside[j] for j in slots), len(exchanges)], dtype=np.int64),
        ordered([weights[j] for j in slots]),
        np.array([float(steps[j]) for j in slots]),
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
    best: list[tuple[int, int]] = []
    most = (-1, -1)
    for first in product(range(len(rows)), range(size)):
        found, inside = _greedy(points, first)
        if (len(found), inside) > most:
            best, most = found, (len(found), inside)
    return best


def _greedy(points: Floats, first: tuple[int, int]) -> tuple[list[tuple[int, int]], int]:
    """Exchanges that begin with ``first`` and each time keep the most choices inside; how many stay inside in the end."""
    tiny = 1e-12
    coordinates = points
    free = list(range(points.shape[1]))
    found: list[tuple[int, int]] = []
    kept = len(points)
    options = [first]
    while options:
        best: tuple[int, int] | None = None
        moved = coordinates
        kept = -1
        for j, v in options:
            weight = coordinates[j]
            if weight.min() < -tiny or weight[v] <= tiny:
                continue
            after = coordinates - np.outer(coordinates[:, v] / weight[v], weight)
            after[:, v] = coordinates[:, v] / weight[v]
            inside = int((after.min(axis=1) >= -tiny).sum())
            if inside > kept:
                best, moved, kept = (j, v), after, inside
        if best is None:
            break
        found.append(best)
        free.remove(best[1])
        coordinates = moved
        options = list(product([j for j in range(len(points)) if j not in {i for i, _ in found}], free))
    return found, int((coordinates.min(axis=1) >= -tiny).sum())


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


def _pivoted(x: list[Fraction], vertex: int, weights: list[Fraction]) -> list[Fraction]:
    """Coordinates of the same point after a vertex moved to the point with coordinates ``weights``."""
    share = x[vertex] / weights[vertex]
    return [share if v == vertex else y - share * w for v, (y, w) in enumerate(zip(x, weights, strict=True))]


def _dot(x: list[Fraction], y: list[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))
