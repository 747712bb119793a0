r"""Systems on which an assumption of the paper fails on purpose, and what SUBSAMPLE-MFQ does there.

Claims say *not-applicable* on them; the report still shows what would happen, by brute force (``extensions/outside.py``).

- ``gaussian squeeze``: reward ``x exp(-(x - mu)^2 / sigma^2)`` of the total ``x = sum_i a_i``, as it is stated in the literature: not
  additive over agents (eq. 2 fails). A k-agent subsystem squeezes its own total, so n agents overshoot.
- ``crowding``: an agent's move succeeds with a probability that falls with the share of agents already there: the kernel depends
  on the other agents (eq. 1 fails).
- ``opposed agents``: half of the agents are rewarded for standing with the global agent, half for standing apart, and the state
  does not say which is which: agents are not exchangeable.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from mfverify.exact.labelled_rational import LabelledAction, LabelledState
from mfverify.extensions.outside import OutsideSystem, executed, optimum
from mfverify.rationals import estimate
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import NotApplicable


@dataclass(frozen=True)
class Outside(Case):
    """One of the systems, by its name, with k sampled of n agents."""

    agents: int
    subsample: int
    outside: str


def outcome(case: Outside) -> NotApplicable:
    """Not applicable, with what would happen: the largest gap over start states, exactly."""
    n, k = case.agents, case.subsample
    system = SYSTEMS[case.outside]
    best, _ = optimum(system, n)
    played = executed(system, n, k)
    worst = max(best, key=lambda state: best[state] - played[state])
    gap = best[worst] - played[worst]
    return NotApplicable(
        f"{system.broken}",
        {
            "gap that would result": estimate(gap),
            "optimum there": estimate(best[worst]),
            "worst": f"start {worst}",
            "note": system.note,
        },
    )


def outside() -> list[Outside]:
    """Every system at n = 3 for every k."""
    return [Outside(3, k, name) for name in SYSTEMS for k in (1, 2, 3)]


_HALF = Fraction(1, 2)


def _squeeze_reward(state: LabelledState, action: LabelledAction) -> Fraction:
    x = sum(action[1])
    return Fraction(x * math.exp(-((x - 2) ** 2)))


def _crowding_law(state: LabelledState, action: LabelledAction, i: int) -> list[Fraction]:
    """Agent i wants to be in state a_i; it gets there unless the place is crowded, then it is thrown to the other state."""
    s, a = state[1], action[1]
    share = Fraction(sum(1 for x in s if x == a[i]), len(s))
    row = [share, share]
    row[a[i]] = 1 - share
    row[1 - a[i]] = share
    return row


def _majority_reward(state: LabelledState, action: LabelledAction) -> Fraction:
    g, s = state
    return Fraction(sum(1 if x == g else -1 for x in s), len(s))


def _opposed_reward(state: LabelledState, action: LabelledAction) -> Fraction:
    g, s = state
    return Fraction(sum((1 if x == g else -1) * (1 if i % 2 == 0 else -1) for i, x in enumerate(s)), len(s))


def _free_moves(state: LabelledState, action: LabelledAction, i: int) -> list[Fraction]:
    return [Fraction(int(action[1][i] == t)) for t in range(2)]


SYSTEMS: dict[str, OutsideSystem] = {
    system.name: system
    for system in (
        OutsideSystem(
            "gaussian squeeze",
            "the reward is not additive over agents (eq. 2): x exp(-(x - mu)^2/sigma^2) of the total x of all actions, mu = 2, sigma = 1",
            (1, 1, 1, 2),
            _HALF,
            _squeeze_reward,
            lambda state, action, i: [Fraction(1)],
            "rewards are rounded to doubles; a subsystem of k agents squeezes its own total towards the same mu",
        ),
        OutsideSystem(
            "crowding",
            "the local kernel depends on the other agents (eq. 1): a move fails with the share of agents already there",
            (2, 2, 2, 2),
            _HALF,
            _majority_reward,
            _crowding_law,
            "a subsystem of k agents sees its own crowd",
        ),
        OutsideSystem(
            "opposed agents",
            "agents are not exchangeable: every second one is rewarded for standing apart from the global agent, and no state tells which",
            (2, 2, 2, 2),
            _HALF,
            _opposed_reward,
            _free_moves,
            "the learner takes the first agent of its sample for one of the first kind",
        ),
    )
}
