"""Interval arithmetic against Fractions: for any numbers in the operands, the result contains theirs."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from fractions import Fraction
from itertools import product
from math import ulp
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mfverify.enclosure import (
    UNDECIDED,
    UNDERFLOW,
    UNIT_ROUNDOFF,
    Enclosure,
    Interval,
    StopReason,
    Work,
    add_down,
    add_up,
    maximum,
    round_down,
    round_up,
    rounding_error,
)
from mfverify.errors import ModelError, UndecidedError
from mfverify.fixed_point import fixed_point_enclosure

rationals = st.fractions(min_value=-1000, max_value=1000, max_denominator=10**6)
doubles = st.floats(min_value=-1e12, max_value=1e12)
wide_doubles = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)


@st.composite
def known_intervals(draw: st.DrawFn) -> tuple[Interval, Fraction]:
    """An interval and a number inside; ends are often hit, and often the interval is a point."""
    low, up = sorted((draw(rationals), draw(rationals)))
    share = draw(st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(1)]))
    if draw(st.booleans()):
        up = low
    return Interval(low, up), low + share * (up - low)


@st.composite
def known_enclosures(draw: st.DrawFn, size: int = 3, numbers: st.SearchStrategy[float] = doubles) -> tuple[Enclosure, list[Fraction]]:
    """An enclosure of ``size`` entries and a number inside each."""
    pairs = [sorted((draw(numbers), draw(numbers))) for _ in range(size)]
    shares = [draw(st.sampled_from([Fraction(0), Fraction(1, 7), Fraction(1)])) for _ in range(size)]
    inside = [Fraction(low) + t * (Fraction(up) - Fraction(low)) for (low, up), t in zip(pairs, shares, strict=True)]
    return Enclosure(np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])), inside


def entries(enclosure: Enclosure) -> list[Interval]:
    """The entries of a one-dimensional enclosure."""
    return [enclosure[i] for i in range(enclosure.shape[0])]


# ------------------------------------------------------------------------------------------------------------------ rounding


@given(st.one_of(rationals, st.fractions(), wide_doubles.map(Fraction)))
@example(Fraction(1, 10))
@example(Fraction(1) - Fraction(1, 2**80))
@example(Fraction(3, 2**1075))
@example(-Fraction(1, 2**2000))
def test_rounding_gives_the_two_neighbouring_doubles(value: Fraction) -> None:
    low, up = round_down(value), round_up(value)
    assert Fraction(low) <= value <= Fraction(up)
    assert Fraction(float(np.nextafter(low, np.inf))) > value
    assert Fraction(float(np.nextafter(up, -np.inf))) < value
    assert (low == up) == (Fraction(low) == value)


@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_beyond_double_precision_are_refused(sign: int) -> None:
    for rounded in (round_down, round_up):
        with pytest.raises(ModelError, match="beyond double precision"):
            rounded(sign * Fraction(2) ** 1100)


@given(wide_doubles, wide_doubles)
@example(1.0, 2.0**-60)
@example(0.0, 0.1)
@example(-0.0, -5e-324)
def test_outward_additions_contain_the_exact_sum(x: float, y: float) -> None:
    exact = Fraction(x) + Fraction(y)
    low, up = add_down(np.array([x]), np.array([y])), add_up(np.array([x]), np.array([y]))
    assert Fraction(float(low[0])) <= exact <= Fraction(float(up[0]))
    if x == 0 or y == 0:
        assert low[0] == up[0]


@given(st.lists(st.tuples(st.floats(0.001, 1.0), doubles), min_size=1, max_size=12))
def test_rounding_error_bounds_a_dot_product_with_positive_weights(terms: list[tuple[float, float]]) -> None:
    computed = 0.0
    for weight, number in terms:
        computed += weight * number
    exact = sum(Fraction(w) * Fraction(x) for w, x in terms)
    magnitude = sum(abs(Fraction(w) * Fraction(x)) for w, x in terms)
    assert abs(Fraction(computed) - exact) <= rounding_error(len(terms) + 1, magnitude, 2 * len(terms))


@given(st.integers(0, 10**6), st.integers(0, 10**6), rationals.map(abs), rationals.map(abs), st.integers(0, 99), st.integers(0, 99))
def test_rounding_error_is_monotone(l1: int, l2: int, m1: Fraction, m2: Fraction, o1: int, o2: int) -> None:
    small = rounding_error(min(l1, l2), min(m1, m2), min(o1, o2))
    assert small <= rounding_error(max(l1, l2), max(m1, m2), max(o1, o2))
    assert small >= min(l1, l2) * UNIT_ROUNDOFF * min(m1, m2)


def test_rounding_error_of_no_rounding_is_zero_and_of_too_many_is_refused() -> None:
    assert rounding_error(0, Fraction(10**9)) == 0
    with pytest.raises(ModelError, match="cannot be certified"):
        rounding_error(2**53, Fraction(1))


# ----------------------------------------------------------------------------------------------------------------- intervals


@given(known_intervals(), known_intervals())
def test_interval_arithmetic_contains_the_exact_result(x: tuple[Interval, Fraction], y: tuple[Interval, Fraction]) -> None:
    for act in (operator.add, operator.sub, operator.mul, operator.truediv):
        if act is operator.truediv and y[0].contains(0):
            with pytest.raises(ZeroDivisionError):
                act(x[0], y[0])
        else:
            assert act(x[0], y[0]).contains(act(x[1], y[1]))
            assert act(x[0], y[1]).contains(act(x[1], y[1]))


@given(known_intervals())
def test_negation_absolute_value_width_and_midpoint(x: tuple[Interval, Fraction]) -> None:
    interval, number = x
    assert (-interval).contains(-number)
    assert abs(interval).contains(abs(number))
    assert abs(interval).lower >= 0
    assert interval.contains(interval.midpoint)
    assert interval.width == interval.upper - interval.lower
    assert interval.is_exact == (interval.width == 0)


@given(st.lists(known_intervals(), min_size=1, max_size=5))
def test_maximum_contains_the_largest_number(found: list[tuple[Interval, Fraction]]) -> None:
    assert maximum([i for i, _ in found]).contains(max(x for _, x in found))


def test_maximum_of_nothing_and_reversed_ends_are_refused() -> None:
    with pytest.raises(ModelError, match="no numbers"):
        maximum([])
    with pytest.raises(ModelError, match="lower <= upper"):
        Interval(Fraction(2), Fraction(1))


COMPARISONS = [operator.le, operator.lt, operator.ge, operator.gt, operator.eq]


@given(known_intervals(), known_intervals())
def test_a_decided_comparison_of_intervals_is_true_of_all_numbers_inside(x: tuple[Interval, Fraction], y: tuple[Interval, Fraction]) -> None:
    for compare in COMPARISONS:
        answer = compare(x[0], y[0])
        ends = [compare(a, b) for a in (x[0].lower, x[0].upper) for b in (y[0].lower, y[0].upper)]
        if answer is UNDECIDED:
            # Undecided only where two points inside really answer differently (a shared point against the ends for ==).
            assert len(set(ends)) == 2 or compare is operator.eq
        else:
            assert answer is compare(x[1], y[1])
            assert set(ends) == {answer}


@pytest.mark.parametrize(
    ("left", "right", "answers"),
    [
        ((0, 1), (2, 3), (True, True, False, False, False)),
        ((2, 3), (0, 1), (False, False, True, True, False)),
        ((0, 2), (1, 3), (UNDECIDED,) * 5),
        ((0, 1), (1, 2), (True, UNDECIDED, UNDECIDED, False, UNDECIDED)),
        ((1, 1), (1, 1), (True, False, True, False, True)),
    ],
)
def test_comparisons_are_three_valued(left: tuple[int, int], right: tuple[int, int], answers: tuple[Any, ...]) -> None:
    x, y = (Interval(Fraction(a), Fraction(b)) for a, b in (left, right))
    assert all(compare(x, y) is wanted for compare, wanted in zip(COMPARISONS, answers, strict=True))
    arrays = [Enclosure(np.array([float(a)]), np.array([float(b)])) for a, b in (left, right)]
    assert all(compare(*arrays) is wanted for compare, wanted in zip(COMPARISONS, answers, strict=True))


def test_undecided_is_no_truth_value() -> None:
    with pytest.raises(UndecidedError, match="do not decide"):
        bool(UNDECIDED)
    with pytest.raises(UndecidedError):
        assert Interval(Fraction(0), Fraction(2)) <= Interval(Fraction(1), Fraction(3))


def test_three_valued_equality_allows_no_hashing() -> None:
    for unhashable in (Interval.exactly(1), Enclosure(np.zeros(1), np.zeros(1))):
        with pytest.raises(TypeError, match="unhashable"):
            hash(unhashable)


def test_json_of_an_interval_is_rounded_outward_and_keeps_exact_rationals() -> None:
    third = Interval.exactly("1/3").to_json()
    assert Fraction(third["lower"]) < Fraction(1, 3) < Fraction(third["upper"])
    assert third["exact"] == "1/3"
    assert set(Interval(Fraction(0), Fraction(1, 3)).to_json()) == {"lower", "upper"}


# ---------------------------------------------------------------------------------------------------------------- enclosures


@given(known_enclosures(), known_enclosures())
def test_enclosure_arithmetic_contains_the_exact_results(
    x: tuple[Enclosure, list[Fraction]], y: tuple[Enclosure, list[Fraction]]
) -> None:
    for act in (operator.add, operator.sub):
        found = entries(act(x[0], y[0]))
        assert [i.contains(act(a, b)) for i, a, b in zip(found, x[1], y[1], strict=True)] == [True] * 3


@given(known_enclosures(numbers=wide_doubles))
def test_enclosure_negation_absolute_value_maximum_and_width(x: tuple[Enclosure, list[Fraction]]) -> None:
    enclosure, numbers = x
    assert [i.contains(-a) for i, a in zip(entries(-enclosure), numbers, strict=True)] == [True] * 3
    assert [i.contains(abs(a)) for i, a in zip(entries(abs(enclosure)), numbers, strict=True)] == [True] * 3
    assert enclosure.max().contains(max(numbers))
    for i, width in zip(entries(enclosure), enclosure.width, strict=True):
        assert i.width <= Fraction(float(width))


@given(known_enclosures(), known_enclosures())
def test_a_decided_comparison_of_enclosures_is_true_of_the_numbers_inside(
    x: tuple[Enclosure, list[Fraction]], y: tuple[Enclosure, list[Fraction]]
) -> None:
    for compare in (operator.le, operator.lt, operator.ge, operator.gt):
        answer = compare(x[0], y[0])
        if answer is UNDECIDED:
            assert x[0].width.any() or y[0].width.any()
        else:
            assert answer is all(compare(a, b) for a, b in zip(x[1], y[1], strict=True))


def test_exact_enclosures_compare_as_the_rationals_they_hold() -> None:
    third = np.array([Fraction(1, 3), Fraction(2, 3)], dtype=object)
    one = Enclosure.of_fractions(third)
    above = Enclosure.of_fractions(third + Fraction(1, 10**40))
    assert (one.lower < one.upper).all()
    assert (one == Enclosure.of_fractions(third)) is True
    assert (one == above) is False
    assert (one < above) is True
    assert (one < one) is False
    assert (one >= above) is False
    assert one[1].is_exact
    assert one.max().lower == Fraction(2, 3)
    assert (one - above).max().lower == -Fraction(1, 10**40)
    assert abs(one - above)[0].lower == Fraction(1, 10**40)


@given(st.lists(rationals, min_size=1, max_size=4))
def test_enclosures_of_fractions_are_the_narrowest(numbers: list[Fraction]) -> None:
    found = Enclosure.of_fractions(np.array(numbers, dtype=object))
    assert [Fraction(float(x)) for x in found.lower] == [Fraction(round_down(x)) for x in numbers]
    assert [Fraction(float(x)) for x in found.upper] == [Fraction(round_up(x)) for x in numbers]
    assert found.work is not None
    assert found.work.stop is StopReason.EXACT


@pytest.mark.parametrize(
    ("lower", "upper"),
    [([1.0], [0.0]), ([0.0], [np.inf]), ([np.nan], [0.0]), ([0.0, 1.0], [1.0]), ([], [])],
    ids=["reversed", "inf", "nan", "shapes", "empty"],
)
def test_what_encloses_nothing_is_refused(lower: list[float], upper: list[float]) -> None:
    with pytest.raises(ModelError, match="enclosure"):
        Enclosure(np.array(lower), np.array(upper))


@pytest.mark.parametrize(
    "act", [operator.add, operator.sub, operator.le, operator.lt, operator.ge, operator.gt, operator.eq, Enclosure.intersects]
)
def test_enclosures_of_different_shapes_are_not_put_together(act: Callable[[Any, Any], Any]) -> None:
    row, table = Enclosure(np.zeros((1, 3)), np.ones((1, 3))), Enclosure(np.zeros((2, 3)), np.ones((2, 3)))
    with pytest.raises(ModelError, match=r"shapes .* cannot be combined"):
        act(row, table)


def test_enclosures_are_read_only_copies_and_indexed_entry_by_entry() -> None:
    lower = np.zeros((2, 2))
    found = Enclosure(lower, np.ones((2, 2)))
    lower[0, 0] = 5.0
    assert found.lower[0, 0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        found.upper[0, 0] = 0.5
    with pytest.raises(ModelError, match="indexed by 2 integers"):
        found[0]


# --------------------------------------------------------------------------------------------------------------- fixed points


def chain(seed: int, size: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A reward process ``V = r + V P^T / 2`` in dyadic numbers that doubles hold exactly: its law, reward and fixed point."""
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.integers(0, 17, (size, size - 1)), axis=1)
    law = np.diff(cuts, axis=1, prepend=0, append=16) / 16
    fixed_point = rng.integers(-64, 65, size) / 8
    return law, fixed_point - law @ fixed_point / 2, fixed_point


