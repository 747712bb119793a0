"""Pool: a list of k-subsets of the n agents, fixed in advance; at every step all agents use one of them.

The subsets are used in turn (no random bits) or at random (``log2`` of the length of the pool in bits; a pool of all subsets is
the shared draw). Members play their part of one maximising joint action, agents outside copy members in the same state, dealt out
evenly in the order of their names, so that copying costs no bits either; an agent whose state no member has plays action 0.

With few subsets the agents' names matter, so the system is labelled: states are (place in the pool, global state, local states of
agents 1..n). Meant for up to about ten agents. The value of a count vector is the mean over all ways to give names to agents, at
the first place. The word that users type stands for the blocks of k consecutive agents, used in turn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import product
from math import ceil, log2
from typing import TYPE_CHECKING

import numpy as np

from mfverify import costs, counts
from mfverify.enclosure import Enclosure, round_down, round_up
from mfverify.errors import ModelError
from mfverify.laws import EXACT, ROUNDED, Law
from mfverify.subsample_mfq.plays import joint_action
from mfverify.subsample_mfq.signals import Signals, all_states
from mfverify.subsample_mfq.way import Way

if TYPE_CHECKING:
    from mfverify.exact.labelled_rational import LabelledState
    from mfverify.model import Model
    from mfverify.notation import Integers
    from mfverify.subsample_mfq.learning import Learned


class Order(Enum):
    """Which subset of the pool a step uses; the value is the word for it."""

    IN_TURN = "in turn"
    RANDOM = "random"


@dataclass(frozen=True)
class Pool:
    """Subsets of agents (ascending names from 0) and the order in which steps use them."""

    subsets: tuple[tuple[int, ...], ...]
    order: Order

    @property
    def bits_per_step(self) -> float:
        """Random bits that a step needs."""
        return log2(len(self.subsets)) if self.order is Order.RANDOM else 0.0


def blocks(n: int, k: int, order: Order) -> Pool:
    """``ceil(n / k)`` consecutive subsets that cover all agents; the last one wraps around where k does not divide n."""
    return Pool(tuple(tuple(sorted((i * k + j) % n for j in range(k))) for i in range(ceil(n / k))), order)


def play(learned: Learned, state: LabelledState, subset: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """The global action and the local actions of all agents when ``subset`` is used: deterministic."""
    g, labels = state
    _, _, size, actions = learned.model.sizes
    sample = tuple(sum(1 for i in subset if labels[i] == s) for s in range(size))
    b, d = joint_action(learned, g, sample)
    dealt = [[a for a in range(actions) for _ in range(d[s * actions + a])] for s in range(size)]
    members, outside = [0] * size, [0] * size
    out = [0] * len(labels)
    inside = set(subset)
    for i, s in enumerate(labels):
        if i in inside:
            out[i] = dealt[s][members[s]]
            members[s] += 1
        elif dealt[s]:
            out[i] = dealt[s][outside[s] % len(dealt[s])]
            outside[s] += 1
    return b, tuple(out)


def pool_value(model: Model, n: int, learned: Learned, pool: Pool, width: float = 1e-9) -> Enclosure:
    """Enclose the value of executing a learned policy with a pool.

    Axes ``[place in the pool, index in labelled_states(model, n)]``; with a random order there is one place. Raises
    :class:`ModelError` for a pool that does not fit, :class:`TooLargeError` before any work beyond tens of millions of
    transition probabilities. Cost: states times subsets times next states.
    """
    check_pool(model, n, learned, pool)
    return Pools("pool", lambda _n, _k: pool).chain(model, n, learned).enclose(width)


def labelled_states(model: Model, n: int) -> list[LabelledState]:
    """All (global state, local states of agents 1..n), in the order of the chain's states."""
    g, c = all_states(model, (1,) * n)
    return [(h, tuple(labels)) for h, labels in zip(g.tolist(), c.argmax(axis=2).tolist(), strict=True)]


def check_pool(model: Model, n: int, learned: Learned, pool: Pool) -> None:
    """Refuse a pool that does not fit, or a policy of another model, by :class:`ModelError`."""
    if learned.model != model:
        raise ModelError(f"learned: the policy was learned on the model {learned.model.name!r}, which differs; learn it on this model")
    if not pool.subsets:
        raise ModelError("pool: found no subset, expected at least one")
    for subset in pool.subsets:
        if len(set(subset)) != learned.k or not all(0 <= i < n for i in subset):
            raise ModelError(f"pool: found the subset {subset}, expected {learned.k} different agents among 0..{n - 1}")


