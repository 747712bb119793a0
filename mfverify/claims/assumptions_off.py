r"""Systems on which an assumption of the paper fails on purpose, and what SUBSAMPLE-MFQ does there.

Claims say *not-applicable* on them; the report still shows what would happen. Each system has n labelled agents and is solved
exactly by brute force: the n-agent optimum, the greedy policy of the k-agent system (the same rules with k agents in place of
n), and the executed policy by enumerating every draw. None of them is a :class:`~mfverify.model.Model`, because what they
break is what a Model promises.

- ``gaussian squeeze``: reward ``x exp(-(x - mu)^2 / sigma^2)`` of the total ``x = sum_i a_i``, as it is stated in the literature: not
  additive over agents (eq. 2 fails). A k-agent subsystem squeezes its own total, so n agents overshoot.
- ``crowding``: an agent's move succeeds with a probability that falls with the share of agents already there: the kernel depends
  on the other agents (eq. 1 fails).
- ``opposed agents``: half of the agents are rewarded for standing with the global agent, half for standing apart, and the state
  does not say which is which: agents are not exchangeable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, product
from typing import TypeAlias

import flint

from mfverify.claims.claim import Instance, NotApplicable
from mfverify.exact.labelled_rational import LabelledAction, LabelledState
from mfverify.exact.rational import fraction

Reward: TypeAlias = Callable[[LabelledState, LabelledAction], Fraction]
LocalLaw: TypeAlias = Callable[[LabelledState, LabelledAction, int], list[Fraction]]


@dataclass(frozen=True)
class OutsideSystem:
    """Labelled agents with any joint reward and any law of each agent's next state; ``s_g' = a_g``.

    ``reward(state, action)`` and ``local_law(state, action, i)`` accept any number of agents.
    """

    name: str
    broken: str
    sizes: tuple[int, int, int, int]
    discount: Fraction
    reward: Reward
    local_law: LocalLaw
    note: str = ""

    def states(self, n: int) -> list[LabelledState]:
        """All labelled states of n agents."""
        return [(g, s) for g in range(self.sizes[0]) for s in product(range(self.sizes[2]), repeat=n)]

    def actions(self, n: int) -> list[LabelledAction]:
        """All labelled joint actions of n agents, lexicographically ascending."""
        return [(b, a) for b in range(self.sizes[1]) for a in product(range(self.sizes[3]), repeat=n)]

    def law(self, state: LabelledState, action: LabelledAction) -> Iterator[tuple[LabelledState, Fraction]]:
        """The law of the next labelled state."""
        n = len(state[1])
        rows = [self.local_law(state, action, i) for i in range(n)]
        for target in product(range(self.sizes[2]), repeat=n):
            p = math.prod((rows[i][t] for i, t in enumerate(target)), start=Fraction(1))
            if p:
                yield (action[0], target), p


Mixture: TypeAlias = dict[LabelledAction, Fraction]


def _value(system: OutsideSystem, policy: dict[LabelledState, Mixture]) -> dict[LabelledState, Fraction]:
    """The exact value of a stochastic policy."""
    states = list(policy)
    number = {s: i for i, s in enumerate(states)}
    matrix = flint.fmpq_mat(len(states), len(states), [int(i == j) for i in range(len(states)) for j in range(len(states))])
    right = flint.fmpq_mat(len(states), 1)
    for state, mixture in policy.items():
        for action, weight in mixture.items():
            r = weight * system.reward(state, action)
            right[number[state], 0] += flint.fmpq(r.numerator, r.denominator)
            for target, p in system.law(state, action):
                q = system.discount * weight * p
                matrix[number[state], number[target]] -= flint.fmpq(q.numerator, q.denominator)
    solution = matrix.solve(right)
    return {state: fraction(solution[i, 0]) for state, i in number.items()}


@lru_cache(maxsize=64)
def optimum(name: str, n: int) -> tuple[dict[LabelledState, Fraction], dict[LabelledState, LabelledAction]]:
    """The optimal value of n labelled agents and its lexicographically smallest greedy policy, by exact policy iteration."""
    system = SYSTEMS[name]
    actions = system.actions(n)
    laws = {(s, a): list(system.law(s, a)) for s in system.states(n) for a in actions}
    policy = dict.fromkeys(system.states(n), actions[0])
    while True:
        value = _value(system, {s: {a: Fraction(1)} for s, a in policy.items()})
        scores = {
            s: [system.reward(s, a) + system.discount * sum((p * value[t] for t, p in laws[s, a]), Fraction(0)) for a in actions]
            for s in policy
        }
        if all(max(scores[s]) == value[s] for s in policy):
            return value, {s: actions[scores[s].index(max(scores[s]))] for s in policy}
        policy = {s: policy[s] if max(scores[s]) == value[s] else actions[scores[s].index(max(scores[s]))] for s in policy}


def executed(name: str, n: int, k: int) -> dict[LabelledState, Fraction]:
    """The exact value of Algorithm 2 run on the system as if the assumptions held: every draw of every agent is enumerated."""
    system = SYSTEMS[name]
    _, greedy = optimum(name, k)
    policy: dict[LabelledState, Mixture] = {}
    for g, s in system.states(n):
        subsets = list(combinations(range(n), k))
        factors: list[dict[int, Fraction]] = [{}]
        for subset in subsets:
            b = greedy[g, tuple(s[i] for i in subset)][0]
            factors[0][b] = factors[0].get(b, Fraction(0)) + Fraction(1, len(subsets))
        for i in range(n):
            others = list(combinations([j for j in range(n) if j != i], k - 1))
            shares: dict[int, Fraction] = {}
            for subset in others:
                a = greedy[g, (s[i], *(s[j] for j in subset))][1][0]
                shares[a] = shares.get(a, Fraction(0)) + Fraction(1, len(others))
            factors.append(shares)
        policy[g, s] = {
            (picked[0], picked[1:]): math.prod((f[x] for f, x in zip(factors, picked, strict=True)), start=Fraction(1))
            for picked in product(*factors)
        }
    return _value(system, policy)


def outcome(instance: Instance) -> NotApplicable:
    """Not applicable, with what would happen: the largest gap over start states, exactly."""
    n, k = instance.agents, instance.subsample
    assert n is not None and k is not None
    system = SYSTEMS[instance["outside"]]
    best, _ = optimum(system.name, n)
    played = executed(system.name, n, k)
    worst = max(best, key=lambda state: best[state] - played[state])
    gap = best[worst] - played[worst]
    return NotApplicable(
        f"{system.broken}",
        {
            "gap that would result": f"{float(gap):.6g}",
            "optimum there": f"{float(best[worst]):.6g}",
            "worst": f"start {worst}",
            "note": system.note,
        },
    )


def instances() -> list[Instance]:
    """Every system at n = 3 for every k."""
    return [Instance(None, 3, k, (("outside", name),)) for name in SYSTEMS for k in (1, 2, 3)]


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
