"""What the README shows is what happens: its commands, its Python, its model files."""

from __future__ import annotations

import doctest
import json
import re
import shlex
import tomllib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from mfverify import models
from mfverify.cli import main, run
from mfverify.model_files import load_model
from tests.house.sources import PROJECT

README = (PROJECT / "README.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]\d+)?")
DIGITS_SHOWN = Fraction(1, 10**9)
"""The last digits of an enclosure's ends depend on the machine's libraries; the README need not show those of every machine."""


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def sessions() -> list[tuple[str, list[str]]]:
    """Commands with the lines that they print, in the order of the README."""
    out: list[tuple[str, list[str]]] = []
    for block in blocks("console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                out.append((line[2:], []))
            else:
                out[-1][1].append(line)
    return out


def same(shown: str, printed: str) -> bool:
    """Equal words, and numbers that agree in the digits that do not depend on the machine."""
    ours, theirs = shown.split(), printed.split()
    if len(ours) != len(theirs):
        return False
    for a, b in zip(ours, theirs, strict=True):
        if a == b:
            continue
        a, b = a.strip("[],:"), b.strip("[],:")
        if not (NUMBER.fullmatch(a) and NUMBER.fullmatch(b) and abs(Fraction(a) - Fraction(b)) <= DIGITS_SHOWN):
            return False
    return True


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
    (model,) = blocks("toml")
    (tmp_path / f"{tomllib.loads(model)['name']}.toml").write_text(model)
    for command, lines in sessions():
        line, _, shortened = command.partition(" | head -")
        program, *arguments = shlex.split(line)
        assert program == "mfverify"
        assert run(arguments) == 0, command
        printed = capsys.readouterr().out.splitlines()[: int(shortened) if shortened else None]
        assert len(printed) == len(lines), command
        for shown, found in zip(lines, printed, strict=True):
            assert same(shown, found), f"{command}\nREADME: {shown}\nprints: {found}"


def test_every_verb_has_an_example() -> None:
    assert {command.split()[1] for command, _ in sessions()} == set(main.commands)


def test_the_python_of_the_readme_runs() -> None:
    parser = doctest.DocTestParser()
    examples = "\n".join(blocks("python"))
    test = parser.get_doctest(examples, {}, "README.md", "README.md", 0)
    assert len(test.examples) > 8
    messages: list[str] = []
    report: Callable[[str], None] = messages.append
    found = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report)
    assert (found.failed, "".join(messages)) == (0, "")
    assert found.attempted == len(test.examples)


def test_the_configuration_of_the_readme_is_read(tmp_path: Path) -> None:
    (config,) = blocks("json")
    (tmp_path / "config.json").write_text(config)
    model = load_model(tmp_path / "config.json")
    assert model.sizes == (2, 2, 2, 2)
    # From any local state, with local action 1: to the global state with probability 3/4, else to 0.
    assert model.local_kernel[0, 1, 1].tolist() == [Fraction(1, 4), Fraction(3, 4)]
    assert model.local_kernel[1, 0, 1].tolist() == [1, 0]
    assert json.loads(config)["simulation"]["discount_factor"] == 0.9
    assert model.discount == Fraction(9, 10)


def test_the_readme_names_every_bundled_model_and_every_room() -> None:
    for name in models.BUNDLED:
        assert f"`{name}`" in README
    for path in (PROJECT / "mfverify").iterdir():
        if path.is_dir() and path.name != "__pycache__":
            assert f"{path.name}/`" in README, path.name


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (PROJECT / target).exists(), target
