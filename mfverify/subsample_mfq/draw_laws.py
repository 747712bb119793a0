"""Laws of draws and of next counts with two local states: every probability to a few roundings, nothing overflows or cancels.

Three laws on the integers are needed, all log-concave with a ratio of neighbours that is a product of simple factors,

    w(d + 1) / w(d) = (A - d) (B - beta d) / ((d + 1) (C + beta d)):

====================================  =========  ==========  ==================  =====
law                                   A          B           C                   beta
====================================  =========  ==========  ==================  =====
hypergeometric, k of n with x marked  ``x``      ``k``       ``n - x - k + 1``   1
binomial, k draws with x of n marked  ``k``      ``x``       ``n - x``           0
binomial, N agents with odds theta    ``N``      ``theta``   ``1``               0
====================================  =========  ==========  ==================  =====

:func:`_window` starts near the mode with weight 1 and multiplies outward in double-double arithmetic (pairs of doubles;
Joldes, Muller and Popescu, *Tight and rigorous error bounds for basic building blocks of double-word arithmetic*, ACM TOMS
44, 2017: product with a double, Algorithm 7, quotient by a double, Algorithm 15, and sum, Algorithm 6, are each off by at
most 4 u^2 relative, ``u = 2^-53``). Everything is positive. A weight is at most ``10^6`` steps of four such operations away
from the mode, so its relative error is below ``2^-80``; leaving out the low words and dividing by the total (which is as
good) are three roundings more.

The walk stops on either side as soon as what lies beyond is negligible: ratios decrease outward, so the rest is at most
``w r / (1 - r)`` with ``r`` the next ratio. The law that is handed out is the true one *conditioned on its window*; it differs
from the true one by at most :data:`LOST_OF_DRAW` or :data:`LOST_OF_MOVE` in total variation, and callers carry that.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING, Final

import numba
import numpy as np
from scipy.sparse import csr_array

from mfverify.bellman.sweeps import for_work
from mfverify.compiled import njit
from mfverify.laws import Budget, Law
from mfverify.parallel import one_and_all_threads

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers

ROUNDINGS: Final = 4
"""Roundings between a probability of a conditioned law and its double: the three at the head of this file, and one for 2^-79."""

_DRAW_TAIL: Final = 2.0**-90
_MOVE_TAIL: Final = 2.0**-70
"""The walk stops when what lies beyond has at most this weight, relative to a total of at least 1."""

LOST_OF_DRAW: Final = Fraction(1, 2**88)
"""Total variation between a draw's law and what is handed out: two tails, and a factor 2 for the rounding of the test."""

DRAW: Final = Budget(ROUNDINGS, 2 * LOST_OF_DRAW)
"""Of the probabilities of samples, and of their sums over the samples that lead to an action."""

LOST_OF_MOVE: Final = Fraction(1, 2**68)
"""The same for the number of agents that move."""

_SPLITTER: Final = 134217729.0  # 2^27 + 1
_STEEP: Final = 1.0 - 2.0**-20


@njit
def _times(hi: float, lo: float, y: float) -> tuple[float, float]:
    """Double-double times double (Algorithm 7; the exact product by Dekker's splitting)."""
    p = hi * y
    a = _SPLITTER * hi
    ah = a - (a - hi)
    al = hi - ah
    b = _SPLITTER * y
    bh = b - (b - y)
    bl = y - bh
    e = ((ah * bh - p) + ah * bl + al * bh) + al * bl
    low = lo * y
    t = p + low
    rest = (low - (t - p)) + e
    s = t + rest
    return s, rest - (s - t)


@njit
def _over(hi: float, lo: float, y: float) -> tuple[float, float]:
    """Double-double over double (Algorithm 15)."""
    q = hi / y
    p = q * y
    a = _SPLITTER * q
    ah = a - (a - q)
    al = q - ah
    b = _SPLITTER * y
    bh = b - (b - y)
    bl = y - bh
    e = ((ah * bh - p) + ah * bl + al * bh) + al * bl
    t = ((hi - p) + (lo - e)) / y
    s = q + t
    return s, t - (s - q)


