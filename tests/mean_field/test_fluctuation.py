"""The distance of n agents from infinitely many, from the plans of a model: against enumerated agents and closed forms."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod, sqrt

import numpy as np
import pytest

from mfverify import models
from mfverify.exact.optimal import optimal_value, optimal_value_at
from mfverify.mean_field import fluctuation
from mfverify.mean_field.finite import distance, rate
from mfverify.mean_field.fluctuation import distances, root_up
from mfverify.mean_field.limit import mean_field_value
from mfverify.papers.ours.sharper_limit import toss

SMALL = Fraction(1, 10**12)


def enumerated(plans: list[list[Fraction]], laws: list[list[Fraction]]) -> Fraction:
    """``E max_i <alpha_i, F' - G>`` for one agent of each law, all joint moves written out."""
    n, size = len(laws), len(laws[0])
    mean = [sum(law[t] for law in laws) / n for t in range(size)]
    total = Fraction(0)
    for moves in product(range(size), repeat=n):
        weight = prod((law[t] for law, t in zip(laws, moves, strict=True)), start=Fraction(1))
        off = [Fraction(moves.count(t), n) - mean[t] for t in range(size)]
        total += weight * max(sum(a * x for a, x in zip(row, off, strict=True)) for row in plans)
    return total


@pytest.mark.parametrize("seed", range(8))
def test_fluctuation_of_enumerated_agents(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size, n = int(rng.integers(2, 4)), int(rng.integers(1, 5))
    plans = [[Fraction(int(x), 7) for x in row] for row in rng.integers(-9, 9, (int(rng.integers(2, 5)), size))]
    laws = [[Fraction(int(x), int(row.sum())) for x in row] for row in rng.integers(0, 4, (n, size)) + np.eye(size, dtype=int)[0]]
    random = [tuple(law) for law in laws if max(law) < 1]
    exact = enumerated(plans, laws)
    assert exact**2 * n <= fluctuation._fluctuation(plans, random) ** 2


def test_each_of_the_three_bounds_is_needed_and_none_may_be_halved() -> None:
    """A coin and two opposite plans: the mean of the maximum is 1 for one agent, the third bound; the others cover it by less than twice."""
    half, one = Fraction(1, 2), Fraction(1)
    rows, coin = [[one, -one], [-one, one]], [half, half]
    assert enumerated(rows, [coin]) == 1
    first, second = sqrt(2**2 * np.log(2) / 2), sqrt(2)
    assert 1 <= fluctuation._bounds(rows, [coin]) <= 1 + SMALL < min(first, second) < 2
    # Two plans that differ in one of six states: the second. Coins far apart: the first.
    single = [[one, *[0 * one] * 5], [-one, *[0 * one] * 5]]
    flat = [Fraction(1, 6)] * 6
    assert fluctuation._bounds(single, [flat]) == root_up(Fraction(2 * 5, 36)) < root_up(fluctuation._log_up(2) / 2)
    apart = [[one * x for x in (1, -1, 11, 9)], [one * x for x in (-1, 1, -11, -9)]]
    coins = [[half, half, 0 * one, 0 * one], [0 * one, 0 * one, half, half]]
    assert fluctuation._bounds(apart, coins) == root_up(2 * fluctuation._log_up(2)) < root_up(Fraction(2))


@pytest.mark.parametrize("discount", [Fraction(1, 100), Fraction(1, 2), Fraction(9, 10)])
def test_distance_of_one_agent_that_tosses_a_coin_is_attained(discount: Fraction) -> None:
    model = toss(discount)
    exact = optimal_value(model, 1, "rational").exact
    assert exact is not None
    limit = mean_field_value(model)
    slack = Fraction(limit.excess) / (1 - discount)
    found = distances(limit, 1)[0]
    assert exact[0, 0] == discount**2 / (1 - discount)
    assert exact[0, 0] <= found <= exact[0, 0] * (1 + SMALL) + slack


def test_deterministic_local_moves_make_n_agents_worth_as_much_as_infinitely_many() -> None:
    model = models.coordination()
    assert max(distances(mean_field_value(model), 7)) < SMALL
    (million,) = optimal_value_at(model, [(0, (500_000, 500_000))])
    (few,) = (optimal_value(model, 2, "rational").at(0, (1, 1)),)
    assert million.width < Fraction(1, 10**9) and million.contains(few.lower) and few.width == 0
    assert max(distance(mean_field_value(models.absorbing()), 7)) < rate(models.absorbing(), 7) / 2


def test_roots_and_logarithms_are_rounded_up() -> None:
    for square in (Fraction(2), Fraction(1, 3), Fraction(10**30), Fraction(1, 10**30)):
        assert square < root_up(square) ** 2
    assert root_up(Fraction(0)) == 0 and root_up(Fraction(4)) >= 2
    assert fluctuation._log_up(1) == 0
    assert Fraction(np.log(3)) - SMALL < fluctuation._log_up(3) < Fraction(np.log(3)) + SMALL
