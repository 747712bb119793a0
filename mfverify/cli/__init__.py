"""The command line: parses and calls; no mathematics. How a command ends: :mod:`mfverify.exit_status`.

Each verb is one file of :mod:`mfverify.cli.verbs` that defines a command of its own name.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

import click

from mfverify import interrupts
from mfverify.cli import verbs
from mfverify.errors import MfverifyError
from mfverify.exit_status import ExitStatus, standard_streams, tell, unplanned
from mfverify.validation import require_posix
from mfverify.version import __version__

_EPILOG = "Exit status: " + "; ".join(f"{status.value} {status.meaning}" for status in ExitStatus) + "."


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.version_option(version=__version__)
def main() -> None:
    """Check the statements of a paper on subsampled mean-field MARL with exact solvers."""


for _verb in iter_modules(verbs.__path__):
    main.add_command(getattr(import_module(f"{verbs.__name__}.{_verb.name}"), _verb.name))


def run(arguments: Sequence[str] | None = None) -> int:
    """Entry point: run a command and return its exit status; every failure is one line on standard error."""
    with standard_streams(), interrupts.remembered() as control_c:
        try:
            outcome = _run(sys.argv[1:] if arguments is None else list(arguments))
            if sys.stdout is not None:
                sys.stdout.flush()
            return ExitStatus.INTERRUPTED if control_c.seen else outcome
        except click.exceptions.NoArgsIsHelpError:
            return _fail(f"missing command; one of {', '.join(main.commands)} (mfverify --help says more)")
        except click.ClickException as error:
            return _fail(error.format_message())
        except (KeyboardInterrupt, click.Abort):
            return _interrupted()
        except MfverifyError as error:
            return _interrupted() if control_c.seen else _fail(str(error))
        except (
            Exception,
            SystemExit,
        ) as error:  # code called by a command may also raise SystemExit, whose status is not that of the command
            return _interrupted() if control_c.seen else unplanned(error)
        finally:
            if arguments is None:
                gc.freeze()  # the process ends: a search of all that was imported for garbage would take as long as a short command


def _run(arguments: list[str]) -> int:
    """Run a command. Unlike ``main.main`` this leaves an output that cannot be written to the caller."""
    require_posix("mfverify")
    if "_MFVERIFY_COMPLETE" in os.environ:
        try:
            return int(main.main(arguments, prog_name="mfverify", standalone_mode=False) or 0)
        except SystemExit as end:  # how click ends a completion
            return int(end.code or 0)
    try:
        with main.make_context("mfverify", arguments) as context:
            outcome = main.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    return outcome if isinstance(outcome, int) else ExitStatus.DONE


def _interrupted() -> int:
    tell("interrupted")
    return ExitStatus.INTERRUPTED


def _fail(message: str) -> int:
    tell(f"error: {message}")
    return ExitStatus.BAD_INPUT
