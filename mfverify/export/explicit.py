"""The lumped decision process of n agents, written out: every state, every joint action, every transition.

States are pairs (global state, count vector) in the order of values. A joint action of a state with counts ``c`` is a global
action ``b`` and action counts ``d`` over ``Z_l = S_l x A_l`` with ``sum_a d[s, a] = c[s]``: each count vector of n agents
over ``Z_l`` belongs to exactly one ``c``, so a system has ``|S_g| |A_g| C(n + |Z_l| - 1, |Z_l| - 1)`` choices. In a state they
are ordered lexicographically by ``(b, d)``. Nothing is merged and nothing is left out. The solvers of this package never
build this object; it is what explicit solvers need.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from mfverify import counts
from mfverify.bellman import sweeps
from mfverify.errors import TooLargeError
from mfverify.validation import positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

MOST_CHOICES = 10**7
"""Systems with more (state, joint action) pairs are refused before any work."""

MOST_TRANSITIONS = 15 * 10**7
"""Systems with more transitions are refused before they are built (1.8 GB in compressed rows of doubles)."""


@dataclass(frozen=True)
class Extent:
    """How large a system is when it is written out: ``transitions`` is an upper bound, attained unless sums coincide."""

    states: int
    choices: int
    transitions: int


def extent(model: Model, n: int) -> Extent:
    """Count states, choices and transitions before anything is built.

    Raises :class:`ModelError` for n < 1 and :class:`TooLargeError` beyond :data:`MOST_CHOICES` choices or
    :data:`MOST_TRANSITIONS` transitions. Cost: one pass over the action counts.
    """
    n = positive_integer("agents", n)
    global_states, global_actions, size, local_actions = model.sizes
    per_global_state = counts.number_of_count_vectors(n, size)
    joint = counts.number_of_count_vectors(n, size * local_actions)
    choices = global_states * global_actions * joint
    if choices > MOST_CHOICES:
        raise TooLargeError(
            f"{model.name} with {n} agents has {choices:.3g} choices (states with a joint action), more than {MOST_CHOICES:.0e} that are "
            "written out; use fewer agents"
        )
    actions = counts.count_vectors(n, size * local_actions)
    transitions = 0
    for g in range(global_states):
        reached = np.ones(joint)
        for z in range(size * local_actions):
            support = sum(p != 0 for p in model.local_kernel[z // local_actions, g, z % local_actions])
            outcomes = np.array([counts.number_of_count_vectors(x, support) for x in range(n + 1)], dtype=np.float64)
            reached = np.minimum(reached * outcomes[actions[:, z]], per_global_state)
        targets = sum(p != 0 for row in model.global_kernel[g] for p in row)
        transitions += targets * int(reached.sum())
    if transitions > MOST_TRANSITIONS:
        raise TooLargeError(
            f"{model.name} with {n} agents has up to {transitions:.3g} transitions ({transitions * 12 / 2**30:.3g} GiB), more than "
            f"{MOST_TRANSITIONS:.0e} that are written out; use fewer agents"
        )
    return Extent(global_states * per_global_state, choices, transitions)


@dataclass(frozen=True, eq=False)
class ExplicitSystem:
    """The system in doubles, choice by choice, ordered by (state, b, d).

    ``state[i]``: index of the state ``g * C + rank(c)`` of choice ``i``. ``global_action[i]``, ``action_counts[i, z]``: its
    joint action. ``reward[i]``: the stage reward. ``law``: compressed sparse rows ``[choice, next state]``. Every number is
    within a relative error of ``((|S_l| + 1) n + 2) u`` of the rational model's.
    """

    model: Model
    n: int
    state: Integers
    global_action: Integers
    action_counts: Integers
    reward: Floats
    law: sparse.csr_matrix

    @property
    def shape(self) -> tuple[int, int]:
        """``(|S_g|, number of count vectors)``, the shape of values."""
        return self.model.sizes[0], counts.number_of_count_vectors(self.n, self.model.sizes[2])

    @cached_property
    def action(self) -> Integers:
        """The number of each choice among those of its state, from 0."""
        starts = np.searchsorted(self.state, np.arange(self.shape[0] * self.shape[1]))
        number: Integers = np.arange(len(self.state)) - starts[self.state]
        return number


def explicit_system(model: Model, n: int) -> ExplicitSystem:
    """Write the n-agent system out in doubles.

    Raises as :func:`extent`. Cost: n steps per transition; memory 12 bytes per transition and little beside.
    """
    size = extent(model, n)
    global_states, global_actions, local_states, local_actions = model.sizes
    vectors = counts.count_vectors(n, local_states)
    actions = counts.count_vectors(n, local_states * local_actions)
    owner = counts.rank(actions.reshape(-1, local_states, local_actions).sum(axis=2))
    by_state = np.argsort(owner, kind="stable")
    actions, ends = actions[by_state], np.searchsorted(owner[by_state], np.arange(1, len(vectors) + 1))
    # Memory that is reserved but never written costs nothing, so the upper bound may be generous.
    law = _Rows(size.choices, size.transitions, size.states)
    joint, rewards = [], []
    for g in range(global_states):
        local_reward = model.floats("local_reward")[:, g, :].ravel() / n
        for start, end in pairwise([0, *ends]):
            part = actions[start:end]
            local_law = _next_count_laws(model, n, g, part)
            for b in range(global_actions):
                mixture = model.floats("global_kernel")[g, b][None, :, None]
                law.append((mixture * local_law[:, None, :]).reshape(len(part), -1))
                joint.append(part)
                rewards.append(float(model.global_reward[g, b]) + part @ local_reward)
    widths = np.diff([0, *ends])
    return ExplicitSystem(
        model,
        n,
        np.repeat(np.arange(size.states), global_actions * np.tile(widths, global_states)),
        np.repeat(np.tile(np.arange(global_actions), size.states), np.repeat(np.tile(widths, global_states), global_actions)),
        np.concatenate(joint),
        np.concatenate(rewards),
        law.matrix(),
    )


class _Rows:
    """Compressed sparse rows that are appended block by block, zeros left out, into arrays of a known largest length."""

    def __init__(self, rows: int, most_entries: int, columns: int) -> None:
        self.data = np.empty(most_entries)
        self.indices = np.empty(most_entries, dtype=np.int32)
        self.indptr = np.zeros(rows + 1, dtype=np.int64 if most_entries >= 2**31 else np.int32)
        self.columns = columns
        self.rows = self.entries = 0

    def append(self, block: Floats) -> None:
        """Append the rows of a dense block."""
        present = block != 0.0
        lengths = present.sum(axis=1)
        end = self.entries + int(lengths.sum())
        columns = np.broadcast_to(np.arange(self.columns, dtype=np.int32), block.shape)
        if end - self.entries == block.size:
            self.data[self.entries : end].reshape(block.shape)[:] = block
            self.indices[self.entries : end].reshape(block.shape)[:] = columns
        else:
            self.data[self.entries : end] = block[present]
            self.indices[self.entries : end] = columns[present]
        self.indptr[self.rows + 1 : self.rows + len(block) + 1] = self.entries + np.cumsum(lengths)
        self.rows, self.entries = self.rows + len(block), end

    def matrix(self) -> sparse.csr_matrix:
        """The matrix of all rows, without copying them."""
        return sparse.csr_matrix((self.data[: self.entries], self.indices[: self.entries], self.indptr), shape=(self.rows, self.columns))


def _next_count_laws(model: Model, n: int, g: int, actions: Integers) -> Floats:
    """The law of the next count vector for every row of action counts, lexicographic columns."""
    _, _, size, local_actions = model.sizes
    kernels = model.floats("local_kernel")[:, g].reshape(size * local_actions, size)
    order, up, levels = sweeps.graded_order(n, size), sweeps.successor_table(n, size), sweeps.level_sizes(n, size)
    weights = np.ascontiguousarray(np.broadcast_to(kernels, (len(actions), *kernels.shape)))
    laws = np.empty((len(actions), len(order)))
    laws[:, order] = sweeps.next_count_laws(actions, weights, up, levels)
    return laws
