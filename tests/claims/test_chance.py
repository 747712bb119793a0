"""Chance decides no verdict: rare transitions, many seeds, and what each claim that draws numbers does with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
import sympy as sp

from mfverify import Model
from mfverify.exact.rational import RationalSystem, fraction
from mfverify.extensions.off_policy import StepSize
from mfverify.models import absorbing, coordination, random_coupled
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.bellman_noise import MEAN_NOISE, Noisy
from mfverify.papers.mean_field_sampling.laws_of_estimates import joint_actions, optimum_of
from mfverify.papers.mean_field_sampling.lemma_4_3 import ENOUGH_ON_AVERAGE, OnSeeds
from mfverify.papers.mean_field_sampling.remark_4_7 import Trajectories
from mfverify.papers.ours import symbols as paper
from mfverify.theory.claim import Claim, NotApplicable, Profile, Sides, Status, Unresolved, Verdict, finding, judge, status
from tests import oracles

WORD = {"seed", "seeds", "samples", "noise", "pairs", "kernels", "kernel", "transitions"}
"""Parameters that decide which random numbers a claim draws."""
DRAWING = {
    "B1": "random value functions: the inequality is stated for all of them",
    "B3": "random value functions and one sampled operator: a contraction for every sample",
    "B4": "exact law of the samples; one random value function, for all of which it is stated",
    "B4b": "exact law of the samples",
    "B4r": "exact law of the samples",
    "B6": "exact mean over all samples; the seeds are a figure",
    "C6": "random kernels: the inequality is stated for all of them",
    "C7": "random kernels, exact distances; it is refuted without them",
    "C7b": "as C7",
    "C7r": "random kernels: the inequality is stated for all of them",
    "N1": "a number of samples that is proved to suffice; the seeds are an experiment in the details",
    "P1": "random policies: the identity is stated for all of them",
    "R4n": "the certified noise of the sample that was drawn stands on the right side: stated for every sample",
    "T2": "a sample whose noise is certified to be at most 1/sqrt(k), the event on which the theorem bounds the gap",
    "T2b": "as T2",
    "T2c": "as T2",
    "X1": "random laws of the rewards: the identity is stated for all of them",
    "X2": "exact mean update; the seeds are a figure",
    "X3": "the exact regression on both sides; the seeded ones are a figure",
    "X3b": "as X3",
}
"""Every claim whose instances draw random numbers, and why chance cannot make it violated where it is true."""


def one_action() -> Model:
    """Two local states, one action, nothing rare: eight seeds said that the noise does not fall."""
    return Model([[[1]]], [[[["1/2", "1/2"]]], [[["1/3", "2/3"]]]], [[0]], [[[0]], [[1]]], "9/10", "one action")


def patient() -> Model:
    """Three local states and two actions at discount 0.999999."""
    rows = [
        [["1/4", "1/4", "1/2"], ["0", "1/4", "3/4"]],
        [["3/4", "0", "1/4"], ["1/4", "0", "3/4"]],
        [["1/2", "1/2", "0"], ["1/4", "1/4", "1/2"]],
    ]
    rewards = [["11/20", "3/4"], ["1", "4/5"], ["6/5", "1"]]
    return Model([[[1]]], [[row] for row in rows], [[0]], [[pair] for pair in rewards], "999999/1000000", "patient")


def rare(rate: str, discount: str = "9/10") -> Model:
    """Two local states that are left with a tiny probability, and an action that makes it twice as likely."""
    p = Fraction(rate)
    rows = [[[1 - p, p], [1 - 2 * p, 2 * p]], [[p, 1 - p], [2 * p, 1 - 2 * p]]]
    return Model(
        [[[1, 0], [0, 1]]] * 2, [[row, row] for row in rows], [[0, 0]] * 2, [[[0, 0], [1, 1]], [[1, 1], [0, 0]]], discount, f"rare {rate}"
    )


HARD = [
    one_action(),
    patient(),
    *(rare(rate) for rate in ("1/100000", "1/1000000000")),
    rare("1/100000", "1/1000000"),
    rare("1/1000", "9999/10000"),
]


@pytest.mark.parametrize("claim_id", ["B6", "N1", "N1b", "X2", "B4", "B4r", "B7"])
@pytest.mark.parametrize("model", HARD, ids=lambda model: f"{model.name} {model.discount}")
def test_true_limits_are_not_refuted_on_models_of_a_user(claim_id: str, model: Model) -> None:
    claim = CATALOGUE[claim_id]
    plain = [without_figure(one) for one in claim.instances(Profile.QUICK, [model])]
    verdicts = Counter(finding(claim, one).verdict for one in dict.fromkeys(plain))
    assert Verdict.VIOLATED not in verdicts
    if claim_id in ("B6", "X2"):
        assert status(list(verdicts)) is Status.CORROBORATED
        assert set(verdicts) <= {Verdict.HOLDS, Verdict.VACUOUS}


def without_figure(one: Any) -> Any:
    """A case of B6, X2 or N1 without what its figure needs, which does not decide its sides; those of the other claims as they are."""
    return replace(one, **{f.name: None for f in fields(one) if f.name in ("to", "seeds", "steps", "step_size")})


def test_the_figures_are_shown_and_change_no_side() -> None:
    model = one_action()
    for claim_id, figure in (
        ("B6", Noisy(model, 1, 4, 64, 3)),
        ("X2", Trajectories(model, 1, 64, 3, StepSize.POLYNOMIAL)),
        ("N1", OnSeeds(model, 1, 3)),
    ):
        sides, plain = (CATALOGUE[claim_id].sides(one) for one in (figure, without_figure(figure)))
        assert isinstance(sides, Sides) and isinstance(plain, Sides)
        assert (sides.left.to_json(), sides.right.to_json()) == (plain.left.to_json(), plain.right.to_json())
        said = " ".join(str(x) for x in sides.details.values())
        assert "no verdict depends on it" in said
        assert "no verdict depends on it" not in " ".join(str(x) for x in plain.details.values())
        assert claim_id == "N1" or len(sides.details["curve"]["x"]) > 2


def test_every_claim_that_draws_numbers_is_known() -> None:
    """A new one is added here on purpose, with the reason why chance decides none of its verdicts."""
    found = {claim.id for claim in CATALOGUE for one in claim.instances(Profile.QUICK, None) if WORD & one.written.parameters.keys()}
    assert found == DRAWING.keys()


# --------------------------------------------------------------------------------------------- B6 against all sample sets


def sample_sets(model: Model, k: int, m: int) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
    """Probability, noise and largest entry of (P^ - P) V* of every outcome of m samples for each pair, by listing them."""
    system = RationalSystem(model, k)
    best = optimum_of(model, k)
    pairs = [(state, action) for state in system.states for action in joint_actions(model, k, state)]
    laws = []
    for (g, _), (b, d) in pairs:
        law = {(h, c): p * fraction(q) for h, p in enumerate(model.global_kernel[g, b]) if p for c, q in system.law(g, d).items()}
        laws.append({target: p for target, p in law.items() if p})
    means = [sum(p * best[target] for target, p in law.items()) for law in laws]
    rewards = [fraction(system.reward(g, action)) for (g, _), action in pairs]
    for drawn in product(*(product(law, repeat=m) for law in laws)):
        probability = Fraction(1)
        for law, targets in zip(laws, drawn, strict=True):
            for target in targets:
                probability *= law[target]
        decisions: dict[oracles.State, dict[int, oracles.Row[oracles.State]]] = {state: {} for state in system.states}
        for i, ((state, _), targets) in enumerate(zip(pairs, drawn, strict=True)):
            decisions[state][i] = rewards[i], {target: Fraction(x, m) for target, x in Counter(targets).items()}
        estimate, _ = oracles.solve_decisions(decisions, model.discount)
        off = [abs(model.discount * (sum(estimate[t] for t in targets) / m - mean)) for targets, mean in zip(drawn, means, strict=True)]
        entry = max(abs(sum(best[t] for t in targets) / m - mean) for targets, mean in zip(drawn, means, strict=True))
        yield probability, max(off), entry


def two_actions() -> Model:
    """One global state, two local states and actions: four pairs."""
    rows = [[["1/2", "1/2"], ["1/4", "3/4"]], [["1/3", "2/3"], ["1", "0"]]]
    return Model([[[1]]], [[row] for row in rows], [[0]], [[["0", "1/5"]], [["1", "1/2"]]], "2/3", "two actions")


@pytest.mark.parametrize(("model", "m"), [(one_action(), 1), (one_action(), 3), (two_actions(), 1), (two_actions(), 2)])
def test_the_mean_noise_lies_below_both_sides_by_listing_all_samples(model: Model, m: int) -> None:
    listed = list(sample_sets(model, 1, m))
    assert sum(p for p, _, _ in listed) == 1
    factor = model.discount / (1 - model.discount)
    assert all(off <= factor * entry for _, off, entry in listed)
    sides = CATALOGUE["B6"].sides(Noisy(model, 1, m))
    assert isinstance(sides, Sides)
    assert sides.left.lower == sides.left.upper == factor * sum(p * entry for p, _, entry in listed)
    assert 0 < sum(p * off for p, off, _ in listed) <= sides.left.lower <= sides.right.lower


def test_the_bound_is_the_maximal_inequality_and_falls_to_zero() -> None:
    values = {paper.S_g: 2, paper.A_g: 3, paper.Z: 5, paper.k: 4, paper.gamma: Fraction(1, 3), paper.span: 7}
    at = MEAN_NOISE.expression.doit().subs({s: sp.Rational(x) for s, x in values.items()})
    assert abs(float(at.subs(paper.m, 50)) - 0.5 * 7 * float(sp.sqrt(sp.log(2 * 6 * 5**4) / 100))) < 1e-12
    assert sp.limit(at, paper.m, sp.oo) == 0
    target = ENOUGH_ON_AVERAGE.expression.doit()
    general = (MEAN_NOISE.expression.doit() ** 2).subs(paper.m, target)
    assert sp.simplify(general * paper.k) == 1


def test_laws_that_are_too_large_are_refused() -> None:
    outcome = CATALOGUE["B6"].sides(Noisy(random_coupled(4), 2, 500))
    assert isinstance(outcome, Unresolved)
    assert "lower k or the samples" in outcome.reason
    assert isinstance(CATALOGUE["B6"].sides(Noisy(coordination(), 2, 4)), NotApplicable)


@pytest.mark.parametrize("claim_id", ["B6", "N1", "X2"])
def test_sabotage_is_still_found(claim_id: str) -> None:
    claim: Claim = CATALOGUE[claim_id]
    pairs = [(finding(claim, one).verdict, judge(claim.sabotaged(one))) for one in claim.controlled() if one.model != absorbing()]
    assert (Verdict.HOLDS, Verdict.VIOLATED) in pairs
