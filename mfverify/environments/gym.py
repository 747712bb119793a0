"""A model as a Gymnasium environment: one controller acts for all agents.

Observation: the int array ``[s_g, count of local state 0, .., count of local state |S_l|-1]``. Action:
``MultiDiscrete([|A_g|, |A_l|, .., |A_l|])``, the global action and one action for each of the n labelled agents; the agents'
states are in ``info["local_states"]``. The optimal value of :func:`mfverify.optimal_value` is the optimum of this environment.
Needs the extra ``interchange``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.spaces import MultiDiscrete

from mfverify.environments.population import Ending, Population
from mfverify.errors import ModelError
from mfverify.validation import chosen, positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Integers


class CentralEnvironment(gymnasium.Env[Any, Any]):
    """The n-agent system for single-agent learners; arguments as of the parallel environment."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(self, model: Model, n: int, ending: str | Ending = Ending.HORIZON, horizon: int = 100) -> None:
        self.population = Population(model, n)
        self.ending = chosen("ending", ending, Ending)
        self.horizon = positive_integer("horizon", horizon)
        self.steps = 0
        global_states, global_actions, size, local_actions = model.sizes
        self.observation_space = MultiDiscrete([global_states, *[n + 1] * size])
        self.action_space = MultiDiscrete([global_actions, *[local_actions] * n])

    def reset(self, *, seed: int | None = None, options: Mapping[str, Any] | None = None) -> tuple[Integers, dict[str, Any]]:
        """Start again, as the parallel environment does."""
        super().reset(seed=seed)
        self.population.restart(seed, options)
        self.steps = 0
        return self._observation(), self._info()

    def step(self, action: Integers) -> tuple[Integers, float, bool, bool, dict[str, Any]]:
        """Observation, reward, terminated, truncated, info. Raises :class:`ModelError` for an action outside the space."""
        if not self.action_space.contains(np.asarray(action)):
            raise ModelError(f"action: found {action!r}, expected one of {self.action_space}")
        reward = self.population.step(int(action[0]), np.asarray(action[1:], dtype=np.int64))
        self.steps += 1
        terminated = self.ending is Ending.STOPPING and self.population.stops()
        truncated = self.ending is Ending.HORIZON and self.steps >= self.horizon
        return self._observation(), reward, terminated, truncated, self._info()

    def _observation(self) -> Integers:
        return np.array([self.population.global_state, *self.population.counts], dtype=np.int64)

    def _info(self) -> dict[str, Any]:
        return {"local_states": self.population.local_states.copy()}
