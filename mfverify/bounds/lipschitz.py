"""Right-hand sides about how much ``Q*_k`` changes with the empirical distribution and with its size: L1, L2, R2."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from mfverify.bounds.bound import Bound
from mfverify.bounds.symbols import HALF, TV, S_l, Z, gamma, k, n, plus, root, rt_l, times

SLOPE: Final = 2 * rt_l / (1 - gamma)
"""``L = 2 rt_l/(1-gamma)``, the Lipschitz constant of Theorem E.3."""

SAME_SIZE: Final = Bound(
    "L1",
    times(SLOPE, TV),
    "Theorem E.3 (appendix)",
    "bounds |Q*_k(s_g, F, a_g) - Q*_k(s_g, F', a_g)| for two distributions of k agents",
)

ACROSS_SIZES: Final = replace(SAME_SIZE, name="L2", reading="the same number for distributions of k and of k' agents")

FLUCTUATION: Final = plus(times(HALF, root((S_l - 1) * (n - k) / (n * k))), Z / (4 * n))
"""R2: mean distance of the next states of the sample and of the population, and the rounding of the actions."""

UPPER: Final = Bound(
    "R2 upper",
    plus(times(SLOPE, TV), times(gamma * SLOPE / (1 - gamma), FLUCTUATION)),
    "section 5 of the theory page (ours)",
    "bounds Q_k(z_Delta) - Q_n(z_[n]) for a k-subset Delta; at k = n the rounding term Z/(4n) stays",
)

LOWER: Final = Bound(
    "R2 lower",
    times(SLOPE, plus(TV, Z / (4 * k))),
    "section 5 of the theory page (ours)",
    "bounds Q_n(G) - Q_k(F) for any distributions F of k and G of n agents",
)
