"""The claim catalogue: every statement under test, in the order of the paper.

A package can add claims of its own: an entry point in the group ``mfverify.claims`` that names a
:class:`~mfverify.claims.claim.Claim` or a sequence of them.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from mfverify.claims.claim import Catalogue, Claim

THEMES: Final = {
    "bellman_operators": "B1 B2 B3 B5",
    "costs": "S1 S1t S2 S2e S2r S3 S3f S3b S4 S4b",
    "concentration": "C1 C2 C3",
    "distances": "C4 C4l C4m C5 C5e C6 C7 C7b C7r R3 R3m R3k",
    "lipschitz": "L1 L2",
    "policies": "P1 P2",
    "optimality_gap": "T1 T1b",
    "empirical_operator": "B4 B4b B6 B7 N1 N1b N1c T2 T2b",
    "convergence": "P3 P4 T3 T3f",
    "extensions": "X1 X2 X3 X3b",
    "repaired": "R1 R2 R2L P3r P3s P4r R5 R5b X3p",
    "repaired_gap": "R4 R4u R4n S4r X3r R6",
    "repaired_learning": "B4r N1r",
    "mean_field_limit": "V1 V2",
}
"""Module -> the ids of its claims, so that a module is imported only when one of them is asked for. Its ``CLAIMS`` are these."""


def _load(theme: str) -> Sequence[Claim]:
    found: Sequence[Claim] = import_module(f"mfverify.claims.{theme}").CLAIMS
    return found


def register_installed(catalogue: Catalogue) -> None:
    """Register the claims of other installed packages (entry points in the group ``mfverify.claims``)."""
    for entry in entry_points(group="mfverify.claims"):
        found: Claim | Iterable[Claim] = entry.load()
        for one in [found] if isinstance(found, Claim) else found:
            catalogue.register(one)


CATALOGUE = Catalogue(extend=register_installed)
for theme, ids in THEMES.items():
    CATALOGUE.announce(ids.split(), partial(_load, theme))
