"""Independent draws (the paper's Algorithm 2): the global agent draws a uniform k-subset, each local agent k - 1 of the others.

The probabilities of actions are integers over ``C(n, k)`` and ``C(n-1, k-1)``; with two local states they are known to four
roundings at any size (``draw_laws.py``).
"""

from __future__ import annotations

from functools import partial
from math import comb

from mfverify.subsample_mfq import draw_laws, random_draws
from mfverify.subsample_mfq.own_draws import OwnDraws
from mfverify.subsample_mfq.uniform_subset import subset_marginals_at, subset_numerators, subsets

WAY = OwnDraws(
    "independent",
    subset_numerators,
    comb,
    random_draws.subsets,
    partial(draw_laws.marginals, replaced=False),
    subset_marginals_at,
    subsets,
)
