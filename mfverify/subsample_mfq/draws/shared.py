"""Shared subset (claim R4): one uniform k-subset for all agents; members play their parts, the others copy them (``plays.py``)."""

from __future__ import annotations

from mfverify import counts
from mfverify.subsample_mfq import draw_laws, random_draws
from mfverify.subsample_mfq.shared_draws import copied_subset

WAY = copied_subset("shared", counts.subsample_law, random_draws.subsets, draw_laws.draw_weights)
