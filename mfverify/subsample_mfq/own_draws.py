"""Draws that each agent makes on its own: given the state all actions are independent.

So the joint action is a product of marginals (eq. 11-12), each a sum over the samples that lead to an action of how many draws
lead to the sample, over the number of all draws. With two local states the rows of the chain are sums of two binomials
(``binomial_rows.py``), at any size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mfverify import costs, counts, progress
from mfverify.laws import EXACT, ROUNDED, Law
from mfverify.subsample_mfq import binomial_rows, draw_laws
from mfverify.subsample_mfq.group_laws import next_counts
from mfverify.subsample_mfq.learning import UNDECIDED_ACTION, Learned
from mfverify.subsample_mfq.signals import Signals
from mfverify.subsample_mfq.truncated_chain import ProductRows, refuse_beyond, sparse_rows
from mfverify.subsample_mfq.way import Way, decided, undecided

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Exact, Floats, Integers
    from mfverify.subsample_mfq.plays import Sample

_BLOCK_NUMBERS = 4 * 10**6
_BLOCK_SAMPLES = 10**5
"""Samples of populations that are summed over at a time."""
_MOST_DRAWS_AT_ONCE = 4 * 10**6
"""Agents whose samples are drawn in one call: bounds the memory, not the number of agents."""

Acting = tuple[Law["Floats"], Law["Floats"]]
"""Marginals ``[r, b]`` of the global action and ``[r, s, a]`` of a local agent's action, for states r."""

TwoStateMarginals = Callable[..., tuple["Floats", "Floats", "Integers"]]
"""Arguments and results of :func:`~mfverify.subsample_mfq.draw_laws.marginals`, up to ``undecided``."""


@dataclass(frozen=True, eq=False)
class OwnDraws(Way):
    """A way in which the global agent draws k agents and each local agent k - 1 of the others, independently.

    ``numerators(population, samples)``: how many draws from a population lead to each sample; ``number(n, k)``: how many draws of k
    from n there are. ``sample`` draws at random. ``samples(populations, k)``, where most samples of a population are impossible: samples
    ``[c, j, s]`` of the populations ``[c, s]``, all possible ones among them, with their numerators ``[c, j]``. Where summing exactly over all
    samples is too slow: ``two_state_marginals`` gives the marginals of all states for two local states, ``marginals_at`` those of some
    states, as a function of ``(g, c)``.
    """

    numerators: Callable[[tuple[int, ...], Integers], Exact]
    number: Callable[[int, int], int]
    sample: Sample
    two_state_marginals: TwoStateMarginals | None = None
    marginals_at: Callable[[Learned, int], Callable[[Integers, Integers], Acting]] | None = None
    samples: Callable[[Integers, int], tuple[Integers, Exact | Integers]] | None = None

    def possible(self, populations: Integers, k: int) -> tuple[Integers, Exact | Integers]:
        """Samples ``[c, j, s]`` of k agents of the populations ``[c, s]``, all possible ones among them, with their numerators ``[c, j]``."""
        if self.samples is not None:
            return self.samples(populations, k)
        samples = counts.count_vectors(k, populations.shape[1])
        return samples[None], np.stack([self.numerators(tuple(row), samples) for row in populations.tolist()])

    def cost(self, model: Model, n: int, k: int) -> costs.Cost:
        """A row of the local law for each state."""
        states = counts.number_of_count_vectors(n, model.sizes[2])
        return costs.executing(model, n, k, self.word, states, min(states, costs.row_width(n, model.sizes[2])))

    def chain(self, model: Model, n: int, learned: Learned) -> ProductRows:
        """The chain on (global state, count vector): rows of two binomials, or convolved agent by agent for more local states.

        Cost of a row of two binomials: about n operations, and ``14 sqrt(n)`` numbers.
        """
        states = counts.number_of_count_vectors(n, model.sizes[2])
        if model.sizes[2] == 2:
            refuse_beyond(n, model.sizes[0] * states * binomial_rows.width_of_row(n))
            return own_chain(self, learned, n, _two_state_marginals, binomial_rows.independent_rows)
        refuse_beyond(n, model.sizes[0] * states * states)
        return own_chain(self, learned, n, exact_marginals, agent_rows)

    def signals(self, learned: Learned, n: int) -> Callable[[int, Integers, Integers], Signals]:
        """One signal: the marginals."""
        signals = acting(learned.model)
        marginals = self.marginals_at(learned, n) if self.marginals_at else partial(exact_marginals, self, learned, n)
        return lambda _step, g, c: signals(g, c[:, 0], marginals(g, c[:, 0]))

    def act(self, rng: np.random.Generator, learned: Learned, step: int, g: Integers, c: Integers) -> tuple[Integers, Integers]:
        """The global agent and every local agent draw and look up their actions."""
        c, k = c[:, 0], learned.k
        size, actions = learned.model.sizes[2:]
        played = decided(learned.global_action[g, counts.rank(self.sample(rng, c, k))], g, c)
        chosen = np.zeros((len(g), 1, size, actions), dtype=np.int64)
        for s, own in enumerate(np.eye(size, dtype=np.int64)):
            agent_of = np.repeat(np.arange(len(g)), c[:, s])
            for block in range(0, len(agent_of), _MOST_DRAWS_AT_ONCE):
                episode = agent_of[block : block + _MOST_DRAWS_AT_ONCE]
                sample = self.sample(rng, c[episode] - own, k - 1) + own
                action = decided(learned.local_action[g[episode], counts.rank(sample), s], g[episode], c[episode])
                chosen[:, 0, s] += np.bincount(episode * actions + action, minlength=len(g) * actions).reshape(len(g), actions)
        return played, chosen


