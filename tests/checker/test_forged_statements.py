"""What a certificate states is what was checked: no parameter out of range, of another type, unknown, missing, or a label that does not fit.

A forger computes the digest anew. Any statement that is accepted nevertheless has to be true as printed, by the solvers of the package.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import mfverify as mfv
from mfverify import counts, models
from mfverify.certificate import Certificate, _document, certify
from mfverify.checker import check_certificate as checker
from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.model_files import model_from_document
from mfverify.papers import CATALOGUE
from mfverify.papers.alternating_marl.half_of_maximum import Direction, OneDirection
from mfverify.papers.mean_field_sampling.regime_switch import Switched
from mfverify.papers.mean_field_sampling.tails import tail
from mfverify.papers.mean_field_sampling.theorem_4_12 import LinearProcess
from mfverify.papers.mean_field_sampling.theorem_e_3 import TwoSizes, exact_table
from mfverify.papers.mean_field_sampling.total_variation_tail import TV_QUANTILE_TAIL, TV_TAIL
from mfverify.papers.mean_field_sampling.uniform_rate import Rate
from mfverify.papers.ours import symbols as ours
from mfverify.theory import symbols
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.cases.populations import SampledPopulation
from mfverify.theory.claim import NotApplicable, Sides, Verdict, judge
from mfverify.theory.evaluate import enclose
from mfverify.theory.symbols import values_of
from tests.checker.own_claims import own_claim
from tests.checker.test_tampering import BUNDLED, put, sealed

Document = dict[str, Any]
STATED = ("version", "claim", "agents", "subsample", "parameters", "state", "actual", "bound", "margin", "cost")
"""The parts of a certificate that are no proof; of the model the label and the discount are forged as well."""
SAME_PROOF = {"T1b": "T1", "T1c": "T1", "T2b": "T2", "T2c": "T2"}
"""Claims whose certificates take seconds, and the claim with the same readers whose certificates do not."""
EVERY = [pytest.param(claim, marks=pytest.mark.slow) if claim in SAME_PROOF else claim for claim in checker.CLAIMS]


@cache
def sound(claim: str) -> Document:
    """The bundled certificate of a claim that takes the fewest steps; for T3, where they are long, and for a claim of one's own a small one."""
    if claim == "own":
        return certify(own_claim(), Subsampled(models.splitting(), 2, 2)).document
    if claim == "T3":
        return certify("T3", Rate(models.splitting(), 2, 2, Fraction("1/100"))).document
    found = [json.loads(path.read_text(encoding="utf-8")) for path in BUNDLED]
    of_claim: list[Document] = [document for document in found if document["claim"] == claim]
    return min(of_claim, key=lambda document: int(document["cost"]["steps"]))


def at(document: Document, path: tuple[str, ...]) -> Any:
    """What stands there."""
    inner: Any = document
    for step in path:
        inner = inner[step]
    return inner


def places(document: Document) -> list[tuple[str, ...]]:
    """Where a statement can be changed: every stated part, and every entry of one."""
    tops = [(key,) for key in (*STATED, "model") if key in document]
    inner = [(key, name) for (key,) in tops if key != "model" and isinstance(document[key], dict) for name in document[key]]
    model = document["model"] if isinstance(document.get("model"), dict) else {}
    return tops + inner + [("model", name) for name in ("name", "discount") if name in model]


def tables(document: Document) -> list[tuple[str, ...]]:
    """The objects of a certificate, from which an entry can be taken and to which one can be added."""
    found = [path for path in [(), *places(document)] if isinstance(at(document, path), dict)]
    proof = document.get("proof")
    of_proof = [("proof",), *(("proof", key) for key, part in proof.items() if isinstance(part, dict))] if isinstance(proof, dict) else []
    return found + of_proof


ODD = st.one_of(
    st.sampled_from([None, True, False, [], {}, [1], {"C": "1"}, 1.5, float("nan"), float("inf"), 10**30, -(10**30), 10**4000]),
    st.sampled_from(
        ["", " 1", "0", "-0", "0/7", "-1", "-1/1000000", "1/0", "1e9", "nan", "NaN", "inf", "0x1", "9" * 300, "1/" + "9" * 300]
    ),
    st.sampled_from(["stay", "rotate", "merge", "uniform", "lazy", "random-3", "random--1", "1+0", "0+1", "2+0", "1+1", "3+1+0", "1+1+0"]),
    st.sampled_from(list(checker.CLAIMS)),
    st.integers(-3, 20),
    st.fractions(-3, 3, max_denominator=50).map(str),
)
NAMES = st.sampled_from(
    ["C", "types", "transitions", "mixture", "other", "kernel", "sample", "population", "samples", "seed", "steps", "note", ""]
)


