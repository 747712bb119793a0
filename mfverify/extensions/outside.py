"""Systems of labelled agents outside the paper's model, solved exactly by brute force, and SUBSAMPLE-MFQ run on them all the same.

Any joint reward and any law of each agent's next state; the k-agent system follows the same rules with k agents in place of n. The
n-agent optimum is found by exact policy iteration, the greedy policy of the k-agent system with it, and the executed policy by
enumerating every draw. Meant for n up to 4 or 5. None of these systems is a :class:`~mfverify.model.Model`, because what they break is
what a Model promises.
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

from mfverify.exact.labelled_rational import LabelledAction, LabelledState
from mfverify.exact.rational import fraction

Reward: TypeAlias = Callable[[LabelledState, LabelledAction], Fraction]
LocalLaw: TypeAlias = Callable[[LabelledState, LabelledAction, int], list[Fraction]]


@dataclass(frozen=True, eq=False)
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
def optimum(system: OutsideSystem, n: int) -> tuple[dict[LabelledState, Fraction], dict[LabelledState, LabelledAction]]:
    """The optimal value of n labelled agents and its lexicographically smallest greedy policy, by exact policy iteration."""
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


def executed(system: OutsideSystem, n: int, k: int) -> dict[LabelledState, Fraction]:
    """The exact value of Algorithm 2 run on the system as if the assumptions held: every draw of every agent is enumerated."""
    _, greedy = optimum(system, k)
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
