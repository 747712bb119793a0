"""Dependencies: the claims as a directed graph with two types of arrows, one for each argument for a claim.

The source's argument for a claim uses the claims in ``rests_on``. The argument that its grounds name, where they name one, uses those in
``grounds.uses``: a proof of ours of a statement of the paper need not use what the paper's proof uses.

A refuted claim breaks every argument that uses it, directly or through a claim that has no other argument left. It does not refute
what was argued: a theorem can stay true when its proof breaks. A claim has lost its support when all its arguments are broken.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final

from mfverify.theory.claim import Claim, Status

_WIDTH: Final = 80


class Argument(Enum):
    """Whose argument for a claim: the source's, or the one that the claim's grounds name (ours, a known theorem, the definitions)."""

    SOURCE = "source"
    GROUNDS = "grounds"


def arguments(claim: Claim) -> dict[Argument, tuple[str, ...]]:
    """The arguments for a claim, each with the ids that it uses.

    A source that names nothing counts as an argument only where the grounds name none: a claim of ours has no other source.
    """
    own = claim.stands_on
    found = {Argument.SOURCE: claim.rests_on} if claim.rests_on or not own.kind.is_argument else {}
    return found | ({Argument.GROUNDS: own.uses} if own.kind.is_argument else {})


def arrows(claims: Iterable[Claim], argument: Argument) -> list[tuple[str, str]]:
    """Pairs ``(a, b)`` of the given claims' ids: this argument for ``a`` uses ``b``."""
    chosen = list(claims)
    ids = {claim.id for claim in chosen}
    return [(claim.id, used) for claim in chosen for used in arguments(claim).get(argument, ()) if used in ids]


def unsupported(claims: Iterable[Claim], statuses: Mapping[str, Status]) -> dict[str, list[str]]:
    """Every claim that is not refuted and whose arguments are all broken: the refuted claims that break them, sorted."""
    chosen = list(claims)
    lost = _lost(chosen, statuses)
    return {claim.id: sorted(lost[claim.id]) for claim in chosen if claim.id in lost}


def replaced(claims: Iterable[Claim], statuses: Mapping[str, Status]) -> dict[str, list[str]]:
    """Every claim whose source's argument is broken and whose own is not: the refuted claims that the source's argument uses, sorted."""
    chosen = list(claims)
    lost = _lost(chosen, statuses)
    refuted = _refuted(statuses)
    found = {
        claim.id: _causes(arguments(claim).get(Argument.SOURCE, ()), refuted, lost)
        for claim in chosen
        if claim.id not in refuted and claim.id not in lost
    }
    return {claim_id: sorted(causes) for claim_id, causes in found.items() if causes}


def as_text(claims: Iterable[Claim], statuses: Mapping[str, Status]) -> str:
    """The graph as text: for every claim what each of its arguments uses, and what of that is refuted."""
    chosen = list(claims)
    lost, kept = unsupported(chosen, statuses), replaced(chosen, statuses)
    lines = []
    for claim in chosen:
        own = claim.stands_on
        said = []
        for argument, uses in arguments(claim).items():
            named = ", ".join(f"{i}{' (refuted)' if statuses.get(i) is Status.REFUTED else ''}" for i in uses) or "no other claim"
            said.append(f"{own.kind.value if argument is Argument.GROUNDS else 'the source'} uses {named}")
        if claim.id in lost:
            said.append(f"lost its support: every argument for it uses {', '.join(lost[claim.id])} (it may still be true)")
        if claim.id in kept:
            said.append(f"keeps its support: {own.kind.value}, without {', '.join(kept[claim.id])}")
        for head, words in zip([f"{claim.id:5} {statuses[claim.id].value:13} ", *[" " * 20] * len(said)], said, strict=False):
            lines.append(textwrap.fill(words, _WIDTH, initial_indent=head, subsequent_indent=" " * 22))
    return "\n".join(lines)


def _refuted(statuses: Mapping[str, Status]) -> set[str]:
    return {claim_id for claim_id, status in statuses.items() if status is Status.REFUTED}


def _lost(claims: Iterable[Claim], statuses: Mapping[str, Status]) -> dict[str, set[str]]:
    """The claims without support, each with the refuted claims that break its arguments, directly or through others without support."""
    refuted = _refuted(statuses)
    left = {claim.id: arguments(claim).values() for claim in claims if claim.id not in refuted}
    lost: dict[str, set[str]] = {}
    while True:
        found = {
            claim_id: set[str]().union(*causes)
            for claim_id, given in left.items()
            if all(causes := [_causes(uses, refuted, lost) for uses in given])
        }
        if found == lost:
            return lost
        lost = found


def _causes(uses: Iterable[str], refuted: set[str], lost: Mapping[str, set[str]]) -> set[str]:
    """The refuted claims that break an argument; none where it is not broken."""
    return {cause for used in uses for cause in ({used} if used in refuted else lost.get(used, ()))}
