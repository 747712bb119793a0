"""Claims that are not in the catalogue: bounds of the gap that splitting, coordination and others violate."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import sympy as sp

import mfverify as mfv
from mfverify.theory.sabotage import by_factor
from mfverify.theory.symbols import amount, k, values_of

W = amount("w")
BOUND = mfv.Bound(
    "Y1", W * sp.log(2 * k) / (100 * sp.sqrt(k)), "a thesis", "w is a spread", symbols=(mfv.PaperSymbol(W, "w", "a spread", below=2),)
)


def values(case: Any) -> dict[Any, Fraction]:
    """The value of w."""
    return {W: Fraction(1, 2)}


def number(case: Any) -> mfv.Interval:
    """The right side, without its expression."""
    return BOUND.enclose({**values_of(case.model, case.agents, case.subsample), **values(case)})


def instances(_: mfv.Profile, given: Sequence[mfv.Model] | None) -> list[mfv.Subsampled]:
    """Two agents, one or both sampled."""
    return [mfv.Subsampled(m, 2, size) for m in given or [mfv.models.splitting(), mfv.models.coordination()] for size in (1, 2)]


def own_claim(proof: mfv.GapProof | None = None, **changes: Any) -> mfv.Claim:
    """The claim, certified from its bound unless another proof is given."""

    def sides(case: mfv.Subsampled) -> mfv.Sides:
        gap = mfv.optimal_value(case.model, case.agents) - mfv.execution_value(
            case.model, case.agents, mfv.learn(case.model, case.subsample)
        )
        return mfv.Sides(gap.max(), number(case))

    fields: dict[str, Any] = {
        "id": "Y1",
        "title": "A lemma",
        "statement": f"${BOUND.latex}$",
        "source": BOUND.source,
        "reading": BOUND.reading,
        "assumptions": (),
        "registered": mfv.Status.REFUTED,
        "sides": sides,
        "instances": instances,
        "control": mfv.Control("the bound is divided by ten", right=by_factor(Fraction(1, 10))),
        "certificate": proof or mfv.GapProof(BOUND, values),
    }
    return mfv.Claim(**(fields | changes))
