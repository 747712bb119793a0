"""Table sizes of the learning algorithm and when it switches between them: S1, S2 (paper, section 3, Remark 3.1)."""

from __future__ import annotations

from typing import Final

import sympy as sp

from mfverify.bounds.bound import Bound
from mfverify.bounds.symbols import A_g, A_l, S_g, S_l, Z, k, times

STANDARD_TABLE: Final = Bound(
    "S1 standard",
    times(S_g, S_l**k, A_g, A_l**k),
    "Algorithm 1, section 3",
    "entries of the table over S_g x S_l^k x A_g x A_l^k",
)

DISTRIBUTIONS: Final = Bound(
    "S1 distributions",
    sp.binomial(k - 2 + Z, Z - 1),
    "section 3",
    "the exact number |mu_{k-1}(Z_l)| of distributions of k - 1 agents",
)

DISTRIBUTIONS_AT_MOST: Final = Bound(
    "S1",
    k**Z,
    "Remark 3.1",
    "bounds |mu_{k-1}(Z_l)|",
)

MEAN_FIELD_TABLE: Final = Bound(
    "S1 mean-field",
    times(S_g, S_l, A_g, A_l, DISTRIBUTIONS.expression),
    "Algorithm 1, section 3",
    "entries of the table over S_g x S_l x mu_{k-1}(Z_l) x A_g x A_l",
)

MEAN_FIELD_TABLE_AT_MOST: Final = Bound(
    "S1 mean-field at most",
    times(S_g, S_l, A_g, A_l, DISTRIBUTIONS_AT_MOST.expression),
    "Remark 3.1",
    "the mean-field table with |mu_{k-1}(Z_l)| replaced by its bound",
)

SWITCH_STANDARD: Final = Bound(
    "S2 standard side",
    Z**k,
    "Algorithm 1, Remark 3.1",
    "the standard regime is used when this is at most the mean-field side",
)

SWITCH_MEAN_FIELD: Final = Bound(
    "S2 mean-field side",
    Z * k**Z,
    "Algorithm 1, Remark 3.1",
    "the mean-field regime is used when this is below the standard side",
)
