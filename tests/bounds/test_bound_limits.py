"""What the formulas do in the limits: derived by sympy from the expressions, or certified on a whole range of k."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil

import pytest
import sympy as sp

from mfverify.papers.mean_field_sampling.dkw_without_replacement import SUP_NORM_TAIL
from mfverify.papers.mean_field_sampling.failure_probability import ENOUGH_SAMPLES
from mfverify.papers.mean_field_sampling.lemma_4_3 import SAMPLES
from mfverify.papers.mean_field_sampling.lemma_f_6 import KL_LARGEST
from mfverify.papers.mean_field_sampling.number_of_iterations import ITERATION_ERROR, ITERATION_TARGET, ITERATIONS
from mfverify.papers.mean_field_sampling.regime_switch import SWITCH_MEAN_FIELD, SWITCH_STANDARD
from mfverify.papers.mean_field_sampling.table_sizes import MEAN_FIELD_TABLE_AT_MOST
from mfverify.papers.mean_field_sampling.theorem_4_2 import THEOREM_4_2, THEOREM_4_2_WEAKER
from mfverify.papers.mean_field_sampling.theorem_4_4 import THEOREM_4_4, THEOREM_4_4_WEAKER
from mfverify.papers.mean_field_sampling.total_variation_tail import TV_QUANTILE, TV_QUANTILE_TAIL
from mfverify.papers.ours import symbols as paper
from mfverify.papers.ours.across_sizes import UPPER
from mfverify.papers.ours.shared_draw import SHARED_DRAW, SHARED_DRAW_UNIFORM
from mfverify.papers.ours.total_variation_by_sets import TV_MEAN
from mfverify.theory.bound import Bound
from mfverify.theory.evaluate import UndefinedError

FIXED = {paper.gamma: sp.Rational(1, 2), paper.S_l: 2, paper.A_l: 2, paper.A_g: 3, paper.Z: 4, paper.rt: 1, paper.rt_l: 1}
SIZES: dict[sp.Symbol, Fraction | int] = {
    paper.gamma: Fraction(1, 2), paper.S_l: 2, paper.A_l: 2, paper.A_g: 3, paper.Z: 4, paper.rt: 1, paper.rt_l: 1, paper.eps_km: 0,
}  # fmt: skip
REAL = sp.Symbol("x", positive=True)


def along(expr: sp.Expr, n_of_k: sp.Expr) -> sp.Expr:
    """The expression without noise at fixed sizes, as a function of a real k = x with n = n_of_k."""
    return expr.subs({**FIXED, paper.eps_km: 0}).subs(paper.n, n_of_k).subs(paper.k, REAL).doit()


@pytest.mark.parametrize(("bound", "log_power"), [(THEOREM_4_2, sp.Rational(1, 2)), (THEOREM_4_2_WEAKER, 1)])
def test_theorem_4_2_is_of_order_one_over_root_k_up_to_logarithms(bound: Bound, log_power: sp.Expr) -> None:
    """With n = 3 k: (n-k+1)/(2nk) ~ 1/(3k) and the logarithm ~ (|A_l| + 1/2) ln k, so the ratio tends to what stands here."""
    ratio = along(bound.expression, 3 * REAL) * sp.sqrt(REAL) / sp.log(REAL) ** log_power
    assert sp.simplify(sp.limit(ratio, REAL, sp.oo) - 4 * sp.sqrt(sp.Rational(1, 3)) * sp.Rational(5, 2) ** log_power) == 0


def test_theorem_4_4_is_theorem_4_2_with_another_remainder() -> None:
    difference = THEOREM_4_4.expression - THEOREM_4_2.expression + 2 * paper.eps_km
    assert sp.simplify(difference.doit() - sp.Rational(39, 10) / sp.sqrt(paper.k)) == 0


def test_shared_draw_bound_is_of_order_one_over_root_k_without_logarithm() -> None:
    """With n = 3 k, L/(1-gamma) = 8: (1/2) sqrt(2/3) + sqrt(4 k)/(6 k) sqrt(k) + (1/2) sqrt(2/3), times 8."""
    ratio = along(SHARED_DRAW.expression.replace(sp.Piecewise, lambda *branches: branches[0][0]), 3 * REAL) * sp.sqrt(REAL)
    assert sp.simplify(sp.limit(ratio, REAL, sp.oo) - 8 * (sp.sqrt(sp.Rational(2, 3)) + sp.Rational(1, 3))) == 0


N_FREE: tuple[tuple[Bound, sp.Expr], ...] = (
    (TV_MEAN, sp.sqrt(paper.Z / paper.k) / 2),
    (SUP_NORM_TAIL, 2 * paper.Z * sp.exp(-2 * paper.k * paper.epsilon**2)),
    (TV_QUANTILE, sp.sqrt(sp.log(2 * paper.Z / paper.delta) / (8 * paper.k))),
    (UPPER, (
        2 * paper.rt_l / (1 - paper.gamma) * paper.TV
        + paper.gamma * 2 * paper.rt_l / (1 - paper.gamma) ** 2 * sp.sqrt((paper.S_l - 1) / paper.k) / 2
    )),
    (SHARED_DRAW, (
        2 * paper.rt_l / (1 - paper.gamma) ** 2 * sp.sqrt((paper.S_l - 1) / paper.k) / 2 * (1 + paper.gamma / (1 - paper.gamma))
    )),
)  # fmt: skip


@pytest.mark.parametrize(("bound", "expected"), N_FREE, ids=[bound.name for bound, _ in N_FREE])
def test_bounds_do_not_depend_on_n_in_the_limit(bound: Bound, expected: sp.Expr) -> None:
    at_k = {paper.k: 7, paper.S_l: 3, paper.A_l: 2, paper.Z: 6, paper.gamma: sp.Rational(1, 3), paper.rt_l: 2, paper.TV: sp.Rational(1, 5),
            paper.epsilon: sp.Rational(1, 4), paper.delta: sp.Rational(1, 10)}  # fmt: skip
    population = bound.expression.replace(sp.Piecewise, lambda *branches: branches[0][0]).subs(at_k).subs(paper.n, REAL).doit()
    assert sp.simplify(sp.limit(population, REAL, sp.oo) - expected.subs(at_k)) == 0


def test_theorem_4_2_does_not_depend_on_n_in_the_limit() -> None:
    at_ten = THEOREM_4_2.expression.subs({**FIXED, paper.eps_km: 0}).subs(paper.k, 10).subs(paper.n, REAL).doit()
    log = sp.log(40 * 2 * 2 * 3 * 4 * 10 ** sp.Rational(5, 2))
    assert sp.simplify(sp.limit(at_ten, REAL, sp.oo) - (4 * sp.sqrt(log / 20) + 1 / (10 * sp.sqrt(10)))) == 0


def test_full_sample_makes_what_is_due_to_sampling_exactly_zero() -> None:
    for n in range(2, 9):
        full = SIZES | {paper.n: n, paper.k: n, paper.TV: 0}
        assert (SHARED_DRAW.enclose(full) == 0) is True
        assert (TV_MEAN.enclose(full) == 0) is True
        assert (KL_LARGEST.enclose(full) == 0) is True
        rounding = UPPER.enclose(full)  # gamma L/(1-gamma) Z/(4n) = 4 / n: R2 has no indicator
        assert rounding.lower == rounding.upper == Fraction(4, n)
        assert THEOREM_4_2.enclose(full).lower > 0


def test_a_single_agent_is_excluded_where_the_formula_reads_zero_over_zero() -> None:
    for bound in (SHARED_DRAW, TV_MEAN):
        with pytest.raises(UndefinedError, match="divides by 0"):
            bound.enclose(SIZES | {paper.n: 1, paper.k: 1})


@pytest.mark.parametrize(
    "bound",
    [
        THEOREM_4_2,
        THEOREM_4_2_WEAKER,
        THEOREM_4_4,
        THEOREM_4_4_WEAKER,
        SHARED_DRAW,
        TV_MEAN,
        UPPER,
    ],
    ids=lambda bound: bound.name,
)
def test_bounds_decrease_in_k_on_a_whole_population(bound: Bound) -> None:
    n = 40
    intervals = [bound.enclose(SIZES | {paper.n: n, paper.k: k, paper.TV: 0}) for k in range(1, n + 1)]
    assert len(intervals) == n
    assert all((later < earlier) is True for earlier, later in pairwise(intervals))


def test_quantile_and_tail_are_inverse_to_each_other() -> None:
    there_and_back = TV_QUANTILE.expression.subs(paper.delta, TV_QUANTILE_TAIL.expression)
    squared = sp.expand_log((there_and_back**2).doit(), force=True)
    assert sp.simplify(squared - paper.epsilon**2) == 0


def test_iterations_of_the_theorem_leave_an_error_below_its_target() -> None:
    """ln(1/gamma) >= 1 - gamma, so gamma^T rt/(1-gamma) at the T asked for is at most ((1-gamma)/(rt sqrt k))^2 rt/(1-gamma)."""
    for k in (1, 10, 1000):
        for gamma in (Fraction(1, 2), Fraction(99, 100)):
            values: dict[sp.Symbol, Fraction | int] = {paper.k: k, paper.gamma: gamma, paper.rt: 3}
            iterations = ceil(ITERATIONS.enclose(values).upper)
            error = ITERATION_ERROR.enclose(values | {paper.T: iterations})
            assert error.upper <= (1 - gamma) / (3 * k)
            assert (error <= ITERATION_TARGET.enclose(values)) is True


def test_regime_switch_picks_the_standard_table_for_few_agents_only() -> None:
    """Z = 4: 4^(k-1) <= k^4 holds up to k = 6 (1024 <= 1296) and fails from k = 7 on (4096 > 2401)."""
    for k in range(1, 20):
        values: dict[sp.Symbol, Fraction | int] = {paper.k: k, paper.Z: 4}
        chosen = SWITCH_STANDARD.enclose(values) <= SWITCH_MEAN_FIELD.enclose(values)
        assert chosen is (k <= 6)


@pytest.mark.parametrize(
    ("expression", "order"),
    [
        (TV_MEAN.expression, sp.Rational(-1, 2)),
        (ITERATION_TARGET.expression, sp.Rational(-1, 2)),
        (SAMPLES.expression, sp.Rational(7, 2) + 4),
        (ENOUGH_SAMPLES.expression, sp.Integer(2)),
        (MEAN_FIELD_TABLE_AT_MOST.expression, sp.Integer(4)),
        (SHARED_DRAW_UNIFORM.expression, sp.Rational(-1, 2)),
    ],
    ids=["C4", "B7", "N1", "N1r", "S1", "R4u"],
)
def test_orders_in_k_by_a_limit(expression: sp.Expr, order: sp.Expr) -> None:
    """``expression / k^order`` tends to a number > 0 at fixed sizes (n = 2k + 3 where n occurs)."""
    sizes = {**FIXED, paper.S_g: 2, paper.A_g: 3, paper.span: 5, paper.n: 2 * REAL + 3}
    at = expression.subs(sizes).subs(paper.k, REAL).doit()
    limit = sp.limit(sp.simplify(at) / REAL**order, REAL, sp.oo)
    assert limit.is_positive
    assert limit.is_finite


def test_the_mean_distance_falls_in_k_and_ends_at_zero() -> None:
    """The derivative of the squared bound in k is ``-Z n / (4 k^2 (n - 1)) < 0``, and at k = n the bound is 0."""
    x = sp.Symbol("x", positive=True)
    squared = (TV_MEAN.expression**2).doit().subs(paper.k, x)
    assert sp.simplify(sp.diff(squared, x) + paper.Z * paper.n / (4 * x**2 * (paper.n - 1))) == 0
    assert sp.simplify(squared.subs(x, paper.n)) == 0


def test_the_tail_bound_falls_in_k() -> None:
    """The exponent of C1 has the derivative ``-2 n (n+1) eps^2/(n-k+1)^2 < 0``."""
    x = sp.Symbol("x", positive=True)
    exponent = sp.log(SUP_NORM_TAIL.expression / (2 * paper.Z)).subs(paper.k, x).simplify()
    slope = sp.diff(sp.expand_log(exponent, force=True), x)
    assert sp.simplify(slope + 2 * paper.n * (paper.n + 1) * paper.epsilon**2 / (paper.n - x + 1) ** 2) == 0
