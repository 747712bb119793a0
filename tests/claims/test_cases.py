"""Typed cases: the written form is read back by the type alone, and another form is refused."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest

from mfverify import models
from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.papers import CATALOGUE
from mfverify.theory.bind import bind
from mfverify.theory.cases.case import Case, Written, read
from mfverify.theory.cases.of_model import OfAgents, OfSample, Subsampled
from mfverify.theory.cases.populations import EveryPopulation, OfPopulation, SampledPopulation, spread
from mfverify.theory.cases.transitions import NAMED, MeanTransition, Transition, kernel_of, seeded
from mfverify.theory.claim import Claim, Profile
from mfverify.theory.sabotage import by_adding, by_factor


@pytest.mark.parametrize("claim", CATALOGUE, ids=lambda claim: claim.id)
def test_the_written_form_of_a_case_is_read_back(claim: Claim) -> None:
    listed = list(claim.instances(Profile.QUICK, None))
    types = dict.fromkeys(map(type, listed))
    for one in listed[:: max(1, len(listed) // 5)]:
        assert read(one.written, types) == one
        assert read(one.written, types).key("T1", "code") == one.key("T1", "code")


@dataclass(frozen=True)
class Tabled(Case):
    """A number that may be left out, a fraction and a table."""

    share: Fraction
    rows_of: tuple[tuple[int, ...], ...]
    seed: int | None = None


def test_numbers_and_tables_are_written_as_texts() -> None:
    case = Tabled(Fraction(1, 3), ((1, 0), (0, 1)))
    assert case.label == "share=1/3 rows of=1+0/0+1"
    assert read(case.written, [OfSample, Tabled]) == case
    assert read(Tabled(Fraction(1, 3), ((1,),), 4).written, [Tabled]).written.parameters["seed"] == 4


@pytest.mark.parametrize(
    "form",
    [
        Written(None, 3, 1, {"population": "2+1", "other": 3}),
        Written(None, 4, 1, {"population": "2+1"}),
        Written(None, 3, None, {"population": "2+1"}),
        Written(None, 3, 1, {"population": "2+x"}),
        Written(None, 3, 1, {"population": 21}),
        Written(models.absorbing(), 3, 1, {"population": "2+1"}),
        Written(None, 3, 1, {}),
    ],
)
def test_another_form_is_refused(form: Written) -> None:
    assert read(Written(None, 3, 1, {"population": "2+1"}), [SampledPopulation]) == SampledPopulation((2, 1), 1)
    with pytest.raises(ModelError, match="has other arguments than this claim"):
        read(form, [SampledPopulation])


def test_how_large_a_case_is() -> None:
    model = models.absorbing()
    assert [one.order for one in (Subsampled(model, 5, 2), OfAgents(model, 4), OfSample(model, 3), Case())] == [5, 4, 3, 0]
    assert OfPopulation((3, 1)).occupied == 2 and OfSample(model, 3).occupied == 1
    assert EveryPopulation(4).pairs == [(p, k) for p in spread(4) for k in range(1, 5)] and spread(3) == [(2, 1), (1, 1, 1)]


def test_transitions_name_their_kernel_and_their_sample() -> None:
    given, mean = Transition((1, 0), (2, 1), "stay"), MeanTransition((2, 1), seeded(3), 2)
    assert (given.label, mean.label) == (
        "n=3 k=1 sample=1+0 population=2+1 kernel=stay",
        "n=3 k=2 sample=uniform population=2+1 kernel=random-3",
    )
    assert given.rows == ((1, 0), (0, 1)) and mean.rows == kernel_of("random-3", 2)
    assert all(sum(row) == 1 for name in NAMED for row in kernel_of(name, 3))


def test_sides_are_changed_by_a_factor_and_a_number() -> None:
    assert by_factor(Fraction(1, 2))(Interval.exactly(3), Case()) == Interval.exactly(Fraction(3, 2))
    assert by_adding(2)(Interval.exactly(3), Case()) == Interval.exactly(5)


def test_bound_arguments_come_first() -> None:
    def joined(a: str, b: str, c: str, d: str) -> str:
        return a + b + c + d

    assert bind(joined, "a")("b", "c", "d") == bind(joined, "a", "b")("c", "d") == bind(joined, "a", "b", "c")("d") == "abcd"
