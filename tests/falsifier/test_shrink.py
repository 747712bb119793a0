"""Shrinking ends at something violated that nothing simpler nearby is; certificates of it are accepted, byte for byte the same."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest

import mfverify as mfv
from mfverify.certificate import Certificate, certify
from mfverify.errors import ModelError, NoCertificateError
from mfverify.falsifier import attack
from mfverify.falsifier.domains import domain_of
from mfverify.falsifier.evaluation import Asked, Candidate, Evaluated, Evaluator, evaluate
from mfverify.falsifier.model_moves import untied
from mfverify.falsifier.shrink import Shrunk, shrink
from mfverify.falsifier.simplicity import simplicity
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.regime_switch import Switched
from mfverify.papers.mean_field_sampling.theorem_e_3 import TwoSizes
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.cases.populations import SampledPopulation
from mfverify.theory.cases.transitions import Transition
from mfverify.theory.claim import Claim, Verdict


def shrunk_from(claim_id: str, instance: Case, candidates: int = 1000, workers: int = 1) -> Shrunk:
    claim = CATALOGUE[claim_id]
    start = evaluate(Asked(claim, Candidate("given", instance), time.monotonic() + 600))
    assert start.verdict is Verdict.VIOLATED
    out = Shrunk(start)
    shrink(claim, Evaluator(claim, workers, time.monotonic() + 600), candidates, out)
    return out


def population(text: str, k: int) -> Case:
    return SampledPopulation(tuple(map(int, text.split("+"))), k)


def check_local_minimum(claim_id: str, best: Evaluated) -> None:
    claim = CATALOGUE[claim_id]
    instance = best.candidate.instance
    tried = 0
    for simpler in domain_of(claim).simpler(instance):
        assert simplicity(simpler) < simplicity(instance)
        assert evaluate(Asked(claim, Candidate("", simpler), time.monotonic() + 600)).verdict is not Verdict.VIOLATED
        tried += 1
    assert tried > 0


def test_populations_shrink_to_the_smallest_violation_there_is() -> None:
    result = shrunk_from("C2", population("2+1+1+1+1+1+1+1", 4))
    assert result.finished and result.steps > 0
    assert result.best.candidate.instance.label == "n=7 k=3 population=1+1+1+1+1+1+1"
    check_local_minimum("C2", result.best)
    assert shrunk_from("C3", population("10+10", 10)).best.candidate.instance.label == "n=2 k=1 population=1+1"


def test_a_transition_shrinks_to_two_agents_and_a_coin() -> None:
    start = Transition((2, 2), (5, 4), "uniform")
    best = shrunk_from("C7", start).best
    assert best.candidate.instance.label == "n=2 k=1 sample=1+0 population=2+0 kernel=uniform"
    assert best.left is not None and best.left.lower == Fraction(1, 4)


@pytest.mark.slow
def test_shrinking_does_not_depend_on_the_number_of_workers() -> None:
    alone, together = (shrunk_from("C2", population("2+1+1+1+1+1+1+1", 4), workers=w) for w in (1, 2))
    assert alone.best.candidate.instance == together.best.candidate.instance
    assert (alone.steps, alone.tried, alone.finished) == (together.steps, together.tried, together.finished)


def test_a_limit_ends_shrinking_with_what_was_reached() -> None:
    result = shrunk_from("C2", population("2+1+1+1+1+1+1+1", 4), candidates=4)
    assert not result.finished
    assert result.best.verdict is Verdict.VIOLATED


def test_parameters_shrink_over_the_whole_grid() -> None:
    start = Switched(2, 2, 5, 5)
    assert shrunk_from("S2", start).best.candidate.instance.label == "states=1 actions=2 first k=3 last k=3"


@pytest.mark.slow
def test_a_model_shrinks_and_its_certificate_is_accepted_and_reproducible() -> None:
    attacks = [mfv.attack("L2", budget=600, candidates=200, workers=1) for _ in range(2)]
    first, second = attacks
    assert first.certificate is not None and second.certificate is not None
    assert first.certificate.to_json() == second.certificate.to_json()
    assert mfv.check_certificate(first.certificate).accepted
    found = first.found
    assert found is not None and first.shrunk is not None and first.shrunk.finished
    instance = found.candidate.instance
    assert isinstance(instance, TwoSizes) and instance.model.sizes == (2, 2, 2, 1)
    assert (instance.subsample, instance.other) == (1, 2)
    assert found.left is not None and found.right is not None and found.right.upper == 0 < found.left.lower
    check_local_minimum("L2", found)


@pytest.mark.slow
@pytest.mark.parametrize(("claim_id", "most"), [("P3", (2, 2)), ("P4", (3, 2))])
def test_small_violations_of_what_should_happen_as_k_grows(claim_id: str, most: tuple[int, int]) -> None:
    found = mfv.attack(claim_id, budget=600, candidates=400, workers=1)
    assert found.found is not None and found.certificate is not None
    instance = found.found.candidate.instance
    assert isinstance(instance, Subsampled) and (instance.agents, instance.subsample) <= most
    assert mfv.check_certificate(found.certificate).accepted


@pytest.mark.slow
def test_theorem_4_2_is_violated_below_thirty_agents() -> None:
    """From nothing but the claim: two local states, two actions; the greedy policy is unique where the checker says so."""
    found = mfv.attack("T1", budget=600, candidates=200, seed=2, workers=2)
    assert found.found is not None and found.certificate is not None
    instance = found.found.candidate.instance
    assert isinstance(instance, Subsampled) and instance.agents < 30
    assert instance.model.sizes[1:] == (2, 2, 2)
    assert mfv.check_certificate(found.certificate).accepted


def test_where_ties_allow_no_certificate_rewards_are_changed_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    claim, smallest = CATALOGUE["P4"], mfv.attack("P4", candidates=100, workers=1).found
    assert smallest is not None
    case = smallest.candidate.instance
    assert case.written.model is not None
    others = list(untied(case.written.model))
    assert len(others) == 6 and others == list(untied(case.written.model))
    for one in others:
        changes = abs(one.local_reward - case.written.model.local_reward)
        assert 0 < changes.max() <= case.written.model.rt / 1024

    def without_ties(claim: Claim, instance: Case) -> Certificate:
        if instance == case:
            raise NoCertificateError("ties")
        return certify(claim, instance)

    monkeypatch.setattr(attack, "certify", without_ties)
    found = mfv.attack(claim, candidates=100, workers=1)
    assert found.reason == "ties" and found.certificate is not None and found.found is not None and found.shrunk is not None
    assert found.found.candidate.instance.written.model in others
    assert (found.found.candidate.instance.order, found.found.candidate.instance.written.subsample) == (case.order, case.written.subsample)
    assert found.shrunk.earlier[-1].candidate.instance == case and not found.shrunk.finished
    assert mfv.check_certificate(found.certificate).accepted


def test_the_certificate_is_that_of_the_simplest_instance_that_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simplest may have ties that no certificate decides: the one that it was simplified from is certified, and it is said why."""
    claim, smallest = CATALOGUE["L2"], mfv.attack("L2", candidates=100, workers=1).found
    assert smallest is not None

    def without_ties(claim: Claim, instance: Case) -> Certificate:
        if instance == smallest.candidate.instance:
            raise ModelError("ties")
        return certify(claim, instance)

    monkeypatch.setattr(attack, "certify", without_ties)
    found = mfv.attack(claim, candidates=100, workers=1)
    assert found.reason == "ties" and found.certificate is not None and found.found is not None
    assert found.shrunk is not None and not found.shrunk.finished  # a simpler one was found, so it does not say that there is none
    assert simplicity(found.found.candidate.instance) > simplicity(smallest.candidate.instance)
    assert found.certificate.document["subsample"] == found.found.candidate.instance.written.subsample
    assert mfv.check_certificate(found.certificate).accepted
