"""Every right-hand side against the paper's formula typed a second time, with mpmath at 60 digits or with Fractions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import comb, prod
from types import SimpleNamespace
from typing import Any

import mpmath
import pytest
import sympy as sp

from mfverify.counts import count_vectors, subsample_law, total_variation
from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.papers.mean_field_control.rate_of_approximation import WITH_ACTIONS
from mfverify.papers.mean_field_sampling.bellman_noise import MEAN_NOISE
from mfverify.papers.mean_field_sampling.bounded_iterates import ITERATE_SIZE
from mfverify.papers.mean_field_sampling.dkw_without_replacement import SUP_NORM_TAIL
from mfverify.papers.mean_field_sampling.failure_probability import ENOUGH_SAMPLES
from mfverify.papers.mean_field_sampling.lemma_4_3 import ENOUGH_ON_AVERAGE, SAMPLES
from mfverify.papers.mean_field_sampling.lemma_f_6 import KL_LARGEST
from mfverify.papers.mean_field_sampling.mean_distance import TV_MEAN_LEAST, TV_MEAN_SHARP
from mfverify.papers.mean_field_sampling.number_of_iterations import ITERATION_ERROR, ITERATION_TARGET, ITERATIONS
from mfverify.papers.mean_field_sampling.regime_switch import SWITCH_MEAN_FIELD, SWITCH_STANDARD
from mfverify.papers.mean_field_sampling.remark_4_8 import LOGARITHMIC_TABLE, SWEEP
from mfverify.papers.mean_field_sampling.remark_4_9 import TYPED_TABLE
from mfverify.papers.mean_field_sampling.table_sizes import (
    DISTRIBUTIONS,
    DISTRIBUTIONS_AT_MOST,
    MEAN_FIELD_TABLE,
    MEAN_FIELD_TABLE_AT_MOST,
    STANDARD_TABLE,
)
from mfverify.papers.mean_field_sampling.theorem_4_2 import THEOREM_4_2, THEOREM_4_2_DOUBLED, THEOREM_4_2_WEAKER
from mfverify.papers.mean_field_sampling.theorem_4_4 import THEOREM_4_4, THEOREM_4_4_DOUBLED, THEOREM_4_4_WEAKER
from mfverify.papers.mean_field_sampling.theorem_e_3 import ACROSS_SIZES, SAME_SIZE
from mfverify.papers.mean_field_sampling.total_variation_tail import TV_QUANTILE, TV_QUANTILE_TAIL, TV_TAIL
from mfverify.papers.mean_field_sampling.uniform_rate import UNIFORM_RATE
from mfverify.papers.ours import symbols as paper
from mfverify.papers.ours.across_sizes import LOWER, UPPER
from mfverify.papers.ours.bias_after_maximum import BIAS
from mfverify.papers.ours.independent_draws import INDEPENDENT_DRAWS
from mfverify.papers.ours.kl_mean import KL_MEAN
from mfverify.papers.ours.mean_field_limit import RATE
from mfverify.papers.ours.one_local_action import LARGE_SAMPLES, ONE_LOCAL_ACTION
from mfverify.papers.ours.plan_for_a_sample import PLAN_ANEW, PLAN_ONCE
from mfverify.papers.ours.redrawn_types import REDRAWN_TYPES
from mfverify.papers.ours.shared_draw import SHARED_DRAW, SHARED_DRAW_UNIFORM
from mfverify.papers.ours.shared_draw_noise import SHARED_DRAW_NOISE
from mfverify.papers.ours.shared_draw_types import SHARED_DRAW_TYPES
from mfverify.papers.ours.sharper_limit import SHARPER_RATE
from mfverify.papers.ours.total_variation_by_sets import TV_MEAN, TV_TAIL_BY_SETS
from mfverify.papers.ours.transition_with_fluctuation import AFTER_TRANSITION
from mfverify.papers.sub_sample_q.theorem_3_4 import THEOREM_3_4, THEOREM_3_4_LOCAL
from mfverify.theory.bound import Bound
from mfverify.theory.evaluate import enclose
from mfverify.theory.vacuity import TRIVIAL_GAP
from tests.bounds.all_bounds import all_bounds

DIGITS = 60

CASES: tuple[dict[str, Fraction | int], ...] = (
    {
        "n": 2000, "k": 300, "T": 7, "t": 5, "delta": Fraction(1, 10), "epsilon": Fraction(1, 9), "gamma": Fraction(1, 2),
        "rt_g": Fraction(1, 3), "rt_l": Fraction(101, 100), "rt": Fraction(1, 3) + Fraction(101, 100),
        "S_g": 2, "A_g": 2, "S_l": 2, "A_l": 2, "Z": 4, "eps_km": Fraction(1, 77), "TV": Fraction(2, 7),
        "m": 20, "E": 2, "eta": Fraction(1, 100), "span": Fraction(7, 3), "disagreement": Fraction(1, 9), "excess": Fraction(1, 10**3),
    },
    {
        "n": 12, "k": 5, "T": 40, "t": 1, "delta": Fraction(3, 7), "epsilon": Fraction(2, 5), "gamma": Fraction(19, 20),
        "rt_g": Fraction(0), "rt_l": Fraction(5, 2), "rt": Fraction(5, 2),
        "S_g": 3, "A_g": 5, "S_l": 3, "A_l": 4, "Z": 12, "eps_km": Fraction(3, 2), "TV": Fraction(1, 11),
        "m": 6, "E": 3, "eta": Fraction(3, 2), "span": Fraction(101), "disagreement": Fraction(2, 3), "excess": Fraction(3, 4),
    },
    {
        "n": 31, "k": 11, "T": 3, "t": 90, "delta": Fraction(1, 10**6), "epsilon": Fraction(1, 2), "gamma": Fraction("0.123"),
        "rt_g": Fraction(70), "rt_l": Fraction(1, 70), "rt": 70 + Fraction(1, 70),
        "S_g": 7, "A_g": 3, "S_l": 6, "A_l": 3, "Z": 18, "eps_km": Fraction(1, 10**9), "TV": Fraction(1),
        "m": 10**6, "E": 5, "eta": Fraction(1, 7), "span": Fraction(1, 1000), "disagreement": Fraction(1, 10**4), "excess": Fraction(1, 10**6),
    },
)  # fmt: skip


class Numbers(SimpleNamespace):
    """The values of one case as attributes, converted by ``convert``."""

    def __init__(self, case: dict[str, Fraction | int], convert: Callable[[Fraction | int], Any]) -> None:
        super().__init__(**{name: convert(value) for name, value in case.items()})


def to_mpf(value: Fraction | int) -> mpmath.mpf:
    return mpmath.mpf(value.numerator) / value.denominator


def ln(x: mpmath.mpf) -> mpmath.mpf:
    return mpmath.log(x)


def of_one_draw(v: Numbers) -> mpmath.mpf:
    """The bracket of Theorem 3.4 of arXiv 2403.00222."""
    return mpmath.sqrt((v.n - v.k + 1) / (2 * v.n * v.k) * ln(2 * v.S_l * v.A_g * mpmath.sqrt(v.k))) + 1 / mpmath.sqrt(v.k)


def of_sample(v: Numbers) -> mpmath.mpf:
    """Twice the mean total variation of a sample of local states."""
    return mpmath.sqrt((v.S_l - 1) * (v.n - v.k) / (v.k * (v.n - 1)))


def first_term(v: Numbers, log_power: mpmath.mpf) -> mpmath.mpf:
    """Theorem 4.2's first term: the logarithm to the power 1/2 (under the root) or 1 (outside)."""
    log = ln(40 * v.rt * v.S_l * v.A_l * v.A_g * v.k ** (v.A_l + mpmath.mpf("0.5")) / (1 - v.gamma) ** 2)
    return v.rt / (1 - v.gamma) ** 2 * mpmath.sqrt((v.n - v.k + 1) / (2 * v.n * v.k)) * log**log_power


