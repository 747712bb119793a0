"""Steps of proofs in docs/mathematics, each checked in exact arithmetic where it can be."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, pairwise, product
from math import comb, floor, prod

import pytest
import sympy as sp

from mfverify.papers.mean_field_sampling.failure_probability import ENOUGH_SAMPLES
from mfverify.papers.mean_field_sampling.lemma_4_3 import SAMPLES
from mfverify.papers.ours import symbols
from mfverify.theory.evaluate import enclose


@pytest.mark.parametrize("n", [4, 6, 8, 10])
def test_c4l_moments_of_a_balanced_sample(n: int) -> None:
    """E S^2 and E S^4 - 3 (E S^2)^2 of the sum of k signs drawn from n/2 and n/2, by listing every sample."""
    signs = [1] * (n // 2) + [-1] * (n // 2)
    for k in range(1, n):
        sums = [sum(chosen) for chosen in combinations(signs, k)]
        second, fourth = (Fraction(sum(x**p for x in sums), len(sums)) for p in (2, 4))
        assert second == Fraction(k * (n - k), n - 1)
        excess = fourth - 3 * second**2
        assert excess == Fraction(-2 * k * (n - k) * (n * n - n - 3 * k * (n - k)), (n - 1) ** 2 * (n - 3))
        assert excess <= 0
        assert Fraction(sum(map(abs, sums)), len(sums)) ** 2 >= second / 3


def test_n1b_ratio_of_the_two_numbers_of_samples() -> None:
    """x/m* <= 2.53 gamma (1 - gamma), at the largest span that rewards bounded by one allow, over sizes, k and discounts."""
    ratio = ENOUGH_SAMPLES.expression / SAMPLES.expression
    largest = Fraction(0)
    for (states, actions, local_states, local_actions), k, gamma in product(
        [(2, 1, 1, 1), (1, 2, 1, 1), (1, 1, 2, 1), (1, 1, 1, 2), (2, 2, 2, 2), (3, 1, 2, 3)],
        (1, 2, 5, 40),
        [
            Fraction(1, 1000),
            Fraction(1, 10),
            Fraction(27, 100),
            Fraction(1, 2),
            Fraction(73, 100),
            Fraction(99, 100),
            Fraction(9999, 10000),
        ],
    ):
        values = {
            symbols.S_g: states, symbols.A_g: actions, symbols.S_l: local_states, symbols.A_l: local_actions,
            symbols.Z: local_states * local_actions, symbols.k: k, symbols.gamma: gamma, symbols.span: 2 / (1 - gamma),
        }  # fmt: skip
        found = enclose(ratio, values).upper / (gamma * (1 - gamma))
        assert found <= Fraction(253, 100)
        largest = max(largest, found)
    assert largest > Fraction(239, 100), "the constant of the proof is far from what is attained"


def test_n1b_the_discounts_in_between_ask_for_more_samples_than_the_proof_needs() -> None:
    assert enclose(8 * sp.log(2) * sp.log(1 / symbols.gamma) / symbols.gamma**5, {symbols.gamma: Fraction(73, 100)}).lower > 8
    assert Fraction(27, 100) * Fraction(73, 100) <= Fraction(1976, 10000)
    assert Fraction(253, 100) * Fraction(1976, 10000) < Fraction(1, 2)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_s3f_the_logarithm_of_a_number_of_count_vectors_is_less_steep_than_its_degree(classes: int) -> None:
    """Between k and m the number of count vectors grows by a factor of at most (m/k)^(classes - 1)."""
    for k, m in combinations((1, 2, 3, 5, 8, 13, 40), 2):
        growth = Fraction(comb(m + classes - 1, classes - 1), comb(k + classes - 1, classes - 1))
        assert 1 < growth < Fraction(m, k) ** (classes - 1)


def test_s3_count_vectors_of_k_agents_are_few() -> None:
    for classes, k in product(range(1, 6), range(1, 12)):
        assert comb(k + classes - 1, classes - 1) <= classes * comb(k + classes - 2, classes - 1) <= classes * k**classes


# ---------------------------------------------------------------------------------------------------------------- R2, R2L and R4


def rounded(shares: list[Fraction], total: int) -> list[int]:
    """``total`` agents by shares, rounded by largest remainders."""
    exact = [total * x for x in shares]
    whole = [floor(x) for x in exact]
    order = sorted(range(len(shares)), key=lambda a: whole[a] - exact[a])
    for a in order[: total - sum(whole)]:
        whole[a] += 1
    return whole


def compositions(total: int, parts: int) -> list[tuple[int, ...]]:
    return [c for c in product(range(total + 1), repeat=parts) if sum(c) == total]


@pytest.mark.parametrize("actions", [1, 2, 3, 4])
def test_r2_actions_of_a_sample_extended_to_the_population(actions: int) -> None:
    """Rounding errors add up to at most ``|A_l|/2``, attained for an even number, and no share is rounded below the sample's number."""
    largest = Fraction(0)
    for sampled in range(1, 6):
        for part in compositions(sampled, actions):
            shares = [Fraction(x, sampled) for x in part]
            for total in range(sampled, 9):
                whole = rounded(shares, total)
                assert sum(whole) == total
                assert all(w >= x for w, x in zip(whole, part, strict=True))
                largest = max(largest, sum((abs(w - total * x) for w, x in zip(whole, shares, strict=True)), Fraction(0)))
    assert largest <= Fraction(actions, 2)
    assert largest == Fraction(actions, 2) or actions % 2


