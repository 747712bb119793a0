"""The compiled sweeps, every path of them, against exact rationals and against each other."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from itertools import chain, pairwise, product
from typing import Any

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfverify import counts, fixed_point
from mfverify.bellman import basis, fused, sweeps
from mfverify.bellman.basis import PADDING
from mfverify.bellman.choices import Wanted
from mfverify.bellman.fused import FusedSweep
from mfverify.bellman.lanes import LANES
from mfverify.bellman.lumped import LumpedOperator
from mfverify.bellman.tabled import TabledSweep
from mfverify.enclosure import StopReason
from mfverify.errors import TooLargeError
from mfverify.exact import greedy_value, optimal
from mfverify.exact.fewer_agents import interpolated
from mfverify.exact.optimal import optimal_value
from mfverify.exact.rational import RationalSystem, fraction
from mfverify.fixed_point import correction
from mfverify.models import coordination, random_coupled
from tests.agreement.checks import model_of, random_doubles
from tests.oracles import Instance, moving_instance, nested, random_instance


def spread_instance(seed: int, global_states: int, global_actions: int, local_states: int, local_actions: int) -> Instance:
    """Kernels in general position: no row is deterministic, none is shared, some lie inside the hull of others."""
    rng = random.Random(f"spread {seed}")

    def row(size: int) -> tuple[Fraction, ...]:
        weights = [rng.randint(1, 40) for _ in range(size)]
        return tuple(Fraction(w, sum(weights)) for w in weights)

    def reward(*_: int) -> Fraction:
        return Fraction(rng.randint(-32, 32), 32)

    return Instance(
        nested((global_states, global_actions), lambda *_: row(global_states)),
        nested((local_states, global_states, local_actions), lambda *_: row(local_states)),
        nested((global_states, global_actions), reward),
        nested((local_states, global_states, local_actions), reward),
        Fraction(9, 10),
        f"spread-{seed}",
    )


def collinear_instance(seed: int) -> Instance:
    """Three local states, all kernels on one segment: only two vertices can be exchanged."""
    drawn = spread_instance(seed, 2, 2, 3, 2)
    shares = iter(Fraction(i, 13) for i in (1, 5, 9, 11, 3, 12, 2, 7, 4, 10, 6, 8))
    ends = (Fraction(1, 7), Fraction(2, 7), Fraction(4, 7)), (Fraction(5, 8), Fraction(1, 4), Fraction(1, 8))

    def between(*_: int) -> tuple[Fraction, ...]:
        t = next(shares)
        return tuple((1 - t) * x + t * y for x, y in zip(*ends, strict=True))

    return replace(drawn, local_kernel=nested((3, 2, 2), between), name=f"collinear-{seed}")


def one_state_instance(seed: int) -> Instance:
    """The agents of one local state have the extreme kernels, those of the others only their middle."""
    drawn = spread_instance(seed, 1, 1, 3, 4)
    rows = [tuple(Fraction(8 if i == s else 1, 10) for s in range(3)) for i in range(3)] + [(Fraction(1, 3),) * 3]
    other = (Fraction(3, 10), Fraction(2, 5), Fraction(3, 10))
    kernel = nested((3, 1, 4), lambda s, g, a: rows[a] if s == 1 else other if s == 0 else rows[3])
    return replace(drawn, local_kernel=kernel, name=f"one-state-{seed}")


def within_instance(seed: int) -> Instance:
    """Both extreme kernels belong to the same local state."""
    drawn = spread_instance(seed, 2, 2, 2, 2)
    shares = {(0, 0): 1, (0, 1): 9, (1, 0): 4, (1, 1): 6}
    kernel = nested((2, 2, 2), lambda s, g, a: (Fraction(shares[s, a], 10 + g), 1 - Fraction(shares[s, a], 10 + g)))
    return replace(drawn, local_kernel=kernel, name=f"within-{seed}")


CASES: dict[str, tuple[int, Instance]] = {
    "across": (5, spread_instance(3, 2, 2, 2, 2)),
    "within": (5, within_instance(1)),
    "across, one action": (6, spread_instance(1, 2, 2, 2, 1)),
    "across, three actions": (4, spread_instance(2, 2, 2, 2, 3)),
    "within or across, four actions": (3, spread_instance(3, 1, 2, 2, 4)),
    "three local states": (3, spread_instance(4, 2, 2, 3, 2)),
    "three local states, three actions": (2, spread_instance(5, 2, 2, 3, 3)),
    "three local states, one action": (4, spread_instance(6, 2, 2, 3, 1)),
    "three local states, few global actions": (3, spread_instance(7, 2, 1, 3, 2)),
    "four local states": (2, spread_instance(8, 1, 2, 4, 2)),
    "collinear": (3, collinear_instance(9)),
    "three local states, one state alone": (2, one_state_instance(16)),
    "one agent": (1, spread_instance(10, 2, 2, 3, 2)),
    "one agent, two local states": (1, spread_instance(11, 2, 2, 2, 3)),
    "two agents": (2, spread_instance(12, 2, 2, 2, 2)),
    "near-deterministic": (4, random_instance(7, 2, 2, 2, 2)),
    "near-deterministic, three local states": (3, random_instance(8, 2, 2, 3, 3)),
    "deterministic, shared": (5, moving_instance(13, 2, 2, 2)),
    "deterministic, shared by three": (3, moving_instance(14, 2, 3, 3)),
    "one local state": (4, spread_instance(15, 2, 2, 1, 3)),
}


def values_of(kind: str, shape: tuple[int, int]) -> Any:
    """Doubles that are hard on rounding: plain, of huge magnitude, of alternating sign, nearly constant, and tiny."""
    drawn = random_doubles(shape, 7, 1.0)
    signs = np.where(np.arange(shape[1]) % 2 == 0, 1.0, -1.0)
    return {
        "plain": drawn,
        "huge": drawn * 1e200,
        "alternating": signs * 1e12 + drawn,
        "nearly constant": 1e9 + drawn,
        "tiny": drawn * 1e-200,
    }[kind]


def exact_image(instance: Instance, n: int, value: Any) -> list[list[Fraction]]:
    """``T V`` in exact arithmetic over every joint action, nothing merged."""
    system = RationalSystem(model_of(instance), n)
    given = {(g, c): fmpq(Fraction(float(value[g, system.position[c]]))) for g, c in system.states}
    return [[fraction(system.greedy((g, c), given)[0]) for c in system.vectors] for g in range(instance.sizes[0])]


def fmpq(x: Fraction) -> flint.fmpq:
    return flint.fmpq(x.numerator, x.denominator)


KINDS = ["plain", "huge", "alternating", "nearly constant", "tiny"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
def test_the_image_is_off_by_at_most_its_error_bound(case: str, kind: str) -> None:
    n, instance = CASES[case]
    operator = LumpedOperator(model_of(instance), n)
    value = values_of(kind, operator.shape)
    exact = exact_image(instance, n, value)
    bound = operator.error(value)
    for wanted in Wanted:
        image, _ = operator.sweep(value, wanted)
        off = [abs(Fraction(float(image[i])) - exact[i[0]][i[1]]) for i in np.ndindex(image.shape)]
        assert len(off) == value.size
        assert max(off) <= bound


def test_the_bound_is_needed_and_not_wildly_too_large() -> None:
    """Rounding really happens, and the bound is within a few thousand of it."""
    ratios = []
    for case in ("across", "within", "three local states", "collinear"):
        n, instance = CASES[case]
        operator = LumpedOperator(model_of(instance), n)
        value = values_of("alternating", operator.shape)
        image = operator.apply(value)
        exact = exact_image(instance, n, value)
        off = max(abs(Fraction(float(image[i])) - exact[i[0]][i[1]]) for i in np.ndindex(image.shape))
        ratios.append(float(off / operator.error(value)))
    assert len(ratios) == 4
    assert all(1e-4 < ratio <= 1 for ratio in ratios)


def test_the_cases_reach_every_path_of_the_sweeps() -> None:
    reached = set()
    for n, instance in CASES.values():
        operator = LumpedOperator(model_of(instance), n)
        for sweep in operator._sweeps:
            if isinstance(sweep, TabledSweep):
                reached.add(f"tabled, {min(len(sweep.choices.kernels), 3)} kernels")
                continue
            plan = sweep.plan
            kind = ("across", "within", "general")[sweep._kind]
            reached.add(kind + (", chain" if plan.chain != PADDING else ""))
            if kind == "general":
                inside = plan.exchanged[:-1] == plan.exchanged[-1]
                reached.add("general, outer" if not inside.all() else "general, all inside")
                if PADDING in plan.vertices:
                    reached.add("general, padding")
                if inside.any():
                    reached.add("general, inner slot")
                if len(set(plan.exchanged.tolist())) > 2:
                    reached.add("general, exchanges in between")
                if len(set(sweep._vertex_class[-2:].tolist())) == 1:
                    reached.add("general, one state along a run")
    assert reached == {
        "across",
        "across, chain",
        "within, chain",
        "general",
        "general, chain",
        "general, outer",
        "general, all inside",
        "general, padding",
        "general, inner slot",
        "general, exchanges in between",
        "general, one state along a run",
        "tabled, 1 kernels",
        "tabled, 2 kernels",
        "tabled, 3 kernels",
    }


def best_two(operator: LumpedOperator, g: int, reward: Any, table: Any) -> tuple[Any, Any]:
    """The two largest values over all joint actions, listed one by one, for every count vector."""
    choices = operator.choices[g]
    best, second = [], []
    for row in operator.vectors.tolist():
        parts = [counts.count_vectors(x, int(w)).tolist() for x, w in zip(row, np.diff(choices.starts), strict=True)]
        actions = np.array([list(chain.from_iterable(picked)) for picked in product(*parts)], dtype=np.int64)
        values = np.sort(actions @ reward + table[counts.rank(operator.kernel_counts(g, actions))])
        best.append(values[-1])
        second.append(values[-2] if len(values) > 1 else -np.inf)
    return np.array(best), np.array(second)


LONGER: dict[str, tuple[int, Instance]] = {
    "across, long chains": (23, spread_instance(3, 2, 2, 2, 2)),
    "within, long chains": (22, within_instance(1)),
    "across, three actions, long chains": (10, spread_instance(2, 1, 1, 2, 3)),
    "three local states, long chains": (9, spread_instance(4, 2, 1, 3, 2)),
    "three local states, one kernel of their own each": (14, spread_instance(6, 1, 1, 3, 1)),
    "three local states, one state alone, long chains": (7, one_state_instance(16)),
    "collinear, long chains": (8, collinear_instance(9)),
    "near-deterministic, long chains": (17, random_instance(7, 1, 1, 2, 2)),
}
"""More agents than lanes, so that all lanes are used and several agents move in one pass."""


def assert_both_sweeps_find_the_best_two(instance: Instance, n: int) -> int:
    """Both ways on the same input: values, runners-up, and maximisers that are consistent and reach the value. How often that was looked at."""
    operator = LumpedOperator(model_of(instance), n)
    value = values_of("plain", operator.shape)
    slack = 2 * float(operator.error(value))
    compared = 0
    for g, choices in enumerate(operator.choices):
        if len(choices.kernels) < 2:
            continue
        one, other = FusedSweep(operator.space, choices), TabledSweep(operator.space, choices)
        for row in operator._rows(g, value):
            table = other.table(row)
            best, second = best_two(operator, g, other.reward, table)
            for sweep in (one, other):
                found = sweep.maximum(row, Wanted.LEAD)
                assert found.runners_up is not None
                assert np.abs(found.values - best).max() <= slack
                open_ = np.isfinite(second)
                assert (np.isfinite(found.runners_up) == open_).all()
                assert np.abs(found.runners_up[open_] - second[open_]).max(initial=0.0) <= slack
                assert (sweep.maximum(row, Wanted.VALUES).values == found.values).all()
                for wanted in (Wanted.LEAD, Wanted.POLICY):
                    actions = sweep.maximum(row, wanted).action_counts
                    assert actions is not None
                    assert (actions >= 0).all()
                    for s in range(operator.space.size):
                        mine = actions[:, choices.starts[s] : choices.starts[s + 1]]
                        assert (mine.sum(axis=1) == operator.vectors[:, s]).all()
                    reached = actions @ other.reward + table[counts.rank(operator.kernel_counts(g, actions))]
                    assert np.abs(reached - best).max() <= slack
            compared += 1
    return compared


@pytest.mark.parametrize("case", [case for case in CASES | LONGER if case != "one local state"])
def test_fused_and_tabled_sweeps_find_the_same(case: str) -> None:
    n, instance = (CASES | LONGER)[case]
    assert assert_both_sweeps_find_the_best_two(instance, n) > 0


@pytest.mark.parametrize(("n", "size", "search"), [(1, 14, None), (2, 9, None), (2, 9, 1), (2, 4, 1), (3, 4, 5000)])
def test_many_local_states_and_searches_that_are_cut_short(n: int, size: int, search: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan is right however short its search; a search is cut where it would take longer than the sweeps."""
    if search is not None:
        monkeypatch.setattr(basis, "SEARCH", search)
    assert assert_both_sweeps_find_the_best_two(spread_instance(17, 1, 1, size, 2), n) == 1


