"""How far a long call is: a bar on a terminal, one in a notebook, nothing where standard error is a file or a pipe."""

from __future__ import annotations

import importlib
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape
from typing import Any, Final, Literal, TypeAlias

from mfverify.consoles import console

Counted: TypeAlias = Callable[[int, int, str], None]
"""Called with (finished, total, label of what was finished last)."""

Draw: TypeAlias = Callable[[float, float, str], None]
"""Called with (done, total, text)."""

_OPEN: ContextVar[bool] = ContextVar("_OPEN", default=False)
_BETWEEN: Final = 0.2
"""Seconds between two drawings in a notebook."""
_LONGEST: Final = 90
"""Characters of the text beside a bar."""


@contextmanager
def counting(progress: Counted | Literal[False] | None, longest: int = 36) -> Iterator[Counted | None]:
    """What a call tells how many of its parts are finished: the caller's function, a bar for None, nothing for False."""
    if progress is not None:
        yield progress or None
        return
    with bar(counts=True) as draw:
        yield (lambda done, total, label: draw(done, total, label[:longest])) if draw is not None else None


@contextmanager
def bar(counts: bool = False) -> Iterator[Draw | None]:
    """A bar for the time of the block, removed at its end; None where there is no place for one, in worker processes, and within another.

    ``counts``: what is done is counted, and both numbers are shown.
    """
    if _OPEN.get() or multiprocessing.parent_process() is not None:
        yield None
        return
    token = _OPEN.set(True)
    try:
        if _in_notebook():
            yield from _page(counts)
        elif sys.stderr is not None and sys.stderr.isatty():
            yield from _terminal(counts)
        else:
            yield None
    finally:
        _OPEN.reset(token)


def _in_notebook() -> bool:
    """Whether the program is a kernel, whose front end draws pages."""
    running = sys.modules.get("IPython")
    return running is not None and hasattr(running.get_ipython(), "kernel")


def _terminal(counts: bool) -> Iterator[Draw]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(30),
        *((MofNCompleteColumn(),) if counts else ()),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as shown:
        task = shown.add_task("starting", total=None)
        yield lambda done, total, text: shown.update(task, completed=done, total=total, description=text[:_LONGEST])


def _page(counts: bool) -> Iterator[Draw]:
    display = importlib.import_module("IPython.display").display
    handle: Any = display(_html("<progress></progress> starting"), raw=True, display_id=True)
    drawn = 0.0

    def draw(done: float, total: float, text: str) -> None:
        nonlocal drawn
        if time.monotonic() - drawn >= _BETWEEN:
            drawn = time.monotonic()
            numbers = f"{done:.0f}/{total:.0f} " if counts else ""
            handle.update(_html(f'<progress value="{done}" max="{total}"></progress> {numbers}{escape(text[:_LONGEST])}'), raw=True)

    try:
        yield draw
    finally:
        handle.update(_html(""), raw=True)


def _html(page: str) -> dict[str, str]:
    return {"text/html": page, "text/plain": ""}