@st.composite
def forged(draw: st.DrawFn, claim: str) -> Document:
    """A certificate with one to three entries changed, added or taken away."""
    document = copy.deepcopy(sound(claim))
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["changed", "changed", "changed", "added", "missing"]))
        if kind == "changed":
            document = put(document, draw(st.sampled_from(places(document))), copy.deepcopy(draw(ODD)))
        else:
            table = at(document, draw(st.sampled_from(tables(document))))
            if kind == "added":
                table[draw(NAMES)] = copy.deepcopy(draw(ODD))
            elif table:
                del table[draw(st.sampled_from(sorted(table)))]
    return document


def is_true(claim: str, document: Document, reasons: list[str]) -> bool:
    """Whether what the checker prints is true, by the solvers: the instance, that it is violated, and both numbers."""
    if document["claim"].startswith("own:"):
        return own_is_true(document, reasons)
    printed = re.fullmatch(r"(\w+)(?: with C = (\S+))? is violated: left side >= (\S+), right side <= (\S+)", reasons[0])
    assert printed is not None, reasons
    assert printed[1] == document["claim"] == claim
    assert printed[2] == document["parameters"].get("C")
    sizes = {"n": document["agents"], "k": document["subsample"], **document["parameters"]}
    assert reasons[1] == "this is at " + ", ".join(f"{key} = {value}" for key, value in sizes.items() if value is not None)
    plain = document if document["model"] is None else document | {"model": document["model"] | {"name": "forged"}}
    instance = Certificate(plain).instance
    return both_sides(claim, instance, Fraction(printed[3]), Fraction(printed[4]))


def own_is_true(document: Document, reasons: list[str]) -> bool:
    """The same for the certificate of a claim that is not in the catalogue: some gap is as large, and the printed expression is as small."""
    label, lower, upper, trusted = re.fullmatch(  # type: ignore[union-attr]
        r"(own:[\w.-]+) is violated: left side >= (\S+), right side <= ([^\s,]+)(, taken on trust)?", reasons[0]
    ).groups()
    model, n, k, stated = model_from_document(document["model"] | {"name": "forged"}), document["agents"], document["subsample"], document["parameters"]
    sizes = {"n": n, "k": k, **{key: value for key, value in stated.items() if value is not None}}
    assert (label, reasons[1]) == (document["claim"], "this is at " + ", ".join(f"{key} = {value}" for key, value in sizes.items()))
    gap = mfv.optimal_value(model, n) - mfv.execution_value(model, n, mfv.learn(model, k))
    if stated["bound"] is None:
        assert trusted and any("taken on trust" in reason for reason in reasons[2:])
        return gap.max().upper >= Fraction(lower)
    own = {name: sp.Symbol(name) for name in stated if name != "bound"}
    known = {entry.symbol.name: entry.symbol for entry in symbols.MODEL_CLASS}
    right = enclose(sp.sympify(stated["bound"], locals=known | own), values_of(model, n, k) | {own[x]: Fraction(stated[x]) for x in own})
    return trusted is None and gap.max().upper >= Fraction(lower) and right.lower <= Fraction(upper)


def both_sides(claim: str, instance: Case, left: Fraction, right: Fraction) -> bool:
    """Whether the claim is violated there, its left side no less and its right side no more than stated."""
    outcome = CATALOGUE[claim].sides(instance)
    if judge(outcome) is not Verdict.VIOLATED or not isinstance(outcome, Sides):
        return False
    if claim in ("C2", "C3"):
        assert isinstance(instance, SampledPopulation)
        population, k = instance.population, instance.subsample
        bound = TV_TAIL if claim == "C2" else TV_QUANTILE_TAIL
        sizes: dict[Any, Any] = {ours.n: sum(population), ours.k: k, ours.Z: len(population)}
        pairs = [(p, bound.enclose(sizes | {ours.epsilon: d}).lower) for d, p in tail(population, k, counts.total_variation)]
        return any(p >= left and b <= right for p, b in pairs)
    if claim == "S2":
        assert isinstance(instance, Switched)
        at = [Switched(instance.states, instance.actions, k, k) for k in range(instance.first_k, instance.last_k + 1)]
        found = [sides for sides in map(CATALOGUE["S2"].sides, at) if isinstance(sides, Sides)]
        return any(one.left.lower >= left and one.right.upper <= right for one in found)
    if claim == "C3b":
        assert isinstance(instance, OneDirection)
        assert instance.direction is Direction.TO_TV, "the other direction holds"
        laws = [x for x, _ in counts.subsample_law(instance.population, instance.subsample)]
        shares = [[Fraction(y, instance.subsample) - Fraction(z, instance.agents) for y, z in zip(x, instance.population, strict=True)] for x in laws]
        return any(sum(map(abs, row)) / 2 >= left and max(map(abs, row)) / 2 <= right for row in shares)
    if claim == "L2":
        assert isinstance(instance, TwoSizes)
        first, second = exact_table(instance.model, instance.subsample), exact_table(instance.model, instance.other)
        slope = 2 * instance.model.rt_l / (1 - instance.model.discount)
        return any(
            abs(q - p) >= left and slope * counts.total_variation(d, e) <= right
            for key in first
            for d, q in first[key].items()
            for e, p in second[key].items()
        )
    return left <= outcome.left.upper and outcome.right.lower <= right


