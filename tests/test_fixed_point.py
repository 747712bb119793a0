"""The one loop that certifies: for any input the enclosure contains the fixed point, and the stop reason is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest
from scipy.sparse import csr_array

from mfverify.bellman.sampled import SampledOperator
from mfverify.enclosure import Enclosure, StopReason, rounding_error
from mfverify.exact.optimal import optimal_value
from mfverify.fixed_point import Newton, enclose, newton_of_chain
from mfverify.laws import EXACT, Law
from mfverify.model import Model
from mfverify.models import coordination, random_coupled
from mfverify.subsample_mfq.execution import exact_execution_value, execution_value
from mfverify.subsample_mfq.learning import Learned, learn
from mfverify.subsample_mfq.truncated_chain import JointRows

NEAR_ONE = ["999999/1000000", "999999999/1000000000"]


@dataclass(frozen=True)
class Chain:
    """A small chain in doubles whose law and reward are short dyadic numbers, so that they are exact."""

    law: Any
    reward: Any
    discount: Fraction
    pairs: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = self.reward.shape
        return shape

    def apply(self, value: Any) -> Any:
        return self.reward + float(self.discount) * (self.law @ value)

    def moved(self, value: Any) -> Any:
        return value - float(self.discount) * (self.law @ value)

    def error(self, value: Any) -> Fraction:
        return rounding_error(len(value) + 4, Fraction(8) + Fraction(float(np.abs(value).max())), 100)

    @property
    def exact(self) -> list[Fraction]:
        """The fixed point, by an exact elimination."""
        size, gamma = len(self.reward), flint.fmpq(self.discount.numerator, self.discount.denominator)
        matrix = flint.fmpq_mat(size, size, [int(i == j) - gamma * fmpq(self.law[i, j]) for i in range(size) for j in range(size)])
        solution = matrix.solve(flint.fmpq_mat(size, 1, [fmpq(x) for x in self.reward]))
        return [Fraction(int(solution[i, 0].p), int(solution[i, 0].q)) for i in range(size)]


def fmpq(x: float) -> flint.fmpq:
    return flint.fmpq(*float(x).as_integer_ratio())


def chain_of(discount: str, size: int = 6, seed: int = 0, leak: float = 1 / 16) -> Chain:
    """Two halves that mix slowly if ``leak`` is small."""
    rng = np.random.default_rng(seed)
    law = np.zeros((size, size))
    half = size // 2
    for i in range(size):
        own = range(half) if i < half else range(half, size)
        law[i, list(own)] = rng.multinomial(16, [1 / half] * half) / 16 * (1 - leak)
        law[i, (i + half) % size] += leak
    assert (law.sum(axis=1) == 1.0).all()
    return Chain(law, rng.integers(-8, 9, size) / 8, Fraction(discount))


def contains(found: Enclosure, exact: list[Fraction]) -> bool:
    return all(found[i].contains(x) for i, x in enumerate(exact))


WAYS: dict[str, Callable[[Chain], Newton | None]] = {
    "Newton": lambda chain: newton_of_chain(chain, chain.moved),
    "value iteration": lambda chain: None,
    "wrong steps": lambda chain: lambda value, image, gain: None if gain > 1 else value * 3 + np.arange(len(value)),
    "wrong matrix": lambda chain: newton_of_chain(chain, lambda value: value / 2),
}


@pytest.mark.parametrize("discount", ["1/1000", "9/10", *NEAR_ONE])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("start", [0.0, 1e12, -3.0])
def test_every_way_and_every_start_encloses_the_fixed_point(discount: str, way: str, start: float) -> None:
    chain = chain_of(discount)
    first = None if start == 0.0 else np.linspace(start, start / 3, len(chain.reward))
    found = enclose(chain, 1e-9, first, WAYS[way](chain))
    assert contains(found, chain.exact)
    assert found.work is not None
    assert (found.width.max() <= 1e-9) == (found.work.stop is StopReason.WIDTH)
    assert found.work.sweeps > 1
    assert (found.work.evaluations > 0) == (way != "value iteration")


@pytest.mark.parametrize("discount", NEAR_ONE)
@pytest.mark.parametrize("way", ["Newton", "value iteration"])
def test_near_discount_1_the_width_is_that_of_the_differences(discount: str, way: str) -> None:
    """Values are of the size 1 / (1 - gamma); the width is what one application rounds over 1 - gamma, not over its square."""
    chain = chain_of(discount)
    found = enclose(chain, 1e-30, None, WAYS[way](chain))
    assert found.work is not None
    assert found.work.stop is StopReason.PRECISION
    exact = chain.exact
    spread = max(exact) - min(exact)
    assert max(map(abs, exact)) > 1000 * spread
    rounded = rounding_error(len(exact) + 4, 8 + spread, 100)
    assert found.width.max() <= 4 * rounded / (1 - chain.discount) + Fraction(float(np.spacing(float(max(map(abs, exact))))))


@pytest.mark.parametrize("discount", ["9/10", *NEAR_ONE])
@pytest.mark.parametrize("leak", [2.0**-10, 2.0**-20, 0.0])
def test_chains_that_hardly_mix(discount: str, leak: float) -> None:
    """Plain steps gain next to nothing here; Newton's steps see the whole chain. A chain that falls apart has values that really differ."""
    chain = chain_of(discount, leak=leak)
    exact = chain.exact
    found = enclose(chain, 1e-9, None, newton_of_chain(chain, chain.moved))
    assert contains(found, exact)
    spread = max(exact) - min(exact)
    assert found.width.max() <= max(1e-9, 8 * rounding_error(len(exact) + 4, 8 + spread, 100) / (1 - chain.discount))


