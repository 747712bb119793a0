"""How long the optimal value takes: count vectors (lumped) against labelled agents (flat).

The flat solver works on ``|S_g| |S_l|^n`` states and is the independent oracle of the tests; it is only usable for few agents. Each
time is the shortest of several runs, after one run that compiles. Run it with ``python benchmarks/lumped_solver.py``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import mfverify as mfv
from mfverify.counts import number_of_count_vectors

FEW = (4, 6, 8)
"""Numbers of agents at which both solvers run."""

MANY = (25, 50, 100, 200)
"""Numbers of agents at which only the lumped solver runs."""


@dataclass(frozen=True)
class Measured:
    """One solved system: the shortest time in seconds and the largest width of the enclosure."""

    states: int
    seconds: float
    width: float


def measure(model: mfv.Model, agents: int, method: str, runs: int) -> Measured:
    """Solve the same system ``runs`` times."""
    times = []
    width = float("inf")
    for _ in range(runs):
        started = time.perf_counter()
        value = mfv.optimal_value(model, agents, method)
        times.append(time.perf_counter() - started)
        width = float(value.width.max())
    global_states, _, local_states, _ = model.sizes
    per_global_state = local_states**agents if method == "flat" else number_of_count_vectors(agents, local_states)
    return Measured(global_states * per_global_state, min(times), width)


def table(model: mfv.Model, few: Sequence[int] = FEW, many: Sequence[int] = MANY, runs: int = 3) -> str:
    """The measurements of one model as text, a line for each number of agents."""
    for method in ("flat", "lumped"):
        mfv.optimal_value(model, few[0], method)
    lines = [
        model.name,
        f"{'n':>5} {'lumped states':>14} {'lumped s':>10} {'width':>9} {'flat states':>12} {'flat s':>10} {'flat/lumped':>12}",
    ]
    for agents in (*few, *many):
        lumped = measure(model, agents, "lumped", runs)
        line = f"{agents:>5} {lumped.states:>14} {lumped.seconds:>10.2g} {lumped.width:>9.1e}"
        if agents in few:
            flat = measure(model, agents, "flat", runs)
            line += f" {flat.states:>12} {flat.seconds:>10.2g} {flat.seconds / lumped.seconds:>12.1f}"
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    """Print the tables of two bundled models."""
    for model in (mfv.models.coordination(), mfv.models.random_coupled(4)):
        print(table(model), end="\n\n")


if __name__ == "__main__":
    main()
