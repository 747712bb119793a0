"""The search: every claim can be searched, in an order that depends on claim and seed alone."""

from __future__ import annotations

import pickle
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any, get_args

import pytest

import mfverify as mfv
from examples import own_claim
from mfverify import models
from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.falsifier import attack as attack_module
from mfverify.falsifier import templates
from mfverify.falsifier.domains import domain_of
from mfverify.falsifier.evaluation import Asked, Candidate, Evaluated, Evaluator, evaluate
from mfverify.falsifier.model_domains import ModelDomain, OwnDomain, sizes_of
from mfverify.falsifier.search import ROUND, Rounds, Searched, search
from mfverify.model import Model
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.mean_distance import balanced_sample
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import OfAgents, Subsampled
from mfverify.theory.cases.populations import SampledPopulation
from mfverify.theory.claim import NotApplicable, Outcome, Sides, Verdict
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement, Parameters, Populations, SearchSpace

LISTS_ITSELF = {"B5", "S3f", "P1", "B4", "B4b", "X1"}
"""Claims whose parameters only they understand."""


def searched(claim_id: str, candidates: int, seed: int = 0, workers: int = 1) -> Searched:
    claim = CATALOGUE[claim_id]
    out = Searched(claim_id, seed)
    search(claim, Evaluator(claim, workers, time.monotonic() + 600), candidates, out)
    return out


def test_claims_with_one_list_of_instances_are_searched_alike() -> None:
    spaces = defaultdict(list)
    for claim in CATALOGUE:
        spaces[claim.instances].append(claim.searched)
    assert max(map(len, spaces.values())) > 3
    assert all(one == found[0] for found in spaces.values() for one in found), "a statement says otherwise where it is searched"


def test_every_kind_of_search_space_has_a_domain() -> None:
    kinds = {type(claim.searched): type(domain_of(claim)) for claim in CATALOGUE}
    assert len(set(kinds.values())) == len(kinds) == len(get_args(SearchSpace)) + 1
    assert kinds[type(None)] is OwnDomain


def test_claims_of_the_catalogue_that_list_their_own_instances() -> None:
    assert {claim.id for claim in CATALOGUE if isinstance(domain_of(claim), OwnDomain)} >= LISTS_ITSELF


def test_the_search_finds_that_the_gap_on_a_linear_process_can_grow() -> None:
    """Its first domain had n = 8 and k = 1, 2, 4 only, where the counterexample's own model holds."""
    out = searched("X3", 24, seed=4)
    assert out.found is not None and out.found.verdict is Verdict.VIOLATED
    first = Rounds(domain_of(CATALOGUE["X3"]), 0).next_round()
    sizes = {(c.instance.agents, c.instance.subsample) for c in first if isinstance(c.instance, Subsampled)}
    assert len({n for n, _ in sizes}) > 2
    assert all(k < n for n, k in sizes)


@pytest.mark.parametrize("claim_id", [claim.id for claim in CATALOGUE])
def test_every_claim_has_candidates_that_are_a_function_of_the_seed(claim_id: str) -> None:
    first, again, other = (Rounds(domain_of(CATALOGUE[claim_id]), seed).next_round() for seed in (0, 0, 1))
    assert len(first) >= 5
    keys = [c.instance.key("", "") for c in first]
    assert keys == [c.instance.key("", "") for c in again]
    assert len(set(keys)) == len(keys)
    if any("random" in c.family for c in first):
        assert keys != [c.instance.key("", "") for c in other]


@pytest.mark.parametrize(
    "claim_id", ["C1", "C4m", "C5e", "C6", "C7b", "S1", "S2e", "S3b", "S4", "L1", "P2", "P4", "R1", "R5", "S1t", "B7", "N1b", "S4b", "T3"]
)
def test_candidates_are_instances_that_the_claim_speaks_about(claim_id: str) -> None:
    claim = CATALOGUE[claim_id]
    evaluator = Evaluator(claim, 1, time.monotonic() + 600)
    small = [c for c in Rounds(domain_of(claim), 0).next_round() if (c.instance.written.agents or 1) <= 16][:5]
    answers = list(evaluator.evaluated(small))
    assert len(answers) == len(small) > 2
    assert [a.reason for a in answers if a.failed] == []
    assert any(a.left is not None for a in answers)


def test_sizes_stay_in_order_and_costs_below_the_limit() -> None:
    for claim_id in ("T1", "R4", "P3", "P4", "L2", "R1"):
        domain = domain_of(CATALOGUE[claim_id])
        assert isinstance(domain, ModelDomain)
        seen = [one for family in domain.families(0).values() for one in islice(family, 20)]
        for one in seen:
            n, k = sizes_of(one)
            assert 1 <= k <= n and one.model is not None
            assert domain.arrangement.cost(one.model, n, k) <= 1
            assert k < n or claim_id in ("T1", "P3")


def said(one: Evaluated | None) -> tuple[str, str, str]:
    assert one is not None
    return one.candidate.instance.label, repr(one.left), repr(one.right)


