"""Budgets of laws: each rule covers an adversarial input, recounted in rationals, that a budget one rounding smaller does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.sparse import csr_array

from mfverify.enclosure import UNIT_ROUNDOFF
from mfverify.laws import EXACT, ROUNDED, Budget, Law, worst
from mfverify.models import coordination, random_coupled
from mfverify.subsample_mfq import binomial_rows, group_laws
from mfverify.subsample_mfq.draws import WORDS, way
from mfverify.subsample_mfq.execution import policy_marginals
from mfverify.subsample_mfq.learning import learn
from mfverify.subsample_mfq.truncated_chain import sparse_expectation
from tests.agreement.checks import model_of, rules_of
from tests.oracles import PLAYS, Greedy, LabelledSystem, State, counts_of, flat_order, random_instance

U = UNIT_ROUNDOFF
SMALL = float(U) * (1 - 2.0**-20)
"""Added to a number between 1 and 2 it is rounded away, nearly a whole unit roundoff."""


def rounded_down(operation: Callable[[float, float], float], exact: Callable[[Fraction, Fraction], Fraction]) -> tuple[float, float]:
    """Two doubles whose product or quotient, just above 1, is rounded down by nearly a unit roundoff."""
    rng = np.random.default_rng(1)
    pairs = [(float(x), float(y)) for x, y in 1 + rng.uniform(0, 2.0**-12, (4000, 2))]
    pairs = [(x, y) for x, y in pairs if operation(x, y) > 1]
    return max(pairs, key=lambda pair: 1 - Fraction(operation(*pair)) / exact(Fraction(pair[0]), Fraction(pair[1])))


TIMES = rounded_down(lambda x, y: x * y, lambda x, y: x * y)
OVER = rounded_down(lambda x, y: x / y, lambda x, y: x / y)


def true_value(x: float, roundings: int) -> Fraction:
    """A number of which ``x`` is a computed value with so many roundings, all of them down and as large as can be."""
    return Fraction(x) / (1 - U) ** roundings


def one_less_is_caught(computed: float, true: Fraction, budget: Budget) -> Fraction:
    """The budget covers the error, one rounding less does not; returns the ratio of actual to claimed error."""
    error = abs(Fraction(float(computed)) - true)
    assert error <= budget.error(true)
    assert error > replace(budget, roundings=budget.roundings - 1).error(true)
    return error / budget.error(true)


INPUTS = [(0, 0), (1, 0), (0, 1), (4, 3), (20, 11)]


@pytest.mark.parametrize(("first", "second"), INPUTS)
def test_products_and_quotients(first: int, second: int) -> None:
    budget = Budget(first).times(Budget(second))
    x, y = TIMES
    one_less_is_caught(x * y, true_value(x, first) * true_value(y, second), budget)
    x, y = OVER
    # A divisor that was rounded up.
    one_less_is_caught(x / y, true_value(x, first) / (Fraction(y) * (1 - U) ** second), budget)


@pytest.mark.parametrize("factors", [2, 3, 4])
@pytest.mark.parametrize("first", [0, 3])
def test_powers(first: int, factors: int) -> None:
    """Of many numbers the one whose power, multiplied up, is rounded down most."""
    candidates = 1 + np.random.default_rng(factors).uniform(0, 0.02, 20_000)
    powers = candidates.copy()
    for _factor in range(factors - 1):
        powers = powers * candidates
    shortfall = [float(1 - Fraction(float(y)) / Fraction(float(x)) ** factors) for x, y in zip(candidates, powers, strict=True)]
    i = int(np.argmax(shortfall))
    one_less_is_caught(powers[i], true_value(float(candidates[i]), first) ** factors, Budget(first).power(factors))
    assert Budget(first).power(0) == EXACT


@pytest.mark.parametrize("terms", [1, 2, 3, 50])
@pytest.mark.parametrize("first", [1, 5])
def test_sums(first: int, terms: int) -> None:
    entries = [1.0, *[SMALL] * (terms - 1)]
    computed = 0.0
    for x in entries:
        computed += x
    one_less_is_caught(computed, sum((true_value(x, first) for x in entries), Fraction(0)), Budget(first).summed(terms))


def adversarial(terms: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights and entries: the first product is rounded down, and all others are rounded away when they are added to it."""
    x, y = TIMES
    weights, entries = np.full(terms, 2.0**-27), np.full(terms, SMALL * 2.0**27)
    weights[0], entries[0] = x, y
    return weights / 4, entries / 4


def sum_of_products(weights: np.ndarray, entries: np.ndarray) -> float:
    computed = 0.0
    for w, x in zip(weights, entries, strict=True):
        computed += w * x
    return computed


