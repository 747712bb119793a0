"""Files are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mfverify.errors import ModelError


def write_whole(path: Path, text: str) -> None:
    """Write UTF-8 text; see :func:`whole_file`."""
    with whole_file(path) as stream:
        stream.write(text.encode("utf-8"))


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A stream into a temporary neighbour that is renamed into place at the end, so that no reader ever sees half a file.

    If anything fails on the way, the temporary file is removed and what stood at ``path`` still stands there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise ModelError(f"{path}: cannot be written ({error.strerror}); choose a folder that can be") from None
