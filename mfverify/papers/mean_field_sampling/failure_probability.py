"""From how many samples on the Bellman noise is small with the probability of Lemma 4.3, and how likely it is not, exactly, on a lottery."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

import sympy as sp

from mfverify.enclosure import Interval, round_down, round_up
from mfverify.model import Model
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.symbols import TABLE, A_g, S_g, Z, gamma, k, span, symbol_values
from mfverify.papers.quantities import optimum
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import OfSample
from mfverify.theory.formula import plus, times

ENOUGH_SAMPLES: Final = Bound(
    "N1r",
    times(
        gamma**2 * k * span**2 / (2 * (1 - gamma) ** 2),
        plus(sp.log(200 * S_g * A_g), times(k, plus(sp.log(Z), 1))),
    ),
    "Hoeffding's inequality and a union over |S_g||A_g||Z_l|^k labelled pairs (ours)",
    "from this number of samples on eps_{k,m} <= 1/sqrt(k) with probability at least 1 - 1/(100 e^k)",
    TABLE,
)

RARE: Final = sp.exp(-symbols.k) / 100
"""The probability of failure that Lemma 4.3 and Theorem 4.4 allow: ``1/(100 e^k)``."""


def enough_samples(model: Model, k: int) -> int:
    """A number of samples from which on ``eps_{k,m} <= 1/sqrt(k)`` has probability at least ``1 - 1/(100 e^k)``: proved for N1b, in ``lemma_4_3.py``."""
    best = optimum(model, k)
    span = Fraction(float(best.upper.max())) - Fraction(float(best.lower.min()))
    return max(1, ceil(ENOUGH_SAMPLES.enclose({**symbol_values(model, k, k), symbols.span: span}).upper))


@dataclass(frozen=True)
class Paid(OfSample):
    """The lottery with its reward, and k."""

    reward: Fraction


def lottery(reward: int | Fraction) -> Model:
    """One random row in all: the global state moves from 0 to 1 with probability 1/2, stays there and earns ``reward``; agents do nothing."""
    half = Fraction(1, 2)
    return Model([[[half, half]], [[0, 1]]], [[[[1]], [[1]]]], [[0], [reward]], [[[0], [0]]], half, f"lottery(reward={reward})")


def lottery_noise(reward: Fraction, hits: int, samples: int) -> Fraction:
    """``eps_{k,m}`` of the lottery when ``hits`` of the ``samples`` of state 0 went to state 1, exactly.

    With chance p of moving, ``V(1) = R/(1 - gamma)`` and ``V(0) = gamma p V(1) / (1 - gamma (1 - p))``; at gamma = 1/2 that is
    ``2 p R / (1 + p)``. There are no choices, so Q = V; state 1 is known without error.
    """
    estimate, truth = (2 * p * abs(reward) / (1 + p) for p in (Fraction(hits, samples), Fraction(1, 2)))
    return abs(estimate - truth)


def failure_probability(k: int, reward: Fraction, samples: int) -> Interval:
    """The exact probability that ``eps_{k,m} > 1/sqrt(k)`` on the lottery; beyond 200 samples its two neighbouring doubles.

    The noise falls in the hits up to half of the samples and rises from there on, so the hits that fail are the fewest and the most.
    """

    def fails(hits: int) -> bool:
        return lottery_noise(reward, hits, samples) ** 2 * k > 1

    fewest = bisect_left(range(samples // 2 + 1), True, key=lambda hits: not fails(hits))
    middle = samples // 2 + 1
    most = samples + 1 - middle - bisect_left(range(middle, samples + 1), True, key=fails)
    ends, ways = [0], 1  # C(samples, 0) + .. + C(samples, i - 1)
    for hits in range(max(fewest, most)):
        ends.append(ends[-1] + ways)
        ways = ways * (samples - hits) // (hits + 1)
    probability = Fraction(ends[fewest] + ends[most], 2**samples)
    # A fraction of thousands of digits tells a reader no more than its two neighbouring doubles.
    return Interval.exactly(probability) if samples <= 200 else Interval(Fraction(round_down(probability)), Fraction(round_up(probability)))
