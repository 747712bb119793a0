"""One sampled transition, with the fluctuation of the moves. Claim C7r, in place of C7 and C7b.

**C7r.** *Proof.* The next distributions differ by ``(F_Delta - F_[n]) P``, which is C6, plus a noise of mean 0: in class t it is ``sum_i
w_i (1{s_i' = t} - p_it)`` over independent agents i that move to t with probability ``p_it``, with the weights ``1/k - 1/n`` (sampled) and
``-1/n``, whose squares add up to ``(n-k)/(nk)``. Half the sum over t of its mean size is at most ``(1/2) sum_t sqrt(sum_i w_i^2 p_it (1 -
p_it))``, and as for C4 that is at most ``(1/2) sqrt(Z sum_i w_i^2 sum_t p_it (1 - p_it)) <= (1/2) sqrt((Z-1) sum_i w_i^2)``, Z being the
number of classes that agents move to.
"""

from __future__ import annotations

from fractions import Fraction

from mfverify.enclosure import Interval
from mfverify.papers.mean_field_sampling.sampled_transition import before_and_after, transition_instances
from mfverify.papers.mean_field_sampling.total_variation import never_more, scaled_check
from mfverify.papers.ours import symbols
from mfverify.papers.ours.symbols import TV, Z, k, n
from mfverify.theory.bound import Bound
from mfverify.theory.claim import Claim, Control, Instance, Outcome, Profile, Sides, Status
from mfverify.theory.formula import HALF, plus, root, times
from mfverify.theory.grounds import proof
from mfverify.theory.search_space import Transitions

AFTER_TRANSITION = Bound(
    "C7r",
    plus(TV, times(HALF, root((Z - 1) * (n - k) / (n * k)))),
    "repaired C7, the fluctuation of section 5 of the theory page (ours)",
    "bounds E TV after one sampled transition into Z classes",
)


def _repaired_transition(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The same with the fluctuation added on the right; ``scale`` multiplies the fluctuation."""
    before, after, kernel = before_and_after(instance)
    assert instance.agents is not None and instance.subsample is not None
    values = {symbols.n: instance.agents, symbols.k: instance.subsample, symbols.Z: len(kernel[0])}
    fluctuation = AFTER_TRANSITION.enclose({**values, symbols.TV: 0}) * scale
    details = {"worst": f"E TV after the transition {after}, TV before it {before}"}
    return Sides(Interval.exactly(after), fluctuation + before, never_more(instance.agents, instance.subsample), details)


_HALVED = Fraction(1, 2)

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
    control=Control(
        "the fluctuation is halved", scaled_check(_repaired_transition, _HALVED), lambda: transition_instances(Profile.QUICK, None)
    ),
    left_means="exact E TV after",
    right_means="bound",
    repairs=("C7", "C7b"),
    grounds=proof(__name__, "C7r", uses=("C6",)),
    searched=Transitions(uniform=False),
)
