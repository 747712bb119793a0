"""Shared subset (claim R4): one uniform k-subset for all agents; members play their parts, the others copy them (``plays.py``)."""

from __future__ import annotations

from mfverify.subsample_mfq import random_draws
from mfverify.subsample_mfq.shared_draws import copied_subset
from mfverify.subsample_mfq.uniform_subset import subset_weights

WAY = copied_subset("shared", subset_weights, random_draws.subsets)
