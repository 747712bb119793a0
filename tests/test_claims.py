"""Claims, instances and verdicts: the rules that every claim shares, and what every claim of the catalogue has to bring along."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from latex2mathml.converter import convert

from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.models import absorbing, coordination
from mfverify.papers import CATALOGUE
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.cases.populations import SampledPopulation
from mfverify.theory.catalogue import Catalogue
from mfverify.theory.claim import (
    Claim,
    Control,
    NotApplicable,
    Outcome,
    Profile,
    Sides,
    Status,
    Unresolved,
    Verdict,
    finding,
    judge,
    status,
    tightest,
)

EVERY_CLAIM = pytest.mark.parametrize("claim", list(CATALOGUE), ids=[claim.id for claim in CATALOGUE])


def between(lower: int | str, upper: int | str) -> Interval:
    """The interval with these rational ends."""
    return Interval(Fraction(lower), Fraction(upper))


# ------------------------------------------------------------------------------------------------------------------ verdicts


@pytest.mark.parametrize(
    ("left", "right", "trivial", "verdict"),
    [
        ((1, 2), (3, 4), None, Verdict.HOLDS),
        ((1, 2), (2, 4), None, Verdict.HOLDS),  # upper end of the left side = lower end of the right side
        ((2, 2), (2, 2), None, Verdict.HOLDS),
        ((3, 4), (1, 2), None, Verdict.VIOLATED),
        ((2, 4), (1, 2), None, Verdict.UNDECIDED),  # touching ends: both sides may be 2
        ((1, 3), (2, 4), None, Verdict.UNDECIDED),
        ((2, 4), (1, 3), None, Verdict.UNDECIDED),
        ((1, 4), (2, 3), None, Verdict.UNDECIDED),
        ((1, 2), (3, 4), (5, 5), Verdict.HOLDS),
        ((1, 2), (3, 4), (3, 3), Verdict.VACUOUS),  # no better than trivial
        ((1, 2), (3, 4), (2, 3), Verdict.VACUOUS),
        ((1, 2), (3, 5), (4, 4), Verdict.HOLDS),  # perhaps better than trivial: not certainly vacuous
        ((4, 4), (3, 3), (2, 2), Verdict.VIOLATED),  # a violated bound is violated for any trivial bound
        ((1, 3), (2, 4), (1, 1), Verdict.UNDECIDED),
    ],
)
def test_verdict_of_two_sides(left: tuple[int, int], right: tuple[int, int], trivial: tuple[int, int] | None, verdict: Verdict) -> None:
    sides = Sides(between(*left), between(*right), between(*trivial) if trivial else None)
    assert judge(sides) is verdict


def test_verdict_without_sides() -> None:
    assert judge(NotApplicable("an assumption fails")) is Verdict.NOT_APPLICABLE
    assert judge(Unresolved("the budget ran out")) is Verdict.UNDECIDED


def test_no_picked_tolerance_in_a_verdict() -> None:
    one, tiny = Fraction(1), Fraction(1, 10**400)
    assert judge(Sides(Interval.exactly(one + tiny), Interval.exactly(one))) is Verdict.VIOLATED
    assert judge(Sides(Interval.exactly(one), Interval.exactly(one))) is Verdict.HOLDS
    assert judge(Sides(Interval.exactly(one - tiny), Interval.exactly(one))) is Verdict.HOLDS


numbers = st.fractions(min_value=-3, max_value=3, max_denominator=4)
intervals = st.tuples(numbers, numbers).map(sorted).map(lambda ends: Interval(*ends))


@given(intervals, intervals)
def test_a_verdict_is_true_of_every_pair_of_numbers_in_the_intervals(left: Interval, right: Interval) -> None:
    inside = [[side.lower, side.midpoint, side.upper] for side in (left, right)]
    answers = {x <= y for x, y in product(*inside)}
    expected = {frozenset({True}): Verdict.HOLDS, frozenset({False}): Verdict.VIOLATED, frozenset({True, False}): Verdict.UNDECIDED}
    assert judge(Sides(left, right)) is expected[frozenset(answers)]


HOLDS, VIOLATED, VACUOUS, ELSEWHERE, OPEN_END = Verdict.HOLDS, Verdict.VIOLATED, Verdict.VACUOUS, Verdict.NOT_APPLICABLE, Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([HOLDS], Status.CORROBORATED),
        ([HOLDS, VACUOUS, ELSEWHERE, OPEN_END], Status.CORROBORATED),
        ([VIOLATED], Status.REFUTED),
        ([HOLDS, HOLDS, VIOLATED, VACUOUS, ELSEWHERE, OPEN_END], Status.REFUTED),
        ([VACUOUS], Status.VACUOUS),
        ([VACUOUS, VACUOUS, ELSEWHERE], Status.VACUOUS),
        ([VACUOUS, OPEN_END], Status.UNDECIDED),
        ([OPEN_END], Status.UNDECIDED),
        ([ELSEWHERE, ELSEWHERE], Status.UNDECIDED),  # nothing was checked
        ([], Status.UNDECIDED),
    ],
)
def test_status_of_a_claim(verdicts: list[Verdict], expected: Status) -> None:
    assert status(verdicts) is expected
    assert status(verdicts[::-1]) is expected


def test_a_finding_keeps_the_sides_and_the_reasons() -> None:
    instance = Subsampled(absorbing(), 2, 1)
    shown = finding(own_claim(lambda _: Sides(between(1, 2), between(3, 4), between(9, 9), {"worst": "here"})), instance)
    assert (shown.claim, shown.instance, shown.verdict) == ("own", instance, Verdict.HOLDS)
    assert shown.left is not None and (shown.left.lower, shown.left.upper) == (1, 2)
    assert shown.right is not None and (shown.right.lower, shown.right.upper) == (3, 4)
    assert shown.trivial is not None and shown.trivial.lower == 9
    assert shown.details == {"worst": "here"}

    refused = finding(own_claim(lambda _: NotApplicable("no noise", {"gap": "0"})), instance)
    assert (refused.verdict, refused.reason, refused.left, refused.right, refused.details) == (
        Verdict.NOT_APPLICABLE,
        "no noise",
        None,
        None,
        {"gap": "0"},
    )

    open_question = finding(own_claim(lambda _: Unresolved("too large")), instance)
    assert (open_question.verdict, open_question.reason, open_question.left) == (Verdict.UNDECIDED, "too large", None)


# ------------------------------------------------------------------------------------------------------- the tightest inequality


VIOLATED_BY_ONE = Sides(Interval.exactly(3), Interval.exactly(2))
VIOLATED_BY_TWO = Sides(Interval.exactly(4), Interval.exactly(2))
OPEN = Sides(between(1, 3), Interval.exactly(2))
LOOSE = Sides(Interval.exactly(1), Interval.exactly(4))
TIGHT = Sides(Interval.exactly(2), Interval.exactly(3))
VACUOUS_AND_TIGHT = Sides(Interval.exactly(9), Interval.exactly(10), Interval.exactly(10))


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ([LOOSE, VIOLATED_BY_ONE, OPEN, VIOLATED_BY_TWO], VIOLATED_BY_TWO),
        ([LOOSE, OPEN, TIGHT], OPEN),
        ([LOOSE, TIGHT, VACUOUS_AND_TIGHT], TIGHT),
        ([VACUOUS_AND_TIGHT, LOOSE], LOOSE),
        ([VACUOUS_AND_TIGHT], VACUOUS_AND_TIGHT),
    ],
    ids=["largest excess", "undecided before holds", "largest ratio", "holds before vacuous", "only one"],
)
def test_the_tightest_inequality(candidates: list[Sides], expected: Sides) -> None:
    assert tightest(candidates) is expected
    assert tightest(candidates[::-1]) is expected


SIGN = Sides(Interval.exactly(-1), Interval.exactly(0))
WRONG_SIGN = Sides(Interval.exactly(1), Interval.exactly(0))
OPEN_SIGN = Sides(between(-1, 1), Interval.exactly(0))


@pytest.mark.parametrize(
    ("candidate", "companion", "expected"),
    [
        (VACUOUS_AND_TIGHT, SIGN, VACUOUS_AND_TIGHT),  # a sign that holds does not make a vacuous bound telling
        (TIGHT, SIGN, TIGHT),
        (VACUOUS_AND_TIGHT, WRONG_SIGN, WRONG_SIGN),
        (TIGHT, WRONG_SIGN, WRONG_SIGN),
        (TIGHT, OPEN_SIGN, OPEN_SIGN),
        (VACUOUS_AND_TIGHT, OPEN_SIGN, OPEN_SIGN),
        (OPEN, SIGN, OPEN),
        (VIOLATED_BY_ONE, OPEN_SIGN, VIOLATED_BY_ONE),
    ],
)
def test_a_companion_can_fail_an_instance_and_not_save_it(candidate: Sides, companion: Sides, expected: Sides) -> None:
    assert tightest([candidate], [companion]) is expected


def test_nothing_is_tightest_among_nothing() -> None:
    for companions in ([], [TIGHT]):
        with pytest.raises(ModelError, match="without any inequality"):
            tightest([], companions)


def test_a_right_side_of_zero_breaks_no_ratio() -> None:
    zero = Sides(Interval.exactly(0), Interval.exactly(0))
    assert tightest([zero, Sides(Interval.exactly(-1), Interval.exactly(0))]) is zero


# ----------------------------------------------------------------------------------------------------------------- instances


@dataclass(frozen=True)
class Full(Subsampled):
    """A case of every kind of argument."""

    seed: int
    other: tuple[int, ...]


@dataclass(frozen=True)
class Plain(Case):
    """The same without a model."""

    agents: int
    subsample: int
    seed: int
    other: tuple[int, ...]


@dataclass(frozen=True)
class Grained(Subsampled):
    """The same with another name of the seed."""

    grain: int
    other: tuple[int, ...]


@dataclass(frozen=True)
class Numbered(Subsampled):
    """One of several."""

    number: int


FULL = Full(coordination(), 4, 2, 1, (3, 1))
CHANGED = {
    "model": replace(FULL, model=absorbing()),
    "discount": replace(FULL, model=coordination(discount="1/3")),
    "no model": Plain(4, 2, 1, (3, 1)),
    "agents": replace(FULL, agents=5),
    "no agents": replace(FULL, agents=None),
    "subsample": replace(FULL, subsample=3),
    "no subsample": replace(FULL, subsample=None),
    "agents and subsample swapped": replace(FULL, agents=2, subsample=4),
    "a parameter": replace(FULL, seed=2),
    "the type of a parameter": replace(FULL, seed="1"),
    "the name of a parameter": Grained(coordination(), 4, 2, 1, (3, 1)),
    "a parameter less": replace(FULL, other=None),
    "no parameters": Subsampled(coordination(), 4, 2),
}


@pytest.mark.parametrize("change", CHANGED)
def test_the_key_changes_with_every_field(change: str) -> None:
    assert CHANGED[change].key("T1", "code") != FULL.key("T1", "code")


def test_the_key_changes_with_the_claim_and_the_code() -> None:
    keys = {FULL.key(claim, code) for claim in ("T1", "T1b") for code in ("old", "new")}
    assert len(keys) == 4
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)


def test_the_key_does_not_depend_on_names_or_on_how_the_numbers_were_written() -> None:
    model = coordination()
    assert replace(FULL, model=replace(model, name="other", documentation="text")).key("T1", "code") == FULL.key("T1", "code")
    same = replace(model, discount="0.5")
    assert replace(FULL, model=same).key("T1", "code") == FULL.key("T1", "code")


def test_labels_and_parameters() -> None:
    assert FULL.label == "coordination n=4 k=2 seed=1 other=3+1"
    assert SampledPopulation((2, 1), 3).label == "n=3 k=3 population=2+1"
    assert FULL.written.parameters == {"seed": 1, "other": "3+1"}
    assert replace(FULL, other=None).label == "coordination n=4 k=2 seed=1", "what is None is left out"


def test_an_instance_survives_the_way_to_a_worker() -> None:
    again = pickle.loads(pickle.dumps(FULL))
    assert again == FULL
    assert again.key("T1", "code") == FULL.key("T1", "code")


# ----------------------------------------------------------------------------------------------------------- the catalogue record


def own_claim(sides: object, claim_id: str = "own", registered: Status = Status.CORROBORATED, count: int = 1) -> Claim:
    """A claim with these sides on ``count`` instances."""

    def instances(_profile: Profile, _given: Sequence[object] | None) -> list[Case]:
        return [Numbered(absorbing(), 2, 1, i) for i in range(count)]

    def sabotaged(_: Case) -> Outcome:
        return VIOLATED_BY_ONE

    control = Control("the right side is smaller", sabotaged, lambda: instances(Profile.QUICK, None))
    return Claim(claim_id, "title", "$1 \\le 2$", "source", "reading", ("none",), registered, sides, instances, control)  # type: ignore[arg-type]


def test_a_catalogue_keeps_the_order_and_refuses_a_second_claim_of_the_same_id() -> None:
    catalogue = Catalogue()
    first, second = own_claim(lambda _: LOOSE, "Z"), own_claim(lambda _: LOOSE, "A")
    assert catalogue.register(first) is first
    catalogue.register(second)
    with pytest.raises(ModelError, match="claim Z: is registered already"):
        catalogue.register(own_claim(lambda _: TIGHT, "Z"))
    assert [claim.id for claim in catalogue] == ["Z", "A"]
    assert len(catalogue) == 2
    assert catalogue["Z"] is first


def test_an_unknown_claim_is_refused_with_the_ids_that_there_are() -> None:
    with pytest.raises(ModelError, match=r"claim 'T9': is not in the catalogue; the ids are .*T1") as refusal:
        CATALOGUE["T9"]
    assert all(claim.id in str(refusal.value) for claim in CATALOGUE)


# ------------------------------------------------------------------------------------------------------ every claim of the catalogue


def test_the_catalogue_is_not_empty() -> None:
    assert {"B1", "C1", "C2", "L1", "L2", "P1", "T1", "T1b"} <= {claim.id for claim in CATALOGUE}


@EVERY_CLAIM
def test_a_claim_says_what_it_states_where_it_stands_and_how_it_is_read(claim: Claim) -> None:
    for text in (
        claim.id,
        claim.title,
        claim.statement,
        claim.source,
        claim.reading,
        claim.left_means,
        claim.right_means,
        claim.control.sabotage,
    ):
        assert text.strip() == text != ""
    assert claim.assumptions
    assert all(text.strip() for text in claim.assumptions)
    assert re.fullmatch(r"[A-Z][0-9]+[A-Za-z]?", claim.id)


def mathematics(text: str) -> list[str]:
    """The LaTeX fragments between dollar signs."""
    assert text.count("$") % 2 == 0, f"a dollar sign without its partner: {text}"
    return text.replace("$$", "$").split("$")[1::2]


@EVERY_CLAIM
def test_the_mathematics_of_a_claim_can_be_drawn(claim: Claim) -> None:
    assert mathematics(claim.statement), "a statement without a formula"
    for text in (
        claim.statement,
        claim.title,
        claim.reading,
        claim.left_means,
        claim.right_means,
        claim.control.sabotage,
        *claim.assumptions,
    ):
        for fragment in mathematics(text):
            drawn = convert(fragment)
            assert drawn.startswith("<math")
            # What the converter does not know it leaves behind as text with its backslash.
            assert not re.search(r"\\[A-Za-z]", drawn), fragment


@EVERY_CLAIM
def test_a_claim_rests_on_claims_that_there_are(claim: Claim) -> None:
    assert claim.id not in claim.rests_on
    assert len(set(claim.rests_on)) == len(claim.rests_on)
    for other in claim.rests_on:
        assert CATALOGUE[other].id == other


@EVERY_CLAIM
@pytest.mark.parametrize("profile", list(Profile))
def test_a_claim_has_instances_that_can_be_told_apart(claim: Claim, profile: Profile) -> None:
    instances = list(claim.instances(profile, None))
    assert instances, "a claim without instances checks nothing"
    labels = [instance.label for instance in instances]
    assert len(set(labels)) == len(labels)
    keys = {instance.key(claim.id, "code") for instance in instances}
    assert len(keys) == len(instances)
    names = {model.name: model.fingerprint for model in (instance.written.model for instance in instances) if model}
    assert len(set(names.values())) == len(names), "one model under two names"


@EVERY_CLAIM
def test_the_instances_of_a_claim_survive_the_way_to_a_worker(claim: Claim) -> None:
    for instance in claim.instances(Profile.QUICK, None):
        assert pickle.loads(pickle.dumps(instance)).key(claim.id, "code") == instance.key(claim.id, "code")


@EVERY_CLAIM
def test_a_claim_has_instances_for_its_sabotaged_twin(claim: Claim) -> None:
    assert list(claim.controlled())
    assert {claim.control.sides or claim.sides, claim.control.left, claim.control.right} != {claim.sides, None}


@EVERY_CLAIM
def test_the_instances_of_a_claim_on_given_models_are_about_those_models(claim: Claim) -> None:
    """A claim may look at models that it derives from a given one, and says so in their names, or at no model at all."""
    given_models = [absorbing("1/3")]
    for instance in claim.instances(Profile.QUICK, given_models):
        model = instance.written.model
        assert model is None or model in given_models or model.name.endswith(" of absorbing")


def arrows() -> Iterator[tuple[str, str]]:
    """Pairs (claim, what it rests on)."""
    return ((claim.id, other) for claim in CATALOGUE for other in claim.rests_on)


def test_no_claim_rests_on_itself_through_others() -> None:
    left = set(arrows())
    assert left
    while left:
        grounded = {pair for pair in left if pair[1] not in {claim for claim, _ in left}}
        assert grounded, f"a circle among {sorted(left)}"
        left -= grounded


def test_instances_that_are_all_vacuous_make_a_vacuous_claim() -> None:
    claim = own_claim(lambda _: VACUOUS_AND_TIGHT, count=3)
    assert status([finding(claim, instance).verdict for instance in claim.instances(Profile.QUICK, None)]) is Status.VACUOUS
