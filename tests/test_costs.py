"""What a computation would cost is said before it begins: formulas against enumeration, and refusals that name the numbers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import combinations_with_replacement, pairwise, product
from math import comb, prod

import numpy as np
import pytest

from mfverify import costs
from mfverify.bellman import work
from mfverify.bellman.lumped import LumpedOperator
from mfverify.bellman.tabled import TabledSweep
from mfverify.cli import run
from mfverify.counts import count_vectors
from mfverify.errors import TooLargeError
from mfverify.exact.optimal import optimal_value
from mfverify.model import Model
from mfverify.models import BUNDLED, coordination, patrol, random_coupled
from mfverify.subsample_mfq.draws import WORDS, way
from mfverify.subsample_mfq.execution import execution_value
from mfverify.subsample_mfq.learning import learn

GIB = 2**30


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("make", [lambda: random_coupled(3, 2, 2, 3, 2, "1/2"), patrol])
def test_joint_actions_are_counted_as_an_enumeration_counts_them(make: Callable[[], Model], n: int) -> None:
    model = make()
    listed = 0
    for g in range(model.sizes[0]):
        kernels = [len({tuple(model.local_kernel[s, g, a]) for a in range(model.sizes[3])}) for s in range(model.sizes[2])]
        rows = len({tuple(model.global_kernel[g, b]) for b in range(model.sizes[1])})
        of_vector = [
            prod(sum(1 for _ in combinations_with_replacement(range(k), c)) for c, k in zip(vector, kernels, strict=True))
            for vector in count_vectors(n, model.sizes[2]).tolist()
        ]
        listed += rows * sum(of_vector)
    assert costs.solving(model, n).operations % listed == 0
    assert costs.solving(model, n).operations // listed == costs.solving(model, 1).operations // _joint_actions_of_one(model)


def _executing(word: str, model: Model, n: int) -> costs.Cost:
    return way(word).cost(model, n, 1)


def _joint_actions_of_one(model: Model) -> int:
    total = 0
    for g in range(model.sizes[0]):
        rows = len({tuple(model.global_kernel[g, b]) for b in range(model.sizes[1])})
        total += rows * len({(s, tuple(model.local_kernel[s, g, a])) for s, a in product(range(model.sizes[2]), range(model.sizes[3]))})
    return total


def test_memory_covers_at_least_the_values_that_are_returned() -> None:
    for name, n in product(BUNDLED, (2, 4)):
        model = BUNDLED[name]()
        value = optimal_value(model, n)
        assert costs.solving(model, n).memory >= value.lower.nbytes + value.upper.nbytes
        table = model.sizes[0] * (model.sizes[2] * model.sizes[3]) ** n
        assert costs.solving(model, n, "flat").memory >= table * np.dtype(float).itemsize


def test_the_number_of_samples_is_that_of_the_pairs_times_m() -> None:
    with_samples, without = costs.learning(coordination(), 2, samples=1000), costs.learning(coordination(), 2)
    pairs = 2 * 2 * comb(2 + 3, 3)
    assert with_samples.memory - without.memory == 8 * 1000 * pairs


@pytest.mark.parametrize("estimate", [costs.solving, costs.learning, *(partial(_executing, word) for word in WORDS if word != "pool")])
def test_estimates_grow_with_the_agents(estimate: Callable[[Model, int], costs.Cost]) -> None:
    for make in (coordination, patrol):
        found = [estimate(make(), n) for n in (2, 8, 64, 10**6, 10**30)]
        assert all(a.memory < b.memory and a.operations < b.operations for a, b in pairwise(found))


def grid(size: int, actions: int) -> Model:
    """One agent on a ring of ``size`` cells, every action with a kernel of its own in every cell, the kernels in general position."""
    rng = random.Random(f"grid {size} {actions}")

    def row(s: int, a: int) -> list[Fraction]:
        drawn = [rng.randint(1, 9) + (50 if t == (s + a) % size else 0) for t in range(size)]
        return [Fraction(x, sum(drawn)) for x in drawn]

    kernel = [[[row(s, a) for a in range(actions)]] for s in range(size)]
    reward = [[[Fraction(int(s == 0)) for _ in range(actions)]] for s in range(size)]
    return Model([[[1]]], kernel, [[0]], reward, Fraction(9, 10), "grid")


def test_planning_is_counted_and_avoided_where_the_agents_are_few() -> None:
    """Many local states and few agents: a plan costs thousands of sweeps, so a table over the kernels takes its place."""
    model = grid(30, 2)
    planning = work.planning_steps(30, 60)
    for n in (1, 2):
        assert [type(sweep) for sweep in LumpedOperator(model, n)._sweeps] == [TabledSweep]
        found = costs.solving(model, n)
        assert 0 < found.preparation < planning
        assert found.preparation < costs.learning(model, n).preparation + 1 < planning
        assert found.seconds > replace(found, preparation=0).seconds
    assert work.planning_steps(30, 60) > 10**8 > work.planning_steps(3, 6)
    assert work.planning_steps(2, 4) < 1000
    assert costs.solving(coordination(), 3).preparation == 0
    value, flat = optimal_value(model, 1), optimal_value(model, 1, "flat")
    assert value.intersects(flat)
    assert value.width.max() <= 1e-9


def test_a_plan_that_is_needed_is_in_the_estimate() -> None:
    model = grid(12, 2)
    assert not work.prefers_table(6, 12, 24, 24)
    assert costs.solving(model, 6).preparation == work.planning_steps(12, 24)


@pytest.mark.parametrize("word", WORDS)
def test_every_way_of_drawing_says_what_it_costs(word: str) -> None:
    """At least the values that are returned, for any number of agents; the word stands in the line."""
    for n in (1, 3, 10**4, 10**30):
        cost = way(word).cost(coordination(), n, 1)
        assert cost.memory >= 2 * 8 * 2 * (n + 1) or cost.memory > 10**100
        assert f"n = {n}, k = 1, {word} draws" in str(cost)


SOLVES: dict[str, Callable[[Model], object]] = {
    "lumped": lambda model: optimal_value(model, 3000),
    "flat": lambda model: optimal_value(model, 7, "flat"),
    "rational": lambda model: optimal_value(model, 100, "rational"),
    "learn": lambda model: learn(model, 3000),
    "samples": lambda model: learn(model, 2, samples=10_000),
}


@pytest.mark.parametrize("name", SOLVES)
def test_what_the_machine_cannot_hold_now_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "available_memory", lambda: 10**5)
    with pytest.raises(TooLargeError, match=r"of memory and .* operations, .*; this machine has 1 MiB free; use "):
        SOLVES[name](coordination())


def test_an_execution_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    learned = learn(coordination(), 2)
    monkeypatch.setattr(costs, "available_memory", lambda: 10**5)
    with pytest.raises(TooLargeError, match=r"executing the policy with n = 200, k = 2, independent draws"):
        execution_value(coordination(), 200, learned)
    monkeypatch.undo()
    assert execution_value(coordination(), 20, learned).shape == (2, 21)


def test_what_takes_more_than_a_day_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = costs.Cost("something", 10, 10**18, "ask for less")
    with pytest.raises(
        TooLargeError, match=r"something: 1 MiB of memory and 1e\+18 operations, very roughly .* more than a day; ask for less"
    ):
        costs.check(slow)
    monkeypatch.setattr(costs, "_LONGEST", float("inf"))
    costs.check(slow)


def test_memory_that_is_free_is_that_of_the_machine_or_of_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    free = costs.available_memory()
    assert 0 < free < 2**50
    monkeypatch.setattr(costs, "_container_limits", lambda: iter([free // 2]))
    assert costs.available_memory() < free


@pytest.mark.parametrize("agents", [10**9, 10**30, 10**300, 10**3000], ids=["1e9", "1e30", "1e300", "1e3000"])
@pytest.mark.parametrize("method", ["lumped", "flat", "rational", "limit"])
def test_any_number_of_agents_is_answered_with_numbers_at_once(agents: int, method: str) -> None:
    with pytest.raises(TooLargeError, match=r"of memory and .* operations"):
        costs.check(costs.solving(patrol(), agents, method))


LINES = [
    "solve models:coordination --agents 1000000000",
    "solve models:patrol --agents 1000000 --method flat",
    "gap models:coordination --agents 1000000000 --subsample 3",
    "gap models:patrol --agents 100000 --subsample 2",
    "gap models:coordination --agents 4 --subsample 2 --samples 1000000000000",
]


@pytest.mark.parametrize("line", LINES)
def test_on_the_command_line(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert " of memory and " in err


def test_a_terminal_is_told_what_takes_long(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert run(["solve", "models:coordination", "--agents", "2"]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("mfverify.cli.options._WORTH_SAYING", 0)
    assert run(["solve", "models:coordination", "--agents", "2"]) == 0
    assert capsys.readouterr().err.startswith("the optimal value of 2 agents, method lumped: 1 MiB of memory and ")
