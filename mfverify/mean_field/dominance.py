r"""How far one linear function rises above the maximum of others on the simplex, certified; and which functions are needed.

A function on the distributions ``F`` of local states is a row of ``|S_l|`` numbers, its values at the unit vectors. For a row ``a`` and
rows ``B`` let

    rise(a, B) = max_F min_i <a - B_i, F>,

the most by which ``a`` exceeds the maximum of ``B``. Linear programming duality gives, for *every* weighting ``w`` of the rows of ``B``,

    rise(a, B) <= max_s (a_s - (w B)_s),

with equality for the best one. A floating point solver (HiGHS through scipy) proposes ``w``; what is returned is the right-hand side
computed for that ``w`` and rounded up, so it is an upper bound for any output of the solver. No plan is removed because the solver says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from mfverify.enclosure import UNDERFLOW, UNIT_ROUNDOFF, round_up

if TYPE_CHECKING:
    from fractions import Fraction

    from mfverify.notation import Floats, Integers

_AT_ONCE: Final = 64
"""Linear programs that are solved as one block-diagonal program: a call of the solver costs as much as some dozens of small programs."""

_BLOCK: Final = 2**22
"""Numbers in a temporary array."""


def rise(rows: Floats, base: Floats, enough: float = -np.inf) -> tuple[Floats, Floats]:
    """Upper bounds of ``rise(a, base)`` for each row ``a`` of ``rows``, and a distribution at which each (nearly) attains it.

    Shapes ``(N, |S_l|)`` and ``(M, |S_l|)``, M >= 1; returns shapes ``(N,)`` and ``(N, |S_l|)``. Rows for which a single row of ``base``
    shows that they rise by at most ``enough`` are not given to the solver; their distribution is a unit vector. Cost: ``N M |S_l|``, and a
    linear program of M + 1 variables and ``|S_l|`` constraints for each other row.
    """
    bound, worst = _over_single_rows(rows, base)
    where = np.zeros_like(rows)
    where[np.arange(len(rows)), worst] = 1.0
    open_ = np.flatnonzero(bound > enough)
    if len(base) == 1:
        return bound, where
    for start in range(0, len(open_), _AT_ONCE):
        chosen = open_[start : start + _AT_ONCE]
        weights, found = _proposed(rows[chosen], base)
        better = _over_mixture(rows[chosen], weights, base)
        improved = better < bound[chosen]
        bound[chosen[improved]] = better[improved]
        where[chosen] = found
    return bound, where


def _over_single_rows(rows: Floats, base: Floats) -> tuple[Floats, Integers]:
    """``min_i max_s (a_s - base_is)``, rounded up, and the s of the best i."""
    bound = np.empty(len(rows))
    worst = np.empty(len(rows), dtype=np.int64)
    step = max(1, _BLOCK // base.size)
    for start in range(0, len(rows), step):
        difference = rows[start : start + step, None, :] - base[None, :, :]
        place = difference.argmax(axis=2)
        most = difference.max(axis=2)
        best = most.argmin(axis=1)
        each = np.arange(len(best))
        bound[start : start + step] = np.nextafter(most[each, best], np.inf)
        worst[start : start + step] = place[each, best]
    return bound, worst


def _proposed(rows: Floats, base: Floats) -> tuple[Floats, Floats]:
    """Weights over ``base`` for each row and the distributions of the dual programs, as the solver gives them (zeros where it fails).

    For each row: minimise t over weights w >= 0 of sum 1 and t, subject to ``t + (w base)_s >= a_s`` for all s.
    """
    many, size, of_base = len(rows), rows.shape[1], len(base)
    one = sparse.hstack([sparse.csr_matrix(-base.T), sparse.csr_matrix(-np.ones((size, 1)))])
    sums = sparse.hstack([sparse.csr_matrix(np.ones((1, of_base))), sparse.csr_matrix((1, 1))])
    cost = np.tile(np.append(np.zeros(of_base), 1.0), many)
    free = [(0.0, None)] * of_base + [(None, None)]
    solved = linprog(
        cost,
        A_ub=sparse.kron(sparse.eye(many), one, format="csr"),
        b_ub=-rows.ravel(),
        A_eq=sparse.kron(sparse.eye(many), sums, format="csr"),
        b_eq=np.ones(many),
        bounds=free * many,
        method="highs",
    )
    if solved.x is None:
        return np.zeros((many, of_base)), np.full((many, size), 1.0 / size)
    weights = np.maximum(solved.x.reshape(many, of_base + 1)[:, :-1], 0.0)
    where = np.maximum(-solved.ineqlin.marginals.reshape(many, size), 0.0)
    total = where.sum(axis=1, keepdims=True)
    return weights, np.where(total > 0.0, where / np.where(total > 0.0, total, 1.0), 1.0 / size)


def _over_mixture(rows: Floats, weights: Floats, base: Floats) -> Floats:
    """``max_s (a_s - (w base)_s)`` for ``w`` scaled to sum 1, rounded up; infinite where all weights are zero.

    ``(w base)_s`` is a quotient of two sums of M terms: at most 2 M + 2 roundings on a path, relative to the largest entry of ``base``.
    """
    total = weights.sum(axis=1, keepdims=True)
    usable = total[:, 0] > 0.0
    mixture = (weights @ base) / np.where(total > 0.0, total, 1.0)
    size = np.abs(base).max()
    error = _relative(2 * len(base) + 2) * size + float(UNDERFLOW) * (len(base) + 2)
    most = (rows - mixture).max(axis=1)
    high = np.nextafter(np.nextafter(most, np.inf) + np.nextafter(error, np.inf), np.inf)
    return np.where(usable, high, np.inf)


def _relative(roundings: int) -> float:
    """Bound of the relative error of so many roundings."""
    exact: Fraction = roundings * UNIT_ROUNDOFF / (1 - roundings * UNIT_ROUNDOFF)
    return 2 * round_up(exact)


def needed(rows: Floats, slack: float, points: Floats) -> tuple[Integers, float]:
    """Rows whose maximum is everywhere within ``slack`` of the maximum of all, and the certified largest amount by which it is below.

    ``points``: distributions, shape ``(P, |S_l|)``, at each of which the best row is kept to begin with; the unit vectors are added.
    Further rows are kept where the ones so far do not reach: the best at the distribution where most is missing. Returns indices,
    ascending, and a number at most ``slack`` (0 where every row is kept).
    """
    points = np.concatenate([np.eye(rows.shape[1]), points])
    kept = set(_best_at(rows, points).tolist())
    left = np.setdiff1d(np.arange(len(rows)), sorted(kept))
    missing = 0.0
    while len(left):
        chosen = np.array(sorted(kept))
        bound, where = rise(rows[left], rows[chosen], slack)
        above = bound > slack
        if not above.any():
            missing = max(0.0, float(bound.max()))
            break
        order = np.flatnonzero(above)[np.argsort(-bound[above], kind="stable")][:_AT_ONCE]
        new = set(_best_at(rows, where[order]).tolist()) - kept
        kept |= new or {int(left[order[0]])}
        left = np.setdiff1d(left, sorted(kept))
    return np.array(sorted(kept)), missing


def _best_at(rows: Floats, points: Floats) -> Integers:
    """For each distribution the first row that is largest there; of equal ones the one with the largest sum."""
    order = np.argsort(-rows.sum(axis=1), kind="stable")
    found: Integers = order[(points @ rows[order].T).argmax(axis=1)]
    return found