@given(st.integers(0, 10**6), st.floats(-100, 100), st.integers(0, 10**6))
def test_fixed_point_lies_inside_however_far_off_the_value_is(seed: int, shift: float, other: int) -> None:
    law, reward, fixed_point = chain(seed)
    value = fixed_point + shift + np.random.default_rng(other).uniform(-50, 50, len(reward))
    image = reward + 0.5 * (law @ value)
    # Weight 1/16 multiples and 1/2 are exact; products, three additions and the last one round: at most 6 roundings on a path.
    error = rounding_error(6, Fraction(40) + Fraction(float(np.abs(value).max())), 20)
    found = fixed_point_enclosure(image, value, error, Fraction(1, 2))
    assert [i.contains(Fraction(float(x))) for i, x in zip(entries(found), fixed_point, strict=True)] == [True] * 4


def test_enclosure_of_a_fixed_point_met_exactly_is_a_point_up_to_rounding() -> None:
    law, reward, fixed_point = chain(3)
    image = reward + 0.5 * (law @ fixed_point)
    found = fixed_point_enclosure(image, fixed_point, Fraction(0), Fraction(1, 2))
    assert (found.lower <= fixed_point).all()
    assert (fixed_point <= found.upper).all()
    assert found.width.max() <= 4 * np.spacing(np.abs(fixed_point).max())


