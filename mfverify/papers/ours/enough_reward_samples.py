"""How many reward samples are enough. Claim X1r, in place of X1s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

import sympy as sp

from mfverify.enclosure import Interval
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.reward_samples import failure
from mfverify.papers.mean_field_sampling.symbols import delta, k
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status
from mfverify.theory.evaluate import enclose
from mfverify.theory.grounds import theorem
from mfverify.theory.search_space import Parameters

_SAMPLES: Final = 2 * k * sp.log(2 / delta)


@dataclass(frozen=True)
class EnoughSamples(Case):
    """k, the probability of failure that is allowed, and that of a reward of 1."""

    subsample: int
    delta: Fraction
    probability: Fraction


def _samples(case: EnoughSamples, share: Fraction) -> int:
    return max(1, ceil(enclose(_SAMPLES, {k: case.subsample, delta: case.delta}).upper * share))


def _failure(case: EnoughSamples) -> Outcome:
    samples = _samples(case, Fraction(1))
    left = failure(samples, case.probability, Fraction(1, case.subsample))
    return Sides(Interval.exactly(left), Interval.exactly(case.delta), Interval.exactly(1), {"worst": f"{samples} samples"})


def _with_a_tenth(left: Interval, case: EnoughSamples) -> Interval:
    del left
    return Interval.exactly(failure(_samples(case, Fraction(1, 10)), case.probability, Fraction(1, case.subsample)))


def _instances(profile: Profile, _: Sequence[Model] | None) -> list[EnoughSamples]:
    sizes = (1, 2, 5, 20) if profile is Profile.QUICK else (1, 2, 5, 20, 100)
    return [
        EnoughSamples(size, Fraction(allowed), Fraction(p))
        for size in sizes
        for allowed in ("1/2", "1/10", "1/100")
        for p in ("1/2", "1/10")
    ]


X1R = Claim(
    id="X1r",
    title="Enough reward samples",
    statement=r"The mean of at least $2 k \ln(2/\delta)$ samples of a reward in $[-1, 1]$ is within $1/\sqrt k$ of its expectation with probability at "
    r"least $1 - \delta$.",
    source="ours: Hoeffding's inequality",
    reading="a reward of 1 or -1 with the given probability of 1, the number of samples rounded up, exact binomial probabilities",
    assumptions=("rewards are independent of each other",),
    registered=Status.CORROBORATED,
    sides=_failure,
    instances=_instances,
    control=Control("a tenth of the samples", left=_with_a_tenth),
    left_means="probability of a larger error",
    right_means="delta",
    repairs=("X1s",),
    grounds=theorem(
        "Hoeffding 1963, Theorem 2: a mean of N independent variables in [-1, 1] is t or more from its expectation with probability at most "
        "2 exp(-N t^2/2); with t = 1/sqrt(k) and N >= 2 k ln(2/delta) that is at most delta"
    ),
    searched=Parameters(
        (range(1, 51), tuple(Fraction(1, x) for x in (2, 3, 5, 10, 20, 30, 50, 100, 200, 500)), tuple(Fraction(x, 40) for x in range(20, 0, -1))),
        EnoughSamples,
    ),
)
