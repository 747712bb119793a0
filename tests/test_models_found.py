"""Bundled models are found by their files, and claims are checked on those that say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from mfverify import models
from mfverify.papers import CATALOGUE, plans
from mfverify.theory.claim import Profile


def test_every_file_with_a_function_of_its_name_is_bundled() -> None:
    files = {path.stem for path in Path(models.__file__).parent.glob("*.py")}
    assert set(models.BUNDLED) <= files and len(models.BUNDLED) >= 11
    assert {"agent_types", "families", "hard"} <= files - set(models.BUNDLED)
    assert all(getattr(models, name) is found and name in models.__all__ for name, found in models.BUNDLED.items())


def test_families_come_in_their_order_and_each_once() -> None:
    orders = [family.order for family in models.HARD]
    assert orders == sorted(set(orders)) and len(orders) >= 6


def test_a_model_that_is_for_all_claims_is_picked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    claim = CATALOGUE["T1"]
    plain = plans.cases_of(claim, Profile.QUICK)
    assert plain == list(claim.instances(Profile.QUICK, None))
    crews = models.crews()
    monkeypatch.setattr(plans, "_for_all_claims", lambda: (crews,))
    found = plans.cases_of(claim, Profile.QUICK)
    assert found[: len(plain)] == plain
    assert {one.model for one in found[len(plain) :]} == {crews}
    assert plans.cases_of(claim, Profile.QUICK, [models.absorbing()]) == list(claim.instances(Profile.QUICK, [models.absorbing()]))
    population = CATALOGUE["C1"]
    assert plans.cases_of(population, Profile.QUICK) == list(population.instances(Profile.QUICK, None)), "it takes no model"
