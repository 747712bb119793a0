"""The checker's operators and right-hand sides, which share no code with the package, against those of the package.

A value vector that the package certifies has to have a tiny residual under the checker's operator: one wrong probability or reward on
either side shows.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

import mfverify as mfv
from mfverify import counts
from mfverify.checker import check_certificate as checker
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.mean_field_sampling.theorem_4_2 import THEOREM_4_2, THEOREM_4_2_WEAKER
from mfverify.papers.mean_field_sampling.theorem_4_4 import THEOREM_4_4, THEOREM_4_4_WEAKER
from mfverify.papers.mean_field_sampling.total_variation_tail import TV_TAIL
from mfverify.papers.ours import symbols

MODELS = [
    mfv.models.coordination(),
    mfv.models.splitting(),
    mfv.models.random_coupled(4),
    mfv.models.random_coupled(22, 3, 2),
    mfv.models.random_coupled(6, 2, 3, 3, 2),
]
TINY = Fraction(1, 10**7)


def read(model: Model) -> checker.Model:
    return checker.Model({"model": model.numbers_as_text()})


def values(model: Model, n: int, enclosure: mfv.Enclosure) -> checker.Values:
    vectors = [tuple(int(x) for x in row) for row in counts.count_vectors(n, model.sizes[2])]
    assert vectors == list(checker.vectors(n, model.sizes[2]))
    table = enclosure.midpoint.tolist()
    listed = {(g, c): Fraction(round(table[g][i] * 10**9), 10**9) for g in range(model.sizes[0]) for i, c in enumerate(vectors)}
    return checker.Values(read(model), n, listed, Fraction(0))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_optimal_values_are_fixed_points_of_the_other_operator(model: Model) -> None:
    n = 4
    best = values(model, n, mfv.optimal_value(model, n))
    assert checker.bellman(read(model), n, best, checker.Work())[0] < TINY
    state = next(iter(best.listed))
    best.listed[state] += Fraction(1, 1000)
    assert checker.bellman(read(model), n, best, checker.Work())[0] >= Fraction(1, 1000)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_executed_values_are_fixed_points_of_the_other_operator(model: Model, k: int) -> None:
    n = 5
    learned = mfv.learn(model, k)
    vectors = [tuple(int(x) for x in row) for row in counts.count_vectors(k, model.sizes[2])]
    plays = {
        (g, c): checker.Play(int(learned.global_action[g, i]), [int(a) if a >= 0 else None for a in learned.local_action[g, i]])
        for g in range(model.sizes[0])
        for i, c in enumerate(vectors)
    }
    played = values(model, n, mfv.execution_value(model, n, learned))
    assert checker.executed(read(model), n, k, plays, played, checker.Work()) < TINY
    wrong = values(model, n, mfv.optimal_value(model, n))
    difference = max(abs(played.listed[s] - wrong.listed[s]) for s in played.listed)
    found = checker.executed(read(model), n, k, plays, wrong, checker.Work())
    assert found >= difference - TINY


@pytest.mark.parametrize("model", [m for m in MODELS if m.sizes[2] == 2], ids=lambda m: m.name)
def test_greedy_policies_agree(model: Model) -> None:
    learned = mfv.learn(model, 3)
    exact = mfv.optimal_value(model, 3, method="rational").exact
    assert exact is not None
    vectors = list(checker.vectors(3, 2))
    listed = {(g, c): exact[g, i] for g in range(model.sizes[0]) for i, c in enumerate(vectors)}
    radius, plays, _ = checker.bellman(read(model), 3, checker.Values(read(model), 3, listed, Fraction(0)), checker.Work(), Fraction(0))
    assert radius == 0
    for g in range(model.sizes[0]):
        for i, c in enumerate(vectors):
            own = [int(a) if a >= 0 else None for a in learned.local_action[g, i]]
            assert plays[g, c] == checker.Play(int(learned.global_action[g, i]), own)


@pytest.mark.parametrize(
    ("claim", "bound"),
    [
        ("T1", THEOREM_4_2),
        ("T1b", THEOREM_4_2_WEAKER),
        ("T2", THEOREM_4_4),
        ("T2b", THEOREM_4_4_WEAKER),
    ],
)
@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_right_hand_sides_agree_from_above(claim: str, bound: mfv.Bound, model: Model) -> None:
    for n, k in ((2, 1), (20, 7), (2000, 401), (300, 300)):
        ours = bound.enclose(symbol_values(model, n, k))
        theirs = checker.theorem_bound(claim, read(model), n, k)
        assert ours.lower <= theirs <= ours.upper * (1 + Fraction(1, 10**8))


@pytest.mark.parametrize("x", [Fraction(1), Fraction(3, 2), Fraction(10**40), Fraction(7, 5) ** 30])
def test_logarithm_exponential_and_root_enclose(x: Fraction) -> None:
    values = {symbols.n: 10, symbols.k: 5, symbols.Z: 3, symbols.epsilon: Fraction(1, 2)}
    tail = TV_TAIL.enclose(values)
    low, high = checker.exponential(Fraction(2 * 10 * 5, 4 * 6))
    assert 6 / high <= tail.upper and tail.lower <= 6 / low
    low, high = checker.logarithm(x)
    assert checker.exponential(low)[0] <= x <= checker.exponential(high)[1]
    assert high - low < Fraction(1, 10**8)
    low, high = checker.root(x)
    assert low**2 <= x <= high**2


def test_the_unit_of_a_small_system_is_exact() -> None:
    model = read(mfv.models.random_coupled(22, 3, 2))
    rows = [list(row) for part in model.P_l for rows in part for row in rows]
    unit = model.unit(4)
    work = checker.Work()
    law = checker.repeated(checker.law_of([int(p * unit) for p in rows[0]], 4), 4, unit, work)
    assert sum(law.values()) == unit
    spread = checker.repeated(
        checker.law_of([int(p * checker.FINE) for p in (Fraction(1, 3), Fraction(1, 3), Fraction(1, 3))], 4), 4, checker.FINE, work
    )
    assert 0 < checker.FINE - sum(spread.values()) < 1000  # a lower weight loses what it rounds away