@given(st.integers(0, 10**6), st.sampled_from([1e-3, 1e-6, 1e-9]), st.integers(0, 3))
def test_a_planted_wrong_image_is_covered_only_by_the_error_that_was_planted(seed: int, planted: float, entry: int) -> None:
    law, reward, fixed_point = chain(seed)
    image = reward + 0.5 * (law @ fixed_point)
    image[entry] += planted
    assume(image[entry] != fixed_point[entry])
    honest = fixed_point_enclosure(image, fixed_point, Fraction(2 * planted), Fraction(1, 2))
    assert [i.contains(Fraction(float(x))) for i, x in zip(entries(honest), fixed_point, strict=True)] == [True] * 4
    understated = fixed_point_enclosure(image, fixed_point, Fraction(planted) / 1000, Fraction(1, 2))
    assert not understated[entry].contains(Fraction(float(fixed_point[entry])))


def test_ends_beyond_double_precision_are_the_largest_double_inside_and_unbounded_outside() -> None:
    most = Fraction(sys.float_info.max)
    assert Interval(-2 * most, 2 * most).to_json() == {"lower": None, "upper": None}
    assert Interval(2 * most, 3 * most).to_json() == {"lower": sys.float_info.max, "upper": None}
    assert Interval(-3 * most, -2 * most).to_json() == {"lower": None, "upper": -sys.float_info.max}
    assert Interval(-most, most).to_json() == {"lower": -sys.float_info.max, "upper": sys.float_info.max}
    assert Interval(-most - 1, most + 1).to_json() == {"lower": None, "upper": None}


