"""The bias of the empirical operator after the maximum. Claim B4r, in place of B4b.

The bias is not negative, and at most what the maximal inequality gives for the joint actions. Proof: docs/mathematics/operators.md.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import sympy as sp

from mfverify.enclosure import Interval
from mfverify.papers.mean_field_sampling.laws_of_estimates import Estimate, b4b_instances, biases, optimum_of
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.ours import symbols
from mfverify.papers.ours.symbols import TABLE, A_g, A_l, gamma, k, m, span
from mfverify.rationals import estimate
from mfverify.theory.bound import Bound
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Status, tightest
from mfverify.theory.formula import root, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor

BIAS: Final = Bound(
    "B4r",
    times(gamma, span, root(sp.log(A_g * A_l**k) / (2 * m))),
    "sub-Gaussian maximal inequality (ours)",
    "bounds the bias of the empirical operator after the maximum over |A_g||A_l|^k joint actions",
    TABLE,
)


def _bias(case: Estimate) -> Outcome:
    """``bias <= bound`` over all states, or ``0 <= bias`` where that fails: that a bias has a sign does not make a vacuous bound informative."""
    model, k, samples = case.model, case.subsample, case.samples
    bias = biases(model, k, samples, model)
    value = optimum_of(model, k)
    span = max(value.values()) - min(value.values())
    right = BIAS.enclose({**symbol_values(model, k, k), symbols.m: samples, symbols.span: span})
    smallest, largest = min(bias.values()), max(bias.values())
    most = Interval.exactly(model.discount * span)
    return tightest(
        [Sides(Interval.exactly(largest), right, most, {"worst": f"largest bias {estimate(largest)}"})],
        companions=[Sides(Interval.exactly(-smallest), Interval.exactly(0), None, {"worst": f"smallest bias {estimate(smallest)}"})],
    )


B4R = Claim(
    id="B4r",
    title="The bias after the maximum is small and one-sided",
    statement=r"$0 \le \mathbb E\big[(\hat{\mathcal T}_{k,m} V)(s)\big] - (\mathcal T_k V)(s) \le "
    + BIAS.latex
    + r"$, $\mathrm{span}$ being that of $V$.",
    source="ours, unreviewed",
    reading="V = V*_k, all states, exact law of the maximum; vacuous where the bound is no smaller than gamma times the span",
    assumptions=("Assumption 2.1 (finite sets)", "Assumption 2.2 (bounded rewards)"),
    registered=Status.CORROBORATED,
    sides=_bias,
    instances=b4b_instances,
    control=Control("the bound is divided by eight", right=by_factor(Fraction(1, 8))),
    left_means="bias (or minus the bias)",
    right_means="bound (or 0)",
    repairs=("B4b",),
    grounds=proof("docs/mathematics/operators.md", "B4r", uses=("B4",)),
)