# ------------------------------------------------------------------------------------------------------------- any forgery


@pytest.mark.parametrize("claim", EVERY)
def test_the_sound_ones_are_accepted_and_true_as_printed(claim: str) -> None:
    document = sound(claim)
    answer = checker.check(sealed(document))
    assert answer.accepted, answer.reasons
    assert is_true(document["claim"], document, answer.reasons)
    wrong = [*answer.reasons]
    wrong[0] = re.sub(r"(left side >= )\S+,", r"\g<1>1000000,", wrong[0])
    assert not is_true(document["claim"], document, wrong), "the test of truth cannot fail"


@pytest.mark.parametrize("claim", EVERY)
def test_a_forged_statement_is_refused_or_true_as_printed(claim: str) -> None:

    @settings(max_examples=8 if claim in SAME_PROOF else 60)
    @given(forged(claim))
    def property_(document: Document) -> None:
        answer = checker.check(sealed(document))
        if answer.accepted:
            assert is_true(document["claim"], document, answer.reasons), (document, answer.reasons)
        else:
            assert len(answer.reasons) == 1 and 0 < len(answer.reasons[0]) < 400 and "\n" not in answer.reasons[0]

    property_()


# ---------------------------------------------------------------------------------------------------------- known forgeries


def refused(document: Document, words: str) -> None:
    answer = checker.check(sealed(document))
    assert not answer.accepted, answer
    assert words in answer.reasons[0]


@pytest.mark.parametrize("claim", EVERY)
def test_nothing_is_in_a_certificate_that_the_checker_does_not_read(claim: str) -> None:
    """An entry more or less in any object is refused, however deep; the name of the model alone may be missing."""
    document = sound(claim)
    paths: list[tuple[Any, ...]] = []

    def collect(part: Any, path: tuple[Any, ...]) -> None:
        if isinstance(part, dict):
            paths.append(path)
        for step, inner in part.items() if isinstance(part, dict) else enumerate(part[:1]) if isinstance(part, list) else ():
            collect(inner, (*path, step))

    collect({key: part for key, part in document.items() if key != "digest"}, ())
    assert len(paths) >= 6
    for path in paths:
        refused(put(document, (*path, "note"), "unread") if path else document | {"note": "unread"}, "")
        for name in at(document, path):
            if (*path, name) not in [("model", "name"), ("digest",)]:
                less = copy.deepcopy(document)
                del at(less, path)[name]
                refused(less, "")


ZERO = {
    "discount": "1/2",
    "global_kernel": [[["1"]]],
    "local_kernel": [[[["1"]]]],
    "global_reward": [["0"]],
    "local_reward": [[["0"]]],
}


@pytest.mark.parametrize("constant", ["-1", "0", "-0", "0/3", "0.0", "-1/1000"])
def test_a_constant_that_is_not_positive_is_no_constant(constant: str) -> None:
    """With a negative constant any model violates T3: one state, one action and no reward would do."""
    policy = {"values": [["0"]], "radius": "0", "policy": [[[0, [0]]]]}
    start = {"global": 0, "counts": [1]}
    document = sound("T3") | {
        "model": ZERO,
        "agents": 1,
        "subsample": 1,
        "parameters": {"C": constant},
        "state": start,
        "actual": {"lower": "0"},
        "bound": {"upper": "-9/10"},
        "margin": "9/10",
        "proof": {"subsampled": policy, "executed": [["0"]], "witness": [start | {"global_action": 0, "local_actions": [1], "value": "0"}]},
    }
    refused(document, "C: T3 speaks of a constant C > 0")
    refused(document | {"parameters": {"C": "1/1000"}}, "the left side is only certain to be at least 0")
    outcome = CATALOGUE["T3"].sides(Rate(models.splitting(), 2, 2, Fraction(constant)))
    assert isinstance(outcome, NotApplicable)
    assert outcome.reason == f"the claim speaks of a constant C > 0, and C is {Fraction(constant)} here"
    with pytest.raises(ModelError, match="the verdict is not-applicable, and only a violation can be certified"):
        certify("T3", Rate(models.splitting(), 2, 2, Fraction(constant)))


