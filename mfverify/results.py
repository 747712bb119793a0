"""The store of finished instances: SQLite, one row each, keyed by the hash of claim, model, parameters and code.

A finished instance is written at once and atomically, so an interrupted run keeps everything that was finished and a
later one redoes only what is missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from mfverify.bundled import FOLDERS
from mfverify.enclosure import Interval
from mfverify.errors import ModelError
from mfverify.theory.claim import Finding, Verdict, contradiction
from mfverify.validation import require_posix

LIBRARIES: Final = ("numpy", "scipy", "numba", "llvmlite", "sympy", "mpmath", "gmpy2", "python-flint")
"""The packages that compute numbers; sympy computes with mpmath, and with gmpy2 where it is installed."""


@lru_cache(maxsize=1)
def library_versions() -> str:
    """Python and the packages that compute numbers, with their versions, as one line."""
    found = [f"Python {platform.python_version()}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


@lru_cache(maxsize=1)
def code_version() -> str:
    """Hash of all code that computes: the package's sources, the same in a checkout and installed, and the versions of the libraries below.

    Results of other code are never taken for results of this code.
    """
    root = Path(__file__).parent
    digest = hashlib.sha256(library_versions().encode())
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] not in FOLDERS:
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


_PARTS = frozenset(
    [
        "model",
        "agents",
        "subsample",
        "parameters",
        "label",
        "verdict",
        "actual",
        "bound",
        "trivial",
        "slack",
        "reason",
        "details",
        "reproduce",
    ]
)
"""The keys of one instance in the report."""

_LATER_COLUMNS = {"code": "TEXT", "digest": "TEXT", "seconds": "REAL"}
"""Columns that a store of an earlier version may lack."""

_DAMAGE = (sqlite3.Error, UnicodeDecodeError, MemoryError)
"""What a damaged file raises: SQLite quotes it in its messages, and the quoted bytes may be no text; a length in it may be absurd."""

_BUSY_SECONDS = 30.0
"""How long to wait for another process that writes; a row takes milliseconds."""


_QUICK_SECONDS: Final = 0.1
"""What took less is computed again sooner than a sync of the disk for each of some thousand rows is waited for."""


def finding_document(found: Finding, reproduce: str) -> dict[str, Any]:
    """One instance as an entry of ``report.json``.

    The verdict can be derived from the two sides: where doubles are too coarse for that, their bounds are exact.
    """
    instance = found.instance.written
    slack = None
    if found.left is not None and found.right is not None and (found.left > 0) is True and found.right.lower >= 0:
        slack = _json(found.right / found.left)
    document: dict[str, Any] = {
        "model": instance.model.name if instance.model else None,
        "agents": instance.agents,
        "subsample": instance.subsample,
        "parameters": dict(instance.parameters),
        "label": instance.label,
        "verdict": found.verdict.value,
        "actual": _json(found.left),
        "bound": _json(found.right),
        "trivial": _json(found.trivial),
        "slack": slack,
        "reason": found.reason,
        "details": dict(found.details),
        "reproduce": reproduce,
    }
    if contradiction(document):
        for name, interval in (("actual", found.left), ("bound", found.right), ("trivial", found.trivial)):
            if interval is not None:
                document[name] |= {"ends": interval.ends_in_full()}
    return document


def _json(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else interval.to_json()


class Store:
    """Finished instances in a SQLite file; a context manager. Raises :class:`ModelError` where the file is not usable.

    Several runs, and the worker processes of each, may have the same file open: every result is a separate row, the same
    from every writer. The last to close the file removes SQLite's write-ahead log, so that one file is left. A store that is sent to
    another process opens the file there for each result (about 0.2 ms more): a worker that waits for work, or is ended, holds
    nothing open. A row carries a digest of its
    content, because a digit that a disk has changed would be a wrong number in a report; a row that does not match its
    digest counts as not finished.
    """

    def __init__(self, path: Path) -> None:
        require_posix(str(path))
        self.path = path
        if path.exists() and not path.is_file():
            raise ModelError(f"{path}: cannot be used as a store of results (it is not a file); choose another folder or remove it")
        if path.exists() and not os.access(path, os.W_OK):  # SQLite would notice when the first result is finished
            raise ModelError(f"{path}: cannot be used as a store of results (it is read-only); choose another folder or remove the file")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._folder = os.open(path.parent, os.O_RDONLY)
            _lock(self._folder, "LOCK_SH")
            self._connection = _opened(path)
        except (*_DAMAGE, OSError) as error:
            raise ModelError(
                f"{path}: cannot be used as a store of results ({_said(error)}); choose another folder or remove the file"
            ) from None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()
        os.close(self._folder)

    def __reduce__(self) -> tuple[Any, ...]:
        return _StoreElsewhere, (self.path.absolute(),)

    def get(self, key: str) -> dict[str, Any] | None:
        """A finished instance, or None, also where its row is damaged. Raises :class:`ModelError` where the file is, or where a row
        with a digest that fits contradicts itself: then it was not a disk that changed it."""
        try:
            row = self._connection.execute("SELECT digest, document FROM finding WHERE key = ?", (key,)).fetchone()
        except _DAMAGE as error:
            raise self._unreadable(error) from None
        if row is None or not isinstance(row[1], str) or row[0] != _digest(key, row[1]):
            return None
        try:
            document = json.loads(row[1])
        except (ValueError, RecursionError):
            return None
        if not _is_finding(document):
            return None
        finished: dict[str, Any] = document
        try:
            said = contradiction(document)
        except ModelError as error:
            said = str(error)
        if said:
            raise ModelError(
                f"{self.path}: the instance {document['label']!r:.120}: {said}; the file was changed, so remove it and run without --resume"
            )
        return finished

    def seconds(self, key: str) -> float | None:
        """How long a finished instance took, where the store knows."""
        try:
            row = self._connection.execute("SELECT seconds FROM finding WHERE key = ?", (key,)).fetchone()
        except _DAMAGE as error:
            raise self._unreadable(error) from None
        known = row is not None and isinstance(row[0], float) and 0 <= row[0] < float("inf")
        return row[0] if known else None

    def put(self, key: str, document: Mapping[str, Any], seconds: float | None = None) -> None:
        """Keep a finished instance and how long it took; it is there when the process is killed, and on the disk when this returns, but
        for one of less than :data:`_QUICK_SECONDS`: that goes to the disk with a later one or when the store is closed.
        """
        text = json.dumps(document)
        quick = seconds is not None and seconds < _QUICK_SECONDS
        try:
            self._connection.execute(f"PRAGMA synchronous={'NORMAL' if quick else 'FULL'}")
            with self._connection:
                self._connection.execute(
                    "INSERT OR REPLACE INTO finding (key, code, digest, document, seconds) VALUES (?, ?, ?, ?, ?)",
                    (key, code_version(), _digest(key, text), text, seconds),
                )
        except _DAMAGE as error:
            raise ModelError(
                f"{self.path}: a result cannot be kept ({_said(error)}); free the disk or choose another folder, then --resume"
            ) from None

    def forget_other_code(self) -> None:
        """Drop results that this code can never use, so that the file does not grow without limit; not while another run uses it."""
        if not _lock(self._folder, "LOCK_EX"):
            return
        try:
            with self._connection:
                self._connection.execute("DELETE FROM finding WHERE code IS NOT ?", (code_version(),))
        except _DAMAGE as error:
            raise self._unreadable(error) from None
        finally:
            _lock(self._folder, "LOCK_SH")

    def _unreadable(self, error: Exception) -> ModelError:
        return ModelError(f"{self.path}: cannot be read back ({_said(error)}); remove the file and run without --resume")


@dataclass(frozen=True)
class _StoreElsewhere:
    """A store as a worker process has it."""

    path: Path

    def put(self, key: str, document: Mapping[str, Any], seconds: float | None = None) -> None:
        """As :meth:`Store.put`."""
        with Store(self.path) as store:
            store.put(key, document, seconds)


def _opened(path: Path) -> sqlite3.Connection:
    """A connection that can write, to a table of the present shape."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level="IMMEDIATE")
    try:
        _write_ahead(connection)
        # Beginning to write is what a read-only file refuses, here and not when the first result is finished.
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("CREATE TABLE IF NOT EXISTS finding (key TEXT PRIMARY KEY, document TEXT NOT NULL)")
            columns = {row[1] for row in connection.execute("PRAGMA table_info(finding)")}
            for name, kind in _LATER_COLUMNS.items() if {"key", "document"} <= columns else ():
                if name not in columns:
                    connection.execute(f"ALTER TABLE finding ADD COLUMN {name} {kind}")
            connection.execute("SELECT key, code, digest, document, seconds FROM finding LIMIT 1")
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log, in which a row costs one write; SQLite does not wait for others that switch at the same time."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _lock(folder: int, kind: str) -> bool:
    """Lock a folder for this run, shared or (without waiting) alone; False where that cannot be had."""
    try:
        import fcntl

        fcntl.flock(folder, getattr(fcntl, kind) | (fcntl.LOCK_NB if kind == "LOCK_EX" else 0))
    except (ImportError, OSError):
        return False
    return True


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


def _digest(key: str, text: str) -> str:
    return hashlib.sha256(f"{key}\n{text}".encode()).hexdigest()


def _is_finding(document: Any) -> bool:
    """Whether a stored document has the parts of :func:`finding_document`: a store is untrusted input."""
    return isinstance(document, dict) and set(document) == _PARTS and document["verdict"] in [v.value for v in Verdict]
