"""``python -m mutation [PATTERN]``: try the mutants of the files that match, print the score, and fail below 90 % (see ``make mutants``)."""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import random
import sys
from collections import Counter
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

from scipy.stats import beta

from mutation import trial
from mutation.formulas import formula_lines
from mutation.mutants import Mutant, mutants_of
from mutation.plan import GROUPS, SEED
from mutation.trial import Outcome

WANTED = 0.9
"""Share of the mutants that the tests have to kill."""


def main() -> int:
    """Try mutants and report."""
    parser = argparse.ArgumentParser(prog="python -m mutation", description="Mutation testing of the certified core.")
    parser.add_argument("pattern", nargs="?", default="*", help="files, such as 'mfverify/theory/*'")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--most", type=int, default=10**6, help="mutants of each file that are drawn at most")
    parser.add_argument("--out", type=Path, default=Path("mutants.json"), help="where the outcomes are written")
    parser.add_argument(
        "--again",
        action="store_true",
        help="go on from the file of outcomes: what was killed stays killed, survivors and new ones are tried",
    )
    given = parser.parse_args()
    trial.load_libraries()
    before = json.loads(given.out.read_text(encoding="utf-8"))["mutants"] if given.again else []
    killed = {x["key"]: Outcome[x["outcome"]] for x in before if x["outcome"] != Outcome.SURVIVED.name}
    found: list[Tried] = []
    sizes: dict[str, int] = {}

    def told(mutant: Mutant, outcome: Outcome) -> None:
        found.append(Tried(mutant, outcome, sizes[mutant.path]))
        if outcome is Outcome.SURVIVED:
            print(f"  {mutant.path}:{mutant.line}: {mutant.before}\n     -> {mutant.after}", flush=True)
        if len(found) % 50 == 0:
            print(f"  {len(found)} tried", flush=True)
            _write(given.out, found)

    for group in GROUPS:
        files = {path: mutants_of(path) for path in group.files if fnmatch.fnmatch(path, given.pattern)}
        if group.formulas:
            lines = {path: formula_lines(path) for path in files}
            files = {path: kept for path, mutants in files.items() if (kept := [m for m in mutants if m.line in lines[path]])}
        sizes |= {path: len(mutants) for path, mutants in files.items()}
        drawn = [mutant for path, mutants in files.items() for mutant in _drawn(path, mutants, given.most)]
        for mutant in drawn:
            if mutant.key in killed:
                told(mutant, killed[mutant.key])
        drawn = [mutant for mutant in drawn if mutant.key not in killed]
        if drawn:
            print(f"{len(drawn)} of {sum(map(len, files.values()))} mutants of {', '.join(files)}", flush=True)
            seconds = trial.try_mutants(drawn, group, given.jobs, told)
            print(f"  {seconds:.1f} s of processor time for the tests without a fault", flush=True)
    _write(given.out, found)
    return _report(found)


@dataclass(frozen=True)
class Tried:
    """A mutant, what became of it, and how many mutants its file has."""

    mutant: Mutant
    outcome: Outcome
    of: int


def _drawn(path: str, mutants: list[Mutant], most: int) -> list[Mutant]:
    """All of them, or as many as are wanted, uniformly and the same every time."""
    return mutants if len(mutants) <= most else random.Random(f"{SEED} {path}").sample(mutants, most)


def _write(path: Path, found: list[Tried]) -> None:
    rows = [
        {"key": x.mutant.key, "path": x.mutant.path, "line": x.mutant.line, "before": x.mutant.before, "after": x.mutant.after}
        | {"of": x.of, "outcome": x.outcome.name}
        for x in found
    ]
    path.write_text(json.dumps({"seed": SEED, "mutants": rows}, indent=1), encoding="utf-8")


def _report(found: list[Tried]) -> int:
    """Print the score of every file, and of all: the files weigh as many mutants as they have, however many were drawn."""
    mutants, killed, variance = 0, 0.0, 0.0
    for path in dict.fromkeys(x.mutant.path for x in found):
        here = [x for x in found if x.mutant.path == path]
        outcomes = Counter(x.outcome for x in here)
        tried, size, hit = len(here), here[0].of, len(here) - outcomes[Outcome.SURVIVED]
        low, high = interval(hit, tried)
        drawn = "all mutants" if tried == size else f"drawn from {size}; 95 % interval {low:.1%} to {high:.1%}"
        print(f"{path}: {hit} of {tried} killed, {hit / tried:.1%} ({drawn}), {outcomes[Outcome.ENDLESS]} of them endless")
        mutants += size
        killed += size * hit / tried
        variance += (1 - tried / size) * size**2 * (hit / tried) * (1 - hit / tried) / tried
    share = killed / mutants if mutants else 0.0
    print(
        f"score: {share:.1%} of {mutants} mutants, +- {1.96 * sqrt(variance) / max(mutants, 1):.1%} from the draw; {len(found)} were tried"
    )
    return 0 if share >= WANTED else 1


def interval(hits: int, tries: int) -> tuple[float, float]:
    """Where the share of hits lies with a confidence of 95 % (Clopper and Pearson 1934)."""
    low = beta.ppf(0.025, hits, tries - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, tries - hits) if hits < tries else 1.0
    return float(low), float(high)


if __name__ == "__main__":
    sys.exit(main())
