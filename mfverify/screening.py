"""Many models of one size as arrays with the model as last axis, and their values in doubles.

What is computed here ranks candidates. It decides something only where a model is exact in doubles and an error bound is named
(:attr:`Solved.radius`, :func:`worst_shared_value`): that is how finite classes of models are decided. Ties are those of doubles:
actions whose values differ by less than :data:`TIED` count as equal, and of several maximisers the same one is played as by the
learner (``subsample_mfq/learning.py``). The cost of a model is some 20 to 1000 microseconds for up to 8 agents.

States of n agents are count vectors in the order of :func:`mfverify.counts.count_vectors`; joint actions are count vectors over the
local state-action pairs in the same order. Arrays end with the axis of the models, so that every step is a loop over small axes
with long vectors inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mfverify import counts
from mfverify.model import ARRAYS

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

TIED = 1e-9
"""Action values within this share of the largest possible value count as equal."""
_MOST_IMPROVEMENTS = 40
_NUMBERS = 5 * 10**5
"""Numbers in the largest array of a batch: what keeps it near the processor."""


class Models(NamedTuple):
    """Models of one size: ``global_kernel[g, b, h, m]``, ``local_kernel[s, g, a, t, m]``, rewards ``[g, b, m]`` and ``[s, g, a, m]``."""

    global_kernel: Floats
    local_kernel: Floats
    global_reward: Floats
    local_reward: Floats
    discount: Floats

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """``(|S_g|, |A_g|, |S_l|, |A_l|)``."""
        return *self.global_reward.shape[:2], self.local_reward.shape[0], self.local_reward.shape[2]

    @property
    def number(self) -> int:
        """How many models there are."""
        return len(self.discount)

    def some(self, chosen: slice | Integers) -> Models:
        """Some of the models."""
        kept = [np.ascontiguousarray(part[..., chosen]) for part in self]
        return Models(kept[0], kept[1], kept[2], kept[3], kept[4])

    @property
    def rt_g(self) -> Floats:
        """The largest global reward of each model in absolute value."""
        return np.abs(self.global_reward).max(axis=(0, 1))  # type: ignore[no-any-return]

    @property
    def rt_l(self) -> Floats:
        """The largest local reward of each model in absolute value."""
        return np.abs(self.local_reward).max(axis=(0, 1, 2))  # type: ignore[no-any-return]


def stacked(models: Sequence[Model]) -> Models:
    """Models of one size as arrays."""
    kept = [np.ascontiguousarray(np.stack([m.floats(name) for m in models], axis=-1)) for name in ARRAYS]
    return Models(kept[0], kept[1], kept[2], kept[3], np.array([float(m.discount) for m in models]))


def batch_of(sizes: tuple[int, int, int, int], n: int) -> int:
    """How many models to solve at a time for n agents."""
    global_states, global_actions, local_states, local_actions = sizes
    states = counts.number_of_count_vectors(n, local_states)
    pairs = counts.number_of_count_vectors(n, local_states * local_actions)
    return max(1, min(512, _NUMBERS // (global_states * pairs * max(states, global_actions))))


@dataclass(frozen=True)
class _Step:
    """How the laws of m agents come from those of m - 1: the pair of one agent, the place of the others, and of the counts with one more."""

    pair: Integers
    others: Integers
    grown: Integers


@lru_cache(maxsize=64)
def _steps(n: int, states: int, actions: int) -> tuple[_Step, ...]:
    out = []
    for m in range(1, n + 1):
        joint = counts.count_vectors(m, states * actions)
        pair = (joint > 0).argmax(axis=1)
        others = joint.copy()
        others[np.arange(len(joint)), pair] -= 1
        smaller = counts.count_vectors(m - 1, states)
        grown = np.stack([counts.rank(smaller + np.eye(states, dtype=np.int64)[t]) for t in range(states)])
        out.append(_Step(pair, counts.rank(others), grown))
    return tuple(out)


@dataclass(frozen=True)
class Layout:
    """The joint actions of n agents by the state that they belong to: joint action ``order[starts[c] : starts[c + 1]]`` belong to state c."""

    joint: Integers
    counts: Integers
    order: Integers
    starts: Integers

    @property
    def ends(self) -> Integers:
        """One past the last joint action of each state."""
        return np.append(self.starts[1:], len(self.order))


@lru_cache(maxsize=64)
def layout(n: int, states: int, actions: int) -> Layout:
    """The joint actions of n agents, grouped by state."""
    joint = counts.count_vectors(n, states * actions)
    state = counts.rank(joint.reshape(len(joint), states, actions).sum(axis=2))
    order = np.argsort(state, kind="stable")
    starts = np.searchsorted(state[order], np.arange(counts.number_of_count_vectors(n, states)))
    return Layout(joint, counts.count_vectors(n, states), order, starts)


def next_laws(models: Models, n: int) -> Floats:
    """The law ``[g, joint action, next counts, m]`` of the next count vector of n agents, for each global state and joint action."""
    global_states, _, states, actions = models.sizes
    rows = models.local_kernel.transpose(1, 0, 2, 3, 4).reshape(global_states, states * actions, states, -1)
    law = np.ones((global_states, 1, 1, models.number))
    for step in _steps(n, states, actions):
        grown = np.zeros((global_states, len(step.pair), step.grown.max() + 1, models.number))
        before = law[:, step.others]
        for t in range(states):
            grown[:, :, step.grown[t]] += before * rows[:, step.pair, t][:, :, None]
        law = grown
    return law


def with_one_more(law: Floats, row: Floats, agents: int, states: int) -> Floats:
    """The law ``[g, c', m]`` of the next counts of so many agents, from that of all but one, whose next state has the law ``row[g, t, m]``."""
    grown = _steps(agents, states, 1)[-1].grown
    out = np.zeros((law.shape[0], grown.max() + 1, law.shape[2]))
    for t in range(states):
        out[:, grown[t]] += law * row[:, t][:, None]
    return out


def chain_value(joint: Floats, reward: Floats, discount: Floats) -> Floats:
    """The value ``[g, c, m]`` of a chain with transitions ``joint[g, c, h, c', m]``: ``(I - gamma P)^-1`` of the reward ``[g, c, m]``."""
    size = reward.shape[0] * reward.shape[1]
    matrix = np.ascontiguousarray((-discount * joint.reshape(size, size, -1)).transpose(2, 0, 1))
    matrix[:, np.arange(size), np.arange(size)] += 1
    found = np.linalg.solve(matrix, reward.reshape(size, -1).T[:, :, None])[:, :, 0]
    return np.ascontiguousarray(found.T).reshape(reward.shape)


@dataclass(frozen=True, eq=False)
class Solved:
    """The optimal values ``value[g, c, m]`` of n agents and all action values ``action_values[g, b, joint action, m]`` (``order`` of the layout)."""

    models: Models
    n: int
    value: Floats
    action_values: Floats
    laws: Floats
    residual: Floats

    @cached_property
    def radius(self) -> Floats:
        """How far values and action values are from the exact ones at most, ``[m]``, for models that doubles hold exactly.

        Exactly means: rewards, the discount, and every product of n local kernel entries are doubles, so that the laws are exact.
        ``value`` is the maximum of ``action_values``, one application of the Bellman operator to an approximate fixed point v in
        doubles. Each sum has at most |S_g|, as many terms as count vectors, or |Z_l| terms; with six more roundings the application
        is off by at most ``(|S_g| + count vectors + |Z_l| + 6) u (rt + max |v|)``, u = 2**-53, which is doubled here. A contraction
        whose application moves v by ``residual`` has its fixed point within ``(residual + error)/(1 - gamma)`` of both.
        """
        global_states, _, states, actions = self.models.sizes
        terms = global_states + self.value.shape[1] + states * actions + 6
        largest = self.models.rt_g + self.models.rt_l + np.abs(self.value).max(axis=(0, 1)) + self.residual
        radius: Floats = (self.residual + terms * 2.0**-52 * largest) / (1 - self.models.discount) * (1 + 2.0**-40)
        return radius

    @cached_property
    def layout(self) -> Layout:
        """How joint actions are ordered."""
        return layout(self.n, *self.models.sizes[2:])

    @cached_property
    def tied(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Which actions ``[g, b, joint action, m]`` count as maximisers."""
        scale = (self.models.rt_g + self.models.rt_l) / (1 - self.models.discount)
        largest = np.repeat(self.value, np.diff(self.layout.starts, append=len(self.layout.order)), axis=1)
        return self.action_values >= largest[:, None] - TIED * scale

    @cached_property
    def distinct(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """The maximisers without those in which an action has the same row and reward as a smaller one."""
        models = self.models
        of_global = np.concatenate([models.global_kernel, models.global_reward[:, :, None]], axis=2)
        of_local = np.concatenate([models.local_kernel, models.local_reward[:, :, :, None]], axis=3)
        again = _repeated(np.moveaxis(of_local, 2, 1)).astype(float)  # [s, a, g, m]
        joint = self.layout.joint[self.layout.order].reshape(-1, *again.shape[:2])
        repeats = np.einsum("jsa,sagm->gjm", (joint > 0).astype(float), again) > 0
        out: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = self.tied & ~_repeated(of_global)[:, :, None] & ~repeats[:, None]
        return out

    @cached_property
    def winning(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Which global actions ``[g, b, c, m]`` belong to a maximiser."""
        found: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = np.logical_or.reduceat(self.tied, self.layout.starts, axis=2)
        return found

    @cached_property
    def global_action(self) -> Integers:
        """The smallest global action of a maximiser, ``[g, c, m]``."""
        smallest: Integers = self.winning.argmax(axis=1)
        return smallest

    @cached_property
    def _maximisers(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """The maximisers ``[g, joint action, m]`` with the smallest global action."""
        played = np.repeat(self.global_action, np.diff(self.layout.starts, append=len(self.layout.order)), axis=1)
        return np.take_along_axis(self.tied, played[:, None], axis=1)[:, 0]

    @cached_property
    def own_action(self) -> Integers:
        """The smallest action that a maximiser gives to an agent in state s, ``[g, c, s, m]``; 0 where no agent is."""
        _, _, states, actions = self.models.sizes
        joint = self.layout.joint[self.layout.order].reshape(-1, states, actions)
        out = np.zeros((*self.value.shape[:2], states, self.models.number), dtype=np.int64)
        for s in range(states):
            taken = [
                np.logical_or.reduceat(self._maximisers & (joint[:, s, a] > 0)[None, :, None], self.layout.starts, axis=1)
                for a in range(actions)
            ]
            out[:, :, s] = np.stack(taken).argmax(axis=0)
        return out

    @cached_property
    def joint_action(self) -> Integers:
        """The lexicographically smallest maximiser with the smallest global action, ``[g, c, m]``, as a place in the layout's order."""
        out = np.empty(self.value.shape, dtype=np.int64)
        for c, (first, last) in enumerate(zip(self.layout.starts, self.layout.ends, strict=True)):
            out[:, c] = first + self._maximisers[:, first:last].argmax(axis=1)
        return out


def laws_and_rewards(models: Models, n: int) -> tuple[Floats, Floats]:
    """The laws ``[g, joint action, c, m]`` of the next counts, and the rewards ``[g, b, joint action, m]``, in the order of the layout."""
    _, _, states, actions = models.sizes
    order, joint = layout(n, states, actions).order, layout(n, states, actions).joint
    local = np.einsum("dsa,sgam->gdm", joint[order].reshape(-1, states, actions) / n, models.local_reward)
    return next_laws(models, n)[:, order], models.global_reward[:, :, None] + local[:, None]


def stepped(models: Models, laws: Floats, earned: Floats, value: Floats) -> Floats:
    """The action values ``r + gamma E V``."""
    out: Floats = earned + models.discount * _continued(laws, np.einsum("gbhm,hcm->gbcm", models.global_kernel, value))
    return out


def solve(models: Models, n: int) -> Solved:
    """Optimal values and action values of n agents by policy iteration, for all models at once."""
    global_states, global_actions, states, actions = models.sizes
    plan = layout(n, states, actions)
    laws, earned = laws_and_rewards(models, n)
    value = np.maximum.reduceat(earned.max(axis=1), plan.starts, axis=1)
    places = np.arange(len(plan.starts))
    policy = np.full((global_states, len(plan.starts), models.number), -1, dtype=np.int64)
    scale = (models.rt_g + models.rt_l) / (1 - models.discount)
    width = len(plan.order)
    g_index = np.arange(global_states)[:, None, None]
    m_index = np.arange(models.number)
    while True:
        q = stepped(models, laws, earned, value)
        flat = q.reshape(global_states, global_actions * width, -1)
        best = np.empty_like(policy)
        for c in places:
            part = q[:, :, plan.starts[c] : plan.ends[c]].reshape(global_states, -1, models.number)
            at = part.argmax(axis=1)
            length = plan.ends[c] - plan.starts[c]
            best[:, c] = at // length * width + plan.starts[c] + at % length
        top = np.take_along_axis(flat, best, axis=1)
        if policy[0, 0, 0] >= 0:
            kept = np.take_along_axis(flat, policy, axis=1)
            settled = kept >= top - 1e-13 * scale
            if settled.all():
                return Solved(models, n, top, q, laws, np.abs(top - value).max(axis=(0, 1)))
            best = np.where(settled, policy, best)
        policy = best
        law = laws[g_index, policy % width, :, m_index].transpose(0, 1, 3, 2)
        global_law = models.global_kernel[g_index, policy // width, :, m_index].transpose(0, 1, 3, 2)
        reward = np.take_along_axis(earned.reshape(global_states, -1, models.number), policy, axis=1)
        value = _policy_value(law, global_law, reward, models.discount)


def _continued(laws: Floats, value: Floats) -> Floats:
    """``sum_c laws[g, d, c, m] value[g, b, c, m]``."""
    out = laws[:, None, :, 0] * value[:, :, None, 0]
    for c in range(1, laws.shape[2]):
        out += laws[:, None, :, c] * value[:, :, None, c]
    return out


def _policy_value(law: Floats, global_law: Floats, reward: Floats, discount: Floats) -> Floats:
    """The values ``[g, c, m]`` of policies, from ``law[g, c, c', m]`` and ``global_law[g, c, h, m]``."""
    return chain_value(global_law[:, :, :, None] * law[:, :, None], reward, discount)


@lru_cache(maxsize=256)
def subsample_matrix(n: int, k: int, states: int) -> Floats:
    """The probability ``[c, c']`` that a uniform k-subset of n agents with counts c has counts c'."""
    smaller = counts.count_vectors(k, states)
    out = np.zeros((counts.number_of_count_vectors(n, states), len(smaller)))
    for i, row in enumerate(counts.count_vectors(n, states).tolist()):
        for sample, p in counts.subsample_law(tuple(row), k):
            out[i, int(counts.rank(np.array(sample)))] = float(p)
    return out


@lru_cache(maxsize=256)
def _own_samples(n: int, k: int, states: int) -> Floats:
    """The probability ``[s, c, c']`` that an agent in s, with k - 1 others that it draws from n agents with counts c, sees counts c'."""
    large, small = counts.count_vectors(n, states), counts.number_of_count_vectors(k, states)
    out = np.zeros((states, len(large), small))
    for s in range(states):
        unit = np.eye(states, dtype=np.int64)[s]
        for i, row in enumerate(large):
            if row[s]:
                for sample, p in counts.subsample_law(tuple((row - unit).tolist()), k - 1):
                    out[s, i, int(counts.rank(np.array(sample) + unit))] = float(p)
    return out


@lru_cache(maxsize=64)
def _agents(n: int, states: int) -> Integers:
    """The local states ``[c, i]`` of the agents of each count vector."""
    return np.array([np.repeat(np.arange(states), row) for row in counts.count_vectors(n, states)], dtype=np.int64).reshape(-1, n)


def _own_marginals(learned: Solved, n: int) -> Floats:
    """The law ``[g, c, s, a, m]`` of the action of an agent in s that draws its own sample."""
    own = _own_samples(n, learned.n, learned.models.sizes[2])
    return np.stack(
        [np.einsum("scd,gdsm->gcsm", own, (learned.own_action == a).astype(float)) for a in range(learned.models.sizes[3])], axis=3
    )


def independent_value(learned: Solved, n: int) -> Floats:
    """The value ``[g, c, m]`` of n agents that each draw their own sample and play their part of the k-agent policy."""
    models, k = learned.models, learned.n
    global_states, global_actions, states, _ = models.sizes
    shared = subsample_matrix(n, k, states)
    played = np.stack([np.einsum("cd,gdm->gcm", shared, (learned.global_action == b).astype(float)) for b in range(global_actions)], axis=2)
    taken = _own_marginals(learned, n)
    rows = np.einsum("gcsam,sgatm->gcstm", taken, models.local_kernel)
    law = np.ones((global_states, len(shared), 1, models.number))
    agents = _agents(n, states)
    for m, step in enumerate(_steps(n, states, 1)):
        grown = np.zeros((global_states, len(shared), step.grown.max() + 1, models.number))
        moving = rows[:, np.arange(len(shared)), agents[:, m]]
        for t in range(states):
            grown[:, :, step.grown[t]] += law * moving[:, :, None, t]
        law = grown
    mean = counts.count_vectors(n, states) / n
    reward = np.einsum("gcbm,gbm->gcm", played, models.global_reward) + np.einsum("cs,gcsam,sgam->gcm", mean, taken, models.local_reward)
    return _policy_value(law, np.einsum("gcbm,gbhm->gchm", played, models.global_kernel), reward, models.discount)


def _copied(learned: Solved) -> tuple[Floats, Floats]:
    """For each sample the actions of its members, and the law of the action of an agent that copies one: ``[g, d, s, a, m]``."""
    states, actions = learned.models.sizes[2:]
    small = counts.count_vectors(learned.n, states)
    taken = learned.layout.joint[learned.layout.order][learned.joint_action].reshape(*learned.value.shape, states, actions)
    joint = np.moveaxis(taken, 2, -1).astype(np.float64)
    mixture = joint / np.maximum(small, 1)[None, :, :, None, None]
    mixture[:, :, :, 0] += (small == 0)[None, :, :, None]
    return joint, mixture


def _repeated(actions: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether an action is the same as a smaller one, ``[i, a, .., m]``; ``actions[i, a, .., numbers, m]`` is all that is known of each."""
    same = [(actions[:, a, None] == actions[:, :a]).all(axis=-2).any(axis=1) for a in range(actions.shape[1])]
    return np.stack(same, axis=1)


def played_on_own_samples(learned: Solved, best: Solved) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """The joint actions ``[g, b, joint action, m]`` that independent draws may lead to, for any way of breaking ties.

    Each agent, and the global agent, plays what a maximiser gives to it for a sample that it may draw. Maximisers are those of
    :attr:`Solved.tied`.
    """
    global_states, _, states, actions = learned.models.sizes
    seen = _own_samples(best.n, learned.n, states) > 0  # [s, c, d]
    maximal, small = learned.tied.any(axis=1), learned.layout.joint[learned.layout.order].reshape(-1, states, actions)
    joint = best.layout.joint[best.layout.order].reshape(-1, states, actions)
    state_of = np.repeat(np.arange(len(best.layout.starts)), np.diff(best.layout.starts, append=len(joint)))
    played = np.ones((global_states, len(joint), learned.models.number), dtype=bool)
    for s, a in product(range(states), range(actions)):
        given = np.logical_or.reduceat(maximal & (small[:, s, a] > 0)[:, None], learned.layout.starts, axis=1)  # [g, d, m]
        may = np.einsum("cd,gdm->gcm", seen[s].astype(float), given.astype(float)) > 0
        played &= may[:, state_of] | (joint[:, s, a] == 0)[:, None]
    drawn = subsample_matrix(best.n, learned.n, states) > 0  # [c, d]
    chosen = np.einsum("cd,gbdm->gbcm", drawn.astype(float), learned.winning.astype(float)) > 0
    out: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = chosen[:, :, state_of] & played[:, None]
    return out


def disagreement(learned: Solved, n: int) -> Floats:
    """The largest mean share ``[m]`` of agents that act otherwise than those that copy the shared sample would (claim R6)."""
    states = learned.models.sizes[2]
    small, large, weights = counts.count_vectors(learned.n, states), counts.count_vectors(n, states), subsample_matrix(n, learned.n, states)
    _, mixture = _copied(learned)
    taken = _own_marginals(learned, n)
    most = np.zeros(learned.models.number)
    for c, row in enumerate(large):
        share = np.zeros((learned.value.shape[0], learned.models.number))
        for d in np.flatnonzero(weights[c]):
            members = 1 - (mixture[:, d] * taken[:, c]).sum(axis=2)
            others = np.abs(mixture[:, d] - taken[:, c]).sum(axis=2) / 2
            share += weights[c, d] * np.einsum("s,gsm->gm", small[d] / n, members)
            share += weights[c, d] * np.einsum("s,gsm->gm", (row - small[d]) / n, others)
        most = np.maximum(most, share.max(axis=0))
    return most


def shared_value(learned: Solved, n: int) -> Floats:
    """The value ``[g, c, m]`` of n agents with one shared sample a step, whose members the others copy (``subsample_mfq/plays.py``)."""
    models, k = learned.models, learned.n
    global_states, _, states, _ = models.sizes
    small, large = counts.count_vectors(k, states), counts.count_vectors(n, states)
    joint, mixture = _copied(learned)
    members = np.take_along_axis(learned.laws, learned.joint_action[:, :, None], axis=1)  # [g, d, counts of k, m]
    rows = np.einsum("gdsam,sgatm->gdstm", mixture, models.local_kernel)
    earned_out = np.einsum("gdsam,sgam->gdsm", mixture, models.local_reward)
    earned_in = np.einsum("gdsam,sgam->gdm", joint, models.local_reward)
    g_index, m_index = np.arange(global_states)[:, None, None], np.arange(models.number)
    b = learned.global_action
    global_rows = models.global_kernel[g_index, b, :, m_index].transpose(0, 1, 3, 2)  # [g, d, h, m]
    global_earned = models.global_reward[g_index, b, m_index]
    weights = subsample_matrix(n, k, states)
    matrix = np.zeros((global_states, len(large), global_states, len(large), models.number))
    reward = np.zeros((global_states, len(large), models.number))
    laws: dict[tuple[int, tuple[int, ...]], Floats] = {}

    def grown(d: int, rest: tuple[int, ...]) -> Floats:
        """The law of the next counts of the members of sample d and of ``rest`` other agents."""
        if (d, rest) not in laws:
            if not any(rest):
                laws[d, rest] = members[:, d]
            else:
                s = max(i for i, x in enumerate(rest) if x)
                before = grown(d, tuple(x - (i == s) for i, x in enumerate(rest)))
                laws[d, rest] = with_one_more(before, rows[:, d, s], k + sum(rest), states)
        return laws[d, rest]

    for c, row in enumerate(large):
        for d in np.flatnonzero(weights[c]):
            rest = row - small[d]
            law = grown(int(d), tuple(rest.tolist()))
            matrix[:, c] += weights[c, d] * global_rows[:, d][:, :, None] * law[:, None]
            local = earned_in[:, d] + np.einsum("s,gsm->gm", rest.astype(float), earned_out[:, d])
            reward[:, c] += weights[c, d] * (global_earned[:, d] + local / n)
    return chain_value(matrix, reward, models.discount)


def worst_shared_value(learned: Solved, best: Solved) -> Floats:
    """Certified lower bounds ``[g, c, m]`` of the value under a shared sample that the others copy, for every way of breaking ties
    and every action of agents whose local state does not occur in the sample.

    For models that doubles hold exactly, as :attr:`Solved.radius`; minus infinity where doubles cannot tell which actions are
    maximisers. ``best`` is the optimum of the n agents, from which the iteration begins.

    Whatever joint action is played for a sample, it is one of those that count as tied here, among which are all maximisers if the
    radius is below half of what :data:`TIED` allows. The worst of them in every (state, sample) is no better than any rule; its value is
    the fixed point of a contraction T with a minimum in place of the maximum. The error of an application is counted as in
    :attr:`Solved.radius`: the mixtures of copies have |A_l| + 2 roundings, the law of at most n copies n(|S_l| + |A_l| + 4).
    """
    models, k, n = learned.models, learned.n, best.n
    global_states, _, states, actions = models.sizes
    plan, small, large = learned.layout, counts.count_vectors(k, states), counts.count_vectors(n, states)
    joint = plan.joint[plan.order].reshape(-1, states, actions)
    weights = subsample_matrix(n, k, states)
    parts: list[tuple[int, float, int, Floats, Floats]] = []
    sample_of = np.repeat(np.arange(len(small)), np.diff(plan.starts, append=len(joint)))
    for j, d in enumerate(sample_of):
        members = np.einsum("sa,sgam->gm", joint[j].astype(float), models.local_reward)
        absent = np.flatnonzero(small[d] == 0)
        for c in np.flatnonzero(weights[:, d]):
            rest = tuple((large[c] - small[d]).tolist())
            for fallback in product(*(range(actions) if rest[s] else (0,) for s in absent)):
                mixture = joint[j] / np.maximum(small[d], 1)[:, None]
                mixture[absent, fallback] = 1
                rows = np.einsum("sa,sgatm->gstm", mixture, models.local_kernel)
                copied = np.einsum("sa,sgam->gsm", mixture, models.local_reward)
                law = _copied_law(learned.laws[:, j], rows, rest, k)
                earned = (members + np.einsum("s,gsm->gm", np.array(rest, dtype=float), copied)) / n
                parts.append((int(c), float(weights[c, d]), j, law, models.global_reward + earned[:, None]))
    forbidden = np.where(learned.tied, 0.0, np.inf)
    value = best.value
    while True:
        after = _worst_step(parts, plan, forbidden, models, value, len(large))
        moved = np.abs(after - value).max(axis=(0, 1))
        if (moved <= 2.0**-30 * (models.rt_g + models.rt_l)).all():
            break
        value = after
    terms = n * (states + actions + 4) + global_states + len(large) + len(small) + states * actions + 12
    largest = models.rt_g + models.rt_l + np.abs(value).max(axis=(0, 1)) + moved
    error = (moved + terms * 2.0**-52 * largest) / (1 - models.discount) * (1 + 2.0**-40)
    scale = (models.rt_g + models.rt_l) / (1 - models.discount)
    return np.where(4 * learned.radius <= TIED * scale, after - error, -np.inf)


def _copied_law(members: Floats, rows: Floats, rest: tuple[int, ...], k: int) -> Floats:
    """The law ``[g, counts, m]`` of the next counts of k members and of ``rest`` copies in each state."""
    law = members
    for s, number in enumerate(rest):
        for _ in range(number):
            law, k = with_one_more(law, rows[:, s], k + 1, rows.shape[2]), k + 1
    return law


def _worst_step(
    parts: Sequence[tuple[int, float, int, Floats, Floats]], plan: Layout, forbidden: Floats, models: Models, value: Floats, states: int
) -> Floats:
    """The minimum over tied actions of each (state, sample), and the mean over samples."""
    after = np.zeros((value.shape[0], states, models.number))
    continued = np.einsum("gbhm,hcm->gbcm", models.global_kernel, value)
    lowest: dict[tuple[int, int], tuple[float, Floats]] = {}
    sample_of = np.repeat(np.arange(len(plan.starts)), np.diff(plan.starts, append=len(plan.order)))
    for c, weight, j, law, earned in parts:
        worth = earned + models.discount * np.einsum("gcm,gbcm->gbm", law, continued) + forbidden[:, :, j]
        here = worth.min(axis=1)
        d = int(sample_of[j])
        known = lowest.get((c, d))
        lowest[c, d] = weight, here if known is None else np.minimum(known[1], here)
    for (c, _), (weight, here) in lowest.items():
        after[:, c] += weight * here
    return after
