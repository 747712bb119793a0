"""Labelled systems that are quick in exact arithmetic, for the claims about Bellman operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from mfverify import models
from mfverify.model import Model

Values = Mapping[Any, Fraction]


def bundled(given: Sequence[Model] | None) -> list[Model]:
    """The models that a claim is checked on unless a user gives others."""
    return (
        list(given)
        if given is not None
        else [models.coordination(), models.absorbing(), models.random_coupled(4), models.random_coupled(16)]
    )


def small(model: Model, n: int) -> bool:
    """Whether the labelled system is quick in exact arithmetic."""
    g, b, s, a = model.sizes
    return bool(g * g * b * (s * s * a) ** n <= 40_000)


def with_a_wrong_row(model: Model) -> Model:
    """The model with one row of its local kernel replaced by another of its rows, for controls."""
    kernel = model.local_kernel.copy()
    kernel[0, 0, 0] = kernel[-1, -1, -1]
    return replace(model, local_kernel=kernel)
