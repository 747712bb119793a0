r"""Off-policy Q-learning of the k-agent system from a single trajectory (Remark 4.7, Appendix I).

The learner sees one trajectory ``(x_0, u_0, x_1, u_1, ..)`` of the k-agent system under a behaviour policy that draws a
joint action uniformly, and updates one entry a step (asynchronous tabular Q-learning, Watkins and Dayan 1992)::

    Q(x_t, u_t) += alpha_t ( r(x_t, u_t) + gamma max_u Q(x_{t+1}, u) - Q(x_t, u_t) ).

States are (global state, count vector), joint actions a global action and action counts over ``Z_l``: the mean-field table of
Algorithm 1, in which "uniformly" means uniformly over action counts. Convergence needs every pair to be visited infinitely often; for a
uniform behaviour policy it is enough that each state can be reached from each other one, and :func:`irreducible` decides
that exactly. Rates: Even-Dar and Mansour 2003 (polynomial steps), Wainwright 2019 (rescaled linear steps), Qu and Wierman 2020
(one trajectory).

**The mean update.** Let d(x, u) be the share of steps that the trajectory spends in the pair (x, u) in the long run: the stationary law of the
behaviour chain, spread evenly over the actions. In expectation one step changes each entry of
a table Q by the step size times ``d (T_k Q - Q)``. For every Q

    ||Q + d (T_k Q - Q) - Q*_k|| <= (1 - (1-gamma) min d) ||Q - Q*_k||.

The proof is in docs/mathematics/extensions.md (X2). Equality holds for ``Q = Q*_k + c`` with a constant c. Where every state can be
reached from every other one, min d > 0, so that the mean update leads to Q*_k alone. With step sizes whose sum is infinite and whose
squares have a finite sum the learner then converges with probability one (Tsitsiklis 1994, Theorem 4). How long it takes depends on
min d, which can be as small as the smallest transition probability: a trace of any fixed length proves nothing.

A learnt table is a fixed array of doubles, hence of rationals, and ``Q*_k`` is computed in exact arithmetic: distances between
them are exact, although the learner rounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import flint
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from mfverify.compiled import njit
from mfverify.errors import ModelError, TooLargeError
from mfverify.exact.rational import RationalSystem, fraction

if TYPE_CHECKING:
    from mfverify.exact.rational import JointAction, State
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

_MOST_NUMBERS = 10**7
_CHUNK = 2**16
_MOST_STATES_SOLVED = 300


class StepSize(Enum):
    """The step ``alpha_t`` after N earlier visits of the pair; the value is the word that instances carry."""

    RESCALED_LINEAR = "rescaled-linear"
    """``1 / (1 + (1 - gamma) N)`` (Wainwright 2019)."""
    POLYNOMIAL = "polynomial"
    """``1 / (N + 1)^(7/10)`` (Even-Dar and Mansour 2003)."""


class Target(Enum):
    """What an update takes for the value of the next state."""

    MAXIMUM = "maximum"
    """The largest entry: Q-learning, off-policy."""
    MEAN = "mean"
    """The mean entry, that is the behaviour policy's own value: on-policy evaluation, which does not learn ``Q*_k``."""


@dataclass(frozen=True, eq=False)
class Subsystem:
    """The k-agent system as arrays over its (state, joint action) pairs.

    ``pairs`` lists them state by state, lexicographically; those of state ``x`` are ``starts[x]:starts[x+1]``. ``law`` is
    ``[pair, state]`` and ``reward`` ``[pair]``, both in doubles, for the simulation only; ``reachable`` is ``[pair, state]``, true
    where the exact probability is positive. ``optimum`` is ``Q*_k`` per pair, ``exact_law`` the laws (by number of the next state) and
    ``exact_reward`` the rewards, all exact.
    """

    model: Model
    k: int
    states: Sequence[State]
    pairs: Sequence[tuple[State, JointAction]]
    starts: Integers
    law: Floats
    reachable: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    reward: Floats
    optimum: Sequence[Fraction]
    exact_law: Sequence[Mapping[int, Fraction]]
    exact_reward: Sequence[Fraction]


