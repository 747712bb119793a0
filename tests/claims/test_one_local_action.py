"""The steps of the proof of R7, in exact arithmetic, each with a sabotage that fails."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations

import pytest

from mfverify import counts, models
from mfverify.model import Model
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.ours.one_local_action import LARGE_SAMPLES, ONE_LOCAL_ACTION, fixed_sides
from mfverify.papers.quantities import executed, optimum
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import NotApplicable, Profile, Verdict, judge


def squared_ranges(n: int, k: int) -> Fraction:
    """The sum over the k steps of the squared ranges (n-k)/(n-j)."""
    return sum((Fraction(n - k, n - j) ** 2 for j in range(1, k + 1)), Fraction(0))


def test_the_variance_proxy() -> None:
    compared = too_small = 0
    for n in range(2, 41):
        for k in range(1, n):
            compared += 1
            assert squared_ranges(n, k) <= Fraction(k * (n - k + 1), n)
            too_small += squared_ranges(n, k) > Fraction(k * (n - k), n)
        assert squared_ranges(n, 1) == 1
    assert compared == 780
    assert too_small > 700, "with n - k in place of n - k + 1 the step would be false"


@pytest.mark.parametrize(("n", "k", "seed"), [(5, 2, 0), (6, 3, 1), (6, 5, 2), (4, 1, 3)])
def test_the_ranges_of_what_one_more_member_tells(n: int, k: int, seed: int) -> None:
    """Of a function of subsets that an exchange changes by at most one: here a maximum of two sums of weights in [0, 1]."""
    rng = random.Random(seed)
    weights = [[Fraction(rng.randint(0, 9), 9) for _ in range(n)] for _ in range(2)]
    value = {d: max(sum((w[i] for i in d), Fraction(0)) for w in weights) for d in combinations(range(n), k)}

    def mean(known: frozenset[int]) -> Fraction:
        found = [x for d, x in value.items() if known <= set(d)]
        return sum(found, Fraction(0)) / len(found)

    compared = 0
    for j in range(1, k + 1):
        for known in map(frozenset, combinations(range(n), j - 1)):
            means = [mean(known | {i}) for i in range(n) if i not in known]
            assert max(means) - min(means) <= Fraction(n - k, n - j)
            compared += 1
    assert compared >= k
    tight = {d: Fraction(int(0 in d)) for d in value}
    value.update(tight)
    assert mean(frozenset({0})) - mean(frozenset({1})) == Fraction(n - k, n - 1), "the range of step 1 is attained"


@pytest.mark.parametrize(("model", "n", "k"), [(fixed_sides("1/100"), 3, 2), (models.absorbing(), 6, 3), (models.absorbing("1/10"), 5, 4)])
def test_what_the_learner_expects_less_what_it_gets(model: Model, n: int, k: int) -> None:
    """Step 3 bounds ``U - W``, which is at least the gap; half of either bound is too small where two of three agents are sampled."""
    small, played = optimum(model, k), executed(model, n, k, "shared")
    largest = Fraction(0)
    for g in range(model.sizes[0]):
        for c, row in enumerate(counts.count_vectors(n, model.sizes[2])):
            law = counts.subsample_law(tuple(int(x) for x in row), k)
            rank = {tuple(int(x) for x in sample): i for i, sample in enumerate(counts.count_vectors(k, model.sizes[2]))}
            expected = sum((p * Fraction(small.upper[g, rank[sample]]) for sample, p in law), Fraction(0))
            largest = max(largest, expected - Fraction(played.lower[g, c]))
    assert (optimum(model, n) - played).max().lower <= largest
    for bound in (ONE_LOCAL_ACTION, LARGE_SAMPLES):
        right = bound.enclose(symbol_values(model, n, k))
        assert largest <= right.lower
        if model.discount < Fraction(1, 50):
            assert largest > right.upper / 2


def test_which_of_the_two_bounds_is_smaller() -> None:
    for k in range(1, 21):
        values = symbol_values(fixed_sides(), 20, k)
        few, many = ONE_LOCAL_ACTION.enclose(values), LARGE_SAMPLES.enclose(values)
        assert (many < few) is True if k > 10 else (many < few) is not True
    assert many.upper == 0


@pytest.mark.parametrize("claim_id", ["R7", "R7b"])
def test_a_model_with_local_choices_is_not_covered(claim_id: str) -> None:
    claim = CATALOGUE[claim_id]
    assert isinstance(claim.sides(Subsampled(models.coordination(), 4, 2)), NotApplicable)
    verdicts = [judge(claim.sides(i)) for i in claim.instances(Profile.QUICK, [models.absorbing()])]
    assert verdicts.count(Verdict.HOLDS) >= 5
