"""Fixed subset: one uniform k-subset is drawn before the first step and used at every step; the others copy its members.

No random bits are needed after the first step; copying is that of the shared subset (``plays.py``). The labelled subset matters now,
so a state splits the agents into the counts ``d`` of the k members and ``e`` of the n - k others. Given (g, d, e), the next global
state, members and others are independent:

    (P V)(g, d, e) = sum_g' P_g(g' | g, b(d)) sum_d' M(d' | g, d) sum_e' O(e' | g, d, e) V(g', d', e').

Members and global agent alone are the optimally controlled k-agent system. The value of a count vector is the mean of
``V(g, d, c - d)`` over the first draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mfverify import counts
from mfverify.enclosure import Enclosure, add_down, add_up, round_up
from mfverify.errors import TooLargeError
from mfverify.exact.policy_value import MarkovReward
from mfverify.laws import EXACT, ROUNDED, Budget, Law, worst
from mfverify.subsample_mfq import binomial_rows, random_draws
from mfverify.subsample_mfq.draws import shared
from mfverify.subsample_mfq.group_laws import groups_of, next_counts
from mfverify.subsample_mfq.plays import copying_act, copying_plays
from mfverify.subsample_mfq.shared_draws import play_signals
from mfverify.subsample_mfq.signals import Signals
from mfverify.subsample_mfq.truncated_chain import longest_row, sparse_expectation, sparse_rows
from mfverify.subsample_mfq.way import Way

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers
    from mfverify.subsample_mfq.learning import Learned

_MOST_STATES = 2 * 10**7
_MOST_NUMBERS = 2 * 10**8


@dataclass(frozen=True, eq=False)
class FixedSubsetChain(MarkovReward):
    """The chain on ``[g, (d, e)]``, members' counts major.

    ``global_law[g, d, g']``; ``members[g]`` sparse ``[d, d']``; ``others[g][j]`` sparse ``[e, e']`` for the mixtures of actions
    ``j = play[g, d]`` that the others copy.
    """

    global_law: Law[Floats]
    members: Sequence[Law[csr_array]]
    others: Sequence[Sequence[Law[csr_array]]]
    play: Integers

    def expect(self, value: Floats) -> Floats:
        """``P V``; cost the entries of the members' laws times the number of ``e``, and those of the others' times that of ``d``."""
        global_states, samples, _ = self.global_law.rows.shape
        split = value.reshape(global_states, samples, -1)
        expected = np.empty_like(split)
        for g in range(global_states):
            moved = sum(self.global_law.rows[g, :, h, None] * (self.members[g].rows @ split[h]) for h in range(global_states))
            for j, law in enumerate(self.others[g]):
                those = np.flatnonzero(self.play[g] == j)
                expected[g, those] = (law.rows @ moved[those].T).T
        return expected.reshape(value.shape)

    @property
    def expectation(self) -> Budget:
        """Expectations over the members' next counts, the next global state, and the others' next counts."""
        inner = self.global_law.budget.mixing(worst(*map(sparse_expectation, self.members)), len(self.members))
        return worst(*(law.budget.mixing(inner, longest_row(law.rows)) for of_g in self.others for law in of_g))


def _laws(agents: Integers, moves: Law[Floats], vectors: Integers) -> Law[csr_array]:
    """Laws of the next counts of groups of ``agents[r, i]`` that move by ``moves[r, i]``, columns in the order of ``vectors``."""
    states, size = vectors.shape
    n = int(vectors[0].sum())
    if n == 0:
        return Law(csr_array(np.ones((1, 1))), EXACT)
    return sparse_rows([(binomial_rows.sum_rows if size == 2 else next_counts)(agents, moves, n)], states)


class FixedSubset(Way):
    """The way of a subset that is drawn once. The parts of the population are its members and the others."""

    def sizes(self, model: Model, n: int, k: int) -> tuple[int, ...]:
        """Members and others."""
        return (k, n - k)

    def beginnings(self, learned: Learned, g: int, c: tuple[int, ...]) -> list[tuple[Fraction, list[tuple[int, ...]]]]:
        """The first draw."""
        return [(p, [d, tuple(x - y for x, y in zip(c, d, strict=True))]) for d, p in counts.subsample_law(c, learned.k)]

    def signals(self, learned: Learned, n: int) -> Callable[[int, Integers, Integers], Signals]:
        """One signal: members play their parts, the others copy."""
        size = learned.model.sizes[2]
        of_members = play_signals(learned, n, copying_plays, lambda c, _k: {int(counts.rank(c)): Fraction(1)})

        def step(t: int, g: Integers, c: Integers) -> Signals:
            mine = of_members(t, g, c)
            return replace(
                mine,
                part=np.append(mine.part, np.ones(size, dtype=np.int64)),
                agents=np.concatenate([mine.agents, c[:, 1]], axis=1),
                moves=replace(mine.moves, rows=np.concatenate([mine.moves.rows, mine.moves.rows[:, -size:]], axis=1)),
                earned=replace(mine.earned, rows=np.concatenate([mine.earned.rows, mine.earned.rows[:, -size:]], axis=1)),
            )

        return step

    def chain(self, model: Model, n: int, learned: Learned) -> FixedSubsetChain:
        """The chain on (global state, members' counts, others' counts): ``|S_g| C(k+S-1, S-1) C(n-k+S-1, S-1)`` states."""
        global_states, _, size, _ = model.sizes
        inside, outside = (counts.number_of_count_vectors(m, size) for m in self.sizes(model, n, learned.k))
        if global_states * inside * outside > _MOST_STATES or max(inside, outside) ** 2 > _MOST_NUMBERS:
            raise TooLargeError(
                f"{n} agents with a fixed subset of {learned.k} have {global_states * inside * outside:.3g} states of members and others;"
                " use fewer agents"
            )
        samples, rest = counts.count_vectors(learned.k, size), counts.count_vectors(n - learned.k, size)
        play, global_law, reward = [], [], []
        members, others, of_members = [], [], []
        for g in range(global_states):
            plays = copying_plays(learned, g)
            b = [p.global_action for p in plays]
            mixtures = list(dict.fromkeys(p.outside for p in plays))
            play.append([mixtures.index(p.outside) for p in plays])
            global_law.append(model.floats("global_kernel")[g, b])
            agents, moves, earned = groups_of(model, g, [p.local for p in plays])
            agents[:, -size:] += samples
            members.append(_laws(agents, moves, samples))
            unlisted = [groups_of(model, g, [((), mixture)]).moves for mixture in mixtures]
            others.append([_laws(rest, Law(np.broadcast_to(m.rows, (outside, size, size)), m.budget), rest) for m in unlisted])
            mine = model.floats("global_reward")[g, b] + (agents * earned.rows).sum(axis=1) / n
            reward.append((mine[:, None] + earned.rows[:, -size:] @ rest.T / n).ravel())
            of_members.append(EXACT.mixing(earned.budget, agents.shape[1]).times(EXACT).summed(2))
        error = worst(*of_members, EXACT.mixing(ROUNDED, size).times(EXACT)).summed(2).error(model.rt)
        law = Law(np.array(global_law), ROUNDED)
        return FixedSubsetChain(np.array(reward), model.discount, model.rt, error, law, members, others, np.array(play))

    def value(self, model: Model, n: int, learned: Learned, width: float) -> Enclosure:
        """The mean over the first draw of the value of (g, members, others)."""
        size = model.sizes[2]
        found = self.chain(model, n, learned).enclose(width)
        first_draw = shared.WAY.weights(n, learned.k, size, counts.number_of_count_vectors(learned.k, size))
        drawn = first_draw.rows.tocoo()
        vectors, samples = counts.count_vectors(n, size), counts.count_vectors(learned.k, size)
        rest = counts.rank(vectors[drawn.row] - samples[drawn.col])
        flat = drawn.col.astype(np.int64) * counts.number_of_count_vectors(n - learned.k, size) + rest
        largest = Fraction(float(max(np.abs(found.lower).max(), np.abs(found.upper).max())))
        slack = round_up(first_draw.budget.mixing(EXACT, int(np.bincount(drawn.row).max())).error(largest))
        mean = [
            np.stack([np.bincount(drawn.row, weights=drawn.data * row[flat], minlength=len(vectors)) for row in end]).astype(np.float64)
            for end in (found.lower, found.upper)
        ]
        return Enclosure(add_down(mean[0], np.array(-slack)), add_up(mean[1], np.array(slack)), None, found.work)

    def parts(self, rng: np.random.Generator, learned: Learned, g: Integers, c: Integers) -> Integers:
        """Members and others."""
        members = random_draws.subsets(rng, c, learned.k)
        return np.stack([members, c - members], axis=1)

    def act(self, rng: np.random.Generator, learned: Learned, step: int, g: Integers, c: Integers) -> tuple[Integers, Integers]:
        """Members play their parts, the others copy."""
        played, members, copies = copying_act(rng, learned, g, c[:, 0], c[:, 1])
        return played, np.stack([members, copies], axis=1)


WAY = FixedSubset("fixed")
