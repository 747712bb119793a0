"""Many small models in one call: every entry against rationals, every refusal, and that a bound that is too small is noticed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from benchmarks import agreement
from mfverify import batch, threads
from mfverify.bellman import small
from mfverify.errors import ModelError, TooLargeError
from mfverify.exact.rational import rational_optimal_value
from mfverify.model import Model
from mfverify.models import coordination, random_coupled
from mfverify.subsample_mfq import small_chains
from mfverify.subsample_mfq.execution import exact_execution_value, execution_value
from mfverify.subsample_mfq.learning import learn
from tests.agreement.checks import model_of
from tests.agreement.random_models import PARTS, random_models, ratios_to_claimed
from tests.oracles import execution_value as labelled_value
from tests.oracles import random_instance, tied_instance

SIZES = [(2, 2, 2, 2), (1, 2, 3, 2), (2, 1, 2, 3), (3, 2, 1, 2), (1, 1, 2, 4), (2, 2, 3, 1)]


def contains(values: batch.Values, i: int, exact: Any) -> bool:
    """Whether every entry lies in the enclosure of model i."""
    return all(Fraction(float(values.lower[i][at])) <= value <= Fraction(float(values.upper[i][at])) for at, value in np.ndenumerate(exact))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_every_entry_of_random_models_contains_the_rational_value(sizes: tuple[int, int, int, int]) -> None:
    """Whole weights, merged actions, rewards that are zero, discounts from 1/100 to 999/1000; optimum and independent draws."""
    many = random_models(np.random.default_rng(sum(sizes)), 6, sizes)
    n, k = 2, 2 if sizes[2] < 3 else 1
    found = batch.gaps(many, n, k)
    seen = 0
    for i in range(len(many)):
        model = many.model(i)
        assert contains(found.optimum, i, rational_optimal_value(model, n).exact)
        alone = learn(model, k)
        assert contains(found.learned, i, rational_optimal_value(model, k).exact)
        if not found.decided[i]:
            assert np.isnan(found.lower[i])
            assert np.isnan(found.upper[i])
            continue
        seen += 1
        assert (found.learned.global_action[i] == alone.global_action).all()
        assert (found.learned.local_action[i] == alone.local_action).all()
        exact = exact_execution_value(alone, n).exact
        assert contains(found.executed, i, exact)
        largest = (rational_optimal_value(model, n).exact - exact).max()
        assert Fraction(float(found.lower[i])) <= largest <= Fraction(float(found.upper[i]))
    assert seen >= 2


@pytest.mark.parametrize("sampling", batch.SAMPLINGS)
def test_values_at_a_discount_that_rounds_to_one_are_enclosed(sampling: str) -> None:
    """The matrix of a policy is singular in doubles then; the enclosures are wide, and contain the rational values."""
    model = random_coupled(0, discount="99999999999999999/100000000000000000")
    many = batch.Models.of([model])
    assert contains(batch.optimum(many, 2), 0, rational_optimal_value(model, 2).exact)
    learned = batch.learn(many, 1)
    executed = batch.execution_value(many, 2, replace(learned, decided=np.array([True])), sampling)
    assert not np.isnan(executed.lower).any()
    assert (executed.lower <= batch.optimum(many, 2).upper).all()


def test_a_residual_that_is_no_number_bounds_nothing() -> None:
    """Comparisons skip such a number, and what is left of the others is no bound."""
    value = np.array([[0.0, 1.0]])
    lo, hi = small.residual_range(value + 1, value, 0.0)
    assert lo <= 1 <= hi < 1.1
    for wrong in (np.nan, np.inf):
        assert small.residual_range(np.array([[1.0, 2.0]]), np.array([[0.0, wrong]]), 0.0) == (-np.inf, np.inf)


@pytest.mark.parametrize(("sizes", "n", "k"), [((2, 2, 2, 2), 3, 2), ((1, 2, 3, 2), 2, 2), ((2, 2, 2, 2), 2, 1)])
@pytest.mark.parametrize("sampling", batch.SAMPLINGS)
def test_executed_values_contain_those_of_labelled_agents(sizes: tuple[int, int, int, int], n: int, k: int, sampling: str) -> None:
    instances = [random_instance(seed, *sizes) for seed in range(4)]
    many = batch.Models.of([model_of(instance) for instance in instances])
    learned = batch.learn(many, k)
    found = batch.execution_value(many, n, learned, sampling)
    order = [(g, c) for g in range(sizes[0]) for c in np.ndindex(*(n + 1,) * sizes[2]) if sum(c) == n]
    assert learned.decided.any()
    for i in np.flatnonzero(learned.decided):
        exact = labelled_value(instances[i], n, k, sampling)
        array = np.array([exact[state] for state in order], dtype=object).reshape(found.lower.shape[1:])
        assert contains(found, int(i), array)


@pytest.mark.parametrize("sampling", ["independent", "shared"])
def test_more_agents_agree_with_the_solvers_of_single_models(sampling: str) -> None:
    models = [random_coupled(seed) for seed in range(20)]
    many = batch.Models.of(models)
    for n, k in ((8, 7), (12, 3)):
        found = batch.gaps(many, n, k, sampling)
        assert found.decided.sum() > 10
        for i in np.flatnonzero(found.decided):
            alone = execution_value(models[i], n, learn(models[i], k), sampling)
            assert (found.executed.lower[i] <= alone.upper).all()
            assert (alone.lower <= found.executed.upper[i]).all()
            assert found.executed.width[i] < 1e-9
            s_g, c = found.worst[i]
            assert found.optimum.lower[i, s_g, c] - found.executed.upper[i, s_g, c] == pytest.approx(found.lower[i])


def test_ties_are_flagged_and_not_guessed() -> None:
    models = [coordination(), *(model_of(tied_instance(seed, 2, 2, 2, 2)) for seed in range(6)), random_coupled(4)]
    many = batch.Models.of(models)
    found = batch.gaps(many, 4, 2)
    assert not found.decided[0]
    assert found.decided[-1]
    assert np.isnan(found.lower[~found.decided]).all()
    assert np.isnan(found.executed.upper[~found.decided]).all()
    assert np.isfinite(found.lower[found.decided]).all()
    assert (found.learned.lead[-1] > 0).all()
    assert np.isfinite(found.optimum.lower).all()


def test_where_there_is_one_joint_action_nothing_ties_with_it() -> None:
    rng = np.random.default_rng(4)
    many = batch.Models(rng.random((3, 2, 1, 2)), rng.random((3, 2, 2, 1, 2)), rng.random((3, 2, 1)), rng.random((3, 2, 2, 1)), "1/2")
    found = batch.gaps(many, 3, 2)
    assert found.decided.all()
    assert (found.learned.lead == np.inf).all()
    assert (found.lower <= 0).all()
    assert (found.upper >= 0).all()


def test_actions_with_equal_weights_are_merged() -> None:
    """The better one is played; of equal ones the first. No tie is seen."""
    rng = np.random.default_rng(3)
    twice = [0, 0, 1, 1]
    global_kernel, local_kernel = rng.random((5, 2, 2, 2))[:, :, twice], rng.random((5, 2, 2, 2, 2))[:, :, :, twice]
    global_reward, local_reward = rng.random((5, 2, 4)), rng.random((5, 2, 2, 4))
    global_reward[:, :, 1] = global_reward[:, :, 0]
    local_reward[..., 3] = local_reward[..., 2]
    many = batch.Models(global_kernel, local_kernel, global_reward, local_reward, "9/10")
    learned = batch.learn(many, 2)
    assert learned.decided.all()
    assert (learned.global_action != 1).all()
    assert (learned.action_counts[..., 3] == 0).all()
    for i in range(5):
        assert (learned.local_action[i] == learn(many.model(i), 2).local_action).all()


def test_a_model_in_arrays_is_the_model_in_rationals() -> None:
    weights = np.array([[[[1.0, 2.0], [0.0, 4.0]], [[1.0, 1.0], [3.0, 1.0]]]])
    local = np.ones((1, 3, 2, 1, 3))
    many = batch.Models(weights, local, np.full((1, 2, 2), 0.1), np.zeros((1, 3, 2, 1)), Fraction(1, 3))
    model = many.model(0, "thirds")
    assert model.name == "thirds"
    assert model.global_kernel.tolist() == [
        [[Fraction(1, 3), Fraction(2, 3)], [0, 1]],
        [[Fraction(1, 2), Fraction(1, 2)], [Fraction(3, 4), Fraction(1, 4)]],
    ]
    assert set(model.local_kernel.ravel()) == {Fraction(1, 3)}
    assert set(model.global_reward.ravel()) == {Fraction(0.1)}
    assert model.discount == Fraction(1, 3)
    assert many.sizes == model.sizes == (2, 2, 3, 1)
    assert len(many) == 1
    assert batch.Models.of([model]).model(0) is model
    discounts = np.array([0.25, 0.75])
    two = batch.Models(*(np.concatenate([x, x]) for x in (weights, local, np.ones((1, 2, 2)), np.ones((1, 3, 2, 1)))), discounts)
    assert [two.model(i).discount for i in range(2)] == [Fraction(1, 4), Fraction(3, 4)]


def test_threads_change_nothing() -> None:
    many = random_models(np.random.default_rng(9), 40, (2, 2, 2, 2))
    with threads.at_most(1):
        one = batch.gaps(many, 4, 3)
    more = batch.gaps(many, 4, 3)
    for name in ("lower", "upper", "worst", "decided"):
        np.testing.assert_array_equal(getattr(one, name), getattr(more, name))


GOOD = (np.ones((2, 1, 1, 1)), np.ones((2, 2, 1, 2, 2)), np.ones((2, 1, 1)), np.ones((2, 2, 1, 2)), "1/2")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, np.ones((2, 1, 1)), r"global_kernel: found the shape \(2, 1, 1\), expected 4 axes"),
        (0, [["a"]], "global_kernel: found something that is no array of numbers"),
        (1, np.ones((2, 2, 1, 2, 3)), "local_kernel: found the shape"),
        (1, np.zeros((2, 2, 1, 2, 2)), r"local_kernel\[0, 0, 0, 0\]: found np.float64\(0.0\), expected a row of weights"),
        (1, np.where(np.arange(16).reshape(2, 2, 1, 2, 2) == 5, -1.0, 1.0), r"local_kernel\[0, 1, 0, 0, 1\]: found np.float64\(-1.0\), expected a weight >= 0"),
        (2, np.full((2, 1, 1), np.nan), r"global_reward\[0, 0, 0\]: found np.float64\(nan\), expected a finite number"),
        (3, np.ones((3, 2, 1, 2)), "local_reward: found the shape"),
        (3, np.full((2, 2, 1, 2), 2.0**900), "rewards of model 0: found discounted sums"),
        (4, "1", "discount: found 1, expected a number strictly between 0 and 1"),
        (4, ["1/2"], "discount: found 1 numbers, expected one, or one for each of 2 models"),
        (4, np.array([0.5, 1.5]), r"discount\[1\]: found np.float64\(1.5\), expected a number strictly between"),
        (4, np.array([0.5]), "discount: found 1 numbers"),
    ],
)  # fmt: skip
def test_arrays_that_are_no_models_are_refused(place: int, value: Any, message: str) -> None:
    batch.Models(*GOOD)
    given = list(GOOD)
    given[place] = value
    with pytest.raises(ModelError, match=message):
        batch.Models(*given)


def test_calls_that_make_no_sense_are_refused() -> None:
    many = batch.Models(*GOOD)
    learned = batch.learn(many, 2)
    with pytest.raises(ModelError, match="models: expected at least one"):
        batch.Models.of([])
    with pytest.raises(ModelError, match="all with the same numbers"):
        batch.Models.of([coordination(), many.model(0)])
    with pytest.raises(ModelError, match="agents: found 0"):
        batch.optimum(many, 0)
    with pytest.raises(ModelError, match="width: found 0"):
        batch.learn(many, 1, width=0)
    with pytest.raises(ModelError, match="sampling: found 'fixed', expected one of independent, shared, systematic, with-replacement;"):
        batch.execution_value(many, 4, learned, "fixed")
    with pytest.raises(ModelError, match="subsample: found 2, expected at most agents = 1"):
        batch.execution_value(many, 1, learned)
    with pytest.raises(ModelError, match="subsample: found 3, expected at most agents = 2"):
        batch.gaps(many, 2, 3)
    with pytest.raises(ModelError, match="learned: has 2 models, expected 1"):
        batch.execution_value(batch.Models(*(x[:1] for x in GOOD[:4]), "1/2"), 4, learned)
    with pytest.raises(TooLargeError, match="agents: found 200, the laws of all joint actions have"):
        batch.optimum(many, 200)
    with pytest.raises(TooLargeError, match="400 agents, k = 2: not a small system"):
        batch.execution_value(many, 400, learned)


def test_a_bound_of_rounding_that_is_too_small_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the true bound every value is inside and the largest ratio is below 1; a thousandth of it is caught.

    In a system of one state nothing else widens the enclosure: every entry of a residual has the same error.
    """
    drawn = random_models(np.random.default_rng(5), 60, (1, 2, 1, 2), discount=Fraction(999, 1000))
    exact = [drawn.model(i) for i in range(len(drawn))]
    many = batch.Models.of([Model(m.global_kernel, m.local_kernel, m.global_reward / 3, m.local_reward / 3, m.discount) for m in exact])
    assert 0 < ratios_to_claimed(many, 7, 5, executed=False)[0]["optimum"] < 1
    original = small.relative_errors
    monkeypatch.setattr(small, "relative_errors", lambda *given: tuple(x / 1000 for x in original(*given)))
    assert ratios_to_claimed(many, 7, 5, executed=False)[0]["optimum"] > 1


