"""A claim of your own: the gap bound of the global-agent-only setting, as a user would write it.

Setting of E. Anand and G. Qu, arXiv 2403.00222: only the global agent acts (``|A_l| = 1``) and subsamples k local agents. The gap
is of order 1/sqrt(k). The constant below is our reading, with the tail of claim C1 inverted at confidence 1/sqrt(k).

Run it: ``python examples/own_claim.py``. To have a package's claims checked by every ``mfverify verify``, name the claim (or a list
of them) as an entry point in the group ``mfverify.claims``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import sympy as sp

import mfverify as mfv
from mfverify.papers.mean_field_sampling.gaps import gap_sides
from mfverify.theory.claim import Outcome
from mfverify.theory.sabotage import by_factor
from mfverify.theory.symbols import A_g, S_l, gamma, k, n, rt_l

BOUND = mfv.Bound(
    name="G1",
    expression=2 * rt_l / (1 - gamma) ** 2 * (sp.sqrt((n - k + 1) / (2 * n * k) * sp.log(2 * S_l * A_g * sp.sqrt(k))) + 1 / sp.sqrt(k)),
    source="arXiv 2403.00222, shape of the main theorem",
    reading="constants as read off the tail bound; the order 1/sqrt(k) is the paper's",
)


def sides(case: mfv.Subsampled) -> Outcome:
    """The exact gap of the executed policy against the bound."""
    return gap_sides(BOUND, "independent", case)


def instances(profile: mfv.Profile, given: Sequence[mfv.Model] | None) -> list[mfv.Subsampled]:
    """Models in which local agents have a single action, up to a sample size at which the bound says something."""
    models = given or [mfv.models.random_coupled(seed, 2, 1, 2, 2, "1/2") for seed in range(4)] + [mfv.models.absorbing()]
    return [mfv.Subsampled(m, 24, size) for m in models for size in (1, 4, 12, 20)]


CLAIM = mfv.Claim(
    id="G1",
    title="Only the global agent subsamples",
    statement=rf"If $|\mathcal A_l| = 1$: $V^*(s_0) - V^{{\pi_k}}(s_0) \le {BOUND.latex}$",
    source=BOUND.source,
    reading=BOUND.reading,
    assumptions=("|A_l| = 1", "exact operator"),
    registered=mfv.Status.CORROBORATED,
    sides=sides,
    instances=instances,
    control=mfv.Control("the bound is divided by 200", right=by_factor(Fraction(1, 200))),
    rests_on=("C1", "P1"),
    left_means="largest gap over start states",
    right_means="bound",
)

if __name__ == "__main__":
    report = mfv.verify(claims=[CLAIM])
    for one in report.claim("G1")["instances"]:
        print(one["verdict"], one["label"], one["actual"], one["bound"])
    print("status:", report.claim("G1")["status"])
    refused = mfv.verify(claims=[replace(CLAIM, id="G1-sabotaged", sides=CLAIM.sabotaged)])
    print("with", CLAIM.control.sabotage, "the same check says:", refused.claim("G1-sabotaged")["status"])
