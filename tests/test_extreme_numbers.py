"""Numbers at the ends of double precision leak no warning: the tests make errors of warnings."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import mfverify as mfv
from mfverify.laws import Budget, Law
from mfverify.subsample_mfq.binomial_rows import odds_of

SMALLEST = 2.0**-1074


def test_odds_of_moves_that_are_nearly_certain() -> None:
    """The quotient of the first row is beyond double precision."""
    moves = np.array([[1.0, SMALLEST], [SMALLEST, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.5, 0.25]])
    found = odds_of(Law(moves, Budget(1))).rows
    assert found.tolist() == [np.inf, 0.0, np.inf, 0.0, 0.0, 2.0]


@pytest.mark.parametrize("rare", [Fraction(1, 10**70), Fraction(1, 10**320), Fraction(1, 10**400)])
def test_a_model_with_rare_moves_is_solved_and_executed(rare: Fraction) -> None:
    often = 1 - rare
    stay, go = [often, rare], [rare, often]
    model = mfv.Model([[[1]]], [[[stay, go]], [[go, stay]]], [[0]], [[[1, 0]], [[0, 1]]], "1/2")
    learned = mfv.learn(model, 2)
    for sampling in ("independent", "with-replacement", "shared"):
        gap = mfv.optimal_value(model, 3) - mfv.execution_value(model, 3, learned, sampling)
        assert gap.max().upper >= 0