def test_the_answer_says_which_constant_is_refuted_and_that_larger_ones_are_not() -> None:
    answer = checker.check(sealed(sound("T3")))
    assert answer.reasons[0].startswith("T3 with C = 1/100 is violated: ")
    assert "no smaller constant does for this model either; of larger ones this says nothing" in answer.reasons
    smaller = sound("T3") | {"parameters": {"C": "1/1000000"}}
    assert checker.check(sealed(smaller)).reasons[0].startswith("T3 with C = 1/1000000 is violated: ")
    refused(sound("T3") | {"parameters": {"C": "100"}}, "the left side is only certain")


@pytest.mark.parametrize(
    ("claim", "path", "to", "words"),
    [
        ("M1", ("parameters", "first"), "1+0/0", "first, second: expected tables of one shape"),
        ("M1", ("parameters", "first"), "one", 'first, second: expected a table written as "1+0/0+1"'),
        ("M1", ("agents",), 2, "model, state, agents, subsample: M1 speaks of none"),
        ("C3b", ("parameters", "direction"), "both", "direction: expected maximum to TV or TV to maximum"),
        ("C3b", ("parameters", "direction"), "TV to maximum", "the left side is only certain to be at least 0.25"),
        ("C3b", ("proof", "sample"), [2, -1], "sample: expected an integer"),
        ("C3b", ("parameters", "population"), "2+0", "sample: it does not fit into the population"),
        ("X1s", ("parameters", "C"), "-1", "C, error: X1s speaks of positive constants"),
        ("X1s", ("parameters", "C"), "100000", "the number of samples is not certain, or more than 20000"),
        ("X1s", ("subsample",), 1, "subsample: expected an integer in 2.."),
        ("H1", ("parameters", "discount"), "1", "discount: expected a number strictly between 0 and 1"),
        ("H1", ("parameters", "steps"), 3, "steps: expected an integer in 1..2"),
        ("H1", ("parameters", "steps"), 1, "the left side is only certain"),
        ("H1", ("proof", "first"), [1, 0, 0], "first: expected 4 counts with the sum 1"),
        ("S2", ("proof", "k"), 4, "k: expected an integer in 3..3"),
        ("S2", ("parameters", "first k"), 4, "first k: expected an integer in 1..3"),
        ("N1c", ("parameters", "reward"), "100", "model: it is not the lottery with this reward"),
        ("N1c", ("subsample",), 2, "the left side is only certain"),
        ("N1c", ("state",), {"global": 0, "counts": [1]}, "agents, state: N1c speaks of none"),
        ("B4b", ("parameters", "samples"), 0, "samples: expected an integer in 1..50"),
        ("B4b", ("proof", "values"), [["1"] * 3] * 2, "the left side is only certain"),
        ("B4b", ("state", "counts"), [0, 1, 0], "the left side is only certain"),
        ("A2", ("parameters", "global policy"), "none", "global policy: expected global state or all states"),
        ("A2", ("parameters", "global policy"), "global state", "the left side is only certain"),
        ("A2", ("proof", "first", "policy"), [[0]], "first: expected an action for each global and local state"),
        ("A2", ("proof", "first", "policy"), [[0, 0], [0, 0]], "first: expected an action for each global and local state"),
        ("A2", ("proof", "first", "policy"), [[0, 2]], "first: expected an integer in 0..1"),
        ("A2", ("proof", "second"), {"policy": [[0, 0]], "values": [["0", "1"]]}, "the left side is only certain to be at least 0"),
        ("A2", ("state", "locals"), [0, 0], "state: expected a global state and the local state of each agent"),
        ("A2", ("state", "global"), True, "state: expected an integer"),
        ("own", ("claim",), "own:a claim", "claim: this checker knows"),
        ("own", ("parameters",), {"w": "1"}, "parameters: expected the entries (bound) and no others"),
        ("own", ("parameters", "w"), 1, "w: expected a rational number"),
        ("own", ("parameters", "v"), "1", "'v': is not a symbol of the bound beside those of the model"),
        ("own", ("parameters", "k"), "1", "'k': is not a symbol of the bound beside those of the model"),
        ("own", ("parameters", "sqrt"), "1", "'sqrt': is not a symbol of the bound beside those of the model"),
        ("own", ("parameters", "a\nb"), "1", "'a\\nb': is not a symbol of the bound beside those of the model"),
        ("own", ("parameters", "bound"), "w*(k", "a right side is no expression in the notation of Python"),
        ("own", ("parameters", "bound"), "x/100", "'w': is not a symbol of the bound"),
        ("own", ("parameters", "bound"), "w*x", "x: is no symbol of this right side"),
        ("own", ("parameters", "bound"), "w", "the left side is only certain"),
        ("C7", ("parameters", "kernel"), "stay", "kernel: the rows in the certificate are not those of the named kernel"),
        ("C7", ("parameters", "kernel"), "random-5", "kernel: the rows in the certificate are not those of the named kernel"),
        ("C7", ("parameters", "kernel"), "certainly", "kernel: expected stay, rotate, merge, uniform, lazy or random-SEED"),
        ("C7", ("parameters", "kernel"), None, "kernel: is missing or not of the type str"),
        ("C7b", ("parameters", "kernel"), "rotate", "kernel: the rows in the certificate are not those of the named kernel"),
        ("C7b", ("parameters", "sample"), "1+0", "sample: C7b takes a sample drawn uniformly"),
        ("C7", ("parameters", "sample"), "uniform", "sample: expected counts"),
        ("C3", ("parameters", "population"), "2+1", "population: expected"),
        ("C3", ("model",), ZERO, "model, state: C3 speaks of none"),
        ("C2", ("state",), {"global": 0, "counts": [1]}, "model, state: C2 speaks of none"),
        ("L2", ("agents",), 5, "agents: L2 speaks of no larger system"),
        ("L2", ("parameters", "other"), True, "subsample, other: expected an integer"),
        ("L2", ("state",), {"global": 1, "counts": [1, 0]}, "state: expected the entries (global) and no others"),
        ("P3", ("parameters",), {"C": "1"}, "parameters: expected the entries () and no others"),
        ("T1", ("parameters",), {"samples": 4}, "parameters: expected the entries () and no others"),
        ("T2", ("parameters",), {"samples": 4}, "parameters: expected the entries () and no others"),
        ("T3", ("parameters",), {}, "parameters: expected the entries (C) and no others"),
        ("T3", ("parameters", "C"), 1, "C: expected a rational number"),
        ("X3b", ("parameters", "transitions"), False, "(transitions: 0)"),
        ("X3b", ("parameters", "mixture"), 4, "parameters: expected the entries (transitions) and no others"),
        ("S4b", ("parameters", "types"), True, "types: expected an integer in 2.."),
        ("P3", ("model", "name"), 3, "name: is missing or not of the type str"),
        ("P3", ("version",), True, "version: this checker knows version 1"),
        ("P3", ("cost",), {"steps": "few"}, "cost: expected an integer"),
        ("P3", ("cost",), {}, "cost: expected the entries (steps) and no others"),
    ],
)  # fmt: skip
def test_parameters_that_are_refused_by_name(claim: str, path: tuple[str, ...], to: Any, words: str) -> None:
    refused(put(sound(claim), path, to), words)


@pytest.mark.parametrize("claim", ["X3", "X3b"])
def test_a_sample_that_may_cost_nothing_is_outside_of_what_decays(claim: str) -> None:
    """X3 and X3b speak of samples that certainly cost something; without that, half of nothing would be violated by any gap."""
    assert isinstance(CATALOGUE[claim].sides(LinearProcess(model_from_document(ZERO), 4, 1, None, 0)), NotApplicable)
    vague = copy.deepcopy(sound(claim))
    vague["proof"]["reference"]["optimum"] = [["-9" for _ in row] for row in vague["proof"]["reference"]["optimum"]]
    refused(vague, f"{claim} speaks of samples that certainly cost something, and this one may not")


def test_which_process_a_model_comes_from_is_not_in_its_certificate() -> None:
    """The certificate writes the model out; that it is the reduction of some process is not checked, so it is not stated."""
    certificate = Certificate(sound("X3b"))
    plain = certificate.instance
    assert isinstance(plain, LinearProcess)
    named = replace(plain, mixture=3)
    document = _document("X3b", named, Interval.exactly(1), Interval.exactly(0))
    assert document["parameters"] == {"transitions": 0}
