"""The steps of the certified evaluation one by one: each rounds outward, little more than necessary, and stops at its limits."""

from __future__ import annotations

from fractions import Fraction
from math import comb, factorial

import pytest
import sympy as sp
from flint import arb, ctx
from hypothesis import example, given
from hypothesis import strategies as st

from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.theory import evaluate
from mfverify.theory.evaluate import EXACT_BITS, EXPONENT_BITS, UndefinedError, enclose

Q = Fraction
TINY = Q(1, 2**EXPONENT_BITS)
numbers = st.builds(lambda x, e: x * Q(2) ** e, st.fractions(-1000, 1000, max_denominator=10**6), st.integers(-300, 300))
x, y = sp.symbols("x y", real=True)


@given(numbers, st.sampled_from([20, 53, 128]))
@example(Q(1), 20)
@example(Q(-1, 3), 20)
@example(Q(2**40 + 1), 20)
@example(Q(-(2**40) - 1), 20)
def test_rounding_down_keeps_the_digits_asked_for(value: Fraction, bits: int) -> None:
    found = evaluate._down(value, bits)
    assert found <= value
    assert value - found <= abs(value) * Q(2) ** (1 - bits)
    odd = found.numerator
    while odd and odd % 2 == 0:
        odd //= 2
    assert odd.bit_length() <= bits + 2
    assert found.denominator & (found.denominator - 1) == 0


@given(numbers, numbers)
def test_outward_rounding_contains_and_leaves_what_is_exact_and_short(a: Fraction, b: Fraction) -> None:
    low, high = sorted((a, b))
    found = evaluate._rounded(Interval(low, high), 40)
    assert found.lower <= low <= high <= found.upper
    assert low - found.lower <= abs(low) * Q(1, 2**38)
    assert found.upper - high <= abs(high) * Q(1, 2**38)
    assert evaluate._rounded(Interval.exactly(a), 40).lower == a


def test_the_limits_of_what_is_kept_exactly() -> None:
    assert evaluate._is_short(Q(2 ** (EXPONENT_BITS - 1)))
    assert not evaluate._is_short(Q(2**EXPONENT_BITS))
    assert evaluate._is_short(Q(2 ** (EXACT_BITS - 1) + 1, 3)) and evaluate._is_short(Q(1, 2 ** (EXACT_BITS - 1)))
    assert not evaluate._is_short(Q(2**EXACT_BITS + 1, 3)) and not evaluate._is_short(Q(1, 2**EXACT_BITS))
    long = Q(2**EXACT_BITS + 1, 3**10)
    rounded = evaluate._rounded(Interval.exactly(long), 128)
    assert rounded.lower < long < rounded.upper


def test_the_limits_are_those_that_are_documented() -> None:
    assert (evaluate.STARTING_BITS, evaluate.CEILING_BITS, Q(1, 2**60)) == (128, 4096, evaluate.WANTED)
    assert (EXACT_BITS, EXPONENT_BITS) == (2**14, 2**20)


def test_numbers_at_the_ends_of_the_range() -> None:
    for sign in (1, -1):
        with pytest.raises(ModelError, match="beyond"):
            evaluate._down(sign * Q(2) ** (EXPONENT_BITS + 2), 64)
        evaluate._down(sign * (Q(2) ** (EXPONENT_BITS - 1) + Q(1, 3)), 64)
    assert evaluate._down(Q(0), 64) == 0
    smaller = Q(1, 3 * 2 ** (EXPONENT_BITS + 5))
    assert evaluate._down(smaller, 64) == 0
    assert evaluate._down(-smaller, 64) == -TINY
    for near in (Q(4, 3 * 2**EXPONENT_BITS), Q(3, 2 ** (EXPONENT_BITS + 1))):
        assert 0 < evaluate._down(near, 64) <= near
        assert evaluate._down(-near, 64) <= -near


