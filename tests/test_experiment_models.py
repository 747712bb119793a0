"""The paper's two tasks as models: every rule of the task is checked on the arrays, and values against closed forms."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from mfverify import Model, ModelError, counts
from mfverify.exact.optimal import optimal_value
from mfverify.models.exploration import STEPS, exploration
from mfverify.models.squeeze import distance_from_squeeze, squeeze, squeeze_weight
from mfverify.subsample_mfq.execution import execution_value
from mfverify.subsample_mfq.learning import learn


def _target(row: np.ndarray) -> int:
    (found,) = np.flatnonzero(row == 1)
    return int(found)


@pytest.mark.parametrize(("side", "reach"), [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)])
def test_an_agent_ends_in_the_nearest_cell_of_the_box(side: int, reach: int) -> None:
    model = exploration(side, reach)
    cells = list(product(range(side), repeat=2))
    for (s, cell), (g, centre), (a, step) in product(enumerate(cells), enumerate(cells), enumerate(STEPS)):
        wanted = (cell[0] + step[0], cell[1] + step[1])
        inside = [x for x in cells if max(abs(x[0] - centre[0]), abs(x[1] - centre[1])) <= reach]
        reached = cells[_target(model.local_kernel[s, g, a])]
        distance = {x: abs(x[0] - wanted[0]) + abs(x[1] - wanted[1]) for x in inside}
        assert reached in inside
        assert distance[reached] == min(distance.values())


def test_the_box_stays_on_the_grid() -> None:
    model = exploration(3)
    cells = list(product(range(3), repeat=2))
    for (g, centre), (b, step) in product(enumerate(cells), enumerate(STEPS)):
        wanted = (centre[0] + step[0], centre[1] + step[1])
        assert cells[_target(model.global_kernel[g, b])] == (wanted if wanted in cells else centre)


@pytest.mark.parametrize("side", [2, 3])
def test_everybody_at_the_hazard_with_the_equipment_need_not_move(side: int) -> None:
    model, n = exploration(side), 3
    last = side * side - 1
    all_agents = tuple(n * int(s == last) for s in range(side * side))
    value = optimal_value(model, n)[last, int(counts.rank(all_agents))]
    assert value.contains(1 / (1 - model.discount))


def test_sampling_costs_something_in_exploration() -> None:
    model, n = exploration(2), 4
    best = optimal_value(model, n)
    gaps = [(best - execution_value(model, n, learn(model, k))).max() for k in (1, n)]
    assert gaps[0] > 1
    assert gaps[1].contains(0)


def test_playing_the_announced_level_earns_the_squeeze_of_the_average() -> None:
    model = squeeze(levels=3, mu="1", sigma="2")
    for level in range(3):
        weight = squeeze_weight(Fraction(level), Fraction(1), Fraction(2))
        assert model.local_reward[level, level, level] == level * weight
        announced_and_played = optimal_value(model, 2, "rational")[level, int(counts.rank(tuple(2 * int(s == level) for s in range(3))))]
        assert (announced_and_played >= level * weight / (1 - model.discount)) is True


def test_distance_from_the_squeeze_is_attained_and_vanishes_without_a_squeeze() -> None:
    n, levels = 5, 3
    found = distance_from_squeeze(levels, n)
    averages = [Fraction(sum(a), n) for a in product(range(levels), repeat=n)]
    by_hand = {
        abs(y * squeeze_weight(Fraction(g), Fraction(1), Fraction(1)) - y * squeeze_weight(y, Fraction(1), Fraction(1)))
        for y in averages
        for g in range(levels)
    }
    assert found == max(by_hand) > 0
    assert distance_from_squeeze(levels, n, sigma="1000000") < Fraction(1, 1000)


def test_sampling_costs_something_in_the_squeeze() -> None:
    model, n = squeeze(), 8
    best = optimal_value(model, n)
    gaps = [(best - execution_value(model, n, learn(model, k))).max() for k in (1, n)]
    assert gaps[0] > Fraction(1, 10)
    assert gaps[1].contains(0)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: exploration(1), "side: found 1"),
        (lambda: exploration(3, -1), "reach: found -1"),
        (lambda: squeeze(1), "levels: found 1"),
        (lambda: squeeze(sigma="0"), "sigma: found 0"),
    ],
)
def test_parameters_without_a_meaning_are_refused(build, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match=words):
        model: Model = build()
        assert model
