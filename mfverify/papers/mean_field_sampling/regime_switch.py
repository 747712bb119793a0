"""Remark 3.1, Algorithm 1: the switch between the standard and the mean-field table. Claims S2 and S2e."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from mfverify.enclosure import Interval, round_down, round_up
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE_SETS
from mfverify.papers.mean_field_sampling.sizes import sized, sizes_of
from mfverify.papers.mean_field_sampling.symbols import Z, k
from mfverify.subsample_mfq.learning import Regime, mean_field_table_size, standard_table_size, switch
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Claim, Control, Profile, Sides, Status, tightest
from mfverify.theory.grounds import by_definition
from mfverify.theory.search_space import Parameters
from mfverify.theory.witness import Witness

SWITCH_STANDARD: Final = Bound(
    "S2 standard side",
    Z**k,
    "Algorithm 1, Remark 3.1",
    "the standard regime is used when this is at most the mean-field side",
)

SWITCH_MEAN_FIELD: Final = Bound(
    "S2 mean-field side",
    Z * k**Z,
    "Algorithm 1, Remark 3.1",
    "the mean-field regime is used when this is below the standard side",
)


@dataclass(frozen=True)
class Switched(Case):
    """Numbers of local states and actions, and a range of k."""

    states: int
    actions: int
    first_k: int
    last_k: int


def switch_sides(
    picked: Callable[[Model, int], int],
    smaller: Callable[[Model, int], int],
    larger: Callable[[Model, int], int],
    case: Switched,
) -> Sides:
    """The tightest of ``picked <= smaller`` over a range of k, trivial being ``picked <= larger``; with a curve of both tables."""
    model = sized(case.states, case.actions)
    sizes = range(case.first_k, case.last_k + 1)
    candidates, wrong = [], []
    for size in sizes:
        left, right = picked(model, size), smaller(model, size)
        if left > right:
            wrong.append(size)
        worst = f"k={size}: the switch picks the {switch(model, size).value} table"
        candidates.append(Sides(Interval.exactly(left), Interval.exactly(right), Interval.exactly(larger(model, size)), {"worst": worst}))
    tables = {"standard table": standard_table_size, "mean-field table": mean_field_table_size}
    curve = {
        "title": f"table entries, |S_l|={case.states}, |A_l|={case.actions}",
        "x_label": "k",
        "y_label": "entries over |S_g||A_g|",
        "scale": "log",
        "x": [float(size) for size in sizes],
        "series": [
            {
                "label": name,
                "lower": [round_down(Fraction(table(model, x))) for x in sizes],
                "upper": [round_up(Fraction(table(model, x))) for x in sizes],
            }
            for name, table in tables.items()
        ],
    }
    chosen = tightest(candidates)
    return Sides(
        chosen.left,
        chosen.right,
        chosen.trivial,
        {**chosen.details, "k with the larger table": ", ".join(map(str, wrong)) or "none", "curve": curve},
    )


def picked(model: Model, size: int) -> int:
    """Entries of the table that the paper's switch picks."""
    return standard_table_size(model, size) if switch(model, size) is Regime.STANDARD else mean_field_table_size(model, size)


def _not_picked(model: Model, size: int) -> int:
    """Entries of the other table."""
    return mean_field_table_size(model, size) if switch(model, size) is Regime.STANDARD else standard_table_size(model, size)


def _smaller(model: Model, size: int) -> int:
    return min(standard_table_size(model, size), mean_field_table_size(model, size))


def larger(model: Model, size: int) -> int:
    """Entries of the larger one of the two tables."""
    return max(standard_table_size(model, size), mean_field_table_size(model, size))


def _bound_of_picked(model: Model, size: int) -> int:
    """The side of the paper's comparison that belongs to the table picked."""
    return _bounds(model, size)[switch(model, size) is not Regime.STANDARD]


def _bound_of_other(model: Model, size: int) -> int:
    """The side that belongs to the other table."""
    return _bounds(model, size)[switch(model, size) is Regime.STANDARD]


