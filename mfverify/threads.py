"""How many threads compiled loops may use: a limit of the calling thread, not a setting of the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LIMIT: ContextVar[int | None] = ContextVar("_LIMIT", default=None)


@contextmanager
def at_most(threads: int) -> Iterator[None]:
    """Within the block compiled loops that this thread starts use at most so many threads."""
    token = _LIMIT.set(threads)
    try:
        yield
    finally:
        _LIMIT.reset(token)


def allowed(available: int) -> int:
    """How many of the ``available`` threads may be used here, at least one."""
    limit = _LIMIT.get()
    return available if limit is None else max(1, min(limit, available))
