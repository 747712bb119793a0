r"""How far n agents are from infinitely many on one model: a bound from the plans of the limit (claim V2p).

One step before the end of the argument for V2 (``finite.py``): from global state g the next distribution ``F'`` of n agents has the mean
``G`` of infinitely many, and with ``D`` the largest ``V_n - V_inf`` for each global state

    D(g) <= gamma max_b sum_h P_g(h|g, b) ( D(h) + E[V_inf(h, F') - V_inf(h, G)] ).

Let ``alpha_1..alpha_N`` be the plans of h and ``m`` any function of the local state, ``d_i = alpha_i - m``. Since ``E <m, F' - G> = 0``,

    E[V_inf(h, F') - V_inf(h, G)]  <=  excess + E max_i <d_i, F' - G>.

``F' - G`` is the mean of n independent terms, each a unit vector drawn from one of the laws ``p`` of the local kernel at g, less ``p``. So
``sqrt(n) E max_i <d_i, F' - G>`` is at most each of

1. ``R sqrt(ln(N)/2)``, R the largest range of a ``d_i`` on the support of one law (Hoeffding's lemma, maximum of N sub-Gaussian variables);
2. ``sqrt(max_p sum_i Var_p(d_i))`` (Jensen's inequality);
3. ``(1/2) R' sqrt(u max_p(1 - sum_t p(t)^2))``, R' the largest range of a ``d_i`` on the u states that can follow (``E TV`` as for V2).

All are 0 where one plan is enough, and where local moves are deterministic: then n agents are worth exactly as much as infinitely many.
Everything is exact but roots and logarithms, which are rounded up.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import isqrt
from typing import TYPE_CHECKING, Final

import flint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mfverify.mean_field.limit import MeanFieldLimit
    from mfverify.model import Model

_DIGITS: Final = 2**60
"""Square roots are rounded up to a multiple of one over this."""


def root_up(square: Fraction) -> Fraction:
    """A rational at least as large as the root of ``square >= 0``; 0 for 0."""
    if not square:
        return Fraction(0)
    scaled = square * _DIGITS**2
    return Fraction(isqrt(-(-scaled.numerator // scaled.denominator)) + 1, _DIGITS)


def distances(limit: MeanFieldLimit, n: int) -> list[Fraction]:
    """For each global state g an upper bound of ``V_n(g, F) - V_inf(g, F)`` for all distributions F of n agents."""
    gamma = limit.model.discount
    infinite = gamma / (1 - gamma) * Fraction(limit.excess)
    scale = root_up(Fraction(1, n))
    return [scale * one + infinite for one in _unit_distances(limit)]


@lru_cache(maxsize=64)
def _unit_distances(limit: MeanFieldLimit) -> tuple[Fraction, ...]:
    """``sqrt(n)`` times the bounds, without the excess."""
    model = limit.model
    states = range(model.sizes[0])
    plans = [[[Fraction(x) for x in row] for row in rows.tolist()] for rows in limit.vectors]
    possible = [{h for b in range(model.sizes[1]) for h, p in enumerate(model.global_kernel[g, b]) if p} for g in states]
    moved = [{h: _fluctuation(plans[h], _laws(model, g)) for h in possible[g]} for g in states]
    gain = [[sum((p * moved[g][h] for h, p in enumerate(row) if p), Fraction(0)) for row in model.global_kernel[g]] for g in states]
    policy = [0 for _ in states]
    while True:  # policy iteration in exact arithmetic
        worth = _followed(model, gain, policy)
        ahead = [
            [gain[g][b] + sum(p * worth[h] for h, p in enumerate(row) if p) for b, row in enumerate(model.global_kernel[g])] for g in states
        ]
        better = [row[policy[g]] < max(row) for g, row in enumerate(ahead)]
        if not any(better):
            return tuple(worth)
        policy = [row.index(max(row)) if up else b for row, b, up in zip(ahead, policy, better, strict=True)]


def _followed(model: Model, gain: Sequence[Sequence[Fraction]], policy: Sequence[int]) -> list[Fraction]:
    """The solution of ``D(g) = gamma (gain[g][b] + sum_h P_g(h|g, b) D(h))`` for ``b = policy[g]``."""
    gamma, size = model.discount, len(policy)
    weight = [[int(g == h) - gamma * p for h, p in enumerate(model.global_kernel[g, b])] for g, b in enumerate(policy)]
    reward = [gamma * gain[g][b] for g, b in enumerate(policy)]
    matrix = flint.fmpq_mat(size, size, [flint.fmpq(x.numerator, x.denominator) for row in weight for x in row])
    solved = matrix.solve(flint.fmpq_mat(size, 1, [flint.fmpq(x.numerator, x.denominator) for x in reward]))
    return [Fraction(int(x.p), int(x.q)) for x in solved.entries()]


def _laws(model: Model, g: int) -> list[tuple[Fraction, ...]]:
    """The laws of the next local state at global state g that are not a single state, each once."""
    _, _, size, actions = model.sizes
    every = {tuple(model.local_kernel[s, g, a]) for s in range(size) for a in range(actions)}
    return [law for law in every if max(law) < 1]


def _fluctuation(plans: Sequence[Sequence[Fraction]], laws: Sequence[Sequence[Fraction]]) -> Fraction:
    """The least of the three bounds of ``sqrt(n) E max_i <alpha_i, F' - G>``, over two choices of ``m``: middle and mean of the plans."""
    if not laws or len(plans) == 1:
        return Fraction(0)
    columns = list(zip(*plans, strict=True))
    middle, mean = [(max(c) + min(c)) / 2 for c in columns], [sum(c) / len(c) for c in columns]
    return min(_bounds([[a - b for a, b in zip(row, m, strict=True)] for row in plans], laws) for m in (middle, mean))


def _bounds(rows: Sequence[Sequence[Fraction]], laws: Sequence[Sequence[Fraction]]) -> Fraction:
    """The least of the three bounds for ``d_i = rows[i]``."""
    supports = [[t for t, p in enumerate(law) if p] for law in laws]
    reached = sorted({t for support in supports for t in support})
    ranges = max(_range(row, support) for row in rows for support in supports)
    spread = max(sum((_variance(row, law) for row in rows), Fraction(0)) for law in laws)
    mixing = max(1 - sum(p * p for p in law) for law in laws)
    whole = max(_range(row, reached) for row in rows)
    return min(
        root_up(ranges**2 * _log_up(len(rows)) / 2),
        root_up(spread),
        root_up(whole**2 * len(reached) * mixing / 4),
    )


def _range(row: Sequence[Fraction], states: Sequence[int]) -> Fraction:
    return max(row[t] for t in states) - min(row[t] for t in states)


def _variance(row: Sequence[Fraction], law: Sequence[Fraction]) -> Fraction:
    mean = sum((p * x for p, x in zip(law, row, strict=True)), Fraction(0))
    return sum((p * (x - mean) ** 2 for p, x in zip(law, row, strict=True)), Fraction(0))


def _log_up(number: int) -> Fraction:
    """The natural logarithm, rounded up."""
    mantissa, exponent = flint.arb(number).log().upper().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
