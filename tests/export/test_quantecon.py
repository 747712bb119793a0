"""QuantEcon solves what was exported, within the tolerance that it states itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from mfverify.exact.optimal import optimal_value
from mfverify.exact.rational import RationalSystem
from mfverify.export.formats import export_model
from mfverify.model import Model
from tests.export.systems import EACH, LOSSES, SYSTEMS

pytestmark = pytest.mark.slow  # QuantEcon compiles for many seconds

EPSILON = 1e-8
"""Modified policy iteration promises values within half of this."""


@pytest.fixture(scope="module")
def markov() -> Any:
    """QuantEcon, which takes seconds to import: not when these tests are only collected."""
    return pytest.importorskip(
        "quantecon.markov", reason="quantecon is not installed (pip install 'mfverify[interchange]'): QuantEcon did not check the exports"
    )


def problem(markov: Any, path: Path) -> tuple[Any, Any]:
    """The file as QuantEcon's problem, by the recipe that the export prints, and its arrays."""
    arrays = np.load(path, allow_pickle=False)
    law = sparse.load_npz(path)
    return markov.DiscreteDP(arrays["R"], law, float(arrays["beta"]), arrays["s_indices"], arrays["a_indices"]), arrays


def check_values(model: Model, n: int, found: Any) -> None:
    """Within half of epsilon of the enclosure, and of what doubles can carry."""
    best = optimal_value(model, n)
    rounding = float(model.rt / (1 - model.discount) ** 2) * ((model.sizes[2] + 1) * n + 4) * 2.0**-52
    assert (found.v >= best.lower.ravel() - EPSILON / 2 - rounding).all()
    assert (found.v <= best.upper.ravel() + EPSILON / 2 + rounding).all()


@pytest.mark.parametrize("name", EACH)
def test_quantecon_agrees_within_its_own_tolerance(markov: Any, name: str, tmp_path: Path) -> None:
    model, n = SYSTEMS[name]
    written = export_model(model, n, tmp_path / "system.npz", "quantecon-npz")
    ddp, arrays = problem(markov, written.path)
    found = ddp.solve("modified_policy_iteration", epsilon=EPSILON, max_iter=10_000)
    assert found.num_iter < 10_000
    check_values(model, n, found)
    # Policy iteration states no tolerance; its policy is judged instead: its exact value is the optimum.
    policy = ddp.solve("policy_iteration").sigma
    system = RationalSystem(model, n)
    first = np.flatnonzero(arrays["a_indices"] == 0)
    rows = first + policy
    chosen = {
        state: (int(arrays["choice_global"][i]), tuple(arrays["choice_counts"][i].tolist()))
        for state, i in zip(system.states, rows, strict=True)
    }
    assert system.policy_value(chosen) == system.optimum


def test_a_sabotaged_file_is_noticed(markov: Any, tmp_path: Path) -> None:
    written = export_model(LOSSES, 2, tmp_path / "system.npz", "quantecon-npz")
    ddp, _ = problem(markov, written.path)
    found = ddp.solve("modified_policy_iteration", epsilon=EPSILON, max_iter=10_000)
    check_values(LOSSES, 2, found)
    ddp.R[:] += 1e-8
    found = ddp.solve("modified_policy_iteration", epsilon=EPSILON, max_iter=10_000)
    with pytest.raises(AssertionError):
        check_values(LOSSES, 2, found)
