"""Every part of the checker separately, against brute force over labelled agents: quick enough to judge its mutants (``make mutants``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import comb, prod
from typing import Any

import mpmath
import pytest

from mfverify.checker import check_certificate as checker
from mfverify.checker import finite_claims
from tests import oracles
from tests.oracles import Greedy, Instance, LabelledSystem, random_instance, tied_instance

Q = Fraction
State = checker.State


def document_of(instance: Instance) -> dict[str, Any]:
    """The instance as it stands in a certificate."""

    def written(part: Any) -> Any:
        return [written(x) for x in part] if isinstance(part, tuple) else str(part)

    names = ("global_kernel", "local_kernel", "global_reward", "local_reward")
    return {"model": {"discount": str(instance.discount)} | {name: written(getattr(instance, name)) for name in names}}


def thirds(seed: int) -> Instance:
    """Probabilities that no power of two makes exact; the two states of the global agent and its actions differ."""
    drawn = random_instance(seed, 2, 2, 2, 2)
    rows = iter([(Q(1, 3), Q(2, 3)), (Q(5, 7), Q(2, 7)), (Q(1, 11), Q(10, 11)), (Q(3, 5), Q(2, 5))] * 3)
    kernels = (oracles.nested((2, 2), lambda *_: next(rows)), oracles.nested((2, 2, 2), lambda *_: next(rows)))
    return Instance(*kernels, drawn.global_reward, drawn.local_reward, Q(2, 3), f"thirds-{seed}")


SMALL = [(random_instance(3, 2, 2, 2, 2), 2), (random_instance(5, 1, 2, 3, 2), 2), (thirds(1), 3), (random_instance(8, 3, 1, 2, 3), 2)]
IDS = [f"{instance.name}, {n} agents" for instance, n in SMALL]
TINY = Q(1, 10**9)


def read(instance: Instance) -> checker.Model:
    return checker.Model(document_of(instance))


def values_on(instance: Instance, n: int, spread: int = 7) -> dict[State, Fraction]:
    """Values of no meaning for every state, all different."""
    vectors = oracles.all_count_vectors(n, instance.sizes[2])
    states = [(g, c) for g in range(instance.sizes[0]) for c in vectors]
    return {state: Q(spread * i * i - 5 * i - 3, 8) for i, state in enumerate(states)}


def refused(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(checker.Refused, match=words):
        call()


# ------------------------------------------------------------------------------------------------------------------- reading


def test_entries_have_to_be_there_and_of_their_type() -> None:
    assert checker.get({"a": [1]}, "a", list) == [1]
    for document in ({}, {"a": 1}, {"a": None}, [], "a", None):
        refused(lambda document=document: checker.get(document, "a", list), "a: is missing or not of the type list")


def test_integers_lie_in_their_range_and_are_no_truth_values() -> None:
    assert [checker.integer(x, 2, 4, "here") for x in (2, 3, 4)] == [2, 3, 4]
    for value in (1, 5, True, "3", 3.0, None, [3]):
        refused(lambda value=value: checker.integer(value, 2, 4, "here"), r"here: expected an integer in 2\.\.4")
    refused(lambda: checker.integer(True, 0, 4, "here"), "expected an integer")


@pytest.mark.parametrize(
    ("text", "value"),
    [("-3", Q(-3)), ("5/8", Q(5, 8)), ("0.25", Q(1, 4)), ("-0", Q(0)), ("-12/010", Q(-6, 5)), ("9" * 2000, Q(10**2000 - 1))],
)
def test_rationals_are_read(text: str, value: Fraction) -> None:
    assert checker.rational(text, "here") == value


@pytest.mark.parametrize(
    "text", ["", "+1", "1/0", "1/-2", ".5", "5.", "1e3", " 1", "1 ", "1_0", "x1", "9" * 2001, 3, 1.5, None, ["1"], "١"]
)
def test_what_is_no_rational_is_refused(text: Any) -> None:
    refused(lambda: checker.rational(text, "here"), "here: expected a rational number")


def test_nested_lists_have_exactly_their_shape() -> None:
    assert checker.nested("1/2", (), "here") == Q(1, 2)
    assert checker.nested([["1", "2"], ["3", "4"], ["5", "6"]], (3, 2), "here") == [[1, 2], [3, 4], [5, 6]]
    assert checker.flat([[Q(1), Q(2)], [Q(3)]]) == [1, 2, 3]
    assert checker.flat(Q(5)) == [5]
    for value in (["1"], ["1", "2", "3"], "12", {"0": "1", "1": "2"}, None):
        refused(lambda value=value: checker.nested(value, (2,), "here"), "here: expected a list of 2 entries")


def test_common_denominators_are_the_least_and_not_too_long() -> None:
    assert checker.common([]) == 1
    assert checker.common([Q(1, 6), Q(3, 4), Q(2)]) == 12
    checker.common([Q(1, 2**19_999)])
    refused(lambda: checker.common([Q(1, 2**20_000)]), "no common multiple")


def test_count_vectors_have_their_length_and_sum() -> None:
    assert checker.counts([2, 0, 1], 3, 3, "here") == (2, 0, 1)
    for value in ([2, 1], [2, 0, 0, 1], [2, 0, 2], [4, -1, 0], [2, 0, True], "201", (2, 0, 1), None):
        refused(lambda value=value: checker.counts(value, 3, 3, "here"), "here: expected")
    assert checker.listed("3+1+0", 4, "here") == (3, 1, 0)
    assert checker.listed("99999", 99999, "here") == (99999,)
    assert checker.listed("+".join(["1"] * 30), 30, "here") == (1,) * 30
    for text in ("", "3+", "+3", "3,1", "3+1+1", "3 +1", "3+1+0 ", "x3+1", "100000", "+".join(["1"] * 31)):
        refused(lambda text=text: checker.listed(text, 31 if text.count("+") == 30 else 100000 if text == "100000" else 4, "here"), "here")


# ------------------------------------------------------------------------------------------------------------------- the model


def test_a_model_is_read_with_its_largest_rewards() -> None:
    instance = random_instance(8, 3, 1, 2, 3)
    model = read(instance)
    assert model.sizes == (3, 1, 2, 3)
    assert model.gamma == instance.discount
    written = (model.P_g, model.P_l, model.r_g, model.r_l)
    given = (instance.global_kernel, instance.local_kernel, instance.global_reward, instance.local_reward)
    assert [checker.flat(x) for x in written] == [checker.flat(document) for document in map(_lists, given)]
    assert model.rt == instance.rt
    assert model.rt_l == max(abs(x) for x in checker.flat(model.r_l))
    assert model.most * (1 - model.gamma) == model.rt


def _lists(part: Any) -> Any:
    return [_lists(x) for x in part] if isinstance(part, tuple) else part


def test_models_that_are_none_are_refused() -> None:
    good = document_of(random_instance(3, 2, 2, 2, 2))["model"]
    checker.Model({"model": good})

    def changed(**parts: Any) -> Callable[[], Any]:
        return lambda: checker.Model({"model": good | parts})

    for discount in ("0", "1", "-1/2", "3/2"):
        refused(changed(discount=discount), "discount: expected a number strictly between 0 and 1")
    for kernel in ([], [[]], [["1"]], [[[]]], "x", [[[["1"]]]], [[["1/2", "2/3"]] * 2] * 2, [[["-1", "2"]] * 2] * 2):
        refused(changed(global_kernel=kernel), "model|kernel|rational")
    for kernel in ([], [[]], [[[["1"]]]], [[[["1/2", "2/3"]] * 2] * 2] * 2, [[[["-1", "2"]] * 2] * 2] * 2):
        refused(changed(local_kernel=kernel), "model|kernel|rational")
    refused(changed(global_reward=[["1"] * 2]), "global_reward: expected a list of 2")
    refused(changed(local_reward=[[["1"] * 2] * 2]), "local_reward: expected a list of 2")


@pytest.mark.parametrize(("states", "fits"), [(30, True), (31, False)])
def test_a_model_has_at_most_30_of_everything(states: int, fits: bool) -> None:
    document = {
        "model": {
            "discount": "1/2",
            "global_kernel": [[["1"]]],
            "local_kernel": [[[["1", *["0"] * (states - 1)]]]] * states,
            "global_reward": [["0"]],
            "local_reward": [[["0"]]] * states,
        }
    }
    if fits:
        assert checker.Model(document).sizes == (1, 1, 30, 1)
    else:
        refused(lambda: checker.Model(document), "expected 1 to 30")


def test_the_unit_makes_laws_exact_while_it_is_short() -> None:
    model = read(thirds(1))
    step = 3 * 7 * 11 * 5
    assert model.unit(3) == step**3
    assert step.bit_length() * 90 <= 1000 < step.bit_length() * 91
    assert model.unit(90) == step**90
    assert model.unit(91) == checker.FINE**2 == 2**96


def test_states_lie_in_the_system() -> None:
    model = read(random_instance(8, 3, 1, 2, 3))
    assert model.state({"global": 2, "counts": [1, 3]}, 4, "here") == (2, (1, 3))
    for document in (
        {"global": 3, "counts": [1, 3]},
        {"global": -1, "counts": [1, 3]},
        {"global": 0, "counts": [1, 2]},
        {"global": 0},
        {},
        None,
        [],
    ):
        refused(lambda document=document: model.state(document, 4, "here"), "here: expected")


# ------------------------------------------------------------------------------------------------------- counts, lower weights


@pytest.mark.parametrize(("total", "size"), [(0, 1), (3, 1), (0, 3), (4, 2), (3, 3), (2, 4)])
def test_count_vectors_are_all_and_have_positions_that_add_up(total: int, size: int) -> None:
    found = list(checker.vectors(total, size))
    assert found == oracles.all_count_vectors(total, size)
    places = [checker.position(c, total) for c in found]
    assert len(set(places)) == len(found)
    assert places == [sum(x * (total + 1) ** i for i, x in enumerate(c[: size - 1])) for c in found]


def unfolded(law: checker.Law, agents: int, size: int) -> dict[tuple[int, ...], int]:
    """Weights by count vector."""
    vectors = {checker.position(c, agents): c for m in range(agents + 1) for c in oracles.all_count_vectors(m, size) if sum(c) == agents}
    assert all(law.values())
    return {vectors[i]: w for i, w in law.items()}


def by_hand(rows: list[tuple[Fraction, ...]]) -> dict[tuple[int, ...], Fraction]:
    """The law of the counts of agents that move independently, one row each, by listing all moves."""
    law: Counter[tuple[int, ...]] = Counter()
    size = len(rows[0])
    for targets in product(range(size), repeat=len(rows)):
        law[oracles.counts_of(targets, size)] += prod((row[t] for row, t in zip(rows, targets, strict=True)), start=Q(1))  # type: ignore[assignment]
    return {c: Q(p) for c, p in law.items() if p}


ROWS = [(Q(1, 3), Q(1, 2), Q(1, 6)), (Q(0), Q(3, 4), Q(1, 4)), (Q(1), Q(0), Q(0)), (Q(0), Q(0), Q(1))]


@pytest.mark.parametrize("chosen", [(0, 0, 0), (0, 1, 1), (2, 3, 0), (3, 3, 3), (2, 2, 2), (1, 3, 2)])
def test_sums_of_counts_are_exact_in_a_fitting_unit_and_lower_weights_otherwise(chosen: tuple[int, ...]) -> None:
    work = checker.Work()
    rows = [ROWS[i] for i in chosen]
    exact = by_hand(rows)
    for unit, lost in ((12**3, 0), (10**6, 40), (2**48, 40)):
        law: checker.Law = {0: unit}
        for row in rows:
            law = checker.together(law, checker.law_of([int(p * unit) for p in row], 3), unit, work)
        found = unfolded(law, 3, 3)
        assert all(0 <= exact[c] * unit - found.get(c, 0) <= lost for c in exact)
        assert set(found) <= set(exact)
        if chosen == (0, 1, 1) and unit == 10**6:
            assert sum(found.values()) < unit
    assert work.done > 0


@pytest.mark.parametrize("times", range(8))
def test_repeated_sums_are_sums(times: int) -> None:
    unit, work = 12**7, checker.Work()
    law = checker.repeated(checker.law_of([int(p * unit) for p in ROWS[0]], 7), times, unit, work)
    rest = checker.repeated(checker.law_of([0, 0, unit], 7), 7 - times, unit, work)
    exact = by_hand([ROWS[0]] * times + [ROWS[3]] * (7 - times))
    assert unfolded(checker.together(law, rest, unit, work), 7, 3) == {c: int(p * unit) for c, p in exact.items()}


def test_a_law_without_any_weight_stays_without() -> None:
    unit, work = 5, checker.Work()
    nothing = checker.law_of([0, 0, 0], 4)
    assert nothing == {}
    small = checker.law_of([1, 1, 1], 4)
    law = checker.together(small, small, unit, work)
    assert law == {} == checker.together(law, small, unit, work) == checker.together(small, law, unit, work)


def test_sums_term_by_term_and_packed_into_integers_are_equal() -> None:
    """Laws in one digit are packed, the same laws with positions far apart are not."""
    unit, work, far = 2**48, checker.Work(), 10**12
    law = {i: unit // 64 - i for i in range(64)}
    sums: Counter[int] = Counter()
    for (i, x), (j, y) in product(law.items(), law.items()):
        sums[i + j] += x * y
    exact = {i: w // unit for i, w in sums.items()}
    assert checker.together(law, law, unit, work) == exact
    packed = work.done
    assert 0 < packed < 4 * 64**2
    spread = {i * far: w for i, w in law.items()}
    assert checker.together(spread, spread, unit, work) == {i * far: w for i, w in exact.items()}
    assert work.done - packed == 4 * 64**2


def test_the_largest_weights_leave_no_carries() -> None:
    """Two laws whose product has a coefficient of the unit squared, the largest there is, beside others."""
    for unit in (2, 3, 2**8 - 1, 2**8, 2**16 - 1, 2**48, 2**96):
        work = checker.Work()
        halves = {0: unit // 2, 1: unit - unit // 2}
        a, b = halves.values()
        exact = {0: a * a // unit, 1: 2 * a * b // unit, 2: b * b // unit}
        assert checker.together(halves, halves, unit, work) == {i: w for i, w in exact.items() if w}
        many = dict.fromkeys(range(100), unit // 100) | {0: unit - 99 * (unit // 100)}
        sums = [sum(many[i] * many[t - i] for i in range(100) if 0 <= t - i < 100) // unit for t in range(199)]
        assert checker.together(many, many, unit, work) == {t: w for t, w in enumerate(sums) if w}
        assert checker.together({3: unit}, {3: unit}, unit, work) == {6: unit}


def test_work_is_refused_before_it_is_done() -> None:
    work = checker.Work()
    work.spend(checker.MOST_STEPS)
    assert work.done == 5 * 10**9
    refused(lambda: work.spend(1), "5e.09 steps")
    assert work.done > checker.MOST_STEPS


@pytest.mark.parametrize(("instance", "n"), SMALL, ids=IDS)
def test_value_vectors_are_looked_up_by_position(instance: Instance, n: int) -> None:
    model, listed = read(instance), values_on(instance, n)
    some = dict(list(listed.items())[1:])
    left_out = next(iter(listed))
    found = checker.Values(model, n, some, Q(-9, 16))
    expected = listed | {left_out: Q(-9, 16)}
    everywhere = [*some.values(), Q(-9, 16), model.most, -model.most]
    assert (Q(found.low, found.scale), Q(found.high, found.scale)) == (min(everywhere), max(everywhere))
    for (g, c), value in expected.items():
        assert Q(found.expect({checker.position(c, n): 3}, g), found.scale) == 3 * value
    (g, c), (_, d) = list(expected)[1:3]
    law = {checker.position(c, n): 2, checker.position(d, n): 5}
    assert Q(found.expect(law, g), found.scale) == 2 * expected[g, c] + 5 * expected[g, d]
    closed = checker.Values(model, n, some)
    with pytest.raises(KeyError):
        closed.expect({checker.position(left_out[1], n): 1}, left_out[0])
    assert not closed.whole and checker.Values(model, n, listed).whole


def test_all_values_stand_state_by_state() -> None:
    model = read(random_instance(8, 3, 1, 2, 3))
    rows = [[f"{g}.{i}" for i in range(4)] for g in range(3)]
    found = checker.all_values(model, 3, {"values": rows}, "values")
    assert found.listed == {(g, c): Q(rows[g][i]) for g in range(3) for i, c in enumerate(checker.vectors(3, 2))}
    for wrong in (rows[:2], [row[:3] for row in rows], [[*row, "1"] for row in rows], None):
        refused(lambda wrong=wrong: checker.all_values(model, 3, {"values": wrong}, "values"), "values: ")
    some = checker.all_values(model, 3, {"values": [rows[0], {"1+2": "0.25", "3+0": "-1/2"}, {}]}, "values").listed
    assert some == {(0, c): Q(rows[0][i]) for i, c in enumerate(checker.vectors(3, 2))} | {(1, (1, 2)): Q(1, 4), (1, (3, 0)): Q(-1, 2)}
    for named in ("1+1", "1+2+0", "3", "", "x"):
        refused(lambda named=named: checker.all_values(model, 3, {"values": [rows[0], rows[1], {named: "1"}]}, "values"), "values: ")


def test_the_limits_are_those_that_are_documented() -> None:
    assert (checker.VERSION, checker.LARGEST_FILE, checker.FINE) == (1, 8_000_000, 2**48)
    assert (checker.MOST_STEPS, checker.MOST_ENTRIES) == (5_000_000_000, 20_000_000)


def test_systems_that_are_too_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state of 10 agents in one local state has 66 joint local actions."""
    model = read(random_instance(8, 3, 1, 2, 3))
    values = checker.Values(model, 10, {(g, c): Q(0) for g in range(3) for c in checker.vectors(10, 2)}, Q(0))
    most = max(comb(x + 2, 2) * comb(12 - x, 2) for x in range(11))
    monkeypatch.setattr(checker, "MOST_ENTRIES", most)
    checker.bellman(model, 10, values, checker.Work())
    monkeypatch.setattr(checker, "MOST_ENTRIES", most - 1)
    refused(lambda: checker.bellman(model, 10, values, checker.Work()), "too many joint actions")


