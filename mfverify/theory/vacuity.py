"""The k from which on a bound is not vacuous: the first k at which it is certainly below the trivial bound.

For an optimality gap the trivial bound is ``2 rt / (1 - gamma)``. Whether a bound is vacuous depends on the discount, the sizes
of the sets, the rewards and (n, k) alone, so it can be said without solving any model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from mfverify.theory import symbols
from mfverify.theory.bound import Bound
from mfverify.theory.evaluate import UndefinedError
from mfverify.theory.symbols import gamma, rt

TRIVIAL_GAP: Final = Bound(
    "trivial gap",
    2 * rt / (1 - gamma),
    "Assumption 2.2",
    "two values lie within rt/(1-gamma) of 0: a bound of the gap that is no smaller is vacuous",
)

DISCOUNTS = (Fraction(1, 2), Fraction(9, 10), Fraction(99, 100))
AGENTS = (8, 50, 1000, 100_000)


@dataclass(frozen=True)
class Threshold:
    """The first k from which on ``bound`` is below the trivial one up to k = n - 1; None where it is for no such k.

    ``at_end`` is the bound at k = n - 1 as a multiple of the trivial one.
    """

    bound: str
    discount: Fraction
    n: int
    first: int | None
    at_end: float


def values(bound: Bound, n: int, k: int, discount: Fraction, size: int = 2) -> dict[Any, Any]:
    """The symbols for rewards bounded by one (``rt = rt_l = 1``) and ``size`` states and actions of every kind.

    Symbols beyond the model class are 0: of a bound of the gap they are further losses, such as the noise of what was learned.
    """
    further = {symbol: 0 for symbol in bound.needed if symbol not in symbols.MODEL_CLASS}
    return further | {
        symbols.n: n,
        symbols.k: k,
        symbols.gamma: discount,
        symbols.rt: 1,
        symbols.rt_l: 1,
        symbols.rt_g: 0,
        symbols.S_g: size,
        symbols.A_g: size,
        symbols.S_l: size,
        symbols.A_l: size,
        symbols.Z: size * size,
    }


def share_of_trivial(bound: Bound, n: int, k: int, discount: Fraction) -> tuple[Fraction, Fraction] | None:
    """Lower and upper end of bound / trivial bound; None where the bound is not defined."""
    given = values(bound, n, k, discount)
    try:
        ratio = bound.enclose(given) / TRIVIAL_GAP.enclose(given)
    except UndefinedError:
        return None
    return ratio.lower, ratio.upper


def threshold(bound: Bound, n: int, discount: Fraction) -> Threshold:
    """Bisection for the last vacuous k; the gap bounds decrease in k on the range where they are near the trivial one.

    The two neighbours of the answer are certified: at ``first`` the bound is below the trivial one, at ``first - 1`` it is not.
    """

    def says_something(k: int) -> bool:
        share = share_of_trivial(bound, n, k, discount)
        return share is not None and share[1] < 1

    last = n - 1
    end = share_of_trivial(bound, n, last, discount)
    at_end = float(end[1]) if end is not None else float("nan")
    if not says_something(last):
        return Threshold(bound.name, discount, n, None, at_end)
    low, high = 0, last
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if says_something(middle) else (middle, high)
    return Threshold(bound.name, discount, n, high, at_end)


def table(bounds: Sequence[Bound]) -> list[Threshold]:
    """Thresholds for rewards bounded by one and two states and actions of every kind, the sizes most favourable to a bound."""
    return [threshold(bound, n, discount) for bound in bounds for discount in DISCOUNTS for n in AGENTS]


def plain_statements(bounds: Sequence[Bound], agents: Sequence[int]) -> list[str]:
    """Certified sentences on where bounds are vacuous at gamma = 9/10 and these numbers of agents.

    Every k from 1 to n is evaluated, so that no monotonicity is assumed.
    """
    discount = Fraction(9, 10)
    out = []
    for bound in bounds:
        for n in agents:
            shares = {k: share_of_trivial(bound, n, k, discount) for k in range(1, n + 1)}
            telling = [k for k, share in shares.items() if share is None or share[0] < 1]
            says = (
                f"is informative only for k >= {telling[0]} of {n}" if telling else "is vacuous for every k: it exceeds the trivial bound"
            )
            out.append(
                f"At gamma = {discount} and n = {n} agents the bound {bound.name} {says} "
                "(rewards bounded by one, two states and two actions of every kind; larger sets make the bound larger)."
            )
    return out


def document(bounds: Sequence[Bound], plain: Sequence[str]) -> dict[str, Any]:
    """What ``report.json`` holds: the table, for n = 1000 the curves of bound / trivial bound against k, and sentences about some of them."""
    n = 1000
    grid = [1, 2, 3, 5, 8, 12, 20, 35, 60, 100, 170, 300, 500, 700, 850, 950, 990, 999]
    curves = []
    for discount in DISCOUNTS[:2]:
        series = []
        for bound in bounds:
            shares = [share_of_trivial(bound, n, k, discount) for k in grid]
            series.append(
                {
                    "label": bound.name,
                    "lower": [None if s is None else float(s[0]) for s in shares],
                    "upper": [None if s is None else float(s[1]) for s in shares],
                }
            )
        series.append({"label": "trivial", "lower": [1.0] * len(grid), "upper": [1.0] * len(grid)})
        curves.append(
            {
                "title": f"n = {n}, discount {discount}",
                "x_label": "subsample k",
                "y_label": "bound / trivial bound",
                "scale": "log",
                "x": grid,
                "series": series,
            }
        )
    return {
        "sizes": "two states and two actions of every kind, rewards bounded by one",
        "rows": [
            {"bound": t.bound, "discount": str(t.discount), "agents": t.n, "first": t.first, "at_end": t.at_end} for t in table(bounds)
        ],
        "curves": curves,
        "plain": list(plain),
    }
