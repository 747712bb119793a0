"""How commands end when something goes wrong that is neither a verdict nor bad input: a status of its own, one line, no traceback."""

from __future__ import annotations

import errno
import gc
import io
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import pytest

from mfverify import cli, exit_status, results, validation
from mfverify.cli import main, run
from mfverify.errors import ModelError
from mfverify.exit_status import ExitStatus
from mfverify.results import Store
from mfverify.verification import verify
from tests.architecture.sources import PROJECT

MODEL: dict[str, Any] = {
    "name": "modèle [red]x[/blue] :smile:",
    "discount": "1/2",
    "global_kernel": [[["1/3", "2/3"], [1, 0]], [[0, 1], ["1/2", "1/2"]]],
    "local_kernel": [[[[1, 0]], [["1/4", "3/4"]]], [[[0, 1]], [["1/2", "1/2"]]]],
    "global_reward": [[0, "-1/10"], [0, "-1/10"]],
    "local_reward": [[[1], [0]], [[0], [1]]],
}
"""Its name has a letter that ASCII lacks, and what would be markup and an emoji if it were read as such."""

COMMANDS: dict[str, Sequence[str]] = {
    "help": ["--help"],
    "claims": ["claims"],
    "claims as JSON": ["claims", "--json"],
    "solve": ["solve", "m.json", "--agents", "2"],
    "solve as JSON": ["solve", "m.json", "--agents", "2", "--json"],
    "gap": ["gap", "m.json", "--agents", "2", "--subsample", "1"],
    "export": ["export", "m.json", "--agents", "2", "--to", "drn", "--out", "x.drn"],
    "check": ["check", "c.json"],
    "verify": ["verify", "--claims", "P1", "--models", "m.json", "--workers", "1"],
}
"""Commands that print to standard output."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model and a certificate."""
    path = tmp_path_factory.mktemp("edges")
    (path / "m.json").write_text(json.dumps(MODEL))
    (path / "c.json").write_bytes((PROJECT / "reports" / "certificates" / "C3.json").read_bytes())
    return path


def started(folder: Path, *arguments: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """A command in a process of its own, with its standard error."""
    command = [sys.executable, "-m", "mfverify.cli", *arguments]
    return subprocess.run(command, stderr=subprocess.PIPE, timeout=120, check=False, cwd=folder, **more)


ENDING = ["help", "claims", "claims as JSON", "solve as JSON", "check"]
"""Commands whose standard output is a full disk, and then a pipe that nobody reads."""

FORKING = """
import gc, json, os, runpy, sys
import mfverify.certificate, mfverify.exact.optimal
from mfverify.papers import CATALOGUE
list(CATALOGUE)
gc.freeze()  # a forked process that visits all that was imported would copy it
def ends(arguments, output, errors):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.dup2(output, 1)
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), 2)
    sys.argv[1:] = arguments
    runpy.run_module("mfverify.cli", run_name="__main__", alter_sys=True)
reading, gone = os.pipe()
os.close(reading)
outputs = {"full": os.open("/dev/full", os.O_WRONLY), "gone": gone}
commands = json.loads(sys.argv[1])
print(json.dumps([[ends(commands[name], outputs[kind], f"{name} {kind}") for name in commands] for kind in outputs]))
"""
"""Runs each command in a process that is forked when all is imported, and ends as one that was started does."""


@pytest.fixture(scope="module")
def ended(folder: Path) -> dict[str, tuple[int, str]]:
    """How each command ends where its output cannot be written, its status and what it says."""
    command = [sys.executable, "-c", FORKING, json.dumps({name: COMMANDS[name] for name in ENDING})]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=240, check=True, cwd=folder)
    kinds = zip(("full", "gone"), json.loads(done.stdout), strict=True)
    found = [(f"{name} {kind}", status) for kind, statuses in kinds for name, status in zip(ENDING, statuses, strict=True)]
    return {name: (status, (folder / name).read_text(encoding="utf-8")) for name, status in found}


