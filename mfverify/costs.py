"""What a computation would cost, from formulas, before any work; compared with the memory that this machine has free now.

With ``S = |S_l|``, ``A = |A_l|`` and ``N(n) = C(n + S - 1, S - 1)`` count vectors:

==========================  ===================================================  ================================================
computation                 numbers in memory                                    elementary operations
==========================  ===================================================  ================================================
optimum, lumped             a few per state and choice: ``N (6 |S_g| + 4 S)``    a sweep: the joint actions ``C(n + W - 1, W - 1)``,
                                                                                 ``W`` distinct (state, kernel) pairs, or ``n N``
                                                                                 where only two kernels occur; some tens of sweeps;
                                                                                 before them a plan or a table (``bellman/work.py``)
optimum, flat               ``|S_g| (S A)^n`` expectations                       ``|S_g|^2 S (S A)^n`` a sweep, ``log(width)/log(gamma)``
                                                                                 sweeps, or 200 extrapolated ones if that is less
learning                    as the optimum of k agents, and the policy           the same; with samples: pairs times m
execution                   ``|S_g| N`` rows; about ``20 sqrt(n)`` probabilities  ``n`` for each number in a row; at most 100
                            of a row count in each direction                     with two local states
==========================  ===================================================  ================================================

The formulas give orders of magnitude; what is refused for certain is refused by the operators themselves.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from mfverify.bellman import work
from mfverify.bellman.work import SWEEPS
from mfverify.counts import number_of_count_vectors
from mfverify.errors import TooLargeError

if TYPE_CHECKING:
    from mfverify.model import Model

_NUMBER: Final = 8
"""Bytes of a double or an index."""

_POLICY_ENTRY: Final = 600
"""Bytes of a state in a learned policy: its count vector and its maximisers as Python objects."""

_PER_SECOND: Final = 10**9
"""Elementary operations of compiled code that a core makes in a second, within a factor of a few."""

_RATIONAL: Final = 1200
"""Elementary operations in the time of an operation on rationals. This and the next three were measured, on two to four sizes each."""

_GATHERED: Final = 5
"""The same for a number that is read at a place that was drawn, or along an axis of a labelled table."""

_PER_STATE: Final = 3 * 10**4
"""The same for a state of a learned policy, whose maximisers are Python objects and may have to be told apart exactly."""

_PER_NUMBER: Final = 100
"""The same for a number in a row of two binomials, which does not grow with n."""

_LONGEST: Final = 24 * 3600
"""Seconds beyond which a single computation is not begun."""

_CGROUP_LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_LARGEST_SHOWN: Final = 10**300


@dataclass(frozen=True)
class Cost:
    """What one computation needs: bytes of memory, elementary operations, and what to change if that is too much.

    ``preparation``: operations before the others, on one core.
    """

    what: str
    memory: int
    operations: int
    remedy: str
    preparation: int = 0

    @property
    def seconds(self) -> float:
        """The time on all usable cores, within a factor of a few."""
        shared = min(self.operations, _LARGEST_SHOWN) / (_PER_SECOND * (os.cpu_count() or 1))
        return shared + min(self.preparation, _LARGEST_SHOWN) / _PER_SECOND

    def __str__(self) -> str:
        return f"{self.what}: {_bytes(self.memory)} of memory and {_shown(self.operations + self.preparation)} operations, very roughly {_duration(self.seconds)}"


def solving(model: Model, n: int, method: str = "lumped") -> Cost:
    """The cost of :func:`~mfverify.exact.optimal.optimal_value`."""
    global_states, global_actions, size, actions = model.sizes
    states = number_of_count_vectors(n, size)
    what = f"the optimal value of {n} agents, method {method}"
    if method == "flat":
        table = power(size * actions, n)
        plain = 1 + int(30 / -math.log(max(float(model.discount), 1e-300))) if model.discount < 1 - 1e-9 else 10**9
        sweeps = min(plain, 10 * SWEEPS)
        return Cost(what, _NUMBER * global_states * table, _GATHERED * sweeps * global_states**2 * size * table, "use method 'lumped' or fewer agents")
    if method == "rational":
        pairs = global_states * global_actions * number_of_count_vectors(n, size * actions)
        operations = _RATIONAL * (pairs * states + (global_states * states) ** 3)
        return Cost(what, 100 * global_states * states**2, operations, "use method 'lumped' or fewer agents")
    if method == "limit":
        return Cost(what, _NUMBER * global_states * size * states, global_states * size * states, "name single states (--state)")
    operations = sum(rows * (n * states if kernels <= 2 else comb(n + choices - 1, choices - 1)) for kernels, choices, rows in _merged(model))
    memory = _NUMBER * states * (6 * global_states + 4 * size)
    preparation = sum(_preparation(n, size, kernels, choices, rows) for kernels, choices, rows in _merged(model))
    return Cost(what, memory, SWEEPS * operations, "use fewer agents or a model with fewer local states or actions", preparation)


def _preparation(n: int, size: int, kernels: int, choices: int, rows: int) -> int:
    """What the plan of a sweep costs, or what a table costs more than a planned sweep where that is less; 0 for two kernels."""
    if kernels <= 2:
        return 0
    planning = work.planning_steps(size, choices)
    if not work.prefers_table(n, size, kernels, choices):
        return planning
    return SWEEPS * rows * max(0, work.table_steps(n, size, kernels, choices) - work.walk_steps(n, choices))


def learning(model: Model, k: int, samples: int | None = None) -> Cost:
    """The cost of :func:`~mfverify.subsample_mfq.learning.learn` with the mean-field table."""
    optimum = solving(model, k)
    global_states, global_actions, size, actions = model.sizes
    memory = optimum.memory + _POLICY_ENTRY * global_states * number_of_count_vectors(k, size)
    operations = optimum.operations
    what = f"learning with k = {k}"
    if samples is not None:
        drawn = samples * global_states * global_actions * number_of_count_vectors(k, size * actions)
        memory, operations = memory + _NUMBER * drawn, operations + _GATHERED * SWEEPS * drawn
        what += f" and m = {samples}"
    preparation = optimum.preparation + _PER_STATE * global_states * number_of_count_vectors(k, size)
    return Cost(what, memory, operations, "use a smaller subsample or fewer samples", preparation)


def executing(model: Model, n: int, k: int, word: str, states: int, row: int) -> Cost:
    """The cost of execution where there are ``states`` for each global state, with ``row`` numbers in the row of each."""
    numbers = model.sizes[0] * states * row
    what = f"executing the policy with n = {n}, k = {k}, {word} draws"
    each = min(n, _PER_NUMBER) if model.sizes[2] == 2 else n
    return Cost(what, 2 * _NUMBER * numbers, numbers * each, "use fewer agents or a model with fewer local states")


def row_width(n: int, size: int) -> int:
    """How many count vectors an agent count spreads over in one step, about: 20 standard deviations in each direction."""
    width: int = (1 + 20 * math.isqrt(n)) ** (size - 1)
    return width


def check(*costs: Cost) -> None:
    """Raise :class:`TooLargeError` for the first computation that this machine cannot hold now, or not finish in a day."""
    free = available_memory()
    for cost in costs:
        if cost.memory > free:
            raise TooLargeError(f"{cost}; this machine has {_bytes(free)} free; {cost.remedy}")
        if cost.seconds > _LONGEST:
            raise TooLargeError(f"{cost} on {os.cpu_count()} cores, more than a day; {cost.remedy}")


def available_memory() -> int:
    """Bytes that can be had without swapping, the limit of a container included."""
    free: int = psutil.virtual_memory().available
    used: int = _process(os.getpid()).memory_info().rss
    return min([free, *(limit - used for limit in _container_limits())])


@cache
def _process(identifier: int) -> psutil.Process:
    """This process, which takes longer to find than its memory; a forked one has another number."""
    return psutil.Process(identifier)


def _container_limits() -> Iterator[int]:
    for path in _CGROUP_LIMITS:
        try:
            text = Path(path).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            yield int(text)


def _merged(model: Model) -> Iterator[tuple[int, int, int]]:
    """For each global state: distinct local kernels, distinct (local state, kernel) pairs, distinct rows of the global kernel."""
    global_states, global_actions, size, actions = model.sizes
    for g in range(global_states):
        of_state = [{tuple(model.local_kernel[s, g, a]) for a in range(actions)} for s in range(size)]
        rows = {tuple(model.global_kernel[g, b]) for b in range(global_actions)}
        yield len(set().union(*of_state)), sum(map(len, of_state)), len(rows)


def power(base: int, exponent: int) -> int:
    """``base ** exponent``, or some number beyond everything where that would itself be too long to compute."""
    return base**exponent if exponent * base.bit_length() <= 10_000 else 10**3000


def _shown(number: int) -> str:
    return f"{number:.3g}" if number < _LARGEST_SHOWN else "over 1e+300"


def _bytes(number: int) -> str:
    if number >= 2**30:
        return f"{number / 2**30:.3g} GiB" if number < _LARGEST_SHOWN else "over 1e+300 bytes"
    return f"{max(1, number // 2**20)} MiB"


def _duration(seconds: float) -> str:
    for size, word in ((365.25 * 86400, "years"), (86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{seconds / size:.3g} {word}"
    return "seconds" if seconds >= 1 else "less than a second"
