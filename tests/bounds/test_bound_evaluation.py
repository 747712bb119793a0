"""The certified evaluation: exact where it should be, outward elsewhere, and loud where there is no value."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from flint import ctx
from hypothesis import given
from hypothesis import strategies as st

from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.papers.mean_field_sampling.number_of_iterations import ITERATIONS
from mfverify.papers.mean_field_sampling.theorem_4_2 import THEOREM_4_2, THEOREM_4_2_WEAKER
from mfverify.papers.ours import symbols as paper
from mfverify.theory import evaluate, formula
from mfverify.theory.evaluate import UndefinedError, enclose, evaluate_float

x, y = sp.symbols("x y", real=True)
small = st.fractions(min_value=-5, max_value=5, max_denominator=50)
positive = st.fractions(min_value=Fraction(1, 50), max_value=5, max_denominator=50)


def as_fraction(value: mpmath.mpf) -> Fraction:
    """The exact rational that a floating-point number of mpmath is (``man_exp`` leaves the sign out)."""
    mantissa, exponent = (int(part) for part in value.man_exp)
    return Fraction(int(mpmath.sign(value)) * mantissa) * Fraction(2**exponent if exponent >= 0 else Fraction(1, 2**-exponent))


@given(small, small)
def test_rational_expressions_are_exact(a: Fraction, b: Fraction) -> None:
    expr = (x - y) ** 3 / (1 + x**2) + sp.Abs(x * y) * sp.Rational(3, 7) + sp.Min(x, y, 1) - sp.Max(x, 2 * y) + sp.floor(x) * sp.ceiling(y)
    expected = (a - b) ** 3 / (1 + a**2) + abs(a * b) * Fraction(3, 7) + min(a, b, Fraction(1)) - max(a, 2 * b) + (a // 1) * -(-b // 1)
    result = enclose(expr, {x: a, y: b})
    assert result.lower == result.upper == expected


def test_what_is_remembered_belongs_to_the_same_subexpression_inputs_and_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[sp.Expr] = []
    enclosed = evaluate._enclosed
    monkeypatch.setattr(evaluate, "_enclosed", lambda expr, setting: computed.append(expr) or enclosed(expr, setting))
    monkeypatch.setattr(evaluate, "_MOST_WALKED", 5)
    evaluate._WALKED.clear()
    expr = sp.log(x) + sp.log(y)
    both = [str(enclose(expr, {x: 3, y: b})) for b in (5, 7, 5)]
    assert both[0] == both[2] != both[1]
    assert sorted(map(str, computed)) == sorted(["log(x)", "log(y)", "log(y)", str(expr), str(expr)])
    enclose(expr, {x: 3, y: 5}, bits=256)
    assert len(computed) == 8 and len(evaluate._WALKED) <= 5
    for i in range(100):  # intervals that are gone leave their identity to others
        end = Fraction(i + 2)
        assert enclose(x * x, {x: Interval(end, end + 1)}).upper == (end + 1) ** 2
    planted = {key: (*entry[:-1], Interval.exactly(0)) for key, entry in evaluate._WALKED.items()}
    monkeypatch.setattr(evaluate, "_WALKED", planted)
    assert enclose(x * x, {x: 2}).lower == 4
    with pytest.raises(ModelError, match="found True"):
        enclose(x, {x: True})
    with pytest.raises(ModelError, match="found \\[1\\]"):
        enclose(x, {x: [1]})  # type: ignore[dict-item]


@given(positive, positive, st.integers(0, 40))
def test_an_interval_input_encloses_the_value_at_every_point_inside(a: Fraction, width: Fraction, step: int) -> None:
    """The point is compared through mpmath at 60 digits; its own error is far below the width of the result."""
    inside = a + width * Fraction(step, 40)
    expr = sp.log(x + 1) * sp.exp(-x) + sp.sqrt(x) / x**2 + x ** sp.Rational(5, 3) - (x - 2) ** 4 + 2**x
    result = enclose(expr, {x: Interval(a, a + width)})
    with mpmath.workdps(60):
        point = mpmath.mpf(inside.numerator) / inside.denominator
        value = mpmath.log(point + 1) * mpmath.exp(-point) + mpmath.sqrt(point) / point**2 + point ** (mpmath.mpf(5) / 3)
        value += 2**point - (point - 2) ** 4
    assert result.contains(as_fraction(value))


@given(positive, small)
def test_powers_and_logarithms_against_mpmath(a: Fraction, b: Fraction) -> None:
    with mpmath.workdps(60):
        base, exponent = mpmath.mpf(a.numerator) / a.denominator, mpmath.mpf(b.numerator) / b.denominator
        expected = mpmath.pi * base**exponent + mpmath.exp(exponent) + mpmath.e
    result = enclose(sp.pi * sp.Symbol("b", positive=True) ** y + sp.exp(y) + sp.E, {sp.Symbol("b", positive=True): a, y: b})
    assert result.contains(as_fraction(expected))
    assert 0 < result.width * 2**60 <= result.lower


def test_perfect_squares_neutral_arguments_and_zero_factors_stay_exact() -> None:
    cases = (
        (sp.sqrt(x) ** 3, {x: Fraction(9, 4)}, Fraction(27, 8)),
        (formula.root(x), {x: Fraction(10**40, 49)}, Fraction(10**20, 7)),
        (1 / sp.sqrt(x), {x: 16}, Fraction(1, 4)),
        (sp.log(x), {x: 1}, Fraction(0)),
        (sp.exp(x), {x: 0}, Fraction(1)),
        ((x - y) * sp.log(x), {x: 5, y: 5}, Fraction(0)),
        (x ** sp.Rational(2, 3), {x: 0}, Fraction(0)),
        (sp.factorial(x) * sp.binomial(y, 2), {x: 5, y: 6}, Fraction(120 * 15)),
        (sp.Abs(x), {x: Interval.exactly(-3)}, Fraction(3)),
    )
    for expr, values, expected in cases:
        result = enclose(expr, values)
        assert result.lower == result.upper == expected, expr


def test_even_powers_of_an_interval_around_zero_start_at_zero() -> None:
    result = enclose(x**2, {x: Interval(Fraction(-2), Fraction(1))})
    assert [result.lower, result.upper] == [0, 4]
    result = enclose(x**3, {x: Interval(Fraction(-2), Fraction(1))})
    assert [result.lower, result.upper] == [-8, 1]
    result = enclose(x**2, {x: Interval(Fraction(-2), Fraction(-1))})
    assert [result.lower, result.upper] == [1, 4]


def test_precision_is_raised_until_cancellation_is_resolved() -> None:
    """log(1 + 2^-300) is 2^-300 up to a relative 2^-301; the first precision of 128 bits sees only log of a ball around 1."""
    tiny = Fraction(1, 2**300)
    result = enclose(sp.log(1 + x), {x: tiny})
    assert tiny - tiny**2 < result.lower <= result.upper < tiny
    assert result.width * 2**60 <= result.lower


def test_an_irrational_zero_is_enclosed_tightly_and_ends() -> None:
    result = enclose(sp.log(x * y) - sp.log(x) - sp.log(y), {x: 2, y: 3})
    assert result.lower <= 0 <= result.upper
    assert result.width < Fraction(1, 2 ** (evaluate.CEILING_BITS - 10))


def test_indicator_is_one_zero_or_open() -> None:
    expr = formula.indicator(paper.k < paper.n)
    assert (enclose(expr, {paper.k: 2, paper.n: 3}) == 1) is True
    assert (enclose(expr, {paper.k: 3, paper.n: 3}) == 0) is True
    hull = enclose(expr, {paper.k: 2, paper.n: Interval(Fraction(2), Fraction(3))})
    assert [hull.lower, hull.upper] == [0, 1]


def test_conditions_of_every_kind() -> None:
    for a, b in ((1, 2), (2, 2), (3, 2)):
        strict = ((x < y, a < b), (x > y, a > b), (sp.Ne(x, y), a != b))
        for condition, truth in (*strict, (x <= y, a <= b), (x >= y, a >= b), (sp.Eq(x, y), a == b)):
            assert (enclose(formula.indicator(condition), {x: a, y: b}) == int(truth)) is True, (condition, a, b)
    with pytest.raises(UndefinedError, match="none of its conditions"):
        enclose(sp.Piecewise((1, x < 0)), {x: 1})
    with pytest.raises(ModelError, match="use one comparison"):
        enclose(formula.indicator((x < 0) | (y < 0)), {x: 1, y: 1})


@pytest.mark.parametrize(
    ("expr", "values", "reason"),
    [
        (sp.log(x), {x: 0}, "log argument <= 0"),
        (sp.log(x - 2), {x: 1}, "log argument <= 0"),
        (sp.log(sp.log(x)), {x: Fraction(1, 2)}, "log argument <= 0"),
        (sp.sqrt(x), {x: -1}, "root is < 0"),
        (1 / x, {x: 0}, "divides by 0"),
        (1 / sp.sqrt(x), {x: 0}, "divides by 0"),
        (x**y, {x: 0, y: Fraction(-1, 3)}, "divides by 0"),
        (sp.binomial(x, 2), {x: -1}, "< 0"),
        (ITERATIONS.expression, {paper.k: 4, paper.gamma: Fraction(1, 2), paper.rt: 0}, "log argument <= 0"),
    ],
)
def test_what_has_no_value_says_so_in_one_line(expr: sp.Expr, values: dict[sp.Symbol, Fraction | int], reason: str) -> None:
    with pytest.raises(UndefinedError, match=reason) as caught:
        enclose(expr, values)
    message = str(caught.value)
    assert "is not defined at" in message
    assert "\n" not in message


def test_theorem_4_2_is_undefined_for_tiny_rewards() -> None:
    """40 rt |S_l||A_l||A_g| / (1-gamma)^2 = 1.6/1000 < 1 at k = 1: the logarithm is negative under the root."""
    values: dict[sp.Symbol, Fraction | int] = {
        paper.n: 5, paper.k: 1, paper.gamma: Fraction(1, 2), paper.rt: Fraction(1, 10**5),
        paper.S_l: 1, paper.A_l: 1, paper.A_g: 1, paper.eps_km: 0,
    }  # fmt: skip
    with pytest.raises(UndefinedError, match="root is < 0"):
        THEOREM_4_2.enclose(values)
    assert THEOREM_4_2_WEAKER.enclose(values).upper > 0


def test_definedness_that_the_inputs_leave_open_is_not_called_undefined() -> None:
    around_zero = Interval(Fraction(-1), Fraction(1))
    for expr in (sp.log(x), sp.sqrt(x), 1 / x):
        with pytest.raises(ModelError, match="give the inputs more precisely") as caught:
            enclose(expr, {x: around_zero})
        assert not isinstance(caught.value, UndefinedError)


@pytest.mark.parametrize(
    ("expr", "values", "message"),
    [
        (sp.sin(x), {x: 1}, "kind sin cannot be enclosed"),
        (x + sp.Float("0.1"), {x: 1}, "kind Float"),
        (x + y, {x: 1}, "no value was given for y"),
        (x, {x: 0.5}, "expected a Fraction, an int or an Interval"),
        (x, {x: True}, "expected a Fraction, an int or an Interval"),
        (paper.gamma, {paper.gamma: 1}, "gamma: found 1, expected a number < 1"),
        (paper.gamma, {paper.gamma: 0}, "expected a number > 0"),
        (paper.rt, {paper.rt: Fraction(-1, 2)}, "rt: found -1/2, expected a number >= 0"),
        (paper.k, {paper.k: Fraction(1, 2)}, "expected an integer"),
        (paper.k, {paper.k: 4, paper.n: 3}, "k: found 4, expected at most n = 3"),
        (paper.Z, {paper.Z: 5, paper.S_l: 2, paper.A_l: 2}, r"Z: found 5, expected S_l \* A_l = 4"),
        (paper.rt, {paper.rt: 5, paper.rt_g: 2, paper.rt_l: 2}, r"rt: found 5, expected rt_g \+ rt_l = 4"),
        (sp.exp(sp.exp(x)), {x: 40}, "cannot be enclosed"),
        (2**x, {x: 10**30}, "cannot be enclosed"),
        (sp.binomial(x, y), {x: 10**9, y: 10**8}, "cannot be enclosed"),
        (sp.factorial(x), {x: 10**7}, "cannot be enclosed"),
        (sp.binomial(x, 2), {x: Fraction(7, 2)}, "give exact integers"),
    ],
)
def test_bad_input_is_refused_with_its_place(expr: sp.Expr, values: dict[sp.Symbol, object], message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        enclose(expr, values)  # type: ignore[arg-type]
    assert not isinstance(caught.value, UndefinedError)


def test_long_exact_powers_are_rounded_outward_not_computed_in_full() -> None:
    """(1 - 2^-20)^(2^20) tends to 1/e from below, and is above (1/e)(1 - 2^-20)."""
    result = enclose(x**y, {x: 1 - Fraction(1, 2**20), y: 2**20})
    below, above = enclose(sp.exp(-1) * (1 - x), {x: Fraction(1, 2**20)}), enclose(sp.exp(-1), {})
    assert (below < result) is True
    assert (result < above) is True
    assert 0 < result.width * 2**60 <= result.lower
    assert (enclose(x**y, {x: -1 + Fraction(1, 2**20), y: 2**20 + 1}) < 0) is True


def test_powers_below_the_smallest_magnitude_are_enclosed_with_zero() -> None:
    """2^-(2^21) is positive and below 2^-(2^20)."""
    power = 2 * evaluate.EXPONENT_BITS
    result = enclose(x**y, {x: Fraction(1, 2), y: power})
    assert result.lower == 0 < result.upper <= Fraction(1, 2**evaluate.EXPONENT_BITS)
    result = enclose(x**y, {x: Fraction(-1, 2), y: power + 1})
    assert result.upper == 0 > result.lower


def test_the_precision_of_the_process_is_left_alone() -> None:
    before = ctx.prec
    enclose(sp.log(x), {x: 3}, bits=1000)
    assert ctx.prec == before


def test_float_is_the_nearest_double_of_a_number_that_is_one() -> None:
    assert evaluate_float(x / 4, {x: 3}) == 0.75
    assert evaluate_float(sp.sqrt(x), {x: 2}) == 2**0.5
