"""The plan of the limit that a sample chooses: the first exact maximiser of the plans' linear functions, and what it plays."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mfverify import models
from mfverify.counts import count_vectors
from mfverify.errors import ModelError
from mfverify.model import Model
from mfverify.simulation import simulate
from mfverify.subsample_mfq import limit_plans
from mfverify.subsample_mfq.execution import execution_value
from mfverify.subsample_mfq.from_start import execution_value_from
from mfverify.subsample_mfq.learning import learn
from mfverify.subsample_mfq.limit_plans import acting, best_plans, limit_of


@pytest.mark.parametrize(
    "model", [models.coordination(), models.absorbing(), models.patrol(), models.random_coupled(16)], ids=lambda model: str(model.name)
)
def test_the_chosen_plan_is_the_first_exact_maximiser(model: Model) -> None:
    for g, rows in enumerate(limit_of(model).vectors):
        exact = [[Fraction(x) for x in row] for row in rows.tolist()]
        samples = count_vectors(5, model.sizes[2])
        chosen = best_plans(model, g, samples)
        for c, i in zip(samples.tolist(), chosen.tolist(), strict=True):
            worth = [sum((x * y for x, y in zip(c, row, strict=True)), Fraction(0)) for row in exact]
            assert worth.index(max(worth)) == i


def test_plans_that_differ_in_the_last_bit_are_told_apart_and_equal_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.coordination(eta="1/97")
    up = float(np.nextafter(1.0, 2.0))
    rows = np.array([[1.0, 1.0], [up, 1.0], [1.0, up], [up, 1.0]])
    limit = replace(limit_of(model), vectors=(rows, rows))
    monkeypatch.setattr(limit_plans, "limit_of", lambda _: limit)
    limit_plans._functions.cache_clear()
    try:
        assert best_plans(model, 0, np.array([[3, 0], [0, 3], [2, 1], [1, 2]])).tolist() == [1, 2, 1, 2]
        assert best_plans(model, 1, np.array([[1, 1], [2, 2]])).tolist() == [1, 1]  # plans 1, 2 and 3 are equal there
    finally:
        limit_plans._functions.cache_clear()


def test_all_agents_of_a_state_play_what_the_plan_says() -> None:
    model = models.patrol()
    limit, c = limit_of(model), np.array([[2, 0, 3], [1, 1, 1]])
    for i in range(len(limit.vectors[0])):
        played, chosen = acting(model, 0, np.array([i, i]), c)
        assert played.tolist() == [limit.global_action[0][i]] * 2
        assert (chosen.sum(axis=2) == c).all()
        for s, a in enumerate(limit.local_action[0][i].tolist()):
            assert chosen[:, s, a].tolist() == c[:, s].tolist()


@pytest.mark.parametrize("sampling", ["plan", "plan-fixed"])
def test_plans_look_up_no_table(sampling: str) -> None:
    """Without a table plans are worth what they are with one; agents that look one up are refused, and so are samples of nothing."""
    model, n, k = models.random_coupled(16), 6, 2
    nothing = learn(model, k, regime="none")
    without, table = (execution_value(model, n, policy, sampling) for policy in (nothing, learn(model, k)))
    assert (without.lower == table.lower).all() and (without.upper == table.upper).all()
    start = 0, (2, 4)
    runs = [simulate(model, n, policy, start, sampling=sampling, episodes=3).mean for policy in (nothing, learn(model, k))]
    assert runs[0] == runs[1]
    from_start = execution_value_from(model, n, nothing, start, sampling=sampling).value
    assert from_start.lower <= without[0, 2].upper and without[0, 2].lower <= from_start.upper
    for refused in (execution_value, simulate, execution_value_from):
        with pytest.raises(ModelError, match="learned: found no table"):
            refused(model, n, nothing, *(() if refused is execution_value else (start,)))
    with pytest.raises(ModelError, match="samples: found 3 with regime 'none'"):
        learn(model, k, samples=3, regime="none")
