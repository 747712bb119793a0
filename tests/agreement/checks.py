"""Checks of the solvers against the brute-force oracles, shared by the agreement tests and by those that sabotage a solver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest

from mfverify.bellman import small
from mfverify.exact.optimal import optimal_value
from mfverify.model import Model
from mfverify.subsample_mfq import small_chains
from mfverify.subsample_mfq.execution import exact_execution_value, execution_value
from mfverify.subsample_mfq.learning import NOBODY, Learned, learn
from mfverify.subsample_mfq.limit_plans import limit_of
from tests import oracles
from tests.oracles import Greedy, Instance, LabelledSystem, all_count_vectors, assert_encloses

WIDTH = 1e-9
"""The width that the solvers promise by default."""


@contextmanager
def as_large() -> Iterator[None]:
    """No system counts as small: what is solved is solved as a large one is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "solve_alone", lambda *_: None)
        patch.setattr(small_chains, "fits", lambda *_: False)
        yield


def both_ways() -> tuple[AbstractContextManager[None], ...]:
    """As a small system, if it is one, and as a large one."""
    return nullcontext(), as_large()


@lru_cache(maxsize=100)
def model_of(instance: Instance) -> Model:
    """The instance as users would type it."""
    return Model(
        instance.global_kernel, instance.local_kernel, instance.global_reward, instance.local_reward, instance.discount, name=instance.name
    )


def instance_of(model: Model) -> Instance:
    """The data of a bundled model, for the oracles."""
    arrays = (model.global_kernel, model.local_kernel, model.global_reward, model.local_reward)
    kernel, local_kernel, reward, local_reward = (oracles.nested(a.shape, lambda *i, a=a: Fraction(a[i])) for a in arrays)
    return Instance(kernel, local_kernel, reward, local_reward, model.discount, model.name)


@lru_cache(maxsize=100)
def policy_of(instance: Instance, k: int, large: bool) -> Learned:
    """What k agents learn: once for all ways of drawing, as a small system, if it is one, or as a large one."""
    with as_large() if large else nullcontext():
        return learn(model_of(instance), k)


@lru_cache(maxsize=100)
def rules_of(instance: Instance) -> oracles.PlanRules:
    """The plans of the mean-field limit as data, for the oracles."""
    limit = limit_of(model_of(instance))
    return oracles.PlanRules(
        [[[Fraction(x) for x in row] for row in rows] for rows in (part.tolist() for part in limit.vectors)],
        [list(zip(b.tolist(), own.tolist(), strict=True)) for b, own in zip(limit.global_action, limit.local_action, strict=True)],
        [part.tolist() for part in limit.next_plan],
    )


def check_optimal_value(instance: Instance, n: int, method: str) -> None:
    """The solver's enclosure contains the labelled optimum in every entry and is as narrow as promised."""
    system = LabelledSystem(instance, n)
    for way in both_ways() if method == "lumped" else (nullcontext(),):
        with way:
            found = optimal_value(model_of(instance), n, method)
        assert_encloses(found, system.by_counts(system.optimum), instance, n)
        assert found.width.max() <= WIDTH


def check_methods_agree(instance: Instance, n: int) -> None:
    """Flat and lumped enclose one value, each as narrowly as promised."""
    model = model_of(instance)
    flat = optimal_value(model, n, "flat")
    assert flat.width.max() <= WIDTH
    for way in both_ways():
        with way:
            lumped = optimal_value(model, n, "lumped")
        assert lumped.width.max() <= WIDTH
        assert flat.intersects(lumped)


def check_policy(instance: Instance, learned: Learned) -> None:
    """The policy tables are those of the labelled k-agent system with the documented tie-breaking, sample by sample."""
    k = learned.k
    greedy = Greedy(LabelledSystem(instance, k))
    global_states, _, local_states, _ = instance.sizes
    assert learned.undecided == []
    vectors = all_count_vectors(k, local_states)
    assert learned.global_action.shape == (global_states, len(vectors))
    for g in range(global_states):
        for i, c in enumerate(vectors):
            sample = tuple(s for s, x in enumerate(c) for _ in range(x))
            assert learned.global_action[g, i] == greedy.global_action(g, sample), f"{instance.name}, k={k}, global agent in {(g, c)}"
            for s in range(local_states):
                others = list(sample)
                wanted = NOBODY
                if s in others:
                    others.remove(s)
                    wanted = greedy.local_action(g, s, tuple(others))
                assert learned.local_action[g, i, s] == wanted, f"{instance.name}, k={k}, local agent {s} in {(g, c)}"


def check_execution(instance: Instance, n: int, k: int, sampling: str) -> None:
    """The solver's enclosure contains the value of the labelled chain in every entry and is as narrow as promised."""
    expected = oracles.execution_value(instance, n, k, sampling, rules_of(instance))
    for large, way in enumerate(both_ways()):
        with way:
            found = execution_value(model_of(instance), n, policy_of(instance, k, bool(large)), sampling)
        assert_encloses(found, expected, instance, n)
        assert found.width.max() <= WIDTH


def check_against_exact(learned: Learned, n: int) -> None:
    """The enclosure of independent draws contains the value computed in rational arithmetic, entry by entry."""
    exact = exact_execution_value(learned, n).exact
    assert exact is not None
    for way in both_ways():
        with way:
            found = execution_value(learned.model, n, learned)
        assert found.width.max() <= WIDTH
        assert exact.shape == found.shape
        for index, value in np.ndenumerate(exact):
            low, up = Fraction(float(found.lower[index])), Fraction(float(found.upper[index]))
            assert low <= value <= up, f"n={n}, {index}: [{float(low)!r}, {float(up)!r}] misses {float(value)!r}"


def random_doubles(shape: tuple[int, ...], seed: int, scale: float) -> np.ndarray:
    """Doubles of both signs with full mantissas."""
    return scale * np.random.default_rng(seed).uniform(-1.0, 1.0, shape)
