"""Which files are mutated, and the tests that judge the mutants of each: few, fast and nearest to it first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SEED = 20412
"""Of the draw of mutants."""


@dataclass(frozen=True)
class Group:
    """Files that the same tests judge, or only the ``formulas`` in them: bounds and what they are made of.

    The functions of those that are ``run_when_loaded``, all of a file or one (``file:function``), are called at once, to build what tests see.
    """

    files: tuple[str, ...]
    tests: tuple[str, ...]
    run_when_loaded: tuple[str, ...] = ()
    formulas: bool = False


def _files(pattern: str, *but: str) -> tuple[str, ...]:
    return tuple(str(path) for path in sorted(Path().glob(pattern)) if path.name not in ("__init__.py", *but))


SWEEPS = (
    "test_fused_and_tabled_sweeps_find_the_same",
    "test_the_image_is_off_by_at_most_its_error_bound",
    "test_several_workers_find_bit_for_bit_what_one_finds",
    "test_the_counts_of_the_first_slots_are_dealt_out_once_each",
    "test_runs_trade_agents_between_the_last_two_classes",
    "test_the_cases_reach_every_path_of_the_sweeps",
    "test_what_is_too_large_says_how_large",
)
"""Tests of the compiled loops that are quick without a compiler."""

LONG = ("collinear", "across", "within", "three local states")
"""Cases of the first of them that take long without a compiler."""

EVALUATION = "mfverify/theory/evaluate.py"
NOTATION = ("mfverify/theory/bound.py", "mfverify/theory/formula.py", "mfverify/theory/symbols.py", *_files("mfverify/papers/*/symbols.py"))
STATEMENTS = ("mfverify/theory/vacuity.py", *_files("mfverify/papers/*/*.py", "symbols.py"))
TESTS_OF_BOUNDS = ("tests/bounds/test_bound_values.py", "tests/bounds/test_bound_symbols.py")

GROUPS = (
    Group(("mfverify/enclosure.py",), ("tests/test_enclosure.py",)),
    Group(("mfverify/counts.py",), ("tests/test_counts.py",)),
    Group(NOTATION, TESTS_OF_BOUNDS, run_when_loaded=NOTATION),
    Group(STATEMENTS, TESTS_OF_BOUNDS, run_when_loaded=("mfverify/papers/ours/shared_draw.py:shared_draw_bound",), formulas=True),
    Group(
        (EVALUATION,),
        ("tests/bounds/test_bound_rounding.py", "tests/bounds/test_bound_evaluation.py", "tests/bounds/test_bound_values.py"),
        run_when_loaded=(f"{EVALUATION}:_stepwise",),
    ),
    Group(
        ("mfverify/checker/check_certificate.py", "mfverify/checker/finite_claims.py"),
        ("tests/checker/test_parts.py", "tests/checker/test_quick.py", "tests/checker/test_finite.py", "tests/checker/test_right_sides.py"),
    ),
    Group(
        _files("mfverify/bellman/*.py", "lanes.py", "small.py"),
        (
            "-pmutation.uncompiled",
            "tests/agreement/test_small_systems.py",
            *(f"tests/agreement/test_sweeps.py::{name}" for name in SWEEPS),
            *(f"--deselect=tests/agreement/test_sweeps.py::{SWEEPS[0]}[{case}, long chains]" for case in LONG),
        ),
    ),
    Group(
        ("mfverify/bellman/small.py", "mfverify/subsample_mfq/small_chains.py", "mfverify/batch.py"),
        (
            "-pmutation.uncompiled",
            "tests/agreement/test_roundings_of_small_systems.py",
            "tests/agreement/test_batch.py",
            "--deselect=tests/agreement/test_batch.py::test_more_agents_agree_with_the_solvers_of_single_models",
        ),
    ),
)
