"""Arrows point one way: a part imports only from parts before it, and no two modules import each other."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.sources import MODULES, Import, own_imports, part

ORDER = (
    "version",
    "notation",
    "errors",
    "floating_point",
    "bundled",
    "rationals",
    "counts",
    "notices",
    "consoles",
    "progress",
    "readable",
    "enclosure",
    "exit_status",
    "validation",
    "files",
    "json_files",
    "laws",
    "threads",
    "interrupts",
    "compiled",
    "parallel",
    "fixed_point",
    "model",
    "authors_config",
    "model_files",
    "models",
    "mean_field",
    "bellman",
    "costs",
    "exact",
    "export",
    "environments",
    "subsample_mfq",
    "batch",
    "simulation",
    "screening",
    "screening_labelled",
    "screening_plans",
    "theory",
    "extensions",
    "papers",
    "checker",
    "certificate",
    "results",
    "runner",
    "points",
    "falsifier",
    "report",
    "verification",
    "cli",
    "__main__",
)
"""The parts of the package, from the foundations up."""

TYPING_ONLY_UPWARD = {("bellman", "exact"), ("readable", "model")}
"""Names of types that a part borrows from a later one; nothing is imported when the program runs."""

MAY_IMPORT = {
    "theory": {"errors", "rationals", "enclosure", "model"},
    "report": {"errors", "rationals", "bundled", "enclosure", "validation", "files", "json_files", "theory"},
    "results": {"errors", "bundled", "enclosure", "validation", "theory"},
    "model": {"notation", "errors", "rationals"},
    "authors_config": {"notation", "errors", "rationals", "model"},
}
"""Parts that are kept apart from solvers: the machinery of claims knows neither papers nor solvers, a report recomputes nothing, a model file is data."""

OF_THE_THEORY = {"mfverify.theory.claim", "mfverify.theory.grounds"}
"""What the report knows of the claims: the words for outcomes and grounds, not the claims themselves."""


def shown(found: Import) -> str:
    """An import in a message."""
    return f"{found.importer}, line {found.line}: imports {found.imported}"


def test_every_part_has_its_place() -> None:
    assert len(set(ORDER)) == len(ORDER)
    assert {part(module) for module in MODULES} == {"", *ORDER}, "give the new part a place in ORDER"


def test_arrows_point_one_way() -> None:
    place = {name: i for i, name in enumerate(ORDER)}
    found = [i for i in own_imports() if part(i.importer) and part(i.imported) != part(i.importer)]
    assert len(found) > 100
    upward = [i for i in found if part(i.imported) and place[part(i.imported)] > place[part(i.importer)]]
    excused = [i for i in upward if i.typing_only and (part(i.importer), part(i.imported)) in TYPING_ONLY_UPWARD]
    assert [shown(i) for i in upward if i not in excused] == []
    assert {(part(i.importer), part(i.imported)) for i in excused} == TYPING_ONLY_UPWARD, "an exception that no import needs"


def test_no_part_imports_the_whole_package() -> None:
    assert [shown(i) for i in own_imports() if i.imported == "mfverify"] == []


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_parts_that_are_kept_apart(name: str) -> None:
    used = [i for i in own_imports() if part(i.importer) == name and part(i.imported) != name]
    assert used
    assert [shown(i) for i in used if part(i.imported) not in MAY_IMPORT[name]] == []
    if name == "report":
        assert {i.imported for i in used if part(i.imported) == "theory"} <= OF_THE_THEORY


def test_no_two_modules_import_each_other() -> None:
    arrows = {(i.importer, i.imported) for i in own_imports() if not i.typing_only and i.importer != i.imported}
    # A package imports the modules inside it; that a module names its own package is no arrow to all of them.
    while arrows:
        grounded = {arrow for arrow in arrows if arrow[1] not in {start for start, _ in arrows}}
        assert grounded, f"a circle among {sorted(arrows)}"
        arrows -= grounded


def test_the_package_itself_imports_nothing_that_takes_time() -> None:
    asked = "import sys; import mfverify; print(*sorted(m for m in sys.modules if m.partition('.')[0] in ('numpy', 'scipy', 'numba', 'sympy', 'matplotlib', 'mfverify')))"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split() == ["mfverify"]
