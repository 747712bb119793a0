"""Q compared by the total variation of state-action pairs. Claim H1r, in place of H1.

The next place of an agent is its action, which the distribution of states does not contain. Proof: docs/mathematics/related.md.
"""

from __future__ import annotations

from fractions import Fraction

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.papers.graphon_mean_field.crowd import SEARCHED, Crowd, crowd_cases, values_of_steps
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Status, tightest
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor


def _pairs(case: Crowd) -> Outcome:
    """The tightest over all pairs of (state, joint action)."""
    values, ahead = values_of_steps(case), case.discount * (case.steps - 1)
    best: dict[Fraction, tuple[Fraction, str]] = {}
    listed = list(values.items())
    for i, ((s, a), q) in enumerate(listed):
        for (t, b), p in listed[:i]:
            states, pairs = counts.total_variation(s[1], t[1]), counts.total_variation(a[1], b[1])
            right = states + ahead * pairs
            if right not in best or abs(q - p) > best[right][0]:
                best[right] = abs(q - p), f"action counts {a[1]} and {b[1]}"
    most = Interval.exactly(1 + ahead)
    return tightest([Sides(Interval.exactly(q), Interval.exactly(right), most, {"worst": where}) for right, (q, where) in best.items()])


H1R = Claim(
    id="H1r",
    title="Q compared by state-action pairs",
    statement=r"On the complete graph, for a crowd that earns its share in place 1: $|Q^2(s, a) - Q^2(s', a')| \le \mathrm{TV}(F_s, F_{s'}) + "
    r"\gamma\, \mathrm{TV}(F_z, F_{z'})$, and $|Q^1(s, a) - Q^1(s', a')| \le \mathrm{TV}(F_s, F_{s'})$.",
    source="ours, unreviewed",
    reading="all pairs of states and joint actions, exact",
    assumptions=("complete graph", "rewards depend on the distribution of the neighbourhood"),
    registered=Status.CORROBORATED,
    sides=_pairs,
    instances=crowd_cases,
    control=Control("the bound is halved", right=by_factor(Fraction(1, 2))),
    left_means="largest |Q - Q'|",
    right_means="bound by states and pairs",
    repairs=("H1",),
    grounds=proof("docs/mathematics/related.md", "H1r"),
    searched=SEARCHED,
)
