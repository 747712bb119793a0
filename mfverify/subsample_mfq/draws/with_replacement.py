"""Independent draws with replacement: sequences of k agents that may repeat; a local agent draws k - 1 of the others.

The probabilities of actions are integers over ``n^k`` and ``(n-1)^(k-1)``.
"""

from __future__ import annotations

from functools import partial
from math import factorial
from typing import TYPE_CHECKING

import numpy as np

from mfverify.subsample_mfq import draw_laws, random_draws
from mfverify.subsample_mfq.own_draws import OwnDraws

if TYPE_CHECKING:
    from mfverify.notation import Exact, Integers


def sequence_numerators(population: tuple[int, ...], samples: Integers) -> Exact:
    """``k! prod_s population_s^sample_s / sample_s!`` for every sample: how many sequences with replacement lead to it."""
    k = int(samples[0].sum())
    out: Exact = np.full(len(samples), factorial(k), dtype=object)
    for s, size in enumerate(population):
        column = np.array([size**j for j in range(k + 1)], dtype=object)
        orders = np.array([factorial(j) for j in range(k + 1)], dtype=object)
        out = out // orders[samples[:, s]] * column[samples[:, s]]
    return out


def sequence_sample(rng: np.random.Generator, populations: Integers, k: int) -> Integers:
    """The counts of a sequence of k agents of each population."""
    empty = populations.sum(axis=1, keepdims=True) == 0
    return random_draws.multinomial(rng, np.full(len(populations), k), populations + empty.astype(np.float64))


WAY = OwnDraws("with-replacement", sequence_numerators, pow, sequence_sample, partial(draw_laws.marginals, replaced=True))
