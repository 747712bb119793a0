"""The door of the toolkit: what is a model is kept exactly, what is none is refused with its place."""

from __future__ import annotations

from copy import deepcopy
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mfverify.errors import ModelError
from mfverify.model import Model
from mfverify.models import absorbing, coordination

HALF = Fraction(1, 2)


def arguments() -> dict[str, Any]:
    """A valid model with four different axis lengths: 2 global states, 3 global actions, 4 local states, 1 local action."""
    return {
        "global_kernel": [[["1/3", "2/3"], [1, 0], [HALF, HALF]] for _g in range(2)],
        "local_kernel": [[[[0.25, 0.25, 0.25, 0.25]] for _g in range(2)] for _s in range(4)],
        "global_reward": [[0, "-1.5", 2], [Fraction(1, 7), 0.5, 1]],
        "local_reward": [[[s - g] for g in range(2)] for s in range(4)],
        "discount": "9/10",
    }


def replaced(place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The valid arguments with one part replaced."""
    changed = deepcopy(arguments())
    *path, last = place
    part: Any = changed
    for key in path:
        part = part[key]
    part[last] = value
    return changed


def refusal(changed: dict[str, Any]) -> ModelError:
    """The error that the changed arguments raise: one line, and a ValueError for those who do not know mfverify."""
    with pytest.raises(ModelError) as caught:
        Model(**changed)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    return caught.value


def test_what_is_valid_is_kept_exactly_with_its_axes() -> None:
    model = Model(**arguments())
    assert model.sizes == (2, 3, 4, 1)
    assert model.global_kernel.shape == (2, 3, 2)
    assert model.local_kernel.shape == (4, 2, 1, 4)
    assert model.global_kernel[0, 0].tolist() == [Fraction(1, 3), Fraction(2, 3)]
    assert model.global_reward.tolist() == [[Fraction(0), Fraction(-3, 2), Fraction(2)], [Fraction(1, 7), HALF, Fraction(1)]]
    assert model.local_reward[3, 1, 0] == 2
    assert model.discount == Fraction(9, 10)
    entries = [x for name in ("global_kernel", "local_kernel", "global_reward", "local_reward") for x in getattr(model, name).ravel()]
    assert len(entries) == 12 + 32 + 6 + 8
    assert {type(x) for x in entries} == {Fraction}
    assert (model.rt_g, model.rt_l, model.rt) == (2, 3, 5)


BAD_NUMBERS = {
    "nan": float("nan"),
    "inf": float("inf"),
    "minus inf": -np.inf,
    "float32 nan": np.float32("nan"),
    "bool": True,
    "numpy bool": np.True_,
    "division by zero": "1/0",
    "word": "abc",
    "empty text": "",
    "nan as text": "nan",
    "infinity as text": "Infinity",
    "hexadecimal": "0x10",
    "two numbers": "1 2",
    "absurd exponent": "1e99999",
    "exponent of 4 digits": "1e9999",
    "long text": "1" * 5000,
    "long integer": 10**5000,
    "long denominator": Fraction(1, 7**5000),
    "bytes": b"1",
    "none": None,
    "complex": 1 + 2j,
    "list": [1, 2],
    "list with a huge integer": [10**5000],
    "dict": {"a": 1},
    "array": np.array([1.0, 2.0]),
    "object": object(),
}
PLACES = {
    "global_kernel[1, 2, 0]": ("global_kernel", 1, 2, 0),
    "local_kernel[3, 0, 0, 1]": ("local_kernel", 3, 0, 0, 1),
    "global_reward[0, 2]": ("global_reward", 0, 2),
    "local_reward[2, 1, 0]": ("local_reward", 2, 1, 0),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("number", BAD_NUMBERS)
def test_what_is_no_number_is_refused_with_array_and_index(place: str, number: str) -> None:
    error = refusal(replaced(PLACES[place], BAD_NUMBERS[number]))
    assert str(error).startswith(f"{place}: found ")
    assert "expected" in str(error)
    assert len(error.issues) == 1


BAD_DISCOUNTS = BAD_NUMBERS | {
    "zero": 0,
    "one": 1,
    "two": 2,
    "negative": -HALF,
    "one as text": "1",
    "float one": 1.0,
    "huge": 10**1000,
    "slightly above one": 1 + Fraction(1, 10**40),
}


@pytest.mark.parametrize("discount", BAD_DISCOUNTS)
def test_discount_must_be_a_number_strictly_between_0_and_1(discount: str) -> None:
    assert str(refusal(replaced(("discount",), BAD_DISCOUNTS[discount]))).startswith("discount: found ")


@pytest.mark.parametrize("discount", ["1/1000000", "0.999999", 0.5, Fraction(1, 3), np.float64(0.75)], ids=str)
def test_discounts_inside_are_kept_exactly(discount: Any) -> None:
    assert Model(**replaced(("discount",), discount)).discount == Fraction(discount)


@pytest.mark.parametrize(
    ("row", "index", "found"),
    [
        ([Fraction(-1, 10), Fraction(11, 10)], 0, "found -1/10"),
        ([-1e-300, 1.0], 0, "found -1e-300"),
        (["-1e1000", 1], 0, "found -1e+1000"),
        (["0.5", "0.4"], ":", "the row sums to 9/10"),
        ([0.5, 0.4], ":", "the row sums to 0.9"),
        ([0, 0], ":", "the row sums to 0"),
        (["0.3333333333", "0.6666666666"], ":", "the row sums to 9999999999/10000000000"),
        (["1", "1e-40"], ":", "the row sums to 1 + 1e-40"),
        (["1e1000", 0], ":", "the row sums to 1e+1000"),
    ],
)
def test_a_row_that_is_no_distribution_is_refused_with_its_place(row: list[Any], index: object, found: str) -> None:
    error = refusal(replaced(("global_kernel", 1, 0), row))
    assert str(error).startswith(f"global_kernel[1, 0, {index}]: {found}")
    assert ", expected " in str(error)


def test_a_bad_row_of_the_local_kernel_is_refused_too() -> None:
    error = refusal(replaced(("local_kernel", 2, 1, 0), ["1/4", "1/4", "1/4", "1/8"]))
    assert str(error) == "local_kernel[2, 1, 0, :]: the row sums to 7/8, expected 1"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("global_kernel",), 5, "global_kernel: found int, expected a list along the axis s_g "),
        (("global_kernel",), "abc", "global_kernel: found str, expected a list along the axis s_g "),
        (("global_kernel",), None, "global_kernel: found NoneType, expected a list along the axis s_g "),
        (("global_kernel",), [], "global_kernel: found an empty list along the axis s_g"),
        (("global_kernel", 1), [], "global_kernel[1]: found an empty list along the axis a_g"),
        (("global_kernel", 0, 2), [], "global_kernel[0, 2]: found an empty list along the axis s_g'"),
        (("global_kernel", 0, 2), 1, "global_kernel[0, 2]: found int, expected a list along the axis s_g'"),
        (("global_kernel", 0, 2), "1/2", "global_kernel[0, 2]: found str, expected a list along the axis s_g'"),
        (("global_kernel", 1, 1), [1], "global_kernel[1, 1]: found 1 entries along the axis s_g', expected 2"),
        (("global_kernel", 1), [[1, 0]], "global_kernel[1]: found 1 entries along the axis a_g, expected 3"),
        (("local_kernel", 3), [[[1, 0, 0, 0]]], "local_kernel[3]: found 1 entries along the axis s_g, expected 2"),
        (("local_reward", 1), {"a": 1}, "local_reward[1]: found dict, expected a list along the axis s_g"),
        (("local_reward",), [[[0], [0]]] * 3, "local_reward: found 3 entries along the axis s_l, expected 4 as in local_kernel"),
        (("local_reward",), [[[0, 0], [0, 0]]] * 4, "local_reward: found 2 entries along the axis a_l, expected 1 as in local_kernel"),
        (("global_reward",), [[0, 0], [0, 0]], "global_reward: found 2 entries along the axis a_g, expected 3 as in global_kernel"),
        (("global_reward",), [[0, 0, 0]], "global_reward: found 1 entries along the axis s_g, expected 2 as in local_kernel"),
        (("global_kernel",), [[[1, 0, 0]] * 3] * 2, "global_kernel: found 3 entries along the axis s_g', expected 2 as in local_kernel"),
        (("local_kernel",), [[[[1, 0, 0]]] * 2] * 4, "local_kernel: found 3 entries along the axis s_l', expected 4 as in local_kernel"),
        (("local_kernel",), np.zeros((0, 2, 1, 4)), "local_kernel: found an empty list along the axis s_l"),
        (("local_kernel",), np.ones((4, 2, 1)), "local_kernel[0, 0, 0]: found float64, expected a list along the axis s_l'"),
    ],
)
def test_wrong_shapes_are_refused_with_the_axis(place: tuple[Any, ...], value: Any, message: str) -> None:
    error = refusal(replaced(place, value))
    assert any(issue.startswith(message) for issue in error.issues), error.issues


def test_every_problem_is_reported_and_the_message_counts_them() -> None:
    changed = replaced(("global_reward", 0, 0), "abc")
    changed["local_reward"][3][1][0] = float("nan")
    changed["discount"] = 1
    error = refusal(changed)
    assert [issue.partition(":")[0] for issue in error.issues] == ["global_reward[0, 0]", "local_reward[3, 1, 0]", "discount"]
    assert str(error).endswith("(and 2 more)")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("name",), 5, "name: found int, expected text"),
        (("name",), "", "name: found 0 characters"),
        (("name",), "x" * 201, "name: found 201 characters"),
        (("documentation",), None, "documentation: found NoneType, expected text"),
    ],
)
def test_name_and_documentation_are_text(place: tuple[Any, ...], value: Any, message: str) -> None:
    assert str(refusal(replaced(place, value))).startswith(message)


@pytest.mark.parametrize("place", ["global_reward[0, 2]", "local_reward[2, 1, 0]"])
@pytest.mark.parametrize("reward", ["1e400", "-1e1000", 10**310], ids=["1e400", "-1e1000", "integer"])
def test_rewards_beyond_double_precision_are_refused_at_the_door(place: str, reward: Any) -> None:
    error = refusal(replaced(PLACES[place], reward))
    assert str(error).startswith(f"{place}: found ")
    assert "rescale" in str(error)


def test_a_large_reward_is_refused_where_its_discounted_sum_is_too_large() -> None:
    large = replaced(("global_reward", 0, 0), 2**990)
    assert Model(**large).rt_g == 2**990
    large["discount"] = 1 - Fraction(1, 2**20)
    assert str(refusal(large)).startswith("global_reward[0, 0]: found ")


# --------------------------------------------------------------------------------------------------------------------- floats


def one_agent(row: Any, reward: Any = 0) -> Model:
    """A model whose local kernel has one row repeated; the length of the row is the number of local states."""
    size = len(row)
    return Model([[[1]]], [[[row]] for _s in range(size)], [[0]], [[[reward]] for _s in range(size)], HALF)


@pytest.mark.parametrize(
    "row", [[0.1] * 10, [1 / 3] * 3, [0.7, 0.2, 0.1], [1 / 49] * 49, np.array([0.1] * 10), np.array([1 / 3] * 3, dtype=np.float32)], ids=str
)
def test_a_row_of_floats_that_misses_one_by_rounding_is_normalised_exactly(row: Any) -> None:
    given_exactly = [Fraction(float(x)) for x in row]
    kept = one_agent(row).local_kernel[0, 0, 0]
    assert sum(given_exactly) != 1
    assert sum(kept) == 1
    assert [p / kept[0] for p in kept] == [p / given_exactly[0] for p in given_exactly]


def test_ten_times_a_tenth_becomes_ten_exact_tenths() -> None:
    assert one_agent([0.1] * 10).local_kernel[7, 0, 0].tolist() == [Fraction(1, 10)] * 10


@pytest.mark.parametrize(
    "row",
    [
        [0.5, 0.4],
        [0.5, 0.5 + 1e-12],
        [Fraction(1, 2), Fraction(1, 2) + Fraction(1, 2**60)],
        ["0.5", "0.49999999999999999"],
        np.array([0.5, 0.501], dtype=np.float32),
    ],
    ids=str,
)
def test_a_row_that_misses_one_by_more_than_rounding_is_refused(row: Any) -> None:
    with pytest.raises(ModelError, match=r"local_kernel\[0, 0, 0, :\]: the row sums to .*, expected 1"):
        one_agent(row)


def test_strings_and_fractions_are_never_normalised_even_beside_floats_that_are_exact() -> None:
    with pytest.raises(ModelError, match="the row sums to 1 - 1e-30"):
        one_agent([Fraction(1, 2), Fraction(1, 2) - Fraction(1, 10**30)])
    assert one_agent([0.5, "1/2"]).local_kernel[0, 0, 0].tolist() == [HALF, HALF]


@given(st.floats(-1e100, 1e100))
@example(0.1)
@example(5e-324)
@example(-0.0)
def test_a_float_is_its_exact_binary_value(x: float) -> None:
    model = one_agent([1.0], x)
    assert model.local_reward[0, 0, 0] == Fraction(*x.as_integer_ratio())
    assert model.floats("local_reward")[0, 0, 0] == x


@given(st.fractions(max_denominator=10**30).filter(lambda x: abs(x) < 10**30))
def test_a_string_is_its_exact_rational(x: Fraction) -> None:
    assert one_agent(["1"], str(x)).local_reward[0, 0, 0] == x


def test_numpy_numbers_of_every_width_are_exact() -> None:
    for number, wanted in [
        (np.float32(0.1), Fraction(13421773, 2**27)),
        (np.float16(0.5), HALF),
        (np.int8(-3), Fraction(-3)),
        (np.uint64(2**64 - 1), Fraction(2**64 - 1)),
        (np.longdouble(1) + np.finfo(np.longdouble).eps, 1 + Fraction(*np.finfo(np.longdouble).eps.as_integer_ratio())),
    ]:
        assert one_agent([1], number).local_reward[0, 0, 0] == wanted


def test_float32_arrays_integer_arrays_and_arrays_of_text_are_accepted() -> None:
    kernel = np.full((2, 1, 1, 2), 0.5, dtype=np.float32)
    model = Model(np.ones((1, 1, 1), dtype=np.int32), kernel, np.array([["1/3"]]), np.zeros((2, 1, 1), dtype=np.float32), HALF)
    assert model.local_kernel.ravel().tolist() == [HALF] * 4
    assert model.global_reward[0, 0] == Fraction(1, 3)


# ------------------------------------------------------------------------------------------------------------------- identity


def test_arrays_cannot_be_changed_and_are_copies() -> None:
    source = np.array([[Fraction(0), Fraction(1)], [Fraction(2), Fraction(3)]], dtype=object)
    model = Model([[[1, 0]] * 2] * 2, [[[[1]]] * 2], source, [[[0]] * 2], HALF)
    source[0, 0] = Fraction(99)
    assert model.global_reward[0, 0] == 0
    for name in ("global_kernel", "local_kernel", "global_reward", "local_reward"):
        array = getattr(model, name)
        with pytest.raises(ValueError, match="read-only"):
            array[(0,) * array.ndim] = Fraction(1)


def test_models_are_equal_when_their_content_is_however_it_was_spelled() -> None:
    spelled = arguments() | {"name": "other", "documentation": "text"}
    spelled["local_kernel"] = np.full((4, 2, 1, 4), 0.25)
    spelled["discount"] = Fraction(9, 10)
    one, two = Model(**arguments()), Model(**spelled)
    assert one == two
    assert one.fingerprint == two.fingerprint
    assert len({one, two}) == 1
    assert one != "model"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("discount",), "8/10"),
        (("global_reward", 0, 0), "1/1000000000000000000000000000000"),
        (("local_reward", 3, 1, 0), 7),
        (("global_kernel", 0, 1), [0, 1]),
        (("local_kernel", 0, 0, 0), ["1/4", "1/4", "1/8", "3/8"]),
    ],
)
def test_models_differ_when_any_part_differs(place: tuple[Any, ...], value: Any) -> None:
    one, two = Model(**arguments()), Model(**replaced(place, value))
    assert one != two
    assert one.fingerprint != two.fingerprint


@pytest.mark.parametrize("model", [coordination(), coordination(eta="1/3", discount="0.99"), absorbing()], ids=lambda m: m.name)
def test_bundled_models_are_valid_and_survive_their_own_spelling(model: Model) -> None:
    assert Model(**model.numbers_as_text()) == model
