"""Expectation and maximum in the order that is allowed. Claim M1r, in place of M1.

No step of its proof exchanges the two: docs/mathematics/across-sizes.md.
"""

from __future__ import annotations

from fractions import Fraction

from mfverify.enclosure import Interval
from mfverify.papers.alternating_marl.tables import READING, SEARCHED, TwoTables, differences, mean_of_maximum, table_instances
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Status
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor


def _maximum_inside(case: TwoTables) -> Outcome:
    first, second = case.first, case.second
    left = abs(mean_of_maximum(first) - mean_of_maximum(second))
    apart = differences(first, second)
    right, most = mean_of_maximum(apart), max(map(max, apart))
    return Sides(Interval.exactly(left), Interval.exactly(right), Interval.exactly(most))


M1R = Claim(
    id="M1r",
    title="Expectation of the largest difference",
    statement=r"$\big|\mathbb E \max_a f_a(x) - \mathbb E \max_a g_a(x)\big| \le \mathbb E \max_a |f_a(x) - g_a(x)|$",
    source="ours: elementary",
    reading=READING,
    assumptions=("finite sets",),
    registered=Status.CORROBORATED,
    sides=_maximum_inside,
    instances=table_instances,
    control=Control("the right side is halved", right=by_factor(Fraction(1, 2))),
    left_means="|E max f - E max g|",
    right_means="E max |f - g|",
    repairs=("M1",),
    grounds=proof("docs/mathematics/across-sizes.md", "M1r"),
    searched=SEARCHED,
)
