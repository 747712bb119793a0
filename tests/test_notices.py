"""What takes long is said on a terminal, unless a program reads the output; what is not kept is said once."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable

import numba
import pytest

from mfverify import cli, compiled, notices


def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard error is a terminal, and nothing has been said."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("mfverify.notices._SAID", set())


def test_progress_is_said_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch)
    notices.progress("one")
    with notices.silence():
        notices.progress("two")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    notices.progress("three")
    monkeypatch.setattr(sys, "stderr", None)  # as in a program without a console
    notices.progress("four")
    monkeypatch.undo()
    assert capsys.readouterr().err == "mfverify: one\n"


def test_once_is_once_and_not_in_worker_processes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch)
    for line in ("a", "b", "a"):
        notices.once(line)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: "another")
    notices.once("c")
    assert capsys.readouterr().err == "mfverify: a\nmfverify: b\n"


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_program_that_reads_json_is_told_nothing(
    option: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(monkeypatch)
    monkeypatch.setattr("mfverify.papers.CATALOGUE", Noisy())
    assert cli.run(["claims", *option]) == 0
    assert capsys.readouterr().err == ("" if option else "mfverify: reading\n")
    notices.progress("afterwards")
    assert capsys.readouterr().err == "mfverify: afterwards\n"


class Noisy(list[object]):
    """A catalogue that takes long to read, and is empty."""

    def __iter__(self):  # type: ignore[no-untyped-def]
        notices.progress("reading")
        return super().__iter__()


def loop_of(module: str) -> Callable[[int], int]:
    """A loop that was not compiled yet."""

    def loop(x: int) -> int:
        return x + 1

    loop.__module__ = module
    compiled_loop: Callable[[int], int] = numba.njit(loop)
    return compiled_loop


def test_compiling_is_said_when_it_begins_and_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch)
    listener = compiled._Compiling()
    with numba.core.event.install_listener("numba:compile", listener):
        numba.njit(lambda x: x)(1)
        loop_of("somebody.else")(1)
        assert capsys.readouterr().err == ""
        for loop in (loop_of("mfverify.example"), loop_of("mfverify.example")):
            assert loop(1) == loop(1) == 2
    said = capsys.readouterr().err.splitlines()
    assert set(said) == {"mfverify: compiling loops, which takes up to two minutes and is done once for this version"}
    assert listener.said


def test_the_package_listens() -> None:
    assert any(isinstance(one, compiled._Compiling) for one in numba.core.event._registered["numba:compile"])


def test_the_logger_gets_what_is_not_printed(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level("INFO", logger="mfverify"), notices.silence():
        notices.progress("compiling something")
    assert caplog.messages == ["compiling something"]
    assert capsys.readouterr().err == ""
