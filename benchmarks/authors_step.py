"""The paper authors' own learning step beside one exact Bellman sweep, on their public configuration.

Their repository is given by path; none of its code is part of this project. Its ``Q_function`` is made for k agents as its
``environment.py`` makes it, and ``update_Q`` is timed twice: the first call draws the next states, later calls reuse them. Their
step is not ``T_k``: it draws ``monte_carlo_samples`` next states for each pair of state *and action distributions*, independent
of each other, and averages the reward over their product, so values are not compared, only the cost of one step. Run
``python -m benchmarks.authors_step theirs PATH K...`` or ``ours PATH K...``; prints one line of JSON for each k.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np


def theirs(folder: Path, sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Time the authors' step; runs the code of the given folder."""
    # Their module draws on import of its environment; for this process only, so that nothing else inherits it.
    matplotlib.use("agg")
    sys.path.insert(0, str(folder))
    from centralized_training import Q_function

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    environment, simulation = config["environment"], config["simulation"]
    functions: dict[str, Any] = {}
    for lines in environment["functions"].values():
        exec("\n".join(lines), functions)
    for k in sizes:
        with contextlib.redirect_stdout(io.StringIO()):
            started = time.perf_counter()
            learner = Q_function(
                n=k,
                state_spaces=[environment[agent]["state_space"] for agent in ("local_agent", "global_agent")],
                action_spaces=[environment[agent]["action_space"] for agent in ("local_agent", "global_agent")],
                samples=simulation["monte_carlo_samples"],
                transition_system=[functions["global_agent_transition"], functions["local_agent_transition"]],
                reward_system=[functions["global_agent_reward"], functions["local_agent_reward"]],
                gamma=simulation["discount_factor"],
            )
            made = time.perf_counter() - started
            steps = [_seconds(learner.update_Q) for _ in range(2)]
        yield {
            "k": k,
            "table": int(learner.n_joint_states * learner.n_joint_actions),
            "build_seconds": made,
            "first_step_seconds": steps[0],
            "later_step_seconds": steps[1],
            "peak_mib": _peak(),
        }


def ours(folder: Path, sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Time one exact Bellman sweep of the k-agent system (operator made before), and the whole certified solve."""
    from mfverify.bellman.lumped import LumpedOperator
    from mfverify.exact.optimal import optimal_value
    from mfverify.model_files import load_model

    model = load_model(folder / "config.json")
    optimal_value(model, 2)
    for k in sizes:
        started = time.perf_counter()
        operator = LumpedOperator(model, k)
        made = time.perf_counter() - started
        value = np.zeros(operator.shape)
        operator.sweep(value)
        sweeps = [_seconds(lambda: operator.sweep(value)) for _ in range(5)]  # noqa: B023  # called at once
        solve = _seconds(lambda: optimal_value(model, k))  # noqa: B023
        yield {
            "k": k,
            "table": operator.pairs,
            "build_seconds": made,
            "sweep_seconds": statistics.median(sweeps),
            "sweep_spread": [min(sweeps), max(sweeps)],
            "solve_seconds": solve,
            "peak_mib": _peak(),
        }


def _seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _peak() -> int:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    measured = {"theirs": theirs, "ours": ours}[sys.argv[1]]
    for row in measured(Path(sys.argv[2]), [int(k) for k in sys.argv[3:]]):
        print(json.dumps(row), flush=True)
