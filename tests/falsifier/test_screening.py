"""Values of many small models at once: against the certified solvers, and the screens of claims against their certified sides."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import islice, product

import numpy as np
import pytest

import mfverify as mfv
from mfverify import counts, screening
from mfverify.errors import UndecidedTieError
from mfverify.falsifier.classes import ModelClass
from mfverify.falsifier.exhaust import instance_of, pairs_of
from mfverify.falsifier.model_domains import ModelDomain, sizes_of
from mfverify.falsifier.model_moves import random_model
from mfverify.model import Model
from mfverify.papers import CATALOGUE, screens
from mfverify.papers.ours.shared_draw import SHARED_DRAW
from mfverify.papers.screens import shared_gap
from mfverify.screening_plans import controller
from mfverify.subsample_mfq.execution import policy_marginals
from mfverify.subsample_mfq.limit_plans import limit_of
from mfverify.theory.claim import Claim, NotApplicable, Sides, Verdict, judge
from mfverify.theory.search_space import Arrangement, Origin

SCREENED = [claim for claim in CATALOGUE if claim.screen is not None]
SEVERAL = {"L1", "L2", "R2", "R2L"}
"""Claims whose instances state several inequalities."""
PLANNED = {"V2", "V2s", "M2", "V3", "V3f"}
"""Claims whose screens take plans of a small controller."""
SIZES = ((2, 2, 2, 2), (3, 2, 2, 2), (2, 2, 3, 1), (1, 2, 2, 2), (2, 1, 2, 3))


def drawn(seed: int, sizes: tuple[int, int, int, int], number: int) -> list[Model]:
    rng = random.Random(seed)
    return [random_model(rng, sizes, scaled=False) for _ in range(number)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(("n", "k"), [(2, 1), (3, 2), (4, 4)])
def test_values_are_those_of_the_certified_solvers(sizes: tuple[int, int, int, int], n: int, k: int) -> None:
    """The random models have many ties, which are broken as by the learner."""
    models = drawn(n, sizes, 4)
    arrays = screening.stacked(models)
    best, learned = screening.solve(arrays, n), screening.solve(arrays, k)
    played = {"independent": screening.independent_value(learned, n), "shared": screening.shared_value(learned, n)}
    compared = 0
    for i, model in enumerate(models):
        assert np.abs(best.value[..., i] - mfv.optimal_value(model, n).midpoint).max() < 1e-8
        for sampling, values in played.items():
            try:
                certified = mfv.execution_value(model, n, mfv.learn(model, k), sampling=sampling)
            except UndecidedTieError:
                continue
            assert np.abs(values[..., i] - certified.midpoint).max() < 1e-8, sampling
            compared += 1
    assert compared > 0


def test_the_claims_that_have_a_screen() -> None:
    assert {"T1", "T1b", "T1c", "T2", "P3", "P4", "R4", "R4u", "R5", "L1", "L2", "R1", "P4r", "R2", "R2L", "G1", "R7", "R6", "S4r", "V2", "V3", "P3s"} <= {one.id for one in SCREENED}


@pytest.mark.parametrize("claim", SCREENED, ids=lambda claim: claim.id)
def test_screens_agree_with_certified_sides(claim: Claim) -> None:
    assert claim.screen is not None
    arrangement = claim.searched
    assert isinstance(arrangement, Arrangement)
    models = [m for sizes in ((2, 2, 2, 2), (2, 1, 2, 2), (2, 2, 2, 1)) for m in drawn(7, sizes, 2)]
    if arrangement.origin is Origin.TYPES:
        models = list(islice(ModelDomain(arrangement).typed_models(random.Random(7)), 3))
    compared = 0
    for model in models:
        for n, k in ((3, 2), (2, 2)):
            instance = arrangement.instance(model, n, k)
            if instance is None:
                continue
            outcome = claim.sides(instance)
            if not isinstance(outcome, Sides):
                continue
            left, right = (float(side[0]) for side in claim.screen.sides(screening.stacked([model]), *sizes_of(instance)))
            scale = max(1.0, float(outcome.left.upper), float(outcome.right.upper))
            shown = float(outcome.left.midpoint), float(outcome.right.midpoint)
            if claim.id in SEVERAL:  # the sides prefer an inequality that is not vacuous
                assert left * shown[1] >= shown[0] * right - 1e-6 * scale**2
                assert (left > right * (1 + 1e-9) + 1e-9) == (judge(outcome) is Verdict.VIOLATED)
            elif claim.id in PLANNED:  # plans that are not the best raise no ratio; at a tie other plans than the certified ones are followed
                assert left <= (right if claim.id in ("V3", "V3f") else shown[0]) + 1e-6 * scale
                assert right >= shown[1] - 1e-6 * scale
            else:
                assert (left, right) == pytest.approx(shown, abs=1e-6 * scale), (model.name, n, k)
            compared += 1
    assert compared >= 2


@pytest.mark.parametrize("claim_id", ["P3", "R4", "P4"])
def test_compiled_gaps_are_those_in_arrays(claim_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random models with few numbers, some with ties, which compiled loops leave open."""
    screen, arrays = CATALOGUE[claim_id].screen, screening.stacked(drawn(11, (2, 2, 2, 2), 24))
    assert screen is not None
    compiled = screen.sides(arrays, 6, 6 if claim_id == "P3" else 3)
    monkeypatch.setattr(screens, "_COMPILED_FROM", 100)
    for one, other in zip(compiled, screen.sides(arrays, 6, 6 if claim_id == "P3" else 3), strict=True):
        assert one == pytest.approx(other, abs=1e-8)


