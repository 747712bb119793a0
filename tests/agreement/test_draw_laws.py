"""Probabilities of draws and of moves against exact rationals, entry by entry: roundings, what is lost, no overflow."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from math import comb, isqrt

import numpy as np
import pytest

from mfverify import counts
from mfverify.enclosure import UNIT_ROUNDOFF, rounding_error
from mfverify.laws import Budget
from mfverify.models import coordination
from mfverify.subsample_mfq import binomial_rows, draw_laws
from mfverify.subsample_mfq.draws import way
from mfverify.subsample_mfq.draws.stratified import stratified_law
from mfverify.subsample_mfq.execution import policy_marginals
from mfverify.subsample_mfq.learning import learn
from tests import oracles

FEW_ROUNDINGS = rounding_error(draw_laws.ROUNDINGS, Fraction(1))


def hypergeometric(marked: int, n: int, k: int) -> list[Fraction]:
    """The law of the marked among k of n."""
    return [Fraction(comb(marked, d) * comb(n - marked, k - d), comb(n, k)) for d in range(k + 1)]


def binomial(agents: int, odds: float) -> list[Fraction]:
    """The law of how many of the agents go to state 0, from the odds as they are."""
    for_zero, for_one = Fraction(odds).as_integer_ratio()
    weights = [comb(agents, m) * for_zero**m * for_one ** (agents - m) for m in range(agents + 1)]
    total = sum(weights)
    return [Fraction(w, total) for w in weights]


def check_window(found: dict[int, float], exact: list[Fraction], lost: Fraction) -> None:
    """What is found is the exact law conditioned on its window, to a few roundings, and the window loses no more than it says."""
    assert found
    inside = sum((exact[i] for i in found), Fraction(0))
    assert sorted(found) == list(range(min(found), max(found) + 1))
    assert 1 - inside <= lost
    for i, p in found.items():
        conditioned = exact[i] / inside
        assert abs(Fraction(p) - conditioned) <= FEW_ROUNDINGS * conditioned


def rows_of(table: object) -> Iterator[dict[int, float]]:
    """The rows of a sparse matrix."""
    for begin, end in pairwise(table.indptr.tolist()):  # type: ignore[attr-defined]
        yield dict(zip(table.indices[begin:end].tolist(), table.data[begin:end].tolist(), strict=True))  # type: ignore[attr-defined]


@pytest.mark.parametrize(("n", "k"), [(1, 1), (7, 3), (30, 30), (200, 60), (400, 11)])
def test_draws_are_the_exact_hypergeometric_laws(n: int, k: int) -> None:
    rows = list(rows_of(draw_laws.draw_weights(n, k).rows))
    assert len(rows) == n + 1
    for marked, row in enumerate(rows):
        check_window(row, hypergeometric(marked, n, k), draw_laws.LOST_OF_DRAW)


def test_large_draws_are_cut_where_nothing_is_left() -> None:
    n, k = 3000, 700
    table = draw_laws.draw_weights(n, k).rows
    rows = list(rows_of(table))
    for marked in (0, 3, 1500, 2999, 3000):
        check_window(rows[marked], hypergeometric(marked, n, k), draw_laws.LOST_OF_DRAW)
    assert table.nnz < (n + 1) * 25 * isqrt(k)


@pytest.mark.parametrize("odds", [2.0**-190, 1e-9, 1 / 3, 1.0, 17.5, 1e12, 2.0**190], ids=str)
@pytest.mark.parametrize("agents", [0, 1, 2, 50, 200])
def test_moves_are_the_exact_binomial_laws(agents: int, odds: float) -> None:
    first, law = draw_laws.move_law(agents, odds)
    check_window({first + i: float(p) for i, p in enumerate(law)}, binomial(agents, odds), draw_laws.LOST_OF_MOVE)


def test_certain_moves_are_certain() -> None:
    for odds, expected in ((0.0, 0), (float("inf"), 9)):
        first, law = draw_laws.move_law(9, odds)
        assert (first, law.tolist()) == (expected, [1.0])


def test_the_check_of_windows_can_fail() -> None:
    exact = hypergeometric(5, 10, 4)
    found = {i: float(p) for i, p in enumerate(exact)}
    check_window(found, exact, draw_laws.LOST_OF_DRAW)
    for wrong in (found | {2: found[2] * (1 + 2.0**-50)}, {i: p for i, p in found.items() if i}, found | {2: 0.0}):
        with pytest.raises(AssertionError):
            check_window(wrong, exact, draw_laws.LOST_OF_DRAW)


@pytest.mark.parametrize("sampling", ["independent", "with-replacement"])
@pytest.mark.parametrize(("n", "k"), [(1, 1), (6, 2), (60, 13), (45, 45), (150, 40)])
def test_certified_marginals_are_the_exact_ones(n: int, k: int, sampling: str) -> None:
    learned = learn(coordination(), k)
    exact = policy_marginals(learned, n, sampling)
    tables = (learned.global_action, learned.local_action)
    of_global, of_local, flagged = draw_laws.marginals(n, k, *tables, (2, 2), -2, sampling == "with-replacement")
    assert not flagged.any()
    compared = 0
    for found, truth in ((of_global, exact.global_action), (of_local, exact.local_action)):
        assert found.shape == truth.shape
        for p, q in zip(found.ravel(), truth.ravel(), strict=True):
            assert abs(Fraction(float(p)) - q) <= FEW_ROUNDINGS * q + 2 * draw_laws.LOST_OF_DRAW
            compared += 1
    assert compared == 2 * (n + 1) * (2 + 4)


def test_the_bound_of_what_odds_can_change_is_one() -> None:
    """Total variation between binomials of nearby odds, against the bound that the chains carry."""
    for n, theta in ((40, 1.0), (40, 0.01), (200, 3.0)):
        roundings = 7
        nearby = float(Fraction(theta) * (1 + roundings * UNIT_ROUNDOFF))
        assert nearby != theta
        moved = sum(abs(p - q) for p, q in zip(binomial(n, theta), binomial(n, nearby), strict=True))
        assert 0 < moved <= binomial_rows.moved(n, 1, Budget(roundings))


@pytest.mark.parametrize(("n", "k", "size"), [(5, 2, 2), (6, 4, 2), (4, 3, 3), (5, 5, 3), (7, 3, 2)])
def test_a_stratified_sample_is_one_of_places_at_equal_distances(n: int, k: int, size: int) -> None:
    for population in oracles.all_count_vectors(n, size):
        labels = [s for s, x in enumerate(population) for _ in range(x)]
        law: dict[tuple[int, ...], Fraction] = {}
        for i in range(n):
            v = Fraction(2 * i + 1, 2 * n)
            sample = oracles.counts_of([labels[int((v + j) * n / k)] for j in range(k)], size)
            law[sample] = law.get(sample, Fraction(0)) + Fraction(1, n)
        assert stratified_law(population, k) == law
        for sample in law:
            assert all(abs(Fraction(x, k) - Fraction(c, n)) < Fraction(1, k) for x, c in zip(sample, population, strict=True))
        mean = [sum(p * sample[s] for sample, p in law.items()) for s in range(size)]
        assert mean == [Fraction(k * c, n) for c in population]


@pytest.mark.parametrize(("n", "k", "size"), [(4, 1, 2), (5, 3, 2), (4, 4, 2), (4, 2, 3)])
def test_shared_lists_have_the_law_of_listed_orders(n: int, k: int, size: int) -> None:
    weights = way("shared-list").weights(n, k, size, counts.number_of_count_vectors(k - 1, size) * size)
    table = weights.rows.toarray()
    rest = [tuple(row) for row in counts.count_vectors(k - 1, size).tolist()]
    for c, population in enumerate(oracles.all_count_vectors(n, size)):
        law = np.zeros((len(rest), size))
        for sample, p in oracles.subset_law(population, k - 1).items():
            for last in range(size):
                law[rest.index(sample), last] = float(p * Fraction(population[last] - sample[last], n - k + 1))
        assert np.abs(table[c] - law.ravel()).max() <= float(weights.budget.error(Fraction(1)))
