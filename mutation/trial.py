"""Mutants against the tests of their module, each in a process forked from this one.

Warm: the tests are collected once, with the module as it is. A fork of that process gives the function with the fault its changed code,
which every holder of the function then runs, and continues with the tests. Cold, for faults that stand in no function, or in one that is
called while the module is loaded: the fork is made before anything of mfverify is loaded, and loads the changed text in the place of the
module's file.

A mutant is *killed* when a test fails or the module cannot be loaded, and when it uses up the processor time that it is given: several
times what all the tests take without a fault. Processor time and not time of the clock, so a busy machine kills nothing.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from time import process_time
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from mutation.mutants import Mutant
from mutation.plan import Group

LIBRARIES = (
    "numpy",
    "scipy.sparse.linalg",
    "scipy.optimize",
    "sympy",
    "flint",
    "numba",
    "networkx",
    "mpmath",
    "loky",
    "hypothesis.strategies",
)
"""Loaded once, before the first fork."""

MEMORY = 4 * 2**30
"""Bytes of address space that one trial may use."""

SLOWER, GRACE = 5, 2.0
"""A trial may take that many times the processor time of its tests without a fault, and that many seconds more."""

_OPTIONS = (
    "-x", "-q", "-s", "--no-header", "--no-summary", "--tb=no", "--assert=plain", "--hypothesis-profile=mutants",
    "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip
_NOT_RUN = 70


class Outcome(Enum):
    """What became of a mutant."""

    FAILED = "a test failed"
    BROKEN = "the module could not be loaded, or the tests not be collected"
    ENDLESS = "it ran out of processor time"
    SURVIVED = "all tests passed"


Told = Callable[[Mutant, Outcome], None]


def load_libraries() -> None:
    """Load what the tests need apart from mfverify."""
    for name in LIBRARIES:
        importlib.import_module(name)


def try_mutants(mutants: Sequence[Mutant], group: Group, jobs: int, told: Told) -> float:
    """Try mutants, ``jobs`` at a time, and tell the outcome of each; the processor time of the tests without a fault.

    Raises RuntimeError where they fail without one.
    """
    tests = group.tests
    usual = _usual(tests)
    seconds = sum(usual.values())
    limit = SLOWER * seconds + GRACE
    cold = [
        mutant
        for mutant in mutants
        if not mutant.function or {mutant.path, f"{mutant.path}:{mutant.function}"} & set(group.run_when_loaded)
    ]
    _all(cold, jobs, told, lambda mutant: _forked(lambda: _cold(mutant, tests, limit, usual)))
    warm = [mutant for mutant in mutants if mutant not in cold]
    if warm:
        _hear(_forked(lambda: _warm(warm, tests, jobs, limit, usual)), told, {mutant.key: mutant for mutant in warm})
    return seconds


def _usual(tests: Sequence[str]) -> dict[str, float]:
    """The processor time of every test without a fault, and of all that comes before the first under ""."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seconds.json"
        _, status = os.waitpid(_forked(lambda: _timed(tests, path)), 0)
        if _outcome(status) is not Outcome.SURVIVED:
            raise RuntimeError(f"the tests fail without any mutant: {' '.join(tests)}")
        seconds: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return seconds


def _forked(work: Callable[[], int]) -> int:
    """The id of a new process that does the work and ends with its number."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        status = _NOT_RUN
        try:
            status = work()
        except BaseException:
            traceback.print_exc()
        os._exit(status)
    return child


def _all(mutants: Sequence[Mutant], jobs: int, told: Told, start: Callable[[Mutant], int]) -> None:
    waiting = deque(mutants)
    running: dict[int, Mutant] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.popleft()
            running[start(mutant)] = mutant
        child, status = os.wait()
        told(running.pop(child), _outcome(status))


def _outcome(status: int) -> Outcome:
    """What the end of a trial's process says of the mutant. Raises RuntimeError where it says nothing."""
    if os.WIFSIGNALED(status):
        return Outcome.ENDLESS if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else Outcome.FAILED
    match os.waitstatus_to_exitcode(status):
        case pytest.ExitCode.OK:
            return Outcome.SURVIVED
        case pytest.ExitCode.TESTS_FAILED:
            return Outcome.FAILED
        case pytest.ExitCode.INTERRUPTED | pytest.ExitCode.INTERNAL_ERROR:
            return Outcome.BROKEN
        case code:
            raise RuntimeError(f"the tests could not be run (the process ended with {code})")


def _limit(seconds: float) -> None:
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 1, int(used + seconds) + 3))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _silent() -> None:
    output = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(output, stream)


