"""Lines on standard error that are not errors: what takes long, on a terminal or in a notebook; what is not kept, once."""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape
from typing import Final

LOGGER: Final = logging.getLogger("mfverify")
"""What takes long and what is not kept, also where it is not printed: level INFO. No handler is installed."""
LOGGER.addHandler(logging.NullHandler())

_SILENT: ContextVar[bool] = ContextVar("_SILENT", default=False)
_SAID: set[str] = set()


def progress(line: str) -> None:
    """Say what takes long: only where standard error is a terminal or in a notebook, and not within :func:`silence`."""
    LOGGER.info(line)
    if _SILENT.get():
        return
    if sys.stderr is not None and sys.stderr.isatty():
        _write(line)
    elif in_notebook() and threading.current_thread() is threading.main_thread() and multiprocessing.parent_process() is None:
        # Other threads and processes have no cell.
        page = {"text/html": escape(f"mfverify: {line}"), "text/plain": f"mfverify: {line}"}
        importlib.import_module("IPython.display").display(page, raw=True)


def in_notebook() -> bool:
    """Whether the program is a kernel, whose front end draws pages."""
    running = sys.modules.get("IPython")
    return running is not None and hasattr(running.get_ipython(), "kernel")


def once(line: str) -> None:
    """Say something that does not change the result, the first time that this process comes upon it; worker processes say nothing."""
    if line not in _SAID and multiprocessing.parent_process() is None:
        _SAID.add(line)
        LOGGER.info(line)
        _write(line)


def _write(line: str) -> None:
    if sys.stderr is not None:
        print(f"mfverify: {line}", file=sys.stderr, flush=True)


@contextmanager
def silence() -> Iterator[None]:
    """Report no progress within the block, as when a program reads the output."""
    token = _SILENT.set(True)
    try:
        yield
    finally:
        _SILENT.reset(token)
