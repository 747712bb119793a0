"""Right-hand side about infinitely many agents: V2."""

from __future__ import annotations

from typing import Final

from mfverify.bounds.bound import Bound
from mfverify.bounds.symbols import S_l, gamma, n, root, rt_l, times

RATE: Final = Bound(
    "V2",
    times(gamma * rt_l / (1 - gamma) ** 2, root((S_l - 1) / n)),
    "section 8 of the theory page (ours)",
    "bounds V_n - V_inf for every distribution of n agents",
)
