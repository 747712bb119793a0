"""Two kinds of agents whose difference is a parameter, either unobserved or observed as a type in the local state.

Every agent is at one of two places and moves freely, as in the coordination model (``models/coordination.py``). An agent of the first
kind earns ``+1`` at the place of the global agent and ``-1`` elsewhere; one of the second kind ``(1 - 2 h)`` times that, with ``h`` the
*difference*: 0 makes them equal, 1/2 indifferent, 1 opposed. Moving costs ``eta``. Every second agent is of the second kind.

- :func:`hidden_kinds`: the state does not show the kind, so agents are not exchangeable and the paper's model does not apply. A
  learner that takes agents for exchangeable reads the j-th agent of a sample as one of the kind of agent j.
- :func:`shown_kinds`: the kind is a type (``models/agent_types.py``), and the paper's model applies.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mfverify.errors import ModelError
from mfverify.exact.labelled_rational import LabelledAction, LabelledState
from mfverify.extensions.outside import OutsideSystem
from mfverify.model import Model
from mfverify.models.agent_types import typed
from mfverify.models.coordination import coordination
from mfverify.rationals import exact, parameter, shown


def hidden_kinds(difference: str | Fraction, eta: str | Fraction = "1/100") -> OutsideSystem:
    """The labelled system in which agents 2, 4, .. are of the second kind and no state tells."""
    h, cost = _checked(difference), exact(eta, "eta")

    def reward(state: LabelledState, action: LabelledAction) -> Fraction:
        (g, places), (_, moves) = state, action
        earned = sum((1 if s == g else -1) * (1 if i % 2 == 0 else 1 - 2 * h) for i, s in enumerate(places))
        return (Fraction(earned) - cost * sum(a != s for s, a in zip(places, moves, strict=True))) / len(places)

    def local_law(_state: LabelledState, action: LabelledAction, i: int) -> list[Fraction]:
        return [Fraction(int(action[1][i] == t)) for t in range(2)]

    return OutsideSystem(f"hidden kinds, difference {parameter(h)}", "agents are not exchangeable", (2, 2, 2, 2), Fraction(1, 2), reward, local_law)


def shown_kinds(difference: str | Fraction, eta: str | Fraction = "1/100") -> Model:
    """The same agents with the kind as part of the local state: ``(kind, place)`` is number ``2 kind + place``."""
    h = _checked(difference)
    first = coordination(eta)
    moving = coordination(0).local_reward - first.local_reward
    second = replace(first, local_reward=(1 - 2 * h) * coordination(0).local_reward - moving)
    return typed([first, second], f"shown kinds, difference {parameter(h)}")


def _checked(difference: str | Fraction) -> Fraction:
    h = exact(difference, "difference")
    if not 0 <= h <= 1:
        raise ModelError(f"difference: found {shown(h)}, expected a number from 0 to 1")
    return h
