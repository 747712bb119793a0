"""What rests on what: which claims lose their support when others are refuted, by hand-made and by sabotaged catalogues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfverify.papers import CATALOGUE
from mfverify.theory.claim import Claim, Status
from mfverify.theory.dependencies import Argument, arguments, arrows, as_text, replaced, unsupported
from mfverify.theory.grounds import SEARCH_ONLY, Grounds, proof, theorem

REGISTERED = {claim.id: claim.registered for claim in CATALOGUE}
REFUTED, STANDS = Status.REFUTED, Status.CORROBORATED


def with_grounds(**changed: Grounds | None) -> list[Claim]:
    """The catalogue, some of its claims with other grounds."""
    return [replace(claim, grounds=changed[claim.id]) if claim.id in changed else claim for claim in CATALOGUE]


def ours(claim_id: str, *more: str) -> Grounds:
    """The grounds of a claim of the catalogue, using more."""
    grounds = CATALOGUE[claim_id].stands_on
    return replace(grounds, uses=(*grounds.uses, *more))


def test_no_claim_of_the_catalogue_is_without_support() -> None:
    assert unsupported(CATALOGUE, REGISTERED) == {}


def test_a_proof_of_ours_keeps_what_the_argument_of_the_paper_loses() -> None:
    assert replaced(CATALOGUE, REGISTERED) == {"L1": ["C7"]}
    assert "C7" in CATALOGUE["L1"].rests_on and "C7" not in CATALOGUE["L1"].stands_on.uses
    for claim_id in ("R6", "R2L", "L1", "R4"):
        assert arguments(CATALOGUE[claim_id])[Argument.GROUNDS], f"{claim_id} is drawn without what its proof uses"


@pytest.mark.parametrize(
    ("sabotaged", "lost"),
    [
        ({"R6": ours("R6", "C7")}, {"R6": ["C7"]}),
        ({"R6": ours("R6", "C7", "L2")}, {"R6": ["C7", "L2"]}),
        ({"R4": ours("R4", "C2")}, {name: ["C2"] for name in ("R4", "R4u", "R4n", "S4r", "X3r", "R6")}),
        (
            {"R4": ours("R4", "C2"), "R6": ours("R6", "L2")},
            {name: ["C2"] for name in ("R4", "R4u", "R4n", "S4r", "X3r")} | {"R6": ["C2", "L2"]},
        ),
        ({"L1": None}, {name: ["C7"] for name in ("L1", "R2L", "R6", "G1", "G2", "A1", "R7", "R7b")}),
        ({"L1": SEARCH_ONLY}, {name: ["C7"] for name in ("L1", "R2L", "R6", "G1", "G2", "A1", "R7", "R7b")}),
        ({"B7": ours("B7", "C7")}, {}),  # the source's argument is whole
    ],
    ids=["R6", "R6 twice", "R4", "R4 and R6", "L1 by the paper alone", "L1 by search", "B7, whose other argument stands"],
)
def test_a_sabotaged_graph_is_reported(sabotaged: Mapping[str, Grounds | None], lost: Mapping[str, Sequence[str]]) -> None:
    assert unsupported(with_grounds(**sabotaged), REGISTERED) == lost


def test_a_refuted_claim_is_not_called_unsupported() -> None:
    statuses = REGISTERED | {"C4": REFUTED}
    assert unsupported(CATALOGUE, statuses) == {name: ["C4"] for name in ("R3m", "R4", "R4u", "R4n", "S4r", "X3r", "R6", "V3", "V3f")}
    assert "R6" not in unsupported(CATALOGUE, statuses | {"R6": REFUTED})


def test_what_is_outside_of_a_run_breaks_nothing() -> None:
    run = [CATALOGUE[name] for name in ("R6", "L1")]
    assert unsupported(run, {claim.id: claim.registered for claim in run}) == {}
    assert arrows(run, Argument.GROUNDS) == [("R6", "L1")]
    assert arrows(run, Argument.SOURCE) == []


def test_the_two_kinds_of_arrows() -> None:
    assert ("L1", "C7") in arrows(CATALOGUE, Argument.SOURCE)
    assert ("L1", "C7") not in arrows(CATALOGUE, Argument.GROUNDS)
    assert ("R6", "L1") in arrows(CATALOGUE, Argument.GROUNDS)
    assert [a for a, _ in arrows(CATALOGUE, Argument.SOURCE) if a in ("R6", "R4", "R2")] == []


@pytest.mark.parametrize(
    ("rests_on", "grounds", "found"),
    [
        ((), None, {Argument.SOURCE: ()}),
        ((), SEARCH_ONLY, {Argument.SOURCE: ()}),
        (("C1",), SEARCH_ONLY, {Argument.SOURCE: ("C1",)}),
        (("C1",), theorem("Serfling 1974"), {Argument.SOURCE: ("C1",), Argument.GROUNDS: ()}),
        ((), proof("m", "h", ("C1",)), {Argument.GROUNDS: ("C1",)}),  # a claim of ours: there is no source's argument beside it
    ],
)
def test_the_arguments_for_a_claim(rests_on: tuple[str, ...], grounds: Grounds | None, found: Mapping[Argument, tuple[str, ...]]) -> None:
    assert arguments(replace(CATALOGUE["L1"], rests_on=rests_on, grounds=grounds)) == found


def test_the_graph_in_words() -> None:
    lines = as_text(CATALOGUE, REGISTERED).splitlines()
    assert max(map(len, lines)) <= 80
    first = next(i for i, line in enumerate(lines) if line.startswith("L1 "))
    assert [" ".join(line.split()) for line in lines[first : first + 3]] == [
        "L1 corroborated the source uses B3, C7 (refuted)",
        "proof of ours uses B2",
        "keeps its support: proof of ours, without C7",
    ]
    assert "R6    corroborated  proof of ours uses L1, P1, P2, R4" in lines
    sabotaged = " ".join(as_text(with_grounds(R6=ours("R6", "C7")), REGISTERED).split())
    assert "R6 corroborated proof of ours uses L1, P1, P2, R4, C7 (refuted) lost its support: every argument for it uses C7" in sabotaged


NAMES = tuple("ABCDEF")
uses = st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple)


@given(st.lists(st.tuples(uses, st.none() | uses, st.sampled_from([REFUTED, STANDS])), min_size=6, max_size=6))
def test_support_is_lost_exactly_where_every_argument_is_broken(
    drawn: list[tuple[tuple[str, ...], tuple[str, ...] | None, Status]],
) -> None:
    """Arguments may go in circles; a circle alone breaks nothing."""
    claims = [
        replace(CATALOGUE["B1"], id=name, rests_on=source, grounds=None if own is None else proof("m", "h", own))
        for name, (source, own, _) in zip(NAMES, drawn, strict=True)
    ]
    statuses = dict(zip(NAMES, (found for *_, found in drawn), strict=True))
    lost = unsupported(claims, statuses)
    bad = {name for name, found in statuses.items() if found is REFUTED} | set(lost)
    for claim in claims:
        broken = all(set(used) & bad for used in arguments(claim).values())
        assert (claim.id in lost) == (broken and statuses[claim.id] is not REFUTED)
        assert all(statuses[cause] is REFUTED for cause in lost.get(claim.id, []))
        assert claim.id not in lost or lost[claim.id]
    if REFUTED not in statuses.values():
        assert lost == {}