@pytest.mark.parametrize("name", ENDING)
def test_a_full_disk_behind_standard_output(ended: dict[str, tuple[int, str]], name: str) -> None:
    message = "mfverify: error: output cannot be written (No space left on device); free the disk or write elsewhere\n"
    assert ended[f"{name} full"] == (ExitStatus.OUTPUT, message)


@pytest.mark.parametrize("name", ENDING)
def test_a_reader_that_is_gone(ended: dict[str, tuple[int, str]], name: str) -> None:
    assert ended[f"{name} gone"] == (ExitStatus.BROKEN_PIPE, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_that_fills_up_in_the_middle_of_a_document(folder: Path, unbuffered: str) -> None:
    """Of a write to an unbuffered stream Python drops what the system does not take, and says nothing."""

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    with (folder / "shown").open("wb") as shown:
        done = started(folder, "claims", "--json", stdout=shown, preexec_fn=small_disk, env=os.environ | {"PYTHONUNBUFFERED": unbuffered})
    assert (folder / "shown").stat().st_size == 10_000
    assert (done.returncode, done.stderr.count(b"\n")) == (ExitStatus.OUTPUT, 1)


def test_bad_input_where_standard_error_is_full(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "mfverify.cli", "solve", "nowhere.json", "--agents", "2"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, timeout=120, check=False, cwd=folder)
    assert (done.returncode, done.stdout) == (ExitStatus.BAD_INPUT, b"")


def test_a_closed_standard_output(folder: Path) -> None:
    done = started(folder, "solve", "m.json", "--agents", "1", stdout=None, preexec_fn=lambda: os.close(1))
    assert (done.returncode, done.stderr) == (ExitStatus.DONE, b"")


def test_garbage_is_not_searched_for_when_the_process_ends(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    frozen: list[bool] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    assert run(["--help"]) == ExitStatus.DONE
    assert frozen == [], "the garbage collector of a caller is left as it is"
    monkeypatch.setattr(sys, "argv", ["mfverify", "--help"])
    assert run() == ExitStatus.DONE
    assert frozen == [True]
    capsys.readouterr()


# ---------------------------------------------------------------------------------------------------------- what is shown


@pytest.mark.parametrize("name", ["solve", "gap", "export", "verify"])
def test_a_name_that_the_encoding_lacks_or_that_looks_like_markup(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "stdout", shown)
    assert run(COMMANDS[name]) == ExitStatus.DONE
    assert shown.errors == "strict", "what the caller had set is left changed"
    text = shown.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]  # the BytesIO above
    if name != "verify":
        assert "mod\\xe8le [red]x[/blue] :smile:" in " ".join(text.split())


def test_a_process_whose_terminal_has_ascii_only(folder: Path) -> None:
    done = started(folder, *COMMANDS["solve"], stdout=subprocess.PIPE, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (ExitStatus.DONE, b"")
    assert b"mod\\xe8le" in done.stdout
    refused = started(folder, "solve", "modèle.json", "--agents", "2", env=os.environ | {"PYTHONIOENCODING": "ascii:strict"})
    assert refused.returncode == ExitStatus.BAD_INPUT
    assert b"mod\\xe8le.json: cannot be read" in refused.stderr


def test_progress_shows_names_as_they_are(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run(COMMANDS["verify"]) == ExitStatus.DONE
    assert capsys.readouterr().out


# ---------------------------------------------------------------------------------------------------------- crashes


class _WithoutText(Exception):
    """An error whose text cannot be made."""

    def __str__(self) -> str:
        raise ValueError


CRASHES: dict[str, tuple[BaseException, str]] = {
    "bug": (TypeError("found\nNone"), "internal error: TypeError: found None (in test_exit_status.py, line "),
    "recursion": (RecursionError("too deep"), "internal error: RecursionError: too deep"),
    "no text": (_WithoutText(), "internal error: _WithoutText (in "),
    "exit": (SystemExit(0), "internal error: SystemExit: 0"),
    "pipe of a worker": (BrokenPipeError(errno.EPIPE, "Broken pipe"), "internal error: BrokenPipeError"),
    "file": (FileNotFoundError(errno.ENOENT, "No such file", "/x"), "internal error: FileNotFoundError"),
    "memory": (MemoryError(), "error: out of memory; use fewer agents"),
}


@pytest.mark.parametrize(("command", "crash"), [*(("solve", crash) for crash in CRASHES), *((command, "bug") for command in main.commands if command != "solve")])
def test_a_crash_is_one_line_with_a_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest, command: str, crash: str
) -> None:
    error, message = CRASHES[crash]

    def crashing(**_: Any) -> None:
        raise error

    monkeypatch.delenv(exit_status.TRACEBACK, raising=False)
    monkeypatch.setattr(cli.main, "commands", {command: click.Command(command, callback=crashing)})
    stdout = os.fdopen(os.dup(1), "w")
    request.addfinalizer(stdout.close)
    monkeypatch.setattr(sys, "stdout", stdout)
    assert run([command]) == ExitStatus.INTERNAL
    shown = capfd.readouterr().err
    assert shown.startswith(f"mfverify: {message}") and shown.count("\n") == 1
    assert "Traceback" not in shown
    if shown.startswith("mfverify: internal error"):
        assert "please report it, with what MFVERIFY_TRACEBACK=1 prints" in shown
    monkeypatch.setenv(exit_status.TRACEBACK, "1")
    assert run([command]) == ExitStatus.INTERNAL
    if crash != "no text":
        assert "Traceback" in capfd.readouterr().err


def test_memory_that_is_really_short(folder: Path) -> None:
    code = (
        "import sys\nfrom mfverify import cli\n"
        "def hungry(**_):\n    return bytearray(1 << 62)\n"
        "cli.main.commands['solve'].callback = hungry\nsys.exit(cli.run(['solve', 'm.json', '--agents', '1']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False, cwd=folder)
    assert (done.returncode, done.stdout) == (ExitStatus.INTERNAL, "")
    assert done.stderr.startswith("mfverify: error: out of memory")


def test_real_recursion(folder: Path) -> None:
    code = (
        "import sys\nfrom mfverify import cli\n"
        "def deep(**_):\n    return deep()\n"
        "cli.main.commands['claims'].callback = deep\nsys.exit(cli.run(['claims']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (ExitStatus.INTERNAL, "", 1)
    assert "RecursionError" in done.stderr


# ---------------------------------------------------------------------------------------------------------- what is promised


def test_help_and_documentation_state_every_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == ExitStatus.DONE
    shown = " ".join(capsys.readouterr().out.split())
    page = (PROJECT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", page, re.MULTILINE))
    assert {int(number) for number in rows} == set(ExitStatus)
    for status in ExitStatus:
        assert f"{status.value} {status.meaning}" in shown
        assert rows[str(status.value)].replace("`", "") == status.meaning


def test_statuses_are_plain_numbers() -> None:
    assert [int(status) for status in ExitStatus] == [0, 1, 2, 70, 74, 130, 141]
    assert json.dumps(ExitStatus.INTERNAL) == "70"


# ---------------------------------------------------------------------------------------------------------- Windows


@pytest.mark.parametrize("command", [["claims"], ["--help"], ["verify", "--out", "here"]])
def test_another_system_is_refused_in_one_line(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(validation, "POSIX", False)
    monkeypatch.chdir(tmp_path)
    assert run(command) == ExitStatus.BAD_INPUT
    assert capsys.readouterr() == (
        "",
        "mfverify: error: mfverify: needs Linux, macOS or another POSIX system; Windows is not supported, its Linux subsystem (WSL) is one\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_results_is_refused_on_another_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(validation, "POSIX", False)
    attempts: list[Callable[[], object]] = [
        lambda: Store(tmp_path / "here" / "results.sqlite"),
        lambda: verify(["C1"], out=tmp_path / "here", workers=1),
    ]
    for attempt in attempts:
        with pytest.raises(ModelError, match=r"results\.sqlite: needs Linux, macOS or another POSIX system"):
            attempt()
    assert list(tmp_path.iterdir()) == []
    assert results.require_posix is validation.require_posix
