"""The labelled n-agent system in exact arithmetic: joint states and joint actions with the agents' names kept.

For two or three agents. Nothing is merged and no symmetry is used, so statements about symmetry can be checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from mfverify.errors import TooLargeError

if TYPE_CHECKING:
    from mfverify.model import Model

LabelledState: TypeAlias = tuple[int, tuple[int, ...]]
"""A global state and the local states of agents 1, .., n."""
LabelledAction: TypeAlias = tuple[int, tuple[int, ...]]
"""A global action and the local actions of agents 1, .., n."""

_MOST_ENTRIES = 3 * 10**6


class LabelledRationalSystem:
    """States, actions, rewards and ``T`` of the labelled n-agent system, all Fractions (paper, eq. 1-4)."""

    def __init__(self, model: Model, n: int) -> None:
        global_states, global_actions, local_states, local_actions = model.sizes
        entries = global_states**2 * global_actions * (local_states**2 * local_actions) ** n
        if entries > _MOST_ENTRIES:
            raise TooLargeError(
                f"{n} labelled agents have {entries:.3g} transitions, more than {_MOST_ENTRIES:.0e} for exact arithmetic; use fewer agents"
            )
        self.model, self.n = model, n
        self.states: list[LabelledState] = [(g, s) for g in range(global_states) for s in product(range(local_states), repeat=n)]
        self.actions: list[LabelledAction] = [(b, a) for b in range(global_actions) for a in product(range(local_actions), repeat=n)]

    @cache  # noqa: B019  # lives as long as the system, which is small by construction
    def law(self, state: LabelledState, action: LabelledAction) -> tuple[tuple[LabelledState, Fraction], ...]:
        """The law of the next labelled state: the global row times one local row per agent (eq. 1)."""
        (g, s), (b, a) = state, action
        out: list[tuple[LabelledState, Fraction]] = []
        rows = [self.model.local_kernel[s[i], g, a[i]] for i in range(self.n)]
        supports = [[(t, p) for t, p in enumerate(row) if p] for row in rows]
        for h, p in enumerate(self.model.global_kernel[g, b]):
            if not p:
                continue
            for moves in product(*supports):
                probability = p
                for _, q in moves:
                    probability *= q
                out.append(((h, tuple(t for t, _ in moves)), probability))
        return tuple(out)

    def reward(self, state: LabelledState, action: LabelledAction) -> Fraction:
        """``r_g + (1/n) sum_i r_l(s_i, g, a_i)`` (eq. 2)."""
        (g, s), (b, a) = state, action
        local = sum((self.model.local_reward[s[i], g, a[i]] for i in range(self.n)), Fraction(0))
        total: Fraction = self.model.global_reward[g, b] + local / self.n
        return total

    def action_values(self, value: Mapping[LabelledState, Fraction]) -> dict[tuple[LabelledState, LabelledAction], Fraction]:
        """``Q(state, action) = r + gamma E V(next)`` for every pair."""
        gamma = self.model.discount
        return {
            (state, action): self.reward(state, action) + gamma * sum((p * value[t] for t, p in self.law(state, action)), Fraction(0))
            for state in self.states
            for action in self.actions
        }

    def maxima(self, table: Mapping[tuple[LabelledState, LabelledAction], Fraction]) -> dict[LabelledState, Fraction]:
        """``max_a Q(state, a)`` for every state."""
        return {state: max(table[state, action] for action in self.actions) for state in self.states}

    def apply(self, value: Mapping[LabelledState, Fraction]) -> dict[LabelledState, Fraction]:
        """``T V`` exactly (eq. 4)."""
        return self.maxima(self.action_values(value))