def test_a_start_that_is_best_at_once_is_searched_first(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(5)
    weights = [[rng.randint(1, 9) for _ in range(4)] for _ in range(9)]
    rows = [tuple(Fraction(w, sum(row)) for w in row) for row in weights]
    points = np.array([[float(p) for p in row] for row in rows])
    kept = basis._kept_inside(points, np.ones(4, dtype=np.bool_))
    assert [kept[j, v] for j, v in np.ndindex(kept.shape)] == [
        sum(min(_moved_vertex(x, v, rows[j])) >= 0 for x in rows) for j, v in np.ndindex(kept.shape)
    ]
    whole = basis._exchanges(rows, [0] * 9)
    monkeypatch.setattr(basis, "SEARCH", 1)
    short = basis._exchanges(rows, [0] * 9)
    assert kept[short[0]] == kept.max()
    assert sorted(v for _, v in short) == sorted(v for _, v in whole) == [0, 1, 2, 3]


def _moved_vertex(x: tuple[Fraction, ...], vertex: int, weights: tuple[Fraction, ...]) -> list[Fraction]:
    """Coordinates of ``x`` when the point with coordinates ``weights`` takes the place of a vertex."""
    share = x[vertex] / weights[vertex]
    return [share if u == vertex else y - share * w for u, (y, w) in enumerate(zip(x, weights, strict=True))]


@st.composite
def small_instances(draw: st.DrawFn) -> tuple[Instance, int]:
    """Two to four local states; kernels with zeros, deterministic, shared and collinear ones among them; ties in the rewards."""
    size, actions = draw(st.integers(2, 4)), draw(st.integers(1, 3))
    n = draw(st.integers(1, {2: 14, 3: 6, 4: 3}[size] if actions < 3 else {2: 9, 3: 4, 4: 2}[size]))
    row = st.lists(st.sampled_from([0, 0, 1, 1, 2, 7]), min_size=size, max_size=size).filter(any)
    weights = draw(st.lists(row, min_size=size * actions, max_size=size * actions))
    rows = iter([tuple(Fraction(x, sum(w)) for x in w) for w in weights])
    kernel = nested((size, 1, actions), lambda *_: next(rows))
    reward = nested((size, 1, actions), lambda *_: Fraction(draw(st.integers(-2, 2)), 4))
    certain = nested((1, 1), lambda *_: (Fraction(1),))
    return Instance(certain, kernel, nested((1, 1), lambda *_: Fraction(0)), reward, Fraction(9, 10), "drawn"), n


@settings(max_examples=150)
@given(small_instances())
def test_drawn_models_are_swept_alike(drawn: tuple[Instance, int]) -> None:
    instance, n = drawn
    equal_kernels = len({tuple(row) for rows in instance.local_kernel for (of_action,) in [rows] for row in of_action}) == 1
    assert assert_both_sweeps_find_the_best_two(instance, n) == (0 if equal_kernels else 1)


@pytest.mark.parametrize("case", [pytest.param("across", marks=pytest.mark.slow), "within", "three local states", "collinear", "across, three actions"])
def test_several_workers_find_bit_for_bit_what_one_finds(case: str) -> None:
    n, instance = CASES[case]
    operator = LumpedOperator(model_of(instance), n)
    value = values_of("plain", operator.shape)
    shared_out = 0
    for g, sweep in enumerate(operator._sweeps):
        assert isinstance(sweep, FusedSweep)
        tasks, numbers = sweep._tasks
        assert len(tasks) == 1
        if not len(sweep.plan.slots):
            continue
        (row, *_) = operator._rows(g, value)
        for wanted in Wanted:
            alone = sweep.maximum(row, wanted)
            together = FusedSweep(operator.space, operator.choices[g])
            hands = np.full((3, len(tasks[0]), 2), -1), np.zeros((3, len(tasks[0])), dtype=np.int64)
            for i in range(3):
                for hand, dealt in zip(hands, (tasks[0], numbers[0]), strict=True):
                    hand[i, : len(dealt[i::3])] = dealt[i::3]
            together.__dict__["_tasks"] = hands
            found = together.maximum(row, wanted)
            assert (found.values == alone.values).all()
            if wanted is Wanted.LEAD:
                assert alone.runners_up is not None
                assert (found.runners_up == alone.runners_up).all()
            shared_out += 1
    assert shared_out >= 3


@pytest.mark.parametrize("case", ["across, long chains", "across, three actions, long chains", "three local states, long chains"])
def test_the_counts_of_the_first_slots_are_dealt_out_once_each(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n, instance = LONGER[case]
    operator = LumpedOperator(model_of(instance), n)
    monkeypatch.setattr(fused, "PARALLEL_FROM", 0)
    monkeypatch.setattr("numba.get_num_threads", lambda: 4)
    sweep = FusedSweep(operator.space, operator.choices[0])
    tasks, numbers = sweep._tasks
    assert len(tasks) == min(4, len(range(0, n + 1, LANES))) or len(sweep.plan.slots) > 1
    dealt = sorted(
        (x, y, number)
        for hand, begun in zip(tasks.tolist(), numbers.tolist(), strict=True)
        for (x, y), number in zip(hand, begun, strict=True)
        if x >= 0
    )
    groups = range(0, n + 1, LANES)
    assert [(x, y) for x, y, _ in dealt] == [(x, y) for x in groups for y in (range(n - x + 1) if len(sweep.plan.slots) > 1 else [0])]
    assert all(a < b for (_, _, a), (_, _, b) in pairwise(dealt))
    for hand in tasks.tolist():
        mine = [tuple(task) for task in hand if task[0] >= 0]
        assert mine == sorted(mine)
        assert hand[: len(mine)] == [list(task) for task in mine]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_runs_trade_agents_between_the_last_two_classes(size: int) -> None:
    n = 4
    space = sweeps.CountSpace.of(n, size)
    if size < 3:
        assert space.runs.tolist() == [0]
        return
    assert space.runs[0] == 0
    assert space.runs[-1] == len(space.vectors)
    for start, end in zip(space.runs, space.runs[1:], strict=False):
        run = space.entries[start:end]
        assert (run[:, :-2] == run[0, :-2]).all()
        assert (np.diff(run[:, -2]) == 1).all()
        assert (np.diff(run[:, -1]) == -1).all()
        above = space.up[start:end]
        assert len(above) in {0, end - start}
        assert (np.diff(above, axis=0) == 1).all()


# ------------------------------------------------------------------------------------------------- values of greedy policies


@pytest.mark.parametrize("case", ["across", "within", "three local states", "deterministic, shared", "one local state"])
def test_a_greedy_policy_is_evaluated_to_about_double_precision(case: str) -> None:
    n, instance = CASES[case]
    model = model_of(instance)
    operator = LumpedOperator(model, n)
    start = values_of("plain", operator.shape)
    image, policy = operator.sweep(start)
    value = start + correction(operator, greedy_value.policy_chain(operator, policy).moved, start, image)
    system = RationalSystem(model, n)
    played = {}
    for g, c in system.states:
        rank = system.position[c]
        d = [0] * (model.sizes[2] * model.sizes[3])
        choices = operator.choices[g]
        for s in range(model.sizes[2]):
            for j in range(int(choices.starts[s]), int(choices.starts[s + 1])):
                d[s * model.sizes[3] + int(choices.action[j])] = int(policy[g][1][rank, j])
        played[g, c] = (int(policy[g][0][rank]), tuple(d))
    exact = system.array(system.policy_value(played))
    off = [Fraction(float(value[i])) - exact[i] for i in np.ndindex(value.shape)]
    # A constant does not matter: it is certified away.
    assert max(off) - min(off) < Fraction(1, 10**10)


def up_to_constants(x: Any) -> Any:
    return x - x.mean()


@pytest.mark.parametrize(("directions", "n"), [(40, 12), (3, 12), (40, 90)])
def test_gmres_and_an_elimination_agree(directions: int, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed_point, "_DIRECTIONS", directions)
    if directions == 3:
        monkeypatch.setattr(fixed_point, "_one_direction_more", fixed_point._one_direction_more.py_func)
        monkeypatch.setattr(fixed_point, "_combined", fixed_point._combined.py_func)
    operator = LumpedOperator(model_of(spread_instance(20, 2, 2, 2, 2)), n)
    _, policy = operator.sweep(random_doubles(operator.shape, 3, 1.0))
    chain = greedy_value.policy_chain(operator, policy)
    states = operator.shape[1]
    transition = np.zeros((2, states, 2, states + chain.laws.shape[2]))
    for g, c in np.ndindex(operator.shape):
        for target in range(2):
            start = chain.first[g, c]
            transition[g, c, target, start : start + chain.laws.shape[2]] = (
                chain.mixtures[g, chain.global_rows[g, c], target] * chain.laws[g, c]
            )
    matrix = np.eye(2 * states) - chain.discount * transition[..., :states].reshape(2 * states, -1)
    reward = random_doubles(operator.shape, 4, 1.0)
    direct = np.linalg.solve(matrix, reward.ravel()).reshape(operator.shape)
    assert np.abs(chain.moved(direct) - reward).max() < 1e-13
    nothing = np.zeros(operator.shape)
    assert np.abs(up_to_constants(correction(operator, chain.moved, nothing, reward) - direct)).max() < 1e-12


def test_gmres_does_nothing_to_a_solution_and_ends_on_a_trivial_system() -> None:
    operator = LumpedOperator(model_of(spread_instance(20, 2, 2, 2, 2)), 4)
    _, policy = operator.sweep(random_doubles(operator.shape, 3, 1.0))
    chain = greedy_value.policy_chain(operator, policy)
    nothing, reward = np.zeros(operator.shape), random_doubles(operator.shape, 4, 1.0)
    value = correction(operator, chain.moved, nothing, reward)
    assert np.abs(up_to_constants(correction(operator, chain.moved, value, reward + value - chain.moved(value)))).max() < 1e-14
    assert (correction(operator, chain.moved, nothing, nothing) == 0.0).all()
    assert np.abs(correction(operator, chain.moved, nothing, nothing + 7.0)).max() < 1e-15
    alone = replace(chain, laws=np.zeros_like(chain.laws))
    assert np.abs(up_to_constants(correction(operator, alone.moved, nothing, reward) - reward)).max() < 1e-15


def test_truncated_laws_of_many_agents_are_those_of_single_agents_one_after_another() -> None:
    n = 600
    operator = LumpedOperator(model_of(spread_instance(21, 1, 1, 2, 2)), n)
    rng = np.random.default_rng(1)
    first_action = rng.integers(0, operator.vectors + 1)
    actions = np.stack([first_action, operator.vectors - first_action], axis=2).reshape(n + 1, 4)
    chain = greedy_value.policy_chain(operator, [(np.zeros(n + 1, dtype=np.int64), actions)])
    assert chain.laws.shape[2] < n
    weights = np.array([[float(p) for p in row] for row in operator.choices[0].kernels])
    space = operator.space
    whole = np.empty((n + 1, n + 1))
    per_state = np.ascontiguousarray(np.broadcast_to(weights, (n + 1, *weights.shape)))
    whole[:, space.order] = sweeps.next_count_laws(operator.kernel_counts(0, actions), per_state, space.up, space.level_sizes)
    found = np.zeros((n + 1, n + 1 + chain.laws.shape[2]))
    np.put_along_axis(found, chain.first[0][:, None] + np.arange(chain.laws.shape[2]), chain.laws[0], axis=1)
    assert np.abs(found[:, : n + 1] - whole).max() < 1e-14
    assert np.abs(found.sum(axis=1) - 1).max() < 1e-12


# ------------------------------------------------------------------------------------------------------------ value iteration


@pytest.mark.usefixtures("solved_as_large")
def test_value_iteration_and_policy_iteration_enclose_the_same_value(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(spread_instance(22, 2, 2, 3, 2))
    by_policies = optimal_value(model, 6)
    monkeypatch.setattr(greedy_value, "_MOST_CHAIN_NUMBERS", 0)
    by_values = optimal_value(model, 6)
    assert by_policies.work is not None
    assert by_values.work is not None
    assert by_policies.work.evaluations > 0 == by_values.work.evaluations
    assert by_policies.intersects(by_values)
    assert by_values.width.max() <= 1e-9


@pytest.mark.usefixtures("solved_as_large")
@pytest.mark.parametrize("wrong", [lambda history: history[-1][1] + 1e3, lambda history: -history[-1][1], lambda history: history[0][0]])
def test_useless_extrapolations_cost_sweeps_and_nothing_else(wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(spread_instance(23, 2, 2, 2, 2))
    expected = optimal_value(model, 5, "rational").exact
    assert expected is not None
    monkeypatch.setattr(greedy_value, "_MOST_CHAIN_NUMBERS", 0)
    monkeypatch.setattr(fixed_point, "_extrapolated", wrong)
    found = optimal_value(model, 5)
    assert found.work is not None
    assert found.work.stop is StopReason.WIDTH
    assert all(found[i].contains(expected[i]) for i in np.ndindex(found.shape))


# ------------------------------------------------------------------------------------------------------------- fewer agents


@pytest.mark.parametrize(("size", "n", "k"), [(1, 7, 2), (2, 9, 2), (2, 12, 12), (3, 7, 3), (3, 8, 5), (4, 6, 1), (4, 5, 4)])
def test_interpolation_keeps_affine_values_and_never_leaves_the_range(size: int, n: int, k: int) -> None:
    rng = np.random.default_rng(size * n + k)
    few, many = counts.count_vectors(k, size), counts.count_vectors(n, size)
    slope = rng.integers(-8, 8, (size, 2)).astype(float)
    assert np.abs(interpolated((few / k @ slope).T, k, many) - (many / n @ slope).T).max() < 1e-12
    any_value = rng.normal(size=(2, len(few)))
    found = interpolated(any_value, k, many)
    assert any_value.min() - 1e-12 <= found.min()
    assert found.max() <= any_value.max() + 1e-12
    if n == k:
        assert np.abs(found - any_value).max() < 1e-12


@pytest.mark.usefixtures("solved_as_large")
@pytest.mark.parametrize("case", [case for case in LONGER if "three actions" not in case])
def test_a_solution_that_begins_with_fewer_agents_encloses_the_same_value(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n, instance = LONGER[case]
    from_zero = optimal_value(model_of(instance), n)
    monkeypatch.setattr(optimal, "_FEWER_AGENTS_FROM", 0)
    found = optimal_value(model_of(instance), n)
    assert found.intersects(from_zero)
    assert found.width.max() <= 1e-9


def test_fewer_agents_save_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the sweeps that are left out costs as much as one of those that are made."""
    made = []
    for threshold in (10**9, 0):
        monkeypatch.setattr(optimal, "_FEWER_AGENTS_FROM", threshold)
        works = [optimal_value(random_coupled(seed), 40).work for seed in (4, 7)]
        made.append(sum(work.sweeps for work in works if work is not None))
    assert made[1] < made[0]


@pytest.mark.usefixtures("solved_as_large")
@pytest.mark.parametrize("wrong", [np.zeros_like, lambda value: value + 1e6, lambda value: -value])
def test_nothing_rests_on_the_guess(wrong: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(spread_instance(23, 2, 2, 2, 2))
    expected = optimal_value(model, 5, "rational").exact
    assert expected is not None
    monkeypatch.setattr(optimal, "_FEWER_AGENTS_FROM", 0)
    monkeypatch.setattr(optimal, "interpolated", lambda value, k, vectors: wrong(interpolated(value, k, vectors)))
    found = optimal_value(model, 5)
    assert all(found[i].contains(expected[i]) for i in np.ndindex(found.shape))
    assert found.width.max() <= 1e-9


# ------------------------------------------------------------------------------------------------------------------- memory


def test_thousands_of_agents_fit_because_no_table_is_stored() -> None:
    operator = LumpedOperator(model_of(spread_instance(24, 2, 2, 2, 2)), 4000)
    assert operator.pairs > 2 * 10**10
    assert operator.shape == (2, 4001)


@pytest.mark.parametrize(
    ("instance", "n", "words"), [(spread_instance(24, 2, 2, 2, 2), 10**8, "GiB"), (spread_instance(25, 1, 1, 2, 4), 10**4, "joint actions")]
)
def test_what_is_too_large_says_how_large(instance: Instance, n: int, words: str) -> None:
    with pytest.raises(TooLargeError, match=words):
        LumpedOperator(model_of(instance), n)


def test_two_shared_kernels_take_a_thousand_agents_with_leads() -> None:
    operator = LumpedOperator(coordination(), 1000)
    (found, *_) = operator.joint_maxima(0, np.zeros(operator.shape))
    assert found.runners_up is not None
    assert found.values.shape == (1001,)
    assert (found.runners_up <= found.values).all()
