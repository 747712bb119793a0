"""How long a million candidates take to be ranked: islands of 4 to 8 agents, as a search climbs them, on all usable cores.

Nothing is certified, and an island that comes upon a violation ends there, so claims with many violations pay most for beginnings. Run
``python -m benchmarks.screening_rates [CLAIM ...] [--candidates NUMBER]``; prints one line for each claim.
"""

from __future__ import annotations

import argparse
import time

from mfverify.falsifier.evaluation import Evaluator, Start
from mfverify.papers import CATALOGUE
from mfverify.runner import FOR_EVER, usable_cores

CLAIMS = ("T1", "P4", "R4", "R5", "L1", "R2")
BELOW = 9
"""Islands have fewer agents than that, and at least half as many."""
AT_A_TIME = 64
"""Islands that are asked for at a time."""


def ranked(claim: str, wanted: int, workers: int) -> tuple[int, int, float, float]:
    """Candidates, islands, seconds, and the largest ratio of left to right side."""
    evaluator = Evaluator(CATALOGUE[claim], workers, FOR_EVER)
    number = islands = 0
    best = float("-inf")
    list(evaluator.climbed([(f"compile {i}", None) for i in range(2 * workers)], BELOW))
    started = time.monotonic()
    while number < wanted:
        starts: list[Start] = [(f"rates {islands + i}", None) for i in range(AT_A_TIME)]
        for one in evaluator.climbed(starts, BELOW):
            number, islands, best = number + one.screened, islands + 1, max(best, one.ratio)
    return number, islands, time.monotonic() - started, best


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("claims", nargs="*", default=CLAIMS)
    parser.add_argument("--candidates", type=int, default=10**6)
    given = parser.parse_args()
    workers = usable_cores()
    print(f"{workers} workers\n\n| claim | ranked | islands | seconds | a second | in ten minutes | largest ratio |")
    print("|---|---|---|---|---|---|---|")
    for claim in given.claims:
        number, islands, seconds, best = ranked(claim, given.candidates, workers)
        rate = number / seconds
        print(f"| {claim} | {number:,} | {islands:,} | {seconds:.0f} | {rate:,.0f} | {600 * rate:,.0f} | {best:.4g} |", flush=True)


if __name__ == "__main__":
    main()
