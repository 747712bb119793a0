"""The value from one start, by pushing the law forward, against the solvers that hold every state."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from mfverify import counts
from mfverify.errors import ModelError, TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.models import absorbing, coordination, exploration, patrol, random_coupled, redrawn, squeeze
from mfverify.simulation import simulate
from mfverify.subsample_mfq.draws import WORDS
from mfverify.subsample_mfq.execution import exact_execution_value, execution_value
from mfverify.subsample_mfq.from_start import execution_value_from
from mfverify.subsample_mfq.learning import learn
from tests.agreement.checks import model_of
from tests.oracles import random_instance

pytestmark = pytest.mark.slow  # the step is compiled once, which takes longer than all tests together
SMALL = 1e-12


@pytest.mark.parametrize(
    ("model", "n", "ks"),
    [
        (coordination(), 5, (1, 3, 5)),
        (absorbing(), 5, (1, 3)),
        (redrawn(), 6, (3,)),
        (random_coupled(4), 6, (2, 3)),
        (squeeze(), 2, (2,)),
        (exploration(), 2, (1,)),
    ],
    ids=lambda x: x.name if isinstance(x, Model) else str(x),
)
def test_it_contains_the_rational_value_from_every_start(model: Model, n: int, ks: tuple[int, ...]) -> None:
    for k in ks:
        learned = learn(model, k)
        exact = exact_execution_value(learned, n)
        for index in np.ndindex(exact.shape):
            found = execution_value_from(model, n, learned, (index[0], counts.count_vectors(n, model.sizes[2])[index[1]]), SMALL)
            assert found.value.lower <= exact[index].lower == exact[index].upper <= found.value.upper
            assert found.value.width < 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_random_models_of_random_sizes(seed: int) -> None:
    model = model_of(random_instance(seed, 2, 2, 2 + seed % 2, 2))
    n, learned = 3, learn(model, 2)
    every = execution_value(model, n, learned)
    for index in np.ndindex(every.shape):
        found = execution_value_from(model, n, learned, (index[0], counts.count_vectors(n, model.sizes[2])[index[1]]), SMALL)
        assert found.value.lower <= every[index].upper and every[index].lower <= found.value.upper
        assert found.value.width < 1e-6


@pytest.mark.parametrize("sampling", WORDS)
@pytest.mark.parametrize(("seed", "n", "sizes"), [(5, 4, (2, 2, 2, 2)), (6, 3, (1, 2, 3, 2))])
def test_every_way_of_drawing_from_every_start(seed: int, n: int, sizes: tuple[int, int, int, int], sampling: str) -> None:
    model = model_of(random_instance(seed, *sizes))
    learned = learn(model, 2)
    every = execution_value(model, n, learned, sampling)
    for index in np.ndindex(every.shape):
        start = index[0], counts.count_vectors(n, sizes[2])[index[1]]
        found = execution_value_from(model, n, learned, start, SMALL, sampling=sampling)
        assert found.value.lower <= every[index].upper and every[index].lower <= found.value.upper
        assert found.value.width < 1e-6


def test_another_way_of_drawing_has_another_value() -> None:
    """The check above can fail."""
    model, n, start = coordination(), 12, (0, (6, 6))
    learned = learn(model, 5)
    values = [execution_value_from(model, n, learned, start, sampling=sampling).value for sampling in ("independent", "shared")]
    assert values[0].upper < values[1].lower


def test_what_is_left_out_widens_the_enclosure_and_never_moves_it() -> None:
    model, n, k = patrol(), 8, 3
    learned = learn(model, k)
    exact = execution_value(model, n, learned)[0, 0]
    start = (0, counts.count_vectors(n, 3)[0])
    widths = []
    for smallest in (1e-2, 1e-4, 1e-6, 1e-8, 1e-12):
        found = execution_value_from(model, n, learned, start, smallest)
        assert found.value.lower <= exact.lower <= exact.upper <= found.value.upper
        assert 0 < found.left_out <= 1
        widths.append(found.value.width)
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 1 > 1e-6 > widths[-1]


def test_another_policy_has_another_value() -> None:
    """The check above can fail: the values of two policies are distinguished."""
    model, n = coordination(), 12
    start = (0, (6, 6))
    two = [execution_value_from(model, n, learn(model, k), start).value for k in (1, 11)]
    assert two[0].upper < two[1].lower or two[1].upper < two[0].lower
    assert abs(two[0] - two[1]).lower > Fraction(1, 100)


def test_fifty_agents_on_nine_cells_beside_the_simulator() -> None:
    """Out of reach of the solvers that hold every state: C(58, 8) count vectors for each centre."""
    model, n, start = exploration(3), 50, (4, (25, 0, 0, 0, 0, 0, 0, 0, 25))
    learned = learn(model, 2)
    found = execution_value_from(model, n, learned, start, 1e-8)
    assert found.value.width < 0.02
    seen = simulate(model, n, learned, start, episodes=400, seed=1)
    assert seen.lower <= found.value.upper and found.value.lower <= seen.upper


def test_it_refuses_what_it_cannot_do() -> None:
    model = coordination()
    learned = learn(model, 3)
    with pytest.raises(ModelError, match="start: found"):
        execution_value_from(model, 5, learned, (0, (2, 2)))
    with pytest.raises(ModelError, match="subsample: found 3"):
        execution_value_from(model, 2, learned, (0, (1, 1)))
    with pytest.raises(ModelError, match="learned on the model"):
        execution_value_from(patrol(), 5, learned, (0, (2, 2, 1)))
    with pytest.raises(ModelError, match="smallest: found 0"):
        execution_value_from(model, 5, learned, (0, (2, 3)), 0.0)
    with pytest.raises(TooLargeError, match="spreads over"):
        execution_value_from(patrol(), 20, learn(patrol(), 2), (0, (10, 5, 5)), most_states=50)
    with pytest.raises(TooLargeError, match="agents"):
        execution_value_from(coordination(), 1001, learned, (0, (1, 1000)))
    with pytest.raises(TooLargeError, match="numbered"):
        execution_value_from(exploration(3), 200, learn(exploration(3), 1), (0, (200, *[0] * 8)))


def test_an_undecided_tie_on_the_way_is_an_error() -> None:
    model = coordination()
    learned = learn(model, 3)
    learned.local_action[0, 1] = -2
    with pytest.raises(UndecidedTieError):
        execution_value_from(model, 6, learned, (0, (3, 3)))
