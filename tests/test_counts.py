"""Count vectors against brute force: joint states of labelled agents listed one by one, subsets drawn one by one."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfverify import counts
from mfverify.errors import ModelError
from tests import oracles

SMALL = [(n, size) for n in range(6) for size in range(1, 5)]
populations = st.lists(st.integers(0, 4), min_size=1, max_size=4).filter(any)


@pytest.mark.parametrize(("n", "size"), SMALL)
def test_enumeration_is_that_of_labelled_agents_in_lexicographic_order(n: int, size: int) -> None:
    rows = [tuple(row) for row in counts.count_vectors(n, size).tolist()]
    assert rows == oracles.all_count_vectors(n, size)
    assert counts.number_of_count_vectors(n, size) == len(rows) == comb(n + size - 1, size - 1)


def test_enumeration_has_the_public_type_and_shape() -> None:
    rows = counts.count_vectors(3, 2)
    assert rows.dtype == np.int64
    assert rows.tolist() == [[0, 3], [1, 2], [2, 1], [3, 0]]


@pytest.mark.parametrize(("n", "size"), [*SMALL, (40, 3), (9, 6)])
def test_rank_is_the_inverse_of_the_enumeration(n: int, size: int) -> None:
    rows = counts.count_vectors(n, size)
    assert counts.rank(rows).tolist() == list(range(len(rows)))


@pytest.mark.parametrize(("n", "size"), [(40, 3), (9, 6)])
def test_large_enumerations_are_strictly_ascending_and_complete(n: int, size: int) -> None:
    rows = [tuple(row) for row in counts.count_vectors(n, size).tolist()]
    assert all(a < b for a, b in pairwise(rows))
    assert {sum(row) for row in rows} == {n}
    assert len(rows) == comb(n + size - 1, size - 1)


def test_rank_ranks_each_vector_among_those_of_its_own_total() -> None:
    mixed = np.array([[[0, 2], [2, 0]], [[1, 0], [0, 5]]])
    wanted = [[oracles.all_count_vectors(int(c.sum()), 2).index(tuple(c.tolist())) for c in row] for row in mixed]
    assert counts.rank(mixed).tolist() == wanted


@pytest.mark.parametrize("shape", [(4,), (1, 4), (2, 5, 4), (3, 1, 1, 4)])
def test_rank_runs_along_the_last_axis_of_any_shape(shape: tuple[int, ...]) -> None:
    """Also of vectors in a list, and of shorter integers."""
    given = np.arange(int(np.prod(shape)), dtype=np.int16).reshape(shape) % 3
    found = counts.rank(given)
    assert found.shape == shape[:-1]
    assert found.dtype == np.int64
    for place in np.ndindex(shape[:-1]):
        c = tuple(int(x) for x in given[place])
        assert found[place] == oracles.all_count_vectors(sum(c), 4).index(c)
    assert counts.rank([0, 2, 1]) == oracles.all_count_vectors(3, 3).index((0, 2, 1))


@pytest.mark.parametrize(("n", "size"), [(-1, 2), (2, 0), (-3, -3)])
def test_impossible_enumerations_are_refused(n: int, size: int) -> None:
    with pytest.raises(ModelError, match=rf"n={n}, size={size}"):
        counts.count_vectors(n, size)


@pytest.mark.parametrize("population", [p for p in product(range(4), repeat=3) if 1 <= sum(p) <= 6] + [(3,), (0, 5), (2, 0, 1, 3)])
def test_subsample_law_is_that_of_listed_subsets(population: tuple[int, ...]) -> None:
    for k in range(sum(population) + 1):
        law = counts.subsample_law(population, k)
        assert dict(law) == oracles.subset_law(population, k)
        samples = [sample for sample, _ in law]
        assert samples == sorted(set(samples))
        assert samples == list(counts.subcounts(population, k))


@given(populations, st.data())
def test_subsample_law_sums_to_one_and_has_the_mean_of_the_population(population: list[int], data: st.DataObject) -> None:
    n = sum(population)
    k = data.draw(st.integers(0, n))
    law = counts.subsample_law(tuple(population), k)
    assert sum(p for _, p in law) == 1
    assert all(p > 0 for _, p in law)
    for z, size in enumerate(population):
        assert sum(p * sample[z] for sample, p in law) == Fraction(k * size, n)


@pytest.mark.parametrize("k", [-1, 4])
def test_subsamples_larger_than_the_population_are_refused(k: int) -> None:
    with pytest.raises(ModelError, match=rf"subsample of {k} agents cannot be drawn from 3"):
        counts.subsample_law((1, 2), k)


@given(st.integers(1, 4).flatmap(lambda size: st.tuples(*(st.lists(st.integers(0, 9), min_size=size, max_size=size).filter(any),) * 2)))
def test_total_variation_is_the_largest_difference_of_an_event(pair: tuple[list[int], list[int]]) -> None:
    p, q = pair
    differences = [Fraction(a, sum(p)) - Fraction(b, sum(q)) for a, b in zip(p, q, strict=True)]
    events = product([0, 1], repeat=len(p))
    largest = max(abs(sum(d for d, inside in zip(differences, event, strict=True) if inside)) for event in events)
    assert counts.total_variation(tuple(p), tuple(q)) == largest


def test_total_variation_needs_distributions_on_one_set() -> None:
    with pytest.raises(ValueError, match="zip"):
        counts.total_variation((1, 2), (1, 1, 1))
