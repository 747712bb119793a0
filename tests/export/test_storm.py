"""Storm solves what was exported: to the last digit in its exact engine."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mfverify.exact.optimal import optimal_value
from mfverify.export.drn import EXACT_PROPERTY, PROPERTY
from mfverify.export.formats import export_model
from mfverify.models import random_coupled
from tests.export.systems import EACH, LOSSES, SYSTEMS

stormpy = pytest.importorskip(
    "stormpy", reason="stormpy is not installed (pip install 'mfverify[interchange]'): Storm did not check the exports"
)


def exact_values(path: Path, query: str, states: int) -> list[Fraction]:
    """The values that Storm's exact engine finds, state by state."""
    system = stormpy.build_model_from_drn[stormpy.Rational](path)
    result = stormpy.model_checking(system, stormpy.parse_properties(query)[0], environment=stormpy.environments.exact())
    return [Fraction(str(result.get_value(i))) for i in range(states)]


@pytest.mark.parametrize("name", EACH)
def test_storms_exact_engine_agrees_to_the_last_digit(name: str, tmp_path: Path) -> None:
    model, n = SYSTEMS[name]
    written = export_model(model, n, tmp_path / "system.drn", "drn")
    expected = list(optimal_value(model, n, "rational").exact.ravel())
    if any(model.local_reward.ravel()) and name != "one reward":
        assert exact_values(written.path, EXACT_PROPERTY, len(expected)) == expected
    shifted = exact_values(written.path, PROPERTY, len(expected))
    assert [v + written.value_offset for v in shifted] == expected
    # The lumped solver's doubles contain what Storm found.
    lumped = optimal_value(model, n, "lumped")
    pairs = zip(lumped.lower.ravel().tolist(), shifted, lumped.upper.ravel().tolist(), strict=True)
    assert all(Fraction(low) <= v + written.value_offset <= Fraction(high) for low, v, high in pairs)


def test_a_sabotaged_file_is_noticed(tmp_path: Path) -> None:
    written = export_model(LOSSES, 2, tmp_path / "system.drn", "drn")
    text = written.path.read_text()
    assert "b0_d0_2_0_0 [-5, 0]" in text
    written.path.write_text(text.replace("d0_2_0_0 [-5, 0]", "d0_2_0_0 [-5, 100]"))
    expected = list(optimal_value(LOSSES, 2, "rational").exact.ravel())
    assert [v + written.value_offset for v in exact_values(written.path, PROPERTY, len(expected))] != expected


def test_storms_sound_engine_overlaps_our_enclosures(tmp_path: Path) -> None:
    model, n = random_coupled(4), 12
    written = export_model(model, n, tmp_path / "system.drn", "drn")
    system = stormpy.build_model_from_drn[float](written.path)
    result = stormpy.model_checking(system, stormpy.parse_properties(PROPERTY)[0], environment=stormpy.environments.sound())
    best = optimal_value(model, n)
    found = np.array([result.get_value(i) for i in range(written.extent.states)]) + float(written.value_offset)
    # Storm's own default precision is relative, 1e-6.
    allowed = 1e-6 * (np.abs(found) + abs(float(written.value_offset)))
    assert (found - allowed <= best.upper.ravel()).all()
    assert (found + allowed >= best.lower.ravel()).all()
