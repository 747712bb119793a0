"""Systematic draws: each agent, on its own, takes every s-th agent of a list after a random start.

The list is a circle of N agents, ordered by local state: all n of them for the global agent, the n - 1 others for a local
agent. The interval is ``s = floor(N / k)``, the start is uniform over the N places, and the sample is the agents at the k places
``start, start + s, .., start + (k-1) s`` modulo N (circular systematic sampling, Lahiri 1951); k - 1 takes the place of k for a local agent.

*A policy of the lumped state.* Agents are listed anew at every step, by their local states of that moment, in any order within a local
state. So the law of the counts of a sample depends on the counts of the population alone, and all agents in one local state
have one law. Starts are independent, so given the state the agents act independently. Every agent is in k of the N
possible samples: the probability of being drawn is k/N, as with uniform subsets, while the sample is nearly in proportion to the
counts, as with the stratified subset that all agents share. The probabilities of samples are integers over N.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mfverify import counts
from mfverify.subsample_mfq.own_draws import OwnDraws

if TYPE_CHECKING:
    from mfverify.notation import Exact, Integers


def starts(n: int, _k: int) -> int:
    """How many starts there are; one, the empty sample, where there is no agent to draw from."""
    return max(n, 1)


def systematic_numerators(population: tuple[int, ...], samples: Integers) -> Exact:
    """How many starts lead to each sample, from how many of the k places lie before the end of each local state's agents."""
    n, k = sum(population), int(samples[0].sum())
    interval = max(n // max(k, 1), 1)
    start = np.arange(starts(n, k))[:, None]
    ends = np.cumsum(population)

    def steps_below(place: Integers) -> Integers:
        """How many of ``start + j s``, ``j = 0 .. k-1``, are below a place."""
        below: Integers = np.clip(-((start - place) // interval), 0, k)
        return below

    before = steps_below(ends) + steps_below(ends + n) - steps_below(np.array([n]))
    drawn = np.bincount(counts.rank(np.diff(before, axis=1, prepend=0)), minlength=len(samples))
    return drawn.astype(object)


def systematic_sample(rng: np.random.Generator, populations: Integers, k: int) -> Integers:
    """A random start for each population, then place after place."""
    n = int(populations[0].sum())
    place = rng.integers(starts(n, k), size=len(populations))
    ends = populations.cumsum(axis=1)
    before = np.zeros_like(populations)
    for _ in range(k):
        before += place[:, None] < ends
        place = (place + n // k) % n
    drawn: Integers = np.diff(before, axis=1, prepend=0)
    return drawn


WAY = OwnDraws("systematic", systematic_numerators, starts, systematic_sample)
