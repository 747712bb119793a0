"""Small systems: plan, sweeps, policy evaluation and the certified last application in one compiled call, for many models at once.

``lumped.py`` spends its time per call in Python. Here a whole solution is one compiled function of arrays of doubles, with one leading
axis for the models, and what only depends on ``(n, |S_l|, |A_l|)`` is a :class:`Plan` that all of them share. Four models are solved side by
side, one in each lane of a register (``lanes.py``): the loops of small systems are too short for other vector instructions. A model
that is solved alone leaves three lanes idle.

*Sweep.* A joint action consists of the actions of the ``x`` agents in local state 0 and those of the ``n - x`` agents elsewhere. What is
expected of a value depends on the former by the law of their next counts, which is computed once for a model, and on the latter by a table:
the expectation over the next counts of the agents elsewhere, for all next counts ``e`` of the others. The action values are the products
of laws and tables over ``e``. Laws and tables of ``m + 1`` agents come from those of ``m``: the actions in which ``z`` is the first that is
played are, in lexicographic order, those of ``m`` agents with nothing before ``z`` played, one agent more in ``z``. So a step is a few sums of
contiguous pieces.

*Merged actions.* An action with the same kernel as another one of the same local state and a smaller reward, or an equal one and a larger
number, is never needed (``choices.py``): its reward is minus infinity here. Likewise global actions.

*Iteration.* Newton's steps of policy iteration from zero, with a dense solve. A diagonally dominant matrix needs no pivots. An action is
exchanged only for one that is better by more than rounding may be. Nothing of this is certified or has to be.

*Certificate.* That of ``fixed_point.py``: for the vector ``V`` at hand, ``lo <= T V - V <= hi`` gives
``T V + gamma lo / (1 - gamma) <= V* <= T V + gamma hi / (1 - gamma)``, with ``T V`` off by at most ``error`` and every operation rounded
outward. *Error of one application*, by Higham's lemma (``enclosure.py``), with ``W_l`` and ``W_g`` roundings in a probability (1 where it is a
rounded rational; a weight over the sum of its row has as many as there are terms) and ``R`` in a reward:

- laws and tables: together ``n`` steps of weight, product and ``|S_l| - 1`` sums: ``n (W_l + |S_l|)``;
- global row and discount, ``gamma sum_g' P_g V``: ``W_g + |S_g| + 2``; product of law and table and a sum over at most ``N`` next counts, the
  number of count vectors of ``n`` agents: ``N``; reward added: 1. So ``L = n (W_l + |S_l|) + W_g + |S_g| + N + 3`` roundings of what adds up to at most ``gamma max |V|``;
- local reward ``r_l / n``, ``n - 1`` sums of agents in state 0 or elsewhere; added to the global one, to that of the others and to the
  expectation: ``R + 1 + n + 2`` of at most ``rt``;
- a number too small for a normal double loses at most ``2**-1022``. Laws and tables lose ``2 n |S_l|`` of these (weights and products), each met
  by a value in one of ``N`` terms; global row and discount ``2 |S_g| + 4``, rewards ``n``, the sum ``N``. Together at most
  ``4 (n |S_l| N + N + |S_g| + n + 4) (1 + max |V|)`` of them.

*Lead.* ``V* - V`` lies between ``lo / (1 - gamma)`` and ``hi / (1 - gamma)``, so two action values of ``V*`` differ from those of ``V`` by at most
``gamma (hi - lo) / (1 - gamma)``; with the error of both, what is left of the computed lead of a maximiser is a lower bound of the true one.
Where it is not positive the maximiser is not known, and the lead says so.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache, partial
from math import comb
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

from mfverify import counts
from mfverify.bellman.lanes import LANES, larger, load, multiply_add, plus, spread, store
from mfverify.bellman.sweeps import graded_order, level_sizes, successor_table
from mfverify.compiled import njit, uncounted
from mfverify.enclosure import UNDERFLOW, Enclosure, StopReason, Work, round_down, round_up, rounding_error
from mfverify.model import ARRAYS
from mfverify.parallel import over_range

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

MOST_NUMBERS: Final = 4 * 10**5
"""Systems with a larger :func:`numbers` are not small: beyond that ``lumped.py`` becomes as fast."""

_MOST_STATES: Final = 160
"""Nor are those with more states: a dense solve takes as long as all the rest."""

_ROUNDS: Final = 60
"""Steps of policy iteration after which the best enclosure so far is returned; it is one however it was found."""

SMALLEST_PIVOT: Final = 2.0**-53
"""In place of a pivot that rounding made 0, as it does next to a discount of 1: no linear solve is certified or has to be."""

_SLACK: Final = 1.0 + 2.0**-48
"""More than the roundings in the computation of an error bound: fewer than eight of positive numbers."""


Sizes: TypeAlias = tuple[int, int, int, int]
"""``(|S_g|, |A_g|, |S_l|, |A_l|)``."""


class Plan(NamedTuple):
    """What the systems of ``n`` agents with so many local states and actions share.

    ``order``: lexicographic ranks of count vectors in graded order (``sweeps.py``). ``up[i, s]``: the graded index with one agent more in
    ``s``. ``blocks[0, m, z]``: action counts of ``m`` agents in local state 0 over the actions from ``z`` on; ``blocks[1, m, z]``: of agents elsewhere,
    over the pairs from ``z`` on. ``at[m]``: the number of count vectors of ``m`` agents; where the law of ``m`` agents in local state 0 begins, the table
    of ``m`` agents elsewhere, and the joint actions of ``m`` agents in state 0 and the others elsewhere. ``here[c]``: agents in state 0. ``actions[d, z]``: the joint actions;
    ``members[starts[c]:starts[c + 1]]`` are those of state ``c``, in order.
    """

    n: int
    order: Integers
    up: Integers
    blocks: Integers
    at: Integers
    here: Integers
    actions: Integers
    members: Integers
    starts: Integers


@lru_cache(maxsize=64)
def plan(n: int, local_states: int, local_actions: int) -> Plan:
    """The plan of ``n`` agents; cost and memory linear in the number of joint actions."""
    elsewhere = (local_states - 1) * local_actions
    order = graded_order(n, local_states)
    up = successor_table(n, local_states)
    up = np.concatenate([np.arange(len(up), dtype=np.int64)[:, None], up], axis=1)
    blocks = np.zeros((2, n + 1, max(local_actions, elsewhere) + 1), dtype=np.int64)
    for of_group, pairs in zip(blocks, (local_actions, elsewhere), strict=True):
        for m in range(n + 1):
            of_group[m, : pairs + 1] = [*(comb(m + pairs - 1 - z, pairs - 1 - z) for z in range(pairs)), m == 0]
    levels, (first, rest) = level_sizes(n, local_states), blocks[:, :, 0]
    lengths = np.stack([levels * first, levels[::-1] * rest, first * rest[::-1]], axis=1)
    at = np.concatenate([levels[:, None], np.cumsum(lengths, axis=0) - lengths], axis=1)
    actions = np.concatenate([_joint_actions(x, n - x, local_actions, elsewhere) for x in range(n + 1)])
    graded = np.empty(len(order), dtype=np.int64)
    graded[order] = np.arange(len(order))
    state = graded[counts.rank(actions.reshape(len(actions), local_states, local_actions).sum(axis=2))]
    members = np.argsort(state, kind="stable")
    starts = np.searchsorted(state[members], np.arange(len(order) + 1))
    return Plan(n, order, up, blocks, at, counts.count_vectors(n, local_states)[order][:, 0].copy(), actions, members, starts)


@lru_cache(maxsize=64)
def _packed_plan(n: int, sizes: Sizes) -> Integers:
    """The arrays of :func:`plan` one after another, behind the sizes that say where each of them ends."""
    of_all = plan(n, *sizes[2:])
    lengths = np.array([*sizes, n, len(of_all.order), len(of_all.up), len(of_all.actions)], dtype=np.int64)
    return np.concatenate([lengths, *(of_one.ravel() for of_one in of_all[1:])])


@njit
def _unpacked_plan(packed: Integers) -> Plan:
    """The plan that :func:`_packed_plan` packed, as views."""
    size, local_actions, n, states, fewer, joint = packed[2], packed[3], packed[4], packed[5], packed[6], packed[7]
    pairs, wide = size * local_actions, max(local_actions, (size - 1) * local_actions) + 1
    up = 8 + states
    blocks = up + fewer * size
    at = blocks + 2 * (n + 1) * wide
    here = at + 4 * (n + 1)
    actions = here + states
    members = actions + joint * pairs
    starts = members + joint
    return Plan(
        n,
        packed[8:up],
        packed[up:blocks].reshape(fewer, size),
        packed[blocks:at].reshape(2, n + 1, wide),
        packed[at:here].reshape(n + 1, 4),
        packed[here:actions],
        packed[actions:members].reshape(joint, pairs),
        packed[members:starts],
        packed[starts : starts + states + 1],
    )


def _joint_actions(here: int, elsewhere: int, actions: int, pairs: int) -> Integers:
    """Action counts of agents in local state 0, followed by those of the agents elsewhere, who take one of so many pairs."""
    first = counts.count_vectors(here, actions)
    rest = counts.count_vectors(elsewhere, pairs) if pairs else np.zeros((int(elsewhere == 0), 0), dtype=np.int64)
    return np.concatenate([np.repeat(first, len(rest), axis=0), np.tile(rest, (len(first), 1))], axis=1)


def numbers(n: int, sizes: Sizes) -> int:
    """The size of a system: the doubles that the laws of the next counts of all its joint actions would take."""
    global_states, _, local_states, local_actions = sizes
    return global_states * comb(n + local_states - 1, local_states - 1) * comb(n + local_states * local_actions - 1, n)


@lru_cache(maxsize=256)
def fits(n: int, sizes: Sizes) -> bool:
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


def _packed_copies(models: Copies) -> Floats:
    """The arrays of :class:`Copies` one after another."""
    return np.concatenate([of_one.ravel() for of_one in models])


@njit
def _unpacked_copies(packed: Floats, number: int, sizes: Sizes) -> Copies:
    """What :func:`_packed_copies` packed, as views."""
    global_states, global_actions, size, local_actions = sizes
    chosen, local = number * global_states * global_actions, number * size * global_states * local_actions
    local_kernel = chosen * global_states
    global_reward = local_kernel + local * size
    local_reward = global_reward + chosen
    discount = local_reward + local
    low, high, rt = discount + number, discount + 2 * number, discount + 3 * number
    return Copies(
        packed[:local_kernel].reshape(number, global_states, global_actions, global_states),
        packed[local_kernel:global_reward].reshape(number, size, global_states, local_actions, size),
        packed[global_reward:local_reward].reshape(number, global_states, global_actions),
        packed[local_reward:discount].reshape(number, size, global_states, local_actions),
        packed[discount:low],
        packed[low:high],
        packed[high:rt],
        packed[rt : rt + number],
    )


class Roundings(NamedTuple):
    """How often the numbers of :class:`Copies` are rounded: probabilities of local and global rows, rewards."""

    local: int = 1
    global_: int = 1
    reward: int = 1


def copies(model: Model, merged: bool = True) -> Copies:
    """One model: every number the double nearest to the rational; ``merged``: as :func:`solve` needs it. Made once."""
    kept: Copies | None = model._kept.get((copies, merged))
    if kept is None:
        kept = model._kept[copies, merged] = _copied(model, merged)
    return kept


def _copied(model: Model, merged: bool) -> Copies:
    global_kernel, local_kernel, global_reward, local_reward = (
        np.array(model.floats(name)[None]) for name in ARRAYS
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
def relative_errors(n: int, sizes: Sizes, roundings: Roundings) -> tuple[float, float, float]:
    """The error of one application is at most ``a gamma max|V| + b rt + c (1 + max|V|)``; see the head of this file."""
    global_states, _, size, _ = sizes
    vectors = counts.number_of_count_vectors(n, size)
    path = n * (roundings.local + size) + roundings.global_ + global_states + vectors + 3
    lost = 4 * (n * size * vectors + vectors + global_states + n + 4)
    a, b = (round_up(rounding_error(number, Fraction(1))) for number in (path, roundings.reward + n + 3))
    return a, b, round_up(lost * UNDERFLOW)


Errors: TypeAlias = tuple[float, float, float]
"""The coefficients of :func:`relative_errors`."""


class Solved(NamedTuple):
    """Solutions, leading axis: the model; count vectors in lexicographic order.

    ``lower``, ``upper``: around ``V*``, axes ``[i, g, c]``. ``global_action``, ``joint_action`` (a row of ``Plan.actions``): a greedy policy.
    ``lead``: a lower bound of its lead over every other joint action; not positive where the maximiser is not known.
    """

    lower: Floats
    upper: Floats
    global_action: Integers
    joint_action: Integers
    lead: Floats


def solve(models: Copies, n: int, roundings: Roundings, width: float) -> Solved:
    """Enclose the optimal value of every model, to ``width`` where policy iteration gets there.

    Cost of a sweep: about ``|S_g| |A_g|`` times the sum over ``x`` of joint actions with ``x`` agents in local state 0, times the count vectors of
    ``x`` agents. Memory of each thread: four times ``|S_g| |A_g| J`` doubles for ``J`` joint actions, and as many laws.
    """
    number, global_states, global_actions, _ = models.global_kernel.shape
    local_states, _, local_actions = models.local_kernel.shape[1:4]
    sizes = global_states, global_actions, local_states, local_actions
    task = _Task(_packed_copies(models), _packed_plan(n, sizes), relative_errors(n, sizes, roundings))
    values, policies = _results(number, global_states, counts.number_of_count_vectors(n, local_states))
    over_range(partial(_optima, *task, width, values, policies), number)
    (lower, upper, lead), (global_action, joint_action) = values, policies
    return Solved(lower, upper, global_action, joint_action, lead)


class _Task(NamedTuple):
    """What :func:`_optima` is told of models. A call takes some microseconds for every array that it is given, so these are few."""

    models: Floats
    of_all: Integers
    errors: Errors


def _results(number: int, global_states: int, states: int) -> tuple[Floats, Integers]:
    """Room for what :func:`_optima` finds, the parts of :class:`Solved` of one type together: ``lower, upper, lead`` and the two actions."""
    shape = number, global_states, states
    return np.empty((3, *shape)), np.empty((2, *shape), dtype=np.int64)


def solve_alone(model: Model, n: int, width: float) -> tuple[Enclosure, Floats, Integers] | None:
    """One small system: the enclosure of its optimum, and what :func:`_results` made room for. None if it is not small or not enclosed to ``width``."""
    kept: tuple[_Task, int, int, int] | None = model._kept.get((solve_alone, n))
    if kept is None:
        sizes = model.sizes
        if not fits(n, sizes):
            return None
        task = _Task(_packed_copies(copies(model)), _packed_plan(n, sizes), relative_errors(n, sizes, Roundings()))
        kept = model._kept[solve_alone, n] = task, sizes[0], counts.number_of_count_vectors(n, sizes[2]), _pairs(model, n)
    task, global_states, states, pairs = kept
    values, policy = _results(1, global_states, states)
    reached, sweeps, evaluations = _optima(*task, width, values, policy, 0, 1)
    if not reached <= width:
        return None
    return Enclosure._unchecked(values[0, 0], values[1, 0], _work(sweeps, evaluations, pairs)), values, policy


@lru_cache(maxsize=256)
def _work(sweeps: int, evaluations: int, pairs: int) -> Work:
    return Work(StopReason.WIDTH, sweeps, evaluations, pairs)


def _pairs(model: Model, n: int) -> int:
    """Joint actions of each global state that are not merged, all together."""
    merged = (copies(model).local_reward[0] > -np.inf).sum(axis=(0, 2)).tolist()
    return sum(comb(n + choices - 1, choices - 1) for choices in merged)


@uncounted
def above(x: float) -> float:
    """A double above ``x``: ``|x| 2**-52`` is at least the distance to the next one, ``2**-1074`` is that of subnormal numbers."""
    return x + (abs(x) * 2.0**-52 + 2.0**-1074)


@uncounted
def below(x: float) -> float:
    """A double below ``x``."""
    return x - (abs(x) * 2.0**-52 + 2.0**-1074)


@uncounted
def times_below(factor_low: float, factor_high: float, x: float) -> float:
    """A double below the product of ``x`` and a positive factor between two."""
    least: float = below((factor_low if x >= 0.0 else factor_high) * x)
    return least


@uncounted
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


@uncounted
def application_error(errors: Errors, discount: float, rt: float, largest: float) -> float:
    """The error of one application to a vector whose largest entry is ``largest``, rounded up."""
    return float(errors[0] * (discount * largest) + errors[1] * rt + errors[2] * (1.0 + largest)) * _SLACK


@uncounted
def residual_range(image: Floats, value: Floats, error: float) -> tuple[float, float]:
    """Bounds of ``T V - V`` over all entries, from ``image``, which is off by ``error``."""
    lo, hi = np.inf, -np.inf
    for g in range(value.shape[0]):
        for c in range(value.shape[1]):
            x = image[g, c] - value[g, c]
            if not abs(x) < np.inf:  # comparisons skip what is not a number
                return -np.inf, np.inf
            lo = min(lo, below(x))
            hi = max(hi, above(x))
    ends: tuple[float, float] = below(lo - error), above(hi + error)
    return ends


class Room(NamedTuple):
    """What a thread needs to solve four models after another, side by side in lanes (``lanes.py``); count vectors in graded order.

    The axes of lanes are said here; as arrays they have one axis, or the last one is the lane.
    """

    kernel: Floats
    """``[g, z, s']``."""
    moves: Floats
    """``[g, b, g']``: the global kernel times the discount."""
    paid: Floats
    """``[g, b]``: the global reward."""
    here: Floats
    """``[g, d]``: what agents in local state 0 earn, for 0 agents, 1 agent, ..; ``elsewhere``: the others."""
    elsewhere: Floats
    law: Floats
    """``[g, ..]``: see :func:`_laws`."""
    table: Floats
    """See :func:`_tables`."""
    q: Floats
    """``[g, b, d]``: action values."""
    value: Floats
    """``[g, c]``; ``image``: the operator applied to it; ``best``: the value that gave the narrowest enclosure, at the end what the policy gives."""
    image: Floats
    best: Floats
    second: Floats
    """``[g, c]``: the largest action value but that of the policy."""
    matrix: Floats
    right: Floats
    chain: Floats
    """``[g, c, c']``: the laws of the next counts of the policies; ``known``: of these joint actions."""
    one: Floats
    played: Integers
    """``[lane, g, c]``: global action of the policy, -1 at first; ``joint``: its joint action."""
    joint: Integers
    known: Integers
    who: Integers
    """``[agent, lane]``: pairs of local states and actions that a joint action consists of."""
    ends: Floats
    """``[., lane]``: error of the application, bounds of the residual, narrowest enclosure so far; at the end the largest width of an entry."""
    steps: Integers
    """``[., lane]``: whether a lane is done, in its last sweep, evaluating a policy; evaluations so far; at the end sweeps."""


@uncounted
def _times(x: Any, y: Any) -> Any:
    return multiply_add(x, y, spread(0.0))


@uncounted
def _earned(rewards: Floats, pairs: int, blocks: Integers, earned: Floats) -> None:
    """For 0, 1, .. agents, one number after another: ``earned[d]``, the sum of ``rewards[z]`` over the agents of ``d``."""
    store(earned, 0, spread(0.0))
    begin, end = 0, 1
    for m in range(len(blocks) - 1):
        for z in range(pairs):
            start, reward = end + blocks[m + 1, z + 1], load(rewards, z)
            for d in range(blocks[m, z]):
                store(earned, start + d, plus(load(earned, begin + d), reward))
        begin, end = end, end + blocks[m + 1, 0]


@uncounted
def _laws(kernel: Floats, size: int, of_all: Plan, law: Floats) -> None:
    """The law of the next counts of 0, 1, .. agents in local state 0, ``[e, d]`` for each number of agents; ``kernel[a, s']`` of an action."""
    blocks, at = of_all.blocks[0], of_all.at
    store(law, 0, spread(1.0))
    for m in range(of_all.n):
        length, longer, old, new = blocks[m, 0], blocks[m + 1, 0], at[m, 1], at[m + 1, 1]
        for d in range(longer * at[m + 1, 0]):
            store(law, new + d, spread(0.0))
        for z in range(len(kernel) // (LANES * size)):
            wide, start = blocks[m, z], blocks[m + 1, z + 1]
            for c in range(at[m, 0]):
                given = old + c * length
                for s in range(size):
                    weight, moved = load(kernel, z * size + s), new + of_all.up[c, s] * longer + start
                    for d in range(wide):
                        store(law, moved + d, multiply_add(weight, load(law, given + d), load(law, moved + d)))


@uncounted
def _tables(kernel: Floats, size: int, of_all: Plan, table: Floats) -> None:
    """Expectations over the next counts of 0, 1, .. agents elsewhere, ``[e, d]``: the others are in ``e`` then, and the agents play ``d``.

    The table of 0 agents, a value for each ``e``, is given. ``kernel[z, s']``: of the pairs elsewhere.
    """
    n, blocks, at, up = of_all.n, of_all.blocks[1], of_all.at, of_all.up
    for m in range(n):
        length, longer, old, new = blocks[m, 0], blocks[m + 1, 0], at[m, 2], at[m + 1, 2]
        for z in range(len(kernel) // (LANES * size)):
            wide, start = blocks[m, z], new + blocks[m + 1, z + 1]
            for e in range(at[n - m - 1, 0]):
                mean = start + e * longer
                for d in range(wide):
                    total = _times(load(kernel, z * size), load(table, old + e * length + d))
                    for s in range(1, size):
                        total = multiply_add(load(kernel, z * size + s), load(table, old + up[e, s] * length + d), total)
                    store(table, mean + d, total)


@uncounted
def _action_values(of_all: Plan, law: Floats, table: Floats, paid: Any, here: Floats, elsewhere: Floats, alike: bool, q: Floats) -> None:
    """``q[d]``: rewards, and expectations over the next counts of the agents in local state 0 of what is in the tables of the others.

    ``alike``: all values are zero, and so are their expectations.
    """
    n, blocks, at = of_all.n, of_all.blocks, of_all.at
    of_here, of_rest = 0, len(elsewhere) // LANES
    for x in range(n + 1):
        first, wide = blocks[0, x, 0], blocks[1, n - x, 0]
        width = 0 if alike else at[x, 0]
        of_rest -= wide
        for d in range(first):
            earned = plus(paid, load(here, of_here + d))
            out, begin = at[x, 3] + d * wide, at[n - x, 2]
            for j in range(0, wide - 1, 2):
                one, two = spread(0.0), spread(0.0)
                weight, value = at[x, 1] + d, begin + j
                for _ in range(width):
                    share = load(law, weight)
                    one, two = multiply_add(share, load(table, value), one), multiply_add(share, load(table, value + 1), two)
                    weight, value = weight + first, value + wide
                store(q, out + j, plus(one, plus(earned, load(elsewhere, of_rest + j))))
                store(q, out + j + 1, plus(two, plus(earned, load(elsewhere, of_rest + j + 1))))
            if wide % 2 == 1:
                one = spread(0.0)
                weight, value = at[x, 1] + d, begin + wide - 1
                for _ in range(width):
                    one = multiply_add(load(law, weight), load(table, value), one)
                    weight, value = weight + first, value + wide
                store(q, out + wide - 1, plus(one, plus(earned, load(elsewhere, of_rest + wide - 1))))
        of_here += first


@uncounted
def _largest(q: Floats, of_all: Plan, out: Floats) -> None:
    """``out[c]``: the largest ``q[b, d]`` of the joint actions of state ``c``."""
    for c in range(len(of_all.order)):
        most = spread(-np.inf)
        for of_b in q:
            for j in range(of_all.starts[c], of_all.starts[c + 1]):
                most = larger(most, load(of_b, of_all.members[j]))
        store(out, c, most)


@uncounted
def _sweep(of_all: Plan, room: Room, alike: bool) -> None:
    """Action values ``q`` and ``image = T value``."""
    global_states, states, global_actions = len(room.kernel), len(of_all.order), room.q.shape[1]
    size, pairs = of_all.up.shape[1], of_all.actions.shape[1]
    elsewhere = pairs // size * size * LANES
    value = room.value.reshape(-1)
    for g in range(global_states):
        kernel, law, here, rest = room.kernel[g, elsewhere:], room.law[g], room.here[g], room.elsewhere[g]
        for b in range(global_actions):
            moves = room.moves[g, b]
            for c in range(0 if alike else states):
                total = spread(0.0)
                for h in range(global_states):
                    total = multiply_add(load(moves, h), load(value, h * states + c), total)
                store(room.table, c, total)
            if not alike:
                _tables(kernel, size, of_all, room.table)
            _action_values(of_all, law, room.table, load(room.paid[g], b), here, rest, alike, room.q[g, b])
        _largest(room.q[g], of_all, room.image[g].reshape(-1))


@uncounted
def _improve(of_all: Plan, room: Room, lane: int, tolerance: float) -> bool:
    """Exchange the entries of the policy that are not maximal up to ``tolerance``; whether there were any."""
    changed = False
    for g in range(len(room.image)):
        for c in range(len(of_all.order)):
            most, by, at = room.image[g, c, lane], room.played[lane, g, c], room.joint[lane, g, c]
            if by >= 0 and not room.q[g, by, at * LANES + lane] < most - tolerance:  # kept also where that is not a number
                continue
            changed = True
            by, j = 0, of_all.starts[c]
            while room.q[g, by, of_all.members[j] * LANES + lane] != most:
                j += 1
                if j == of_all.starts[c + 1]:
                    by, j = by + 1, of_all.starts[c]
            room.played[lane, g, c] = by
            room.joint[lane, g, c] = of_all.members[j]
    return changed


@uncounted
def _greedy_matrix(of_all: Plan, room: Room, models: int) -> None:
    """``I - gamma P`` of the policies."""
    global_states, states = len(room.image), len(of_all.order)
    share = room.right
    for g in range(global_states):
        for c in range(states):
            chain = room.chain[g, c]
            for lane in range(models):
                if room.joint[lane, g, c] != room.known[lane, g, c]:
                    _law_of_policies(of_all, room, models, g, c, chain)
                    break
            for h in range(global_states):
                for lane in range(models):
                    share[lane] = -room.moves[g, room.played[lane, g, c], h * LANES + lane]
                of_h, row = load(share, 0), ((g * states + c) * global_states + h) * states
                for t in range(states):
                    store(room.matrix, row + t, _times(of_h, load(chain, t)))
            diagonal = (g * states + c) * (global_states * states + 1)
            store(room.matrix, diagonal, plus(load(room.matrix, diagonal), spread(1.0)))


@uncounted
def _law_of_policies(of_all: Plan, room: Room, models: int, g: int, c: int, chain: Floats) -> None:
    """The laws of the next counts in state ``(g, c)``: of the agents in local state 0, and then one more agent after another."""
    at, first, move = of_all.at, room.law[g], room.right
    size, pairs = of_all.up.shape[1], of_all.actions.shape[1]
    here = of_all.here[c]
    length = of_all.blocks[0, here, 0]
    for lane in range(models):
        joint = room.joint[lane, g, c]
        room.known[lane, g, c] = joint
        d = (joint - at[here, 3]) // of_all.blocks[1, of_all.n - here, 0]
        for e in range(at[here, 0]):
            chain[e * LANES + lane] = first[(at[here, 1] + e * length + d) * LANES + lane]
        k = here
        for z in range(pairs // size, pairs):
            for _ in range(of_all.actions[joint, z]):
                room.who[k, lane] = z
                k += 1
    for k in range(here, of_all.n):
        for lane in range(models):
            for s in range(size):
                move[s * LANES + lane] = room.kernel[g, (room.who[k, lane] * size + s) * LANES + lane]
        before = at[k, 0]
        for t in range(before):
            store(room.one, t, load(chain, t))
            store(chain, t, _times(load(move, 0), load(chain, t)))
        for t in range(before, at[k + 1, 0]):
            store(chain, t, spread(0.0))
        for s in range(1, size):
            of_s = load(move, s)
            for t in range(before):
                up = of_all.up[t, s]
                store(chain, up, multiply_add(of_s, load(room.one, t), load(chain, up)))


@uncounted
def _factorise(matrix: Floats, size: int) -> None:
    """Gaussian elimination in place, without pivots. What is left of a row is subtracted, and the diagonal divided by, with the opposite sign."""
    for i in range(size):
        for lane in range(LANES):
            at = (i * size + i) * LANES + lane
            matrix[at] = -1.0 / (matrix[at] if matrix[at] != 0.0 else SMALLEST_PIVOT)
        inverse = load(matrix, i * size + i)
        for j in range(i + 1, size):
            share = _times(load(matrix, j * size + i), inverse)
            store(matrix, j * size + i, share)
            for t in range(i + 1, size):
                store(matrix, j * size + t, multiply_add(share, load(matrix, i * size + t), load(matrix, j * size + t)))


@uncounted
def _solve_factorised(matrix: Floats, size: int, right: Floats) -> None:
    """Solve in place with what :func:`_factorise` left."""
    for i in range(1, size):
        total = load(right, i)
        for j in range(i):
            total = multiply_add(load(matrix, i * size + j), load(right, j), total)
        store(right, i, total)
    for i in range(size - 1, -1, -1):
        total = _times(spread(-1.0), load(right, i))
        for j in range(i + 1, size):
            total = multiply_add(load(matrix, i * size + j), load(right, j), total)
        store(right, i, _times(total, load(matrix, i * size + i)))


@uncounted
def _copy(given: Floats, to: Floats, lane: int) -> None:
    """One model's numbers from one array to another."""
    for g in range(given.shape[0]):
        for c in range(given.shape[1]):
            to[g, c, lane] = given[g, c, lane]


@uncounted
def _prepare(models: Copies, i: int, lane: int, n: int, room: Room) -> None:
    """One model into a lane."""
    global_states, global_actions = models.global_reward.shape[1:]
    local_states, local_actions = models.local_reward.shape[1], models.local_reward.shape[3]
    for g in range(global_states):
        for b in range(global_actions):
            room.paid[g, b * LANES + lane] = models.global_reward[i, g, b]
            for h in range(global_states):
                room.moves[g, b, h * LANES + lane] = models.discount[i] * models.global_kernel[i, g, b, h]
        for s in range(local_states):
            for a in range(local_actions):
                z = s * local_actions + a
                room.q[g, 0, z * LANES + lane] = models.local_reward[i, s, g, a] / n
                for t in range(local_states):
                    room.kernel[g, (z * local_states + t) * LANES + lane] = models.local_kernel[i, s, g, a, t]


@uncounted
def _optima_of_four(models: Copies, begin: int, number: int, of_all: Plan, room: Room, errors: Errors, width: float, found: Solved) -> None:
    """At most four models, from ``begin`` on. Other lanes hold what was there before, or zeros, and no result is read from them."""
    global_states, states, n = len(room.image), len(of_all.order), of_all.n
    local_states, local_actions = models.local_reward.shape[1], models.local_reward.shape[3]
    size = global_states * states
    for lane in range(number):
        _prepare(models, begin + lane, lane, n, room)
    for g in range(global_states):
        rewards, here = room.q[g, 0], local_actions * LANES
        _earned(rewards[:here], local_actions, of_all.blocks[0], room.here[g])
        _earned(rewards[here:], (local_states - 1) * local_actions, of_all.blocks[1], room.elsewhere[g])
        _laws(room.kernel[g, : here * local_states], local_states, of_all, room.law[g])
    value, image = room.value, room.image
    value[:] = 0.0
    room.played[:number] = -1
    room.known[:number] = -1
    error, lo, hi, narrowest = room.ends[0], room.ends[1], room.ends[2], room.ends[3]
    done, last, open_, evaluations = room.steps[0], room.steps[1], room.steps[2], room.steps[3]
    narrowest[:] = np.inf
    room.steps[:] = 0
    sweeps, unfinished = 0, number
    while unfinished:
        alike = sweeps == 0
        for lane in range(number):
            if not done[lane]:
                largest = centre(value[:, :, lane])
                error[lane] = application_error(errors, models.discount[begin + lane], models.rt[begin + lane], largest)
        _sweep(of_all, room, alike)
        sweeps += 1
        evaluated = False
        for lane in range(number):
            open_[lane] = 0
            i = begin + lane
            if done[lane]:
                continue
            lo[lane], hi[lane] = residual_range(image[:, :, lane], value[:, :, lane], error[lane])
            now = models.high[i] * (hi[lane] - lo[lane]) + 2 * error[lane]
            if now <= width / 2 or last[lane]:
                done[lane] = 1
                unfinished -= 1
                room.steps[4, lane] = sweeps
                continue
            halved = now < narrowest[lane] / 2
            if now < narrowest[lane]:
                narrowest[lane] = now
                _copy(value, room.best, lane)
            changed = _improve(of_all, room, lane, 2 * error[lane])
            if sweeps >= _ROUNDS or (evaluations[lane] > 0 and not (changed or halved)):
                _copy(room.best, value, lane)
                last[lane] = 1
                continue
            evaluations[lane] += 1
            open_[lane] = 1
            evaluated = True
        if not evaluated:
            continue
        for lane in range(number):
            if not open_[lane]:
                _improve(of_all, room, lane, 2 * error[lane])
        _greedy_matrix(of_all, room, number)
        _factorise(room.matrix, size)
        for lane in range(number):
            middle = lo[lane] / 2 + hi[lane] / 2
            for g in range(global_states):
                for c in range(states):
                    room.right[(g * states + c) * LANES + lane] = image[g, c, lane] - value[g, c, lane] - middle
        _solve_factorised(room.matrix, size, room.right)
        for lane in range(number):
            if open_[lane]:
                for g in range(global_states):
                    for c in range(states):
                        value[g, c, lane] += room.right[(g * states + c) * LANES + lane]
    _write(models, begin, number, of_all, room, error, lo, hi, found)


@uncounted
def _write(models: Copies, begin: int, number: int, of_all: Plan, room: Room, error: Floats, lo: Floats, hi: Floats, found: Solved) -> None:
    """The enclosures that the last application gives, its policies and the leads that are certain."""
    for lane in range(number):
        _improve(of_all, room, lane, 2 * error[lane])
        room.ends[4, lane] = 0.0
    for g in range(len(room.image)):
        for lane in range(number):
            i = begin + lane
            down, up = times_below(models.low[i], models.high[i], lo[lane]), -times_below(models.low[i], models.high[i], -hi[lane])
            for c in range(len(of_all.order)):
                at, by, joint = of_all.order[c], room.played[lane, g, c], room.joint[lane, g, c]
                found.lower[i, g, at] = below(below(room.image[g, c, lane] - error[lane]) + down)
                found.upper[i, g, at] = above(above(room.image[g, c, lane] + error[lane]) + up)
                found.global_action[i, g, at] = by
                found.joint_action[i, g, at] = joint
                room.best[g, c, lane] = room.q[g, by, joint * LANES + lane]
                room.q[g, by, joint * LANES + lane] = -np.inf
        _largest(room.q[g], of_all, room.second[g].reshape(-1))
        for lane in range(number):
            i = begin + lane
            uncertain = above(above(models.high[i] * above(hi[lane] - lo[lane])) + 2 * error[lane])
            for c in range(len(of_all.order)):
                at, second = of_all.order[c], room.second[g, c, lane]
                width = found.upper[i, g, at] - found.lower[i, g, at]
                room.ends[4, lane] = max(room.ends[4, lane], above(width) if width >= 0.0 else np.inf)
                found.lead[i, g, at] = below(below(room.best[g, c, lane] - second) - uncertain) if second > -np.inf else np.inf


@njit(nogil=True)
def _optima(
    packed_models: Floats,
    packed_plan: Integers,
    errors: Errors,
    width: float,
    values: Floats,
    policies: Integers,
    begin: int,
    end: int,
) -> tuple[float, int, int]:
    """The models of a range. The largest width of an entry, infinite where bounds are not finite or not in order; most sweeps, most evaluations."""
    sizes = packed_plan[0], packed_plan[1], packed_plan[2], packed_plan[3]
    models, of_all = _unpacked_copies(packed_models, values.shape[1], sizes), _unpacked_plan(packed_plan)
    found = Solved(values[0], values[1], policies[0], policies[1], values[2])
    global_states, global_actions, local_states, local_actions = sizes
    n, states, actions = of_all.n, len(of_all.order), len(of_all.actions)
    pairs, last = local_states * local_actions, of_all.at[n]
    shape, size = (global_states, states, LANES), global_states * states
    room = Room(
        np.zeros((global_states, pairs * local_states * LANES)),
        np.zeros((global_states, global_actions, global_states * LANES)),
        np.zeros((global_states, global_actions * LANES)),
        np.zeros((global_states, of_all.blocks[0, :, 0].sum() * LANES)),
        np.zeros((global_states, of_all.blocks[1, :, 0].sum() * LANES)),
        np.zeros((global_states, (last[1] + last[0] * of_all.blocks[0, n, 0]) * LANES)),
        np.zeros((last[2] + of_all.blocks[1, n, 0]) * LANES),
        np.zeros((global_states, global_actions, max(actions, pairs) * LANES)),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(size * size * LANES),
        np.zeros(max(size, local_states) * LANES),
        np.zeros((global_states, states, states * LANES)),
        np.zeros(states * LANES),
        np.zeros((LANES, global_states, states), dtype=np.int64),
        np.zeros((LANES, global_states, states), dtype=np.int64),
        np.zeros((LANES, global_states, states), dtype=np.int64),
        np.zeros((n, LANES), dtype=np.int64),
        np.empty((5, LANES)),
        np.zeros((5, LANES), dtype=np.int64),
    )
    widest, sweeps, evaluations = 0.0, 0, 0
    for i in range(begin, end, LANES):
        together = min(LANES, end - i)
        _optima_of_four(models, i, together, of_all, room, errors, width, found)
        for lane in range(together):
            widest = max(widest, room.ends[4, lane])
            sweeps, evaluations = max(sweeps, room.steps[4, lane]), max(evaluations, room.steps[3, lane])
    return widest, sweeps, evaluations
