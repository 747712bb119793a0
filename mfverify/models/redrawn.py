r"""Redrawn types: from any start the population is balanced again after two steps, and independent samples disagree.

The global agent has a *choosing* phase and two *earning* phases, ``S_g = {choose, earn at 0, earn at 1}``. While choosing, the global
agent picks a side b in {0, 1}, which leads to "earn at b", and every local agent picks a side a, where it is next; an agent
that leaves its side pays ``eta``. While earning, a local agent has +1 on the global agent's side and -1 on the other; then the next phase
is "choose", and every local agent's side is redrawn by a fair coin, for every action.

*Gap in closed form.* For ``eta < 2 gamma`` the k-agent policy sends all agents to the majority of the sample, on a tie (k even) to side 0. Let ``m_k(x)`` be
the mean over the uniform k-subsets of the side, +1 or -1, to which a sample sends, and ``c_k(x)`` the mean share of agents that move. Under independent
draws one round loses

    D_k(x) = gamma (1 - m_k(x)^2) + eta (c_k(x) - min(x)/n) >= 0,

and with ``l = E D_k(X)``, ``X_0`` binomial(n, 1/2), the gap is, exactly,

    gap(choose, x) = D_k(x) + gamma^2/(1 - gamma^2) l,        gap(earn, x) = gamma/(1 - gamma^2) l.

*Bounds.* With ``w_k = C(k-1, floor(k/2)) / 2^(k-1)``, ``t_k = w_k`` for even k and 0 for odd k: ``l >= gamma (1 - k/n) (1 - t_k^2) - eta w_k/2``, and ``l``
tends to ``gamma (1 - t_k^2) - eta w_k/2`` as n grows, so that no bound that falls with k uniformly in n holds (claim T3f). Proofs:
docs/mathematics/gap.md. With one draw for all agents and copying (claim R4) all agents whose side occurs in the sample meet.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb
from typing import Final

from mfverify.model import Model
from mfverify.models.hard import Hard, for_every_global_state, unit
from mfverify.rationals import exact, parameter

CHOOSE = 0
"""The global state in which sides are picked; state 1 + b is "earn at b"."""


def redrawn(eta: str | int | Fraction = "1/100", discount: str | Fraction = "1/2") -> Model:
    """The model of redrawn types with moving cost ``eta``, 0 < eta < 2 discount; local states are the sides 0 and 1."""
    cost, half, gamma = exact(eta, "eta"), Fraction(1, 2), exact(discount, "discount")
    earning = ((1, 0), (1, 1), (1, -1)), ((1, 0), (1, -1), (1, 1))
    sides = range(2)
    default = cost == Fraction(1, 100) and gamma == half
    return Model(
        [[[0, 1, 0], [0, 0, 1]], [[1, 0, 0]] * 2, [[1, 0, 0]] * 2],
        [[[[int(a == t) for t in sides] for a in sides], *[[[half, half]] * 2] * 2] for _ in sides],
        [[0, 0]] * 3,
        [[[-cost if a != s else 0 for a in sides], *[[earning[s][g][1]] * 2 for g in (1, 2)]] for s in sides],
        discount=gamma,
        name="redrawn" if default else f"redrawn(eta={parameter(cost)}, discount={parameter(gamma)})",
        documentation=__doc__ or "",
    )


def lead(k: int) -> Fraction:
    """``w_k``: the mean lead of the majority of k fair coins, as a share of k."""
    return Fraction(comb(k - 1, k // 2), 2 ** (k - 1))


def pull(side_0: int, side_1: int, k: int) -> Fraction:
    """``m_k(x)``: the mean side (+1 for side 0, -1 for side 1) to which a uniform k-subset sends; ties go to side 0."""
    ways = sum((1 if 2 * x >= k else -1) * comb(side_0, x) * comb(side_1, k - x) for x in range(k + 1))
    return Fraction(ways, comb(side_0 + side_1, k))


def moving(side_0: int, side_1: int, k: int) -> Fraction:
    """``c_k(x)``: the mean share of agents that leave their side; of a sample it is the share of the minority."""
    ways = sum(min(x, k - x) * comb(side_0, x) * comb(side_1, k - x) for x in range(k + 1))
    return Fraction(ways, comb(side_0 + side_1, k) * k)


def loss(side_0: int, side_1: int, k: int, eta: Fraction, discount: Fraction) -> Fraction:
    """``D_k(x)``: what one round loses under independent draws."""
    wasted = moving(side_0, side_1, k) - Fraction(min(side_0, side_1), side_0 + side_1)
    return discount * (1 - pull(side_0, side_1, k) ** 2) + eta * wasted


def mean_loss(n: int, k: int, eta: Fraction, discount: Fraction) -> Fraction:
    """``l``: the mean of ``D_k`` over a population of n fair coins, exactly. Cost: n times k products of long integers."""
    return sum((Fraction(comb(n, x), 2**n) * loss(x, n - x, k, eta, discount) for x in range(n + 1)), Fraction(0))


def limit_of_mean_loss(k: int, eta: Fraction, discount: Fraction) -> Fraction:
    """The limit of ``l`` as n grows."""
    tie = lead(k) if k % 2 == 0 else Fraction(0)
    return discount * (1 - tie**2) - eta * lead(k) / 2


def hard(places: int, leaning: Fraction, discount: Fraction, scale: Fraction) -> Model:
    """Coordination in which what an agent leans to is redrawn uniformly at every step, so that every population stays nearly tied.

    Local state ``(type, place)`` is number ``type * places + place``; choosing a place that is not one's type costs ``leaning``.
    """
    spots = range(places)
    rows = [[Fraction(int(t % places == a), places) for t in range(places * places)] for a in spots]
    reward = [
        [[scale * ((1 if place == g else -1) - leaning * (a != kind)) for a in spots] for g in spots] for kind in spots for place in spots
    ]
    return Model(
        [unit(places)] * places,
        for_every_global_state([rows] * (places * places), places),
        [[0] * places] * places,
        reward,
        discount,
        f"redrawn types, {places} places (leaning {leaning}, discount {discount}, scale {scale})",
    )


HARD: Final = Hard(hard, order=4, places=(2,))
