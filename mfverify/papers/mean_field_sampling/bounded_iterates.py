"""Iterates stay bounded. Claim B5, in exact arithmetic on small systems; proof: docs/mathematics/operators.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from mfverify.enclosure import Interval
from mfverify.exact.labelled_rational import LabelledRationalSystem
from mfverify.model import Model
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.small_systems import Values, bundled, small
from mfverify.papers.mean_field_sampling.symbols import TABLE, gamma, rt, t
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import OfSample
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status
from mfverify.theory.grounds import proof

ITERATE_SIZE: Final = Bound(
    "B5",
    rt * (1 - gamma**t) / (1 - gamma),
    "from Assumption 2.2",
    "bounds ||Q^t_k||_inf when the iteration starts from 0",
    TABLE,
)


@dataclass(frozen=True)
class Iterate(OfSample):
    """k agents and the number of iterations."""

    t: int


def _size_at_most(model: Model, t: int) -> Interval:
    return ITERATE_SIZE.enclose({symbols.rt: model.rt, symbols.gamma: model.discount, symbols.t: t})


def _iterate_size(case: Iterate) -> Outcome:
    """``max |Q^t_k|`` over all states and joint actions after t exact iterations from 0."""
    model, t = case.model, case.t
    system = LabelledRationalSystem(model, case.subsample)
    value: Values = dict.fromkeys(system.states, Fraction(0))
    table: Mapping[Any, Fraction] = {}
    for _ in range(t):
        table = system.action_values(value)
        value = system.maxima(table)
    pair, q = max(table.items(), key=lambda item: abs(item[1]))
    return Sides(
        Interval.exactly(abs(q)),
        _size_at_most(model, t),
        Interval.exactly(model.rt / (1 - model.discount)),
        {"worst": f"state and action {pair}"},
    )


def _one_iteration_less(right: Interval, case: Iterate) -> Interval:
    del right
    return _size_at_most(case.model, case.t - 1)


def _b5_instances(profile: Profile, given: Sequence[Model] | None) -> list[Iterate]:
    steps = (1, 2, 4) if profile is Profile.QUICK else (1, 2, 3, 4, 6, 8)
    return [Iterate(m, k, t) for m in bundled(given) for k in (1, 2) for t in steps if small(m, k)]


B5 = Claim(
    id="B5",
    title="Iterates stay bounded",
    statement=r"$\|Q^t_k\|_\infty \le " + ITERATE_SIZE.latex + "$",
    source="from Assumption 2.2",
    reading="exact iterates of the k-agent operator from 0",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    sides=_iterate_size,
    instances=_b5_instances,
    control=Control("the exponent t is replaced by t - 1", right=_one_iteration_less),
    left_means="largest |Q^t_k|",
    right_means="bound",
    grounds=proof("docs/mathematics/operators.md", "B5"),
)
