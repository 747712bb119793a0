"""A model as a PettingZoo parallel environment: every agent acts at once, all share the paper's stage reward.

====================  ===========================  ====================================================================
agent                 actions                      observation, an int array
====================  ===========================  ====================================================================
``global``            ``Discrete(|A_g|)``          ``[s_g, count of local state 0, .., count of local state |S_l|-1]``
``local_0`` .. n-1    ``Discrete(|A_l|)``          ``[s_g, own local state, count of local state 0, ..]``, own included
====================  ===========================  ====================================================================

The counts are what the policies of the paper depend on; a learner that may only see k agents samples them itself from
``state()``, the array ``[s_g, s_1, .., s_n]``. Needs the extra ``interchange``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete, Space
from pettingzoo import ParallelEnv

from mfverify.environments.population import Ending, Population
from mfverify.errors import ModelError
from mfverify.validation import chosen, positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Integers

GLOBAL = "global"


class ParallelEnvironment(ParallelEnv[str, Any, int]):
    """The n-agent system for multi-agent learners.

    ``ending`` is ``"horizon"`` (truncated after ``horizon`` steps) or ``"stopping"`` (terminates with probability
    ``1 - gamma`` after each step); see :class:`~mfverify.environments.population.Ending`. ``reset`` takes a seed and the
    options ``"global"`` and ``"local"``. Raises :class:`ModelError` for arguments out of range. Cost of a step: O(n |S_l|).
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "mfverify_v0", "render_modes": ["ansi"]}

    def __init__(self, model: Model, n: int, ending: str | Ending = Ending.HORIZON, horizon: int = 100) -> None:
        self.population = Population(model, n)
        self.ending = chosen("ending", ending, Ending)
        self.horizon = positive_integer("horizon", horizon)
        self.render_mode = "ansi"
        self.possible_agents = [GLOBAL, *(f"local_{i}" for i in range(n))]
        self.agents: list[str] = []
        self.steps = 0
        global_states, global_actions, size, local_actions = model.sizes
        counts = [n + 1] * size
        of_global = MultiDiscrete([global_states, *counts]), Discrete(global_actions)
        of_local = [(MultiDiscrete([global_states, size, *counts]), Discrete(local_actions)) for _ in range(n)]
        spaces = dict(zip(self.possible_agents, [of_global, *of_local], strict=True))
        self.observation_spaces = {agent: observation for agent, (observation, _) in spaces.items()}
        self.action_spaces = {agent: action for agent, (_, action) in spaces.items()}

    def observation_space(self, agent: str) -> Space[Any]:
        """The space of an agent's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space[Any]:
        """The space of an agent's actions."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Integers], dict[str, dict[str, Any]]]:
        """Start again; see :meth:`Population.restart <mfverify.environments.population.Population.restart>`."""
        self.population.restart(seed, options)
        self.agents = list(self.possible_agents)
        self.steps = 0
        return self._observations(), {agent: {} for agent in self.agents}

    def step(
        self, actions: Mapping[str, int]
    ) -> tuple[dict[str, Integers], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Let all agents act: observations, rewards, terminations, truncations and infos by agent.

        Raises :class:`ModelError` when an agent has no action or one outside its space.
        """
        if not self.agents:
            raise ModelError("step: no episode is running; call reset first")
        for agent in self.agents:
            if agent not in actions or not self.action_spaces[agent].contains(actions[agent]):
                raise ModelError(f"actions[{agent!r}]: found {actions.get(agent)!r}, expected an integer below {self.action_spaces[agent].n}")
        moves = np.array([actions[agent] for agent in self.agents[1:]], dtype=np.int64)
        reward = self.population.step(int(actions[GLOBAL]), moves)
        self.steps += 1
        terminated = self.ending is Ending.STOPPING and self.population.stops()
        truncated = self.ending is Ending.HORIZON and self.steps >= self.horizon
        lived = self.agents
        observations = self._observations()
        if terminated or truncated:
            self.agents = []
        return (
            observations,
            dict.fromkeys(lived, reward),
            dict.fromkeys(lived, terminated),
            dict.fromkeys(lived, truncated),
            {agent: {} for agent in lived},
        )

    def state(self) -> Integers:
        """``[s_g, s_1, .., s_n]``."""
        return np.array([self.population.global_state, *self.population.local_states], dtype=np.int64)

    def render(self) -> str:
        """The state in a line."""
        return f"step {self.steps}: s_g = {self.population.global_state}, counts {tuple(self.population.counts.tolist())}"

    def _observations(self) -> dict[str, Integers]:
        g, counts = self.population.global_state, self.population.counts
        local = [np.array([g, s, *counts], dtype=np.int64) for s in self.population.local_states]
        return dict(zip(self.possible_agents, [np.array([g, *counts], dtype=np.int64), *local], strict=True))
