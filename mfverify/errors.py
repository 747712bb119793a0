"""The errors that mfverify raises on purpose, each with a message that names the place and the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_LONGEST_ISSUE = 1000
"""Characters of a message."""

LESS_THAN_ALL_VALUES: Final = "mfverify sweep compares what is in reach: the bound alone, one start (--start), a simulation"
"""What to do where the gap over all start states is too large to compute."""


class MfverifyError(Exception):
    """Root of every error raised on purpose; the command line prints it as one line and exits with 2."""


class ModelError(MfverifyError, ValueError):
    """Input that is not a model, or a parameter out of its range.

    Parameters
    ----------
    issues
        Every problem that was found, each with its place. The message shows the first and counts the others, so that it stays one line.

    Examples
    --------
    >>> raise ModelError("discount: found 2, expected a number below 1", "name: found 3, expected text")
    Traceback (most recent call last):
        ...
    mfverify.errors.ModelError: discount: found 2, expected a number below 1 (and 1 more)
    """

    def __init__(self, *issues: str) -> None:
        self.issues: Sequence[str] = tuple(map(_shortened, issues))
        more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
        super().__init__(self.issues[0] + more)


def _shortened(issue: str) -> str:
    """An issue whose quoted value is too long to read, with its middle left out: the beginning names the place, the end the remedy."""
    if len(issue) <= _LONGEST_ISSUE:
        return issue
    return f"{issue[: _LONGEST_ISSUE // 2]} ... {issue[-_LONGEST_ISSUE // 2 :]}"


class NoCertificateError(ModelError):
    """A violation that was computed, of which the checker accepts no certificate: exact ties in a large system, say.

    Examples
    --------
    >>> raise NoCertificateError("claim T2, n=15 k=14: the violation was computed, but the checker does not accept it")
    Traceback (most recent call last):
        ...
    mfverify.errors.NoCertificateError: claim T2, n=15 k=14: the violation was computed, but the checker does not accept it
    """


class TooLargeError(MfverifyError):
    """A computation whose estimated cost is beyond what this machine can hold; says the numbers and what to change.

    Examples
    --------
    >>> from mfverify import models, optimal_value
    >>> optimal_value(models.coordination(), 10**9)
    Traceback (most recent call last):
        ...
    mfverify.errors.TooLargeError: ...
    """


class ArithmeticModeError(MfverifyError):
    """Double arithmetic of this process is not that of IEEE 754, on which every error bound rests; says what differs."""


class UndecidedError(MfverifyError):
    """A three-valued comparison was used as if it were a plain truth value.

    Examples
    --------
    >>> from mfverify import Interval
    >>> if Interval(0, 1) < Interval(0, 1):
    ...     pass
    Traceback (most recent call last):
        ...
    mfverify.errors.UndecidedError: ...
    """


class UndecidedTieError(MfverifyError):
    """A greedy action is not determined: enclosures do not separate the candidates and exact arithmetic is out of reach.

    Examples
    --------
    >>> from mfverify import execution_value, learn, models
    >>> model = models.absorbing()
    >>> execution_value(model, 2, learn(model, 2, samples=1))
    Traceback (most recent call last):
        ...
    mfverify.errors.UndecidedTieError: ...
    """


class WorkersError(MfverifyError):
    """Worker processes were lost and the run cannot continue; the message says what is kept and how to resume."""
