"""A first guess of the value of ``n`` agents: the value of fewer, interpolated.

Values of large populations are nearly a function of the shares of the local states, so a guess from a quarter of the agents,
whose sweeps cost a small part of one, saves about half of the sweeps. A guess is all it is: nothing certified rests on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mfverify.counts import rank

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers


def interpolated(value: Floats, k: int, vectors: Integers) -> Floats:
    """``value[g, c]`` of ``k`` agents at the shares of the count ``vectors`` of more agents; exact where it is affine.

    Linear on the simplices of Freudenthal's triangulation: the running sums of the scaled counts are rounded down, and one after
    another, those with the largest remainder first, they are raised by one. Cost: as many ranks as local states.
    """
    n, size = int(vectors[0].sum()), vectors.shape[1]
    height, remainder = np.divmod(np.cumsum(vectors, axis=1)[:, :-1] * k, n)
    # Of equal remainders the later sum is raised first: sums stay in order.
    raised = np.argsort(-(remainder * size + np.arange(size - 1)), axis=1, kind="stable")
    shares = np.column_stack([np.full(len(vectors), n), np.take_along_axis(remainder, raised, axis=1), np.zeros(len(vectors), dtype=np.int64)])
    out = np.zeros((len(value), len(vectors)))
    for corner in range(size):
        if corner > 0:
            height[np.arange(len(vectors)), raised[:, corner - 1]] += 1
        # Beyond k only where the share of the corner is zero.
        counted = np.diff(np.minimum(height, k), axis=1, prepend=0, append=k)
        out += (shares[:, corner] - shares[:, corner + 1]) / n * value[:, rank(counted)]
    return out