def test_models_of_drawn_sizes_contain_the_rational_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert agreement.main(["20"]) == 0
    said = capsys.readouterr().out
    assert "20 models" in said
    for part in PARTS:
        assert part in said


def test_a_policy_or_a_gap_that_is_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Joint actions of other states; gaps that are a little larger."""
    many = random_models(np.random.default_rng(6), 4, (2, 2, 2, 2))
    original = batch.gaps

    def other(*given: Any) -> batch.Gaps:
        found = original(*given)
        turned = replace(found.learned, action_counts=found.learned.action_counts[:, :, ::-1])
        return replace(found, learned=turned, lower=found.lower + 1e-9, upper=found.upper + 1e-9)

    monkeypatch.setattr(batch, "gaps", other)
    ratios, decided = ratios_to_claimed(many, 3, 2)
    assert decided > 0
    assert ratios["learned"] == np.inf
    assert ratios["gap"] > 1 > ratios["executed"] > 0


@pytest.mark.parametrize("wrong", ["of_global", "of_local"])
def test_draws_that_are_slightly_wrong_are_noticed(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    many = random_models(np.random.default_rng(6), 20, (2, 2, 2, 2))
    assert 0 < ratios_to_claimed(many, 3, 2)[0]["executed"] < 1
    original = small_chains.draws

    def moved(*given: int) -> small_chains.Draws:
        found = original(*given)
        return found._replace(**{wrong: getattr(found, wrong) * (1 + 1e-9)})

    monkeypatch.setattr(small_chains, "draws", moved)
    assert ratios_to_claimed(many, 3, 2)[0]["executed"] > 1


def test_the_bounds_are_those_of_their_roundings() -> None:
    """The counts of both heads typed a second time."""

    def relative(roundings: int) -> float:
        return pytest.approx(roundings * 2.0**-53, rel=1e-12)

    n, k, sizes = 5, 3, (2, 3, 3, 2)
    vectors, samples = 21, 10
    a, b, c = small.relative_errors(n, sizes, small.Roundings(3, 2, 0))
    step = 3 + 1 + 2  # weight, product, sums
    assert (a, b) == (relative(n * step + (2 + 1 + 1) + 2 + (1 + vectors - 1) + 1), relative(0 + 1 + n + 1 + 1))
    assert 0 < c < 2.0**-1000
    a, b, c = small_chains.relative_errors(n, k, sizes, small.Roundings(3, 2, 0))
    step = (1 + 3 + 1 + 1) + 1 + 2  # share, kernel, product, sum of two actions; product, sums
    shared = n * step + (2 + 1 + 2 + 1) + 1 + (samples - 1) + 1 + (2 * vectors - 1) + 1
    alone = n * step + (1 + 2 + 1 + 2) + 2 + 1 + 1 + (2 * vectors - 1) + 1
    assert a >= max(shared, alone) * 2.0**-53
    assert a == relative(n * step + 2 + samples + 2 * vectors + 6)
    reward = (1 + 0 + 1 + 1) + 1 + (3 * 2 + 3) + 1 + 1 + 2 + (samples - 1) + 1
    assert b >= reward * 2.0**-53
    assert b == relative(0 + 2 + 6 + 3 + samples + 8)
    assert 0 < c < 2.0**-1000
