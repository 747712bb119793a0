"""Right-hand sides about what is left of sampling and of stopping early: B6, N1 (Lemma 4.3), B7, and the repairs B4r, N1r."""

from __future__ import annotations

from typing import Final

import sympy as sp

from mfverify.bounds.bound import Bound
from mfverify.bounds.symbols import A_g, A_l, S_g, S_l, T, Z, gamma, k, m, plus, root, rt, span, times

SAMPLES: Final = Bound(
    "N1",
    times(
        2 * S_g * A_g * S_l * A_l * k ** (sp.Rational(7, 2) + S_l * A_l) / (1 - gamma) ** 5,
        sp.log(S_g * A_g * A_l * S_l),
        sp.log((1 - gamma) ** -2),
    ),
    "Lemma 4.3",
    "m*, the number of samples per (state, action) that the lemma asks for",
)

ITERATIONS: Final = Bound(
    "B7 iterations",
    times(2 / (1 - gamma), sp.log(rt * sp.sqrt(k) / (1 - gamma))),
    "Lemma 4.3, Theorem 4.4",
    "the number T of iterations that the theorem asks for",
)

ITERATION_ERROR: Final = Bound(
    "B7 error",
    gamma**T * rt / (1 - gamma),
    "contraction from 0 (B3, B5)",
    "bounds ||Q^T_k - Q*_k||_inf",
)

ITERATION_TARGET: Final = Bound(
    "B7",
    1 / sp.sqrt(k),
    "Lemma 4.3, Theorem 4.4",
    "the order 1/sqrt(k) read as at most 1/sqrt(k)",
)

BIAS: Final = Bound(
    "B4r",
    times(gamma, span, root(sp.log(A_g * A_l**k) / (2 * m))),
    "sub-Gaussian maximal inequality (ours)",
    "bounds the bias of the empirical operator after the maximum over |A_g||A_l|^k joint actions",
)

MEAN_NOISE: Final = Bound(
    "B6",
    times(gamma, span, root(plus(sp.log(2 * S_g * A_g), times(k, sp.log(Z))) / (2 * m))) / (1 - gamma),
    "sub-Gaussian maximal inequality over |S_g||A_g||Z_l|^k labelled pairs (ours)",
    "bounds the mean of eps_{k,m} for every m",
)

ENOUGH_ON_AVERAGE: Final = Bound(
    "N1 samples",
    times(gamma**2 * k * span**2 / (2 * (1 - gamma) ** 2), plus(sp.log(2 * S_g * A_g), times(k, sp.log(Z)))),
    "the bound of B6 solved for m (ours)",
    "from this number of samples on the mean of eps_{k,m} is at most 1/sqrt(k)",
)

ENOUGH_SAMPLES: Final = Bound(
    "N1r",
    times(
        gamma**2 * k * span**2 / (2 * (1 - gamma) ** 2),
        plus(sp.log(200 * S_g * A_g), times(k, plus(sp.log(Z), 1))),
    ),
    "Hoeffding's inequality and a union over |S_g||A_g||Z_l|^k labelled pairs (ours)",
    "from this number of samples on eps_{k,m} <= 1/sqrt(k) with probability at least 1 - 1/(100 e^k)",
)