def test_an_exact_value_is_written_unless_nobody_could_read_it() -> None:
    assert Interval.exactly(Fraction(1, 2**9999)).to_json()["exact"] == f"1/{2**9999}"
    assert "exact" not in Interval.exactly(Fraction(1, 2**10_000)).to_json()


def test_what_is_undecided_says_so() -> None:
    assert repr(UNDECIDED) == "UNDECIDED"
    assert repr(Interval(Fraction(1, 2), Fraction(3, 4))) == "[0.5, 0.75]"
    with pytest.raises(UndecidedError, match="do not decide this comparison"):
        bool(UNDECIDED)


# ------------------------------------------------------------------------------ nothing wider than it has to be, nothing narrower


def test_the_rounding_constants_are_those_of_doubles() -> None:
    assert Fraction(sys.float_info.epsilon) / 2 == UNIT_ROUNDOFF
    assert Fraction(sys.float_info.min) == UNDERFLOW


@pytest.mark.parametrize(
    ("roundings", "magnitude", "operations"), [(1, Fraction(1), 0), (3, Fraction(5, 7), 11), (2**53 - 1, Fraction(2), 1)]
)
def test_rounding_error_is_that_of_highams_lemma(roundings: int, magnitude: Fraction, operations: int) -> None:
    """``L u / (1 - L u)`` with ``u = 2**-53`` is ``L / (2**53 - L)``."""
    relative = Fraction(roundings, 2**53 - roundings)
    assert rounding_error(roundings, magnitude, operations) == relative * magnitude + Fraction(operations, 2**1022)


