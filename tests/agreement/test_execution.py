"""Algorithm 2 against full enumeration: every subset of every agent, every labelled joint action, exact linear solves."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mfverify.errors import ModelError, TooLargeError, UndecidedTieError
from mfverify.exact.optimal import optimal_value
from mfverify.exact.policy_value import JointChain, MarkovReward, PolicyChain
from mfverify.models import absorbing, coordination
from mfverify.subsample_mfq.execution import (
    Sampling,
    copied_mixture,
    exact_execution_value,
    execution_value,
    independent_chain,
    joint_action,
    policy_marginals,
    shared_chain,
)
from mfverify.subsample_mfq.learning import learn
from mfverify.subsample_mfq.ties import Maximisers
from tests import oracles
from tests.agreement.checks import WIDTH, check_execution, instance_of, model_of, random_doubles
from tests.oracles import (
    PLAYS,
    Greedy,
    Instance,
    LabelledSystem,
    assert_encloses,
    counts_of,
    flat_order,
    independent_play,
    random_instance,
    tied_instance,
    with_local_reward,
)

SAMPLINGS = ["independent", "shared"]
SIZES = [(2, 2, 2, 2), (2, 1, 2, 2), (1, 2, 2, 2), (2, 2, 1, 2), (2, 2, 2, 1), (3, 3, 2, 2)]
FAST = 8
COORDINATION = instance_of(coordination())


def fifty_models() -> list[object]:
    """Cases (instance, n) with readable ids; all but the first few are slow. One has three local states."""
    cases = []
    for seed in range(50):
        sizes = (2, 2, 3, 2) if seed == 49 else SIZES[seed % len(SIZES)]
        n = 2 + seed % 2 if sizes[2] < 3 else 2
        instance = random_instance(300 + seed, *sizes)
        marks = [] if seed < FAST else [pytest.mark.slow]
        cases.append(pytest.param(instance, n, id=f"{instance.name}-n{n}-{'x'.join(map(str, sizes))}", marks=marks))
    return cases


# ------------------------------------------------------------------------------------------------- values, for every k from 1 to n


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize(("instance", "n"), fifty_models())
def test_execution_value_matches_enumeration_of_all_subsets(instance: Instance, n: int, sampling: str) -> None:
    for k in range(1, n + 1):
        check_execution(instance, n, k, sampling)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 30))])
def test_execution_value_with_ties_matches_enumeration_of_all_subsets(seed: int, sampling: str) -> None:
    instance = tied_instance(400 + seed, 2, 2, 2, 2 + seed % 2)
    n = 2 + seed % 2
    for k in range(1, n + 1):
        check_execution(instance, n, k, sampling)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("instance", [COORDINATION, instance_of(absorbing())], ids=lambda i: i.name)
def test_execution_value_of_bundled_models_matches_enumeration_of_all_subsets(instance: Instance, k: int, sampling: str) -> None:
    check_execution(instance, 3, k, sampling)


@pytest.mark.slow
@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("k", [2, 3])
def test_four_agents_match_enumeration_of_all_subsets(k: int, sampling: str) -> None:
    check_execution(random_instance(350, 2, 2, 2, 2), 4, k, sampling)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_near_ties_are_executed_as_exact_arithmetic_decides_them(sampling: str, sign: int) -> None:
    check_execution(with_local_reward(COORDINATION, 1, 1, 1, sign * Fraction(1, 10**30)), 3, 2, sampling)


@pytest.mark.parametrize(
    ("n", "k", "sizes"), [(2, 1, (2, 2, 2, 2)), (3, 1, (2, 2, 2, 2)), (3, 2, (2, 2, 2, 3)), (3, 3, (2, 2, 2, 2)), (2, 2, (1, 2, 3, 2))]
)
@pytest.mark.parametrize("make", [random_instance, tied_instance])
def test_exact_execution_value_equals_enumeration_of_all_subsets(n: int, k: int, sizes: tuple[int, int, int, int], make: object) -> None:
    instance = make(420 + n + k, *sizes)  # type: ignore[operator]
    found = exact_execution_value(learn(model_of(instance), k), n)
    expected = oracles.execution_value(instance, n, k, "independent")
    assert found.exact is not None
    assert {state: found.exact[index] for index, state in flat_order(instance, n)} == expected


def test_the_oracles_tell_the_two_samplings_and_the_subsample_sizes_apart() -> None:
    values = {
        (k, sampling): tuple(sorted(oracles.execution_value(COORDINATION, 3, k, sampling).items()))
        for k in (1, 2, 3)
        for sampling in SAMPLINGS
    }
    assert values[2, "independent"] != values[2, "shared"]
    assert values[1, "independent"] != values[2, "independent"]
    assert values[1, "shared"] != values[3, "shared"]


# --------------------------------------------------------------------------------------------------------------- against V*


@pytest.mark.parametrize("seed", range(4))
def test_a_shared_draw_of_everybody_is_optimal(seed: int) -> None:
    instance = random_instance(500 + seed, 2, 2, 2, 2)
    system = LabelledSystem(instance, 3)
    model = model_of(instance)
    assert_encloses(execution_value(model, 3, learn(model, 3), "shared"), system.by_counts(system.optimum), instance, 3)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("n", [3, 9])
def test_no_executed_policy_beats_the_optimum(n: int, sampling: str) -> None:
    for seed in range(4):
        model = model_of(random_instance(510 + seed, 2, 2, 2, 2))
        best = optimal_value(model, n)
        for k in (1, 2, n):
            found = execution_value(model, n, learn(model, k), sampling)
            assert (found.lower <= best.upper).all()


# ----------------------------------------------------------------------------------------------------------- marginals, eq. 11-12


@pytest.mark.parametrize("make", [random_instance, tied_instance])
@pytest.mark.parametrize(
    ("n", "k", "sizes"), [(2, 1, (2, 2, 2, 2)), (3, 2, (2, 2, 2, 2)), (3, 3, (2, 2, 2, 3)), (4, 2, (2, 2, 2, 2)), (3, 2, (1, 2, 3, 2))]
)
def test_marginals_equal_those_of_the_enumerated_joint_law(n: int, k: int, sizes: tuple[int, int, int, int], make: object) -> None:
    instance = make(600 + n + k, *sizes)  # type: ignore[operator]
    found = policy_marginals(learn(model_of(instance), k), n)
    greedy = Greedy(LabelledSystem(instance, k))
    compared = 0
    for (g, i), (_, c) in flat_order(instance, n):
        s = tuple(label for label, x in enumerate(c) for _ in range(x))
        of_global: defaultdict[int, Fraction] = defaultdict(Fraction)
        of_agents: defaultdict[tuple[int, int], Fraction] = defaultdict(Fraction)
        for (b, a), p in independent_play(greedy, n, (g, s)).items():
            of_global[b] += p
            for j in range(n):
                of_agents[j, a[j]] += p
        assert found.global_action[g, i].tolist() == [of_global[b] for b in range(instance.sizes[1])]
        for j in range(n):
            assert found.local_action[g, i, s[j]].tolist() == [of_agents[j, a] for a in range(instance.sizes[3])]
            compared += 1
        absent = [label for label, x in enumerate(c) if x == 0]
        assert all(not any(found.local_action[g, i, label]) for label in absent)
    assert compared == n * len(flat_order(instance, n))


@pytest.mark.parametrize(("n", "k"), [(30, 7), (60, 60), (25, 1)])
def test_marginals_of_large_populations_are_exact_distributions(n: int, k: int) -> None:
    found = policy_marginals(learn(coordination(), k), n)
    assert {sum(row) for row in found.global_action.reshape(-1, 2)} == {1}
    assert found.local_action.shape == (2, n + 1, 2, 2)
    for g in range(2):
        for first in range(n + 1):
            sums = [sum(row) for row in found.local_action[g, first]]
            assert sums == [int(first > 0), int(first < n)]


def test_copying_is_uniform_over_the_members_and_falls_back_to_action_0() -> None:
    assert copied_mixture((1, 2, 0, 0, 0, 0), (3, 0), 0, 3).tolist() == [Fraction(1, 3), Fraction(2, 3), 0]
    assert copied_mixture((1, 2, 0, 0, 0, 0), (3, 0), 1, 3).tolist() == [1, 0, 0]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("k", [1, 2])
def test_the_shared_joint_action_is_the_smallest_maximiser(seed: int, k: int) -> None:
    instance = tied_instance(700 + seed, 2, 2, 2, 3)
    learned = learn(model_of(instance), k)
    greedy = Greedy(LabelledSystem(instance, k))
    for _, (g, c) in flat_order(instance, k):
        sample = tuple(s for s, x in enumerate(c) for _ in range(x))
        b, a = greedy.shared_action(g, sample)
        assert joint_action(learned, g, c) == (b, greedy.pair_counts(sample, a))


# ------------------------------------------------------------------------------------------------------- rounding of the chains


def exact_step(instance: Instance, n: int, k: int, sampling: str, value: dict[oracles.State, Fraction]) -> dict[oracles.State, Fraction]:
    """``reward + gamma P V`` of ``pi_k`` in Fractions, from one labelled state per count vector."""
    system, greedy = LabelledSystem(instance, n), Greedy(LabelledSystem(instance, k))
    size = instance.sizes[2]
    image = {}
    for g, c in value:
        state = (g, tuple(label for label, x in enumerate(c) for _ in range(x)))
        total = Fraction(0)
        for action, weight in PLAYS[sampling](greedy, n, state).items():
            reward, law = system.row(state, action)
            total += weight * (reward + instance.discount * sum(p * value[h, counts_of(t, size)] for (h, t), p in law.items()))
        image[g, c] = total
    return image


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize(("n", "k", "sizes"), [(2, 1, (2, 2, 2, 2)), (3, 2, (2, 2, 2, 3)), (3, 2, (1, 2, 3, 2))])
def test_chains_are_off_by_at_most_their_error_bound(n: int, k: int, sizes: tuple[int, int, int, int], scale: float, sampling: str) -> None:
    instance = random_instance(800 + n, *sizes)
    model = model_of(instance)
    learned = learn(model, k)
    chain: MarkovReward = shared_chain(model, n, learned) if sampling == "shared" else independent_chain(model, n, learned)
    value = random_doubles(chain.reward.shape, 3, scale)
    order = flat_order(instance, n)
    exact = exact_step(instance, n, k, sampling, {state: Fraction(float(value[index])) for index, state in order})
    image, bound = chain.apply(value), chain.error(value)
    assert max(abs(Fraction(float(image[index])) - exact[state]) for index, state in order) <= bound
    assert 0 < bound < Fraction(1, 10**9)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_the_certificate_does_not_trust_the_linear_solver(sampling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (PolicyChain, JointChain):
        monkeypatch.setattr(kind, "solve", lambda chain: np.full(chain.reward.shape, -3.0))
    check_execution(random_instance(7, 2, 2, 2, 2), 3, 2, sampling)


def test_a_coarse_width_still_contains_the_value() -> None:
    instance = random_instance(8, 2, 2, 2, 2)
    model = model_of(instance)
    found = execution_value(model, 3, learn(model, 2), width=0.5)
    assert_encloses(found, oracles.execution_value(instance, 3, 2, "independent"), instance, 3)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("n", [20, 40])
def test_larger_populations_reach_the_promised_width(n: int, sampling: str) -> None:
    model = coordination(discount="9/10")
    found = execution_value(model, n, learn(model, 5), sampling)
    assert found.width.max() <= WIDTH
    best = optimal_value(model, n)
    assert (found.lower <= best.upper).all()


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_names_and_members_of_the_sampling_are_the_same(sampling: str) -> None:
    learned = learn(coordination(), 2)
    one, two = (execution_value(coordination(), 3, learned, choice) for choice in (sampling, Sampling(sampling)))
    assert one.lower.tobytes() == two.lower.tobytes()


# -------------------------------------------------------------------------------------------------------------------- refusals


def test_a_subsample_larger_than_the_population_is_refused() -> None:
    with pytest.raises(ModelError, match="subsample: found 4, expected at most agents = 3"):
        execution_value(coordination(), 3, learn(coordination(), 4))


def test_a_policy_of_another_model_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="learned on the model 'coordination'"):
        execution_value(coordination(eta="1/50"), 3, learn(coordination(), 2))


def test_unknown_samplings_and_numbers_of_agents_are_refused() -> None:
    learned = learn(coordination(), 1)
    with pytest.raises(ModelError, match="sampling: found 'stratified'"):
        execution_value(coordination(), 3, learned, "stratified")
    for n in (0, True, 2.0):
        with pytest.raises(ModelError, match="agents: found"):
            execution_value(coordination(), n, learned)  # type: ignore[arg-type]


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_an_undecided_tie_is_never_played(sampling: str) -> None:
    learned = learn(coordination(), 2)
    opened = replace(learned, choices=learned.choices | {(0, (1, 1)): Maximisers(None)})
    assert opened.undecided == [(0, (1, 1))]
    with pytest.raises(UndecidedTieError, match="smaller subsample"):
        execution_value(coordination(), 3, opened, sampling)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_what_does_not_fit_is_refused_before_any_work(sampling: str) -> None:
    with pytest.raises(TooLargeError, match="transition probabilities"):
        execution_value(coordination(), 10**5, learn(coordination(), 1), sampling)


def test_exact_execution_refuses_what_does_not_fit_and_what_does_not_belong() -> None:
    with pytest.raises(TooLargeError, match="use execution_value"):
        exact_execution_value(learn(coordination(), 1), 10**4)
    with pytest.raises(ModelError, match="expected at most agents = 1"):
        exact_execution_value(learn(coordination(), 2), 1)