def fluctuation(v: Numbers) -> mpmath.mpf:
    return mpmath.sqrt((v.S_l - 1) * (v.n - v.k) / (v.n * v.k)) / 2 + v.Z / (4 * v.n)


def shared_draw(v: Numbers) -> mpmath.mpf:
    sampling = mpmath.sqrt((v.S_l - 1) * (v.n - v.k) / (v.k * (v.n - 1))) / 2
    copying = mpmath.sqrt(v.S_l * (v.A_l - 1) * (v.n - v.k)) / (2 * v.n)
    slope = 2 * v.rt_l / (1 - v.gamma)
    return slope / (1 - v.gamma) * (sampling + copying + v.gamma / (1 - v.gamma) * fluctuation(v))


def with_types(v: Numbers) -> Numbers:
    """The same numbers for the local states E x S_l."""
    return Numbers({**vars(v), "S_l": v.E * v.S_l, "Z": v.E * v.Z}, lambda value: value)


def lead(k: int) -> Fraction:
    """The mean of |2 Y - k|/k for Y binomial(k, 1/2), summed out."""
    return sum((Fraction(comb(k, y) * abs(2 * y - k), 2**k * k) for y in range(k + 1)), Fraction(0))


HALF = mpmath.mpf("0.5")

BY_HAND: dict[Bound, Callable[[Numbers], Any]] = {
    SUP_NORM_TAIL: lambda v: 2 * v.Z * mpmath.exp(-2 * v.k * v.n * v.epsilon**2 / (v.n - v.k + 1)),
    TV_TAIL: lambda v: 2 * v.Z * mpmath.exp(-2 * v.k * v.n * v.epsilon**2 / (v.n - v.k + 1)),
    TV_TAIL_BY_SETS: lambda v: 2**v.Z * mpmath.exp(-2 * v.k * v.n * v.epsilon**2 / (v.n - v.k + 1)),
    TV_QUANTILE: lambda v: mpmath.sqrt((v.n - v.k + 1) / (8 * v.n * v.k) * ln(2 * v.Z / v.delta)),
    TV_QUANTILE_TAIL: lambda v: 2 * v.Z * mpmath.exp(-8 * v.n * v.k * v.epsilon**2 / (v.n - v.k + 1)),
    TV_MEAN: lambda v: HALF * mpmath.sqrt(v.Z * (v.n - v.k) / (v.k * (v.n - 1))),
    KL_LARGEST: lambda v: ln(v.n / v.k),
    UPPER: lambda v: (
        2 * v.rt_l / (1 - v.gamma) * v.TV + v.gamma / (1 - v.gamma) * (2 * v.rt_l / (1 - v.gamma)) * fluctuation(v)
    ),
    THEOREM_4_2: lambda v: first_term(v, HALF) + 1 / (10 * mpmath.sqrt(v.k)) + 2 * v.eps_km,
    THEOREM_4_2_WEAKER: lambda v: first_term(v, mpmath.mpf(1)) + 1 / (10 * mpmath.sqrt(v.k)) + 2 * v.eps_km / (1 - v.gamma),
    THEOREM_4_2_DOUBLED: lambda v: 2 * first_term(v, HALF) + 1 / (10 * mpmath.sqrt(v.k)) + 2 * v.eps_km,
    THEOREM_4_4: lambda v: first_term(v, HALF) + 4 / mpmath.sqrt(v.k),
    THEOREM_4_4_WEAKER: lambda v: first_term(v, mpmath.mpf(1)) + 4 / mpmath.sqrt(v.k),
    THEOREM_4_4_DOUBLED: lambda v: 2 * first_term(v, HALF) + 4 / mpmath.sqrt(v.k),
    THEOREM_3_4: lambda v: 2 * v.rt / (1 - v.gamma) ** 2 * of_one_draw(v) + 2 * v.eps_km / (1 - v.gamma),
    THEOREM_3_4_LOCAL: lambda v: 2 * v.rt_l / (1 - v.gamma) ** 2 * of_one_draw(v) + 2 * v.eps_km / (1 - v.gamma),
    WITH_ACTIONS: lambda v: v.gamma**2 * v.rt_l / (1 - v.gamma) ** 2 * (mpmath.sqrt(v.S_l) + mpmath.sqrt(v.A_l)) / mpmath.sqrt(v.n),
    SHARED_DRAW: shared_draw,
    SHARED_DRAW_NOISE: lambda v: shared_draw(v) + 2 * v.eps_km / (1 - v.gamma),
    SHARED_DRAW_TYPES: lambda v: shared_draw(with_types(v)),
    INDEPENDENT_DRAWS: lambda v: shared_draw(v) + 2 * v.rt_l / (1 - v.gamma) ** 2 * v.disagreement,
    SHARED_DRAW_UNIFORM: lambda v: (
        2 * v.rt_l / (1 - v.gamma) ** 2
        * (
            mpmath.sqrt((v.S_l - 1) / v.k) / 2 + mpmath.sqrt(v.S_l * (v.A_l - 1) / v.k) / 4
            + v.gamma / (1 - v.gamma) * (mpmath.sqrt((v.S_l - 1) / v.k) / 2 + v.Z / (4 * v.k))
        )
    ),
    ONE_LOCAL_ACTION: lambda v: (
        2 * v.gamma * v.rt_l / (1 - v.gamma) ** 2 * mpmath.sqrt((v.n - v.k + 1) * ln(v.A_g) / (2 * v.n * v.k))
    ),
    LARGE_SAMPLES: lambda v: (
        2 * v.gamma * v.rt_l / (1 - v.gamma) ** 2 / v.k * mpmath.sqrt((v.n - v.k) * (v.k + 1) * ln(v.A_g) / (2 * v.n))
    ),
    UNIFORM_RATE: lambda v: (1 + ln(v.k)) / mpmath.sqrt(v.k),
    BIAS: lambda v: v.gamma * v.span * mpmath.sqrt((ln(v.A_g) + v.k * ln(v.A_l)) / (2 * v.m)),
    MEAN_NOISE: lambda v: v.gamma / (1 - v.gamma) * v.span * mpmath.sqrt(ln(2 * v.S_g * v.A_g * v.Z**v.k) / (2 * v.m)),
    ENOUGH_ON_AVERAGE: lambda v: v.k * (v.gamma * v.span / (1 - v.gamma)) ** 2 * ln(2 * v.S_g * v.A_g * v.Z**v.k) / 2,
    ENOUGH_SAMPLES: lambda v: (
        v.gamma**2 * v.k * v.span**2 / (2 * (1 - v.gamma) ** 2) * (ln(200 * v.S_g * v.A_g * v.Z**v.k) + v.k)
    ),
    SAMPLES: lambda v: (
        2 * v.S_g * v.A_g * v.S_l * v.A_l * v.k ** (mpmath.mpf("3.5") + v.S_l * v.A_l)
        * ln(v.S_g * v.A_g * v.A_l * v.S_l) / (1 - v.gamma) ** 5 * ln(1 / (1 - v.gamma) ** 2)
    ),
    ITERATIONS: lambda v: 2 / (1 - v.gamma) * ln(v.rt * mpmath.sqrt(v.k) / (1 - v.gamma)),
    ITERATION_TARGET: lambda v: 1 / mpmath.sqrt(v.k),
    TV_MEAN_SHARP: lambda v: mpmath.sqrt((v.Z - 1) * (v.n - v.k) / (4 * v.k * (v.n - 1))),
    TV_MEAN_LEAST: lambda v: mpmath.sqrt((v.n - v.k) / (16 * v.k * (v.n - 1))),
    AFTER_TRANSITION: lambda v: v.TV + mpmath.sqrt((v.Z - 1) * (1 / v.k - 1 / v.n)) / 2,
    PLAN_ANEW: lambda v: (
        v.rt_l * (v.gamma * mpmath.sqrt((v.S_l - 1) / v.n) + of_sample(v)) / (1 - v.gamma) ** 2 + v.excess / (1 - v.gamma)
    ),
    PLAN_ONCE: lambda v: (
        v.rt_l * (v.gamma * mpmath.sqrt((v.S_l - 1) / v.n) / (1 - v.gamma) + of_sample(v)) / (1 - v.gamma) + v.excess
    ),
    SHARPER_RATE: lambda v: v.gamma**2 * v.rt_l * mpmath.sqrt((v.S_l - 1) / v.n) / (1 - v.gamma) ** 2,
    RATE: lambda v: v.gamma * v.rt_l * mpmath.sqrt(v.S_l - 1) / ((1 - v.gamma) ** 2 * mpmath.sqrt(v.n)),
    LOGARITHMIC_TABLE: lambda v: v.S_g * v.A_g * v.Z * mpmath.log(2 * v.n, 2) ** v.Z,
}  # fmt: skip
"""Irrational right-hand sides, in floating point of 60 digits."""