def test_balls_are_taken_over_exactly() -> None:
    third = evaluate._ball(lambda: arb(1) / 3, 100)
    assert third.lower < Q(1, 3) < third.upper
    assert third.width < Q(1, 2**98)
    assert evaluate._ball(lambda: arb(5) / 4, 100).lower == Q(5, 4) == evaluate._ball(lambda: arb(5) / 4, 100).upper
    assert evaluate._ball(lambda: -arb(3) * 2**70, 100).lower == -3 * 2**70
    with pytest.raises(evaluate._UnsettledError, match="out of reach"):
        evaluate._ball(lambda: arb(0).log(), 100)
    with pytest.raises(ModelError, match="beyond"):
        evaluate._ball(lambda: arb(2) ** (EXPONENT_BITS + 1), 100)
    small = evaluate._ball(lambda: arb(2) ** (-2 * EXPONENT_BITS), 100)
    assert (small.lower, small.upper) == (-TINY, TINY)
    wide = evaluate._ball(lambda: arb(arb(2) ** (-2 * EXPONENT_BITS), 0.5), 100)
    assert wide.lower <= -Q(1, 2) and Q(1, 2) <= wide.upper
    before = ctx.prec
    assert evaluate._dyadic(arb(0)) == 0
    assert evaluate._dyadic(arb(2) ** EXPONENT_BITS / 2) == Q(2) ** (EXPONENT_BITS - 1)
    assert evaluate._dyadic(arb(2) ** (-EXPONENT_BITS)) == TINY
    assert evaluate._dyadic(arb(2) ** (-EXPONENT_BITS - 2)) is None
    assert ctx.prec == before


@given(st.fractions(-6, 6, max_denominator=9), st.fractions(0, 3, max_denominator=9), st.integers(-5, 6))
@example(Q(0), Q(1), -1)
@example(Q(-1), Q(1), -2)
@example(Q(0), Q(0), -1)
def test_integer_powers_of_intervals_are_hulls(low: Fraction, width: Fraction, exponent: int) -> None:
    interval = Interval(low, low + width)
    if exponent < 0 and interval.contains(0):
        with pytest.raises((UndefinedError, evaluate._UnsettledError), match="divide"):
            evaluate._integer_power(interval, exponent, 64)
        return
    found = evaluate._integer_power(interval, exponent, 64)
    ends = [interval.lower**exponent, interval.upper**exponent]
    if exponent > 0 and interval.contains(0) and exponent % 2 == 0:
        ends.append(Q(0))
    assert (found.lower, found.upper) == (min(ends), max(ends))


