"""How close the lumped sweep comes to what the arithmetic units can do, and how long a whole certified solve takes.

A (state, joint action) pair needs one convex combination of two numbers and the step of its reward, which are two
multiply-adds, and one comparison. The *arithmetic roofline* is the rate of just these operations on numbers that never leave
the registers; it is measured here, as is the plain rate of multiply-adds. The sweep has to read and write its rows as well.
Each figure is the median of several runs, after one that compiles, with its spread. Run it on an idle machine with
``python -m benchmarks.sweep_roofline``. Sweeps are those of a model in general position; solves those of the side-by-side
comparison, because the value of the former is nearly affine in the counts, which makes the first guess too good.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import comb
from typing import Any

import numba
import numpy as np

import mfverify as mfv
from benchmarks.systems import dense
from mfverify.bellman.choices import Wanted
from mfverify.bellman.lumped import LumpedOperator

SWEEPS = (100, 400, 1000, 2000)
"""Numbers of agents at which a single sweep of two local states and two actions is measured."""

SOLVES = ((2, 2, 100), (2, 2, 400), (2, 2, 800), (2, 2, 1000), (3, 3, 30), (3, 2, 60))
"""Local states, local actions and agents of the whole solves; more can be named on the command line as ``2x2x4000``."""

_LANES, _ROUNDS, _CHAINS, _STEPS = 64, 5_000, 10, 4
"""Ten chains side by side hide the latency of the arithmetic units and still fit into the registers."""


@numba.njit(parallel=True, fastmath={"contract", "nnan", "nsz"})
def _pairs_in_registers(threads: int, rounds: int, out: Any) -> None:
    """Per thread and round: for each lane, chain and step a combination with the step of a reward, and a comparison."""
    for t in numba.prange(threads):
        x, top = np.full((_CHAINS, _LANES), 0.3), np.zeros(_LANES)
        a, b, step = 0.4 + 1e-9 * t, 0.6 - 1e-9 * t, 1e-9
        for _ in range(rounds):
            for j in range(_LANES):
                x0, x1, x2, x3, x4 = x[0, j], x[1, j], x[2, j], x[3, j], x[4, j]
                x5, x6, x7, x8, x9 = x[5, j], x[6, j], x[7, j], x[8, j], x[9, j]
                best = top[j]
                for _step in range(_STEPS):
                    first = x0
                    x0 = a * x0 + (b * x1 + step)
                    x1 = a * x1 + (b * x2 + step)
                    x2 = a * x2 + (b * x3 + step)
                    x3 = a * x3 + (b * x4 + step)
                    x4 = a * x4 + (b * x5 + step)
                    x5 = a * x5 + (b * x6 + step)
                    x6 = a * x6 + (b * x7 + step)
                    x7 = a * x7 + (b * x8 + step)
                    x8 = a * x8 + (b * x9 + step)
                    x9 = a * x9 + (b * first + step)
                    best = max(best, x0, x1, x2, x3, x4, x5, x6, x7, x8, x9)
                x[0, j], x[1, j], x[2, j], x[3, j], x[4, j] = x0, x1, x2, x3, x4
                x[5, j], x[6, j], x[7, j], x[8, j], x[9, j] = x5, x6, x7, x8, x9
                top[j] = best
        out[t] = top.sum()


@numba.njit(parallel=True, fastmath={"contract", "nnan", "nsz"})
def _multiply_adds_in_registers(threads: int, rounds: int, out: Any) -> None:
    """Per thread and round: for each lane, chain and step a multiply-add."""
    for t in numba.prange(threads):
        x = np.full((_CHAINS, _LANES), 0.3)
        a, b = 0.999 + 1e-9 * t, 1e-4
        for _ in range(rounds):
            for j in range(_LANES):
                x0, x1, x2, x3, x4 = x[0, j], x[1, j], x[2, j], x[3, j], x[4, j]
                x5, x6, x7, x8, x9 = x[5, j], x[6, j], x[7, j], x[8, j], x[9, j]
                for _step in range(_STEPS):
                    x0 = a * x0 + b
                    x1 = a * x1 + b
                    x2 = a * x2 + b
                    x3 = a * x3 + b
                    x4 = a * x4 + b
                    x5 = a * x5 + b
                    x6 = a * x6 + b
                    x7 = a * x7 + b
                    x8 = a * x8 + b
                    x9 = a * x9 + b
                x[0, j], x[1, j], x[2, j], x[3, j], x[4, j] = x0, x1, x2, x3, x4
                x[5, j], x[6, j], x[7, j], x[8, j], x[9, j] = x5, x6, x7, x8, x9
        out[t] = x.sum()


@dataclass(frozen=True)
class Times:
    """Seconds of several runs."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds of the median run."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Slowest over fastest run."""
        return max(self.seconds) / min(self.seconds)


def timed(work: Callable[[], object], runs: int) -> Times:
    """Time ``runs`` runs after one that compiles."""
    work()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return Times(tuple(seconds))


def spread_model(local_states: int, local_actions: int) -> mfv.Model:
    """A model with two global states and actions in general position, discount 9/10: nothing is shared or deterministic."""
    rng = np.random.default_rng(local_states * 10 + local_actions)

    def rows(*shape: int) -> list[Any]:
        weights = rng.integers(1, 60, size=shape)
        return [rows_of(part) for part in weights]

    def rows_of(part: Any) -> Any:
        return [f"{int(w)}/{int(part.sum())}" for w in part] if part.ndim == 1 else [rows_of(p) for p in part]

    def rewards(*shape: int) -> Any:
        return (rng.integers(-32, 33, size=shape) / 32).tolist()

    return mfv.Model(
        rows(2, 2, 2),
        rows(local_states, 2, local_actions, local_states),
        rewards(2, 2),
        rewards(local_states, 2, local_actions),
        discount="9/10",
        name=f"spread {local_states}x{local_actions}",
    )


def pairs_per_sweep(operator: LumpedOperator) -> int:
    """(state, joint action) pairs of one sweep, with global actions that differ in their row and local choices that differ."""
    return sum(len(choices.global_rows) * comb(operator.n + len(choices.kernel) - 1, operator.n) for choices in operator.choices)


def roofline(runs: int) -> tuple[list[str], float]:
    """Lines on the arithmetic units, and the roofline in pairs per second."""
    threads = numba.get_num_threads()
    out = np.zeros(threads)
    steps = _CHAINS * _STEPS * _LANES * _ROUNDS * threads
    pairs = timed(lambda: _pairs_in_registers(threads, _ROUNDS, out), runs)
    adds = timed(lambda: _multiply_adds_in_registers(threads, _ROUNDS, out), runs)
    rate = steps / pairs.median
    return [
        f"{threads} threads",
        f"multiply-adds in registers   {2 * steps / adds.median / 1e9:8.1f} Gflop/s    spread {adds.spread:.2f}",
        f"pairs in registers           {rate / 1e9:8.2f} Gpairs/s   {1e9 / rate:.4f} ns per pair   spread {pairs.spread:.2f}",
    ], rate


def sweep_lines(rate: float, agents: Sequence[int], runs: int) -> list[str]:
    """One line per number of agents and kind of sweep: time, ns per pair, share of the roofline."""
    model = spread_model(2, 2)
    lines = [f"{'n':>6} {'sweep finds':>30} {'seconds':>9} {'ns/pair':>8} {'of roofline':>12} {'spread':>7}"]
    for n in agents:
        operator = LumpedOperator(model, n)
        value = mfv.optimal_value(model, n).midpoint
        pairs = pairs_per_sweep(operator)
        for wanted in Wanted:
            times = timed(partial(operator.sweep, value, wanted), runs)
            share = pairs / times.median / rate
            lines.append(
                f"{n:>6} {wanted.value:>30} {times.median:>9.4f} {times.median / pairs * 1e9:>8.4f} {share:>12.2f} {times.spread:>7.2f}"
            )
    return lines


def solve_lines(solves: Sequence[tuple[int, int, int]], runs: int) -> list[str]:
    """One line per certified solve to 1e-9: time, sweeps, width, peak memory of the process so far."""
    lines = [f"{'S_l':>4} {'A_l':>4} {'n':>6} {'seconds':>9} {'sweeps':>7} {'pairs/sweep':>12} {'width':>9} {'spread':>7} {'peak MB':>8}"]
    for local_states, local_actions, n in solves:
        model = dense(local_states, local_actions)
        times = timed(partial(mfv.optimal_value, model, n), runs)
        found = mfv.optimal_value(model, n)
        assert found.work is not None
        pairs = pairs_per_sweep(LumpedOperator(model, n))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        lines.append(
            f"{local_states:>4} {local_actions:>4} {n:>6} {times.median:>9.4f} {found.work.sweeps:>7} {pairs:>12.3g} "
            f"{float(found.width.max()):>9.1e} {times.spread:>7.2f} {peak:>8.0f}"
        )
    return lines


def table(agents: Sequence[int] = SWEEPS, solves: Sequence[tuple[int, int, int]] = SOLVES, runs: int = 5) -> str:
    """All measurements as text."""
    lines, rate = roofline(runs)
    return "\n".join([*lines, "", *sweep_lines(rate, agents, runs), "", *solve_lines(solves, runs)])


def main() -> None:
    """Print the measurements; arguments such as ``2x2x4000`` name further solves, each timed once."""
    further = [tuple(int(x) for x in argument.split("x")) for argument in sys.argv[1:]]
    print(table())
    if further:
        print(*solve_lines([(s, a, n) for s, a, n in further], 1), sep="\n")


if __name__ == "__main__":
    main()
