"""Run the peers, one process each, and judge what they say against a certified enclosure.

A process is stopped when it exceeds the memory or the time it may take; the sizes it finished count, the one it was at is
reported as beyond it, and larger ones are not tried. A value is *inside* if it lies in the enclosure (an interval: if it
overlaps it) in every state, *within its tolerance* if it misses by no more than the peer itself promises, otherwise *off*.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import FLAT, PEERS, installed
from benchmarks.systems import SYSTEMS
from mfverify.counts import number_of_count_vectors
from mfverify.enclosure import Enclosure
from mfverify.exact.optimal import optimal_value
from mfverify.notation import Floats

PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Limits:
    """What one process may take, over all of its sizes."""

    seconds: float = 60.0
    mib: int = 5000


@dataclass(frozen=True)
class Suite:
    """One system at several sizes, for several peers."""

    title: str
    system: str
    sizes: tuple[int, ...]
    peers: tuple[str, ...]
    extra: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Sizes for single peers instead of ``sizes``: the larger ones take minutes and say nothing new."""
    seconds: float | None = None
    """What one peer may take here, where that is more than elsewhere."""

    def sizes_of(self, peer: str) -> tuple[int, ...]:
        """The sizes at which a peer is run."""
        return dict(self.extra).get(peer, self.sizes)


SUITES = (
    Suite(
        "The lumped process, every transition positive",
        "dense",
        (10, 20, 40, 60, 100),
        tuple(PEERS),
        (
            ("Storm VI", (10, 20, 40)),
            ("Storm PI", (10, 20, 40)),
            ("Storm II", (10, 20, 40)),
            ("Storm SVI", (10, 20, 40, 60)),
            ("Storm exact", (5, 10, 20)),
        ),
    ),
    Suite(
        "The lumped process, sparse",
        "coupled",
        (20, 60, 100),
        ("mfverify", "quantecon PI", "quantecon MPI", "Storm OVI", "Storm SVI"),
        (("Storm SVI", (20, 60)),),
    ),
    Suite("Labelled agents, no symmetry used", "dense", (2, 3, 4, 5, 6), ("mfverify", *FLAT)),
    Suite(
        "Three local states, two local actions",
        "dense 3x2",
        (10, 20, 60),
        ("mfverify", "quantecon PI"),
        (("quantecon PI", (10, 20)),),
        180,
    ),
    Suite(
        "Three local states, three local actions",
        "dense 3x3",
        (6, 10, 30),
        ("mfverify", "quantecon PI"),
        (("quantecon PI", (6, 10)),),
        180,
    ),
)
"""What ``make bench`` runs."""


def lines_of(command: Sequence[str], limits: Limits) -> tuple[list[dict[str, Any]], str]:
    """The JSON lines that a command prints, and why it was stopped (empty if it ended by itself)."""
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        [sys.executable, *command], cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        stopped: list[str] = []
        watcher = threading.Thread(target=_watch, args=(process, limits, stopped))
        watcher.start()
        out, errors = process.communicate()
        watcher.join()
    rows = []
    for line in out.splitlines():
        # Some tools write to standard output too; what is not a document of ours is theirs.
        if line.startswith("{"):
            rows.append(json.loads(line))
    if not stopped and process.returncode != 0:
        stopped.append(f"ended with status {process.returncode}: {last_words(errors)}")
    return rows, stopped[0] if stopped else ""


def last_words(errors: str) -> str:
    """The last line of an error output; paths, which say something about a machine and not about a peer, left out."""
    lines = [line for line in errors.splitlines() if line.strip()]
    return re.sub(r"(/[^\s/:'\"]+){2,}", "(path)", lines[-1])[:200] if lines else "no message"


def _watch(process: subprocess.Popen[str], limits: Limits, stopped: list[str]) -> None:
    """Stop a process that takes more than it may."""
    started = time.monotonic()
    while process.poll() is None:
        resident = _resident_mib(process.pid)
        if resident > limits.mib:
            stopped.append(f"more than {limits.mib} MiB of memory")
        elif time.monotonic() - started > limits.seconds:
            stopped.append(f"more than {limits.seconds:.0f} s in all")
        if stopped:
            process.kill()
            return
        time.sleep(0.05)


