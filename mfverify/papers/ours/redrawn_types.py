"""A model whose gap does not fall with k, for every n. Claim T3f, which refutes T3 for every constant; proof: docs/mathematics/gap.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import sympy as sp

from mfverify import models
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.models.redrawn import limit_of_mean_loss
from mfverify.papers.mean_field_sampling.assumptions import EXACT_AND_INDEPENDENT
from mfverify.papers.ours import symbols
from mfverify.papers.ours.symbols import TABLE, eta, gamma, k, n
from mfverify.papers.quantities import executed, optimum
from mfverify.rationals import estimate
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.formula import plus, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_space import Parameters

_LEAD: Final = sp.binomial(k - 1, sp.floor(k / 2)) / 2 ** (k - 1)
"""The mean lead of the majority of k fair coins, as a share of k."""

REDRAWN_TYPES: Final = Bound(
    "T3f",
    times(gamma**2 / (1 - gamma**2), plus(times(gamma, 1 - k / n, 1 - _LEAD**2), -eta * _LEAD / 2)),
    "mfverify/models/redrawn.py (ours)",
    "bounds from below the gap of the model of redrawn types under independent draws, from every start state",
    TABLE,
)


@dataclass(frozen=True)
class RedrawnTypes(Subsampled):
    """k sampled of n agents of the model of redrawn types, and its moving cost."""

    eta: Fraction


def _redrawn_types(case: RedrawnTypes) -> Outcome:
    """The closed form from below against the smallest gap over start states; it is vacuous where it is not positive."""
    model, n, k = case.model, case.agents, case.subsample
    eta, discount = case.eta, model.discount
    try:
        gap = optimum(model, n) - executed(model, n, k, "independent")
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    left = REDRAWN_TYPES.enclose({symbols.n: n, symbols.k: k, symbols.gamma: discount, symbols.eta: eta})
    smallest = -(-gap).max()
    right = Interval(max(Fraction(0), smallest.lower), max(Fraction(0), smallest.upper))  # no gap is negative
    trivial = Interval.exactly(0) if (left <= Interval.exactly(0)) is True else None
    limit = discount**2 / (1 - discount**2) * limit_of_mean_loss(k, eta, discount)
    return Sides(left, right, trivial, {"limit of the smallest gap as n grows": estimate(limit), "largest gap": repr(gap.max())})


def _t3f_instances(profile: Profile, given: Sequence[Model] | None) -> list[RedrawnTypes]:
    if given is not None:  # the statement concerns one family of models, not a model of the user
        return []
    plan: list[tuple[str, str, int, tuple[int, ...]]] = [
        ("1/100", "1/2", 20, (2, 3, 10, 19)),
        ("1/100", "1/2", 100, (2, 11, 50, 99)),
        ("1/100", "1/2", 400, (51, 101)),
        ("1/100", "9/10", 400, (101,)),
        ("1/2", "9/10", 60, (5, 20, 31)),
    ]
    if profile is Profile.FULL:
        plan += [("1/100", "1/2", 1000, (3, 101, 401)), ("1/100", "9/10", 1000, (401,)), ("1/100", "99/100", 200, (2, 11, 101))]
    return [RedrawnTypes(models.redrawn(eta, gamma), n, k, Fraction(eta)) for eta, gamma, n, ks in plan for k in ks]


def _with_eta(n: int, k: int, eta: Fraction, discount: Fraction) -> RedrawnTypes | None:
    if k > n or not 0 < eta < 2 * discount:
        return None
    return RedrawnTypes(models.redrawn(eta, discount), n, k, eta)


T3F = Claim(
    id="T3f",
    title="A model whose gap does not fall with k",
    statement=r"On the model of redrawn types, for every $s_0$, $n$ and $k$: $V^*(s_0) - V^{\pi_k}(s_0) \ge " + REDRAWN_TYPES.latex + "$",
    source="ours, unreviewed",
    reading="the smallest gap over all start states, so that no start is an exception. As n grows with k fixed the right side tends to a number > 0 for every k >= 2, "
    "and for large k to gamma^3/(1 - gamma^2): no C (ln k)^p / sqrt(k) stays above it",
    assumptions=(*EXACT_AND_INDEPENDENT, "the model of redrawn types with 0 < eta < 2 gamma"),
    registered=Status.CORROBORATED,
    sides=_redrawn_types,
    instances=_t3f_instances,
    control=Control("the left side is multiplied by two", instances=lambda: _t3f_instances(Profile.QUICK, None)[:5], left=by_factor(2)),
    left_means="closed form from below",
    right_means="smallest gap over start states",
    grounds=proof("docs/mathematics/gap.md", "T3f", uses=("P2",)),
    searched=Parameters(
        (
            range(2, 61),
            range(1, 61),
            tuple(map(Fraction, ("1/2", "1/100", "1", "1/10", "3/2"))),
            tuple(map(Fraction, ("1/2", "9/10", "1/10", "3/4"))),
        ),
        _with_eta,
    ),
)
