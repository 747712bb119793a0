"""Right-hand sides about the optimality gap ``V* - V^{pi_k}``: T1, T1b, T2, T2b, T3, R4, the trivial bound, and B5."""

from __future__ import annotations

from typing import Final

import sympy as sp

from mfverify.bounds.bound import Bound
from mfverify.bounds.lipschitz import SLOPE
from mfverify.bounds.symbols import HALF, A_g, A_l, E, S_l, Z, disagreement, eps_km, eta, gamma, indicator, k, n, plus, root, rt, t, times

_FACTOR: Final = rt / (1 - gamma) ** 2
_RATE: Final = (n - k + 1) / (2 * n * k)
_LOG: Final = sp.log(40 * rt * S_l * A_l * A_g * k ** (A_l + HALF) / (1 - gamma) ** 2)

_LOG_UNDER_ROOT: Final = times(_FACTOR, root(times(_RATE, _LOG)))
"""The first term of Theorems 4.2 and 4.4 as inverting the tail bound C1 gives it."""

_LOG_OUTSIDE_ROOT: Final = times(_FACTOR, root(_RATE), _LOG)
"""The first term of Theorems 4.2 and 4.4 in the weaker reading: larger wherever the logarithm exceeds 1."""

THEOREM_4_2: Final = Bound(
    "T1",
    plus(_LOG_UNDER_ROOT, 1 / (10 * sp.sqrt(k)), 2 * eps_km),
    "Theorem 4.2",
    "the logarithm under the root",
)

THEOREM_4_2_WEAKER: Final = Bound(
    "T1b",
    plus(_LOG_OUTSIDE_ROOT, 1 / (10 * sp.sqrt(k)), 2 * eps_km / (1 - gamma)),
    "Theorem 4.2",
    "the logarithm outside the root, the Bellman noise divided by 1 - gamma",
)

THEOREM_4_4: Final = Bound(
    "T2",
    plus(_LOG_UNDER_ROOT, 4 / sp.sqrt(k)),
    "Theorem 4.4",
    "the logarithm under the root; m as in Lemma 4.3, with probability >= 1 - 1/(100 e^k)",
)

THEOREM_4_4_WEAKER: Final = Bound(
    "T2b",
    plus(_LOG_OUTSIDE_ROOT, 4 / sp.sqrt(k)),
    "Theorem 4.4",
    "the logarithm outside the root",
)

UNIFORM_RATE: Final = Bound(
    "T3",
    (1 + sp.ln(k)) / sp.sqrt(k),
    "abstract",
    "the order 1/sqrt(k) with one logarithm for the tilde; it is multiplied by the constant that is tried",
)

_LEAD: Final = sp.binomial(k - 1, sp.floor(k / 2)) / 2 ** (k - 1)
"""The mean lead of the majority of k fair coins, as a share of k."""

REDRAWN_TYPES: Final = Bound(
    "T3f",
    times(gamma**2 / (1 - gamma**2), plus(times(gamma, 1 - k / n, 1 - _LEAD**2), -eta * _LEAD / 2)),
    "mfverify/models/redrawn.py (ours)",
    "bounds from below the gap of the model of redrawn types under independent draws, from every start state",
)


def _shared_draw(states: sp.Expr, pairs: sp.Expr) -> sp.Expr:
    """R4 for that many local states and local state-action pairs."""
    return times(
        SLOPE / (1 - gamma),
        plus(
            times(HALF, root((states - 1) * (n - k) / (k * (n - 1)))),
            times(1 / (2 * n), root(states * (A_l - 1) * (n - k))),
            times(
                gamma / (1 - gamma),
                plus(times(HALF, root((states - 1) * (n - k) / (n * k))), times(indicator(k < n), pairs / (4 * n))),
            ),
        ),
    )


SHARED_DRAW: Final = Bound(
    "R4",
    _shared_draw(S_l, Z),
    "section 5 of the theory page (ours)",
    "one draw a step shared by all agents, the others copy a member of the sample; a single agent (n = 1) is excluded, 0/0",
)

_SPREAD: Final = times(HALF, root(S_l - 1))

SHARED_DRAW_UNIFORM: Final = Bound(
    "R4u",
    times(
        SLOPE / ((1 - gamma) * sp.sqrt(k)),
        plus(_SPREAD, times(sp.Rational(1, 4), root(S_l * (A_l - 1))), times(gamma / (1 - gamma), plus(_SPREAD, Z / (4 * sp.sqrt(k))))),
    ),
    "R4 with the largest value over n of each of its terms (ours)",
    "one constant for all n: (n-k)/(k(n-1)) <= 1/k, (n-k)/n^2 <= 1/(4k), and 1{k<n}/n <= 1/k",
)

SHARED_DRAW_NOISE: Final = Bound(
    "R4n",
    plus(SHARED_DRAW.expression, 2 * eps_km / (1 - gamma)),
    "R4 with the Bellman noise of the operator that was learned (ours)",
    "a greedy action for Q^est loses at most 2 eps_{k,m} in Q*_k, at every step",
)

SHARED_DRAW_TYPES: Final = Bound(
    "S4r",
    _shared_draw(E * S_l, E * Z),
    "R4 with the local states E x S_l (ours)",
    "|S_l| and |Z_l| are those of one type: the bound grows like the root of the number of types, not less",
)

INDEPENDENT_DRAWS: Final = Bound(
    "R6",
    plus(SHARED_DRAW.expression, times(SLOPE / (1 - gamma), disagreement)),
    "R4 plus the price of disagreeing (ours)",
    "independent draws: dis is the largest, over states, mean share of agents that act otherwise than the copying agents of R4",
)

TRIVIAL_GAP: Final = Bound(
    "trivial gap",
    2 * rt / (1 - gamma),
    "Assumption 2.2",
    "two values lie within rt/(1-gamma) of 0: a bound of the gap that is no smaller is vacuous",
)

ITERATE_SIZE: Final = Bound(
    "B5",
    rt * (1 - gamma**t) / (1 - gamma),
    "from Assumption 2.2",
    "bounds ||Q^t_k||_inf when the iteration starts from 0",
)
