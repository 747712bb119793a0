"""How many of the false claims a search finds: ``python -m tests.strength.tally``; with options one seed, budget or part of an id.

The budget of each claim is that of ``mfverify falsify``, on one worker. The number of candidates until the first violation depends on claim and
seed alone, unless the budget ends before; the seconds are those of the machine.
"""

from __future__ import annotations

import argparse
import time

from mfverify.falsifier.evaluation import Evaluator
from mfverify.falsifier.search import Searched, search
from mfverify.theory.claim import Claim
from tests.strength.false_claims import FALSE, TRUE


def searched(claim: Claim, seed: int, budget: float, most: int | None = None) -> Searched:
    """A search of one claim, on one worker, with at most so many candidates."""
    out = Searched(claim.id, seed)
    search(claim, Evaluator(claim, 1, time.monotonic() + budget), most, out)
    return out


def row(claim: Claim, out: Searched) -> str:
    """A row of the table in ``docs/explanation/falsifier.md``."""
    ratio = "-" if out.best is None else f"{out.best.score:.4g}"
    where = out.found.candidate.family if out.found is not None else "not found"
    return f"| {claim.id} | {where} | {out.evaluations} | {out.screened} | {out.seconds:.0f} | {ratio} |"


def main() -> None:
    """Search all claims and count those that are found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds for each claim")
    parser.add_argument("--only", default="", help="part of the id")
    given = parser.parse_args()
    for name, claims in (("false", [one.claim for one in FALSE]), ("true", list(TRUE))):
        chosen = [claim for claim in claims if given.only in claim.id]
        found = 0
        for claim in chosen:
            out = searched(claim, given.seed, given.budget)
            found += out.found is not None
            print(row(claim, out), flush=True)
        print(f"{found} of {len(chosen)} {name} claims refuted", flush=True)


if __name__ == "__main__":
    main()
