"""eq. 4 and section 4: the Bellman operator, the subsampled and the empirical one contract. Claims B1, B3.

Both sides are rationals, in exact arithmetic on small systems.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np

from mfverify.bellman.sampled import SampledOperator
from mfverify.enclosure import Interval
from mfverify.exact.labelled_rational import LabelledRationalSystem
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.small_systems import Values, bundled, small
from mfverify.papers.screens import contraction
from mfverify.theory.cases.of_model import OfAgents, OfSample
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status
from mfverify.theory.grounds import theorem
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import labelled_cost
from mfverify.theory.search_space import Arrangement

_PAIRS: Final = 6
"""Pairs of value functions that are compared, in a search and in the quick profile."""


def _contraction_ratio(apply: Callable[[Values], Values], states: Sequence[Any], pairs: int) -> tuple[Fraction, str]:
    """Largest ``||T V - T U|| / ||V - U||`` over seeded pairs of rational value functions and one constant shift, exactly."""
    rng = random.Random(pairs)
    largest, where = Fraction(-1), ""
    for i in range(pairs + 1):
        base = {s: Fraction(rng.randint(-12, 12), rng.randint(1, 6)) for s in states}
        other = {s: (base[s] + 1 if i == 0 else Fraction(rng.randint(-12, 12), rng.randint(1, 6))) for s in states}
        distance = max(abs(base[s] - other[s]) for s in states)
        if distance == 0:
            continue
        image, other_image = apply(base), apply(other)
        ratio = max(abs(image[s] - other_image[s]) for s in states) / distance
        if ratio > largest:
            largest, where = ratio, "a constant shift (attains gamma)" if i == 0 else f"pair {i} of {pairs}"
    return largest, where


@dataclass(frozen=True)
class Pairs(OfAgents):
    """n agents, and the number of seeded pairs of value functions."""

    pairs: int


@dataclass(frozen=True)
class EmpiricalPairs(OfSample):
    """k agents, the number of seeded pairs, and that of samples; with none the operator is the exact one."""

    pairs: int
    samples: int


def _labelled_contraction(case: Pairs) -> Outcome:
    system = LabelledRationalSystem(case.model, case.agents)
    ratio, where = _contraction_ratio(system.apply, system.states, case.pairs)
    return Sides(Interval.exactly(ratio), Interval.exactly(case.model.discount), Interval.exactly(1), {"worst": where})


def _subsystem_contraction(case: EmpiricalPairs) -> Outcome:
    apply, states = _subsystem_operator(case.model, case.subsample, case.samples)
    ratio, where = _contraction_ratio(apply, states, case.pairs)
    return Sides(Interval.exactly(ratio), Interval.exactly(case.model.discount), Interval.exactly(1), {"worst": where})


def _subsystem_operator(model: Model, k: int, samples: int) -> tuple[Callable[[Values], Values], Sequence[Any]]:
    """``T_k`` (samples = 0) or ``T_{k,m}`` for samples fixed by the seed k, in exact arithmetic."""
    if samples == 0:
        system = LabelledRationalSystem(model, k)
        return system.apply, system.states
    operator = SampledOperator(model, k, samples, np.random.default_rng(k))

    def apply(value: Values) -> Values:
        flat = [value[state] for state in operator.states]
        means = [sum((flat[j] for j in row), Fraction(0)) / samples for row in operator.successors]
        table = [r + model.discount * mean for r, mean in zip(operator.rewards, means, strict=True)]
        return {state: max(table[operator.pairs_of(i)]) for i, state in enumerate(operator.states)}

    return apply, operator.states


def _b1_instances(profile: Profile, given: Sequence[Model] | None) -> list[Pairs]:
    pairs = _PAIRS if profile is Profile.QUICK else 60
    return [Pairs(m, n, pairs) for m in bundled(given) for n in (1, 2) if small(m, n)]


def _b3_instances(profile: Profile, given: Sequence[Model] | None) -> list[EmpiricalPairs]:
    pairs = _PAIRS if profile is Profile.QUICK else 40
    return [EmpiricalPairs(m, k, pairs, samples) for m in bundled(given) for k in (1, 2) for samples in (0, 1, 5) if small(m, k)]


def _few_pairs(model: Model, n: int, k: int) -> Pairs | None:
    return Pairs(model, n, _PAIRS) if small(model, n) else None


def _few_empirical_pairs(model: Model, n: int, k: int) -> EmpiricalPairs | None:
    """The exact operator where n = k, and an empirical one otherwise."""
    return EmpiricalPairs(model, k, _PAIRS, n - k) if small(model, k) else None


B1 = Claim(
    id="B1",
    title="The Bellman operator contracts",
    statement=r"$\|\mathcal T V - \mathcal T U\|_\infty \le \gamma\, \|V - U\|_\infty$ for all $V, U$; hence a unique fixed point.",
    source="eq. 4",
    reading="the largest ratio over seeded pairs of rational value functions and one constant shift, on the labelled n-agent system",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    screen=contraction(_PAIRS),
    sides=_labelled_contraction,
    instances=_b1_instances,
    control=Control("gamma is replaced by 0.99 gamma", right=by_factor(Fraction(99, 100))),
    left_means="largest ratio ||TV - TU|| / ||V - U||",
    right_means="gamma",
    grounds=theorem(
        "Puterman 1994, Markov Decision Processes, section 6.2 (the operator of a discounted MDP; Banach's fixed point theorem)"
    ),
    searched=Arrangement(_few_pairs, labelled_cost, (1, 2, 3)),
)

B3 = Claim(
    id="B3",
    title="The subsampled and the empirical operator contract",
    statement=r"$\|\mathcal T_k V - \mathcal T_k U\|_\infty \le \gamma \|V - U\|_\infty$, and the same for $\hat{\mathcal T}_{k,m}$ with its samples fixed.",
    source="Section 4",
    reading="as B1; samples = 0 is the exact operator, samples = m the empirical one, its samples drawn once",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    screen=contraction(_PAIRS),
    sides=_subsystem_contraction,
    instances=_b3_instances,
    control=Control("gamma is replaced by 0.99 gamma", right=by_factor(Fraction(99, 100))),
    rests_on=("B1",),
    left_means="largest ratio ||TV - TU|| / ||V - U||",
    right_means="gamma",
    grounds=theorem(
        "Puterman 1994, section 6.2, for the MDP of k agents, and for the one whose next states are the samples, each with probability 1/m",
        uses=("B1",),
    ),
    searched=Arrangement(_few_empirical_pairs, labelled_cost, (1, 2, 3)),
)
