"""A simulator of Algorithm 2: what SUBSAMPLE-MFQ earns in sampled episodes, with a confidence interval that means something.

It shares nothing with the exact values but the learned policy's table: every agent really draws its subset, every next state is
really drawn. So it is a witness for the exact solvers, and it goes where they do not, to a million agents.

One step, for every episode at once (numbers as in the paper's Algorithm 2):

1. the global agent draws k of the n agents and looks up its action;
2. each local agent draws k - 1 of the others and looks up its own; or draws and acts in another way (``subsample_mfq/draws``);
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

from mfverify import progress
from mfverify.errors import ModelError
from mfverify.progress import waiting
from mfverify.subsample_mfq import random_draws
from mfverify.subsample_mfq.draws import way
from mfverify.subsample_mfq.execution import check_learned
from mfverify.subsample_mfq.learning import Learned
from mfverify.validation import positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers
    from mfverify.subsample_mfq.way import Way


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
    sampling: str | Way = "independent",
    confidence: float = 0.99,
    seed: int = 0,
) -> Simulated:
    """Run the executed policy ``pi_k`` from one start state in independent episodes.

    Parameters
    ----------
    model
        The system.
    n
        Number of local agents, at least k.
    learned
        The result of :func:`learn` on this model.
    start
        ``(s_g, counts)``, the counts of local states summing to n.
    episodes
        Number of episodes, at least 2.
    horizon
        Steps of an episode. By default all later rewards together are below a thousandth of the range of returns.
    sampling
        How the agents draw, as for :func:`execution_value`.
    confidence
        Of the interval, strictly between 0 and 1.
    seed
        Of all draws; equal arguments give equal results.

    Returns
    -------
    Simulated
        ``returns`` of shape ``(episodes,)``, their ``mean``, and ``lower`` and ``upper``, which contain the exact value with probability at
        least ``confidence``.

    Raises
    ------
    ModelError
        A start that is not a state of n agents, k > n, a confidence outside (0, 1), or an unknown way of drawing.
    UndecidedTieError
        A draw leads to an undecided tie.

    Notes
    -----
    Cost: ``horizon * episodes * n`` draws when agents draw on their own, ``horizon * episodes`` when they share a draw.

    Examples
    --------
    >>> from mfverify.models import coordination
    >>> from mfverify.subsample_mfq.learning import learn
    >>> found = simulate(coordination(), 10, learn(coordination(), 3), (0, (5, 5)), episodes=20)
    >>> found.returns.shape, found.lower < found.mean < found.upper
    ((20,), True)
    """
    n, episodes = positive_integer("agents", n), positive_integer("episodes", episodes)
    how = way(sampling)
    check_learned(model, n, learned, how)
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
    with waiting(f"simulating {n} agents"):
        returns = _returns(model, learned, how, (first, where), episodes, steps, np.random.default_rng(seed))
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


def _returns(
    model: Model, learned: Learned, how: Way, start: tuple[int, Integers], episodes: int, steps: int, rng: np.random.Generator
) -> Floats:
    """The discounted return of every episode."""
    _, _, size, actions = model.sizes
    global_reward, local_reward = model.floats("global_reward"), model.floats("local_reward")
    global_kernel, local_kernel = model.floats("global_kernel"), model.floats("local_kernel")
    g = np.full(episodes, start[0], dtype=np.int64)
    c = how.parts(rng, learned, g, np.tile(start[1], (episodes, 1)))
    n = int(start[1].sum())
    total = np.zeros(episodes)
    weight = 1.0
    for step in range(steps):
        progress.step(step, steps, f"step {step} of {steps}")
        played, acting = how.act(rng, learned, step, g, c)
        total += weight * global_reward[g, played]
        c = np.zeros_like(c)
        for s in range(size):
            for a in range(actions):
                number = acting[:, :, s, a]
                total += weight * number.sum(axis=1) * local_reward[s, g, a] / n
                c += random_draws.multinomial(rng, number, local_kernel[s, g, a][:, None])
        g = random_draws.categorical(rng, global_kernel[g, played])
        weight *= float(model.discount)
    return total
