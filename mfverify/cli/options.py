"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from mfverify import notices
from mfverify.errors import ModelError, TooLargeError
from mfverify.rationals import from_text, quoted
from mfverify.validation import positive_integer

if TYPE_CHECKING:
    from mfverify import costs
    from mfverify.model import Model

_WORTH_SAYING: Final = 60
"""Seconds of work from which on a terminal is told what to expect."""


def _silent(context: click.Context, option: click.Parameter, as_json: bool) -> bool:
    """A program that reads the document is not told what takes long."""
    if as_json:
        context.with_resource(notices.silence())
    return as_json


json_option = click.option(
    "--json", "as_json", is_flag=True, callback=_silent, help="Print one JSON document on standard output and nothing else there."
)


def integer(value: str | int) -> int:
    """An option that is an integer, written with the digits 0 to 9: no underscores and no digits of other scripts."""
    if isinstance(value, str) and not re.fullmatch(r"[+-]?[0-9]{1,600}", value):
        raise click.BadParameter(f"{quoted(value)} is not a valid integer.")
    return int(value)


def number(value: str | float) -> float:
    """An option that is a number of the grammar of :mod:`mfverify.rationals`."""
    try:
        return float(from_text(value) if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{quoted(value)} is not a valid number.") from None


class ListOptions(click.Command):
    """A command whose repeatable options also take several values in a row: ``--claims T1 L2``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name the option again before each further value."""
        repeatable = {name for option in self.params if isinstance(option, click.Option) and option.multiple for name in option.opts}
        spelled: list[str] = []
        current = ""
        for argument in args:
            if argument.startswith("-"):
                current = argument if argument in repeatable else ""
            elif current and spelled[-1] != current:
                spelled.append(current)
            spelled.append(argument)
        return super().parse_args(ctx, spelled)


def load_argument(text: str) -> Model:
    """A model from a file, or a bundled one from ``models:NAME`` or ``models:NAME(argument=value, ...)``."""
    if text.startswith("models:"):
        from mfverify.models.families import Family

        return Family.named(text.removeprefix("models:")).model()
    from mfverify.model_files import load_model

    return load_model(text)


def checked_workers(workers: int | None, scheduler: str | None) -> int | None:
    """``--workers`` as a positive integer or None; refused beside ``--scheduler``."""
    if workers is None:
        return None
    if scheduler is not None:
        raise ModelError("--workers: are those of the cluster where --scheduler is given; leave one of the two out")
    return positive_integer("--workers", workers)


@contextmanager
def or_else(remedy: str) -> Iterator[None]:
    """Name another command in a refusal for size."""
    try:
        yield
    except TooLargeError as error:
        raise TooLargeError(f"{error}; {remedy}") from None


def announce(*needed: costs.Cost) -> None:
    """Refuse what this machine cannot hold before anything is imported or computed; say on a terminal what takes minutes."""
    from mfverify import costs

    costs.check(*needed)
    if sys.stderr.isatty() and max(cost.seconds for cost in needed) > _WORTH_SAYING:
        for cost in needed:
            click.echo(str(cost), err=True)
