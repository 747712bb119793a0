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
from pathlib import Path

from mutation import trial
from mutation.mutants import Mutant, mutants_of
from mutation.plan import GROUPS, SEED
from mutation.trial import Outcome

WANTED = 0.9
"""Share of the mutants that the tests have to kill."""


def main() -> int:
    """Try mutants and report."""
    parser = argparse.ArgumentParser(prog="python -m mutation", description="Mutation testing of the certified core.")
    parser.add_argument("pattern", nargs="?", default="*", help="files, such as 'mfverify/bounds/*'")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--most", type=int, default=None, help="mutants of each file that are drawn at most")
    parser.add_argument("--out", type=Path, default=Path("mutants.json"), help="where the outcomes are written")
    parser.add_argument("--again", action="store_true", help="only the survivors in the file of outcomes")
    given = parser.parse_args()
    trial.load_libraries()
    before = json.loads(given.out.read_text(encoding="utf-8"))["mutants"] if given.again else []
    survived = {x["id"] for x in before if x["outcome"] == Outcome.SURVIVED.name}
    found: list[Tried] = []
    for group in GROUPS:
        files = {path: mutants_of(path) for path in group.files if fnmatch.fnmatch(path, given.pattern)}
        drawn = [mutant for path, mutants in files.items() for mutant in _drawn(path, mutants, given.most or group.most)]
        drawn = [mutant for mutant in drawn if not given.again or _id(mutant) in survived]
        if drawn:
            print(f"{len(drawn)} of {sum(map(len, files.values()))} mutants of {', '.join(files)}", flush=True)
            sizes = {path: len(mutants) for path, mutants in files.items()}

            def told(mutant: Mutant, outcome: Outcome, sizes: dict[str, int] = sizes) -> None:
                _told(found, Tried(mutant, outcome, sizes[mutant.path]))

            seconds = trial.try_mutants(drawn, group.tests, given.jobs, told)
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


def _id(mutant: Mutant) -> str:
    return f"{mutant.path}: {mutant.before} -> {mutant.after}"


def _told(found: list[Tried], tried: Tried) -> None:
    found.append(tried)
    mutant = tried.mutant
    if tried.outcome is Outcome.SURVIVED:
        print(f"  {mutant.path}:{mutant.line}: {mutant.before}\n     -> {mutant.after}", flush=True)
    if len(found) % 100 == 0:
        print(f"  {len(found)} tried", flush=True)


def _write(path: Path, found: list[Tried]) -> None:
    rows = [{"id": _id(x.mutant), "line": x.mutant.line, "of": x.of, "outcome": x.outcome.name} for x in found]
    path.write_text(json.dumps({"seed": SEED, "mutants": rows}, indent=1), encoding="utf-8")


def _report(found: list[Tried]) -> int:
    for path in dict.fromkeys(x.mutant.path for x in found):
        here = [x for x in found if x.mutant.path == path]
        outcomes = Counter(x.outcome for x in here)
        killed = len(here) - outcomes[Outcome.SURVIVED]
        print(
            f"{path}: {killed} of {len(here)} killed ({killed / len(here):.1%}), {outcomes[Outcome.ENDLESS]} of them endless; {here[0].of} mutants exist"
        )
    killed = sum(x.outcome is not Outcome.SURVIVED for x in found)
    print(f"score: {killed} of {len(found)} killed, {killed / max(len(found), 1):.1%}")
    return 0 if killed >= WANTED * len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
