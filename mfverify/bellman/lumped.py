"""The Bellman operator on (global state, count vector): agents are exchangeable, so only their counts matter.

State ``(g, c)`` with ``c`` in ``count_vectors(n, S)``; joint action: a global action ``b`` and, for every local state, how
many of its agents take which action. The operator is

    (T V)(g, c) = max_b max_d  r_g(g, b) + (1/n) sum_z d_z r_l(z, g) + gamma sum_g' P_g(g'|g, b) E[ V(g', c') | d ].

Agents move independently given the global state, so ``E`` applies the one-agent operator
``(K_z f)(c) = sum_s' P_l(s'|z, g) f(c + e_s')`` once per agent; these commute, and no transition matrix is built. Two
actions of one local state with the same kernel differ in reward only, so just the better one is kept (of equals, the
smaller action: the contract's tie-breaking); likewise of two global actions with the same row. For every global state and
every distinct row of ``P_g`` the joint local actions are maximised in one of two ways, whichever costs less:

- ``fused.py``: every joint action once, one convex combination each, nothing stored beside the states;
- ``tabled.py``: where local states share kernels, a table over kernel counts and a transport of counts.

With ``n = k`` this is the paper's ``T_k`` (eq. 13); with all agents it is eq. 4.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from math import comb
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from mfverify import counts
from mfverify.bellman.choices import JointMaximum, Wanted, choices_in
from mfverify.bellman.fused import FusedSweep
from mfverify.bellman.lanes import LANES
from mfverify.bellman.sweeps import CountSpace
from mfverify.bellman.tabled import TabledSweep
from mfverify.bellman.work import MOST_NUMBERS, prefers_table
from mfverify.enclosure import UNDERFLOW, rounding_error
from mfverify.errors import ModelError, TooLargeError
from mfverify.parallel import thread_count

if TYPE_CHECKING:
    from mfverify.bellman.choices import Choices
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

_MOST_PAIRS = 10**15
"""A sweep over more joint actions than this in one global state is refused: a machine does about 10**10 a second."""

Policy: TypeAlias = "list[tuple[Integers, Integers]]"
"""For each global state: global action ``[c]`` and action counts ``[c, choice]``."""


class LumpedOperator:
    """``T`` of an n-agent system on values ``[g, c]``, in double precision with a rigorous error bound.

    Cost of one application: one combination and one comparison per (state, joint action) pair, of which there are
    ``pairs``, or less where kernels are shared. Memory: linear in the number of states, and the table of kernel counts where
    that is used. Raises :class:`TooLargeError` before any work where memory would not suffice.
    """

    def __init__(self, model: Model, n: int) -> None:
        if n < 1:
            raise ModelError(f"agents: found {n}, expected at least 1")
        self.model = model
        self.n = n
        self.choices = tuple(choices_in(model, g) for g in range(model.sizes[0]))
        self._check_size()
        self.space = CountSpace.of(n, model.sizes[2])
        self._tables = tuple(TabledSweep(self.space, choices) for choices in self.choices)
        self._sweeps = tuple(self._sweep(*way) for way in zip(self.choices, self._tables, strict=True))

    def _check_size(self) -> None:
        """Refuse what does not fit: values and vectors, a row per choice and thread, the numbers of rows."""
        global_states, _, size, _ = self.model.sizes
        states = counts.number_of_count_vectors(self.n, size)
        choices = max(len(c.kernel) for c in self.choices)
        numbers = states * (6 * global_states + 4 * size + LANES * (thread_count() * (choices + 5) + 1))
        if numbers > MOST_NUMBERS:
            raise TooLargeError(
                f"{self.n} agents have {states:.3g} count vectors and need {numbers * 8 / 2**30:.3g} GiB, more than "
                f"{MOST_NUMBERS * 8 / 2**30:.3g} GiB; use fewer agents or local states"
            )

    def _sweep(self, choices: Choices, tabled: TabledSweep) -> FusedSweep | TabledSweep:
        """The cheaper of the two ways that fits."""
        if prefers_table(self.n, self.space.size, len(choices.kernels), len(choices.kernel)):
            return tabled
        fused = FusedSweep(self.space, choices)
        if fused.pairs > _MOST_PAIRS:
            raise TooLargeError(
                f"{self.n} agents have {fused.pairs:.3g} joint actions in one global state, more than {_MOST_PAIRS:.0e}: a sweep would take days; "
                f"use fewer agents or a model with fewer local actions"
            )
        return fused

    @property
    def discount(self) -> Fraction:
        """``gamma``, exact."""
        return self.model.discount

    @property
    def vectors(self) -> Integers:
        """``count_vectors(n, |S_l|)``."""
        return self.space.vectors

    @property
    def shape(self) -> tuple[int, int]:
        """``(|S_g|, number of count vectors)``, the shape of values."""
        return self.model.sizes[0], len(self.vectors)

    @cached_property
    def pairs(self) -> int:
        """Number of (state, joint local action) pairs, merged actions counted once."""
        return sum(comb(self.n + len(choices.kernel) - 1, len(choices.kernel) - 1) for choices in self.choices)

    @cached_property
    def work(self) -> int:
        """Combinations and comparisons of one application, about."""
        return sum(len(c.global_rows) * sweep.work for c, sweep in zip(self.choices, self._sweeps, strict=True))

    @property
    def _roundings_before(self) -> int:
        """Roundings from a value to what a sweep is given."""
        # Centring: 1. Global row: weight, product, |S_g| - 1 additions. Discount: itself, product. One for weights too small
        # for a normal double: at most n |S_l|^2 of them, each off by less than 2**-1022 of the value.
        return 1 + (self.model.sizes[0] + 1) + 2 + 1

    @cached_property
    def roundings(self) -> int:
        """Roundings on the longest path from a value to a local maximum or a table of expectations."""
        tables = (table.table_roundings for table in self._tables)
        return self._roundings_before + max(*tables, *(sweep.roundings for sweep in self._sweeps))

    def error(self, value: Floats) -> Fraction:
        """Bound ``max |fl(T V) - T V|``, and likewise the error of :meth:`action_values` and of gamma times :meth:`expectations`.

        ``T V = T(V - c) + gamma c`` is computed with ``c`` in the middle of ``V``. No step enlarges errors made before it, so they add up:
        those of the discounted global row, of the sweep (or of a table of expectations, which the same kernels are in), of what is
        added afterwards.
        """
        centred, centre = _centred(value)
        radius = self.discount * Fraction(float(np.nextafter(np.abs(centred).max(), np.inf)))
        of_radius, of_centre, constant = self._error
        return of_radius * radius + of_centre * self.discount * abs(Fraction(centre)) + constant

    @cached_property
    def _error(self) -> tuple[Fraction, Fraction, Fraction]:
        """The error is at most: a multiple of ``gamma max|V - c|``, a multiple of ``gamma |c|``, and a constant."""
        before = rounding_error(self._roundings_before, Fraction(1))
        lost = self._roundings_before * sum(self.model.sizes) * UNDERFLOW
        multiples, constants = zip(*(way.error for way in dict.fromkeys([*self._sweeps, *self._tables])), strict=True)
        of_radius = before + max(multiples) * (1 + before)
        constant = lost + max(multiples) * lost + max(constants)
        # Afterwards r_g (rounded) and gamma c (gamma rounded, a product) are added; a table is discounted after c is added to it, and then r_g.
        after = rounding_error(4, Fraction(1))
        return of_radius + after * (1 + of_radius), after, constant + after * (self.model.rt + constant) + 4 * UNDERFLOW

    def _rows(self, g: int, value: Floats) -> list[Floats]:
        """For each distinct global row in state ``g``: ``sum_g' P_g(g') V(g', c)`` for every count vector ``c``."""
        rows = []
        for row in self.choices[g].global_rows:
            total = np.zeros(len(self.vectors))
            for target, p in enumerate(row):
                if p:
                    total += float(p) * value[target]
            rows.append(total)
        return rows

    def local_maxima(self, g: int, value: Floats, wanted: Wanted) -> list[JointMaximum]:
        """For each distinct global row in ``g``: the maximum over joint local actions of everything but ``r_g``, per count vector.

        Shifted by the same constant ``gamma c`` for all of them and for all ``g``: what is compared is not affected.
        """
        discount = float(self.model.discount)
        centred, _ = _centred(value)
        return [self._sweeps[g].maximum(discount * row, wanted) for row in self._rows(g, centred)]

    def expectations(self, g: int, value: Floats) -> list[Floats]:
        """For each distinct global row in state ``g``: ``sum_g' P_g(g') E[V(g', c')]`` for every kernel-count vector.

        Each table is lexicographic over ``count_vectors(n, U)``, ``U`` the number of kernels in ``g``: memory and cost are
        linear in their number. Raises :class:`TooLargeError` where a table does not fit.
        """
        tabled = self._tables[g]
        if tabled.length > MOST_NUMBERS:
            raise TooLargeError(
                f"{self.n} agents need a table of {tabled.length:.3g} numbers ({tabled.length * 8 / 2**30:.3g} GiB), more than "
                f"{MOST_NUMBERS * 8 / 2**30:.3g} GiB; use fewer agents or a model with fewer distinct local kernels"
            )
        centred, centre = _centred(value)
        return [tabled.table(row) + centre for row in self._rows(g, centred)]

    def action_values(self, g: int, value: Floats) -> list[Floats]:
        """For each global action ``b``: ``r_g(g, b) + gamma E[V]`` per kernel-count vector (the local reward is added later)."""
        discount = float(self.model.discount)
        tables = [discount * table for table in self.expectations(g, value)]
        return [float(self.model.global_reward[g, b]) + tables[row] for b, row in enumerate(self.choices[g].global_row)]

    def joint_maxima(self, g: int, value: Floats) -> list[JointMaximum]:
        """For each global action ``b``: the largest ``Q`` over joint local actions, the runner-up and a maximiser, per count vector.

        Every number is off by at most :meth:`error`.
        """
        shift = float(self.model.discount) * _centred(value)[1]
        local = self.local_maxima(g, value, Wanted.LEAD)
        found = []
        for b, row in enumerate(self.choices[g].global_row):
            reward, maximum = float(self.model.global_reward[g, b]), local[row]
            assert maximum.runners_up is not None
            found.append(maximum._replace(values=maximum.values + reward + shift, runners_up=maximum.runners_up + reward + shift))
        return found

    def apply(self, value: Floats) -> Floats:
        """``T V``, off by at most :meth:`error`."""
        return self.sweep(value, Wanted.VALUES)[0]

    def sweep(self, value: Floats, wanted: Wanted = Wanted.POLICY) -> tuple[Floats, Policy]:
        """``T V`` to double precision (off by at most :meth:`error`) and a greedy policy (empty unless wanted).

        ``value`` has axes ``[g, c]``. The policy lists, for each global state, the global action ``[c]`` and the action
        counts ``[c, choice]``; it is a candidate from rounded numbers, not a certified argmax.
        """
        image = np.empty(self.shape)
        policy: Policy = []
        shift = float(self.model.discount) * _centred(value)[1]
        for g, choices in enumerate(self.choices):
            found = self.local_maxima(g, value, wanted)
            best = [self._best_global_action(g, row) for row in range(len(found))]
            totals = np.stack([maximum.values + float(self.model.global_reward[g, b]) for maximum, b in zip(found, best, strict=True)])
            winner = totals.argmax(axis=0)
            columns = np.arange(len(self.vectors))
            image[g] = totals[winner, columns] + shift
            if wanted is not Wanted.VALUES:
                actions = np.empty((len(columns), len(choices.kernel)), dtype=np.int64)
                for row, maximum in enumerate(found):
                    assert maximum.action_counts is not None
                    actions[winner == row] = maximum.action_counts[winner == row]
                policy.append((np.array(best, dtype=np.int64)[winner], actions))
        return image, policy

    def _best_global_action(self, g: int, row: int) -> int:
        """The global action with the largest reward among those with this row; of equals the smallest."""
        those = [b for b, r in enumerate(self.choices[g].global_row) if r == row]
        return max(those, key=lambda b: (self.model.global_reward[g, b], -b))

    def kernel_counts(self, g: int, action_counts: Integers) -> Integers:
        """How many agents use each kernel: action counts ``[.., choice]`` summed to ``[.., kernel]``."""
        choices = self.choices[g]
        out = np.zeros((*action_counts.shape[:-1], len(choices.kernels)), dtype=np.int64)
        for j, u in enumerate(choices.kernel):
            out[..., u] += action_counts[..., j]
        return out


def _centred(value: Floats) -> tuple[Floats, float]:
    """``value`` less the middle of its range, and that middle."""
    centre = float(value.min()) / 2 + float(value.max()) / 2
    return value - centre, centre
