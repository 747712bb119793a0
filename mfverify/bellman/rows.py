"""The loops of the fused sweep: one agent more on a row, other vertices under a row, all rows of a chain with their maxima.

A row is an array of lanes (``lanes.py``): four rows side by side, position by position. Lane ``l`` belongs to a joint action in
which ``l`` agents more make the first choice, so that where lane 0 has ``m`` agents on the vertices of the simplex, lane ``l`` has
``m - l``. Positions are numbered in graded order (``sweeps.py``), agents at vertex 0 not counted: what is one agent apart is a
position apart in every lane. A position with ``z`` agents at vertex 0 in lane 0 exists in the first ``z + 1`` lanes; what stands in
the others is finite and never looked at.

The largest values per state are kept in lanes too, at the graded rank of the counts of *classes* (``basis.Walk``) in lane 0.
``number`` counts the entries of lane 0 in the order of the walk, so it grows: the number of a maximum is the largest of those
written at its place. It is a double, exact up to ``2**53``. ``second`` and ``number`` may be None and then cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from mfverify.bellman.lanes import LANES, first_lanes, larger, load, multiply_add, plus, smaller, spread, store, where_larger
from mfverify.bellman.sweeps import rank_of_counts
from mfverify.compiled import njit

if TYPE_CHECKING:
    from mfverify.bellman.sweeps import SpaceArrays
    from mfverify.notation import Floats, Integers

_contracted = njit(fastmath={"contract", "nnan", "nsz"})
_inlined = njit(fastmath={"contract", "nnan", "nsz"}, forceinline=True)
"""For the bodies of inner loops: a call with many arrays costs more than a run."""

class Exchanges(NamedTuple):
    """The exchanges of ``basis.Walk`` for compiled loops: which vertex, by which weights and step."""

    places: Integers
    weights: Floats
    steps: Floats


_BLOCK: Final = 32
"""Positions of which the largest entry is found without its place."""


@_contracted
def one_agent_more(row: Floats, m: int, weights: Floats, step: float, space: SpaceArrays) -> None:
    """One agent moves from the vertices to a choice: in place, ``m`` agents are left in lane 0. Lanes that have none left keep their entry.

    Within a run (``sweeps.run_starts``) the entries read are consecutive too; ``totals`` says how many agents of a run are not at vertex 0.
    """
    vertices, up, runs, totals = len(weights), space.up, space.runs, space.totals
    a, moved = spread(weights[0]), spread(step)
    y, z = spread(weights[vertices - 2]), spread(weights[vertices - 1])
    if vertices == 2:
        for p in range(m - LANES + 2):
            store(row, p, multiply_add(a, load(row, p), multiply_add(z, load(row, p + 1), moved)))
        for p in range(max(m - LANES + 2, 0), m + 1):
            x = load(row, p)
            store(row, p, first_lanes(m - p + 1, multiply_add(a, x, multiply_add(z, load(row, p + 1), moved)), x))
        return
    for k in range(len(totals)):
        left = m - totals[k]
        if left < 0:
            return
        start, length = runs[k], runs[k + 1] - runs[k]
        second_last, last = up[start, vertices - 3] - start, up[start, vertices - 2] - start
        if vertices == 3 and left >= LANES - 1:
            for p in range(start, start + length):
                new = multiply_add(y, load(row, second_last + p), multiply_add(a, load(row, p), moved))
                store(row, p, multiply_add(z, load(row, last + p), new))
            continue
        for p in range(start, start + length):
            x = load(row, p)
            new = multiply_add(z, load(row, last + p), multiply_add(y, load(row, second_last + p), multiply_add(a, x, moved)))
            for v in range(1, vertices - 2):
                new = multiply_add(spread(weights[v]), load(row, up[p, v - 1]), new)
            store(row, p, first_lanes(left + 1, new, x))


@_contracted
def _swap_vertices(row: Floats, v: int, m: int, space: SpaceArrays) -> None:
    """Exchange the names of the vertices 0 and ``v`` in a row of ``m`` agents (lane ``l``: ``m - l``)."""
    entries, sizes, binomials = space.entries, space.sizes, space.binomials
    before = row[: LANES * sizes[m]].copy()
    vertices = entries.shape[1] + 1
    other = np.empty(vertices - 1, dtype=np.int64)
    for lane in range(min(LANES, m + 1)):
        agents = m - lane
        for i in range(sizes[agents]):
            total = 0
            for u in range(vertices - 1):
                other[u] = entries[i, u]
                total += entries[i, u]
            other[v - 1] = agents - total
            total = agents - entries[i, v - 1]
            row[LANES * _graded_rank(other, total, binomials) + lane] = before[LANES * i + lane]


@_inlined
def _graded_rank(counts: Integers, total: int, binomials: Integers) -> int:
    """The graded rank of a count vector without its first entry; the others add up to ``total``."""
    rank: int = rank_of_counts(counts, total, binomials)
    return rank + (binomials[total + len(counts) - 1, len(counts)] if total > 0 else 0)


@_contracted
def exchange_vertices(row: Floats, m: int, first: int, end: int, exchanges: Exchanges, space: SpaceArrays) -> None:
    """The exchanges ``first .. end - 1`` of ``basis.Walk`` in a row of ``m`` agents. Cost: ``m`` combinations per entry and exchange."""
    places, weights, steps = exchanges
    for i in range(first, end):
        place = places[i]
        if place > 0 and weights.shape[1] <= 3:
            _exchange_in_place(row, m, place, weights[i], steps[i], space.runs)
            continue
        if place > 0:
            _swap_vertices(row, place, m, space)
        swapped = weights[i].copy()
        swapped[0], swapped[place] = swapped[place], swapped[0]
        for left in range(m - 1, -1, -1):
            one_agent_more(row, left, swapped, steps[i], space)
        if place > 0:
            _swap_vertices(row, place, m, space)


@_contracted
def _exchange_in_place(row: Floats, m: int, place: int, weights: Floats, step: float, runs: Integers) -> None:
    """The exchange of a vertex other than 0, of two or three: each agent that an entry has there takes the choice, one after another.

    An entry reads what has one agent less at the vertex and is not yet done: larger totals come first, and along a run those with
    more agents at the vertex. Where a lane has no agents left, nothing is read that matters.
    """
    other, moved, own = spread(weights[0]), spread(step), spread(weights[place])
    for done in range(1, m + 1):
        if len(weights) == 2:
            for p in range(m, done - 1, -1):
                store(row, p, multiply_add(own, load(row, p), multiply_add(other, load(row, p - 1), moved)))
            continue
        third = spread(weights[3 - place])
        for total in range(m - 1, done - 2, -1):
            start, there = runs[total], runs[total + 1]
            if place == 1:
                for p in range(there + total + 1, there + done - 1, -1):
                    new = multiply_add(other, load(row, p - there + start - 1), multiply_add(own, load(row, p), moved))
                    store(row, p, multiply_add(third, load(row, p - 1), new))
            else:
                for p in range(there, there + total + 2 - done):
                    new = multiply_add(other, load(row, p - there + start), multiply_add(own, load(row, p), moved))
                    store(row, p, multiply_add(third, load(row, p + 1), new))


@_inlined
def _note(x: Any, runner_up: Any, position: int, best: Floats, second: Floats | None, number: Floats | None, this: Any) -> None:
    """Compare four values ``x`` (and those behind them, where there are) with the best of the states at a position."""
    top = load(best, position)
    if second is not None:
        store(second, position, larger(larger(load(second, position), runner_up), smaller(top, x)))
    if number is not None:
        store(number, position, larger(load(number, position), where_larger(x, top, this)))
    store(best, position, larger(top, x))


@_contracted
def _step_across(
    row: Floats, m: int, first: int, chain: Floats, live: Floats, best: Floats, second: Floats | None, number: Floats | None, this: int
) -> None:
    """One agent more at the positions from ``first`` on, ``m`` agents left; the values are compared."""
    a, b, step, none = spread(chain[0]), spread(chain[1]), spread(chain[2]), spread(-np.inf)
    code = spread(float(this))
    for p in range(first, m + 1):
        x = multiply_add(a, load(row, p), multiply_add(b, load(row, p + 1), step))
        store(row, p, x)
        _note(plus(x, load(live, min(m - p, LANES))), none, p, best, second, number, code)


@_contracted
def chain_across(
    row: Floats, m: int, longest: int, chain: Floats, live: Floats, best: Floats, second: Floats | None, number: Floats | None, this: int
) -> None:
    """All rows of a chain where position ``p`` belongs to the same state at every length.

    Four agents per pass: entries pass from one agent to the next in registers, each step a position behind the one before, so
    that a load and a store serve four combinations. ``longest`` is ``m``, or 0 where there is no chain.
    """
    a, b, step = spread(chain[0]), spread(chain[1]), spread(chain[2])
    code, none = spread(float(this)), spread(-np.inf)
    for p in range(m + 1):
        _note(plus(load(row, p), load(live, min(m - p, LANES))), none, p, best, second, number, code)
    done = 0
    while done + 4 <= longest and m - done > 8:
        left = m - done
        # Up to here all four lanes exist after each of the four steps.
        inner = left - 6
        code1, code2, code3, code4 = (
            spread(float(this + done + 1)), spread(float(this + done + 2)), spread(float(this + done + 3)), spread(float(this + done + 4)),
        )
        # x: before the first step, y, z, w: after one, two, three; t1, t2, t3: the largest so far, one, two, three steps after x.
        x0, x1, x2, x = load(row, 0), load(row, 1), load(row, 2), load(row, 3)
        y0 = multiply_add(a, x0, multiply_add(b, x1, step))
        y1 = multiply_add(a, x1, multiply_add(b, x2, step))
        y = multiply_add(a, x2, multiply_add(b, x, step))
        z0 = multiply_add(a, y0, multiply_add(b, y1, step))
        z = multiply_add(a, y1, multiply_add(b, y, step))
        w = multiply_add(a, z0, multiply_add(b, z, step))
        t1, t2, t3 = y, larger(y1, z), larger(larger(y0, z0), w)
        s2, s3 = smaller(y1, z), larger(smaller(y0, z0), smaller(larger(y0, z0), w))
        n1, n2 = code1, larger(code1, where_larger(z, y1, code2))
        n3 = larger(larger(code1, where_larger(z0, y0, code2)), where_larger(w, larger(y0, z0), code3))
        for p in range(inner):
            next_x = load(row, p + 4)
            next_y = multiply_add(a, x, multiply_add(b, next_x, step))
            next_z = multiply_add(a, y, multiply_add(b, next_y, step))
            next_w = multiply_add(a, z, multiply_add(b, next_z, step))
            new = multiply_add(a, w, multiply_add(b, next_w, step))
            store(row, p, new)
            if second is not None:
                s4 = larger(s3, smaller(t3, new))
                s3 = larger(s2, smaller(t2, next_w))
                s2 = smaller(t1, next_z)
            else:
                s4 = none
            if number is not None:
                n4 = larger(n3, where_larger(new, t3, code4))
                n3 = larger(n2, where_larger(next_w, t2, code3))
                n2 = larger(n1, where_larger(next_z, t1, code2))
            else:
                n4 = code4
            _note(larger(t3, new), s4, p, best, second, number, n4)
            t3, t2, t1 = larger(t2, next_w), larger(t1, next_z), next_y
            x, y, z, w = next_x, next_y, next_z, next_w
        for d in range(1, 5):
            _step_across(row, left - d, inner, chain, live, best, second, number, this + done + d)
        done += 4
    while done < longest:
        done += 1
        _step_across(row, m - done, 0, chain, live, best, second, number, this + done)


@_contracted
def _note_whole(
    row: Floats, m: int, top: Any, runner_up: Any, block: Any, position: int, scratch: Floats,
    best: Floats, second: Floats | None, number: Floats | None, this: int,
) -> None:
    """Compare a whole row of ``m`` agents, whose largest entries are ``top``, with the best of the states at one position.

    ``block``: the first position of the block that holds the largest entry; the place in it is looked for only where it matters.
    ``scratch``: three positions.
    """
    place = block
    if number is not None:
        store(scratch, 0, where_larger(top, load(best, position), spread(1.0)))
        store(scratch, 1, block)
        store(scratch, 2, top)
        for lane in range(LANES):
            if scratch[lane] > 0.0:
                p = int(scratch[LANES + lane])
                while p < m - lane and row[LANES * p + lane] != scratch[2 * LANES + lane]:
                    p += 1
                scratch[LANES + lane] = p
        place = load(scratch, 1)
    _note(top, runner_up, position, best, second, number, plus(spread(float(this)), place))


@_contracted
def chain_within(
    row: Floats, m: int, longest: int, chain: Floats, live: Floats, position: int, further: int,
    best: Floats, second: Floats | None, number: Floats | None, this: int,
) -> None:
    """All rows of a chain where all entries belong to one state, and each agent more leads to the state ``further`` on.

    The largest entry is found block by block, so that its place needs no more than one comparison for each block.
    """
    a, b, step, none = spread(chain[0]), spread(chain[1]), spread(chain[2]), spread(-np.inf)
    scratch = np.empty(3 * LANES)
    for done in range(longest + 1):
        left = m - done
        top, runner_up, block = none, none, spread(0.0)
        for first in range(0, left + 1, _BLOCK):
            most, runner_up_here = none, none
            whole = first + _BLOCK <= left - LANES + 2
            for p in range(first, min(first + _BLOCK, left + 1)):
                new = load(row, p)
                if done > 0:
                    new = multiply_add(a, new, multiply_add(b, load(row, p + 1), step))
                    store(row, p, new)
                if not whole:
                    new = plus(new, load(live, min(left - p, LANES)))
                if second is not None:
                    runner_up_here = larger(runner_up_here, smaller(most, new))
                most = larger(most, new)
            if second is not None:
                runner_up = larger(larger(runner_up, runner_up_here), smaller(top, most))
            if number is not None:
                block = larger(block, where_larger(most, top, spread(float(first))))
            top = larger(top, most)
        _note_whole(row, left, top, runner_up, block, position + further * done, scratch, best, second, number, this)
        this += left + 1


@_inlined
def _note_run(
    row: Floats, start: int, length: int, position: int, apart: int, dead: Any,
    best: Floats, second: Floats | None, number: Floats | None, this: int,
) -> None:
    """Comparisons of the entries of a run, whose neighbours belong to states ``apart`` (0 or 1) positions apart.

    ``dead`` is minus infinity in lanes that do not exist, else 0; ``this`` is the number of the first entry.
    """
    none, one, code = spread(-np.inf), spread(1.0), spread(float(this))
    top, runner_up, winner = none, none, code
    for p in range(length):
        x = plus(load(row, start + p), dead)
        if apart == 1:
            _note(x, none, position + p, best, second, number, code)
        else:
            if second is not None:
                runner_up = larger(runner_up, smaller(top, x))
            if number is not None:
                winner = larger(winner, where_larger(x, top, code))
            top = larger(top, x)
        if number is not None:
            code = plus(code, one)
    if apart == 0:
        _note(top, runner_up, position, best, second, number, winner)


@_contracted
def chain_three(
    row: Floats, m: int, longest: int, chain: Floats, live: Floats, position: int, chain_share: int, shares: Integers, apart: int,
    best: Floats, second: Floats | None, number: Floats | None, this: int,
) -> None:
    """All rows of a chain over three vertices at each of which agents may stay.

    ``position`` is that of the agents elsewhere; one agent of the chain adds ``chain_share`` to it, one at vertex ``v`` adds ``shares[v]``.
    Rows are short where there are many choices, so what is done once for a run matters: its state is an addition away.
    """
    a, y, z, step = spread(chain[0]), spread(chain[1]), spread(chain[2]), spread(chain[3])
    none, one = spread(-np.inf), spread(1.0)
    for done in range(longest + 1):
        left = m - done
        here = position + done * chain_share + left * shares[0]
        start = 0
        for total in range(left + 1):
            dead = load(live, min(left - total, LANES))
            if done > 0 and apart == 1:
                code = spread(float(this + start))
                ahead = start + total + 1
                for p in range(total + 1):
                    x = multiply_add(y, load(row, ahead + p + 1), multiply_add(a, load(row, start + p), step))
                    x = multiply_add(z, load(row, ahead + p), x)
                    store(row, start + p, x)
                    _note(plus(x, dead), none, here + p, best, second, number, code)
                    if number is not None:
                        code = plus(code, one)
            else:
                if done > 0:
                    ahead = start + total + 1
                    for p in range(total + 1):
                        x = multiply_add(y, load(row, ahead + p + 1), multiply_add(a, load(row, start + p), step))
                        store(row, start + p, multiply_add(z, load(row, ahead + p), x))
                _note_run(row, start, total + 1, here, apart, dead, best, second, number, this + start)
            here += shares[2] - shares[0]
            start += total + 1
        this += start


@_contracted
def chain_general(
    row: Floats, m: int, longest: int, chain: Floats, live: Floats, counts: Integers, shares: Integers, chain_class: int,
    vertex_class: Integers, padded: int, apart: int, space: SpaceArrays,
    best: Floats, second: Floats | None, number: Floats | None, this: int,
) -> None:
    """All rows of a chain over three or more vertices; ``counts`` agents of each class are elsewhere.

    No agent may stay at the first ``padded`` vertices. Along a run the last two vertices trade agents, so states are ``apart``.
    """
    vertices = len(vertex_class)
    entries, runs, totals, binomials = space.entries, space.runs, space.totals, space.binomials
    for done in range(longest + 1):
        left = m - done
        if done > 0:
            one_agent_more(row, left, chain[:vertices], chain[vertices], space)
        for k in range(len(totals)):
            slack = left - totals[k]
            if slack < 0:
                break
            start = runs[k]
            length = runs[k + 1] - start
            if padded > 0:
                inside = slack < LANES
                for v in range(1, min(padded, vertices - 2)):
                    inside = inside and entries[start, v - 1] == 0
                if not inside:
                    continue
                length = 1 if padded == vertices - 1 else length
            # The class counts of the first entry of the run.
            here = counts.copy()
            here[chain_class] += done
            here[vertex_class[0]] += slack
            for v in range(1, vertices):
                here[vertex_class[v]] += entries[start, v - 1]
            square = here[1] * shares[1] + here[2] * shares[2]
            position = square if vertices == 3 else _graded_rank(here[1:], here[1:].sum(), binomials)
            _note_run(row, start, length, position, apart, load(live, min(slack, LANES)), best, second, number, this + start)
        this += space.sizes[left]