@given(known_intervals(), known_intervals())
def test_interval_arithmetic_is_the_hull_of_its_ends(x: tuple[Interval, Fraction], y: tuple[Interval, Fraction]) -> None:
    for act in (operator.add, operator.sub, operator.mul, operator.truediv):
        if act is operator.truediv and y[0].contains(0):
            continue
        found = act(x[0], y[0])
        ends = [act(a, b) for a in (x[0].lower, x[0].upper) for b in (y[0].lower, y[0].upper)]
        assert (found.lower, found.upper) == (min(ends), max(ends))


@pytest.mark.parametrize("zero", [(0, 1), (-1, 0), (0, 0), (-1, 1)])
def test_division_by_what_may_be_zero_is_refused_ends_included(zero: tuple[int, int]) -> None:
    with pytest.raises(ZeroDivisionError):
        Interval.exactly(1) / Interval(Fraction(zero[0]), Fraction(zero[1]))


def test_the_absolute_value_is_the_hull() -> None:
    half, third = Fraction(1, 2), Fraction(1, 3)
    for interval, wanted in (((third, half), (third, half)), ((-half, -third), (third, half)), ((-half, third), (0, half)), ((-third, half), (0, half)),
                             ((0, third), (0, third)), ((-third, 0), (0, third))):  # fmt: skip
        found = abs(Interval(Fraction(interval[0]), Fraction(interval[1])))
        assert (found.lower, found.upper) == wanted


def test_midpoint_and_width_are_exact() -> None:
    interval = Interval(Fraction(1, 3), Fraction(3, 4))
    assert interval.midpoint == Fraction(13, 24)
    assert interval.width == Fraction(5, 12)
    assert not interval.is_exact
    assert [interval.contains(x) for x in (Fraction(1, 3), Fraction(3, 4), Fraction(33, 100), Fraction(76, 100))] == [
        True,
        True,
        False,
        False,
    ]
    assert maximum([interval, Interval(Fraction(0), Fraction(5)), Interval.exactly(Fraction(1, 2))]).upper == 5
    assert maximum([interval, Interval(Fraction(0), Fraction(5)), Interval.exactly(Fraction(1, 2))]).lower == Fraction(1, 2)


