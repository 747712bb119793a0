"""What the README shows is what happens: its commands, its Python, its model files."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import pytest

from mfverify import models
from mfverify.cli import main
from mfverify.model_files import load_model
from tests.architecture.shown import blocks, check_python, check_sessions, same, sessions
from tests.architecture.sources import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")
COMMANDS = (PROJECT / "docs" / "commands.md").read_text(encoding="utf-8")
MODELS = (PROJECT / "docs" / "how-to" / "my-model.md").read_text(encoding="utf-8")
GUIDE = (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")
INDEX = (PROJECT / "reports" / "certificates" / "README.md").read_text(encoding="utf-8")


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 130


def test_the_comparison_can_fail() -> None:
    assert same("gap in [0.5230668506862977, 1]", "gap in  [0.5230668506862978, 1]")
    assert not same("gap in [0.5230668506862977, 1]", "gap in [0.5230668606862978, 1]")
    assert not same("a b", "a c")
    assert not same("a b", "a")


@pytest.mark.slow
def test_every_command_that_the_readme_shows_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    (tmp_path / "reports").symlink_to(PROJECT / "reports")
    assert check_sessions(README, capsys) >= 3


def test_every_verb_has_an_example() -> None:
    assert {command.split()[1] for command, _ in sessions(COMMANDS)} == set(main.commands)
    for verb in main.commands:
        assert f"`{verb}`" in README or f"$ mfverify {verb}" in README


def test_the_findings_are_those_of_the_certificates(capsys: pytest.CaptureFixture[str]) -> None:
    """Each row names a certificate of the claim that is accepted, with the numbers of the index of certificates."""
    table = re.findall(r"^\| .*\((\w+)\) \| (.*) \| at least ([\d.]+) \| at most ([\d.]+) \| \[(\w+)\]\((.*)\) \|$", README, re.MULTILINE)
    assert len(table) == 5
    for claim, where, left, right, name, path in table:
        assert path == f"reports/certificates/{name}.json"
        (row,) = [line for line in INDEX.splitlines() if f"[{name}.json]" in line]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert (cells[0], cells[4], cells[5]) == (claim, left, right)
        assert set(re.findall(r"\d+", where)) <= set(re.findall(r"\d+", cells[3]))
        if claim != "T3":  # seconds of checking
            assert main.commands["check"].main([str(PROJECT / path)], standalone_mode=False) == 0
            assert f"{claim} is violated" in capsys.readouterr().out


def test_the_python_of_the_readme_runs() -> None:
    assert check_python(README, "README.md") >= 5


def test_the_configuration_that_is_shown_is_read(tmp_path: Path) -> None:
    (config,) = blocks(MODELS, "json")
    (tmp_path / "config.json").write_text(config)
    model = load_model(tmp_path / "config.json")
    assert model.sizes == (2, 2, 2, 2)
    # From any local state, with local action 1: to the global state with probability 3/4, else to 0.
    assert model.local_kernel[0, 1, 1].tolist() == [Fraction(1, 4), Fraction(3, 4)]
    assert model.local_kernel[1, 0, 1].tolist() == [1, 0]
    assert json.loads(config)["simulation"]["discount_factor"] == 0.9
    assert model.discount == Fraction(9, 10)


def test_every_bundled_model_and_every_package_is_named() -> None:
    for name in models.BUNDLED:
        assert f"`{name}`" in MODELS
    for path in (PROJECT / "mfverify").iterdir():
        if path.is_dir() and path.name != "__pycache__":
            assert f"{path.name}/`" in GUIDE, path.name


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", README):
        assert (PROJECT / target).exists(), target