def convolution(weights: np.ndarray, entries: np.ndarray) -> float:
    """The compiled loop, at the point where all of the shorter law meets the longer one."""
    longer = np.concatenate([entries[::-1], [0.0]])
    return float(binomial_rows._convolve(weights, longer)[len(weights) - 1])


def sparse_product(weights: np.ndarray, entries: np.ndarray) -> float:
    """An expectation over a sparse row."""
    return float((csr_array(weights[None, :]) @ entries)[0])


@pytest.mark.parametrize("compute", [sum_of_products, convolution, sparse_product])
@pytest.mark.parametrize("terms", [1, 2, 3, 40])
@pytest.mark.parametrize(("first", "second"), INPUTS)
def test_mixtures_convolutions_and_expectations(first: int, second: int, terms: int, compute: Callable[..., float]) -> None:
    weights, entries = adversarial(terms)
    true = sum((true_value(w, first) * true_value(x, second) for w, x in zip(weights, entries, strict=True)), Fraction(0))
    budget = Budget(first).mixing(Budget(second), terms)
    one_less_is_caught(compute(weights, entries), true, budget)
    assert Budget(first).convolved(Budget(second), terms).roundings == budget.roundings
    if second == 0:
        assert sparse_expectation(Law(csr_array(weights[None, :]), Budget(first))) == budget


def test_losses_add_up_and_no_less_will_do() -> None:
    """A mixture whose weights have moved by a and whose laws by b, in rationals."""
    a, b = Fraction(1, 2**80), Fraction(3, 2**80)
    true = [(1 - a / 2) * (1 - b / 2), (1 - a / 2) * b / 2, a / 2]
    moved = abs(1 - true[0]) + true[1] + true[2]
    claimed = Budget(lost=a).mixing(Budget(lost=b), 2).lost
    assert claimed * (1 - Fraction(1, 2**70)) < moved <= claimed
    assert Budget(lost=a).times(Budget(lost=b)).lost == Budget(lost=a).losing(b).lost == claimed
    assert Budget(5, lost=a).summed(9).lost == a


def test_the_worst_of_several_is_the_largest_in_every_respect() -> None:
    assert worst(Budget(3, Fraction(1, 8), 1), Budget(2, Fraction(1, 4), 7)) == Budget(3, Fraction(1, 4), 7)


def test_underflow_is_in_the_budget() -> None:
    tiny = 2.0**-600
    lost = Fraction(tiny) * Fraction(tiny) * 40
    computed = sum_of_products(np.full(40, tiny), np.full(40, tiny))
    budget = EXACT.mixing(EXACT, 40)
    assert abs(Fraction(computed) - lost) <= budget.error(lost)
    assert abs(Fraction(computed) - lost) > replace(budget, underflows=0).error(lost)


def test_entries_that_are_kept_lose_their_underflows() -> None:
    """An entry of exactly the least size whose product has underflowed by all that is claimed."""
    least = Fraction(1, 4)
    kept = Budget(3, underflows=8).kept_from(least)
    assert (kept.roundings, kept.underflows) == (3, 0)
    assert 8 * Fraction(1, 2**1022) * 2 / least <= kept.lost <= Fraction(1, 2**200)
    assert Budget(3, underflows=2**900).kept_from(least).lost >= Fraction(1, 2**119)


def test_what_odds_carry_moves_a_sum_of_binomials_by_no_more_than_is_claimed() -> None:
    """Exact laws of two groups whose agents' moves are off by what the odds have lost."""
    n, lost = 12, Fraction(1, 10**6)
    for c in range(n + 1):
        laws = []
        for off in (Fraction(0), lost / 2):
            law = [Fraction(1)]
            for p, agents in ((Fraction(1, 3) + off, c), (Fraction(3, 5) + off, n - c)):
                for _agent in range(agents):
                    law = [x * (1 - p) + y * p for x, y in zip([*law, Fraction(0)], [Fraction(0), *law], strict=True)]
            laws.append(law)
        actual = sum(abs(x - y) for x, y in zip(*laws, strict=True))
        assert 0 < actual <= binomial_rows.moved(n, 2, Budget(lost=lost))


# ------------------------------------------------------------------------------------------------- actual against claimed error


def exact_law(instance: object, n: int, k: int, sampling: str, state: State) -> dict[State, Fraction]:
    """The law of the next (global state, counts), from the labelled system."""
    system, greedy = LabelledSystem(instance, n), Greedy(LabelledSystem(instance, k), rules_of(instance))  # type: ignore[arg-type]
    g, c = state
    labelled = (g, tuple(label for label, x in enumerate(c) for _ in range(x)))
    law: dict[State, Fraction] = {}
    for action, weight in PLAYS[sampling](greedy, n, labelled).items():
        for (h, t), p in system.row(labelled, action)[1].items():
            key = h, counts_of(t, len(c))
            law[key] = law.get(key, Fraction(0)) + weight * p
    return law


