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
from mfverify.subsample_mfq import random_draws
from mfverify.subsample_mfq.learning import UNDECIDED_ACTION, Learned
from mfverify.subsample_mfq.plays import Play, listed_play
from mfverify.subsample_mfq.shared_draws import SharedDraws
from mfverify.subsample_mfq.uniform_subset import subset_weights
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


def list_weights(n: int, k: int, size: int) -> Law[csr_array]:
    """Probabilities ``[rank of the counts, draw]`` of a uniform list, draws in the order of :func:`list_plays`."""
    drawn = subset_weights(n, k - 1, size)
    first = drawn.rows.tocoo()
    vectors, rest = counts.count_vectors(n, size), counts.count_vectors(k - 1, size)
    left = vectors[first.row] - rest[first.col]
    entries, last = np.nonzero(left)
    weights = first.data[entries] * (left[entries, last] / (n - k + 1))
    columns = first.col[entries].astype(np.int64) * size + last
    rows = csr_array((weights, (first.row[entries], columns)), shape=(len(vectors), len(rest) * size))
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


WAY = SharedDraws("shared-list", list_plays, list_weights, list_act)
