"""Simpler is one total order, and every part of it counts in its place."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mfverify import models
from mfverify.falsifier.simplicity import agents_of, simplicity
from mfverify.theory.claim import Instance

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
        Instance(odd, 2, 1),
        Instance(odd, 2, 2),
        Instance(models.absorbing(), 3, 1),
        Instance(fewer, 3, 2),
        Instance(whole, 3, 2),
        Instance(half, 3, 2),
        Instance(BASE, 3, 2),
        Instance(odd, 3, 2),
        Instance(models.splitting(), 3, 2),
        Instance(BASE, 4, 1),
    ]
    assert [simplicity(i) for i in in_order] == sorted(simplicity(i) for i in in_order)
    assert len({simplicity(i) for i in in_order}) == len(in_order)


def test_the_name_of_a_model_says_nothing() -> None:
    assert simplicity(Instance(BASE, 3, 2)) == simplicity(Instance(replace(BASE, name="other"), 3, 2))


def test_populations_are_ordered_by_agents_sample_and_classes() -> None:
    texts = [("1+1", 1), ("2+1", 1), ("1+1+1", 1), ("2+1", 2), ("2+2", 1)]
    keys = [simplicity(Instance(None, sum(map(int, t.split("+"))), k, (("population", t),))) for t, k in texts]
    assert keys == sorted(keys)


def test_of_two_systems_the_larger_counts() -> None:
    assert agents_of(Instance(BASE, None, 2, (("other", 5),))) == 5
    assert agents_of(Instance(BASE, None, 3)) == 3
    assert agents_of(Instance(BASE, 7, 3)) == 7