def subsystem(model: Model, k: int) -> Subsystem:
    """List the k-agent system and solve it exactly. Raises :class:`TooLargeError` where exact arithmetic would not do."""
    system = RationalSystem(model, k)
    states = system.states
    transitions = system.pairs * len(states)
    if transitions > _MOST_NUMBERS:
        raise TooLargeError(f"{k} agents have {transitions:.3g} transitions, more than {_MOST_NUMBERS:.0e}; use a smaller subsample")
    value = system.optimum
    number = {state: i for i, state in enumerate(states)}
    pairs = [(state, (b, d)) for state in states for b in range(model.sizes[1]) for d in system.local_action_counts(state[1])]
    exact_law: list[dict[int, Fraction]] = []
    law = np.zeros((len(pairs), len(states)))
    reachable = np.zeros(law.shape, dtype=np.bool_)
    for i, ((g, _), (b, d)) in enumerate(pairs):
        local = [(c, fraction(q)) for c, q in system.law(g, d).items()]
        exact_law.append({number[h, c]: p * q for h, p in enumerate(model.global_kernel[g, b]) for c, q in local if p * q})
        for target, p in exact_law[-1].items():
            law[i, target] = float(p)
            reachable[i, target] = True
    belongs = [number[state] for state, _ in pairs]
    return Subsystem(
        model,
        k,
        states,
        pairs,
        np.searchsorted(belongs, np.arange(len(states) + 1)).astype(np.int64),
        law,
        reachable,
        np.array([float(fraction(system.reward(state[0], action))) for state, action in pairs]),
        tuple(fraction(system.action_value(state, action, value)) for state, action in pairs),
        exact_law,
        tuple(fraction(system.reward(state[0], action)) for state, action in pairs),
    )


def irreducible(table: Subsystem) -> bool:
    """Whether under the uniform behaviour policy every state can be reached from every other one."""
    moves = np.logical_or.reduceat(table.reachable, table.starts[:-1], axis=0)
    components, _ = connected_components(csr_array(moves), directed=True, connection="strong")
    return int(components) == 1


def shares(table: Subsystem) -> list[Fraction]:
    """``d``: the share of steps in each pair in the long run under the uniform behaviour policy, exact.

    The chain has to be :func:`irreducible`. Cost: an exact linear solve with one unknown a state. Raises :class:`TooLargeError` beyond a few
    hundred states.
    """
    size = len(table.states)
    if size > _MOST_STATES_SOLVED:
        raise TooLargeError(f"{table.k} agents have {size} states, more than {_MOST_STATES_SOLVED} for an exact stationary law; lower k")
    numbers = np.diff(table.starts).tolist()
    # Columns of the transposed chain minus the identity; the last equation says that the shares add up to one.
    matrix = flint.fmpq_mat(size, size, [-int(i == j) for i in range(size) for j in range(size)])
    for x, first in enumerate(table.starts[:-1].tolist()):
        for law in table.exact_law[first : first + numbers[x]]:
            for y, p in law.items():
                matrix[y, x] += flint.fmpq(p.numerator, p.denominator) / numbers[x]
    for x in range(size):
        matrix[size - 1, x] = 1
    stationary = matrix.solve(flint.fmpq_mat(size, 1, [0] * (size - 1) + [1]))
    return [fraction(stationary[x, 0]) / number for x, number in enumerate(numbers) for _ in range(number)]


def mean_update(table: Subsystem, held: Sequence[Fraction], share: Sequence[Fraction], target: Target) -> list[Fraction]:
    """``Q + d (T_k Q - Q)`` for a table Q of Fractions, exact; with :attr:`Target.MEAN` the mean over next actions replaces the maximum."""
    ends = list(pairwise(table.starts.tolist()))
    ahead = [max(held[i:j]) if target is Target.MAXIMUM else sum(held[i:j], Fraction(0)) / (j - i) for i, j in ends]
    backed_up = [
        r + table.model.discount * sum((p * ahead[y] for y, p in law.items()), Fraction(0))
        for r, law in zip(table.exact_reward, table.exact_law, strict=True)
    ]
    return [q + d * (b - q) for q, d, b in zip(held, share, backed_up, strict=True)]


