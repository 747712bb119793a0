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

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING, Final

import numba
import numpy as np

from mfverify.bellman.sweeps import for_work
from mfverify.compiled import njit
from mfverify.enclosure import UNIT_ROUNDOFF
from mfverify.laws import EXACT, Budget, Law, worst
from mfverify.parallel import one_and_all_threads
from mfverify.subsample_mfq.draw_laws import LOST_OF_MOVE, ROUNDINGS, move_law

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers

_BLOCK_NUMBERS: Final = 2 * 10**6
"""Doubles in a dense block of rows while they are made (16 MB)."""

_NEVER: Final = 2.0**-200
"""Probabilities below this are taken for 0 (see :func:`moved`); others have odds that products cannot overflow."""


BINOMIAL: Final = Budget(ROUNDINGS)
"""Of a binomial for the odds that it is given, but for what :func:`moved` says."""


def odds_of(moves: Law[Floats]) -> Law[Floats]:
    """Odds for local state 0 from moves ``[.., s']``, with 0 and inf for what is (nearly) certain. What a move has lost stays."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        odds = moves.rows[..., 0] / moves.rows[..., 1]
    rows = np.where(moves.rows[..., 0] < _NEVER, 0.0, np.where(moves.rows[..., 1] < _NEVER, np.inf, odds))
    return Law(rows, moves.budget.times(replace(moves.budget, lost=Fraction(0))))


def moved(agents: int, groups: int, odds: Budget) -> Fraction:
    """How far (sum of absolute differences) the law of so many agents in so many groups moves by what their odds carry, and windows.

    ``sum_i sqrt(N_i) <= sqrt(groups agents)``, by the bound at the head of this file with ``|log(1 + e)| <= 2 e`` for the product of the
    roundings. Agents whose move has lost something add that each, and ``2^-198`` for probabilities taken for 0 and for underflows.
    Each window loses twice :data:`LOST_OF_MOVE`.
    """
    by_roundings = (isqrt(groups * agents) + 1) * odds.roundings * UNIT_ROUNDOFF
    return by_roundings + agents * (odds.lost + Fraction(1, 2**198)) + groups * 2 * LOST_OF_MOVE


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


def independent_rows(vectors: Integers, moves: Law[Floats]) -> Iterator[Law[Floats]]:
    """Dense blocks of rows ``[c_0, next c_0]`` for count vectors ``[c_0, s]`` whose agents move by ``moves[c_0, s, s']``.

    Cost: about n operations per row.
    """
    columns, odds = len(vectors), odds_of(moves)
    height = max(1, _BLOCK_NUMBERS // columns)
    for begin in range(0, columns, height):
        rows, terms = for_work(30 * columns * len(vectors[begin : begin + height]), _INDEPENDENT_BLOCK)(
            vectors[begin : begin + height], odds.rows[begin : begin + height], columns
        )
        yield Law(rows, BINOMIAL.convolved(BINOMIAL, int(terms)).losing(moved(columns - 1, 2, odds.budget)))


@njit
def _sum_law(agents: Integers, odds: Floats) -> tuple[int, Floats, Integers]:
    """The law of a sum of any number of binomials: first point, probabilities, added terms for each group that has agents."""
    start = 0
    law = np.ones(1)
    terms = np.zeros(len(agents), dtype=np.int64)
    for i in range(len(agents)):
        if agents[i] > 0:
            begin, next_law = move_law(agents[i], odds[i])
            terms[i] = min(len(law), len(next_law))
            law = _convolve(law, next_law)
            start += begin
    return start, law, terms


def sum_law(agents: Integers, odds: Law[Floats]) -> tuple[int, Law[Floats]]:
    """How many of the agents of several groups go to local state 0: first point of the window, and the law from there.

    ``agents[i]`` agents have ``odds[i]``.
    """
    start, law, terms = _sum_law(agents, odds.rows)
    return start, Law(law, _of_a_sum(terms, int(agents.sum()), odds.budget))


def _of_a_sum(terms: Integers, agents: int, odds: Budget) -> Budget:
    """Of a sum of binomials, each convolved with those before it in so many terms; none for a group without agents."""
    budget = EXACT
    for t in terms[terms > 0].tolist():
        budget = budget.convolved(BINOMIAL, t)
    return budget.losing(moved(agents, int((terms > 0).sum()), odds))


@njit
def _sum_rows(agents: Integers, odds: Floats, columns: int) -> tuple[Floats, Integers]:
    """Rows of :func:`_sum_law`, and the largest number of added terms for each group."""
    rows = np.zeros((len(agents), columns))
    most = np.zeros(agents.shape[1], dtype=np.int64)
    for r in range(len(agents)):
        start, law, terms = _sum_law(agents[r], odds[r])
        rows[r, start : start + len(law)] = law
        most = np.maximum(most, terms)
    return rows, most


def sum_rows(agents: Integers, moves: Law[Floats], n: int) -> Law[Floats]:
    """Rows ``[r, next c_0]`` for groups of ``agents[r, i]``, n in all, who move by ``moves[r, i, s']``."""
    odds = odds_of(moves)
    rows, terms = _sum_rows(agents, odds.rows, n + 1)
    return Law(rows, _of_a_sum(terms, n, odds.budget))


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
) -> tuple[Floats, int, int]:
    """See :func:`mixed_rows`: rows ``[c, h, next c_0]`` of a block of count vectors, and the largest numbers of added terms."""
    targets = weights.shape[1]
    rows = np.zeros((len(vectors), targets, columns))
    of_two = np.zeros(len(vectors), dtype=np.int64)
    of_members = np.zeros(len(vectors), dtype=np.int64)
    for r in numba.prange(len(vectors)):
        for e in range(ends[r], ends[r + 1]):
            j = plays[e]
            start, one = move_law(vectors[r, 0] - fixed[j, 0], odds[j, 0])
            begin, two = move_law(vectors[r, 1] - fixed[j, 1], odds[j, 1])
            law = _convolve(one, two)
            members = fixed_law[fixed_ends[j] : fixed_ends[j + 1]]
            of_two[r] = max(of_two[r], min(len(one), len(two)))
            of_members[r] = max(of_members[r], min(len(law), len(members)))
            law = _convolve(law, members)
            start += begin + fixed_start[j]
            for h in range(targets):
                weight = weights[e, h]
                if weight != 0.0:
                    for i in range(len(law)):
                        rows[r, h, start + i] += weight * law[i]
    return rows, of_two.max(), of_members.max()


_MIXED_BLOCK: Final = one_and_all_threads(_mixed_block)


def mixed_rows(
    vectors: Integers,
    mixture: tuple[Integers, Integers, Law[Floats]],
    outside: tuple[Integers, Law[Floats]],
    members: Sequence[tuple[int, Law[Floats]]],
) -> Iterator[Law[Floats]]:
    """Dense blocks of rows ``[c_0, (h, next c_0)]`` of a mixture of plays.

    ``mixture`` is (ends, plays, weights): in count vector ``c`` entry ``e`` of ``ends[c]:ends[c+1]`` is play ``plays[e]`` with
    weights ``[e, h]``. ``outside`` is (how many agents ``[j, s]`` of each state are listed as members of play ``j``, the odds
    ``[j, s]`` of the others). ``members[j]`` is the law of the listed ones, from its first point on.
    """
    ends, plays, weights = mixture
    fixed, odds = outside
    starts = np.array([start for start, _ in members], dtype=np.int64)
    law_ends = np.cumsum([0, *(len(law.rows) for _, law in members)])
    of_members = worst(*(law.budget for _, law in members))
    laws = np.concatenate([law.rows for _, law in members])
    columns = len(vectors)
    height = max(1, _BLOCK_NUMBERS // (columns * weights.rows.shape[1]))
    for begin in range(0, columns, height):
        end = min(begin + height, columns)
        part = slice(int(ends[begin]), int(ends[end]))
        rows, terms, more = for_work(30 * columns * (part.stop - part.start), _MIXED_BLOCK)(
            vectors[begin:end],
            ends[begin : end + 1] - ends[begin],
            plays[part],
            weights.rows[part],
            fixed,
            odds.rows,
            starts,
            law_ends,
            laws,
            columns,
        )
        of_others = BINOMIAL.convolved(BINOMIAL, int(terms)).losing(moved(columns - 1, 2, odds.budget))
        of_play = of_others.convolved(of_members, int(more))
        yield Law(rows.reshape(end - begin, -1), weights.budget.mixing(of_play, int(np.diff(ends[begin : end + 1]).max())))
