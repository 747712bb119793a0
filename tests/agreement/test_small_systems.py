"""The operators of small systems, part by part, against brute force in rationals: quick also where nothing is compiled (``make mutants``)."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product
from math import comb, prod
from typing import Any

import numpy as np
import pytest

from mfverify.bellman import labelled, lumped, sampled, sweeps
from mfverify.bellman.choices import Wanted, choices_in
from mfverify.bellman.fused import FusedSweep
from mfverify.bellman.labelled import LabelledOperator
from mfverify.bellman.lumped import LumpedOperator
from mfverify.bellman.sampled import SampledOperator
from mfverify.counts import count_vectors, rank
from mfverify.enclosure import UNDERFLOW, rounding_error
from mfverify.errors import ModelError, TooLargeError
from tests import oracles
from tests.agreement.checks import model_of, random_doubles
from tests.oracles import Instance, LabelledSystem, counts_of, random_instance

Q = Fraction


def uneven(seed: int, global_states: int, global_actions: int, local_states: int, local_actions: int) -> Instance:
    """Probabilities that doubles do not hold, rewards of both signs and not in binary fractions either."""
    drawn = random_instance(seed, global_states, global_actions, local_states, local_actions)
    turn = iter(range(1, 10**6))

    def row(size: int) -> tuple[Fraction, ...]:
        weights = [(7 * next(turn)) % 11 + 1 for _ in range(size)]
        return tuple(Q(w, sum(weights)) for w in weights)

    return Instance(
        oracles.nested((global_states, global_actions), lambda *_: row(global_states)),
        oracles.nested((local_states, global_states, local_actions), lambda *_: row(local_states)),
        oracles.nested((global_states, global_actions), lambda g, b: drawn.global_reward[g][b] + Q(1, 3)),
        oracles.nested((local_states, global_states, local_actions), lambda s, g, a: drawn.local_reward[s][g][a] - Q(1, 7)),
        Q(2, 3),
        f"uneven-{seed}",
    )


def twins(seed: int) -> Instance:
    """Two of three local actions share a kernel, and so do two of three global actions; the better twin is not always the first."""
    drawn = uneven(seed, 2, 3, 2, 3)
    return Instance(
        oracles.nested((2, 3), lambda g, b: drawn.global_kernel[g][min(b, 1)]),
        oracles.nested((2, 2, 3), lambda s, g, a: drawn.local_kernel[s][g][a % 2]),
        drawn.global_reward,
        drawn.local_reward,
        drawn.discount,
        f"twins-{seed}",
    )


SMALL = [(uneven(1, 2, 2, 2, 2), 2), (uneven(2, 1, 2, 3, 2), 2), (uneven(3, 2, 1, 2, 3), 1), (twins(4), 2), (uneven(5, 2, 2, 2, 1), 3)]
IDS = [f"{instance.name}, {n} agents" for instance, n in SMALL]


def as_mapping(instance: Instance, n: int, value: Any) -> dict[oracles.State, Fraction]:
    return {state: Q(float(value[index])) for index, state in oracles.flat_order(instance, n)}


def law_of(rows: list[tuple[Fraction, ...]], size: int) -> dict[tuple[int, ...], Fraction]:
    """The law of the counts of agents that move independently, by listing their moves."""
    law: dict[tuple[int, ...], Fraction] = {}
    for targets in product(range(size), repeat=len(rows)):
        c = counts_of(targets, size)
        law[c] = law.get(c, Q(0)) + prod((row[t] for row, t in zip(rows, targets, strict=True)), start=Q(1))
    return law


# ----------------------------------------------------------------------------------------------------------- labelled agents


@pytest.mark.parametrize(("instance", "n"), SMALL, ids=IDS)
def test_the_labelled_operator_is_within_its_error(instance: Instance, n: int) -> None:
    system, operator = LabelledSystem(instance, n), LabelledOperator(model_of(instance), n)
    assert operator.shape == (instance.sizes[0], *(instance.sizes[2],) * n)
    assert operator.pairs == len(system.states) * len(system.joint_actions)
    value = random_doubles(operator.shape, 5, 10.0)
    exact = {(g, s): Q(float(value[g, *s])) for g, s in system.states}
    error = operator.error(value)
    image = operator.apply(value)
    assert image.shape == operator.shape
    for (g, s), moves in system.decisions.items():
        values = oracles.action_values(moves, instance.discount, exact)
        assert abs(Q(float(image[g, *s])) - max(values.values())) <= error
        table = operator.action_values(g, value)
        for (b, a), wanted in values.items():
            place = tuple(x * instance.sizes[3] + y for x, y in zip(s, a, strict=True))
            assert abs(Q(float(table[b, *place])) - wanted) <= error


def test_the_error_of_the_labelled_operator_is_that_of_its_roundings() -> None:
    """Per agent |S_l| + 1 roundings, |S_g| + 1 of the global row, 2 of the discount, n + 3 of the rewards, 3 sums."""
    instance, n = uneven(1, 2, 2, 2, 2), 3
    operator = LabelledOperator(model_of(instance), n)
    value = np.full(operator.shape, -7.5)
    value[0, 0, 0, 0] = 2.0
    roundings = 3 * n + 3 + 2 + (n + 3) + 3
    assert operator.error(value) == rounding_error(roundings, instance.rt + instance.discount * Q(15, 2), roundings * 8)


def test_counts_of_labelled_states() -> None:
    operator = LabelledOperator(model_of(uneven(2, 1, 2, 3, 2)), 2)
    found = operator.count_vector_of_state()
    assert found.dtype == np.int64
    assert {(s, t): tuple(found[s, t]) for s in range(3) for t in range(3)} == {
        (s, t): counts_of((s, t), 3) for s in range(3) for t in range(3)
    }


def test_labelled_systems_need_an_agent_and_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(uneven(1, 2, 2, 2, 2))
    for n in (0, -1):
        with pytest.raises(ModelError, match="agents: found"):
            LabelledOperator(model, n)
    assert labelled._MOST_NUMBERS == 10**8
    pairs = 4 * 4**3
    monkeypatch.setattr(labelled, "_MOST_NUMBERS", pairs)
    assert LabelledOperator(model, 3).pairs == pairs
    monkeypatch.setattr(labelled, "_MOST_NUMBERS", pairs - 1)
    with pytest.raises(TooLargeError, match=r"256 \(state, action\) pairs"):
        LabelledOperator(model, 3)


# ----------------------------------------------------------------------------------------------------------- choices, lumped


@pytest.mark.parametrize("instance", [twins(4), twins(5), uneven(1, 2, 2, 2, 2), uneven(2, 1, 2, 3, 2)], ids=lambda i: i.name)
def test_choices_merge_what_does_the_same_and_keep_the_better(instance: Instance) -> None:
    global_states, global_actions, local_states, local_actions = instance.sizes
    for g in range(global_states):
        found = choices_in(model_of(instance), g)
        assert len(set(found.kernels)) == len(found.kernels)
        assert set(found.kernels) == {instance.local_kernel[s][g][a] for s in range(local_states) for a in range(local_actions)}
        if local_states == 2:
            shares = [kernel[1] for kernel in found.kernels]
            assert (shares[-2], shares[-1]) == (min(shares), max(shares))
        else:
            assert list(found.kernels) == sorted(found.kernels, key=lambda row: row[1:])
        assert found.starts.tolist()[0] == 0
        assert found.starts.tolist()[-1] == len(found.kernel) == len(found.reward) == len(found.action)
        for s in range(local_states):
            mine = slice(int(found.starts[s]), int(found.starts[s + 1]))
            best: dict[Any, tuple[Fraction, int]] = {}
            for a in range(local_actions):
                kernel, reward = instance.local_kernel[s][g][a], instance.local_reward[s][g][a]
                best[kernel] = max(best.get(kernel, (reward, -a)), (reward, -a))
            listed = {
                found.kernels[u]: (r, -int(a)) for u, r, a in zip(found.kernel[mine], found.reward[mine], found.action[mine], strict=True)
            }
            assert listed == best
            assert found.kernel[mine].tolist() == sorted(found.kernel[mine].tolist())
        assert [found.global_rows[i] for i in found.global_row] == [instance.global_kernel[g][b] for b in range(global_actions)]
        assert len(set(found.global_rows)) == len(found.global_rows)


def best_by_global_action(instance: Instance, n: int, value: Any) -> dict[tuple[int, tuple[int, ...], int], list[tuple[Fraction, Any]]]:
    """For every state and global action: Q of every joint action over distinct (kernel, reward) choices, largest first."""
    exact = as_mapping(instance, n, value)
    _, global_actions, local_states, local_actions = instance.sizes
    out = {}
    for g, c in exact:
        for b in range(global_actions):
            found: dict[Any, Fraction] = {}
            per_state = [oracles.all_count_vectors(x, local_actions) if x else [(0,) * local_actions] for x in c]
            for picked in product(*per_state):
                rows, reward = [], instance.global_reward[g][b]
                for s, d in enumerate(picked):
                    for a, x in enumerate(d):
                        rows += [instance.local_kernel[s][g][a]] * x
                        reward += x * instance.local_reward[s][g][a] / n
                law = law_of(rows, local_states)
                ahead = sum((q * p * exact[h, t] for h, q in enumerate(instance.global_kernel[g][b]) for t, p in law.items()), Q(0))
                used = tuple(
                    tuple(sorted(Counter(instance.local_kernel[s][g][a] for a, x in enumerate(d) for _ in range(x)).items()))
                    for s, d in enumerate(picked)
                )
                found[used] = max(found.get(used, Q(-(10**9))), reward + instance.discount * ahead)
            out[g, c, b] = sorted(((q, used) for used, q in found.items()), key=lambda pair: -pair[0])
    return out


@pytest.mark.parametrize(("instance", "n"), SMALL, ids=IDS)
def test_the_lumped_operator_finds_maxima_runners_up_and_maximisers(instance: Instance, n: int) -> None:
    operator = LumpedOperator(model_of(instance), n)
    value = random_doubles(operator.shape, 11, 10.0) + 3
    error = operator.error(value)
    wanted = best_by_global_action(instance, n, value)
    image, policy = operator.sweep(value)
    only, nothing = operator.sweep(value, Wanted.VALUES)
    assert (only == image).all() and nothing == []
    vectors = oracles.all_count_vectors(n, instance.sizes[2])
    assert [tuple(row) for row in operator.vectors.tolist()] == vectors
    for g in range(instance.sizes[0]):
        choices = operator.choices[g]
        joint = operator.joint_maxima(g, value)
        for i, c in enumerate(vectors):
            by_action = [wanted[g, c, b] for b in range(instance.sizes[1])]
            top = max(found[0][0] for found in by_action)
            assert abs(Q(float(image[g, i])) - top) <= error
            played, counts_ = int(policy[g][0][i]), policy[g][1][i]
            assert top - by_action[played][0][0] <= 2 * error
            for b, found in enumerate(by_action):
                maximum = joint[b]
                assert maximum.runners_up is not None and maximum.action_counts is not None
                assert abs(Q(float(maximum.values[i])) - found[0][0]) <= error
                if len(found) > 1:
                    assert abs(Q(float(maximum.runners_up[i])) - found[1][0]) <= error
                else:
                    assert maximum.runners_up[i] == -np.inf
                if b == played:
                    used = tuple(
                        tuple(
                            sorted(
                                (choices.kernels[choices.kernel[j]], int(counts_[j]))
                                for j in range(choices.starts[s], choices.starts[s + 1])
                                if counts_[j]
                            )
                        )
                        for s in range(instance.sizes[2])
                    )
                    reached = [q for q, how in found if how == used]
                    assert len(reached) == 1
                    assert found[0][0] - reached[0] <= 2 * error


@pytest.mark.parametrize(("instance", "n"), SMALL, ids=IDS)
def test_expectations_and_action_values_of_every_kernel_count(instance: Instance, n: int) -> None:
    operator = LumpedOperator(model_of(instance), n)
    value = random_doubles(operator.shape, 12, 10.0) - 4
    exact, error = as_mapping(instance, n, value), operator.error(value)
    for g in range(instance.sizes[0]):
        choices = operator.choices[g]
        ahead = []
        for used in oracles.all_count_vectors(n, len(choices.kernels)):
            law = law_of([choices.kernels[u] for u, x in enumerate(used) for _ in range(x)], instance.sizes[2])
            ahead.append(
                [sum((q * p * exact[h, c] for h, q in enumerate(row) for c, p in law.items()), Q(0)) for row in choices.global_rows]
            )
        found = operator.expectations(g, value)
        assert len(found) == len(choices.global_rows)
        for i, wanted in enumerate(ahead):
            assert all(instance.discount * abs(Q(float(table[i])) - x) <= error for table, x in zip(found, wanted, strict=True))
        for b, table in enumerate(operator.action_values(g, value)):
            assert len(table) == len(ahead)
            for i, wanted in enumerate(ahead):
                exactly = instance.global_reward[g][b] + instance.discount * wanted[choices.global_row[b]]
                assert abs(Q(float(table[i])) - exactly) <= error


def test_sizes_and_work_of_the_lumped_operator() -> None:
    instance, n = twins(4), 3
    operator = LumpedOperator(model_of(instance), n)
    choices = [len(c.kernel) for c in operator.choices]
    assert operator.shape == (2, 4)
    assert operator.pairs == sum(comb(n + x - 1, x - 1) for x in choices)
    assert operator.work == sum(len(c.global_rows) * s.work for c, s in zip(operator.choices, operator._sweeps, strict=True))
    kernels = operator.kernel_counts(0, np.array([[1, 2, 0, 3], [0, 0, 1, 1]]))
    wanted = [[0] * len(operator.choices[0].kernels) for _ in range(2)]
    for i, row in enumerate([[1, 2, 0, 3], [0, 0, 1, 1]]):
        for j, x in enumerate(row):
            wanted[i][operator.choices[0].kernel[j]] += x
    assert kernels.tolist() == wanted
    for agents in (0, -2):
        with pytest.raises(ModelError, match="agents: found"):
            LumpedOperator(model_of(instance), agents)


def test_the_error_of_the_lumped_operator_grows_with_what_it_sums() -> None:
    """At least: n + |S_l| + |S_g| roundings of the spread of the values, and a rounding of their size."""
    for instance, n in SMALL:
        operator = LumpedOperator(model_of(instance), n)
        global_states, _, local_states, _ = instance.sizes
        for scale in (1.0, 1e6, 1e-6):
            value = random_doubles(operator.shape, 13, scale) + 5 * scale
            spread = (Q(float(value.max())) - Q(float(value.min()))) / 2
            least = (n * (local_states + 1) + global_states) * (instance.discount * spread + 0)
            size = instance.discount * Q(float(np.abs(value).max()))
            assert operator.error(value) * 2**53 >= least + size
            assert operator.error(value) * 2**53 <= 1000 * n * (least + size + instance.rt + 1)
        assert operator.error(np.zeros(operator.shape)) > 0


@pytest.mark.parametrize(("instance", "n"), SMALL, ids=IDS)
def test_the_error_of_the_lumped_operator_is_that_of_its_roundings(instance: Instance, n: int) -> None:
    """The counts typed a second time, and the middle of the values taken away before they are summed."""
    operator = LumpedOperator(model_of(instance), n)
    global_states, _, size, _ = instance.sizes
    value = np.full(operator.shape, 3.0)
    value[0, 0] = -1.0
    middle, spread = Q(1), Q(float(np.nextafter(2.0, np.inf)))
    assert middle + 2 == 3
    radius = instance.discount * spread
    before = 1 + (global_states + 1) + 2 + 1
    row = rounding_error(before, radius, before * sum(instance.sizes))
    weighed = 1 + 1 + (size - 1)  # weight, product, sums
    slope, constant, roundings = Q(0), Q(0), 0

    def relative(number: int) -> Q:
        return rounding_error(number, Q(1))

    for choices, sweep in zip(operator.choices, operator._sweeps, strict=True):
        kernels, number = len(choices.kernels), len(choices.kernel)
        rt_l = max(abs(r) for r in choices.reward)
        on_the_way = (n + n + n) * weighed if size == 2 and kernels > 1 else n * weighed
        added = {1: 1 + 1 + size, 2: 1 + 1 + (number + 1) + 3}.get(kernels, 1 + n)
        lost = on_the_way * size * UNDERFLOW
        slope = max(slope, relative(on_the_way) + relative(added) * (1 + relative(on_the_way)))
        constant = max(constant, lost + relative(added) * (lost + rt_l * (1 + Q(4, n))) + added * number * UNDERFLOW)
        roundings = max(roundings, on_the_way, sweep.roundings)
        if isinstance(sweep, FusedSweep):
            walked = (len(sweep.plan.exchange_weights) * n + n) * (weighed + 1)  # the step of the reward
            assert sweep.roundings == walked
            slope = max(slope, relative(walked))
            constant = max(constant, relative(walked) * rt_l * (1 + Q(2, n)) + walked * number * UNDERFLOW)
    assert operator.roundings == before + roundings
    local = row + slope * (radius + row) + constant
    assert operator.error(value) == local + rounding_error(4, radius + instance.discount * middle + instance.rt + local, 4)


def test_tables_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = LumpedOperator(model_of(uneven(1, 2, 2, 2, 2)), 3)
    length = comb(3 + 3, 3)
    monkeypatch.setattr(lumped, "MOST_NUMBERS", length)
    operator.expectations(0, np.zeros(operator.shape))
    monkeypatch.setattr(lumped, "MOST_NUMBERS", length - 1)
    with pytest.raises(TooLargeError, match="table of 20 numbers"):
        operator.expectations(0, np.zeros(operator.shape))


# ------------------------------------------------------------------------------------------------------------- count spaces


@pytest.mark.parametrize(("n", "size"), [(1, 1), (4, 1), (3, 2), (3, 3), (2, 4), (1, 3)])
def test_graded_orders_and_steps_of_one_agent(n: int, size: int) -> None:
    """Graded: by what follows the first count, smaller totals first; an agent more in class 0 keeps the index."""
    space = sweeps.CountSpace.of(n, size)
    assert (space.n, space.size) == (n, size)
    graded = sorted(oracles.all_count_vectors(n, size), key=lambda c: (sum(c[1:]), c[1:]))
    lexicographic = oracles.all_count_vectors(n, size)
    assert [tuple(row) for row in space.vectors.tolist()] == lexicographic
    assert space.order.tolist() == [lexicographic.index(c) for c in graded]
    assert [tuple(row) for row in space.entries.tolist()] == [c[1:] for c in graded]
    assert space.level_sizes.tolist() == [len(oracles.all_count_vectors(m, size)) for m in range(n + 1)]
    fewer = sorted(oracles.all_count_vectors(n - 1, size), key=lambda c: (sum(c[1:]), c[1:]))
    position = {c[1:]: i for i, c in enumerate(graded)}
    assert [[position[tuple(x + (t == s) for t, x in enumerate(c[1:]))] for s in range(size - 1)] for c in fewer] == space.up.tolist()
    assert space.binomials.tolist() == [[comb(i, j) for j in range(size)] for i in range(n + size)]
    for c in lexicographic:
        assert sweeps.rank_of_counts(np.array(c), n, space.binomials) == int(rank(np.array(c)))


@pytest.mark.parametrize("size", [2, 3])
def test_laws_of_the_next_counts(size: int) -> None:
    n = 3
    space = sweeps.CountSpace.of(n, size)
    rows = {2: [(Q(1, 4), Q(3, 4)), (Q(1), Q(0))], 3: [(Q(1, 4), Q(1, 2), Q(1, 4)), (Q(0), Q(1), Q(0))]}[size]
    weights = np.array([[[float(p) for p in row] for row in rows]] * 4)
    groups = np.array([[3, 0], [2, 1], [1, 2], [0, 3]])
    found = sweeps.next_count_laws(groups, weights, space.up, space.level_sizes)
    graded = [tuple(int(x) for x in space.vectors[i]) for i in space.order]
    for row, (x, y) in zip(found, groups.tolist(), strict=True):
        law = law_of([rows[0]] * x + [rows[1]] * y, size)
        assert row.tolist() == [float(law.get(c, Q(0))) for c in graded]


# ------------------------------------------------------------------------------------------------------------- sampled states


@pytest.mark.parametrize("samples", [3, 40])
@pytest.mark.parametrize(
    ("instance", "k"), [(uneven(1, 2, 2, 2, 2), 2), (uneven(2, 1, 3, 3, 2), 1), (twins(4), 2)], ids=lambda x: getattr(x, "name", x)
)
def test_the_sampled_operator_is_the_mean_over_its_samples(instance: Instance, k: int, samples: int) -> None:
    operator = SampledOperator(model_of(instance), k, samples, np.random.default_rng(4))
    global_states, global_actions, local_states, local_actions = instance.sizes
    vectors = oracles.all_count_vectors(k, local_states)
    assert operator.states == [(g, c) for g in range(global_states) for c in vectors]
    assert operator.shape == (global_states, len(vectors))
    assert (
        operator.pairs == len(operator.successors) == global_states * global_actions * len(count_vectors(k, local_states * local_actions))
    )
    assert operator.successors.shape[1] == samples
    value = random_doubles(operator.shape, 6, 3.0)
    flat = [Q(float(x)) for x in value.ravel()]
    error, q, image = operator.error(value), operator.action_values(value), operator.apply(value).ravel()
    assert error == rounding_error(samples + 5, instance.rt + instance.discount * max(map(abs, flat)), samples + 5)
    pair = 0
    for state, (g, c) in enumerate(operator.states):
        begin, best = pair, []
        listed = [
            (b, tuple(x for part in picked for x in part))
            for b in range(global_actions)
            for picked in product(*(oracles.all_count_vectors(x, local_actions) if x else [(0,) * local_actions] for x in c))
        ]
        assert operator.actions[state] == listed
        for b, d in listed:
            reward = instance.global_reward[g][b] + sum(
                Q(x, k) * instance.local_reward[z // local_actions][g][z % local_actions] for z, x in enumerate(d)
            )
            assert operator.rewards[pair] == reward
            assert Q(float(operator.rounded_rewards[pair])) == Q(reward.numerator / reward.denominator)
            assert (int(operator.global_action[pair]), tuple(operator.action_counts[pair].tolist())) == (b, d)
            mean = sum(flat[i] for i in operator.successors[pair].tolist()) / samples
            best.append(reward + instance.discount * mean)
            assert abs(Q(float(q[pair])) - best[-1]) <= error
            pair += 1
        assert abs(Q(float(image[state])) - max(best)) <= error
        assert operator.pairs_of(state) == slice(begin, pair)
    assert pair == operator.pairs


@pytest.mark.parametrize("height", [1, 10**6])
def test_samples_follow_the_law_of_the_next_state(height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frequencies of 4000 samples against the exact law, five standard deviations wide; impossible states never come."""
    monkeypatch.setattr(sampled, "_DRAWN_AT_ONCE", height)
    instance, k, samples = random_instance(3, 2, 2, 2, 2), 2, 4000
    operator = SampledOperator(model_of(instance), k, samples, np.random.default_rng(9))
    position = {state: i for i, state in enumerate(operator.states)}
    spread_out = 0
    for state, (g, _) in enumerate(operator.states):
        begin = operator.pairs_of(state).start
        for i, (b, d) in enumerate(operator.actions[state]):
            rows = [instance.local_kernel[z // 2][g][z % 2] for z, x in enumerate(d) for _ in range(x)]
            law = law_of(rows, 2)
            drawn = Counter(operator.successors[begin + i].tolist())
            assert sum(drawn.values()) == samples
            for h, q in enumerate(instance.global_kernel[g][b]):
                for c, p in law.items():
                    wanted = float(q * p)
                    assert abs(drawn[position[h, c]] / samples - wanted) <= 5 * (wanted * (1 - wanted) / samples) ** 0.5
                    spread_out += 0 < wanted < 1
    assert spread_out > 20


def test_sampled_systems_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(uneven(1, 2, 2, 2, 2))
    assert sampled._MOST_SAMPLES == 10**8
    pairs = 4 * comb(5, 3)
    monkeypatch.setattr(sampled, "_MOST_SAMPLES", 3 * pairs)
    assert SampledOperator(model, 2, 3, np.random.default_rng(1)).pairs == pairs
    monkeypatch.setattr(sampled, "_MOST_SAMPLES", 3 * pairs - 1)
    with pytest.raises(TooLargeError, match="3 samples for each of 40"):
        SampledOperator(model, 2, 3, np.random.default_rng(1))