def _bounds(model: Model, size: int) -> list[int]:
    """Both sides of the comparison: the standard table's, then the mean-field table's."""
    values = {**sizes_of(model), k: size}
    return [int(formula.enclose(values).lower) for formula in (SWITCH_STANDARD, SWITCH_MEAN_FIELD)]


def smaller_bound(model: Model, size: int) -> int:
    """The smaller one of the two sides that the switch compares."""
    return min(_bounds(model, size))


def _larger_bound(model: Model, size: int) -> int:
    return max(_bounds(model, size))


_exact_switch = bind(switch_sides, picked, _smaller, larger)
_wrong_switch = bind(switch_sides, _not_picked, _smaller, larger)
_bound_switch = bind(switch_sides, _bound_of_picked, smaller_bound, _larger_bound)
_wrong_bound_switch = bind(switch_sides, _bound_of_other, smaller_bound, _larger_bound)


def switch_instances(profile: Profile, _: Sequence[Model] | None) -> list[Switched]:
    """Ranges of k from 1 on, and for two and four pairs the ranges in which the switch is right."""
    last = 30 if profile is Profile.QUICK else 100
    pairs = [(1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (3, 3)]
    ranges = [(s, a, 1, last) for s, a in pairs] + [(2, 1, 1, 2), (2, 1, 7, last), (2, 2, 1, 3), (2, 2, 10, last)]
    return [Switched(s, a, first, end) for s, a, first, end in ranges]


def _at_one_k(k: int, states: int, actions: int) -> Switched:
    return Switched(states, actions, k, k)


def _most_wasted(case: Switched) -> Witness:
    """The k at which the table picked is larger than the other by the largest factor."""
    model = sized(case.states, case.actions)
    k = max(range(case.first_k, case.last_k + 1), key=lambda k: Fraction(picked(model, k), _smaller(model, k)))
    left, right = (Interval.exactly(table(model, k)) for table in (picked, _smaller))
    return Witness(left, right, {"k": k})


SEARCHED = Parameters((range(1, 450), range(1, 6), range(1, 6)), _at_one_k)
"""Where claims about the switch are searched: one k at a time."""


S2 = Claim(
    id="S2",
    title="The switch picks the smaller table",
    statement=r"The table picked by $|\mathcal Z_l|^k \le |\mathcal Z_l|\, k^{|\mathcal Z_l|}$ has no more entries than the other.",
    source="Remark 3.1, Algorithm 1",
    reading="exact numbers of entries over |S_g||A_g|, for all k of a range; the switch compares with the bound k^|Z| of |mu_{k-1}|, so it stays standard too long. "
    "Smallest: |Z| = 2, k = 3, 8 entries against 6",
    assumptions=FINITE_SETS,
    registered=Status.REFUTED,
    sides=_exact_switch,
    instances=switch_instances,
    control=Control("the switch is reversed", _wrong_switch),
    rests_on=("S1",),
    left_means="entries of the table picked",
    right_means="entries of the smaller table",
    failing_step="The switch compares |Z_l|^k with |Z_l| k^|Z_l|, where k^|Z_l| is a bound of the number of distributions, not the number itself. The orders that the "
    "paper states are not affected (S2r)",
    certificate=_most_wasted,
    searched=SEARCHED,
)

S2E = Claim(
    id="S2e",
    title="The switch picks the smaller bound",
    statement=r"Of $|\mathcal Z_l|^k$ and $|\mathcal Z_l|\, k^{|\mathcal Z_l|}$ the switch picks the smaller.",
    source="Remark 3.1, Algorithm 1",
    reading="sizes as the paper compares them, |mu_{k-1}| replaced by k^|Z|: true by definition, so it tests the code's switch only",
    assumptions=FINITE_SETS,
    registered=Status.CORROBORATED,
    sides=_bound_switch,
    instances=switch_instances,
    control=Control("the switch is reversed", _wrong_bound_switch),
    left_means="bound picked",
    right_means="smaller bound",
    grounds=by_definition("it is the rule of Algorithm 1"),
    searched=SEARCHED,
)