def _resident_mib(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    resident = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(resident[0].split()[1]) / 1024 if resident else 0.0


def run_suite(suite: Suite, limits: Limits, say: Any = print) -> dict[str, Any]:
    """Run every peer of a suite and judge what it finds."""
    model = SYSTEMS[suite.system]()
    enclosures: dict[int, Enclosure] = {}
    rows: list[dict[str, Any]] = []
    for name in suite.peers:
        peer = (PEERS | FLAT)[name]
        sizes = suite.sizes_of(name)
        say(f"  {name}, n = {', '.join(map(str, sizes))}")
        allowed = replace(limits, seconds=max(limits.seconds, suite.seconds or 0.0))
        found, why = lines_of(["-m", "benchmarks.peers", name, suite.system, *map(str, sizes)], allowed)
        about = {"peer": name, "package": peer.package, "version": installed(peer), "method": peer.method, "promises": peer.promises}
        finished = {row["agents"]: row for row in found if row["status"] == "done"}
        failed = {row["agents"]: last_words(row["why"]) for row in found if row["status"] == "failed"}
        missing = any(row["status"] == "not installed" for row in found)
        beyond = ""
        for n in sizes:
            if missing:
                rows.append({**about, "agents": n, "status": "not installed"})
            elif n in finished:
                if n not in enclosures:
                    enclosures[n] = optimal_value(model, n)
                rows.append({**about, **judged(finished[n], enclosures[n]), "status": "done"})
            else:
                here = failed.get(n) or why
                rows.append({**about, "agents": n, "status": "not tried" if beyond else "beyond it", "why": beyond or here})
                beyond = beyond or f"n = {n} was beyond it"
    global_states, global_actions, size, local_actions = model.sizes
    per_pair = global_states * global_actions
    return {
        "title": suite.title,
        "system": suite.system,
        "model": model.name,
        "discount": str(model.discount),
        "choices": {str(n): per_pair * number_of_count_vectors(n, size * local_actions) for n in sorted({row["agents"] for row in rows})},
        "rows": rows,
    }


def judged(row: dict[str, Any], enclosure: Enclosure) -> dict[str, Any]:
    """A measurement with its values replaced by a verdict on them."""
    lower, upper = np.array(row["lower"]), np.array(row["upper"])
    ours_lower, ours_upper = enclosure.lower.ravel(), enclosure.upper.ravel()
    missed = np.maximum(np.maximum(lower - ours_upper, ours_lower - upper), 0.0)
    error = float(missed.max())
    verdict = "inside" if error == 0 else "within its tolerance" if error <= row["tolerance"] else "off"
    worst = int(missed.argmax())
    kept = {key: value for key, value in row.items() if key not in ("lower", "upper", "policy_value")}
    kept |= {
        "verdict": verdict,
        "error": error,
        "example": {
            "state": worst,
            "found": [float(lower[worst]), float(upper[worst])],
            "enclosure": [float(ours_lower[worst]), float(ours_upper[worst])],
        },
        "largest_width": float((upper - lower).max()),
    }
    if verdict == "off":
        difference = (lower + upper) / 2 - enclosure.midpoint.ravel()
        kept["difference"] = {"mean": float(difference.mean()), "smallest": float(difference.min()), "largest": float(difference.max())}
    if "policy_value" in row:
        kept["policy_loss"] = float(np.maximum(enclosure.lower.ravel() - np.array(row["policy_value"]), 0.0).max())
    return kept


def right(row: dict[str, Any]) -> bool:
    """Whether a row is a finished measurement whose values are right in their own terms."""
    return row["status"] == "done" and row["verdict"] != "off"


def ratios(suite: dict[str, Any], ours: str = "mfverify") -> list[dict[str, Any]]:
    """For each size, the fastest right peer over ours: of the solve alone, and of build and solve; with the spread of the runs."""
    out = []
    for n in sorted({row["agents"] for row in suite["rows"]}):
        here = [row for row in suite["rows"] if row["agents"] == n and right(row)]
        mine = [row for row in here if row["peer"] == ours]
        others = [row for row in here if row["package"] != "mfverify"]
        if not mine or not others:
            continue
        base = mine[0]
        solver = min(others, key=lambda row: row["solve_seconds"])
        whole = min(others, key=lambda row: row["build_seconds"] + row["solve_seconds"])
        low, high = base["solve_spread"]
        our_time = base["build_seconds"] + base["solve_seconds"]
        out.append(
            {
                "agents": n,
                "solve": solver["solve_seconds"] / base["solve_seconds"],
                "solve_spread": [solver["solve_spread"][0] / high, solver["solve_spread"][1] / low],
                "fastest_solve": solver["peer"],
                "build_and_solve": (whole["build_seconds"] + whole["solve_seconds"]) / our_time,
                "fastest_build_and_solve": whole["peer"],
            }
        )
    return out


def exponent(points: Iterable[tuple[float, float]]) -> float | None:
    """The slope of log time against log size over the last three points, by least squares; None for fewer than two."""
    last = sorted(points)[-3:]
    if len(last) < 2:
        return None
    x, y = (np.log(np.array(axis, dtype=float)) for axis in zip(*last, strict=True))
    slope: Floats = np.polyfit(x, y, 1)
    return float(slope[0])


def exponents(suite: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    """Growth exponents in n of solve time, of build and solve time and of memory, for each peer."""
    out = {}
    for name in dict.fromkeys(row["peer"] for row in suite["rows"]):
        rows = [row for row in suite["rows"] if row["peer"] == name and row["status"] == "done"]
        out[name] = {
            "solve": exponent((row["agents"], row["solve_seconds"]) for row in rows),
            "build and solve": exponent((row["agents"], row["build_seconds"] + row["solve_seconds"]) for row in rows),
        }
    return {name: found for name, found in out.items() if any(value is not None and math.isfinite(value) for value in found.values())}