def test_ends_are_made_rational_and_records_do_not_change() -> None:
    interval = Interval(1, 2)  # type: ignore[arg-type]  # what an interactive user types
    assert isinstance(interval.lower, Fraction) and isinstance(interval.upper, Fraction)
    assert (interval == 1.5) is False  # Python's answer for what is not comparable
    for record, name in ((interval, "lower"), (Enclosure(np.zeros(1), np.ones(1)), "lower"), (Work(StopReason.WIDTH), "sweeps")):
        with pytest.raises(FrozenInstanceError):
            setattr(record, name, None)


def test_work_counts_from_zero() -> None:
    work = Work(StopReason.WIDTH)
    assert (work.sweeps, work.evaluations, work.pairs_per_sweep) == (0, 0, 0)
    found = Enclosure.of_fractions(np.array([Fraction(1, 3)], dtype=object), work)
    assert found.work is work
    assert Enclosure(np.zeros(1), np.ones(1)).work is None


def test_arrays_of_any_kind_become_doubles() -> None:
    found = Enclosure(np.array([0, 1]), np.array([1, 1], dtype=np.int8))
    assert found.lower.dtype == found.upper.dtype == np.float64
    whole = Enclosure.of_fractions(np.array([[1, 2], [3, 4]]))
    assert whole.shape == (2, 2)
    assert whole.exact is not None and whole.exact.dtype == object
    with pytest.raises(ValueError, match="read-only"):
        found.lower[0] = 0.5


@given(known_enclosures(numbers=wide_doubles))
def test_middle_and_width_of_an_enclosure(x: tuple[Enclosure, list[Fraction]]) -> None:
    enclosure = x[0]
    for interval, middle, width in zip(entries(enclosure), enclosure.midpoint, enclosure.width, strict=True):
        size = max(abs(interval.lower), abs(interval.upper))
        assert abs(Fraction(float(middle)) - interval.midpoint) <= size * 2 * UNIT_ROUNDOFF + 2 * UNDERFLOW
        assert interval.width <= Fraction(float(width)) <= interval.width * (1 + 4 * UNIT_ROUNDOFF) + UNDERFLOW
    far = Enclosure(np.array([1e308, -1e308]), np.array([1.5e308, 1e308]))
    assert np.isfinite(far.midpoint).all()


@given(known_enclosures(), known_enclosures())
def test_enclosure_arithmetic_is_hardly_wider_than_exact(x: tuple[Enclosure, list[Fraction]], y: tuple[Enclosure, list[Fraction]]) -> None:
    for act in (operator.add, operator.sub):
        for found, a, b in zip(entries(act(x[0], y[0])), entries(x[0]), entries(y[0]), strict=True):
            exact = act(a, b)
            size = 4 * UNIT_ROUNDOFF * max(abs(exact.lower), abs(exact.upper)) + UNDERFLOW
            assert exact.lower - size <= found.lower <= exact.lower
            assert exact.upper <= found.upper <= exact.upper + size
    for found, a in zip(entries(abs(x[0])), entries(x[0]), strict=True):
        assert (found.lower, found.upper) == (abs(a).lower, abs(a).upper)


def test_exact_enclosures_stay_exact_under_signs_and_sums() -> None:
    third = Enclosure.of_fractions(np.array([Fraction(1, 3), Fraction(-2, 3)], dtype=object))
    assert [x.lower for x in entries(-third)] == [Fraction(-1, 3), Fraction(2, 3)]
    assert [x.upper for x in entries(abs(third))] == [Fraction(1, 3), Fraction(2, 3)]
    assert [x.lower for x in entries(third + third)] == [Fraction(2, 3), Fraction(-4, 3)]
    assert (third == -third) is False
    assert (third <= third) is True
    assert (third > third) is False
    assert third.max().is_exact
    rounded = Enclosure(third.lower, third.upper)
    for mixed in (third + rounded, rounded + third, -rounded, abs(rounded)):
        assert mixed.exact is None
    assert (third == rounded) is UNDECIDED
    assert (third <= rounded) is UNDECIDED
    assert (third < rounded) is UNDECIDED