@dataclass(frozen=True, eq=False)
class Marginals:
    """The marginals of ``pi_k`` in the n-agent system, exact (eq. 11-12), as integers over ``C(n, k)`` and ``C(n-1, k-1)``.

    ``global_numerator[g, c, b]`` and ``local_numerator[g, c, s, a]``; rows of local states without agents are 0.
    """

    global_numerator: Exact
    local_numerator: Exact
    global_denominator: int
    local_denominator: int

    @property
    def global_action(self) -> Exact:
        """Probabilities ``[g, c, b]`` of the global action, Fractions."""
        return _over(self.global_numerator, self.global_denominator)

    @property
    def local_action(self) -> Exact:
        """Probabilities ``[g, c, s, a]`` of a local agent's action in local state ``s``, Fractions."""
        return _over(self.local_numerator, self.local_denominator)


def _over(numerators: Exact, denominator: int) -> Exact:
    out = np.array([Fraction(int(x), denominator) for x in numerators.ravel()], dtype=object)
    return out.reshape(numerators.shape)


def own_marginals(way: OwnDraws, learned: Learned, n: int, vectors: Integers | None = None) -> Marginals:
    """The exact marginals of ``pi_k`` (eq. 11-12), by summing the integer numerators of the samples that lead to an action.

    Of all count vectors of n agents, or of the given ones. Cost: a sum over all possible samples for each.
    """
    model, k = learned.model, learned.k
    global_states, global_actions, size, local_actions = model.sizes
    vectors = counts.count_vectors(n, size) if vectors is None else vectors
    of_global = np.zeros((global_states, len(vectors), global_actions), dtype=object)
    of_local = np.zeros((global_states, len(vectors), size, local_actions), dtype=object)
    for part in _blocks(len(vectors), counts.number_of_count_vectors(min(k, n - k) if way.samples else k, size)):
        samples, numerators = way.possible(vectors[part], k)
        of_global[:, part] = _shares(numerators, learned.global_action[:, counts.rank(samples)], global_actions, vectors[part])
        for s, own in enumerate(np.eye(size, dtype=np.int64)):
            here = np.flatnonzero(vectors[part, s]) + part.start
            if len(here):
                samples, numerators = way.possible(vectors[here] - own, k - 1)
                table = learned.local_action[:, counts.rank(samples + own), s]
                of_local[:, here, s] = _shares(numerators, table, local_actions, vectors[here])
    return Marginals(of_global, of_local, way.number(n, k), way.number(n - 1, k - 1))


