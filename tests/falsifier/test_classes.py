"""Finite classes of models: orbits under relabelling, and claims decided on every member."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.falsifier import exhaust as exhausting
from mfverify.falsifier.classes import ModelClass
from mfverify.falsifier.exhaust import (
    CLASSES,
    RECORD,
    Slice,
    decide,
    decided_classes,
    digest_of,
    exactness,
    exhaust,
    instance_of,
    pairs_of,
    recorded,
)
from mfverify.model import Model
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.exact_gaps import exact_gap
from mfverify.papers.ours.across_sizes import UPPER
from mfverify.papers.screens import no_gap, sample_above
from mfverify.theory.bound import Bound
from mfverify.theory.claim import NotApplicable, Sides
from tests.clusters import cluster
from tests.falsifier.test_models import renamed

SIGNS = (Fraction(-1), Fraction(1))
TINY = ModelClass((2, 1, 2, 2), SIGNS, denominator=1)
PICKS = ModelClass((2, 2, 2, 1), (Fraction(0), Fraction(1)), picks=True, uncoupled=True)
COUPLED = ModelClass((2, 2, 2, 1), SIGNS, denominator=1)
CHOSEN = ModelClass((1, 2, 2, 2), SIGNS, denominator=1, global_rewards=(Fraction(0), Fraction(1)))
FEW = (
    TINY,
    PICKS,
    CHOSEN,
    ModelClass((2, 2, 2, 1), SIGNS, uncoupled=True),
    ModelClass((1, 1, 3, 1), SIGNS, denominator=1),
    ModelClass((1, 1, 2, 2), SIGNS, denominator=1),
)


@pytest.mark.parametrize("models", [*FEW, *(one for one in CLASSES.values() if one.tuples < 10**6)], ids=lambda one: one.title)
def test_the_sizes_of_the_orbits_add_up_and_their_number_is_that_of_burnside(models: ModelClass) -> None:
    numbers, sizes = models.orbits(0, models.tuples)
    assert int(sizes.sum()) == models.members
    digits = models.digits(np.arange(models.tuples))
    fixed = sum(
        int((np.stack([table[digits[:, came]] for came, table in zip(source, tables, strict=True)], axis=1) == digits).all(axis=1).sum())
        for source, tables in models.relabellings
    )
    assert len(numbers) * len(models.relabellings) == fixed


@pytest.mark.parametrize("models", [PICKS, *FEW[-2:]], ids=lambda one: one.title)
def test_orbits_part_the_class(models: ModelClass) -> None:
    """Every member is in exactly one orbit, and orbits have the sizes that are claimed."""
    numbers, sizes = models.orbits(0, models.tuples)
    seen: dict[str, int] = {}
    for number, size in zip(numbers.tolist(), sizes.tolist(), strict=True):
        members = {content(model) for model in models.orbit(number)}
        assert len(members) == size
        for one in members:
            assert seen.setdefault(one, number) == number
    assert len(seen) == models.members


def content(model: Model) -> str:
    return str([getattr(model, name).tolist() for name in ("global_kernel", "local_kernel", "global_reward", "local_reward")])


def test_an_orbit_holds_what_an_independent_relabelling_makes() -> None:
    """All local actions, local states and global states renamed by permutations of the whole model."""
    number = int(PICKS.orbits(0, PICKS.tuples)[0][37])
    mine = {(tuple(m.local_kernel.ravel()), tuple(m.local_reward.ravel())) for m in PICKS.orbit(number)}
    assert set(renamed(PICKS.representative(number))) == mine


def test_arrays_and_models_are_the_same() -> None:
    for models in FEW:
        numbers = np.arange(0, models.tuples, max(1, models.tuples // 7))
        arrays = models.arrays(numbers)
        for i, number in enumerate(numbers.tolist()):
            model = models.representative(number)
            for name in ("global_kernel", "local_kernel", "global_reward", "local_reward"):
                assert (getattr(arrays, name)[..., i] == model.floats(name)).all(), name
            assert arrays.discount[i] == float(model.discount)


def test_members_are_all_products_of_options() -> None:
    rows, values = 2, 2
    assert TINY.members == prod([rows] * 2) * (rows * values) ** 8
    assert len(list(product(range(rows * values), repeat=2))) ** 4 * 4 == TINY.members


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"denominator": 3}, "a power of two"),
        ({"picks": True}, "picks: needs as many"),
        ({"rewards": (Fraction(1), Fraction(0))}, "ascending order"),
        ({"rewards": ()}, "ascending order"),
    ],
)
def test_a_class_that_makes_no_sense_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        replace(TINY, **change)


# ----------------------------------------------------------------------------------------------------------------------- deciding


def test_a_claim_holds_on_a_class(tmp_path: Path) -> None:
    found = exhaust("R2", PICKS, [(2, 1), (3, 1), (3, 2)], workers=1)
    assert found["status"] == "holds" and found["undecided"] == 0
    assert found["models"] == PICKS.members and found["instances"] == 3 * PICKS.members
    assert 0 < found["worst"]["ratio"] < 1 and found["worst"]["verdict"] == "holds"
    assert found["verdicts"] == ["holds"] * 3


def test_a_bound_that_is_vacuous_on_a_class_is_said_to_be() -> None:
    found = exhaust("R4", PICKS, [(2, 1), (3, 2)], workers=1)
    assert found["status"] == "holds" and "vacuous" in found["verdicts"]


def test_a_screen_that_contradicts_the_certified_sides_is_an_error() -> None:
    claim = replace(CATALOGUE["R2"], id="wrong", sides=never)
    with pytest.raises(ModelError, match="the screen decides that it holds on a member"):
        exhaust(claim, PICKS, [(2, 1)], workers=1)


def never(instance: Any) -> Sides:
    return Sides(Interval.exactly(1), Interval.exactly(0))


def test_equalities_are_decided_by_the_grain() -> None:
    """Where agents do not influence each other subsampling is neither optimistic nor pessimistic, which doubles alone cannot tell."""
    claim = CATALOGUE["R1"]
    assert claim.screen is not None
    blind = replace(claim, screen=replace(claim.screen, grain=None), sides=CATALOGUE["R2"].sides)
    assert exhaust(claim, PICKS, [(2, 1)], workers=1)["status"] == "holds"
    assert decide(Slice(blind, PICKS, ((2, 1),), 0, PICKS.tuples)).by_sides > 0


def test_a_positive_excess_is_at_least_the_grain() -> None:
    """Every positive difference of exact values of a class is at least the grain; a larger grain would not be."""
    from mfverify.papers.quantities import rational_system

    claim = CATALOGUE["R1"]
    assert claim.screen is not None and claim.screen.grain is not None
    grain = claim.screen.grain(COUPLED.sizes, exactness(COUPLED), 2, 1)
    smallest = Fraction(10)
    for number in range(0, COUPLED.tuples, COUPLED.tuples // 40):
        model = COUPLED.representative(number)
        large, small = rational_system(model, 2).optimum, rational_system(model, 1).optimum
        for (g, c), value in large.items():
            mean = sum(Fraction(x, 2) * Fraction(str(small[g, tuple(int(t == s) for t in range(2))])) for s, x in enumerate(c))
            difference = abs(mean - Fraction(str(value)))
            if difference:
                smallest = min(smallest, difference)
    assert grain <= smallest < 10


def test_a_false_claim_is_violated_on_a_class() -> None:
    tenth = Bound("R2 upper", UPPER.expression / 10, "", "")
    claim = CATALOGUE["R2"]
    sides = claim.sides
    assert isinstance(sides, partial)
    planted = replace(claim, id="planted", screen=sample_above(tenth), sides=partial(sides.func, tenth, *sides.args[1:]))
    found = exhaust(planted, PICKS, [(2, 1)], workers=1)
    assert found["status"] == "violated" and found["violated"]
    assert found["worst"]["verdict"] == "violated"


def test_a_claim_with_a_condition_is_decided_on_a_class() -> None:
    """Where the condition holds there is no gap, and where it fails that is seen exactly; members of both kinds occur."""
    for name, models, pairs in (("R5b", COUPLED, [(2, 1), (3, 2)]), ("P3r", CHOSEN, [(2, 2)])):
        claim = CATALOGUE[name]
        found = exhaust(claim, models, pairs, workers=1)
        assert found["status"] == "holds" and found["by_sides"] == 0
        numbers, sizes = models.orbits(0, models.tuples)
        outcomes = [(claim.sides(instance_of(claim, models.representative(i), *pairs[0])), size) for i, size in zip(numbers.tolist(), sizes, strict=True)]
        assert all(isinstance(x, Sides | NotApplicable) for x, _ in outcomes)
        fails = sum(int(size) for x, size in outcomes if isinstance(x, NotApplicable))
        assert 0 < fails < models.members
        assert found["not_applicable"] == len(pairs) * fails


def test_a_claim_without_its_condition_is_violated_on_a_class() -> None:
    def gap(case: Any) -> Sides:
        return Sides(Interval.exactly(exact_gap(case.model, case.agents, case.subsample)[0]), Interval.exactly(0))

    claim = CATALOGUE["R5b"]
    assert claim.screen is not None
    planted = replace(claim, id="planted", screen=replace(no_gap(), sides=claim.screen.sides), sides=gap)
    found = exhaust(planted, PICKS, [(2, 1)], workers=1)
    assert found["status"] == "violated" and found["violated"]


def test_members_that_nobody_decides_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhausting, "MOST_EXACT", 0)
    claim = CATALOGUE["R1"]
    assert claim.screen is not None
    found = exhaust(replace(claim, id="blind", screen=replace(claim.screen, grain=None)), PICKS, [(2, 1)], workers=1)
    assert found["status"] == "undecided" and found["undecided"] > 0 and found["by_sides"] == 0


def test_orbits_that_do_not_add_up_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ModelClass.orbits

    def one_missing(self: ModelClass, first: int, last: int) -> Any:
        numbers, sizes = whole(self, first, last)
        return numbers[1:], sizes[1:]

    monkeypatch.setattr(ModelClass, "orbits", one_missing)
    with pytest.raises(ModelError, match="members in all, and the class has"):
        exhaust("R2", PICKS, [(2, 1)], workers=1)


def test_a_run_continues_from_its_store_with_the_same_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhausting, "SLICE", 40)
    monkeypatch.setattr(exhausting, "_SECONDS_BETWEEN_WRITES", 0.0)
    whole = exhaust("R2", PICKS, [(2, 1)], workers=1)
    store = tmp_path / "store.json"
    asked: list[int] = []

    def stop(done: int, slices: int, so_far: Any) -> None:
        assert slices > 2
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exhaust("R2", PICKS, [(2, 1)], workers=1, store=store, progress=stop)
    kept = json.loads(store.read_text())
    assert len(kept["slices"]) == 2
    again = exhaust("R2", PICKS, [(2, 1)], workers=1, store=store, progress=lambda done, slices, so_far: asked.append(done))
    assert asked[0] == 3
    assert {**again, "seconds": 0} == {**whole, "seconds": 0}
    with pytest.raises(ModelError, match="holds another claim, class, pairs or code"):
        exhaust("R2L", PICKS, [(2, 1)], workers=1, store=store)
    store.write_text("{}")
    with pytest.raises(ModelError, match="is no store of an exhausted class"):
        exhaust("R2", PICKS, [(2, 1)], workers=1, store=store)


@pytest.mark.slow
def test_the_record_does_not_depend_on_the_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhausting, "SLICE", 40)
    alone, together = (exhaust("R4", PICKS, [(2, 1)], workers=workers) for workers in (1, 2))
    assert alone["digest"] == together["digest"]


def test_the_digest_is_that_of_the_claim_the_class_the_pairs_and_the_verdicts() -> None:
    slices = ["a" * 64, "b" * 64]
    digests = {
        digest_of(claim, title, pairs, parts)
        for claim in ("R1", "P4r")
        for title in ("one class", "another")
        for pairs in ([(2, 1)], [[3, 1]])
        for parts in (slices, slices[::-1])
    }
    assert len(digests) == 16
    assert digest_of("R1", "one class", [(2, 1)], slices) == digest_of("R1", "one class", [[2, 1]], slices)


def test_two_claims_that_hold_everywhere_have_two_digests() -> None:
    one, other = (exhaust(claim, PICKS, [(2, 1)], workers=1) for claim in ("R2", "R2L"))
    assert one["status"] == other["status"] == "holds" and one["digest"] != other["digest"]


def test_the_recorded_classes_of_a_claim_are_those_of_its_statement(tmp_path: Path) -> None:
    claim = CATALOGUE["R4"]
    kept = decided_classes(claim)
    assert kept and all(one["claim"] == "R4" and one["statement"] == claim.statement for one in kept)
    assert decided_classes(replace(claim)) == [], "another claim with the same id"
    path = tmp_path / "classes.json"
    path.write_text(json.dumps({"format": 1, "classes": [{**kept[0], "statement": "as it was"}, kept[0]]}))
    assert decided_classes(claim, path) == [kept[0]]
    digests = [one["digest"] for one in recorded(RECORD)]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize(
    ("claim", "models", "pairs", "message"),
    [
        ("C1", PICKS, [(2, 1)], "claim C1: cannot be decided on a class"),
        ("R2", "none", [(2, 1)], "class: found 'none', expected one of"),
        ("R2", PICKS, [], "pairs: found none"),
        ("R2", PICKS, [(2, 3)], "expected 1 <= k <= n"),
        ("R2", PICKS, [(60, 3)], "not exact in doubles"),
        ("R2", PICKS, [(2, 2)], "has no instance with n = 2 and k = 2"),
        ("R2", replace(PICKS, discount=Fraction(1, 3)), [(2, 1)], "multiples of a power of 1/2"),
        ("R1", replace(PICKS, rewards=(Fraction(0), Fraction(1, 2))), [(2, 1)], "integer rewards only"),
    ],
)
def test_what_cannot_be_decided_is_refused(claim: str, models: Any, pairs: list[tuple[int, int]], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        exhaust(claim, models, pairs, workers=1)


def test_pairs_are_those_that_a_claim_speaks_of() -> None:
    assert pairs_of(CATALOGUE["R4"], PICKS, (2, 3)) == [(2, 1), (3, 1), (3, 2)]
    assert pairs_of(CATALOGUE["L1"], PICKS, (1, 2, 3)) == [(1, 1), (2, 2), (3, 3)]


def test_the_record_of_another_class_is_kept(tmp_path: Path) -> None:
    first, second = ({"claim": claim, "class": "c", "models": 1} for claim in ("R2", "R4"))
    changed = {**first, "models": 2}
    both = exhausting.record([second], [first])
    assert [one["claim"] for one in both["classes"]] == ["R2", "R4"]
    assert exhausting.record([changed], both["classes"])["classes"] == [changed, second]
    path = tmp_path / "classes.json"
    assert exhausting.recorded(path) == []
    path.write_text(json.dumps(both))
    assert exhausting.recorded(path) == both["classes"]
    path.write_text("{}")
    with pytest.raises(ModelError, match="is no record of classes"):
        exhausting.recorded(path)


def test_a_class_of_models_that_a_claim_does_not_cover_is_refused() -> None:
    with pytest.raises(ModelError, match="does not cover models of sizes"):
        exhaust("R7", "picks", [(2, 1)])


@pytest.mark.parametrize(("claim", "models", "pairs"), [("P3s", PICKS, [(2, 2), (3, 3)]), ("R7b", PICKS, [(2, 2), (3, 3)]), ("R5", TINY, [(2, 1), (3, 2)])])
def test_a_gap_of_zero_is_decided_by_the_optimality_of_what_is_played(claim: str, models: ModelClass, pairs: list[tuple[int, int]]) -> None:
    found = exhaust(claim, models, pairs, workers=1)
    assert (found["status"], found["by_sides"]) == ("holds", 0)


@pytest.mark.slow
def test_a_dask_cluster_decides_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhausting, "SLICE", 64)
    alone = exhaust("R2", PICKS, [(2, 1)], workers=1)
    with cluster(tmp_path, (1, 1)) as dask:
        spread = exhaust("R2", PICKS, [(2, 1)], scheduler=dask.address)
    ours = {name: value for name, value in alone.items() if name != "seconds"}
    assert ours == {name: value for name, value in spread.items() if name != "seconds"} and ours["digest"]
