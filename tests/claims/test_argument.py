"""The walk through the argument of Theorem 4.2: its numbers against labelled agents, and where it breaks."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from click.testing import CliRunner

from mfverify import models
from mfverify.cli import main
from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.argument_of_theorem_4_2 import step_loss
from mfverify.theory.argument import Line, Walk
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import Learned, Subsampled
from mfverify.theory.claim import Verdict
from tests import oracles
from tests.agreement.checks import assert_encloses, instance_of

COORDINATION = Subsampled(models.coordination(), 100, 99)


def walked(claim_id: str, instance: Case) -> Walk:
    claim = CATALOGUE[claim_id]
    assert claim.argument is not None
    return Walk(claim, instance, claim.argument(instance))


@pytest.mark.parametrize("sampling", ["independent", "shared"])
def test_the_loss_of_a_step_is_that_of_labelled_agents(sampling: str) -> None:
    model = models.random_coupled(4)
    data, n, k = instance_of(model), 3, 2
    system, greedy = oracles.LabelledSystem(data, n), oracles.Greedy(oracles.LabelledSystem(data, k))
    losses = {}
    for state in system.states:
        ahead = Fraction(0)
        for action, weight in oracles.PLAYS[sampling](greedy, n, state).items():
            reward, law = system.row(state, action)
            ahead += weight * (reward + data.discount * sum((p * system.optimum[t] for t, p in law.items()), Fraction(0)))
        losses[state] = system.optimum[state] - ahead
    assert any(losses.values())
    assert_encloses(step_loss(model, n, k, sampling), system.by_counts(losses), data, n)


def test_the_argument_breaks_where_samples_disagree() -> None:
    walk = walked("T1", COORDINATION)
    assert walk.breaks == 2
    assert "treated" not in walk.conclusion and "as if all had seen one sample" in walk.conclusion
    assert walk.conclusion.endswith("The claim is violated here.")
    # The right side of a line of the chain is the left side of the next.
    chain = [line for line in walk.lines if "bracket:" not in line.step]
    assert [one.right for one in chain[:-1]] == [other.left for other in chain[1:]]
    loss, first, second = (walk.lines[i] for i in (4, 2, 3))
    halves = (first.left + second.left) / (1 - COORDINATION.model.discount)
    assert halves.lower <= loss.left.upper and loss.left.lower <= halves.upper


def test_it_breaks_at_the_factor_two_alone_where_one_global_state_settles_all() -> None:
    walk = walked("T1", Subsampled(models.absorbing(), 12, 4))
    assert [line.verdict for line in walk.lines][-1] is Verdict.VIOLATED
    assert walk.breaks == len(walk.lines)
    assert walk.conclusion.endswith("The claim itself holds here.")
    assert walked("T1c", Subsampled(models.absorbing(), 12, 4)).breaks is None


def test_a_planted_line_is_found() -> None:
    one, two = Interval.exactly(1), Interval.exactly(2)
    claim = CATALOGUE["T1"]
    good, bad = Line("up", "one", one, "two", two), Line("down", "two", two, "one", one, ("L2",))
    assert Walk(claim, COORDINATION, [good]).breaks is None
    assert Walk(claim, COORDINATION, [good, bad, bad]).breaks == 2
    assert "breaks at line 2 (L2): down" in Walk(claim, COORDINATION, [good, bad]).as_text()


def test_the_command_prints_lines_or_json() -> None:
    run = CliRunner().invoke(main, ["explain", "T1", "--instance", "absorbing n=12 k=4", "--json"])
    document = json.loads(run.output)
    assert run.exit_code == 0
    assert document["breaks"] == len(document["lines"]) == 7
    assert {"step", "uses", "where", "verdict", "left", "right"} == document["lines"][0].keys()
    assert "The claim itself holds here." in CliRunner().invoke(main, ["explain", "T1", "--instance", "absorbing n=12 k=4"]).output.replace(
        "\n", " "
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["L2", "--instance", "x"], "no argument is reconstructed"),
        (["T1", "--instance", "x"], "'x' is no instance of T1"),
        (["T9", "--instance", "x"], "T9"),
    ],
)
def test_what_cannot_be_walked_through_is_refused(arguments: list[str], complaint: str) -> None:
    failure = CliRunner().invoke(main, ["explain", *arguments]).exception
    assert isinstance(failure, ModelError)
    assert complaint in str(failure)


def test_instances_without_an_exact_operator_are_refused() -> None:
    sampled = Learned(models.coordination(), 50, 11, 1, 0)
    with pytest.raises(ModelError, match="exact operator"):
        walked("T2", sampled)
