"""Claims that need no gap: both sides against brute force over outcomes, agents and samples, and against those of the package."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb
from typing import Any

import pytest

from mfverify import models
from mfverify.certificate import _document
from mfverify.checker import check_certificate as checker
from mfverify.checker import finite_claims
from mfverify.enclosure import Interval
from mfverify.papers import CATALOGUE
from mfverify.papers.alternating_marl.deviations import Deviation, Reads
from mfverify.papers.alternating_marl.half_of_maximum import Direction, OneDirection
from mfverify.papers.alternating_marl.tables import TwoTables
from mfverify.papers.graphon_mean_field.crowd import Crowd, values_of_steps
from mfverify.papers.mean_field_sampling.failure_probability import Paid, lottery, lottery_noise
from mfverify.papers.mean_field_sampling.laws_of_estimates import Estimate
from mfverify.papers.mean_field_sampling.regime_switch import Switched
from mfverify.papers.mean_field_sampling.reward_samples import RewardSamples
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Sides
from tests import oracles
from tests.checker.test_parts import document_of
from tests.oracles import Instance, LabelledSystem, random_instance

Q = Fraction
ZERO = Interval.exactly(0)


def document(claim: str, case: Case, proof: dict[str, Any], state: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a certificate of this case would hold, violated or not."""
    return _document(claim, case, Interval.exactly(1), ZERO, proof=proof, state=state)


def sides(claim: str, found: dict[str, Any]) -> tuple[Fraction, Fraction]:
    """Both sides as the checker has them."""
    return checker.CLAIMS[claim](claim, found, checker.Work())[:2]


def of_package(claim: str, case: Case) -> Sides:
    outcome = CATALOGUE[claim].sides(case)
    assert isinstance(outcome, Sides)
    return outcome


def witness(claim: str, case: Any) -> dict[str, Any]:
    """The document with what the statement itself finds as a witness."""
    way: Any = CATALOGUE[claim].certificate
    found = way(case)
    return document(claim, case, dict(found.proof), found.state)


TABLES = [((1, 0), (0, 1)), ((2, -1, 0), (0, 1, 1)), ((-1, -2), (-3, 0)), ((5,), (7,))]


@pytest.mark.parametrize("first", TABLES)
@pytest.mark.parametrize("second", TABLES)
def test_expectations_of_maxima(first: tuple[tuple[int, ...], ...], second: tuple[tuple[int, ...], ...]) -> None:
    found = document("M1", TwoTables(first, second), {})
    if len(first[0]) != len(second[0]):
        with pytest.raises(checker.Refused, match="of one shape"):
            sides("M1", found)
        return
    outcomes = range(len(first[0]))
    f, g = (sum((Q(max(row[x] for row in table), len(outcomes)) for x in outcomes), Q(0)) for table in (first, second))
    means = [abs(sum(Q(first[a][x] - second[a][x], len(outcomes)) for x in outcomes)) for a in range(2)]
    assert sides("M1", found) == (abs(f - g), max(means))


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("population", "k"), [((1, 1), 1), ((2, 1), 2), ((2, 2, 1), 3), ((3,), 2)])
def test_total_variation_and_half_of_the_largest_deviation(population: tuple[int, ...], k: int, direction: Direction) -> None:
    n = sum(population)
    for x in oracles.subset_law(population, k):
        deviations = [abs(Q(y, k) - Q(z, n)) for y, z in zip(x, population, strict=True)]
        both = sum(deviations) / 2, max(deviations) / 2
        found = document("C3b", OneDirection(population, k, direction), {"sample": list(x)})
        assert sides("C3b", found) == (both if direction is Direction.TO_TV else both[::-1])


@pytest.mark.parametrize(("k", "constant", "error"), [(2, "1", "1"), (16, "1", "1"), (16, "10", "1/2"), (3, "2", "1"), (100, "2", "2")])
def test_means_of_fair_rewards_by_listing_them(k: int, constant: str, error: str) -> None:
    case = RewardSamples(k, Q(constant), Q(error))
    left, right = sides("X1s", document("X1s", case, {}))
    assert (left, right) == (of_package("X1s", case).left.lower, Q(1, 2))
    number = round(float(constant) * k**0.25 * float(checker.expression("sqrt(log(k))", {"k": k})[1]) + 0.5)
    if number <= 10:
        far = [x for x in product((1, -1), repeat=number) if abs(Q(sum(x), number)) > Q(error) / checker.root(Q(k))[0]]
        assert left == Q(len(far), 2**number)


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("n", [1, 3])
def test_values_of_a_crowd(n: int, steps: int) -> None:
    case = Crowd(n, steps, Q(1, 3))
    values = {action[1]: q for (_, action), q in values_of_steps(case).items()}
    assert len(values) == comb(n + 3, 3)
    for (d, q), (e, p) in product(values.items(), repeat=2):
        left, right = sides("H1", document("H1", case, {"first": list(d), "second": list(e)}))
        assert left == abs(q - p)
        assert right == 2 * (1 + Q(steps - 1, 3)) * abs(Q(d[2] + d[3] - e[2] - e[3], n))


@pytest.mark.parametrize(("states", "actions"), [(1, 1), (2, 1), (2, 2), (3, 2)])
def test_the_table_that_the_switch_picks(states: int, actions: int) -> None:
    for k in range(1, 12):
        found = of_package("S2", Switched(states, actions, k, k))
        checked = sides("S2", document("S2", Switched(states, actions, 1, 12), {"k": k}))
        assert checked == (found.left.lower, found.right.lower)


