"""Algorithm 1 of SUBSAMPLE-MFQ: learn the k-agent system and return its greedy policy.

1. Choose a table: the *standard* regime holds ``Q(s_g, s_1..s_k, a_g, a_1..a_k)``; the *mean-field* regime holds
   ``Q(s_g, s_1, F_{s_2..s_k}, a_g, a_1, F_{a_2..a_k})``. The paper's switch takes the standard table when
   ``|Z_l|^k <= |Z_l| k^|Z_l|`` (Remark 3.1).
2. Iterate ``T_k`` (or the empirical ``T_{k,m}``) from 0 to its fixed point. Here: until an enclosure of the fixed point is
   as narrow as asked, so that the result carries its own error.
3. The greedy policy: an argmax over the *joint* action. Of several maximisers the lexicographically smallest
   (a_g, own a_l, action counts of the others) is played; ties are decided exactly (``ties.py``) or reported as undecided.

Both regimes give the same policy (Remark 3.3, claim B2), so the mean-field table is the default: it is never much larger.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import cached_property, lru_cache
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from mfverify import costs, counts
from mfverify.bellman import small
from mfverify.bellman.labelled import LabelledOperator
from mfverify.bellman.lumped import LumpedOperator
from mfverify.bellman.sampled import SampledOperator, pairs_of_one_state
from mfverify.enclosure import UNIT_ROUNDOFF, Enclosure, Interval, round_up
from mfverify.errors import ModelError
from mfverify.exact.optimal import Method, optimal_value
from mfverify.fixed_point import enclose
from mfverify.progress import waiting
from mfverify.subsample_mfq.ties import Maximisers, maximisers
from mfverify.validation import chosen, positive_integer

if TYPE_CHECKING:
    from mfverify.exact.rational import State
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

NOBODY = -1
"""Entry of a policy table for a local state in which the sample has no agent."""
UNDECIDED_ACTION = -2
"""Entry of a policy table where exact arithmetic was out of reach for a near-tie."""


class Regime(Enum):
    """Which table Algorithm 1 holds; the value is the word that users type."""

    STANDARD = "standard"
    MEAN_FIELD = "mean-field"
    SWITCH = "switch"
    NONE = "none"


def standard_table_size(model: Model, k: int) -> int:
    """``|S_g| |S_l|^k |A_g| |A_l|^k`` (claim S1)."""
    global_states, global_actions, local_states, local_actions = model.sizes
    size: int = global_states * local_states**k * global_actions * local_actions**k
    return size


def mean_field_table_size(model: Model, k: int) -> int:
    """``|S_g| |S_l| |A_g| |A_l| |mu_{k-1}(Z_l)|`` with the exact number of count vectors (claim S1)."""
    global_states, global_actions, local_states, local_actions = model.sizes
    pairs = local_states * local_actions
    return global_states * pairs * global_actions * counts.number_of_count_vectors(k - 1, pairs)


def switch(model: Model, k: int) -> Regime:
    """The paper's choice of regime: standard when ``|Z_l|^k <= |Z_l| k^|Z_l|`` (Remark 3.1, Algorithm 1)."""
    pairs = model.sizes[2] * model.sizes[3]
    return Regime.STANDARD if pairs**k <= pairs * k**pairs else Regime.MEAN_FIELD


