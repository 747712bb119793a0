"""Whole certificates that take milliseconds, and both sides of every claim against brute force: quick enough for ``make mutants``."""

from __future__ import annotations

import copy
import hashlib
import json
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any

import pytest

from mfverify.checker import check_certificate as checker
from mfverify.checker import finite_claims
from tests import oracles
from tests.architecture.sources import PROJECT
from tests.checker.test_parts import witness_of
from tests.oracles import Instance, LabelledSystem

Q = Fraction
FOLDER = PROJECT / "reports" / "certificates"
QUICK = (
    *("A2", "B4b", "C2", "C3", "C3b", "C7", "C7b", "H1", "L2", "M1", "N1c"),
    *("P3", "P4", "S2", "S4b", "T1", "T2_scaled", "X1s", "X3", "X3b"),
)
Document = dict[str, Any]


def read(name: str) -> Document:
    document: Document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return document


def sealed(document: Document) -> bytes:
    """The document with a digest that fits."""
    content = {key: part for key, part in document.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return json.dumps(content | {"digest": hashlib.sha256(text.encode()).hexdigest()}).encode()


def changed(name: str, *path: Any, to: Any) -> bytes:
    """A sealed certificate with one place changed."""
    document = read(name)
    inner: Any = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return sealed(document)


def refused(text: bytes, words: str) -> None:
    answer = checker.check(text)
    assert not answer.accepted
    assert len(answer.reasons) == 1
    assert words in answer.reasons[0]


def sides(document: Document) -> tuple[Fraction, Fraction, list[str]]:
    left, right, notes = checker.CLAIMS[document["claim"]](document["claim"], document, checker.Work())
    return left, right, notes


def instance_of(document: Document) -> Instance:
    """The model of a certificate for the oracles."""

    def tuples(part: Any) -> Any:
        return tuple(map(tuples, part)) if isinstance(part, list) else Q(part)

    model = document["model"]
    names = ("global_kernel", "local_kernel", "global_reward", "local_reward")
    return Instance(*(tuples(model[name]) for name in names), Q(model["discount"]))


# ----------------------------------------------------------------------------------------------------------- whole certificates


@pytest.mark.parametrize("name", QUICK)
def test_bundled_ones_are_accepted_in_the_work_that_they_state(name: str) -> None:
    document = read(name)
    answer = checker.check_file(str(FOLDER / f"{name}.json"))
    assert answer.accepted, answer.reasons
    assert answer.steps == document["cost"]["steps"]
    named = f"{document['claim']} with C = 1" if name == "X1s" else document["claim"]
    assert answer.reasons[0].startswith(f"{named} is violated: left side >= ")
    assert checker.check(sealed(document)) == answer


def test_values_of_all_states_that_are_reached_have_to_be_listed() -> None:
    """`T1_two_steps` lists some states only: without any one of them the others prove nothing."""
    document = read("T1_two_steps")
    assert all(len(row) < 455 for row in document["proof"]["subsampled"]["values"]), "of all count vectors of 12 agents"
    assert checker.check(sealed(document)).accepted
    for rows, g in ((document["proof"]["executed"], 1), (document["proof"]["subsampled"]["values"], 4)):
        row = rows[g]
        gone = next(iter(row))
        rows[g] = {c: x for c, x in row.items() if c != gone}
        refused(sealed(document), "the values of a state that can be reached are missing")
        rows[g] = row
    gap_over_all = read("P4")
    optimum = gap_over_all["proof"]["reference"]["optimum"]
    gap_over_all["proof"]["reference"]["optimum"] = [{"0+3": optimum[0][0]}, {}]
    refused(sealed(gap_over_all), "optimum: the largest gap is one over all states")


@pytest.mark.parametrize("name", QUICK)
def test_what_is_stated_is_at_most_what_is_certain(name: str) -> None:
    document = read(name)
    left, right, _ = sides(document)
    stated = Q(document["actual"]["lower"]), Q(document["bound"]["upper"])
    assert right <= stated[1] < stated[0] <= left
    assert 0 < Q(document["margin"]) <= stated[0] - stated[1]


@pytest.mark.parametrize("name", ["C3", "L2", "P4"])
def test_a_certificate_states_no_more_than_is_certain(name: str) -> None:
    document = read(name)
    left, right, _ = sides(document)
    middle = (left + right) / 2
    exactly = document | {"actual": {"lower": str(left)}, "bound": {"upper": str(right)}, "margin": str(left - right)}
    assert checker.check(sealed(exactly)).accepted
    tiny = Q(1, 10**12)
    refused(sealed(exactly | {"actual": {"lower": str(left + tiny)}}), "actual: ")
    refused(sealed(exactly | {"bound": {"upper": str(right - tiny)}}), "bound: ")
    refused(sealed(exactly | {"margin": str(left - right + tiny)}), "margin: ")
    refused(sealed(exactly | {"margin": "0"}), "margin: ")
    refused(sealed(exactly | {"actual": {"lower": str(middle)}, "bound": {"upper": str(middle)}}), "margin: ")


def test_a_side_that_only_ties_is_no_violation() -> None:
    """If no agent moves, the step does not change the distance."""
    document = read("C7")
    population, sample = document["parameters"]["population"], document["parameters"]["sample"]
    still = [[str(int(i == j)) for j in range(len(population.split("+")))] for i in range(len(population.split("+")))]
    assert sample
    unmoved = document | {"proof": {"kernel": still}, "parameters": document["parameters"] | {"kernel": "stay"}}
    left, right, _ = sides(unmoved)
    assert left == right
    refused(sealed(unmoved), "the left side is only certain")


def test_texts_that_are_no_certificates_are_refused() -> None:
    good = sealed(read("C3"))
    document = json.loads(good)
    refused(b"", "the file is not a certificate")
    refused(b"\xff", "the file is not a certificate")
    refused(b"[]", "the keys of a certificate are actual, agents, bound")
    refused(b"{}", "the keys of a certificate are")
    refused(b"[" * 10**5, "")
    refused(good.replace(b'"agents"', b'"agents": 2, "agents"', 1), "the same key twice")
    refused(
        good.replace(b'"version": 1', b'"version": 1.0', 1), "found the number 1.0; numbers that are not integers are written as strings"
    )
    refused(good.replace(b'"version": 1', b'"version": NaN', 1), "found the number NaN")
    refused(json.dumps(document | {"digest": "0" * 64}).encode(), "digest: the content has been changed")
    refused(sealed(document | {"version": 2}), "version: this checker knows version 1")
    refused(sealed(document | {"extra": 1}), "the keys of a certificate are")
    refused(sealed({key: part for key, part in document.items() if key != "cost"}), "the keys of a certificate are")
    refused(sealed(document | {"claim": "C1"}), "claim: this checker knows T1, T1b")
    refused(sealed(document | {"claim": "own"}), "claim: this checker knows T1, T1b")
    refused(sealed(document | {"claim": "own:"}), "claim: this checker knows T1, T1b")
    refused(sealed(document | {"claim": 3}), "claim: is missing or not of the type str")
    assert checker.check(good + b" " * (checker.LARGEST_FILE - len(good))).accepted
    refused(good + b" " * (checker.LARGEST_FILE - len(good) + 1), "the file is longer than 8000000 bytes")


def test_files_are_read_or_the_reason_is_told(tmp_path: Path) -> None:
    good = sealed(read("C3"))
    (tmp_path / "good.json").write_bytes(good)
    assert checker.check_file(str(tmp_path / "good.json")).accepted
    (tmp_path / "long.json").write_bytes(good + b" " * checker.LARGEST_FILE)
    assert "longer than" in checker.check_file(str(tmp_path / "long.json")).reasons[0]
    missing = checker.check_file(str(tmp_path / "missing.json"))
    assert missing == checker.Answer(False, ["the file cannot be read (No such file or directory)"], 0)


# ------------------------------------------------------------------------------------------------ the left side, the right side


def gap_of(instance: Instance, n: int, k: int) -> dict[oracles.State, Fraction]:
    """``V* - V^{pi_k}`` of every state, exactly."""
    system = LabelledSystem(instance, n)
    optimum, played = system.by_counts(system.optimum), oracles.execution_value(instance, n, k, "independent")
    return {state: optimum[state] - played[state] for state in optimum}


def start_of(document: Document) -> oracles.State:
    return document["state"]["global"], tuple(document["state"]["counts"])


CLOSE = Q(1, 10**3)


def test_a_gap_where_everybody_is_sampled() -> None:
    document = read("P3")
    left, right, notes = sides(document)
    exact = gap_of(instance_of(document), document["agents"], document["subsample"])[start_of(document)]
    assert right == 0 < exact - CLOSE < left <= exact
    assert "ties matter" in notes[-1] or "no tie-breaking" in notes[-1]
    refused(changed("P3", "agents", to=3), "")
    other = read("P4")
    del other["proof"]["reference"]
    refused(sealed(other | {"claim": "P3", "subsample": 2}), "P3 speaks of k = n")


@pytest.mark.parametrize(
    ("claim", "constant", "violated"), [("T1", None, False), ("T2", None, False), ("T3", "1/100", True), ("T3", "100", False)]
)
def test_a_small_gap_against_every_formula(claim: str, constant: str | None, violated: bool) -> None:
    """The gap of P3's model with n = k = 2: far below the theorems' bounds, above a small multiple of the rate of T3."""
    document = read("P3") | {"claim": claim, "parameters": {"C": constant} if constant else {}}
    left, right, notes = sides(document)
    exact = gap_of(instance_of(document), 2, 2)
    assert exact[start_of(document)] - CLOSE < left <= exact[start_of(document)]
    assert (left > right) is violated
    if constant:
        rate = Q(constant) * Q(11972, 10**4)  # (1 + ln 2)/sqrt 2, from below
        assert rate < right < rate * Q(10001, 10**4)
    else:
        assert right == checker.theorem_bound(claim, checker.Model(document), 2, 2)
        assert len(notes) == (2 if claim == "T2" else 1)


def test_the_smallest_gap_is_told_where_every_start_is_witnessed() -> None:
    document = read("P3") | {"claim": "T3", "parameters": {"C": "1/100"}}
    document["proof"] = document["proof"] | {"witness": witness_of(instance_of(document), 2)[0]}
    notes = sides(document)[2]
    exact = min(gap_of(instance_of(document), 2, 2).values())
    told = Q(notes[0].removeprefix("and the gap is at least ").removesuffix(" from every start"))
    assert exact - Q(1, 500) <= told <= exact
    document["proof"] = document["proof"] | {"witness": document["proof"]["witness"][:-1]}
    assert len(sides(document)[2]) == len(notes) - 1


def test_what_a_theorem_with_a_probability_is_read_as() -> None:
    assert sides(read("T2_scaled"))[2][0].startswith("every next state is certain")
    mixed = read("P3") | {"claim": "T2"}
    assert sides(mixed)[2][0].startswith("this is the exact operator")


@pytest.mark.parametrize("name", ["P4", "S4b"])
def test_gaps_at_two_samples_or_from_two_kinds_of_start(name: str) -> None:
    document = read(name)
    instance, n, k = instance_of(document), document["agents"], document["subsample"]
    left, right, _ = sides(document)
    larger = k + 1 if name == "P4" else k
    exact = gap_of(instance, n, larger)[start_of(document)]
    assert exact - CLOSE < left <= exact
    smaller = gap_of(instance, n, k)
    if name == "S4b":
        types = checker.types_in(checker.Model(document), document["parameters"]["types"])
        smaller = {state: x for state, x in smaller.items() if types(state[1]) == 1}
        alone = document | {"state": {"global": 0, "counts": [n, *[0] * (instance.sizes[2] - 1)]}}
        alone["proof"] = document["proof"] | {"witness": witness_of(instance, n)[0]}
        refused(sealed(alone), "not all types are present")
    largest = max(smaller.values())
    assert largest <= right < largest + CLOSE


def test_the_gap_at_all_agents_against_the_gap_at_a_sample() -> None:
    document = read("X3")
    instance, n, k = instance_of(document), document["agents"], document["subsample"]
    left, right, notes = sides(document)
    assert (left, right) == (gap_of(instance, n, n)[start_of(document)], max(gap_of(instance, n, k).values()))
    assert notes[-1].startswith("ties matter")
    refused(changed("X3", "parameters", "transitions", to=8), "X3: this checker knows the exact regression only")
    refused(changed("X3", "parameters", to={}), "parameters: expected the entries (transitions) and no others")
    refused(changed("X3", "subsample", to=n + 1), "subsample: expected an integer in 1..2")
    refused(changed("X3", "subsample", to=n), "values: expected a list of 6 entries")


def test_half_the_gap_at_a_quarter_of_the_sample() -> None:
    document = read("X3b")
    left, right, _ = sides(document)
    assert document["parameters"]["transitions"] == 0
    refused(changed("X3b", "parameters", "transitions", to=8), "transitions: 0")
    assert left > right > 0


def test_types_are_blocks_that_nobody_leaves() -> None:
    model = checker.Model(read("S4b"))
    types = read("S4b")["parameters"]["types"]
    found = checker.types_in(model, types)
    size = model.sizes[2] // types
    for c in oracles.all_count_vectors(3, model.sizes[2]):
        assert found(c) == len({s // size for s in range(model.sizes[2]) if c[s] > 0})
    with pytest.raises(checker.Refused, match="types"):
        checker.types_in(checker.Model(read("P3")), 2)
    leaving = copy.deepcopy(read("S4b"))
    row = leaving["model"]["local_kernel"][0][0][0]
    leaving["model"]["local_kernel"][0][0][0] = ["0"] * (len(row) - 1) + ["1"]
    with pytest.raises(checker.Refused, match="never leave"):
        checker.types_in(checker.Model(leaving), types)


def test_the_lipschitz_claim_compares_action_values_of_two_systems() -> None:
    document = read("L2")
    instance, proof = instance_of(document), document["proof"]
    left, right, notes = sides(document)
    local_actions = instance.sizes[3]
    exact, laws = [], []
    for size, key in ((document["subsample"], "first"), (document["parameters"]["other"], "second")):
        system = LabelledSystem(instance, size)
        d = proof[key]["actions"]
        pairs = [divmod(z, local_actions) for z, x in enumerate(d) for _ in range(x)]
        state = document["state"]["global"], tuple(s for s, _ in pairs)
        reward, law = system.row(state, (proof["global_action"], tuple(a for _, a in pairs)))
        exact.append(reward + instance.discount * sum(p * system.optimum[target] for target, p in law.items()))
        laws.append([Q(x, size) for x in d])
    distance = sum(abs(x - y) for x, y in zip(*laws, strict=True)) / 2
    assert abs(exact[0] - exact[1]) - CLOSE < left <= abs(exact[0] - exact[1])
    rt_l = max(abs(x) for part in instance.local_reward for row in part for x in row)
    assert right == 2 * rt_l / (1 - instance.discount) * distance
    assert notes == [f"the two distributions have total variation {distance}"]
    swapped = document | {
        "subsample": document["parameters"]["other"],
        "parameters": document["parameters"] | {"other": document["subsample"]},
    }
    swapped["proof"] = proof | {"first": proof["second"], "second": proof["first"]}
    assert sides(swapped)[:2] == (left, right)


@pytest.mark.parametrize("claim", ["C2", "C3"])
@pytest.mark.parametrize(
    ("population", "k", "deviation"), [((2, 3, 2), 3, Q(1, 3)), ((1, 1), 1, Q(1, 2)), ((4, 2), 6, Q(1, 100)), ((4, 3), 2, Q(3, 7))]
)
def test_tails_of_subsets_by_listing_them(claim: str, population: tuple[int, ...], k: int, deviation: Fraction) -> None:
    n, size = sum(population), len(population)
    document = read(claim) | {
        "agents": n,
        "subsample": k,
        "parameters": {"population": "+".join(map(str, population))},
        "proof": {"deviation": str(deviation)},
    }
    left, right, notes = sides(document)
    law = oracles.subset_law(population, k)
    far = sum((p for x, p in law.items() if sum(abs(Q(y, k) - Q(z, n)) for y, z in zip(x, population, strict=True)) / 2 >= deviation), Q(0))
    assert left == far
    low, high = checker.exponential((2 if claim == "C2" else 8) * n * k * deviation**2 / (n - k + 1))
    assert 2 * size / high <= right <= 2 * size / low
    assert notes == [f"a sample of {k} lies {deviation} or more away from the population"]


def test_tails_need_occupied_classes_and_a_positive_deviation() -> None:
    refused(changed("C3", "proof", "deviation", to="0"), "occupies every class")
    population = read("C3")["parameters"]["population"]
    refused(changed("C3", "parameters", "population", to="0+" + population), "occupies every class")
    refused(changed("C3", "agents", to=2001), "agents: expected an integer in 1..2000")
    refused(changed("C3", "subsample", to=0), "subsample: expected an integer in 1..")


KERNELS: dict[str, list[list[Fraction]]] = {
    "stay": [[Q(1), Q(0), Q(0)], [Q(0), Q(1), Q(0)], [Q(0), Q(0), Q(1)]],
    "rotate": [[Q(0), Q(1), Q(0)], [Q(0), Q(0), Q(1)], [Q(1), Q(0), Q(0)]],
    "merge": [[Q(1), Q(0), Q(0)]] * 3,
    "uniform": [[Q(1, 3)] * 3] * 3,
    "lazy": [[Q(1, 2), Q(1, 2), Q(0)], [Q(0), Q(1, 2), Q(1, 2)], [Q(1, 2), Q(0), Q(1, 2)]],
    "random-7": [[Q(1, 4), Q(0), Q(3, 4)], [Q(1, 6), Q(0), Q(5, 6)], [Q(1, 7), Q(5, 7), Q(1, 7)]],
}
"""The kernels that the names represent, with three classes."""


def moved_distance(population: tuple[int, ...], sample: tuple[int, ...], kernel: list[list[Fraction]]) -> Fraction:
    """The mean distance after every agent has moved once, by listing the moves of all agents."""
    n, k, size = sum(population), sum(sample), len(population)
    states = [s for s, x in enumerate(sample) for _ in range(x)] + [
        s for s, (x, y) in enumerate(zip(population, sample, strict=True)) for _ in range(x - y)
    ]
    laws = {(): Q(1)}
    for s in states:
        laws = {(*moves, t): p * kernel[s][t] for moves, p in laws.items() for t in range(size) if kernel[s][t]}
    return sum((p * sum(abs(Q(moves[:k].count(t), k) - Q(moves.count(t), n)) for t in range(size)) / 2 for moves, p in laws.items()), Q(0))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("population", "sample"), [((2, 1, 1), (1, 0, 1)), ((2, 2, 0), (2, 0, 0)), ((1, 1, 2), (1, 1, 1))])
def test_distances_after_a_step_by_listing_all_moves(population: tuple[int, ...], sample: tuple[int, ...], kernel: str) -> None:
    n, k = sum(population), sum(sample)
    rows = KERNELS[kernel]
    written = [[str(x) for x in row] for row in rows]
    document = read("C7") | {"agents": n, "subsample": k, "proof": {"kernel": written}}
    document["parameters"] = {"kernel": kernel, "population": "+".join(map(str, population)), "sample": "+".join(map(str, sample))}
    left, right, _ = sides(document)
    assert left == moved_distance(population, sample, rows)
    assert right == sum(abs(Q(x, k) - Q(y, n)) for x, y in zip(sample, population, strict=True)) / 2
    document["parameters"]["sample"] = "uniform"
    mean_left, mean_right, _ = sides(document | {"claim": "C7b"})
    law = oracles.subset_law(population, k)
    assert mean_left == sum(p * moved_distance(population, x, rows) for x, p in law.items())
    assert mean_right == sum(p * sum(abs(Q(y, k) - Q(z, n)) for y, z in zip(x, population, strict=True)) / 2 for x, p in law.items())
    assert sum(p * comb(n, k) for p in law.values()) == comb(n, k)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_what_its_name_stands_for(name: str) -> None:
    """Labels are part of the statement: under the name of another kernel, on which the claim may hold, nothing is accepted."""
    assert finite_claims.kernel_named(name, 3) == KERNELS[name]
    for other, rows in KERNELS.items():
        document = read("C7") | {"agents": 4, "subsample": 2, "proof": {"kernel": [[str(x) for x in row] for row in rows]}}
        document["parameters"] = {"kernel": name, "population": "2+1+1", "sample": "1+0+1"}
        if other != name:
            refused(sealed(document), "kernel: the rows in the certificate are not those of the named kernel")


@pytest.mark.parametrize(
    "name", ["", "Stay", "uniform ", "random", "random-", "random--1", "random-01", "random-1 ", "random-" + "9" * 19, "ℵ"]
)
def test_kernels_that_nobody_knows_are_refused(name: str) -> None:
    refused(changed("C7", "parameters", "kernel", to=name), "kernel: expected stay, rotate, merge, uniform, lazy or random-SEED")


def test_kernels_and_samples_of_a_step_have_to_fit() -> None:
    size = len(read("C7")["proof"]["kernel"])
    refused(changed("C7", "proof", "kernel", to=[["1/2"] * size] * (size - 1)), "kernel: expected a list")
    refused(changed("C7", "proof", "kernel", to=[["2", "-1", *["0"] * (size - 2)]] * size), "kernel: a row is not a probability law")
    refused(changed("C7", "proof", "kernel", to=[["1/2", "1/3", *["0"] * (size - 2)]] * size), "kernel: a row is not a probability law")
    n, k = read("C7")["agents"], read("C7")["subsample"]
    refused(changed("C7", "parameters", "sample", to=f"{k}+" + "+".join(["0"] * size)), "sample: it does not fit")
    if n > k:
        document = read("C7")
        document["parameters"]["population"] = f"0+{n}" + "+0" * (size - 2)
        document["parameters"]["sample"] = f"{k}+0" + "+0" * (size - 2)
        refused(sealed(document), "sample: it does not fit")


# ------------------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("name", "path", "to", "words"),
    [
        ("P3", ("proof", "subsampled", "radius"), "-1", "separate|certain"),
        ("P3", ("proof", "subsampled", "policy"), [], "policy: what is written down is not the greedy policy"),
        ("P3", ("proof", "subsampled"), None, "subsampled: is missing"),
        ("P3", ("proof", "executed"), [], "executed: expected a list"),
        ("P3", ("proof", "witness"), [], "witness: the start state is missing"),
        ("P3", ("proof", "witness"), None, "witness: is missing"),
        ("P3", ("state", "global"), 99, "state: expected an integer"),
        ("P3", ("state",), None, "state: is missing"),
        ("P3", ("agents",), 10_001, "agents: expected an integer in 1..10000"),
        ("P3", ("subsample",), 3, "subsample: expected an integer in 1..2"),
        ("P4", ("subsample",), 3, "larger subsample: expected"),
        ("P3", ("proof",), None, "proof: is missing"),
        ("P3", ("parameters",), None, "parameters: is missing"),
        ("P3", ("model",), None, "model: is missing"),
        ("P4", ("proof", "reference"), None, "reference: is missing"),
        ("P4", ("proof", "reference", "optimum"), [], "optimum: expected a list"),
        ("S4b", ("parameters", "types"), 1, "types: expected an integer in 2.."),
        ("L2", ("proof", "global_action"), 2, "global_action: expected an integer in 0..1"),
        ("L2", ("state",), None, "state: is missing"),
        ("L2", ("subsample",), 0, "subsample, other: expected an integer in 1..10000"),
        ("C2", ("parameters", "population"), 3, "population: is missing"),
        ("T1", ("actual",), None, "actual: is missing"),
        ("C3", ("bound", "upper"), None, "bound: expected a rational"),
        ("C3", ("actual", "lower"), 1, "actual: expected a rational"),
        ("C3", ("margin",), None, "margin: expected a rational"),
    ],
)  # fmt: skip
def test_spoiled_places_are_named(name: str, path: tuple[str, ...], to: Any, words: str) -> None:
    answer = checker.check(changed(name, *path, to=to))
    assert not answer.accepted
    assert any(word in answer.reasons[0] for word in words.split("|")), answer.reasons


def moved(path: tuple[Any, ...], by: Fraction, name: str) -> bytes:
    document = read(name)
    inner: Any = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = str(Q(inner[path[-1]]) + by)
    return sealed(document)


@pytest.mark.parametrize("name", ["P3", "P4", "S4b"])
@pytest.mark.parametrize("by", [Q(9), Q(-9)])
def test_a_value_that_is_off_breaks_the_proof(name: str, by: Fraction) -> None:
    document = read(name)
    places: list[tuple[Any, ...]] = [("proof", "subsampled", "values", 0, 0), ("proof", "executed", 0, 0)]
    if "reference" in document["proof"]:
        places += [("proof", "reference", "optimum", 0, 0), ("proof", "reference", "executed", 0, 0)]
    for path in places:
        answer = checker.check(moved(path, by, name))
        assert not answer.accepted, path


def test_every_claim_has_its_check() -> None:
    assert [checker.CLAIMS[x] for x in ("T1", "T1b", "T1c", "T2", "T2b", "T2c", "T3", "P3", "P4", "S4b", "X3", "X3b")] == [checker.gap] * 12
    assert [checker.CLAIMS[x] for x in ("C2", "C3", "C7", "C7b")] == [finite_claims.concentration] * 4
    assert checker.CLAIMS["L2"] is finite_claims.lipschitz
    own = ("M1", "C3b", "X1s", "H1", "S2", "N1c", "B4b", "A2")
    names = (
        "exchanged",
        "half_of_maximum",
        "reward_samples",
        "by_states",
        "picked_table",
        "lottery_samples",
        "mean_of_maximum",
        "own_share",
    )
    assert [checker.CLAIMS[x] for x in own] == [getattr(finite_claims, name) for name in names]
    assert checker.CLAIMS["own"] is checker.gap
    assert len(checker.CLAIMS) == 26
