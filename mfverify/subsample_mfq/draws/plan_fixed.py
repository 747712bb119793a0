"""Plan for one sample (claim V3f): one uniform k-subset is drawn before the first step, and all agents follow its plan of the limit forever.

The plan (``limit_plans.py``) says what to do after each history of global states, which all agents see; the next part of the plan depends on
the next global state. No random bits are needed after the first step. What agents remember is the plan that they follow now: the part of the
population that they are in. All agents are in one part.

The value is linear in the population: with ``alpha_i(s)`` the value of following plan i for an agent that begins in s,

    V(g, c) = E_Delta sum_s (c_s / n) alpha_{i(g, Delta)}(s),

and ``alpha`` is the value of a chain on (global state, plan, local state), however many agents there are.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mfverify import costs, counts
from mfverify.enclosure import Enclosure, add_down, add_up, round_up
from mfverify.laws import EXACT, ROUNDED, Law
from mfverify.subsample_mfq import random_draws
from mfverify.subsample_mfq.draws import shared
from mfverify.subsample_mfq.limit_plans import acting, best_plans, limit_of
from mfverify.subsample_mfq.signals import Signals
from mfverify.subsample_mfq.truncated_chain import JointRows, longest_row
from mfverify.subsample_mfq.way import Way

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers
    from mfverify.subsample_mfq.learning import Learned


@lru_cache(maxsize=64)
def _starts(model: Model) -> Integers:
    """The number of the first plan of each global state, and how many plans there are in all."""
    ends: Integers = np.cumsum([0, *(len(rows) for rows in limit_of(model).vectors)])
    return ends


def _chosen(learned: Learned, g: Integers, samples: Integers) -> Integers:
    """The number of the plan of each sample in states ``g[i]``."""
    plans = np.empty(len(g), dtype=np.int64)
    for state in np.unique(g).tolist():
        there = g == state
        plans[there] = _starts(learned.model)[state] + best_plans(learned.model, state, samples[there])
    return plans


def _in_part(c: Integers, part: Integers, parts: int) -> Integers:
    """Populations ``c[i, s]`` in one part each: ``[i, part, s]``."""
    placed = np.zeros((len(c), parts, c.shape[1]), dtype=np.int64)
    placed[np.arange(len(c)), part] = c
    return placed


class PlanForOneSample(Way):
    """The way of a plan that is chosen once; the parts of the population are the plans."""

    def cost(self, model: Model, n: int, k: int) -> costs.Cost:
        """A sum over samples for each state."""
        size = model.sizes[2]
        return costs.executing(
            model, n, k, self.word, counts.number_of_count_vectors(n, size), counts.number_of_count_vectors(k, size) * size
        )

    def sizes(self, model: Model, n: int, k: int) -> tuple[int, ...]:
        """All agents may be in any part."""
        return (n,) * int(_starts(model)[-1])

    def beginnings(self, learned: Learned, g: int, c: tuple[int, ...]) -> list[tuple[Fraction, list[tuple[int, ...]]]]:
        """The law of the plan of the sample."""
        samples, probabilities = zip(*counts.subsample_law(c, learned.k), strict=True)
        law: dict[int, Fraction] = {}
        for i, p in zip(_chosen(learned, np.full(len(samples), g), np.array(samples)).tolist(), probabilities, strict=True):
            law[i] = law.get(i, Fraction(0)) + p
        parts, nowhere = int(_starts(learned.model)[-1]), (0,) * len(c)
        return [(p, [c if j == i else nowhere for j in range(parts)]) for i, p in law.items()]

    def signals(self, learned: Learned, n: int) -> Callable[[int, Integers, Integers], Signals]:
        """One signal for each next global state, which decides how the plan goes on; a group for each plan and local state."""
        model = learned.model
        global_states, _, size, _ = model.sizes
        limit, starts = limit_of(model), _starts(model)
        parts = int(starts[-1])
        b, own, following = (np.concatenate(x) for x in (limit.global_action, limit.local_action, limit.next_plan))
        home = np.repeat(np.arange(global_states), np.diff(starts))
        global_law, paid = model.floats("global_kernel")[home, b], model.floats("global_reward")[home, b]
        at = np.arange(size), home[:, None], own
        moves, earned = model.floats("local_kernel")[at], model.floats("local_reward")[at]

        def step(_step: int, g: Integers, c: Integers) -> Signals:
            plan = c.sum(axis=2).argmax(axis=1)
            next_plan = starts[:-1] + following[plan]
            state, h = np.nonzero(global_law[plan] > 0.0)
            agents = _in_part(c.sum(axis=1)[state], next_plan[state, h], parts)
            onward = np.zeros((len(state), global_states))
            onward[np.arange(len(state)), h] = 1.0
            return Signals(
                np.searchsorted(state, np.arange(len(g) + 1)),
                Law(global_law[plan[state], h], ROUNDED),
                Law(onward, EXACT),
                Law(paid[plan[state]], ROUNDED),
                np.repeat(np.arange(parts), size),
                agents.reshape(len(state), -1),
                Law(np.tile(moves[plan[state]], (1, parts, 1)), ROUNDED),
                Law(np.tile(earned[plan[state]], (1, parts)), ROUNDED),
            )

        return step

    def chain(self, model: Model, n: int, learned: Learned) -> JointRows:
        """The chain of one agent, on ``[plan, s]``: a plan is worth ``alpha_i(s)`` to an agent that begins in s."""
        limit, starts = limit_of(model), _starts(model)
        _, _, size, _ = model.sizes
        each = np.arange(size)
        reward, rows, columns, data = [], [], [], []
        for g, plans in enumerate(limit.next_plan):
            for i, following in enumerate(plans.tolist()):
                b, own = int(limit.global_action[g][i]), limit.local_action[g][i]
                reward.append(model.floats("global_reward")[g, b] + model.floats("local_reward")[each, g, own])
                for h, p in enumerate(model.floats("global_kernel")[g, b].tolist()):
                    if p > 0.0:
                        rows.append(np.repeat((starts[g] + i) * size + each, size))
                        columns.append(np.tile((starts[h] + following[h]) * size + each, size))
                        data.append((p * model.floats("local_kernel")[each, g, own]).ravel())
        shape = int(starts[-1]) * size
        law = csr_array((np.concatenate(data), (np.concatenate(rows), np.concatenate(columns))), shape=(shape, shape))
        return JointRows(np.array(reward), model.discount, model.rt, ROUNDED.summed(2).error(model.rt), Law(law, ROUNDED.times(ROUNDED)))

    def value(self, model: Model, n: int, learned: Learned, width: float) -> Enclosure:
        """The mean over the first draw of a linear function of the population."""
        size = model.sizes[2]
        found = self.chain(model, n, learned).enclose(width)
        samples, vectors = counts.count_vectors(learned.k, size), counts.count_vectors(n, size)
        drawn = shared.WAY.weights(n, learned.k, size, len(samples))
        plans = [_chosen(learned, np.full(len(samples), g), samples) for g in range(model.sizes[0])]
        largest = Fraction(float(max(np.abs(found.lower).max(), np.abs(found.upper).max())))
        # A mean over samples of values, a product with an exact count, a sum over local states, a quotient by n.
        budget = drawn.budget.mixing(EXACT, longest_row(drawn.rows)).times(EXACT).summed(size).times(EXACT)
        slack = round_up(budget.error(largest))

        def mean(end: Floats) -> Floats:
            return np.stack([((drawn.rows @ end[of_g]) * vectors).sum(axis=1) / n for of_g in plans])

        return Enclosure(add_down(mean(found.lower), np.array(-slack)), add_up(mean(found.upper), np.array(slack)), None, found.work)

    def parts(self, rng: np.random.Generator, learned: Learned, g: Integers, c: Integers) -> Integers:
        """All agents in the part of the plan of a sample."""
        return _in_part(c, _chosen(learned, g, random_draws.subsets(rng, c, learned.k)), int(_starts(learned.model)[-1]))

    def act(self, rng: np.random.Generator, learned: Learned, step: int, g: Integers, c: Integers) -> tuple[Integers, Integers]:
        """Go on with the plan of the last step, whose part the agents are still in; what they choose is listed in their new part."""
        model = learned.model
        limit, starts = limit_of(model), _starts(model)
        plan = c.sum(axis=2).argmax(axis=1)
        if step > 0:
            plan = starts[g] + np.concatenate(limit.next_plan)[plan, g]
        together = c.sum(axis=1)
        played = np.empty(len(g), dtype=np.int64)
        chosen = np.zeros((*c.shape, model.sizes[3]), dtype=np.int64)
        for state in np.unique(g).tolist():
            there = np.flatnonzero(g == state)
            played[there], chosen[there, plan[there]] = acting(model, state, plan[there] - starts[state], together[there])
        return played, chosen


WAY = PlanForOneSample("plan-fixed", table=False)
