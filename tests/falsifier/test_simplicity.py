"""Simpler is one total order, and every part of it counts in its place."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mfverify import models
from mfverify.falsifier.simplicity import simplicity
from mfverify.papers.mean_field_sampling.theorem_e_3 import TwoSizes
from mfverify.theory.cases.of_model import OfSample, Subsampled
from mfverify.theory.cases.populations import SampledPopulation

BASE = models.coordination()


def test_each_part_outweighs_all_later_ones() -> None:
    local = BASE.local_reward.copy()
    local[0, 0, 0] = Fraction(1, 1000)
    odd = replace(BASE, local_reward=local, discount=Fraction(17, 31), name="odd")
    reward = BASE.local_reward * 100
    whole = replace(BASE, local_reward=reward, name="whole")
    fewer = replace(BASE, local_reward=reward * (reward > 0), name="fewer")
    half = replace(whole, discount=Fraction(2, 3))
    in_order = [
        Subsampled(odd, 2, 1),
        Subsampled(odd, 2, 2),
        Subsampled(models.absorbing(), 3, 1),
        Subsampled(fewer, 3, 2),
        Subsampled(whole, 3, 2),
        Subsampled(half, 3, 2),
        Subsampled(BASE, 3, 2),
        Subsampled(odd, 3, 2),
        Subsampled(models.splitting(), 3, 2),
        Subsampled(BASE, 4, 1),
    ]
    assert [simplicity(i) for i in in_order] == sorted(simplicity(i) for i in in_order)
    assert len({simplicity(i) for i in in_order}) == len(in_order)


def test_the_name_of_a_model_says_nothing() -> None:
    assert simplicity(Subsampled(BASE, 3, 2)) == simplicity(Subsampled(replace(BASE, name="other"), 3, 2))


def test_populations_are_ordered_by_agents_sample_and_classes() -> None:
    texts = [("1+1", 1), ("2+1", 1), ("1+1+1", 1), ("2+1", 2), ("2+2", 1)]
    keys = [simplicity(SampledPopulation(tuple(map(int, t.split("+"))), k)) for t, k in texts]
    assert keys == sorted(keys)


def test_of_two_systems_the_larger_counts() -> None:
    assert TwoSizes(BASE, 2, 5).order == 5
    assert OfSample(BASE, 3).order == 3
    assert Subsampled(BASE, 7, 3).order == 7