def test_long_powers_are_enclosed_on_the_right_side_of_zero() -> None:
    base, exponent = Q(1000, 999), 10**4
    assert base.numerator.bit_length() * exponent > EXACT_BITS
    for b, e in ((base, exponent), (-base, exponent), (-base, exponent + 1), (1 / base, exponent)):
        found = evaluate._point_power(b, e, 128)
        assert found.lower < b**e < found.upper
        assert found.width < abs(b**e) * Q(1, 2**100)
        assert found.lower >= 0 or found.upper <= 0
    negative = evaluate._integer_power(Interval(-base, 1 / base - 2), exponent, 128)
    assert negative.lower < (2 - 1 / base) ** exponent and base**exponent < negative.upper
    edge = EXACT_BITS // 2
    assert evaluate._point_power(Q(2, 3), edge, 128).is_exact
    assert not evaluate._point_power(Q(2, 3), edge + 1, 128).is_exact
    assert evaluate._point_power(Q(3), EXPONENT_BITS // 2, 128).is_exact
    assert not evaluate._point_power(Q(3), EXPONENT_BITS // 2 + 1, 128).is_exact
    for b in (0, 1):
        assert evaluate._point_power(Q(b), 10**9, 128).lower == evaluate._point_power(Q(b), 10**9, 128).upper == b


def test_roots_are_exact_for_perfect_squares_only() -> None:
    assert evaluate._root_power(Q(9, 4), Q(3, 2), 128).lower == Q(27, 8) == evaluate._root_power(Q(9, 4), Q(3, 2), 128).upper
    assert evaluate._root_power(Q(0), Q(1, 2), 128).upper == 0
    for base in (Q(2), Q(4, 3), Q(3, 4), Q(1, 2), Q(10**30 + 1)):
        for exponent in (Q(1, 2), Q(5, 2)):
            found = evaluate._root_power(base, exponent, 128)
            assert found.lower**2 < base ** int(2 * exponent) < found.upper**2
            assert found.width < found.upper * Q(1, 2**100)
    third = evaluate._root_power(Q(5), Q(2, 3), 128)
    assert third.lower**3 < 25 < third.upper**3


def test_powers_of_intervals() -> None:
    half = evaluate._power([Interval(Q(4), Q(9)), Interval.exactly(Q(1, 2))], 64)
    assert (half.lower, half.upper) == (2, 3)
    inverse = evaluate._power([Interval(Q(4), Q(9)), Interval.exactly(Q(-1, 2))], 64)
    assert (inverse.lower, inverse.upper) == (Q(1, 3), Q(1, 2))
    zero = evaluate._power([Interval.exactly(0), Interval(Q(1), Q(2))], 64)
    assert (zero.lower, zero.upper) == (0, 0)
    both = evaluate._power([Interval(Q(2), Q(3)), Interval(Q(1), Q(2))], 64)
    assert both.lower <= 2 and both.upper >= 9 and both.width < 7 + Q(1, 2**50)
    below = evaluate._power([Interval(Q(1, 3), Q(1, 2)), Interval(Q(1), Q(2))], 64)
    assert below.lower <= Q(1, 9) and below.upper >= Q(1, 2) and below.width < Q(7, 18) + Q(1, 2**50)
    with pytest.raises(UndefinedError, match="root is < 0"):
        evaluate._power([Interval(Q(-2), Q(-1)), Interval.exactly(Q(1, 2))], 64)
    with pytest.raises(evaluate._UnsettledError, match="may be < 0"):
        evaluate._power([Interval(Q(-1), Q(1)), Interval.exactly(Q(1, 2))], 64)
    touching = evaluate._power([Interval(Q(0), Q(1)), Interval.exactly(Q(1, 2))], 64)
    assert (touching.lower, touching.upper) == (0, 1)
    with pytest.raises(evaluate._UnsettledError, match="may be <= 0"):
        evaluate._power([Interval(Q(0), Q(1)), Interval(Q(1, 2), Q(1))], 64)


def test_logarithms_and_exponentials_of_intervals() -> None:
    log = evaluate._log(Interval(Q(1), Q(2)), 128)
    assert log.lower == 0 and Q(693147, 10**6) < log.upper < Q(693148, 10**6)
    with pytest.raises(UndefinedError, match="<= 0"):
        evaluate._log(Interval(Q(-1), Q(0)), 128)
    with pytest.raises(evaluate._UnsettledError, match="may be <= 0"):
        evaluate._log(Interval(Q(0), Q(1)), 128)
    exp = evaluate._exp(Interval(Q(0), Q(1)), 128)
    assert exp.lower == 1 and Q(271828, 10**5) < exp.upper < Q(271829, 10**5)
    exp = evaluate._exp(Interval(Q(-1), Q(0)), 128)
    assert Q(36787, 10**5) < exp.lower < Q(36788, 10**5) and exp.upper == 1
    vanishing = evaluate._exp(Interval.exactly(-EXPONENT_BITS - 1), 128)
    assert (vanishing.lower, vanishing.upper) == (0, TINY)
    small = evaluate._exp(Interval.exactly(-EXPONENT_BITS // 2), 128)
    assert 0 < small.lower < small.upper
    with pytest.raises(ModelError, match="beyond"):
        evaluate._exp(Interval.exactly(EXPONENT_BITS + 1), 128)
    assert evaluate._exp(Interval.exactly(EXPONENT_BITS // 2), 128).lower > 2 ** (EXPONENT_BITS // 2)


def test_combinatorial_numbers_and_their_limits() -> None:
    def exactly(*values: int | Fraction) -> list[Interval]:
        return [Interval.exactly(value) for value in values]

    assert evaluate._binomial(exactly(10, 3), 0).lower == comb(10, 3)
    assert evaluate._binomial(exactly(3, 10), 0).upper == 0
    assert evaluate._binomial(exactly(0, 0), 0).lower == 1
    assert evaluate._factorial(exactly(0), 0).lower == 1
    assert evaluate._factorial(exactly(20), 0).upper == factorial(20)
    bits = (10**6).bit_length()
    assert evaluate._binomial(exactly(10**6, EXPONENT_BITS // bits), 0).is_exact
    for bottom in (EXPONENT_BITS // bits + 1, 10**6 - EXPONENT_BITS // bits - 1):
        with pytest.raises(ModelError, match="beyond"):
            evaluate._binomial(exactly(10**6, bottom), 0)
    assert evaluate._binomial(exactly(10**6, 10**6 - 2), 0).lower == comb(10**6, 2)
    with pytest.raises(ModelError, match="beyond"):
        evaluate._factorial(exactly(2**17), 0)
    for arguments in (exactly(Q(1, 2), 1), [Interval(Q(1), Q(2)), Interval.exactly(1)]):
        with pytest.raises(ModelError, match="exactly known integers"):
            evaluate._binomial(arguments, 0)
    for arguments in (exactly(-1, 1), exactly(1, -1)):
        with pytest.raises(UndefinedError, match="< 0"):
            evaluate._binomial(arguments, 0)


def test_steps_and_extremes_of_intervals() -> None:
    inputs = {x: Interval(Q(3, 2), Q(7, 2)), y: Interval(Q(-1), Q(2))}
    for expr, low, high in (
        (sp.floor(x), 1, 3), (sp.ceiling(x), 2, 4), (sp.Min(x, y), -1, 2), (sp.Max(x, y), Q(3, 2), Q(7, 2)), (sp.Abs(y), 0, 2),
        (x + y, Q(1, 2), Q(11, 2)), (x * y, Q(-7, 2), 7), (x - y, Q(-1, 2), Q(9, 2)), (1 / x, Q(2, 7), Q(2, 3)),
    ):  # fmt: skip
        found = enclose(expr, inputs)
        assert low - Q(1, 2**100) <= found.lower <= low and high <= found.upper <= high + Q(1, 2**100), expr


def test_a_piecewise_value_is_the_hull_of_the_branches_that_are_possible() -> None:
    expr = sp.Piecewise((1, x < 0), (5, x < 1), (3, True))
    for ends, wanted in (
        ((-2, -1), (1, 1)),
        ((Q(0), Q(1, 2)), (5, 5)),
        ((1, 2), (3, 3)),
        ((-1, Q(1, 2)), (1, 5)),
        ((Q(1, 2), 2), (3, 5)),
        ((-1, 2), (1, 5)),
    ):
        found = enclose(expr, {x: Interval(Q(ends[0]), Q(ends[1]))})
        assert (found.lower, found.upper) == wanted


def test_precision_is_doubled_up_to_the_ceiling_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[int] = []
    walk = evaluate._walk

    def counted(expr: sp.Expr, setting: evaluate._Setting) -> Interval:
        if expr is whole:
            used.append(setting.bits)
        return walk(expr, setting)

    monkeypatch.setattr(evaluate, "_walk", counted)
    whole = sp.log(x)
    assert enclose(whole, {x: 3}).width * 2**60 < 1
    assert used == [128]
    used.clear()
    enclose(whole, {x: 3}, bits=16)
    assert used == [16, 32, 64, 128] or used == [16, 32, 64]
    used.clear()
    whole = sp.log(6 * x) - sp.log(2 * x) - sp.log(3)
    enclose(whole, {x: 5})
    assert used[-1] == 4096 and used == sorted(set(used))
    used.clear()
    whole = sp.log(x)
    enclose(whole, {x: Interval(Q(2), Q(3))})
    assert used == [128, 256]


def test_a_symbol_needs_a_number_of_its_kind() -> None:
    positive, count, size = sp.Symbol("p", positive=True), sp.Symbol("c", integer=True), sp.Symbol("s", nonnegative=True)
    for symbol, value in (
        (positive, 0),
        (positive, Interval(Q(0), Q(1))),
        (size, Q(-1, 9)),
        (size, Interval(Q(-1), Q(1))),
        (count, Q(1, 2)),
    ):
        with pytest.raises(ModelError, match=f"{symbol}: found .* expected"):
            enclose(symbol, {symbol: value})
    for symbol, value in ((positive, Q(1, 9)), (size, 0), (count, -3), (count, Interval(Q(1, 2), Q(3, 2)))):
        enclose(symbol, {symbol: value})
    assert evaluate.evaluate_float(x, {x: Interval(Q(1), Q(2))}) == 1.5


def test_relations_between_symbols_are_refused_only_where_they_certainly_fail() -> None:
    paper = evaluate.model_class
    for values in (
        {paper.k: 3, paper.n: 3},
        {paper.k: Interval(Q(2), Q(5)), paper.n: 3},
        {paper.Z: 6, paper.S_l: 2, paper.A_l: 3},
        {paper.rt: 5, paper.rt_g: 2, paper.rt_l: 3},
    ):
        enclose(next(iter(values)), values)
    for values in (
        {paper.k: Interval(Q(4), Q(5)), paper.n: 3},
        {paper.Z: 5, paper.S_l: 2, paper.A_l: 3},
        {paper.rt: 6, paper.rt_g: 2, paper.rt_l: 3},
    ):
        with pytest.raises(ModelError, match="expected"):
            enclose(next(iter(values)), values)
