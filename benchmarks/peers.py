"""Real solvers on the same decision process: how each is fed, asked and read.

Every peer gets the system written out by :func:`mfverify.export.explicit.explicit_system` (compiled, vectorised), then builds
what it needs from it; both count as its build. All are asked for an accuracy of 1e-9 in their own terms. One process serves
one peer on ascending sizes and prints one line of JSON for each (``python -m benchmarks.peers PEER SYSTEM N...``).
"""

from __future__ import annotations

import copy
import json
import resource
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from benchmarks.systems import SYSTEMS, labelled_system
from mfverify.counts import number_of_count_vectors
from mfverify.exact.optimal import optimal_value
from mfverify.export.drn import PROPERTY, reward_floor, value_offset
from mfverify.export.explicit import ExplicitSystem, explicit_system
from mfverify.export.formats import export_model
from mfverify.model import Model
from mfverify.notation import Floats, Integers

ACCURACY = 1e-9
"""What every solver is asked for, in its own terms."""

REPEATS = 5
"""Timed runs after the first, which may compile; after a run of more than :data:`LONG` seconds no other follows."""

LONG = 5.0


@dataclass(frozen=True)
class Found:
    """What a solver says: an interval for every state, the rows of its policy if it gives one, its stated tolerance."""

    lower: Floats
    upper: Floats
    policy: Integers | None = None
    tolerance: float = 0.0
    pairs: int = 0
    """(state, joint action) pairs that were looked at, where the solver says how often it went through them."""


@dataclass(frozen=True)
class Peer:
    """A solver: the package it comes from, how a problem is built for it and how it is solved, and what it promises."""

    package: str
    method: str
    build: Callable[[Model, int], Any] | Callable[[ExplicitSystem], Any]
    solve: Callable[[Any], Found]
    promises: str
    explicit: bool = True
    """Whether it builds from the process written out; otherwise from the model and n."""

    def built(self, model: Model, n: int) -> tuple[Any, ExplicitSystem | None]:
        """The peer's own structures, and the process they were made from."""
        if not self.explicit:
            return self.build(model, n), None
        system = explicit_system(model, n)
        return self.build(system), system


def values(found: Any, policy: Any = None, tolerance: float = 0.0) -> Found:
    """One number for every state."""
    v = np.asarray(found, dtype=np.float64).ravel()
    return Found(v, v, None if policy is None else np.asarray(policy, dtype=np.int64), tolerance)


# ------------------------------------------------------------------------------------------------------------------ mfverify


def _ours(method: str) -> Callable[[tuple[Model, int]], Found]:
    def solve(problem: tuple[Model, int]) -> Found:
        best = optimal_value(*problem, method)
        pairs = best.work.sweeps * best.work.pairs_per_sweep if best.work else 0
        return Found(best.lower.ravel(), best.upper.ravel(), pairs=pairs)

    return solve


def _unbuilt(model: Model, n: int) -> tuple[Model, int]:
    return model, n


# ----------------------------------------------------------------------------------------------------------------- quantecon


def _quantecon(system: ExplicitSystem) -> Any:
    from quantecon.markov import DiscreteDP

    return DiscreteDP(system.reward, system.law, float(system.model.discount), system.state, system.action)


def _quantecon_flat(model: Model, n: int) -> Any:
    from quantecon.markov import DiscreteDP

    state, reward, law, position = labelled_system(model, n)
    action = np.arange(len(state)) - np.searchsorted(state, state)
    first = np.unique(position, return_index=True)[1]
    return DiscreteDP(reward, law, float(model.discount), state, action), first


def _solve_quantecon(method: str) -> Callable[[Any], Found]:
    def solve(problem: Any) -> Found:
        problem, first = problem if isinstance(problem, tuple) else (problem, slice(None))
        found = problem.solve(method, epsilon=ACCURACY, max_iter=100_000)
        policy = found.sigma if isinstance(first, slice) else None
        tolerance = ACCURACY / 2 if method == "modified_policy_iteration" else 0.0
        return replace(values(found.v[first], policy, tolerance), pairs=found.num_iter * len(problem.R))

    return solve


# ----------------------------------------------------------------------------------------------------------------- mdpsolver