@pytest.mark.slow
def test_the_outcome_does_not_depend_on_the_number_of_workers() -> None:
    alone, together = (searched("C2", 400, workers=workers) for workers in (1, 2))
    assert said(alone.found) == said(together.found)
    assert alone.families == together.families and alone.verdicts == together.verdicts


def test_what_is_found_is_the_first_in_order() -> None:
    whole = searched("C2", 400)
    assert whole.found is not None
    assert said(searched("C2", whole.evaluations).found) == said(whole.found)
    assert searched("C2", whole.evaluations - 1).found is None


def test_a_search_that_finds_nothing_says_what_it_searched() -> None:
    attack = mfv.attack("R3m", candidates=3 * ROUND, workers=1)
    document = attack.to_json()
    assert attack.found is None and attack.certificate is None
    assert document["status"] == "undecided"
    assert document["searched"]["candidates"] == 3 * ROUND == sum(document["searched"]["families"].values())
    assert set(document["searched"]["families"]) == {"all populations", "random populations", "local search"}
    best = document["searched"]["best"]
    assert best["ratio"] <= 1 and best["model"] is None


def test_a_grid_of_parameters_is_exhausted() -> None:
    claim = replace(CATALOGUE["C4l"], searched=Parameters((range(1, 6), range(1, 12)), balanced_sample))
    result = Searched("C4l", 0)
    search(claim, Evaluator(claim, 1, time.monotonic() + 600), 1000, result)
    assert result.exhausted and result.found is None
    assert result.evaluations == 1 + 3 + 5 + 7 + 9


def test_time_that_runs_out_leaves_nothing_half_counted() -> None:
    claim = CATALOGUE["C1"]
    result = Searched("C1", 0)
    search(claim, Evaluator(claim, 1, time.monotonic() - 1), None, result)
    assert result.evaluations == 0 and not result.exhausted


def never_ends(instance: Case) -> Outcome:
    while True:
        pass


def test_an_evaluation_ends_with_the_budget() -> None:
    attack = mfv.attack(replace(CATALOGUE["C1"], id="endless", sides=never_ends), budget=0.2, workers=1)
    assert attack.found is None and attack.searched.evaluations == 0


def test_in_a_thread_an_evaluation_is_ended_by_another_thread() -> None:
    """As in a worker of a cluster, where no alarm rings."""
    claim = replace(CATALOGUE["C1"], id="endless", sides=never_ends)
    quick = next(iter(Rounds(domain_of(CATALOGUE["C1"]), 0).next_round()))
    answers: list[Evaluated] = []

    def work() -> None:
        for _ in range(3):
            answers.append(evaluate(Asked(claim, quick, time.monotonic() + 0.2)))
            answers.append(evaluate(Asked(CATALOGUE["C1"], quick, time.monotonic() + 600)))

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(60)
    assert not worker.is_alive()
    assert [(a.verdict is None, a.reason) for a in answers] == [(True, "out of time"), (False, "")] * 3


def test_the_time_that_is_left_travels_and_not_the_hour() -> None:
    candidate = Candidate("", SampledPopulation((1, 1), 1))
    asked = pickle.loads(pickle.dumps(Asked(CATALOGUE["C1"], candidate, time.monotonic() + 100)))
    assert 90 < asked.deadline - time.monotonic() <= 100
    assert asked.claim is CATALOGUE["C1"] and asked.candidate == candidate


def stumbles(instance: Case) -> Outcome:
    raise ZeroDivisionError("on purpose")


def test_a_claim_whose_code_fails_is_reported_and_not_believed() -> None:
    attack = mfv.attack(replace(CATALOGUE["C1"], id="stumbling", sides=stumbles), candidates=5, workers=1)
    assert attack.found is None
    assert attack.searched.verdicts == {"undecided": 5}
    assert len(attack.searched.failures) == 3 and "ZeroDivisionError: on purpose" in attack.searched.failures[0]


def refuses(instance: Case) -> Outcome:
    raise ModelError("out of reach")


def test_what_is_out_of_reach_is_undecided() -> None:
    attack = mfv.attack(replace(CATALOGUE["C1"], id="refusing", sides=refuses), candidates=5, workers=1)
    assert attack.searched.verdicts == {"undecided": 5} and attack.searched.failures == []


def test_scores() -> None:
    def score(left: int, right: int) -> float:
        return Evaluated(Candidate("", Case()), Verdict.HOLDS, Interval.exactly(left), Interval.exactly(right)).score

    assert score(1, 2) == 0.5
    assert score(3, 0) == 4
    assert score(-1, 0) == -1
    assert score(0, 0) == 0
    assert score(10**400, 1) == float("inf")
    assert Evaluated(Candidate("", Case()), Verdict.NOT_APPLICABLE).score == float("-inf")


# ---------------------------------------------------------------------------------------------------------- claims of a user


@dataclass(frozen=True)
class Theirs(OfAgents):
    """A case of a user's, with a word."""

    word: str


@dataclass(frozen=True)
class Named(OfAgents):
    """A case with a parameter that depends on the model; its name is not that of a field of every case."""

    fingerprint: str


