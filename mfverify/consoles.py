"""The console that lines, tables and bars are printed on."""

from __future__ import annotations

from typing import Any


def console(stderr: bool = False) -> Any:
    """A console that shows every text as it is, and raises where an output cannot be written."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would end the process with status 1

    return Plain(stderr=stderr, soft_wrap=False, highlight=False, markup=False, emoji=False)
