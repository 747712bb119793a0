"""The smallest counterexamples of a claim: what was certified violated and is not beaten in every respect, and how smaller ones are looked for.

One instance is as small as another if it has no more agents, no larger sample, no more states and actions and no larger denominators. Those
that no other one beats are shown side by side: the fewest agents may need a large sample, and the fewest states large denominators.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mfverify.falsifier.climb import space_of
from mfverify.falsifier.evaluation import Evaluated, Evaluator, Start
from mfverify.falsifier.model_domains import Fewer
from mfverify.falsifier.search import ISLANDS, ROUND, Rounds, Searched, summits
from mfverify.falsifier.shrink import Shrunk, shrink
from mfverify.falsifier.simplicity import simplicity
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Claim, Verdict
from mfverify.theory.search_space import Arrangement

MISSED_FIRST, MISSED = 16, 12
"""Rounds without a violation after which no smaller one is looked for: before the model is simplified, and after that."""
CLIMBED = 3
"""Those of them that have islands."""


@dataclass
class Front:
    """Violated instances of which none is as small as another one."""

    kept: list[Evaluated] = field(default_factory=list)

    def add(self, one: Evaluated) -> None:
        """Keep an instance if it is violated and no kept one is as small; drop those that it beats."""
        if one.verdict is not Verdict.VIOLATED:
            return
        size = measures(one)
        if any(_as_small(measures(other), size) for other in self.kept):
            return
        self.kept = [other for other in self.kept if not _as_small(size, measures(other))] + [one]

    def to_json(self) -> list[dict[str, Any]]:
        """What is kept, by the number of agents, with its certified sides."""
        names = ("agents", "subsample", "states_and_actions", "denominator")
        return [
            {
                **dict(zip(names, measures(one), strict=True)),
                "label": one.candidate.instance.label,
                "actual": one.left.to_json() if one.left is not None else None,
                "bound": one.right.to_json() if one.right is not None else None,
            }
            for one in sorted(self.kept, key=measures)
        ]


def measures(one: Evaluated) -> tuple[int, int, int, int]:
    """The measures of the instance of a candidate."""
    return measures_of(one.candidate.instance)


def measures_of(case: Case) -> tuple[int, int, int, int]:
    """n, k, the numbers of states and actions together (occupied classes, for a population), and the largest denominator."""
    model, n, k = case.written.model, case.order, case.written.subsample or 0
    if model is None:
        return n, k, case.occupied, 1
    arrays = (model.global_kernel, model.local_kernel, model.global_reward, model.local_reward)
    denominators = [x.denominator for array in arrays for x in array.ravel()]
    return n, k, sum(model.sizes), max(*denominators, model.discount.denominator)


def _as_small(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(x <= y for x, y in zip(one, other, strict=True))


def descend(
    claim: Claim, evaluator: Evaluator, searched: Searched, shrunk: Shrunk, front: Front, progress: Callable[[Shrunk], None] | None = None
) -> None:
    """Look for violations with fewer agents, then simplify the model, and again, until neither finds more or the deadline passes.

    Fewer agents are looked for until some rounds in a row find none: :data:`MISSED_FIRST`, and :data:`MISSED` once the model is simplified.
    A round is one of the search among instances with fewer agents; the first :data:`CLIMBED` of them have islands too. Simplifying comes
    second because it tries hundreds of models, each of which takes the longer the more agents there are.
    """
    arrangement, missed, limit, rounds, simplified = claim.searched, 0, 0, None, False
    if not isinstance(arrangement, Arrangement):  # only simplified: its domain has no search below a number of agents
        shrink(claim, evaluator, None, shrunk, front.add, progress)
        return
    shrink(claim, evaluator, None, shrunk, front.add, progress, fewer_agents=True)
    while not evaluator.out_of_time:
        n = shrunk.best.candidate.instance.order
        if n < 2 or missed == (MISSED if simplified else MISSED_FIRST):
            if simplified:
                return
            shrink(claim, evaluator, None, shrunk, front.add, progress)
            simplified, missed, rounds = True, 0, None
            continue
        if rounds is None or n != limit:
            rounds, limit = Rounds(Fewer.of(arrangement, n), searched.seed, 3 * ROUND // 4), n
            rounds.learn([shrunk.best])  # its neighbours with fewer agents are tried first
        climbs = missed < CLIMBED and space_of(claim) is not None
        seeds = [f"{searched.seed} below {n} {missed * ISLANDS + i}" for i in range(ISLANDS)] if climbs else []
        starts: list[Start] = [(seed, rounds.near if i % 2 else None) for i, seed in enumerate(seeds)]
        candidates, _ = summits(claim, evaluator, searched, starts, below=n)
        answers = list(evaluator.evaluated(candidates + rounds.next_round()))
        rounds.learn(answers)
        missed += 1
        found = min(
            (one for one in answers if one.verdict is Verdict.VIOLATED), key=lambda one: simplicity(one.candidate.instance), default=None
        )
        if found is not None:
            front.add(found)
            shrunk.take(found)
            simplified, missed = False, 0
            shrink(claim, evaluator, None, shrunk, front.add, progress, fewer_agents=True)
