"""One sampled transition, with the fluctuation of the moves. Claim C7r, in place of C7 and C7b.

Proof: docs/mathematics/concentration.md.
"""

from __future__ import annotations

from mfverify.enclosure import Interval
from mfverify.papers.mean_field_sampling.sampled_transition import before_and_after, transition_instances
from mfverify.papers.mean_field_sampling.total_variation import never_more
from mfverify.papers.ours import symbols
from mfverify.papers.ours.symbols import TV, Z, k, n
from mfverify.theory.bound import Bound
from mfverify.theory.cases.transitions import Transition
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Status
from mfverify.theory.formula import HALF, plus, root, times
from mfverify.theory.grounds import proof
from mfverify.theory.search_space import Transitions

AFTER_TRANSITION = Bound(
    "C7r",
    plus(TV, times(HALF, root((Z - 1) * (n - k) / (n * k)))),
    "repaired C7, the fluctuation of section 5 of the theory page (ours)",
    "bounds E TV after one sampled transition into Z classes",
)


def fluctuation(case: Transition) -> Interval:
    """The fluctuation of C7r."""
    values = {symbols.n: case.agents, symbols.k: case.subsample, symbols.Z: case.occupied, symbols.TV: 0}
    return AFTER_TRANSITION.enclose(values)


def _repaired_transition(case: Transition) -> Outcome:
    """The same with the fluctuation added on the right."""
    before, after = before_and_after(case)
    details = {"worst": f"E TV after the transition {after}, TV before it {before}"}
    return Sides(Interval.exactly(after), fluctuation(case) + before, never_more(case.agents, case.subsample), details)


def _half_fluctuation(right: Interval, case: Transition) -> Interval:
    return right - fluctuation(case) / 2


C7R = Claim(
    id="C7r",
    title="One sampled transition, with the fluctuation (repaired C7)",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z'_\Delta}, F_{z'_{[n]}}) \le "
    + AFTER_TRANSITION.latex
    + r"$ with $\mathrm{TV} = \mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}})$.",
    source="ours",
    reading="as C7; |Z_l| is the number of classes",
    assumptions=("agents move independently given the global state (eq. 1)",),
    registered=Status.CORROBORATED,
    sides=_repaired_transition,
    instances=transition_instances,
    control=Control("the fluctuation is halved", right=_half_fluctuation),
    left_means="exact E TV after",
    right_means="bound",
    repairs=("C7", "C7b"),
    grounds=proof("docs/mathematics/concentration.md", "C7r", uses=("C6",)),
    searched=Transitions(uniform=False),
)
