r"""The value of executing from one start: the law of the state is pushed forward, and only likely states are kept.

:func:`~mfverify.subsample_mfq.execution.execution_value` holds a row for every state, which ends at a few thousand count vectors. From
one start the executed policy often sees far fewer: agents gather, and the law of the counts stays narrow. With independent draws
(Algorithm 2), step by step,

    mu_{t+1}(g', c') = sum_{g,c} mu_t(g, c) Pr[g' | g, c] Pr[c' | g, c],     value = sum_t gamma^t sum_x mu_t(x) r(x),

where terms below a smallest probability are left out. What is known of the rest: its mass is one minus the mass that was kept, and its
reward lies between the least and the largest stage reward of the model; the same holds after the last step.

*Rounding.* Everything that is added up is nonnegative and nothing is subtracted, so every computed mass has a relative error of
at most the number of roundings on its path times the unit roundoff; that number is counted (draws, moves, binomials, sums) and the
value is widened by it. The mass that was kept enters the enclosure with this error too. Terms that underflow are among those left
out: a power ``p^x`` below the normal doubles, x of at most 1000 agents, has a binomial probability of at most ``exp(-146) < 1e-60``, the
least of ``1000 KL(x/1000, p)`` over ``x ln(1/p) >= 708`` by Chernoff's bound, so it is never part of a term that is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, comb, log
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mfverify import counts
from mfverify.compiled import njit
from mfverify.enclosure import UNIT_ROUNDOFF, Interval
from mfverify.errors import ModelError, TooLargeError, UndecidedTieError
from mfverify.subsample_mfq.learning import Learned
from mfverify.validation import positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

_MOST_TERMS: Final = 3 * 10**7
"""Terms of a step that are held before they are added up."""

_MOST_AGENTS: Final = 1000
"""Beyond this, binomials are no doubles."""


@dataclass(frozen=True)
class FromStart:
    """The enclosed value at the start, how many states were held at most, and the largest mass that was left out."""

    value: Interval
    states: int
    left_out: Fraction


def execution_value_from(
    model: Model, n: int, learned: Learned, start: tuple[int, Sequence[int]], smallest: float = 1e-12, most_states: int = 10**6
) -> FromStart:
    """Enclose the value of ``pi_k`` (independent draws) at ``start = (s_g, counts of local states)``.

    ``smallest`` is the probability below which a term is left out: less is narrower and slower. Raises :class:`ModelError` for a start
    that is not a state of n agents, a policy of another model or k > n, :class:`UndecidedTieError` when a likely draw leads to
    an undecided tie, :class:`TooLargeError` when the law spreads over more than ``most_states`` states. Cost: a step sums
    ``|S_l| C(k+|S_l|-2, |S_l|-1)`` draws for each state held, and as many terms as it can lead to.
    """
    n = positive_integer("agents", n)
    global_states, _, size, _ = model.sizes
    first, where = int(start[0]), np.array(start[1], dtype=np.int64)
    if not 0 <= first < global_states or where.shape != (size,) or where.min() < 0 or where.sum() != n:
        raise ModelError(f"start: found {(start[0], tuple(start[1]))}, expected a global state and {size} counts that sum to {n}")
    if learned.model != model:
        raise ModelError(f"learned: the policy was learned on the model {learned.model.name!r}, which differs; learn it on this model")
    if learned.k > n:
        raise ModelError(f"subsample: found {learned.k}, expected at most agents = {n}")
    if not 1e-60 <= smallest < 1:
        raise ModelError(f"smallest: found {smallest}, expected a probability of at least 1e-60 and below 1")
    if n > _MOST_AGENTS:
        raise TooLargeError(f"{n} agents, more than {_MOST_AGENTS}; use execution_value or fewer agents")
    if global_states * (n + 1) ** size >= 2**63:
        raise TooLargeError(f"{n} agents in {size} local states have more count vectors than can be numbered; use fewer agents")
    step = _Step(model, n, learned, smallest)
    codes, mass = np.array([step.code(first, where)]), np.ones(1)
    least = min(model.global_reward.ravel()) + min(model.local_reward.ravel())
    most = max(model.global_reward.ravel()) + max(model.local_reward.ravel())
    horizon = 1 + ceil(log(1e-10) / log(model.discount))
    lower = upper = Fraction(0)
    weight = Fraction(1)
    roundings, largest, left_out = 0, 1, Fraction(0)
    for _t in range(horizon):
        if len(codes) > most_states:
            raise TooLargeError(
                f"the law of {n} agents spreads over {len(codes)} states, more than {most_states}; start elsewhere or raise smallest"
            )
        largest = max(largest, len(codes))
        codes_next, mass_next, reward, merged = step.push(codes, mass)
        # The exact terms of the kept part are at most rt in absolute value together; a dot product adds one rounding a state.
        error = _relative(roundings + step.reward_roundings + len(codes) + 1) * model.rt
        earned = Fraction(float(mass @ reward))
        unkept = max(Fraction(0), 1 - Fraction(float(mass.sum())) * (1 - _relative(roundings + len(codes))))
        left_out = max(left_out, unkept)
        lower += weight * (earned - error + min(least, 0) * unkept)
        upper += weight * (earned + error + max(most, 0) * unkept)
        weight *= model.discount
        roundings += step.roundings + merged
        codes, mass = codes_next, mass_next
    rest = weight / (1 - model.discount)
    return FromStart(Interval(lower + rest * least, upper + rest * most), largest, left_out)


def _relative(roundings: int) -> Fraction:
    """The relative error of nonnegative arithmetic with so many roundings on a path (Higham 2002, Lemma 3.1)."""
    return roundings * UNIT_ROUNDOFF / (1 - roundings * UNIT_ROUNDOFF)


class _Step:
    """The tables that a step looks things up in, and how often it rounds."""

    def __init__(self, model: Model, n: int, learned: Learned, smallest: float) -> None:
        self.n, self.k, self.size, self.smallest = n, learned.k, model.sizes[2], smallest
        self.model = model
        self.radix = np.array([(n + 1) ** s for s in range(self.size + 1)], dtype=np.int64)
        samples, others = (counts.count_vectors(k, self.size) for k in (self.k, self.k - 1))
        places = np.stack([counts.rank(others + np.eye(self.size, dtype=np.int64)[s]) for s in range(self.size)])
        own = np.stack([learned.local_action[:, places[s], s] for s in range(self.size)], axis=1)
        self.tables: tuple[Any, ...] = (
            samples,
            others,
            np.array([[float(comb(x, j)) for j in range(n + 1)] for x in range(n + 1)]),
            (float(comb(n, self.k)), float(comb(n - 1, self.k - 1))),
            learned.global_action,
            own,
            model.floats("global_kernel"),
            model.floats("local_kernel"),
            model.floats("global_reward"),
            model.floats("local_reward"),
        )
        global_actions, local_actions = model.sizes[1], model.sizes[3]
        # A draw: one rounded binomial and one product per local state, the sum over draws, the rounded number of draws, a quotient.
        drawn = 2 * self.size + len(samples) + 2
        move = drawn + local_actions + 2
        of_global = drawn + global_actions + 2
        self.reward_roundings = max(of_global + 1, move + 2 + self.size) + 2
        # A conditional probability of a binomial: sums of at most |S_l| moves above and below, a quotient; its power has n factors.
        binomial = n * (2 * (move + self.size) + 2) + 3
        self.roundings = of_global + self.size * (binomial * 2 + 2) + 2

    def code(self, g: int, c: Integers) -> int:
        """A number for a state: the counts as digits, the global state in front."""
        return int(c @ self.radix[:-1]) + g * int(self.radix[-1])

    def push(self, codes: Integers, mass: Floats) -> tuple[Integers, Floats, Floats, int]:
        """The law one step later, the expected reward of each state, and how many terms were added up in one entry at most."""
        out_codes, out_mass = [], []
        held = 0
        merged = 0
        reward = np.empty(len(codes))
        start = 0
        while start < len(codes):
            done, found, probability, flagged = _terms(
                start, codes, mass, reward, self.n, self.size, self.radix, self.smallest, *self.tables
            )
            if flagged:
                raise UndecidedTieError(
                    "a likely draw leads to a tie that exact arithmetic cannot decide at this size; use a smaller subsample"
                )
            start = done
            found, probability, times = _added(found, probability)
            merged += times
            out_codes.append(found)
            out_mass.append(probability)
            held += len(found)
            if held > _MOST_TERMS:
                raise TooLargeError(f"a step leads to more than {_MOST_TERMS:.0e} terms; raise smallest or use fewer agents")
        if not out_codes:
            return codes, mass, reward, 0
        if len(out_codes) == 1:
            return out_codes[0], out_mass[0], reward, merged
        found, probability, times = _added(np.concatenate(out_codes), np.concatenate(out_mass))
        return found, probability, reward, merged + times


def _added(codes: Integers, mass: Floats) -> tuple[Integers, Floats, int]:
    """Equal codes put together; the largest number that were."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(codes) else np.zeros(0, dtype=np.int64)
    if not len(first):
        return codes, mass, 0
    return ordered[first], np.add.reduceat(mass[order], first), int(np.diff(np.append(first, len(codes))).max())