@pytest.mark.parametrize("rows", [ROWS[:1], ROWS[:2], ROWS[:3]], ids=len)
def test_mixtures_are_all_ways_to_spread_the_agents(rows: list[tuple[Fraction, ...]]) -> None:
    unit, work = 12**3, checker.Work()
    found = dict(checker.mixtures([[int(p * unit) for p in row] for row in rows], 3, unit, work))
    spreads = oracles.all_count_vectors(3, len(rows))
    assert set(found) == {sum(x * 4**r for r, x in enumerate(spread)) for spread in spreads}
    for spread in spreads:
        law = by_hand([row for row, x in zip(rows, spread, strict=True) for _ in range(x)])
        assert unfolded(found[sum(x * 4**r for r, x in enumerate(spread))], 3, 3) == {c: int(p * unit) for c, p in law.items()}


# --------------------------------------------------------------------------------------------------------- Bellman's operator


@pytest.mark.parametrize("fine", [False, True], ids=["exact", "lower weights"])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("instance", "n"), SMALL, ids=IDS)
def test_the_radius_is_the_residual_of_the_labelled_operator(
    instance: Instance, n: int, sign: int, fine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With values that lie above their image everywhere, and below: both directions of fact 2."""
    if fine:
        monkeypatch.setattr(checker.Model, "unit", lambda *_: 2**90)
    shift = sign * Q(1000)
    listed = {state: value + shift for state, value in values_on(instance, n, 1).items()}
    image = LabelledSystem(instance, n).image(listed)
    assert all((image[s] < listed[s]) is (sign > 0) for s in listed)
    exact = max(abs(image[s] - listed[s]) for s in listed) / (1 - instance.discount)
    model = read(instance)
    found, plays, tied = checker.bellman(model, n, checker.Values(model, n, listed, Q(0)), checker.Work())
    assert (plays, tied) == ({}, "")
    assert exact <= found <= exact + TINY
    assert fine or found == exact
    refused(
        lambda: checker.bellman(model, n, checker.Values(model, n, listed, Q(0)), checker.Work(), exact - TINY),
        "separated|certain to within",
    )


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("by", [Q(1, 100), Q(-1, 100)])
def test_a_residual_in_a_coarse_unit_is_charged_with_what_was_lost(sign: int, by: Fraction, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values far above and far below zero: what the lower weights lose may be worth much, or cost much."""
    drawn = thirds(1)
    rewards = oracles.nested((2, 2, 2), lambda s, g, a: drawn.local_reward[s][g][a] + sign * 50)
    instance, n = Instance(drawn.global_kernel, drawn.local_kernel, drawn.global_reward, rewards, drawn.discount, "far"), 2
    system, model = LabelledSystem(instance, n), read(instance)
    listed = {state: value + by for state, value in system.by_counts(system.optimum).items()}
    image = system.image(listed)
    exact = max(abs(image[s] - listed[s]) for s in listed) / (1 - instance.discount)
    assert abs(listed[0, (2, 0)]) > 100
    wide = []
    for unit in (2**12, 2**16, 2**30):
        monkeypatch.setattr(checker.Model, "unit", lambda *_, unit=unit: unit)
        wide.append(checker.bellman(model, n, checker.Values(model, n, listed, next(iter(listed.values()))), checker.Work())[0])
    assert all(x >= exact for x in wide)
    assert exact + Q(1, 2) < wide[0] + 1 and wide[2] < exact + Q(1, 10**4)


@pytest.mark.parametrize(("instance", "n"), SMALL, ids=IDS)
def test_an_optimum_has_no_residual_and_a_slip_of_one_state_has_its_own(instance: Instance, n: int) -> None:
    system, model = LabelledSystem(instance, n), read(instance)
    optimum = system.by_counts(system.optimum)
    assert checker.bellman(model, n, checker.Values(model, n, optimum, Q(0)), checker.Work())[0] == 0
    for state in optimum:
        slipped = optimum | {state: optimum[state] - Q(1, 100)}
        image = system.image(slipped)
        exact = max(abs(image[s] - slipped[s]) for s in slipped) / (1 - instance.discount)
        assert checker.bellman(model, n, checker.Values(model, n, slipped, Q(0)), checker.Work())[0] == exact >= Q(1, 100)


TIED = [
    (random_instance(3, 2, 2, 2, 2), 2),
    (tied_instance(1, 2, 2, 2, 2), 3),
    (tied_instance(4, 2, 2, 2, 3), 2),
    (tied_instance(6, 1, 3, 3, 2), 2),
]


@pytest.mark.parametrize(("instance", "k"), TIED, ids=lambda x: getattr(x, "name", x))
def test_the_greedy_policy_is_that_of_labelled_agents_ties_included(instance: Instance, k: int) -> None:
    greedy = Greedy(LabelledSystem(instance, k))
    optimum = greedy.system.by_counts(greedy.system.optimum)
    model = read(instance)
    radius, plays, tied = checker.bellman(model, k, checker.Values(model, k, optimum, Q(0)), checker.Work(), Q(0))
    assert radius == 0
    for g, c in optimum:
        sample = [s for s, x in enumerate(c) for _ in range(x)]
        own = []
        for s, x in enumerate(c):
            others = tuple(t for i, t in enumerate(sample) if i != sample.index(s)) if x else ()
            own.append(greedy.local_action(g, s, others) if x else None)
        assert plays[g, c] == checker.Play(greedy.global_action(g, tuple(sample)), own)
    if instance.name in ("tied-1", "tied-4"):
        named = [(g, c) for g, c in optimum if tied == f"sample {(g, c)}"]
        assert len(named) == 1
        sample = tuple(s for s, x in enumerate(named[0][1]) for _ in range(x))
        assert len(greedy.system.maximisers[named[0][0], sample]) > 1
        refused(lambda: checker.bellman(model, k, checker.Values(model, k, optimum, Q(0)), checker.Work(), Q(1, 10**6)), "not separated")
    else:
        assert tied == ""


def test_actions_that_do_the_same_are_no_tie() -> None:
    """Both local actions of state 0 have one kernel and one reward: whichever is played, nothing changes."""
    drawn = random_instance(3, 2, 2, 2, 2)
    equal = oracles.nested((2, 2, 2), lambda s, g, a: drawn.local_kernel[s][g][0 if s == 0 else a])
    rewards = oracles.nested((2, 2, 2), lambda s, g, a: drawn.local_reward[s][g][0 if s == 0 else a])
    instance = Instance(drawn.global_kernel, equal, drawn.global_reward, rewards, drawn.discount, "equal")
    system, model = LabelledSystem(instance, 2), read(instance)
    optimum = system.by_counts(system.optimum)
    radius, plays, tied = checker.bellman(model, 2, checker.Values(model, 2, optimum, Q(0)), checker.Work(), Q(1, 10**6))
    assert radius == 0
    assert tied == ""
    assert {play.local_actions[0] for play in plays.values()} == {0, None}


def test_values_within_the_radius_of_the_optimum_determine_the_same_policy() -> None:
    instance = random_instance(3, 2, 2, 2, 2)
    system, model = LabelledSystem(instance, 2), read(instance)
    optimum = system.by_counts(system.optimum)
    exact = checker.bellman(model, 2, checker.Values(model, 2, optimum, Q(0)), checker.Work(), Q(0))[1]
    rough = {state: Q(round(value * 10**6), 10**6) for state, value in optimum.items()}
    assert rough != optimum
    radius, plays, _ = checker.bellman(model, 2, checker.Values(model, 2, rough, Q(0)), checker.Work(), Q(1, 10**5))
    assert max(abs(rough[s] - optimum[s]) for s in rough) <= radius <= Q(1, 10**5)
    assert plays == exact
    lead = min(lead_of(system, optimum, state) for state in optimum)
    assert lead > 0
    edge = lead / (2 * instance.discount)
    checker.bellman(model, 2, checker.Values(model, 2, optimum, Q(0)), checker.Work(), edge * Q(999, 1000))
    refused(
        lambda: checker.bellman(model, 2, checker.Values(model, 2, optimum, Q(0)), checker.Work(), edge * Q(1001, 1000)), "not separated"
    )


def lead_of(system: LabelledSystem, optimum: dict[State, Fraction], state: State) -> Fraction:
    """How far the best joint action of a state leads the next one that has another effect."""
    size = system.instance.sizes[2]
    labelled = next((g, s) for g, s in system.states if (g, oracles.counts_of(s, size)) == state)
    found: dict[Any, Fraction] = {}
    for (_, actions), (reward, law) in system.decisions[labelled].items():
        ahead = sum((p * optimum[h, oracles.counts_of(t, size)] for (h, t), p in law.items()), Q(0))
        grouped: Counter[State] = Counter()
        for (h, t), p in law.items():
            grouped[h, oracles.counts_of(t, size)] += p  # type: ignore[assignment]
        found[reward, tuple(sorted(grouped.items()))] = reward + system.instance.discount * ahead
        assert len(actions) == system.n
    best, second = sorted(found.values())[-1:-3:-1]
    return best - second


@pytest.mark.parametrize("unit", [None, 2**60], ids=["exact", "lower weights"])
@pytest.mark.parametrize(("instance", "n"), SMALL, ids=IDS)
def test_action_values_are_those_of_labelled_agents(instance: Instance, n: int, unit: int | None) -> None:
    system, model, listed = LabelledSystem(instance, n), read(instance), values_on(instance, n)
    _, _, local_states, local_actions = instance.sizes
    values = checker.Values(model, n, listed, Q(0))
    for (g, s), moves in list(system.decisions.items())[:: 3 if len(system.states) > 8 else 1]:
        for (b, a), (reward, law) in list(moves.items())[::3]:
            exact = reward + instance.discount * sum(p * listed[h, oracles.counts_of(t, local_states)] for (h, t), p in law.items())
            d = oracles.counts_of([x * local_actions + y for x, y in zip(s, a, strict=True)], local_states * local_actions)
            low, high = checker.action_value(model, n, values, g, b, d, unit or model.unit(n), checker.Work())
            assert low <= exact <= high <= low + TINY
            assert unit or low == high


# ---------------------------------------------------------------------------------------------------------- executed, witness


@pytest.mark.parametrize(("counts", "k"), [((3, 2), 2), ((2, 0, 3), 4), ((4,), 3), ((1, 1, 1), 1), ((2, 2), 0), ((2, 3), 5)])
def test_subsets_are_counted(counts: tuple[int, ...], k: int) -> None:
    found = dict(checker.samples(counts, k))
    assert list(found) == sorted(found)
    assert {x: Q(ways, comb(sum(counts), k)) for x, ways in found.items()} == oracles.subset_law(counts, k)


EXECUTED = [(random_instance(3, 2, 2, 2, 2), 3, 2), (thirds(1), 3, 1), (thirds(2), 2, 2), (tied_instance(1, 2, 2, 2, 2), 3, 2)]


@pytest.mark.parametrize(("instance", "n", "k"), EXECUTED, ids=lambda x: getattr(x, "name", x))
def test_the_executed_policy_is_that_of_labelled_agents(instance: Instance, n: int, k: int) -> None:
    """Its value has no residual; shifted values have that of the shift, in both directions."""
    greedy = Greedy(LabelledSystem(instance, k))
    optimum = greedy.system.by_counts(greedy.system.optimum)
    model = read(instance)
    _, plays, _ = checker.bellman(model, k, checker.Values(model, k, optimum, Q(0)), checker.Work(), Q(0))
    exact = oracles.execution_value(instance, n, k, "independent")
    assert 0 <= checker.executed(model, n, k, plays, checker.Values(model, n, exact, Q(0)), checker.Work()) <= TINY
    for shift in (Q(3), Q(-3)):
        shifted = {state: value + shift for state, value in exact.items()}
        assert 3 <= checker.executed(model, n, k, plays, checker.Values(model, n, shifted, Q(0)), checker.Work()) <= 3 + TINY
    for state in exact:
        slipped = exact | {state: exact[state] + Q(1, 7)}
        assert checker.executed(model, n, k, plays, checker.Values(model, n, slipped, Q(0)), checker.Work()) >= Q(1, 7)


def test_what_lower_weights_lose_is_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a coarse unit the bound is wider, and still one."""
    instance = thirds(1)
    greedy = Greedy(LabelledSystem(instance, 2))
    optimum = greedy.system.by_counts(greedy.system.optimum)
    model = read(instance)
    plays = checker.bellman(model, 2, checker.Values(model, 2, optimum, Q(0)), checker.Work(), Q(0))[1]
    exact = oracles.execution_value(instance, 3, 2, "independent")
    wide = []
    for unit in (2**7, 2**12, 2**20):
        monkeypatch.setattr(checker, "FINE", unit)
        for shift in (Q(1), Q(-1)):
            values = checker.Values(model, 3, {state: value + shift for state, value in exact.items()}, Q(0))
            wide.append(checker.executed(model, 3, 2, plays, values, checker.Work()))
    assert all(x >= 1 for x in wide)
    assert min(wide[:2]) > max(wide[2:4]) > max(wide[4:]) > 1


def entry(instance: Instance, n: int, state: State, b: int, a: tuple[int, ...], value: Fraction) -> dict[str, Any]:
    """One listed state of a witness, with the labelled local actions ``a``."""
    _, _, local_states, local_actions = instance.sizes
    g, c = state
    states = [s for s, x in enumerate(c) for _ in range(x)]
    d = oracles.counts_of([s * local_actions + x for s, x in zip(states, a, strict=True)], local_states * local_actions)
    return {"global": g, "counts": list(c), "global_action": b, "local_actions": list(d), "value": str(value)}


def witness_of(instance: Instance, n: int, some: int = 0) -> tuple[list[dict[str, Any]], dict[State, Fraction]]:
    """The optimal policy and its value, on all states but the last ``some``."""
    system = LabelledSystem(instance, n)
    optimum = system.by_counts(system.optimum)
    entries = []
    for g, c in list(optimum)[: len(optimum) - some]:
        states = tuple(s for s, x in enumerate(c) for _ in range(x))
        b, a = system.maximisers[g, states][0]
        entries.append(entry(instance, n, (g, c), b, a, optimum[g, c]))
    return entries, optimum


@pytest.mark.parametrize(("instance", "n"), SMALL, ids=IDS)
def test_a_witness_of_the_optimum_shows_the_optimum(instance: Instance, n: int) -> None:
    model = read(instance)
    entries, optimum = witness_of(instance, n)
    found = checker.witness(model, n, entries, checker.Work())
    assert set(found) == set(optimum)
    assert all(optimum[s] - TINY <= found[s] <= optimum[s] for s in optimum)
    raised = [x | {"value": str(Q(x["value"]) + 1)} for x in entries]
    charged = checker.witness(model, n, raised, checker.Work())
    assert all(optimum[s] - TINY <= charged[s] <= optimum[s] for s in optimum)
    lowered = [x | {"value": str(Q(x["value"]) - Q(1, 2))} for x in entries]
    shown = checker.witness(model, n, lowered, checker.Work())
    assert all(shown[s] == optimum[s] - Q(1, 2) for s in optimum)


def test_states_that_a_witness_does_not_list_count_as_the_worst() -> None:
    instance, n = thirds(1), 2
    model = read(instance)
    entries, optimum = witness_of(instance, n, some=2)
    found = checker.witness(model, n, entries, checker.Work())
    listed = {model.state(x, n, "here"): Q(x["value"]) for x in entries}
    system = LabelledSystem(instance, n)
    short = Q(0)
    for (g, c), value in listed.items():
        states = tuple(s for s, x in enumerate(c) for _ in range(x))
        reward, law = system.decisions[g, states][system.maximisers[g, states][0]]
        ahead = sum(p * listed.get((h, oracles.counts_of(t, 2)), -model.most) for (h, t), p in law.items())
        short = max(short, value - reward - instance.discount * ahead)
    assert short > 0
    assert len(found) == len(entries) == len(optimum) - 2
    for state, value in found.items():
        exact = listed[state] - short / (1 - instance.discount)
        assert exact - TINY <= value <= exact


def test_a_witness_plays_in_its_state_once_and_within_reach() -> None:
    instance, n = thirds(1), 2
    model = read(instance)
    entries, _ = witness_of(instance, n)
    assert checker.witness(model, n, [], checker.Work()) == {}

    def changed(**parts: Any) -> Callable[[], Any]:
        return lambda: checker.witness(model, n, [entries[1] | parts], checker.Work())

    assert entries[1]["counts"] == [1, 1]
    checker.witness(model, n, entries[1:2], checker.Work())
    refused(changed(local_actions=[2, 0, 0, 0]), "do not belong to the counts")
    refused(changed(local_actions=[0, 0, 1, 1]), "do not belong to the counts")
    refused(changed(local_actions=[1, 0, 0, 1, 0]), "witness: expected 4 counts")
    refused(changed(global_action=2), "witness: expected an integer")
    refused(changed(value=str(-model.most - TINY)), "below what any policy earns")
    changed(value=str(-model.most))()
    refused(lambda: checker.witness(model, n, [entries[0], entries[0]], checker.Work()), "listed twice")


# ------------------------------------------------------------------------------------------------------------ right-hand sides


@pytest.mark.parametrize("x", [Q(0), Q(1), Q(2), Q(1, 3), Q(10**30), Q(7, 5) ** 30, Q(1, 10**30)])
def test_roots_are_enclosed_to_twenty_digits(x: Fraction) -> None:
    low, high = checker.root(x)
    assert low**2 <= x < high**2
    assert high - low <= Q(1, 10**20)


@pytest.mark.parametrize("x", [Q(0), Q(1, 1000), Q(1), Q(5, 2), Q(30), Q(200)])
def test_exponentials_are_enclosed(x: Fraction) -> None:
    low, high = checker.exponential(x)
    with mpmath.workdps(150):
        exact = mpmath.e ** (mpmath.mpf(x.numerator) / x.denominator)
        assert mpmath.mpf(low.numerator) / low.denominator <= exact * (1 + mpmath.mpf(10) ** -140)
        assert mpmath.mpf(high.numerator) / high.denominator >= exact * (1 - mpmath.mpf(10) ** -140)
    assert low <= high <= low + low * Q(1, 10**50) + Q(1, 2**190)
    assert (low == high == 1) is (x == 0)
    assert low > 0


def test_terms_of_a_long_exponential_are_all_summed() -> None:
    """Where the argument is large and its terms are tiny at first: the growth of the terms ends after ``x`` of them."""
    low, high = checker.exponential(Q(5000))
    assert high - low < low * Q(1, 10**40)
    with mpmath.workdps(80):
        assert abs(mpmath.log(mpmath.mpf(low.numerator) / low.denominator) - 5000) < mpmath.mpf(10) ** -40
    refused(lambda: checker.exponential(Q(5001)), "exponent is too large")


@pytest.mark.parametrize("x", [Q(1), Q(1) + Q(1, 10**12), Q(3, 2), Q(2), Q(10**40), Q(7, 5) ** 30])
def test_logarithms_are_enclosed(x: Fraction) -> None:
    low, high = checker.logarithm(x)
    with mpmath.workdps(60):
        exact = mpmath.log(mpmath.mpf(x.numerator) / x.denominator)
        assert mpmath.mpf(low.numerator) / low.denominator <= exact <= mpmath.mpf(high.numerator) / high.denominator
    assert 0 <= low < high <= low + Q(2, 10**9)


def test_logarithms_below_one_are_refused_and_wrong_guesses_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    refused(lambda: checker.logarithm(1 - Q(1, 10**12)), "logarithm of a number below one")
    for wrong in (-1e-6, 1e-6):
        monkeypatch.setattr(checker, "log", lambda x, wrong=wrong: float(mpmath.log(x)) + (wrong if x != 1 else 0))
        refused(lambda: checker.logarithm(Q(2)), "not enclosed")


@pytest.mark.parametrize("claim", ["T1", "T1b", "T2", "T2b"])
@pytest.mark.parametrize(("n", "k"), [(2, 1), (20, 7), (7, 7), (2000, 401)])
def test_theorem_bounds_against_mpmath(claim: str, n: int, k: int) -> None:
    instance = random_instance(8, 3, 1, 2, 3)
    model = read(instance)
    found = checker.theorem_bound(claim, model, n, k)
    _, global_actions, local_states, local_actions = instance.sizes
    with mpmath.workdps(60):
        rt, gamma = (mpmath.mpf(x.numerator) / x.denominator for x in (instance.rt, instance.discount))
        argument = (
            40
            * rt
            * local_states
            * local_actions
            * global_actions
            * mpmath.mpf(k) ** (local_actions + mpmath.mpf("0.5"))
            / (1 - gamma) ** 2
        )
        rate, growth = mpmath.mpf(n - k + 1) / (2 * n * k), mpmath.log(argument)
        first = mpmath.sqrt(rate) * growth if claim in ("T1b", "T2b") else mpmath.sqrt(rate * growth)
        last = (mpmath.mpf(1) / 10 if claim in ("T1", "T1b") else mpmath.mpf(4)) / mpmath.sqrt(k)
        exact = rt / (1 - gamma) ** 2 * first + last
        share = mpmath.mpf(found.numerator) / found.denominator / exact
        assert 1 <= share < 1 + mpmath.mpf(10) ** -8


def test_total_variation_is_half_the_distance() -> None:
    assert finite_claims.total_variation((2, 0), (0, 5)) == 1
    assert finite_claims.total_variation((1, 1, 0), (1, 1, 2)) == Q(1, 2)
    assert finite_claims.total_variation((3, 1), (6, 2)) == 0