def _mdpsolver(system: ExplicitSystem) -> Any:
    import mdpsolver

    law = system.law
    cells = [(law.data[a:b].tolist(), law.indices[a:b].tolist()) for a, b in pairwise(law.indptr)]
    starts = [*np.flatnonzero(system.action == 0).tolist(), len(cells)]
    groups = [range(a, b) for a, b in pairwise(starts)]
    rewards = [[float(system.reward[i]) for i in group] for group in groups]
    probabilities = [[cells[i][0] for i in group] for group in groups]
    columns = [[cells[i][1] for i in group] for group in groups]
    problem = mdpsolver.model()
    problem.mdp(discount=float(system.model.discount), rewards=rewards, tranMatProbs=probabilities, tranMatColumns=columns)
    return problem


def _solve_mdpsolver(problem: Any, parallel: bool = True) -> Found:
    problem.solve(algorithm="mpi", tolerance=ACCURACY, parallel=parallel)
    return values(problem.getValueVector(), problem.getPolicy(), ACCURACY)


def mdpsolver_on_one_thread(problem: Any) -> Found:
    """For systems that are solved sooner than threads meet: where other programs run, its threads wait a tenth of a second for each other."""
    return _solve_mdpsolver(problem, parallel=False)


# -------------------------------------------------------------------------------------------------------------- pymdptoolbox


def _padded(system: ExplicitSystem) -> Integers:
    """Choices ``[action, state]`` for solvers in which every state has the same number: a missing one repeats the first."""
    starts = np.flatnonzero(system.action == 0)
    widths = np.diff([*starts, len(system.action)])
    number = np.arange(int(widths.max()))[:, None]
    rows: Integers = starts + np.where(number < widths, number, 0)
    return rows


def _pymdptoolbox(solver: str) -> Callable[[ExplicitSystem], Any]:
    def build(system: ExplicitSystem) -> Any:
        from mdptoolbox import mdp

        discount = float(system.model.discount)
        rows = _padded(system)
        transitions, reward = [system.law[row] for row in rows], np.ascontiguousarray(system.reward[rows].T)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its checks compare sparse matrices with 0
            if solver == "PolicyIteration":
                return mdp.PolicyIteration(transitions, reward, discount, max_iter=100_000)
            return mdp.ValueIteration(transitions, reward, discount, epsilon=ACCURACY, max_iter=100_000)

    return build


def _solve_pymdptoolbox(problem: Any) -> Found:
    run = copy.copy(problem)  # solving replaces attributes and changes none in place
    run.run()
    return values(run.V, run.policy, ACCURACY if type(run).__name__ == "ValueIteration" else 0.0)


# --------------------------------------------------------------------------------------------------------------------- jaxdp


def _jaxdp(system: ExplicitSystem) -> Any:
    import chex
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    import jaxdp

    rows = _padded(system)
    states = rows.shape[1]
    law = np.stack([system.law[row].toarray().T for row in rows])  # [action, next state, state]
    reward = np.broadcast_to(system.reward[rows][:, :, None], (len(rows), states, states))
    process = jaxdp.MDP(
        transition=jnp.asarray(law), reward=jnp.asarray(reward), initial=jnp.full(states, 1 / states), terminal=jnp.zeros(states)
    )
    planner = jaxdp.PolicyIteration(gamma=float(system.model.discount))
    # Its checks of values need chexify around the compiled functions; these are made once, so that they compile once.
    return process, chex.chexify(jax.jit(planner.init)), chex.chexify(jax.jit(planner.update))


def _solve_jaxdp(problem: Any) -> Found:
    import chex
    import jax.numpy as jnp

    process, init, update = problem
    state = init(process, jnp.zeros((process.action_size, process.state_size)).at[0].set(1.0))
    while True:
        following = update(process, state)
        if bool((following.policy == state.policy).all()):
            chex.block_until_chexify_assertions_complete()
            return values(following.v_val, following.policy.argmax(axis=0))
        state = following


# --------------------------------------------------------------------------------------------------------------------- Storm