@dataclass(frozen=True, eq=False)
class Learned:
    """The greedy policy of the k-agent system and the enclosed fixed point it is greedy for.

    ``value``: ``max_a Q_k`` with axes ``[g, rank in count_vectors(k, |S_l|)]``. ``choices`` lists, for every state, all
    maximising joint actions (or that the tie is undecided). Of regime ``none`` they are ``rt/(1-gamma)`` around 0, once for each ``g``, and
    empty. ``samples`` and ``seed`` are None for the exact operator.
    """

    model: Model
    k: int
    value: Enclosure
    regime: Regime
    choices: dict[State, Maximisers]
    samples: int | None = None
    seed: int | None = None

    def __repr__(self) -> str:
        operator = "exact operator" if self.samples is None else f"m={self.samples}, seed={self.seed}"
        ties = f", {len(self.undecided)} undecided ties" if self.undecided else ""
        return f"Learned({self.model.name}, k={self.k}, {operator}, {self.regime.value}{ties})"

    def _repr_html_(self) -> str:
        """In a notebook: the line of ``repr`` and the values."""
        return f"<p>{escape(repr(self))}</p>{self.value._repr_html_()}"

    @property
    def undecided(self) -> list[State]:
        """States whose maximisers could be neither separated nor compared exactly."""
        return [state for state, m in self.choices.items() if m.actions is None]

    @cached_property
    def global_action(self) -> Integers:
        """The global agent's action for each sample, axes ``[g, rank of the sample's counts]``; the smallest maximising ``a_g``."""
        table = np.full(
            (self.model.sizes[0], counts.number_of_count_vectors(self.k, self.model.sizes[2])), UNDECIDED_ACTION, dtype=np.int64
        )
        for index, (_, m) in zip(np.ndindex(table.shape), self._ordered(), strict=True):
            if m.actions is not None:
                table[index] = min(b for b, _ in m.actions)
        return table

    @cached_property
    def local_action(self) -> Integers:
        """A local agent's action, axes ``[g, rank of the sample's counts (itself included), own state]``.

        Among the maximisers with the smallest ``a_g``, the smallest action that some agent in the own state takes.
        """
        _, _, local_states, local_actions = self.model.sizes
        table = np.full((*self.global_action.shape, local_states), NOBODY, dtype=np.int64)
        for index, ((_, c), m) in zip(np.ndindex(self.global_action.shape), self._ordered(), strict=True):
            for s in range(local_states):
                if c[s] == 0:
                    continue
                if m.actions is None:
                    table[(*index, s)] = UNDECIDED_ACTION
                    continue
                smallest = min(b for b, _ in m.actions)
                table[(*index, s)] = min(a for b, d in m.actions if b == smallest for a in range(local_actions) if d[s * local_actions + a])
        return table

    def _ordered(self) -> list[tuple[State, Maximisers]]:
        """States in the order of values: global state, then rank of the count vector."""
        return sorted(self.choices.items())


def learn(
    model: Model, k: int, samples: int | None = None, seed: int = 0, regime: str | Regime = Regime.MEAN_FIELD, width: float = 1e-9
) -> Learned:
    """Learn the k-agent system: the exact operator ``T_k``, or ``T_{k,m}`` from samples (Algorithm 1, eq. 8, 10, 13).

    Parameters
    ----------
    model
        The system.
    k
        Number of local agents of the smaller system, at least 1.
    samples
        Next states ``m`` drawn for each entry of the table; None for the exact operator.
    seed
        Of these draws; equal arguments give equal results.
    regime
        ``"mean-field"``, ``"standard"`` (labelled table, small k), ``"switch"`` (the paper's rule) or ``"none"``: nothing is learned,
        which is enough for agents that follow plans of the mean-field limit.
    width
        Requested width of the enclosure of the fixed point.

    Returns
    -------
    Learned
        The fixed point ``max_a Q_k`` as ``value``, axes ``[g, rank in count_vectors(k, |S_l|)]``, and the greedy policy of every sample.

    Raises
    ------
    ModelError
        k < 1, m < 1, or an unknown regime.
    TooLargeError
        Before work that does not fit into memory or a day.

    Examples
    --------
    >>> from mfverify.models import absorbing
    >>> [round(float(learn(absorbing(), k).value.midpoint[0].min()), 6) for k in (1, 2)]     # no agent has decided: claim L2
    [0.75, 0.625]
    """
    k = positive_integer("subsample", k)
    asked = chosen("regime", regime, Regime)
    if asked is Regime.NONE:
        if samples is not None:
            raise ModelError(f"samples: found {samples} with regime 'none', which learns nothing; leave samples out")
        most = np.full((model.sizes[0], 1), round_up(model.rt / (1 - model.discount)))
        return Learned(model, k, Enclosure(-most, most), asked, {})
    wanted = switch(model, k) if asked is Regime.SWITCH else asked
    if samples is None and wanted is Regime.MEAN_FIELD and width > 0:
        quick = _learn_small(model, k, width)
        if quick is not None:
            return quick
    costs.check(costs.learning(model, k, samples))
    if samples is not None:
        if asked is Regime.STANDARD:
            raise ModelError("regime: found 'standard' with samples; the empirical operator is kept on counts, use regime='mean-field'")
        samples = positive_integer("samples", samples)
    with waiting(f"learning with k = {k}"):
        if samples is not None:
            return _learn_sampled(model, k, samples, seed, width)
        if wanted is Regime.STANDARD:
            return _learn_standard(model, k, width)
        operator = LumpedOperator(model, k)
        value = optimal_value(model, k, Method.LUMPED, width)
        return Learned(model, k, value, wanted, maximisers(operator, value))


