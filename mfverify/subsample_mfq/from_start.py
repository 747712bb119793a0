r"""The value of executing from one start: the law of the state is pushed forward, and only likely states are kept.

:func:`~mfverify.subsample_mfq.execution.execution_value` holds a row for every state, which ends at a few thousand count vectors. From
one start the executed policy often sees far fewer: agents gather, and the law of the counts stays narrow. Step by step,

    mu_{t+1}(g', c') = sum_{g,c} mu_t(g, c) Pr[g', c' | g, c],     value = sum_t gamma^t sum_x mu_t(x) r(x),

where terms below a smallest probability are left out. What is known of the rest: its mass is one minus the mass that was kept, and its
reward lies between the least and the largest stage reward of the model; the same holds after the last step.

*Rounding.* Signals carry their budgets (``laws.py``), and so does the law that is pushed: every step adds that of its signals and of the
binomials of all groups. The kept part is that much away from a part of the true law, in relative error entry by entry and in what was
lost; the mass that was kept enters the enclosure with this error too. Terms that underflow are among those left
out: a power ``p^x`` below the normal doubles, x of at most 1000 agents, has a binomial probability of at most ``exp(-146) < 1e-60``, the
least of ``1000 KL(x/1000, p)`` over ``x ln(1/p) >= 708`` by Chernoff's bound, so it is never part of a term that is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log
from typing import TYPE_CHECKING, Final

import numpy as np

from mfverify.enclosure import Interval, round_up
from mfverify.errors import ModelError, TooLargeError
from mfverify.laws import EXACT, ROUNDED, Budget, Law, worst
from mfverify.progress import step, waiting
from mfverify.subsample_mfq.draws import way
from mfverify.subsample_mfq.execution import check_learned
from mfverify.subsample_mfq.learning import Learned
from mfverify.subsample_mfq.signals import Numbering, Signals, push
from mfverify.validation import positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers
    from mfverify.subsample_mfq.way import Way

_MOST_TERMS: Final = 3 * 10**7
"""Terms of a step that are held before they are added up."""

_MOST_AGENTS: Final = 1000
"""Beyond this, numbers of subsets are no doubles."""

_NUMBERS_AT_ONCE: Final = 4 * 10**6
"""Numbers in the tables of the states whose signals are made at once."""


@dataclass(frozen=True)
class FromStart:
    """The enclosed value at the start, how many states were held at most, and the largest mass that was left out."""

    value: Interval
    states: int
    left_out: Fraction


@waiting("execution from one start")
def execution_value_from(
    model: Model,
    n: int,
    learned: Learned,
    start: tuple[int, Sequence[int]],
    smallest: float = 1e-12,
    most_states: int = 10**6,
    sampling: str | Way = "independent",
) -> FromStart:
    """Enclose the value of ``pi_k`` at ``start = (s_g, counts of local states)``.

    ``smallest`` is the probability below which a term is left out: less is narrower and slower. Raises :class:`ModelError` for a start
    that is not a state of n agents, a policy of another model or k > n, :class:`UndecidedTieError` when a likely draw leads to
    an undecided tie, :class:`TooLargeError` when the law spreads over more than ``most_states`` states. ``sampling`` is that of
    :func:`~mfverify.subsample_mfq.execution.execution_value`. Cost: a step makes the signals of each state held (``|S_l|
    C(k+|S_l|-2, |S_l|-1)`` draws when they are independent), and as many terms as they can lead to.
    """
    n = positive_integer("agents", n)
    global_states, _, size, _ = model.sizes
    first, where = int(start[0]), np.array(start[1], dtype=np.int64)
    if not 0 <= first < global_states or where.shape != (size,) or where.min() < 0 or where.sum() != n:
        raise ModelError(f"start: found {(start[0], tuple(start[1]))}, expected a global state and {size} counts that sum to {n}")
    how = way(sampling)
    check_learned(model, n, learned, how)
    if not 1e-60 <= smallest < 1:
        raise ModelError(f"smallest: found {smallest}, expected a probability of at least 1e-60 and below 1")
    if n > _MOST_AGENTS:
        raise TooLargeError(f"{n} agents, more than {_MOST_AGENTS}; use execution_value or fewer agents")
    sizes = how.sizes(model, n, learned.k)
    numbering = Numbering.of(sizes, size, global_states)
    begun = how.beginnings(learned, first, tuple(where.tolist()))
    parts = np.array([c for _, c in begun], dtype=np.int64).reshape(-1, len(sizes), size)
    state = np.full(len(parts), first), parts
    codes, mass = numbering.encode(*state), np.array([float(p) for p, _ in begun])
    known = EXACT if len(begun) == 1 else ROUNDED
    signals = how.signals(learned, n)
    least = min(model.global_reward.ravel()) + min(model.local_reward.ravel())
    most = max(model.global_reward.ravel()) + max(model.local_reward.ravel())
    horizon = 1 + ceil(log(1e-10) / log(model.discount))
    lower = upper = Fraction(0)
    weight = Fraction(1)
    largest, left_out = 1, Fraction(0)
    for t in range(horizon):
        if len(codes) > most_states:
            raise TooLargeError(
                f"the law of {n} agents spreads over {len(codes)} states, more than {most_states}; start elsewhere or raise smallest"
            )
        if not len(codes):
            left_out = Fraction(1)
            break
        largest = max(largest, len(codes))
        step(t, horizon, f"step {t} of {horizon}, {len(codes)} states")
        found, later, reward = _step(t, codes, mass, known, signals, numbering, model, n, smallest)
        kept = Fraction(float(mass.sum()))
        # Both are rounded up to doubles: short numbers, whose sums stay short.
        error = Fraction(round_up(known.mixing(reward.budget, len(codes)).error(model.rt)))
        earned = Fraction(float(mass @ reward.rows))
        unkept = max(Fraction(0), Fraction(round_up(1 - kept + known.summed(len(codes)).error(max(kept, Fraction(1))))))
        left_out = max(left_out, unkept)
        lower += weight * (earned - error + min(least, 0) * unkept)
        upper += weight * (earned + error + max(most, 0) * unkept)
        weight *= model.discount
        codes, mass, known = found, later.rows, later.budget
    rest = weight / (1 - model.discount)
    return FromStart(Interval(lower + rest * least, upper + rest * most), largest, left_out)


def _step(
    t: int,
    codes: Integers,
    mass: Floats,
    known: Budget,
    signals: Callable[[int, Integers, Integers], Signals],
    numbering: Numbering,
    model: Model,
    n: int,
    smallest: float,
) -> tuple[Integers, Law[Floats], Law[Floats]]:
    """The states one step later, their probabilities, and the expected reward of each state now."""
    _, _, size, actions = model.sizes
    height = max(1, _NUMBERS_AT_ONCE // (size * size * actions * len(numbering.sizes)))
    parts, earned, least = [], [], Fraction(smallest)
    for begin in range(0, len(codes), height):
        chunk = slice(begin, begin + height)
        step = signals(t, *numbering.decode(codes[chunk]))
        earned.append(step.reward(n))
        budget, done = step.pushed(known, n).kept_from(least), 0
        while done < len(codes[chunk]):
            done, _, found, probability = push(done, mass[chunk], step, numbering, smallest)
            parts.append(_added(found, Law(probability, budget)))
            if sum(len(found) for found, _ in parts) > _MOST_TERMS:
                raise TooLargeError(f"a step leads to more than {_MOST_TERMS:.0e} terms; raise smallest or use fewer agents")
    found, law = parts[0] if len(parts) == 1 else _added(np.concatenate([found for found, _ in parts]), _joined(law for _, law in parts))
    return found, law, _joined(earned)


def _joined(laws: Iterable[Law[Floats]]) -> Law[Floats]:
    """Laws one after the other."""
    laws = list(laws)
    if len(laws) == 1:
        return laws[0]
    return Law(np.concatenate([law.rows for law in laws]), worst(*(law.budget for law in laws)))


def _added(codes: Integers, mass: Law[Floats]) -> tuple[Integers, Law[Floats]]:
    """Equal codes put together."""
    if not len(codes):
        return codes, mass
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    terms = int(np.diff(np.append(first, len(codes))).max())
    return ordered[first], Law(np.add.reduceat(mass.rows[order], first), mass.budget.summed(terms))
