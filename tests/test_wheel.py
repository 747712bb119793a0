"""The wheel, built without a network and used in a folder of its own: it holds all that the program, the report and the theorem list read."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.version import Version

import mfverify
from mfverify.bundled import FOLDERS, certificate_path, folder
from mfverify.errors import ModelError
from mfverify.results import code_version
from tests.architecture.sources import PROJECT

BUILT_FROM = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "mfverify", *FOLDERS)
NEEDED = Version("77.0.3")
"""The version of setuptools that pyproject.toml asks for."""


def builder() -> Version:
    """The version of setuptools here, which builds the wheel."""
    try:
        return Version(version("setuptools"))
    except PackageNotFoundError:
        return Version("0")


class Installed:
    """The package as installed from its wheel, without a checkout in sight."""

    def __init__(self, site: Path, place: Path) -> None:
        self.place = place
        self.environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
        self.site = site

    def run(self, *arguments: str) -> str:
        """What ``python`` with these arguments prints; it has to end with 0."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.place, env=self.environment, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Built from a copy, since setuptools leaves folders beside the sources, and unpacked: no script or dependency is needed for this."""
    if builder() < NEEDED:
        pytest.skip(f"setuptools {NEEDED} or later is needed to build the wheel: pip install 'mfverify[test]'")
    folders = {name: tmp_path_factory.mktemp(name) for name in ("sources", "dist", "site", "elsewhere")}
    for name in BUILT_FROM:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, folders["sources"] / name, ignore=shutil.ignore_patterns("__pycache__", "latest"))
        else:
            shutil.copy(PROJECT / name, folders["sources"])
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folders["dist"])]
    done = subprocess.run([sys.executable, *build, str(folders["sources"])], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "would be ignored" not in done.stdout + done.stderr  # a folder with files that is not declared as a package
    (wheel,) = folders["dist"].glob("*.whl")
    assert wheel.name == f"mfverify-{mfverify.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folders["site"])
    return Installed(folders["site"], folders["elsewhere"])


@pytest.mark.slow
def test_everything_that_the_program_reads_is_in_it(installed: Installed) -> None:
    sources = {path.relative_to(PROJECT / "mfverify") for path in (PROJECT / "mfverify").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    data = {path.relative_to(PROJECT) for path in (PROJECT / "reports").rglob("*") if path.suffix in (".json", ".md") and "latest" not in path.parts}
    proofs = {path.relative_to(PROJECT) for path in (PROJECT / "docs" / "mathematics").glob("*.md")}
    theorems = {path.relative_to(PROJECT) for name in ("proofs_checks", "examples", "reports/certificates") for path in (PROJECT / name).glob("*.py")}
    there = {path.relative_to(installed.site / "mfverify") for path in (installed.site / "mfverify").rglob("*") if path.is_file()}
    assert sources | (data - {Path("reports/README.md")}) | theorems | proofs == there


@pytest.mark.slow
def test_commands_and_modules_come_from_it(installed: Installed) -> None:
    assert installed.run("-m", "mfverify", "--version") == f"mfverify, version {mfverify.__version__}\n"
    assert len(json.loads(installed.run("-m", "mfverify", "claims", "--json"))) > 60
    proof = installed.run("-m", "mfverify", "claims", "--proof", "R4")
    assert "docs/mathematics/gap.md#R4" in proof and "**Step 6.**" in proof
    said = "from mfverify import __file__, results; from mfverify.proofs_checks import checks; print(__file__, checks.__file__, results.code_version())"
    package, checks, code = installed.run("-c", said).split()
    assert Path(package) == installed.site / "mfverify" / "__init__.py"
    assert Path(checks) == installed.site / "mfverify" / "proofs_checks" / "checks.py"
    assert code == code_version(), "results of a checkout and of an installation of the same sources are not exchanged"


@pytest.mark.slow
def test_a_report_made_with_it_names_certificates_and_searches(installed: Installed) -> None:
    installed.run("-m", "mfverify", "verify", "--claims", "C1", "C3", "--workers", "1", "--out", "run")
    page = (installed.place / "run" / "report.html").read_text(encoding="utf-8")
    assert ">Certificate</dt>" in page
    assert "mfverify check certificates:C3" in page
    assert "<dt>Searched</dt>" in page
    assert "No search for a counterexample is documented" not in page
    assert installed.run("-m", "mfverify", "check", "certificates:C3").startswith("accepted")
    checker, certificates = installed.site / "mfverify" / "checker", installed.site / "mfverify" / "reports" / "certificates"
    for name in ("P3", "M1"):  # without the package, with nothing but Python
        assert installed.run("-I", str(checker / "check_certificate.py"), str(certificates / f"{name}.json")).startswith("accepted")


@pytest.mark.slow
def test_the_theorem_list_is_the_same_as_in_a_checkout(installed: Installed) -> None:
    collect = ("-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider")
    there = installed.run(*collect, "--pyargs", "mfverify.proofs_checks")
    here = subprocess.run([sys.executable, *collect, "proofs_checks"], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=300).stdout
    names = [[re.sub(r"^[^:]*/", "", line) for line in text.splitlines() if "::" in line] for text in (there, here)]
    assert names[0] == names[1]
    assert len(names[0]) > 1000
    assert " passed" in installed.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "mfverify.proofs_checks", "-k", "C1")


def test_the_theorem_list_names_its_own_modules_as_an_installation_has_them() -> None:
    files = sorted((PROJECT / "proofs_checks").glob("*.py"))
    assert [path.name for path in files] == ["__init__.py", "checks.py", "test_statements.py"]
    absolute = [path.name for path in files if "from proofs_checks" in path.read_text(encoding="utf-8")]
    assert absolute == [], "write: from .checks import ..."


def test_folders_lie_inside_an_installation_and_beside_the_package_of_a_checkout(tmp_path: Path) -> None:
    package = tmp_path / "mfverify"
    assert folder("reports", package) == tmp_path / "reports"
    (package / "reports").mkdir(parents=True)
    assert folder("reports", package) == package / "reports"


def test_a_bundled_certificate_has_a_name() -> None:
    assert certificate_path("certificates:C3") == PROJECT / "reports" / "certificates" / "C3.json"
    assert certificate_path("C3.json") == Path("C3.json")
    for unknown in ("certificates:", "certificates:../searches", "certificates:c3"):
        with pytest.raises(ModelError, match=r"there is no bundled certificate of this name; the names are A2, B4b, C2, C3"):
            certificate_path(unknown)