def _storm(system: ExplicitSystem) -> Any:
    """In memory; the discount is a probability of stopping and rewards are shifted to be nonnegative, as in the .drn export."""
    import stormpy
    from stormpy import datastructures, models

    choices, states = system.law.shape
    discount, floor = float(system.model.discount), float(reward_floor(system.model))
    starts = [*np.flatnonzero(system.action == 0).tolist(), choices]
    builder = datastructures.SparseMatrixBuilder[float](
        rows=choices + 1,
        columns=states + 1,
        entries=system.law.nnz + choices + 1,
        has_custom_row_grouping=True,
        row_groups=states + 1,
    )
    # State by state: the interface takes lists of numbers, which are much larger than the matrix.
    for a, b in pairwise(starts):
        part = sparse.hstack([system.law[a:b] * discount, np.full((b - a, 1), 1 - discount)], format="csr").sorted_indices()
        rows = a + np.repeat(np.arange(b - a), np.diff(part.indptr))
        builder.add_next_values(rows.tolist(), part.indices.tolist(), part.data.tolist(), [a])
    builder.add_next_values([choices], [states], [1.0], [choices])
    labels = models.StateLabeling(states + 1)
    for label, state in (("init", 0), ("end", states)):
        labels.add_label(label)
        labels.add_label_to_state(label, state)
    reward = models.SparseRewardModel[float](optional_state_action_reward_vector=[*(system.reward - floor).tolist(), 0.0])
    components = models.SparseModelComponents[float](builder.build(), labels, {"nonnegative": reward})
    return stormpy, models.SparseMdp[float](components), states, float(value_offset(system.model))


def _storm_exact(model: Model, n: int) -> Any:
    import stormpy

    with tempfile.TemporaryDirectory() as folder:
        path = export_model(model, n, Path(folder) / "system.drn", "drn").path
        built = stormpy.build_model_from_drn[stormpy.Rational](path)
    states = model.sizes[0] * number_of_count_vectors(n, model.sizes[2])
    return stormpy, built, states, value_offset(model)


def _solve_storm(method: str) -> Callable[[Any], Found]:
    def solve(problem: Any) -> Found:
        stormpy, built, states, offset = problem
        question = stormpy.parse_properties(PROPERTY)[0]
        if method == "exact":
            result = stormpy.model_checking(built, question, environment=stormpy.environments.exact())
            return values([float(Fraction(str(result.get_value(i))) + offset) for i in range(states)])
        sound = method in ("SOUND_VALUE_ITERATION", "OPTIMISTIC_VALUE_ITERATION", "INTERVAL_ITERATION")
        environment = stormpy.environments.sound() if sound else stormpy.Environment()
        environment.solver().min_max().method = getattr(stormpy.environments.MinMaxMethod, method)
        environment.solver().min_max().precision = stormpy.Rational(1) / stormpy.Rational(10**9)
        result = stormpy.model_checking(built, question, environment=environment)
        found = [result[i] for i in range(states)]
        middle = np.array([x.value for x in found]) + offset
        tolerance = float(ACCURACY * (np.abs(middle).max() + abs(offset)))  # Storm's precision is relative
        if not sound:
            return values(middle, None, tolerance)
        return Found(np.array([x.lower for x in found]) + offset, np.array([x.upper for x in found]) + offset)

    return solve


PEERS: dict[str, Peer] = {
    "mfverify": Peer(
        "mfverify", "policy iteration on counts, matrix-free", _unbuilt, _ours("lumped"), "an enclosure, rounding included", explicit=False
    ),
    "quantecon PI": Peer("quantecon", "policy iteration", _quantecon, _solve_quantecon("policy_iteration"), "exact but for rounding"),
    "quantecon MPI": Peer(
        "quantecon", "modified policy iteration", _quantecon, _solve_quantecon("modified_policy_iteration"), "values within epsilon / 2"
    ),
    "mdpsolver": Peer("mdpsolver", "modified policy iteration, parallel", _mdpsolver, _solve_mdpsolver, "a convergence threshold"),
    "pymdptoolbox PI": Peer(
        "pymdptoolbox", "policy iteration", _pymdptoolbox("PolicyIteration"), _solve_pymdptoolbox, "exact but for rounding"
    ),
    "pymdptoolbox VI": Peer(
        "pymdptoolbox", "value iteration", _pymdptoolbox("ValueIteration"), _solve_pymdptoolbox, "an epsilon-optimal policy"
    ),
    "jaxdp": Peer("jaxdp", "policy iteration (our loop around its update)", _jaxdp, _solve_jaxdp, "exact but for rounding"),
    "Storm VI": Peer("stormpy", "value iteration", _storm, _solve_storm("VALUE_ITERATION"), "a stopping rule, no guarantee"),
    "Storm PI": Peer("stormpy", "policy iteration", _storm, _solve_storm("POLICY_ITERATION"), "its linear solver's stopping rule"),
    "Storm OVI": Peer(
        "stormpy", "optimistic value iteration (its default when sound)", _storm, _solve_storm("OPTIMISTIC_VALUE_ITERATION"), "an interval"
    ),
    "Storm II": Peer("stormpy", "interval iteration", _storm, _solve_storm("INTERVAL_ITERATION"), "an interval"),
    "Storm SVI": Peer("stormpy", "sound value iteration", _storm, _solve_storm("SOUND_VALUE_ITERATION"), "an interval"),
    "Storm exact": Peer("stormpy", "policy iteration in rationals", _storm_exact, _solve_storm("exact"), "the exact value", explicit=False),
}
"""The solvers on the lumped process."""