@dataclass(frozen=True, eq=False)
class Pools(Way):
    """The way of using a pool that depends on the numbers of agents; each agent is a part of the population."""

    pool_of: Callable[[int, int], Pool]

    def cost(self, model: Model, n: int, k: int) -> costs.Cost:
        """A row for each place and labelled state."""
        labelled = costs.power(model.sizes[2], n)
        return costs.executing(model, n, k, self.word, labelled, labelled * model.sizes[0])

    def sizes(self, model: Model, n: int, k: int) -> tuple[int, ...]:
        """Each agent is a part."""
        return (1,) * n

    def period(self, n: int, k: int) -> int:
        """The length of a pool that is used in turn."""
        pool = self.pool_of(n, k)
        return len(pool.subsets) if pool.order is Order.IN_TURN else 1

    def beginnings(self, learned: Learned, g: int, c: tuple[int, ...]) -> list[tuple[Fraction, list[tuple[int, ...]]]]:
        """All ways to give names to agents are equally likely."""
        named = [s for s in product(range(len(c)), repeat=sum(c)) if all(s.count(t) == x for t, x in enumerate(c))]
        return [(Fraction(1, len(named)), [tuple(int(t == s) for t in range(len(c))) for s in labels]) for labels in named]

    def signals(self, learned: Learned, n: int) -> Callable[[int, Integers, Integers], Signals]:
        """One signal for each subset that a step may use."""
        model, pool = learned.model, self.pool_of(n, learned.k)
        check_pool(model, n, learned, pool)
        kernel, reward = model.floats("local_kernel"), model.floats("local_reward")
        global_kernel, global_reward = model.floats("global_kernel"), model.floats("global_reward")

        def step(t: int, g: Integers, c: Integers) -> Signals:
            used = pool.subsets if pool.order is Order.RANDOM else [pool.subsets[t % len(pool.subsets)]]
            labels = np.repeat(c.argmax(axis=2), len(used), axis=0)
            of_signal = np.repeat(g, len(used))
            states = zip(g.tolist(), c.argmax(axis=2).tolist(), strict=True)
            plays = [play(learned, (h, tuple(s)), subset) for h, s in states for subset in used]
            b, a = np.array([b for b, _ in plays]), np.array([acted for _, acted in plays])
            return Signals(
                np.arange(len(g) + 1) * len(used),
                Law(np.full(len(plays), 1 / len(used)), ROUNDED if len(used) > 1 else EXACT),
                Law(global_kernel[of_signal, b], ROUNDED),
                Law(global_reward[of_signal, b], ROUNDED),
                np.arange(n),
                np.ones((len(plays), n), dtype=np.int64),
                Law(kernel[labels, of_signal[:, None], a], ROUNDED),
                Law(reward[labels, of_signal[:, None], a], ROUNDED),
            )

        return step

    def value(self, model: Model, n: int, learned: Learned, width: float) -> Enclosure:
        """The mean over the labelled states of a count vector, at the first place."""
        found = super().value(model, n, learned, width)
        global_states, _, size, _ = model.sizes
        ends: dict[tuple[int, int], list[tuple[Fraction, Fraction]]] = defaultdict(list)
        for i, (g, labels) in enumerate(labelled_states(model, n)):
            entry = found[0, i]
            ends[g, int(counts.rank([labels.count(s) for s in range(size)]))].append((entry.lower, entry.upper))
        mean = np.empty((2, global_states, counts.number_of_count_vectors(n, size)))
        for (g, c), of_state in ends.items():
            lower, upper = (sum(end) / len(of_state) for end in zip(*of_state, strict=True))
            mean[:, g, c] = round_down(lower), round_up(upper)
        return Enclosure(mean[0], mean[1], None, found.work)

    def parts(self, rng: np.random.Generator, learned: Learned, g: Integers, c: Integers) -> Integers:
        """Names for all agents, in random order."""
        labels = np.array([np.repeat(np.arange(c.shape[1]), row) for row in c])
        named: Integers = np.eye(c.shape[1], dtype=np.int64)[rng.permuted(labels, axis=1)]
        return named

    def act(self, rng: np.random.Generator, learned: Learned, step: int, g: Integers, c: Integers) -> tuple[Integers, Integers]:
        """The members of one subset play their parts, the others copy in the order of names."""
        n, labels = c.shape[1], c.argmax(axis=2)
        pool = self.pool_of(n, learned.k)
        check_pool(learned.model, n, learned, pool)
        places = len(pool.subsets)
        used = rng.integers(places, size=len(g)) if pool.order is Order.RANDOM else np.full(len(g), step % places)
        plays = [play(learned, (h, tuple(s)), pool.subsets[i]) for h, s, i in zip(g.tolist(), labels.tolist(), used.tolist(), strict=True)]
        chosen = np.zeros((*c.shape, learned.model.sizes[3]), dtype=np.int64)
        chosen[np.arange(len(g))[:, None], np.arange(n), labels, np.array([acted for _, acted in plays])] = 1
        return np.array([b for b, _ in plays]), chosen


WAY = Pools("pool", lambda n, k: blocks(n, k, Order.IN_TURN))
