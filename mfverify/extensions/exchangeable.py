"""Exchangeable rewards that are not additive over agents: what the paper's eq. 2 excludes, solved exactly.

The reward of n agents is any function of the global state, the global action and the empirical distribution ``F`` of the
agents' state-action pairs, as in the Gaussian squeeze as it is stated: ``x exp(-(x - mu)^2 / sigma^2)`` of the average
``x``. Agents stay exchangeable, so count vectors still suffice; what is lost is the paper's analysis, and with it every
claim about the gap. A k-agent subsystem has the same function of *its* empirical distribution, which is the natural
reading of eq. 6. Everything here is exact (python-flint rationals) and meant for systems that
:class:`~mfverify.exact.rational.RationalSystem` can hold: up to thousands of action counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import factorial, prod
from typing import TYPE_CHECKING, TypeAlias

import flint
import numpy as np

from mfverify import counts
from mfverify.enclosure import Enclosure, StopReason, Work
from mfverify.errors import ModelError
from mfverify.exact.rational import JointAction, RationalSystem, fraction, solve_chain
from mfverify.models.squeeze import squeeze_weight
from mfverify.rationals import exact
from mfverify.subsample_mfq.execution import policy_marginals
from mfverify.subsample_mfq.learning import Learned, Regime
from mfverify.subsample_mfq.ties import Maximisers

if TYPE_CHECKING:
    from mfverify.model import Model

ExchangeableReward: TypeAlias = Callable[[int, int, Sequence[Fraction]], Fraction]
"""``(s_g, a_g, F) -> reward``, with ``F`` the empirical distribution over ``Z_l`` (``z = s A + a``), entries summing to one."""


def average_squeeze(levels: int, mu: str | Fraction = "1", sigma: str | Fraction = "1") -> ExchangeableReward:
    """The Gaussian squeeze as it is stated, per agent: ``x exp(-(x - mu)^2 / sigma^2)`` of the average action ``x``.

    Local actions ``0 .. levels - 1`` are amounts. Weights are rounded to six decimals (``models/squeeze.py``).
    """
    centre, spread = exact(mu, "mu"), exact(sigma, "sigma")

    def reward(_g: int, _b: int, shares: Sequence[Fraction]) -> Fraction:
        average = sum((share * (z % levels) for z, share in enumerate(shares)), Fraction(0))
        return average * squeeze_weight(average, centre, spread)

    return reward


class ExchangeableSystem(RationalSystem):
    """The n-agent system of a model with an exchangeable reward added to the model's own."""

    def __init__(self, model: Model, n: int, exchangeable: ExchangeableReward) -> None:
        super().__init__(model, n)
        self.exchangeable = exchangeable
        self._rewards: dict[tuple[int, JointAction], flint.fmpq] = {}

    def reward(self, g: int, action: JointAction) -> flint.fmpq:
        """The model's reward plus the exchangeable one of the joint action's empirical distribution."""
        known = self._rewards.get((g, action))
        if known is None:
            b, d = action
            more = self.exchangeable(g, b, [Fraction(x, self.n) for x in d])
            known = super().reward(g, action) + flint.fmpq(more.numerator, more.denominator)
            self._rewards[g, action] = known
        return known

    def enclosed_optimum(self) -> Enclosure:
        """``V*`` as an enclosure that carries the Fractions, axes ``[g, rank of the count vector]``."""
        return Enclosure.of_fractions(self.array(self.optimum), Work(StopReason.EXACT, pairs_per_sweep=self.pairs))


def learn_exchangeable(model: Model, k: int, exchangeable: ExchangeableReward) -> Learned:
    """Algorithm 1 on the k-agent subsystem with its own exchangeable reward; every tie is decided exactly."""
    system = ExchangeableSystem(model, k, exchangeable)
    value = system.optimum
    choices = {state: Maximisers(tuple(system.greedy(state, value)[1])) for state in system.states}
    return Learned(model, k, system.enclosed_optimum(), Regime.MEAN_FIELD, choices)


def execution_value_exchangeable(model: Model, n: int, learned: Learned, exchangeable: ExchangeableReward) -> Enclosure:
    """The exact value of Algorithm 2 with independent draws under an exchangeable reward.

    Given the state all agents act independently, so the joint action counts are a product of multinomials, over which the
    reward is averaged directly. Raises :class:`ModelError` for k > n. Cost: states times joint action counts.
    """
    if learned.k > n:
        raise ModelError(f"subsample: found {learned.k}, expected at most agents = {n}")
    system = ExchangeableSystem(model, n, exchangeable)
    marginals = policy_marginals(learned, n)
    of_global, of_local = marginals.global_action, marginals.local_action
    rows = {}
    rewards = {}
    for g, c in system.states:
        i = system.position[c]
        row: dict[tuple[int, tuple[int, ...]], flint.fmpq] = {}
        reward = flint.fmpq(0)
        for d, p in _action_count_law(c, of_local[g, i]):
            for b, q in enumerate(of_global[g, i]):
                if q:
                    reward += _fmpq(p * q) * system.reward(g, (b, d))
                    for h, move in enumerate(model.global_kernel[g, b]):
                        if move:
                            for target, w in system.law(g, d).items():
                                row[h, target] = row.get((h, target), flint.fmpq(0)) + _fmpq(p * q * move) * w
        rows[g, c] = row
        rewards[g, c] = reward
    value = solve_chain(rows, rewards, _fmpq(model.discount))
    exact = np.array([[fraction(value[g, c]) for c in system.vectors] for g in range(model.sizes[0])], dtype=object)
    return Enclosure.of_fractions(exact)


def _action_count_law(c: tuple[int, ...], mixtures: np.ndarray) -> Iterator[tuple[tuple[int, ...], Fraction]]:
    """The law of the joint action counts when the ``c_s`` agents in state ``s`` choose independently from ``mixtures[s]``."""
    per_state: list[list[tuple[tuple[int, ...], Fraction]]] = []
    for x, mixture in zip(c, mixtures, strict=True):
        support = [a for a, p in enumerate(mixture) if p]
        options = []
        for split in counts.count_vectors(x, len(support)).tolist() if support else [[]]:
            whole = [0] * len(mixture)
            for a, number in zip(support, split, strict=True):
                whole[a] = number
            ways = factorial(x) // prod(factorial(number) for number in split)
            options.append(
                (tuple(whole), ways * prod((mixture[a] ** number for a, number in zip(support, split, strict=True)), start=Fraction(1)))
            )
        per_state.append(options)
    for picked in product(*per_state):
        yield tuple(x for part, _ in picked for x in part), prod((p for _, p in picked), start=Fraction(1))


def _fmpq(x: Fraction) -> flint.fmpq:
    return flint.fmpq(x.numerator, x.denominator)
