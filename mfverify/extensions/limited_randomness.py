"""How much randomness does subsampling need? (the paper's first open question): pools of subsets instead of fresh draws.

A *pool* is a list of k-subsets of the n agents, fixed in advance. At every step one of them is used by everybody, in turn (no random
bits) or at random (``log2`` of the length of the pool in bits; a pool of all subsets is the shared draw of ``subsample_mfq``). Its
members play their part of one maximising joint action, agents outside copy members in the same state, dealt out evenly in the
order of their names, so that copying costs no bits either; an agent whose state no member has plays action 0.

With few subsets the agents' names matter, so the system is labelled: states are (place in the pool, global state, local states of
agents 1..n), and values are enclosed as everywhere, by one application of the policy's operator with its rounding bounded. Meant
for up to about ten agents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations, product
from math import ceil, comb, gcd, log2
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mfverify import counts
from mfverify.enclosure import UNDERFLOW, UNIT_ROUNDOFF, Enclosure
from mfverify.errors import ModelError, TooLargeError
from mfverify.exact.policy_value import JointChain
from mfverify.subsample_mfq.plays import joint_action

if TYPE_CHECKING:
    from mfverify.exact.labelled_rational import LabelledState
    from mfverify.model import Model
    from mfverify.subsample_mfq.learning import Learned

_MOST_ENTRIES = 3 * 10**7


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


def systematic(n: int, k: int, order: Order) -> Pool:
    """The ``n / gcd(n, k)`` evenly spaced subsets ``{floor((v + j) n / k)}``, ``v`` ascending: every agent is in equally many.

    At random this is systematic sampling (stratified, where names are sorted by state): ``log2(n / gcd(n, k))`` bits.
    """
    offsets = n // gcd(n, k)
    return Pool(tuple(tuple((i + j * offsets) * n // (k * offsets) for j in range(k)) for i in range(offsets)), order)


def low_discrepancy(n: int, k: int) -> Pool:
    """The same subsets in turn, in the order of the van der Corput sequence, so that any few steps in a row are spread out.

    Source: van der Corput 1935: the offsets ``v`` in bit-reversed order. No random bits.
    """
    pool = systematic(n, k, Order.IN_TURN)
    bits = (len(pool.subsets) - 1).bit_length()
    reversed_bits = sorted(range(len(pool.subsets)), key=lambda i: int(f"{i:0{bits}b}"[::-1], 2) if bits else 0)
    return Pool(tuple(pool.subsets[i] for i in reversed_bits), Order.IN_TURN)


def fixed(k: int) -> Pool:
    """The first k agents at every step."""
    return Pool((tuple(range(k)),), Order.IN_TURN)


def all_subsets(n: int, k: int) -> Pool:
    """Every k-subset, at random: ``log2 C(n, k)`` bits."""
    return Pool(tuple(combinations(range(n), k)), Order.RANDOM)


def independent_bits(n: int, k: int) -> float:
    """Bits per step of Algorithm 2's independent draws: one k-subset, and a (k-1)-subset of the others for each agent."""
    return log2(comb(n, k)) + n * log2(comb(n - 1, k - 1))


