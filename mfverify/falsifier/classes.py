"""Finite classes of models, counted up to relabelling.

A class fixes the sizes, the discount, the rows that a kernel may have and the values that a reward may have. Its members are all models
with such entries: their number is a product. Two members that differ by the names of states and actions alone have the same values, so one
*representative* of each orbit is enough for every statement about values.

**The group.** Local states and global states are relabelled by permutations p and r. Local actions are relabelled in each *cell*
by a permutation of its own: a cell is a pair (local state, global state), or a local state where kernels do not depend on the
global state. Global actions are relabelled in each global state. A joint action and its relabelled one have the same reward
and the same law of next states (relabelled), so the Bellman operators of both models are the same up to the names of their arguments, and so
are ``V*_n`` and ``Q_k`` for every n and k. Policies that break ties by the names of actions are not: see :mod:`mfverify.falsifier.exhaust`.

**Representatives.** Up to the order of its actions a cell is a multiset of *options* (row, rewards); with A actions a multiset stands for
``A!/(m_1! m_2! ..)`` ordered cells, m_i being the multiplicities. What is left of the group are the pairs (p, r), which map multisets to
multisets and keep their multiplicities. A tuple of multisets is written as one integer in mixed radix; it is the representative if
no (p, r) leads to a smaller integer. Its orbit has as many tuples as there are different images, each of which stands for the product
of the numbers of ordered cells. The sizes of all orbits add up to the number of members, which every run checks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations_with_replacement, permutations, product
from math import factorial, prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from mfverify.errors import ModelError
from mfverify.model import Model
from mfverify.rationals import written
from mfverify.screening import Models

if TYPE_CHECKING:
    from mfverify.notation import Integers

Row: TypeAlias = tuple[Fraction, ...]
Option: TypeAlias = tuple[int, tuple[int, ...]]
"""The number of a row, and the number of the reward for each global state that the cell covers."""


@dataclass(frozen=True)
class ModelClass:
    """All models of one size with entries from finite sets.

    ``sizes``: ``(|S_g|, |A_g|, |S_l|, |A_l|)``. Kernel entries are multiples of ``1/denominator``, a power of two, so that doubles hold
    them and products of a few of them exactly. ``picks``: the global agent picks its next state (``s_g' = a_g``, no global
    reward); otherwise the global kernel is free. ``uncoupled``: local kernels do not depend on the global state. ``rewards`` are
    the values of local rewards, ``global_rewards`` those of global ones.
    """

    sizes: tuple[int, int, int, int]
    rewards: tuple[Fraction, ...]
    discount: Fraction = Fraction(1, 2)
    denominator: int = 2
    picks: bool = False
    uncoupled: bool = False
    global_rewards: tuple[Fraction, ...] = (Fraction(0),)

    def __post_init__(self) -> None:
        global_states, global_actions, _, _ = self.sizes
        if self.denominator < 1 or self.denominator & (self.denominator - 1):
            raise ModelError(f"denominator: found {self.denominator}, expected a power of two, which doubles hold exactly")
        if self.picks and (global_states != global_actions or self.global_rewards != (Fraction(0),)):
            raise ModelError("picks: needs as many global actions as states and no global reward")
        for name in ("rewards", "global_rewards"):
            values = getattr(self, name)
            if not values or list(values) != sorted(set(values)):
                raise ModelError(f"{name}: found {[written(x) for x in values]}, expected different values in ascending order")

    @property
    def title(self) -> str:
        """What the class contains, for a reader."""
        names = ("global states", "global actions", "local states", "local actions")
        sizes = ", ".join(f"{size} {name if size > 1 else name[:-1]}" for size, name in zip(self.sizes, names, strict=True))
        kernels = ", ".join(written(Fraction(i, self.denominator)) for i in range(self.denominator + 1))
        parts = [sizes, f"kernel entries in {{{kernels}}}"]
        parts += ["local kernels that do not depend on the global state"] if self.uncoupled else []
        parts += ["a global agent that picks its next state"] if self.picks else []
        parts += [f"local rewards in {{{', '.join(map(written, self.rewards))}}}"]
        parts += [] if self.picks else [f"global rewards in {{{', '.join(map(written, self.global_rewards))}}}"]
        return "; ".join([*parts, f"discount {written(self.discount)}"])

    @cached_property
    def local_rows(self) -> tuple[Row, ...]:
        """The rows of a local kernel, ascending."""
        return _rows(self.sizes[2], self.denominator)

    @cached_property
    def global_rows(self) -> tuple[Row, ...]:
        """The rows of a global kernel, ascending."""
        return _rows(self.sizes[0], self.denominator)

    @cached_property
    def local_cells(self) -> _Cells:
        """What a local cell may be."""
        covered = self.sizes[0] if self.uncoupled else 1
        rewards = product(range(len(self.rewards)), repeat=covered)
        return _Cells([(row, x) for row, x in product(range(len(self.local_rows)), rewards)], self.sizes[3])

    @cached_property
    def global_cells(self) -> _Cells:
        """What a global cell may be: one thing alone where the global agent picks its next state."""
        if self.picks:
            return _Cells([(0, (0,))], 1)
        rewards = ((x,) for x in range(len(self.global_rewards)))
        return _Cells([(row, x) for row, x in product(range(len(self.global_rows)), rewards)], self.sizes[1])

    @cached_property
    def places(self) -> tuple[tuple[str, int, int], ...]:
        """The cells of a model in the order of the mixed radix: ("global", g, 0), then ("local", s, g), g = 0 alone where uncoupled."""
        global_states, _, local_states, _ = self.sizes
        covered = 1 if self.uncoupled else global_states
        return (
            *(("global", g, 0) for g in range(global_states)),
            *(("local", s, g) for s in range(local_states) for g in range(covered)),
        )

    @cached_property
    def radix(self) -> tuple[int, ...]:
        """How many multisets there are for each cell."""
        return tuple(len(self._cells(kind).multisets) for kind, _, _ in self.places)

    @property
    def tuples(self) -> int:
        """How many tuples of multisets there are, numbered from 0."""
        return prod(self.radix)

    @property
    def members(self) -> int:
        """How many models there are: the options of each action, multiplied."""
        return prod(len(self._cells(kind).options) ** self._cells(kind).actions for kind, _, _ in self.places)

    def _cells(self, kind: str) -> _Cells:
        return self.global_cells if kind == "global" else self.local_cells

    @cached_property
    def relabellings(self) -> tuple[tuple[Integers, tuple[Integers, ...]], ...]:
        """For each (p, r): which place each new place is taken from, and the multiset that each multiset of it becomes."""
        global_states, _, local_states, _ = self.sizes
        out = []
        for p in permutations(range(local_states)):
            local_row = _relabelled_rows(self.local_rows, p)
            for r in permutations(range(global_states)):
                global_row = _relabelled_rows(self.global_rows, r)
                inverse_p, inverse_r = np.argsort(p), np.argsort(r)
                source, tables = [], []
                for kind, i, g in self.places:
                    if kind == "global":
                        came, table = (kind, int(inverse_r[i]), 0), self.global_cells.relabelled(global_row, None)
                    elif self.uncoupled:
                        came, table = (kind, int(inverse_p[i]), 0), self.local_cells.relabelled(local_row, inverse_r)
                    else:
                        came, table = (kind, int(inverse_p[i]), int(inverse_r[g])), self.local_cells.relabelled(local_row, None)
                    source.append(self.places.index(came))
                    tables.append(table if not (kind == "global" and self.picks) else np.zeros(1, dtype=np.int64))
                out.append((np.array(source), tuple(tables)))
        return tuple(out)

    def digits(self, numbers: Integers) -> Integers:
        """The multisets ``[number, place]`` of tuples."""
        return np.stack(np.unravel_index(numbers, self.radix), axis=1)

    def orbits(self, first: int, last: int) -> tuple[Integers, Integers]:
        """The representatives among the tuples ``first`` to ``last - 1``, and how many members each orbit has."""
        numbers = np.arange(first, last)
        digits = self.digits(numbers)
        smallest = np.ones(len(numbers), dtype=bool)
        fixing = np.zeros(len(numbers), dtype=np.int64)
        for source, tables in self.relabellings:
            moved = tuple(table[digits[:, came]] for came, table in zip(source, tables, strict=True))
            image = np.ravel_multi_index(moved, self.radix)
            smallest &= numbers <= image
            fixing += numbers == image
        ordered = np.ones(len(numbers), dtype=np.int64)
        for place, (kind, _, _) in enumerate(self.places):
            ordered *= self._cells(kind).orders[digits[:, place]]
        return numbers[smallest], (ordered * (len(self.relabellings) // fixing))[smallest]

    def arrays(self, numbers: Integers) -> Models:
        """The models of some tuples, the actions of each cell in ascending order, as arrays."""
        return self._arrays(
            [self._cells(kind).chosen[digit] for (kind, _, _), digit in zip(self.places, self.digits(numbers).T, strict=True)]
        )

    def _arrays(self, options: Sequence[Integers]) -> Models:
        """Models from the options ``[model, action]`` of each place."""
        global_states, global_actions, local_states, local_actions = self.sizes
        number = len(options[0])
        global_kernel = np.zeros((global_states, global_actions, global_states, number))
        global_reward = np.zeros((global_states, global_actions, number))
        local_kernel = np.zeros((local_states, global_states, local_actions, local_states, number))
        local_reward = np.zeros((local_states, global_states, local_actions, number))
        rewards = np.array([float(x) for x in self.rewards])
        of_global = np.array([float(x) for x in self.global_rewards])
        if self.picks:
            global_kernel[:] = np.eye(global_states)[None, :, :, None]
        for (kind, i, g), chosen in zip(self.places, options, strict=True):
            cells = self._cells(kind)
            if kind == "global":
                if not self.picks:
                    global_kernel[i] = np.moveaxis(_floats(self.global_rows)[cells.row[chosen]], 0, -1)
                    global_reward[i] = of_global[cells.reward[chosen, 0]].T
                continue
            row = np.moveaxis(_floats(self.local_rows)[cells.row[chosen]], 0, -1)
            for h in range(global_states) if self.uncoupled else (g,):
                local_kernel[i, h] = row
                local_reward[i, h] = rewards[cells.reward[chosen, h if self.uncoupled else 0]].T
        return Models(global_kernel, local_kernel, global_reward, local_reward, np.full(number, float(self.discount)))

    def ordered(self, number: int) -> Iterator[Model]:
        """All members of one tuple of multisets: every order of the actions of every cell."""
        digits = self.digits(np.array([number]))[0]
        orders = [
            sorted(set(permutations(self._cells(kind).chosen[digit].tolist())))
            for (kind, _, _), digit in zip(self.places, digits, strict=True)
        ]
        for index, options in enumerate(product(*orders)):
            yield self.model(options, f"member {number}-{index} of a class")

    def representative(self, number: int) -> Model:
        """The first member of a tuple of multisets."""
        return next(self.ordered(number))

    def orbit(self, number: int) -> Iterator[Model]:
        """All members of the orbit of a representative."""
        digits = self.digits(np.array([number]))
        images = {
            int(np.ravel_multi_index(tuple(table[digits[:, came]] for came, table in zip(source, tables, strict=True)), self.radix)[0])
            for source, tables in self.relabellings
        }
        for image in sorted(images):
            yield from self.ordered(image)

    def model(self, options: Sequence[Sequence[int]], name: str) -> Model:
        """The exact model with these options for each place."""
        global_states, global_actions, local_states, local_actions = self.sizes
        of: dict[tuple[str, int, int], list[Option]] = {
            place: [self._cells(place[0]).options[i] for i in chosen] for place, chosen in zip(self.places, options, strict=True)
        }

        def local(s: int, g: int, a: int) -> tuple[Row, Fraction]:
            row, rewards = of["local", s, 0 if self.uncoupled else g][a]
            return self.local_rows[row], self.rewards[rewards[g if self.uncoupled else 0]]

        unit = [[Fraction(int(b == h)) for h in range(global_states)] for b in range(global_actions)]
        kernel: list[Any] = [unit if self.picks else [self.global_rows[row] for row, _ in of["global", g, 0]] for g in range(global_states)]
        return Model(
            kernel,
            [[[local(s, g, a)[0] for a in range(local_actions)] for g in range(global_states)] for s in range(local_states)],
            [
                [Fraction(0)] * global_actions if self.picks else [self.global_rewards[x] for _, (x,) in of["global", g, 0]]
                for g in range(global_states)
            ],
            [[[local(s, g, a)[1] for a in range(local_actions)] for g in range(global_states)] for s in range(local_states)],
            self.discount,
            name,
        )


class _Cells:
    """All multisets of options for the actions of one cell."""

    def __init__(self, options: Sequence[Option], actions: int) -> None:
        self.options, self.actions = tuple(options), actions
        self.multisets = tuple(combinations_with_replacement(range(len(options)), actions))
        self.chosen: Integers = np.array(self.multisets, dtype=np.int64)
        self.orders: Integers = np.array(
            [factorial(actions) // prod(factorial(x) for x in Counter(chosen).values()) for chosen in self.multisets], dtype=np.int64
        )
        self.row: Integers = np.array([row for row, _ in options], dtype=np.int64)
        self.reward: Integers = np.array([rewards for _, rewards in options], dtype=np.int64)
        self._number = {chosen: i for i, chosen in enumerate(self.multisets)}
        self._option = {option: i for i, option in enumerate(options)}

    def relabelled(self, rows: Sequence[int], covered: Integers | None) -> Integers:
        """The number of each multiset after its rows became ``rows[row]`` and its rewards came from the global states ``covered``."""
        moved = [
            self._option[rows[row], rewards if covered is None else tuple(rewards[int(g)] for g in covered)] if len(self.options) > 1 else 0
            for row, rewards in self.options
        ]
        return np.array([self._number[tuple(sorted(moved[i] for i in chosen))] for chosen in self.multisets], dtype=np.int64)


def _rows(size: int, denominator: int) -> tuple[Row, ...]:
    """All distributions over ``size`` states with entries that are multiples of 1/denominator."""
    from mfverify import counts

    return tuple(tuple(Fraction(x, denominator) for x in row) for row in counts.count_vectors(denominator, size).tolist())


def _relabelled_rows(rows: tuple[Row, ...], p: Sequence[int]) -> list[int]:
    """The number that each row gets when state s becomes ``p[s]``."""
    number = {row: i for i, row in enumerate(rows)}
    inverse = np.argsort(p)
    return [number[tuple(row[int(inverse[t])] for t in range(len(p)))] for row in rows]


def _floats(rows: tuple[Row, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([[float(x) for x in row] for row in rows])
