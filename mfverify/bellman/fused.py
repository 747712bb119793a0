"""The compiled sweep over all joint actions of one global state, with the maximisation inside: no table is stored.

A *row* holds, for every way to spread ``m`` agents over the vertices of the simplex (graded order, ``sweeps.py``), the
discounted expectation plus the local rewards when the other ``n - m`` agents make given choices (``basis.py``). Every
entry whose agents stand on choices is a (state, joint action) pair; it is compared with the best of its state, and one
convex combination leads to the row with one agent more on the next choice. Four rows are walked at once, those in which
0, 1, 2 and 3 agents more make the first choice (``rows.py``). Rows are numbered lexicographically by the counts of the
slots, the chain last, so that a number tells the counts.

Rounding. All coefficients are >= 0 and each set sums to one, so an entry is a sum of nonnegative weights times inputs and
steps. A multiply-add may be contracted into one operation, which only drops a rounding; nothing else is reassociated, and
the bound of ``lumped.py`` holds for any order of summation. Not-a-number is excluded (finite inputs, ``model.py``), which
lets the comparisons use vector instructions. Results do not depend on the number of threads: every entry is computed by
the same operations, and maxima are taken of the same set.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numba
import numpy as np

from mfverify.bellman.basis import PADDING, Walk, plan_walk
from mfverify.bellman.choices import Choices, JointMaximum, Wanted
from mfverify.bellman.lanes import LANES
from mfverify.bellman.rows import Exchanges, chain_across, chain_general, chain_three, chain_within, exchange_vertices, one_agent_more
from mfverify.bellman.sweeps import PARALLEL_FROM, CountSpace
from mfverify.bellman.work import walk_steps
from mfverify.compiled import njit
from mfverify.counts import rank
from mfverify.enclosure import UNDERFLOW, rounding_error
from mfverify.parallel import in_threads, thread_count

if TYPE_CHECKING:
    from mfverify.bellman.sweeps import SpaceArrays
    from mfverify.notation import Floats, Integers

ACROSS: Final = 0
"""Two local states, the two vertices belong to choices of different ones: an entry's place tells its state."""
WITHIN: Final = 1
"""Two local states, both vertices belong to the same one: a whole row has one state."""
GENERAL: Final = 2
"""More local states: the state is looked up for every run."""

_contracted = njit(fastmath={"contract", "nnan", "nsz"})
_inlined = njit(fastmath={"contract", "nnan", "nsz"}, forceinline=True)


class Layout(NamedTuple):
    """What a walk is told of its plan (``basis.Walk``), for compiled loops.

    ``kind``: ``ACROSS``, ``WITHIN`` or ``GENERAL``. ``exchanged``, ``slot_weights``, ``slot_steps``, ``chain``: as in the plan.
    ``slot_class``, ``chain_class``, ``vertex_class``: classes of local states; ``padded``: how many vertices are padding. ``live``: which lanes
    exist. ``shares``, ``vertex_shares``: what an agent adds to a position. ``leaf_numbers``: numbers of a chain, by agents left.
    """

    kind: int
    exchanged: Integers
    slot_weights: Floats
    slot_steps: Floats
    slot_class: Integers
    chain_class: int
    chain: Floats
    live: Floats
    vertex_class: Integers
    padded: int
    shares: Integers
    vertex_shares: Integers
    leaf_numbers: Integers


