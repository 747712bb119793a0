"""Shrinking: from a violated instance to simpler ones, as long as the violation stays certified.

Of the simpler instances that the domain proposes, in the order of simplicity, the first that is certified violated takes over, and so
on until none is. The result depends on the instance alone, unless time runs out first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, takewhile

from mfverify.falsifier.domains import domain_of
from mfverify.falsifier.evaluation import Candidate, Evaluated, Evaluator
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Claim, Verdict

_CHUNK = 8


@dataclass
class Shrunk:
    """The simplest violated instance reached, how many candidates were tried, those it took over from, and whether no simpler one is left."""

    best: Evaluated
    tried: int = 0
    earlier: list[Evaluated] = field(default_factory=list)
    finished: bool = False

    @property
    def steps(self) -> int:
        """How often one took over."""
        return len(self.earlier)

    def take(self, simpler: Evaluated) -> None:
        """Let a simpler violated instance take over."""
        self.earlier.append(self.best)
        self.best, self.finished = simpler, False


def shrink(
    claim: Claim,
    evaluator: Evaluator,
    most: int | None,
    shrunk: Shrunk,
    seen: Callable[[Evaluated], None] | None = None,
    progress: Callable[[Shrunk], None] | None = None,
    fewer_agents: bool = False,
) -> None:
    """Simplify ``shrunk.best`` until nothing simpler is violated, the deadline passes or ``most`` candidates were tried.

    ``seen`` is called with every candidate that is evaluated to the end. With ``fewer_agents`` only instances with fewer agents count as simpler.
    """
    domain = domain_of(claim)
    while not evaluator.out_of_time and (most is None or shrunk.tried < most):
        instance = shrunk.best.candidate.instance
        candidates = domain.simpler(instance)
        if fewer_agents:
            candidates = takewhile(partial(_has_fewer, instance.order), candidates)
        better: Evaluated | None = None
        while better is None and not evaluator.out_of_time and (most is None or shrunk.tried < most):
            chunk = [Candidate("shrinking", one) for one in islice(candidates, _CHUNK)]
            if not chunk:
                break
            complete = True
            for one in evaluator.evaluated(chunk):
                complete = complete and one.verdict is not None
                shrunk.tried += complete
                if seen is not None and complete:
                    seen(one)
                if better is None and complete and one.verdict is Verdict.VIOLATED:
                    better = one
            if progress is not None:
                progress(shrunk)
        if better is None:
            shrunk.finished = not fewer_agents and not evaluator.out_of_time and (most is None or shrunk.tried < most)
            break
        shrunk.take(better)


def _has_fewer(n: int, case: Case) -> bool:
    return case.order < n
