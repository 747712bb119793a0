"""The claims about extensions: applicability, the executed policy they compare, and their way into the report."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mfverify import Model, execution_value, learn, optimal_value, verify
from mfverify.certificate import load_certificate
from mfverify.extensions.linear_mdp import random_mixture
from mfverify.models import absorbing, coordination, random_coupled, splitting
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.appendix_h import X1, executed_mixtures
from mfverify.papers.mean_field_sampling.remark_4_7 import X2
from mfverify.papers.mean_field_sampling.theorem_4_12 import X3, X3B, LinearProcess
from mfverify.report.certificates import FOLDER
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, NotApplicable, Profile, Sides, Verdict, finding
from tests.agreement.checks import instance_of
from tests.oracles import Greedy, LabelledSystem, independent_play
from tests.oracles import execution_value as execution_value_by_listing


@pytest.mark.parametrize("model", [coordination(), random_coupled(4)], ids=lambda m: m.name)
@pytest.mark.parametrize("k", [1, 2])
def test_executed_mixture_against_the_enumeration_of_draws(model: Model, k: int) -> None:
    greedy = Greedy(LabelledSystem(instance_of(model), k))
    mixtures = executed_mixtures(model, 2, k)
    assert len(mixtures) == 8
    for state, mixture in mixtures.items():
        assert dict(mixture) == independent_play(greedy, 2, state)


def test_reducible_chains_are_not_applicable() -> None:
    instance = next(i for i in X2.instances(Profile.QUICK, None) if i.model == absorbing())
    assert isinstance(X2.sides(instance), NotApplicable)


def test_where_sampling_costs_nothing_there_is_no_decay() -> None:
    assert isinstance(X3.sides(LinearProcess(random_coupled(0), 8, 1, None, 0)), NotApplicable)


def test_sides_of_the_decay_are_the_two_gaps() -> None:
    model, n, k = random_coupled(96), 16, 1
    outcome = X3B.sides(LinearProcess(model, n, k, None, 0))
    assert isinstance(outcome, Sides)
    best = optimal_value(model, n)
    few, many = ((best - execution_value(model, n, learn(model, x))).max() for x in (k, 4 * k))
    assert outcome.left.lower <= many.upper
    assert many.lower <= outcome.left.upper
    assert 2 * outcome.right.lower <= few.upper
    assert few.lower <= 2 * outcome.right.upper
    # Here the gap does not only fail to halve: it grows.
    assert outcome.left.lower > 2 * outcome.right.upper


def gap_by_listing(model: Model, n: int, k: int) -> Fraction:
    """The largest gap over start states by brute force over labelled agents, exact."""
    data = instance_of(model)
    system = LabelledSystem(data, n)
    played = execution_value_by_listing(data, n, k, "independent")
    return max(best - played[state] for state, best in system.by_counts(system.optimum).items())


def test_the_gap_grows_from_k_1_to_k_n_by_brute_force_and_in_closed_form() -> None:
    model, gamma, cost = splitting(discount="9/10"), Fraction(9, 10), Fraction(1, 10)
    at_n = gamma**2 / (2 * (1 - gamma)) - cost / 2  # V* from "both idle", where both stay idle and earn 0
    assert at_n == gap_by_listing(model, 2, 2) == 4
    assert gap_by_listing(model, 2, 1) == Fraction(1, 2)
    outcome = X3.sides(LinearProcess(model, 2, 1, None, 0))
    assert isinstance(outcome, Sides)
    assert (outcome.left.lower <= 4 <= outcome.left.upper, outcome.right.lower <= Fraction(1, 2) <= outcome.right.upper) == (True, True)
    assert finding(X3, LinearProcess(model, 2, 1, None, 0)).verdict is Verdict.VIOLATED


def test_violations_of_the_decay_lie_between_the_sample_sizes_of_the_first_search() -> None:
    verdicts = {k: finding(X3, LinearProcess(splitting(discount="9/10"), 8, k, None, 0)).verdict for k in range(1, 8)}
    assert [k for k, verdict in verdicts.items() if verdict is Verdict.VIOLATED] == [3, 5, 7]
    assert [verdicts[k] for k in (1, 2, 4)] == [Verdict.HOLDS] * 3


def test_the_opposite_rule_for_ties_undoes_the_counterexample() -> None:
    """As its story says: the violation is one of the lexicographic rule."""
    model = splitting(discount="9/10")
    opposite = replace(model, local_kernel=model.local_kernel[:, :, ::-1], local_reward=model.local_reward[:, :, ::-1], name="opposite")
    assert (gap_by_listing(opposite, 2, 1), gap_by_listing(opposite, 2, 2)) == (Fraction(1, 2), Fraction(1, 20))


def test_another_model_is_a_counterexample_under_both_rules() -> None:
    numbered = [load_certificate(FOLDER / f"{name}.json").instance for name in ("X3_uneven", "X3_uneven_other_rule")]
    first, other = (one.model for one in numbered)
    assert first is not None and other is not None
    assert (first.local_kernel[:, :, ::-1] == other.local_kernel).all() and (first.local_reward[:, :, ::-1] == other.local_reward).all()
    assert [finding(X3, one).verdict for one in numbered] == [Verdict.VIOLATED] * 2


def test_seeded_regressions_are_a_figure_and_change_no_side() -> None:
    process = random_mixture(6)
    exact, sampled = (X3.sides(LinearProcess(process.reduction, 8, 3, 6, m)) for m in (0, 256))
    assert isinstance(exact, Sides) and isinstance(sampled, Sides)
    assert (exact.left.to_json(), exact.right.to_json()) == (sampled.left.to_json(), sampled.right.to_json())
    assert len(sampled.details["curve"]["series"]) == len(exact.details["curve"]["series"]) + 2


def test_the_repairs_of_the_decay_where_it_fails() -> None:
    model = splitting(discount="9/10")
    assert finding(CATALOGUE["X3p"], Subsampled(model, 2, 2)).verdict is Verdict.NOT_APPLICABLE
    shared = CATALOGUE["X3r"].sides(Subsampled(model, 2, 2))
    assert isinstance(shared, Sides)
    assert (shared.left.upper, shared.right.lower) == (0, 0)


def test_gap_of_the_noisy_system_is_that_of_the_model() -> None:
    model, n, k = coordination(), 2, 1
    outcome = X1.sides(next(i for i in X1.instances(Profile.QUICK, None) if i.model == model and (i.agents, i.subsample) == (n, k)))
    assert isinstance(outcome, Sides)
    gap = (optimal_value(model, n) - execution_value(model, n, learn(model, k))).max()
    assert gap.lower <= Fraction(outcome.details["gap of the system with drawn rewards"]) <= gap.upper
    assert gap.lower > 0


@pytest.mark.parametrize("claim", [X1, X2, X3, X3B], ids=lambda c: c.id)
def test_labels_are_unique_and_instances_replay(claim: Claim) -> None:
    for profile in Profile:
        labels = [i.label for i in claim.instances(profile, None)]
        assert len(labels) > 5
        assert len(set(labels)) == len(labels)
    given = claim.instances(Profile.QUICK, [random_coupled(4)])
    assert given
    assert finding(claim, given[0]).verdict in (Verdict.HOLDS, Verdict.VIOLATED)


@pytest.mark.slow
def test_findings_go_into_the_report_with_their_curves(tmp_path: Path) -> None:
    for claim in (X1, X2, X3, X3B):
        label = claim.instances(Profile.QUICK, None)[0].label
        document = verify([claim], instance=label, out=tmp_path / claim.id, workers=1).document
        (instance,) = document["claims"][0]["instances"]
        assert instance["details"]["curve"]["x"]
        page = (tmp_path / claim.id / "report.html").read_text()
        assert instance["details"]["curve"]["title"] in page
