"""Appendix H: how many reward samples are enough. Claim X1s.

For N fair rewards of 1 or -1 with the sum S, ``Pr[|S| <= x] <= (x + 1) max_s Pr[S = s] <= (x + 1)/sqrt(N)``. With
``N = C k^(1/4) sqrt(log k)`` and ``x = c N/sqrt(k)`` this is of order ``sqrt(N/k) + 1/sqrt(N)``, so the probability of failure tends to 1
as k grows, for any constants C and c.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, comb
from typing import Final

import sympy as sp

from mfverify.enclosure import Interval
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.symbols import k
from mfverify.theory.bind import bind
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.evaluate import enclose
from mfverify.theory.search_space import Parameters
from mfverify.theory.witness import both_sides

_ORDER: Final = k ** sp.Rational(1, 4) * sp.sqrt(sp.log(k))


def failure(samples: int, probability: Fraction, error_squared: Fraction) -> Fraction:
    """``Pr[(mean - expectation)^2 > error^2]`` for independent rewards that are 1 with this probability and -1 otherwise, exact."""
    p, q = probability.numerator, probability.denominator
    ways = 0
    for ones in range(samples + 1):
        deviation = Fraction(2 * ones, samples) - 2 * probability
        if deviation**2 > error_squared:
            ways += comb(samples, ones) * p**ones * (q - p) ** (samples - ones)
    return Fraction(ways, q**samples)


@dataclass(frozen=True)
class RewardSamples(Case):
    """k, the constant of the number of samples, and that of the error."""

    subsample: int
    C: Fraction
    error: Fraction


def _failure(case: RewardSamples) -> Outcome:
    number = enclose(_ORDER, {k: case.subsample}) * case.C
    samples = ceil(number.lower)
    if samples != ceil(number.upper):
        return Unresolved(f"the number of samples lies between {number.lower} and {number.upper}")
    left = failure(samples, Fraction(1, 2), case.error**2 / case.subsample)
    return Sides(Interval.exactly(left), Interval.exactly(Fraction(1, 2)), Interval.exactly(1), {"worst": f"{samples} samples"})


def _of_a_tenth(left: Interval, case: RewardSamples) -> Interval:
    smaller = _failure(replace(case, error=case.error / 10))
    return smaller.left if isinstance(smaller, Sides) else left


def _instances(profile: Profile, _: Sequence[Model] | None) -> list[RewardSamples]:
    plan = [
        ("1", "1", (2, 16, 100, 10**4)),
        ("10", "1", (2, 16, 100, 10**4)),
        ("100", "1", (2, 16, 100, 10**4)),
        ("100", "4", (2, 16, 10**4)),
    ]
    if profile is Profile.FULL:
        plan.append(("100", "1", (10**6,)))
    return [RewardSamples(size, Fraction(constant), Fraction(error)) for constant, error, sizes in plan for size in sizes]


X1S = Claim(
    id="X1s",
    title="The number of reward samples",
    statement=r"There are constants $C, c$ such that the mean of $C k^{1/4} \sqrt{\log k}$ samples of a reward in $[-1, 1]$ is within $c/\sqrt k$ of its "
    r"expectation, with probability at least $\frac12$, for every $k$.",
    source="Appendix H, as its order is printed",
    reading="the order with a constant C, rounded up; c is the parameter 'error'; a fair reward of 1 or -1, exact binomial probabilities; 1/2 is "
    "the weakest probability that says anything, and any larger one is a stronger statement",
    assumptions=("rewards are independent of each other",),
    registered=Status.REFUTED,
    sides=_failure,
    instances=_instances,
    control=Control("the error is divided by ten", left=_of_a_tenth),
    left_means="probability of a larger error",
    right_means="one half",
    failing_step="The standard deviation of a mean of N samples is of order 1/sqrt(N), so an error of 1/sqrt(k) takes N of order k; the printed order is "
    "smaller than k by a power of k",
    certificate=bind(both_sides, _failure),
    searched=Parameters((range(2, 200), tuple(map(Fraction, (1, 2, 10))), tuple(map(Fraction, (1, 2)))), RewardSamples),
)