@njit
def _plus(xh: float, xl: float, yh: float, yl: float) -> tuple[float, float]:
    """Double-double plus double-double of the same sign (Algorithm 6)."""
    sh = xh + yh
    v = sh - xh
    sl = (xh - (sh - v)) + (yh - v)
    th = xl + yl
    v = th - xl
    tl = (xl - (th - v)) + (yl - v)
    c = sl + th
    vh = sh + c
    w = tl + (c - (vh - sh))
    zh = vh + w
    return zh, w - (zh - vh)


@njit
def _window(
    a: float, b: float, c: float, beta: float, whole: bool, lowest: int, highest: int, start: int, tail: float
) -> tuple[int, Floats, Floats, float]:
    """Unnormalised weights around the mode: the first point, high words, low words, and the total (its high word).

    ``whole``: all factors are integers whose products a double holds exactly (n below 9e7); otherwise beta = 0 and c = 1.
    """
    up = np.empty((highest - start + 1, 2))
    up[0, 0] = 1.0
    up[0, 1] = 0.0
    hi, lo = 1.0, 0.0
    last = start
    for d in range(start, highest):
        ratio = (a - d) * (b - beta * d) / ((d + 1.0) * (c + beta * d))
        if ratio < _STEEP and hi * ratio <= tail * (1.0 - ratio):
            break
        if whole:
            hi, lo = _times(hi, lo, (a - d) * (b - beta * d))
            hi, lo = _over(hi, lo, (d + 1.0) * (c + beta * d))
        else:
            hi, lo = _times(hi, lo, a - d)
            hi, lo = _times(hi, lo, b)
            hi, lo = _over(hi, lo, d + 1.0)
        last = d + 1
        up[last - start, 0] = hi
        up[last - start, 1] = lo
    down = np.empty((start - lowest + 1, 2))
    hi, lo = 1.0, 0.0
    first = start
    for d in range(start, lowest, -1):
        ratio = d * (c + beta * (d - 1)) / ((a - d + 1.0) * (b - beta * (d - 1)))
        if ratio < _STEEP and hi * ratio <= tail * (1.0 - ratio):
            break
        if whole:
            hi, lo = _times(hi, lo, d * (c + beta * (d - 1)))
            hi, lo = _over(hi, lo, (a - d + 1.0) * (b - beta * (d - 1)))
        else:
            hi, lo = _times(hi, lo, float(d))
            hi, lo = _over(hi, lo, a - d + 1.0)
            hi, lo = _over(hi, lo, b)
        first = d - 1
        down[start - first, 0] = hi
        down[start - first, 1] = lo
    length = last - first + 1
    high = np.empty(length)
    low = np.empty(length)
    for i in range(start - first):
        high[i] = down[start - first - i, 0]
        low[i] = down[start - first - i, 1]
    for i in range(last - start + 1):
        high[start - first + i] = up[i, 0]
        low[start - first + i] = up[i, 1]
    th, tl = 0.0, 0.0
    for i in range(length):
        th, tl = _plus(th, tl, high[i], low[i])
    return first, high, low, th


@njit
def _draw(marked: int, n: int, k: int, replaced: bool) -> tuple[int, Floats, Floats, float]:
    """How many of k agents drawn from n are among the ``marked`` ones; ``replaced`` draws with replacement."""
    if replaced:
        lowest = k if marked == n else 0
        highest = 0 if marked == 0 else k
        start = (k + 1) * marked // max(n, 1)
        a, b, c, beta = float(k), float(marked), float(n - marked), 0.0
    else:
        lowest = max(0, k - (n - marked))
        highest = min(marked, k)
        start = (k + 1) * (marked + 1) // (n + 2)
        a, b, c, beta = float(marked), float(k), float(n - marked - k + 1), 1.0
    start = min(max(start, lowest), highest)
    window: tuple[int, Floats, Floats, float] = _window(a, b, c, beta, True, lowest, highest, start, _DRAW_TAIL)
    return window


