"""The left sides of C4 to C7 and R3 against labelled agents: every subset and every joint move enumerated."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product
from math import comb, prod

import mpmath
import numpy as np
import pytest

from mfverify import counts
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.data_processing import distance, moved, permutation_kernel
from mfverify.papers.mean_field_sampling.lemma_f_6 import C5, divergence_power
from mfverify.papers.mean_field_sampling.mean_distance import C4, C4M
from mfverify.papers.mean_field_sampling.sampled_transition import C7, mean_after_transition, mean_after_transition_of_uniform
from mfverify.papers.mean_field_sampling.tails import tail
from mfverify.papers.mean_field_sampling.total_variation import mean_total_variation
from mfverify.papers.ours.kl_mean import R3K, mean_divergence
from mfverify.papers.ours.total_variation_by_sets import R3, R3M
from mfverify.papers.ours.transition_with_fluctuation import C7R
from mfverify.theory.cases.populations import EveryPopulation, OfPopulation, SampledPopulation, partitions
from mfverify.theory.cases.transitions import Kernel, Transition, kernel_of, random_kernel
from mfverify.theory.claim import Claim, Profile, Sides, Verdict, judge, tightest

SMALL = [(p, k) for n in range(2, 7) for p in partitions(n) for k in range(1, n + 1)]

pytestmark = pytest.mark.slow


def names(case: tuple[tuple[int, ...], int]) -> str:
    return "+".join(map(str, case[0])) + f"-k{case[1]}"


def labelled(population: Sequence[int]) -> list[int]:
    """The class of each agent."""
    return [z for z, c in enumerate(population) for _ in range(c)]


def empirical(classes: Sequence[int]) -> dict[int, Fraction]:
    return {z: Fraction(x, len(classes)) for z, x in Counter(classes).items()}


def largest_over_sets(f: dict[int, Fraction], g: dict[int, Fraction]) -> Fraction:
    """TV as the largest difference over all sets of classes: not the formula of the code."""
    classes = sorted({*f, *g})
    sets = [s for size in range(len(classes) + 1) for s in combinations(classes, size)]
    return max(sum((f.get(z, Fraction(0)) - g.get(z, Fraction(0)) for z in s), Fraction(0)) for s in sets)


def samples(population: Sequence[int], k: int) -> list[list[int]]:
    """The classes of the members, one list per k-subset of the labelled agents."""
    agents = labelled(population)
    return [[agents[i] for i in subset] for subset in combinations(range(len(agents)), k)]


def test_partitions_are_all_populations_up_to_names() -> None:
    for n in range(1, 8):
        brute = (
            {tuple(sorted((x for x in c if x), reverse=True)) for c in product(range(n + 1), repeat=n) if sum(c) == n} if n <= 5 else None
        )
        found = list(partitions(n))
        assert len(found) == len(set(found)) == (1, 2, 3, 5, 7, 11, 15)[n - 1]
        assert brute is None or set(found) == brute


@pytest.mark.parametrize("case", SMALL, ids=names)
def test_mean_total_variation_matches_labelled_subsets(case: tuple[tuple[int, ...], int]) -> None:
    population, k = case
    whole = empirical(labelled(population))
    found = [largest_over_sets(empirical(s), whole) for s in samples(population, k)]
    assert mean_total_variation(population, k) == sum(found) / len(found)


@pytest.mark.parametrize("case", SMALL, ids=names)
def test_tail_matches_labelled_subsets(case: tuple[tuple[int, ...], int]) -> None:
    population, k = case
    whole = empirical(labelled(population))
    found = [largest_over_sets(empirical(s), whole) for s in samples(population, k)]
    expected = [(d, Fraction(sum(x >= d for x in found), len(found))) for d in sorted(set(found)) if d > 0]
    assert tail(population, k, counts.total_variation) == expected


@pytest.mark.parametrize("case", SMALL, ids=names)
def test_divergence_matches_labelled_agents(case: tuple[tuple[int, ...], int]) -> None:
    population, k = case
    whole = empirical(labelled(population))
    powers = []
    for s in samples(population, k):
        own = empirical(s)
        # exp(k KL) is the likelihood ratio of the sampled agents, one factor per agent.
        powers.append(prod((own[z] / whole[z] for z in s), start=Fraction(1)))
        assert divergence_power(tuple(s.count(z) for z in range(len(population))), population) == powers[-1]
    with mpmath.workdps(60):
        mean = mpmath.fsum(mpmath.log(mpmath.mpf(p.numerator) / p.denominator) / k for p in powers) / len(powers)
        enclosed = mean_divergence(population, k)
        low, high = (mpmath.mpf(x.numerator) / x.denominator for x in (enclosed.lower, enclosed.upper))
        # 60 digits against at least 100 bits: the rounding of mpmath is far below the enclosure's own width or both are exact.
        assert low - mpmath.mpf(10) ** -50 <= mean <= high + mpmath.mpf(10) ** -50
        assert high - low < mpmath.mpf(10) ** -25


def test_divergence_attains_its_bound_exactly_where_a_sample_exhausts_classes() -> None:
    cases = attained = 0
    for population, k in SMALL:
        n = sum(population)
        largest = max(divergence_power(s, population) for s in counts.subcounts(population, k))
        exhausting = any(sum(s) == k for size in range(len(population) + 1) for s in combinations(population, size))
        assert (largest == Fraction(n, k) ** k) is exhausting
        cases, attained = cases + 1, attained + exhausting
    assert 0 < attained < cases


# -------------------------------------------------------------------------------------------------------------- instances


@pytest.mark.parametrize("n", range(2, 6))
def test_all_populations_are_as_tight_as_the_tightest_of_them(n: int) -> None:
    everything = EveryPopulation(n)
    # Below k = n, where every sample is the population and a tail has no deviation to be checked at.
    single = [SampledPopulation(tuple(p), k) for p in partitions(n) if len(p) > 1 for k in range(1, n)]
    for claim in (C4, R3, R3M, R3K, C5):
        outcome, separate = claim.sides(everything), [claim.sides(x) for x in single]
        assert isinstance(outcome, Sides)
        worst = tightest([s for s in separate if isinstance(s, Sides)])
        assert judge(outcome) is judge(worst)
        if worst.right.lower > 0:
            assert (outcome.left.midpoint / outcome.right.midpoint) == (worst.left.midpoint / worst.right.midpoint)


@pytest.mark.parametrize("n", [6, 10])
def test_tail_by_sets_of_all_populations_shows_the_serfling_number(n: int) -> None:
    sides = R3.sides(EveryPopulation(n))
    assert isinstance(sides, Sides)
    words = sides.details["worst"].replace(",", "").replace("k=", "").split()
    population, k, d = tuple(int(x) for x in words[1].split("+")), int(words[2]), Fraction(words[4])
    assert dict(tail(population, k, counts.total_variation))[d] == sides.left.lower == sides.left.upper
    with mpmath.workdps(60):
        ratio = Fraction(2 * k * n, n - k + 1) * d * d
        number = 2 ** len(population) * mpmath.exp(-mpmath.mpf(ratio.numerator) / ratio.denominator)
        assert abs(number - mpmath.mpf(sides.right.lower.numerator) / sides.right.lower.denominator) < mpmath.mpf(10) ** -15


def test_monotone_claim_is_an_equality_at_two_and_two() -> None:
    assert [mean_total_variation((2, 2), k) for k in (1, 2, 3, 4)] == [
        Fraction(1, 2),
        Fraction(1, 6),
        Fraction(1, 6),
        Fraction(0),
    ]
    sides = C4M.sides(OfPopulation((2, 2)))
    assert isinstance(sides, Sides) and (sides.left == sides.right) is True and judge(sides) is Verdict.HOLDS


IDS = ["C4", "C4l", "C4m", "C5", "C5e", "C6", "C7", "C7b", "C7r", "R3", "R3m", "R3k"]


@pytest.mark.parametrize("claim", [claim for claim in CATALOGUE if claim.id in IDS], ids=lambda claim: claim.id)
@pytest.mark.parametrize("profile", Profile)
def test_labels_are_unique(claim: Claim, profile: Profile) -> None:
    labels = [x.label for x in claim.instances(profile, None)]
    assert labels and len(set(labels)) == len(labels)


# -------------------------------------------------------------------------------------------------------------- transitions

KERNELS = ("stay", "rotate", "merge", "uniform", "lazy", "random-0", "random-1", "random-7")


def brute_after(population: Sequence[int], members: Sequence[int], kernel: Kernel) -> Fraction:
    """E TV after all labelled agents moved, over every joint move; ``members`` are the agents of Delta."""
    agents = labelled(population)
    mean = Fraction(0)
    for move in product(range(len(kernel[0])), repeat=len(agents)):
        p = prod((kernel[z][t] for z, t in zip(agents, move, strict=True)), start=Fraction(1))
        if p:
            mean += p * largest_over_sets(empirical([move[i] for i in members]), empirical(move))
    return mean


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("population", [(2, 0), (1, 1), (2, 2), (3, 1), (2, 1, 1)])
def test_mean_after_a_transition_matches_all_joint_moves(population: tuple[int, ...], kernel: str) -> None:
    moves = kernel_of(kernel, len(population))
    assert all(sum(row) == 1 for row in moves)
    agents = labelled(population)
    for k in range(1, len(agents) + 1):
        found = []
        for members in combinations(range(len(agents)), k):
            sample = tuple(sum(agents[i] == z for i in members) for z in range(len(population)))
            found.append(brute_after(population, members, moves))
            assert mean_after_transition(sample, population, moves) == found[-1]
        assert mean_after_transition_of_uniform(population, k, moves) == sum(found) / len(found)


def test_smallest_violation_of_c7_is_two_agents_and_a_coin() -> None:
    coin = ((Fraction(1, 2),) * 2,) * 2
    assert mean_after_transition((1, 0), (2, 0), coin) == Fraction(1, 4)
    instance = Transition((1, 0), (2, 0), "uniform")
    assert judge(C7.sides(instance)) is Verdict.VIOLATED
    assert judge(C7R.sides(instance)) is Verdict.HOLDS
    assert judge(C7.sides(Transition((1, 1), (3, 1), "rotate"))) is Verdict.HOLDS


def test_data_processing_sides_match_sets_of_classes() -> None:
    rng = random.Random(5)
    f, g = (Fraction(1, 4), Fraction(1, 2), Fraction(1, 4)), (Fraction(2, 3), Fraction(0), Fraction(1, 3))
    strict = 0
    for _ in range(30):
        kernel = random_kernel(rng, 3, 4)
        assert all(sum(row) == 1 and min(row) >= 0 for row in kernel)
        images = [{t: sum((p * row[t] for p, row in zip(x, kernel, strict=True)), Fraction(0)) for t in range(4)} for x in (f, g)]
        expected = largest_over_sets(*images)
        assert distance(moved(f, kernel), moved(g, kernel)) == expected <= distance(f, g)
        strict += expected < distance(f, g)
    assert strict > 0
    renamed = permutation_kernel(rng, 3)
    assert sorted(moved(f, renamed)) == sorted(f)
    assert distance(moved(f, renamed), moved(g, renamed)) == distance(f, g)


# -------------------------------------------------------------------------------------------------------------- large populations


@pytest.mark.parametrize(
    "population", [(100, 100, 100), (97, 51, 52), (60, 50, 40, 10), pytest.param((97, 101, 50, 52), marks=pytest.mark.slow)]
)
def test_tail_in_the_hundreds_has_the_mean_of_the_marginals(population: tuple[int, ...]) -> None:
    """The joint law's tail adds up to the mean that comes from one class at a time, and starts at 1 - Pr[no deviation]."""
    k = 30
    found = tail(population, k, counts.total_variation)
    steps = [d - before for (d, _), before in zip(found, [Fraction(0), *(d for d, _ in found)], strict=False)]
    assert sum(step * p for step, (_, p) in zip(steps, found, strict=True)) == mean_total_variation(population, k)
    n = sum(population)
    same = [c * k // n for c in population]
    proportional = all(c * k % n == 0 for c in population)
    stay = Fraction(prod(comb(c, x) for c, x in zip(population, same, strict=True)), comb(n, k)) if proportional else Fraction(0)
    assert found[0][1] == 1 - stay


DRAWS = 10**6
FAILURE = 0.001
"""Chance, under correct exact tails, that any of the twenty intervals misses."""
MONTE_CARLO = [
    ((50, 50), 10, "3/10"), ((50, 50), 25, "1/10"), ((90, 10), 5, "3/10"), ((90, 10), 20, "1/20"), ((25, 15), 8, "1/8"),
    ((25, 15), 20, "1/10"), ((7, 3), 4, "3/10"), ((6, 6), 3, "1/2"), ((100, 100), 40, "1/20"), ((199, 1), 50, "1/100"),
    ((10, 10, 10), 5, "1/3"), ((10, 10, 10), 10, "1/5"), ((40, 30, 20), 15, "1/10"), ((40, 30, 20), 30, "1/10"), ((5, 3, 2), 4, "1/5"),
    ((5, 5, 5, 5), 6, "1/4"), ((5, 5, 5, 5), 10, "1/5"), ((20, 10, 5, 5), 10, "1/5"), ((60, 50, 40, 10), 25, "1/10"), ((100, 60, 30, 10), 60, "1/20"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(MONTE_CARLO)))
def test_exact_tail_agrees_with_a_million_draws(number: int) -> None:
    """Inside the Clopper-Pearson interval at level 1 - FAILURE/20; the tail of k + 1 agents is outside."""
    population, k, threshold = MONTE_CARLO[number]
    n, d = sum(population), Fraction(threshold)
    draws = np.random.default_rng(1000 + number).multivariate_hypergeometric(population, k, size=DRAWS)
    # In integers: 2 k n TV = sum |x n - c k|, and TV >= d.
    hits = int((np.abs(draws * n - np.array(population) * k).sum(axis=1) * d.denominator >= 2 * k * n * d.numerator).sum())
    assert 0 < hits < DRAWS
    half = FAILURE / len(MONTE_CARLO) / 2
    from scipy.stats import beta  # not when tests are only collected: it takes long to import

    low, high = beta.ppf(half, hits, DRAWS - hits + 1), beta.ppf(1 - half, hits + 1, DRAWS - hits)

    def exact(size: int) -> float:
        return float(next((p for value, p in tail(population, size, counts.total_variation) if value >= d), Fraction(0)))

    assert low <= exact(k) <= high
    assert not low <= exact(k + 1) <= high
