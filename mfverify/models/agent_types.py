"""Agents of different types, with the type as a component of the local state that never changes (paper, section 2, Remark 4.9).

``S_l = E x S``: local state ``(e, s)`` is number ``e |S| + s``, and an agent of type e moves and is rewarded as in the model of its
kind. Agents stay exchangeable, for what tells them apart is part of the state, so every solver and every claim applies; what
grows is ``|S_l|``, and with it tables and the number of different samples. Agents that differ in a way the state does not show are
another matter (``extensions/heterogeneous.py``).
"""

from __future__ import annotations

from collections.abc import Sequence

from mfverify.errors import ModelError
from mfverify.model import Model


def typed(kinds: Sequence[Model], name: str) -> Model:
    """The model whose agents carry a type that never changes: local state ``(e, s)`` is number ``e |S| + s``.

    An agent of type e moves and is rewarded as in ``kinds[e]``; the global part and the discount are those of ``kinds[0]``, and all
    kinds have its sizes. Source: paper, section 2. Raises :class:`ModelError` for kinds of different sizes.
    """
    first = kinds[0]
    if any(kind.sizes != first.sizes for kind in kinds):
        raise ModelError(f"kinds: found models of sizes {sorted({kind.sizes for kind in kinds})}, expected one common size")
    global_states, _, states, actions = first.sizes
    kernel, reward = [], []
    for e, kind in enumerate(kinds):
        before, after = [0] * (e * states), [0] * ((len(kinds) - 1 - e) * states)
        for s in range(states):
            kernel.append([[[*before, *kind.local_kernel[s, g, a], *after] for a in range(actions)] for g in range(global_states)])
            reward.append([[kind.local_reward[s, g, a] for a in range(actions)] for g in range(global_states)])
    return Model(first.global_kernel, kernel, first.global_reward, reward, first.discount, name)
