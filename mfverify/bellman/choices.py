"""What an agent can choose between: local actions merged by kernel, global actions merged by row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers


@dataclass(frozen=True)
class Choices:
    """What the agents can choose between in one global state, after merging actions that share a kernel.

    ``kernels``: the distinct rows of ``P_l(.|., g, .)``, exact. ``starts[s]:starts[s+1]`` are the choices of local state
    ``s``; choice ``j`` has kernel ``kernel[j]``, the exact reward ``reward[j]`` and stands for the local action
    ``action[j]`` (the smallest of those with this kernel and the best reward). ``global_rows``: the distinct rows of
    ``P_g(.|g, .)``; global action ``b`` has row ``global_row[b]``.
    """

    kernels: tuple[tuple[Fraction, ...], ...]
    starts: Integers
    kernel: Integers
    reward: tuple[Fraction, ...]
    action: Integers
    global_rows: tuple[tuple[Fraction, ...], ...]
    global_row: tuple[int, ...]


class JointMaximum(NamedTuple):
    """The largest value of the joint local actions of every count vector, to double precision.

    ``values[c]``; where asked for, ``runners_up[c]``: the largest value of any other joint action (-inf where there is none),
    and ``action_counts[c, choice]`` of a maximiser (which one of several is decided elsewhere, in exact arithmetic).
    """

    values: Floats
    runners_up: Floats | None = None
    action_counts: Integers | None = None


class Wanted(Enum):
    """What a sweep has to find beside the largest values; the less, the faster."""

    VALUES = "values"
    POLICY = "a maximiser"
    LEAD = "a maximiser and the runner-up"


def choices_in(model: Model, g: int) -> Choices:
    """Merge, in global state ``g``, local actions by kernel and global actions by row. Cost: S A rows compared exactly."""
    _, global_actions, local_states, local_actions = model.sizes
    rows = {tuple(model.local_kernel[s, g, a]) for s in range(local_states) for a in range(local_actions)}
    kernels = _ordered_kernels(rows)
    number = {row: u for u, row in enumerate(kernels)}
    starts, kernel, reward, action = [0], [], [], []
    for s in range(local_states):
        best: dict[int, tuple[Fraction, int]] = {}
        for a in range(local_actions):
            u = number[tuple(model.local_kernel[s, g, a])]
            r = model.local_reward[s, g, a]
            if u not in best or r > best[u][0]:
                best[u] = (r, a)
        for u in sorted(best):
            kernel.append(u)
            reward.append(best[u][0])
            action.append(best[u][1])
        starts.append(len(kernel))
    global_rows = list(dict.fromkeys(tuple(model.global_kernel[g, b]) for b in range(global_actions)))
    return Choices(
        kernels,
        np.array(starts, dtype=np.int64),
        np.array(kernel, dtype=np.int64),
        tuple(reward),
        np.array(action, dtype=np.int64),
        tuple(global_rows),
        tuple(global_rows.index(tuple(model.global_kernel[g, b])) for b in range(global_actions)),
    )


def _ordered_kernels(rows: set[tuple[Fraction, ...]]) -> tuple[tuple[Fraction, ...], ...]:
    """Sorted; with two local states the two extreme kernels come last, because they are the basis of the others."""
    ordered = sorted(rows, key=lambda row: row[1:])
    if len(ordered) >= 2 and len(ordered[0]) == 2:
        ordered = [*ordered[1:-1], ordered[0], ordered[-1]]
    return tuple(ordered)
