"""Grounds of a claim beside its instances: a proof of ours, a known theorem, the definitions, or only a search.

A status says what a run found on instances. Grounds say why a claim about *all* models should be believed. A claim that is
registered as refuted needs none of these: its ground is the violated instance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from mfverify.errors import ModelError


class Ground(Enum):
    """The kinds of grounds, as words."""

    PROOF = "proof of ours"
    THEOREM = "known theorem"
    DEFINITION = "by definition"
    SEARCH = "search only"
    COUNTEREXAMPLE = "counterexample"

    @property
    def sentence(self) -> str:
        """What the word means."""
        return _SENTENCES[self]

    @property
    def is_argument(self) -> bool:
        """Whether grounds of this kind establish the claim for all models, given what they use."""
        return self in (Ground.PROOF, Ground.THEOREM, Ground.DEFINITION)


_SENTENCES = {
    Ground.PROOF: "A proof of ours, unreviewed, is written out and covers the reading that is checked; the instances test both.",
    Ground.THEOREM: "A theorem of the literature covers the reading that is checked; the instances test the program and our reading.",
    Ground.DEFINITION: "It follows from the definitions at once; the instances test the program.",
    Ground.SEARCH: "No proof covers the reading that is checked: only the instances, and a search where one is documented, speak for it.",
    Ground.COUNTEREXAMPLE: "A violated instance is certified: a counterexample to the reading that is checked.",
}


@dataclass(frozen=True)
class Anchor:
    """Where a proof is written: on a page of the documentation under the label ``heading``, or in a module's docstring under it.

    ``place`` is the path of the page, which ends in ``.md``, or the name of the module.
    """

    place: str
    heading: str

    @property
    def on_a_page(self) -> bool:
        """Whether the proof is on a page; otherwise it is in a docstring."""
        return self.place.endswith(".md")

    def __str__(self) -> str:
        if self.on_a_page:
            return f"{self.place}#{self.heading}"
        return f"{self.place.replace('.', '/')}.py, under {self.heading}"


@dataclass(frozen=True)
class Grounds:
    """Why a claim should be believed, or that a search is the only evidence for it.

    Make one with :func:`proof`, :func:`theorem` or :func:`by_definition`, or take :data:`SEARCH_ONLY`. ``where`` is the
    anchor of a proof, the reference of a theorem, or how the definitions give it; ``uses`` names the claims that the argument
    uses. Raises :class:`ModelError` where an argument does not say where it is written, or where a search claims to use something.
    """

    kind: Ground
    where: Anchor | str = ""
    uses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind.is_argument and not str(self.where).strip():
            raise ModelError(f"grounds: {self.kind.value} without a place; name the proof, the reference or the definition")
        if self.kind is Ground.PROOF and not isinstance(self.where, Anchor):
            raise ModelError(f"grounds: found {self.where!r}, expected the Anchor of a proof; a reference is a known theorem")
        if self.uses and not self.kind.is_argument:
            raise ModelError(f"grounds: {self.kind.value} is no argument, so it uses no claim; found {', '.join(self.uses)}")

    def to_json(self) -> dict[str, str | list[str]]:
        """The grounds as an entry of a report: kind, sentence, where, uses."""
        return {"kind": self.kind.value, "sentence": self.kind.sentence, "where": str(self.where), "uses": list(self.uses)}


def proof(place: str, heading: str, uses: Sequence[str] = ()) -> Grounds:
    """A full proof of ours on the page ``place`` or in that module's docstring, under ``heading``, for exactly the reading that is checked."""
    return Grounds(Ground.PROOF, Anchor(place, heading), tuple(uses))


def theorem(reference: str, uses: Sequence[str] = ()) -> Grounds:
    """A theorem of the literature that covers the reading that is checked; ``reference`` also says what has to be added to it."""
    return Grounds(Ground.THEOREM, reference, tuple(uses))


def by_definition(how: str, uses: Sequence[str] = ()) -> Grounds:
    """The definitions give the claim at once; ``how`` says which."""
    return Grounds(Ground.DEFINITION, how, tuple(uses))


SEARCH_ONLY = Grounds(Ground.SEARCH)
"""No proof covers the reading that is checked."""

REFUTED = Grounds(Ground.COUNTEREXAMPLE)
"""The grounds of every claim that is registered as refuted."""