def distance(table: Subsystem, learnt: Floats) -> Fraction:
    """``max |Q - Q*_k|`` over all pairs, exactly."""
    return max(abs(Fraction(float(q)) - x) for q, x in zip(learnt, table.optimum, strict=True))


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What a learner held at each checkpoint: ``tables[i]`` after ``steps[i]`` steps; ``visits`` per pair at the end."""

    steps: Sequence[int]
    tables: Sequence[Floats]
    visits: Integers


def q_learning(
    table: Subsystem, steps: Sequence[int], seed: int, step_size: StepSize = StepSize.RESCALED_LINEAR, target: Target = Target.MAXIMUM
) -> Trajectory:
    """Learn from one trajectory from the first state, starting with the zero table; keep copies after the given ``steps``.

    The trajectory depends on the seed, not on ``steps``. Raises :class:`ModelError` unless ``steps`` ascend from 1
    or more. Cost: one scan of a transition row and of the next state's actions a step.
    """
    if not steps or steps[0] < 1 or any(later <= earlier for earlier, later in pairwise(steps)):
        raise ModelError(f"steps: found {list(steps)}, expected an ascending list of numbers of steps")
    rng = np.random.default_rng(seed)
    cumulative = np.cumsum(table.law, axis=1)
    # The last partial sum, and those equal to it, become 1 exactly, so that no draw below 1 leads to an impossible state.
    cumulative /= cumulative[:, -1:]
    learnt, visits = np.zeros(len(table.pairs)), np.zeros(len(table.pairs), dtype=np.int64)
    discount = float(table.model.discount)
    slope, exponent = (1.0 - discount, 1.0) if step_size is StepSize.RESCALED_LINEAR else (1.0, 0.7)
    of_maximum = 1.0 if target is Target.MAXIMUM else 0.0
    tables: list[Floats] = []
    state = made = 0
    for wanted in steps:
        while made < wanted:
            draws = rng.random((min(_CHUNK, wanted - made), 2))
            state = int(follow(learnt, visits, state, draws, table.starts, cumulative, table.reward, discount, slope, exponent, of_maximum))
            made += len(draws)
        tables.append(learnt.copy())
    return Trajectory(tuple(steps), tables, visits)


@njit
def follow(
    learnt: Floats,
    visits: Integers,
    state: int,
    draws: Floats,
    starts: Integers,
    cumulative: Floats,
    reward: Floats,
    discount: float,
    slope: float,
    exponent: float,
    of_maximum: float,
) -> int:
    """One step per row of ``draws``: its first number picks the joint action, its second the next state.

    ``learnt`` and ``visits`` are updated in place; ``cumulative[pair]`` are the partial sums of the pair's law. The step after N
    earlier visits is ``(1 + slope N)**-exponent``; the next state counts with ``of_maximum`` times its largest entry plus
    ``1 - of_maximum`` times their mean. Returns the state after the last step.
    """
    for t in range(len(draws)):
        first, end = starts[state], starts[state + 1]
        pair = first + min(int(draws[t, 0] * (end - first)), end - first - 1)
        following = 0
        last = cumulative.shape[1] - 1
        while following < last and cumulative[pair, following] <= draws[t, 1]:
            following += 1
        ahead = learnt[starts[following] : starts[following + 1]]
        beyond = of_maximum * ahead.max() + (1.0 - of_maximum) * ahead.mean()
        step = (1.0 + slope * visits[pair]) ** -exponent
        learnt[pair] += step * (reward[pair] + discount * beyond - learnt[pair])
        visits[pair] += 1
        state = following
    return state