DECIDED = [claim for claim in SCREENED if claim.screen is not None and claim.screen.decides is not None]
SMALL = ModelClass((2, 2, 2, 2), (Fraction(-1), Fraction(0), Fraction(1)))
UNCHOSEN = ModelClass((2, 1, 2, 2), (Fraction(-1), Fraction(0), Fraction(1)))
PASSIVE = ModelClass((2, 2, 2, 1), (Fraction(-1), Fraction(0), Fraction(1)))


@pytest.mark.parametrize("claim", DECIDED, ids=lambda claim: claim.id)
def test_a_certified_excess_is_never_below_the_exact_one(claim: Claim) -> None:
    """On members with many ties, in every order of their actions, so with every way of breaking ties by names."""
    assert claim.screen is not None and claim.screen.decides is not None
    assert isinstance(claim.searched, Arrangement)
    models = next(one for one in (SMALL, PASSIVE, UNCHOSEN) if claim.searched.admits(one.representative(0)))
    n, k = next(pair for pair in ((3, 2), (3, 3)) if pair in pairs_of(claim, models, (3,)))
    compared = set()
    for number in (5, models.tuples // 60 + 3, models.tuples // 3, *range(7, models.tuples, models.tuples // 97)):
        excess, ratio = claim.screen.decides(models.arrays(np.array([number])), n, k)
        for index, model in enumerate(models.orbit(number)):
            if index % 40:
                continue
            outcome = claim.sides(instance_of(claim, model, n, k))
            if isinstance(outcome, NotApplicable):  # the condition of the claim is the same for the whole orbit
                assert np.isnan(ratio[0])
                break
            assert isinstance(outcome, Sides)
            assert not np.isnan(ratio[0])
            assert outcome.left.lower - outcome.right.upper <= Fraction(float(excess[0])) + Fraction(1, 10**12)
            compared.add(number)
        if len(compared) == 3:
            break
    assert len(compared) == 3


def test_the_radius_holds_the_exact_values() -> None:
    numbers = np.array([17, 123_456, 7_654_321])
    solved = screening.solve(SMALL.arrays(numbers), 3)
    for i, number in enumerate(numbers):
        exact = mfv.optimal_value(SMALL.representative(int(number)), 3, method="rational").exact
        assert exact is not None
        difference = max(abs(Fraction(float(x)) - y) for x, y in zip(solved.value[..., i].ravel(), exact.ravel(), strict=True))
        assert difference <= Fraction(float(solved.radius[i])) < Fraction(1, 10**12)


def test_the_worst_way_of_breaking_ties_is_worse_than_a_good_one() -> None:
    """On a model in which all actions are tied for the learner, some are worse for more agents, or the bound would be of no use."""
    arrays = SMALL.arrays(np.arange(2_000_000, 2_000_300))
    best, learned = screening.solve(arrays, 3), screening.solve(arrays, 2)
    worst, played = screening.worst_shared_value(learned, best), screening.shared_value(learned, 3)
    assert (worst <= played).all()
    assert (played - worst > 1e-3).any()
    unique = learned.tied.sum(axis=(1, 2)).max(axis=0) == learned.value.shape[1]
    assert (played - worst)[..., unique].max(initial=0.0) < 1e-6


def test_a_screen_of_a_smaller_bound_sees_larger_ratios() -> None:
    arrays = screening.stacked(drawn(3, (2, 2, 2, 2), 3))
    left, right = shared_gap(SHARED_DRAW).sides(arrays, 4, 2)
    assert (right > 0).all() and (left >= -1e-9).all() and (left <= right).all()


@pytest.mark.parametrize("sizes", [(2, 2, 2, 2), (3, 2, 2, 2)])
@pytest.mark.parametrize("n", [2, 5])
def test_plans_are_worth_what_the_certified_limit_is(sizes: tuple[int, int, int, int], n: int) -> None:
    """Never more, and where no step gains anything at the distributions that are tested, as much."""
    models = drawn(n, sizes, 3)
    plans = controller(screening.stacked(models), n)
    for i, model in enumerate(models):
        certified = limit_of(model).value(n)
        assert (plans.value(n)[..., i] <= certified.upper + 1e-9).all()
        assert (plans.value(n)[..., i] + plans.excess[i] >= certified.lower - 1e-3).all()
    assert plans.excess.min() < 1e-9


@pytest.mark.parametrize("models", [UNCHOSEN, SMALL], ids=["one global action", "two global actions"])
def test_what_agents_play_is_among_what_they_may_play(models: ModelClass) -> None:
    numbers = np.arange(1_000, models.tuples, models.tuples // 40)
    arrays, k, n = models.arrays(numbers), 2, 3
    best, learned = screening.solve(arrays, n), screening.solve(arrays, k)
    played = screening.played_on_own_samples(learned, best)
    states = counts.count_vectors(n, 2).tolist()
    joint = best.layout.joint[best.layout.order].tolist()
    compared = 0
    for i, number in enumerate(numbers.tolist()):
        found = policy_marginals(mfv.learn(models.representative(number), k), n)
        for g, b, (c, row) in product(range(2), range(models.sizes[1]), enumerate(states)):
            for j, d in enumerate(joint):
                local = [d[0] + d[1], d[2] + d[3]] == row and all(found.local_action[g, c, z // 2, z % 2] > 0 for z in range(4) if d[z])
                if local and found.global_action[g, c, b] > 0:
                    assert played[g, b, j, i]
                    compared += 1
    assert compared > 300
    assert not played.all(), "some are never played"
    assert models.sizes[1] == 1 or (played.any(axis=2) != played.any(axis=(1, 2))[:, None]).any(), "not every global action is played"


def test_a_joint_action_that_is_not_optimal_is_seen() -> None:
    arrays = UNCHOSEN.arrays(np.arange(1_000, UNCHOSEN.tuples, UNCHOSEN.tuples // 40))
    best = screening.solve(arrays, 2)
    anything, _ = screens._of_played(best, best, np.ones_like(best.tied))
    optimal, _ = screens._of_played(best, best, best.tied)
    assert (anything > 1e-3).any() and (optimal < 1e-9).all()
