"""Steps of proofs in the docstrings of claims, each checked in exact arithmetic where it can be."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import comb

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
