"""The law of a uniform k-subset, and tables of laws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mfverify import counts
from mfverify.laws import ROUNDED, Law
from mfverify.subsample_mfq import draw_laws

if TYPE_CHECKING:
    from mfverify.notation import Exact, Floats, Integers


def subset_numerators(population: tuple[int, ...], samples: Integers) -> Exact:
    """``prod_s C(population_s, sample_s)`` for every sample, Python integers; 0 where the sample does not fit."""
    out: Exact = np.ones(len(samples), dtype=object)
    for s, size in enumerate(population):
        out = out * _binomials(size, int(samples[:, s].max(initial=0)))[samples[:, s]]
    return out


@lru_cache(maxsize=4096)
def _binomials(size: int, top: int) -> Exact:
    """``C(size, 0) .. C(size, top)``, Python integers."""
    column = np.zeros(top + 1, dtype=object)
    value = 1
    for j in range(min(top, size) + 1):
        column[j] = value
        value = value * (size - j) // (j + 1)
    return column


def subset_weights(n: int, k: int, size: int) -> Law[csr_array]:
    """Probabilities ``[rank of the counts, rank of the sample's counts]`` of a uniform k-subset; cost one law per count vector."""
    if size == 2:
        return draw_laws.draw_weights(n, k)
    return table([dict(counts.subsample_law(tuple(row), k)) for row in counts.count_vectors(n, size).tolist()], k, size)


def table(laws: Sequence[Mapping[tuple[int, ...], Fraction]], k: int, size: int) -> Law[csr_array]:
    """Laws of samples of k as rows of one sparse matrix over the ranks of their counts, each probability correctly rounded."""
    ends = np.concatenate([[0], np.cumsum([len(law) for law in laws])])
    samples: Integers = np.array([sample for law in laws for sample in law], dtype=np.int64)
    data: Floats = np.array([p.numerator / p.denominator for law in laws for p in law.values()])
    rows = csr_array((data, counts.rank(samples), ends), shape=(len(laws), counts.number_of_count_vectors(k, size)))
    return Law(rows, ROUNDED)
