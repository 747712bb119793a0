"""Right-hand sides about one uniform k-subset ``Delta`` of ``n`` agents: claims C1 to C5 and R3.

``F_Delta`` and ``F_[n]`` are the empirical distributions of the sample and of the population (paper, eq. 5), ``Z`` the
number of classes. Sampling without replacement multiplies the exponent of Hoeffding's inequality by ``n/(n-k+1)``
(Serfling 1974).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import sympy as sp

from mfverify.bounds.bound import Bound
from mfverify.bounds.symbols import HALF, Z, delta, epsilon, k, n, root, times

_EXPONENT: Final = -2 * k * n * epsilon**2 / (n - k + 1)
"""Serfling's exponent for one class (or one set of classes) and a one-sided deviation of ``epsilon``."""

SUP_NORM_TAIL: Final = Bound(
    "C1",
    2 * Z * sp.exp(_EXPONENT),
    "DKW without replacement (appendix)",
    "bounds the probability that some class deviates by more than epsilon",
)

TV_TAIL: Final = replace(
    SUP_NORM_TAIL, name="C2", source="the way Theorem 4.2 uses C1", reading="the same number for the probability that TV > epsilon"
)

TV_TAIL_BY_SETS: Final = Bound(
    "R3",
    2**Z * sp.exp(_EXPONENT),
    "repaired C2: TV is the largest deviation over sets of classes",
    "bounds the probability that TV > epsilon: Serfling's inequality and a union over the 2^Z sets of classes",
)

TV_QUANTILE: Final = Bound(
    "C3",
    root(times((n - k + 1) / (8 * n * k), sp.log(2 * Z / delta))),
    "Theorem 4.2 through C1 (appendix)",
    "with probability >= 1 - delta, TV is at most this: TV read as half the largest deviation of one class",
)

TV_QUANTILE_TAIL: Final = Bound(
    "C3 tail",
    2 * Z * sp.exp(-8 * n * k * epsilon**2 / (n - k + 1)),
    "C3 solved for delta",
    "the delta for which C3 equals epsilon, hence what C3 says of the probability that TV > epsilon",
)

TV_MEAN: Final = Bound(
    "C4",
    times(HALF, root(Z * (n - k) / (k * (n - 1)))),
    "paper, section 4 gives the order; the constant is ours (R3)",
    "bounds E TV: a hypergeometric variance per class, then Jensen and Cauchy-Schwarz; a single agent (n = 1) is excluded, 0/0",
)

KL_LARGEST: Final = Bound(
    "C5",
    sp.log(n / k),
    "Lemma F.6 (appendix)",
    "bounds KL(F_Delta || F_[n]); too slow in k to be of use",
)
