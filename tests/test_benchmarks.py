"""The benchmarks run and measure what they say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from mfverify.models import coordination

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "lumped_solver.py"
ROOFLINE = SCRIPT.with_name("sweep_roofline.py")


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


@pytest.mark.slow  # its loops are compiled each time
def test_the_roofline_of_the_sweep() -> None:
    table = runpy.run_path(str(ROOFLINE))["table"]
    threads, flops, pairs, _, heading, *rows = table(agents=(4,), solves=((2, 2, 4), (3, 2, 3)), runs=1).splitlines()
    assert threads.endswith("threads")
    assert "Gflop/s" in flops
    assert "Gpairs/s" in pairs
    assert heading.split()[0] == "n"
    kinds, _, _, *solves = rows[:3], rows[3], rows[4], *rows[5:]
    assert [row.split()[0] for row in kinds] == ["4"] * 3
    # C(n + 3, 3) joint actions of two local states and actions, for two global states with two rows each; C(n + 5, 5) for three local
    # states, with two rows in one global state and one in the other, whose two global actions do the same.
    assert [[*row.split()[:3], row.split()[5]] for row in solves] == [["2", "2", "4", "140"], ["3", "2", "3", "168"]]