@pytest.mark.parametrize(
    ("left", "right", "answers"),
    [
        (([0, 2], [1, 3]), ([1, 4], [2, 5]), (True, UNDECIDED, False, False, False)),
        (([0, 5], [1, 6]), ([2, 0], [3, 1]), (False, False, False, False, False)),
        (([0, 5], [9, 6]), ([2, 5], [3, 5]), (UNDECIDED, False, UNDECIDED, UNDECIDED, UNDECIDED)),
        (([1, 2], [1, 2]), ([1, 2], [1, 2]), (True, False, True, False, True)),
        (([1, 2], [1, 2]), ([1, 2], [1, 3]), (True, False, UNDECIDED, False, UNDECIDED)),
        (([1, 2], [1, 2]), ([1, 3], [1, 3]), (True, False, False, False, False)),
    ],
)
def test_comparisons_of_arrays_speak_of_every_entry(left: Any, right: Any, answers: tuple[Any, ...]) -> None:
    x, y = (Enclosure(np.array(a, dtype=float), np.array(b, dtype=float)) for a, b in (left, right))
    assert [compare(x, y) for compare in COMPARISONS] == list(answers)
    assert x.intersects(y) is (answers[-1] is not False)


def test_an_enclosure_is_compared_with_enclosures_only() -> None:
    assert (Enclosure(np.zeros(1), np.zeros(1)) == 0) is False


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=4), st.fractions(0, 1, max_denominator=10**9))
@example([(0.1, 0.2), (0.3, -0.7)], Fraction(1, 10**6))
@example([(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (822.5000000000002, -998.0)], Fraction(1, 264450))
def test_the_fixed_point_bounds_are_rounded_outward_and_hardly_more(pairs: list[tuple[float, float]], error: Fraction) -> None:
    """Against MacQueen's bounds in exact arithmetic, entry by entry: a sum adds less than three units in the last place, a conversion one."""
    image, value = (np.array(x) for x in zip(*pairs, strict=True))
    discount = Fraction(9, 10)
    moved = [Fraction(a) - Fraction(b) for a, b in pairs]
    low, high = 9 * (min(moved) - error), 9 * (max(moved) + error)
    work = Work(StopReason.WIDTH, 3)
    found = fixed_point_enclosure(image, value, error, discount, work)
    shift, residual = max(-low, high), max(map(abs, moved))
    for interval, (a, _) in zip(entries(found), pairs, strict=True):
        entry = abs(Fraction(a)) + error
        slack = sum(Fraction(times) * Fraction(ulp(x)) for times, x in ((27, residual), (1, error), (3, entry), (1, shift), (3, entry + shift)))
        assert Fraction(a) - error + low - slack <= interval.lower <= Fraction(a) - error + low
        assert Fraction(a) + error + high <= interval.upper <= Fraction(a) + error + high + slack
    assert found.work is work


@pytest.mark.parametrize("sign", [1, -1])
def test_the_factor_of_the_residual_is_rounded_outward_where_nothing_else_is(sign: int) -> None:
    """``T V = 0`` for ``V = -1`` and discount 1/4: the fixed point is 1/3, and no sum rounds."""
    found = fixed_point_enclosure(np.zeros(1), np.array([-float(sign)]), Fraction(0), Fraction(1, 4))[0]
    assert found.lower < sign * Fraction(1, 3) < found.upper


@pytest.mark.parametrize("start", [0.1, 0.3, 0.7, 1 / 3, 5 / 7, 8.02, 123.4])
def test_no_rounding_is_lost_where_the_fixed_point_cancels(start: float) -> None:
    """The bounds are near zero here, so that one unit in the last place of the image would be seen."""
    for i in range(1, 17):
        for sign, some in product((1, -1), (0, 1)):
            image = sign * start * (1 + i / 256)
            value = image * (10 / 9)
            error = some * Fraction(i, 3) * Fraction(abs(image)) / 2**57
            found = fixed_point_enclosure(np.array([image]), np.array([value]), error, Fraction(9, 10))[0]
            moved = Fraction(image) - Fraction(value)
            assert found.lower <= Fraction(image) - error + 9 * (moved - error)
            assert found.upper >= Fraction(image) + error + 9 * (moved + error)
