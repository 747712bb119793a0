"""One step of a way of drawing, as signals: what may be drawn, and how groups of agents then act and move.

    Pr[(g', c') | state] = sum_i weight_i next_i(g') Pr[sum of the independent next counts of the groups = c']
    reward(state) = sum_i weight_i (paid_i + (1/n) sum_j agents_ij earned_ij)

From the signals of all states follows the chain (:func:`signal_chain`), from those of likely states the value from one start
(``from_start.py``). States are numbers: the counts of all parts as digits, the global state in front.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import comb, prod
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.sparse import csr_array

from mfverify import counts
from mfverify.compiled import njit
from mfverify.errors import TooLargeError
from mfverify.laws import EXACT, ROUNDED, Budget, Law, worst
from mfverify.subsample_mfq.truncated_chain import JointRows, refuse_beyond

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers
    from mfverify.subsample_mfq.learning import Learned
    from mfverify.subsample_mfq.way import Way

_BUFFER: Final = 2**14
_FULL: Final = 2 * 10**6


@dataclass(frozen=True, eq=False)
class Signals:
    """The signals of several states; those of state r are ``ends[r]:ends[r+1]``, at least one.

    Signal i has probability ``weight[i]``, leads to the global state by ``next_global[i, h]`` and pays ``paid[i]`` for the global agent.
    Group j belongs to ``part[j]`` of the population: ``agents[i, j]`` agents who move by ``moves[i, j, t]`` and expect ``earned[i, j]`` each.
    """

    ends: Integers
    weight: Law[Floats]
    next_global: Law[Floats]
    paid: Law[Floats]
    part: Integers
    agents: Integers
    moves: Law[Floats]
    earned: Law[Floats]

    def reward(self, n: int) -> Law[Floats]:
        """The expected reward of each state; the terms add up to at most ``rt`` in absolute value."""
        of_signal = self.paid.rows + (self.agents * self.earned.rows).sum(axis=1) / n
        most = int(np.diff(self.ends).max())
        budget = _of_a_reward(len(self.part), most, self.weight.budget, self.paid.budget, self.earned.budget)
        return Law(np.add.reduceat(self.weight.rows * of_signal, self.ends[:-1]), budget)

    def pushed(self, mass: Budget, n: int) -> Budget:
        """What a term of :func:`push` may be off by, for states whose masses may be off by ``mass``."""
        shape = len(self.part), self.moves.rows.shape[2] - 1
        return mass.times(_of_a_term(n, *shape, self.weight.budget, self.moves.budget, self.next_global.budget))


@lru_cache(maxsize=64)
def _of_a_reward(groups: int, most: int, weight: Budget, paid: Budget, earned: Budget) -> Budget:
    """Of a mean over at most so many signals of what is paid and the share of the groups."""
    of_groups = EXACT.mixing(earned, groups).times(EXACT)
    return weight.mixing(worst(paid, of_groups).summed(2), most)


@lru_cache(maxsize=64)
def _of_a_term(n: int, groups: int, splits: int, weight: Budget, moves: Budget, next_global: Budget) -> Budget:
    """Of a weight times the law of the next state.

    For each group and each local state but the last, in turn, a number of ways and a conditional probability to the power of the
    agents that are left; and an agent is left at most ``splits`` times.
    """
    conditional = replace(moves.times(moves.summed(splits + 1)), lost=Fraction(0))
    movers = conditional.power(n * splits).times(ROUNDED.power(groups * splits))
    return weight.times(movers.losing(n * moves.lost)).times(next_global)


@lru_cache(maxsize=4)
def ways_to_choose(n: int) -> Floats:
    """``[x, j] = C(x, j)`` up to n, each correctly rounded; n is at most about 1000."""
    return np.array([[float(comb(x, j)) for j in range(n + 1)] for x in range(n + 1)])


@dataclass(frozen=True, eq=False)
class Numbering:
    """Numbers for states: ``values[part, s]`` of a digit, and ``top`` of the global state; parts have ``sizes`` agents."""

    sizes: Integers
    values: Integers
    top: int

    @classmethod
    def of(cls, sizes: Sequence[int], local_states: int, global_states: int) -> Numbering:
        """For parts of these sizes. Raises :class:`TooLargeError` where 64 bits are too few."""
        below = [prod((m + 1) ** local_states for m in sizes[:p]) for p in range(len(sizes) + 1)]
        if global_states * below[-1] >= 2**63:
            raise TooLargeError(
                f"{sum(sizes)} agents in {local_states} local states have more count vectors than can be numbered; use fewer agents"
            )
        values = [[below[p] * (m + 1) ** s for s in range(local_states)] for p, m in enumerate(sizes)]
        return cls(np.array(sizes, dtype=np.int64), np.array(values, dtype=np.int64), below[-1])

    def encode(self, g: Integers, c: Integers) -> Integers:
        """Numbers of the states ``g[r]``, ``c[r, part, s]``."""
        codes: Integers = g * self.top + (c * self.values).sum(axis=(1, 2))
        return codes

    def decode(self, codes: Integers) -> tuple[Integers, Integers]:
        """The states with these numbers."""
        digits = codes[:, None, None] // self.values % (self.sizes[:, None] + 1)
        return codes // self.top, digits


def push(first: int, mass: Floats, signals: Signals, numbering: Numbering, smallest: float) -> tuple[int, Integers, Integers, Floats]:
    """Where the states from ``first`` on lead to, until a buffer is full; terms below ``smallest`` are left out.

    State r of the signals has probability ``mass[r]``. Returns (the next state to do, ends of the terms of each state, next states,
    probabilities); equal states are not put together.
    """
    found: tuple[int, Integers, Integers, Floats] = _push(
        first,
        mass,
        signals.ends,
        signals.weight.rows,
        signals.next_global.rows,
        signals.agents,
        signals.moves.rows,
        numbering.values[signals.part],
        numbering.top,
        ways_to_choose(int(numbering.sizes.max())),
        smallest,
    )
    return found


@njit
def _push(
    first: int,
    mass: Floats,
    ends: Integers,
    weight: Floats,
    next_global: Floats,
    agents: Integers,
    moves: Floats,
    values: Integers,
    top: int,
    ways: Floats,
    smallest: float,
) -> tuple[int, Integers, Integers, Floats]:
    out_codes, out_mass = np.empty(_BUFFER, dtype=np.int64), np.empty(_BUFFER)
    out_ends = np.zeros(len(mass) - first + 1, dtype=np.int64)
    used = 0
    r = first
    while r < len(mass) and used <= _FULL:
        for i in range(ends[r], ends[r + 1]):
            row_codes, row_mass = np.zeros(1, dtype=np.int64), np.full(1, mass[r] * weight[i])
            for j in range(agents.shape[1]):
                if agents[i, j] > 0:
                    row_codes, row_mass = _with_group(row_codes, row_mass, agents[i, j], moves[i, j], values[j], ways, smallest)
            for h in range(next_global.shape[1]):
                p = next_global[i, h]
                if p == 0.0:
                    continue
                if used + len(row_codes) > len(out_codes):
                    larger = max(2 * len(out_codes), used + len(row_codes))
                    grown_codes, grown_mass = np.empty(larger, dtype=np.int64), np.empty(larger)
                    grown_codes[:used], grown_mass[:used] = out_codes[:used], out_mass[:used]
                    out_codes, out_mass = grown_codes, grown_mass
                for e in range(len(row_codes)):
                    if p * row_mass[e] >= smallest:
                        out_codes[used] = row_codes[e] + h * top
                        out_mass[used] = p * row_mass[e]
                        used += 1
        r += 1
        out_ends[r - first] = used
    return r, out_ends[: r - first + 1], out_codes[:used], out_mass[:used]


@njit
def _with_group(
    codes: Integers, mass: Floats, agents: int, moves: Floats, values: Integers, ways: Floats, smallest: float
) -> tuple[Integers, Floats]:
    """A group of agents added to every entry, each moving by ``moves``; small products are left out."""
    targets = np.flatnonzero(moves > 0.0)
    if len(codes) == 0:
        return codes, mass
    if len(targets) == 1:
        return codes + agents * values[targets[0]], mass
    tails = np.zeros(len(targets) + 1)
    for j in range(len(targets) - 1, -1, -1):
        tails[j] = tails[j + 1] + moves[targets[j]]
    # The law of the group on its own first: one target after another, entries of (agents left, code, probability).
    left, own_codes, own_mass = np.full(1, agents), np.zeros(1, dtype=np.int64), np.ones(1)
    here, beyond = np.ones(agents + 1), np.ones(agents + 1)
    most = mass.max()
    for j in range(len(targets) - 1):
        for x in range(agents):
            here[x + 1] = here[x] * (moves[targets[j]] / tails[j])
            beyond[x + 1] = beyond[x] * (tails[j + 1] / tails[j])
        total = (left + 1).sum()
        new_left, new_codes, new_mass = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64), np.empty(total)
        used = 0
        for e in range(len(own_codes)):
            for x in range(left[e] + 1):
                w = own_mass[e] * (ways[left[e], x] * here[x] * beyond[left[e] - x])
                if w * most >= smallest:
                    new_left[used] = left[e] - x
                    new_codes[used] = own_codes[e] + x * values[targets[j]]
                    new_mass[used] = w
                    used += 1
        left, own_codes, own_mass = new_left[:used], new_codes[:used], new_mass[:used]
    own_codes = own_codes + left * values[targets[-1]]
    out_codes, out_mass = np.empty(len(codes) * len(own_codes), dtype=np.int64), np.empty(len(codes) * len(own_codes))
    used = 0
    for e in range(len(codes)):
        for f in range(len(own_codes)):
            w = mass[e] * own_mass[f]
            if w >= smallest:
                out_codes[used] = codes[e] + own_codes[f]
                out_mass[used] = w
                used += 1
    return out_codes[:used], out_mass[:used]


def signal_chain(how: Way, model: Model, n: int, learned: Learned) -> JointRows:
    """The chain on ``[step of a period, state]``, from the signals of every state: for parts of few agents.

    States are (global state, count vectors of the parts) in lexicographic order.
    """
    size = model.sizes[2]
    sizes = how.sizes(model, n, learned.k)
    states = model.sizes[0] * prod(counts.number_of_count_vectors(m, size) for m in sizes)
    period = how.period(n, learned.k)
    reached = max(sum(p > 0 for p in row) for row in model.local_kernel.reshape(-1, size))
    refuse_beyond(n, period * states * model.sizes[0] * min(states // model.sizes[0], reached**n))
    g, c = all_states(model, sizes)
    numbering = Numbering.of(sizes, size, model.sizes[0])
    codes = numbering.encode(g, c)
    order = np.argsort(codes)
    reward, rows, columns, data = np.empty((period, states)), [], [], []
    budgets, of_reward = [], []
    step = how.signals(learned, n)
    for place in range(period):
        signals = step(place, g, c)
        earned = signals.reward(n)
        reward[place], done = earned.rows, 0
        of_reward.append(earned.budget)
        while done < states:
            first = done
            done, ends, found, mass = push(first, np.ones(states), signals, numbering, 0.0)
            rows.append(place * states + np.repeat(np.arange(first, done), np.diff(ends)))
            columns.append((place + 1) % period * states + order[np.searchsorted(codes, found, sorter=order)])
            data.append(mass)
        budgets.append(signals.pushed(EXACT, n))
    at, to = np.concatenate(rows), np.concatenate(columns)
    met = int(np.unique(at * (period * states) + to, return_counts=True)[1].max())
    law = csr_array((np.concatenate(data), (at, to)), shape=(reward.size, reward.size))
    return JointRows(reward, model.discount, model.rt, worst(*of_reward).error(model.rt), Law(law, worst(*budgets).summed(met)))


def all_states(model: Model, sizes: Iterable[int]) -> tuple[Integers, Integers]:
    """Every global state with every count vector of every part: ``g[r]``, ``c[r, part, s]``, lexicographically ascending."""
    vectors = [counts.count_vectors(m, model.sizes[2]) for m in sizes]
    places = np.array(list(product(range(model.sizes[0]), *(range(len(v)) for v in vectors))), dtype=np.int64)
    return places[:, 0], np.stack([v[places[:, p + 1]] for p, v in enumerate(vectors)], axis=1)