@pytest.mark.parametrize("counts", [(3, 4), (1, 1, 5), (2, 2, 2, 1)])
def test_r2l_systematic_sampling(counts: tuple[int, ...]) -> None:
    """Every class is off by ``2 t (1-t)/k`` in expectation, t being the fractional part of its share; exact, over all starting points."""
    n = sum(counts)
    for k in range(1, n + 1):
        gap = Fraction(n, k)
        ends = [sum(counts[: z + 1]) for z in range(len(counts))]
        cuts = sorted({Fraction(0), gap, *((end - j * gap) % gap for end in range(n + 1) for j in range(k))})
        off, drawn = [Fraction(0)] * len(counts), [Fraction(0)] * n
        for low, high in pairwise(cuts):
            points = [floor((low + high) / 2 + j * gap) for j in range(k)]
            assert len(set(points)) == k
            for i in points:
                drawn[i] += (high - low) / gap
            for z, (count, end) in enumerate(zip(counts, ends, strict=True)):
                found = sum(end - count <= i < end for i in points)
                off[z] += (high - low) / gap * abs(Fraction(found, k) - Fraction(count, n))
        assert drawn == [Fraction(k, n)] * n
        for count, mean in zip(counts, off, strict=True):
            t = Fraction(k * count, n) % 1
            assert mean == 2 * t * (1 - t) / k <= Fraction(1, 2 * k)


@pytest.mark.parametrize(("copies", "part"), [(1, (1, 1)), (4, (2, 1)), (3, (1, 1, 1)), (5, (3, 1, 1)), (2, (1, 0, 3))])
def test_r4_noise_of_copying(copies: int, part: tuple[int, ...]) -> None:
    """``E sum_a |B_a - m x_a| <= sqrt(m (|A_l|-1))`` for m independent copies, by listing them; half of the right side is too small."""
    shares = [Fraction(x, sum(part)) for x in part]
    mean = Fraction(0)
    for played in product(range(len(part)), repeat=copies):
        weight = prod((shares[a] for a in played), start=Fraction(1))
        mean += weight * sum((abs(played.count(a) - copies * x) for a, x in enumerate(shares)), Fraction(0))
    assert mean**2 <= copies * (len(part) - 1)
    assert (2 * mean) ** 2 > copies * (len(part) - 1)
