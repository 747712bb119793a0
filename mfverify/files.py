"""Files are written whole or not at all, and the kind of file at a path decides how.

- A regular file, or nothing: the content goes to a temporary file beside it, which then takes its place. A file that was there
  keeps its mode and, where the system allows it, its owner; a new one gets the mode that the umask asks for.
- A symbolic link: the file that it points to is written, and the link stays.
- A character device, a pipe, or an open standard stream (``/dev/null``, ``/dev/stdout``, a FIFO): the content is written
  through once it is complete.
- A folder, a block device, a socket or a read-only file is refused.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

from mfverify.errors import ModelError

_HELD_IN_MEMORY = 2**26
"""Bytes of a content that waits to be written through; a longer one waits in a temporary file."""

_REFUSED = ((stat.S_ISDIR, "it is a folder"), (stat.S_ISBLK, "it is a block device"), (stat.S_ISSOCK, "it is a socket"))


def write_whole(path: Path, text: str) -> None:
    """Write UTF-8 text; see :func:`whole_file`."""
    with whole_file(path) as stream:
        stream.write(text.encode("utf-8"))


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A binary stream whose content is moved to ``path`` when the block ends without an error, so that no reader sees half a file.

    If anything fails before that, ``path`` is unchanged. Raises :class:`ModelError` where ``path`` cannot be
    written; folders that are missing are made.
    """
    check_writable(path)
    try:
        if is_stream(path):
            with tempfile.SpooledTemporaryFile(_HELD_IN_MEMORY) as held:
                yield cast(BinaryIO, held)
                held.seek(0)
                with _opened_stream(path) as stream:
                    shutil.copyfileobj(held, stream)
            return
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.parent / f".mfverify-{secrets.token_hex(8)}"
        # The mode that the umask leaves of 0666 is that of any new file.
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o666)
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            _as_before(target, temporary)
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path, error.strerror or type(error).__name__) from None


def check_writable(path: Path, option: str = "") -> None:
    """Refuse a path at which no file can be written, before any work; the message begins with the name of the option, if given.

    Raises :class:`ModelError` for a folder, a block device, a socket, a file without permission to write, and where a file cannot
    be made because the nearest folder that exists is none or cannot be written to.
    """
    place = f"{option}: {path}" if option else str(path)
    try:
        status = _status(path)
        for is_kind, reason in _REFUSED:
            if status is not None and is_kind(status.st_mode):
                raise _unwritable(place, reason)
        if is_stream(path):
            return
        target = Path(os.path.realpath(path))
        if status is not None and not os.access(target, os.W_OK):
            raise _unwritable(place, "it is read-only")
        folder = next(folder for folder in target.parents if folder.exists())
        if not folder.is_dir():
            raise _unwritable(place, f"{folder} is not a folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise _unwritable(place, f"no permission to write into {folder}")
    except OSError as error:
        raise _unwritable(place, error.strerror or type(error).__name__) from None
    except ValueError as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{place}: is not a path; give the name of a file".replace("\0", "\\0")) from None


def is_stream(path: Path) -> bool:
    """Whether ``path`` is a stream that is written through: a character device, a pipe, an open standard stream."""
    status = _status(path)
    return status is not None and (stat.S_ISCHR(status.st_mode) or stat.S_ISFIFO(status.st_mode) or _standard(status) is not None)


def _opened_stream(path: Path) -> IO[bytes]:
    """Open a stream for writing. An open standard stream is not opened again: it keeps its place in the file that it leads to."""
    status = _status(path)
    number = None if status is None else _standard(status)
    if number is None:
        return open(path, "wb")
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    return os.fdopen(os.dup(number), "wb")


def _standard(status: os.stat_result) -> int | None:
    """The number of the standard stream (output, errors) that leads to this file."""
    for number in (1, 2):
        with suppress(OSError):
            if os.path.samestat(status, os.fstat(number)):
                return number
    return None


def _status(path: Path) -> os.stat_result | None:
    """Status of the file that a path refers to, symbolic links followed; None if there is none."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _as_before(target: Path, temporary: Path) -> None:
    """Give the new file the owner and the permissions of the one that it replaces. Only the superuser can give a file away."""
    before = _status(target)
    if before is None:
        return
    with suppress(OSError):
        os.chown(temporary, before.st_uid, before.st_gid)
    os.chmod(temporary, before.st_mode & 0o777)


def _unwritable(place: Path | str, reason: str) -> ModelError:
    return ModelError(f"{place}: cannot be written ({reason}); choose a folder that can be written to, and the name of a file")
