"""The model of redrawn types: its closed forms against labelled brute force, and what they say as n and k grow."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp

from mfverify import models
from mfverify.models import redrawn as constructor
from mfverify.models.redrawn import CHOOSE, lead, limit_of_mean_loss, loss, mean_loss, pull
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.uniform_rate import Rate
from mfverify.papers.ours import symbols
from mfverify.papers.ours.redrawn_types import REDRAWN_TYPES, RedrawnTypes
from mfverify.theory.claim import Sides, Verdict, judge
from tests import oracles
from tests.agreement.checks import instance_of

SIZES = [(1, 1), (2, 1), (2, 2), (3, 2)]
DATA = [("1/100", "1/2"), ("1", "9/10")]


@pytest.mark.parametrize(("n", "k"), SIZES)
@pytest.mark.parametrize(("eta", "discount"), DATA)
def test_the_gap_from_every_start_is_the_closed_form(n: int, k: int, eta: str, discount: str) -> None:
    data, cost, gamma = instance_of(constructor(eta, discount)), Fraction(eta), Fraction(discount)
    system = oracles.LabelledSystem(data, n)
    best, played = system.by_counts(system.optimum), oracles.execution_value(data, n, k, "independent")
    rounds = mean_loss(n, k, cost, gamma) * gamma / (1 - gamma**2)
    assert len(best) == 3 * (n + 1)
    for (g, (x, y)), value in best.items():
        expected = loss(x, y, k, cost, gamma) + gamma * rounds if g == CHOOSE else rounds
        assert value - played[g, (x, y)] == expected


def test_larger_systems_have_the_closed_form_too() -> None:
    for n, k in ((20, 3), (40, 11), (40, 20)):
        instance = RedrawnTypes(constructor(), n, k, Fraction("1/100"))
        sides = CATALOGUE["T3f"].sides(instance)
        assert isinstance(sides, Sides)
        exact = mean_loss(n, k, Fraction(1, 100), Fraction(1, 2)) / 3
        # The smallest gap is that of the start in which one round loses least: the population that stands on one side.
        smallest = exact + loss(0, n, k, Fraction(1, 100), Fraction(1, 2))
        assert loss(0, n, k, Fraction(1, 100), Fraction(1, 2)) == 0
        assert sides.right.lower <= smallest <= sides.right.upper


def test_hoeffding_s_bound_of_the_variance_holds_exactly() -> None:
    for n in (4, 9, 16, 40):
        for k in range(1, n + 1):
            second = sum(Fraction(int(sp.binomial(n, x)), 2**n) * pull(x, n - x, k) ** 2 for x in range(n + 1))
            tie = lead(k) if k % 2 == 0 else Fraction(0)
            assert second <= tie**2 + Fraction(k, n) * (1 - tie**2)
            if k == n:
                assert second == 1


@pytest.mark.parametrize("k", [2, 3, 8, 15])
def test_the_mean_loss_tends_to_its_limit(k: int) -> None:
    eta, gamma = Fraction(1, 10), Fraction(3, 4)
    limit = limit_of_mean_loss(k, eta, gamma)
    distances = []
    for n in (k, 4 * k, 16 * k, 64 * k):
        distance = limit - mean_loss(n, k, eta, gamma)
        assert -eta * lead(n) / 2 <= distance <= gamma * Fraction(k, n)
        distances.append(distance)
    assert distances == sorted(distances, reverse=True)


def test_the_bound_tends_to_a_positive_number_for_every_k() -> None:
    """As n grows sympy's limit is the closed form without k/n; as k grows w_k^2 <= 1/k lets it tend to gamma^3/(1 - gamma^2)."""
    x = sp.Symbol("x", positive=True)
    for k in (2, 3, 7, 12):
        at = REDRAWN_TYPES.expression.subs({symbols.k: k, symbols.gamma: sp.Rational(1, 2), symbols.eta: sp.Rational(1, 100)})
        limit = sp.limit(at.subs(symbols.n, x).doit(), x, sp.oo)
        w = sp.Rational(lead(k).numerator, lead(k).denominator)
        assert sp.simplify(limit - sp.Rational(1, 3) * ((1 - w**2) / 2 - w / 200)) == 0
        assert limit > sp.Rational(1, 9)
    assert all(k * lead(k) ** 2 <= 1 for k in range(1, 400))


def test_everything_else_about_the_model() -> None:
    assert models.redrawn().name == "redrawn"
    assert models.redrawn("1/2").name == "redrawn(eta=1/2, discount=1/2)"
    gaps = [CATALOGUE[claim].sides(Rate(models.redrawn(), 12, 5, Fraction("1"))) for claim in ("R4", "T3")]
    shared, independent = (sides.left for sides in gaps if isinstance(sides, Sides))
    assert (shared * 5 < independent) is True


def test_each_constant_that_was_tried_is_refuted_by_a_larger_sample() -> None:
    """C = 1/4 is refuted at k = 11, C = 1/2 at k = 31 (n = 200): a larger constant only asks for larger k and n."""
    tried = []
    for c, k in (("1/4", 11), ("1/2", 31)):
        tried.append(judge(CATALOGUE["T3"].sides(Rate(constructor(), 200, k, Fraction(c)))))
    assert tried == [Verdict.VIOLATED] * 2
