"""The store of finished instances: SQLite, one row each, keyed by the hash of claim, model, parameters and code.

A finished instance is written at once and atomically, so an interrupted run keeps everything that was finished and a
later one redoes only what is missing.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from mfverify.claims.claim import Finding
from mfverify.enclosure import Interval
from mfverify.errors import ModelError


@lru_cache(maxsize=1)
def code_version() -> str:
    """Hash of the package's sources: results of other code are never taken for results of this code."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def finding_document(found: Finding, reproduce: str) -> dict[str, Any]:
    """One instance as it stands in ``report.json``."""
    instance = found.instance
    slack = None
    if found.left is not None and found.right is not None and (found.left > 0) is True and found.right.lower >= 0:
        slack = _json(found.right / found.left)
    return {
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


def _json(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else interval.to_json()


class Store:
    """Finished instances in a SQLite file; a context manager. Raises :class:`ModelError` where the file is not usable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=30)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("CREATE TABLE IF NOT EXISTS finding (key TEXT PRIMARY KEY, document TEXT NOT NULL)")
            self._connection.commit()
        except (sqlite3.Error, OSError) as error:
            raise ModelError(f"{path}: cannot be used as a store of results ({error}); choose another folder or remove the file") from None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()

    def get(self, key: str) -> dict[str, Any] | None:
        """A finished instance, or None. Raises :class:`ModelError` where the file is damaged."""
        try:
            row = self._connection.execute("SELECT document FROM finding WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            document = json.loads(row[0])
            if not isinstance(document, dict):
                raise ValueError("a stored result is not an object")
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise ModelError(f"{self.path}: cannot be read back ({error}); remove the file and run without --resume") from None
        return document

    def put(self, key: str, document: dict[str, Any]) -> None:
        """Keep a finished instance; on the disk when this returns."""
        try:
            with self._connection:
                self._connection.execute("INSERT OR REPLACE INTO finding VALUES (?, ?)", (key, json.dumps(document)))
        except sqlite3.Error as error:
            raise ModelError(
                f"{self.path}: a result cannot be kept ({error}); free the disk or choose another folder, then --resume"
            ) from None

    def clear(self) -> None:
        """Forget everything: a run without ``--resume`` starts anew."""
        try:
            with self._connection:
                self._connection.execute("DELETE FROM finding")
        except sqlite3.Error as error:
            raise ModelError(f"{self.path}: cannot be emptied ({error}); choose another folder or remove the file") from None
