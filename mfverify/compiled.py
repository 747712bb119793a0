"""Compiled loops, kept on disk until the source of any of them changes.

numba keeps what it compiled for as long as the *file* of a function stays the same. A loop that uses loops of other files holds their
machine code too and would outlive a change of them: after an update it could compute by the old rule. Here all compiled
loops of the package are kept in one folder, named after the sources of all of them.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba

_PACKAGE = Path(__file__).parent
_USES = (b"numba", b"mfverify.compiled")


def njit(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """``numba.njit`` with what it compiles kept; ``options`` are numba's. A decorator, with or without options."""
    if function is None:
        return lambda given: njit(given, **options)
    chosen = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = folder(chosen)
    try:
        return numba.njit(cache=True, **options)(function)
    finally:
        numba.config.CACHE_DIR = chosen


@lru_cache(maxsize=4)
def folder(chosen: str = "") -> str:
    """Where this version's loops are kept: in ``chosen`` (numba's ``NUMBA_CACHE_DIR``), else beside the package, else with the user."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        if any(word in content for word in _USES):
            digest.update(content)
    name = f"loops-{digest.hexdigest()[:16]}"
    places = [Path(chosen)] if chosen else [_PACKAGE / "__pycache__", Path.home() / ".cache" / "mfverify"]
    return str(next((place / name for place in places if _writable(place / name)), places[0] / name))


def _writable(place: Path) -> bool:
    try:
        os.makedirs(place, exist_ok=True)
        tempfile.TemporaryFile(dir=place).close()
    except OSError:
        return False
    return True
