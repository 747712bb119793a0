"""The alternation of claim A1 against labelled agents, and sabotages of its two kinds of answers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import flint
import pytest

from mfverify import models
from mfverify.exact.labelled_rational import LabelledRationalSystem
from mfverify.exact.rational import fraction
from mfverify.model import Model
from mfverify.papers.alternating_marl import one_agent_deviates
from mfverify.papers.alternating_marl.alternating_answers import A1, Alternation
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import NotApplicable, Sides, Verdict, judge


def labelled_value(game: Alternation, answered: tuple[int, ...], local: tuple[int, ...], rounds: int) -> Fraction:
    """``rounds`` steps of named agents and named samples, in the mean over the states (s_g, c)."""
    model, n = game.model, game.n
    system = LabelledRationalSystem(model, n)
    size = model.sizes[2]
    samples = list(combinations(range(n), game.k))
    value = dict.fromkeys(system.states, Fraction(0))
    for _ in range(rounds):
        after = {}
        for g, s in system.states:
            total = Fraction(0)
            moves = tuple(local[g * size + x] for x in s)
            for chosen in samples:
                seen = tuple(sum(s[i] == x for i in chosen) for x in range(size))
                action = (game.answer(answered)[g, seen], moves)
                ahead = sum((p * value[t] for t, p in system.law((g, s), action)), Fraction(0))
                total += system.reward((g, s), action) + model.discount * ahead
            after[g, s] = total / len(samples)
        value = after
    one_each = {(g, tuple(sorted(s))): x for (g, s), x in value.items()}
    return sum(one_each.values(), Fraction(0)) / len(one_each)


@pytest.mark.parametrize(("n", "k"), [(2, 1), (2, 2), (3, 2)])
def test_the_value_is_that_of_labelled_agents(n: int, k: int) -> None:
    model = models.random_coupled(5, discount="1/10")
    game = Alternation(model, n, k)
    pairs = [((0, 0, 1, 0), (0, 1, 1, 0)), ((1, 0, 0, 1), (1, 1, 0, 1))]
    tail = model.discount**6 * model.rt / (1 - model.discount)
    for answered, local in pairs:
        assert abs(fraction(game.value(answered, local)) - labelled_value(game, answered, local, 6)) <= tail
    assert fraction(game.value(*pairs[0])) != fraction(game.value(*pairs[1]))


@pytest.mark.parametrize("model", [models.coordination(), models.random_coupled(5)], ids=lambda m: m.name)
def test_exact_answers_end_in_equilibria_that_need_not_be_optimal(model: Model) -> None:
    outcome = A1.sides(Subsampled(model, 2, 2))
    assert isinstance(outcome, Sides) and judge(outcome) is Verdict.HOLDS
    assert outcome.left.upper == 0 and outcome.details["eta"] == "0"
    assert Fraction(outcome.details["welfare gap at the ends"].split(" to ")[1]) > Fraction(1, 3)


def test_an_alternation_that_stops_early_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the local agents never answer, or the start is taken for the end, a player gains more than 2 eta."""
    case = Subsampled(models.random_coupled(5), 2, 2)
    monkeypatch.setattr(Alternation, "end", lambda self, start: (start, start))
    assert judge(A1.sides(case)) is Verdict.VIOLATED


def test_an_answer_that_is_assumed_better_than_it_is_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With eta taken to be 0 the gains of a sample of one are above the right side."""
    case = Subsampled(models.coordination(), 3, 1)
    assert judge(A1.sides(case)) is Verdict.HOLDS
    game = Alternation(case.model, 3, 1)
    assert game.eta > 0
    monkeypatch.setattr(Alternation, "eta", flint.fmpq(0))
    assert judge(A1.sides(case)) is Verdict.VIOLATED


def test_too_many_policies_are_not_enumerated() -> None:
    assert isinstance(A1.sides(Subsampled(models.squeeze(), 2, 1)), NotApplicable)


def test_one_agent_gains_at_an_end_whose_global_policy_reads_local_states() -> None:
    """On two agents of the coordination model with k = n: eta = 0, no player gains, and one agent that leaves the shared policy gains 1/600."""
    case = one_agent_deviates.Tolerant(models.coordination(), 2, Fraction(0))
    read = one_agent_deviates._reading_all(case)
    assert isinstance(read, Sides) and read.left.lower == read.left.upper == Fraction(1, 600)
    for eta in (Fraction(0), Fraction(1, 2)):
        alone = one_agent_deviates._sides(replace(case, eta=eta))
        assert isinstance(alone, Sides) and alone.left.upper <= alone.right.lower == eta / 2
    assert isinstance(one_agent_deviates._sides(replace(case, agents=8)), NotApplicable)


def test_agents_that_follow_one_policy_are_worth_what_the_counts_say() -> None:
    model, game = models.random_coupled(5), Alternation(models.random_coupled(5), 3, 3)
    policy = game.answer((0, 1, 1, 0))
    worth = one_agent_deviates._value(model, 3, lambda g, s: policy[g, (s.count(0), s.count(1))], (1, 0, 0, 1), (1, 0, 0, 1))
    assert worth == fraction(game.value((0, 1, 1, 0), (1, 0, 0, 1)))
