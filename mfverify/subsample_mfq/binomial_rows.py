"""Laws of the next counts with two local states: a sum of independent binomials, row by row.

The next number of agents in local state 0 is ``Bin(c_0, p_0) + Bin(c_1, p_1)`` (agents in state ``s`` go to state 0 with
probability ``p_s``), plus, where some agents act on a shared sample, a fixed further summand. Each binomial is known in its
window to four roundings (``draw_laws.py``); a convolution of two windows adds one product and one addition per term of the
shorter. So a row costs about ``n`` operations and has about ``20 sqrt(n)`` entries, whatever the size of n.

How sensitive a binomial is to its odds: with ``theta = p / (1 - p)`` and ``b`` its law, ``db/d(log theta) (m) = (m - N p) b(m)``,
so ``TV(Bin(N, theta), Bin(N, theta')) <= (1/2) sqrt(N)/2 |log(theta'/theta)|``: a relative error ``e`` of the odds moves the law by
at most ``sqrt(N) e / 4`` (and not by ``N e``), up to ``1 + e``.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING, Final

import numba
import numpy as np

from mfverify.bellman.sweeps import for_work
from mfverify.compiled import njit
from mfverify.enclosure import UNIT_ROUNDOFF
from mfverify.parallel import one_and_all_threads
from mfverify.subsample_mfq.draw_laws import LOST_OF_MOVE, ROUNDINGS, move_law

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers

_BLOCK_NUMBERS: Final = 2 * 10**6
"""Doubles in a dense block of rows while they are made (16 MB)."""

_NEVER: Final = 2.0**-200
"""Probabilities below this are taken for 0 (see :func:`lost_by_odds`); others have odds that products cannot overflow."""


def odds_of(to_zero: Floats, to_one: Floats) -> Floats:
    """Odds for local state 0 from the two probabilities, with 0 and inf for what is (nearly) certain. One rounding."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        odds = to_zero / to_one
    return np.where(to_zero < _NEVER, 0.0, np.where(to_one < _NEVER, np.inf, odds))


def lost_by_odds(n: int, roundings: int) -> Fraction:
    """How far (sum of absolute differences) the law of n agents moves when each odds carries ``roundings`` roundings.

    At most two groups of agents, ``sqrt(c_0) + sqrt(c_1) <= sqrt(2 n)``, by the bound at the head of this file with
    ``|log(1 + e)| <= 2 e`` for the product of the roundings; probabilities taken for 0 add ``n 2^-199``; windows add twice
    :data:`LOST_OF_MOVE` for each of two binomials.
    """
    return Fraction(isqrt(2 * n) + 1, 2) * 2 * roundings * UNIT_ROUNDOFF + n * Fraction(1, 2**198) + 4 * LOST_OF_MOVE


def width_of_row(n: int) -> int:
    """A bound of the number of entries of a row for storage estimates: two windows of 10 standard deviations either side."""
    return min(n + 1, 14 * (isqrt(n) + 1) + 40)


@njit
def _convolve(first: Floats, second: Floats) -> Floats:
    """The law of a sum, both given from the first point of their window on."""
    if len(first) > len(second):
        first, second = second, first
    out = np.zeros(len(first) + len(second) - 1)
    for i in range(len(first)):
        weight = first[i]
        for j in range(len(second)):
            out[i + j] += weight * second[j]
    return out


def _independent_block(agents: Integers, odds: Floats, columns: int) -> tuple[Floats, int]:
    """Rows of ``Bin(agents[r, 0]; odds[r, 0]) + Bin(agents[r, 1]; odds[r, 1])``, and the largest number of added terms."""
    rows = np.zeros((len(agents), columns))
    terms = np.zeros(len(agents), dtype=np.int64)
    for r in numba.prange(len(agents)):
        start, one = move_law(agents[r, 0], odds[r, 0])
        begin, two = move_law(agents[r, 1], odds[r, 1])
        law = _convolve(one, two)
        rows[r, start + begin : start + begin + len(law)] = law
        terms[r] = min(len(one), len(two))
    return rows, terms.max()


_INDEPENDENT_BLOCK: Final = one_and_all_threads(_independent_block)


class RowRoundings:
    """The largest number of roundings in any entry of the rows made so far."""

    def __init__(self) -> None:
        self.most = 0

    def seen(self, roundings: int) -> None:
        """Remember the larger."""
        self.most = max(self.most, roundings)


