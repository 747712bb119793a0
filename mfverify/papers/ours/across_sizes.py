"""Lipschitz continuity across sizes, with a fluctuation term. Claims R2 and R2L, in place of L2.

``L = 2 rt_l / (1 - gamma)``; ``V_n``, ``Q_n`` belong to the n-agent system. R2 bounds ``Q_k(z_Delta) - Q_n(z_[n])`` for ``z_Delta`` inside ``z_[n]``,
R2L the difference in the other direction, for every distribution of k agents. Proofs: docs/mathematics/across-sizes.md.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.mean_field_sampling.theorem_e_3 import SLOPE, exact_table
from mfverify.papers.ours import symbols
from mfverify.papers.ours.coupled_models import SEARCHED, exact_pairs
from mfverify.papers.ours.symbols import TV, S_l, Z, gamma, k, n
from mfverify.papers.quantities import trivial_gap
from mfverify.papers.screens import sample_above, sample_below
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Status, tightest
from mfverify.theory.formula import HALF, plus, root, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor

FLUCTUATION: Final = plus(times(HALF, root((S_l - 1) * (n - k) / (n * k))), Z / (4 * n))
"""R2: mean distance of the next states of the sample and of the population, and the rounding of the actions."""

UPPER: Final = Bound(
    "R2 upper",
    plus(times(SLOPE, TV), times(gamma * SLOPE / (1 - gamma), FLUCTUATION)),
    "section 5 of the theory page (ours)",
    "bounds Q_k(z_Delta) - Q_n(z_[n]) for a k-subset Delta; at k = n the rounding term Z/(4n) stays",
)

LOWER: Final = Bound(
    "R2 lower",
    times(SLOPE, plus(TV, Z / (4 * k))),
    "section 5 of the theory page (ours)",
    "bounds Q_n(G) - Q_k(F) for any distributions F of k and G of n agents",
)


def _lipschitz_side(bound: Bound, upward: bool, case: Subsampled) -> Outcome:
    """The tightest of all differences between a sample's Q_k and its population's Q_n against the bound."""
    model, n, k = case.model, case.agents, case.subsample
    large, small = exact_table(model, n), exact_table(model, k)
    values = symbol_values(model, n, k)
    best: dict[Fraction, tuple[Fraction, str]] = {}
    for key, rows in large.items():
        for e, q in rows.items():
            for d in counts.subcounts(e, k):
                difference = (small[key][d] - q) * (1 if upward else -1)
                distance = counts.total_variation(d, e)
                if distance not in best or difference > best[distance][0]:
                    best[distance] = difference, f"s_g={key[0]}, a_g={key[1]}, sample {d} of {e}, TV={distance}"
    trivial = trivial_gap(model)
    return tightest(
        [
            Sides(Interval.exactly(x), bound.enclose({**values, symbols.TV: distance}), trivial, {"worst": where})
            for distance, (x, where) in best.items()
        ]
    )


_OURS = "ours, unreviewed"

R2 = Claim(
    id="R2",
    title="Lipschitz across sizes with a fluctuation term",
    statement=r"$Q_k(z_\Delta) - Q_n(z_{[n]}) \le " + UPPER.latex + r"$ for $\Delta \subseteq [n]$.",
    source=_OURS,
    reading="all samples of all populations, exact rationals against the enclosed bound",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    screen=sample_above(UPPER),
    sides=bind(_lipschitz_side, UPPER, True),
    instances=exact_pairs,
    control=Control("the bound is divided by four", right=by_factor(Fraction(1, 4))),
    left_means="largest Q_k - Q_n",
    right_means="bound",
    repairs=("L2",),
    grounds=proof("docs/mathematics/across-sizes.md", "R2", uses=("B3", "C7r")),
    searched=SEARCHED,
)

R2L = Claim(
    id="R2L",
    title="Lipschitz across sizes, the other side",
    statement=r"$Q_n(z_{[n]}) - Q_k(z_\Delta) \le " + LOWER.latex + r"$ for $\Delta \subseteq [n]$.",
    source=_OURS,
    reading="all samples of all populations, exact rationals against the enclosed bound",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    screen=sample_below(LOWER),
    sides=bind(_lipschitz_side, LOWER, False),
    instances=exact_pairs,
    control=Control("the bound is divided by four", right=by_factor(Fraction(1, 4))),
    left_means="largest Q_n - Q_k",
    right_means="bound",
    repairs=("L2",),
    grounds=proof("docs/mathematics/across-sizes.md", "R2L", uses=("L1", "R1")),
    searched=SEARCHED,
)
