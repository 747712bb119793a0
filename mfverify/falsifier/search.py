"""The search for a violated instance: rounds of islands, of all families, and of local search around the best so far.

A search that continues earlier ones begins with their best instances.

For a claim with a screen a round begins with islands (:mod:`mfverify.falsifier.climb`), on each of which thousands of candidates are ranked
without enclosures: some with random structures, and one around one of the best instances so far. Those that come near a violation or set a
record become candidates like the others.

A round is then a fixed number of candidates: some from each family of the claim's domain, and, once there is something to improve,
as many neighbours of the instances with the largest certified ratio left/right. The next round depends on the answers to the whole
round before, never on time or on the number of workers. So the candidates are one fixed sequence for each claim, seed and
first instances; the budget only says how far the search gets in it, and what it returns is the first violated candidate of that sequence.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from mfverify.falsifier.climb import Climbed, Near, space_of
from mfverify.falsifier.domains import Domain, domain_of
from mfverify.falsifier.evaluation import Candidate, Evaluated, Evaluator, Start
from mfverify.falsifier.model_domains import sizes_of
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Claim, Verdict
from mfverify.theory.search_space import Arrangement

ROUND = 24
"""Candidates in a round, for any number of workers."""
KEPT = 8
"""Instances around which local search continues."""
_TRIES = 200
"""How many candidates of a family may be repetitions in a row before it counts as exhausted."""

LOCAL = "local search"
CLIMBING = "climbing"
EARLIER = "earlier searches"

ISLANDS = 4
"""Islands with random structures in a round, for any number of workers."""
NEAR = 0.999
"""Ratios from which on a ranked candidate is evaluated by the certified sides even if it sets no record."""

Progress = Callable[["Searched"], None]
"""Called now and then with what was searched so far."""


@dataclass
class Searched:
    """What was searched: how many candidates of each family and with what verdicts, the best one, the first violated one.

    ``first`` are the instances that it began with, the best ones of earlier searches.
    ``exhausted``: every family came to its end. ``rounds`` counts finished rounds. ``screened`` candidates were ranked without enclosures
    on islands; ``curve`` holds each better ratio that was ranked, with the number ranked until then, and ``screened_best`` where it was.
    """

    claim: str
    seed: int
    first: tuple[Case, ...] = ()
    families: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    exhausted: bool = False
    best: Evaluated | None = None
    found: Evaluated | None = None
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    screened: int = 0
    climbing_seconds: float = 0.0
    curve: list[tuple[int, float]] = field(default_factory=list)

    @property
    def evaluations(self) -> int:
        """Candidates that were evaluated to the end."""
        return sum(self.families.values())

    def take(self, one: Evaluated) -> None:
        """Count an answer."""
        if one.verdict is None:
            return
        self.families[one.candidate.family] += 1
        self.verdicts[one.verdict.value] += 1
        if one.failed and len(self.failures) < 3:
            self.failures.append(f"{one.candidate.instance.label}: {one.reason}")
        if one.left is not None and (self.best is None or one.score > self.best.score):
            self.best = one
        if one.verdict is Verdict.VIOLATED and self.found is None:
            self.found = one

    def take_island(self, one: Climbed) -> bool:
        """Count what an island ranked; whether it is worth the certified sides: near a violation, or a record."""
        record = not self.curve or one.ratio > self.curve[-1][1]
        for ranked, ratio in one.curve:
            if not self.curve or ratio > self.curve[-1][1]:
                self.curve.append((self.screened + ranked, ratio))
        self.screened += one.screened
        return record or one.ratio > NEAR


def search(claim: Claim, evaluator: Evaluator, most: int | None, searched: Searched, progress: Progress | None = None) -> None:
    """Look for a violated instance until one is found, the families are exhausted, the deadline passes or ``most`` are evaluated.

    ``searched`` is filled during the search, so that an interrupted search still shows what it did.
    """
    started = time.monotonic()
    sequence = Rounds(domain_of(claim), searched.seed)
    climbs = space_of(claim) is not None

    def take(candidates: list[Candidate], answers: list[Evaluated]) -> None:
        """Evaluate up to the first violation, behind what the round has answered so far."""
        left = candidates if most is None else candidates[: most - searched.evaluations]
        with closing(evaluator.evaluated(left)) as evaluated:
            for one in evaluated:
                # Behind a candidate that ran out of time nothing counts: what is first in order does not depend on speed.
                if not answers or answers[-1].verdict is not None:
                    searched.take(one)
                    answers.append(one)
                searched.seconds = time.monotonic() - started
                if progress is not None:
                    progress(searched)
                if searched.found is not None:
                    return

    begun: list[Evaluated] = []
    take([Candidate(EARLIER, one) for one in searched.first], begun)
    sequence.learn(begun)
    while searched.found is None and not evaluator.out_of_time and (most is None or searched.evaluations < most):
        starts: list[Start] = [(f"{searched.seed} {searched.rounds * ISLANDS + i}", None) for i in range(ISLANDS)] if climbs else []
        if climbs and (near := sequence.near) is not None:
            starts.append((f"{searched.seed} around {searched.rounds}", near))
        answers: list[Evaluated] = []
        while starts and searched.found is None and not evaluator.out_of_time:
            candidates, starts = summits(claim, evaluator, searched, starts)
            take(candidates, answers)
        if searched.found is None:
            candidates = sequence.next_round()
            if not candidates and not answers:
                searched.exhausted = True
                break
            take(candidates, answers)
        sequence.learn(answers)
        searched.rounds += 1


def summits(
    claim: Claim, evaluator: Evaluator, searched: Searched, starts: Sequence[Start], below: int | None = None
) -> tuple[list[Candidate], list[Start]]:
    """The best of each island that is worth the certified sides, and the islands that are left: it ends at one that looks violated.

    With ``below`` islands have fewer agents than that, and all of them are climbed.
    """
    started = time.monotonic()
    out: list[Candidate] = []
    left = list(starts)
    with closing(evaluator.climbed(starts, below)) as climbed:
        for one in climbed:
            left.pop(0)
            if (searched.take_island(one) or below is not None) and one.found is not None:
                model, score = one.found
                arrangement = claim.searched
                made = arrangement.instance(model, one.agents, one.subsample) if isinstance(arrangement, Arrangement) else None
                out += [] if made is None else [Candidate(CLIMBING, made)]
                if below is None and score > 1:
                    break
        else:
            left = []
    searched.climbing_seconds += time.monotonic() - started
    return out, left


class Rounds:
    """The candidates of one claim and seed, round by round; once there is something to improve, ``near`` of a round are neighbours of the best."""

    def __init__(self, domain: Domain, seed: int, near: int = ROUND // 2) -> None:
        self._domain, self._seed, self._wanted = domain, seed, near
        self._families: dict[str, Iterator[Case]] = dict(domain.families(seed))
        self._seen: set[str] = set()
        self._best: list[Evaluated] = []
        self._round = 0

    def next_round(self) -> list[Candidate]:
        """The next candidates, none of them seen before; empty where there are no more."""
        self._round += 1
        near = self._near(self._wanted) if self._best else []
        candidates = list(near)
        while self._families and len(candidates) < ROUND:
            for name in list(self._families):
                fresh = next((one for one in islice(self._families[name], _TRIES) if self._is_new(one)), None)
                if fresh is None:
                    del self._families[name]
                else:
                    candidates.append(Candidate(name, fresh))
        return candidates

    @property
    def near(self) -> Near | None:
        """What the next island is around: in every second round the best instance, in the others one of those kept; None without a model."""
        if not self._best:
            return None
        instance = self._best[self._round // 2 % len(self._best) if self._round % 2 else 0].candidate.instance
        model = instance.written.model
        return None if model is None else Near(model, *sizes_of(instance))

    def _near(self, wanted: int) -> list[Candidate]:
        """Neighbours of the best instances, one instance after the other."""
        rng = random.Random(f"near {self._seed} {self._round}")
        out: list[Candidate] = []
        streams = [self._domain.neighbours(one.candidate.instance, rng) for one in self._best]
        for stream in streams:
            share = -(-wanted // len(streams))
            fresh = (one for one in islice(stream, 10 * share) if self._is_new(one))
            out += [Candidate(LOCAL, one) for one in islice(fresh, share)]
        return out[:wanted]

    def _is_new(self, instance: Case) -> bool:
        key = instance.key("", "")
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def learn(self, answers: list[Evaluated]) -> None:
        """Keep the best: the largest scores, earlier ones first among equals, at most two from one model."""
        ranked = sorted([*self._best, *(one for one in answers if one.left is not None)], key=lambda one: -one.score)
        kept: list[Evaluated] = []
        for one in ranked:
            model = one.candidate.instance.written.model
            same_model = sum(other.candidate.instance.written.model == model for other in kept)
            if len(kept) < KEPT and (model is None or same_model < 2):
                kept.append(one)
        self._best = kept


def summary(searched: Searched) -> dict[str, Any]:
    """What a search did, as JSON values."""
    return {
        "candidates": searched.evaluations,
        "families": dict(sorted(searched.families.items())),
        "verdicts": dict(sorted(searched.verdicts.items())),
        "exhausted": searched.exhausted,
        "screened": searched.screened,
        "per_second": round(searched.screened / searched.climbing_seconds) if searched.climbing_seconds else None,
        "seconds_each": _rounded((searched.seconds - searched.climbing_seconds) / searched.evaluations) if searched.evaluations else None,
        "curve": [[ranked, ratio] for ranked, ratio in searched.curve],
        "best": outcome(searched.best) if searched.best is not None else None,
        "failures": searched.failures,
    }


def _rounded(seconds: float) -> float:
    return float(f"{seconds:.2g}")


def outcome(one: Evaluated) -> dict[str, Any]:
    """A candidate, its sides and its model, as JSON values; ``ratio`` is the certified lower end of left/right where the right side is positive."""
    model = one.candidate.instance.written.model
    positive = one.right is not None and one.right.upper > 0
    sizes = {} if model is None else dict(zip(("agents", "subsample"), sizes_of(one.candidate.instance), strict=True))
    return {
        "family": one.candidate.family,
        "label": one.candidate.instance.label,
        **sizes,
        "verdict": one.verdict.value if one.verdict is not None else None,
        "ratio": one.score if positive else None,
        "actual": one.left.to_json() if one.left is not None else None,
        "bound": one.right.to_json() if one.right is not None else None,
        "model": None if model is None else model.numbers_as_text(),
    }
