r"""Bellman's operator of the mean-field limit, on finitely many plans.

Infinitely many agents with the distribution ``F`` of local states move deterministically: with the shares ``pi(a|s)`` of the agents in s
that play a, the next distribution is ``sum_s F(s) sum_a pi(a|s) P_l(.|s, s_g, a)`` for every ``F``. Only the global state is random. So the
value of a *plan* (what to do after each history of global states) is linear in ``F``, and

    V_inf(s_g, F) = sup over plans of <alpha, F>.

The operator replaces plans by those that choose a global action ``a_g``, a continuation ``alpha^h`` among the given plans for each next
global state h that can follow, and the best local action in each local state:

    alpha(s) = r_g(s_g, a_g) + max_a [ r_l(s, s_g, a) + gamma sum_h P_g(h|s_g, a_g) sum_t P_l(t|s, s_g, a) alpha^h(t) ].

It is monotone and adds ``gamma c`` where ``c`` is added to all plans, so the bounds of MacQueen (1966) hold for it as for any Bellman
operator. Section 8 of the theory page.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from mfverify.enclosure import rounding_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mfverify.model import Model
    from mfverify.notation import Floats, Integers


@dataclass(frozen=True, eq=False)
class Plans:
    """Plans of one global state: what each is worth, and its first step.

    ``vectors[i, s]`` is what plan i is worth to an agent in local state s. ``global_action[i]`` and ``local_action[i, s]`` are played
    now; ``next_plan[i, h]`` is the plan, of global state h, that is followed if h comes next (-1 where h cannot).
    """

    vectors: Floats
    global_action: Integers
    local_action: Integers
    next_plan: Integers

    def __len__(self) -> int:
        return len(self.vectors)

    def chosen(self, index: Integers) -> Plans:
        """Some of the plans."""
        return Plans(self.vectors[index], self.global_action[index], self.local_action[index], self.next_plan[index])


def joined(parts: Sequence[Plans]) -> Plans:
    """Several lists of plans of one global state as one."""
    return Plans(*(np.concatenate([getattr(part, name) for part in parts]) for name in Plans.__dataclass_fields__))


Keep: TypeAlias = "Callable[[Floats, int], tuple[Integers, float]]"
"""Which rows are needed, and how far all rise above these; see :meth:`PlanOperator.apply_pruned`."""


def _all(rows: Floats, following: int) -> tuple[Integers, float]:
    del following
    return np.arange(len(rows)), 0.0


class PlanOperator:
    """The operator for one model. Its arrays are doubles; :meth:`error` accounts for that."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.global_states, self.global_actions, self.local_states, self.local_actions = model.sizes
        self._global_reward, self._local_reward = model.floats("global_reward"), model.floats("local_reward")
        self._local_kernel = model.floats("local_kernel")
        self._weight = np.array([[[float(model.discount * p) for p in row] for row in rows] for rows in model.global_kernel])

    @cached_property
    def support(self) -> list[list[list[int]]]:
        """For each global state and action the global states that can follow."""
        return [[[h for h, p in enumerate(row) if p] for row in rows] for rows in self.model.global_kernel]

    def combinations(self, sizes: Sequence[int]) -> int:
        """How many plans :meth:`apply` makes of so many plans for each global state; for the global state that has most."""
        return max(sum(prod(sizes[h] for h in support) for support in rows) for rows in self.support)

    def error(self, plans: Sequence[Plans]) -> Fraction:
        """Bound of the error of every entry of :meth:`apply`, conversion of the model to doubles included.

        On a path from an input to the result lie at most: two conversions of probabilities, ``|S_l|`` roundings of an expectation over
        local states, one product and ``|S_g|`` sums over global states, two conversions and two sums of rewards. The maximum is exact.
        """
        largest = Fraction(max(float(np.abs(p.vectors).max()) for p in plans))
        model = self.model
        magnitude = model.rt + model.discount * largest
        terms = self.global_states * (self.local_states + 2) + 4
        return rounding_error(self.local_states + self.global_states + 8, magnitude, terms)

    def apply(self, plans: Sequence[Plans], g: int) -> Plans:
        """All plans for global state ``g`` that continue with one of ``plans[h]`` for each next global state h.

        Time and memory: ``|S_l| |A_l|`` times :meth:`combinations`.
        """
        return self.apply_pruned(plans, g, _all)[0]

    def apply_pruned(self, plans: Sequence[Plans], g: int, keep: Keep) -> tuple[Plans, float]:
        """:meth:`apply` without continuations that are not needed, and by how much the maximum may be smaller for that.

        The continuations for several next global states are combined one state at a time (incremental pruning, Cassandra, Littman and Zhang
        1997). A partial sum is a function of (local state, local action). ``keep(rows, following)`` says which of the rows ``(N, |S_l| |A_l|)``
        to combine with ``following`` continuations, and how far all rise above these at most on distributions of (local state, local action).
        A row that is left out is left out of each sum: agents in the distribution F that act best form such a distribution.
        """
        parts, missing = zip(*(self._with_action(plans, g, b, keep) for b in range(self.global_actions)), strict=True)
        return joined(parts), max(missing)

    def _with_action(self, plans: Sequence[Plans], g: int, b: int, keep: Keep) -> tuple[Plans, float]:
        support = self.support[g][b]
        worth = np.broadcast_to(self._local_reward[:, g], (1, self.local_states, self.local_actions))
        chosen, missing = np.full((1, self.global_states), -1, dtype=np.int64), 0.0
        order = sorted(support, key=lambda h: len(plans[h]))
        for place, h in enumerate(order):
            ahead = self._weight[g, b, h] * np.einsum("sat,it->isa", self._local_kernel[:, g], plans[h].vectors)
            worth = (worth[:, None] + ahead[None]).reshape(-1, self.local_states, self.local_actions)
            chosen = np.repeat(chosen, len(ahead), axis=0)
            chosen[:, h] = np.tile(np.arange(len(ahead)), len(chosen) // len(ahead))
            if place < len(order) - 1:
                kept, left_out = keep(worth.reshape(len(worth), -1), len(plans[order[place + 1]]))
                worth, chosen, missing = worth[kept], chosen[kept], missing + left_out
        local_action = worth.argmax(axis=2)
        vectors = np.take_along_axis(worth, local_action[..., None], axis=2)[..., 0] + self._global_reward[g, b]
        return Plans(vectors, np.full(len(vectors), b, dtype=np.int64), local_action, chosen), missing

    def value(self, plans: Sequence[Plans]) -> list[Floats]:
        """What the plans are worth when ``next_plan`` is read as an index into ``plans`` itself, by one sparse solve; not certified.

        Returns an array ``(plans, |S_l|)`` for each global state; the given vectors where the discount is 1 to double precision.
        """
        sizes = [len(p) for p in plans]
        starts = np.cumsum([0, *sizes]) * self.local_states
        columns, rows, entries, reward = [], [], [], []
        each = np.arange(self.local_states)
        for g, own in enumerate(plans):
            for i in range(len(own)):
                b, a = int(own.global_action[i]), own.local_action[i]
                reward.append(self._global_reward[g, b] + self._local_reward[each, g, a])
                at = starts[g] + i * self.local_states + each
                for h in self.support[g][b]:
                    to = starts[h] + own.next_plan[i, h] * self.local_states + each
                    rows.append(np.repeat(at, self.local_states))
                    columns.append(np.tile(to, self.local_states))
                    entries.append((self._weight[g, b, h] * self._local_kernel[each, g, a]).ravel())
        total = int(starts[-1])
        matrix = sparse.csc_matrix((np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), shape=(total, total))
        try:
            solved = splu(sparse.eye(total, format="csc") - matrix).solve(np.concatenate(reward))
        except RuntimeError:  # the matrix is singular in double precision
            return [own.vectors for own in plans]
        return [solved[starts[g] : starts[g + 1]].reshape(sizes[g], self.local_states) for g in range(self.global_states)]
