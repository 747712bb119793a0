"""The law of a uniform k-subset."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from mfverify import counts
from mfverify.laws import ROUNDED, Law
from mfverify.subsample_mfq import draw_laws
from mfverify.subsample_mfq.way import undecided

if TYPE_CHECKING:
    from mfverify.notation import Exact, Floats, Integers
    from mfverify.subsample_mfq.learning import Learned


def subset_numerators(population: tuple[int, ...], samples: Integers) -> Exact:
    """``prod_s C(population_s, sample_s)`` for every sample, Python integers; 0 where the sample does not fit."""
    out: Exact = np.ones(len(samples), dtype=object)
    for s, size in enumerate(population):
        out = out * _binomials(size, int(samples[:, s].max(initial=0)))[samples[:, s]]
    return out


def subsets(populations: Integers, k: int) -> tuple[Integers, Exact | Integers]:
    """Samples ``[c, j, s]`` of k agents of the populations ``[c, s]`` of n agents, and how many k-subsets lead to each, ``[c, j]``.

    Numbered by their counts or, where those are fewer, by the counts of the n - k agents that are left out. Samples that are not possible
    lead to 0. Integers of 64 bits where they hold C(n, k), hence every product of some of the factors.
    """
    n, size = int(populations[0].sum()), populations.shape[1]
    fewer = min(k, n - k)
    chosen = counts.count_vectors(fewer, size)
    binomials = np.array([[comb(x, j) for j in range(fewer + 1)] for x in range(n + 1)], dtype=np.int64 if comb(n, k) < 2**62 else object)
    numerators = binomials[populations[:, None, 0], chosen[None, :, 0]]
    for s in range(1, size):
        numerators = numerators * binomials[populations[:, None, s], chosen[None, :, s]]
    if fewer == k:
        return chosen[None], numerators
    left = populations[:, None] - chosen
    return np.where((left < 0).any(axis=2, keepdims=True), counts.count_vectors(k, size)[0], left), numerators


@lru_cache(maxsize=4096)
def _binomials(size: int, top: int) -> Exact:
    """``C(size, 0) .. C(size, top)``, Python integers."""
    column = np.zeros(top + 1, dtype=object)
    value = 1
    for j in range(min(top, size) + 1):
        column[j] = value
        value = value * (size - j) // (j + 1)
    return column


def subset_marginals_at(learned: Learned, n: int) -> Callable[[Integers, Integers], tuple[Law[Floats], Law[Floats]]]:
    """Marginals ``[r, b]`` and ``[r, s, a]`` of independent subsets in states ``g[r]``, ``c[r, s]``, summed in doubles (n up to 1000)."""
    k, (_, global_actions, size, local_actions) = learned.k, learned.model.sizes
    samples, others = counts.count_vectors(k, size), counts.count_vectors(k - 1, size)
    own = np.stack([learned.local_action[:, counts.rank(others + unit), s] for s, unit in enumerate(np.eye(size, dtype=np.int64))], axis=1)
    subsets = np.array([[float(comb(x, j)) for j in range(k + 1)] for x in range(n + 1)])
    draws = float(comb(n, k)), float(comb(n - 1, k - 1))
    actions = global_actions, local_actions
    budget = ROUNDED.power(size).summed(len(samples)).times(ROUNDED)

    def marginals(g: Integers, c: Integers) -> tuple[Law[Floats], Law[Floats]]:
        of_global, of_local, open_at = draw_laws.marginals_at(g, c, samples, others, subsets, draws, learned.global_action, own, actions)
        if open_at >= 0:
            raise undecided(f"a sample in state {(int(g[open_at]), tuple(c[open_at].tolist()))}")
        return Law(of_global, budget), Law(of_local, budget)

    return marginals