EXACTLY: dict[Bound, Callable[[Numbers], Any]] = {
    SAME_SIZE: lambda v: 2 * v.rt_l * v.TV / (1 - v.gamma),
    ACROSS_SIZES: lambda v: 2 * v.rt_l * v.TV / (1 - v.gamma),
    LOWER: lambda v: 2 * v.rt_l / (1 - v.gamma) * (v.TV + Fraction(v.Z, 4 * v.k)),
    REDRAWN_TYPES: lambda v: (
        v.gamma**2 / (1 - v.gamma**2) * (v.gamma * (1 - Fraction(v.k, v.n)) * (1 - lead(v.k) ** 2) - v.eta * lead(v.k) / 2)
    ),
    TRIVIAL_GAP: lambda v: 2 * v.rt / (1 - v.gamma),
    ITERATE_SIZE: lambda v: sum(v.rt * v.gamma**i for i in range(v.t)),
    ITERATION_ERROR: lambda v: v.gamma**v.T * v.rt / (1 - v.gamma),
    STANDARD_TABLE: lambda v: v.S_g * prod([v.S_l] * v.k) * v.A_g * prod([v.A_l] * v.k),
    DISTRIBUTIONS: lambda v: comb(v.k - 1 + v.Z - 1, v.k - 1),
    DISTRIBUTIONS_AT_MOST: lambda v: prod([v.k] * v.Z),
    MEAN_FIELD_TABLE: lambda v: v.S_g * v.S_l * comb(v.k - 1 + v.Z - 1, v.k - 1) * v.A_g * v.A_l,
    MEAN_FIELD_TABLE_AT_MOST: lambda v: v.S_g * v.S_l * v.k**v.Z * v.A_g * v.A_l,
    SWITCH_STANDARD: lambda v: v.Z**v.k,
    SWITCH_MEAN_FIELD: lambda v: v.Z * v.k**v.Z,
    KL_MEAN: lambda v: Fraction((v.Z - 1) * (v.n - v.k), v.k * (v.n - 1)),
    SWEEP: lambda v: 2 * v.S_g * v.A_g * v.Z * prod([v.k] * v.Z),
    TYPED_TABLE: lambda v: v.S_g * v.A_g * v.E * v.S_l * v.A_l * prod([v.n] * (v.S_l * v.A_l)),
}
"""Rational right-hand sides, in exact arithmetic."""

