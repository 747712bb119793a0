"""The empirical Bellman operator ``T_{k,m}`` (paper, eq. 8 and 10): m sampled next states per (state, joint action).

Samples are drawn once, so that the operator is fixed and has a fixed point. Reading checked here: one set of m samples for
each (global state, count vector, global action, action counts over ``Z_l``), so that the sampled system stays exchangeable.

The pairs of a global state are all count vectors of k agents over ``Z_l``, ordered by the count vector of local states that
they belong to, then by global action, then lexicographically: the same list for every global state.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING

import numpy as np

from mfverify import counts
from mfverify.enclosure import rounding_error
from mfverify.errors import TooLargeError

if TYPE_CHECKING:
    from mfverify.exact.rational import JointAction, State
    from mfverify.model import Model
    from mfverify.notation import Exact, Floats, Integers

_MOST_SAMPLES = 10**8
_DRAWN_AT_ONCE = 2 * 10**6


class _Pairs:
    """What the operators of one model and k have in common, whatever is drawn; :func:`_pairs_of` remembers some of them."""

    def __init__(self, model: Model, k: int) -> None:
        global_states, global_actions, local_states, local_actions = model.sizes
        self.model, self.k = model, k
        self.vectors = counts.count_vectors(k, local_states)
        splits = counts.count_vectors(k, local_states * local_actions)
        home = counts.rank(splits.reshape(-1, local_states, local_actions).sum(axis=-1))
        # Stable: within one count vector the action counts stay in lexicographic order.
        splits = splits[np.argsort(home, kind="stable")]
        number = np.bincount(home, minlength=len(self.vectors))
        begin = np.cumsum(number) - number
        of_vector = np.repeat(np.arange(len(self.vectors)), number * global_actions)
        within = np.arange(len(of_vector)) - np.repeat(begin * global_actions, number * global_actions)
        played = within // number[of_vector]
        self.one_state: tuple[Integers, Integers] = (played, splits[begin[of_vector] + within % number[of_vector]])
        self.starts = np.concatenate([[0], np.cumsum(np.tile(number * global_actions, global_states))])
        for shared in (self.vectors, *self.one_state, self.starts):
            shared.setflags(write=False)

    @cached_property
    def rewards(self) -> list[Fraction]:
        """The rewards, exactly."""
        numerators, denominator = self._rewards_over
        return [Fraction(int(x), denominator) for x in numerators]

    @cached_property
    def _rewards_over(self) -> tuple[Exact, int]:
        """The rewards as integers over one denominator."""
        model, k = self.model, self.k
        played, splits = self.one_state
        common = lcm(*(x.denominator for x in (*model.global_reward.ravel(), *model.local_reward.ravel())))
        of_global = np.array([int(k * common * x) for x in model.global_reward.ravel()], dtype=object).reshape(model.global_reward.shape)
        of_local = np.array([int(common * x) for x in model.local_reward.ravel()], dtype=object).reshape(model.local_reward.shape)
        largest = max(abs(int(x)) for x in of_global.ravel()) + k * max(abs(int(x)) for x in of_local.ravel())
        kind: type = np.int64 if largest < 2**62 else object
        parts = [
            of_global[g].astype(kind)[played] + splits.astype(kind) @ of_local[:, g].ravel().astype(kind) for g in range(model.sizes[0])
        ]
        return np.concatenate(parts), k * common

    @cached_property
    def rounded_rewards(self) -> Floats:
        """The rewards, each correctly rounded."""
        numerators, denominator = self._rewards_over
        distinct, inverse = np.unique(numerators, return_inverse=True)
        # Python divides integers with one correct rounding, whatever their length.
        rounded = np.array([int(x) / denominator for x in distinct])[inverse]
        rounded.setflags(write=False)
        return rounded


_pairs_of = lru_cache(maxsize=4)(_Pairs)


def pairs_of_one_state(model: Model, k: int) -> tuple[Integers, Integers]:
    """The global action and the action counts over ``Z_l`` of every pair of a global state: the same for all of them, not to be changed."""
    return _pairs_of(model, k).one_state


class SampledOperator:
    """``T_{k,m}`` on values ``[g, c]``, in double precision with a rigorous error bound.

    ``successors[i, j]`` is the flat index (g' times the number of count vectors, plus the rank of c') of the j-th sample of
    pair ``i``; pairs come state by state, lexicographically, and pair ``i`` takes ``global_action[i]`` and the action counts
    ``action_counts[i, z]``. Cost and memory: pairs times m.
    """

    def __init__(self, model: Model, k: int, samples: int, rng: np.random.Generator) -> None:
        global_states, global_actions, local_states, local_actions = model.sizes
        self.model, self.n, self.samples = model, k, samples
        pairs = global_states * global_actions * counts.number_of_count_vectors(k, local_states * local_actions)
        if pairs * samples > _MOST_SAMPLES:
            raise TooLargeError(
                f"{samples} samples for each of {pairs:.3g} (state, action) pairs are more than {_MOST_SAMPLES:.0e}; lower k or the samples"
            )
        self._pairs = _pairs_of(model, k)
        self.vectors, self._one_state, self._starts = self._pairs.vectors, self._pairs.one_state, self._pairs.starts
        self.shape = (global_states, len(self.vectors))
        self.successors = np.concatenate([self._draw(g, rng) for g in range(global_states)])

    def _draw(self, g: int, rng: np.random.Generator) -> Integers:
        """Successors ``[pair, j]`` of the pairs of one global state, some pairs at a time."""
        played, splits = self._one_state
        local_states, local_actions = self.model.sizes[2:]
        local_kernel, global_kernel = self.model.floats("local_kernel")[:, g], self.model.floats("global_kernel")[g]
        out = np.empty((len(splits), self.samples), dtype=np.int64)
        height = max(1, _DRAWN_AT_ONCE // self.samples)
        for first in range(0, len(splits), height):
            block = slice(first, first + height)
            agents = splits[block]
            target = np.zeros((len(agents), self.samples, local_states), dtype=np.int64)
            for z in range(local_states * local_actions):
                row = local_kernel[z // local_actions, z % local_actions]
                target += rng.multinomial(agents[:, z, None], row / row.sum(), size=(len(agents), self.samples))
            cumulated = np.cumsum(global_kernel / global_kernel.sum(axis=-1, keepdims=True), axis=-1)[played[block]]
            uniform = rng.random((len(agents), self.samples))
            h = (uniform[:, :, None] >= cumulated[:, None, :-1]).sum(axis=-1)
            out[block] = h * len(self.vectors) + counts.rank(target)
        return out

    @property
    def global_action(self) -> Integers:
        """The global action of every pair."""
        return np.tile(self._one_state[0], self.shape[0])

    @property
    def action_counts(self) -> Integers:
        """The action counts over ``Z_l`` of every pair, axes ``[pair, z]``."""
        return np.tile(self._one_state[1], (self.shape[0], 1))

    @property
    def pairs(self) -> int:
        """Number of (state, joint action) pairs."""
        return len(self.successors)

    @cached_property
    def states(self) -> list[State]:
        """All states, in the order of values."""
        return [(g, tuple(row)) for g in range(self.shape[0]) for row in self.vectors.tolist()]

    @cached_property
    def actions(self) -> list[list[JointAction]]:
        """The joint actions of every state, lexicographically."""
        played, splits = self._one_state
        flat = [(b, tuple(d)) for b, d in zip(played.tolist(), splits.tolist(), strict=True)]
        ends = self._starts[: self.shape[1] + 1].tolist()
        return [flat[i:j] for i, j in pairwise(ends)] * self.shape[0]

    @cached_property
    def rewards(self) -> list[Fraction]:
        """``r_g + (1/k) sum_z d_z r_l(z)`` of every pair, exactly."""
        return self._pairs.rewards

    @cached_property
    def rounded_rewards(self) -> Floats:
        """:attr:`rewards`, each correctly rounded."""
        return self._pairs.rounded_rewards

    @cached_property
    def _times(self) -> Floats | None:
        """How often each flat state was drawn for each pair; None where that is more numbers than samples."""
        states = self.vectors.shape[0] * self.shape[0]
        if states > self.samples:
            return None
        times = np.empty((self.pairs, states))
        height = max(1, _DRAWN_AT_ONCE // self.samples)
        for first in range(0, self.pairs, height):
            block = self.successors[first : first + height]
            flat = (block + states * np.arange(len(block))[:, None]).ravel()
            times[first : first + height] = np.bincount(flat, minlength=len(block) * states).reshape(len(block), states)
        return times

    @property
    def discount(self) -> Fraction:
        """``gamma``, exact."""
        return self.model.discount

    def error(self, value: Floats) -> Fraction:
        """Bound ``max |fl(T V) - T V|``: a mean of m values (or of at most m multiples), discounted, plus a rounded reward."""
        roundings = self.samples + 1 + 2 + 2
        magnitude = self.model.rt + self.model.discount * Fraction(float(np.abs(value).max()))
        return rounding_error(roundings, magnitude, roundings)

    def action_values(self, value: Floats) -> Floats:
        """``Q(state, action)`` per pair: ``r + (gamma / m) sum_j V(successor_j)``."""
        flat = value.ravel()
        mean = (flat[self.successors].sum(axis=1) if self._times is None else self._times @ flat) / self.samples
        total: Floats = self.rounded_rewards + float(self.model.discount) * mean
        return total

    def apply(self, value: Floats) -> Floats:
        """``T_{k,m} V`` for an array ``[g, c]``; off by at most :meth:`error`."""
        image: Floats = np.maximum.reduceat(self.action_values(value), self._starts[:-1]).reshape(self.shape)
        return image

    def pairs_of(self, state: int) -> slice:
        """Positions of the pairs of a state in the arrays over pairs."""
        return slice(int(self._starts[state]), int(self._starts[state + 1]))
