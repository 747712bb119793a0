"""Numbers as written, read back by a second parser: what is written always contains what is known."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfverify.report import axes
from mfverify.report.digits import Shown, compact, compared, compared_intervals, interval, listed, ratio
from mfverify.report.document import Side

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def between(lower: Fraction | str | None, upper: Fraction | str | None, exact: str | None = None) -> Side:
    ends = [None if end is None else Fraction(end) for end in (lower, upper)]
    return Side(ends[0], ends[1], exact, "")


def one(written: str) -> Fraction:
    """A decimal or rational as written, read digit by digit."""
    found = re.fullmatch(r"(−?)(\d+)(?:/(\d+))?(?:\.(\d+))?(?: × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?", written)
    assert found is not None, written
    sign, whole, denominator, decimals, power = found.groups()
    value = Fraction(int(whole), int(denominator or 1)) + Fraction(int(decimals or 0), 10 ** len(decimals or ""))
    return (-value if sign else value) * Fraction(10) ** int((power or "0").translate(SUPERSCRIPTS))


def read_back(written: str) -> tuple[Fraction | None, Fraction | None]:
    """The interval that a text represents, by the rule on the page."""
    found = re.fullmatch(r"(.*)\[(.*), (.*)\](.*)", written)
    if found is None:
        return one(written), one(written)
    prefix, low, high, power = found.groups()
    ends = (None if "∞" in end else one(prefix + end + power) for end in (low, high))
    return next(ends), next(ends)


rationals = st.builds(
    lambda number, power: Fraction(number) * Fraction(10) ** power, st.fractions(max_denominator=10**6), st.integers(-30, 30)
)
doubles = st.floats(allow_nan=False, allow_infinity=False).map(Fraction)
values = rationals | doubles


@given(values, values, st.integers(3, 17))
def test_what_is_written_contains_what_is_known(a: Fraction, b: Fraction, digits: int) -> None:
    side = between(min(a, b), max(a, b))
    for shown in (compact(side, digits), interval(side, digits)):
        low, high = read_back(shown.text)
        assert (low, high) == (shown.lower, shown.upper)
        assert low is not None
        assert high is not None
        assert low <= min(a, b)
        assert max(a, b) <= high


@given(values.filter(bool), st.integers(6, 17))
def test_a_point_is_written_to_the_digits_asked(value: Fraction, digits: int) -> None:
    shown = compact(between(value, value), digits)
    assert shown.lower is not None
    assert shown.upper is not None
    assert shown.upper - shown.lower <= abs(value) * Fraction(10) ** (1 - digits)


@given(values, values)
def test_a_comparison_that_the_document_decides_to_six_digits_is_seen(a: Fraction, b: Fraction) -> None:
    low, high = min(a, b), max(a, b)
    if high - low <= Fraction(1, 10**12) * max(abs(low), abs(high)):
        return
    for shown in (compared(between(low, low), between(high, high)), compared_intervals(between(low, low), between(high, high))):
        assert shown[0].upper is not None
        assert shown[1].lower is not None
        assert shown[0].upper <= shown[1].lower


@pytest.mark.parametrize(
    ("side", "written"),
    [
        (between("0.7338560624", "0.7338560625"), "0.73385[6, 7]"),
        (between("5/8", "5/8", "5/8"), "5/8"),
        (between("-1/8", "-1/8", "-1/8"), "−1/8"),
        (between("0.5", "0.5"), "0.5"),
        (between("0", "0"), "0"),
        (between("3", "3", "3"), "3"),
        (between("0.12", "0.57"), "[0.12, 0.57]"),
        (between("-0.7338560625", "-0.7338560624"), "−0.73385[7, 6]"),
        (between("1.23456789e-11", "1.2345679e-11"), "1.2345[6, 7] × 10⁻¹¹"),
        (between("1", None), "[1, ∞]"),
        (between(None, None), "[−∞, ∞]"),
        (between("123456", "123456"), "123456"),
        (between("1", "100"), "[1, 100]"),
        (between("0", "0.5"), "[0, 0.5]"),
        (between("-1", "1"), "[−1, 1]"),
    ],
)
def test_numbers_as_a_reader_sees_them(side: Side, written: str) -> None:
    assert compact(side).text == written


def test_a_comparison_gets_the_digits_it_takes() -> None:
    left, right = compared(between("0.70000000011", "0.70000000012"), between("0.70000000003", "0.70000000004"))
    assert left.lower is not None
    assert right.upper is not None
    assert left.lower > right.upper
    assert len(compact(between("0.70000000011", "0.70000000012")).text) < len(left.text)


def test_a_slack_is_seen_on_its_side_of_one() -> None:
    shown: Shown = ratio(between("0.99999991", "0.99999992"))
    assert shown.upper is not None
    assert shown.upper < 1
    assert ratio(between("0.8251", "0.8252")).text == "0.825[1, 2]"


def test_lists_in_prose() -> None:
    assert [listed(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


@pytest.mark.parametrize(("value", "text"), [(1e-310, "10⁻³¹⁰"), (1e300, "10³⁰⁰"), (0.01, "0.01"), (100.0, "100"), (2e6, "2·10⁶"), (3e-5, "3·10⁻⁵")])
def test_labels_of_a_logarithmic_axis(value: float, text: str) -> None:
    assert axes._power(value) == text


@pytest.mark.parametrize("values", [[5e-324, 1.7e308], [1e-320], [1.7e308], [0.3, 0.31], [1, 1000], [7, 70000]])
def test_a_logarithmic_axis_labels_a_few_numbers_that_lie_on_it(values: list[float]) -> None:
    axis = axes.logarithmic(values, 100, 0)
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 7
    assert all(-1e-6 <= axis.at(value) <= 100 + 1e-6 and label for value, label in ticks)
    assert len({label for _, label in ticks}) == len(ticks)


@pytest.mark.parametrize("values", [[0.0], [0.0, 1e-320], [-1.7e308, 1.7e308], [0.997, 0.998], [1, 2, 3], [0, 401], [-5, 7], [1e16, 1e16]])
def test_a_linear_axis_labels_a_few_numbers_that_lie_on_it(values: list[float]) -> None:
    axis = axes.linear(values, 0, 100)
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 8
    places = [axis.at(value) for value, _ in ticks]
    assert places == sorted(places) and all(0 <= place <= 100 for place in places)
    assert len({label for _, label in ticks}) == len(ticks)


def test_abscissas_that_grow_by_factors_lie_on_a_logarithmic_axis() -> None:
    assert axes.geometric([4, 16, 64, 256])
    for others in ([1, 2, 3, 4], [0, 1, 10, 100], [1, 10, 100], [-1, 2, 4, 8]):
        assert not axes.geometric(others)
