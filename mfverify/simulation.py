"""A simulator of Algorithm 2: what SUBSAMPLE-MFQ earns in sampled episodes, with a confidence interval that means something.

It shares nothing with the exact values but the learned policy's table: every agent really draws its subset, every next state is
really drawn. So it is a witness for the exact solvers, and it goes where they do not, to a million agents.

One step, for every episode at once (numbers as in the paper's Algorithm 2):

1. the global agent draws k of the n agents and looks up its action;
2. each local agent draws k - 1 of the others and looks up its own (*independent*), or one subset is drawn for everybody, whose
   members play their part of the joint action while the others copy a random member in their state (*shared*);
3. rewards are paid, discounted, and the next states drawn.

The interval is that of the discounted return, not a guess of normality: an empirical Bernstein bound (Maurer and Pontil 2009,
Theorem 4, used on both sides) for returns within their known range, widened by all that can come after the last step. Draws use
double precision probabilities, which shifts laws by about 1e-16 a step: far below what episodes can resolve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from mfverify import counts
from mfverify.errors import ModelError, UndecidedTieError
from mfverify.subsample_mfq.execution import Sampling
from mfverify.subsample_mfq.learning import UNDECIDED_ACTION, Learned
from mfverify.validation import chosen, positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

_MOST_DRAWS_AT_ONCE = 4 * 10**6
"""Agents whose subsets are drawn in one call: bounds the memory, not the number of agents."""

SIMULATED = (Sampling.INDEPENDENT, Sampling.SHARED)
"""The ways of drawing that are simulated; all have exact values."""


@dataclass(frozen=True, eq=False)
class Simulated:
    """Sampled discounted returns ``[episode]`` of at most ``horizon`` steps, and what they say of the expected return.

    ``lower`` and ``upper`` contain the exact value of the executed policy at the start state with probability at least
    ``confidence`` over the draws.
    """

    returns: Floats
    horizon: int
    confidence: float
    lower: float
    upper: float

    @property
    def mean(self) -> float:
        """The average return."""
        return float(self.returns.mean())


def simulate(
    model: Model,
    n: int,
    learned: Learned,
    start: tuple[int, Sequence[int]],
    *,
    episodes: int = 1000,
    horizon: int | None = None,
    sampling: str | Sampling = Sampling.INDEPENDENT,
    confidence: float = 0.99,
    seed: int = 0,
) -> Simulated:
    """Run the executed policy ``pi_k`` from ``start = (s_g, counts of local states)`` in independent episodes.

    ``horizon`` defaults to the number of steps after which everything that can still come is below a thousandth of the range of
    returns. Equal arguments give equal results. Raises :class:`ModelError` for a start that is not a state of n agents, k > n, a
    confidence outside (0, 1) or a way of drawing that is not simulated, and :class:`UndecidedTieError` when a draw leads to an
    undecided tie. Cost: ``horizon * episodes * n`` subset draws when they are independent, ``horizon * episodes`` when shared.
    """
    n, episodes = positive_integer("agents", n), positive_integer("episodes", episodes)
    how = chosen("sampling", sampling, Sampling)
    if how not in SIMULATED:
        raise ModelError(f"sampling: {how.value!r} is not simulated, only {' and '.join(s.value for s in SIMULATED)}; it has exact values")
    if learned.model != model:
        raise ModelError(f"learned: the policy was learned on the model {learned.model.name!r}, which differs; learn it on this model")
    if learned.k > n:
        raise ModelError(f"subsample: found {learned.k}, expected at most agents = {n}")
    if not 0 < confidence < 1:
        raise ModelError(f"confidence: found {confidence}, expected a number strictly between 0 and 1")
    if episodes < 2:
        raise ModelError("episodes: found 1, expected at least 2: one return says nothing about its spread")
    first, given = start
    where = np.array(given, dtype=np.int64)
    if not 0 <= first < model.sizes[0] or where.shape != (model.sizes[2],) or where.min() < 0 or where.sum() != n:
        raise ModelError(f"start: found {(first, tuple(given))}, expected a global state and {model.sizes[2]} counts that sum to {n}")
    gamma = float(model.discount)
    steps = positive_integer("horizon", horizon) if horizon is not None else ceil(log(1e-3) / log(gamma))
    run = _Episodes(model, n, learned, how, np.random.default_rng(seed))
    returns = run.returns(first, where, episodes, steps)
    lower, upper = _interval(model, returns, steps, confidence)
    return Simulated(returns, steps, confidence, lower, upper)


def _interval(model: Model, returns: Floats, steps: int, confidence: float) -> tuple[float, float]:
    """Empirical Bernstein on both sides (each with half of the error), widened by the truncated rest of the discounted sum."""
    size, gamma = len(returns), model.discount
    least, most = _reward_range(model)
    whole = (1 - gamma**steps) / (1 - gamma)
    spread = float(whole * (most - least))
    doubt = log(2 / ((1 - confidence) / 2))
    half = sqrt(2 * float(returns.var(ddof=1)) * doubt / size) + 7 * spread * doubt / (3 * (size - 1))
    rest = gamma**steps / (1 - gamma)
    mean = float(returns.mean())
    return mean - half + float(rest * least), mean + half + float(rest * most)


def _reward_range(model: Model) -> tuple[Fraction, Fraction]:
    """The least and the largest stage reward of any joint state and action."""
    least: Fraction = min(model.global_reward.ravel()) + min(model.local_reward.ravel())
    most: Fraction = max(model.global_reward.ravel()) + max(model.local_reward.ravel())
    return least, most


def draw_subsets(rng: np.random.Generator, populations: Integers, k: int) -> Integers:
    """The counts of one uniform k-subset of each population, rows of ``populations [draw, class]``: one class after the other."""
    out = np.zeros_like(populations)
    left = np.full(len(populations), k, dtype=np.int64)
    rest = populations.sum(axis=1)
    for s in range(populations.shape[1] - 1):
        rest = rest - populations[:, s]
        out[:, s] = rng.hypergeometric(populations[:, s], rest, left)
        left = left - out[:, s]
    out[:, -1] = left
    return out


class _Episodes:
    """The tables that every step looks things up in."""

    def __init__(self, model: Model, n: int, learned: Learned, how: Sampling, rng: np.random.Generator) -> None:
        self.model, self.n, self.learned, self.how, self.rng = model, n, learned, how, rng
        self.global_reward, self.local_reward = model.floats("global_reward"), model.floats("local_reward")
        self.global_kernel, self.local_kernel = model.floats("global_kernel"), model.floats("local_kernel")
        self.global_table, self.local_table = learned.global_action, learned.local_action

    def returns(self, first: int, where: Integers, episodes: int, steps: int) -> Floats:
        """The discounted return of every episode."""
        _, _, size, actions = self.model.sizes
        g = np.full(episodes, first, dtype=np.int64)
        c = np.tile(where, (episodes, 1))
        total = np.zeros(episodes)
        weight = 1.0
        for _step in range(steps):
            played, chosen_counts = self._shared(g, c) if self.how is Sampling.SHARED else self._independent(g, c)
            total += weight * self.global_reward[g, played]
            moved = np.zeros_like(c)
            for s in range(size):
                for a in range(actions):
                    number = chosen_counts[:, s, a]
                    total += weight * number * self.local_reward[s, g, a] / self.n
                    moved += self._multinomial(number, self.local_kernel[s, g, a])
            g = self._categorical(self.global_kernel[g, played])
            c = moved
            weight *= float(self.model.discount)
        return total

    def _independent(self, g: Integers, c: Integers) -> tuple[Integers, Integers]:
        """Everybody's own draw: global actions ``[episode]`` and how many agents choose what, ``[episode, s, a]``."""
        _, _, size, actions = self.model.sizes
        k = self.learned.k
        played = self._looked_up(self.global_table[g, counts.rank(draw_subsets(self.rng, c, k))], g, c)
        out = np.zeros((len(g), size, actions), dtype=np.int64)
        for s in range(size):
            agent_of = np.repeat(np.arange(len(g)), c[:, s])
            for block in range(0, len(agent_of), _MOST_DRAWS_AT_ONCE):
                episode = agent_of[block : block + _MOST_DRAWS_AT_ONCE]
                own = np.zeros(size, dtype=np.int64)
                own[s] = 1
                sample = draw_subsets(self.rng, c[episode] - own, k - 1) + own
                action = self._looked_up(self.local_table[g[episode], counts.rank(sample), s], g[episode], c[episode])
                out[:, s] += np.bincount(episode * actions + action, minlength=len(g) * actions).reshape(len(g), actions)
        return played, out

    def _shared(self, g: Integers, c: Integers) -> tuple[Integers, Integers]:
        """One draw for everybody: members play the smallest maximising joint action, the others copy."""
        _, _, size, actions = self.model.sizes
        sample = draw_subsets(self.rng, c, self.learned.k)
        played = np.empty(len(g), dtype=np.int64)
        members = np.empty((len(g), size, actions), dtype=np.int64)
        for episode, (state, row) in enumerate(zip(g.tolist(), sample.tolist(), strict=True)):
            maximisers = self.learned.choices[state, tuple(row)].actions
            if maximisers is None:
                raise UndecidedTieError(
                    f"sample {(state, tuple(row))}: the tie between joint actions is undecided; use a smaller subsample"
                )
            played[episode], joint = min(maximisers)
            members[episode] = np.reshape(joint, (size, actions))
        out = members.copy()
        for s in range(size):
            shares = np.zeros((len(g), actions))
            seen = sample[:, s] > 0
            shares[seen] = members[seen, s] / sample[seen, s, None]
            shares[~seen, 0] = 1.0
            out[:, s] += self._multinomial(c[:, s] - sample[:, s], shares)
        return played, out

    def _looked_up(self, action: Integers, g: Integers, c: Integers) -> Integers:
        """Actions from a table; an undecided one that was really drawn is an error."""
        if (action == UNDECIDED_ACTION).any():
            i = int(np.flatnonzero(action == UNDECIDED_ACTION)[0])
            raise UndecidedTieError(
                f"state {(int(g[i]), tuple(c[i].tolist()))}: a sample leads to an undecided tie; use a smaller subsample"
            )
        return action

    def _multinomial(self, number: Integers, probabilities: Floats) -> Integers:
        """One multinomial draw a row; rows are normalised to one in double precision, as numpy asks."""
        rows = probabilities / probabilities.sum(axis=1, keepdims=True)
        drawn: Integers = self.rng.multinomial(number, rows)
        return drawn

    def _categorical(self, probabilities: Floats) -> Integers:
        """One index a row, with the row's probabilities."""
        edges = probabilities.cumsum(axis=1)
        below = self.rng.random(len(edges))[:, None] >= edges / edges[:, -1:]
        drawn: Integers = below.sum(axis=1)
        return drawn
