"""How much randomness does subsampling need? (the paper's first open question): pools of subsets instead of fresh draws.

Pools are one of the ways of drawing (``subsample_mfq/draws/pool.py``); here are kinds of pools, what they cost in random bits and in
value, and where they lead a deterministic model.
"""

from __future__ import annotations

from itertools import combinations
from math import comb, gcd, log2
from typing import TYPE_CHECKING

import numpy as np

from mfverify import counts
from mfverify.enclosure import Enclosure
from mfverify.errors import ModelError
from mfverify.subsample_mfq.draws.pool import Order, Pool, check_pool, labelled_states, play, pool_value

if TYPE_CHECKING:
    from mfverify.exact.labelled_rational import LabelledState
    from mfverify.model import Model
    from mfverify.subsample_mfq.learning import Learned


def systematic(n: int, k: int, order: Order) -> Pool:
    """The ``n / gcd(n, k)`` evenly spaced subsets ``{floor((v + j) n / k)}``, ``v`` ascending: every agent is in equally many.

    At random this is systematic sampling (stratified, where names are sorted by state): ``log2(n / gcd(n, k))`` bits.
    """
    offsets = n // gcd(n, k)
    return Pool(tuple(tuple((i + j * offsets) * n // (k * offsets) for j in range(k)) for i in range(offsets)), order)


def low_discrepancy(n: int, k: int) -> Pool:
    """The same subsets, used cyclically in the order of the van der Corput sequence, so that few steps in a row are spread out.

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


def pool_gap(model: Model, n: int, best: Enclosure, learned: Learned, pool: Pool) -> Enclosure:
    """``V* - V`` for every start ``[place, labelled state]``, from the lumped optimum ``best`` of n agents."""
    value = pool_value(model, n, learned, pool)
    states = labelled_states(model, n)
    at = [(g, int(counts.rank(tuple(labels.count(s) for s in range(model.sizes[2]))))) for g, labels in states]
    of_best = [np.array([[part[g, c] for g, c in at]] * value.shape[0]) for part in (best.lower, best.upper)]
    return Enclosure(of_best[0], of_best[1]) - value


def cycle(model: Model, n: int, learned: Learned, pool: Pool, start: LabelledState) -> tuple[list[LabelledState], list[LabelledState]]:
    """The states that a deterministic model visits under a pool used in turn: those before the cycle, and the cycle.

    Raises :class:`ModelError` for a model with a random transition or a pool used at random: they have no cycle to show.
    """
    check_pool(model, n, learned, pool)
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
