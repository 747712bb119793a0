"""Remark 4.7, Appendix I: off-policy learning from one trajectory. Claim X2.

The claim concerns a limit: its sides are exact and concern the mean update, which decides where the limit
lies; the trajectories on seeds are shown as a figure, an experiment on which no verdict depends.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from mfverify import models
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError
from mfverify.extensions.off_policy import StepSize, Subsystem, Target, distance, irreducible, mean_update, q_learning, shares, subsystem
from mfverify.model import Model
from mfverify.papers.curves import curve, line, order
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.rationals import estimate
from mfverify.theory.bind import bind
from mfverify.theory.cases.of_model import OfSample
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, Unresolved, tightest
from mfverify.theory.grounds import theorem
from mfverify.theory.search_costs import comparison_cost
from mfverify.theory.search_space import Arrangement

_FACTOR = 64

_TABLES = 2
"""Random tables from which the mean update is tried, beside 0, Q*_k, and Q*_k raised by one."""


@lru_cache(maxsize=32)
def _subsystem(model: Model, k: int) -> Subsystem:
    return subsystem(model, k)


@dataclass(frozen=True)
class Trajectories(OfSample):
    """k agents; for the figure, steps, the number of seeds and the step size."""

    steps: int | None = None
    seeds: int | None = None
    step_size: StepSize | None = None


def _off_policy(target: Target, case: Trajectories) -> Outcome:
    """The distance to ``Q*_k`` after one mean update against its bound, from several tables, the tightest; exact."""
    model, k = case.model, case.subsample
    try:
        table = _subsystem(model, k)
        if not irreducible(table):
            return NotApplicable(
                "under the behaviour policy some state cannot be reached again: one trajectory does not visit every pair infinitely often"
            )
        share = shares(table)
    except TooLargeError as error:
        return Unresolved(str(error))
    rng, best, least = random.Random(k), table.optimum, min(share)
    scale = model.rt / (1 - model.discount)
    tables = {"0": [Fraction(0)] * len(best), "Q*_k": list(best), "Q*_k + 1": [q + 1 for q in best]}
    tables |= {f"random table {i}": [scale * Fraction(rng.randint(-12, 12), 12) for _ in best] for i in range(1, _TABLES + 1)}
    compared = []
    for name, held in tables.items():
        after, before = (max(abs(q - x) for q, x in zip(now, best, strict=True)) for now in (mean_update(table, held, share, target), held))
        right = (1 - (1 - model.discount) * least) * before
        compared.append(Sides(Interval.exactly(after), Interval.exactly(right), None, {"worst": f"from {name}"}))
    worst = tightest(compared)
    details = {
        **worst.details,
        "pairs": len(table.pairs),
        "smallest share of a pair": f"{estimate(least, 3)}: the rarest pair is visited once in {estimate(1 / least, 3)} steps on average",
    }
    if case.steps is not None and case.seeds is not None and case.step_size is not None:
        details |= _trajectories(table, case.steps, case.seeds, case.step_size, target)
    return Sides(worst.left, worst.right, None, details)


def _trajectories(table: Subsystem, early: int, seeds: int, step_size: StepSize, target: Target) -> dict[str, Any]:
    """The experiment beside X2, for the reader: the exact distance to ``Q*_k`` along seeded trajectories, up to 64 times ``early`` steps."""
    steps = [early // 16, early // 4, early, 4 * early, 16 * early, _FACTOR * early]
    runs = [q_learning(table, steps, seed, step_size, target) for seed in range(seeds)]
    distances = [[distance(table, held) for held in run.tables] for run in runs]
    means = [sum(column, Fraction(0)) / len(runs) for column in zip(*distances, strict=True)]
    series = [
        line("mean over seeds", [Interval.exactly(x) for x in means]),
        line("largest over seeds", [Interval.exactly(max(column)) for column in zip(*distances, strict=True)]),
        order("steps", float(means[0]), steps),
    ]
    return {
        "the figure": f"an experiment on {seeds} seeds; no verdict depends on it",
        "largest distance at the end": f"{estimate(max(row[-1] for row in distances), 3)} after {steps[-1]} steps",
        "fewest visits of a pair": min(int(run.visits.min()) for run in runs),
        "largest |Q*_k|": estimate(max(abs(x) for x in table.optimum)),
        "curve": curve("Off-policy Q-learning from one trajectory", "steps of the trajectory", "sup distance to Q*_k", steps, series),
    }


def _x2_instances(profile: Profile, given: Sequence[Model] | None) -> list[Trajectories]:
    early, seeds = (2**14, 4) if profile is Profile.QUICK else (2**16, 8)

    def at(model: Model, k: int, step_size: StepSize) -> Trajectories:
        return Trajectories(model, k, early, seeds, step_size)

    if given is not None:
        return [at(m, k, StepSize.RESCALED_LINEAR) for m in given for k in (1, 2)]
    chosen = [models.coordination(), models.random_coupled(4), models.random_coupled(16)]
    largest = 2 if profile is Profile.QUICK else 3
    plan = [at(m, k, StepSize.RESCALED_LINEAR) for m in [*chosen, models.patrol()] for k in range(1, largest + 1)]
    plan += [at(m, 1, StepSize.POLYNOMIAL) for m in chosen[1:]]
    return [*plan, at(models.absorbing(), 1, StepSize.RESCALED_LINEAR)]


def _without_figure(model: Model, n: int, k: int) -> Trajectories:
    del n
    return Trajectories(model, k)


X2 = Claim(
    id="X2",
    title="Off-policy learning from one trajectory",
    statement=r"Asynchronous Q-learning along one trajectory of the $k$-agent system converges to $\hat Q^*_k$: its mean update $Q + d\,(\hat{\mathcal T}_k Q - Q)$, "
    r"$d$ being the shares of the pairs in the long run, comes closer to it by the factor $1 - (1-\gamma) \min d < 1$.",
    source="Remark 4.7, Appendix I",
    reading="the limit is a theorem where the mean update contracts and every pair is visited infinitely often; both are decided in exact arithmetic: the distance to Q*_k "
    "after one mean update of the tables 0, Q*_k, Q*_k + 1 and two random ones against the bound. Mean-field table, behaviour uniform over action counts. The figure shows "
    "seeded trajectories: an experiment, on which no verdict depends",
    assumptions=(
        *FINITE,
        "every state can be reached from every other one under the behaviour policy",
        "step sizes 1/(1 + (1 - gamma) N) or (N + 1)^(-7/10) after N visits",
    ),
    registered=Status.CORROBORATED,
    sides=bind(_off_policy, Target.MAXIMUM),
    instances=_x2_instances,
    control=Control(
        "updates take the mean over next actions instead of the maximum",
        bind(_off_policy, Target.MEAN),
        lambda: [Trajectories(one.model, one.subsample) for one in _x2_instances(Profile.QUICK, None)],
    ),
    rests_on=("B3",),
    left_means="distance to Q*_k after a mean update",
    right_means="1 - (1 - gamma) min d times the distance before",
    grounds=theorem(
        "Tsitsiklis 1994, Machine Learning 16, Theorem 4, for the MDP of k agents; that the mean update contracts is proved in docs/mathematics/extensions.md",
        uses=("B3",),
    ),
    searched=Arrangement(_without_figure, lambda model, n, k: comparison_cost(model, k, k), (1, 2, 3, 4)),
)
