"""What a reviewer can quote: plain sentences on the whole run, the clearest violation and the tightest instance of a claim.

*Clearest* means: the certified lower end of the left side exceeds the certified upper end of the right side by the largest
factor (any factor, if the right side is not positive), then by the largest difference. *Tightest* means: the smallest
lower end of the slack, bound / actual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from mfverify.report.digits import compared_intervals, listed
from mfverify.report.document import ClaimRecord, Document, InstanceRecord
from mfverify.theory.claim import Status, Verdict
from mfverify.theory.grounds import Ground

VERDICT_WORDS: Final = {
    Verdict.HOLDS: "the certified upper end of the left side is at most the certified lower end of the right side.",
    Verdict.VIOLATED: "the certified lower end of the left side is above the certified upper end of the right side.",
    Verdict.VACUOUS: "the statement holds, but its right side is no smaller than what the left side can never exceed anyway.",
    Verdict.NOT_APPLICABLE: "an assumption of the claim fails on this instance, or its right side is not defined there.",
    Verdict.UNDECIDED: "neither is certified: the enclosures overlap, or the computation was out of reach.",
}
"""What each verdict on one instance means."""

STATUS_WORDS: Final = {
    Status.REFUTED: "at least one instance violates the claim, and that violation is certified.",
    Status.CORROBORATED: "no instance violates the claim and at least one holds, not vacuously: it is not a proof.",
    Status.VACUOUS: "no instance is violated and every one that is decided holds vacuously.",
    Status.UNDECIDED: "no instance violates the claim and none is certified to hold, other than vacuously.",
}
"""What each status of a claim means."""


_NAMED_IDS: Final = 4
"""Ids of the caller's claims in the title."""


@dataclass(frozen=True)
class Violation:
    """The clearest violation of a claim with its numbers as written: ``left > right``."""

    claim: ClaimRecord
    instance: InstanceRecord
    left: str
    right: str
    where: str


