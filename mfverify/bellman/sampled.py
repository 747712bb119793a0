"""The empirical Bellman operator ``T_{k,m}`` (paper, eq. 8 and 10): m sampled next states per (state, joint action).

Samples are drawn once, so that the operator is fixed and has a fixed point. Reading checked here: one set of m samples for
each (global state, count vector, global action, action counts over ``Z_l``), so that the sampled system stays exchangeable.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb, prod
from typing import TYPE_CHECKING

import numpy as np

from mfverify import counts
from mfverify.enclosure import rounding_error
from mfverify.errors import TooLargeError

if TYPE_CHECKING:
    from mfverify.exact.rational import JointAction, State
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

_MOST_SAMPLES = 10**8


class SampledOperator:
    """``T_{k,m}`` on values ``[g, c]``, in double precision with a rigorous error bound.

    ``successors[i, j]`` is the flat index (g' times the number of count vectors, plus the rank of c') of the j-th sample of
    pair ``i``; ``actions`` lists the pairs state by state, lexicographically. Cost and memory: pairs times m.
    """

    def __init__(self, model: Model, k: int, samples: int, rng: np.random.Generator) -> None:
        global_states, global_actions, local_states, local_actions = model.sizes
        self.model, self.n, self.samples = model, k, samples
        self.vectors = counts.count_vectors(k, local_states)
        per_vector = [prod(comb(int(c) + local_actions - 1, local_actions - 1) for c in row) for row in self.vectors]
        pairs = global_states * global_actions * sum(per_vector)
        if pairs * samples > _MOST_SAMPLES:
            raise TooLargeError(
                f"{samples} samples for each of {pairs:.3g} (state, action) pairs are more than {_MOST_SAMPLES:.0e}; lower k or the samples"
            )
        self.shape = (global_states, len(self.vectors))
        kernel = model.floats("local_kernel")
        global_kernel = model.floats("global_kernel")
        self.states: list[State] = []
        self.actions: list[list[JointAction]] = []
        rewards: list[Fraction] = []
        successors: list[Integers] = []
        for g in range(global_states):
            for row in self.vectors:
                splits = [counts.count_vectors(int(c), local_actions) for c in row]
                actions = [(b, tuple(int(x) for part in d for x in part)) for b in range(global_actions) for d in product(*splits)]
                self.states.append((g, tuple(int(x) for x in row)))
                self.actions.append(actions)
                for b, d in actions:
                    target = np.zeros((samples, local_states), dtype=np.int64)
                    total = Fraction(0)
                    for z, x in enumerate(d):
                        if x:
                            s, a = divmod(z, local_actions)
                            probabilities = kernel[s, g, a] / kernel[s, g, a].sum()
                            target += rng.multinomial(x, probabilities, size=samples)
                            total += x * model.local_reward[s, g, a]
                    probabilities = global_kernel[g, b] / global_kernel[g, b].sum()
                    h = rng.choice(global_states, size=samples, p=probabilities)
                    successors.append(h * len(self.vectors) + counts.rank(target))
                    rewards.append(model.global_reward[g, b] + total / k)
        self.successors = np.stack(successors)
        self.rewards = rewards
        self._reward = np.array([float(r) for r in rewards])
        self._starts = np.cumsum([0, *(len(a) for a in self.actions)])

    def error(self, value: Floats) -> Fraction:
        """Bound ``max |fl(T V) - T V|``: a mean of m values, discounted, plus a rounded reward."""
        roundings = self.samples + 1 + 2 + 2
        magnitude = self.model.rt + self.model.discount * Fraction(float(np.abs(value).max()))
        return rounding_error(roundings, magnitude, roundings)

    def action_values(self, value: Floats) -> Floats:
        """``Q(state, action)`` per pair: ``r + (gamma / m) sum_j V(successor_j)``."""
        mean = value.ravel()[self.successors].sum(axis=1) / self.samples
        total: Floats = self._reward + float(self.model.discount) * mean
        return total

    def apply(self, value: Floats) -> Floats:
        """``T_{k,m} V`` for an array ``[g, c]``; off by at most :meth:`error`."""
        image: Floats = np.maximum.reduceat(self.action_values(value), self._starts[:-1]).reshape(self.shape)
        return image

    def pairs_of(self, state: int) -> slice:
        """Positions of the pairs of a state in the arrays over pairs."""
        return slice(int(self._starts[state]), int(self._starts[state + 1]))
