"""Remark 3.1, Algorithm 1: the switch between the standard and the mean-field table. Claims S2 and S2e."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Final

from mfverify.enclosure import Interval, round_down, round_up
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE_SETS
from mfverify.papers.mean_field_sampling.sizes import quick, sized, sizes_of
from mfverify.papers.mean_field_sampling.symbols import Z, k
from mfverify.subsample_mfq.learning import Regime, mean_field_table_size, standard_table_size, switch
from mfverify.theory.bound import Bound
from mfverify.theory.claim import Claim, Control, Instance, Outcome, Profile, Sides, Status, tightest
from mfverify.theory.grounds import by_definition
from mfverify.theory.search_space import Parameters

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


def switch_sides(
    picked: Callable[[Model, int], int],
    smaller: Callable[[Model, int], int],
    larger: Callable[[Model, int], int],
    instance: Instance,
) -> Outcome:
    """The tightest of ``picked <= smaller`` over a range of k, trivial being ``picked <= larger``; with a curve of both tables."""
    model = sized(int(instance["states"]), int(instance["actions"]))
    sizes = range(int(instance["first k"]), int(instance["last k"]) + 1)
    candidates, wrong = [], []
    for size in sizes:
        left, right = picked(model, size), smaller(model, size)
        if left > right:
            wrong.append(size)
        worst = f"k={size}: the switch picks the {switch(model, size).value} table"
        candidates.append(Sides(Interval.exactly(left), Interval.exactly(right), Interval.exactly(larger(model, size)), {"worst": worst}))
    tables = {"standard table": standard_table_size, "mean-field table": mean_field_table_size}
    curve = {
        "title": f"table entries, |S_l|={instance['states']}, |A_l|={instance['actions']}",
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


def _bound_of_picked(model: Model, size: int, standard: Regime = Regime.STANDARD) -> int:
    """The side of the paper's comparison that belongs to the table picked; ``standard`` = the other regime sabotages."""
    formula = SWITCH_STANDARD if switch(model, size) is standard else SWITCH_MEAN_FIELD
    return int(formula.enclose({**sizes_of(model), k: size}).lower)


def _bounds(model: Model, size: int) -> list[int]:
    values = {**sizes_of(model), k: size}
    return [int(formula.enclose(values).lower) for formula in (SWITCH_STANDARD, SWITCH_MEAN_FIELD)]


def smaller_bound(model: Model, size: int) -> int:
    """The smaller one of the two sides that the switch compares."""
    return min(_bounds(model, size))


def _larger_bound(model: Model, size: int) -> int:
    return max(_bounds(model, size))


_exact_switch = partial(switch_sides, picked, _smaller, larger)
_wrong_switch = partial(switch_sides, _not_picked, _smaller, larger)
_bound_switch = partial(switch_sides, _bound_of_picked, smaller_bound, _larger_bound)
_wrong_bound_switch = partial(switch_sides, partial(_bound_of_picked, standard=Regime.MEAN_FIELD), smaller_bound, _larger_bound)


def switch_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    """Ranges of k from 1 on, and for two and four pairs the ranges in which the switch is right."""
    last = 30 if profile is Profile.QUICK else 100
    pairs = [(1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (3, 3)]
    ranges = [(s, a, 1, last) for s, a in pairs] + [(2, 1, 1, 2), (2, 1, 7, last), (2, 2, 1, 3), (2, 2, 10, last)]
    return [Instance(None, None, None, (("states", s), ("actions", a), ("first k", first), ("last k", end))) for s, a, first, end in ranges]


def _at_one_k(k: int, states: int, actions: int) -> Instance:
    return Instance(None, None, None, (("states", states), ("actions", actions), ("first k", k), ("last k", k)))


SEARCHED = Parameters((range(1, 60), range(1, 4), range(1, 4)), _at_one_k)
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
    control=Control("the switch is reversed", _wrong_switch, quick(switch_instances)),
    rests_on=("S1",),
    left_means="entries of the table picked",
    right_means="entries of the smaller table",
    failing_step="The switch compares |Z_l|^k with |Z_l| k^|Z_l|, where k^|Z_l| is a bound of the number of distributions, not the number itself. The orders that the "
    "paper states are not affected (S2r)",
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
    control=Control("the switch is reversed", _wrong_bound_switch, quick(switch_instances)),
    left_means="bound picked",
    right_means="smaller bound",
    grounds=by_definition("it is the rule of Algorithm 1"),
    searched=SEARCHED,
)
