"""The mean-field limit against closed forms, unpruned exact backups, and the values of many agents."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from mfverify import count_vectors, models, optimal_value, optimal_value_at
from mfverify.enclosure import StopReason
from mfverify.errors import ModelError, TooLargeError
from mfverify.mean_field import limit as limits
from mfverify.mean_field.finite import enclose_all, enclose_state, expected_upper, rate
from mfverify.mean_field.limit import MeanFieldLimit, exact_values, mean_field_value
from mfverify.mean_field.plans import PlanOperator, Plans
from mfverify.model import Model
from mfverify.papers.ours.sharper_limit import toss

HALF = Fraction(1, 2)


def exact_backup(model: Model, vectors: list[list[tuple[Fraction, ...]]], g: int) -> list[tuple[Fraction, ...]]:
    """All combinations of continuations, in Fractions, nothing left out: the operator written down a second time."""
    global_states, global_actions, size, actions = model.sizes
    found = []
    for b in range(global_actions):
        for ahead in product(*(range(len(vectors[h])) for h in range(global_states))):
            row = []
            for s in range(size):
                best = max(
                    model.local_reward[s, g, a]
                    + model.discount
                    * sum(
                        model.global_kernel[g, b, h] * model.local_kernel[s, g, a, t] * vectors[h][ahead[h]][t]
                        for h in range(global_states)
                        for t in range(size)
                    )
                    for a in range(actions)
                )
                row.append(model.global_reward[g, b] + best)
            found.append(tuple(row))
    return sorted(set(found))


@pytest.mark.parametrize("model", [models.absorbing(), models.coordination(), models.random_coupled(5), models.redrawn()], ids=lambda m: m.name)
def test_value_lies_between_unpruned_backups_with_the_tail_charged(model: Model) -> None:
    """T backups from the constants -rt/(1-gamma) and rt/(1-gamma), exact: below and above the limit at every distribution."""
    rounds = 3
    size = model.sizes[2]
    vectors = [[(Fraction(0),) * size] for _ in range(model.sizes[0])]
    for _ in range(rounds):
        vectors = [exact_backup(model, vectors, g) for g in range(model.sizes[0])]
    tail = model.discount**rounds * model.rt / (1 - model.discount)
    found = mean_field_value(model)
    for g in range(model.sizes[0]):
        for c in count_vectors(6, size):
            shares = [Fraction(int(x), 6) for x in c]
            middle = max(sum(f * x for f, x in zip(shares, row, strict=True)) for row in vectors[g])
            enclosed = found.enclose(g, shares)
            assert enclosed.upper >= middle - tail and enclosed.lower <= middle + tail


def test_closed_form_without_fluctuation() -> None:
    """Section 4.1 of the theory page: all agents undecided. In the limit half of them end on either side: 1/2 a step from the next one on."""
    found = mean_field_value(models.absorbing())
    for g in range(2):
        assert found.enclose(g, [1, 0, 0]).contains(HALF) and found.enclose(g, [1, 0, 0]).width < Fraction(1, 10**9)
        assert found.enclose(g, [0, *([1, 0] if g == 0 else [0, 1])]).contains(Fraction(2))


@pytest.mark.parametrize("seed", range(6))
def test_sandwich_and_rate_on_coupled_models(seed: int) -> None:
    """V1 and V2s with the lumped solver as the judge, n up to 60."""
    model = models.random_coupled(seed, 2 + seed % 2, 2, discount="3/4")
    found = mean_field_value(model)
    for n in (1, 2, 5, 12, 60 if model.sizes[2] == 2 else 20):
        best, below = optimal_value(model, n), found.value(n)
        assert (below.lower <= best.upper).all()
        assert (best.lower <= below.upper + float(rate(model, n)) * (1 + 1e-12)).all()
        k = max(1, n // 2)
        enclosed = enclose_all(found, n, (k, optimal_value(model, k)))
        assert enclosed.intersects(best)


def test_an_operator_with_a_wrong_kernel_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: plans that forget the discount once are worth too much, and the sandwich breaks."""
    model = models.absorbing()
    honest = PlanOperator.__init__

    def wrong(self: PlanOperator, given: Model) -> None:
        honest(self, given)
        self._weight = self._weight * 1.2

    monkeypatch.setattr(PlanOperator, "__init__", wrong)
    found = mean_field_value(model)
    assert not (found.value(20).lower <= optimal_value(model, 20).upper).all()


