"""Axes: what their texts denote, and what is refused by name."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mfverify.errors import ModelError
from mfverify.points.axes import Axis


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("k=7", "k", [7]),
        ("subsample=1,2,5", "k", [1, 2, 5]),
        ("k=3..6", "k", [3, 4, 5, 6]),
        ("agents=1:10:4", "n", [1, 5, 9]),
        ("n=2:2", "n", [2]),
        ("gamma=1/10..9/10:3", "discount", [Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)]),
        ("k=1..9:3", "k", [1, 5, 9]),
        ("eta=0..2", "eta", [0, 1, 2]),
        ("discount=1/4:3/4:1/4", "discount", [Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)]),
    ],
)
def test_a_text_denotes_its_numbers(text: str, name: str, values: list[Fraction | int]) -> None:
    found = Axis.named(text)
    assert (found.name, list(found.values)) == (name, values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("k", "--over: found 'k', expected NAME=VALUES"),
        ("a b=1", "--over a b: found the name 'a b', expected n, k, discount"),
        ("k=", "--over k: found ''"),
        ("k=0..3", "--over k: found 0, expected integers of at least 1"),
        ("k=1..4:3", "--over k: found 5/2, expected integers of at least 1; A:B:STEP counts in steps"),
        ("discount=1/10..9/10", "say how many values, such as 1/10..9/10:33"),
        ("discount=1/10..9/10:1", "found 1 values, expected 2 to"),
        ("n=5:1", "expected a range from a number to one that is no smaller"),
        ("n=1:5:0", "in positive steps"),
        ("n=1:2:3:4", "expected numbers such as"),
        ("n=1,1", "a value is given twice"),
        ("n=1:1000000", "found 1000000 values, expected at most 100000"),
        ("n=1..9999999999999", "expected at most 100000"),
    ],
)
def test_what_is_no_axis_is_refused(text: str, said: str) -> None:
    with pytest.raises(ModelError) as refused:
        Axis.named(text)
    assert said in str(refused.value)