def test_an_understated_error_is_noticed() -> None:
    """The guarantee is that of the bound of the operator: an operator that rounds more than it says misses."""
    chain = chain_of("9/10")

    class Coarse(Chain):
        def apply(self, value: Any) -> Any:
            image = super().apply(value)
            return image - np.abs(image) * 2.0**-20

    class Honest(Coarse):
        def error(self, value: Any) -> Fraction:
            return Fraction(1, 2**19) * (1 + Fraction(float(np.abs(value).max())))

    given = chain.law, chain.reward, chain.discount
    assert not contains(enclose(Coarse(*given), 1e-9), chain.exact)
    assert contains(enclose(Honest(*given), 1e-9), chain.exact)


def test_a_joint_chain_agrees_with_the_plain_loop() -> None:
    chain = chain_of("99/100")
    same = JointRows(chain.reward[None], chain.discount, Fraction(1), Fraction(0), Law(csr_array(chain.law), EXACT))
    found = same.enclose(1e-9)
    assert all(found[0, i].contains(x) for i, x in enumerate(chain.exact))
    assert found.shape == same.shape == (1, len(chain.reward))


# --------------------------------------------------------------------------------------------------- every solver near discount 1


def near(make: Callable[[], Model], discount: str) -> Model:
    return replace(make(), discount=Fraction(discount))


def random_model() -> Model:
    return random_coupled(4)


def three_states() -> Model:
    """One agent in three states, two actions each."""
    kernel = [
        [[["1/4", "1/4", "1/2"], ["0", "1/4", "3/4"]]],
        [[["3/4", "0", "1/4"], ["1/4", "0", "3/4"]]],
        [[["1/2", "1/2", "0"], ["1/4", "1/4", "1/2"]]],
    ]
    reward = [[["11/20", "3/4"]], [["1", "4/5"]], [["6/5", "1"]]]
    return Model([[["1"]]], kernel, [["0"]], reward, "9/10", "three states")


@pytest.mark.parametrize("discount", NEAR_ONE)
@pytest.mark.parametrize(("make", "n"), [(coordination, 3), (random_model, 2), (three_states, 1), (three_states, 2)])
def test_optimal_values_near_discount_1(make: Callable[[], Model], n: int, discount: str) -> None:
    model = near(make, discount)
    exact = optimal_value(model, n, "rational")
    lumped, flat = optimal_value(model, n), optimal_value(model, n, "flat")
    assert lumped.intersects(exact)
    assert flat.intersects(exact)
    # A few dozen roundings of numbers of the size of a reward, over 1 - gamma.
    assert max(lumped.width.max(), flat.width.max()) <= 400 * 2.0**-53 * float((model.rt + 1) / (1 - model.discount))
    if n == 1:
        assert lumped.width.max() <= flat.width.max()


@pytest.mark.parametrize("discount", NEAR_ONE)
def test_executed_and_learned_values_near_discount_1(discount: str) -> None:
    model = near(random_model, discount)
    learned: Learned = learn(model, 2)
    narrow = 1000 * 2.0**-53 * float((model.rt + 1) / (1 - model.discount))
    assert learned.value.intersects(optimal_value(model, 2, "rational"))
    found = execution_value(model, 3, learned)
    assert found.intersects(exact_execution_value(learned, 3))
    shared = execution_value(model, 3, learned, "shared")
    sampled = enclose(SampledOperator(model, 2, 3, np.random.default_rng(1)), 1e-9)
    assert max(x.width.max() for x in (learned.value, found, shared, sampled)) <= narrow
