"""One mutant against the tests of its module: in a process forked from this one, which has loaded all libraries and nothing of mfverify.

A mutant is *killed* when a test fails or the module cannot be loaded, and when it uses up the processor time that it is given: several
times what all the tests take without a fault. Processor time and not time of the clock, so a busy machine kills nothing.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import os
import resource
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from types import CodeType, ModuleType

import pytest

LIBRARIES = (
    "numpy",
    "scipy.sparse.linalg",
    "scipy.optimize",
    "sympy",
    "flint",
    "numba",
    "networkx",
    "mpmath",
    "joblib",
    "hypothesis.strategies",
)
"""Loaded once, before the first fork."""

MEMORY = 4 * 2**30
"""Bytes of address space that one trial may use."""

_OPTIONS = (
    "-x", "-q", "--no-header", "--no-summary", "--hypothesis-profile=mutants", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip


class Outcome(Enum):
    """What became of a mutant."""

    FAILED = "a test failed"
    BROKEN = "the module could not be loaded, or the tests not be collected"
    ENDLESS = "it ran out of processor time"
    SURVIVED = "all tests passed"


@dataclass(frozen=True)
class Change:
    """A module's name, the file it stands in, and the text to be loaded in the place of the file's."""

    module: str
    path: str
    source: str


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads one module from a given text; nothing is cached."""

    source = ""

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.source, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the module that is changed, and leaves all others to the usual ones."""

    def __init__(self, change: Change) -> None:
        self.change = change

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The changed module, if it is asked for."""
        if fullname != self.change.module:
            return None
        loader = _Loader(fullname, os.path.abspath(self.change.path))
        loader.source = self.change.source
        return importlib.util.spec_from_file_location(fullname, loader.path, loader=loader)


def load_libraries() -> None:
    """Load what the tests need apart from mfverify."""
    for name in LIBRARIES:
        importlib.import_module(name)


def start(change: Change | None, tests: Sequence[str], seconds: float, log: str = os.devnull) -> int:
    """Begin a trial; the id of its process. Its output goes to ``log``."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(output, stream)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if change is not None:
            sys.meta_path.insert(0, _Finder(change))
        status = int(pytest.main([*_OPTIONS, *tests]))
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
    os._exit(status)


def outcome(status: int) -> Outcome:
    """What the end of a trial's process says. Raises RuntimeError where it says nothing of the mutant."""
    if os.WIFSIGNALED(status):
        return Outcome.ENDLESS if os.WTERMSIG(status) in (9, 24) else Outcome.FAILED
    match os.waitstatus_to_exitcode(status):
        case pytest.ExitCode.OK:
            return Outcome.SURVIVED
        case pytest.ExitCode.TESTS_FAILED:
            return Outcome.FAILED
        case pytest.ExitCode.INTERRUPTED | pytest.ExitCode.INTERNAL_ERROR | 70:
            return Outcome.BROKEN
        case code:
            raise RuntimeError(f"the tests of a module could not be run (pytest ended with {code})")
