"""How a command ends: its exit status, and one line on standard error for every unplanned end.

The numbers from 64 up are those of ``sysexits.h``; 128 + n is what a shell reports for a program that signal n has ended.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from typing import Final, TextIO

TRACEBACK: Final = "MFVERIFY_TRACEBACK"
"""An environment variable; if it is set and not empty, the traceback of an internal error is printed too."""

OUTPUT_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""What the system says where an open stream cannot take more."""


class ExitStatus(IntEnum):
    """The exit status of every command; ``meaning`` is what help and documentation say about it."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitStatus:
        """A member with its sentence."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    DONE = 0, "done, and as registered"
    DIFFERS = 1, "a status or verdict differs from what is registered (or, comparing, from the other run); a certificate is refused"
    BAD_INPUT = 2, "bad usage or bad input: one line that names the place, the value and the remedy"
    INTERNAL = 70, f"an internal error, a fault of mfverify, or too little memory: one line; {TRACEBACK}=1 adds the traceback to report"
    OUTPUT = 74, "output cannot be written, such as to a full disk"
    INTERRUPTED = 130, "interrupted; with --out, finished instances are kept, and --resume continues"
    BROKEN_PIPE = 141, "the reader of standard output is gone, as in a pipe into head; nothing is printed"


def unplanned(error: BaseException) -> ExitStatus:
    """Report an error that no command plans for, and the exit status for it. Never raises."""
    if isinstance(error, BrokenPipeError) and _reader_is_gone():
        return ExitStatus.BROKEN_PIPE
    if isinstance(error, OSError) and error.errno in OUTPUT_ERRORS and error.filename is None:
        tell(f"error: output cannot be written ({os.strerror(error.errno)}); free the disk or write elsewhere")
        return ExitStatus.OUTPUT
    if os.environ.get(TRACEBACK):
        with suppress(Exception):
            sys.stderr.write("".join(traceback.format_exception(error)))
    if isinstance(error, MemoryError):
        tell("error: out of memory; use fewer agents, fewer --workers or a machine with more memory")
        return ExitStatus.INTERNAL
    tell(f"internal error: {_described(error)}; this is a fault of mfverify: please report it, with what {TRACEBACK}=1 prints")
    return ExitStatus.INTERNAL


def tell(message: str) -> None:
    """One line on standard error, control characters replaced; nothing where it cannot be written."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(message.split()))
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"mfverify: {line}\n")
        sys.stderr.flush()


def _reader_is_gone() -> bool:
    """Whether it is standard output that nothing reads any more; another pipe that breaks is an error of the program."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), select.POLLOUT)
        return any(event & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, event in poll.poll(0))
    except (OSError, ValueError, AttributeError):  # no stream of the system
        return True


def _described(error: BaseException) -> str:
    """The error and where it was raised."""
    try:
        said = f"{type(error).__name__}: {error}"[:300]
    except Exception:  # its own text cannot be made
        said = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    return said + "".join(f" (in {Path(frame.filename).name}, line {frame.lineno})" for frame in frames)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Let standard output and standard error take every character, lose nothing, and end quietly where they cannot be written.

    - A character that the encoding of a stream lacks is written as an escape, such as ``\\xe9``.
    - An unbuffered stream (``PYTHONUNBUFFERED``) gets a buffer, because Python drops what the system does not take of one write to it.
    - A stream of the process that has failed leads nowhere from then on, so that the interpreter does not fail again on what is left
      in its buffer.

    What the caller had set is restored.
    """
    with _tolerant("stdout"), _tolerant("stderr"):
        yield


@contextmanager
def _tolerant(name: str) -> Iterator[None]:
    given = getattr(sys, name)
    if not isinstance(given, io.TextIOWrapper):
        yield
        return
    raw = given.buffer if isinstance(given.buffer, io.RawIOBase) else None
    stream = given if raw is None else io.TextIOWrapper(io.BufferedWriter(raw), given.encoding, line_buffering=True)
    errors = given.errors
    with suppress(OSError, ValueError):
        stream.reconfigure(errors="backslashreplace")
    setattr(sys, name, stream)
    try:
        yield
    finally:
        setattr(sys, name, given)
        try:
            stream.flush()
        except (OSError, ValueError):
            _give_up(given, name)
        with suppress(OSError, ValueError):
            if raw is None:
                stream.reconfigure(errors=errors)
            else:
                stream.detach().detach()  # also from the buffer made above


def _give_up(stream: TextIO, name: str) -> None:
    """Discard what is written to a standard stream of this process; a stream that a caller has put in its place is left alone."""
    if stream is getattr(sys, f"__{name}__"):
        with suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