WITHOUT_CONSTANTS = {STANDARD_TABLE, DISTRIBUTIONS_AT_MOST, MEAN_FIELD_TABLE_AT_MOST, SWITCH_STANDARD,
                     SWITCH_MEAN_FIELD, TYPED_TABLE}  # fmt: skip
"""Products and powers of symbols only: nothing to halve."""

ALL = all_bounds()


def values_of(bound: Bound, case: dict[str, Fraction | int]) -> dict[sp.Symbol, Fraction | int]:
    return {symbol: case[str(symbol)] for symbol in bound.needed}


def by_hand(bound: Bound, case: dict[str, Fraction | int]) -> Fraction:
    """The value from the second typing of the formula: exact, or correct to nearly 60 digits."""
    if bound in EXACTLY:
        return Fraction(EXACTLY[bound](Numbers(case, lambda value: value)))
    with mpmath.workdps(DIGITS):
        return as_fraction(mpmath.mpf(BY_HAND[bound](Numbers(case, to_mpf))))


def as_fraction(value: mpmath.mpf) -> Fraction:
    """The exact rational that a floating-point number of mpmath is (``man_exp`` leaves the sign out)."""
    mantissa, exponent = (int(part) for part in value.man_exp)
    return Fraction(int(mpmath.sign(value)) * mantissa) * Fraction(2**exponent if exponent >= 0 else Fraction(1, 2**-exponent))