def too_generous(instance: OfAgents, limit: Fraction) -> Outcome:
    """A user's claim that rewards are small: false on models with a larger one."""
    if instance.model.sizes[3] > 2:
        return NotApplicable("too many actions")
    return Sides(Interval.exactly(instance.model.rt_l), Interval.exactly(limit))


def on_any(profile: Any, given: Any) -> list[Theirs]:
    return [Theirs(m, 2, "theirs") for m in given or [models.coordination()]]


def test_a_claim_of_a_user_is_searched_through_its_own_instances_on_generated_models() -> None:
    claim = replace(own_claim.CLAIM, id="U1", sides=partial(too_generous, limit=Fraction(7)), instances=on_any)
    assert isinstance(domain_of(claim), OwnDomain)
    attack = mfv.attack(claim, candidates=300, workers=1)
    assert attack.found is not None
    instance = attack.found.candidate.instance
    assert isinstance(instance, Theirs) and instance.word == "theirs" and instance.agents == 2
    assert instance.model.rt_l > 7
    assert instance.model.sizes == (1, 1, 1, 1), "shrunk to one state and one action of each kind"
    assert "GapProof" in attack.reason
    with pytest.raises(ModelError, match="U1 is violated at found-"):
        mfv.falsify(claim, candidates=300, workers=1)


def on_named(profile: Any, given: Any) -> list[Named]:
    """A parameter that is another one on every model, as the m* of a learning claim is."""
    return [Named(m, 2, m.fingerprint) for m in given or [models.coordination()]]


def test_an_instance_without_neighbours_does_not_hold_up_the_search() -> None:
    claim = replace(own_claim.CLAIM, id="U2", sides=partial(too_generous, limit=Fraction(10**9)), instances=on_named)
    given = on_named(None, None)[0]
    # What is left are changes that change nothing.
    assert all(one.written.model == given.model for one in domain_of(claim).neighbours(given, random.Random(0)))
    searched = mfv.attack(claim, candidates=ROUND + 6, workers=1).searched
    assert searched.evaluations == ROUND + 6 and "local search" not in searched.families


def odd_samples(model: Model, n: int, k: int) -> Subsampled | None:
    return Subsampled(model, n, k) if k % 2 and 3 <= k < n else None


def test_a_claim_that_does_not_cover_the_smallest_sizes_is_searched_from_its_own_smallest_on() -> None:
    claim = replace(CATALOGUE["P4"], searched=Arrangement(odd_samples, rational_cost))
    for name, instances in domain_of(claim).families(0).items():
        found = list(islice(instances, 20))
        assert len(found) == 20 and all(one.subsample % 2 and one.subsample >= 3 for one in found), name
        assert name != "exhaustive grid" or {(one.agents, one.subsample) for one in found} == {(4, 3), (5, 3)}


def not_covered(*case: Any) -> None:
    del case


@pytest.mark.parametrize(("claim_id", "searched"), [("P4", Arrangement(not_covered, rational_cost)), ("C4", Populations(not_covered))])
def test_a_claim_that_covers_nothing_ends_at_once(claim_id: str, searched: SearchSpace[Any]) -> None:
    """Every family comes to its end; no budget would end a family that looks for its first instance without end."""
    claim = replace(CATALOGUE[claim_id], screen=None, searched=searched)
    out = Searched(claim.id, 0)
    search(claim, Evaluator(claim, 1, time.monotonic() + 600), None, out)
    assert out.exhausted and out.evaluations == 0


def on_no_other(profile: Any, given: Any) -> list[Named]:
    """Instances on one model alone: on all but one of those that a search draws there are none."""
    return [Named(m, 2, "") for m in given or [] if m == templates.drawn(random.Random("own 0"), 0)]


def test_a_claim_of_a_user_without_instances_on_other_models_comes_to_an_end() -> None:
    claim = replace(own_claim.CLAIM, id="U3", instances=on_no_other)
    assert list(domain_of(claim).families(0)["random models"]) == []


# ------------------------------------------------------------------------------------------------------------- bad arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budget": 0}, "budget: found 0"),
        ({"budget": float("nan")}, "budget: found nan"),
        ({"budget": "60"}, "budget: found '60'"),
        ({"seed": -1}, "seed: found -1"),
        ({"seed": 0.5}, "seed: found 0.5"),
        ({"workers": 0}, "workers: found 0"),
        ({"candidates": 0}, "candidates: found 0"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        mfv.attack("C3", **arguments)


def test_an_unknown_claim_is_refused() -> None:
    with pytest.raises(ModelError, match="is not in the catalogue"):
        mfv.falsify("C99")


def test_an_interrupted_search_keeps_what_it_did() -> None:
    def interrupt(claim: str, so_far: Searched, shrunk: Any) -> None:
        if so_far.evaluations == 7:
            raise KeyboardInterrupt

    with pytest.raises(attack_module.InterruptedAttack) as stopped:
        mfv.attack("C1", workers=1, progress=interrupt)
    assert stopped.value.attack.searched.evaluations == 7
    assert stopped.value.attack.found is None
