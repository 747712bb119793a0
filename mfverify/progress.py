"""How far a long call is: a bar on a terminal, one in a notebook, nothing where standard error is a file or a pipe."""

from __future__ import annotations

import importlib
import math
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from html import escape
from typing import Any, Final, Literal, TypeAlias

from mfverify.consoles import console
from mfverify.notices import in_notebook

Counted: TypeAlias = Callable[[int, int, str], None]
"""Called with (finished, total, label of what was finished last)."""

Draw: TypeAlias = Callable[[float, float, str], None]
"""Called with (done, total, text)."""

_OPEN: ContextVar[bool] = ContextVar("_OPEN", default=False)
_BETWEEN: Final = 0.2
"""Seconds between two drawings in a notebook."""
_LONGEST: Final = 90
"""Characters of the text beside a bar."""
_PATIENCE: Final = 1.0
"""Seconds that a computation takes before it gets a bar."""


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
        if in_notebook():
            yield from _page(counts)
        elif sys.stderr is not None and sys.stderr.isatty():
            yield from _terminal(counts)
        else:
            yield None
    finally:
        _OPEN.reset(token)


class _Late:
    """A bar that is drawn once its computation has taken a while."""

    def __init__(self, what: str, draws: Callable[[bool], Iterator[Draw]]) -> None:
        self.what, self.draws, self.begun = what, contextmanager(draws), time.monotonic()
        self.shown = ExitStack()
        self.draw: Draw | None = None

    def start(self) -> None:
        draw = self.shown.enter_context(self.draws(False))
        draw(0, 1, self.what)
        self.draw = draw

    def step(self, done: float, total: float, text: str) -> None:
        if self.draw is None and in_notebook() and time.monotonic() - self.begun >= _PATIENCE:
            self.start()
        if self.draw is not None:
            self.draw(done, total, f"{self.what}: {text}")


_LATE: ContextVar[_Late | None] = ContextVar("_LATE", default=None)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A bar for one computation where it takes more than a second; :func:`step` within the block says how far it is.

    Nothing where :func:`bar` shows nothing. In a notebook the bar begins with a step: other threads have no cell to draw in.
    """
    notebook = in_notebook()
    watched = notebook or (sys.stderr is not None and sys.stderr.isatty())
    if not watched or _OPEN.get() or multiprocessing.parent_process() is not None:
        yield
        return
    late = _Late(what, _page if notebook else _terminal)
    timer = threading.Timer(_PATIENCE, late.start)
    timer.daemon = True
    if not notebook:
        timer.start()
    opened, told = _OPEN.set(True), _LATE.set(late)
    try:
        yield
    finally:
        _LATE.reset(told)
        _OPEN.reset(opened)
        if not notebook:
            timer.cancel()
            timer.join()
        late.shown.close()


def step(done: float, total: float, text: str) -> None:
    """Say how far the computation is that the innermost :func:`waiting` is about; nothing without one."""
    late = _LATE.get()
    if late is not None:
        late.step(done, total, text)


def narrowed(sweeps: int, first: float, now: float, requested: float) -> None:
    """:func:`step` for an enclosure that sweeps narrow from the width ``first``: the decimal digits that are won, and those that are needed."""
    won, needed = (math.log10(first / width) if 0 < width < first < math.inf else 0.0 for width in (now, requested))
    step(won, needed, f"sweep {sweeps}, width {now:.1e}")


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