def _learn_small(model: Model, k: int, width: float) -> Learned | None:
    """A small system in one compiled call; None where it is not small or some maximiser is not certain in doubles."""
    alone = small.solve_alone(model, k, width)
    if alone is None:
        return None
    value, (_, _, lead), (global_action, joint_action) = alone
    if not (lead > 0).all():
        return None
    of_all = small.plan(k, model.sizes[2], model.sizes[3])
    played, joint = global_action[0].tolist(), of_all.actions[joint_action[0]].tolist()
    vectors = [tuple(c) for c in counts.count_vectors(k, model.sizes[2]).tolist()]
    choices = {
        (g, c): Maximisers(((b, tuple(d)),))
        for g, (of_g, joint_of_g) in enumerate(zip(played, joint, strict=True))
        for c, b, d in zip(vectors, of_g, joint_of_g, strict=True)
    }
    return Learned(model, k, value, Regime.MEAN_FIELD, choices)


def _learn_standard(model: Model, k: int, width: float) -> Learned:
    """The labelled table: the fixed point by value iteration over labelled states, then the argmax over labelled joint actions.

    Maximisers are read off the labelled table and brought to counts; where its enclosure cannot separate them, the tie
    is decided as in the mean-field regime, in exact arithmetic.
    """
    value = optimal_value(model, k, Method.FLAT, width)
    operator = LabelledOperator(model, k)
    vectors = counts.count_vectors(k, model.sizes[2])
    position = counts.rank(operator.count_vector_of_state())
    radius = float(value.width.max())
    ties: dict[State, Maximisers] | None = None
    choices: dict[State, Maximisers] = {}
    for g in range(model.sizes[0]):
        labelled = value.midpoint[:, position]
        slack = 2 * (operator.error(labelled) + model.discount * Fraction(radius))
        table = operator.action_values(g, labelled)
        for row in vectors:
            state = (g, tuple(int(x) for x in row))
            agents = [s for s, x in enumerate(row) for _ in range(int(x))]
            local_actions = model.sizes[3]
            blocks = tuple(slice(s * local_actions, (s + 1) * local_actions) for s in agents)
            joint = table[(slice(None), *blocks)]
            near = np.argwhere(joint >= joint.max() - 2 * float(slack))
            found = sorted({(int(b), _pair_counts(agents, actions, model)) for b, *actions in near.tolist()})
            if len(found) == 1:
                choices[state] = Maximisers(tuple(found))
                continue
            if ties is None:
                ties = maximisers(LumpedOperator(model, k), value)
            choices[state] = ties[state]
    return Learned(model, k, value, Regime.STANDARD, choices)


def _pair_counts(agents: list[int], actions: list[int], model: Model) -> tuple[int, ...]:
    """Action counts over Z_l of labelled agents with labelled actions."""
    _, _, local_states, local_actions = model.sizes
    out = [0] * (local_states * local_actions)
    for s, a in zip(agents, actions, strict=True):
        out[s * local_actions + a] += 1
    return tuple(out)


