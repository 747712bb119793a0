"""Small systems: plan, sweeps, policy evaluation and the certified last application in one compiled call, for many models at once.

``lumped.py`` spends its time per call in Python. Here a whole solution is one compiled function of arrays of doubles, with one leading
axis for the models, and what only depends on ``(n, |S_l|, |A_l|)`` is a :class:`Plan` that all of them share. It is for systems whose
laws fit into a cache: the law of the next counts of *every* joint action ``d`` (action counts over ``Z_l``) is held, ``|S_g| N J``
numbers for ``N`` count vectors and ``J = C(n + |Z_l| - 1, |Z_l| - 1)`` joint actions.

*Laws.* ``law[c', d]`` of ``m + 1`` agents come from those of ``m``: the joint actions in which ``z`` is the first pair that is played are,
in lexicographic order, those of ``m`` agents with nothing before ``z`` played, one agent more in ``z``. So a step is a few sums of
contiguous pieces.

*Merged actions.* An action with the same kernel as another one of the same local state and a smaller reward, or an equal one and a larger
number, is never needed (``choices.py``): its reward is minus infinity here. Likewise global actions.

*Iteration.* Two sweeps, then Newton's steps of policy iteration with a dense solve. A diagonally dominant matrix needs no pivots. An action is
exchanged only for one that is better by more than rounding may be. Nothing of this is certified or has to be.

*Certificate.* That of ``fixed_point.py``: for the vector ``V`` at hand, ``lo <= T V - V <= hi`` gives
``T V + gamma lo / (1 - gamma) <= V* <= T V + gamma hi / (1 - gamma)``, with ``T V`` off by at most ``error`` and every operation rounded
outward. *Error of one application*, by Higham's lemma (``enclosure.py``), with ``W_l`` and ``W_g`` roundings in a probability (1 where it is a
rounded rational; a weight over the sum of its row has as many as there are terms) and ``R`` in a reward:

- an entry of a law: ``n`` steps of weight, product and ``|S_l| - 1`` sums: ``n (W_l + |S_l|)``;
- global row and discount, ``gamma sum_g' P_g V``: ``W_g + |S_g| + 2``; sum over ``N`` next counts: ``N``; reward added: 1.
  So ``L = n (W_l + |S_l|) + W_g + |S_g| + N + 3`` roundings of what adds up to at most ``gamma max |V|``;
- local reward ``r_l / n``, ``n`` sums; added to the global one and to the expectation: ``R + 1 + n + 2`` of at most ``rt``;
- a number too small for a normal double loses at most ``2**-1022``. Law entries lose ``2 n |S_l|`` of these (weights and products), each met
  by a value in one of ``N`` terms; global row and discount ``2 |S_g| + 4``, rewards ``n``, the sum ``N``. Together at most
  ``4 (n |S_l| N + N + |S_g| + n + 4) (1 + max |V|)`` of them.

*Lead.* ``V* - V`` lies between ``lo / (1 - gamma)`` and ``hi / (1 - gamma)``, so two action values of ``V*`` differ from those of ``V`` by at most
``gamma (hi - lo) / (1 - gamma)``; with the error of both, what is left of the computed lead of a maximiser is a lower bound of the true one.
Where it is not positive the maximiser is not known, and the lead says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from math import comb
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from mfverify import counts
from mfverify.bellman.sweeps import graded_order, level_sizes, successor_table
from mfverify.compiled import njit
from mfverify.enclosure import UNDERFLOW, Enclosure, StopReason, Work, round_down, round_up, rounding_error
from mfverify.parallel import over_range

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

MOST_NUMBERS: Final = 4 * 10**5
"""Systems whose laws take more doubles than this are not small: beyond that ``lumped.py`` becomes as fast."""

_MOST_STATES: Final = 160
"""Nor are those with more states: a dense solve takes as long as all the rest."""

_CHUNK: Final = 512
"""Joint actions at a time: what is summed stays in the nearest cache."""

_ROUNDS: Final = 60
"""Steps of policy iteration after which the best enclosure so far is returned; it is one however it was found."""

_SWEEPS_BEFORE: Final = 2
"""Sweeps before the first policy is evaluated: three cost about as much as an evaluation, and the first policies are poor."""

_SLACK: Final = 1.0 + 2.0**-48
"""More than the roundings in the computation of an error bound: fewer than eight of positive numbers."""


class Plan(NamedTuple):
    """What the systems of ``n`` agents with so many local states and actions share.

    ``order``: lexicographic ranks of count vectors in graded order (``sweeps.py``). ``up[i, s]``: the graded index with one agent more in
    ``s``. ``levels[m]``: count vectors of ``m`` agents. ``blocks[m, z]``: action counts of ``m`` agents over the pairs from ``z`` on. ``actions[d, z]``:
    the joint actions. ``state[d]``: the graded index of their count vector.
    """

    n: int
    order: Integers
    up: Integers
    levels: Integers
    blocks: Integers
    actions: Integers
    state: Integers


@lru_cache(maxsize=64)
def plan(n: int, local_states: int, local_actions: int) -> Plan:
    """The plan of ``n`` agents; cost and memory linear in the number of joint actions."""
    pairs = local_states * local_actions
    order = graded_order(n, local_states)
    up = successor_table(n, local_states)
    up = np.concatenate([np.arange(len(up), dtype=np.int64)[:, None], up], axis=1)
    blocks = np.array(
        [[comb(m + pairs - 1 - z, pairs - 1 - z) for z in range(pairs)] + [int(m == 0)] for m in range(n + 1)], dtype=np.int64
    )
    actions = counts.count_vectors(n, pairs)
    graded = np.empty(len(order), dtype=np.int64)
    graded[order] = np.arange(len(order))
    state = graded[counts.rank(actions.reshape(len(actions), local_states, local_actions).sum(axis=2))]
    return Plan(n, order, up, level_sizes(n, local_states), blocks, actions, state)


def numbers(n: int, sizes: tuple[int, int, int, int]) -> int:
    """Doubles in the laws of a system of ``n`` agents."""
    global_states, _, local_states, local_actions = sizes
    return global_states * comb(n + local_states - 1, local_states - 1) * comb(n + local_states * local_actions - 1, n)


def fits(n: int, sizes: tuple[int, int, int, int]) -> bool:
    """Whether a system is small."""
    return numbers(n, sizes) <= MOST_NUMBERS and sizes[0] * comb(n + sizes[2] - 1, n) <= _MOST_STATES


class Copies(NamedTuple):
    """Models in doubles, leading axis: the model. For :func:`solve` rewards of merged actions are minus infinity.

    ``discount`` is rounded once, ``low`` and ``high`` enclose ``gamma / (1 - gamma)``, ``rt`` bounds the stage reward (to a rounding).
    """

    global_kernel: Floats
    local_kernel: Floats
    global_reward: Floats
    local_reward: Floats
    discount: Floats
    low: Floats
    high: Floats
    rt: Floats


@dataclass(frozen=True)
class Roundings:
    """How often the numbers of :class:`Copies` are rounded: probabilities of local and global rows, rewards."""

    local: int = 1
    global_: int = 1
    reward: int = 1


def copies(model: Model, merged: bool = True) -> Copies:
    """One model: every number the double nearest to the rational; ``merged``: as :func:`solve` needs it."""
    global_kernel, local_kernel, global_reward, local_reward = (
        np.array(model.floats(name)[None]) for name in ("global_kernel", "local_kernel", "global_reward", "local_reward")
    )
    rt = float(np.abs(global_reward).max() + np.abs(local_reward).max())
    global_states, _, local_states, _ = model.sizes
    # Rows that are equal are equal in doubles too, which is seldom so and quicker to see.
    for s in range(local_states if merged else 0):
        for g in range(global_states):
            rows, rewards = model.local_kernel[s, g], model.local_reward[s, g]
            for a, b in _equal_rows(local_kernel[0, s, g]):
                if tuple(rows[a]) == tuple(rows[b]):
                    local_reward[0, s, g, a if rewards[a] < rewards[b] else b] = -np.inf
    for g in range(global_states if merged else 0):
        rows, rewards = model.global_kernel[g], model.global_reward[g]
        for a, b in _equal_rows(global_kernel[0, g]):
            if tuple(rows[a]) == tuple(rows[b]):
                global_reward[0, g, a if rewards[a] < rewards[b] else b] = -np.inf
    low, high = factors(model.discount)
    gamma, factor_low, factor_high, bound = (np.array([x]) for x in (float(model.discount), low, high, rt))
    return Copies(global_kernel, local_kernel, global_reward, local_reward, gamma, factor_low, factor_high, bound)


def _equal_rows(rows: Floats) -> list[tuple[int, int]]:
    """Pairs ``a < b`` of equal rows."""
    listed = rows.tolist()
    return [(a, b) for b in range(len(listed)) for a in range(b) if listed[a] == listed[b]]


@lru_cache(maxsize=1024)
def factors(discount: Fraction) -> tuple[float, float]:
    """Doubles around ``gamma / (1 - gamma)``."""
    factor = discount / (1 - discount)
    return round_down(factor), round_up(factor)


@lru_cache(maxsize=256)
def relative_errors(n: int, sizes: tuple[int, int, int, int], roundings: Roundings) -> tuple[float, float, float]:
    """The error of one application is at most ``a gamma max|V| + b rt + c (1 + max|V|)``; see the head of this file."""
    global_states, _, size, _ = sizes
    vectors = counts.number_of_count_vectors(n, size)
    path = n * (roundings.local + size) + roundings.global_ + global_states + vectors + 3
    lost = 4 * (n * size * vectors + vectors + global_states + n + 4)
    a, b = (round_up(rounding_error(number, Fraction(1))) for number in (path, roundings.reward + n + 3))
    return a, b, round_up(lost * UNDERFLOW)


class Solved(NamedTuple):
    """Solutions, leading axis: the model; count vectors in lexicographic order.

    ``lower``, ``upper``: around ``V*``, axes ``[i, g, c]``. ``global_action``, ``joint_action`` (a row of ``Plan.actions``): a greedy policy. ``lead``:
    a lower bound of its lead over every other joint action; not positive where the maximiser is not known. ``sweeps``, ``evaluations``.
    """

    lower: Floats
    upper: Floats
    global_action: Integers
    joint_action: Integers
    lead: Floats
    sweeps: Integers
    evaluations: Integers


def solve(models: Copies, n: int, roundings: Roundings, width: float) -> Solved:
    """Enclose the optimal value of every model, to ``width`` where policy iteration gets there.

    Cost of a sweep: ``|S_g| |A_g| N J`` multiply-adds; memory of each thread: ``(|S_g| + 1) N J`` doubles.
    """
    number, global_states, global_actions, _ = models.global_kernel.shape
    local_states, _, local_actions = models.local_kernel.shape[1:4]
    sizes = global_states, global_actions, local_states, local_actions
    of_all = plan(n, local_states, local_actions)
    shape = number, global_states, len(of_all.order)
    found = Solved(
        np.empty(shape),
        np.empty(shape),
        np.empty(shape, dtype=np.int64),
        np.empty(shape, dtype=np.int64),
        np.empty(shape),
        np.empty(number, dtype=np.int64),
        np.empty(number, dtype=np.int64),
    )
    errors = np.array(relative_errors(n, sizes, roundings))
    over_range(partial(_optima, models, of_all, errors, width, found), number)
    return found


def solve_alone(model: Model, n: int, width: float) -> tuple[Enclosure, Solved] | None:
    """The enclosure of one small system and its solution with a leading axis of 1; None if the system is not small or not enclosed to ``width``."""
    if not fits(n, model.sizes):
        return None
    given = copies(model)
    found = solve(given, n, Roundings(), width)
    lower, upper = found.lower[0], found.upper[0]
    if not (np.nextafter(upper - lower, np.inf) <= width).all():
        return None
    merged = (given.local_reward[0] > -np.inf).sum(axis=(0, 2)).tolist()
    pairs = sum(comb(n + choices - 1, choices - 1) for choices in merged)
    work = Work(StopReason.WIDTH, int(found.sweeps[0]), int(found.evaluations[0]), pairs)
    return Enclosure(lower, upper, None, work), found


@njit
def above(x: float) -> float:
    """A double above ``x``: ``|x| 2**-52`` is at least the distance to the next one, ``2**-1074`` is that of subnormal numbers."""
    return x + (abs(x) * 2.0**-52 + 2.0**-1074)


@njit
def below(x: float) -> float:
    """A double below ``x``."""
    return x - (abs(x) * 2.0**-52 + 2.0**-1074)


@njit
def times_below(factor_low: float, factor_high: float, x: float) -> float:
    """A double below the product of ``x`` and a positive factor between two."""
    least: float = below((factor_low if x >= 0.0 else factor_high) * x)
    return least


@njit
def centre(value: Floats) -> float:
    """Shift values to the middle of their range, in place; the largest absolute value that is left."""
    lo, hi = np.inf, -np.inf
    for g in range(value.shape[0]):
        for c in range(value.shape[1]):
            lo, hi = min(lo, value[g, c]), max(hi, value[g, c])
    middle = lo / 2 + hi / 2
    largest = 0.0
    for g in range(value.shape[0]):
        for c in range(value.shape[1]):
            value[g, c] -= middle
            largest = max(largest, abs(value[g, c]))
    return largest


@njit
def factorise(matrix: Floats) -> None:
    """Gaussian elimination in place, without pivots."""
    size = len(matrix)
    for i in range(size):
        pivot = matrix[i]
        inverse = 1.0 / pivot[i]
        for j in range(i + 1, size):
            row = matrix[j]
            share = row[i] * inverse
            row[i] = share
            if share != 0.0:
                rest, of_pivot = row[i + 1 :], pivot[i + 1 :]
                for t in range(len(rest)):
                    rest[t] -= share * of_pivot[t]


@njit
def solve_factorised(matrix: Floats, right: Floats) -> None:
    """Solve in place with what :func:`factorise` left."""
    size = len(right)
    for i in range(1, size):
        total = right[i]
        for j in range(i):
            total -= matrix[i, j] * right[j]
        right[i] = total
    for i in range(size - 1, -1, -1):
        total = right[i]
        for j in range(i + 1, size):
            total -= matrix[i, j] * right[j]
        right[i] = total / matrix[i, i]


_contracted = njit(fastmath={"contract"})
"""A multiply-add may be rounded once instead of twice: a path has one rounding less."""


@_contracted
def _laws(kernel: Floats, rewards: Floats, n: int, of_all: Plan, law: Floats, other: Floats, earned: Floats, more: Floats) -> None:
    """``law[c', d]`` for the kernels ``kernel[z]`` of one global state, and ``earned[d]``, the sum of ``rewards[z]``.

    ``other`` and ``more`` are room of the same shape. The steps alternate between both, so that the last one ends in ``law``.
    """
    pairs, size = kernel.shape
    source, target = (law, other) if n % 2 == 0 else (other, law)
    before, after = (earned, more) if n % 2 == 0 else (more, earned)
    source[0, 0] = 1.0
    before[0] = 0.0
    for m in range(n):
        length = of_all.blocks[m + 1, 0]
        for c in range(of_all.levels[m + 1]):
            row = target[c]
            for d in range(length):
                row[d] = 0.0
        for z in range(pairs):
            wide, start = of_all.blocks[m, z], of_all.blocks[m + 1, z + 1]
            reward = rewards[z]
            old, new = before[:wide], after[start : start + wide]
            for d in range(wide):
                new[d] = old[d] + reward
            for c in range(of_all.levels[m]):
                given = source[c, :wide]
                for s in range(size):
                    weight = kernel[z, s]
                    if weight != 0.0:
                        moved = target[of_all.up[c, s], start : start + wide]
                        for d in range(wide):
                            moved[d] += weight * given[d]
        source, target = target, source
        before, after = after, before


@_contracted
def _expectations(law: Floats, ahead: Floats, begin: int, end: int, out: Floats) -> None:
    """``out[d] = sum_c' ahead[c'] law[c', begin + d]``."""
    first, weight = law[0, begin:end], ahead[0]
    for d in range(end - begin):
        out[d] = weight * first[d]
    for c in range(1, len(ahead)):
        row, weight = law[c, begin:end], ahead[c]
        for d in range(end - begin):
            out[d] += weight * row[d]


@njit
def _sweep(
    models: Copies,
    i: int,
    of_all: Plan,
    law: Floats,
    earned: Floats,
    value: Floats,
    tolerance: float,
    image: Floats,
    played: Integers,
    joint: Integers,
    lead: Floats,
) -> bool:
    """``image = T value``, graded. A policy entry is exchanged where that gains more than ``tolerance``; whether any was.

    If ``tolerance`` is negative, a maximiser is taken and its ``lead`` found: the largest action value less the second largest, infinite where
    there is no second. (An argument that says so would be a constant to the compiler, which would compile this twice.)
    """
    leading = tolerance < 0.0
    global_states, global_actions = models.global_reward.shape[1:]
    states, actions = law.shape[1], law.shape[2]
    ahead = np.empty(states)
    q = np.empty(_CHUNK)
    best, second, who = np.empty(_CHUNK), np.empty(_CHUNK), np.empty(_CHUNK, dtype=np.int64)
    largest, runner_up = np.empty(states), np.empty(states)
    which, global_one = np.empty(states, dtype=np.int64), np.empty(states, dtype=np.int64)
    kept = np.empty(states)
    changed = False
    for g in range(global_states):
        largest[:] = -np.inf
        runner_up[:] = -np.inf
        kept[:] = -np.inf
        for begin in range(0, actions, _CHUNK):
            end = min(begin + _CHUNK, actions)
            wide = end - begin
            best[:wide] = -np.inf
            second[:wide] = -np.inf
            for b in range(global_actions):
                reward = models.global_reward[i, g, b]
                if reward == -np.inf:
                    continue
                for c in range(states):
                    total = 0.0
                    for h in range(global_states):
                        total += models.global_kernel[i, g, b, h] * value[h, c]
                    ahead[c] = models.discount[i] * total
                _expectations(law[g], ahead, begin, end, q)
                gained = earned[g, begin:end]
                for d in range(wide):
                    x = q[d] + (reward + gained[d])
                    q[d] = x
                if leading:
                    for d in range(wide):
                        second[d] = max(second[d], min(best[d], q[d]))
                for d in range(wide):
                    if q[d] > best[d]:
                        best[d] = q[d]
                        who[d] = b
                for c in range(states):
                    if played[g, c] == b and begin <= joint[g, c] < end:
                        kept[c] = q[joint[g, c] - begin]
            for d in range(wide):
                c = of_all.state[begin + d]
                x = best[d]
                if x > largest[c]:
                    if leading:
                        runner_up[c] = max(runner_up[c], largest[c], second[d])
                    largest[c] = x
                    which[c] = begin + d
                    global_one[c] = who[d]
                elif leading and x > runner_up[c]:
                    runner_up[c] = x
        for c in range(states):
            image[g, c] = largest[c]
            if leading:
                lead[g, c] = below(largest[c] - runner_up[c]) if runner_up[c] > -np.inf else np.inf
                played[g, c] = global_one[c]
                joint[g, c] = which[c]
            elif not kept[c] >= largest[c] - tolerance:
                played[g, c] = global_one[c]
                joint[g, c] = which[c]
                changed = True
    return changed


@njit
def _greedy_matrix(models: Copies, i: int, law: Floats, played: Integers, joint: Integers, matrix: Floats) -> None:
    """``I - gamma P`` of a policy."""
    global_states, states = played.shape
    for g in range(global_states):
        for c in range(states):
            row = matrix[g * states + c]
            for h in range(global_states):
                share = -models.discount[i] * models.global_kernel[i, g, played[g, c], h]
                for t in range(states):
                    row[h * states + t] = share * law[g, t, joint[g, c]]
            row[g * states + c] += 1.0


@njit
def application_error(errors: Floats, discount: float, rt: float, largest: float) -> float:
    """The error of one application to a vector whose largest entry is ``largest``, rounded up."""
    return float(errors[0] * (discount * largest) + errors[1] * rt + errors[2] * (1.0 + largest)) * _SLACK


@njit
def residual_range(image: Floats, value: Floats, error: float) -> tuple[float, float]:
    """Bounds of ``T V - V`` over all entries, from ``image``, which is off by ``error``."""
    lo, hi = np.inf, -np.inf
    for g in range(value.shape[0]):
        for c in range(value.shape[1]):
            x = image[g, c] - value[g, c]
            lo = min(lo, below(x))
            hi = max(hi, above(x))
    ends: tuple[float, float] = below(lo - error), above(hi + error)
    return ends


@njit
def _optimum(models: Copies, i: int, of_all: Plan, errors: Floats, width: float, found: Solved) -> None:
    """One model."""
    global_states, local_states = models.global_kernel.shape[1], models.local_kernel.shape[1]
    local_actions = models.local_kernel.shape[3]
    n, states, actions = of_all.n, len(of_all.order), len(of_all.state)
    law, other = np.empty((global_states, states, actions)), np.empty((states, actions))
    earned, more = np.empty((global_states, actions)), np.empty(actions)
    kernel, rewards = np.empty((local_states * local_actions, local_states)), np.empty(local_states * local_actions)
    for g in range(global_states):
        for s in range(local_states):
            for a in range(local_actions):
                for t in range(local_states):
                    kernel[s * local_actions + a, t] = models.local_kernel[i, s, g, a, t]
                rewards[s * local_actions + a] = models.local_reward[i, s, g, a] / n
        _laws(kernel, rewards, n, of_all, law[g], other, earned[g], more)
    discount, rt = models.discount[i], models.rt[i]
    value, image = np.zeros((global_states, states)), np.empty((global_states, states))
    best, lead = np.zeros((global_states, states)), np.empty((global_states, states))
    played, joint = np.full((global_states, states), -1), np.full((global_states, states), -1)
    size = global_states * states
    matrix, right = np.empty((size, size)), np.empty(size)
    narrowest = np.inf
    sweeps, evaluations = 0, 0
    for round_ in range(_ROUNDS):
        largest = centre(value)
        error = application_error(errors, discount, rt, largest)
        changed = _sweep(models, i, of_all, law, earned, value, 2 * error, image, played, joint, lead)
        sweeps += 1
        lo, hi = residual_range(image, value, error)
        now = models.high[i] * (hi - lo) + 2 * error
        halved = now < narrowest / 2
        if now < narrowest:
            narrowest = now
            for g in range(global_states):
                for c in range(states):
                    best[g, c] = value[g, c]
        if now <= width / 2 or (evaluations > 0 and not (changed or halved)):
            break
        if round_ < _SWEEPS_BEFORE:
            for g in range(global_states):
                for c in range(states):
                    value[g, c] = image[g, c]
            continue
        if changed or evaluations == 0:
            _greedy_matrix(models, i, law, played, joint, matrix)
            factorise(matrix)
        evaluations += 1
        middle = lo / 2 + hi / 2
        for g in range(global_states):
            for c in range(states):
                right[g * states + c] = image[g, c] - value[g, c] - middle
        solve_factorised(matrix, right)
        for g in range(global_states):
            for c in range(states):
                value[g, c] += right[g * states + c]
    error = application_error(errors, discount, rt, centre(best))
    _sweep(models, i, of_all, law, earned, best, -1.0, image, played, joint, lead)
    lo, hi = residual_range(image, best, error)
    down, up = times_below(models.low[i], models.high[i], lo), -times_below(models.low[i], models.high[i], -hi)
    uncertain = above(above(models.high[i] * above(hi - lo)) + 2 * error)
    for g in range(global_states):
        for c in range(states):
            at = of_all.order[c]
            found.lower[i, g, at] = below(below(image[g, c] - error) + down)
            found.upper[i, g, at] = above(above(image[g, c] + error) + up)
            found.global_action[i, g, at] = played[g, c]
            found.joint_action[i, g, at] = joint[g, c]
            found.lead[i, g, at] = below(lead[g, c] - uncertain) if lead[g, c] < np.inf else np.inf
    found.sweeps[i] = sweeps + 1
    found.evaluations[i] = evaluations


@njit(nogil=True)
def _optima(models: Copies, of_all: Plan, errors: Floats, width: float, found: Solved, begin: int, end: int) -> None:
    """The models of a range."""
    for i in range(begin, end):
        _optimum(models, i, of_all, errors, width, found)
