"""Theorem 5.1: Q compared by the total variation of state marginals. Claim H1, on the complete graph.

All agents are in place 0, and half of them choose place 1: their states are those of a crowd that stays, so the total variation of the state
marginals is 0, and the values of two steps differ by ``gamma/2``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

from mfverify.enclosure import Interval
from mfverify.exact.rational import JointAction, State
from mfverify.papers.graphon_mean_field.crowd import SEARCHED, Crowd, crowd_cases, values_of_steps
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Status, tightest
from mfverify.theory.sabotage import by_factor
from mfverify.theory.witness import Witness

Pair: TypeAlias = tuple[State, JointAction]
"""A state and a joint action."""


def _state_marginals(case: Crowd) -> Outcome:
    """The tightest over all pairs of (state, joint action) of ``|Q^t - Q^t'| <= 2 (1 + .. + gamma^(t-1)) TV`` of the states; rewards are at most 1."""
    horizon = 1 + case.discount * (case.steps - 1)
    slope, most = 2 * horizon, Interval.exactly(horizon)
    found = []
    for d, (difference, (s, a), (t, b)) in _largest_differences(case).items():
        where = f"counts {s[1]} and {t[1]}, action counts {a[1]} and {b[1]}, TV={d}"
        found.append(Sides(Interval.exactly(difference), Interval.exactly(slope * d), most, {"worst": where}))
    return tightest(found)


def _largest_differences(case: Crowd) -> dict[Fraction, tuple[Fraction, Pair, Pair]]:
    """For each distance of the states the largest ``|Q - Q'|``, and where."""
    best: dict[Fraction, tuple[Fraction, Pair, Pair]] = {}
    listed = list(values_of_steps(case).items())
    for i, (one, q) in enumerate(listed):
        for other, p in listed[:i]:
            distance = Fraction(abs(one[0][1][1] - other[0][1][1]), case.agents)
            if distance not in best or abs(q - p) > best[distance][0]:
                best[distance] = abs(q - p), one, other
    return best


def _same_states(case: Crowd) -> Witness:
    """Two joint actions in states at distance 0, as counts of agents over (place, action)."""
    difference, *pairs = _largest_differences(case)[Fraction(0)]
    first, second = (list(action[1]) for _, action in pairs)
    return Witness(Interval.exactly(difference), Interval.exactly(0), {"first": first, "second": second})


H1 = Claim(
    id="H1",
    title="Q compared by state marginals",
    statement=r"$|Q^t(s, a) - Q^t(s', a')| \le 2 \tilde r \frac{1 - \gamma^t}{1 - \gamma}\, \mathrm{TV}(F_s, F_{s'})$",
    source="arXiv 2602.16196, Theorem 5.1",
    reading="the constants and the exact form were not read in the original: Q of one and of two steps on the complete graph, all pairs of states and joint "
    "actions of a crowd that earns its share in place 1, total variation of the distributions of *states*; exact",
    assumptions=("complete graph", "rewards depend on the distribution of the neighbourhood"),
    registered=Status.REFUTED,
    sides=_state_marginals,
    instances=crowd_cases,
    control=Control("the bound is divided by ten", right=by_factor(Fraction(1, 10))),
    left_means="largest |Q - Q'| at this distance",
    right_means="bound by the states alone",
    failing_step="The next distribution depends on the actions: joint actions with equal states lead to distributions that differ, and their rewards differ at the "
    "next step. The total variation has to be that of state-action pairs",
    certificate=_same_states,
    searched=SEARCHED,
)
