"""A crowd on the complete graph: agents in two places choose their next place, and all earn the share of agents in place 1.

Rewards depend on the distribution, so the system is one of :mod:`mfverify.extensions.exchangeable`. ``Q^t`` is the value of t steps, from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd

import flint

from mfverify.exact.rational import JointAction, State, fraction
from mfverify.extensions.exchangeable import ExchangeableSystem
from mfverify.model import Model
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Profile
from mfverify.theory.search_space import Parameters


@dataclass(frozen=True)
class Crowd(Case):
    """n agents, a number of steps (1 or 2) and a discount."""

    agents: int
    steps: int
    discount: Fraction


def crowd_model(discount: Fraction) -> Model:
    """Two places, the next one is the action; no reward of its own."""
    choose = [[[1, 0], [0, 1]]]
    return Model([[[1]]], [choose, choose], [[0]], [[[0, 0]]] * 2, discount, name="crowd")


def _share(_g: int, _b: int, shares: Sequence[Fraction]) -> Fraction:
    """The share of agents in place 1."""
    return shares[2] + shares[3]


@lru_cache(maxsize=32)
def values_of_steps(case: Crowd) -> dict[tuple[State, JointAction], Fraction]:
    """``Q^t(state, joint action)`` for all of them, exact."""
    system = ExchangeableSystem(crowd_model(case.discount), case.agents, _share)
    ahead = dict.fromkeys(system.states, flint.fmpq(0))
    if case.steps == 2:
        ahead = {state: system.greedy(state, ahead)[0] for state in system.states}
    actions = {state: [(0, d) for d in system.local_action_counts(state[1])] for state in system.states}
    return {(s, a): fraction(system.action_value(s, a, ahead)) for s in system.states for a in actions[s]}


def crowd_cases(profile: Profile, _: Sequence[Model] | None) -> list[Crowd]:
    """Few agents, one step and two, several discounts."""
    most = 4 if profile is Profile.QUICK else 8
    return [Crowd(n, steps, Fraction(discount)) for n in range(1, most + 1) for steps in (1, 2) for discount in ("1/10", "1/2", "9/10")]


_DISCOUNTS = tuple(Fraction(p, q) for q in range(2, 65) for p in range(1, q) if gcd(p, q) == 1)

SEARCHED = Parameters((range(1, 5), (1, 2), _DISCOUNTS), Crowd)
"""Up to 4 agents, one step and two, discounts with denominators of up to 64."""
