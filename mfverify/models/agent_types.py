"""Agents of different types, with the type as a component of the local state that never changes (paper, section 2, Remark 4.9).

``S_l = E x S``: local state ``(e, s)`` is number ``e |S| + s``, and an agent of type e moves and is rewarded as in the model of its
kind. Agents stay exchangeable, for what tells them apart is part of the state, so every solver and every claim applies; what
grows is ``|S_l|``, and with it tables and the number of different samples. Agents that differ in a way the state does not show are
another matter (``extensions/heterogeneous.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mfverify.errors import ModelError
from mfverify.model import Model
from mfverify.rationals import exact, parameter


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


def preferences(types: int) -> Model:
    """Agents that only want something: the global agent chooses its next state, type e earns 1 while the global state is e.

    One local state and one action for each of the ``types`` types. Agents of one type agree, so alone they have no gap; in a
    mixed population the global agent has to find the majority in its sample.
    """
    states = range(types)
    follow = [[[int(h == b) for h in states] for b in states] for _ in states]
    nothing = [[0] * types for _ in states]
    kinds = [
        Model(follow, [[[[1]] for _ in states]], nothing, [[[int(g == e)] for g in states]], Fraction(1, 2), f"wants {e}") for e in states
    ]
    return typed(kinds, f"preferences of {types} types")


def crews(types: int = 2, eta: str | Fraction = "1/100", discount: str | Fraction = "1/2") -> Model:
    """Crews of ``types`` types have to meet the global agent at one of two places, which moves freely.

    An agent of type e is slow: a move succeeds with probability ``1/(e + 1)``; and heavy: moving, successful or not, costs
    ``(e + 1) eta``. Every agent earns +1 at the place of the global agent and -1 elsewhere; with one type this is the coordination model.
    Closed form: where all agents are at the place of the global agent the optimal value is ``1 / (1 - gamma)``. Raises :class:`ModelError` for no type.
    """
    if types < 1:
        raise ModelError(f"types: found {types}, expected at least 1")
    cost, gamma, two = exact(eta, "eta"), exact(discount, "discount"), range(2)
    kinds = []
    for e in range(types):
        success = Fraction(1, e + 1)
        law = [[[success * int(a == t) + (1 - success) * int(s == t) for t in two] for a in two] for s in two]
        reward = [[[(1 if s == g else -1) - (cost * (e + 1) if a != s else 0) for a in two] for g in two] for s in two]
        follow = [[[int(b == h) for h in two] for b in two] for _ in two]
        kinds.append(Model(follow, [[law[s] for _ in two] for s in two], [[0, 0], [0, 0]], reward, gamma, f"crew {e}"))
    given = [f"eta={parameter(cost)}"] * (cost != Fraction(1, 100)) + [f"discount={parameter(gamma)}"] * (gamma != Fraction(1, 2))
    return typed(kinds, f"crews({', '.join([f'types={types}', *given])})")
