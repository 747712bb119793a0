"""How far a row rises above others: against exact linear programming in rationals, and with a solver that lies."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from mfverify.mean_field import dominance
from mfverify.mean_field.dominance import needed, rise


def exact_rise(row: np.ndarray, base: np.ndarray) -> Fraction:
    """``max_F min_i <row - base_i, F>`` exactly: the optimum lies where as many terms are equal as F has positive entries."""
    terms = [[Fraction(float(a)) - Fraction(float(b)) for a, b in zip(row, other, strict=True)] for other in base]
    size = len(row)
    best = None
    for count in range(1, size + 1):
        for support in combinations(range(size), count):
            for equal in combinations(range(len(terms)), count):
                point = _vertex([[terms[i][s] for s in support] for i in equal])
                if point is not None:
                    worth = min(sum(f * t[s] for f, s in zip(point, support, strict=True)) for t in terms)
                    best = worth if best is None or worth > best else best
    assert best is not None
    return best


def _vertex(rows: list[list[Fraction]]) -> list[Fraction] | None:
    """The distribution at which the given linear functions are equal, or None: Gaussian elimination on Fractions."""
    size = len(rows)
    system = [[x - y for x, y in zip(row, rows[0], strict=True)] + [Fraction(0)] for row in rows[1:]] + [[Fraction(1)] * size + [Fraction(1)]]
    for column in range(size):
        pivot = next((r for r in range(column, size) if system[r][column] != 0), None)
        if pivot is None:
            return None
        system[column], system[pivot] = system[pivot], system[column]
        system[column] = [x / system[column][column] for x in system[column]]
        for r in range(size):
            if r != column:
                system[r] = [x - system[r][column] * y for x, y in zip(system[r], system[column], strict=True)]
    found = [row[-1] for row in system]
    return found if all(f >= 0 for f in found) else None


@pytest.mark.parametrize("seed", range(12))
def test_rise_is_an_upper_bound_of_the_exact_one_and_tight(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size, many = int(rng.integers(2, 4)), int(rng.integers(1, 6))
    rows, base = rng.normal(size=(5, size)).round(3), rng.normal(size=(many, size)).round(3)
    bound, where = rise(rows, base)
    for row, found, point in zip(rows, bound, where, strict=True):
        exact = exact_rise(row, base)
        assert exact <= Fraction(float(found)) <= exact + Fraction(1, 10**9)
        assert point.min() >= 0 and point.sum() == pytest.approx(1)


def test_a_solver_that_lies_changes_no_bound_for_the_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    rows, base = rng.normal(size=(20, 3)), rng.normal(size=(6, 3))
    exact = [exact_rise(row, base) for row in rows]

    def lie(some: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return rng.uniform(size=(len(some), len(others))), np.full_like(some, 1 / 3)

    monkeypatch.setattr(dominance, "_proposed", lie)
    bound, _ = rise(rows, base)
    assert all(e <= Fraction(float(b)) for e, b in zip(exact, bound, strict=True))
    kept, missing = needed(np.concatenate([rows, base]), 1e-9, np.empty((0, 3)))
    left = np.setdiff1d(np.arange(26), kept)
    every = np.concatenate([rows, base])
    assert all(exact_rise(every[i], every[kept]) <= Fraction(missing) for i in left)


def test_weights_of_zero_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dominance, "_proposed", lambda some, others: (np.zeros((len(some), len(others))), np.full_like(some, 0.5)))
    rows, base = np.array([[0.5, 0.5]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    assert rise(rows, base)[0][0] >= 0.5, "a single row bounds the rise by 1/2; an empty mixture must not replace it by less"


def test_needed_keeps_what_is_above_somewhere_and_drops_the_rest() -> None:
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.45, 0.45], [0.55, 0.55], [0.0, 0.0]])
    kept, missing = needed(rows, 0.0, np.empty((0, 2)))
    assert kept.tolist() == [0, 1, 3] and missing == 0.0
    kept, missing = needed(rows, 0.06, np.empty((0, 2)))
    assert kept.tolist() == [0, 1] and 0.05 <= missing <= 0.06
