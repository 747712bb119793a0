"""Pools of subsets against the shared draw, the optimum, and walks followed by hand."""

from __future__ import annotations

from itertools import pairwise
from math import gcd

import numpy as np
import pytest

from mfverify import ModelError, counts, models
from mfverify.exact.optimal import optimal_value
from mfverify.extensions.limited_randomness import all_subsets, cycle, fixed, independent_bits, low_discrepancy, pool_gap, systematic
from mfverify.model import Model
from mfverify.subsample_mfq.draws.pool import Order, Pool, blocks, labelled_states, play, pool_value
from mfverify.subsample_mfq.execution import execution_value
from mfverify.subsample_mfq.learning import learn


@pytest.mark.parametrize(("n", "k"), [(3, 1), (4, 3), (5, 3)])
def test_a_pool_of_all_subsets_is_the_shared_draw(n: int, k: int) -> None:
    """On coordination all members in one state play the same action, so that it does not matter which of them is copied."""
    model = models.coordination()
    learned = learn(model, k)
    value = pool_value(model, n, learned, all_subsets(n, k))
    shared = execution_value(model, n, learned, "shared")
    states = labelled_states(model, n)
    assert len(states) == 2 * 2**n
    for i, (g, labels) in enumerate(states):
        c = int(counts.rank((labels.count(0), labels.count(1))))
        assert (value[0, i] - shared[g, c]).contains(0)
        assert value[0, i].width < 1e-9


@pytest.mark.parametrize("model", [models.coordination(), models.absorbing(), models.splitting(), models.random_coupled(4)])
def test_the_full_sample_is_optimal(model: Model) -> None:
    n = 3
    gap = pool_gap(model, n, optimal_value(model, n), learn(model, n), fixed(n))
    assert all(gap[0, i].contains(0) for i in range(gap.shape[1]))


def test_sampling_less_costs_something() -> None:
    model, n = models.random_coupled(4), 4
    best = optimal_value(model, n)
    gap = pool_gap(model, n, best, learn(model, 1), fixed(1))
    assert gap.max().lower > 0


def test_a_fixed_subset_can_be_outvoted_for_ever() -> None:
    """One agent of five is followed by those in its own state only; by hand: agent 0 stays at 0 with the global agent."""
    model, n = models.coordination(), 5
    learned = learn(model, 1)
    before, turning = cycle(model, n, learned, fixed(1), (0, (0, 1, 1, 1, 1)))
    # Agents at 1 see no member at 1, so they play action 0 and join.
    assert (before, turning) == ([(0, (0, 1, 1, 1, 1))], [(0, (0, 0, 0, 0, 0))])


def test_a_walk_is_what_the_plays_say() -> None:
    model, n = models.coordination(), 4
    learned, pool = learn(model, 2), blocks(4, 2, Order.IN_TURN)
    assert pool.subsets == ((0, 1), (2, 3))
    start = (0, (1, 1, 0, 0))
    before, turning = cycle(model, n, learned, pool, start)
    walk = before + turning
    for i, (here, there) in enumerate(pairwise(walk)):
        b, acted = play(learned, here, pool.subsets[i % 2])
        assert there == (b, acted)
    # The first block sees all agents at 1: the global agent goes there; agents at 0 have no agent to copy and play 0.
    assert walk[1] == (1, (1, 1, 0, 0))


def test_members_get_their_parts_and_outsiders_copy_in_turn() -> None:
    model = models.splitting()
    learned = learn(model, 2)
    # Two agents in 0: one gambles, one stays; the outsiders copy one of each, then start again.
    _, acted = play(learned, (0, (0, 0, 0, 0, 0)), (0, 1))
    assert acted == (0, 1, 0, 1, 0)


@pytest.mark.parametrize(("n", "k"), [(8, 3), (8, 4), (6, 4), (7, 7), (5, 1)])
def test_evenly_spaced_subsets_use_every_agent_equally_often(n: int, k: int) -> None:
    pool = systematic(n, k, Order.RANDOM)
    assert len(pool.subsets) == len(set(pool.subsets)) == n // gcd(n, k)
    assert all(len(set(subset)) == k and subset == tuple(sorted(subset)) for subset in pool.subsets)
    assert {sum(agent in subset for subset in pool.subsets) for agent in range(n)} == {k // gcd(n, k)}
    # Sorted by state, each subset has every state's share of k, rounded up or down: that is what stratified means.
    for first in range(n + 1):
        for subset in pool.subsets:
            assert abs(sum(agent < first for agent in subset) - first * k / n) < 1
    assert pool.bits_per_step == pytest.approx(np.log2(n // gcd(n, k)))


def test_the_van_der_corput_order_spreads_neighbours() -> None:
    pool = low_discrepancy(8, 1)
    assert [subset[0] for subset in pool.subsets] == [0, 4, 2, 6, 1, 5, 3, 7]
    assert pool.bits_per_step == 0
    assert sorted(low_discrepancy(6, 4).subsets) == sorted(systematic(6, 4, Order.IN_TURN).subsets)
    assert low_discrepancy(4, 4).subsets == ((0, 1, 2, 3),)


def test_bits() -> None:
    assert fixed(3).bits_per_step == 0
    assert blocks(8, 2, Order.RANDOM).bits_per_step == 2
    assert all_subsets(4, 2).bits_per_step == pytest.approx(np.log2(6))
    assert independent_bits(4, 2) == pytest.approx(np.log2(6) + 4 * np.log2(3))


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda m: pool_value(m, 3, learn(m, 2), Pool(((0, 0),), Order.RANDOM)), "pool: found the subset"),
        (lambda m: pool_value(m, 3, learn(m, 2), Pool(((0, 3),), Order.RANDOM)), "pool: found the subset"),
        (lambda m: pool_value(m, 3, learn(m, 2), Pool((), Order.RANDOM)), "pool: found no subset"),
        (lambda m: cycle(m, 3, learn(m, 2), all_subsets(3, 2), (0, (0, 0, 0))), "expected deterministic transitions"),
        (lambda _m: cycle(models.absorbing(), 2, learn(models.absorbing(), 1), fixed(1), (0, (0, 0))), "expected deterministic"),
        (lambda m: pool_value(models.absorbing(), 3, learn(m, 2), fixed(2)), "learned on the model"),
    ],
)
def test_what_does_not_fit_is_refused(act, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match=words):
        act(models.coordination())