@_inlined
def _chain(
    row: Floats, m: int, counts: Integers, layout: Layout, space: SpaceArrays, best: Floats, second: Floats | None, number: Floats | None, this: int
) -> None:
    """All rows of the chain that begins with ``row`` of ``m`` agents; ``counts`` agents of each class are elsewhere."""
    chain_class, chain, live, vertex_class, shares = layout.chain_class, layout.chain, layout.live, layout.vertex_class, layout.shares
    longest = m if chain_class >= 0 else 0
    vertices = len(vertex_class)
    if layout.kind == ACROSS:
        here = LANES * counts[1]
        if second is not None and number is not None:
            chain_across(row, m, longest, chain, live, best[here:], second[here:], number[here:], this)
        elif number is not None:
            chain_across(row, m, longest, chain, live, best[here:], None, number[here:], this)
        else:
            chain_across(row, m, longest, chain, live, best[here:], None, None, this)
    elif layout.kind == WITHIN:
        chain_within(row, m, longest, chain, live, counts[1], chain_class, best, second, number, this)
    else:
        apart = 1 if vertex_class[vertices - 2] != vertex_class[vertices - 1] else 0
        if vertices == 3 and layout.padded == 0:
            position = counts[1] * shares[1] + counts[2] * shares[2]
            chain_share = shares[chain_class]
            chain_three(
                row, m, longest, chain, live, position, chain_share, layout.vertex_shares, apart, best, second, number, this
            )
        else:
            chain_general(
                row, m, longest, chain, live, counts, shares, chain_class, vertex_class, layout.padded, apart, space, best, second, number, this
            )


@_contracted
def _walk(
    base: Floats, n: int, layout: Layout, exchanges: Exchanges, space: SpaceArrays, tasks: Integers, first_numbers: Integers,
    best: Floats, second: Floats | None, number: Floats | None,
) -> None:
    """Walk the counts of the slots as a tree, those of the first two slots being ``tasks`` (ascending; a -1 ends them).

    Found: ``best`` (largest value per state), ``second`` (second largest), ``number`` (which entry); the last two may be None. Cost:
    one comparison and at most one combination per (state, joint action) pair; memory: lanes over the states, one array for each
    slot and two more.
    """
    slot_weights, slot_steps, slot_class, exchanged, sizes = (
        layout.slot_weights, layout.slot_steps, layout.slot_class, layout.exchanged, space.sizes,
    )
    slots = len(slot_weights)
    partial = np.empty((slots + 1, len(base)))
    left = np.full(slots + 1, n)
    used = np.zeros(slots + 1, dtype=np.int64)
    counts = np.zeros(len(layout.vertex_class), dtype=np.int64)
    partial[0] = base
    on_first = 0
    first = -1
    for task in range(len(tasks)):
        if tasks[task, 0] < 0:
            break
        this = first_numbers[task]
        if slots > 0 and tasks[task, 0] != first:
            # Lane 0 of partial[0] walks through the counts of the first slot, and each time the next three of them make the lanes.
            first = tasks[task, 0]
            while on_first < first:
                on_first += 1
                one_agent_more(partial[0], n - on_first, slot_weights[0], slot_steps[0], space)
            partial[1, : LANES * sizes[n - first]] = partial[0, : LANES * sizes[n - first]]
            for lane in range(1, min(LANES, n - first + 1)):
                on_first = first + lane
                one_agent_more(partial[0], n - on_first, slot_weights[0], slot_steps[0], space)
                end = LANES * sizes[n - on_first]
                partial[1, lane:end:LANES] = partial[0, :end:LANES]
            exchange_vertices(partial[1], n - first, exchanged[0], exchanged[1], exchanges, space)
            counts[:] = 0
            counts[slot_class[0]] = first
            left[1] = n - first
            used[1] = 0
        if slots > 1:
            for _ in range(used[1], tasks[task, 1]):
                left[1] -= 1
                used[1] += 1
                counts[slot_class[1]] += 1
                one_agent_more(partial[1], left[1], slot_weights[1], slot_steps[1], space)
        depth = min(slots, 1)
        while True:
            # Down to the chain: copies, and the exchanges for which all choices outside are made.
            while depth < slots:
                m = left[depth]
                for p in range(LANES * sizes[m]):
                    partial[depth + 1, p] = partial[depth, p]
                depth += 1
                left[depth] = m
                used[depth] = 0
                if exchanged[depth - 1] < exchanged[depth]:
                    exchange_vertices(partial[depth], m, exchanged[depth - 1], exchanged[depth], exchanges, space)
            m = left[slots]
            _chain(partial[slots], m, counts, layout, space, best, second, number, this)
            this += layout.leaf_numbers[m]
            # Up to the deepest slot that can take one agent more.
            depth -= 1
            while depth > 1 and left[depth] == 0:
                counts[slot_class[depth]] -= used[depth]
                depth -= 1
            if depth <= 1:
                break
            left[depth] -= 1
            used[depth] += 1
            counts[slot_class[depth]] += 1
            one_agent_more(partial[depth], left[depth], slot_weights[depth], slot_steps[depth], space)