FLAT: dict[str, Peer] = {
    "mfverify flat": Peer(
        "mfverify", "value iteration on labelled agents", _unbuilt, _ours("flat"), "an enclosure, rounding included", explicit=False
    ),
    "quantecon flat": Peer(
        "quantecon",
        "policy iteration on labelled agents",
        _quantecon_flat,
        _solve_quantecon("policy_iteration"),
        "exact but for rounding",
        explicit=False,
    ),
}
"""The solvers on labelled agents, without symmetry."""


def installed(peer: Peer) -> str | None:
    """The version of a peer's package, or None; mfverify itself is always there."""
    try:
        return version(peer.package)
    except PackageNotFoundError:
        return "from source" if peer.package == "mfverify" else None


def policy_value(system: ExplicitSystem, policy: Integers) -> Floats:
    """The value of a policy given by choice numbers, by one sparse linear solve."""
    rows = np.flatnonzero(system.action == 0) + policy
    identity = sparse.identity(len(rows), format="csr")
    value: Floats = spsolve(sparse.csc_matrix(identity - float(system.model.discount) * system.law[rows]), system.reward[rows])
    return value


def timed(call: Callable[[], Any], repeats: int) -> tuple[Any, list[float]]:
    """The last result and the times; the first run, which may compile, counts only where it took too long to repeat."""
    times: list[float] = []
    while len(times) <= repeats:
        started = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - started)
        if times[-1] > (LONG if len(times) > 1 else 4 * LONG):
            break
    return result, times[1:] or times


def measure(peer: Peer, model: Model, n: int, repeats: int = REPEATS) -> dict[str, Any]:
    """Build once, solve several times, and say what was found."""
    started = time.perf_counter()
    problem, system = peer.built(model, n)
    build = time.perf_counter() - started
    found, times = timed(lambda: peer.solve(problem), repeats)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    document: dict[str, Any] = {
        "agents": n,
        "build_seconds": build,
        "solve_seconds": statistics.median(times),
        "solve_spread": [min(times), max(times)],
        "runs": len(times),
        "peak_mib": round(peak),
        "tolerance": found.tolerance,
        "pairs": found.pairs,
        "lower": found.lower.tolist(),
        "upper": found.upper.tolist(),
    }
    if found.policy is not None and system is not None:
        document["policy_value"] = policy_value(system, found.policy).tolist()
    return document


def main(arguments: Sequence[str]) -> None:
    """Measure one peer on one system at ascending sizes, one line of JSON each."""
    name, system, *sizes = arguments
    peer = (PEERS | FLAT)[name]
    if installed(peer) is None:
        print(json.dumps({"status": "not installed"}), flush=True)
        return
    import_module({"pymdptoolbox": "mdptoolbox"}.get(peer.package, peer.package))
    model = SYSTEMS[system]()
    # What is compiled on first use is compiled here, on small systems.
    for small in (2, 3):
        peer.solve(peer.built(model, small)[0])
    if peer.explicit:
        explicit_system(SYSTEMS["dense"](), 40)
    for size in sizes:
        print(json.dumps({"status": "begun", "agents": int(size)}), flush=True)
        try:
            print(json.dumps({"status": "done", **measure(peer, model, int(size))}), flush=True)
        except Exception as error:
            # A peer that fails is a result; its own words are shown.
            words = " ".join(str(error).split())[:200] or type(error).__name__
            print(json.dumps({"status": "failed", "agents": int(size), "why": words}), flush=True)
            return


if __name__ == "__main__":
    main(sys.argv[1:])
