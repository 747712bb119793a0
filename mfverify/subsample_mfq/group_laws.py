"""Independent groups of agents: who moves how in a play, and the law of their next counts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mfverify.bellman import sweeps
from mfverify.laws import EXACT, ROUNDED, Law

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers
    from mfverify.subsample_mfq.plays import LocalPlay


def moves_of(model: Model, g: int, mixture: Sequence[Fraction], s: int) -> list[Fraction]:
    """Where an agent in ``s`` goes that plays a mixture of actions."""
    return [sum((p * q for p, q in zip(mixture, model.local_kernel[s, g, :, t], strict=True)), Fraction(0)) for t in range(model.sizes[2])]


def earned_by(model: Model, g: int, mixture: Sequence[Fraction], s: int) -> Fraction:
    """What such an agent earns."""
    return sum((p * r for p, r in zip(mixture, model.local_reward[s, g], strict=True)), Fraction(0))


class Groups(NamedTuple):
    """The groups of several plays j: listed members, then one group for each local state of the agents who are not listed.

    ``agents[j, i]``: for the latter, minus the listed ones, to which the count of all agents in this state is to be added.
    ``moves[j, i, s']`` and ``earned[j, i]`` by an agent are rounded once.
    """

    agents: Integers
    moves: Law[Floats]
    earned: Law[Floats]


def groups_of(model: Model, g: int, plays: Sequence[LocalPlay], most: int = 0) -> Groups:
    """The groups of plays in global state ``g``, with room for ``most`` groups of listed members or as many as there are."""
    size = model.sizes[2]
    most = max(most, *(len(members) for members, _ in plays))
    agents = np.zeros((len(plays), most + size), dtype=np.int64)
    moves, earned = np.zeros((len(plays), most + size, size)), np.zeros((len(plays), most + size))
    moves[:, :most, 0] = 1.0
    for j, (members, outside) in enumerate(plays):
        for i, (s, a, x) in enumerate(members):
            agents[j, i] = x
            agents[j, most + s] -= x
            moves[j, i] = [float(p) for p in model.local_kernel[s, g, a]]
            earned[j, i] = float(model.local_reward[s, g, a])
        for s, mixture in enumerate(outside):
            moves[j, most + s] = [float(p) for p in moves_of(model, g, mixture, s)]
            earned[j, most + s] = float(earned_by(model, g, mixture, s))
    return Groups(agents, Law(moves, ROUNDED), Law(earned, ROUNDED))


def next_counts(agents: Integers, moves: Law[Floats], n: int) -> Law[Floats]:
    """Rows ``[r, rank of the next counts]`` for groups of ``agents[r, i]``, n in all, who move by ``moves[r, i, s']``: agent by agent.

    Cost of a row: the sum over agents of the number of count vectors so far.
    """
    size = moves.rows.shape[-1]
    order = sweeps.graded_order(n, size)
    rows = np.empty((len(agents), len(order)))
    rows[:, order] = sweeps.next_count_laws(
        agents, np.ascontiguousarray(moves.rows), sweeps.successor_table(n, size), sweeps.level_sizes(n, size)
    )
    budget = EXACT
    for _agent in range(n):
        budget = moves.budget.mixing(budget, size)
    return Law(rows, budget)
