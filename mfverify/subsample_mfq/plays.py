"""Draws that all agents share: what one draw makes everybody do, and how likely each draw is.

Given the draw all agents act independently, so a step is a mixture over draws of independent moves. A *play* is what one draw
leads to: the global action; per local state the mixture of actions of the agents *outside* the sample; and the action counts
of its *members*, listed only where they differ from that (a state whose members all play what outsiders play needs no list).

- Shared subset (claim R4): one uniform k-subset for everybody. Members play their own part of one maximising joint action, an
  agent outside copies a uniformly random member in its state, or plays action 0 where there is none.
- Shared list: one uniform ordering of the agents for everybody; each uses itself and the first k - 1 others. So the first k
  use the same sample, and an agent outside uses itself and the first k - 1. The marginals are those of independent draws.
- Stratified subset: as the shared subset, drawn by systematic sampling from the agents ordered by local state: the agents at
  the places ``floor((v + j) n / k)``, ``j = 0 .. k-1``, with ``v`` uniform on [0, 1). Every agent is drawn with probability k/n, and
  the sample's count of every local state is its share of k rounded up or down.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mfverify import counts
from mfverify.errors import UndecidedTieError
from mfverify.subsample_mfq import draw_laws
from mfverify.subsample_mfq.learning import UNDECIDED_ACTION, Learned

if TYPE_CHECKING:
    from mfverify.exact.rational import JointAction
    from mfverify.notation import Exact, Floats, Integers

WEIGHT_ROUNDINGS = draw_laws.ROUNDINGS + 2
"""Roundings of the probability of a draw, whichever kind it is."""


@dataclass(frozen=True)
class Play:
    """What one draw makes everybody do.

    ``members`` lists ``(local state, action, number)`` where members differ from outsiders; ``outside[s][a]`` is the
    probability that an agent in state ``s`` that is not listed plays ``a``.
    """

    global_action: int
    members: tuple[tuple[int, int, int], ...]
    outside: tuple[tuple[Fraction, ...], ...]


def joint_action(learned: Learned, g: int, sample: tuple[int, ...]) -> JointAction:
    """The joint action that a shared sample plays: the lexicographically smallest maximiser (a_g, action counts over Z_l).

    Only maximisers listed in ``learned.choices`` count: there, of the actions of a local state with one kernel and one
    reward only the smallest is played.
    """
    actions = learned.choices[g, sample].actions
    if actions is None:
        raise UndecidedTieError(f"sample {(g, sample)}: the tie between joint actions is undecided at this size; use a smaller subsample")
    return min(actions)


def copied_mixture(action_counts: tuple[int, ...], sample: tuple[int, ...], s: int, local_actions: int) -> Exact:
    """What an agent in state ``s`` outside a shared sample plays: the action of a uniformly random member in ``s``, or action 0."""
    if sample[s] == 0:
        return np.array([Fraction(int(a == 0)) for a in range(local_actions)], dtype=object)
    return np.array([Fraction(action_counts[s * local_actions + a], sample[s]) for a in range(local_actions)], dtype=object)


def copying_plays(learned: Learned, g: int) -> list[Play]:
    """The play of every sample in global state ``g``, in the order of ``count_vectors(k, |S_l|)``; outsiders copy."""
    _, _, size, local_actions = learned.model.sizes
    plays = []
    for row in counts.count_vectors(learned.k, size).tolist():
        sample = tuple(row)
        b, d = joint_action(learned, g, sample)
        outside = tuple(tuple(copied_mixture(d, sample, s, local_actions)) for s in range(size))
        plays.append(_play(b, d, outside))
    return plays


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
                raise UndecidedTieError(
                    f"list {(g, tuple(row))}: a sample leads to a tie that is undecided at this size; use a smaller subsample"
                )
            plays.append(_play(b, tuple(d), tuple(outside)))
    return plays


def _play(b: int, d: tuple[int, ...], outside: tuple[tuple[Fraction, ...], ...]) -> Play:
    """Members are listed where they do not all play what outsiders play."""
    local_actions = len(outside[0])
    members = []
    for s, mixture in enumerate(outside):
        played = [(s, a, d[s * local_actions + a]) for a in range(local_actions) if d[s * local_actions + a]]
        if any(mixture[a] != 1 for _, a, _ in played):
            members += played
    return Play(b, tuple(members), outside)


# ------------------------------------------------------------------------------------------------------- how likely a draw is


def subset_weights(n: int, k: int, size: int) -> csr_array:
    """Probabilities ``[rank of the counts, rank of the sample's counts]`` of a uniform k-subset; cost one law per count vector."""
    if size == 2:
        return draw_laws.draw_weights(n, k)
    return _table(
        [{_rank(sample): p for sample, p in counts.subsample_law(tuple(row), k)} for row in counts.count_vectors(n, size).tolist()],
        counts.number_of_count_vectors(k, size),
    )


def list_weights(n: int, k: int, size: int) -> csr_array:
    """Probabilities ``[rank of the counts, draw]`` of a uniform list, draws in the order of :func:`list_plays`."""
    first = subset_weights(n, k - 1, size).tocoo()
    vectors, rest = counts.count_vectors(n, size), counts.count_vectors(k - 1, size)
    left = vectors[first.row] - rest[first.col]
    entries, last = np.nonzero(left)
    weights = first.data[entries] * (left[entries, last] / (n - k + 1))
    columns = first.col[entries].astype(np.int64) * size + last
    return csr_array((weights, (first.row[entries], columns)), shape=(len(vectors), len(rest) * size))


def stratified_law(population: tuple[int, ...], k: int) -> dict[tuple[int, ...], Fraction]:
    """The law of the counts of a systematic sample of k agents from a population ordered by local state, exactly.

    Before cumulated count ``C`` lie ``ceil(C k / n - v)`` places, so the counts change where ``v`` passes a fractional part of
    ``C_s k / n``: at most ``|S_l|`` samples are possible.
    """
    n = sum(population)
    marks = [Fraction(sum(population[: s + 1]) * k, n) for s in range(len(population))]
    steps = sorted({Fraction(0), *(m - m.numerator // m.denominator for m in marks)})
    law: dict[tuple[int, ...], Fraction] = {}
    for low, high in zip(steps, [*steps[1:], Fraction(1)], strict=True):
        middle = (low + high) / 2
        before = [0, *(ceil(m - middle) for m in marks)]
        sample = tuple(y - x for x, y in pairwise(before))
        law[sample] = law.get(sample, Fraction(0)) + high - low
    return law


def stratified_weights(n: int, k: int, size: int) -> csr_array:
    """Probabilities ``[rank of the counts, rank of the sample's counts]`` of a stratified subset (:func:`stratified_law`)."""
    return _table(
        [{_rank(sample): p for sample, p in stratified_law(tuple(row), k).items()} for row in counts.count_vectors(n, size).tolist()],
        counts.number_of_count_vectors(k, size),
    )


def _rank(sample: tuple[int, ...]) -> int:
    return sample[0] if len(sample) == 2 else int(counts.rank(sample))


def _table(laws: list[dict[int, Fraction]], columns: int) -> csr_array:
    """Laws as rows of one sparse matrix, each probability correctly rounded."""
    ends = np.concatenate([[0], np.cumsum([len(law) for law in laws])])
    indices: Integers = np.array([i for law in laws for i in law], dtype=np.int64)
    data: Floats = np.array([p.numerator / p.denominator for law in laws for p in law.values()])
    return csr_array((data, indices, ends), shape=(len(laws), columns))