@pytest.mark.parametrize("reward", [4, 10, 100, -10])
def test_the_noise_of_the_lottery(reward: int) -> None:
    left, right = sides("N1c", document("N1c", Paid(lottery(reward), 1, Q(reward)), {}))
    weights = {i: Q(comb(123, i), 2**123) for i in range(124)}
    assert left == sum((p for i, p in weights.items() if lottery_noise(Q(reward), i, 123) > 1), Q(0))
    assert Q(3678, 10**6) < right < Q(3679, 10**6)


def test_a_model_that_is_not_the_lottery_is_refused() -> None:
    for other in (lottery(11), models.splitting()):
        with pytest.raises(checker.Refused, match="it is not the lottery with this reward"):
            sides("N1c", document("N1c", Paid(other, 1, Q(10)), {}))


SMALL = [
    random_instance(3, 2, 2, 2, 1),
    random_instance(5, 1, 2, 2, 2),
    random_instance(8, 2, 1, 2, 2),
    random_instance(6, 1, 3, 2, 1),  # an odd number of joint actions
]


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("instance", SMALL, ids=lambda x: x.name)
def test_means_of_maxima_by_listing_all_samples(instance: Instance, samples: int) -> None:
    """One agent: for each joint action all sets of samples, and then all combinations over the joint actions."""
    system = LabelledSystem(instance, 1)
    optimum = system.by_counts(system.optimum)
    size = instance.sizes[2]
    rows = [[str(value) for (h, _), value in sorted(optimum.items()) if h == g] for g in range(instance.sizes[0])]
    for g, s in system.states:
        laws = []
        for reward, law in system.decisions[g, s].values():
            ahead = [(optimum[h, oracles.counts_of(t, size)], p) for (h, t), p in law.items()]
            laws.append(
                [
                    (reward + instance.discount * sum(x for x, _ in drawn) / samples, oracles_product(p for _, p in drawn))
                    for drawn in product(ahead, repeat=samples)
                ]
            )
        mean = sum((max(x for x, _ in one) * oracles_product(p for _, p in one) for one in product(*laws)), Q(0))
        c = oracles.counts_of(s, size)
        found = {**document_of(instance), "agents": None, "subsample": 1, "parameters": {"samples": samples}}
        found |= {"proof": {"values": rows}, "state": {"global": g, "counts": list(c)}}
        left, right = sides("B4b", found)
        assert (left, right) == (mean - optimum[g, c], 0)
        rough = [[str(Q(round(Q(x) * 10**6), 10**6)) for x in row] for row in rows]
        near = sides("B4b", found | {"proof": {"values": rough}})[0]
        assert left - Q(1, 10**3) < near <= left
        # Values that are all 1 too low: the means of maxima are gamma too low, and the charge is that of values which are off by 1.
        lower = [[str(Q(x) - 1) for x in row] for row in rows]
        assert sides("B4b", found | {"proof": {"values": lower}})[0] == left - 2 * instance.discount


def oracles_product(numbers: Any) -> Fraction:
    out = Q(1)
    for x in numbers:
        out *= x
    return out


@pytest.mark.parametrize("reads", Reads)
@pytest.mark.parametrize(
    ("model", "n"), [(models.coordination(), 2), (models.random_coupled(4), 2), (models.random_coupled(5), 1)], ids=str
)
def test_changes_of_the_value_and_of_an_agents_share(model: Any, n: int, reads: Reads) -> None:
    case = Deviation(model, n, reads)
    found = witness("A2", case)
    left, right = sides("A2", found)
    assert (left, right) == (of_package("A2", case).left.lower, 0)
    moved = found["proof"]["first"]["values"]
    moved[0][0] = str(Q(moved[0][0]) + Q(1, 100))
    charged = sides("A2", found)[0]
    assert charged <= left


@pytest.mark.parametrize(
    ("claim", "case"),
    [
        ("M1", TwoTables(((1, 0), (0, 1)), ((0, 0), (0, 0)))),
        ("C3b", OneDirection((2, 1, 1), 2, Direction.TO_TV)),
        ("X1s", RewardSamples(16, Q(1), Q(1))),
        ("H1", Crowd(3, 2, Q(9, 10))),
        ("S2", Switched(2, 2, 1, 30)),
        ("N1c", Paid(lottery(100), 2, Q(100))),
        ("B4b", Estimate(models.absorbing(), 2, 2)),
        ("A2", Deviation(models.coordination(), 2, Reads.ALL)),
    ],
)
def test_the_witness_of_a_statement_shows_what_the_statement_finds(claim: str, case: Any) -> None:
    left, right = sides(claim, witness(claim, case))
    found = of_package(claim, case)
    assert found.left.lower <= left <= found.left.upper
    assert found.right.lower - Q(1, 10**12) <= right <= found.right.upper + Q(1, 10**9)


def test_what_the_first_file_does_not_know_is_added_by_the_second() -> None:
    first = ("own", "T1", "T1b", "T1c", "T2", "T2b", "T2c", "T3", "P3", "P4", "S4b", "X3", "X3b")
    assert list(finite_claims.CLAIMS) == list(checker.CLAIMS)
    assert tuple(checker.CLAIMS)[: len(first)] == first
