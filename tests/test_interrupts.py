"""Control-C ends a command also where Python loses it, and is left to who handles or ignores it."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from mfverify import cli
from mfverify.cli import run
from mfverify.interrupts import remembered
from tests.signals import control_c_interrupts, control_c_is_ignored


@pytest.fixture(autouse=True)
def as_in_a_terminal() -> Iterator[None]:
    """Python's own handler, also where the tests run with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt(*_: object) -> int:
    """Control-C at this moment."""
    signal.raise_signal(signal.SIGINT)
    return 0


def in_a_callback() -> None:
    """As where LLVM calls back: the exception ends in C code."""
    ctypes.CFUNCTYPE(ctypes.c_int)(interrupt)()


class InItsEnd:
    """An object at whose end Control-C is pressed."""

    def __del__(self) -> None:
        interrupt()


def at_the_end_of_an_object() -> None:
    InItsEnd()


def many_times() -> None:
    """Lost again where it is raised again."""
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        in_a_callback()


@pytest.mark.parametrize("lose", [in_a_callback, at_the_end_of_an_object, many_times])
def test_an_interrupt_that_python_loses_is_raised_again(lose: Callable[[], None]) -> None:
    report = sys.unraisablehook
    with pytest.raises(KeyboardInterrupt), remembered() as control_c:
        assert not control_c.seen
        lose()
        time.sleep(30)
    assert control_c.seen
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert sys.unraisablehook is report


def test_python_loses_it() -> None:
    """What the test above is about."""
    script = f"import tests.test_interrupts as t; t.{in_a_callback.__name__}(); print('went on')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, preexec_fn=control_c_interrupts)
    assert done.stdout == "went on\n" and "KeyboardInterrupt" in done.stderr


def test_nothing_is_raised_after_the_block() -> None:
    with remembered():
        in_a_callback()
    time.sleep(0.2)


def test_other_errors_that_are_lost_are_reported_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: seen.append(unraisable.exc_type.__name__))

    def fails() -> int:
        raise ZeroDivisionError

    with remembered():
        ctypes.CFUNCTYPE(ctypes.c_int)(fails)()
    assert seen == ["ZeroDivisionError"]


def replaced(_: list[str]) -> int:
    """As an extension module does that is interrupted while it is imported."""
    try:
        interrupt()
    except KeyboardInterrupt:
        raise ImportError("failed to import") from None
    return 0


def swallowed(_: list[str]) -> int:
    """As a library does that catches everything."""
    try:
        interrupt()
    except BaseException:
        return 0
    return 1


def fails(_: list[str]) -> int:
    raise ImportError("failed to import")


@pytest.mark.parametrize(("command", "status", "said"), [(replaced, 130, "mfverify: interrupted"), (swallowed, 130, ""), (fails, 70, "mfverify: internal")])
def test_a_command_that_was_interrupted_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: Callable[[list[str]], int], status: int, said: str
) -> None:
    monkeypatch.setattr(cli, "_run", command)
    assert run([]) == status
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(said) and len(err.splitlines()) == bool(said)


def test_a_handler_of_the_caller_is_left_alone() -> None:
    heard: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        heard.append(number)

    signal.signal(signal.SIGINT, handle)
    with remembered() as control_c:
        interrupt()
        assert signal.getsignal(signal.SIGINT) is handle
    assert heard == [signal.SIGINT] and not control_c.seen


def test_in_a_thread_nothing_is_changed() -> None:
    seen: list[object] = []

    def work() -> None:
        with remembered():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_command_that_is_started_with_the_signal_ignored_goes_on(workers: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mfverify.cli", "verify", "--claims", "L1", "--workers", workers, "--out", str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=control_c_is_ignored) as child:
        while child.poll() is None:
            time.sleep(0.2)
            child.send_signal(signal.SIGINT)
        out, err = child.communicate()
    assert (child.returncode, err) == (0, "")
    assert "report.json" in out
