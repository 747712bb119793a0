"""Linear processes: the reduction against exact quadrature on a finer grid, the regression against its normal equations."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from mfverify import Model, ModelError, execution_value, learn
from mfverify.exact.rational import RationalSystem, fraction
from mfverify.extensions.linear_mdp import (
    LinearMDP,
    cell_counts,
    estimated_kernel,
    learn_with_kernel,
    random_mixture,
    regress,
    sample_transitions,
    sampled_kernel,
    spread,
)
from mfverify.models import absorbing, coordination, random_coupled
from tests import oracles
from tests.agreement.checks import instance_of
from tests.oracles import Instance, LabelledSystem, nested

PROCESSES = [random_mixture(1), random_mixture(6), random_mixture(9), spread(coordination()), spread(absorbing())]


def pieces(process: LinearMDP) -> list[tuple[Fraction, Fraction]]:
    """Every cell cut at a third: intervals on which all densities are constant."""
    return [(a, b) for low, high in pairwise(process.breaks) for a, b in pairwise((low, low + (high - low) / 3, high))]


def quadrature(process: LinearMDP, x: Fraction, g: int, a: int) -> list[Fraction]:
    """Exact integrals of the next state's density over the pieces."""
    return [(high - low) * process.density((low + high) / 2, x, g, a) for low, high in pieces(process)]


def on_finer_grid(process: LinearMDP) -> Instance:
    """A finite system whose local states are the pieces, each acting through its own left end."""
    reduced = instance_of(process.reduction)
    points = [low for low, _ in pieces(process)]
    sizes = (len(points), reduced.sizes[0], reduced.sizes[3])
    kernel = nested(sizes, lambda i, g, a: tuple(quadrature(process, points[i], g, a)))
    reward = nested(sizes, lambda i, g, a: process.reward[process.cell(points[i]), g, a])
    return replace(reduced, local_kernel=kernel, local_reward=reward)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.reduction.name)
def test_kernel_of_the_reduction_against_quadrature(process: LinearMDP) -> None:
    cells, states, actions = process.reward.shape
    for i, (low, high) in enumerate(pairwise(process.breaks)):
        for x in (low, (2 * low + high) / 3):
            for g in range(states):
                for a in range(actions):
                    masses = quadrature(process, x, g, a)
                    assert sum(masses) == 1
                    assert list(process.reduction.local_kernel[i, g, a]) == [masses[2 * j] + masses[2 * j + 1] for j in range(cells)]


