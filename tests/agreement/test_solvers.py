"""The solvers of ``V*`` against each other and against labelled agents in exact arithmetic."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mfverify.bellman.labelled import LabelledOperator
from mfverify.bellman.lumped import LumpedOperator
from mfverify.counts import count_vectors
from mfverify.enclosure import StopReason
from mfverify.errors import ModelError, TooLargeError
from mfverify.exact import greedy_value, optimal
from mfverify.exact.optimal import optimal_value
from mfverify.exact.rational import RationalSystem
from mfverify.models import absorbing, commitment_twice, coordination
from tests.agreement.checks import WIDTH, check_methods_agree, check_optimal_value, instance_of, model_of, random_doubles
from tests.oracles import (
    Instance,
    LabelledSystem,
    all_count_vectors,
    assert_encloses,
    flat_order,
    iterate_values,
    moving_instance,
    random_instance,
    tied_instance,
)

METHODS = ["lumped", "flat", "rational"]
BUNDLED = {
    "coordination": instance_of(coordination()),
    "coordination-eta-2": instance_of(coordination(eta=2, discount="9/10")),
    "absorbing": instance_of(absorbing()),
}


def drawn_sizes(seed: int) -> tuple[int, int, int, int, int]:
    """Agents 2..4, global states and actions 1..3, local states and actions 1..3."""
    rng = random.Random(f"sizes {seed}")
    return rng.randint(2, 4), rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 3), rng.randint(1, 3)


def sized(seed: int) -> str:
    """A readable id that repeats how the model is drawn."""
    n, global_states, global_actions, local_states, local_actions = drawn_sizes(seed)
    return f"seed{seed}-n{n}-Sg{global_states}-Ag{global_actions}-Sl{local_states}-Al{local_actions}"


FAST = 8
SEEDS = [pytest.param(seed, id=sized(seed), marks=[] if seed < FAST else [pytest.mark.slow]) for seed in range(50)]

TINY = {
    f"{make.__name__}-n{n}-{'x'.join(map(str, sizes))}": (n, make(seed, *sizes))
    for seed, (make, n, sizes) in enumerate(
        [
            (random_instance, 1, (2, 2, 2, 2)),
            (random_instance, 2, (2, 2, 2, 2)),
            (random_instance, 2, (3, 1, 2, 3)),
            (random_instance, 2, (1, 2, 3, 2)),
            (random_instance, 3, (2, 2, 2, 2)),
            (random_instance, 2, (2, 2, 1, 2)),
            (tied_instance, 2, (2, 2, 2, 3)),
            (tied_instance, 3, (2, 2, 2, 2)),
            (moving_instance, 3, (2, 2, 3)),
            (moving_instance, 2, (2, 3, 3)),
        ]
    )
}


# --------------------------------------------------------------------------------------------------- against labelled agents


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", TINY)
def test_optimal_value_matches_labelled_agents(case: str, method: str) -> None:
    n, instance = TINY[case]
    check_optimal_value(instance, n, method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("name", BUNDLED)
def test_optimal_value_of_bundled_models_matches_labelled_agents(name: str, n: int, method: str) -> None:
    check_optimal_value(BUNDLED[name], n, method)


@pytest.mark.parametrize("case", ["random_instance-n2-2x2x2x2", "tied_instance-n2-2x2x2x3"])
def test_policy_iteration_of_the_oracle_lies_in_the_bounds_of_its_value_iteration(case: str) -> None:
    n, instance = TINY[case]
    system = LabelledSystem(instance, n)
    steps = 12
    iterated = iterate_values(system.decisions, instance.discount, steps)
    slack = instance.discount**steps / (1 - instance.discount) * instance.rt
    assert all(abs(iterated[state] - value) <= slack for state, value in system.optimum.items())
    enclosed = optimal_value(model_of(instance), n)
    near = system.by_counts(iterated)
    for index, state in flat_order(instance, n):
        assert near[state] - slack <= Fraction(float(enclosed.upper[index]))
        assert Fraction(float(enclosed.lower[index])) <= near[state] + slack


# ------------------------------------------------------------------------------------------------------- against closed forms


@pytest.mark.parametrize(("leaning", "places"), [("1/64", 2), ("-1/64", 2), ("1/64", 3)])
def test_commitment_in_two_steps_matches_its_closed_form(leaning: str, places: int) -> None:
    discount, scale = Fraction(11, 20), Fraction(3)
    model = commitment_twice(places, leaning, discount, scale)
    found = optimal_value(model, 2, "rational").exact
    assert found is not None
    of_type = [-model.local_reward[places * t, 0] + scale for t in range(places)]  # the cost of each place
    kinds = [c.reshape(places, places).sum(axis=1) for c in count_vectors(2, places**2)]
    least = [min(sum(int(x) * cost[b] for x, cost in zip(c, of_type, strict=True)) / 2 for b in range(places)) for c in kinds]
    assert found[0].tolist() == [scale / (1 - discount) - (1 + discount) * x for x in least]
    assert len(set(least)) > 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("k", "value"), [(1, Fraction(3, 4)), (2, Fraction(5, 8))])
def test_absorbing_lottery_matches_paper_notes(k: int, value: Fraction, method: str) -> None:
    found = optimal_value(absorbing(), k, method)
    everyone_in_i = [i for (_, i), (_, c) in flat_order(BUNDLED["absorbing"], k) if c == (k, 0, 0)]
    assert len(everyone_in_i) == 2
    for g, i in enumerate(everyone_in_i):
        assert found[g, i].contains(value)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("discount", ["1/2", "19/20"])
def test_coordination_earns_one_for_ever_where_everyone_stands_with_the_global_agent(method: str, discount: str) -> None:
    found = optimal_value(coordination(discount=discount), 3, method)
    for index, (g, c) in flat_order(BUNDLED["coordination"], 3):
        if c[g] == 3:
            assert found[index].contains(1 / (1 - Fraction(discount)))


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_reward_has_the_geometric_series_as_its_value(method: str) -> None:
    instance = replace(
        TINY["random_instance-n2-2x2x2x2"][1], global_reward=((Fraction(1, 3),) * 2,) * 2, local_reward=(((Fraction(2, 3),) * 2,) * 2,) * 2
    )
    found = optimal_value(model_of(instance), 2, method)
    assert_encloses(found, {state: 1 / (1 - instance.discount) for _, state in flat_order(instance, 2)}, instance, 2)


# -------------------------------------------------------------------------------------------------------- against each other


@pytest.mark.parametrize("seed", SEEDS)
def test_flat_lumped_and_rational_agree(seed: int) -> None:
    n, *sizes = drawn_sizes(seed)
    instance = random_instance(seed, *sizes)
    check_methods_agree(instance, n)
    model = model_of(instance)
    if RationalSystem(model, n).pairs <= 2500:
        exact = optimal_value(model, n, "rational").exact
        assert exact is not None
        for method in ("flat", "lumped"):
            found = optimal_value(model, n, method)
            assert [found[index].contains(exact[index]) for index in np.ndindex(found.shape)] == [True] * exact.size


def test_the_drawn_sizes_reach_every_corner_and_rational_is_compared_often() -> None:
    drawn = [drawn_sizes(seed) for seed in range(50)]
    assert [set(column) for column in zip(*drawn, strict=True)] == [{2, 3, 4}, *[{1, 2, 3}] * 4]
    pairs = [RationalSystem(model_of(random_instance(seed, *sizes)), n).pairs for seed, (n, *sizes) in enumerate(drawn)]
    assert sum(p <= 2500 for p in pairs) >= 40


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("name", BUNDLED)
def test_flat_lumped_and_rational_agree_on_bundled_models(name: str, n: int) -> None:
    check_methods_agree(BUNDLED[name], n)
    model = model_of(BUNDLED[name])
    exact, lumped = optimal_value(model, n, "rational"), optimal_value(model, n, "lumped")
    assert exact.exact is not None
    assert [lumped[index].contains(exact.exact[index]) for index in np.ndindex(lumped.shape)] == [True] * exact.exact.size


@pytest.mark.parametrize("n", [12, pytest.param(30, marks=pytest.mark.slow)])
def test_lumped_contains_the_rational_value_beyond_labelled_reach(n: int) -> None:
    model = model_of(random_instance(1, 2, 2, 2, 2))
    exact, lumped = optimal_value(model, n, "rational"), optimal_value(model, n, "lumped")
    assert exact.exact is not None
    assert [lumped[index].contains(exact.exact[index]) for index in np.ndindex(lumped.shape)] == [True] * exact.exact.size
    assert lumped.width.max() <= WIDTH


# ---------------------------------------------------------------------------------------------- the guarantee of the solvers


@pytest.mark.parametrize(
    ("method", "discount"),
    [("lumped", "1/1000"), ("lumped", "99/100"), ("lumped", "9999/10000"), ("flat", "1/1000"), ("flat", "99/100")],
)
def test_extreme_discounts_keep_the_guarantee(method: str, discount: str) -> None:
    instance = replace(random_instance(4, 2, 2, 2, 2), discount=Fraction(discount))
    system = LabelledSystem(instance, 2)
    found = optimal_value(model_of(instance), 2, method)
    assert_encloses(found, system.by_counts(system.optimum), instance, 2)
    assert found.work is not None
    assert (found.width.max() <= WIDTH) == (found.work.stop is StopReason.WIDTH)


def test_a_width_out_of_reach_is_reported_not_promised() -> None:
    n, instance = TINY["random_instance-n2-2x2x2x2"]
    system = LabelledSystem(instance, n)
    for method in ("lumped", "flat"):
        found = optimal_value(model_of(instance), n, method, width=1e-18)
        assert found.work is not None
        assert found.work.stop is StopReason.PRECISION
        assert_encloses(found, system.by_counts(system.optimum), instance, n)
        assert found.width.max() <= 1e-12


def test_a_coarse_width_stops_early_and_still_contains_the_value() -> None:
    n, instance = TINY["random_instance-n2-2x2x2x2"]
    system = LabelledSystem(instance, n)
    coarse, fine = (optimal_value(model_of(instance), n, "flat", width=width) for width in (1e-1, 1e-9))
    assert_encloses(coarse, system.by_counts(system.optimum), instance, n)
    assert coarse.work is not None
    assert fine.work is not None
    assert coarse.work.sweeps < fine.work.sweeps
    assert fine.width.max() < coarse.width.max() <= 1e-1


@pytest.mark.usefixtures("solved_as_large")
def test_value_iteration_takes_over_where_transition_rows_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    n, instance = TINY["random_instance-n3-2x2x2x2"]
    monkeypatch.setattr(greedy_value, "_MOST_CHAIN_NUMBERS", 0)
    found = optimal_value(model_of(instance), n)
    assert found.work is not None
    assert found.work.evaluations == 0
    assert found.work.sweeps > 2
    system = LabelledSystem(instance, n)
    assert_encloses(found, system.by_counts(system.optimum), instance, n)
    assert found.width.max() <= WIDTH


@pytest.mark.usefixtures("solved_as_large")
def test_the_certificate_does_not_trust_the_linear_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    n, instance = TINY["random_instance-n3-2x2x2x2"]
    monkeypatch.setattr(
        optimal, "correction", lambda operator, moved, value, image: np.arange(float(value.size)).reshape(value.shape) + 7.0
    )
    found = optimal_value(model_of(instance), n)
    system = LabelledSystem(instance, n)
    assert_encloses(found, system.by_counts(system.optimum), instance, n)


# --------------------------------------------------------------------------------------------------- rounding of the operators

OPERATOR_CASES = {
    f"n{n}-{'x'.join(map(str, sizes))}": (n, random_instance(100 + n, *sizes))
    for n, sizes in [(1, (2, 2, 2, 2)), (2, (2, 3, 2, 3)), (3, (2, 2, 2, 2)), (2, (3, 2, 3, 2)), (2, (1, 1, 1, 3)), (3, (2, 1, 2, 3))]
} | {
    f"moving-n{n}-{'x'.join(map(str, sizes))}": (n, moving_instance(110 + n, *sizes))
    for n, sizes in [(2, (2, 3, 2)), (3, (2, 2, 2)), (4, (2, 2, 3))]
}


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("case", OPERATOR_CASES)
def test_lumped_operator_is_off_by_at_most_its_error_bound(case: str, scale: float) -> None:
    n, instance = OPERATOR_CASES[case]
    operator = LumpedOperator(model_of(instance), n)
    value = random_doubles(operator.shape, 5, scale)
    order = flat_order(instance, n)
    exact = LabelledSystem(instance, n).image({state: Fraction(float(value[index])) for index, state in order})
    image, policy = operator.sweep(value)
    bound = operator.error(value)
    assert max(abs(Fraction(float(image[index])) - exact[state]) for index, state in order) <= bound
    assert 0 < bound < Fraction(1, 10**9)
    assert len(policy) == instance.sizes[0]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("case", OPERATOR_CASES)
def test_labelled_operator_is_off_by_at_most_its_error_bound(case: str, scale: float) -> None:
    n, instance = OPERATOR_CASES[case]
    operator = LabelledOperator(model_of(instance), n)
    value = random_doubles(operator.shape, 6, scale)
    system = LabelledSystem(instance, n)
    exact_value = {(g, s): Fraction(float(value[(g, *s)])) for g, s in system.states}
    image = operator.apply(value)
    bound = operator.error(value)
    for (g, s), moves in system.decisions.items():
        exact = max(r + instance.discount * sum(p * exact_value[t] for t, p in law.items()) for r, law in moves.values())
        assert abs(Fraction(float(image[(g, *s)])) - exact) <= bound
    assert 0 < bound < Fraction(1, 10**9)


def test_labelled_operator_knows_the_counts_of_its_states() -> None:
    operator = LabelledOperator(model_of(OPERATOR_CASES["n2-3x2x3x2"][1]), 2)
    found = operator.count_vector_of_state()
    assert found.shape == (3, 3, 3)
    assert found[0, 2].tolist() == [1, 0, 1]
    assert found[1, 1].tolist() == [0, 2, 0]


def brute_force_pairs(instance: Instance, n: int) -> int:
    """Number of (state, joint action) pairs on counts, by listing the labelled agents' state-action pairs."""
    global_states, global_actions, local_states, local_actions = instance.sizes
    size = local_states * local_actions
    return global_states * global_actions * len(all_count_vectors(n, size))


@pytest.mark.parametrize("case", OPERATOR_CASES)
def test_the_number_of_pairs_is_that_of_action_counts(case: str) -> None:
    n, instance = OPERATOR_CASES[case]
    assert RationalSystem(model_of(instance), n).pairs == brute_force_pairs(instance, n)


# ------------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "2", None], ids=repr)
def test_a_number_of_agents_that_is_none_is_refused(n: object) -> None:
    with pytest.raises(ModelError, match="agents: found"):
        optimal_value(coordination(), n)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [0.0, -1.0, float("nan")])
def test_a_width_that_is_not_positive_is_refused(width: float) -> None:
    with pytest.raises(ModelError, match="width: found"):
        optimal_value(coordination(), 2, width=width)


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="method: found 'fast', expected one of 'lumped', 'flat', 'rational'"):
        optimal_value(coordination(), 2, "fast")


@pytest.mark.parametrize(("method", "n"), [("flat", 40), ("rational", 5000), ("lumped", 10**9)])
def test_what_does_not_fit_is_refused_before_any_work(method: str, n: int) -> None:
    with pytest.raises(TooLargeError, match=f"{n} "):
        optimal_value(coordination(), n, method)
