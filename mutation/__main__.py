"""``python -m mutation [PATTERN]``: try the mutants of the files that match, print the score, and fail below 90 % (see ``make mutants``)."""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import random
import sys
import time
from collections import Counter, deque
from pathlib import Path

from mutation import trial
from mutation.mutants import Mutant, mutants_of
from mutation.plan import GROUPS, SEED, Group
from mutation.trial import Change, Outcome

WANTED = 0.9
"""Share of the mutants that the tests have to kill."""

SLOWER, GRACE = 5, 2.0
"""A mutant may take that many times the processor time of its tests, and that many seconds more."""


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
    before = {x["id"]: x["outcome"] for x in json.loads(given.out.read_text())["mutants"]} if given.again else {}
    found = []
    for group in GROUPS:
        files = [path for path in group.files if fnmatch.fnmatch(path, given.pattern)]
        drawn = [
            (mutant, len(all_)) for path in files for all_ in [mutants_of(path)] for mutant in _drawn(path, all_, given.most or group.most)
        ]
        if given.again:
            drawn = [(mutant, size) for mutant, size in drawn if before.get(_id(mutant)) == Outcome.SURVIVED.name]
        if drawn:
            print(f"{len(drawn)} mutants of {', '.join(files)}", flush=True)
            found += _try_all(group, drawn, given.jobs)
    _write(given.out, found)
    return _report(found)


def _drawn(path: str, mutants: list[Mutant], most: int) -> list[Mutant]:
    rng = random.Random(f"{SEED} {path}")
    return mutants if len(mutants) <= most else rng.sample(mutants, most)


def _id(mutant: Mutant) -> str:
    return f"{mutant.path}: {mutant.before} -> {mutant.after}"


def _try_all(group: Group, drawn: list[tuple[Mutant, int]], jobs: int) -> list[tuple[Mutant, int, Outcome]]:
    os.environ.update(group.environment)
    began = time.process_time(), os.times()
    log = f"mutants-{os.getpid()}.log"
    status = os.waitpid(trial.start(None, group.tests, 600, log), 0)[1]
    if trial.outcome(status) is not Outcome.SURVIVED:
        raise SystemExit(f"the tests fail without any mutant: see {log}")
    os.unlink(log)
    usual = os.times().children_user + os.times().children_system - began[1].children_user - began[1].children_system
    limit = SLOWER * usual + GRACE
    print(f"  {usual:.1f} s of processor time without a fault", flush=True)
    waiting: deque[tuple[Mutant, int]] = deque(drawn)
    running: dict[int, tuple[Mutant, int]] = {}
    found: list[tuple[Mutant, int, Outcome]] = []
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant, size = waiting.popleft()
            running[trial.start(Change(mutant.module, mutant.path, mutant.source), group.tests, limit)] = mutant, size
        child, status = os.wait()
        mutant, size = running.pop(child)
        what = trial.outcome(status)
        found.append((mutant, size, what))
        if len(found) % 50 == 0:
            print(f"  {len(found)} tried", flush=True)
        if what is Outcome.SURVIVED:
            print(f"  {mutant.path}:{mutant.line}: {mutant.before}\n     -> {mutant.after}", flush=True)
    return found


def _write(path: Path, found: list[tuple[Mutant, int, Outcome]]) -> None:
    rows = [{"id": _id(m), "line": m.line, "of": size, "outcome": what.name} for m, size, what in found]
    path.write_text(json.dumps({"seed": SEED, "mutants": rows}, indent=1), encoding="utf-8")


def _report(found: list[tuple[Mutant, int, Outcome]]) -> int:
    for path in dict.fromkeys(m.path for m, _, _ in found):
        outcomes = Counter(what for m, _, what in found if m.path == path)
        tried, size = sum(outcomes.values()), next(s for m, s, _ in found if m.path == path)
        killed = tried - outcomes[Outcome.SURVIVED]
        print(
            f"{path}: {killed} of {tried} killed ({killed / tried:.1%}), {outcomes[Outcome.ENDLESS]} of them endless; {size} mutants exist"
        )
    killed = sum(what is not Outcome.SURVIVED for _, _, what in found)
    print(f"score: {killed} of {len(found)} killed, {killed / max(len(found), 1):.1%}")
    return 0 if killed >= WANTED * len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
