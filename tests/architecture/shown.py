"""What a Markdown page shows: its fenced blocks, its commands with what they print, and whether that is what they print."""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Callable
from fractions import Fraction

import pytest

from mfverify.cli import run

NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]\d+)?")
DIGITS_SHOWN = Fraction(1, 10**9)
"""The last digits of an enclosure's ends depend on the machine's libraries; a page need not show those of every machine."""


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def sessions(page: str) -> list[tuple[str, list[str]]]:
    """Commands with the lines that they print, in the order of the page."""
    out: list[tuple[str, list[str]]] = []
    for block in blocks(page, "console"):
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


def check_sessions(page: str, capsys: pytest.CaptureFixture[str]) -> int:
    """Run every command of a page in the current folder and compare what it prints; how many there were."""
    commands = sessions(page)
    for command, lines in commands:
        line, cut, shortened = re.fullmatch(r"(.*?)(?: \| (head|tail) -([0-9]+))?", command).groups()  # type: ignore[union-attr]
        program, *arguments = shlex.split(line)
        assert program == "mfverify"
        assert run(arguments) == 0, command
        printed = capsys.readouterr().out.splitlines()
        if cut is not None:
            printed = printed[: int(shortened)] if cut == "head" else printed[-int(shortened) :]
        assert len(printed) == len(lines), command
        for shown, found in zip(lines, printed, strict=True):
            assert same(shown, found), f"{command}\npage:   {shown}\nprints: {found}"
    return len(commands)


def check_python(page: str, name: str) -> int:
    """Run the Python that a page shows with a prompt; how many examples there were."""
    examples = "\n".join(block for block in blocks(page, "python") if block.startswith(">>>"))
    test = doctest.DocTestParser().get_doctest(examples, {}, name, name, 0)
    messages: list[str] = []
    report: Callable[[str], None] = messages.append
    found = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report)
    assert (found.failed, "".join(messages)) == (0, "")
    assert found.attempted == len(test.examples)
    return found.attempted
