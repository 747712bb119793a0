"""Exact arithmetic: the optimal value and the value of a policy as Fractions, for small systems.

Howard's policy iteration on (global state, count vector) with python-flint rationals. Its joint actions are all action
counts over ``Z_l = S_l x A_l``, nothing merged, and its laws are convolved agent by agent: it shares no code with the
floating-point operators, so that it can judge them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import comb, prod
from typing import TYPE_CHECKING, TypeAlias

import flint
import numpy as np

from mfverify import counts
from mfverify.enclosure import Enclosure, StopReason, Work
from mfverify.errors import ModelError, TooLargeError

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Exact

CountVector: TypeAlias = tuple[int, ...]
State: TypeAlias = tuple[int, CountVector]
"""A global state and a count vector of local states."""
JointAction: TypeAlias = tuple[int, CountVector]
"""A global action and the number of agents for every local state-action pair z = s A + a."""

_MOST_PAIRS = 2 * 10**6
_MOST_STATES = 1200


class RationalSystem:
    """The n-agent system on (global state, count vector), every number a rational.

    Cost: ``pairs`` laws of at most ``C(n+S-1, S-1)`` entries for one improvement; one exact linear solve in
    ``|S_g| C(n+S-1, S-1)`` unknowns for one evaluation. Raises :class:`TooLargeError` before any work beyond that.
    """

    def __init__(self, model: Model, n: int) -> None:
        if n < 1:
            raise ModelError(f"agents: found {n}, expected at least 1")
        global_states, global_actions, size, local_actions = model.sizes
        states = global_states * counts.number_of_count_vectors(n, size)
        if states > _MOST_STATES:
            raise TooLargeError(
                f"{n} agents have {states} states, more than {_MOST_STATES} for exact arithmetic; use method 'lumped' or fewer agents"
            )
        self.model, self.n = model, n
        self.vectors: list[CountVector] = [tuple(int(x) for x in row) for row in counts.count_vectors(n, size)]
        self.position = {c: i for i, c in enumerate(self.vectors)}
        self.pairs = (
            global_states * global_actions * sum(prod(comb(x + local_actions - 1, local_actions - 1) for x in c) for c in self.vectors)
        )
        self._laws: dict[tuple[int, CountVector], dict[CountVector, flint.fmpq]] = {}
        self._kernel = [
            [[_fmpq(p) for p in model.local_kernel[s, g, a]] for s in range(size) for a in range(local_actions)]
            for g in range(global_states)
        ]
        self._global_kernel = [[[_fmpq(p) for p in model.global_kernel[g, b]] for b in range(global_actions)] for g in range(global_states)]
        self._global_reward = [[_fmpq(r) for r in of_g] for of_g in model.global_reward]
        self._share_of_reward = [
            [_fmpq(model.local_reward[s, g, a] / n) for s in range(size) for a in range(local_actions)] for g in range(global_states)
        ]
        self._discount = _fmpq(model.discount)
        self._splits: dict[CountVector, list[CountVector]] = {}

    @cached_property
    def states(self) -> list[State]:
        """All states, in the order of values: global state, then rank of the count vector."""
        return [(g, c) for g in range(self.model.sizes[0]) for c in self.vectors]

    def local_action_counts(self, counts_: CountVector) -> Iterator[CountVector]:
        """All action counts over ``Z_l`` that are consistent with a count vector, lexicographically ascending."""
        if counts_ not in self._splits:
            per_state = [[tuple(row) for row in counts.count_vectors(c, self.model.sizes[3]).tolist()] for c in counts_]
            self._splits[counts_] = [tuple(x for part in split for x in part) for split in product(*per_state)]
        return iter(self._splits[counts_])

    def law(self, g: int, action_counts: CountVector) -> dict[CountVector, flint.fmpq]:
        """The exact law of the next count vector, by convolution agent by agent."""
        known = self._laws.get((g, action_counts))
        if known is not None:
            return known
        if len(self._laws) > 200_000:
            self._laws.clear()
        z = next((i for i, x in enumerate(action_counts) if x), None)
        if z is None:
            return {(0,) * self.model.sizes[2]: flint.fmpq(1)}
        fewer = (*action_counts[:z], action_counts[z] - 1, *action_counts[z + 1 :])
        out: dict[CountVector, flint.fmpq] = {}
        for c, p in self.law(g, fewer).items():
            for s, q in enumerate(self._kernel[g][z]):
                if q:
                    target = (*c[:s], c[s] + 1, *c[s + 1 :])
                    out[target] = out.get(target, flint.fmpq(0)) + p * q
        self._laws[g, action_counts] = out
        return out

    def reward(self, g: int, action: JointAction) -> flint.fmpq:
        """``r_g + (1/n) sum_z d_z r_l(z)`` (eq. 2)."""
        b, d = action
        return sum((x * share for x, share in zip(d, self._share_of_reward[g], strict=True) if x), self._global_reward[g][b])

    def action_value(self, state: State, action: JointAction, value: Mapping[State, flint.fmpq]) -> flint.fmpq:
        """``Q(state, action)`` exactly, from exact values of the next states."""
        g, _ = state
        b, d = action
        expected = flint.fmpq(0)
        for h, p in enumerate(self._global_kernel[g][b]):
            if p:
                expected += p * sum((q * value[h, c] for c, q in self.law(g, d).items()), flint.fmpq(0))
        return self.reward(g, action) + self._discount * expected

    def greedy(self, state: State, value: Mapping[State, flint.fmpq]) -> tuple[flint.fmpq, list[JointAction]]:
        """The maximum of ``Q(state, .)`` and all its maximisers, lexicographically ascending."""
        best: flint.fmpq | None = None
        ties: list[JointAction] = []
        for b in range(self.model.sizes[1]):
            for d in self.local_action_counts(state[1]):
                q = self.action_value(state, (b, d), value)
                if best is None or q > best:
                    best, ties = q, [(b, d)]
                elif q == best:
                    ties.append((b, d))
        return best, ties

    def policy_value(self, policy: Mapping[State, JointAction]) -> dict[State, flint.fmpq]:
        """The exact value of a deterministic policy: a linear system over the rationals."""
        rows = {}
        rewards = {}
        for state, (b, d) in policy.items():
            g, _ = state
            law = self.law(g, d)
            rows[state] = {(h, c): p * q for h, p in enumerate(self._global_kernel[g][b]) if p for c, q in law.items()}
            rewards[state] = self.reward(g, (b, d))
        return solve_chain(rows, rewards, self._discount)

    @cached_property
    def optimum(self) -> dict[State, flint.fmpq]:
        """``V*`` exactly, by policy iteration from the myopic policy; a maximiser is kept while it stays one."""
        if self.pairs > _MOST_PAIRS:
            raise TooLargeError(
                f"{self.n} agents have {self.pairs:.3g} (state, action) pairs, more than {_MOST_PAIRS:.0e} for exact arithmetic; use method 'lumped' or fewer agents"
            )
        policy = {state: self.greedy(state, dict.fromkeys(self.states, flint.fmpq(0)))[1][0] for state in self.states}
        while True:
            value = self.policy_value(policy)
            better = {}
            for state in self.states:
                best, ties = self.greedy(state, value)
                if best > value[state]:
                    better[state] = ties[0]
            if not better:
                return value
            policy |= better

    def array(self, value: Mapping[State, flint.fmpq]) -> Exact:
        """Values as Fractions with axes ``[g, rank of the count vector]``."""
        out = np.empty((self.model.sizes[0], len(self.vectors)), dtype=object)
        for (g, c), v in value.items():
            out[g, self.position[c]] = fraction(v)
        return out


def rational_optimal_value(model: Model, n: int) -> Enclosure:
    """``V*`` of the n-agent system in exact arithmetic, as an enclosure that carries the Fractions."""
    system = RationalSystem(model, n)
    return Enclosure.of_fractions(system.array(system.optimum), Work(StopReason.EXACT, pairs_per_sweep=system.pairs))


def solve_chain(
    rows: Mapping[State, Mapping[State, flint.fmpq]], rewards: Mapping[State, flint.fmpq], discount: flint.fmpq
) -> dict[State, flint.fmpq]:
    """Solve ``V = reward + gamma P V`` exactly for a Markov reward process given by sparse rows.

    States whose value follows from others by substitution only (deterministic chains without a cycle) still go into one
    dense exact solve; cost cubic in the number of states in the worst case.
    """
    states = list(rows)
    number = {state: i for i, state in enumerate(states)}
    matrix = flint.fmpq_mat(len(states), len(states))
    right = flint.fmpq_mat(len(states), 1)
    for i, state in enumerate(states):
        entries: dict[int, flint.fmpq] = {i: flint.fmpq(1)}
        for target, p in rows[state].items():
            j = number[target]
            entries[j] = entries.get(j, flint.fmpq(0)) - discount * p
        for j, x in entries.items():
            matrix[i, j] = x
        right[i, 0] = rewards[state]
    solution = matrix.solve(right)
    return {state: solution[i, 0] for i, state in enumerate(states)}


def fraction(x: flint.fmpq) -> Fraction:
    """A flint rational as a Fraction."""
    return Fraction(int(x.p), int(x.q))


def _fmpq(x: Fraction) -> flint.fmpq:
    return flint.fmpq(x.numerator, x.denominator)
