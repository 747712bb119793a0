"""Many small instances: Theorem 4.2 on random models, on one and several workers of this machine and on a local Dask cluster.

Every way computes the same two batches of models. The first, a tenth as large, pays for starting processes, importing and loading
compiled code; the second does not. *Overhead* is what the workers spend together beyond one process's time, per instance of the second batch; *kept* adds
the store of results, one durable row an instance. Run it with ``python benchmarks/sweep_of_instances.py [INSTANCES]``; the default of
1000 takes some minutes on two cores.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mfverify as mfv
from mfverify.runner import usable_cores

PER_MODEL = 8
"""Instances of T1 on one given model in the quick profile: n = 4 and n = 8, four k each."""


@dataclass(frozen=True)
class Measured:
    """One way of running: wall seconds of the two batches (the first a tenth of the second) and a digest of both reports but for their provenance."""

    way: str
    processes: int
    first: float
    second: float
    digest: str


@contextmanager
def dask_cluster(workers: int) -> Iterator[str]:
    """The address of a scheduler with so many worker processes of one thread each."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def measure(way: str, processes: int, batches: Sequence[Sequence[mfv.Model]], run: Callable[[Sequence[mfv.Model]], Any]) -> Measured:
    """Run both batches."""
    seconds = []
    digest = hashlib.sha256()
    for models in batches:
        started = time.perf_counter()
        document = run(models).document
        seconds.append(time.perf_counter() - started)
        digest.update(json.dumps({key: part for key, part in document.items() if key != "provenance"}).encode())
    return Measured(way, processes, *seconds, digest.hexdigest())


def sweep(instances: int, workers: int) -> list[Measured]:
    """All ways of running; the second batch has ``instances`` instances, rounded up to whole models."""
    models = -(-instances // PER_MODEL)
    sizes = ((10_000, -(-models // 10)), (20_000, models))
    batches = [[mfv.models.random_coupled(seed) for seed in range(start, start + size)] for start, size in sizes]
    for seed in (1, 2):
        mfv.verify(["T1"], [mfv.models.random_coupled(seed)], workers=1)  # compiled code is loaded, and compiled if it never was
    found = [measure("one process", 1, batches, lambda chosen: mfv.verify(["T1"], chosen, workers=1))]
    # Optima of the same systems are remembered by the process; other processes know nothing of them.
    from mfverify.papers import quantities

    for remembered in (quantities.optimum, quantities.learned, quantities.executed):
        remembered.cache_clear()
    with tempfile.TemporaryDirectory() as folder:
        found.append(measure("one process, kept", 1, batches, lambda chosen: kept(chosen, Path(folder))))
    found.append(measure(f"{workers} processes", workers, batches, lambda chosen: mfv.verify(["T1"], chosen, workers=workers)))
    with dask_cluster(workers) as address:
        found.append(measure(f"Dask, {workers} workers", workers, batches, lambda chosen: mfv.verify(["T1"], chosen, scheduler=address)))
    return found


def kept(models: Sequence[mfv.Model], folder: Path) -> Any:
    """One process with a store, but without drawing the page of the report, which no other way draws."""
    from mfverify import verification
    from mfverify.results import Store

    tasks = verification._tasks(verification._chosen_claims(["T1"]), models, mfv.Profile.QUICK, None, "")
    with Store(folder / "results.sqlite") as store:
        for task in tasks:
            verification._keep(store, task, verification._compute(task))
        found = verification._kept(tasks, store)
    given = frozenset(model.name for model in models)
    return verification.Report(verification._document(verification._chosen_claims(["T1"]), tasks, found, mfv.Profile.QUICK, 0.0, given))


def table(found: Sequence[Measured], instances: int) -> str:
    """The measurements as text, a line for each way."""
    alone = found[0].second
    lines = [
        f"{'way':<20} {'first s':>9} {'second s':>9} {'instances/s':>12} {'speed-up':>9} {'overhead ms':>12}  report",
    ]
    for one in found:
        overhead = 1000 * (one.processes * one.second - alone) / instances
        same = "same bytes" if one.digest == found[0].digest else "DIFFERS"
        lines.append(
            f"{one.way:<20} {one.first:>9.2f} {one.second:>9.2f} {instances / one.second:>12.1f} {alone / one.second:>9.2f} "
            f"{overhead:>12.2f}  {same}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 if two reports differ."""
    instances = int(arguments[0]) if arguments else 1000
    workers = max(2, usable_cores())
    found = sweep(instances, workers)
    print(f"{instances} instances of T1 (n = 4 and 8, |S_l| = |A_l| = |S_g| = |A_g| = 2), {usable_cores()} usable cores")
    print(table(found, instances))
    print("kept: every result is also written to the store that --out and --resume use, one durable row each")
    print("overhead: what all processes spend together beyond the first line, per instance")
    return int(len({one.digest for one in found}) > 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
