"""Plays: what one shared draw makes all agents do.

Given the draw all agents act independently. A *play* is what one draw leads to: the global action; per local state the mixture of
actions of the agents *outside* the sample; and the action counts of its *members*, listed only where they differ from that (a
state whose members all play what outsiders play needs no list).

With a shared subset, members play their own part of one maximising joint action; an agent outside copies a uniformly random
member in its state, or plays action 0 where there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mfverify import counts
from mfverify.subsample_mfq import random_draws
from mfverify.subsample_mfq.learning import Learned
from mfverify.subsample_mfq.way import undecided

if TYPE_CHECKING:
    from mfverify.exact.rational import JointAction
    from mfverify.notation import Exact, Integers

Sample: TypeAlias = Callable[[np.random.Generator, "Integers", int], "Integers"]
"""Draws ``k`` agents of each population: random generator, ``populations [draw, s]``, ``k``; the counts ``[draw, s]`` of the samples."""

LocalPlay: TypeAlias = tuple[tuple[tuple[int, int, int], ...], tuple[tuple[Fraction, ...], ...]]
"""What local agents do in a play: ``members`` and ``outside`` of :class:`Play`."""


@dataclass(frozen=True)
class Play:
    """What one draw makes all agents do.

    ``members`` lists ``(local state, action, number)`` where members differ from outsiders; ``outside[s][a]`` is the
    probability that an agent in state ``s`` that is not listed plays ``a``.
    """

    global_action: int
    members: tuple[tuple[int, int, int], ...]
    outside: tuple[tuple[Fraction, ...], ...]

    @property
    def local(self) -> LocalPlay:
        """What local agents do."""
        return self.members, self.outside


def joint_action(learned: Learned, g: int, sample: tuple[int, ...]) -> JointAction:
    """The joint action that a shared sample plays: the lexicographically smallest maximiser (a_g, action counts over Z_l).

    Only maximisers listed in ``learned.choices`` count: there, of the actions of a local state with one kernel and one
    reward only the smallest is played.
    """
    actions = learned.choices[g, sample].actions
    if actions is None:
        raise undecided(f"the sample {(g, sample)}")
    return min(actions)


def copied_mixture(action_counts: tuple[int, ...], sample: tuple[int, ...], s: int, local_actions: int) -> Exact:
    """What an agent in state ``s`` outside a shared sample plays: the action of a uniformly random member in ``s``, or action 0."""
    if sample[s] == 0:
        return np.array([Fraction(int(a == 0)) for a in range(local_actions)], dtype=object)
    return np.array([Fraction(action_counts[s * local_actions + a], sample[s]) for a in range(local_actions)], dtype=object)


def copying_plays(learned: Learned, g: int) -> list[Play]:
    """The play of every sample in global state ``g``, in the order of ``count_vectors(k, |S_l|)``; outsiders copy."""
    _, _, size, local_actions = learned.model.sizes
    plays = []
    for row in counts.count_vectors(learned.k, size).tolist():
        sample = tuple(row)
        b, d = joint_action(learned, g, sample)
        outside = tuple(tuple(copied_mixture(d, sample, s, local_actions)) for s in range(size))
        plays.append(listed_play(b, d, outside))
    return plays


def listed_play(b: int, d: tuple[int, ...], outside: tuple[tuple[Fraction, ...], ...]) -> Play:
    """Members are listed where they do not all play what outsiders play."""
    local_actions = len(outside[0])
    members = []
    for s, mixture in enumerate(outside):
        played = [(s, a, d[s * local_actions + a]) for a in range(local_actions) if d[s * local_actions + a]]
        if any(mixture[a] != 1 for _, a, _ in played):
            members += played
    return Play(b, tuple(members), outside)


def copying_act(
    rng: np.random.Generator, learned: Learned, g: Integers, sample: Integers, others: Integers
) -> tuple[Integers, Integers, Integers]:
    """Act on shared samples ``[episode, s]``: global actions, and action counts ``[episode, s, a]`` of members and of ``others[episode, s]``."""
    _, _, size, actions = learned.model.sizes
    joint = [joint_action(learned, state, tuple(row)) for state, row in zip(g.tolist(), sample.tolist(), strict=True)]
    members = np.array([d for _, d in joint], dtype=np.int64).reshape(-1, size, actions)
    shares = members / np.maximum(sample, 1)[:, :, None]
    shares[:, :, 0] += sample == 0
    return np.array([b for b, _ in joint], dtype=np.int64), members, random_draws.multinomial(rng, others, shares)