def ids(bound: Bound) -> str:
    return bound.name


def test_every_right_hand_side_has_a_second_typing_and_a_name_of_its_own() -> None:
    assert set(ALL) == set(BY_HAND) | set(EXACTLY)
    assert not set(BY_HAND) & set(EXACTLY)
    assert len({bound.name for bound in ALL}) == len(ALL) == len(BY_HAND) + len(EXACTLY)


@pytest.mark.parametrize("case", CASES, ids=("large", "small", "wide"))
@pytest.mark.parametrize("bound", BY_HAND, ids=ids)
def test_irrational_right_hand_sides_against_mpmath(bound: Bound, case: dict[str, Fraction | int]) -> None:
    interval = bound.enclose(values_of(bound, case))
    assert not interval.is_exact
    assert interval.contains(by_hand(bound, case))
    assert interval.width * 2**60 <= abs(interval.lower)


@pytest.mark.parametrize("case", CASES, ids=("large", "small", "wide"))
@pytest.mark.parametrize("bound", EXACTLY, ids=ids)
def test_rational_right_hand_sides_against_fractions(bound: Bound, case: dict[str, Fraction | int]) -> None:
    interval = bound.enclose(values_of(bound, case))
    assert interval.lower == interval.upper == by_hand(bound, case)


def with_one_constant_halved(node: sp.Basic) -> Iterator[sp.Basic]:
    """The expression once for each nonzero number in it, with that number halved."""
    if isinstance(node, sp.Rational):
        if node != 0:
            yield node / 2
        return
    for i, part in enumerate(node.args):
        for changed in with_one_constant_halved(part):
            yield node.func(*node.args[:i], changed, *node.args[i + 1 :])


