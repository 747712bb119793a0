"""Markov reward processes whose transition rows are sparse: what is left out of a row is bounded and carried.

A row that is stored is the row of a true law but for two things. Its entries carry roundings, counted as everywhere
(``exact/policy_value.py``). And it belongs to a law that was conditioned on windows, or has lost tiny entries: ``lost`` bounds,
for every state, the sum over next states of ``|stored - true|`` before rounding, so that ``P V`` is off by at most
``lost max |V|`` on that account.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.sparse import csr_array

from mfverify.compiled import njit
from mfverify.enclosure import rounding_error
from mfverify.errors import TooLargeError
from mfverify.exact.policy_value import MarkovReward

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers

_SMALLEST_KEPT: Final = 2.0**-80

_MOST_NUMBERS: Final = 2 * 10**8
"""Transition matrices with more entries than this (2.4 GB) are refused before any work."""


@dataclass(frozen=True, eq=False)
class TruncatedChain(MarkovReward):
    """A chain of sparse rows; ``terms`` is the largest number of products that are added up in one entry of ``P V``."""

    terms: int
    lost: Fraction

    def error(self, value: Floats) -> Fraction:
        """Bound the error of one application: rounding (Higham 2002, Lemma 3.1) and what the rows have lost.

        On the path of a term lie the roundings of its probability, its products and additions (at most ``terms`` and one
        product for each of the two factors of a product law), the discount and its product, the addition of the reward.
        """
        roundings = self.law_roundings + self.terms + 2 + 2 + 1
        largest = Fraction(float(np.abs(value).max()))
        magnitude = self.reward_bound + self.reward_error + self.discount * largest
        return self.reward_error + rounding_error(roundings, magnitude, roundings * self.terms) + self.discount * self.lost * largest


@dataclass(frozen=True, eq=False)
class ProductRows(TruncatedChain):
    """``global_law[g, c, g']`` and sparse ``local_law[g][c, c']``: next global state and next counts independent given the state."""

    global_law: Floats
    local_law: Sequence[csr_array]

    def expect(self, value: Floats) -> Floats:
        """``P V``; cost ``|S_g|`` times the number of stored entries."""
        expected = np.empty_like(value)
        for g in range(len(value)):
            expected[g] = np.einsum("ch,ch->c", self.global_law[g], self.local_law[g] @ value.T)
        return expected


@dataclass(frozen=True, eq=False)
class JointRows(TruncatedChain):
    """``law[(g, c), (g', c')]``: a sparse transition matrix over flat states."""

    law: csr_array

    def expect(self, value: Floats) -> Floats:
        """``P V``; cost the number of stored entries."""
        expected: Floats = (self.law @ value.ravel()).reshape(value.shape)
        return expected


def sparse_rows(blocks: Iterable[Floats], columns: int) -> csr_array:
    """Dense blocks of rows, one after the other, as one sparse matrix without the entries below ``2^-80``.

    A row loses less than :func:`dropped` by that. Cost and memory: one block and the entries that are kept.
    """
    data, indices, lengths = [], [], []
    for block in blocks:
        kept, at, number = _kept(block)
        data.append(kept)
        indices.append(at)
        lengths.append(number)
    ends = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    small = ends[-1] < np.iinfo(np.int32).max
    return csr_array(
        (np.concatenate(data), np.concatenate(indices), ends.astype(np.int32) if small else ends), shape=(len(ends) - 1, columns)
    )


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


def refuse_beyond(n: int, numbers: int) -> None:
    """Raise :class:`TooLargeError` where more transition probabilities would be held than fit."""
    if numbers > _MOST_NUMBERS:
        raise TooLargeError(f"{n} agents need {numbers:.3g} transition probabilities; use fewer agents or local states")
