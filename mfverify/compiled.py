"""Compiled loops, kept on disk until the source of any of them changes.

numba keeps what it compiled for as long as the *file* of a function stays the same. A loop that uses loops of other files holds their
machine code too and would outlive a change of them: after an update it could compute by the old rule. Here all compiled
loops of the package are kept in one folder, named after the sources of all of them, with a folder inside for each set of options,
since numba gives the form for all threads to who asks for the one for one thread. Where no folder can be written, every process
compiles what it uses, and says so once.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
from numba.core import event
from numba.core.caching import FunctionCache

from mfverify import notices

_PACKAGE = Path(__file__).parent
_USES = (b"numba", b"mfverify.compiled")

_SETTING_UP = threading.Lock()
"""Held while numba's setting of a folder is ours."""

_NOT_KEPT = "compiled loops cannot be kept, so every process compiles them; set NUMBA_CACHE_DIR to a folder that can be written"


def njit(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """``numba.njit`` with what it compiles kept; ``options`` are numba's. A decorator, with or without options."""
    if function is None:
        return lambda given: njit(given, **options)
    loop = numba.njit(**options)(function)
    if numba.config.DISABLE_JIT:
        return loop
    with _SETTING_UP:
        chosen = numba.config.CACHE_DIR
        place = folder(chosen)
        if place:
            numba.config.CACHE_DIR = os.path.join(place, _named(options))
            try:
                with suppress(RuntimeError):  # no function without a file is kept, such as one that was typed in
                    loop._cache = _Kept(function)
            finally:
                numba.config.CACHE_DIR = chosen
    return loop


def uncounted(function: Callable[..., Any]) -> Any:
    """:func:`njit` of a function that makes and returns no array and is called by compiled ones only: references to its arrays, all of
    which its caller holds, are not counted. In a loop over few numbers counting them takes longer than the rest."""
    return njit(function, _nrt=False)


def _named(options: dict[str, Any]) -> str:
    """A folder for what is compiled with these options, which numba does not look at: the forms for one thread and for all are two."""
    spelled = sorted((name, sorted(value) if isinstance(value, (set, frozenset)) else value) for name, value in options.items())
    return hashlib.sha256(repr(spelled).encode()).hexdigest()[:8]


class _Kept(FunctionCache):  # type: ignore[misc]  # numba has no types
    """The files of a loop. A file that cannot be read or written is as none: then the loop is compiled, and not kept."""

    def load_overload(self, *asked: Any) -> Any:
        try:
            return super().load_overload(*asked)
        except OSError:
            return None

    def save_overload(self, *compiled: Any) -> None:
        try:
            super().save_overload(*compiled)
        except OSError:
            notices.once(_NOT_KEPT)


class _Compiling(event.Listener):  # type: ignore[misc]  # numba has no types
    """Says on a terminal when this process begins to compile loops of this package, which nothing else shows for up to minutes."""

    def __init__(self) -> None:
        self.said = False

    def on_start(self, event: Any) -> None:
        if self.said or not event.data["dispatcher"].py_func.__module__.startswith("mfverify."):
            return
        self.said = True
        kept = bool(folder(numba.config.CACHE_DIR))
        if not kept:
            notices.once(_NOT_KEPT)
        notices.progress("compiling loops, which takes up to two minutes" + (" and is done once for this version" if kept else ""))

    def on_end(self, event: Any) -> None:
        """Nothing is to be said."""


event.register("numba:compile", _Compiling())


@lru_cache(maxsize=4)
def folder(chosen: str = "") -> str:
    """Where this version's loops are kept: in ``chosen`` (numba's ``NUMBA_CACHE_DIR``), else beside the package, else with the user.

    Empty where none of them can be written.
    """
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        if any(word in content for word in _USES):
            digest.update(content)
    name = f"loops-{digest.hexdigest()[:16]}"
    places = [Path(chosen)] if chosen else [_PACKAGE / "__pycache__", *_of_the_user()]
    return str(next((place / name for place in places if _writable(place / name)), ""))


def _of_the_user() -> list[Path]:
    """The user's folder for such files; none where the system does not know the user."""
    try:
        return [Path.home() / ".cache" / "mfverify"]
    except RuntimeError:
        return []


def _writable(place: Path) -> bool:
    try:
        os.makedirs(place, exist_ok=True)
        tempfile.TemporaryFile(dir=place).close()
    except OSError:
        return False
    return True
