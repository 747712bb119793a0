"""What is known of a claim at one point, and by what: all values, one start, the bound alone, a simulation.

For a claim about the optimality gap (one with a ``gap_bound``), in this order:

1. *values*: the sides of the claim, from the values of all states.
2. *start*: where one start is named, the gap at this start; ``violated`` is then a violation of the claim, ``holds`` concerns this start.
3. *bound*: where values are out of reach. The gap is only known to lie between 0 and ``2 rt/(1-gamma)``; if the bound is no smaller, the
   claim holds vacuously, which is as certain as any verdict. Otherwise the point is undecided.
4. *simulation*: beside the bound alone, episodes are sampled (where verdicts alone are requested, only if the point is undecided). The interval
   of their mean holds with the stated confidence, so it is shown beside the verdict and never decides one.

Other claims have their sides only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from math import ceil, log
from typing import Any, Final

from mfverify import costs, counts
from mfverify.enclosure import Interval, round_down, round_up
from mfverify.errors import MfverifyError, TooLargeError, UndecidedTieError
from mfverify.exact.optimal import optimal_value_at
from mfverify.mean_field.finite import population_of_state
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.gaps import bound_at
from mfverify.papers.quantities import executed, optimum, policy, trivial_gap
from mfverify.simulation import simulate
from mfverify.subsample_mfq.draws import way
from mfverify.subsample_mfq.from_start import execution_value_from
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import OnModel, Subsampled
from mfverify.theory.claim import Claim, NotApplicable, Outcome, Sides, Unresolved, Verdict, judge
from mfverify.theory.evaluate import UndefinedError
from mfverify.theory.search_space import Arrangement

State = tuple[int, tuple[int, ...]]
"""A start: the global state and how many agents are in each local state."""

CONFIDENCE: Final = 0.99
"""With which the interval of a simulation contains the value."""

_STEPS_A_SECOND: Final = 10**6
"""Steps of one agent that the simulator makes in a second, within a factor of a few."""


class By(Enum):
    """What the sides at a point come from; the value is the word in tables."""

    VALUES = "values"
    START = "start"
    BOUND = "bound"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Effort:
    """How far to go: seconds (estimated) from which on values are out of reach, episodes of a simulation (0: none), its seed.

    ``verdicts``: only the verdict matters, so that values are not computed where the bound alone decides.
    """

    start: State | None = None
    seconds: float = 600.0
    episodes: int = 1000
    seed: int = 0
    verdicts: bool = False


@dataclass(frozen=True)
class Known:
    """The outcome at a point, by what, and what a simulation says beside it."""

    outcome: Outcome
    by: By
    simulated: Mapping[str, Any] | None = None


def known_at(claim: Claim, case: Case, effort: Effort) -> Known:
    """What is known of a claim on a case. Raises :class:`ModelError` for a start that is not a state of its system."""
    if claim.gap_bound is None or type(case) is not Subsampled:
        outcome = _too_expensive(claim, case, effort) or claim.sides(case)
        return Known(outcome, By.VALUES if isinstance(outcome, Sides) else By.NOTHING)
    model, n, k = case.model, case.agents, case.subsample
    try:
        right = bound_at(claim.gap_bound)(case)
    except UndefinedError as error:
        return Known(NotApplicable(str(error)), By.NOTHING)
    alone = Sides(Interval(Fraction(0), trivial_gap(model).upper), right, trivial_gap(model))
    if effort.verdicts and judge(alone) is Verdict.VACUOUS:
        return Known(alone, By.BOUND)
    try:
        if effort.start is not None:
            gap = _gap_at(model, n, k, claim.gap_sampling, effort)
            return Known(Sides(gap, right, trivial_gap(model)), By.START)
        _check(effort, costs.solving(model, n), *way(claim.gap_sampling).all_costs(model, n, k))
        outcome = claim.sides(case)
        if not isinstance(outcome, Unresolved):
            return Known(outcome, By.VALUES if isinstance(outcome, Sides) else By.NOTHING)
        reason = outcome.reason
    except (TooLargeError, UndecidedTieError) as error:
        reason = str(error)
    found = Sides(alone.left, alone.right, alone.trivial, {"out of reach": reason})
    if not effort.episodes or (effort.verdicts and judge(alone) is not Verdict.UNDECIDED):
        return Known(found, By.BOUND)
    return Known(found, By.BOUND, _simulated(model, n, k, claim.gap_sampling, effort))


def _too_expensive(claim: Claim, case: Case, effort: Effort) -> Unresolved | None:
    """Refuse a case whose sides take much more than a candidate of a search, which is allowed about a second."""
    if not isinstance(case, OnModel) or not isinstance(claim.searched, Arrangement):
        return None
    seconds = claim.searched.cost(case.model, case.order, case.written.subsample or case.order)
    if seconds <= effort.seconds:
        return None
    return Unresolved(f"the two sides take very roughly {seconds:.3g} seconds, more than {effort.seconds:g}; use fewer agents")


def _check(effort: Effort, *needed: costs.Cost) -> None:
    """Refuse what does not fit, or would take longer than the effort allows."""
    costs.check(*needed)
    for cost in needed:
        if cost.seconds > effort.seconds:
            raise TooLargeError(f"{cost}, more than {effort.seconds:g} seconds; {cost.remedy}")


def _gap_at(model: Model, n: int, k: int, sampling: str, effort: Effort) -> Interval:
    """The gap at the start of ``effort``."""
    assert effort.start is not None
    population_of_state(model, *effort.start)
    *learning, cost = way(sampling).all_costs(model, n, k)
    _check(effort, *learning)
    best = _best_at(model, n, effort.start, effort.seconds)
    if _fits(effort, cost):
        return best - executed(model, n, k, sampling)[_index(effort.start)]
    return (
        best - execution_value_from(model, n, policy(model, k, sampling), effort.start, smallest=1e-10, most_states=10**5, sampling=sampling).value
    )


def _fits(effort: Effort, cost: costs.Cost) -> bool:
    try:
        _check(effort, cost)
    except TooLargeError:
        return False
    return True


@lru_cache(maxsize=64)
def _best_at(model: Model, n: int, start: State, seconds: float) -> Interval:
    """The optimal value at a start: from all states where that is in reach, else between infinitely many agents and fewer."""
    if _fits(Effort(seconds=seconds), costs.solving(model, n)):
        return optimum(model, n)[_index(start)]
    return optimal_value_at(model, [start])[0]


def _index(start: State) -> tuple[int, int]:
    import numpy as np

    return start[0], int(counts.rank(np.array([start[1]]))[0])


def balanced(model: Model, n: int) -> State:
    """Global state 0, and the agents divided over the local states as evenly as possible."""
    size = model.sizes[2]
    return 0, tuple(n // size + (s < n % size) for s in range(size))


def _simulated(model: Model, n: int, k: int, sampling: str, effort: Effort) -> dict[str, Any]:
    """The simulated gap at the start (by default :func:`balanced`), or why there is none."""
    start = effort.start or balanced(model, n)
    horizon = ceil(log(1e-3) / log(model.discount))
    seconds = horizon * effort.episodes * n / _STEPS_A_SECOND
    if seconds > effort.seconds:
        return {"reason": f"a simulation takes about {seconds:.3g} seconds, more than {effort.seconds:g}"}
    try:
        _check(effort, *way(sampling).all_costs(model, n, k)[:-1])
        run = simulate(
            model, n, policy(model, k, sampling), start, episodes=effort.episodes, sampling=sampling, confidence=CONFIDENCE, seed=effort.seed
        )
        best = _best_at(model, n, start, effort.seconds)
    except MfverifyError as error:
        return {"reason": str(error)}
    return {
        "start": text_of_start(start),
        "lower": round_down(best.lower - Fraction(run.upper)),
        "upper": round_up(best.upper - Fraction(run.lower)),
        "confidence": CONFIDENCE,
        "episodes": effort.episodes,
        "seed": effort.seed,
    }


def text_of_start(start: State) -> str:
    """A start as users type it: ``0:3+1``."""
    return f"{start[0]}:{'+'.join(map(str, start[1]))}"
