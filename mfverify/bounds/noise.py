"""Right-hand sides about what is left of sampling and of stopping early: N1 (Lemma 4.3) and B7."""

from __future__ import annotations

from typing import Final

import sympy as sp

from mfverify.bounds.bound import Bound
from mfverify.bounds.symbols import A_g, A_l, S_g, S_l, T, gamma, k, rt, times

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
