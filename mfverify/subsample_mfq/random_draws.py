"""Random draws in many episodes at once, for the simulator: subsets, multinomials, categories.

Probabilities are doubles, normalised as numpy asks; that shifts laws by about 1e-16, far below what episodes can resolve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers


def subsets(rng: np.random.Generator, populations: Integers, k: int) -> Integers:
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


def at_places(populations: Integers, places: Integers) -> Integers:
    """The counts of the agents at ``places [draw, j]`` of each population's list, which is ordered by class."""
    before = (places[:, :, None] < populations.cumsum(axis=1)[:, None, :]).sum(axis=1)
    drawn: Integers = np.diff(before, axis=1, prepend=0)
    return drawn


def multinomial(rng: np.random.Generator, number: Integers, probabilities: Floats) -> Integers:
    """One multinomial draw of ``number [..]`` with ``probabilities [.., t]``."""
    drawn: Integers = rng.multinomial(number, probabilities / probabilities.sum(axis=-1, keepdims=True))
    return drawn


def categorical(rng: np.random.Generator, probabilities: Floats) -> Integers:
    """One index for each row ``[draw]`` of ``probabilities [draw, t]``."""
    edges = probabilities.cumsum(axis=1)
    drawn: Integers = (rng.random(len(edges))[:, None] >= edges / edges[:, -1:]).sum(axis=1)
    return drawn
