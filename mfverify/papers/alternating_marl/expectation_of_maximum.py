"""A lemma that exchanges expectation and maximum. Claim M1.

The proof of Theorem E.3 of arXiv 2412.00661 is described as the analogue of the one that uses it. One line refutes it: x uniform on {0, 1},
``f_a(x) = 1{a = x}`` and g = 0. The maximum over a is 1 for every x, so the left side is 1; ``E f_a(x) = 1/2`` for each a.
"""

from __future__ import annotations

from fractions import Fraction

from mfverify.enclosure import Interval
from mfverify.papers.alternating_marl.tables import READING, SEARCHED, TwoTables, differences, mean_of_maximum, table_instances
from mfverify.theory.bind import bind
from mfverify.theory.claim import Claim, Control, Outcome, Sides, Status
from mfverify.theory.sabotage import by_factor
from mfverify.theory.witness import both_sides


def _exchanged(case: TwoTables) -> Outcome:
    first, second = case.first, case.second
    left = abs(mean_of_maximum(first) - mean_of_maximum(second))
    means = [Fraction(abs(sum(f) - sum(g)), len(f)) for f, g in zip(first, second, strict=True)]
    right, most = max(means), max(map(max, differences(first, second)))
    return Sides(Interval.exactly(left), Interval.exactly(right), Interval.exactly(most))


M1 = Claim(
    id="M1",
    title="Expectation and maximum exchanged",
    statement=r"$\big|\mathbb E \max_a f_a(x) - \mathbb E \max_a g_a(x)\big| \le \max_a \big|\mathbb E [f_a(x) - g_a(x)]\big|$",
    source="a lemma of arXiv 2603.03759, whose proof is described as the analogue of Theorem E.3 of arXiv 2412.00661",
    reading=READING,
    assumptions=("finite sets",),
    registered=Status.REFUTED,
    sides=_exchanged,
    instances=table_instances,
    control=Control("the right side is halved", right=by_factor(Fraction(1, 2))),
    left_means="|E max f - E max g|",
    right_means="max |E(f - g)|",
    failing_step="The maximum is taken for each x, so the maximiser may follow the fluctuation of f_a(x) around its expectation; the right side takes the "
    "expectation first and does not see the fluctuation",
    certificate=bind(both_sides, _exchanged),
    searched=SEARCHED,
)
