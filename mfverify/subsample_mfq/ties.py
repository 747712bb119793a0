"""Which joint actions maximise ``Q_k`` in a state, decided exactly where enclosures cannot.

Rounded action values that differ by more than twice their error are certainly in that order. What remains within that
distance of the best is a set of *candidates* that certainly contains every maximiser. A single candidate is the maximiser.
Several are exactly tied when they have the same reward, the same kernel counts and the same global row, for then their
values are the same expression. Otherwise the value is computed in exact arithmetic: policy iteration restricted to the
candidates (no other action can be optimal) and to the states that candidates can lead to from the state in question, then an
exact comparison. Where that would be too large, the tie is undecided, and the result says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb, prod
from typing import TYPE_CHECKING, TypeAlias

import flint
import numpy as np

from mfverify import counts
from mfverify.bellman.lumped import LumpedOperator
from mfverify.errors import TooLargeError
from mfverify.exact.rational import JointAction, State, solve_chain

if TYPE_CHECKING:
    from mfverify.enclosure import Enclosure
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

_MOST_CANDIDATE_ACTIONS = 2 * 10**6
_MOST_EXACT_BITS = 4 * 10**9
_MOST_EXACT_STATES = 1200
_MOST_EXACT_POINTS = 10**5


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
        tables: list[Floats] | None = None
        distinct = _distinct_global_actions(operator, g)
        best, gap, winner, local = _separation(operator, g, midpoint, distinct)
        for c, row in enumerate(operator.vectors):
            state = (g, tuple(int(x) for x in row))
            if Fraction(float(gap[c])) > slack:
                out[state] = Maximisers(((distinct[winner[c]], _over_pairs(operator, g, local[winner[c]][c])),))
                continue
            if tables is None:
                try:
                    tables = operator.action_values(g, midpoint)
                except TooLargeError:
                    tables = []
            candidates = _candidates(operator, g, row, tables, distinct, float(best[c]), slack) if tables else None
            if candidates is None:
                out[state] = Maximisers(None)
            elif _same_expression(operator, g, candidates):
                out[state] = Maximisers(tuple(candidates))
            else:
                open_[state] = candidates
    known = {state: list(m.actions) for state, m in out.items() if m.actions is not None}
    decided: dict[State, list[JointAction]] = {}
    for state in open_:
        if state not in decided:
            decided |= _decide_exactly(operator, known | open_, state) or {}
        out[state] = Maximisers(tuple(decided[state]) if state in decided else None)
    return out


def _separation(
    operator: LumpedOperator, g: int, value: Floats, distinct: list[int]
) -> tuple[Floats, Floats, Integers, list[Integers]]:
    """Best value, its lead over every other joint action (rounded down), the winning global action, and the local maximisers."""
    every = operator.joint_maxima(g, value)
    values, seconds, local = zip(*(every[b] for b in distinct), strict=True)
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
    picks = np.indices([len(part) for part in per_state]).reshape(len(per_state), -1)
    actions = np.concatenate([part[pick] for part, pick in zip(per_state, picks, strict=True)], axis=1)
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


def _decide_exactly(
    operator: LumpedOperator, candidates: dict[State, list[JointAction]], start: State
) -> dict[State, list[JointAction]] | None:
    """Exact policy iteration over the candidates of the states that they lead to from ``start``; None where that is too large."""
    rows = _reachable_rows(operator, candidates, start)
    if rows is None:
        return None
    discount = _rational(operator.model.discount)
    policy = dict.fromkeys(rows, 0)
    while True:
        chosen = {state: moves[policy[state]] for state, moves in rows.items()}
        value = solve_chain({state: law for state, (_, law) in chosen.items()}, {state: r for state, (r, _) in chosen.items()}, discount)
        better = {}
        decided = {}
        for state, moves in rows.items():
            scored = (
                [r + discount * sum((p * value[t] for t, p in law.items()), flint.fmpq(0)) for r, law in moves] if len(moves) > 1 else []
            )
            best = max(scored, default=value[state])
            if best > value[state]:
                better[state] = scored.index(best)
            decided[state] = [action for action, q in zip(candidates[state], scored or [best], strict=True) if q == best]
        if not better:
            return decided
        policy |= better


_Row: TypeAlias = "tuple[flint.fmpq, dict[State, flint.fmpq]]"
"""A reward and the law of the next state, exactly."""


def _reachable_rows(operator: LumpedOperator, candidates: dict[State, list[JointAction]], start: State) -> dict[State, list[_Row]] | None:
    """The rows of all candidates of every state that candidates lead to from ``start``; None where there are too many."""
    model, n = operator.model, operator.n
    bits = 1 + n * max(p.denominator.bit_length() - 1 for p in (*model.local_kernel.ravel(), *model.global_kernel.ravel()))
    laws: dict[tuple[int, tuple[int, ...]], dict[tuple[int, ...], flint.fmpq]] = {}
    rows: dict[State, list[_Row]] = {}
    found = [start]
    seen = {start}
    while found:
        state = found.pop()
        g, _ = state
        if state not in candidates or len(seen) > _MOST_EXACT_STATES or len(seen) ** 2 * bits > _MOST_EXACT_BITS:
            return None
        rows[state] = []
        for b, d in candidates[state]:
            if (g, d) not in laws:
                law = _exact_law(model, g, d)
                if law is None:
                    return None
                laws[g, d] = law
            next_global = [(h, _rational(p)) for h, p in enumerate(model.global_kernel[g, b]) if p]
            row = {(h, c): p * q for h, p in next_global for c, q in laws[g, d].items()}
            local_actions = model.sizes[3]
            earned = sum((x * model.local_reward[z // local_actions, g, z % local_actions] for z, x in enumerate(d) if x), Fraction(0))
            rows[state].append((_rational(model.global_reward[g, b] + earned / n), row))
            found += [target for target in row if target not in seen]
            seen.update(row)
    return rows


def _exact_law(model: Model, g: int, d: tuple[int, ...]) -> dict[tuple[int, ...], flint.fmpq] | None:
    """The law of the next count vector under action counts ``d``; None where it has too many points."""
    size, local_actions = model.sizes[2:]
    groups = [
        (x, {t: _rational(p) for t, p in enumerate(model.local_kernel[z // local_actions, g, z % local_actions]) if p})
        for z, x in enumerate(d)
        if x
    ]
    if prod(comb(x + len(row) - 1, len(row) - 1) for x, row in groups) > _MOST_EXACT_POINTS:
        return None
    law = {(0,) * size: flint.fmpq(1)}
    for x, row in groups:
        if len(row) == 1:
            (t,) = row
            law = {(*c[:t], c[t] + x, *c[t + 1 :]): p for c, p in law.items()}
            continue
        for _agent in range(x):
            more: dict[tuple[int, ...], flint.fmpq] = {}
            for c, p in law.items():
                for t, q in row.items():
                    target = (*c[:t], c[t] + 1, *c[t + 1 :])
                    more[target] = more.get(target, flint.fmpq(0)) + p * q
            law = more
    return law


def _rational(x: Fraction) -> flint.fmpq:
    return flint.fmpq(x.numerator, x.denominator)
