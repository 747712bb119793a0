"""Crews: agents of types that differ in how often a move succeeds and in what it costs.

Closed form: where all agents are at the place of the global agent the optimal value is ``1 / (1 - gamma)``.
"""

from __future__ import annotations

from fractions import Fraction

from mfverify.errors import ModelError
from mfverify.model import Model
from mfverify.models.agent_types import typed
from mfverify.rationals import exact, parameter


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