def independent_rows(vectors: Integers, odds: Floats, roundings: RowRoundings) -> Iterator[Floats]:
    """Dense blocks of rows ``[c_0, next c_0]`` for count vectors ``[c_0, s]`` whose agents have ``odds[c_0, s]`` for state 0.

    ``roundings`` learns how many roundings an entry carries. Cost: about n operations per row.
    """
    columns = len(vectors)
    height = max(1, _BLOCK_NUMBERS // columns)
    for begin in range(0, columns, height):
        rows, terms = for_work(30 * columns * len(vectors[begin : begin + height]), _INDEPENDENT_BLOCK)(
            vectors[begin : begin + height], odds[begin : begin + height], columns
        )
        roundings.seen(2 * ROUNDINGS + 1 + int(terms))
        yield rows


@njit
def _sum_law(agents: Integers, odds: Floats) -> tuple[int, Floats, int]:
    """The law of a sum of any number of binomials: first point, probabilities, roundings."""
    start = 0
    law = np.ones(1)
    roundings = 0
    for i in range(len(agents)):
        begin, next_law = move_law(agents[i], odds[i])
        roundings += ROUNDINGS + 1 + min(len(law), len(next_law))
        law = _convolve(law, next_law)
        start += begin
    return start, law, roundings


def sum_law(agents: Integers, odds: Floats) -> tuple[int, Floats, int]:
    """How many of the agents of several groups go to local state 0: first point of the window, probabilities, roundings.

    ``agents[i]`` agents have ``odds[i]``. Besides rounding, conditioning on the windows loses twice :data:`LOST_OF_MOVE` a group.
    """
    found: tuple[int, Floats, int] = _sum_law(agents, odds)
    return found


def _mixed_block(
    vectors: Integers,
    ends: Integers,
    plays: Integers,
    weights: Floats,
    fixed: Integers,
    odds: Floats,
    fixed_start: Integers,
    fixed_ends: Integers,
    fixed_law: Floats,
    columns: int,
) -> tuple[Floats, int]:
    """See :func:`mixed_rows`: rows ``[c, h, next c_0]`` of a block of count vectors, and the largest number of roundings."""
    targets = weights.shape[1]
    rows = np.zeros((len(vectors), targets, columns))
    most = np.zeros(len(vectors), dtype=np.int64)
    for r in numba.prange(len(vectors)):
        for e in range(ends[r], ends[r + 1]):
            j = plays[e]
            start, one = move_law(vectors[r, 0] - fixed[j, 0], odds[j, 0])
            begin, two = move_law(vectors[r, 1] - fixed[j, 1], odds[j, 1])
            law = _convolve(one, two)
            members = fixed_law[fixed_ends[j] : fixed_ends[j + 1]]
            terms = min(len(one), len(two)) + min(len(law), len(members))
            law = _convolve(law, members)
            start += begin + fixed_start[j]
            most[r] = max(most[r], terms)
            for h in range(targets):
                weight = weights[e, h]
                if weight != 0.0:
                    for i in range(len(law)):
                        rows[r, h, start + i] += weight * law[i]
    return rows, most.max()


_MIXED_BLOCK: Final = one_and_all_threads(_mixed_block)


def mixed_rows(
    vectors: Integers,
    mixture: tuple[Integers, Integers, Floats],
    outside: tuple[Integers, Floats],
    members: tuple[Integers, Integers, Floats],
    roundings: RowRoundings,
) -> Iterator[Floats]:
    """Dense blocks of rows ``[c_0, (h, next c_0)]`` of a mixture of plays.

    ``mixture`` is (ends, plays, weights): in count vector ``c`` entry ``e`` of ``ends[c]:ends[c+1]`` is play ``plays[e]`` with
    weights ``[e, h]``. ``outside`` is (how many agents ``[j, s]`` of each state are listed as members of play ``j``, the odds
    ``[j, s]`` of the others). ``members`` are the laws of the listed ones: (first points, ends, probabilities one after the
    other). ``roundings`` learns what a row of one play adds to the roundings it has seen for the members.
    """
    ends, plays, weights = mixture
    columns = len(vectors)
    height = max(1, _BLOCK_NUMBERS // (columns * weights.shape[1]))
    of_members = roundings.most
    for begin in range(0, columns, height):
        end = min(begin + height, columns)
        part = slice(int(ends[begin]), int(ends[end]))
        rows, terms = for_work(30 * columns * (part.stop - part.start), _MIXED_BLOCK)(
            vectors[begin:end], ends[begin : end + 1] - ends[begin], plays[part], weights[part], *outside, *members, columns
        )
        roundings.seen(of_members + 2 * ROUNDINGS + 2 + int(terms))
        yield rows.reshape(end - begin, -1)