def test_the_error_bound_covers_an_exact_application() -> None:
    """One application in doubles against the same in Fractions, entry by entry; the largest share of the bound that is used."""
    share = Fraction(0)
    for seed in range(8):
        model = models.random_coupled(seed, 3, 2, discount="999/1000")
        operator = PlanOperator(model)
        rng = np.random.default_rng(seed)
        rows = [rng.normal(scale=10.0 ** (seed - 3), size=(2, 3)) for _ in range(2)]
        empty = np.zeros((2, 3), dtype=np.int64)
        plans = [Plans(row, empty[:, 0], empty, np.zeros((2, 2), dtype=np.int64)) for row in rows]
        error = operator.error(plans)
        given = [[tuple(Fraction(float(x)) for x in row) for row in part] for part in rows]
        for g in range(2):
            exact = exact_backup(model, given, g)
            for row in operator.apply(plans, g).vectors:
                nearest = min(max(abs(Fraction(float(x)) - y) for x, y in zip(row, other, strict=True)) for other in exact)
                assert nearest <= error
                share = max(share, nearest / error)
    assert share > 0, "rounding must have been seen"


@pytest.mark.parametrize("model", [models.patrol(), models.random_coupled(2, 3, 2, discount="19/20"), models.crews()], ids=lambda m: m.name)
def test_following_the_plans_for_ever_earns_what_is_promised(model: Model) -> None:
    found = mean_field_value(model, width=1e-4)
    assert found.work.stop is StopReason.WIDTH
    for g, (rows, exact) in enumerate(zip(found.vectors, exact_values(found), strict=True)):
        assert rows.shape == exact.shape
        for c in count_vectors(4, model.sizes[2]):
            shares = [Fraction(int(x), 4) for x in c]
            earned = max(sum(f * x for f, x in zip(shares, row, strict=True)) for row in exact)
            enclosed = found.enclose(g, shares)
            assert enclosed.lower - Fraction(found.excess) <= earned <= enclosed.upper


def test_a_million_agents_at_given_states() -> None:
    model = models.absorbing()
    found = mean_field_value(model)
    k = 60
    fewer = (k, optimal_value(model, k))
    enclosed = enclose_state(found, 0, (10**6, 0, 0), fewer)
    assert enclosed.contains(HALF) and enclosed.upper - enclosed.lower <= rate(model, 10**6) + Fraction(1, 10**9)
    n = 12
    best = optimal_value(model, n)
    for rank, c in enumerate(count_vectors(n, 3).tolist()):
        small = enclose_state(found, 1, c, (5, optimal_value(model, 5)))
        assert small.lower <= Fraction(float(best.upper[1, rank])) and Fraction(float(best.lower[1, rank])) <= small.upper


def test_expectation_over_subsets_two_ways() -> None:
    """Step by step in doubles, rounded up, and as one exact sum."""
    model = models.random_coupled(0, 3, 2)
    small = optimal_value(model, 3)
    found = mean_field_value(model)
    every = enclose_all(found, 9, (3, small))
    for g in range(2):
        for rank, c in enumerate(count_vectors(9, 3).tolist()):
            exact = min(expected_upper(small.upper[g], 3, tuple(c)), found.enclose(g, [Fraction(x, 9) for x in c]).upper + rate(model, 9))
            assert exact <= Fraction(float(every.upper[g, rank])) + Fraction(1, 10**12)
            assert Fraction(float(every.upper[g, rank])) <= exact + Fraction(1, 10**9)


def test_rate_is_rounded_up() -> None:
    model = models.absorbing()
    for n in (1, 2, 3, 7, 10**6):
        square = (rate(model, n) * (1 - model.discount) ** 2 / (model.discount**2 * model.rt_l)) ** 2
        assert Fraction(2, n) <= square <= Fraction(2, n) * (1 + Fraction(1, 10**12))


@pytest.mark.parametrize("discount", [Fraction(1, 100), HALF, Fraction(9, 10)])
def test_rate_is_attained_up_to_one_minus_the_discount(discount: Fraction) -> None:
    """One agent that tosses a coin: V_1 - V_inf = gamma^2/(1-gamma). The rate covers it, and with one more factor gamma it would not if gamma < 1/2."""
    model = toss(discount)
    exact = optimal_value(model, 1, "rational").exact
    assert exact is not None
    distance = exact[0, 0]  # V_inf is 0 there: on either side the agents are worth 0 in expectation
    assert mean_field_value(model).enclose(0, [1, 0]).contains(0)
    assert distance == discount**2 / (1 - discount)
    assert distance <= rate(model, 1) and distance >= (1 - discount) * rate(model, 1) * (1 - Fraction(1, 10**12))
    assert (distance > discount * rate(model, 1)) == (discount < HALF)


