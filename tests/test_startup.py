"""Starting up: what a command does not use is not imported, and the catalogue loads a theme when it is asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib import import_module

import pytest

from mfverify.claims import CATALOGUE, THEMES
from mfverify.claims.claim import Catalogue, Claim
from mfverify.errors import ModelError

SOLVERS = {"numba", "scipy"}
DRAWING = {"matplotlib", "jinja2", "latex2mathml"}
OTHER = {"networkx", "distributed", "pandas", "pyarrow"}


def imported_by(*arguments: str) -> set[str]:
    """Packages that a command imports in a fresh process."""
    code = (
        "import json, sys\nfrom mfverify.cli import run\n"
        "code = run(json.loads(sys.argv[1]))\nsys.stderr.write(json.dumps([code, sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", code, json.dumps(arguments)], capture_output=True, text=True, check=True, timeout=120)
    status, modules = json.loads(done.stderr)
    assert status == 0
    return {name.split(".")[0] for name in modules}


def test_help_imports_nothing_that_takes_time() -> None:
    assert imported_by("--help") & (SOLVERS | DRAWING | OTHER | {"sympy", "numpy", "flint", "rich"}) == set()


def test_a_claim_without_a_solver_imports_and_compiles_none() -> None:
    used = imported_by("verify", "--claims", "C1", "--workers", "1", "--instance", "n=4 k=2 population=2+2")
    assert used & (SOLVERS | DRAWING | OTHER) == set()
    assert "sympy" in used


def test_a_solver_is_imported_where_it_is_used() -> None:
    """The scan sees what it looks for."""
    used = imported_by("solve", "models:absorbing", "--agents", "2")
    assert "numba" in used
    assert used & (DRAWING | OTHER | {"sympy"}) == set()


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_has_the_claims_that_are_announced(theme: str) -> None:
    found = import_module(f"mfverify.claims.{theme}").CLAIMS
    assert [claim.id for claim in found] == THEMES[theme].split()
    assert all(CATALOGUE[claim.id] is claim for claim in found)


def test_a_theme_is_loaded_once_and_only_when_asked_for() -> None:
    loaded: list[str] = []

    def load() -> list[Claim]:
        loaded.append("late")
        return [replace(CATALOGUE["C1"], id="Z1"), replace(CATALOGUE["C1"], id="Z2")]

    catalogue = Catalogue(extend=lambda one: loaded.append("installed"))
    catalogue.register(CATALOGUE["C1"])
    catalogue.announce(["Z1", "Z2"], load)
    assert catalogue["C1"] is CATALOGUE["C1"]
    assert "Z1" in catalogue
    assert loaded == []
    assert catalogue["Z2"].id == "Z2"
    assert loaded == ["late"]
    assert [claim.id for claim in catalogue] == ["C1", "Z1", "Z2"]
    assert len(catalogue) == 3
    assert loaded == ["late", "installed"]
    with pytest.raises(ModelError, match="claim Z1: is registered already"):
        catalogue.announce(["Z1"], load)


def test_a_theme_that_does_not_keep_what_is_announced_is_refused() -> None:
    catalogue = Catalogue()
    catalogue.announce(["Z1", "Z2"], lambda: [replace(CATALOGUE["C1"], id="Z1")])
    with pytest.raises(ModelError, match="Z1 are found where Z1, Z2 are announced"):
        catalogue["Z2"]