@pytest.mark.parametrize("process", PROCESSES[:4], ids=lambda p: p.reduction.name)
@pytest.mark.parametrize("n", [1, 2])
def test_optimum_of_the_reduction_against_the_finer_grid(process: LinearMDP, n: int) -> None:
    """The optimal value at points of [0, 1], solved on pieces that split every cell, is the reduction's value at their cells."""
    fine = LabelledSystem(on_finer_grid(process), n)
    reduced = RationalSystem(process.reduction, n).optimum
    cells = process.reward.shape[0]
    assert len(fine.optimum) == process.reduction.sizes[0] * (2 * cells) ** n
    for (g, s), value in fine.optimum.items():
        at = [i // 2 for i in s]
        assert fraction(reduced[g, tuple(at.count(j) for j in range(cells))]) == value


@pytest.mark.parametrize("process", [random_mixture(1), random_mixture(9), spread(coordination())], ids=lambda p: p.reduction.name)
@pytest.mark.parametrize("k", [1, 2])
def test_executed_policy_of_the_reduction_against_the_finer_grid(process: LinearMDP, k: int) -> None:
    """Algorithms 1 and 2 on the pieces have the values of the reduction: sampling and learning see cells only."""
    n, cells = 2, process.reward.shape[0]
    fine = oracles.execution_value(on_finer_grid(process), n, k, "independent")
    found = execution_value(process.reduction, n, learn(process.reduction, k))
    vectors = oracles.all_count_vectors(n, cells)
    for (g, c), value in fine.items():
        coarse = tuple(c[2 * j] + c[2 * j + 1] for j in range(cells))
        interval = found[g, vectors.index(coarse)]
        assert interval.lower <= value <= interval.upper


@pytest.mark.parametrize("model", [coordination(), absorbing(), random_coupled(96)], ids=lambda m: m.name)
def test_spreading_a_model_and_reducing_gives_it_back(model: Model) -> None:
    assert spread(model).reduction == model


def test_a_mixture_has_fewer_components_than_cells() -> None:
    process = random_mixture(1)
    assert process.measures.shape == (2, 3)
    assert process.features.shape == (3, 2, 2, 2)
    assert (process.reduction.local_kernel == random_mixture(1).reduction.local_kernel).all()
    assert process.reduction != random_mixture(2).reduction


def test_cells_own_their_left_end() -> None:
    process = spread(absorbing())
    third = Fraction(1, 3)
    assert [process.cell(x) for x in (Fraction(0), third - Fraction(1, 10**9), third, 2 * third, Fraction(1))] == [0, 0, 1, 2, 2]
    with pytest.raises(ModelError, match="from 0 to 1"):
        process.cell(Fraction(-1, 10))


def test_points_beside_a_break_are_counted_exactly() -> None:
    """Doubles around 1/3 and 2/3, which no double hits: each is counted in the cell of its exact value."""
    process = spread(absorbing())
    points = [x for b in (1 / 3, 2 / 3) for x in (np.nextafter(b, 0.0), b, np.nextafter(b, 1.0))]
    cells = [process.cell(Fraction(float(x))) for x in points]
    assert len(set(cells)) == 3
    assert cell_counts(process, np.array(points)).tolist() == [cells.count(j) for j in range(3)]


def test_transitions_fall_where_the_density_is_and_as_often() -> None:
    """Hoeffding's bound for every cell of every law, all at once with failure probability below 1e-9."""
    process, samples = random_mixture(1), 4000
    points = sample_transitions(process, samples, np.random.default_rng(0))
    assert points.shape == (3, 2, 2, samples)
    hits = cell_counts(process, points)
    assert (hits.sum(axis=-1) == samples).all()
    radius = np.sqrt(np.log(2 * hits.size * 1e9) / (2 * samples))
    for index in np.ndindex(process.reward.shape):
        i, g, a = index
        assert all(process.density(Fraction(float(x)), process.breaks[i], g, a) > 0 for x in points[index][:50])
        for j, p in enumerate(process.reduction.local_kernel[index]):
            assert abs(hits[*index, j] / samples - float(p)) <= radius
    # Within a cell the density is even: the mean of the points of the likeliest cell is near its middle.
    i, g, a, j = np.unravel_index(int(hits.argmax()), hits.shape)
    low, high = float(process.breaks[j]), float(process.breaks[j + 1])
    inside = points[i, g, a][(points[i, g, a] >= low) & (points[i, g, a] < high)]
    assert abs(inside.mean() - (low + high) / 2) <= (high - low) * np.sqrt(np.log(2e9) / (2 * len(inside)))


def test_regression_on_one_hot_features_by_hand() -> None:
    """One-hot features and ridge 1: hits over visits + 1, then normalised to the plain frequencies."""
    process = spread(coordination())
    hits = np.zeros((2, 2, 2, 2), dtype=np.int64)
    hits[:, :, 0] = (3, 1)  # action 0 leads to component 0: 4 pairs, 16 transitions, 12 of them into cell 0
    hits[:, :, 1] = (0, 4)
    assert regress(process, hits).tolist() == [[Fraction(12, 17), Fraction(4, 17)], [Fraction(0), Fraction(16, 17)]]
    kernel = estimated_kernel(process, hits)
    assert all(list(kernel[i, g, 0]) == [Fraction(3, 4), Fraction(1, 4)] for i in range(2) for g in range(2))
    assert all(list(kernel[i, g, 1]) == [Fraction(0), Fraction(1)] for i in range(2) for g in range(2))


@pytest.mark.parametrize("seed", [1, 6, 9, 10])
def test_regression_solves_the_normal_equations(seed: int) -> None:
    process = random_mixture(seed)
    hits = cell_counts(process, sample_transitions(process, 7, np.random.default_rng(seed)))
    found = regress(process, hits)
    for j in range(hits.shape[-1]):
        for m in range(found.shape[0]):
            residual = -found[m, j]
            for index in np.ndindex(process.reward.shape):
                phi = process.features[index]
                predicted = sum((p * found[x, j] for x, p in enumerate(phi)), Fraction(0))
                residual += phi[m] * (int(hits[*index, j]) - 7 * predicted)
            assert residual == 0


def test_predictions_below_zero_are_clipped_and_normalised() -> None:
    """The share of cell 0 is 1, 0, 0 at the abscissae 0, 1/4, 1 of the features: the least-squares line is below zero at 1."""
    shares = (Fraction(0), Fraction(1, 4), Fraction(1))
    features = np.array([[[[1 - x, x]]] for x in shares], dtype=object)
    measures = np.array([[1, 0, 0], [0, 0, 1]], dtype=object)
    rows = [[[[1, 0, 0]]]] * 3
    surroundings = Model([[[1]]], rows, [[0]], [[[0]]] * 3, discount=Fraction(1, 2), name="overshoot")
    breaks = (Fraction(0), *(Fraction(i, 3) for i in (1, 2)), Fraction(1))
    process = LinearMDP(breaks, features, measures, np.array([[[Fraction(0)]]] * 3, dtype=object), surroundings)
    hits = np.array([[[[1000, 0, 0]]], [[[0, 0, 1000]]], [[[0, 0, 1000]]]])
    predicted = process.features @ regress(process, hits)
    assert predicted[2, 0, 0, 0] < 0 < predicted[0, 0, 0, 0]
    kernel = estimated_kernel(process, hits)
    assert list(kernel[2, 0, 0]) == [0, 0, 1]
    assert list(kernel[0, 0, 0]) == [p / sum(predicted[0, 0, 0]) for p in predicted[0, 0, 0]]


def test_more_transitions_bring_the_estimate_nearer() -> None:
    process = random_mixture(1)
    truth = process.reduction.local_kernel
    errors = [max(abs(x) for x in (sampled_kernel(process, m, 0) - truth).ravel()) for m in (10, 40_000)]
    assert errors[1] < errors[0] / 4


def test_a_policy_is_learned_with_the_assumed_kernel_and_kept_for_the_true_model() -> None:
    process = spread(random_coupled(4))
    truth = process.reduction.local_kernel
    told = learn_with_kernel(process, truth, 3)
    plain = learn(process.reduction, 3)
    assert told.model == process.reduction
    assert told.global_action.tolist() == plain.global_action.tolist()
    assert told.local_action.tolist() == plain.local_action.tolist()
    misled = learn_with_kernel(process, truth[:, :, ::-1], 3)
    assert misled.model == process.reduction
    assert misled.local_action.tolist() != plain.local_action.tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"breaks": (Fraction(0), Fraction(1, 2))}, "ascend from 0 to 1"),
        ({"breaks": (Fraction(0), Fraction(1))}, "measures: found shape"),
        ({"features": np.ones((2, 2, 2, 2), dtype=object)}, "features\\[0, 0, 0\\]"),
        ({"features": np.ones((2, 2, 2, 3), dtype=object)}, "features: found shape"),
        ({"measures": np.array([[2, -1], [0, 1]], dtype=object)}, "measures\\[0\\]"),
    ],
)
def test_what_is_no_linear_process_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        replace(spread(coordination()), **change)
