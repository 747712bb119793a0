"""Environments: accepted by the libraries' own checks, reproducible, and distributed as the model says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mfverify.errors import ModelError
from mfverify.exact.optimal import optimal_value
from mfverify.model import Model
from mfverify.models import coordination, patrol, random_coupled

pytest.importorskip("pettingzoo", reason="pettingzoo is not installed (pip install 'mfverify[interchange]'): environments were not tested")

from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

from mfverify.environments.gym import CentralEnvironment
from mfverify.environments.petting_zoo import ParallelEnvironment
from mfverify.environments.population import Ending, Population

NO_CHOICE = Model(
    [[["1/3", "2/3"]], [["1/2", "1/2"]]],
    [[[["1/4", "3/4"]], [[1, 0]]], [[["1/2", "1/2"]], [["1/5", "4/5"]]]],
    [[1], [-1]],
    [[[2], [0]], [[-1], [3]]],
    "1/2",
    name="no choice",
)
"""One action each, so that the optimal value is the value of the only policy."""


@pytest.mark.parametrize("ending", list(Ending))
@pytest.mark.parametrize("model", [coordination(), patrol(), NO_CHOICE], ids=lambda model: model.name)
def test_pettingzoo_accepts_the_parallel_environment(model: Model, ending: Ending, capsys: pytest.CaptureFixture[str]) -> None:
    parallel_api_test(ParallelEnvironment(model, 3, ending, horizon=20), num_cycles=60)
    assert "Passed Parallel API test" in capsys.readouterr().out


@pytest.mark.parametrize("ending", list(Ending))
def test_gymnasium_accepts_the_central_environment(ending: Ending) -> None:
    check_env(CentralEnvironment(random_coupled(4), 3, ending), skip_render_check=True)


def played(seed: int, steps: int = 30) -> list[Any]:
    """A run with fixed actions: observations and rewards."""
    environment = ParallelEnvironment(random_coupled(4), 4, horizon=steps)
    seen: list[Any] = [environment.reset(seed=seed)[0]["global"].tolist()]
    while environment.agents:
        actions = {agent: (len(seen) + i) % 2 for i, agent in enumerate(environment.agents)}
        observations, rewards, *_ = environment.step(actions)
        assert len(set(rewards.values())) == 1
        state = environment.state()
        for i, agent in enumerate(environment.possible_agents[1:]):
            assert observations[agent].tolist() == [state[0], state[i + 1], *observations["global"][1:].tolist()]
            assert environment.observation_space(agent).contains(observations[agent])
        assert observations["global"][1:].tolist() == np.bincount(state[1:], minlength=2).tolist()
        seen.append((observations["global"].tolist(), rewards["global"]))
    assert len(seen) == steps + 1
    return seen


def test_a_seed_fixes_the_run() -> None:
    assert played(5) == played(5)
    assert played(5) != played(6)


def test_rewards_are_the_papers() -> None:
    environment = ParallelEnvironment(NO_CHOICE, 4)
    environment.reset(seed=0, options={"global": 1, "local": [0, 1, 1, 1]})
    assert environment.render() == "step 0: s_g = 1, counts (1, 3)"
    rewards = environment.step(dict.fromkeys(environment.agents, 0))[1]
    # r_g(1, 0) = -1 and r_l(., 1, 0) = 0 and 3.
    assert rewards["local_2"] == -1 + (0 + 3 + 3 + 3) / 4


def test_one_step_has_the_models_law() -> None:
    population, runs = Population(NO_CHOICE, 20_000), 1
    population.restart(3, {"global": 0, "local": [0] * 20_000})
    population.step(0, np.zeros(20_000, dtype=np.int64))
    share = population.counts[1] / 20_000
    # Hoeffding at 1e-9: independent agents, probability 3/4.
    radius = math.sqrt(math.log(2e9 * runs) / (2 * 20_000))
    assert abs(share - 3 / 4) <= radius
    assert abs(share - 2 / 3) > radius


def returns(ending: Ending, episodes: int, horizon: int) -> list[float]:
    """Sums of rewards from one start, discounted where the episode does not stop."""
    environment = CentralEnvironment(NO_CHOICE, 2, ending, horizon)
    sums = []
    for i in range(episodes):
        environment.reset(seed=7 if i == 0 else None, options={"global": 0, "local": [0, 1]})
        total, weight, over = 0.0, 1.0, False
        while not over:
            _, reward, terminated, truncated, _ = environment.step(np.zeros(3, dtype=np.int64))
            total += weight * reward
            weight *= float(NO_CHOICE.discount) if ending is Ending.HORIZON else 1.0
            over = terminated or truncated
        sums.append(total)
    return sums


@pytest.mark.slow
def test_mean_returns_are_the_exact_value() -> None:
    value = float(optimal_value(NO_CHOICE, 2, "rational").exact[0, 1])
    largest = float(NO_CHOICE.rt / (1 - NO_CHOICE.discount))
    episodes, horizon = 4_000, 12
    mean = float(np.mean(returns(Ending.HORIZON, episodes, horizon)))
    # Hoeffding at 1e-6, and the tail that is cut off.
    assert abs(mean - value) <= largest * (math.sqrt(2 * math.log(2e6) / episodes) + float(NO_CHOICE.discount) ** horizon)
    mean = float(np.mean(returns(Ending.STOPPING, episodes, horizon)))
    # Chebyshev at 1e-2: E[length^2] = (1 + gamma)/(1 - gamma)^2 = 6.
    assert abs(mean - value) <= float(NO_CHOICE.rt) * math.sqrt(6 / (episodes * 1e-2))


def test_bad_arguments_are_refused() -> None:
    environment = ParallelEnvironment(NO_CHOICE, 2)
    for call, message in [
        (lambda: ParallelEnvironment(NO_CHOICE, 0), "agents: found 0"),
        (lambda: ParallelEnvironment(NO_CHOICE, 2, "never"), "ending: found 'never', expected one of 'horizon', 'stopping'"),
        (lambda: ParallelEnvironment(NO_CHOICE, 2, horizon=0), "horizon: found 0"),
        (lambda: environment.step({}), "call reset first"),
        (lambda: environment.reset(options={"local": [0]}), r"options\['local'\]: expected 2 states, each an integer from 0 to 1"),
        (lambda: environment.reset(options={"local": [0, 2]}), r"options\['local'\]: expected 2 states"),
        (lambda: environment.reset(options={"local": [0, 0.5]}), r"options\['local'\]: expected 2 states"),
        (lambda: environment.reset(options={"global": "x"}), r"options\['global'\]: expected 1 states"),
    ]:
        with pytest.raises(ModelError, match=message):
            call()
    environment.reset(seed=0)
    with pytest.raises(ModelError, match=r"actions\['local_1'\]: found None, expected an integer below 1"):
        environment.step({"global": 0, "local_0": 0})
    with pytest.raises(ModelError, match=r"actions\['global'\]: found 1"):
        environment.step({"global": 1, "local_0": 0, "local_1": 0})
    with pytest.raises(ModelError, match="action: found"):
        CentralEnvironment(NO_CHOICE, 2).step(np.array([0, 0]))
