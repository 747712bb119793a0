"""Agreement of small systems with exact arithmetic: random models, hard cases among them, every entry against the rational value.

Whole weights, so that rows are rationals such as 1/3; ties, actions with one kernel, rewards of zero; discounts from 1/100 to 999/1000; up to four
local states and actions and six agents, as far as exact arithmetic takes no more than a moment. Run it with ``python -m benchmarks.agreement
[MODELS]``; 10,000 take some minutes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np

from mfverify.bellman import small
from mfverify.exact.rational import RationalSystem
from tests.agreement.random_models import random_models, ratio_to_claimed

MOST_PAIRS = 250
"""Pairs of a state and a joint action, of which the exact solution compares each some four times."""

AT_ONCE = 25


def sizes_drawn(rng: np.random.Generator) -> tuple[tuple[int, int, int, int], int, int]:
    """Sizes of a model, a number of agents and of a sample, at random among those that are not too large."""
    while True:
        sizes = (int(rng.integers(1, 3)), int(rng.integers(1, 3)), int(rng.integers(1, 5)), int(rng.integers(1, 5)))
        n = int(rng.integers(1, 7))
        probe = random_models(rng, 1, sizes).model(0)
        if RationalSystem(probe, n).pairs <= MOST_PAIRS:
            return sizes, n, int(rng.integers(1, n + 1))


def main(arguments: Sequence[str]) -> int:
    """Count the models, print the largest ratio of actual to claimed error; 1 if a value was outside."""
    wanted, rng = int(arguments[0]) if arguments else 10_000, np.random.default_rng(14)
    started, models, largest, seen = time.perf_counter(), 0, 0.0, set()
    while models < wanted:
        sizes, n, k = sizes_drawn(rng)
        many = random_models(rng, min(AT_ONCE, wanted - models), sizes)
        largest = max(largest, ratio_to_claimed(many, n, k, small))
        models += len(many)
        seen.add((sizes, n))
        if models % 500 == 0:
            print(f"{models} models, largest ratio so far {largest:.3f}", flush=True)
    print(f"{models} models of {len(seen)} sizes and numbers of agents, {time.perf_counter() - started:.0f} s")
    print(f"largest ratio of the actual to the claimed error {largest:.3f}; " + ("every entry inside" if largest <= 1 else "A VALUE IS OUTSIDE"))
    return int(largest > 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
