"""The last lines of a run: what was not tested and what to install or do so that it is. Nothing where no test was skipped."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from pathlib import PurePath

import pytest


def not_tested(skipped: Iterable[pytest.TestReport | pytest.CollectReport]) -> Iterator[str]:
    """One line for each reason, the most frequent first: how many tests of which files were skipped, and the reason that they gave.

    A file that was skipped as a whole counts as one, however many processes collected it.
    """
    groups: dict[str, dict[str, str]] = {}
    for report in skipped:
        said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        groups.setdefault(said.removeprefix("Skipped: "), {})[report.nodeid] = PurePath(report.nodeid.split("::")[0]).name
    for reason, tests in sorted(groups.items(), key=lambda one: (-len(one[1]), one[0])):
        whole = all("::" not in test for test in tests)
        number = f"{len(tests)} {'file' if whole else 'test'}{'s' if len(tests) > 1 else ''}"
        yield f"not tested, {number} ({', '.join(sorted(set(tests.values())))}): {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
    """Called by pytest at the end of a run: below its own list of every test that did not pass."""
    yield
    for line in not_tested(terminalreporter.stats.get("skipped", ())):
        terminalreporter.write_line(line, yellow=True)
