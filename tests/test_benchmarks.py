"""The benchmarks run and measure what they say."""

from __future__ import annotations

import runpy
from pathlib import Path

from mfverify.models import coordination

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "lumped_solver.py"


def test_the_table_of_the_lumped_solver() -> None:
    table = runpy.run_path(str(SCRIPT))["table"]
    name, heading, *rows = table(coordination(), few=(2, 3), many=(5,), runs=1).splitlines()
    assert name == "coordination"
    assert heading.split()[0] == "n"
    # |S_g| (n + 1) count vectors and |S_g| 2^n labelled states.
    assert [row.split()[:2] for row in rows] == [["2", "6"], ["3", "8"], ["5", "12"]]
    assert [row.split()[4] for row in rows[:2]] == ["8", "16"]
    assert len(rows[2].split()) == 4
    assert all(float(row.split()[2]) > 0 for row in rows)
