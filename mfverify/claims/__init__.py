"""The claim catalogue: every statement under test, in the order of the paper.

A package can add claims of its own: an entry point in the group ``mfverify.claims`` that names a
:class:`~mfverify.claims.claim.Claim` or a sequence of them.
"""

from collections.abc import Iterable
from importlib.metadata import entry_points

from mfverify.claims import (
    bellman_operators,
    concentration,
    convergence,
    costs,
    distances,
    empirical_operator,
    extensions,
    lipschitz,
    optimality_gap,
    policies,
    repaired,
)
from mfverify.claims.claim import Catalogue, Claim

CATALOGUE = Catalogue()
for theme in (
    bellman_operators,
    costs,
    concentration,
    distances,
    lipschitz,
    policies,
    optimality_gap,
    empirical_operator,
    convergence,
    extensions,
    repaired,
):
    for claim in theme.CLAIMS:
        CATALOGUE.register(claim)


def register_installed(catalogue: Catalogue) -> None:
    """Register the claims of other installed packages (entry points in the group ``mfverify.claims``)."""
    for entry in entry_points(group="mfverify.claims"):
        found: Claim | Iterable[Claim] = entry.load()
        for one in [found] if isinstance(found, Claim) else found:
            catalogue.register(one)


register_installed(CATALOGUE)
