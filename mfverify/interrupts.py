"""Control-C in a command is remembered until the command has noticed it.

Python raises ``KeyboardInterrupt`` wherever the main thread happens to be. Where C code has called that Python code, the exception may
not propagate: LLVM, which compiles for many seconds, calls back when an object is finished; the interpreter calls ``__del__``; an
extension module that is being imported replaces every error by another one. Python then prints the exception as ignored, or
it becomes another error, and the command would continue or end as if something else had failed.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

AGAIN_SECONDS: Final = 0.05
"""How long after an interrupt was lost it is raised again: the code that lost it should have ended."""


class Interrupts:
    """Whether the command has been interrupted."""

    def __init__(self) -> None:
        self.seen = False
        self._over = False
        self._again: threading.Timer | None = None

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """What Python does at Control-C, and remember it."""
        self.seen = True
        if not self._over:
            raise KeyboardInterrupt

    def raise_again(self) -> None:
        """Soon, by a signal from another thread, which also ends a wait."""
        if self._again is not None and self._again.is_alive():
            return
        self._again = threading.Timer(AGAIN_SECONDS, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
        self._again.daemon = True
        self._again.start()

    def end(self) -> None:
        """Raise nothing from now on."""
        self._over = True
        if self._again is not None:
            self._again.cancel()
            self._again.join()


@contextmanager
def remembered() -> Iterator[Interrupts]:
    """Within the block an interrupt that Python loses is raised again, and every interrupt is remembered.

    Nothing is changed where the signal is not ours: in a thread, where the caller handles it, and where it is ignored, as in the
    background of a script. What was set is restored.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupts
        return
    report = sys.unraisablehook

    def lost(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            interrupts.raise_again()
        else:
            report(unraisable)

    sys.unraisablehook = lost
    signal.signal(signal.SIGINT, interrupts.on_signal)
    try:
        yield interrupts
    finally:
        interrupts.end()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = report
