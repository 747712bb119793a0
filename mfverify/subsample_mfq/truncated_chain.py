"""Markov reward processes whose transition rows are sparse laws, each with its budget (``laws.py``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.sparse import csr_array

from mfverify.compiled import njit
from mfverify.errors import TooLargeError
from mfverify.exact.policy_value import MarkovReward
from mfverify.laws import EXACT, Budget, Law, worst

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers

_SMALLEST_KEPT: Final = 2.0**-80

_MOST_NUMBERS: Final = 2 * 10**8
"""Transition matrices with more entries than this (2.4 GB) are refused before any work."""


@dataclass(frozen=True, eq=False)
class ProductRows(MarkovReward):
    """``global_law[g, c, g']`` and sparse ``local_law[g][c, c']``: next global state and next counts independent given the state."""

    global_law: Law[Floats]
    local_law: Sequence[Law[csr_array]]

    def expect(self, value: Floats) -> Floats:
        """``P V``; cost ``|S_g|`` times the number of stored entries."""
        expected = np.empty_like(value)
        for g in range(len(value)):
            expected[g] = np.einsum("ch,ch->c", self.global_law.rows[g], self.local_law[g].rows @ value.T)
        return expected

    @property
    def expectation(self) -> Budget:
        """An expectation over the local law, then one over the global law."""
        return self.global_law.budget.mixing(worst(*map(sparse_expectation, self.local_law)), len(self.local_law))


@dataclass(frozen=True, eq=False)
class JointRows(MarkovReward):
    """``law[(g, c), (g', c')]``: a sparse transition matrix over flat states."""

    law: Law[csr_array]

    def expect(self, value: Floats) -> Floats:
        """``P V``; cost the number of stored entries."""
        expected: Floats = (self.law.rows @ value.ravel()).reshape(value.shape)
        return expected

    @property
    def expectation(self) -> Budget:
        """One expectation over the next state."""
        return sparse_expectation(self.law)


def sparse_rows(blocks: Iterable[Law[Floats]], columns: int) -> Law[csr_array]:
    """Dense blocks of rows, one after the other, as one sparse matrix without the entries below ``2^-80``.

    A row loses :func:`dropped` by that. Cost and memory: one block and the entries that are kept.
    """
    data, indices, lengths, budgets = [], [], [], []
    for block in blocks:
        kept, at, number = _kept(block.rows)
        data.append(kept)
        indices.append(at)
        lengths.append(number)
        budgets.append(block.budget)
    ends = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    small = ends[-1] < np.iinfo(np.int32).max
    rows = csr_array(
        (np.concatenate(data), np.concatenate(indices), ends.astype(np.int32) if small else ends), shape=(len(ends) - 1, columns)
    )
    return Law(rows, worst(*budgets).losing(dropped(columns)))


@njit
def _kept(block: Floats) -> tuple[Floats, Any, Integers]:
    """The entries of a block that are kept, row by row: values, columns, how many in each row."""
    number = np.zeros(len(block), dtype=np.int64)
    for r in range(len(block)):
        for i in range(block.shape[1]):
            number[r] += block[r, i] >= _SMALLEST_KEPT
    values = np.empty(number.sum())
    columns = np.empty(len(values), dtype=np.int32)
    e = 0
    for r in range(len(block)):
        for i in range(block.shape[1]):
            if block[r, i] >= _SMALLEST_KEPT:
                values[e] = block[r, i]
                columns[e] = i
                e += 1
    return values, columns, number


def dropped(columns: int) -> Fraction:
    """What :func:`sparse_rows` drops from a row at most; a computed entry is at least half of the exact one."""
    return columns * 2 * Fraction(_SMALLEST_KEPT)


def longest_row(law: csr_array) -> int:
    """The largest number of entries in a row."""
    return int(np.diff(law.indptr).max())


def sparse_expectation(law: Law[csr_array]) -> Budget:
    """Of the expectations of exact numbers over the rows of a sparse law."""
    return law.budget.mixing(EXACT, longest_row(law.rows))


def refuse_beyond(n: int, numbers: int) -> None:
    """Raise :class:`TooLargeError` where more transition probabilities would be held than fit."""
    if numbers > _MOST_NUMBERS:
        raise TooLargeError(f"{n} agents need {min(numbers, 10**300):.3g} transition probabilities; use fewer agents or local states")
