"""Stratified subset: a shared subset in proportion to the counts; members play their parts, the others copy them (``plays.py``).

It is drawn by systematic sampling from the agents ordered by local state: the agents at the places ``floor((v + j) n / k)``,
``j = 0 .. k-1``, with ``v`` uniform on [0, 1). Every agent is drawn with probability k/n, and the sample's count of every local
state is its share of k rounded up or down.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from mfverify.subsample_mfq import random_draws
from mfverify.subsample_mfq.shared_draws import copied_subset

if TYPE_CHECKING:
    from mfverify.notation import Integers


def stratified_law(population: tuple[int, ...], k: int) -> dict[tuple[int, ...], Fraction]:
    """The law of the counts of a systematic sample of k agents from a population ordered by local state, exactly.

    Before cumulated count ``C`` lie ``ceil(C k / n - v)`` places, so the counts change where ``v`` passes a fractional part of
    ``C_s k / n``: at most ``|S_l|`` samples are possible.
    """
    n = sum(population)
    marks = [Fraction(sum(population[: s + 1]) * k, n) for s in range(len(population))]
    steps = sorted({Fraction(0), *(m - m.numerator // m.denominator for m in marks)})
    law: dict[tuple[int, ...], Fraction] = {}
    for low, high in zip(steps, [*steps[1:], Fraction(1)], strict=True):
        middle = (low + high) / 2
        before = [0, *(ceil(m - middle) for m in marks)]
        sample = tuple(y - x for x, y in pairwise(before))
        law[sample] = law.get(sample, Fraction(0)) + high - low
    return law


def stratified_sample(rng: np.random.Generator, populations: Integers, k: int) -> Integers:
    """A stratified subset of each population: agents at places. ``v n`` is drawn as an integer: places change where it is one."""
    n = int(populations[0].sum())
    v = rng.integers(n, size=len(populations))
    return random_draws.at_places(populations, (v[:, None] + np.arange(k) * n) // k)


WAY = copied_subset("stratified", lambda c, k: stratified_law(c, k).items(), stratified_sample)