@pytest.mark.parametrize("bound", [bound for bound in ALL if bound not in WITHOUT_CONSTANTS], ids=ids)
def test_halving_any_constant_is_noticed(bound: Bound) -> None:
    case = CASES[1]
    expected, wrong_values = by_hand(bound, case), 0
    assert bound.enclose(values_of(bound, case)).contains(expected)
    for sabotaged in with_one_constant_halved(bound.expression):
        with contextlib.suppress(ModelError):  # a sabotaged formula without a value here is noticed as well
            assert not enclose(sabotaged, values_of(bound, case)).contains(expected), sabotaged
            wrong_values += 1
    assert wrong_values > 0


@pytest.mark.parametrize("bound", [bound for bound in ALL if bound in WITHOUT_CONSTANTS], ids=ids)
def test_doubling_a_size_is_noticed_where_there_are_no_constants(bound: Bound) -> None:
    case = CASES[1]
    for symbol in bound.needed:
        doubled = bound.expression.subs(symbol, 2 * symbol)
        assert not enclose(doubled, values_of(bound, case)).contains(by_hand(bound, case)), symbol


@pytest.mark.parametrize(("subsample", "expected"), [(300, "0.7098"), (401, "0.6055")])
def test_theorem_4_2_matches_the_theory_page_on_the_coordination_model(subsample: int, expected: str) -> None:
    """Section 4.2: |S_l| = |A_l| = |A_g| = 2, gamma = 1/2, rt = 101/100, n = 2000, no noise, printed to four digits."""
    interval = THEOREM_4_2.enclose({
        paper.n: 2000, paper.k: subsample, paper.gamma: Fraction(1, 2), paper.rt: Fraction(101, 100),
        paper.S_l: 2, paper.A_l: 2, paper.A_g: 2, paper.eps_km: 0,
    })  # fmt: skip
    half_a_digit = Fraction(1, 20000)
    assert Fraction(expected) - half_a_digit <= interval.lower <= interval.upper <= Fraction(expected) + half_a_digit


def test_binomial_number_of_distributions_against_enumeration() -> None:
    for k in range(1, 7):
        for pairs in range(1, 6):
            interval = DISTRIBUTIONS.enclose({paper.k: k, paper.Z: pairs})
            assert interval.lower == interval.upper == len(count_vectors(k - 1, pairs))


def test_mean_bound_holds_against_the_exact_hypergeometric_mean_and_half_of_it_does_not() -> None:
    """With one agent in each of 8 classes and k = 4, TV is surely 1/2."""
    cases = [((1,) * 8, 4), ((3, 2, 1), 2), ((5, 0, 5), 3), ((2, 2), 4)]
    for counts, k in cases:
        mean = sum((law * total_variation(sample, counts) for sample, law in subsample_law(counts, k)), Fraction(0))
        bound = TV_MEAN.enclose({paper.n: sum(counts), paper.k: k, paper.Z: len(counts)})
        assert mean <= bound.lower
    halved = enclose(TV_MEAN.expression / 2, {paper.n: 8, paper.k: 4, paper.Z: 8})
    assert halved.upper < Fraction(1, 2)


def test_huge_numbers_are_enclosed_and_small_ones_do_not_vanish() -> None:
    big: dict[sp.Symbol, Fraction | int] = {paper.k: 10**15, paper.gamma: Fraction(999, 1000)}
    big |= dict.fromkeys((paper.S_g, paper.A_g, paper.S_l, paper.A_l), 5)
    with mpmath.workdps(DIGITS):
        gamma = mpmath.mpf(999) / 1000
        expected = 2 * 625 * mpmath.mpf(10) ** (15 * 28) * mpmath.sqrt(mpmath.mpf(10) ** 15) * ln(mpmath.mpf(625))
        expected *= ln(1 / (1 - gamma) ** 2) / (1 - gamma) ** 5
        assert expected > mpmath.mpf(10) ** 400
    interval = SAMPLES.enclose(big)
    assert interval.contains(as_fraction(expected))
    assert interval.width * 2**60 <= interval.lower
    with pytest.raises(ModelError, match="beyond double precision"):
        SAMPLES.evaluate_float(big)

    tail: dict[sp.Symbol, Fraction | int] = {paper.n: 10**9, paper.k: 10**9 // 2, paper.epsilon: 1, paper.Z: 4}
    vanishing = SUP_NORM_TAIL.enclose(tail)
    assert isinstance(vanishing, Interval)
    assert vanishing.lower == 0 < vanishing.upper < Fraction(1, 2**1000000)
    assert SUP_NORM_TAIL.evaluate_float(tail) == 0.0
