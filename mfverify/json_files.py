"""Untrusted JSON files: of bounded size, in UTF-8, without repeated keys, and nested no deeper than the parser can follow.

Model files, stored reports and certificates are data. They are parsed and never executed; any fault in one is a
:class:`~mfverify.errors.ModelError` that names the file.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mfverify.errors import ModelError


class _RepeatedKeyError(Exception):
    """A key occurs twice in one table: which of the two values counts would depend on the parser."""


def read_text(path: Path, largest: int, wanted: str) -> str:
    """The text of a regular file of at most ``largest`` bytes; ``wanted`` says in the message what to give instead."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path}: is not a file; give {wanted}")
        if status.st_size > largest:
            raise ModelError(f"{path}: the file is larger than {largest // 2**20} MiB, which no such file needs; give {wanted}")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); give {wanted}") from None
    except ValueError as error:
        if isinstance(error, ModelError):
            raise
        reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "is not a path"
        raise ModelError(f"{path}: {reason}; give {wanted}".replace("\0", "\\0")) from None


def parse_json(path: Path, text: str, decimal: Callable[[str], Any] | None = None) -> dict[str, Any]:
    """The table at the top of a JSON text; ``decimal`` reads numbers with a point or an exponent, nan and infinities."""
    try:
        document: Any = json.loads(text, parse_float=decimal, parse_constant=decimal, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise ModelError(f"{path}: {error}") from None
    except _RepeatedKeyError as error:
        raise ModelError(f"{path}: the key {error} occurs twice in one table; give each key once") from None
    except (RecursionError, ValueError):
        raise ModelError(f"{path}: nested too deeply or holds a number that is too long") from None
    if not isinstance(document, dict):
        raise ModelError(f"{path}: found {type(document).__name__} at the top, expected a table of keys")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise _RepeatedKeyError(repr(key if len(key) <= 40 else key[:37] + "..."))
        table[key] = value
    return table
