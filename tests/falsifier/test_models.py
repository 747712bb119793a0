"""Models that the falsifier makes: what templates promise, that the grid is complete, that changes and simplifications are models."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import islice, permutations, product

import numpy as np
import pytest

from mfverify import models
from mfverify.falsifier import templates
from mfverify.falsifier.grids import SIZES, grid
from mfverify.falsifier.model_moves import changed, random_model, simpler_models, tuned
from mfverify.falsifier.simplicity import simplicity
from mfverify.model import Model
from mfverify.models import HARD
from mfverify.models.absorbing import hard as of_absorbing
from mfverify.models.commitment import hard as of_commitment
from mfverify.models.coordination import hard as of_coordination
from mfverify.models.hard import Hard
from mfverify.models.preferences import hard as of_preferences
from mfverify.models.preferences import preferences
from mfverify.models.splitting import hard as of_splitting
from mfverify.papers.mean_field_sampling.remark_4_9 import never_changes_type
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.search_space import RANDOM_SIZES

HALF = Fraction(1, 2)


@pytest.mark.parametrize("family", HARD)
@pytest.mark.parametrize("places", (2, 3))
def test_every_family_has_models(family: Hard, places: int) -> None:
    for leaning in templates.LEANINGS:
        model = family.model(places, leaning, HALF, Fraction(8))
        assert model.rt >= 8
        assert len(model.name) <= 200


def test_families_reduce_to_the_bundled_models() -> None:
    assert of_coordination(2, Fraction(1, 100), HALF, Fraction(1)) == models.coordination()
    assert of_absorbing(2, Fraction(0), HALF, Fraction(1)) == models.absorbing()
    assert of_splitting(2, Fraction(1, 10), HALF, Fraction(1)) == models.splitting()
    assert of_commitment(2, Fraction(1, 16), HALF, Fraction(1)) == models.commitment()
    assert of_preferences(2, Fraction(0), HALF, Fraction(1)) == models.preferences()


def test_committed_agents_never_move_again() -> None:
    model = of_commitment(3, Fraction(-1, 4), HALF, Fraction(1))
    assert all((model.local_kernel[s, g, a] == np.eye(3, dtype=int)[s]).all() for s in range(3) for g in (1, 2, 3) for a in range(3))
    assert model.local_reward[0, 0].tolist() == [-Fraction(1, 4), 0, 0]


def renamed(model: Model) -> list[tuple[object, ...]]:
    """The model under every renaming of local states, local actions and places."""
    global_states, _, local_states, local_actions = model.sizes
    out = []
    for p in permutations(range(local_states)):
        for q in permutations(range(local_actions)):
            for r in permutations(range(global_states)):
                kernel = model.local_kernel[np.ix_(p, r, q, p)]
                reward = model.local_reward[np.ix_(p, r, q)]
                out.append((tuple(kernel.ravel()), tuple(reward.ravel())))
    return out


def test_random_models_have_global_states_that_are_left_at_once() -> None:
    """Where the global agent picks its next state and has fewer actions than there are states; about half of them."""
    rng, pick = random.Random(0), [[0, 1, 0], [0, 0, 1]]
    kernels = [random_model(rng, (3, 2, 2, 2), scaled=False).global_kernel for _ in range(20)]
    assert 5 <= sum((kernel == [pick] * 3).all() for kernel in kernels) <= 15


def test_the_grid_holds_every_small_model_once_up_to_names() -> None:
    found = list(grid(2, 1, 2))
    classes = {min(renamed(m)) for m in found}
    assert len(classes) == len(found), "no model comes twice"
    expected = set()
    for rows in product(((1, 0), (HALF, HALF), (0, 1)), repeat=2):
        for reward in product((-1, 0, 1), repeat=4):
            if any(reward):
                unit = [[1, 0], [0, 1]]
                local = [[[reward[2 * s + g]] for g in range(2)] for s in range(2)]
                expected.add(min(renamed(Model([unit] * 2, [[[row]] * 2 for row in rows], [[0, 0]] * 2, local, HALF))))
    assert classes == expected


def test_the_grid_comes_in_the_order_of_nonzero_rewards_and_coins() -> None:
    for size in SIZES:
        weights = []
        for model in islice(grid(*size), 200):
            coins = sum(HALF in row for moves in model.local_kernel[:, 0] for row in moves)
            weights.append(coins + np.count_nonzero(model.local_reward))
        assert weights == sorted(weights) and len(weights) == 200


def test_random_models_are_functions_of_the_seed() -> None:
    one, other = ([random_model(random.Random(5), sizes, True) for sizes in RANDOM_SIZES] for _ in range(2))
    assert [m.fingerprint for m in one] == [m.fingerprint for m in other]
    assert [m.sizes for m in one] == list(RANDOM_SIZES)


def test_changes_change_a_model_and_keep_its_sizes() -> None:
    rng = random.Random(1)
    model = models.splitting()
    found = [changed(model, rng) for _ in range(60)]
    kept = [m for m in found if m is not None]
    assert len(kept) > 50 and all(m.sizes == model.sizes for m in kept)
    assert sum(m != model for m in kept) > 40


def test_some_changes_keep_what_is_symmetric() -> None:
    """A model with a leaning becomes the same model with half of it, which takes several rewards at once."""
    other = of_commitment(3, Fraction(1, 32), HALF, Fraction(1))
    rng = random.Random(0)
    found = [changed(of_commitment(3, Fraction(1, 16), HALF, Fraction(1)), rng) for _ in range(600)]
    assert any(one is not None and (one.local_reward == other.local_reward).all() and one.discount == HALF for one in found)


def test_simplifications_are_simpler_in_one_respect() -> None:
    model = of_splitting(2, Fraction(1, 16), Fraction(3, 5), Fraction(8))
    found = list(simpler_models(model))
    own = simplicity(Subsampled(model, 2, 2))
    assert sum(simplicity(Subsampled(m, 2, 2)) < own for m in found) > 50
    assert {m.sizes for m in found} >= {(1, 2, 3, 2), (2, 1, 3, 2), (2, 2, 2, 2), (2, 2, 3, 1)}
    assert Fraction(1, 2) in {m.discount for m in found}


def test_tuned_models_differ_in_discount_and_scale_only() -> None:
    model = models.coordination()
    found = list(tuned(model))
    assert len(found) > 8
    for other in found:
        assert (other.local_kernel == model.local_kernel).all()
        assert other.local_reward[0, 0, 1] / other.local_reward[0, 0, 0] == model.local_reward[0, 0, 1] / model.local_reward[0, 0, 0]


def test_types_are_recognised() -> None:
    assert never_changes_type(preferences(2))
    assert not never_changes_type(models.coordination())
    assert not never_changes_type(models.absorbing())
