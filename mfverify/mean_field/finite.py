r"""Any number of agents, enclosed by the mean-field limit below and by the limit or by fewer agents above.

For every k <= n, with ``Delta`` a uniform k-subset of the n agents and ``D_n(s_g)`` the bound of claim V2p (``fluctuation.py``):

    V_inf(s_g, F)  <=  V_n(s_g, F)  <=  min( V_inf(s_g, F) + gamma^2 rt_l sqrt((|S_l|-1)/n) / (1-gamma)^2,  V_inf(s_g, F) + D_n(s_g),
                                             E V_k(s_g, F_Delta) ).

*Left* (V1). n agents can follow a plan, each independently; what they earn in expectation is linear in F, as for infinitely many.
*Fewer agents* are optimistic (claim R1). *The rate* (V2s). Let D be the largest ``V_n - V_inf``. Let n agents play an optimal joint action, and
infinitely many the same shares of actions. The rewards are equal; the next distribution F' of the n agents has the next distribution of the
infinitely many as its mean G, with ``E TV(F', G) <= (1/2) sum_s sqrt(Var F'(s)) <= (1/2) sqrt(|S_l| sum_s Var F'(s)) <= (1/2) sqrt((|S_l|-1)/n)``,
since n independent agents have ``n sum_s Var F'(s) <= 1 - 1/|S_l|``. Let ``alpha`` be a plan that is best at F', and ``m(s)`` the largest local
reward of its first step, which does not depend on F'. Then ``V_inf(h, F') - V_inf(h, G) <= <alpha, F' - G>``, ``E <m, F' - G> = 0``, and two
values of ``alpha - m`` differ by at most ``2 gamma rt_l/(1-gamma)``. Hence ``D <= gamma (D + gamma rt_l sqrt((|S_l|-1)/n)/(1-gamma))``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import comb, prod
from typing import TYPE_CHECKING, Final

import numpy as np

from mfverify import counts
from mfverify.enclosure import Enclosure, Interval, StopReason, add_up, round_up, rounding_error
from mfverify.errors import ModelError
from mfverify.mean_field.fluctuation import distances, root_up

if TYPE_CHECKING:
    from mfverify.mean_field.limit import MeanFieldLimit
    from mfverify.model import Model
    from mfverify.notation import Floats

_MOST_STEPS: Final = 2 * 10**9
"""Sums that the expectation over subsets may take for all count vectors; with more only the rate is used."""


def rate(model: Model, n: int) -> Fraction:
    """``gamma^2 rt_l sqrt((|S_l|-1)/n) / (1-gamma)^2``, rounded up: by how much n agents are worth more than infinitely many, at most (V2s)."""
    return model.discount**2 * model.rt_l * root_up(Fraction(model.sizes[2] - 1, n)) / (1 - model.discount) ** 2


def distance(limit: MeanFieldLimit, n: int) -> list[Fraction]:
    """By how much n agents are worth more than infinitely many, at most, for each global state: the smaller of the rate and of V2p's bound."""
    return [min(rate(limit.model, n), one) for one in distances(limit, n)]


def expected_upper(upper: Floats, k: int, population: tuple[int, ...]) -> Fraction:
    """``E upper[rank of the counts of a uniform k-subset]``, exactly; ``upper`` has the order of ``count_vectors(k, |S_l|)``.

    Cost: one product of binomial coefficients for each of at most ``C(k + |S_l| - 1, |S_l| - 1)`` samples.
    """
    total = Fraction(0)
    for sample in counts.count_vectors(k, len(population)).tolist():
        if all(x <= c for x, c in zip(sample, population, strict=True)):
            weight = prod(comb(c, x) for c, x in zip(population, sample, strict=True))
            total += weight * Fraction(float(upper[int(counts.rank(sample))]))
    return total / comb(sum(population), k)


