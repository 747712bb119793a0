"""Abstract: a gap of order 1/sqrt(k) uniformly in n. Claim T3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import sympy as sp

from mfverify import models
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.assumptions import EXACT_AND_INDEPENDENT
from mfverify.papers.mean_field_sampling.symbols import k
from mfverify.papers.quantities import executed, optimum, trivial_gap
from mfverify.rationals import estimate, written
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.evaluate import enclose
from mfverify.theory.search_costs import lumped_cost
from mfverify.theory.search_space import Arrangement
from mfverify.theory.witness import GapProof

UNIFORM_RATE: Final = Bound(
    "T3",
    (1 + sp.ln(k)) / sp.sqrt(k),
    "abstract",
    "the order 1/sqrt(k) with one logarithm for the tilde; it is multiplied by the constant that is tried",
)


@dataclass(frozen=True)
class Rate(Subsampled):
    """k sampled of n agents, and the constant that is tried."""

    C: Fraction


def _uniform_rate(case: Rate) -> Outcome:
    """``gap(n, k) <= C (1 + ln k)/sqrt(k)`` for the constant C that the instance tries."""
    model, n, k = case.model, case.agents, case.subsample
    if case.C <= 0:
        return NotApplicable(f"the claim speaks of a constant C > 0, and C is {written(case.C)} here")
    try:
        gap = optimum(model, n) - executed(model, n, k, "independent")
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    largest, smallest = gap.max(), -(-gap).max()
    rate = enclose(UNIFORM_RATE.expression, {symbols.k: k})
    details = {
        "gap / rate": f"{estimate((largest / rate).lower, 4)}, the constants below it are refuted by this instance",
        "smallest gap over start states": estimate(smallest.lower),
    }
    return Sides(largest, rate * case.C, trivial_gap(model), details)


def _faster(right: Interval, case: Rate) -> Interval:
    return right / enclose(sp.sqrt(symbols.k), {symbols.k: case.subsample})


def _t3_instances(profile: Profile, given: Sequence[Model] | None) -> list[Rate]:
    if given is not None:
        return [Rate(m, 8, k, Fraction(m.rt / (1 - m.discount) or 1)) for m in given for k in (2, 8)]
    patient = models.redrawn(discount="9/10")
    plan: list[tuple[Model, int, int, str]] = [
        (models.redrawn(), 400, 51, "1/2"),
        (models.redrawn(), 400, 101, "1"),
        (patient, 400, 101, "7"),
        (models.coordination(), 2000, 401, "2"),
        (models.coordination(), 100, 11, "2"),
        (models.redrawn(), 100, 11, "2"),
        *((models.random_coupled(seed), 33, 32, "1") for seed in (4, 5, 16)),
    ]
    if profile is Profile.FULL:
        plan += [(models.redrawn(), 1000, 401, "7/4"), (patient, 1000, 401, "12"), (models.coordination(), 2000, 1999, "5/2")]
    return [Rate(m, n, k, Fraction(c)) for m, n, k, c in plan]


def _rate_with_constant(case: Rate) -> Interval:
    """The rate times the constant that the instance tries."""
    return enclose(UNIFORM_RATE.expression, {symbols.k: case.subsample}) * case.C


def _largest_value(model: Model, n: int, k: int) -> Rate | None:
    """The constant of the rate is what any value is at most; k = 1 is left out, where the rate is 1."""
    return Rate(model, n, k, Fraction(model.rt / (1 - model.discount) or 1)) if k > 1 else None


T3 = Claim(
    id="T3",
    title="A gap of order 1/sqrt(k) uniformly in n",
    statement=r"$V^* - V^{\pi_k} \le C\, " + UNIFORM_RATE.latex + "$ with one constant $C$ for all $n$ and $k$ of a model.",
    source="abstract",
    reading="one logarithm for the tilde. Each instance tries one constant C > 0, and a violation refutes that constant and every smaller one on that model; no finite "
    "number of them refutes all. That no constant can escape is T3f: on one fixed model the gap stays above a number > 0 for every k as n grows, while the right side "
    "falls to 0 for every C",
    assumptions=EXACT_AND_INDEPENDENT,
    registered=Status.REFUTED,
    sides=_uniform_rate,
    instances=_t3_instances,
    control=Control(
        "the rate is 1/k in place of 1/sqrt(k)",
        instances=lambda: [Rate(models.coordination(), 100, 11, Fraction("2")), Rate(models.redrawn(), 100, 11, Fraction("2"))],
        right=_faster,
    ),
    rests_on=("T1",),
    left_means="largest gap at (n, k)",
    right_means="C times the rate",
    failing_step="Uniformity in n needs the draws of different agents to agree with high probability. Samples of size k of a balanced population disagree with "
    "probability near 1/2 for every k, as long as n is much larger",
    certificate=GapProof(right=_rate_with_constant, every_start=True),
    searched=Arrangement(_largest_value, lumped_cost, (8, 16, 32, 64, 128)),
)
