"""Every right-hand side of the papers."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

from mfverify import papers
from mfverify.theory.bound import Bound
from mfverify.theory.vacuity import TRIVIAL_GAP


def all_bounds() -> list[Bound]:
    """Each bound that a file of a paper defines, once; private ones are those of sabotaged checks."""
    found = {"TRIVIAL_GAP": TRIVIAL_GAP}
    for module in walk_packages(papers.__path__, f"{papers.__name__}."):
        for name, value in vars(import_module(module.name)).items():
            if isinstance(value, Bound) and not name.startswith("_"):
                assert found.setdefault(name, value) is value, f"two bounds have the name {name}"
    return list(found.values())