_BUFFER: Final = 2**14
_FULL: Final = 2 * 10**6


@njit
def _terms(
    start: int,
    codes: Integers,
    mass: Floats,
    reward: Floats,
    n: int,
    size: int,
    radix: Integers,
    smallest: float,
    samples: Integers,
    others: Integers,
    binomial: Floats,
    draws: tuple[float, float],
    global_table: Integers,
    local_table: Integers,
    global_kernel: Floats,
    local_kernel: Floats,
    global_reward: Floats,
    local_reward: Floats,
) -> tuple[int, Integers, Floats, bool]:
    """Where the states from ``start`` on lead to, until the buffer is full: (next state to do, codes, probabilities, undecided?)."""
    global_states, global_actions = global_reward.shape
    local_actions = local_reward.shape[2]
    out_codes, out_mass = np.empty(_BUFFER, dtype=np.int64), np.empty(_BUFFER)
    used = 0
    c = np.zeros(size, dtype=np.int64)
    of_global = np.zeros(global_actions)
    of_local = np.zeros(local_actions)
    moves = np.zeros((size, size))
    i = start
    while i < len(codes):
        rest = codes[i]
        g = rest // radix[size]
        rest -= g * radix[size]
        for s in range(size - 1, -1, -1):
            c[s] = rest // radix[s]
            rest -= c[s] * radix[s]
        of_global[:] = 0.0
        for j in range(len(samples)):
            w = 1.0
            for s in range(size):
                if samples[j, s]:
                    w *= binomial[c[s], samples[j, s]]
                    if w == 0.0:
                        break
            if w > 0.0:
                if global_table[g, j] < 0:
                    return i, out_codes[:0], out_mass[:0], True
                of_global[global_table[g, j]] += w
        of_global /= draws[0]
        earned = 0.0
        for b in range(global_actions):
            earned += of_global[b] * global_reward[g, b]
        for s in range(size):
            moves[s] = 0.0
            if c[s] == 0:
                continue
            of_local[:] = 0.0
            c[s] -= 1
            for j in range(len(others)):
                w = 1.0
                for t in range(size):
                    if others[j, t]:
                        w *= binomial[c[t], others[j, t]]
                        if w == 0.0:
                            break
                if w > 0.0:
                    if local_table[g, s, j] < 0:
                        return i, out_codes[:0], out_mass[:0], True
                    of_local[local_table[g, s, j]] += w
            c[s] += 1
            of_local /= draws[1]
            own = 0.0
            for a in range(local_actions):
                if of_local[a] > 0.0:
                    own += of_local[a] * local_reward[s, g, a]
                    for t in range(size):
                        moves[s, t] += of_local[a] * local_kernel[s, g, a, t]
            earned += c[s] * own / n
        reward[i] = earned
        # The law of the counts: one local state after another, one target after another by conditional binomials.
        row_codes, row_mass = np.zeros(1, dtype=np.int64), np.full(1, mass[i])
        for s in range(size):
            if c[s]:
                row_codes, row_mass = _group(row_codes, row_mass, c[s], moves[s], radix, binomial, smallest)
        for h in range(global_states):
            p = 0.0
            for b in range(global_actions):
                p += of_global[b] * global_kernel[g, b, h]
            if p == 0.0:
                continue
            if used + len(row_codes) > len(out_codes):
                larger = max(2 * len(out_codes), used + len(row_codes))
                grown_codes, grown_mass = np.empty(larger, dtype=np.int64), np.empty(larger)
                grown_codes[:used], grown_mass[:used] = out_codes[:used], out_mass[:used]
                out_codes, out_mass = grown_codes, grown_mass
            for e in range(len(row_codes)):
                if p * row_mass[e] >= smallest:
                    out_codes[used] = row_codes[e] + h * radix[size]
                    out_mass[used] = p * row_mass[e]
                    used += 1
        i += 1
        if used > _FULL:
            break
    return i, out_codes[:used], out_mass[:used], False