def population_of_state(model: Model, s_g: int, population: Sequence[int]) -> int:
    """How many agents a state ``(s_g, population)`` of the model has; :class:`ModelError` for what is no state."""
    size = model.sizes[2]
    if isinstance(s_g, bool) or not isinstance(s_g, (int, np.integer)) or not 0 <= s_g < model.sizes[0]:
        raise ModelError(f"state: found the global state {s_g!r}, expected 0 to {model.sizes[0] - 1}")
    if len(population) != size or any(isinstance(c, bool) or not isinstance(c, (int, np.integer)) or c < 0 for c in population):
        raise ModelError(f"state: found the counts {population!r}, expected {size} integers >= 0")
    if sum(population) < 1:
        raise ModelError("state: found no agent, expected at least one")
    return int(sum(int(c) for c in population))


def enclose_state(limit: MeanFieldLimit, s_g: int, population: Sequence[int], fewer: tuple[int, Enclosure] | None = None) -> Interval:
    """``V_n(s_g, c)`` for the count vector ``c = population`` of n >= 1 agents.

    ``fewer``: a number of agents k <= n and their optimal value, for the right end by E V_k. Raises :class:`ModelError` for what is no state.
    """
    n = population_of_state(limit.model, s_g, population)
    found = tuple(int(c) for c in population)
    below = limit.enclose(s_g, [Fraction(c, n) for c in found])
    upper = below.upper + distance(limit, n)[s_g]
    if fewer is not None and fewer[0] <= n:
        upper = min(upper, expected_upper(fewer[1].upper[s_g], fewer[0], found))
    return Interval(below.lower, max(upper, below.lower))


def enclose_all(limit: MeanFieldLimit, n: int, fewer: tuple[int, Enclosure] | None = None, width: float = 0.0) -> Enclosure:
    """``V_n`` for all count vectors, axes ``[g, rank in count_vectors(n, |S_l|)]``; ``fewer`` as in :func:`enclose_state`.

    ``work.stop`` says whether ``width`` is reached. Raises :class:`TooLargeError` where the count vectors do not fit. Cost of the expectation
    over subsets: ``|S_g| |S_l|`` sums for each number of agents from k + 1 to n and each count vector of so many.
    """
    below = limit.value(n)
    upper = add_up(below.upper, np.array([[round_up(one)] for one in distance(limit, n)]))
    if fewer is not None and fewer[0] <= n and _steps(limit.model, fewer[0], n) <= _MOST_STEPS:
        upper = np.minimum(upper, np.maximum(_expected_over_subsets(fewer[1].upper, fewer[0], n, limit.model.sizes[2]), below.lower))
    found = Enclosure(below.lower, upper)
    stop = StopReason.WIDTH if bool(found.width.max() <= width) else StopReason.BOUNDS
    return Enclosure(below.lower, upper, None, replace(limit.work, stop=stop))


def _steps(model: Model, k: int, n: int) -> int:
    return model.sizes[0] * model.sizes[2] * (n - k) * counts.number_of_count_vectors(n, model.sizes[2])


def _expected_over_subsets(upper: Floats, k: int, n: int, size: int) -> Floats:
    """``E upper[g, Delta]`` over uniform k-subsets, rounded up, for all count vectors of n agents.

    A uniform subset of one agent fewer is the population without a uniformly chosen agent: step by step from k to n. Each step is a convex
    combination, whose roundings (a quotient, a product, |S_l| - 1 sums) are relative to the largest entry, and errors add up over the steps.
    """
    value = upper
    for agents in range(k + 1, n + 1):
        vectors = counts.count_vectors(agents, size)
        total = np.zeros((len(upper), len(vectors)))
        for s in range(size):
            without = vectors.copy()
            without[:, s] -= 1
            there = vectors[:, s] > 0
            total[:, there] += vectors[there, s] / agents * value[:, counts.rank(without[there])]
        value = total
    largest = Fraction(float(np.abs(upper).max()))
    error = rounding_error((n - k) * (size + 1), largest * 2, (n - k) * (size + 1))
    return add_up(value, np.array(round_up(error)))
