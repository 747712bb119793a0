"""The compiled sweep over all joint actions of one global state, with the maximisation inside: no table is stored.

A *row* holds, for every way to spread ``m`` agents over the vertices of the simplex (graded order, ``sweeps.py``), the
discounted expectation plus the local rewards when the other ``n - m`` agents make given choices (``basis.py``). Every
entry whose agents stand on choices is a (state, joint action) pair; it is compared with the best of its state, and one
convex combination leads to the row with one agent more on the next choice. Rows are numbered lexicographically by the
counts of the slots, the chain last, so that a number tells the counts.

Rounding. All coefficients are >= 0 and each set sums to one, so an entry is a sum of nonnegative weights times inputs and
steps. A multiply-add may be contracted into one operation, which only drops a rounding; nothing else is reassociated, and
the bound of ``lumped.py`` holds for any order of summation. Not-a-number is excluded (finite inputs, ``model.py``), which
lets the comparisons use vector instructions. Results do not depend on the number of threads: every entry is computed by
the same operations, and maxima are taken of the same set.
"""

from __future__ import annotations

from functools import cached_property
from math import comb
from typing import TYPE_CHECKING, Final

import numba
import numpy as np

from mfverify.bellman.basis import PADDING, Walk, plan_walk
from mfverify.bellman.choices import Choices, JointMaximum, Wanted
from mfverify.bellman.sweeps import PARALLEL_FROM, CountSpace, rank_of_counts

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers

ACROSS: Final = 0
"""Two local states, the two vertices belong to choices of different ones: an entry's place tells its state."""
WITHIN: Final = 1
"""Two local states, both vertices belong to the same one: a whole row has one state."""
GENERAL: Final = 2
"""Any number of local states: the state of every entry is looked up."""

_contracted = numba.njit(cache=True, fastmath={"contract", "nnan", "nsz"})


@_contracted
def _one_agent_more(row: Floats, up: Integers, runs: Integers, size: int, weights: Floats, step: float) -> None:
    """One agent moves from the vertices to a choice: ``size`` entries of ``row`` in place.

    Within a run (``sweeps.run_starts``) the entries read are consecutive too; the last run of a level ends with it.
    """
    vertices = len(weights)
    if vertices == 2:
        for i in range(size):
            row[i] = weights[0] * row[i] + (weights[1] * row[i + 1] + step)
        return
    for k in range(len(runs) - 1):
        start = runs[k]
        if start >= size:
            return
        here = row[start : runs[k + 1]]
        length = len(here)
        # The last two vertices trade agents along a run: their sources lie side by side.
        second_last = row[up[start, vertices - 3] :][:length]
        last = row[up[start, vertices - 2] :][:length]
        for i in range(length):
            here[i] = (weights[0] * here[i] + step) + (weights[vertices - 2] * second_last[i] + weights[vertices - 1] * last[i])
        for v in range(1, vertices - 2):
            source = row[up[start, v - 1] :][:length]
            for i in range(length):
                here[i] += weights[v] * source[i]


