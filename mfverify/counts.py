"""Count vectors: enumerate, rank, and the exact laws of subsamples.

A population of ``n`` agents in ``size`` classes is, up to the names of the agents, a count vector: ``size`` integers
>= 0 with sum ``n``. There are ``C(n + size - 1, size - 1)``. Their one public order is lexicographic, ascending, so
``(0, .., 0, n)`` comes first. The laws below are hypergeometric: a uniform k-subset of a population (paper, section 3).
They are computed in integers; nothing here rounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb, prod
from typing import TYPE_CHECKING

import numpy as np

from mfverify.errors import ModelError

if TYPE_CHECKING:
    from mfverify.notation import Integers


def number_of_count_vectors(n: int, size: int) -> int:
    """``C(n + size - 1, size - 1)``: how many count vectors of ``n`` agents in ``size`` classes there are."""
    return comb(n + size - 1, size - 1)


def count_vectors(n: int, size: int) -> Integers:
    """All count vectors of ``n`` agents in ``size`` classes.

    Parameters
    ----------
    n
        Number of agents, at least 0.
    size
        Number of classes, at least 1.

    Returns
    -------
    numpy.ndarray
        Integers of shape ``(C(n+size-1, size-1), size)``, rows sorted lexicographically, ascending.

    Raises
    ------
    ModelError
        A number below its range.

    Examples
    --------
    >>> count_vectors(2, 3).tolist()
    [[0, 0, 2], [0, 1, 1], [0, 2, 0], [1, 0, 1], [1, 1, 0], [2, 0, 0]]
    """
    if n < 0 or size < 1:
        raise ModelError(f"count_vectors needs n >= 0 and size >= 1, got n={n}, size={size}")
    left = np.array([n], dtype=np.int64)
    columns: list[Integers] = []
    for _ in range(size - 1):
        repeats = left + 1
        starts = np.repeat(np.cumsum(repeats) - repeats, repeats)
        value = np.arange(int(repeats.sum()), dtype=np.int64) - starts
        columns = [np.repeat(column, repeats) for column in columns]
        columns.append(value)
        left = np.repeat(left, repeats) - value
    columns.append(left)
    return np.stack(columns, axis=1)


def rank(counts: Integers | Sequence[int]) -> Integers:
    """Positions of count vectors (last axis) in ``count_vectors(n, size)``; inverse of the enumeration.

    The number of vectors that precede ``c`` is, summed over coordinates ``i``, the number of vectors that agree with
    ``c`` before ``i`` and are smaller at ``i``: a difference of two binomial coefficients.
    """
    counts = np.asarray(counts, dtype=np.int64)
    size = counts.shape[-1]
    left = counts.sum(axis=-1)
    total = np.zeros(counts.shape[:-1], dtype=np.int64)
    for i in range(size - 1):
        rest = size - 1 - i
        after = left - counts[..., i]
        table = _binomial_column(int(left.max(initial=0)) + rest, rest)
        total = total + table[left + rest] - table[after + rest]
        left = after
    return total


@lru_cache(maxsize=256)
def _binomial_column(top: int, bottom: int) -> Integers:
    """``C(0, bottom) .. C(top, bottom)`` as an array."""
    return np.array([comb(i, bottom) for i in range(top + 1)], dtype=np.int64)


def subcounts(counts: tuple[int, ...], k: int) -> Iterator[tuple[int, ...]]:
    """The count vectors of the k-subsets of a population, lexicographically ascending."""
    if len(counts) == 1:
        if k <= counts[0]:
            yield (k,)
        return
    rest = sum(counts[1:])
    for first in range(max(0, k - rest), min(k, counts[0]) + 1):
        for tail in subcounts(counts[1:], k - first):
            yield (first, *tail)


def subsample_law(counts: tuple[int, ...], k: int) -> list[tuple[tuple[int, ...], Fraction]]:
    """The multivariate hypergeometric law of the counts of a uniform k-subset of a population, exactly.

    ``counts`` is the population's count vector, ``0 <= k <= sum(counts)``. Returns pairs (counts of the sample,
    probability) with positive probability, lexicographically ascending. Cost: the number of such samples, at most
    ``C(k + size - 1, size - 1)``, times ``size`` products of integers of O(n) bits.
    """
    n = sum(counts)
    if not 0 <= k <= n:
        raise ModelError(f"a subsample of {k} agents cannot be drawn from {n}; 0 <= k <= n is needed")
    total = comb(n, k)
    return [(sample, Fraction(prod(comb(c, x) for c, x in zip(counts, sample, strict=True)), total)) for sample in subcounts(counts, k)]


def total_variation(p: tuple[int, ...], q: tuple[int, ...]) -> Fraction:
    """``TV(p, q) = (1/2) sum_z |p_z - q_z|`` of two empirical distributions given by their count vectors (paper, section 3)."""
    np_, nq = sum(p), sum(q)
    return Fraction(sum(abs(a * nq - b * np_) for a, b in zip(p, q, strict=True)), 2 * np_ * nq)