def play(learned: Learned, state: LabelledState, subset: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """The global action and everybody's local action when ``subset`` is used: deterministic."""
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
    transitions. Cost: states times subsets times next states.
    """
    _check(model, n, learned, pool)
    states = labelled_states(model, n)
    places = len(pool.subsets) if pool.order is Order.IN_TURN else 1
    reached = int(max(np.count_nonzero(np.array(row, dtype=float)) for row in model.local_kernel.reshape(-1, model.sizes[2])))
    entries = len(pool.subsets) * len(states) * model.sizes[0] * reached**n
    if entries > _MOST_ENTRIES:
        raise TooLargeError(f"{n} labelled agents have up to {entries:.3g} transitions, more than {_MOST_ENTRIES:.0e}; use fewer agents")
    number = {state: i for i, state in enumerate(states)}
    local, of_global = model.floats("local_kernel"), model.floats("global_kernel")
    rows: list[int] = []
    columns: list[int] = []
    weights: list[float] = []
    reward = np.zeros((places, len(states)))
    share = 1.0 / len(pool.subsets) if pool.order is Order.RANDOM else 1.0
    for place, subset in enumerate(pool.subsets):
        here, following = (place, (place + 1) % places) if pool.order is Order.IN_TURN else (0, 0)
        for i, state in enumerate(states):
            g, labels = state
            b, acted = play(learned, state, subset)
            exact = model.global_reward[g, b] + sum(model.local_reward[s, g, a] for s, a in zip(labels, acted, strict=True)) / n
            reward[here, i] += share * float(exact)
            supports = [np.flatnonzero(local[s, g, a]) for s, a in zip(labels, acted, strict=True)]
            for h in np.flatnonzero(of_global[g, b]):
                for target in product(*supports):
                    p = share * of_global[g, b, h]
                    for s, a, t in zip(labels, acted, target, strict=True):
                        p *= local[s, g, a, t]
                    rows.append(here * len(states) + i)
                    columns.append(following * len(states) + number[int(h), tuple(int(t) for t in target)])
                    weights.append(p)
    law = csr_array((weights, (rows, columns)), shape=(reward.size, reward.size))
    # A weight: the share, the global row, one local row per agent, all rounded, their products; entries that meet are added up.
    roundings = 2 * (n + 2) + len(pool.subsets)
    # Each term of the reward is rounded twice and added: relative errors of at most 2 + len(subsets) roundings.
    reward_error = (3 + len(pool.subsets)) * 2 * (UNIT_ROUNDOFF * model.rt + UNDERFLOW)
    return JointChain(reward, model.discount, roundings, model.rt, reward_error, law).enclose(width)


def pool_gap(model: Model, n: int, best: Enclosure, learned: Learned, pool: Pool) -> Enclosure:
    """``V* - V`` for every start ``[place, labelled state]``, from the lumped optimum ``best`` of n agents."""
    value = pool_value(model, n, learned, pool)
    states = labelled_states(model, n)
    at = [(g, int(counts.rank(tuple(labels.count(s) for s in range(model.sizes[2]))))) for g, labels in states]
    of_best = [np.array([[part[g, c] for g, c in at]] * value.shape[0]) for part in (best.lower, best.upper)]
    return Enclosure(of_best[0], of_best[1]) - value


def labelled_states(model: Model, n: int) -> list[LabelledState]:
    """All (global state, local states of agents 1..n), lexicographically ascending."""
    return [(g, labels) for g in range(model.sizes[0]) for labels in product(range(model.sizes[2]), repeat=n)]


def cycle(model: Model, n: int, learned: Learned, pool: Pool, start: LabelledState) -> tuple[list[LabelledState], list[LabelledState]]:
    """Where a deterministic model goes under a pool used in turn: the states before the cycle, and the cycle.

    Raises :class:`ModelError` for a model with a random transition or a pool used at random: they have no cycle to show.
    """
    _check(model, n, learned, pool)
    certain = all(p in (0, 1) for p in (*model.global_kernel.ravel(), *model.local_kernel.ravel()))
    if not certain or pool.order is Order.RANDOM:
        raise ModelError(
            f"cycle: {model.name!r} under a pool used {pool.order.value}; expected deterministic transitions and a pool used in turn"
        )
    seen: dict[tuple[int, LabelledState], int] = {}
    path: list[LabelledState] = []
    place, state = 0, start
    while (place, state) not in seen:
        seen[place, state] = len(path)
        path.append(state)
        g, labels = state
        b, acted = play(learned, state, pool.subsets[place])
        moved = tuple(int(np.flatnonzero(model.local_kernel[s, g, a] == 1)[0]) for s, a in zip(labels, acted, strict=True))
        state = int(np.flatnonzero(model.global_kernel[g, b] == 1)[0]), moved
        place = (place + 1) % len(pool.subsets)
    first = seen[place, state]
    return path[:first], path[first:]


def _check(model: Model, n: int, learned: Learned, pool: Pool) -> None:
    if learned.model != model:
        raise ModelError(f"learned: the policy was learned on the model {learned.model.name!r}, which differs; learn it on this model")
    if not pool.subsets:
        raise ModelError("pool: found no subset, expected at least one")
    for subset in pool.subsets:
        if len(set(subset)) != learned.k or not all(0 <= i < n for i in subset):
            raise ModelError(f"pool: found the subset {subset}, expected {learned.k} different agents among 0..{n - 1}")
