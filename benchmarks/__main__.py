"""``python -m benchmarks``: measure, judge, write ``docs/benchmarks/``. Takes about twenty minutes on two cores."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS, installed
from benchmarks.results_page import write_page
from benchmarks.side_by_side import PROJECT, SUITES, Limits, exponent, exponents, last_words, lines_of, ratios, run_suite

AUTHORS_SIZES = (2, 4, 8, 14)
"""Numbers of agents k at which the authors' learning step is timed; 14 is that of their configuration."""

OTHER_SCRIPTS = ("small_systems.py", "agreement.py", "lumped_solver.py", "sweep_roofline.py", "sweep_of_instances.py")
"""Benchmarks that print their own tables."""

WHOLE_SCRIPT = 300.0
"""Seconds that the authors' steps, or another script, may take over all its sizes."""


def machine() -> dict[str, Any]:
    """What the times depend on; no name of a machine or a user."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": models[0] if models else platform.machine(),
        "usable_cores": cores,
        "system": platform.system(),
        "python": platform.python_version(),
        "mfverify": installed(PEERS["mfverify"]),
        "numpy": version("numpy"),
        "numba": version("numba"),
    }


def authors_steps(folder: Path | None, sizes: Sequence[int], limits: Limits) -> dict[str, Any]:
    """Their learning step and our sweep at each k; says so where their repository is not given."""
    if folder is None:
        return {"status": "not given"}
    theirs, why = lines_of(["-m", "benchmarks.authors_step", "theirs", str(folder), *map(str, sizes)], limits)
    ours, why_ours = lines_of(["-m", "benchmarks.authors_step", "ours", str(folder), *map(str, sizes)], limits)
    return {
        "status": "done",
        "theirs": theirs,
        "ours": ours,
        "stopped": why or why_ours,
        "exponents": {
            "theirs, first step": exponent((row["k"], row["first_step_seconds"]) for row in theirs),
            "ours, one sweep": exponent((row["k"], row["sweep_seconds"]) for row in ours),
            "ours, certified solve": exponent((row["k"], row["solve_seconds"]) for row in ours),
        },
    }


def other_script(path: Path, seconds: float) -> dict[str, Any]:
    """What another benchmark prints."""
    if not path.exists():
        return {"script": path.name, "status": "not there"}
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    try:
        run = subprocess.run(
            [sys.executable, str(path)], cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return {"script": path.name, "status": f"stopped after {seconds:.0f} s"}
    if run.returncode:
        return {"script": path.name, "status": f"failed: {last_words(run.stderr)}"}
    return {"script": path.name, "status": "done", "output": run.stdout.rstrip()}


def collect(arguments: argparse.Namespace, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Everything that is measured, as one document."""
    started = time.monotonic()
    limits = Limits(arguments.seconds, arguments.mib)
    say("compiling mfverify's kernels, once for all later processes")
    for system in dict.fromkeys(suite.system for suite in SUITES):
        lines_of(["-m", "benchmarks.peers", "mfverify", system, "12", "20"], Limits(10 * limits.seconds, limits.mib))
    suites = []
    for suite in SUITES:
        say(f"{suite.title} ({suite.system})")
        found = run_suite(suite, limits, say)
        suites.append(found | {"ratios": ratios(found), "exponents": exponents(found)})
    say("Storm's sound value iteration on a process of two states")
    (storm, *_), _ = lines_of(["-m", "benchmarks.storm_sound_value_iteration"], limits)
    say("the authors' learning step")
    authors = authors_steps(arguments.authors, AUTHORS_SIZES, Limits(WHOLE_SCRIPT, arguments.mib))
    scripts = []
    for name in OTHER_SCRIPTS:
        say(name)
        scripts.append(other_script(PROJECT / "benchmarks" / name, WHOLE_SCRIPT))
    return {
        "machine": machine(),
        "limits": {"seconds": limits.seconds, "mib": limits.mib},
        "suites": suites,
        "storm": storm,
        "authors": authors,
        "scripts": scripts,
        "seconds": time.monotonic() - started,
    }


def main(given: Sequence[str] | None = None) -> None:
    """Parse, measure, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Side by side with real solvers.")
    parser.add_argument("--out", type=Path, default=PROJECT / "docs" / "benchmarks", help="folder of the results")
    parser.add_argument("--authors", type=Path, default=None, help="a clone of the paper authors' repository (its code is run)")
    parser.add_argument("--seconds", type=float, default=60.0, help="what one peer may take, over all sizes of a suite")
    parser.add_argument("--mib", type=int, default=5000, help="memory that one peer may take")
    parser.add_argument("--page-only", action="store_true", help="write the page again from results.json; measure nothing")
    arguments = parser.parse_args(given)
    stored = arguments.out / "results.json"
    if arguments.authors is not None and not (arguments.authors / "config.json").exists():
        parser.error(f"--authors: {arguments.authors} has no config.json; give a clone of the authors' repository")
    if arguments.page_only:
        document = json.loads(stored.read_text(encoding="utf-8"))
    else:
        document = collect(arguments)
        arguments.out.mkdir(parents=True, exist_ok=True)
        stored.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for path in (stored, *write_page(document, arguments.out)):
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
