"""Which files are mutated, and the tests that judge the mutants of each: few, fast and nearest to it first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SEED = 20412
"""Of the draw of mutants."""


@dataclass(frozen=True)
class Group:
    """Files that the same tests judge; of the mutants of each file at most ``most`` are tried, drawn uniformly."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    most: int = 10**6
    environment: tuple[tuple[str, str], ...] = ()


def _files(pattern: str, *but: str) -> tuple[str, ...]:
    return tuple(str(path) for path in sorted(Path().glob(pattern)) if path.name not in ("__init__.py", *but))


UNCOMPILED = (("NUMBA_DISABLE_JIT", "1"),)
"""Compiled loops as plain Python: what they compute is the same, and a change needs no compiler."""

GROUPS = (
    Group(("mfverify/enclosure.py",), ("tests/test_enclosure.py",)),
    Group(("mfverify/counts.py",), ("tests/test_counts.py",)),
    Group(_files("mfverify/bounds/*.py", "evaluate.py"), ("tests/bounds/test_bound_values.py", "tests/bounds")),
    Group(("mfverify/bounds/evaluate.py",), ("tests/bounds/test_bound_evaluation.py", "tests/bounds")),
    Group(("mfverify/checker/check_certificate.py",), ("tests/checker/test_parts.py", "tests/checker/test_quick.py"), most=400),
    Group(_files("mfverify/bellman/*.py"), ("tests/agreement/test_small_systems.py",), most=150, environment=UNCOMPILED),
)
