"""Quantities that several claims need, computed once per process: optima, learned policies, executed values."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from mfverify.enclosure import Interval
from mfverify.exact.optimal import optimal_value
from mfverify.exact.rational import RationalSystem
from mfverify.model import Model, derived_name
from mfverify.rationals import parameter, written
from mfverify.subsample_mfq.draws import way
from mfverify.subsample_mfq.execution import execution_value
from mfverify.subsample_mfq.learning import Learned, Regime, learn

if TYPE_CHECKING:
    from mfverify.enclosure import Enclosure


def trivial_gap(model: Model) -> Interval:
    """``2 rt/(1-gamma)``, which the difference of two values never exceeds."""
    return Interval.exactly(2 * model.rt / (1 - model.discount))


@lru_cache(maxsize=256)
def optimum(model: Model, n: int) -> Enclosure:
    """``V*`` of the n-agent system."""
    return optimal_value(model, n)


@lru_cache(maxsize=256)
def learned(model: Model, k: int) -> Learned:
    """The greedy policy of the exact k-agent system."""
    return learn(model, k)


def policy(model: Model, k: int, sampling: str) -> Learned:
    """What agents that draw in one way need to act: the learned policy, or the model and k alone."""
    return learned(model, k) if way(sampling).table else learn(model, k, regime=Regime.NONE)


@lru_cache(maxsize=256)
def executed(model: Model, n: int, k: int, sampling: str) -> Enclosure:
    """``V^{pi_k}`` of the n-agent system, exact operator (eps = 0)."""
    return execution_value(model, n, policy(model, k, sampling), sampling)


@lru_cache(maxsize=64)
def rational_system(model: Model, n: int) -> RationalSystem:
    """The n-agent system in exact arithmetic."""
    return RationalSystem(model, n)


def exact_values(model: Model, n: int) -> list[list[str]]:
    """``V*`` of the n-agent system as fractions in texts, for each global state in the order of ``count_vectors``."""
    system = rational_system(model, n)
    return [[written(x) for x in row] for row in system.array(system.optimum)]


def scaled(model: Model, factor: Fraction | int) -> Model:
    """The model with all rewards multiplied by ``factor``: the same policies, every value multiplied."""
    kernels, name = (model.global_kernel, model.local_kernel), derived_name(model.name, after=f", rewards times {parameter(factor)}")
    return Model(*kernels, model.global_reward * factor, model.local_reward * factor, model.discount, name)
