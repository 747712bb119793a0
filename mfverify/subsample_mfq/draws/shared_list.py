"""Shared list: one uniform ordering of the agents for all; each agent uses itself and the first k - 1 others.

So the first k agents use the same sample, and an agent outside uses itself and the first k - 1. The marginals are those of
independent draws.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mfverify import counts
from mfverify.laws import ROUNDED, Law
from mfverify.subsample_mfq import draw_laws, random_draws
from mfverify.subsample_mfq.learning import UNDECIDED_ACTION, Learned
from mfverify.subsample_mfq.plays import Play, listed_play
from mfverify.subsample_mfq.shared_draws import SharedDraws
from mfverify.subsample_mfq.way import decided, undecided

if TYPE_CHECKING:
    from mfverify.notation import Integers


def list_plays(learned: Learned, g: int) -> list[Play]:
    """The play of every shared list in global state ``g``: by the counts of the first k - 1 agents, then the state of the k-th."""
    _, _, size, local_actions = learned.model.sizes
    rest = counts.count_vectors(learned.k - 1, size)
    ranks = [counts.rank(rest + np.eye(size, dtype=np.int64)[s]) for s in range(size)]
    of_global, of_local = learned.global_action[g], learned.local_action[g]
    plays = []
    for i, row in enumerate(rest.tolist()):
        for last in range(size):
            whole = int(ranks[last][i])
            b = int(of_global[whole])
            d = [0] * (size * local_actions)
            outside = []
            played = [b]
            for s in range(size):
                a = int(of_local[int(ranks[s][i]), s])
                outside.append(tuple(Fraction(int(x == a)) for x in range(local_actions)))
                played.append(a)
                number = row[s] + (s == last)
                if number:
                    own = int(of_local[whole, s])
                    played.append(own)
                    d[s * local_actions + own] = number
            if UNDECIDED_ACTION in played:
                raise undecided(f"the shared list {(g, tuple(row))}")
            plays.append(listed_play(b, tuple(d), tuple(outside)))
    return plays


def list_law(c: tuple[int, ...], k: int) -> dict[int, Fraction]:
    """Probabilities of a uniform list from a population, by the place of its play in :func:`list_plays`."""
    rest, probabilities = zip(*counts.subsample_law(c, k - 1), strict=True)
    places = (counts.rank(rest) * len(c)).tolist()
    return {
        place + s: p * Fraction(c[s] - first[s], sum(c) - k + 1)
        for place, first, p in zip(places, rest, probabilities, strict=True)
        for s in range(len(c))
        if c[s] > first[s]
    }


def two_state_list_weights(n: int, k: int) -> Law[csr_array]:
    """The same for all count vectors of two local states, ``[rank of the counts, place]``."""
    drawn = draw_laws.draw_weights(n, k - 1)
    first = drawn.rows.tocoo()
    vectors, rest = counts.count_vectors(n, 2), counts.count_vectors(k - 1, 2)
    left = vectors[first.row] - rest[first.col]
    entries, last = np.nonzero(left)
    weights = first.data[entries] * (left[entries, last] / (n - k + 1))
    columns = first.col[entries].astype(np.int64) * 2 + last
    rows = csr_array((weights, (first.row[entries], columns)), shape=(len(vectors), len(rest) * 2))
    return Law(rows, drawn.budget.times(ROUNDED))


def list_act(rng: np.random.Generator, learned: Learned, g: Integers, c: Integers) -> tuple[Integers, Integers]:
    """Draw the first k agents of a list in every episode and look up all actions."""
    _, _, size, actions = learned.model.sizes
    own = np.eye(size, dtype=np.int64)
    rest = random_draws.subsets(rng, c, learned.k - 1)
    whole = rest + own[random_draws.categorical(rng, (c - rest).astype(np.float64))]
    played = decided(learned.global_action[g, counts.rank(whole)], g, c)
    chosen = np.zeros((len(g), size, actions), dtype=np.int64)
    for s in range(size):
        for number, sample in ((whole[:, s], whole), (c[:, s] - whole[:, s], rest + own[s])):
            some = np.flatnonzero(number)
            action = decided(learned.local_action[g[some], counts.rank(sample[some]), s], g[some], c[some])
            chosen[some, s, action] += number[some]
    return played, chosen


WAY = SharedDraws("shared-list", list_plays, list_law, list_act, two_state_list_weights)