class _Timed:
    """A plugin of pytest: notes the processor time of every test."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Run a test with what it needs."""
        began = process_time()
        self.seconds.setdefault("", began)
        result = yield
        self.seconds[item.nodeid] = process_time() - began
        return result


def _timed(tests: Sequence[str], path: Path) -> int:
    timed = _Timed()
    status = int(pytest.main([*_OPTIONS, *tests], plugins=[timed]))
    path.write_text(json.dumps(timed.seconds), encoding="utf-8")
    return status


class _FirstFailure:
    """A plugin of pytest: quick tests come first, and the first that fails ends the process, with nothing told about it."""

    def __init__(self, usual: Mapping[str, float]) -> None:
        self.usual = usual

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the tests in order."""
        items.sort(key=lambda item: self.usual.get(item.nodeid, 0.0))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        """Run a test."""
        try:
            yield
        except pytest.skip.Exception:
            raise
        except BaseException:
            os._exit(pytest.ExitCode.TESTS_FAILED)


# ---------------------------------------------------------------------------------------------------------------------- cold


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads one module from a given text; nothing is cached."""

    source = ""

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.source, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the module that is changed, and leaves all others to the usual ones."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The changed module, if it is asked for."""
        if fullname != self.mutant.module:
            return None
        loader = _Loader(fullname, os.path.abspath(self.mutant.path))
        loader.source = self.mutant.source
        return importlib.util.spec_from_file_location(fullname, loader.path, loader=loader)


def _cold(mutant: Mutant, tests: Sequence[str], limit: float, usual: Mapping[str, float]) -> int:
    _limit(limit)
    _silent()
    sys.meta_path.insert(0, _Finder(mutant))
    return int(pytest.main([*_OPTIONS, *tests], plugins=[_FirstFailure(usual)]))


# ---------------------------------------------------------------------------------------------------------------------- warm


class _Trials(_FirstFailure):
    """Instead of running the collected tests, forks for every mutant, and the forks run them."""

    def __init__(self, mutants: Sequence[Mutant], jobs: int, limit: float, usual: Mapping[str, float]) -> None:
        super().__init__(usual)
        self.mutants, self.jobs, self.limit = mutants, jobs, limit
        self.forked = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """In a fork: None, so that the tests are run; in the process that collected them, after all forks: True."""
        for mutant in self.mutants:
            importlib.import_module(mutant.module)
        waiting = deque(self.mutants)
        running: dict[int, Mutant] = {}
        while waiting or running:
            while waiting and len(running) < self.jobs:
                mutant = waiting.popleft()
                child = os.fork()
                if not child:
                    self.forked = True
                    _silent()
                    _limit(self.limit)
                    change_code(mutant)
                    return None
                running[child] = mutant
            child, status = os.wait()
            _tell(running.pop(child), _outcome(status))
        return True


def _warm(mutants: Sequence[Mutant], tests: Sequence[str], jobs: int, limit: float, usual: Mapping[str, float]) -> int:
    trials = _Trials(mutants, jobs, limit, usual)
    status = int(pytest.main([*_OPTIONS, *tests], plugins=[trials]))
    return status if trials.forked else 0


def _tell(mutant: Mutant, outcome: Outcome) -> None:
    os.write(_PIPE[1], f"{mutant.key} {outcome.name}\n".encode())


_PIPE = os.pipe()
"""From the process that collected the tests to the one that asked for it; a line is short enough to be written whole."""


def _hear(child: int, told: Told, mutants: dict[str, Mutant]) -> None:
    with os.fdopen(os.dup(_PIPE[0]), "r") as lines:
        for _ in range(len(mutants)):
            key, name = lines.readline().split()
            told(mutants[key], Outcome[name])
    os.waitpid(child, 0)


def change_code(mutant: Mutant) -> None:
    """Give a function of a loaded module the code that it has with the fault."""
    code = compile(mutant.source, os.path.abspath(mutant.path), "exec", dont_inherit=True)
    owner: Any = sys.modules[mutant.module]
    *outer, name = mutant.function.split(".")
    for part in outer:
        owner, code = vars(owner)[part], _inner(code, part)
    function_of(vars(owner)[name]).__code__ = _inner(code, name)


def function_of(held: Any) -> FunctionType:
    """The function in a method, a property, a cache or any other object that holds it."""
    while not isinstance(held, FunctionType):
        held = next(getattr(held, name) for name in ("__wrapped__", "__func__", "fget", "func", "py_func") if hasattr(held, name))
    return held


def _inner(code: CodeType, name: str) -> CodeType:
    found: Iterator[CodeType] = (part for part in code.co_consts if isinstance(part, CodeType) and part.co_name == name)
    return next(found)
