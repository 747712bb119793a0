"""Claims by the text that users type: an id of the catalogue, or ``FILE.py:NAME``."""

from __future__ import annotations

from typing import Any

from mfverify.papers import CATALOGUE
from mfverify.theory.claim import Claim
from mfverify.theory.claim_files import claim_in_file, is_reference, reference_of


def claim_named(text: str) -> Claim:
    """The claim with an id of the catalogue, or the one that ``FILE.py:NAME`` names; such a file is executed.

    Raises :class:`ModelError` for an unknown id, file or name.
    """
    return claim_in_file(text) if is_reference(text) else CATALOGUE[text]


def is_registered(claim: Claim) -> bool:
    """Whether a claim is one of the catalogue, and not another one with the same id."""
    return claim.id in CATALOGUE and CATALOGUE[claim.id] is claim


def name_of(claim: Claim) -> str | None:
    """What :func:`claim_named` reads; None for a claim that was made in another way."""
    return claim.id if is_registered(claim) else reference_of(claim)


class SentByName:
    """A task about a claim. The claim goes to a worker by its name, where it has one: sympy evaluates what was kept unevaluated in an
    expression again when it is unpickled, and a root that is split that way is no longer exact.
    """

    claim: Claim

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "claim": name_of(self.claim) or self.claim}

    def __setstate__(self, state: dict[str, Any]) -> None:
        claim = state["claim"]
        self.__dict__.update({**state, "claim": claim_named(claim) if isinstance(claim, str) else claim})
