"""The table that the switch picks has at most as many entries as the smaller of the two bounds that it compares. Claim S2r, in place of S2.

Proof: docs/mathematics/sizes.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE_SETS
from mfverify.papers.mean_field_sampling.regime_switch import (
    SEARCHED,
    SWITCH_MEAN_FIELD,
    SWITCH_STANDARD,
    Switched,
    larger,
    picked,
    smaller_bound,
    switch_instances,
    switch_sides,
)
from mfverify.papers.mean_field_sampling.sizes import sized
from mfverify.subsample_mfq.learning import Regime, mean_field_table_size, standard_table_size, switch
from mfverify.theory.bind import bind
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Status
from mfverify.theory.grounds import proof


def _half_of_bound(model: Model, size: int) -> int:
    return smaller_bound(model, size) // 2


def _smaller_than_bounds(case: Switched) -> Outcome:
    """Entries of the table picked against the smaller of the two sides that the switch compares."""
    out = switch_sides(picked, smaller_bound, larger, case)
    return Sides(out.left, out.right, out.trivial, {**out.details, "curve": _regimes()})


@lru_cache(maxsize=1)
def _regimes() -> dict[str, Any]:
    """Which regime wins where: for every |Z_l| the largest k for which the standard table is picked, and for which it is the smaller."""
    pairs = range(2, 13)

    def last(standard: Callable[[Model, int], bool]) -> list[float]:
        return [float(max(size for size in range(1, 6 * z + 10) if standard(sized(z, 1), size))) for z in pairs]

    lines = {
        "standard table picked up to this k (the switch)": last(lambda model, size: switch(model, size) is Regime.STANDARD),
        "standard table smaller up to this k (exact sizes)": last(
            lambda model, size: standard_table_size(model, size) <= mean_field_table_size(model, size)
        ),
    }
    return {
        "title": "which regime wins where",
        "x_label": "|Z_l|",
        "y_label": "k",
        "scale": "linear",
        "x": [float(z) for z in pairs],
        "series": [{"label": label, "lower": found, "upper": found} for label, found in lines.items()],
    }


S2R = Claim(
    id="S2r",
    title="The table picked is within both bounds",
    statement=r"The table picked by the switch has at most $\min\{"
    + SWITCH_STANDARD.latex
    + ", "
    + SWITCH_MEAN_FIELD.latex
    + r"\}$ entries over $|\mathcal S_g||\mathcal A_g|$.",
    source="ours",
    reading="exact numbers of entries for all k of a range",
    assumptions=FINITE_SETS,
    registered=Status.CORROBORATED,
    sides=_smaller_than_bounds,
    instances=switch_instances,
    control=Control("the bound is halved", bind(switch_sides, picked, _half_of_bound, larger)),
    left_means="entries of the table picked",
    right_means="smaller bound",
    repairs=("S2",),
    grounds=proof("docs/mathematics/sizes.md", "S2r", uses=("S1", "S1t")),
    searched=SEARCHED,
)
