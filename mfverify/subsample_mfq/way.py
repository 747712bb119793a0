"""What a way of drawing is: how the agents of Algorithm 2 come to their samples.

Given what is drawn, all agents act independently. So one step is a sum over signals, the possible draws, of

    weight x (law of the global action (x) independent groups of agents, each with a mixture of actions).

Agents that draw on their own (``own_draws.py``) have one signal, the marginals of their actions. A draw that all agents share
(``shared_draws.py``) has one signal for each result of the draw. Where a draw is used again, its members are told apart from the
other agents: the population is cut into *parts*, and agents are exchangeable within a part. Agents may also move from part to part, so
that the part holds what they remember (``draws/plan_fixed.py``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from mfverify import costs, counts
from mfverify.errors import UndecidedTieError
from mfverify.subsample_mfq.learning import UNDECIDED_ACTION
from mfverify.subsample_mfq.signals import Signals, signal_chain

if TYPE_CHECKING:
    from mfverify.enclosure import Enclosure
    from mfverify.exact.policy_value import MarkovReward
    from mfverify.model import Model
    from mfverify.notation import Integers
    from mfverify.subsample_mfq.learning import Learned


@dataclass(frozen=True, eq=False)
class Way(ABC):
    """One way of drawing; ``word`` is what users type for it.

    ``table`` says whether agents look up the table that Algorithm 1 learns; where not, ``learn(..., regime="none")`` is enough.
    """

    word: str
    table: bool = field(default=True, kw_only=True)

    def cost(self, model: Model, n: int, k: int) -> costs.Cost:
        """What :meth:`value` costs, from formulas: a row of the law of local and global states for each state."""
        size, parts = model.sizes[2], self.sizes(model, n, k)
        states = prod(counts.number_of_count_vectors(m, size) for m in parts)
        row = min(states, prod(costs.row_width(m, size) for m in parts))
        return costs.executing(model, n, k, self.word, states, row * model.sizes[0])

    def all_costs(self, model: Model, n: int, k: int, samples: int | None = None) -> tuple[costs.Cost, ...]:
        """What learning costs, if anything is learned, and :meth:`cost`."""
        return (*((costs.learning(model, k, samples),) if self.table else ()), self.cost(model, n, k))

    @abstractmethod
    def signals(self, learned: Learned, n: int) -> Callable[[int, Integers, Integers], Signals]:
        """The signals of states ``g[r]``, ``c[r, part, s]`` at a step, as a function of ``(step, g, c)``.

        That function raises :class:`UndecidedTieError` when a draw that is possible leads to an undecided tie.
        """

    def chain(self, model: Model, n: int, learned: Learned) -> MarkovReward:
        """The Markov chain of the executed policy. Raises :class:`TooLargeError` before work that does not fit."""
        return signal_chain(self, model, n, learned)

    def value(self, model: Model, n: int, learned: Learned, width: float) -> Enclosure:
        """Enclose the value of the executed policy, axes ``[g, rank of the count vector]``."""
        return self.chain(model, n, learned).enclose(width)

    def sizes(self, model: Model, n: int, k: int) -> tuple[int, ...]:
        """How many agents the parts of the population have, at most."""
        return (n,)

    def period(self, n: int, k: int) -> int:
        """After how many steps signals repeat."""
        return 1

    def beginnings(self, learned: Learned, g: int, c: tuple[int, ...]) -> list[tuple[Fraction, list[tuple[int, ...]]]]:
        """The law of the parts' counts at the start, for global state ``g`` and a population with counts ``c``."""
        return [(Fraction(1), [c])]

    def parts(self, rng: np.random.Generator, learned: Learned, g: Integers, c: Integers) -> Integers:
        """Counts ``[episode, part, s]`` at the start, drawn at random for states ``g[episode]``, ``c[episode, s]``."""
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