@njit
def _group(
    codes: Integers, mass: Floats, agents: int, moves: Floats, radix: Integers, binomial: Floats, smallest: float
) -> tuple[Integers, Floats]:
    """The agents of one local state added to every entry, each moving by ``moves``; small products are left out."""
    targets = np.flatnonzero(moves > 0.0)
    if len(codes) == 0:
        return codes, mass
    if len(targets) == 1:
        return codes + agents * radix[targets[0]], mass
    size = len(targets)
    tails = np.zeros(size + 1)
    for j in range(size - 1, -1, -1):
        tails[j] = tails[j + 1] + moves[targets[j]]
    # The law of the group on its own first, in a stack of (agents left, code, probability).
    left, own_codes, own_mass = np.full(1, agents), np.zeros(1, dtype=np.int64), np.ones(1)
    most = mass.max()
    for j in range(size - 1):
        here, beyond = moves[targets[j]] / tails[j], tails[j + 1] / tails[j]
        total = (left + 1).sum()
        new_left, new_codes, new_mass = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64), np.empty(total)
        used = 0
        for e in range(len(own_codes)):
            for x in range(left[e] + 1):
                w = own_mass[e] * (binomial[left[e], x] * here**x * beyond ** (left[e] - x))
                if w * most >= smallest:
                    new_left[used] = left[e] - x
                    new_codes[used] = own_codes[e] + x * radix[targets[j]]
                    new_mass[used] = w
                    used += 1
        left, own_codes, own_mass = new_left[:used], new_codes[:used], new_mass[:used]
    own_codes = own_codes + left * radix[targets[size - 1]]
    out_codes, out_mass = np.empty(len(codes) * len(own_codes), dtype=np.int64), np.empty(len(codes) * len(own_codes))
    used = 0
    for e in range(len(codes)):
        for f in range(len(own_codes)):
            w = mass[e] * own_mass[f]
            if w >= smallest:
                out_codes[used] = codes[e] + own_codes[f]
                out_mass[used] = w
                used += 1
    return out_codes[:used], out_mass[:used]
