"""Signals of the processes that tests start."""

from __future__ import annotations

import signal


def control_c_interrupts() -> None:
    """In a child before it begins: Control-C interrupts it, also where the tests run with it ignored (``nohup make test &``)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def control_c_is_ignored() -> None:
    """In a child before it begins: Control-C does nothing, as in the background of a script."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
