"""The n-agent system as a process that is stepped: labelled agents, seeded draws, no third-party library.

Draws invert the distribution functions of the model's laws, rounded to doubles: a probability is off by less than
``|S| 2^-52``. The stage reward is the paper's ``r(s, a) = r_g + (1/n) sum_i r_l`` (eq. 2), the same for all agents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from mfverify.errors import ModelError
from mfverify.validation import positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers


class Ending(Enum):
    """How an episode ends; the value is the word that users type.

    ``horizon``: it is truncated after a number of steps; the value is the *discounted* sum of rewards, up to
    ``gamma^T rt/(1 - gamma)``. ``stopping``: after every step it terminates with probability ``1 - gamma``; the value is the
    expected *plain* sum of rewards, exactly.
    """

    HORIZON = "horizon"
    STOPPING = "stopping"


class Population:
    """Global state, local states and the generator that moves them."""

    def __init__(self, model: Model, n: int) -> None:
        self.model = model
        self.n = positive_integer("agents", n)
        self.generator = np.random.default_rng()
        self.global_state = 0
        self.local_states: Integers = np.zeros(self.n, dtype=np.int64)
        self._global_law = np.cumsum(model.floats("global_kernel"), axis=-1)
        self._local_law = np.cumsum(model.floats("local_kernel"), axis=-1)
        self._global_reward = model.floats("global_reward")
        self._local_reward = model.floats("local_reward")

    def restart(self, seed: int | None, options: Mapping[str, Any] | None) -> None:
        """A new start: ``options`` may hold ``"global"`` and ``"local"`` (n states); what is not given is drawn uniformly.

        A seed makes everything from here on reproducible; without one the generator keeps its state. Raises :class:`ModelError` for
        states that the model does not have.
        """
        if seed is not None:
            self.generator = np.random.default_rng(seed)
        given = options or {}
        global_states, _, size, _ = self.model.sizes
        drawn_global = int(self.generator.integers(global_states))
        drawn_local = self.generator.integers(size, size=self.n)
        self.global_state = int(_states("global", [given.get("global", drawn_global)], 1, global_states)[0])
        self.local_states = _states("local", given.get("local", drawn_local), self.n, size)

    def step(self, global_action: int, local_actions: Integers) -> float:
        """Move all agents once and return the stage reward."""
        g, states = self.global_state, self.local_states
        reward = self._global_reward[g, global_action] + self._local_reward[states, g, local_actions].mean()
        laws: Floats = self._local_law[states, g, local_actions]
        self.global_state = int(_draw(self._global_law[g, global_action][None], self.generator.random(1))[0])
        self.local_states = _draw(laws, self.generator.random(self.n))
        return float(reward)

    def stops(self) -> bool:
        """Whether an episode with a probability of stopping ends here."""
        return bool(self.generator.random() >= float(self.model.discount))

    @property
    def counts(self) -> Integers:
        """How many agents are in each local state."""
        return np.bincount(self.local_states, minlength=self.model.sizes[2]).astype(np.int64)


def _draw(cumulative: Floats, uniform: Floats) -> Integers:
    """One index per row by inversion; the last index takes what rounding leaves over."""
    drawn: Integers = (uniform[:, None] >= cumulative[:, :-1]).sum(axis=1).astype(np.int64)
    return drawn


def _states(name: str, given: Sequence[Any] | Integers, length: int, size: int) -> Integers:
    try:
        array = np.array(given, dtype=np.int64)
        exact = array.shape == (length,) and bool((array == np.asarray(given)).all())
    except (TypeError, ValueError, OverflowError):
        exact = False
    if not exact or array.min() < 0 or array.max() >= size:
        raise ModelError(f"options[{name!r}]: expected {length} states, each an integer from 0 to {size - 1}")
    return array
