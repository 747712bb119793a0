"""Laws that carry the bound of their own error.

A computed law is an array whose last axis holds probabilities, nonnegative doubles. Its :class:`Budget` says how far it may be from
the true one, and laws that are made from other laws get theirs by rule; no caller counts.

- *Roundings*: an entry is off by at most ``L u / (1 - L u)`` of itself, ``u = 2^-53``, where L is the largest number of roundings on a
  path from an input to it (Higham 2002, Lemma 3.1). Nothing is subtracted, so paths add up.
- *Lost*: before rounding, a row is off by at most this much in the sum of absolute values: windows, dropped entries, moved odds.
- *Underflows*: an entry is off by this many times ``2^-1022`` on top, for products too small for a normal double.

=====================  ======================  ===================  ==============================
result                 roundings               lost                 underflows
=====================  ======================  ===================  ==============================
``x y``, ``x / y``     ``L + M + 1``           ``a + b``            ``e + f + 1``
product of n entries   ``n L + n - 1``         ``n a``              ``n e + n - 1``
sum of t entries       ``L + t - 1``           ``a``                ``t e``
sum of t ``w_i x_i``   ``L + M + t``           ``a + b``            ``f + t (e + 1)``
entries from x on      ``L``                   ``a + 2 e / x`` (*)  0
the worst of several   the largest             the largest          the largest
=====================  ======================  ===================  ==============================

with ``(L, a, e)`` the budget of x (of w), ``(M, b, f)`` that of y (of the ``x_i``). The fourth line is for weights that sum to at most one:
a mixture of laws, an expectation, and a convolution, whose weights are the entries of the shorter law. *Proof* of its losses: ``sum_i
|w_i x_i - w'_i x'_i| <= sum_i |w_i - w'_i| |x_i| + sum_i w'_i |x_i - x'_i|``, and rows sum to at most one. (*) with e in units of
``2^-1022``: of a row that sums to one, at most ``2 / x`` computed entries are at least x; what is left out is the caller's to account for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, Generic, TypeVar

from mfverify.enclosure import UNDERFLOW, rounding_error

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from mfverify.notation import Floats

_GRAIN = 2**200
"""Losses from underflows are rounded up to multiples of its inverse: short numbers, and still nothing."""

Rows = TypeVar("Rows", bound="Floats | csr_array")


@dataclass(frozen=True)
class Budget:
    """What an array of nonnegative numbers may be off by; see the head of this file. The default is an exact array."""

    roundings: int = 0
    lost: Fraction = Fraction(0)
    underflows: int = 0

    def times(self, other: Budget) -> Budget:
        """Products of entries of two arrays; quotients where the divisor is no smaller than its underflows allow for."""
        return Budget(self.roundings + other.roundings + 1, self.lost + other.lost, self.underflows + other.underflows + 1)

    def power(self, factors: int) -> Budget:
        """Products of so many entries, in any order; the empty product is exact."""
        more = max(factors - 1, 0)
        return Budget(self.roundings * factors + more, self.lost * factors, self.underflows * factors + more)

    def summed(self, terms: int) -> Budget:
        """Sums of at most so many entries, in any order."""
        return Budget(self.roundings + max(terms, 1) - 1, self.lost, self.underflows * terms)

    def mixing(self, other: Budget, terms: int) -> Budget:
        """Sums of at most so many products of weights (this budget, sum at most one) with entries: mixtures, expectations, convolutions."""
        return Budget(
            self.roundings + other.roundings + max(terms, 1), self.lost + other.lost, other.underflows + terms * (self.underflows + 1)
        )

    def convolved(self, other: Budget, terms: int) -> Budget:
        """Convolutions of two laws, of which the shorter has at most so many entries."""
        return worst(self.mixing(other, terms), other.mixing(self, terms))

    def kept_from(self, least: Fraction) -> Budget:
        """The entries that are at least ``least``, the others left out."""
        return Budget(self.roundings, self.lost + _lost_by_underflow(self.underflows, least))

    def losing(self, lost: Fraction) -> Budget:
        """The same where a row also loses, or moves by, so much."""
        return replace(self, lost=self.lost + lost)

    def error(self, magnitude: Fraction) -> Fraction:
        """The absolute error of a sum over entries times values: values and the sum of absolute terms are at most ``magnitude``."""
        error = rounding_error(self.roundings, magnitude)
        if self.lost:
            error += self.lost * magnitude
        return error + self.underflows * UNDERFLOW * max(Fraction(1), magnitude) if self.underflows else error

    def __hash__(self) -> int:
        return hash((self.roundings, self.underflows))  # rationals are slow to hash


EXACT = Budget()
ROUNDED = Budget(1, underflows=1)
"""Numbers that are correctly rounded once."""


def worst(*budgets: Budget) -> Budget:
    """A budget for arrays that lie side by side."""
    return Budget(max(b.roundings for b in budgets), max(b.lost for b in budgets), max(b.underflows for b in budgets))


@lru_cache(maxsize=64)
def _lost_by_underflow(underflows: int, least: Fraction) -> Fraction:
    return Fraction(ceil(2 * underflows * UNDERFLOW / least * _GRAIN), _GRAIN)


@dataclass(frozen=True, eq=False)
class Law(Generic[Rows]):
    """Rows of probabilities, dense or sparse, with their budget."""

    rows: Rows
    budget: Budget