def _learn_sampled(model: Model, k: int, samples: int, seed: int, width: float) -> Learned:
    """The fixed point of ``T_{k,m}`` by value iteration. Near-ties that rounding leaves open are reported as undecided
    unless the candidates have the same reward and the same sampled successors, and so the same value.
    """
    operator = SampledOperator(model, k, samples, np.random.default_rng(seed))
    enclosed = enclose(operator, width)
    slack = 2 * (operator.error(enclosed.midpoint) + model.discount * Fraction(float(enclosed.width.max())))
    table = operator.action_values(enclosed.midpoint)
    starts = np.array([operator.pairs_of(i).start for i in range(len(operator.states))])
    lengths = np.diff(starts, append=len(table))
    largest = np.repeat(np.maximum.reduceat(table, starts), lengths)
    near = np.flatnonzero(table >= largest - 2 * float(slack))
    bounds = np.searchsorted(near, [*starts, len(table)])
    played, splits = operator.global_action[near].tolist(), operator.action_counts[near].tolist()
    choices: dict[State, Maximisers] = {}
    for i, state in enumerate(operator.states):
        mine = range(int(bounds[i]), int(bounds[i + 1]))
        tied = len(mine) > 1
        expressions = {(operator.rewards[near[j]], tuple(np.sort(operator.successors[near[j]]).tolist())) for j in mine} if tied else {()}
        choices[state] = Maximisers(tuple((played[j], tuple(splits[j])) for j in mine) if len(expressions) == 1 else None)
    return Learned(model, k, enclosed, Regime.MEAN_FIELD, choices, samples, seed)


def bellman_noise(learned: Learned) -> Interval:
    """``eps_{k,m} = ||Q^est_{k,m} - Q*_k||_inf`` of a learned policy: zero for the exact operator.

    Compared on the values ``max_a Q`` it would only be a lower bound, so the action values of all (state, joint action)
    pairs are enclosed. Cost: one table of all pairs of the k-agent system.
    """
    if learned.samples is None:
        return Interval.exactly(0)
    operator = SampledOperator(learned.model, learned.k, learned.samples, np.random.default_rng(learned.seed))
    return _noise(operator, learned.value)


def noise_of_samples(model: Model, k: int, samples: int, seed: int, width: float = 1e-9) -> Interval:
    """:func:`bellman_noise` of what :func:`learn` finds with these arguments, without its policy: a third of the time of both."""
    k = positive_integer("subsample", k)
    costs.check(costs.learning(model, k, samples))
    operator = SampledOperator(model, k, positive_integer("samples", samples), np.random.default_rng(seed))
    return _noise(operator, enclose(operator, width))


def _noise(operator: SampledOperator, fixed_point: Enclosure) -> Interval:
    model = operator.model
    expected, optimum_error, optimum_width = _exact_pairs(model, operator.n)
    difference = operator.action_values(fixed_point.midpoint) - (operator.rounded_rewards + float(model.discount) * expected)
    largest = Fraction(float(np.abs(difference).max()))
    error = optimum_error + operator.error(fixed_point.midpoint) + 2 * UNIT_ROUNDOFF * largest
    error += model.discount * (Fraction(float(fixed_point.width.max())) + optimum_width)
    return Interval(max(Fraction(0), largest - error), largest + error)


@lru_cache(maxsize=4)
def _exact_pairs(model: Model, k: int) -> tuple[Floats, Fraction, Fraction]:
    """``E V*_k`` of the next state for every pair, in the order of :class:`SampledOperator`, its error bound and the width of ``V*_k``.

    Seeds and numbers of samples have it in common.
    """
    exact, optimum = LumpedOperator(model, k), optimal_value(model, k)
    played, splits = pairs_of_one_state(model, k)
    truth = []
    for g in range(model.sizes[0]):
        choices = exact.choices[g]
        number = {row: u for u, row in enumerate(choices.kernels)}
        used = np.zeros((len(splits), len(choices.kernels)), dtype=np.int64)
        for z in range(splits.shape[1]):
            s, a = divmod(z, model.sizes[3])
            used[:, number[tuple(model.local_kernel[s, g, a])]] += splits[:, z]
        expected = np.stack(exact.expectations(g, optimum.midpoint))
        truth.append(expected[np.array(choices.global_row)[played], counts.rank(used)])
    return np.concatenate(truth), exact.error(optimum.midpoint), Fraction(float(optimum.width.max()))
