"""Draws that all agents share: in every state a mixture over draws of independent moves.

    reward(g, c) = sum_i w(c, i) [ r_g(g, b_i) + (1/n) (members_i + sum_s (c_s - m_is) outside_is) ]
    P((g', c') | g, c) = sum_i w(c, i) P_g(g' | g, b_i) L_i(c' | c)

over the draws ``i`` with plays (``plays.py``): ``m_is`` members that are listed, moving by their own actions, all others by the
outsiders' mixture. ``L_i`` depends on the draw only through what agents do, so draws with one local play are put together
first: with two local states and plays that do not split a state, only a handful of rows per count is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import isqrt
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mfverify import counts
from mfverify.errors import TooLargeError
from mfverify.laws import EXACT, ROUNDED, Law, worst
from mfverify.subsample_mfq import binomial_rows
from mfverify.subsample_mfq.group_laws import Groups, groups_of, moves_of, next_counts
from mfverify.subsample_mfq.plays import LocalPlay, Play, Sample, copying_act, copying_plays
from mfverify.subsample_mfq.signals import Signals
from mfverify.subsample_mfq.truncated_chain import JointRows, longest_row, refuse_beyond, sparse_rows
from mfverify.subsample_mfq.way import Way

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers
    from mfverify.subsample_mfq.learning import Learned

_MOST_LOOKED_AT = 2 * 10**10
"""Rows are made in dense blocks: this many entries are looked at in about a minute."""

_BLOCK_NUMBERS = 4 * 10**6


@dataclass(frozen=True, eq=False)
class SharedDraws(Way):
    """A way with one draw for all agents.

    ``plays(learned, g)`` lists what each draw leads to in global state ``g``; ``law(c, k)`` are the probabilities of the draws, by their
    place in that list, from a population with counts ``c``; ``draw_and_act(rng, learned, g, c)`` does both at random in states
    ``g[episode]``, ``c[episode, s]`` and returns global actions and action counts ``[episode, s, a]``. ``two_state_weights(n, k)`` are the
    laws of all count vectors for two local states, where exact ones take too long.
    """

    plays: Callable[[Learned, int], list[Play]]
    law: Callable[[tuple[int, ...], int], dict[int, Fraction]]
    draw_and_act: Callable[[np.random.Generator, Learned, Integers, Integers], tuple[Integers, Integers]]
    two_state_weights: Callable[[int, int], Law[csr_array]] | None = None

    def weights(self, n: int, k: int, size: int, draws: int) -> Law[csr_array]:
        """Probabilities ``[rank of the counts, draw]`` of all count vectors."""
        if size == 2 and self.two_state_weights is not None:
            return self.two_state_weights(n, k)
        laws = [self.law(tuple(row), k) for row in counts.count_vectors(n, size).tolist()]
        ends = np.concatenate([[0], np.cumsum([len(law) for law in laws])])
        drawn, data = [i for law in laws for i in law], [p.numerator / p.denominator for law in laws for p in law.values()]
        return Law(csr_array((data, drawn, ends), shape=(len(laws), draws)), ROUNDED)

    def signals(self, learned: Learned, n: int) -> Callable[[int, Integers, Integers], Signals]:
        """One signal for each draw that is possible."""
        return play_signals(learned, n, self.plays, self.law)

    def chain(self, model: Model, n: int, learned: Learned) -> JointRows:
        """The chain on (global state, count vector). Cost: one row of n agents for each (state, local play that is possible there)."""
        global_states, _, size, _ = model.sizes
        states = counts.number_of_count_vectors(n, size)
        if size != 2:
            refuse_beyond(n, (global_states * states) ** 2)
        elif (global_states * states) ** 2 > _MOST_LOOKED_AT:
            raise TooLargeError(f"{n} agents have {(global_states * states) ** 2:.3g} possible transition probabilities; use fewer agents")
        plays = [self.plays(learned, g) for g in range(global_states)]
        listed = [list(dict.fromkeys(p.local for p in of_g)) for of_g in plays]
        if size == 2:
            widest = max(sum(_width(model, g, x, n) for x in of_g) for g, of_g in enumerate(listed))
            refuse_beyond(n, global_states**2 * states * min(states, widest))
        drawn = self.weights(n, learned.k, size, len(plays[0]))
        reward, rows = [], []
        for g in range(global_states):
            number = {x: j for j, x in enumerate(listed[g])}
            used = np.array([number[p.local] for p in plays[g]], dtype=np.int64)
            b, groups = np.array([p.global_action for p in plays[g]]), groups_of(model, g, listed[g])
            reward.append(_reward(model, n, g, b, used, groups, drawn))
            make = _two_state_blocks if size == 2 else _blocks
            blocks = make(n, groups, _mixture(model.floats("global_kernel")[g][b], used, drawn))
            rows.append(sparse_rows(blocks, global_states * states))
        law = rows[0] if len(rows) == 1 else Law(_stacked([of_g.rows for of_g in rows]), worst(*(of_g.budget for of_g in rows)))
        error = worst(*(of_g.budget for of_g in reward)).error(3 * model.rt)
        return JointRows(np.stack([of_g.rows for of_g in reward]), model.discount, model.rt, error, law)

    def act(self, rng: np.random.Generator, learned: Learned, step: int, g: Integers, c: Integers) -> tuple[Integers, Integers]:
        """One draw, and all agents act on it."""
        played, chosen = self.draw_and_act(rng, learned, g, c[:, 0])
        return played, chosen[:, None]


def copied_subset(
    word: str,
    law: Callable[[tuple[int, ...], int], Iterable[tuple[tuple[int, ...], Fraction]]],
    sample: Sample,
    two_state_weights: Callable[[int, int], Law[csr_array]] | None = None,
) -> SharedDraws:
    """The way of a shared subset whose members the other agents copy (``plays.py``); ``law(c, k)`` is that of its counts."""

    def by_rank(c: tuple[int, ...], k: int) -> dict[int, Fraction]:
        samples, probabilities = zip(*law(c, k), strict=True)
        ranks = [first for first, _ in samples] if len(c) == 2 else counts.rank(samples).tolist()
        return dict(zip(ranks, probabilities, strict=True))

    def act(rng: np.random.Generator, learned: Learned, g: Integers, c: Integers) -> tuple[Integers, Integers]:
        drawn = sample(rng, c, learned.k)
        played, members, copies = copying_act(rng, learned, g, drawn, c - drawn)
        return played, members + copies

    return SharedDraws(word, copying_plays, by_rank, act, two_state_weights)


def play_signals(
    learned: Learned, n: int, plays: Callable[[Learned, int], list[Play]], law: Callable[[tuple[int, ...], int], dict[int, Fraction]]
) -> Callable[[int, Integers, Integers], Signals]:
    """Signals of draws that are made anew at every step; see :class:`SharedDraws`."""
    model = learned.model
    size = model.sizes[2]
    listed = [plays(learned, g) for g in range(model.sizes[0])]
    most = max(len(p.members) for of_g in listed for p in of_g)
    groups = [groups_of(model, g, [p.local for p in of_g], most) for g, of_g in enumerate(listed)]
    agents, moves, earned = (np.stack([getattr(x, "rows", x) for x in of_all]) for of_all in zip(*groups, strict=True))
    b = np.array([[p.global_action for p in of_g] for of_g in listed])
    of_counts = lru_cache(maxsize=2**16)(law)
    kernel, reward = model.floats("global_kernel"), model.floats("global_reward")

    def step(_step: int, g: Integers, c: Integers) -> Signals:
        laws = [of_counts(tuple(row), learned.k) for row in c[:, 0].tolist()]
        drawn = np.array([i for of_c in laws for i in of_c], dtype=np.int64)
        state = np.repeat(np.arange(len(g)), [len(of_c) for of_c in laws])
        at = g[state], drawn
        of_signal = agents[at]
        of_signal[:, -size:] += c[state, 0]
        return Signals(
            np.concatenate([[0], np.cumsum([len(of_c) for of_c in laws])]),
            Law(np.array([float(p) for of_c in laws for p in of_c.values()]), ROUNDED),
            Law(kernel[g[state], b[at]], ROUNDED),
            Law(reward[g[state], b[at]], ROUNDED),
            np.zeros(most + size, dtype=np.int64),
            of_signal,
            Law(moves[at], ROUNDED),
            Law(earned[at], ROUNDED),
        )

    return step


@dataclass(frozen=True)
class _Mixture:
    """The mixture of one global state: for each count vector the local plays with their weights per next global state.

    Entry ``e`` in ``ends[c]:ends[c+1]`` is local play ``local[e]`` with probability ``weights[e, h]`` of being used and of
    leading to global state ``h``.
    """

    ends: Integers
    local: Integers
    weights: Law[Floats]


def _stacked(rows: Sequence[csr_array]) -> csr_array:
    """Matrices one below the other."""
    ends = [rows[0].indptr.astype(np.int64)]
    for part in rows[1:]:
        ends.append(part.indptr[1:] + ends[-1][-1])
    return csr_array(
        (np.concatenate([r.data for r in rows]), np.concatenate([r.indices for r in rows]), np.concatenate(ends)),
        shape=(sum(r.shape[0] for r in rows), rows[0].shape[1]),
    )


def _reward(model: Model, n: int, g: int, b: Integers, used: Integers, groups: Groups, drawn: Law[csr_array]) -> Law[Floats]:
    """The expected reward of every count vector; the terms add up to at most three times ``rt`` in absolute value.

    For each draw, what listed members earn and the others in their place would not have; then what all agents earn as others.
    """
    size = model.sizes[2]
    earned = groups.earned.rows[used]
    constant = model.floats("global_reward")[g, b] + (groups.agents[used] * earned).sum(axis=1) / n
    slopes = drawn.rows @ (earned[:, -size:] / n)
    reward: Floats = drawn.rows @ constant + (counts.count_vectors(n, size) * slopes).sum(axis=1)
    of_draw = EXACT.mixing(groups.earned.budget, earned.shape[1]).times(EXACT).summed(2)
    return Law(reward, drawn.budget.mixing(of_draw, longest_row(drawn.rows)).times(EXACT).summed(1 + size))


def _mixture(kernel: Floats, used: Integers, drawn: Law[csr_array]) -> _Mixture:
    """Add up the draws of each local play ``used[draw]``, each times the next global state ``kernel[draw, h]``."""
    local_plays = int(used.max()) + 1
    states, draws, probabilities = drawn.rows.shape[0], drawn.rows.indices, drawn.rows.data
    rows = np.repeat(np.arange(states, dtype=np.int64), np.diff(drawn.rows.indptr))
    keys, inverse = np.unique(rows * local_plays + used[draws], return_inverse=True)
    weights: Floats = np.stack([np.bincount(inverse, probabilities * to_h[draws], len(keys)) for to_h in kernel.T], axis=1)
    ends = np.searchsorted(keys, np.arange(states + 1, dtype=np.int64) * local_plays)
    return _Mixture(ends.astype(np.int64), keys % local_plays, Law(weights, drawn.budget.mixing(ROUNDED, longest_row(drawn.rows))))


def _width(model: Model, g: int, play: LocalPlay, n: int) -> int:
    """How many entries a row of a local play has at most, about: 20 standard deviations for each group that is random."""
    members, outside = play
    total = 1
    for s, mixture in enumerate(outside):
        if 0 < moves_of(model, g, mixture, s)[0] < 1:
            total += min(n, 10 * (isqrt(n) + 1))
    for s, a, x in members:
        if 0 < model.local_kernel[s, g, a, 0] < 1:
            total += min(x, 10 * (isqrt(x) + 1))
    return total


def _two_state_blocks(n: int, groups: Groups, mixture: _Mixture) -> Iterator[Law[Floats]]:
    """Dense blocks of rows ``[c, (h, c')]`` for two local states."""
    agents, moves, _ = groups
    odds = binomial_rows.odds_of(moves)
    members = [
        binomial_rows.sum_law(np.ascontiguousarray(of_play[:-2]), Law(np.ascontiguousarray(of_members[:-2]), odds.budget))
        for of_play, of_members in zip(agents, odds.rows, strict=True)
    ]
    yield from binomial_rows.mixed_rows(
        counts.count_vectors(n, 2),
        (mixture.ends, mixture.local, mixture.weights),
        (-agents[:, -2:], Law(np.ascontiguousarray(odds.rows[:, -2:]), odds.budget)),
        members,
    )


def _blocks(n: int, groups: Groups, mixture: _Mixture) -> Iterator[Law[Floats]]:
    """The same for any number of local states: rows are convolved agent by agent."""
    multiplicity, moves, _ = groups
    size, global_states = moves.rows.shape[-1], mixture.weights.rows.shape[1]
    vectors = counts.count_vectors(n, size)
    height = max(1, _BLOCK_NUMBERS // (len(vectors) * global_states))
    for begin in range(0, len(vectors), height):
        end = min(begin + height, len(vectors))
        block = np.zeros((end - begin, global_states, len(vectors)))
        budgets = []
        for first in range(int(mixture.ends[begin]), int(mixture.ends[end]), height):
            entries = np.arange(first, min(first + height, int(mixture.ends[end])))
            at = np.searchsorted(mixture.ends, entries, side="right") - 1
            agents = multiplicity[mixture.local[entries]]
            agents[:, -size:] += vectors[at]
            rows = next_counts(agents, Law(moves.rows[mixture.local[entries]], moves.budget), n)
            budgets.append(rows.budget)
            for h in range(global_states):
                np.add.at(block[:, h], at - begin, mixture.weights.rows[entries, h, None] * rows.rows)
        entries_of_one = int(np.diff(mixture.ends[begin : end + 1]).max())
        yield Law(block.reshape(end - begin, -1), mixture.weights.budget.mixing(worst(*budgets), entries_of_one))
