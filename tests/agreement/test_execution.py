"""Algorithm 2 against full enumeration: every subset of every agent, every labelled joint action, exact linear solves."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import comb
from pathlib import Path

import mpmath
import numpy as np
import pytest

from mfverify import fixed_point
from mfverify.cli import main
from mfverify.counts import count_vectors
from mfverify.enclosure import Enclosure
from mfverify.errors import ModelError, TooLargeError, UndecidedTieError
from mfverify.exact.optimal import optimal_value
from mfverify.model import Model
from mfverify.models import absorbing, coordination, random_coupled
from mfverify.subsample_mfq import draws
from mfverify.subsample_mfq.draws import WORDS, way
from mfverify.subsample_mfq.execution import exact_execution_value, execution_value, policy_marginals
from mfverify.subsample_mfq.learning import Learned, learn
from mfverify.subsample_mfq.own_draws import OwnDraws, agent_rows, exact_marginals, own_chain
from mfverify.subsample_mfq.plays import copied_mixture, joint_action
from mfverify.subsample_mfq.signals import signal_chain
from mfverify.subsample_mfq.ties import Maximisers
from mfverify.subsample_mfq.uniform_subset import subset_numerators, subsets
from tests import oracles
from tests.agreement.checks import WIDTH, check_against_exact, check_execution, instance_of, model_of, policy_of, random_doubles, rules_of
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

SAMPLINGS = list(WORDS)
ANEW = [sampling for sampling in SAMPLINGS if sampling not in ("fixed", "plan-fixed", "pool")]
"""Draws that are made anew at every step: the counts alone are a Markov chain."""
COUNTED = [sampling for sampling in SAMPLINGS if sampling != "pool"]
"""Ways whose states are counts; a pool has labelled states and is meant for few agents."""
CHAINED = [sampling for sampling in COUNTED if sampling != "plan-fixed"]
"""Ways whose chain is that of the agents; agents with one plan forever are the chain of one agent."""
OWN = [sampling for sampling in SAMPLINGS if isinstance(way(sampling), OwnDraws)]
SIZES = [(2, 2, 2, 2), (2, 1, 2, 2), (1, 2, 2, 2), (2, 2, 1, 2), (2, 2, 2, 1), (3, 3, 2, 2)]
FAST = 8
COORDINATION = instance_of(coordination())


def fifty_models() -> list[object]:
    """Cases (instance, n, sampling) with readable ids; all but the first few are slow. One has three local states."""
    cases = []
    for seed, sampling in product(range(50), SAMPLINGS):
        sizes = (2, 2, 3, 2) if seed == 49 else SIZES[seed % len(SIZES)]
        n = 2 + seed % 2 if sizes[2] < 3 else 2
        instance = random_instance(300 + seed, *sizes)
        marks = [] if seed < FAST else [pytest.mark.slow]
        # Every kind of draw on every size of model; the paper's and its shared twin on all fifty.
        if seed < 2 * FAST or seed == 49 or sampling in ("independent", "shared"):
            cases.append(
                pytest.param(instance, n, sampling, id=f"{instance.name}-n{n}-{'x'.join(map(str, sizes))}-{sampling}", marks=marks)
            )
    return cases


# ------------------------------------------------------------------------------------------------- values, for every k from 1 to n


@pytest.mark.parametrize(("instance", "n", "sampling"), fifty_models())
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


def test_every_sampling_has_an_oracle_and_the_oracles_differ() -> None:
    assert set(oracles.PLAYS) == set(ANEW)
    values = {
        (k, sampling): tuple(sorted(oracles.execution_value(COORDINATION, 4, k, sampling, rules_of(COORDINATION)).items()))
        for k in (2, 3)
        for sampling in SAMPLINGS
    }
    # On coordination all agents meet after one step, so a new sample brings no other plan.
    assert values[2, "plan"] == values[2, "plan-fixed"]
    assert len({values[2, sampling] for sampling in SAMPLINGS if sampling != "plan-fixed"}) == len(SAMPLINGS) - 1
    assert all(values[2, sampling] != values[3, sampling] for sampling in SAMPLINGS)
    coupled = instance_of(random_coupled(4))
    anew, once = (oracles.execution_value(coupled, 3, 1, sampling, rules_of(coupled)) for sampling in ("plan", "plan-fixed"))
    assert anew != once


# --------------------------------------------------------------------------------------------------------------- against V*


@pytest.mark.parametrize("sampling", ["shared", "stratified", "fixed", "pool"])
@pytest.mark.parametrize("seed", range(4))
def test_a_shared_draw_of_everybody_is_optimal(seed: int, sampling: str) -> None:
    instance = random_instance(500 + seed, 2, 2, 2, 2)
    system = LabelledSystem(instance, 3)
    model = model_of(instance)
    assert_encloses(execution_value(model, 3, learn(model, 3), sampling), system.by_counts(system.optimum), instance, 3)


@pytest.mark.parametrize(("n", "sampling"), [*product([3], SAMPLINGS), *product([9], COUNTED)])
def test_no_executed_policy_beats_the_optimum(n: int, sampling: str) -> None:
    for seed in range(4):
        model = model_of(random_instance(510 + seed, 2, 2, 2, 2))
        best = optimal_value(model, n)
        for k in (1, 2, n):
            found = execution_value(model, n, learn(model, k), sampling)
            assert (found.lower <= best.upper).all()


# ------------------------------------------------------------------------------------------------ the chains for two local states


def with_unreachable_state(model: Model) -> Model:
    """The same model with a third local state in which no agent starts and which none reaches: solved by the code for any number of states."""
    stay = np.zeros((1, *model.local_kernel.shape[1:3], 3), dtype=object)
    stay[..., 2] = 1
    kernel = np.concatenate([model.local_kernel, np.zeros_like(model.local_kernel[..., :1])], axis=-1)
    reward = np.concatenate([model.local_reward, np.zeros_like(model.local_reward[:1])])
    return Model(model.global_kernel, np.concatenate([kernel, stay]), model.global_reward, reward, model.discount)


@pytest.mark.parametrize(
    ("seed", "n", "k", "sampling"),
    [(*case, way) for case, way in product([(4, 7, 3), (6, 9, 4), (4, 8, 8)], COUNTED)] + [(4, 4, 3, "pool")],
)
def test_two_states_agree_with_the_code_for_any_number_of_states(seed: int, n: int, k: int, sampling: str) -> None:
    model = random_coupled(seed)
    wide = with_unreachable_state(model)
    narrow_value, wide_value = execution_value(model, n, learn(model, k), sampling), execution_value(wide, n, learn(wide, k), sampling)
    used = [i for i, c in enumerate(count_vectors(n, 3)) if c[2] == 0]
    assert len(used) == n + 1
    assert narrow_value.intersects(Enclosure(wide_value.lower[:, used], wide_value.upper[:, used]))


@pytest.mark.parametrize("sampling", OWN)
@pytest.mark.parametrize(("n", "k"), [(1, 1), (40, 9), (25, 25), (90, 31)])
def test_rows_of_two_binomials_agree_with_rows_convolved_agent_by_agent(n: int, k: int, sampling: str) -> None:
    for model in (coordination(discount="9/10"), random_coupled(4)):
        learned = learn(model, k)
        fast, slow = way(sampling).chain(model, n, learned), own_chain(way(sampling), learned, n, exact_marginals, agent_rows)
        assert fast.enclose(WIDTH).intersects(slow.enclose(WIDTH))
        value = random_doubles(fast.reward.shape, n, 10.0)
        difference = np.abs(fast.apply(value) - slow.apply(value)).max()
        assert Fraction(float(difference)) <= fast.error(value) + slow.error(value) < Fraction(1, 10**10)


@pytest.mark.parametrize("sampling", CHAINED)
@pytest.mark.parametrize(("seed", "n", "k", "sizes"), [(830, 7, 3, (2, 2, 2, 2)), (831, 4, 2, (2, 2, 3, 2))])
def test_chains_agree_with_the_chain_of_all_signals(seed: int, n: int, k: int, sizes: tuple[int, int, int, int], sampling: str) -> None:
    """One application of the chain that a way builds, against the one that is built from its signals state by state."""
    model = model_of(tied_instance(seed, *sizes))
    learned = learn(model, k)
    own, general = way(sampling).chain(model, n, learned), signal_chain(way(sampling), model, n, learned)
    value = random_doubles(own.reward.shape, seed, 10.0)
    image, other = own.apply(value), general.apply(value.reshape(general.reward.shape)).reshape(value.shape)
    bound = own.error(value) + general.error(value)
    assert max(abs(Fraction(float(x)) - Fraction(float(y))) for x, y in zip(image.ravel(), other.ravel(), strict=True)) <= bound
    assert bound < Fraction(1, 10**10)
    shifted = value + np.arange(value.size).reshape(value.shape)
    assert np.abs(own.apply(shifted) - image).max() > float(bound), "the comparison tells values apart"


@pytest.mark.parametrize(("model", "n", "k"), [(coordination(), 25, 11), (coordination(), 120, 120), (random_coupled(4), 60, 12)])
def test_enclosures_of_larger_populations_contain_the_exact_value(model: Model, n: int, k: int) -> None:
    check_against_exact(learn(model, k), n)


@pytest.mark.parametrize("sampling", COUNTED)
def test_hundreds_of_agents_are_enclosed_as_narrowly_as_promised(sampling: str) -> None:
    model = random_coupled(6)
    found = execution_value(model, 600, learn(model, 12), sampling)
    assert found.width.max() <= WIDTH
    scale = model.rt / (1 - model.discount)
    assert (abs(found).upper <= float(scale) + WIDTH).all()


# ----------------------------------------------------------------------------------------------------------- marginals, eq. 11-12


@pytest.mark.parametrize("make", [random_instance, tied_instance])
@pytest.mark.parametrize(
    ("n", "k", "sizes"),
    [(2, 1, (2, 2, 2, 2)), (3, 2, (2, 2, 2, 2)), (3, 3, (2, 2, 2, 3)), (4, 2, (2, 2, 2, 2)), (3, 2, (1, 2, 3, 2)), (5, 4, (1, 2, 3, 2))],
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


@pytest.mark.parametrize(("n", "k"), [(12, 3), (12, 9), (90, 50), (70, 68)])
def test_numerators_of_subsets_are_those_of_each_population(n: int, k: int) -> None:
    """Also where C(n, k) does not fit into 64 bits, and where samples are numbered by the agents that are left out."""
    rng = np.random.default_rng(n)
    populations = rng.multinomial(n, [0.6, 0.3, 0.1], size=5)
    samples, numerators = subsets(populations, k)
    listed = count_vectors(k, 3)
    for c, population in enumerate(populations.tolist()):
        expected = {tuple(x): w for x, w in zip(listed.tolist(), subset_numerators(tuple(population), listed), strict=True) if w}
        mine = samples[c if len(samples) > 1 else 0].tolist()
        assert {tuple(x): w for x, w in zip(mine, numerators[c].tolist(), strict=True) if w} == expected
        assert sum(numerators[c].tolist()) == comb(n, k)


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
    system, greedy = LabelledSystem(instance, n), Greedy(LabelledSystem(instance, k), rules_of(instance))
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


@pytest.mark.parametrize("sampling", ANEW)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize(("n", "k", "sizes"), [(2, 1, (2, 2, 2, 2)), (3, 2, (2, 2, 2, 3)), (3, 2, (1, 2, 3, 2))])
def test_chains_are_off_by_at_most_their_error_bound(n: int, k: int, sizes: tuple[int, int, int, int], scale: float, sampling: str) -> None:
    instance = random_instance(800 + n, *sizes)
    model = model_of(instance)
    learned = learn(model, k)
    chain = way(sampling).chain(model, n, learned)
    value = random_doubles(chain.reward.shape, 3, scale)
    order = flat_order(instance, n)
    exact = exact_step(instance, n, k, sampling, {state: Fraction(float(value[index])) for index, state in order})
    image, bound = chain.apply(value), chain.error(value)
    assert max(abs(Fraction(float(image[index])) - exact[state]) for index, state in order) <= bound
    assert 0 < bound < Fraction(1, 10**9)


def binomial_law(agents: int, p: Fraction) -> list[mpmath.mpf]:
    """``Bin(agents, p)`` to sixty digits."""
    q = mpmath.mpf(p.numerator) / p.denominator
    return [mpmath.binomial(agents, m) * q**m * (1 - q) ** (agents - m) for m in range(agents + 1)]


def convolved(first: list[mpmath.mpf], second: list[mpmath.mpf]) -> list[mpmath.mpf]:
    """The law of a sum."""
    out = [mpmath.mpf(0)] * (len(first) + len(second) - 1)
    for i, x in enumerate(first):
        for j, y in enumerate(second):
            out[i + j] += x * y
    return out


def to_zero(model: Model, g: int, s: int, mixture: list[Fraction]) -> Fraction:
    """The probability that an agent in ``s`` that plays a mixture goes to local state 0."""
    return sum((p * q for p, q in zip(mixture, model.local_kernel[s, g, :, 0], strict=True)), Fraction(0))


def earned(model: Model, g: int, s: int, mixture: list[Fraction]) -> Fraction:
    """What it earns."""
    return sum((p * r for p, r in zip(mixture, model.local_reward[s, g], strict=True)), Fraction(0))


def sixty_digit_step(model: Model, learned: Learned, state: tuple[int, int], n: int, sampling: str, value: np.ndarray) -> mpmath.mpf:
    """``reward + gamma P V`` in one state, from the definition: every sample separately, its agents by exact mixtures."""
    g, c0 = state
    k, population = learned.k, (c0, n - c0)
    tables = learned.global_action[g], learned.local_action[g]

    def drawn(marked: int, of: int, size: int) -> list[tuple[int, Fraction]]:
        return [
            (d, Fraction(comb(marked, d) * comb(of - marked, size - d), comb(of, size))) for d in range(size + 1) if size - d <= of - marked
        ]

    def one(b: int, mixtures: list[list[Fraction]]) -> mpmath.mpf:
        law = convolved(*(binomial_law(x, to_zero(model, g, s, m)) for (s, m), x in zip(enumerate(mixtures), population, strict=True)))
        after = sum(
            mpmath.mpf(p.numerator) / p.denominator * mpmath.fdot(law, [mpmath.mpf(float(x)) for x in value[h]])
            for h, p in enumerate(model.global_kernel[g, b])
            if p
        )
        reward = (
            model.global_reward[g, b]
            + sum(x * earned(model, g, s, m) for (s, m), x in zip(enumerate(mixtures), population, strict=True)) / n
        )
        return mpmath.mpf(reward.numerator) / reward.denominator + mpmath.mpf(model.discount.numerator) / model.discount.denominator * after

    total = mpmath.mpf(0)
    if sampling == "independent":
        mixtures = []
        for s in range(2):
            mixture = [Fraction(0), Fraction(0)]
            for d, p in drawn(c0 - (s == 0), n - 1, k - 1) if population[s] else []:
                mixture[int(tables[1][d + (s == 0), s])] += p
            mixtures.append(mixture)
        draws = [(int(tables[0][d]), mixtures, p) for d, p in drawn(c0, n, k) if p]
    else:
        draws = []
        for d, p in drawn(c0, n, k):
            if p:
                b, action_counts = joint_action(learned, g, (d, k - d))
                # No sample of these models splits a local state, so members and those who copy them play one action.
                mixture_of = [list(copied_mixture(action_counts, (d, k - d), s, 2)) for s in range(2)]
                assert all(set(m) == {0, 1} for m in mixture_of)
                draws.append((b, mixture_of, p))
    for b, mixtures, p in draws:
        total += mpmath.mpf(p.numerator) / p.denominator * one(b, mixtures)
    return total


@pytest.mark.parametrize(("sampling", "n", "k"), [("independent", 90, 21), ("shared", 60, 9)])
@pytest.mark.parametrize("seed", [4, 6])
def test_an_application_with_many_agents_is_off_by_at_most_its_error_bound(seed: int, sampling: str, n: int, k: int) -> None:
    model = random_coupled(seed)
    learned = learn(model, k)
    chain = way(sampling).chain(model, n, learned)
    value = random_doubles(chain.reward.shape, 17, 10.0)
    image, bound = chain.apply(value), chain.error(value)
    assert 0 < bound < Fraction(1, 10**10)
    with mpmath.workdps(60):
        for g, c0 in ((0, 0), (1, 1), (0, n // 2), (1, n - 3)):
            exact = sixty_digit_step(model, learned, (g, c0), n, sampling, value)
            assert abs(mpmath.mpf(float(image[g, c0])) - exact) <= mpmath.mpf(bound.numerator) / bound.denominator


@pytest.mark.parametrize("scale", [1e-3, 1e3])
@pytest.mark.parametrize(("n", "k", "sizes"), [(3, 1, (2, 2, 2, 2)), (4, 2, (2, 2, 2, 3)), (3, 2, (1, 2, 3, 2)), (3, 3, (2, 2, 2, 2))])
def test_the_chain_of_a_fixed_subset_is_off_by_at_most_its_error_bound(
    n: int, k: int, sizes: tuple[int, int, int, int], scale: float
) -> None:
    instance = random_instance(820 + n, *sizes)
    model = model_of(instance)
    chain = way("fixed").chain(model, n, learn(model, k))
    value = random_doubles(chain.reward.shape, 5, scale)
    size = sizes[2]
    members, others = oracles.all_count_vectors(k, size), oracles.all_count_vectors(n - k, size)
    place = {(d, e): i * len(others) + j for i, d in enumerate(members) for j, e in enumerate(others)}
    assert chain.reward.shape == (sizes[0], len(place))
    system, greedy = LabelledSystem(instance, n), Greedy(LabelledSystem(instance, k))
    image, bound = chain.apply(value), chain.error(value)
    assert 0 < bound < Fraction(1, 10**9)
    for g, (d, e) in product(range(sizes[0]), place):
        # The subset is the first k agents.
        s = tuple(label for part in (d, e) for label, x in enumerate(part) for _ in range(x))
        exact = Fraction(0)
        for action, weight in oracles._copied(greedy, g, s, range(k)).items():
            reward, law = system.row((g, s), action)
            after = sum(p * Fraction(float(value[h, place[counts_of(t[:k], size), counts_of(t[k:], size)]])) for (h, t), p in law.items())
            exact += weight * (reward + instance.discount * after)
        assert abs(Fraction(float(image[g, place[d, e]])) - exact) <= bound


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_the_certificate_does_not_trust_the_linear_solver(sampling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        fixed_point, "correction", lambda operator, moved, value, image: np.arange(float(value.size)).reshape(value.shape) - 3.0
    )
    policy_of.cache_clear()  # learning has no other solver either
    check_execution(random_instance(7, 2, 2, 2, 2), 3, 2, sampling)


def test_a_coarse_width_still_contains_the_value() -> None:
    instance = random_instance(8, 2, 2, 2, 2)
    model = model_of(instance)
    found = execution_value(model, 3, learn(model, 2), width=0.5)
    assert_encloses(found, oracles.execution_value(instance, 3, 2, "independent"), instance, 3)


@pytest.mark.parametrize("sampling", COUNTED)
@pytest.mark.parametrize("n", [20, 40])
def test_larger_populations_reach_the_promised_width(n: int, sampling: str) -> None:
    model = coordination(discount="9/10")
    found = execution_value(model, n, learn(model, 5), sampling)
    assert found.width.max() <= WIDTH
    best = optimal_value(model, n)
    assert (found.lower <= best.upper).all()


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_words_and_ways_of_drawing_are_the_same(sampling: str) -> None:
    assert way(sampling).word == sampling
    learned = learn(coordination(), 2)
    one, two = (execution_value(coordination(), 3, learned, choice) for choice in (sampling, way(sampling)))
    assert one.lower.tobytes() == two.lower.tobytes()


def test_every_file_of_ways_is_a_way() -> None:
    files = {path.stem.replace("_", "-") for path in Path(draws.__file__).parent.glob("*.py")} - {"--init--"}
    assert set(SAMPLINGS) == files
    assert len(SAMPLINGS) >= 7


def test_the_command_line_offers_every_sampling() -> None:
    (option,) = [parameter for parameter in main.commands["gap"].params if parameter.name == "sampling"]
    assert list(option.type.choices) == SAMPLINGS  # type: ignore[attr-defined]


# -------------------------------------------------------------------------------------------------------------------- refusals


def test_a_subsample_larger_than_the_population_is_refused() -> None:
    with pytest.raises(ModelError, match="subsample: found 4, expected at most agents = 3"):
        execution_value(coordination(), 3, learn(coordination(), 4))


def test_a_policy_of_another_model_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="learned on the model 'coordination'"):
        execution_value(coordination(eta="1/50"), 3, learn(coordination(), 2))


def test_unknown_samplings_and_numbers_of_agents_are_refused() -> None:
    learned = learn(coordination(), 1)
    for wrong in ("sorted", None, "__init__", "with_replacement"):
        with pytest.raises(ModelError, match=f"sampling: found {wrong!r}, expected one of 'fixed', 'independent'"):
            execution_value(coordination(), 3, learned, wrong)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="sampling: found 'shared', expected a way in which each agent draws on its own"):
        policy_marginals(learned, 3, "shared")
    for n in (0, True, 2.0):
        with pytest.raises(ModelError, match="agents: found"):
            execution_value(coordination(), n, learned)  # type: ignore[arg-type]


@pytest.mark.parametrize("sampling", [sampling for sampling in SAMPLINGS if sampling not in ("plan", "plan-fixed")])
def test_an_undecided_tie_is_never_played(sampling: str) -> None:
    learned = learn(coordination(), 2)
    opened = replace(learned, choices=learned.choices | {(0, (1, 1)): Maximisers(None)})
    assert opened.undecided == [(0, (1, 1))]
    with pytest.raises(UndecidedTieError, match="smaller subsample"):
        execution_value(coordination(), 3, opened, sampling)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_what_does_not_fit_is_refused_before_any_work(sampling: str) -> None:
    with pytest.raises(TooLargeError, match=r"transition probabilities|members and others|operations"):
        execution_value(coordination(), 10**10 if sampling == "plan-fixed" else 10**5 + 1, learn(coordination(), 1), sampling)


def test_exact_execution_refuses_what_does_not_fit_and_what_does_not_belong() -> None:
    with pytest.raises(TooLargeError, match="use execution_value"):
        exact_execution_value(learn(coordination(), 1), 10**4)
    with pytest.raises(ModelError, match="expected at most agents = 1"):
        exact_execution_value(learn(coordination(), 2), 1)
