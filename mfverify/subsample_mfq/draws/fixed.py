"""Fixed subset: one uniform k-subset is drawn before the first step and used at every step; the others copy its members.

No random bits are needed after the first step; copying is that of the shared subset (``plays.py``). The labelled subset matters now,
so a state splits the agents into the counts ``d`` of the k members and ``e`` of the n - k others; given (g, d, e) the next global state, members and others are independent:

    (P V)(g, d, e) = sum_g' P_g(g' | g, b(d)) sum_d' M(d' | g, d) sum_e' O(e' | g, d, e) V(g', d', e').

Members and global agent alone are the optimally controlled k-agent system. The value of a count vector is the mean of
``V(g, d, c - d)`` over the first draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mfverify import costs, counts
from mfverify.bellman import sweeps
from mfverify.enclosure import Enclosure, add_down, add_up, round_up, rounding_error
from mfverify.errors import TooLargeError
from mfverify.subsample_mfq import binomial_rows, draw_laws, random_draws
from mfverify.subsample_mfq.plays import Play, copying_act, copying_plays
from mfverify.subsample_mfq.shared_draws import ODDS_ROUNDINGS, WEIGHT_ROUNDINGS, moves_of, odds_of_moves
from mfverify.subsample_mfq.truncated_chain import TruncatedChain, dropped, longest_row, sparse_rows
from mfverify.subsample_mfq.uniform_subset import subset_weights
from mfverify.subsample_mfq.way import Way

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers
    from mfverify.subsample_mfq.learning import Learned

_MOST_STATES = 2 * 10**7
_MOST_NUMBERS = 2 * 10**8


@dataclass(frozen=True, eq=False)
class FixedSubsetChain(TruncatedChain):
    """The chain on ``[g, (d, e)]``, members' counts major.

    ``global_law[g, d, g']``; ``members[g]`` sparse ``[d, d']``; ``others[g][j]`` sparse ``[e, e']`` for the mixtures of actions
    ``j = play[g, d]`` that the others copy.
    """

    global_law: Floats
    members: Sequence[csr_array]
    others: Sequence[Sequence[csr_array]]
    play: Integers

    def expect(self, value: Floats) -> Floats:
        """``P V``; cost the entries of the members' laws times the number of ``e``, and those of the others' times that of ``d``."""
        global_states, samples, _ = self.global_law.shape
        split = value.reshape(global_states, samples, -1)
        expected = np.empty_like(split)
        for g in range(global_states):
            moved = sum(self.global_law[g, :, h, None] * (self.members[g] @ split[h]) for h in range(global_states))
            for j, law in enumerate(self.others[g]):
                those = np.flatnonzero(self.play[g] == j)
                expected[g, those] = (law @ moved[those].T).T
        return expected.reshape(value.shape)


def fixed_subset_chain(model: Model, n: int, learned: Learned) -> FixedSubsetChain:
    """The chain of a subset that is drawn once. Cost: ``|S_g| C(k+S-1, S-1) C(n-k+S-1, S-1)`` states."""
    global_states, _, size, _ = model.sizes
    k = learned.k
    inside, outside = counts.number_of_count_vectors(k, size), counts.number_of_count_vectors(n - k, size)
    if global_states * inside * outside > _MOST_STATES or max(inside, outside) ** 2 > _MOST_NUMBERS:
        raise TooLargeError(
            f"{n} agents with a fixed subset of {k} have {global_states * inside * outside:.3g} states of members and others; use fewer agents"
        )
    samples, rest = counts.count_vectors(k, size), counts.count_vectors(n - k, size)
    play = np.empty((global_states, inside), dtype=np.int64)
    global_law = np.empty((global_states, inside, global_states))
    reward = np.empty((global_states, inside, outside))
    members, others = [], []
    of_members, of_others = binomial_rows.RowRoundings(), binomial_rows.RowRoundings()
    groups = 2
    for g in range(global_states):
        plays = copying_plays(learned, g)
        mixtures = list(dict.fromkeys(p.outside for p in plays))
        play[g] = [mixtures.index(p.outside) for p in plays]
        global_law[g] = model.floats("global_kernel")[g, [p.global_action for p in plays]]
        groups = max(groups, *(len(p.members) + size for p in plays))
        members.append(_member_laws(model, g, samples, plays, of_members))
        others.append([_other_laws(model, g, rest, mixture, of_others) for mixture in mixtures])
        for d, p in enumerate(plays):
            mine, theirs = _rewards(model, g, n, samples[d], p)
            # Exact numbers, rounded once; then a product and an addition per local state.
            reward[g, d] = float(mine) + rest @ np.array([float(r) for r in theirs])
    longest = max(longest_row(law) for law in members) + max(longest_row(law) for of_g in others for law in of_g)
    lost = dropped(inside) + dropped(outside)
    if size == 2:
        lost += groups * binomial_rows.lost_by_odds(k, ODDS_ROUNDINGS) + binomial_rows.lost_by_odds(n - k, ODDS_ROUNDINGS)
    return FixedSubsetChain(
        reward.reshape(global_states, -1),
        model.discount,
        of_members.most + of_others.most + 1,
        model.rt,
        rounding_error(size + 3, model.rt, size + 3),
        longest + global_states,
        lost,
        global_law,
        members,
        others,
        play,
    )


def fixed_subset_value(model: Model, n: int, learned: Learned, width: float) -> Enclosure:
    """Enclose the mean over the first draw of the value of (g, members, others), axes ``[g, rank of the count vector]``."""
    size = model.sizes[2]
    found = fixed_subset_chain(model, n, learned).enclose(width)
    drawn = subset_weights(n, learned.k, size).tocoo()
    vectors, samples = counts.count_vectors(n, size), counts.count_vectors(learned.k, size)
    rest = counts.rank(vectors[drawn.row] - samples[drawn.col])
    flat = drawn.col.astype(np.int64) * counts.number_of_count_vectors(n - learned.k, size) + rest
    most = int(np.bincount(drawn.row).max())
    largest = Fraction(float(max(np.abs(found.lower).max(), np.abs(found.upper).max())))
    # A rounded probability, a product and an addition for each sample; the window of the draw.
    slack = round_up(rounding_error(WEIGHT_ROUNDINGS + most, largest, most) + 2 * draw_laws.LOST_OF_DRAW * largest)
    mean = [
        np.stack([np.bincount(drawn.row, weights=drawn.data * row[flat], minlength=len(vectors)) for row in end]).astype(np.float64)
        for end in (found.lower, found.upper)
    ]
    return Enclosure(add_down(mean[0], np.array(-slack)), add_up(mean[1], np.array(slack)), None, found.work)


def _rewards(model: Model, g: int, n: int, sample: Integers, play: Play) -> tuple[Fraction, list[Fraction]]:
    """Global and members' reward, and what one outsider in each local state adds, exactly."""
    theirs = [
        sum((p * r for p, r in zip(mixture, model.local_reward[s, g], strict=True)), Fraction(0)) / n
        for s, mixture in enumerate(play.outside)
    ]
    listed = np.zeros(len(theirs), dtype=np.int64)
    mine = Fraction(model.global_reward[g, play.global_action])
    for s, a, x in play.members:
        listed[s] += x
        mine += x * model.local_reward[s, g, a] / n
    mine += sum((int(x) * r for x, r in zip(sample - listed, theirs, strict=True)), Fraction(0))
    return mine, theirs


def _member_laws(model: Model, g: int, samples: Integers, plays: Sequence[Play], roundings: binomial_rows.RowRoundings) -> csr_array:
    """The laws of the members' next counts, one row per sample."""
    size = model.sizes[2]
    most = max(len(p.members) for p in plays)
    agents = np.zeros((len(plays), most + size), dtype=np.int64)
    moves = np.zeros((len(plays), most + size, size))
    moves[:, :, 0] = 1.0
    for d, p in enumerate(plays):
        agents[d, most:] = samples[d]
        for i, (s, a, x) in enumerate(p.members):
            agents[d, i] = x
            agents[d, most + s] -= x
            moves[d, i] = [float(q) for q in model.local_kernel[s, g, a]]
        moves[d, most:] = [[float(q) for q in moves_of(model, g, mixture, s)] for s, mixture in enumerate(p.outside)]
    return _laws(agents, moves, samples, roundings)


def _other_laws(
    model: Model, g: int, rest: Integers, mixture: Sequence[Sequence[Fraction]], roundings: binomial_rows.RowRoundings
) -> csr_array:
    """The laws of the others' next counts when they play a mixture, one row per count vector of them."""
    moves = np.array([[float(q) for q in moves_of(model, g, of_s, s)] for s, of_s in enumerate(mixture)])
    return _laws(rest, np.broadcast_to(moves, (len(rest), *moves.shape)), rest, roundings)


def _laws(agents: Integers, moves: Floats, vectors: Integers, roundings: binomial_rows.RowRoundings) -> csr_array:
    """Laws of the next counts of groups of ``agents[r, i]`` that move by ``moves[r, i]``, columns in the order of ``vectors``."""
    states, size = vectors.shape
    n = int(vectors[0].sum())
    if n == 0:
        return csr_array(np.ones((1, 1)))
    if size == 2:
        odds = odds_of_moves(moves)
        rows = np.zeros((states, states))
        for r in range(states):
            start, law, made = binomial_rows.sum_law(np.ascontiguousarray(agents[r]), np.ascontiguousarray(odds[r]))
            rows[r, start : start + len(law)] = law
            roundings.seen(made)
    else:
        roundings.seen((size + 1) * n)
        rows = np.empty((states, states))
        rows[:, sweeps.graded_order(n, size)] = sweeps.next_count_laws(
            agents, np.ascontiguousarray(moves), sweeps.successor_table(n, size), sweeps.level_sizes(n, size)
        )
    return sparse_rows([rows], states)


class FixedSubset(Way):
    """The way of a subset that is drawn once. The parts of the population are its members and the others."""

    def cost(self, model: Model, n: int, k: int) -> costs.Cost:
        """A row of the laws of members and others for each state; they are counted apart."""
        size = model.sizes[2]
        states = counts.number_of_count_vectors(k, size) * counts.number_of_count_vectors(n - k, size)
        return costs.executing(model, n, k, self.word, states, min(states, costs.row_width(n, size) ** 2) * model.sizes[0])

    def chain(self, model: Model, n: int, learned: Learned) -> FixedSubsetChain:
        """The chain on (global state, members' counts, others' counts)."""
        return fixed_subset_chain(model, n, learned)

    def value(self, model: Model, n: int, learned: Learned, width: float) -> Enclosure:
        """The mean over the first draw."""
        return fixed_subset_value(model, n, learned, width)

    def parts(self, rng: np.random.Generator, c: Integers, k: int) -> Integers:
        """Members and others."""
        members = random_draws.subsets(rng, c, k)
        return np.stack([members, c - members], axis=1)

    def act(self, rng: np.random.Generator, learned: Learned, step: int, g: Integers, c: Integers) -> tuple[Integers, Integers]:
        """Members play their parts, the others copy."""
        played, members, copies = copying_act(rng, learned, g, c[:, 0], c[:, 1])
        return played, np.stack([members, copies], axis=1)


WAY = FixedSubset("fixed")