@njit
def move_law(agents: int, odds: float) -> tuple[int, Floats]:
    """The law of how many of ``agents`` independent agents go to local state 0, with ``odds`` for it (0 and inf included).

    Returns the first point of the window and the probabilities from there, conditioned on the window.
    """
    if odds == 0.0 or agents == 0:
        return 0, np.ones(1)
    if odds == np.inf:
        return agents, np.ones(1)
    start = min(int((agents + 1) * (odds / (1.0 + odds))), agents)
    first, high, _, total = _window(float(agents), odds, 1.0, 0.0, False, 0, agents, start, _MOVE_TAIL)
    return first, high / total


def _marginals(
    n: int, k: int, of_global: Integers, of_local: Integers, actions: tuple[int, int], undecided: int, replaced: bool
) -> tuple[Floats, Floats, Integers]:
    """See :func:`marginals`; the last array flags ``[g, c]`` where a possible sample leads to an undecided action."""
    global_states = len(of_global)
    played_global = np.zeros((global_states, n + 1, actions[0]))
    played_local = np.zeros((global_states, n + 1, 2, actions[1]))
    flagged = np.zeros((global_states, n + 1), dtype=np.int64)
    for row in numba.prange(n + 1):
        c = np.int64(row)  # an unsigned loop variable would turn differences into floats
        # Who draws: the global agent, then a local agent in state 0 and one in state 1, who leave themselves out.
        for who in range(3):
            if (who == 1 and c == 0) or (who == 2 and c == n):
                continue
            others = n if who == 0 else n - 1
            marked = c - 1 if who == 1 else c
            first, high, low, total = _draw(marked, others, k if who == 0 else k - 1, replaced)
            number = actions[0] if who == 0 else actions[1]
            for g in range(global_states):
                sums = np.zeros((number, 2))
                for i in range(len(high)):
                    sample = first + i + (1 if who == 1 else 0)
                    a = of_global[g, sample] if who == 0 else of_local[g, sample, who - 1]
                    if a == undecided:
                        flagged[g, c] = 1
                    else:
                        sums[a, 0], sums[a, 1] = _plus(sums[a, 0], sums[a, 1], high[i], low[i])
                for a in range(number):
                    if who == 0:
                        played_global[g, c, a] = sums[a, 0] / total
                    else:
                        played_local[g, c, who - 1, a] = sums[a, 0] / total
    return played_global, played_local, flagged


_MARGINALS: Final = one_and_all_threads(_marginals)


def marginals(
    n: int, k: int, of_global: Integers, of_local: Integers, actions: tuple[int, int], undecided: int, replaced: bool
) -> tuple[Floats, Floats, Integers]:
    """The marginals of the executed policy (eq. 11-12) for two local states, right to :data:`ROUNDINGS` roundings.

    ``of_global[g, d_0]`` and ``of_local[g, d_0, s]`` are policy tables over samples of k agents, ``d_0`` of them in local
    state 0; ``actions`` is ``(|A_g|, |A_l|)``. Returns probabilities ``[g, c, b]`` and ``[g, c, s, a]`` (0 where local state
    ``s`` has no agent) of the draws conditioned on their windows, and a flag ``[g, c]`` where a sample inside the window leads
    to the action ``undecided``. ``replaced``: draws with replacement. Cost: about ``20 sqrt(k)`` weights per count.
    """
    found: tuple[Floats, Floats, Integers] = for_work(30 * n * (isqrt(k) + 1), _MARGINALS)(
        n, k, of_global, of_local, actions, undecided, replaced
    )
    return found