@_contracted
def _swap_vertices(row: Floats, v: int, m: int, entries: Integers, size: int, binomials: Integers) -> None:
    """Exchange the names of the vertices 0 and ``v`` in a row of ``m`` agents."""
    before = row[:size].copy()
    vertices = entries.shape[1] + 1
    if vertices == 2:
        row[:size] = before[::-1]
    elif vertices == 3:
        i = 0
        for total in range(m + 1):
            for at_one in range(total + 1):
                # (m - total, at_one, total - at_one): the new total is m less what comes to the front.
                front = at_one if v == 1 else total - at_one
                row[(m - front) * (m - front + 1) // 2 + (m - total if v == 1 else at_one)] = before[i]
                i += 1
    else:
        other = np.empty(vertices - 1, dtype=np.int64)
        for i in range(size):
            total = 0
            for u in range(vertices - 1):
                other[u] = entries[i, u]
                total += entries[i, u]
            other[v - 1] = m - total
            total = m - entries[i, v - 1]
            position = rank_of_counts(other, total, binomials)
            if total > 0:
                position += binomials[total + vertices - 2, vertices - 1]
            row[position] = before[i]


@_contracted
def exchange_vertices(
    row: Floats, m: int, places: Integers, weights: Floats, steps: Floats, front: int, entries: Integers, up: Integers, runs: Integers,
    sizes: Integers, binomials: Integers,
) -> None:
    """Put choices in the place of vertices (``basis.Walk``), in a row of ``m`` agents. Cost: ``m`` combinations per entry and exchange."""
    for i in range(len(places)):
        if places[i] > 0:
            _swap_vertices(row, places[i], m, entries, sizes[m], binomials)
        for r in range(1, m + 1):
            _one_agent_more(row, up, runs, sizes[m - r], weights[i], steps[i])
    if front > 0:
        _swap_vertices(row, front, m, entries, sizes[m], binomials)


@_contracted
def _note(x: float, c: int, best: Floats, second: Floats | None, number: Integers | None, this: int) -> None:
    """Compare one entry with the best of state ``c``."""
    if second is not None:
        second[c] = max(second[c], min(best[c], x))
    if number is not None:
        number[c] = this if x > best[c] else number[c]
    best[c] = max(best[c], x)


@_contracted
def _chain_across(
    row: Floats, m: int, longest: int, chain: Floats, pair: Floats, best: Floats, second: Floats | None, number: Integers | None, this: int
) -> None:
    """All rows of a chain where entry ``j`` belongs to state ``j`` at every length: two agents per pass over the row.

    ``longest`` is ``m``, or 0 where there is no chain.
    """
    a, b, step = chain[0], chain[1], chain[2]
    aa, ab, bb, steps = pair[0], pair[1], pair[2], pair[3]
    for j in range(m + 1):
        _note(row[j], j, best, second, number, this)
    for done in range(2, longest + 1, 2):
        for j in range(m - done + 1):
            x, y, z = row[j], row[j + 1], row[j + 2]
            one_more = a * x + (b * y + step)
            two_more = aa * x + (ab * y + (bb * z + steps))
            row[j] = two_more
            top = best[j]
            if second is not None:
                second[j] = max(second[j], min(top, one_more), min(max(top, one_more), two_more))
            if number is not None:
                winner = number[j]
                winner = this + done - 1 if one_more > top else winner
                winner = this + done if two_more > max(top, one_more) else winner
                number[j] = winner
            best[j] = max(top, one_more, two_more)
        # The row of the odd length has one entry more.
        j = m - done + 1
        _note(a * row[j] + (b * row[j + 1] + step), j, best, second, number, this + done - 1)
    if longest % 2 == 1:
        _note(a * row[0] + (b * row[1] + step), 0, best, second, number, this + m)


@_contracted
def _note_row(
    row: Floats, size: int, top: float, c: int, best: Floats, second: Floats | None, number: Integers | None, place: Integers | None, this: int
) -> None:
    """Compare a whole row, whose largest entry is ``top``, with the best of one state."""
    if second is not None:
        # Only a row that comes near the best can change the runner-up.
        near = top >= second[c]
        if near:
            runner_up = -np.inf
            held = 0
            for j in range(size):
                runner_up = max(runner_up, row[j] if row[j] < top else -np.inf)
                held += row[j] == top
            if held > 1:
                runner_up = top
            second[c] = max(second[c], runner_up, min(best[c], top))
    if top > best[c]:
        best[c] = top
        if number is not None and place is not None:
            number[c] = this
            for j in range(size):
                if row[j] == top:
                    place[c] = j
                    break


@_contracted
def _chain_within(
    row: Floats, m: int, longest: int, chain: Floats, c: int, further: int,
    best: Floats, second: Floats | None, number: Integers | None, place: Integers | None, this: int,
) -> None:
    """All rows of a chain where all entries belong to one state, and each agent more leads to the state ``further`` on."""
    a, b, step = chain[0], chain[1], chain[2]
    top = -np.inf
    for j in range(m + 1):
        top = max(top, row[j])
    _note_row(row, m + 1, top, c, best, second, number, place, this)
    for done in range(1, longest + 1):
        top = -np.inf
        for j in range(m - done + 1):
            x = a * row[j] + (b * row[j + 1] + step)
            row[j] = x
            top = max(top, x)
        _note_row(row, m - done + 1, top, c + further * done, best, second, number, place, this + done)


@_contracted
def _locate(
    where: Integers, m: int, size: int, counts: Integers, vertex_state: Integers, entries: Integers, binomials: Integers
) -> None:
    """The state of every entry of a row: agents at the vertices added to ``counts`` of local states; -1 on padding."""
    vertices = len(vertex_state)
    here = np.empty_like(counts)
    n = m
    for s in range(len(counts)):
        n += counts[s]
    for i in range(size):
        here[:] = counts
        rest = m
        padded = False
        for v in range(vertices - 1, -1, -1):
            x = rest
            if v > 0:
                x = entries[i, v - 1]
                rest -= x
            if vertex_state[v] >= 0:
                here[vertex_state[v]] += x
            elif x > 0:
                padded = True
        where[i] = -1 if padded else rank_of_counts(here, n, binomials)


@_contracted
def _note_entries(
    row: Floats, where: Integers, best: Floats, second: Floats | None, number: Integers | None, place: Integers | None, this: int
) -> None:
    """Compare every entry with the best of its state ``where[i]``; it is -1 where no state belongs to it."""
    for i in range(len(where)):
        c = where[i]
        if c >= 0:
            x = row[i]
            if second is not None:
                second[c] = max(second[c], min(best[c], x))
            if x > best[c]:
                best[c] = x
                if number is not None and place is not None:
                    number[c] = this
                    place[c] = i


@_contracted
def _note_chain(
    row: Floats, m: int, kind: int, counts: Integers, chain_state: int, chain: Floats, pair: Floats, vertex_state: Integers, entries: Integers,
    up: Integers, runs: Integers, sizes: Integers, binomials: Integers, where: Integers,
    best: Floats, second: Floats | None, number: Integers | None, place: Integers | None, this: int,
) -> None:
    """All rows of the chain that begins with ``row`` of ``m`` agents; ``counts`` agents of each local state are elsewhere.

    States are named by their lexicographic rank; in ``ACROSS`` by the agents in the local state of vertex 1, in ``WITHIN``
    by those in the other one.
    """
    longest = m if chain_state >= 0 else 0
    if kind == ACROSS:
        here = counts[vertex_state[1]]
        if second is not None and number is not None:
            _chain_across(row, m, longest, chain, pair, best[here:], second[here:], number[here:], this)
        elif number is not None:
            _chain_across(row, m, longest, chain, pair, best[here:], None, number[here:], this)
        else:
            _chain_across(row, m, longest, chain, pair, best[here:], None, None, this)
    elif kind == WITHIN:
        further = 0 if chain_state == vertex_state[1] else 1
        _chain_within(row, m, longest, chain, counts[1 - vertex_state[1]], further, best, second, number, place, this)
    else:
        vertices = len(vertex_state)
        _locate(where, m, sizes[m], counts, vertex_state, entries, binomials)
        _note_entries(row, where[: sizes[m]], best, second, number, place, this)
        for done in range(1, longest + 1):
            size = sizes[m - done]
            if chain_state != vertex_state[0]:
                counts[chain_state] += done
                _locate(where, m - done, size, counts, vertex_state, entries, binomials)
                counts[chain_state] -= done
            _one_agent_more(row, up, runs, size, chain[:vertices], chain[vertices])
            _note_entries(row, where[:size], best, second, number, place, this + done)


@_contracted
def _walk(
    base: Floats, n: int, kind: int, local_states: int, outer: int, slot_weights: Floats, slot_steps: Floats, slot_state: Integers,
    places: Integers, exchange_weights: Floats, exchange_steps: Floats, front: int, chain_state: int, chain: Floats, pair: Floats,
    vertex_state: Integers, entries: Integers, up: Integers, runs: Integers, sizes: Integers, binomials: Integers,
    tasks: Integers, first_numbers: Integers, best: Floats, second: Floats | None, number: Integers | None, place: Integers | None,
) -> None:
    """Walk the counts of the slots as a tree, those of the first slot being ``tasks`` (ascending; a -1 ends them).

    Found: ``best`` (largest value per state), ``second`` (second largest), ``number`` and ``place`` (which row, which
    entry); the last three may be None. Cost: one comparison and at most one combination per (state, joint action) pair;
    memory: two arrays over the states and one more per slot.
    """
    slots = len(slot_weights)
    partial = np.empty((slots + 1, len(base)))
    left = np.full(slots + 1, n)
    used = np.zeros(slots + 1, dtype=np.int64)
    counts = np.zeros(local_states, dtype=np.int64)
    where = np.empty(len(base) if kind == GENERAL else 0, dtype=np.int64)
    partial[0] = base
    for first in tasks:
        if first < 0:
            break
        this = first_numbers[first]
        if slots > 0:
            for _ in range(used[0], first):
                left[0] -= 1
                used[0] += 1
                counts[slot_state[0]] += 1
                _one_agent_more(partial[0], up, runs, sizes[left[0]], slot_weights[0], slot_steps[0])
        depth = 0
        while depth >= 0:
            # Down to the chain: copies, and the exchange of vertices once all outer choices are made.
            while depth < slots:
                m = left[depth]
                partial[depth + 1, : sizes[m]] = partial[depth, : sizes[m]]
                depth += 1
                left[depth] = m
                used[depth] = 0
                if depth == outer:
                    exchange_vertices(
                        partial[depth], m, places, exchange_weights, exchange_steps, front, entries, up, runs, sizes, binomials
                    )
            m = left[slots]
            _note_chain(
                partial[slots], m, kind, counts, chain_state, chain, pair, vertex_state, entries, up, runs, sizes, binomials, where,
                best, second, number, place, this,
            )
            this += m + 1 if chain_state >= 0 else 1
            # Up to the deepest slot that can take one agent more.
            depth -= 1
            while depth >= 1 and left[depth] == 0:
                counts[slot_state[depth]] -= used[depth]
                depth -= 1
            if depth <= 0:
                break
            left[depth] -= 1
            used[depth] += 1
            counts[slot_state[depth]] += 1
            _one_agent_more(partial[depth], up, runs, sizes[left[depth]], slot_weights[depth], slot_steps[depth])


@numba.njit(cache=True, parallel=True)
def _walk_in_threads(
    base: Floats, n: int, kind: int, local_states: int, outer: int, slot_weights: Floats, slot_steps: Floats, slot_state: Integers,
    places: Integers, exchange_weights: Floats, exchange_steps: Floats, front: int, chain_state: int, chain: Floats, pair: Floats,
    vertex_state: Integers, entries: Integers, up: Integers, runs: Integers, sizes: Integers, binomials: Integers,
    tasks: Integers, first_numbers: Integers, best: Floats, second: Floats | None, number: Integers | None, place: Integers | None,
) -> None:
    """:func:`_walk` with one row of ``tasks``, ``best``, ``second``, ``number`` and ``place`` per thread."""
    for t in numba.prange(len(tasks)):
        if second is not None and number is not None and place is not None:
            _walk(
                base, n, kind, local_states, outer, slot_weights, slot_steps, slot_state, places, exchange_weights, exchange_steps, front,
                chain_state, chain, pair, vertex_state, entries, up, runs, sizes, binomials, tasks[t], first_numbers,
                best[t], second[t], number[t], place[t],
            )
        elif number is not None and place is not None:
            _walk(
                base, n, kind, local_states, outer, slot_weights, slot_steps, slot_state, places, exchange_weights, exchange_steps, front,
                chain_state, chain, pair, vertex_state, entries, up, runs, sizes, binomials, tasks[t], first_numbers,
                best[t], None, number[t], place[t],
            )
        else:
            _walk(
                base, n, kind, local_states, outer, slot_weights, slot_steps, slot_state, places, exchange_weights, exchange_steps, front,
                chain_state, chain, pair, vertex_state, entries, up, runs, sizes, binomials, tasks[t], first_numbers,
                best[t], None, None, None,
            )



class FusedSweep:
    """The joint maximum over the choices of one global state, every choice taken as a kernel of its own.

    Cost of :meth:`maximum`: ``pairs`` convex combinations and comparisons. Memory: the arrays of ``CountSpace`` and, per
    thread, one array over the states for each choice beyond the vertices and two more.
    """

    def __init__(self, space: CountSpace, choices: Choices) -> None:
        self.space, self.choices = space, choices
        self.pairs = self.work = comb(space.n + len(choices.kernel) - 1, len(choices.kernel) - 1)
        self.state = np.repeat(np.arange(space.size), np.diff(choices.starts))

    @cached_property
    def plan(self) -> Walk:
        """The order of the walk; exact, and only made when the sweep runs."""
        choices = self.choices
        rows = [choices.kernels[u] for u in choices.kernel]
        return plan_walk(rows, [r / self.space.n for r in choices.reward], [int(s) for s in self.state])

    @property
    def _kind(self) -> int:
        vertices = self.plan.vertices
        if self.space.size != 2 or PADDING in vertices:
            return GENERAL
        return WITHIN if self.state[vertices[0]] == self.state[vertices[1]] else ACROSS

    def maximum(self, expected: Floats, wanted: Wanted) -> JointMaximum:
        """``max_d E[f(next counts) | d] + (1/n) sum r_l`` for every count vector, ``expected[c] = f(c)`` lexicographic."""
        space, plan = self.space, self.plan
        n, kind = space.n, self._kind
        vertex_state = np.array([PADDING if j == PADDING else self.state[j] for j in plan.vertices], dtype=np.int64)
        chained = plan.chain != PADDING
        base = expected[space.order]
        shared = {"entries": space.entries, "up": space.up, "runs": space.runs, "sizes": space.level_sizes, "binomials": space.binomials}
        exchanges = {"places": plan.places, "exchange_weights": plan.exchange_weights, "exchange_steps": plan.exchange_steps, "front": plan.front}
        if plan.outer == 0:
            exchange_vertices(base, n, *exchanges.values(), *shared.values())
        tasks = self._tasks
        workers, states = len(tasks), len(expected)
        best = np.full((workers, states), -np.inf)
        second = np.full((workers, states), -np.inf) if wanted is Wanted.LEAD else None
        number = None if wanted is Wanted.VALUES else np.zeros((workers, states), dtype=np.int64)
        place = None if wanted is Wanted.VALUES else np.zeros((workers, states), dtype=np.int64)
        given = (
            base, n, kind, space.size, plan.outer, plan.slot_weights, plan.slot_steps, self.state[plan.slots],
            *exchanges.values(), int(self.state[plan.chain]) if chained else PADDING, plan.chain_weights, plan.chain_pair,
            vertex_state, *shared.values(),
        )
        found = (best, second, number, place)
        if workers > 1:
            _walk_in_threads(*given, tasks, self._first_numbers, *found)
        else:
            _walk(*given, tasks[0], self._first_numbers, *(None if x is None else x[0] for x in found))
        # The two-state forms name states by the agents in one local state.
        named = {ACROSS: vertex_state[1], WITHIN: 1 - vertex_state[1]}
        state = np.arange(states) if kind == GENERAL else space.vectors[:, named[kind]]
        winner = best.argmax(axis=0)[state]
        values = best[winner, state]
        runners_up = None
        if second is not None:
            losers = best[:, state]
            losers[winner, np.arange(states)] = -np.inf
            runners_up = np.maximum(second[:, state].max(axis=0), losers.max(axis=0))
        action_counts = None
        if number is not None and place is not None:
            action_counts = self._action_counts(number[winner, state], None if kind == ACROSS else place[winner, state])
        return JointMaximum(values, runners_up, action_counts)

    @cached_property
    def _tasks(self) -> Integers:
        """For every worker the counts of the first slot that it walks, ascending; -1 fills up."""
        n = self.space.n
        workers = min(numba.get_num_threads(), n + 1) if self.pairs >= PARALLEL_FROM and len(self.plan.slots) else 1
        every = [0] if not len(self.plan.slots) else range(n + 1)
        # Work falls with the count: dealt back and forth, so that no worker is always first.
        hands: list[list[int]] = [[] for _ in range(workers)]
        for i, first in enumerate(every):
            turn, position = divmod(i, workers)
            hands[position if turn % 2 == 0 else workers - 1 - position].append(first)
        longest = max(map(len, hands))
        return np.array([hand + [-1] * (longest - len(hand)) for hand in hands], dtype=np.int64)

    @cached_property
    def _first_numbers(self) -> Integers:
        """The number of the first row for every count of the first slot."""
        rows = self._rows_below[0] if self._rows_below else np.ones(self.space.n + 1, dtype=np.int64)
        first: Integers = rows[-1] - rows[::-1]
        return first

    @cached_property
    def _rows_below(self) -> list[Integers]:
        """For each walked choice: the rows that agree before it when at most ``x`` agents are left there, ``C(x + d, d)``."""
        walked = len(self.plan.slots) + (self.plan.chain != PADDING)
        every = range(self.space.n + 1)
        return [np.array([comb(x + d, d) for x in every], dtype=np.int64) for d in range(walked, 0, -1)]

    def _action_counts(self, number: Integers, place: Integers | None) -> Integers:
        """Action counts ``[c, choice]`` from row numbers and places in the row (None: the place follows from the state)."""
        space, plan = self.space, self.plan
        walked = [*plan.slots, *([plan.chain] if plan.chain != PADDING else [])]
        out = np.zeros((len(number), len(self.choices.kernel)), dtype=np.int64)
        left = np.full(len(number), space.n, dtype=np.int64)
        rest = number.copy()
        for i, j in enumerate(walked):
            rows = self._rows_below[i]
            after = np.searchsorted(rows, rows[left] - rest)
            rest -= rows[left] - rows[after]
            out[:, j] = left - after
            left = after.astype(np.int64)
        if place is None:
            state = int(self.state[plan.vertices[1]])
            at_one = space.vectors[:, state] - out[:, self.state == state].sum(axis=1)
            others = at_one[:, None]
        else:
            others = space.entries[place]
        for v in range(1, space.size):
            if plan.vertices[v] != PADDING:
                out[:, plan.vertices[v]] = others[:, v - 1]
        if plan.vertices[0] != PADDING:
            out[:, plan.vertices[0]] = left - others.sum(axis=1)
        return out