def _blocks(number: int, width: int) -> Iterator[slice]:
    height = max(1, _BLOCK_SAMPLES // width)
    return (slice(begin, min(begin + height, number)) for begin in range(0, number, height))


def _shares(numerators: Exact | Integers, table: Integers, actions: int, vectors: Integers) -> Exact:
    """Numerators ``[c, j]`` of the samples j of populations c, grouped by the action ``table[g, c, j]`` that each leads to: ``[g, c, a]``."""
    table = np.broadcast_to(table, (len(table), *numerators.shape))
    open_at = np.argwhere((table == UNDECIDED_ACTION) & (numerators != 0))
    if len(open_at):
        g, c, _ = open_at[0].tolist()
        raise undecided(f"a sample in state {(g, tuple(vectors[c].tolist()))}")
    shares = [np.where(table == a, numerators, 0).sum(axis=2) for a in range(actions)]
    return np.stack(shares, axis=2).astype(object)


def own_chain(
    way: OwnDraws,
    learned: Learned,
    n: int,
    marginals: Callable[[OwnDraws, Learned, int, Integers, Integers], Acting],
    rows: Callable[[Integers, Law[Floats]], Iterator[Law[Floats]]],
) -> ProductRows:
    """The chain on (global state, count vector) by given functions for the marginals and for the rows of the local law."""
    model, global_states = learned.model, learned.model.sizes[0]
    vectors = counts.count_vectors(n, model.sizes[2])
    shape = global_states, len(vectors)
    g, c = np.repeat(np.arange(global_states), len(vectors)), np.tile(vectors, (global_states, 1))
    step = acting(model)(g, c, marginals(way, learned, n, g, c))
    reward, moves = step.reward(n), step.moves.rows.reshape(*shape, *step.moves.rows.shape[1:])
    local_law = [sparse_rows(rows(vectors, Law(of_g, step.moves.budget)), len(vectors)) for of_g in moves]
    global_law = Law(step.next_global.rows.reshape(*shape, -1), step.next_global.budget)
    return ProductRows(reward.rows.reshape(shape), model.discount, model.rt, reward.budget.error(model.rt), global_law, local_law)


def agent_rows(vectors: Integers, moves: Law[Floats]) -> Iterator[Law[Floats]]:
    """Dense blocks of rows ``[c, c']``: agents in state ``s`` of count vector ``c`` move by ``moves[c, s, s']``, agent by agent."""
    height = max(1, _BLOCK_NUMBERS // len(vectors))
    for begin in range(0, len(vectors), height):
        part = slice(begin, begin + height)
        progress.step(begin, len(vectors), f"{begin} of {len(vectors)} rows of a law")
        yield next_counts(vectors[part], Law(moves.rows[part], moves.budget), int(vectors[0].sum()))


def acting(model: Model) -> Callable[[Integers, Integers, Acting], Signals]:
    """What marginals lead to in states ``g[r]``, ``c[r, s]``, as a function of (g, c, marginals)."""
    _, global_actions, size, local_actions = model.sizes
    # What is averaged over the action, side by side: next states and the reward.
    of_global = np.concatenate([model.floats("global_kernel"), model.floats("global_reward")[..., None]], axis=-1)[None]
    of_local = np.concatenate([model.floats("local_kernel"), model.floats("local_reward")[..., None]], axis=-1)

    def signals(g: Integers, c: Integers, played: Acting) -> Signals:
        means = draw_laws.means(g, played[0].rows[:, None], of_global)[:, 0]
        local_means = draw_laws.means(g, played[1].rows, of_local)
        budget, local_budget = played[0].budget.mixing(ROUNDED, global_actions), played[1].budget.mixing(ROUNDED, local_actions)
        return Signals(
            np.arange(len(g) + 1),
            Law(np.ones(len(g)), EXACT),
            Law(means[:, :-1], budget),
            Law(means[:, -1], budget),
            np.zeros(size, dtype=np.int64),
            c,
            Law(local_means[:, :, :-1], local_budget),
            Law(local_means[:, :, -1], local_budget),
        )

    return signals


def _two_state_marginals(way: OwnDraws, learned: Learned, n: int, g: Integers, c: Integers) -> Acting:
    """Marginals of all states ``g[r]``, ``c[r, s]``, in order."""
    if way.two_state_marginals is None:
        return exact_marginals(way, learned, n, g, c)
    tables, actions = (learned.global_action, learned.local_action), learned.model.sizes[1::2]
    played_global, played_local, flagged = way.two_state_marginals(n, learned.k, *tables, actions, UNDECIDED_ACTION)
    if flagged.any():
        state, count = (int(x[0]) for x in flagged.nonzero())
        raise undecided(f"a sample in state {(state, (count, n - count))}")
    return Law(played_global.reshape(len(g), -1), draw_laws.DRAW), Law(played_local.reshape(len(g), 2, -1), draw_laws.DRAW)


def exact_marginals(way: OwnDraws, learned: Learned, n: int, g: Integers, c: Integers) -> Acting:
    """Marginals of states, rounded once: Python divides integers with one correct rounding."""
    vectors, at = np.unique(c, axis=0, return_inverse=True)
    exact = own_marginals(way, learned, n, vectors)
    of_global = (exact.global_numerator / exact.global_denominator).astype(np.float64)[g, at.ravel()]
    of_local = (exact.local_numerator / exact.local_denominator).astype(np.float64)[g, at.ravel()]
    return Law(of_global, ROUNDED), Law(of_local, ROUNDED)