@njit
def _draw_weights(n: int, k: int) -> tuple[Integers, Integers, Floats]:
    """Rows of :func:`draw_weights` as (end of each row, columns, probabilities)."""
    ends = np.empty(n + 1, dtype=np.int64)
    columns = np.empty((n + 1) * 64, dtype=np.int64)
    weights = np.empty((n + 1) * 64)
    used = 0
    for c in range(n + 1):
        first, high, _, total = _draw(c, n, k, False)
        while used + len(high) > len(columns):
            columns = np.concatenate((columns, np.empty_like(columns)))
            weights = np.concatenate((weights, np.empty_like(weights)))
        for i in range(len(high)):
            columns[used] = first + i
            weights[used] = high[i] / total
            used += 1
        ends[c] = used
    return ends, columns[:used].copy(), weights[:used].copy()


def draw_weights(n: int, k: int) -> Law[csr_array]:
    """The hypergeometric laws ``[c_0, d_0]`` of a uniform k-subset of n agents in two local states, window by window.

    Cost and memory: about
    ``20 sqrt(k)`` numbers per count.
    """
    ends, columns, weights = _draw_weights(n, k)
    return Law(csr_array((weights, columns, np.concatenate([[0], ends])), shape=(n + 1, k + 1)), DRAW)


@njit
def marginals_at(
    g: Integers,
    c: Integers,
    samples: Integers,
    others: Integers,
    subsets: Floats,
    draws: tuple[float, float],
    of_sample: Integers,
    of_others: Integers,
    actions: tuple[int, int],
) -> tuple[Floats, Floats, int]:
    """Marginals ``[r, b]`` and ``[r, s, a]`` of uniform subsets in states ``g[r]``, ``c[r, s]``, for any number of local states.

    ``samples`` and ``others``: count vectors of k and of k - 1 agents; ``subsets[x, j] = C(x, j)``; ``draws``: how many subsets there are;
    ``of_sample[g, sample]`` and ``of_others[g, own state, others]``: actions, negative where undecided. The last result is the first
    state in which a possible sample leads to an undecided action, or -1. Cost: ``|S_l|`` products for each sample.
    """
    size = c.shape[1]
    of_global, of_local = np.zeros((len(g), actions[0])), np.zeros((len(g), size, actions[1]))
    left = np.empty(size, dtype=np.int64)
    for r in range(len(g)):
        left[:] = c[r]
        for j in range(len(samples)):
            w = 1.0
            for s in range(size):
                if samples[j, s]:
                    w *= subsets[left[s], samples[j, s]]
                    if w == 0.0:
                        break
            if w > 0.0:
                if of_sample[g[r], j] < 0:
                    return of_global, of_local, r
                of_global[r, of_sample[g[r], j]] += w
        for b in range(actions[0]):
            of_global[r, b] /= draws[0]
        for own in range(size):
            if left[own] == 0:
                continue
            left[own] -= 1
            for j in range(len(others)):
                w = 1.0
                for s in range(size):
                    if others[j, s]:
                        w *= subsets[left[s], others[j, s]]
                        if w == 0.0:
                            break
                if w > 0.0:
                    if of_others[g[r], own, j] < 0:
                        return of_global, of_local, r
                    of_local[r, own, of_others[g[r], own, j]] += w
            left[own] += 1
            for a in range(actions[1]):
                of_local[r, own, a] /= draws[1]
    return of_global, of_local, -1


@njit
def means(g: Integers, played: Floats, of_action: Floats) -> Floats:
    """``[r, s, x] = sum_a played[r, s, a] of_action[s, g[r], a, x]``."""
    out = np.zeros((len(g), played.shape[1], of_action.shape[3]))
    for r in range(len(g)):
        for s in range(played.shape[1]):
            for a in range(played.shape[2]):
                p = played[r, s, a]
                if p != 0.0:
                    for x in range(out.shape[2]):
                        out[r, s, x] += p * of_action[s, g[r], a, x]
    return out
