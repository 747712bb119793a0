"""What the first screen says: for each main theorem of a paper, whether it holds in this run, why not, and what holds in its place.

Which theorems are main is what the papers declare; everything else is read off the findings of the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from mfverify.rationals import from_text
from mfverify.report.digits import listed
from mfverify.report.document import CertificateRecord, ClaimRecord, Document, PaperRecord
from mfverify.report.summary import clearest_violation, counted
from mfverify.theory.claim import Status, Verdict
from mfverify.theory.grounds import Ground


@dataclass(frozen=True)
class Counterexample:
    """A violated instance in words: where, and a number below the left side and one above the right side.

    ``certificate`` is the one that shows it, None for a violation that only this run has certified.
    """

    where: str
    left: str
    right: str
    certificate: CertificateRecord | None


@dataclass(frozen=True)
class Answer:
    """What the run says of one main theorem: of its first reading that was checked, of the others, and of what repairs it."""

    claim: ClaimRecord
    says: str
    counterexample: Counterexample | None
    others: tuple[ClaimRecord, ...]
    repairs: tuple[ClaimRecord, ...]


@dataclass(frozen=True)
class PaperAnswers:
    """The main theorems of a paper: those that were checked, and the ids of those that were not."""

    paper: PaperRecord
    answers: tuple[Answer, ...]
    unchecked: tuple[str, ...]


def answers(run: Document) -> list[PaperAnswers]:
    """The papers of the run that declare main theorems, in their order."""
    return [_of_paper(paper, run) for paper in run.papers if paper.main]


def lead(found: Sequence[PaperAnswers]) -> str:
    """The one sentence that answers first."""
    checked = [answer for paper in found for answer in paper.answers]
    if not checked:
        return "No main theorem of a paper was checked in this run."
    every = len(checked)
    name = "main theorem" if every == 1 else "main theorems"
    failing, holding = (sum(answer.claim.status is status for answer in checked) for status in (Status.REFUTED, Status.CORROBORATED))
    if failing == every:
        return f"The {name}, as read, {'fails' if every == 1 else f'fail: all {every}'}."
    if failing:
        return f"Of {every} {name}, as read, {failing} {'fails' if failing == 1 else 'fail'}."
    if holding == every:
        return f"The {name}{'' if every == 1 else f', all {every},'} {'holds' if every == 1 else 'hold'} on everything tried. That is no proof."
    return f"No violation of the {name} was found; {every - holding} of {every} {'is' if every - holding == 1 else 'are'} not shown to hold anywhere."


def smallest_certificate(claim: ClaimRecord, run: Document) -> CertificateRecord | None:
    """The certificate of a refuted claim with the fewest agents that states two numbers in the right order."""
    fitting = [one for one in run.certificates if one.claim == claim.id and claim.status is Status.REFUTED and _is_violation(one)]
    return min(fitting, key=lambda one: (one.agents is None, one.agents or 0, one.file), default=None)


def counterexample(claim: ClaimRecord, run: Document) -> Counterexample | None:
    """The counterexample to quote: the smallest certificate, else the clearest violation of the run; None where nothing is violated."""
    certificate = smallest_certificate(claim, run)
    if certificate is not None and certificate.where:
        return Counterexample(unbroken(certificate.where), f"≥ {certificate.left}", f"≤ {certificate.right}", certificate)
    found = clearest_violation(claim)
    return None if found is None else Counterexample(unbroken(found.where), found.left.strip(), found.right.strip(), certificate)


def unbroken(where: str) -> str:
    """An instance in words whose equations stay on one line."""
    return where.replace(" = ", "\u00a0=\u00a0")


def ordered(run: Document) -> list[tuple[PaperRecord | None, list[ClaimRecord]]]:
    """The claims paper by paper, main theorems first, then what repairs them, then the others in their order; None: of no paper."""
    main = [claim_id for paper in run.papers for readings in paper.main for claim_id in readings]

    def place(claim: ClaimRecord) -> tuple[int, int]:
        if claim.id in main:
            return 0, main.index(claim.id)
        repaired = [main.index(claim_id) for claim_id in claim.repairs if claim_id in main]
        return (1, min(repaired)) if repaired else (2, 0)

    groups = [(paper, [claim for claim in run.claims if claim.paper == paper.name]) for paper in run.papers]
    rest = [claim for claim in run.claims if not claim.paper]
    every: list[tuple[PaperRecord | None, list[ClaimRecord]]] = [*groups, (None, rest)]
    return [(paper, sorted(claims, key=place)) for paper, claims in every if claims]


def _of_paper(paper: PaperRecord, run: Document) -> PaperAnswers:
    found, unchecked = [], []
    for readings in paper.main:
        present = [claim for claim in map(run.claim, readings) if claim is not None and claim.paper == paper.name]
        if present:
            found.append(_answer(present[0], present[1:], run))
        else:
            unchecked.append(readings[0])
    return PaperAnswers(paper, tuple(found), tuple(unchecked))


def _answer(claim: ClaimRecord, others: Sequence[ClaimRecord], run: Document) -> Answer:
    repairs = [one for one in run.claims if claim.id in one.repairs and one.status is Status.CORROBORATED]
    return Answer(claim, _says(claim), counterexample(claim, run), tuple(others), tuple(repairs) if claim.status is Status.REFUTED else ())


def _says(claim: ClaimRecord) -> str:
    """The verb of the sentence on a theorem."""
    held, undecided, vacuous = (claim.count(verdict) for verdict in (Verdict.HOLDS, Verdict.UNDECIDED, Verdict.VACUOUS))
    if claim.status is Status.REFUTED:
        return "fails, as read"
    if claim.status is Status.CORROBORATED:
        proved = claim.grounds is not None and claim.grounds.kind.is_argument
        kind = claim.grounds.kind if claim.grounds is not None and proved else Ground.SEARCH
        left_open = f" and is undecided on {undecided}" if undecided else ""
        why = {Ground.PROOF: "has a proof of ours", Ground.THEOREM: "is a known theorem", Ground.DEFINITION: "holds by definition"}
        return f"holds on {counted(held, 'instance')}{left_open}, with no violation; {f'it {why[kind]}' if proved else 'that is no proof'}"
    if claim.status is Status.VACUOUS:
        return f"says nothing here: on {counted(vacuous, 'instance')} its bound is no better than the trivial one"
    if not claim.instances:
        return "was not computed on any instance"
    if claim.count(Verdict.NOT_APPLICABLE) == len(claim.instances):
        return f"does not apply: its assumptions fail on {counted(len(claim.instances), 'instance')}"
    return f"is not decided: {counted(undecided, 'instance')} undecided, none violated"


def _is_violation(certificate: CertificateRecord) -> bool:
    numbers: list[Fraction] = []
    for words in (certificate.left, certificate.right):
        try:
            numbers.append(from_text(words))
        except (ValueError, ZeroDivisionError):
            return False
    return numbers[0] > numbers[1]


def unchecked_sentence(found: PaperAnswers) -> str:
    """What to run for the main theorems that are not in this run; empty where all are."""
    ids = found.unchecked
    return f"Not checked in this run: {listed(ids)}." if ids else ""
