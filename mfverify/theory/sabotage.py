"""The usual sabotages of a claim's control: another right side, another left side, another model.

A check that compares two systems is a function of the case and of the model of the second one: :func:`same_model` is the statement,
:func:`of_model` its control.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from mfverify.enclosure import Interval
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import OnModel
from mfverify.theory.claim import Outcome

if TYPE_CHECKING:
    from mfverify.model import Model

M = TypeVar("M", bound=OnModel)


def _times(factor: Fraction | int, side: Interval, case: Case) -> Interval:
    del case
    return side * factor


def _plus(amount: Fraction | int, side: Interval, case: Case) -> Interval:
    del case
    return side + amount


def by_factor(factor: Fraction | int) -> Callable[[Interval, Case], Interval]:
    """A side, multiplied by a number."""
    return partial(_times, factor)


def by_adding(amount: Fraction | int) -> Callable[[Interval, Case], Interval]:
    """A side, with a number added."""
    return partial(_plus, amount)


def _own(compare: Callable[[M, Model], Outcome], case: M) -> Outcome:
    return compare(case, case.model)


def _other(compare: Callable[[M, Model], Outcome], change: Callable[[Model], Model], case: M) -> Outcome:
    return compare(case, change(case.model))


def same_model(compare: Callable[[M, Model], Outcome]) -> Callable[[M], Outcome]:
    """The comparison of a model with itself."""
    return partial(_own, compare)


def of_model(compare: Callable[[M, Model], Outcome], change: Callable[[Model], Model]) -> Callable[[M], Outcome]:
    """The comparison of a model with a changed one."""
    return partial(_other, compare, change)