def test_refusals() -> None:
    found = mean_field_value(models.absorbing())
    for bad in ([1, 0], [1, 1, 0], [-1, 1, 1], ["x", 0, 0], [0.5, 0.5, 0.1], "100", 1, None):
        with pytest.raises(ModelError, match="distribution"):
            found.enclose(0, bad)  # type: ignore[arg-type]
    for entry in ("1_0", " 1", "\u0661", "nan", float("inf"), True, None, "1/0"):  # one grammar of numbers for all input
        with pytest.raises(ModelError, match=r"distribution\[0\]: found .*, expected a finite number"):
            found.enclose(0, [entry, 0, 0])
    same = found.enclose(0, ["5e-1", ".25", Fraction(1, 4)]), found.enclose(0, [0.5, "1/4", 0.25])
    assert same[0].lower == same[1].lower
    for state in (2, -1, True, 0.0, "0"):
        with pytest.raises(ModelError, match="global state"):
            found.enclose(state, [1, 0, 0])  # type: ignore[arg-type]
    for width in (0, -1, float("inf"), float("nan"), "wide", "1_0"):
        with pytest.raises(ModelError, match="width"):
            mean_field_value(models.absorbing(), width=width)  # type: ignore[arg-type]
    with pytest.raises(TooLargeError, match="single states"):
        found.value(10**6)
    for bad in ((1, 2), (-1, 2, 3), (0, 0, 0)):
        with pytest.raises(ModelError, match="state"):
            enclose_state(found, 0, bad)


def test_partial_sums_that_are_left_out_are_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    """All combinations against incremental pruning, three global states; a missing amount that is not charged would show."""
    model, found = models.random_coupled(3, 2, 2, 3, 2), []
    for few in (0, 10**9):
        monkeypatch.setattr(limits, "_FEW_COMBINATIONS", few)
        found.append(mean_field_value(model, width=1e-4))
    pruned, every = found
    for g in range(3):
        for c in count_vectors(6, 2):
            shares = [Fraction(int(x), 6) for x in c]
            one, other = pruned.enclose(g, shares), every.enclose(g, shares)
            assert one.lower <= other.upper and other.lower <= one.upper
    operator = PlanOperator(model)
    plans = [Plans(rows, *(np.zeros(0, dtype=np.int64),) * 3) for rows in every.vectors]
    shares_of = np.array([c / 6 for c in count_vectors(6, 2)])
    for g in range(3):
        whole, (part, missing) = operator.apply(plans, g), operator.apply_pruned(plans, g, lambda rows, _: (np.arange(1), float(np.ptp(rows))))
        assert len(part) < len(whole)
        assert ((whole.vectors @ shares_of.T).max(axis=0) <= (part.vectors @ shares_of.T).max(axis=0) + missing).all()


@pytest.mark.slow
def test_thinning_is_said_and_stays_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.patrol()
    monkeypatch.setattr(limits, "_MOST_NUMBERS", 300)
    monkeypatch.setattr(limits, "_FEW_COMBINATIONS", 10)
    found: MeanFieldLimit = mean_field_value(model)
    assert found.work.stop is StopReason.PLANS and found.excess > 1e-6
    monkeypatch.undo()
    fine = mean_field_value(model)
    for g in range(3):
        for c in count_vectors(5, 3):
            shares = [Fraction(int(x), 5) for x in c]
            coarse, sharp = found.enclose(g, shares), fine.enclose(g, shares)
            assert coarse.lower <= sharp.upper and sharp.lower <= coarse.upper


@pytest.mark.parametrize("seed", [0, 1, 6])  # the first stops at the bounds, the others at the width
def test_method_limit_contains_the_exact_optimum(seed: int) -> None:
    """The rational solver as the judge, at all states and at single ones; the stop reason says when the width is not reached."""
    model = models.random_coupled(seed, 3, 2, discount="3/4")
    for n in (1, 3):
        exact = optimal_value(model, n, "rational")
        found = optimal_value(model, n, "limit")
        assert found.intersects(exact)
        assert (found.work.stop is StopReason.WIDTH) == bool(found.width.max() <= 1e-9)
        states = [(g, c) for g in range(2) for c in count_vectors(n, 3).tolist()]
        for (g, c), one in zip(states, optimal_value_at(model, states), strict=True):
            assert exact.exact is not None and one.contains(exact.exact[g, count_vectors(n, 3).tolist().index(c)])


@pytest.mark.parametrize("far", [10**6, 10**12, 10**30])
def test_discounts_next_to_one_end_in_a_sound_enclosure(far: int) -> None:
    """Beyond double precision the enclosure is wide, and still contains what two agents earn less the rate."""
    model = models.random_coupled(0, discount=1 - Fraction(1, far))
    found = mean_field_value(model)
    exact = optimal_value(model, 2, "rational")
    assert exact.exact is not None
    for g in range(2):
        for rank, c in enumerate(count_vectors(2, 2).tolist()):
            enclosed = found.enclose(g, [Fraction(x, 2) for x in c])
            assert enclosed.lower <= exact.exact[g, rank] <= enclosed.upper + rate(model, 2)
