r"""Gaussian squeeze, a faithful form inside the paper's model: all agents are paid by a level that the global agent announces.

As it is stated in the literature (Holmes Parker et al. 2014; the paper's first experiment, Appendix B) n agents choose
``a_i`` and earn together ``x exp(-(x - mu)^2 / sigma^2)`` of the total ``x = sum a_i``: a road that is used too little or too
much is worth little. That is not a sum over agents (eq. 2 fails), so SUBSAMPLE-MFQ does not apply; ``exact/exchangeable.py``
solves it in its original form. In the form here the reward of one agent looks at the *announced* level ``s_g`` instead of the true
average, and agents that ignore the announcement pay:

    r_l(s_i, s_g, a_i) = a_i w(s_g) - penalty 1{a_i != s_g} - switching 1{a_i != s_i},   w(y) = exp(-(y - mu)^2 / sigma^2),

with ``s_i' = a_i`` (the last level an agent played) and ``s_g' = a_g``. Where all agents play the announced level ``y`` this is the
average squeeze ``y w(y)`` exactly; the distance between the two elsewhere is :func:`distance_from_squeeze`. Weights are rounded to
six decimals, so that the model is rational.
"""

from __future__ import annotations

from fractions import Fraction
from math import exp

from mfverify.errors import ModelError
from mfverify.model import Model
from mfverify.rationals import exact, parameter, shown

_DECIMALS = 6


def squeeze_weight(level: Fraction, mu: Fraction, sigma: Fraction) -> Fraction:
    """``exp(-(level - mu)^2 / sigma^2)`` to six decimals: part of the definition of the model, so exact from there on."""
    return Fraction(round(exp(-float(((level - mu) / sigma) ** 2)) * 10**_DECIMALS), 10**_DECIMALS)


def squeeze(
    levels: int = 3,
    mu: str | Fraction = "1",
    sigma: str | Fraction = "1",
    penalty: str | Fraction = "2",
    switching: str | Fraction = "3",
    discount: str | Fraction = "9/10",
) -> Model:
    """The announced squeeze with levels ``0 .. levels - 1``; ``mu`` and ``sigma`` are per agent (the total's over n).

    Raises :class:`~mfverify.errors.ModelError` for fewer than two levels or a ``sigma`` that is not positive.
    """
    if levels < 2:
        raise ModelError(f"levels: found {levels}, expected at least 2")
    centre, spread, ignoring, moving = (
        exact(x, name) for x, name in ((mu, "mu"), (sigma, "sigma"), (penalty, "penalty"), (switching, "switching"))
    )
    if spread <= 0:
        raise ModelError(f"sigma: found {shown(spread)}, expected a positive number")
    all_levels = range(levels)
    weight = [squeeze_weight(Fraction(y), centre, spread) for y in all_levels]
    point = [[int(t == a) for t in all_levels] for a in all_levels]
    return Model(
        [point for _g in all_levels],
        [[point for _g in all_levels] for _s in all_levels],
        [[0] * levels for _g in all_levels],
        [
            [[a * weight[g] - (ignoring if a != g else 0) - (moving if a != s else 0) for a in all_levels] for g in all_levels]
            for s in all_levels
        ],
        discount=discount,
        name=f"squeeze(levels={levels}, mu={parameter(centre)}, sigma={parameter(spread)})",
        documentation=__doc__ or "",
    )


def distance_from_squeeze(model_levels: int, n: int, mu: str | Fraction = "1", sigma: str | Fraction = "1") -> Fraction:
    """The largest ``|y w(announced) - y w(y)|`` over announcements and averages ``y`` of n agents' levels.

    That is the error of rewarding a population by the announcement instead of its own average, before penalties. Cost: one
    evaluation per (announcement, total).
    """
    centre, spread = exact(mu, "mu"), exact(sigma, "sigma")
    announced = [squeeze_weight(Fraction(g), centre, spread) for g in range(model_levels)]
    averages = [Fraction(total, n) for total in range(n * (model_levels - 1) + 1)]
    return max(abs(y * (w - squeeze_weight(y, centre, spread))) for y in averages for w in announced)
