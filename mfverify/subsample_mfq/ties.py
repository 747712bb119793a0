"""Which joint actions maximise ``Q_k`` in a state, decided exactly where enclosures cannot.

Rounded action values that differ by more than twice their error are certainly in that order. What remains within that
distance of the best is a set of *candidates* that certainly contains every maximiser. A single candidate is the maximiser.
Several are exactly tied when they have the same reward, the same kernel counts and the same global row, for then their
values are the same expression. Otherwise the value is computed in exact arithmetic: policy iteration restricted to the
candidates of every state (no other action can be optimal), then an exact comparison. Where that would be too large, the
tie is undecided, and the result says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import comb, prod
from typing import TYPE_CHECKING

import flint
import numpy as np

from mfverify import counts
from mfverify.bellman.lumped import LumpedOperator
from mfverify.errors import TooLargeError
from mfverify.exact.rational import JointAction, RationalSystem, State

if TYPE_CHECKING:
    from mfverify.enclosure import Enclosure
    from mfverify.notation import Floats, Integers

_MOST_CANDIDATE_ACTIONS = 2 * 10**6
_MOST_EXACT_BITS = 4 * 10**9


@dataclass(frozen=True)
class Maximisers:
    """All maximising joint actions of one state as action counts over Z_l; ``None`` where the tie is undecided."""

    actions: tuple[JointAction, ...] | None


def maximisers(operator: LumpedOperator, value: Enclosure) -> dict[State, Maximisers]:
    """The certified maximisers of ``Q(state, .)`` for every state, from an enclosure of the fixed point of ``operator``.

    Actions that are merged in the operator (same kernel, same reward) are represented by the smallest. Cost: one sweep
    per global action, plus exact arithmetic for the states with near-ties.
    """
    midpoint = value.midpoint
    # The image of the midpoint is off by its rounding and by gamma times the distance of the midpoint from the value.
    radius = max(float((value.upper - midpoint).max()), float((midpoint - value.lower).max()))
    slack = 2 * (operator.error(midpoint) + operator.model.discount * Fraction(float(np.nextafter(radius, np.inf))))
    out: dict[State, Maximisers] = {}
    open_: dict[State, list[JointAction]] = {}
    for g in range(operator.shape[0]):
        tables = operator.action_values(g, midpoint)
        distinct = _distinct_global_actions(operator, g)
        best, gap, winner, local = _separation(operator, g, tables, distinct)
        for c, row in enumerate(operator.vectors):
            state = (g, tuple(int(x) for x in row))
            if Fraction(float(gap[c])) > slack:
                out[state] = Maximisers(((distinct[winner[c]], _over_pairs(operator, g, local[winner[c]][c])),))
                continue
            candidates = _candidates(operator, g, row, tables, distinct, float(best[c]), slack)
            if candidates is None:
                out[state] = Maximisers(None)
            elif _same_expression(operator, g, candidates):
                out[state] = Maximisers(tuple(candidates))
            else:
                open_[state] = candidates
    if open_:
        known = {state: list(m.actions) for state, m in out.items() if m.actions is not None}
        decided = _decide_exactly(operator, known | open_) if len(known) + len(open_) == len(operator.vectors) * operator.shape[0] else None
        for state in open_:
            out[state] = Maximisers(None if decided is None else tuple(decided[state]))
    return out


def _separation(
    operator: LumpedOperator, g: int, tables: list[Floats], distinct: list[int]
) -> tuple[Floats, Floats, Integers, list[Integers]]:
    """Best value, its lead over every other joint action (rounded down), the winning global action, and the local maximisers."""
    values, seconds, local = zip(*(operator.local_maximum(g, tables[b]) for b in distinct), strict=True)
    stacked = np.stack(values)
    winner = stacked.argmax(axis=0)
    columns = np.arange(stacked.shape[1])
    best = stacked[winner, columns]
    others = stacked.copy()
    others[winner, columns] = np.stack(seconds)[winner, columns]
    lead = np.nextafter(best - others.max(axis=0), -np.inf)
    return best, np.where(np.isfinite(lead), lead, np.finfo(np.float64).max), winner, list(local)


def _distinct_global_actions(operator: LumpedOperator, g: int) -> list[int]:
    """Smallest representatives of global actions that differ in row or reward (equal ones always tie; the smallest is played)."""
    choices = operator.choices[g]
    keys = [(row, operator.model.global_reward[g, b]) for b, row in enumerate(choices.global_row)]
    return [b for b, key in enumerate(keys) if keys.index(key) == b]


def _over_pairs(operator: LumpedOperator, g: int, action_counts: Integers) -> tuple[int, ...]:
    """Action counts over the choices of ``g`` as action counts over ``Z_l`` (z = s A + a)."""
    _, _, local_states, local_actions = operator.model.sizes
    choices = operator.choices[g]
    out = [0] * (local_states * local_actions)
    for s in range(local_states):
        for j in range(int(choices.starts[s]), int(choices.starts[s + 1])):
            out[s * local_actions + int(choices.action[j])] = int(action_counts[j])
    return tuple(out)


def _candidates(
    operator: LumpedOperator, g: int, row: Integers, tables: list[Floats], distinct: list[int], best: float, slack: Fraction
) -> list[JointAction] | None:
    """All joint actions within ``slack`` of the best, lexicographically ascending; None where there are too many to list."""
    choices = operator.choices[g]
    widths = np.diff(choices.starts)
    number = prod(comb(int(c) + int(w) - 1, int(w) - 1) for c, w in zip(row, widths, strict=True))
    if number * len(distinct) > _MOST_CANDIDATE_ACTIONS:
        return None
    per_state = [counts.count_vectors(int(c), int(w)) for c, w in zip(row, widths, strict=True)]
    picks = np.array(list(product(*(range(len(p)) for p in per_state))), dtype=np.int64)
    actions = np.concatenate([part[picks[:, s]] for s, part in enumerate(per_state)], axis=1)
    position = counts.rank(operator.kernel_counts(g, actions))
    local = actions @ np.array([float(r / operator.n) for r in choices.reward])
    # The sum of rewards is formed in another order than in the sweep; both are within the operator's error bound.
    threshold = best - 2 * float(slack)
    found = []
    for b in distinct:
        for i in np.flatnonzero(local + tables[b][position] >= threshold):
            found.append((b, _over_pairs(operator, g, actions[i])))
    return sorted(found)


def _same_expression(operator: LumpedOperator, g: int, candidates: list[JointAction]) -> bool:
    """Whether all candidates have one reward, one multiset of kernels and one global row: then their values are equal."""
    model = operator.model
    local_actions = model.sizes[3]
    seen = set()
    for b, d in candidates:
        reward = Fraction(0)
        kernels: dict[tuple[Fraction, ...], int] = {}
        for z, x in enumerate(d):
            if x:
                s, a = divmod(z, local_actions)
                reward += x * model.local_reward[s, g, a]
                kernel = tuple(model.local_kernel[s, g, a])
                kernels[kernel] = kernels.get(kernel, 0) + x
        seen.add((reward / operator.n + model.global_reward[g, b], frozenset(kernels.items()), tuple(model.global_kernel[g, b])))
    return len(seen) == 1


def _decide_exactly(operator: LumpedOperator, candidates: dict[State, list[JointAction]]) -> dict[State, list[JointAction]] | None:
    """Exact policy iteration over the candidates; None where exact arithmetic would be too large."""
    model, n = operator.model, operator.n
    states = operator.shape[0] * operator.shape[1]
    bits = max(p.denominator.bit_length() - 1 for p in (*model.local_kernel.ravel(), *model.global_kernel.ravel()))
    if states * states * (1 + n * bits) > _MOST_EXACT_BITS:
        return None
    try:
        system = RationalSystem(model, n)
    except TooLargeError:
        return None
    policy = {state: actions[0] for state, actions in candidates.items()}
    while True:
        value = system.policy_value(policy)
        better = {}
        decided = {}
        for state, actions in candidates.items():
            if len(actions) == 1:
                decided[state] = actions
                continue
            scored: list[flint.fmpq] = [system.action_value(state, action, value) for action in actions]
            best = max(scored)
            if best > value[state]:
                better[state] = actions[scored.index(best)]
            decided[state] = [action for action, q in zip(actions, scored, strict=True) if q == best]
        if not better:
            return decided
        policy |= better
