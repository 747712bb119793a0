"""The papers whose statements are checked, one package each, and the catalogue of all claims.

A paper is a package with a record ``PAPER`` and one file a statement, with its readings. The catalogue finds both: neither a paper
nor a statement is listed anywhere. What several papers need is in modules beside them.

An installed package can add claims: an entry point in the group ``mfverify.claims`` that names a
:class:`~mfverify.theory.claim.Claim` or a sequence of them.
"""

from collections.abc import Iterable
from importlib.metadata import entry_points

from mfverify.theory.catalogue import Catalogue
from mfverify.theory.claim import Claim


def register_installed(catalogue: Catalogue) -> None:
    """Register the claims of other installed packages (entry points in the group ``mfverify.claims``)."""
    for entry in entry_points(group="mfverify.claims"):
        found: Claim | Iterable[Claim] = entry.load()
        for one in [found] if isinstance(found, Claim) else found:
            catalogue.register(one)


CATALOGUE = Catalogue(extend=register_installed)
CATALOGUE.add_papers(__name__)
