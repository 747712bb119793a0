"""A real Dask cluster on this machine: a scheduler and workers, each a process of its own, reached over the loopback network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

STARTED_WITHIN = 120.0
"""Seconds for a process to start on a machine that does much else."""


@dataclass
class Cluster:
    """The scheduler's address and the processes; ``workers`` have a folder of their own, as on other machines."""

    address: str
    folder: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add_worker(self, threads: int = 1) -> subprocess.Popen[bytes]:
        """Start one more worker process."""
        home = self.folder / f"worker {len(self.workers)}"
        home.mkdir()
        worker = _started(
            "dask_worker", self.address, "--no-nanny", "--no-dashboard", f"--nthreads={threads}", f"--local-directory={home}", folder=home
        )
        self.workers.append(worker)
        return worker


@contextmanager
def cluster(folder: Path, threads: Sequence[int]) -> Iterator[Cluster]:
    """A cluster with a worker process of so many threads for each entry of ``threads``."""
    contact = folder / "scheduler.json"
    scheduler = _started("dask_scheduler", "--host=127.0.0.1", "--port=0", "--no-dashboard", f"--scheduler-file={contact}", folder=folder)
    found = None
    try:
        until = time.monotonic() + STARTED_WITHIN
        while not contact.exists() or not contact.read_text():
            assert scheduler.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, "the scheduler does not start"
            time.sleep(0.05)
        found = Cluster(json.loads(contact.read_text())["address"], folder)
        for number in threads:
            found.add_worker(number)
        yield found
    finally:
        for process in [*(found.workers if found else []), scheduler]:
            process.kill()
            process.wait()


def _started(program: str, *arguments: str, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
