"""Plan for a sample (claim V3): all agents follow the plan of the mean-field limit that is best for one shared k-subset, drawn at each step.

The plan says what the global agent plays and what an agent in each local state plays (``limit_plans.py``), so agents outside the subset need
no member to copy. Only the first step of the plan is played; the next step has a new sample. With k = n the plan is the one for the true
distribution. Of a learned policy only the model and k are used: no table of the k-agent system is looked up.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from mfverify import counts
from mfverify.subsample_mfq import draw_laws, random_draws
from mfverify.subsample_mfq.limit_plans import acting, best_plans, limit_of
from mfverify.subsample_mfq.plays import Play
from mfverify.subsample_mfq.shared_draws import SharedDraws

if TYPE_CHECKING:
    from mfverify.notation import Integers
    from mfverify.subsample_mfq.learning import Learned


def _plays(learned: Learned, g: int) -> list[Play]:
    """The play of every sample in global state ``g``, in the order of ``count_vectors(k, |S_l|)``."""
    limit, actions = limit_of(learned.model), range(learned.model.sizes[3])
    of_plan = [
        Play(int(b), (), tuple(tuple(Fraction(int(x == a)) for x in actions) for a in own))
        for b, own in zip(limit.global_action[g].tolist(), limit.local_action[g].tolist(), strict=True)
    ]
    samples = counts.count_vectors(learned.k, learned.model.sizes[2])
    return [of_plan[i] for i in best_plans(learned.model, g, samples).tolist()]


def _law(c: tuple[int, ...], k: int) -> dict[int, Fraction]:
    """The probabilities of the samples by rank."""
    samples, probabilities = zip(*counts.subsample_law(c, k), strict=True)
    return dict(zip(counts.rank(samples).tolist(), probabilities, strict=True))


def _act(rng: np.random.Generator, learned: Learned, g: Integers, c: Integers) -> tuple[Integers, Integers]:
    """Draw a sample in each episode, and act on its plan."""
    drawn = random_draws.subsets(rng, c, learned.k)
    played = np.empty(len(g), dtype=np.int64)
    chosen = np.empty((*c.shape, learned.model.sizes[3]), dtype=np.int64)
    for state in np.unique(g).tolist():
        there = g == state
        played[there], chosen[there] = acting(learned.model, state, best_plans(learned.model, state, drawn[there]), c[there])
    return played, chosen


WAY = SharedDraws("plan", _plays, _law, _act, draw_laws.draw_weights, table=False)
