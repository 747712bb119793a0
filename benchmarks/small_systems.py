"""Small systems: one call from Python, many models at once, and the same solved as a large system is; beside peers where they are installed.

Two global and local states and actions, discount 9/10, enclosure to 1e-9 included. *As large*: the sweeps and iterations that larger systems use.
Peers are timed without building their arrays, mdpsolver on one thread. All of a size are timed in turn, so that a busy machine slows all of
them, and medians are shown. Run it with ``python benchmarks/small_systems.py``.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import mfverify as mfv
from benchmarks.peers import PEERS, installed, mdpsolver_on_one_thread
from benchmarks.systems import dense
from mfverify import batch, threads
from mfverify.bellman import small
from mfverify.subsample_mfq import small_chains

AGENTS = (2, 4, 8, 16, 24)
MODELS = 1000
OTHERS = ("quantecon PI", "mdpsolver")


@contextmanager
def as_large() -> Iterator[None]:
    """No system counts as small."""
    kept = small.solve_alone, small_chains.fits
    small.solve_alone, small_chains.fits = (lambda *_: None), (lambda *_: False)
    try:
        yield
    finally:
        small.solve_alone, small_chains.fits = kept


def large(call: Callable[[], object]) -> None:
    """The same as a large system."""
    with as_large():
        call()


def medians(calls: Sequence[Callable[[], object]], runs: int) -> list[float]:
    """Microseconds of each call, median over so many rounds in which all of them take their turn; one round before may compile."""
    taken: list[list[float]] = [[] for _ in calls]
    for round_ in range(runs + 1):
        for call, of_call in zip(calls, taken, strict=True):
            started = time.perf_counter()
            call()
            if round_:
                of_call.append(1e6 * (time.perf_counter() - started))
    return [statistics.median(of_call) for of_call in taken]


def drawn(number: int, seed: int = 1) -> batch.Models:
    """Random models, every weight positive."""
    rng = np.random.default_rng(seed)
    kernels = rng.random((number, 2, 2, 2)), rng.random((number, 2, 2, 2, 2))
    return batch.Models(*kernels, rng.random((number, 2, 2)), rng.random((number, 2, 2, 2)), "9/10")


def bare(name: str, model: mfv.Model, n: int) -> Callable[[], object]:
    """What a peer takes once its arrays are built."""
    built, _ = PEERS[name].built(model, n)
    return partial(mdpsolver_on_one_thread if name == "mdpsolver" else PEERS[name].solve, built)


def single(agents: Sequence[int] = AGENTS, runs: int = 15) -> str:
    """Solving, learning and executing one model, microseconds."""
    model = dense()
    others = [name for name in OTHERS if installed(PEERS[name])]
    lines = [
        f"{'n':>3} {'solve':>8} {'as large':>9} {'ratio':>6} {'learn':>8} {'as large':>9} {'execute':>8} {'as large':>9}"
        + "".join(f" {x:>13}" for x in others)
    ]
    for n in agents:
        learned = mfv.learn(model, n - 1)

        steps: list[Callable[[], object]] = []
        for call in (
            partial(mfv.optimal_value, model, n),
            partial(mfv.learn, model, n - 1),
            partial(mfv.execution_value, model, n, learned),
        ):
            steps += [call, partial(large, call)]
        steps += [bare(name, model, n) for name in others]
        found = medians(steps, runs)
        solve, solve_large, learn, learn_large, execute, execute_large, *of_others = found
        line = f"{n:>3} {solve:>8.0f} {solve_large:>9.0f} {solve_large / solve:>6.0f} {learn:>8.0f} {learn_large:>9.0f} {execute:>8.0f} {execute_large:>9.0f}"
        lines.append(line + "".join(f" {x:>13.0f}" for x in of_others))
    return "\n".join(lines)


def many(agents: Sequence[int] = (4, 8, 16), models: int = MODELS, runs: int = 9) -> str:
    """A batch: microseconds per model on one thread and on all, beside bare solves of one model, and certified gaps (two solves, execution) per second."""
    given = drawn(models)
    others = [name for name in OTHERS if installed(PEERS[name])]
    lines = [
        f"{'n':>3} {'k':>3} {'one thread':>11} {'all threads':>12}" + "".join(f" {x:>13} {'ratio':>6}" for x in others)
        + f" {'gaps / s, independent':>22} {'shared':>8}"
    ]

    def on_one_thread(n: int) -> None:
        with threads.at_most(1):
            batch.optimum(given, n)

    for n in agents:
        steps: list[Callable[[], object]] = [partial(on_one_thread, n), partial(batch.optimum, given, n)]
        steps += [partial(batch.gaps, given, n, n - 1, sampling) for sampling in ("independent", "shared")]
        steps += [bare(name, given.model(0), n) for name in others]
        alone, solve, independent, shared, *of_others = medians(steps, runs)
        line = f"{n:>3} {n - 1:>3} {alone / models:>11.1f} {solve / models:>12.1f}"
        line += "".join(f" {x:>13.1f} {x / (solve / models):>6.1f}" for x in of_others)
        lines.append(line + f" {1e6 * models / independent:>22.0f} {1e6 * models / shared:>8.0f}")
    return "\n".join(lines)


if __name__ == "__main__":
    print("one model, microseconds (medians); learned with k = n - 1, independent draws; peers: the bare solve\n" + single())
    print(f"\n{MODELS} models at once, microseconds per model; peers: the bare solve of one of them, over the time on all threads\n" + many())
