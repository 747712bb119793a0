"""The roundings of one application, counted again by running the loops of small systems with numbers that carry their roundings."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mfverify import batch
from mfverify.bellman import small
from mfverify.enclosure import UNIT_ROUNDOFF
from mfverify.subsample_mfq import small_chains

FAR = -(10**6)
"""Roundings of an input whose paths are not to count."""

LOOPS_OF_OPTIMA = ("_times", "_earned", "_laws", "_tables", "_action_values", "_largest", "_sweep", "_prepare", "_optima_of_four", "_copy", "_unpacked_copies", "_unpacked_plan")
LOOPS = ("_moved", "_level", "_independent_row", "_shared_row", "factorise", "solve_factorised")


@dataclass(frozen=True, eq=False)
class Counted:
    """A double and the largest number of roundings on a path to it from an input.

    A product or a quotient has one rounding more than both operands together. So has a sum, than the larger operand; none if one of them is an exact
    zero or both are exact whole numbers.
    """

    value: float
    roundings: int = 0

    def __mul__(self, other: Any) -> Counted:
        x = counted(other)
        return Counted(self.value * x.value, self.roundings + x.roundings + 1)

    def __truediv__(self, other: Any) -> Counted:
        x = counted(other)
        return Counted(self.value / x.value, self.roundings + x.roundings + 1)

    def __add__(self, other: Any) -> Counted:
        x = counted(other)
        if (x.value, x.roundings) == (0.0, 0):
            return self
        if (self.value, self.roundings) == (0.0, 0):
            return x
        whole = self.value.is_integer() and x.value.is_integer() and self.roundings == x.roundings == 0
        return Counted(self.value + x.value, 0 if whole else max(self.roundings, x.roundings) + 1)

    def __neg__(self) -> Counted:
        return Counted(-self.value, self.roundings)

    def __sub__(self, other: Any) -> Counted:
        return self + -counted(other)

    def __rtruediv__(self, other: Any) -> Counted:
        return counted(other) / self

    def __rsub__(self, other: Any) -> Counted:
        return counted(other) - self

    __radd__, __rmul__ = __add__, __mul__

    def __index__(self) -> int:
        assert self.value.is_integer()
        return int(self.value)

    def __eq__(self, other: object) -> bool:
        return self.value == counted(other).value

    __hash__ = None  # type: ignore[assignment]  # equal numbers may have different roundings

    def __gt__(self, other: Any) -> bool:
        return self.value > counted(other).value


def counted(x: Any) -> Counted:
    """A number of the loops as one that is exact."""
    return x if isinstance(x, Counted) else Counted(float(x))


def with_roundings(array: Any, roundings: int) -> Any:
    """Doubles with so many roundings each."""
    return np.vectorize(lambda x: Counted(float(x), roundings), otypes=[object])(array)


class Room(np.ndarray):  # type: ignore[type-arg]
    """An array of objects that takes every number as a counted one."""

    def __setitem__(self, at: Any, x: Any) -> None:
        super().__setitem__(at, x if isinstance(x, np.ndarray) else counted(x))


def room(shape: Any, dtype: Any = None) -> Any:
    """Room for counted numbers, all zero; for other numbers as numpy makes it."""
    return np.zeros(shape, dtype) if dtype else np.full(shape, Counted(0.0), dtype=object).view(Room)


def stop(image: Any, value: Any, error: float) -> tuple[float, float]:
    """In place of the residual."""
    raise Applied(max(x.roundings for x in image.ravel()))


class Applied(Exception):
    """Raised when the image is there, with its roundings."""


def roundings_of_an_application(
    many: batch.Models, n: int, policies: small_chains.Policies, shared: bool, given: small.Roundings, wanted: str
) -> int:
    """The most roundings on a path from a value (``wanted``: ``"value"``) or a reward to an entry of the image, over all models."""
    of_rewards, of_values = (given.reward, FAR) if wanted == "reward" else (FAR, 0)
    source = many._unmerged
    models = source._replace(
        global_kernel=with_roundings(source.global_kernel, given.global_),
        local_kernel=with_roundings(source.local_kernel, given.local),
        global_reward=with_roundings(source.global_reward, of_rewards),
        local_reward=with_roundings(source.local_reward, of_rewards),
        discount=with_roundings(source.discount, 1),
    )
    drawn = small_chains.draws(n, int(policies.action_counts[0, 0, 0].sum()), source.local_kernel.shape[1])
    exact = {name: with_roundings(getattr(drawn, name), 0) for name in ("n", "vectors", "samples", "of_global", "of_local", "every")}
    exact["n"] = Counted(float(n))
    of_all, policies = drawn._replace(**exact), policies._replace(action_counts=with_roundings(policies.action_counts, 0))

    def forget(value: Any) -> float:
        """The certificate holds for any value: its own roundings do not count."""
        for at in np.ndindex(value.shape):
            value[at] = Counted(float(1 + sum(at)), of_values)
        return 1.0

    found = []
    with pytest.MonkeyPatch.context() as patch:
        for name in LOOPS:
            loop = getattr(small_chains, name)
            patch.setattr(small_chains, name, getattr(loop, "py_func", loop))
        patch.setattr(small_chains, "np", SimpleNamespace(empty=room, zeros=room, inf=np.inf))
        patch.setattr(small_chains, "application_error", lambda *_: 0.0)
        patch.setattr(small_chains, "centre", forget)
        patch.setattr(small_chains, "residual_range", stop)
        value = getattr(small_chains._value, "py_func", small_chains._value)
        for i in range(len(many)):
            with pytest.raises(Applied) as applied:
                value(models, i, of_all, policies, shared, np.zeros(3), 1e-9, np.zeros(0), np.zeros(0))
            found.append(int(applied.value.args[0]))
    return max(found)


def roundings_of_a_sweep(many: batch.Models, n: int, given: small.Roundings, wanted: str) -> int:
    """The same of the sweep for the optimum."""
    of_rewards, of_values = (given.reward, FAR) if wanted == "reward" else (FAR, 0)
    source = many._copies
    models = source._replace(
        global_kernel=with_roundings(source.global_kernel, given.global_),
        local_kernel=with_roundings(source.local_kernel, given.local),
        global_reward=with_roundings(source.global_reward, of_rewards),
        local_reward=with_roundings(source.local_reward, of_rewards),
        discount=with_roundings(source.discount, 1),
    )
    size, actions = source.local_kernel.shape[1::2][:2]
    sizes = *source.global_reward.shape[1:], size, actions
    given_models = small._packed_copies(models), small._packed_plan(n, sizes)
    results = small._results(len(many), source.global_reward.shape[1], len(small.plan(n, size, actions).order))
    images: list[Any] = []

    def forget(value: Any) -> float:
        for at in np.ndindex(value.shape):
            value[at] = Counted(float(1 + sum(at)), of_values)
        return 1.0

    def first_is_of_zero(image: Any, value: Any, error: float) -> tuple[float, float]:
        images.append(image)
        return stop(image, value, error) if len(images) > 1 else (-1.0, 1.0)

    def as_one_lane(name: str, value: Any) -> None:
        patch.setattr(small, name, value)

    with pytest.MonkeyPatch.context() as patch:
        for name in LOOPS_OF_OPTIMA:
            as_one_lane(name, getattr(getattr(small, name), "py_func", getattr(small, name)))
        as_one_lane("LANES", 1)
        as_one_lane("load", lambda array, at: array[at])
        as_one_lane("store", lambda array, at, x: array.__setitem__(at, x))
        as_one_lane("spread", counted)
        as_one_lane("plus", lambda x, y: x + y)
        as_one_lane("multiply_add", lambda a, x, y: a * x + y)
        as_one_lane("larger", lambda x, y: Counted(max(x.value, y.value), max(x.roundings, y.roundings)))
        as_one_lane("np", SimpleNamespace(empty=np.empty, zeros=room, full=np.full, inf=np.inf, int64=np.int64, bool_=np.bool_))
        as_one_lane("application_error", lambda *_: 0.0)
        as_one_lane("centre", forget)
        as_one_lane("residual_range", first_is_of_zero)
        for step in ("_improve", "_greedy_matrix", "_factorise", "_solve_factorised"):  # the second sweep is of any value
            as_one_lane(step, lambda *_: True)
        solve = getattr(small._optima, "py_func", small._optima)
        with pytest.raises(Applied) as applied:
            solve(*given_models, (0.0, 0.0, 0.0), 1e-9, *results, 0, 1)
    return int(applied.value.args[0])


def drawn_policies(number: int, k: int, sizes: tuple[int, int, int, int]) -> small_chains.Policies:
    """Random tables: what is counted does not depend on where they come from."""
    rng = np.random.default_rng(7)
    global_states, global_actions, size, actions = sizes
    samples = small_chains.draws(k, k, size).samples
    shape = number, global_states, len(samples)
    played = np.zeros((*shape, size, actions), dtype=np.int64)
    for i, g, x, s in np.ndindex(*shape, size):
        played[i, g, x, s] = rng.multinomial(samples[x, s], np.full(actions, 1 / actions))
    own = rng.integers(0, actions, (*shape, size))
    return small_chains.Policies(rng.integers(0, global_actions, shape), own, played.reshape(*shape, -1), np.ones(number, dtype=bool))


def claimed(n: int, k: int, sizes: tuple[int, int, int, int], given: small.Roundings, wanted: str) -> int:
    """The roundings in the bound that the enclosures use."""
    of_value, of_reward, _ = small_chains.relative_errors(n, k, sizes, given)
    return int((of_reward if wanted == "reward" else of_value) / UNIT_ROUNDOFF)


SPARE = [
    ((1, 1, 1, 1), 3, 1, 1, 3),
    ((2, 1, 2, 1), 4, 1, 3, 4),
    ((2, 2, 2, 2), 4, 3, 4, 8),
    ((1, 2, 3, 2), 3, 2, 10, 14),
    ((1, 3, 1, 2), 4, 2, 7, 6),
]
"""Sizes, n, k, and by how much the bounds exceed what is counted, for values and rewards: 1 in hand, what is added to nothing, the longer of two ways."""


def drawn_models(sizes: tuple[int, int, int, int]) -> batch.Models:
    """A few random models with positive weights."""
    global_states, global_actions, size, actions = sizes
    rng = np.random.default_rng(1)
    kernels = rng.random((3, global_states, global_actions, global_states)), rng.random((3, size, global_states, actions, size))
    return batch.Models(*kernels, rng.random((3, global_states, global_actions)), rng.random((3, size, global_states, actions)), "9/10")


def most_counted(sizes: tuple[int, int, int, int], n: int, k: int, given: small.Roundings, wanted: str) -> int:
    """The most roundings on a path, both ways of drawing, over a few random models."""
    many = drawn_models(sizes)
    policies = drawn_policies(3, k, sizes)
    return max(roundings_of_an_application(many, n, policies, shared, given, wanted) for shared in (False, True))


@pytest.mark.parametrize(("sizes", "n", "k", "of_values", "of_rewards"), SPARE)
def test_the_bounds_cover_the_roundings_of_the_loops(
    sizes: tuple[int, int, int, int], n: int, k: int, of_values: int, of_rewards: int
) -> None:
    """A bound of one rounding less, and a loop with one more, are noticed: the difference is what it is."""
    given = small.Roundings(3, 2, 1)
    for wanted, spare in (("value", of_values), ("reward", of_rewards)):
        counted_ = most_counted(sizes, n, k, given, wanted)
        assert counted_ <= claimed(n, k, sizes, given, wanted)
        assert claimed(n, k, sizes, given, wanted) - counted_ == spare


def test_a_bound_or_a_loop_that_is_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound of rounding that is a thousandth of the true one; probabilities and rewards with more roundings than were given."""
    sizes, n, k = SPARE[0][:3]
    given, more = small.Roundings(1, 1, 1), small.Roundings(2, 1, 5)
    for wanted in ("value", "reward"):
        assert most_counted(sizes, n, k, more, wanted) > claimed(n, k, sizes, given, wanted)
    original = small_chains.relative_errors
    monkeypatch.setattr(small_chains, "relative_errors", lambda *x: tuple(part / 1000 for part in original(*x)))
    for wanted in ("value", "reward"):
        assert most_counted(sizes, n, k, given, wanted) > claimed(n, k, sizes, given, wanted)


