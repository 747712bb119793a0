"""Algorithm 1 against labelled agents: policies, ties, regimes, and the empirical operator."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from mfverify.bellman.lumped import LumpedOperator
from mfverify.bellman.sampled import SampledOperator
from mfverify.errors import ModelError, TooLargeError
from mfverify.exact.rational import RationalSystem
from mfverify.models import absorbing, coordination
from mfverify.subsample_mfq import ties
from mfverify.subsample_mfq.learning import Learned, Regime, bellman_noise, learn, mean_field_table_size, standard_table_size, switch
from tests.agreement.checks import WIDTH, both_ways, check_policy, instance_of, model_of, random_doubles
from tests.oracles import (
    Instance,
    LabelledSystem,
    action_values,
    all_count_vectors,
    assert_encloses,
    flat_order,
    nested,
    random_instance,
    solve_decisions,
    tied_instance,
    with_local_reward,
)

SIZES = [(2, 2, 2, 2), (2, 3, 2, 2), (1, 2, 2, 2), (2, 2, 1, 3), (2, 2, 2, 1), (3, 2, 2, 2), (2, 1, 2, 3), (2, 2, 3, 2)]
COORDINATION = instance_of(coordination())
FAST = 8


def drawn(make: object, count: int) -> list[object]:
    """Cases (instance, k) with readable ids; all but the first few are slow."""
    cases = []
    for seed in range(count):
        sizes = SIZES[seed % len(SIZES)]
        k = 1 + seed % 3 if sizes[2] < 3 else 1 + seed % 2
        instance = make(seed, *sizes)  # type: ignore[operator]
        marks = [] if seed < FAST else [pytest.mark.slow]
        cases.append(pytest.param(instance, k, id=f"{instance.name}-k{k}-{'x'.join(map(str, sizes))}", marks=marks))
    return cases


def identical_actions() -> Instance:
    """Three actions, two of them identical in kernel and reward, with the third exactly as good: ties of every kind."""
    stay, move = (Fraction(1), Fraction(0)), (Fraction(0), Fraction(1))
    return Instance(
        nested((2, 2), lambda g, b: (Fraction(int(b == 0)), Fraction(int(b == 1)))),
        (((stay, move, stay),) * 2, ((stay, move, stay),) * 2),
        nested((2, 2), lambda *_: Fraction(0)),
        nested((2, 2, 3), lambda *_: Fraction(1)),
        Fraction(1, 2),
        "identical actions",
    )


# ------------------------------------------------------------------------------------------------------------------- policies


def check_learning(instance: Instance, k: int, regime: str) -> None:
    """The policy, learned as a small system is and as a large one is."""
    for way in both_ways():
        with way:
            check_policy(instance, learn(model_of(instance), k, regime=regime))


@pytest.mark.parametrize("regime", ["mean-field", "standard"])
@pytest.mark.parametrize(("instance", "k"), drawn(random_instance, 24))
def test_policy_matches_labelled_argmax(instance: Instance, k: int, regime: str) -> None:
    check_learning(instance, k, regime)


@pytest.mark.parametrize("regime", ["mean-field", "standard"])
@pytest.mark.parametrize(("instance", "k"), drawn(tied_instance, 40))
def test_exact_ties_are_broken_as_the_contract_says(instance: Instance, k: int, regime: str) -> None:
    check_learning(instance, k, regime)


def test_the_tied_models_really_have_ties_between_different_actions() -> None:
    ties = Counter()
    for seed in range(FAST):
        system = LabelledSystem(tied_instance(seed, *SIZES[seed]), 1 + seed % 2)
        for state, found in system.maximisers.items():
            global_actions = {b for b, _ in found}
            laws = {tuple(sorted(system.decisions[state][action][1].items())) for action in found}
            ties["several global actions"] += len(global_actions) > 1
            ties["different laws"] += len(laws) > 1
            ties["unique"] += len(found) == 1
    assert min(ties["several global actions"], ties["different laws"], ties["unique"]) >= 10


@pytest.mark.parametrize("regime", ["mean-field", "standard"])
@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("instance", [COORDINATION, instance_of(absorbing()), identical_actions()], ids=lambda i: i.name)
def test_policies_of_symmetric_models_match_labelled_argmax(instance: Instance, k: int, regime: str) -> None:
    check_learning(instance, k, regime)


def test_a_balanced_sample_of_the_coordination_model_is_a_tie_that_the_smallest_global_action_wins() -> None:
    learned = learn(coordination(), 2)
    balanced = learned.choices[0, (1, 1)].actions
    assert balanced is not None
    assert {b for b, _ in balanced} == {0, 1}
    assert learned.global_action[:, 1].tolist() == [0, 0]
    assert learned.local_action[:, 1].tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("regime", ["mean-field", "standard"])
@pytest.mark.parametrize("size", [Fraction(1, 10**30), Fraction(1, 3**80)], ids=["1e-30", "3^-80"])
@pytest.mark.parametrize("k", [1, 2])
def test_a_difference_that_doubles_cannot_see_decides(k: int, size: Fraction, regime: str) -> None:
    tables = []
    for sign in (1, -1):
        # Staying in local state 1 under global state 1 becomes better or worse by far less than a double resolves.
        instance = with_local_reward(COORDINATION, 1, 1, 1, sign * size)
        model = model_of(instance)
        assert (model.floats("local_reward") == model_of(COORDINATION).floats("local_reward")).all()
        learned = learn(model, k, regime=regime)
        check_policy(instance, learned)
        tables.append(learned.global_action.tolist())
    if k == 2:
        # The balanced sample follows the majority of rewards, and the sign of the difference is all there is to see.
        assert tables[0] != tables[1]


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_standard_and_mean_field_regimes_give_the_same_policy(k: int) -> None:
    compared = 0
    for seed in range(6):
        for make in (random_instance, tied_instance):
            model = model_of(make(200 + seed, 2, 2, 2, 2))
            standard, mean_field = learn(model, k, regime="standard"), learn(model, k, regime=Regime.MEAN_FIELD)
            assert standard.regime is Regime.STANDARD
            assert mean_field.regime is Regime.MEAN_FIELD
            assert np.array_equal(standard.global_action, mean_field.global_action)
            assert np.array_equal(standard.local_action, mean_field.local_action)
            assert standard.value.intersects(mean_field.value)
            compared += standard.local_action.size
    assert compared == 12 * 2 * (k + 1) * 2


@pytest.mark.parametrize("k", [60, 200])
def test_a_balanced_sample_is_an_exact_tie_at_any_size(k: int) -> None:
    # Swapping the names of the two sides maps the model to itself and the balanced sample of either global state to the other's.
    learned = learn(coordination(), k)
    assert learned.undecided == []
    tied = {state: found.actions for state, found in learned.choices.items() if len(found.actions or ()) > 1}
    assert set(tied) == {(g, (k // 2, k // 2)) for g in range(2)}
    for actions in tied.values():
        assert actions is not None
        assert {b for b, _ in actions} == {0, 1}


def test_near_ties_whose_candidates_do_not_fit_are_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_operator: LumpedOperator, _g: int, _value: np.ndarray) -> list[np.ndarray]:
        raise TooLargeError("a table that does not fit")

    assert learn(coordination(), 4).undecided == []
    monkeypatch.setattr(LumpedOperator, "action_values", refuse)
    learned = learn(coordination(), 4)
    assert learned.undecided == [(g, (2, 2)) for g in range(2)]
    assert learn(coordination(), 5).undecided == []


def test_a_difference_that_doubles_cannot_see_decides_a_large_sample() -> None:
    k = 120
    for sign, side in ((1, 1), (-1, 0)):
        # Staying in local state 1 under global state 1 becomes better or worse: so does going there.
        model = model_of(with_local_reward(COORDINATION, 1, 1, 1, Fraction(sign, 10**30)))
        learned = learn(model, k)
        assert learned.undecided == []
        assert learned.global_action[:, k // 2].tolist() == [side, side]


@pytest.mark.parametrize("seed", range(3))
def test_laws_of_the_exact_comparison_are_those_of_the_rational_system(seed: int) -> None:
    model = model_of(random_instance(60 + seed, 2, 2, 2 + seed % 2, 2))
    system = RationalSystem(model, 3)
    compared = 0
    for g, c in system.states:
        for d in system.local_action_counts(c):
            assert ties._exact_law(model, g, d) == system.law(g, d)
            compared += 1
    assert compared > 10


def test_an_exact_comparison_that_is_too_large_is_not_begun() -> None:
    third = Fraction(1, 3)
    model = model_of(replace(random_instance(60, 1, 1, 3, 1), local_kernel=(((((third,) * 3),),),) * 3))
    assert ties._exact_law(model, 0, (1000, 0, 0)) is None
    few = ties._exact_law(model, 0, (2, 0, 0))
    assert few is not None
    assert len(few) == 6


# ---------------------------------------------------------------------------------------------------------------- fixed point


@pytest.mark.parametrize("regime", ["mean-field", "standard"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_learned_value_encloses_the_labelled_fixed_point(k: int, regime: str) -> None:
    instance = random_instance(7, 2, 2, 2, 2)
    system = LabelledSystem(instance, k)
    learned = learn(model_of(instance), k, regime=regime)
    assert_encloses(learned.value, system.by_counts(system.optimum), instance, k)
    assert learned.value.width.max() <= WIDTH


@pytest.mark.parametrize("k", [1, 2, 3])
def test_every_listed_maximiser_is_one_and_each_kind_of_maximiser_is_listed(k: int) -> None:
    instance = tied_instance(11, 2, 2, 2, 2)
    system = LabelledSystem(instance, k)
    learned = learn(model_of(instance), k)
    for (g, c), found in learned.choices.items():
        sample = tuple(s for s, x in enumerate(c) for _ in range(x))
        wanted = {}
        for b, a in system.maximisers[g, sample]:
            pairs = tuple(Counter(zip(sample, a, strict=True))[s, x] for s in range(2) for x in range(2))
            reward, law = system.decisions[g, sample][b, a]
            lumped = Counter()
            for (h, t), p in law.items():
                lumped[h, tuple(sorted(t))] += p  # type: ignore[assignment]
            wanted[b, pairs] = (reward, tuple(sorted(lumped.items())))
        assert found.actions is not None
        assert set(found.actions) <= set(wanted)
        assert {wanted[action] for action in found.actions} == set(wanted.values())


# ----------------------------------------------------------------------------------------------------------------- table sizes


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("sizes", [(2, 3, 2, 2), (1, 2, 3, 1), (3, 1, 1, 2)], ids=str)
def test_table_sizes_are_those_of_listed_entries(sizes: tuple[int, int, int, int], k: int) -> None:
    global_states, global_actions, local_states, local_actions = sizes
    model = model_of(random_instance(1, *sizes))
    labelled = list(product(range(global_states), range(global_actions), *([range(local_states)] * k), *([range(local_actions)] * k)))
    assert standard_table_size(model, k) == len(labelled)
    pairs = local_states * local_actions
    assert mean_field_table_size(model, k) == global_states * global_actions * pairs * len(all_count_vectors(k - 1, pairs))


def test_the_switch_is_the_papers_rule() -> None:
    model = coordination()  # |Z_l| = 4: 4^k <= 4 k^4 holds for k = 1 (4 <= 4) up to k = 9 (262144 <= 26244 fails before)
    rule = {k: 4**k <= 4 * k**4 for k in range(1, 12)}
    assert set(rule.values()) == {True, False}
    assert {k: switch(model, k) is Regime.STANDARD for k in rule} == rule
    assert learn(model, 1, regime="switch").regime is Regime.STANDARD
    above = next(k for k in rule if not rule[k])
    assert learn(model, above, regime="switch").regime is Regime.MEAN_FIELD


# ---------------------------------------------------------------------------------------------------------- empirical operator

SampledDecisions = dict[int, dict[int, tuple[Fraction, dict[int, Fraction]]]]


def sampled_decisions(instance: Instance, operator: SampledOperator) -> SampledDecisions:
    """``T_{k,m}`` as an exact decision process over flat states, its rewards recomputed from the instance."""
    k, local_actions = operator.n, instance.sizes[3]
    decisions: SampledDecisions = {}
    pair = 0
    for i, ((g, _), actions) in enumerate(zip(operator.states, operator.actions, strict=True)):
        decisions[i] = {}
        for j, (b, d) in enumerate(actions):
            local = sum(x * instance.local_reward[z // local_actions][g][z % local_actions] for z, x in enumerate(d))
            drawn_states = Counter(operator.successors[pair].tolist())
            law = {state: Fraction(times, operator.samples) for state, times in drawn_states.items()}
            decisions[i][j] = (instance.global_reward[g][b] + local / k, law)
            pair += 1
    assert pair == len(operator.successors) == len(operator.rewards)
    return decisions


@pytest.mark.parametrize(("k", "m", "seed"), [(1, 1, 0), (1, 7, 1), (2, 3, 2), (2, 10, 3), (3, 2, 4)])
@pytest.mark.parametrize("sizes", [(2, 2, 2, 2), (2, 1, 3, 1), (1, 2, 2, 3)], ids=str)
def test_sampled_fixed_point_and_policy_match_exact_policy_iteration(sizes: tuple[int, int, int, int], k: int, m: int, seed: int) -> None:
    instance = random_instance(30 + seed, *sizes)
    model = model_of(instance)
    operator = SampledOperator(model, k, m, np.random.default_rng(seed))
    learned = learn(model, k, samples=m, seed=seed)
    value, maximisers = solve_decisions(sampled_decisions(instance, operator), instance.discount)
    order = flat_order(instance, k)
    assert operator.states == [state for _, state in order]
    assert_encloses(learned.value, {state: value[i] for i, state in enumerate(operator.states)}, instance, k)
    assert learned.value.width.max() <= WIDTH
    assert (learned.samples, learned.seed) == (m, seed)
    decided = 0
    for i, (state, actions) in enumerate(zip(operator.states, operator.actions, strict=True)):
        listed = learned.choices[state].actions
        if listed is not None:
            assert list(listed) == [actions[j] for j in maximisers[i]]
            decided += 1
    assert decided >= len(order) // 2


@pytest.mark.parametrize("m", [1, 4, 33])
def test_sampled_operator_is_off_by_at_most_its_error_bound(m: int) -> None:
    instance = random_instance(31, 2, 2, 2, 2)
    operator = SampledOperator(model_of(instance), 2, m, np.random.default_rng(5))
    value = random_doubles(operator.shape, 8, 100.0)
    exact_value = {i: Fraction(float(v)) for i, v in enumerate(value.ravel())}
    image = operator.apply(value).ravel()
    for i, moves in sampled_decisions(instance, operator).items():
        exact = max(action_values(moves, instance.discount, exact_value).values())
        assert abs(Fraction(float(image[i])) - exact) <= operator.error(value) < Fraction(1, 10**9)


def test_sampled_pairs_are_all_state_action_pairs_and_successors_are_possible() -> None:
    instance = random_instance(32, 2, 2, 2, 2)
    operator = SampledOperator(model_of(instance), 2, 50, np.random.default_rng(0))
    system = LabelledSystem(instance, 2)
    states = [state for _, state in flat_order(instance, 2)]
    pair = 0
    for (g, c), actions in zip(operator.states, operator.actions, strict=True):
        assert actions == sorted(set(actions))
        sample = tuple(s for s, x in enumerate(c) for _ in range(x))
        lawful: dict[tuple[int, tuple[int, ...]], set[tuple[int, tuple[int, ...]]]] = {}
        for b, a in system.joint_actions:
            pairs = tuple(Counter(zip(sample, a, strict=True))[s, x] for s in range(2) for x in range(2))
            targets = {(h, tuple(t.count(s) for s in range(2))) for h, t in system.decisions[g, sample][b, a][1]}
            lawful.setdefault((b, pairs), set()).update(targets)
        assert set(actions) == set(lawful)
        for action in actions:
            assert {states[j] for j in operator.successors[pair]} <= lawful[action]
            pair += 1
    assert pair == len(operator.successors)


def same(one: Learned, two: Learned) -> bool:
    """Whether two results are identical, bit by bit."""
    return (
        one.choices == two.choices
        and one.value.lower.tobytes() == two.value.lower.tobytes()
        and one.value.upper.tobytes() == two.value.upper.tobytes()
    )


def test_a_seed_reproduces_the_empirical_operator_and_another_one_does_not() -> None:
    model = model_of(random_instance(33, 2, 2, 2, 2))
    assert same(learn(model, 2, samples=3, seed=9), learn(model, 2, samples=3, seed=9))
    assert not same(learn(model, 2, samples=3, seed=9), learn(model, 2, samples=3, seed=10))


@pytest.mark.parametrize("k", [1, 2])
def test_without_randomness_in_the_model_any_sample_gives_the_exact_fixed_point(k: int) -> None:
    instance = tied_instance(5, 2, 2, 2, 2)
    system = LabelledSystem(instance, k)
    for m in (1, 3):
        learned = learn(model_of(instance), k, samples=m, seed=4)
        assert_encloses(learned.value, system.by_counts(system.optimum), instance, k)


@pytest.mark.parametrize(("k", "m", "seed"), [(1, 1, 0), (1, 5, 1), (2, 3, 2), (3, 2, 3)])
def test_bellman_noise_encloses_the_largest_difference_of_action_values(k: int, m: int, seed: int) -> None:
    instance = random_instance(40 + seed, 2, 2, 2, 2)
    model = model_of(instance)
    operator = SampledOperator(model, k, m, np.random.default_rng(seed))
    decisions = sampled_decisions(instance, operator)
    estimate, _ = solve_decisions(decisions, instance.discount)
    system = LabelledSystem(instance, k)
    differences = []
    for i, ((g, c), actions) in enumerate(zip(operator.states, operator.actions, strict=True)):
        sample = tuple(s for s, x in enumerate(c) for _ in range(x))
        truth = {}
        for (b, a), q in action_values(system.decisions[g, sample], instance.discount, system.optimum).items():
            pairs = Counter(zip(sample, a, strict=True))
            truth[b, tuple(pairs[s, x] for s in range(2) for x in range(2))] = q
        for j, q in action_values(decisions[i], instance.discount, estimate).items():
            differences.append(abs(q - truth[actions[j]]))
    found = bellman_noise(learn(model, k, samples=m, seed=seed))
    assert len(differences) == len(operator.rewards)
    assert found.contains(max(differences))
    assert found.width <= Fraction(1, 10**8)


def test_the_exact_operator_has_no_bellman_noise() -> None:
    assert (bellman_noise(learn(coordination(), 2)) == 0) is True


def test_many_samples_come_near_the_exact_fixed_point() -> None:
    instance = random_instance(1, 2, 2, 2, 2)
    system = LabelledSystem(instance, 1)
    exact = system.by_counts(system.optimum)

    def farthest(m: int) -> float:
        learned = learn(model_of(instance), 1, samples=m, seed=12)
        return max(abs(float(learned.value.midpoint[index]) - float(exact[state])) for index, state in flat_order(instance, 1))

    few, many = farthest(2), farthest(20_000)
    # Hoeffding and a union bound over 16 pairs at level 1e-6 for this fixed seed: noise of one application, then 1/(1 - gamma).
    span = max(exact.values()) - min(exact.values())
    hoeffding = float(instance.discount / (1 - instance.discount) * span) * (np.log(2 * 16 / 1e-6) / (2 * 20_000)) ** 0.5
    assert many <= hoeffding < few


def test_switch_with_samples_keeps_the_table_on_counts() -> None:
    learned = learn(coordination(), 1, samples=3, regime="switch")
    assert learned.regime is Regime.MEAN_FIELD
    assert learned.samples == 3


# -------------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("k", [0, -2, 1.0, True, "1", None], ids=repr)
def test_a_subsample_that_is_no_positive_integer_is_refused(k: object) -> None:
    with pytest.raises(ModelError, match="subsample: found"):
        learn(coordination(), k)  # type: ignore[arg-type]


@pytest.mark.parametrize("samples", [0, -1, 2.5, True], ids=repr)
def test_a_number_of_samples_that_is_no_positive_integer_is_refused(samples: object) -> None:
    with pytest.raises(ModelError, match="samples: found"):
        learn(coordination(), 1, samples=samples)  # type: ignore[arg-type]


def test_samples_in_the_standard_regime_and_unknown_regimes_are_refused() -> None:
    with pytest.raises(ModelError, match="regime='mean-field'"):
        learn(coordination(), 1, samples=2, regime="standard")
    with pytest.raises(ModelError, match="regime: found 'fast', expected one of 'standard', 'mean-field', 'switch'"):
        learn(coordination(), 1, regime="fast")


def test_what_does_not_fit_is_refused_before_any_work() -> None:
    with pytest.raises(TooLargeError, match="samples"):
        learn(coordination(), 50, samples=10**6)
    with pytest.raises(TooLargeError, match="30 agents, method flat"):
        learn(coordination(), 30, regime="standard")