@in_threads
def _walk_in_threads(
    base: Floats, n: int, layout: Layout, exchanges: Exchanges, space: SpaceArrays, tasks: Integers, first_numbers: Integers,
    best: Floats, second: Floats | None, number: Floats | None,
) -> None:
    """:func:`_walk` with one row of ``tasks``, ``first_numbers``, ``best``, ``second`` and ``number`` per thread."""
    for t in numba.prange(len(tasks)):
        if second is not None and number is not None:
            _walk(base, n, layout, exchanges, space, tasks[t], first_numbers[t], best[t], second[t], number[t])
        elif number is not None:
            _walk(base, n, layout, exchanges, space, tasks[t], first_numbers[t], best[t], None, number[t])
        else:
            _walk(base, n, layout, exchanges, space, tasks[t], first_numbers[t], best[t], None, None)


class FusedSweep:
    """The joint maximum over the choices of one global state, every choice taken as a kernel of its own.

    For two or more distinct kernels. Cost of :meth:`maximum`: ``pairs`` convex combinations and comparisons, a few more
    where four rows do not end at the same place. Memory: the arrays of ``CountSpace`` and, per thread, four numbers per
    state for each choice beyond the vertices and for what is found.
    """

    def __init__(self, space: CountSpace, choices: Choices) -> None:
        self.space, self.choices = space, choices
        self.pairs = self.work = walk_steps(space.n, len(choices.kernel))
        self.state = np.repeat(np.arange(space.size), np.diff(choices.starts))

    @cached_property
    def plan(self) -> Walk:
        """The order of the walk; exact, and only made when the sweep runs."""
        choices = self.choices
        rows = [choices.kernels[u] for u in choices.kernel]
        return plan_walk(rows, [r / self.space.n for r in choices.reward], [int(s) for s in self.state])

    @property
    def roundings(self) -> int:
        """Roundings on the longest path from an expected value, or a reward, to a maximum or runner-up.

        A value meets at most one combination per agent for each exchange of a vertex, and one more per agent for the choice. Each: the
        weight, the product, as many additions as vertices (one of them that of the step, which is rounded once itself).
        """
        combinations: int = (len(self.plan.places) + 1) * self.space.n
        return combinations * (self.space.size + 2)

    @property
    def error(self) -> tuple[Fraction, Fraction]:
        """Bound the error of :meth:`maximum`: the first number times the largest absolute value of ``expected``, plus the second.

        Every step is a convex combination plus the step of a reward, which does not enlarge errors made before it, so they add up. A step
        with ``r`` roundings adds at most ``r u / (1 - r u)`` times the largest row entry and reward step (Higham, Lemma 3.1, any order of
        summation): an entry stands for agents whose rewards are in it, and the reward step of one agent is at most ``2 rt_l / n``.
        """
        relative = rounding_error(self.roundings, Fraction(1))
        rewards = max(map(abs, self.choices.reward)) * (1 + Fraction(2, self.space.n))
        return relative, relative * rewards + self.roundings * len(self.choices.kernel) * UNDERFLOW

    @cached_property
    def _kind(self) -> int:
        if self.space.size != 2:
            return GENERAL
        first, last = self.state[self.plan.vertices]
        return WITHIN if first == last else ACROSS

    @cached_property
    def _vertex_class(self) -> Integers:
        """The class of the choice at each vertex; padding counts as class 0, which positions do not depend on."""
        vertices = self.plan.vertices
        return np.where(vertices == PADDING, 0, self.plan.class_of[self.state[vertices]])

    @cached_property
    def _layout(self) -> Layout:
        """What the walk is told of its plan."""
        plan = self.plan
        padded = int((plan.vertices == PADDING).sum())
        chain_class = int(plan.class_of[self.state[plan.chain]]) if plan.chain != PADDING else PADDING
        # Which lanes exist where lane 0 has 0, 1, 2, 3, more agents at vertex 0; at padding no agent may stay.
        lane, slack = np.arange(LANES), np.arange(LANES + 1)[:, None]
        live = np.where(lane == slack if padded else lane <= slack, 0.0, -np.inf).ravel()
        return Layout(
            self._kind, plan.exchanged, plan.slot_weights, plan.slot_steps, plan.class_of[self.state[plan.slots]],
            chain_class, plan.chain_weights, live, self._vertex_class, padded, self._shares,
            self._shares[np.minimum(self._vertex_class, 2)], self._numbers_below[len(plan.slots)],
        )

    @cached_property
    def _exchanges(self) -> Exchanges:
        return Exchanges(self.plan.places, self.plan.exchange_weights, self.plan.exchange_steps)

    @cached_property
    def _base(self) -> Integers:
        """Lexicographic ranks of the states in the order of a row over "surely in local state ``states[v]``"."""
        entries = self.space.entries
        counted = np.column_stack([self.space.n - entries.sum(axis=1), entries])
        return rank(counted[:, np.argsort(self.plan.states)])

    def maximum(self, expected: Floats, wanted: Wanted) -> JointMaximum:
        """``max_d E[f(next counts) | d] + (1/n) sum r_l`` for every count vector, ``expected[c] = f(c)`` lexicographic."""
        base = np.repeat(expected[self._base], LANES)
        exchange_vertices(base, self.space.n, 0, int(self.plan.exchanged[0]), self._exchanges, self.space.arrays)
        tasks, first_numbers = self._tasks
        shape = (len(tasks), LANES * self._positions)
        best = _filled(shape, -np.inf)
        second = _filled(shape, -np.inf) if wanted is Wanted.LEAD else None
        number = _filled(shape, 0.0) if wanted is not Wanted.VALUES else None
        if len(tasks) > 1:
            _walk_in_threads(base, self.space.n, self._layout, self._exchanges, self.space.arrays, tasks, first_numbers, best, second, number)
        else:
            alone = (None if x is None else x[0] for x in (best, second, number))
            _walk(base, self.space.n, self._layout, self._exchanges, self.space.arrays, tasks[0], first_numbers[0], *alone)
        found = self._of_states(best, -np.inf)
        winner, columns = found.argmax(axis=0), np.arange(len(expected))
        values = found[winner, columns]
        runners_up = None
        if second is not None:
            found[winner, columns] = -np.inf
            runners_up = np.maximum(self._of_states(second, -np.inf).max(axis=0), found.max(axis=0))
        action_counts = None
        if number is not None:
            action_counts = self._action_counts(self._of_states(number, 0.0)[winner, columns].astype(np.int64), winner % len(self._places))
        return JointMaximum(values, runners_up, action_counts)

    @cached_property
    def _places(self) -> Integers:
        """Where each lane holds the states: ``[lane, c]``, or -1 where no joint action of the lane belongs to the state.

        What lane ``l`` finds stands where lane 0 finds the state in which ``l`` agents are not on the first slot but at vertex 0.
        """
        space, plan = self.space, self.plan
        by_class = space.vectors[:, np.argsort(plan.class_of)]
        graded = np.argsort(space.order)

        def position(counted: Integers) -> Integers:
            return counted @ self._shares if space.size == 3 else graded[rank(counted)]

        if not len(plan.slots):
            return position(by_class)[None, :]
        places = np.empty((LANES, len(by_class)), dtype=np.int64)
        for lane in range(LANES):
            moved = by_class.copy()
            moved[:, plan.class_of[self.state[plan.slots[0]]]] -= lane
            there = moved.min(axis=1) >= 0
            moved[:, self._vertex_class[0]] += lane
            places[lane] = np.where(there, position(np.where(there[:, None], moved, by_class)), -1)
        return places

    @cached_property
    def _shares(self) -> Integers:
        """With three local states: what an agent of each class adds to the position of a state. Linear, so rows of a chain need no ranks."""
        return np.array([0, self.space.n + 2, self.space.n + 1])

    @property
    def _positions(self) -> int:
        """Positions of states; with three local states those of a square, half of which are used."""
        return (self.space.n + 1) ** 2 if self.space.size == 3 else len(self.space.vectors)

    def _of_states(self, lanes: Floats, missing: float) -> Floats:
        """What was found in lanes, ``[worker and lane, c]``."""
        found = lanes.reshape(len(lanes), -1, LANES)
        each = np.arange(len(self._places))[:, None]
        listed: Floats = np.where(self._places >= 0, found[:, self._places, each], missing)
        return listed.reshape(-1, listed.shape[-1])

    @cached_property
    def _tasks(self) -> tuple[Integers, Integers]:
        """For every worker the counts of the first two slots that it walks, ascending, -1 fills up; and the numbers they begin with."""
        n, slots = self.space.n, len(self.plan.slots)
        firsts = np.arange(0, n + 1, LANES) if slots else np.zeros(1, dtype=np.int64)
        each = n - firsts + 1 if slots > 1 else np.ones_like(firsts)
        first = np.repeat(firsts, each)
        then = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
        below = self._numbers_below
        number = np.zeros_like(first)
        if slots:
            number += below[0][n] - below[0][n - first]
        if slots > 1:
            number += below[1][n - first] - below[1][n - first - then]
        workers = min(thread_count(), len(first)) if self.pairs >= PARALLEL_FROM else 1
        # Work falls with the count: dealt back and forth, so that no worker is always first.
        turn, position = np.divmod(np.argsort(np.argsort(first + then, kind="stable")), workers)
        worker = np.where(turn % 2 == 0, position, workers - 1 - position)
        tasks = np.full((workers, np.bincount(worker).max(), 2), -1)
        numbers = np.zeros(tasks.shape[:2], dtype=np.int64)
        for w in range(workers):
            mine = worker == w
            tasks[w, : mine.sum()] = np.stack([first[mine], then[mine]], axis=1)
            numbers[w, : mine.sum()] = number[mine]
        return tasks, numbers

    @cached_property
    def _numbers_below(self) -> list[Integers]:
        """``[i][m]``: how many numbers are taken when ``m`` agents are left for the i-th walked choice and those after it; last, in a row.

        The row of a chain takes one where a state tells the place in the row (``ACROSS``), one for every entry elsewhere.
        """
        plan, n = self.plan, self.space.n
        below = [np.ones(n + 1, dtype=np.int64) if self._kind == ACROSS else self.space.level_sizes]
        for _ in range(len(plan.slots) + (plan.chain != PADDING)):
            below.insert(0, np.cumsum(below[0]))
        return below

    def _action_counts(self, number: Integers, lane: Integers) -> Integers:
        """Action counts ``[c, choice]`` from the numbers and lanes of the maxima."""
        space, plan = self.space, self.plan
        walked = [*plan.slots, *([plan.chain] if plan.chain != PADDING else [])]
        out = np.zeros((len(number), len(self.choices.kernel)), dtype=np.int64)
        left = np.full(len(number), space.n, dtype=np.int64)
        rest = number.copy()
        for below, j in zip(self._numbers_below, walked, strict=False):
            after = np.searchsorted(below, below[left] - rest)
            rest -= below[left] - below[after]
            out[:, j] = left - after
            left = after.astype(np.int64)
        if len(plan.slots):
            out[:, plan.slots[0]] += lane
            left -= lane
        if self._kind == ACROSS:
            state = int(self.state[plan.vertices[1]])
            others = (space.vectors[:, state] - out[:, self.state == state].sum(axis=1))[:, None]
        else:
            others = space.entries[rest]
        for v in range(1, space.size):
            if plan.vertices[v] != PADDING:
                out[:, plan.vertices[v]] = others[:, v - 1]
        if plan.vertices[0] != PADDING:
            out[:, plan.vertices[0]] = left - others.sum(axis=1)
        return out


def _filled(shape: tuple[int, int], x: float) -> Floats:
    """An array of ``x`` that begins where a register can be loaded from at once."""
    numbers = np.empty(shape[0] * shape[1] + LANES)
    start = -(numbers.ctypes.data // 8) % LANES
    filled: Floats = numbers[start : start + shape[0] * shape[1]].reshape(shape)
    filled.fill(x)
    return filled