SPARE_OF_SWEEPS = [
    ((1, 1, 1, 1), 3, 0, 1),
    ((2, 1, 2, 1), 4, 1, 1),
    ((2, 2, 2, 2), 3, 1, 1),
    ((1, 2, 3, 2), 3, 4, 1),
    ((1, 3, 1, 2), 4, 0, 1),
    ((2, 1, 4, 1), 2, 5, 1),
]
"""Sizes, n and by how much the bounds exceed what is counted. Values: to the next counts that are summed first, with the most sums to come, fewer
paths lead, so that their laws have fewer sums. Rewards: agents elsewhere earn an exact zero where all are in local state 0.
"""


@pytest.mark.parametrize(("sizes", "n", "of_values", "of_rewards"), SPARE_OF_SWEEPS, ids=str)
def test_the_bound_of_a_sweep_covers_the_roundings_of_its_loops(
    sizes: tuple[int, int, int, int], n: int, of_values: int, of_rewards: int
) -> None:
    given = small.Roundings(3, 2, 1)
    of_value, of_reward, _ = small.relative_errors(n, sizes, given)
    for wanted, bound, spare in (("value", of_value, of_values), ("reward", of_reward, of_rewards)):
        assert int(bound / UNIT_ROUNDOFF) - roundings_of_a_sweep(drawn_models(sizes), n, given, wanted) == spare


def test_a_bound_of_a_sweep_that_is_one_rounding_too_small_is_noticed() -> None:
    """Also probabilities and rewards that are rounded once more than the bound knows of: twice where there is one in hand."""
    sizes, n = (1, 1, 1, 1), 3
    given, of_value, of_reward = small.Roundings(1, 1, 1), *small.relative_errors(n, sizes, small.Roundings(1, 1, 1))[:2]
    one_less = small.relative_errors(n, sizes, small.Roundings(1, 0, 1))[0]
    many = drawn_models(sizes)
    assert roundings_of_a_sweep(many, n, given, "value") == int(of_value / UNIT_ROUNDOFF) > int(one_less / UNIT_ROUNDOFF)
    for more, wanted, bound in ((small.Roundings(2, 1, 1), "value", of_value), (small.Roundings(1, 1, 3), "reward", of_reward)):
        assert roundings_of_a_sweep(many, n, more, wanted) > int(bound / UNIT_ROUNDOFF)
