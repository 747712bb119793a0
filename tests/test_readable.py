"""Values as objects: what they say is certified, and what would lose a bound is refused."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest

import mfverify as mfv
from mfverify.bundled import certificate_path
from mfverify.enclosure import Enclosure, Interval
from mfverify.errors import ModelError, UndecidedError
from mfverify.rationals import outward

MODEL = mfv.models.absorbing()


@cache
def solved() -> Enclosure:
    """The value of three agents."""
    return mfv.optimal_value(MODEL, 3)


@cache
def solved_exactly() -> Enclosure:
    """The same in rationals."""
    return mfv.optimal_value(MODEL, 3, method="rational")


def test_a_state_is_found_by_its_counts() -> None:
    for g in range(2):
        for rank, counts in enumerate(mfv.count_vectors(3, 3)):
            assert solved_exactly().at(g, counts).lower == solved_exactly()[g, rank].lower
    for state in ((2, (3, 0, 0)), (0, (3, 0)), (0, (4, 0, 0)), (0, (4, -1, 0)), (-1, (3, 0, 0)), (0, ())):
        with pytest.raises(ModelError, match=r"state: found .* which is none of the states of a value of shape \(2, 10\)"):
            solved_exactly().at(*state)


def test_extremes_and_means_contain_the_true_ones() -> None:
    true = solved_exactly().exact
    assert true is not None
    for found, exact in ((solved().min(), true.min()), (solved().max(), true.max()), (solved().mean(), sum(true.ravel()) / 20)):
        assert found.contains(exact) and found.width < 1e-12
    assert solved_exactly().mean().lower == solved_exactly().mean().upper == sum(true.ravel()) / 20
    assert solved_exactly().min().lower == true.min()
    assert true[solved().argmax()] == true.max()
    assert [one.lower for one in solved_exactly()] == list(true.ravel())


@pytest.mark.parametrize("factor", ["1/3", 3, Fraction(-7, 5), 0, "1e-300", 0.1])
def test_a_multiple_contains_the_true_one(factor: str | int | Fraction | float) -> None:
    number = Fraction(factor)
    for found in (solved() * factor, factor * solved() if not isinstance(factor, str) else solved() * factor):
        assert all(one.contains(number * true) for one, true in zip(found, solved_exactly().exact.ravel(), strict=True))  # type: ignore[union-attr]
    assert (solved_exactly() * factor).exact is not None
    assert (solved() * 0).max().upper == 0 == (solved() * 0).min().lower
    if number:
        assert (
            all(one.contains(true / number) for one, true in zip(solved() / factor, solved_exactly().exact.ravel(), strict=True)) or abs(number) < 1e-200
        )  # type: ignore[union-attr]


def test_numpy_leaves_arithmetic_to_the_enclosure_and_makes_no_array_of_it() -> None:
    assert isinstance(np.float64(2) * solved(), Enclosure)
    for make in (np.asarray, np.array):
        with pytest.raises(ModelError, match=r"an enclosure is two arrays; take .lower, .upper, or .midpoint"):
            make(solved())  # type: ignore[operator]
    with pytest.raises(TypeError):
        np.zeros((2, 10)) + solved()  # type: ignore[operator]
    with pytest.raises(ModelError):
        solved() * "x"


def test_formats_show_certified_digits_only() -> None:
    tenth = Interval(Fraction(1, 10) - Fraction(1, 10**7), Fraction(1, 10) + Fraction(1, 10**7))
    assert (f"{tenth}", f"{tenth:.3f}", f"{tenth:.8f}") == ("0.100000", "0.100", "[0.09999990, 0.10000010]")
    assert f"{-tenth:.3f}" == "-0.100"
    assert f"{Interval(Fraction(-1, 10**9), Fraction(1, 10**9)):.3f}" == "0.000"
    assert f"{Interval.exactly('-5/8')}" == "-5/8"
    wide = Interval(Fraction(-1), Fraction(2))
    assert (f"{wide}", repr(wide)) == ("[-1, 2]", "[-1.0, 2.0]")
    noise = Interval(Fraction(-39357, 10**18), Fraction(39969, 10**18))
    assert f"{noise}" == "[-3.94e-14, 4.00e-14]"  # outward: to the nearest would be 3.94 and 4.00, or 3.93 and 3.99 inward
    assert f"{wide:.1f}" == "[-1.0, 2.0]"
    for wrong in (".3g", "10.2f", "e"):
        with pytest.raises(ValueError, match="expected nothing or a number of decimals"):
            format(wide, wrong)


def test_no_format_claims_more_than_the_interval() -> None:
    for k in range(200):
        low = Fraction(k * 7919 % 1000 - 500, 997)
        one = Interval(low, low + Fraction(1, 10 ** (k % 12)))
        ends = [Fraction(x) for x in outward(one.lower, one.upper).strip("[]").split(",")]
        assert ends[0] <= one.lower and one.upper <= ends[1] and ends[1] - ends[0] <= (one.upper - one.lower) * Fraction(11, 10)
        for decimals in (0, 2, 5):
            text = format(one, f".{decimals}f")
            ends = [Fraction(x) for x in text.strip("[]").split(",")]
            if len(ends) == 1:
                assert all(abs(end - ends[0]) <= Fraction(1, 2 * 10**decimals) for end in (one.lower, one.upper))
            else:
                assert ends[0] <= one.lower and one.upper <= ends[1]


def test_floats_and_rounding_answer_only_where_the_interval_decides() -> None:
    assert float(Interval.exactly("1/3")) == 1 / 3
    assert round(Interval(Fraction(3333, 10**4), Fraction(3334, 10**4)), 3) == Fraction(333, 1000)
    for undecided in (float, lambda x: round(x, 4)):
        with pytest.raises(UndecidedError):
            undecided(Interval(Fraction(3333, 10**4), Fraction(3334, 10**4)))


def test_reprs_are_short_and_notebooks_get_tables() -> None:
    learned = mfv.learn(MODEL, 2)
    report = mfv.verify(["C3"], instance="n=2 k=1 population=1+1", workers=1)
    certificate = mfv.load_certificate(certificate_path("certificates:T1"))
    assert repr(learned) == "Learned(absorbing, k=2, exact operator, mean-field)"
    assert repr(report) == "Report(1 claims, 1 instances: 1 refuted; 0 unexpected)"
    assert repr(certificate).startswith("Certificate(claim T1, model commitment, n 16, k 15, left side at least ")
    assert repr(solved()).startswith("Enclosure(shape=(2, 10), between 0.62499999")
    for one in (solved(), solved()[0, 0], learned, report, certificate):
        page = one._repr_html_()
        assert len(repr(one)) < 200 and page.startswith("<") and "None" not in page
    assert (
        "<script>"
        not in mfv.learn(
            mfv.Model(
                *(getattr(MODEL, name) for name in ("global_kernel", "local_kernel", "global_reward", "local_reward")), "1/2", "<script>"
            ),
            1,
        )._repr_html_()
    )


def test_tables_need_their_packages_or_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pandas", "xarray"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ModelError, match=r"to_dataframe: needs the package pandas; pip install 'mfverify\[frames\]'"):
        solved().to_dataframe()
    with pytest.raises(ModelError, match="to_xarray: needs the package xarray"):
        solved().to_xarray()


def test_frames_have_a_row_for_each_state() -> None:
    pandas = pytest.importorskip("pandas")
    frame = solved().to_dataframe(MODEL)
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["global", "count_0", "count_1", "count_2", "lower", "upper"]
    assert len(frame) == 20 and (frame.count_0 + frame.count_1 + frame.count_2 == 3).all()


def test_datasets_have_the_counts_as_coordinates() -> None:
    pytest.importorskip("xarray")
    found = solved().to_xarray(MODEL)
    assert found.lower.dims == ("global", "rank") and found.sizes == {"global": 2, "rank": 10}


def test_a_notebook_shows_the_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import pyplot

    monkeypatch.setattr("mfverify.readable.in_notebook", lambda: True)
    figure = solved().plot().figure
    assert figure.number in pyplot.get_fignums()
    pyplot.close(figure)


def test_values_are_drawn() -> None:
    axes = solved().plot()
    assert len(axes.lines) == 2 and axes.get_ylabel() == "value"
