"""What a way of drawing is: how the agents of Algorithm 2 come to their samples.

Given what is drawn, all agents act independently. So one step is a sum over signals, the possible draws, of

    weight x (law of the global action (x) independent groups of agents, each with a mixture of actions).

Agents that draw on their own (``own_draws.py``) have one signal, the marginals of their actions. A draw that all agents share
(``shared_draws.py``) has one signal for each result of the draw. Where a draw is used again, its members are told apart from the
other agents: the population is cut into *parts*, and agents are exchangeable within a part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mfverify.errors import UndecidedTieError
from mfverify.subsample_mfq.learning import UNDECIDED_ACTION

if TYPE_CHECKING:
    from mfverify.costs import Cost
    from mfverify.enclosure import Enclosure
    from mfverify.exact.policy_value import MarkovReward
    from mfverify.model import Model
    from mfverify.notation import Integers
    from mfverify.subsample_mfq.learning import Learned


@dataclass(frozen=True, eq=False)
class Way(ABC):
    """One way of drawing; ``word`` is what users type for it."""

    word: str

    @abstractmethod
    def cost(self, model: Model, n: int, k: int) -> Cost:
        """What :meth:`value` costs, from formulas."""

    @abstractmethod
    def chain(self, model: Model, n: int, learned: Learned) -> MarkovReward:
        """The Markov chain of the executed policy. Raises :class:`TooLargeError` before work that does not fit."""

    def value(self, model: Model, n: int, learned: Learned, width: float) -> Enclosure:
        """Enclose the value of the executed policy, axes ``[g, rank of the count vector]``."""
        return self.chain(model, n, learned).enclose(width)

    def parts(self, rng: np.random.Generator, c: Integers, k: int) -> Integers:
        """Count vectors ``[episode, part, s]`` of the parts of populations ``c[episode, s]``, drawn before the first step."""
        return c[:, None]

    @abstractmethod
    def act(self, rng: np.random.Generator, learned: Learned, step: int, g: Integers, c: Integers) -> tuple[Integers, Integers]:
        """Draw and act, in episodes at step ``step`` with global states ``g[episode]`` and parts ``c[episode, part, s]``.

        Returns global actions ``[episode]`` and how many agents choose what, ``[episode, part, s, a]``. Raises
        :class:`UndecidedTieError` when a draw leads to an undecided tie.
        """


def undecided(what: str) -> UndecidedTieError:
    """The error for a draw whose action cannot be decided."""
    return UndecidedTieError(f"{what} leads to a tie that exact arithmetic cannot decide at this size; use a smaller subsample")


def decided(actions: Integers, g: Integers, c: Integers) -> Integers:
    """Actions that were looked up in states ``g[i]``, ``c[i, s]``; an undecided one is an error."""
    if (actions == UNDECIDED_ACTION).any():
        i = int(np.flatnonzero(actions == UNDECIDED_ACTION)[0])
        raise undecided(f"a sample in state {(int(g[i]), tuple(c[i].tolist()))}")
    return actions
