"""Every bundled model, solved three ways: as labelled agents, on count vectors, and in exact arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from mfverify import optimal_value
from mfverify.models import BUNDLED


@pytest.mark.parametrize("n", [2, 3, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", BUNDLED)
def test_flat_and_lumped_agree_and_contain_the_rational_value(name: str, n: int) -> None:
    model = BUNDLED[name]()
    flat, lumped, rational = (optimal_value(model, n, method) for method in ("flat", "lumped", "rational"))
    assert flat.shape == lumped.shape == rational.shape
    assert rational.exact is not None
    assert max(flat.width.max(), lumped.width.max()) < 1e-9
    assert (np.maximum(flat.lower, lumped.lower) <= np.minimum(flat.upper, lumped.upper)).all()
    for found in (flat, lumped):
        assert [found[index].contains(rational.exact[index]) for index in np.ndindex(found.shape)] == [True] * rational.exact.size
