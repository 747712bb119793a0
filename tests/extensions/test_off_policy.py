"""Off-policy Q-learning: updates by hand, the subsystem against labelled agents, and where learning leads."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from mfverify import Model, ModelError
from mfverify.errors import TooLargeError
from mfverify.extensions.off_policy import (
    StepSize,
    Subsystem,
    Target,
    distance,
    follow,
    irreducible,
    mean_update,
    q_learning,
    shares,
    subsystem,
)
from mfverify.models import absorbing, coordination, random_coupled
from tests.agreement.checks import instance_of
from tests.oracles import LabelledSystem, action_values, counts_of, solve_exactly


def two_states() -> dict[str, np.ndarray]:
    """State 0 has the pairs 0 and 1, state 1 the pair 2."""
    return {
        "starts": np.array([0, 2, 3]),
        "cumulative": np.array([[1.0, 1.0], [0.25, 1.0], [1.0, 1.0]]),
        "reward": np.array([0.5, 1.0, -1.0]),
    }


def after(draws: list[list[float]], of_maximum: float) -> tuple[list[float], list[int], int]:
    """The table, the visits and the state after some steps from state 0; pair 2 has been visited twice before."""
    learnt, visits = np.array([1.0, 2.0, 4.0]), np.array([0, 0, 2])
    arrays = two_states()
    state = follow(learnt, visits, 0, np.array(draws), arrays["starts"], arrays["cumulative"], arrays["reward"], 0.5, 0.5, 1.0, of_maximum)
    return learnt.tolist(), visits.tolist(), int(state)


def test_two_steps_by_hand() -> None:
    # 0.6 picks pair 1; 0.3 is beyond 0.25, so on to state 1: Q(1) = 2 + 1 (1 + 4/2 - 2) = 3.
    assert after([[0.6, 0.3]], 1.0) == ([1.0, 3.0, 4.0], [0, 1, 2], 1)
    # Pair 2, two visits before, step 1 / (1 + 2/2) = 1/2, back to state 0: Q(2) = 4 + (-1 + max(1, 3)/2 - 4)/2 = 9/4.
    assert after([[0.6, 0.3], [0.2, 0.9]], 1.0) == ([1.0, 3.0, 2.25], [0, 1, 3], 0)


def test_on_policy_target_by_hand() -> None:
    # As above with the mean (1 + 3)/2 in place of the maximum: 4 + (-1 + 1 - 4)/2 = 2.
    assert after([[0.6, 0.3], [0.2, 0.9]], 0.0) == ([1.0, 3.0, 2.0], [0, 1, 3], 0)


def test_draws_at_the_ends_of_their_range() -> None:
    # 0.25 is not below the first partial sum, and the largest double below one still picks the last pair.
    assert after([[1.0 - 2.0**-53, 0.25]], 1.0) == ([1.0, 3.0, 4.0], [0, 1, 2], 1)
    # 0 picks pair 0, which stays in state 0: Q(0) = 1 + 1 (1/2 + max(1, 2)/2 - 1) = 3/2.
    assert after([[0.0, 0.0]], 1.0) == ([1.5, 2.0, 4.0], [1, 0, 2], 0)


@pytest.mark.parametrize("model", [coordination(), absorbing(), random_coupled(4), random_coupled(16)], ids=lambda m: m.name)
@pytest.mark.parametrize("k", [1, 2])
def test_subsystem_against_labelled_agents(model: Model, k: int) -> None:
    table = subsystem(model, k)
    system = LabelledSystem(instance_of(model), k)
    _, _, local_states, local_actions = model.sizes
    number = {state: i for i, state in enumerate(table.states)}
    scores = {state: action_values(moves, model.discount, system.optimum) for state, moves in system.decisions.items()}
    found: set[int] = set()
    for (g, s), moves in system.decisions.items():
        for (b, a), (reward, law) in moves.items():
            pairs = [x * local_actions + y for x, y in zip(s, a, strict=True)]
            action = (b, counts_of(pairs, local_states * local_actions))
            i = table.pairs.index(((g, counts_of(s, local_states)), action))
            lumped = [Fraction(0)] * len(table.states)
            for (h, t), p in law.items():
                lumped[number[h, counts_of(t, local_states)]] += p
            assert table.law[i].tolist() == [float(p) for p in lumped]
            assert table.reachable[i].tolist() == [p > 0 for p in lumped]
            assert table.reward[i] == float(reward)
            assert table.optimum[i] == scores[g, s][b, a]
            found.add(i)
    assert found == set(range(len(table.pairs)))
    assert table.starts.tolist() == [min(i for i, (x, _) in enumerate(table.pairs) if x == state) for state in table.states] + [
        len(table.pairs)
    ]


def reachable_from(table: Subsystem, start: int) -> set[int]:
    """States that some sequence of joint actions leads to, by search."""
    seen, front = {start}, [start]
    while front:
        here = front.pop()
        for pair in range(int(table.starts[here]), int(table.starts[here + 1])):
            for target, p in enumerate(table.law[pair]):
                if p > 0 and target not in seen:
                    seen.add(target)
                    front.append(target)
    return seen


@pytest.mark.parametrize("model", [coordination(), absorbing(), *(random_coupled(seed) for seed in range(6))], ids=lambda m: m.name)
def test_irreducibility_against_a_search(model: Model) -> None:
    table = subsystem(model, 2)
    everything = set(range(len(table.states)))
    assert irreducible(table) == all(reachable_from(table, start) == everything for start in everything)


def test_both_kinds_of_chain_occur() -> None:
    assert irreducible(subsystem(coordination(), 1))
    assert not irreducible(subsystem(absorbing(), 1))


@pytest.mark.parametrize("model", [coordination(), random_coupled(4), random_coupled(16)], ids=lambda m: m.name)
@pytest.mark.parametrize("k", [1, 2])
def test_shares_are_kept_by_the_chain_of_labelled_agents(model: Model, k: int) -> None:
    """Uniform over action counts: each count has the sum of the shares of its labelled actions, so the balance is checked on counts."""
    table = subsystem(model, k)
    share = shares(table)
    assert sum(share) == 1 and min(share) > 0
    system = LabelledSystem(instance_of(model), k)
    _, _, local_states, local_actions = model.sizes
    mass, inflow = dict.fromkeys(table.states, Fraction(0)), dict.fromkeys(table.states, Fraction(0))
    for d, (((g, c), (b, counted))) in zip(share, table.pairs, strict=True):
        mass[g, c] += d
        agents = [divmod(z, local_actions) for z, x in enumerate(counted) for _ in range(x)]
        _, law = system.row((g, tuple(s for s, _ in agents)), (b, tuple(a for _, a in agents)))
        for (h, t), p in law.items():
            inflow[h, counts_of(t, local_states)] += d * p
    assert inflow == mass
    for x, state in enumerate(table.states):
        own = share[int(table.starts[x]) : int(table.starts[x + 1])]
        assert own == [mass[state] / len(own)] * len(own)


@pytest.mark.parametrize("k", [1, 2])
def test_the_mean_update_against_the_labelled_operator(k: int) -> None:
    model = random_coupled(16)
    table, system = subsystem(model, k), LabelledSystem(instance_of(model), k)
    rng = random.Random(k)
    held = [Fraction(rng.randint(-9, 9), 4) for _ in table.pairs]
    share = shares(table)
    best = {state: max(held[int(table.starts[x]) : int(table.starts[x + 1])]) for x, state in enumerate(table.states)}
    found = mean_update(table, held, share, Target.MAXIMUM)
    for q, d, now, ((g, _), (b, counted)) in zip(held, share, found, table.pairs, strict=True):
        agents = [divmod(z, model.sizes[3]) for z, x in enumerate(counted) for _ in range(x)]
        reward, law = system.row((g, tuple(s for s, _ in agents)), (b, tuple(a for _, a in agents)))
        backed_up = reward + model.discount * sum(p * best[h, counts_of(t, model.sizes[2])] for (h, t), p in law.items())
        assert now == (1 - d) * q + d * backed_up
    assert mean_update(table, table.optimum, share, Target.MAXIMUM) == list(table.optimum)
    assert mean_update(table, table.optimum, share, Target.MEAN) != list(table.optimum)


def test_shares_of_many_states_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    table = subsystem(coordination(), 2)
    monkeypatch.setattr("mfverify.extensions.off_policy._MOST_STATES_SOLVED", len(table.states))
    assert sum(shares(table)) == 1
    monkeypatch.setattr("mfverify.extensions.off_policy._MOST_STATES_SOLVED", len(table.states) - 1)
    with pytest.raises(TooLargeError, match="lower k"):
        shares(table)


def test_distance_is_exact() -> None:
    table = subsystem(coordination(), 1)
    # The largest value is 1/(1 - 1/2) = 2, standing together; the double nearest to 1/10 is not 1/10.
    assert distance(table, np.zeros(len(table.pairs))) == 2
    assert distance(table, np.full(len(table.pairs), -0.1)) == 2 + Fraction(0.1) != Fraction(21, 10)


def test_checkpoints_do_not_change_the_trajectory() -> None:
    table = subsystem(random_coupled(4), 1)
    whole = q_learning(table, [70_000], seed=3)
    parts = q_learning(table, [1, 999, 70_000], seed=3)
    assert parts.tables[-1].tolist() == whole.tables[0].tolist()
    assert parts.visits.tolist() == whole.visits.tolist()
    assert whole.visits.sum() == 70_000
    assert np.count_nonzero(parts.tables[0]) <= 1
    assert parts.tables[1].tolist() != parts.tables[2].tolist()
    assert q_learning(table, [70_000], seed=4).tables[0].tolist() != whole.tables[0].tolist()


def behaviour_values(model: Model, table: Subsystem) -> list[Fraction]:
    """``Q`` of the uniform behaviour policy of one agent, per pair, by an exact linear solve."""
    rows = {}
    exact = []
    for (g, _), (b, d) in table.pairs:
        s, a = divmod(d.index(1), model.sizes[3])
        law = {
            (h, tuple(int(t == x) for x in range(model.sizes[2]))): model.global_kernel[g, b, h] * model.local_kernel[s, g, a, t]
            for h in range(model.sizes[0])
            for t in range(model.sizes[2])
        }
        exact.append((model.global_reward[g, b] + model.local_reward[s, g, a], law))
    for i, state in enumerate(table.states):
        own = exact[int(table.starts[i]) : int(table.starts[i + 1])]
        law = {target: sum((part[target] for _, part in own), Fraction(0)) / len(own) for target in own[0][1]}
        rows[state] = (sum((r for r, _ in own), Fraction(0)) / len(own), law)
    value = solve_exactly(rows, model.discount)
    return [r + model.discount * sum(p * value[target] for target, p in law.items()) for r, law in exact]


@pytest.mark.parametrize("model", [coordination(), random_coupled(4), random_coupled(16)], ids=lambda m: m.name)
@pytest.mark.parametrize("step_size", list(StepSize))
def test_each_target_leads_to_its_own_values(model: Model, step_size: StepSize) -> None:
    """With the maximum to ``Q*``, with the mean to the behaviour policy's values: each is nearer to its own by far."""
    table = subsystem(model, 1)
    own = behaviour_values(model, table)
    between = max(abs(x - y) for x, y in zip(own, table.optimum, strict=True))
    for target, limit in ((Target.MAXIMUM, table.optimum), (Target.MEAN, own)):
        learnt = q_learning(table, [2**18], 0, step_size, target).tables[0]
        off = max(abs(Fraction(float(q)) - x) for q, x in zip(learnt, limit, strict=True))
        assert off < between / 4


@pytest.mark.parametrize("steps", [[], [0, 5], [5, 5], [7, 3]])
def test_steps_that_do_not_ascend_are_refused(steps: list[int]) -> None:
    with pytest.raises(ModelError, match="ascending"):
        q_learning(subsystem(coordination(), 1), steps, 0)
