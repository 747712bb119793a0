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
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers

PADDING = -1
"""In the place of a choice: a vertex of the simplex of all kernels that no choice took over. No agent may stay there."""


@dataclass(frozen=True, eq=False)
class Walk:
    """The order of a sweep and its coefficients, each correctly rounded from the exact rational.

    At first the vertex ``v`` is "surely in local state v". The i-th exchange swaps the names of the vertices 0 and
    ``places[i]``, then puts a choice with ``exchange_weights[i]`` and ``exchange_steps[i]`` in the place of vertex 0. After the
    last one the names of 0 and ``front`` are swapped. ``vertices[v]``: the choice that ends at vertex ``v``, or ``PADDING``.
    ``slots``: the choices whose counts are walked as a tree, the first ``outer`` of them outer ones, with
    ``slot_weights`` and ``slot_steps``. ``chain``: the choice of the innermost loop, or ``PADDING`` where there is none;
    ``chain_weights`` of one agent, ``chain_pair`` of two (squared coordinates, their mixed product doubled: two local states
    only), the steps come last in both.
    """

    places: Integers
    exchange_weights: Floats
    exchange_steps: Floats
    front: int
    vertices: Integers
    slots: Integers
    outer: int
    slot_weights: Floats
    slot_steps: Floats
    chain: int
    chain_weights: Floats
    chain_pair: Floats


def plan_walk(rows: list[tuple[Fraction, ...]], reward: list[Fraction], state: list[int]) -> Walk:
    """Plan the sweep over choices ``j`` with the kernels ``rows[j]``, rewards per agent ``reward[j]`` and local states ``state[j]``.

    The vertices are chosen so that few choices are outer; with two local states none is. Cost: a search in double
    precision, at most cubic in the number of choices times the number of local states; the plan itself is exact.
    """
    size = len(rows[0])
    # Everything is listed in the current order of the vertices, which the exchanges permute.
    coordinates = [list(row) for row in rows]
    vertices = list(range(size))
    taken = [PADDING] * size
    attached = [Fraction(0)] * size
    places: list[int] = []
    exchanges: list[tuple[list[Fraction], Fraction]] = []

    def swap(place: int) -> None:
        listed: list[list[Any]] = [*coordinates, vertices, taken, attached]
        for x in listed:
            x[0], x[place] = x[place], x[0]

    for j, vertex in _exchanges(rows, state):
        place = vertices.index(vertex)
        # The search rounds; what it proposes is only done where it is right.
        if min(coordinates[j]) < 0 or coordinates[j][place] <= 0:
            continue
        swap(place)
        weights = coordinates[j][:]
        places.append(place)
        exchanges.append((weights, reward[j] - _dot(weights, attached)))
        taken[0], attached[0] = j, reward[j]
        coordinates = [_pivoted(x, weights) for x in coordinates]
    inner = [j for j in range(len(rows)) if j not in taken and min(coordinates[j]) >= 0]
    outer = [j for j in range(len(rows)) if j not in taken and min(coordinates[j]) < 0]
    chain, front = _chain(inner, taken, state)
    swap(front)
    slots = [*outer, *(j for j in inner if j != chain)]
    weights_of = [list(rows[j]) if j in outer else coordinates[j] for j in slots]
    steps = [reward[j] - (0 if j in outer else _dot(coordinates[j], attached)) for j in slots]
    one, two = ([Fraction(0)] * (size + 1), [Fraction(0)] * 4)
    if chain != PADDING:
        w, step = coordinates[chain], reward[chain] - _dot(coordinates[chain], attached)
        one = [*w, step]
        if size == 2:
            two = [w[0] * w[0], 2 * w[0] * w[1], w[1] * w[1], 2 * step]
    return Walk(
        np.array(places, dtype=np.int64),
        _floats([weights for weights, _ in exchanges], size),
        np.array([float(step) for _, step in exchanges]),
        front,
        np.array(taken, dtype=np.int64),
        np.array(slots, dtype=np.int64),
        len(outer),
        _floats(weights_of, size),
        np.array([float(step) for step in steps]),
        chain,
        np.array([float(x) for x in one]),
        np.array([float(x) for x in two]),
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


def _pivoted(x: list[Fraction], weights: list[Fraction]) -> list[Fraction]:
    """Coordinates of the same point after the vertex 0 moved to the point with coordinates ``weights``."""
    share = x[0] / weights[0]
    return [share, *(y - share * w for y, w in zip(x[1:], weights[1:], strict=True))]


def _dot(x: list[Fraction], y: list[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def _floats(rows: list[list[Fraction]], size: int) -> Floats:
    return np.array([[float(p) for p in row] for row in rows], dtype=np.float64).reshape(len(rows), size)