def counted(number: int, one: str, many: str = "") -> str:
    """``1 claim``, ``2 claims``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def heading(run: Document) -> str:
    """The title of the page: what the catalogue is about, or the caller's claims by their ids; and whether the models are the caller's."""
    ids = [claim.id for claim in run.given_claims]
    more = f" and {len(ids) - _NAMED_IDS} more" if len(ids) > _NAMED_IDS else ""
    subject = f"{', '.join(ids[:_NAMED_IDS])}{more}" if ids and len(ids) == len(run.claims) else "mean-field subsampling"
    return f"Verification report: {subject}{', on models of your own' if run.on_given_models else ''}"


def opening(document: Document) -> str:
    """The sentence that says how many claims have which status."""
    instances = sum(len(claim.instances) for claim in document.claims)
    parts = []
    for status in Status:
        claims = document.having(status)
        verb = "is" if len(claims) == 1 else "are"
        if claims or status in (Status.REFUTED, Status.CORROBORATED):
            how = " by certified violations" if status is Status.REFUTED and len(claims) > 1 else ""
            how = " by a certified violation" if status is Status.REFUTED and len(claims) == 1 else how
            parts.append(f"{len(claims)} {verb} {status.value}{how}")
    return f"Of {counted(len(document.claims), 'claim')} checked on {counted(instances, 'instance')}, {listed(parts)}."


def verdict_sentence(document: Document) -> str:
    """The sentence that says how many instances have which verdict."""
    holds, violated, vacuous, outside, undecided = (document.count(verdict) for verdict in Verdict)
    return (
        f"Of the instances, {holds} {'holds' if holds == 1 else 'hold'}, "
        f"{violated} {'is' if violated == 1 else 'are'} violated, "
        f"{vacuous} {'holds' if vacuous == 1 else 'hold'} vacuously (with a bound no better than trivial), "
        f"{outside} {'is' if outside == 1 else 'are'} not applicable and {undecided} {'is' if undecided == 1 else 'are'} undecided."
    )


def differs(claim: ClaimRecord, document: Document) -> bool:
    """Whether the status of a claim contradicts what the catalogue registers for it.

    That is about the models of this package: on models of the caller only a violation of what is not registered as refuted does.
    """
    if document.on_given_models:
        return claim.status is Status.REFUTED and claim.registered is not Status.REFUTED
    return claim.status is not claim.registered


def registered_sentence(document: Document) -> str:
    """The sentence that compares the statuses with those that the catalogue registers."""
    differing = [claim for claim in document.claims if differs(claim, document)]
    if not differing and document.on_given_models:
        return "The statuses are those on these models; the catalogue registers statuses for its own."
    if not differing:
        return "Every claim has the status that the catalogue registers for it."
    said = [f"{claim.id} (registered {claim.registered.value}, found {claim.status.value})" for claim in differing]
    return f"The status of {counted(len(differing), 'claim')} differs from the one the catalogue registers: {listed(said)}."


_HAVE: Final = {
    Ground.PROOF: ("has a proof of ours", "have a proof of ours"),
    Ground.THEOREM: ("is a known theorem", "are known theorems"),
    Ground.DEFINITION: ("holds by definition", "hold by definition"),
    Ground.SEARCH: ("has no proof: search only", "have no proof: search only"),
}


def grounds_sentence(document: Document) -> str:
    """The sentence on the grounds of the claims that are not refuted; empty where none are stated."""
    stated = [claim for claim in document.claims if claim.status is not Status.REFUTED and claim.grounds is not None]
    if not stated:
        return ""
    parts = []
    for kind, (one, many) in _HAVE.items():
        claims = [claim.id for claim in stated if claim.grounds is not None and claim.grounds.kind is kind]
        if claims:
            which = f" ({', '.join(claims)})" if kind is Ground.SEARCH else ""
            parts.append(f"{len(claims)} {one if len(claims) == 1 else many}{which}")
    return f"Of {counted(len(stated), 'claim')} not refuted, {listed(parts)}." if parts else ""


def where(instance: InstanceRecord) -> str:
    """``coordination, n = 2000, k = 401``: an instance for a sentence."""
    parts = [instance.model] if instance.model is not None else []
    parts += [f"n = {instance.agents}"] if instance.agents is not None else []
    parts += [f"k = {instance.subsample}"] if instance.subsample is not None else []
    parts += [f"{name} = {value}" for name, value in instance.parameters]
    return ", ".join(parts) or instance.label


def clearest_violation(claim: ClaimRecord) -> Violation | None:
    """The violated instance that no rounding can explain away, the first of equals; ``None`` if there is none."""
    violated = [instance for instance in claim.instances if instance.verdict is Verdict.VIOLATED]
    if not violated:
        return None
    instance = max(violated, key=excess)
    assert instance.actual is not None  # a violation without two sides is refused when the document is read
    assert instance.bound is not None
    left, right = compared_intervals(instance.actual, instance.bound)
    said = [(" = " if shown.lower == shown.upper else " in ") + shown.text for shown in (left, right)]
    return Violation(claim, instance, said[0], said[1], where(instance))


def excess(instance: InstanceRecord) -> tuple[bool, Fraction, Fraction]:
    """How clearly an instance is violated, for comparison: unlimited factor or not, the factor, the difference."""
    if instance.actual is None or instance.bound is None or instance.actual.lower is None or instance.bound.upper is None:
        return False, Fraction(0), Fraction(0)
    left, right = instance.actual.lower, instance.bound.upper
    return (False, left / right, left - right) if right > 0 else (True, Fraction(0), left - right)


def tightest(instances: Sequence[InstanceRecord]) -> InstanceRecord | None:
    """The instance with the smallest certified slack, the first of equals; ``None`` if none has a slack."""
    known = [(instance.slack.lower, instance) for instance in instances if instance.slack and instance.slack.lower is not None]
    return min(known, key=lambda pair: pair[0])[1] if known else None


def telling(claim: ClaimRecord) -> InstanceRecord | None:
    """The instance to show first: the clearest violation, else the tightest instance, else the first with two sides."""
    violation = clearest_violation(claim)
    if violation:
        return violation.instance
    sided = [instance for instance in claim.instances if instance.actual and instance.bound]
    return tightest(sided) or (sided[0] if sided else None)
