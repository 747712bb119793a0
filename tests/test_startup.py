"""Starting up: what a command does not use is not imported, and the catalogue loads a file when one of its claims is asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from mfverify import papers
from mfverify.errors import ModelError
from mfverify.papers import CATALOGUE
from mfverify.theory.catalogue import Catalogue, ids_in
from mfverify.theory.claim import Claim

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


FILES = sorted(
    f"{papers.__name__}.{folder.name}.{path.stem}"
    for folder in Path(papers.__path__[0]).iterdir()
    if folder.is_dir()
    for path in folder.glob("[!_]*.py")
)


@pytest.mark.parametrize("module", FILES)
def test_every_file_of_a_paper_has_the_claims_that_are_found_in_it(module: str) -> None:
    """Also where nothing is found: a claim that no search of the sources sees would never be checked."""
    found = import_module(module)
    ids = ids_in(Path(str(found.__file__)).read_text(encoding="utf-8"), module)
    claims = {one.id: one for one in vars(found).values() if isinstance(one, Claim)}
    assert sorted(claims) == sorted(ids)
    paper = module.split(".")[-2]
    for claim_id, claim in claims.items():
        assert CATALOGUE[claim_id] is claim
        assert CATALOGUE.paper_of(claim) == paper


def test_the_catalogue_has_a_file_for_every_claim_of_a_paper() -> None:
    assert len(FILES) > 50
    assert sum(len(CATALOGUE.of_paper(paper.name)) for paper in CATALOGUE.papers) == len(CATALOGUE)


def test_claims_are_listed_by_paper_theme_and_number() -> None:
    ids = [claim.id for claim in CATALOGUE]
    assert [paper.name for paper in CATALOGUE.papers][:: len(CATALOGUE.papers) - 1] == ["mean_field_sampling", "ours"]
    for earlier, later in (
        ("B1", "B2"),
        ("B7", "S1"),
        ("S1", "S1t"),
        ("S3f", "S4"),
        ("C7b", "L1"),
        ("L2", "P1"),
        ("T3", "N1"),
        ("X3b", "R1"),
        ("R6", "V1"),
    ):
        assert ids.index(earlier) < ids.index(later)


def folder_of_papers(place: Path, name: str, files: dict[str, str], record: str | None = None) -> str:
    """A package ``name`` in ``place`` with one paper, whose files are written there; its name."""
    paper = place / name / "one"
    paper.mkdir(parents=True)
    (place / name / "__init__.py").write_text("", encoding="utf-8")
    (paper / "__init__.py").write_text(
        record
        if record is not None
        else 'from mfverify.theory.paper import Paper\nPAPER = Paper("one", "A paper", themes={"Z": "last", "Y": "first"})\n',
        encoding="utf-8",
    )
    for file, text in files.items():
        (paper / file).write_text(text, encoding="utf-8")
    return name


STATEMENT = """
from dataclasses import replace
from functools import partial
from mfverify.papers import CATALOGUE

Claim = partial(replace, CATALOGUE["C1"])
"""


def test_a_statement_is_added_by_adding_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    files = {
        "ten.py": STATEMENT + 'TEN = Claim(\n    id="Y10"\n)\nTWO = Claim(id="Y2")\n',
        "other.py": STATEMENT + 'from more_papers.one.ten import TWO\n\nOTHER = Claim(id="Z1")\nODD = Claim(id="AnyName")\n',
        "helper.py": "raise RuntimeError('imported without need')\n",
    }
    catalogue = Catalogue()
    catalogue.add_papers(folder_of_papers(tmp_path, "more_papers", files))
    assert "more_papers.one.ten" not in sys.modules
    assert [claim.id for claim in catalogue] == ["Z1", "Y2", "Y10", "AnyName"]
    assert catalogue.paper_of(catalogue["Y2"]) == "one"
    assert catalogue.paper_of(CATALOGUE["C1"]) is None
    assert catalogue.paper_of(replace(catalogue["Y2"], title="another")) is None
    assert [claim.id for claim in catalogue.of_paper("one")] == ["Z1", "Y2", "Y10", "AnyName"]
    with pytest.raises(ModelError, match="paper 'two': is not in the catalogue; the papers are one"):
        catalogue.of_paper("two")


@pytest.mark.parametrize(
    ("files", "record", "complaint"),
    [
        ({"a.py": 'A = Claim("Y1")\n'}, None, "a Claim without its id in front"),
        ({"a.py": 'A = Claim(title="x", id="Y1")\n'}, None, "a Claim without its id in front"),
        ({"a.py": 'A = Claim(id="Y1")\n', "b.py": 'A = Claim(id="Y1")\n'}, None, "claim Y1: is in .*one.a and in .*one.b"),
        ({}, "", "expected a record PAPER"),
        (
            {},
            'from mfverify.theory.paper import Paper\nPAPER = Paper("other", "A paper")\n',
            'expected a record PAPER = Paper\\(name="one"',
        ),
    ],
)
def test_a_file_that_cannot_be_searched_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    files: dict[str, str],
    record: str | None,
    complaint: str,
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    name = f"refused_{abs(hash(request.node.name))}"
    with pytest.raises(ModelError, match=complaint):
        Catalogue().add_papers(folder_of_papers(tmp_path, name, files, record))


def test_a_file_whose_claims_are_not_those_that_were_found_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    catalogue = Catalogue()
    text = STATEMENT + 'A = Claim(id="Y1")\nB = replace(A, id="Y3")\n'
    catalogue.add_papers(folder_of_papers(tmp_path, "hidden_papers", {"a.py": text}))
    with pytest.raises(ModelError, match="Y1, Y3 are found where Y1 are announced"):
        catalogue["Y1"]


def test_the_list_of_theorems_runs_every_claim() -> None:
    """Each of its three checks, on every claim of the catalogue, and the first on every instance."""
    from proofs_checks import test_statements  # which makes every instance, and takes a second
    from proofs_checks.checks import PROFILE

    classes = [value for name, value in vars(test_statements).items() if name.startswith("Test_")]
    for check in ("test_status_is_as_registered", "test_check_can_fail"):
        ran = [claim_id for one in classes for claim_id in getattr(one, check).pytestmark[0].args[1]]
        assert sorted(ran) == sorted(claim.id for claim in CATALOGUE)
    instances = [case.values for one in classes for case in one.test_inequality.pytestmark[0].args[1]]
    assert {claim_id for claim_id, _ in instances} == {claim.id for claim in CATALOGUE}
    assert len(instances) == sum(len(claim.instances(PROFILE, None)) for claim in CATALOGUE)


def test_a_file_is_loaded_once_and_only_when_asked_for() -> None:
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


def test_a_file_that_does_not_keep_what_is_announced_is_refused() -> None:
    catalogue = Catalogue()
    catalogue.announce(["Z1", "Z2"], lambda: [replace(CATALOGUE["C1"], id="Z1")])
    with pytest.raises(ModelError, match="Z1 are found where Z1, Z2 are announced"):
        catalogue["Z2"]
