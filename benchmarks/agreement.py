"""Agreement of small systems with exact arithmetic: random models, hard cases among them, every entry against the rational value.

Whole weights, so that rows are rationals such as 1/3; ties, actions with one kernel, rewards of zero; discounts from 1/100 to 999/1000; up to four
local states and actions and six agents, as far as exact arithmetic takes no more than a moment. Optima of all models; where no tie is left open
and few states make exact values quick, also the learned policies and values, the values of executed policies and the gaps. Run it with
``python -m benchmarks.agreement [MODELS]``; 10,000 take some minutes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from mfverify.exact.rational import RationalSystem
from tests.agreement.random_models import PARTS, random_models, ratios_to_claimed

MOST_PAIRS = 250
"""Pairs of a state and a joint action, of which the exact solution compares each some four times."""

MOST_STATES = 40
"""States of a system whose executed values are computed."""

AT_ONCE = 25


def sizes_drawn(rng: np.random.Generator) -> tuple[tuple[int, int, int, int], int, int, int]:
    """Sizes of a model, a number of agents, of a sample and of states, at random among those that are not too large."""
    while True:
        sizes = (int(rng.integers(1, 3)), int(rng.integers(1, 3)), int(rng.integers(1, 5)), int(rng.integers(1, 5)))
        n = int(rng.integers(1, 7))
        probe = RationalSystem(random_models(rng, 1, sizes).model(0), n)
        if probe.pairs <= MOST_PAIRS:
            return sizes, n, int(rng.integers(1, n + 1)), len(probe.states)


def main(arguments: Sequence[str]) -> int:
    """Count the models, print the largest ratio of actual to claimed error of each part; 1 if a value was outside."""
    wanted, rng = int(arguments[0]) if arguments else 10_000, np.random.default_rng(14)
    started, models, executed, seen = time.perf_counter(), 0, 0, set()
    largest = dict.fromkeys(PARTS, 0.0)
    while models < wanted:
        sizes, n, k, states = sizes_drawn(rng)
        many = random_models(rng, min(AT_ONCE, wanted - models), sizes)
        found, decided = ratios_to_claimed(many, n, k, executed=states <= MOST_STATES)
        largest = {part: max(largest[part], found[part]) for part in PARTS}
        models, executed = models + len(many), executed + decided
        seen.add((sizes, n, k))
    taken = time.perf_counter() - started
    print(f"{models} models, {executed} of them also executed, of {len(seen)} sizes, n and k, in {taken:.0f} s; against exact arithmetic")
    print("largest ratio of the actual to the claimed error: " + ", ".join(f"{part} {ratio:.3f}" for part, ratio in largest.items()))
    inside = max(largest.values()) <= 1
    print("every entry is inside its enclosure" if inside else "A VALUE IS OUTSIDE")
    return int(not inside)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