def ratio_of_a_row(found: dict[State, float], exact: dict[State, Fraction], budget: Budget) -> Fraction:
    """Sum of absolute errors of a row over what its budget claims."""
    assert set(found) >= set(exact)
    actual = sum((abs(Fraction(p) - exact.get(state, Fraction(0))) for state, p in found.items()), Fraction(0))
    return actual / (budget.error(Fraction(1)) + len(found) * budget.underflows * Fraction(1, 2**1000))


@pytest.mark.parametrize(("n", "k", "sizes"), [(4, 3, (2, 2, 2, 2)), (3, 2, (2, 2, 3, 2))])
def test_rows_of_every_way_of_drawing_keep_their_budget(
    n: int, k: int, sizes: tuple[int, int, int, int], record_property: Callable[[str, object], None]
) -> None:
    instance = random_instance(860, *sizes)
    learned = learn(model_of(instance), k)
    order = flat_order(instance, n)
    largest = Fraction(0)
    for sampling in WORDS:
        if sampling not in PLAYS:
            continue
        chain = way(sampling).chain(learned.model, n, learned)
        columns = {}
        for index, state in order:
            unit = np.zeros(chain.reward.shape)
            unit[index] = 1.0
            columns[state] = chain.expect(unit)
        for index, state in order:
            exact = exact_law(instance, n, k, sampling, state)
            assert sum(exact.values()) == 1
            ratio = ratio_of_a_row({target: float(columns[target][index]) for target in columns}, exact, chain.expectation)
            assert ratio <= 1, (sampling, state)
            largest = max(largest, ratio)
    assert largest > 0, "no error at all: the comparison compares nothing"
    record_property("largest ratio of actual to claimed error", float(largest))
    print(f"n = {n}, {sizes}: largest ratio of actual to claimed error {float(largest):.3g}")


@pytest.mark.parametrize("model", [coordination(), random_coupled(4)], ids=lambda m: m.name)
def test_rows_of_sixty_agents_keep_their_budget(model: object, record_property: Callable[[str, object], None]) -> None:
    """Sums of two binomials against exact rationals, from exact marginals."""
    n, k = 60, 13
    learned = learn(model, k)  # type: ignore[arg-type]
    exact = policy_marginals(learned, n).local_action
    chain = way("independent").chain(learned.model, n, learned)
    largest = Fraction(0)
    for g, c in product(range(2), (0, 1, 17, 30, 59, 60)):
        law = [Fraction(1)]
        for s, agents in enumerate((c, n - c)):
            p = exact[g, c, s] @ learned.model.local_kernel[s, g, :, 0] if agents else Fraction(0)
            binomial = [comb(agents, m) * p**m * (1 - p) ** (agents - m) for m in range(agents + 1)]
            total = [Fraction(0)] * (len(law) + agents)
            for i, x in enumerate(law):
                for j, y in enumerate(binomial):
                    total[i + j] += x * y
            law = total
        found = chain.local_law[g].rows[[c]].toarray()[0]
        actual = sum(abs(Fraction(float(p)) - q) for p, q in zip(found, law, strict=True))
        claimed = chain.local_law[g].budget.error(Fraction(1))
        assert actual <= claimed
        largest = max(largest, actual / claimed)
    assert largest > 0
    record_property("largest ratio of actual to claimed error", float(largest))
    print(f"{n} agents: largest ratio of actual to claimed error {float(largest):.3g}")


@pytest.mark.parametrize("size", [2, 3, 4])
def test_rows_that_are_convolved_agent_by_agent_keep_their_budget(size: int) -> None:
    rng = np.random.default_rng(size)
    exact = [[Fraction(int(x)) / int(row.sum()) for x in row] for row in rng.integers(1, 1000, (size, size))]
    agents = np.array([[2, 1, 3, 0][:size]])
    moves = Law(np.array([[[float(p) for p in row] for row in exact]]), ROUNDED)
    n = int(agents.sum())
    law: dict[tuple[int, ...], Fraction] = {(0,) * size: Fraction(1)}
    for s, row in enumerate(exact):
        for _agent in range(int(agents[0, s])):
            after: dict[tuple[int, ...], Fraction] = {}
            for c, p in law.items():
                for t, q in enumerate(row):
                    target = (*c[:t], c[t] + 1, *c[t + 1 :])
                    after[target] = after.get(target, Fraction(0)) + p * q
            law = after
    found = group_laws.next_counts(agents, moves, n)
    assert found.budget.roundings == n * (size + 1)
    for p, (_, q) in zip(found.rows[0], sorted(law.items()), strict=True):
        assert abs(Fraction(float(p)) - q) <= found.budget.error(q)
