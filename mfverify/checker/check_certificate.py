"""Check a certificate that a claim about SUBSAMPLE-MFQ (arXiv 2412.00661) is false: ``python check_certificate.py FILE``.

Read from top to bottom this file is the proof; a certificate fills in the numbers. Notation of the paper: n agents, samples of k,
``P_g, P_l, r_g, r_l``, discount ``gamma``, ``rt = max|r_g| + max|r_l|``. Only the counts of agents in each local state matter.
Everything is a rational number or an integer. Four facts carry it all.

(1) *Lower weights.* If ``0 <= w_i <= p_i`` for a law p, then ``sum p_i f_i`` lies between ``sum w_i f_i + (1 - sum w_i) min f`` and the
    same with ``max f``. So all probabilities here are integers over some ``unit``, rounded *down*; products of lower weights, rounded
    down, are lower weights; what got lost is known exactly and is charged to the worst case.
(2) *Residuals.* T (the Bellman operator, or the operator of one policy) is monotone and ``T(V + c) = T V + gamma c``. If
    ``T W <= W + d`` everywhere, the fixed point is ``<= W + max(d, 0)/(1 - gamma)``; likewise from below. So *any* vector W of values,
    however it was found, yields bounds: one application of the operator certifies it.
(3) *Separation.* If ``|W - V*| <= rho``, action values computed from W are off by at most ``gamma rho``: an action that is more than
    ``2 gamma rho`` below the best is not optimal. If one is left it is *the* greedy action, and no tie-breaking is involved.
(4) *Witness.* V* is at least the value of any policy.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction as Q
from itertools import product
from math import ceil, comb, isqrt, lcm, log, prod
from operator import add, mul
from typing import Any, NamedTuple

VERSION = 1
LARGEST_FILE = 8_000_000  # bytes
MOST_WORK = 4 * 10**9  # in units of Work; see there
FINE = 2**48  # the unit of probabilities in large systems


class Refused(Exception):
    """The certificate is not accepted, and why."""


class Answer(NamedTuple):
    """What :func:`check` answers: whether the certificate is accepted, what was shown or why not, and the work it took."""

    accepted: bool
    reasons: list[str]
    steps: int


@dataclass
class Work:
    """Counts elementary steps (a product of weights, an action compared), before they are made, and refuses beyond the limit."""

    done: int = 0

    def spend(self, steps: int) -> None:
        """Announce work."""
        self.done += steps
        if self.done > MOST_WORK:
            raise Refused(f"checking takes more than {MOST_WORK:.0e} steps, which this checker does not attempt")


# ---------------------------------------------------------------------------------------------------------------- reading


def require(condition: bool, reason: str) -> None:
    """Refuse with a reason unless the condition holds."""
    if not condition:
        raise Refused(reason)


def get(document: Any, key: str, kind: type, place: str = "certificate") -> Any:
    """The entry of an object, of the type that it has to be of (a bool is no integer)."""
    require(isinstance(document, dict) and key in document, f"{place}: the key {key!r} is missing")
    value = document[key]
    require(isinstance(value, kind) and not isinstance(value, bool), f"{place}: {key!r} has to be of the type {kind.__name__}")
    return value


def integer(value: Any, low: int, high: int, place: str) -> int:
    """An integer in a range."""
    require(
        isinstance(value, int) and not isinstance(value, bool) and low <= value <= high, f"{place}: expected an integer in {low}..{high}"
    )
    return int(value)


def rational(value: Any, place: str) -> Q:
    """A number written as ``"-3"``, ``"5/8"`` or ``"0.25"``."""
    written = isinstance(value, str) and len(value) <= 2000 and re.fullmatch(r"-?[0-9]+(/0*[1-9][0-9]*|\.[0-9]+)?", value)
    require(bool(written), f'{place}: expected a rational number such as "5/8" or "0.25"')
    return Q(value)


def nested(value: Any, shape: tuple[int, ...], place: str) -> Any:
    """Nested lists of rationals of exactly this shape."""
    if not shape:
        return rational(value, place)
    require(isinstance(value, list) and len(value) == shape[0], f"{place}: expected a list of {shape[0]} entries")
    return [nested(part, shape[1:], f"{place}[{i}]") for i, part in enumerate(value)]


def flat(value: Any) -> list[Q]:
    """The entries of nested lists in one list."""
    return [x for part in value for x in flat(part)] if isinstance(value, list) else [value]


def common(numbers: list[Q]) -> int:
    """A common denominator, kept within reason."""
    out = 1
    for x in numbers:
        out = lcm(out, x.denominator)
        require(out.bit_length() <= 20_000, "the denominators have no common multiple of reasonable length")
    return out


def counts_of(value: Any, total: int, size: int, place: str) -> tuple[int, ...]:
    """A count vector: ``size`` integers >= 0 with the sum ``total``."""
    require(isinstance(value, list) and len(value) == size, f"{place}: expected {size} counts")
    found = tuple(integer(x, 0, total, place) for x in value)
    require(sum(found) == total, f"{place}: the counts add up to {sum(found)}, not to {total}")
    return found


@dataclass
class Model:
    """``P_g[s_g][a_g][s_g']``, ``P_l[s_l][s_g][a_l][s_l']``, ``r_g[s_g][a_g]``, ``r_l[s_l][s_g][a_l]``, gamma: rational and checked."""

    document: Any
    sizes: tuple[int, int, int, int] = field(init=False)

    def __post_init__(self) -> None:
        given = self.document
        self.gamma = rational(get(given, "discount", str, "model"), "discount")
        require(0 < self.gamma < 1, "discount: expected a number strictly between 0 and 1")
        at = [get(given, key, list, "model") for key in ("global_kernel", "local_kernel", "global_reward", "local_reward")]
        try:
            G, B, S, A = len(at[0]), len(at[0][0]), len(at[1]), len(at[1][0][0])
        except (TypeError, IndexError, KeyError):
            raise Refused("model: the kernels are not nested lists") from None
        require(min(G, B, S, A) >= 1 and max(G, B, S, A) <= 30, "model: expected 1 to 30 states and actions of every kind")
        self.sizes = G, B, S, A
        self.P_g, self.P_l = nested(at[0], (G, B, G), "global_kernel"), nested(at[1], (S, G, A, S), "local_kernel")
        self.r_g, self.r_l = nested(at[2], (G, B), "global_reward"), nested(at[3], (S, G, A), "local_reward")
        for row in [row for rows in self.P_g for row in rows] + [row for rows in self.P_l for part in rows for row in part]:
            require(min(row) >= 0 and sum(row) == 1, "model: a row of a kernel is not a probability law")
        self.rt_l = max(abs(x) for x in flat(self.r_l))
        self.rt = max(abs(x) for x in flat(self.r_g)) + self.rt_l
        self.most = self.rt / (1 - self.gamma)  # no value of any policy exceeds this in absolute value

    def unit(self, agents: int) -> int:
        """A unit in which all laws of this many agents are exact, if it is short enough; else a fine one."""
        exponent = int(common(flat(self.P_l))), int(common(flat(self.P_g)))
        exact = exponent[0].bit_length() * agents <= 1000
        return exponent[0] ** agents * exponent[1] if exact else FINE**2


# ------------------------------------------------------------------------------------------------- counts and lower weights

Law = tuple[int, list[int]]
"""Lower weights of the laws of counts: entry i belongs to position (first component + i); see :func:`position`."""


def vectors(total: int, size: int) -> Iterator[tuple[int, ...]]:
    """All count vectors, lexicographically ascending: the order of every table in a certificate."""
    if size == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in vectors(total - first, size - 1):
            yield (first, *rest)


def position(counts: tuple[int, ...], agents: int) -> int:
    """Count vectors as numbers with digits to the base n + 1 (the last count follows from the others): adding counts adds positions."""
    return sum(c * (agents + 1) ** i for i, c in enumerate(counts[:-1]))


def law_of(row: list[int], agents: int) -> Law:
    """Where one agent goes, with the lower weights ``row`` over local states."""
    places = [position(tuple(int(s == t) for s in range(len(row))), agents) for t in range(len(row))]
    entries = [0] * (max(places) + 1)
    for place, weight in zip(places, row, strict=True):
        entries[place] = weight
    return trimmed(0, entries)


def trimmed(start: int, entries: list[int]) -> Law:
    """Without zeros at the ends."""
    first = next((i for i, x in enumerate(entries) if x), len(entries) - 1)
    last = next((i for i in range(len(entries) - 1, first, -1) if entries[i]), first)
    return start + first, entries[first : last + 1]


def together(one: Law, other: Law, unit: int, work: Work) -> Law:
    """The sum of two independent counts. Multiplying polynomials is done as one multiplication of integers: every coefficient of the
    product is at most ``unit^2`` (both add up to at most ``unit``), so ``width`` bytes for each leave no carries."""
    (i, p), (j, q) = one, other
    work.spend(4 + len(p) + len(q) + len(p) * len(q) // 16)
    if len(p) == 1 or len(q) == 1:
        return i + j, [x * y // unit for x in p for y in q]
    width = unit.bit_length() // 4 + 1
    a, b = (int.from_bytes(b"".join(x.to_bytes(width, "little") for x in law), "little") for law in (p, q))
    raw = (a * b).to_bytes(width * (len(p) + len(q)), "little")
    entries = [int.from_bytes(raw[t : t + width], "little") // unit for t in range(0, width * (len(p) + len(q) - 1), width)]
    return trimmed(i + j, entries)


def repeated(law: Law, times: int, unit: int, work: Work) -> Law:
    """The sum of several independent counts of one law."""
    out: Law = (0, [unit])
    while times:
        if times % 2:
            out = together(out, law, unit, work)
        times //= 2
        law = together(law, law, unit, work) if times else law
    return out


class Values:
    """A value vector ``W[s_g][position]`` as integers over one denominator, with its extremes; unlisted states have the value ``other``."""

    def __init__(self, model: Model, agents: int, listed: dict[tuple[int, tuple[int, ...]], Q], other: Q = Q(0)) -> None:
        G, _, S, _ = model.sizes
        self.listed, self.scale = listed, common([*listed.values(), other])
        self.table = [[int(other * self.scale)] * ((agents + 1) ** (S - 1)) for _ in range(G)]
        for (g, c), value in listed.items():
            self.table[g][position(c, agents)] = int(value * self.scale)
        everything = [*listed.values()] if len(listed) == G * comb(agents + S - 1, S - 1) else [*listed.values(), other]
        self.low, self.high = (int(f(everything) * self.scale) for f in (min, max))

    def expect(self, law: Law, g: int) -> int:
        """``sum w f`` over the unit and the scale."""
        start, w = law
        return sum(map(mul, w, self.table[g][start : start + len(w)]))


def full_values(model: Model, agents: int, document: Any, place: str, work: Work) -> Values:
    """Values for every state: one list for each global state, in the order of :func:`vectors`."""
    G, _, S, _ = model.sizes
    number = comb(agents + S - 1, S - 1)
    work.spend(4 * G * (agents + 1) ** (S - 1))
    read = nested(document, (G, number), place)
    return Values(model, agents, {(g, c): x for g in range(G) for c, x in zip(vectors(agents, S), read[g], strict=True)})


# ------------------------------------------------------------------------------------- the Bellman operator and greedy actions


class Play(NamedTuple):
    """What a sample makes its agents do: the global action, and the own action of an agent in each local state (None: nobody there)."""

    global_action: int
    local_actions: tuple[int | None, ...]


class Bellman(NamedTuple):
    """``radius``: ``|W - V*| <= radius`` everywhere. ``plays``: the greedy policy, if asked for; ``tied``: a sample whose ties matter."""

    radius: Q
    plays: dict[tuple[int, tuple[int, ...]], Play]
    tied: str


def mixtures(rows: list[list[int]], agents: int, unit: int, work: Work) -> Iterator[tuple[int, Law]]:
    """For every way to spread the agents over the rows: its number to the base n + 1, and the law of the next counts."""
    powers: list[list[Law]] = []
    for row in rows:
        powers.append([(0, [unit])])
        for _ in range(agents):
            powers[-1].append(together(powers[-1][-1], law_of(row, agents), unit, work))

    def spread(r: int, left: int, key: int, law: Law) -> Iterator[tuple[int, Law]]:
        if r == len(rows) - 1:
            yield key + left * (agents + 1) ** r, together(law, powers[r][left], unit, work)
            return
        for x in range(left + 1):
            yield from spread(r + 1, left - x, key + x * (agents + 1) ** r, together(law, powers[r][x], unit, work))

    yield from spread(0, agents, 0, (0, [unit]))


def bellman(model: Model, agents: int, values: Values, work: Work, claimed: Q | None = None) -> Bellman:
    """One application of ``(T W)(g, c) = max over (b, d) of r_g + (1/n) sum d_z r_l(z) + gamma E W`` to every state; b is the global
    action, ``d_z`` the number of agents for each z = (local state, local action).

    E depends on the joint action only through how many agents use each distinct row of P_l. With ``claimed`` (a bound of the radius,
    confirmed at the end) the greedy policy is read off: fact 3.
    """
    G, B, S, A = model.sizes
    base, unit = agents + 1, model.unit(agents)
    R, D, gamma = common(flat(model.r_g) + flat(model.r_l)), common(flat(model.P_g)), model.gamma
    work.spend(G * B * comb(agents + S * A - 1, S * A - 1))  # all (state, joint action) pairs
    # Everything below is an integer over: agents * R (rewards), times ``whole`` (expectations), times the denominator of gamma.
    whole = unit * D * values.scale
    to_reward, to_future = whole * gamma.denominator, gamma.numerator * agents * R
    one = agents * R * whole * gamma.denominator
    near = None if claimed is None else ceil(2 * gamma * claimed * one)
    worst, plays, tied = 0, {}, ""
    for g in range(G):
        rows = [list(row) for row in dict.fromkeys(tuple(model.P_l[s][g][a]) for s in range(S) for a in range(A))]
        number = [[rows.index(model.P_l[s][g][a]) for a in range(A)] for s in range(S)]
        low: list[dict[int, int]] = [{} for _ in range(B)]
        high: list[dict[int, int]] = [{} for _ in range(B)]
        for key, law in mixtures([[int(p * unit) for p in row] for row in rows], agents, unit, work):
            ahead = [values.expect(law, h) for h in range(G)]
            lost = unit - sum(law[1])
            for b in range(B):
                mean = sum(int(p * D) * x for p, x in zip(model.P_g[g][b], ahead, strict=True))
                own = int(model.r_g[g][b] * R) * agents * to_reward
                low[b][key] = own + to_future * (mean + lost * D * values.low)
                high[b][key] = own + to_future * (mean + lost * D * values.high)
        exact = low == high
        for c in vectors(agents, S):
            splits = [list(vectors(x, A)) for x in c]
            require(prod(map(len, splits)) <= 4 * 10**6, "a state has too many joint actions for this checker")
            keys, rewards = [0], [0]  # of every joint local action, in the order of the product of the splits
            for s, part in enumerate(splits):
                more = [sum(x * base ** number[s][a] for a, x in enumerate(d)) for d in part]
                gains = [sum(x * int(model.r_l[s][g][a] * R) for a, x in enumerate(d)) * to_reward for d in part]
                keys, rewards = [x + y for x in keys for y in more], [x + y for x in rewards for y in gains]
            tables = [[*map(add, rewards, map(table.__getitem__, keys))] for table in (low if exact else low + high)]
            tops = [max(table) for table in tables]
            best, upper = max(tops[:B]), max(tops[-B:])
            here = int(values.listed[g, c] * one)
            worst = max(worst, upper - here, here - best)
            if near is None:
                continue
            # Every optimal joint action is among these; they are listed as (b, one split for each local state).
            left = [(b, i) for b in range(B) if tops[b - B] >= best - near for i, x in enumerate(tables[b - B]) if x >= best - near]
            kinds = {(model.r_g[g][b], tuple(model.P_g[g][b]), keys[i], rewards[i]) for b, i in left}
            require(
                len(kinds) == 1 or (claimed == 0 and exact),
                f"sample {(g, c)}: the values do not separate the best action from the next one",
            )
            # What is left are exact ties: one expression, or exact values. The smallest global action is played, and of the local
            # actions that agents in the own state take in a tied maximiser with that global action the smallest.
            first = min(b for b, _ in left)
            chosen = [split_of(i, splits) for b, i in left if b == first]
            taken = [{a for d in chosen for a, x in enumerate(d[s]) if x} for s in range(S)]
            plays[g, c] = Play(first, tuple(min(t) if t else None for t in taken))
            if len(left) > 1 or any(len(t) > 1 for t in taken):
                tied = tied or f"sample {(g, c)}"
    radius = Q(worst, one) / (1 - gamma)
    require(
        claimed is None or radius <= claimed, f"the values are only certain to within {float(radius):.3g}, not the radius that is stated"
    )
    return Bellman(radius, plays, tied)


def split_of(i: int, splits: list[list[tuple[int, ...]]]) -> list[tuple[int, ...]]:
    """Entry i of the product of the lists, without making it."""
    out = []
    for part in reversed(splits):
        i, r = divmod(i, len(part))
        out.append(part[r])
    return out[::-1]


def action_value(model: Model, agents: int, values: Values, g: int, b: int, d: tuple[int, ...], work: Work) -> tuple[Q, Q]:
    """``r + gamma E W`` for one joint action, between two bounds; ``d`` counts agents over z = s A + a."""
    A, unit = model.sizes[3], model.unit(agents)
    law: Law = (0, [unit])
    for z, x in enumerate(d):
        law = together(law, repeated(law_of([int(p * unit) for p in model.P_l[z // A][g][z % A]], agents), x, unit, work), unit, work)
    reward = model.r_g[g][b] + sum((x * model.r_l[z // A][g][z % A] for z, x in enumerate(d)), Q(0)) / agents
    mean = sum((p * values.expect(law, h) for h, p in enumerate(model.P_g[g][b])), Q(0))
    lost = unit - sum(law[1])
    ends = [reward + model.gamma * (mean + lost * extreme) / (unit * values.scale) for extreme in (values.low, values.high)]
    return ends[0], ends[1]


# ------------------------------------------------------------------------------------------------- the executed policy (Algorithm 2)


def samples(c: tuple[int, ...], k: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """The counts of the k-subsets of a population and how many subsets have them: products of binomial coefficients."""
    if len(c) == 1:
        if k <= c[0]:
            yield (k,), comb(c[0], k)
        return
    for x in range(max(0, k - sum(c[1:])), min(k, c[0]) + 1):
        ways = comb(c[0], x)
        for rest, others in samples(c[1:], k - x):
            yield (x, *rest), ways * others


def executed(model: Model, n: int, k: int, plays: dict[tuple[int, tuple[int, ...]], Play], values: Values, work: Work) -> tuple[Q, Q]:
    """How far the value of ``pi_k`` can lie above and below ``values`` (fact 2 for the operator of the policy).

    The global agent draws k of the n agents; an agent in state s draws k - 1 of the others, from ``c - e_s``, and adds itself. Given
    the state all draws are independent (eq. 11-12): the agents of one state move independently, with the same marginals.
    """
    G, B, S, A = model.sizes
    unit, high, low = FINE, Q(0), Q(0)
    work.spend(G * S * comb(n + S - 1, S - 1) * comb(k + S - 2, S - 1))
    for c in vectors(n, S):
        drawn = list(samples(c, k))
        others = {s: list(samples((*c[:s], c[s] - 1, *c[s + 1 :]), k - 1)) for s in range(S) if c[s]}
        for g in range(G):
            shares = [0] * B
            for x, ways in drawn:
                shares[plays[g, x].global_action] += ways
            of_global = [w * unit // comb(n, k) for w in shares]
            gain = mean_of([model.r_g[g][b] for b in range(B)], of_global, unit, model.rt)
            law: Law = (0, [unit])
            for s, seen in others.items():
                shares = [0] * A
                for x, ways in seen:
                    own = plays[g, (*x[:s], x[s] + 1, *x[s + 1 :])].local_actions[s]
                    assert own is not None  # the sample contains the agent itself
                    shares[own] += ways
                of_local = [w * unit // comb(n - 1, k - 1) for w in shares]
                local = mean_of(model.r_l[s][g], of_local, unit, model.rt_l)
                gain = gain[0] + Q(c[s], n) * local[0], gain[1] + Q(c[s], n) * local[1]
                row = [int(sum((w * model.P_l[s][g][a][t] for a, w in enumerate(of_local)), Q(0))) for t in range(S)]
                law = together(law, repeated(law_of(row, n), c[s], unit, work), unit, work)
            mass, total, mean = sum(law[1]), 0, 0
            for h in range(G):
                weight = int(sum((w * model.P_g[g][b][h] for b, w in enumerate(of_global)), Q(0)))
                mean += weight * values.expect(law, h)
                total += weight * mass
            ahead = [Q(mean + (unit**2 - total) * extreme, unit**2 * values.scale) for extreme in (values.low, values.high)]
            here = values.listed[g, c]
            low = max(low, here - gain[0] - model.gamma * ahead[0])
            high = max(high, gain[1] + model.gamma * ahead[1] - here)
    return high / (1 - model.gamma), low / (1 - model.gamma)


def mean_of(f: list[Q], weights: list[int], unit: int, most: Q) -> tuple[Q, Q]:
    """Fact 1 for a function between -most and most."""
    mean, lost = sum((x * w for x, w in zip(f, weights, strict=True)), Q(0)), unit - sum(weights)
    return (mean - lost * most) / unit, (mean + lost * most) / unit


def witness(model: Model, n: int, entries: list[Any], start: tuple[int, tuple[int, ...]], work: Work) -> Q:
    """A lower bound of ``V*(start)``: values of a policy on the states listed; elsewhere it counts as ``-rt/(1 - gamma)``, which no
    policy falls below. The largest shortfall ``W - (r + gamma E W)`` over the listed states is charged by fact 2."""
    G, B, S, A = model.sizes
    listed, actions = {}, {}
    for i, entry in enumerate(entries):
        place = f"witness[{i}]"
        g, c = state_of(entry, n, G, S, place)
        require((g, c) not in listed, f"{place}: the state is listed twice")
        b = integer(get(entry, "global_action", int, place), 0, B - 1, place)
        d = counts_of(get(entry, "local_actions", list, place), n, S * A, place)
        require(all(sum(d[s * A : s * A + A]) == c[s] for s in range(S)), f"{place}: the actions do not belong to the counts of the state")
        listed[g, c], actions[g, c] = rational(get(entry, "value", str, place), place), (b, d)
        require(listed[g, c] >= -model.most, f"{place}: the value is below what any policy earns")
    require(start in listed, "witness: the start state is missing")
    work.spend(4 * G * (n + 1) ** (S - 1))
    values = Values(model, n, listed, -model.most)
    short = max(Q(0), *(listed[g, c] - action_value(model, n, values, g, b, d, work)[0] for (g, c), (b, d) in actions.items()))
    return listed[start] - short / (1 - model.gamma)


def state_of(document: Any, n: int, G: int, S: int, place: str) -> tuple[int, tuple[int, ...]]:
    """A state: the global state and the counts of the local ones."""
    g = integer(get(document, "global", int, place), 0, G - 1, place)
    return g, counts_of(get(document, "counts", list, place), n, S, place)


# ---------------------------------------------------------------------------------------------------- right-hand sides, enclosed


def root(x: Q) -> tuple[Q, Q]:
    """``sqrt(x)`` between two rationals."""
    below = isqrt(int(x * 10**40))
    return Q(below, 10**20), Q(below + 1, 10**20)


def exponential(x: Q) -> tuple[Q, Q]:
    """``e^x`` for x >= 0: the power series with every term rounded down, and rounded up plus a tail that is below its last term."""
    require(x <= 5000, "an exponent is too large for this checker")
    low = high = lower = upper = 2**200
    i = 0
    while upper > 1 or i <= 2 * x:
        i += 1
        lower = lower * x.numerator // (i * x.denominator)
        upper = -(-upper * x.numerator // (i * x.denominator))
        low, high = low + lower, high + upper
    return Q(low, 2**200), Q(high + upper, 2**200)


def logarithm(x: Q) -> tuple[Q, Q]:
    """``ln x`` for x >= 1: two guesses, confirmed by ``e^guess`` on either side of x."""
    require(x >= 1, "the claim takes the logarithm of a number below one here, so it says nothing")
    guess = round((log(x.numerator) - log(x.denominator)) * 10**10)
    low, high = Q(max(guess - 10, 0), 10**10), Q(guess + 10, 10**10)
    require(exponential(low)[1] <= x <= exponential(high)[0] or low == 0, "a logarithm was not enclosed")
    require(x <= exponential(high)[0], "a logarithm was not enclosed")
    return low, high


def theorem_bound(claim: str, model: Model, n: int, k: int) -> Q:
    """Theorem 4.2 (T1) and 4.4 (T2) with eps = 0, from above; T1b and T2b have the logarithm outside the root."""
    _, B, S, A = model.sizes
    factor, rate = model.rt / (1 - model.gamma) ** 2, Q(n - k + 1, 2 * n * k)
    argument = 40 * model.rt * S * A * B / (1 - model.gamma) ** 2  # times k^(A + 1/2); squared below, to have no root in the logarithm
    growth = logarithm(argument**2 * k ** (2 * A + 1))[1] / 2
    first = factor * (root(rate)[1] * growth if claim in ("T1b", "T2b") else root(rate * growth)[1])
    return first + (Q(1, 10) if claim in ("T1", "T1b") else 4) / root(Q(k))[0]


def rate_ratio(k: int, first: int) -> Q:
    """``(1 + ln k)/sqrt(k)`` at k over the same at ``first``, from above."""
    return (1 + logarithm(Q(k))[1]) / root(Q(k))[0] * root(Q(first))[1] / (1 + logarithm(Q(first))[0])


# -------------------------------------------------------------------------------------------------------------------- the claims


def policy_of(model: Model, document: Any, k: int, place: str, work: Work) -> tuple[dict[tuple[int, tuple[int, ...]], Play], str]:
    """The greedy policy of the k-agent system, which has to be the one in the certificate."""
    G, _, S, _ = model.sizes
    part = get(document, "subsampled", dict, place)
    claimed = rational(get(part, "radius", str, place), f"{place}: radius")
    require(claimed >= 0, f"{place}: the radius is negative")
    values = full_values(model, k, get(part, "values", list, place), f"{place}: values of the k-agent system", work)
    found = bellman(model, k, values, work, claimed)
    table = get(part, "policy", list, place)
    written = [[[found.plays[g, c].global_action, list(found.plays[g, c].local_actions)] for c in vectors(k, S)] for g in range(G)]
    require(table == written, f"{place}: the policy written down is not the greedy policy of the k-agent system")
    return found.plays, found.tied


def executed_values(
    model: Model, n: int, plays: dict[tuple[int, tuple[int, ...]], Play], k: int, document: Any, place: str, work: Work
) -> tuple[Values, Q, Q]:
    """Values of the executed policy and how far above and below them the truth can lie."""
    values = full_values(model, n, get(document, "executed", list, place), f"{place}: values of the executed policy", work)
    return values, *executed(model, n, k, plays, values, work)


def gap(claim: str, document: Any, work: Work) -> tuple[Q, Q, list[str]]:
    """``V*(s_0) - V^{pi_k}(s_0)`` from below, and what the claim says of it from above."""
    model = Model(get(document, "model", dict))
    G, _, S, _ = model.sizes
    n, k = integer(document.get("agents"), 1, 10_000, "agents"), integer(document.get("subsample"), 1, 10_000, "subsample")
    first = k  # P4 and X3b compare a larger sample with k, the others begin with k
    k = {"P4": k + 1, "X3b": 4 * k}.get(claim, k)
    require(k <= n, "subsample: expected at most as many agents as there are")
    start = state_of(get(document, "state", dict), n, G, S, "state")
    proof, said = get(document, "proof", dict), get(document, "parameters", dict)
    plays, tied = policy_of(model, proof, k, "proof", work)
    values, above, _ = executed_values(model, n, plays, k, proof, "proof", work)
    left = witness(model, n, get(proof, "witness", list), start, work) - values.listed[start] - above
    notes = [
        f"ties matter at {tied}: they are exact, and broken lexicographically"
        if tied
        else "the greedy policy is unique: no tie-breaking is involved"
    ]
    if claim in ("T1", "T1b", "T2", "T2b"):
        if claim in ("T2", "T2b"):
            certain = all(p in (0, 1) for p in flat(model.P_g) + flat(model.P_l))
            notes.append(
                "every next state is certain, so sampling finds T_k itself and the theorem's probability is one"
                if certain
                else "this is the exact operator: the event to which the theorem gives its probability is taken to be sure"
            )
        return left, theorem_bound(claim, model, n, k), notes
    if claim == "P3":
        require(k == n, "P3 speaks of k = n")
        return left, Q(0), notes
    # The others compare with the largest gap of a second pair (n, k), over all its start states or over some.
    factor, states = Q(1), [(g, c) for g in range(G) for c in vectors(n, S)]
    other, of = n, first
    if claim == "X3b":
        factor = Q(1, 2)
    elif claim == "S4b":
        types = integer(said.get("types"), 2, S, "types")
        inner = S // types
        require(types * inner == S, "types: they do not divide the local states")
        stays = all(
            sum(model.P_l[s][g][a][s // inner * inner : s // inner * inner + inner]) == 1
            for s, g, a in product(*map(range, (S, G, model.sizes[3])))
        )
        require(stays, "types: an agent can change its type")
        present = {c: sum(any(c[e * inner : e * inner + inner]) for e in range(types)) for c in vectors(n, S)}
        require(present[start[1]] == types, "state: not all types are present")
        states = [(g, c) for g, c in states if present[c] == 1]
    elif claim == "T3":
        other, of = integer(said.get("from_n"), 1, 10_000, "from_n"), integer(said.get("from_k"), 1, 10_000, "from_k")
        factor, states = rate_ratio(k, of), [(g, c) for g in range(G) for c in vectors(other, S)]
    require(of <= other, "the second sample size is larger than its number of agents")
    reference = get(proof, "reference", dict, "proof")
    plays, _ = policy_of(model, reference, of, "reference", work)
    values, _, below = executed_values(model, other, plays, of, reference, "reference", work)
    best = full_values(model, other, get(reference, "optimum", list, "reference"), "reference: optimal values", work)
    radius = bellman(model, other, best, work).radius
    largest = max(best.listed[s] - values.listed[s] for s in states) + radius + below
    return left, max(largest, Q(0)) * factor, notes


def lipschitz(_: str, document: Any, work: Work) -> tuple[Q, Q, list[str]]:
    """L2: ``|Q*_k(s_g, F, a_g) - Q*_k'(s_g, F', a_g)|`` from below, and ``2 rt_l/(1 - gamma) TV(F, F')``."""
    model, said = Model(get(document, "model", dict)), get(document, "parameters", dict)
    G, B, S, A = model.sizes
    g = integer(get(document, "state", dict).get("global"), 0, G - 1, "state")
    b = integer(said.get("global_action"), 0, B - 1, "global_action")
    ends, laws = [], []
    for size, key in ((document.get("subsample"), "first"), (said.get("other"), "second")):
        k = integer(size, 1, 10_000, "subsample, other")
        d = counts_of(get(said, key, list, "parameters"), k, S * A, key)
        part = get(get(document, "proof", dict), key, list, "proof")
        values = full_values(model, k, part, f"{key}: values", work)
        radius = bellman(model, k, values, work).radius
        low, high = action_value(model, k, values, g, b, d, work)
        ends.append((low - model.gamma * radius, high + model.gamma * radius))
        laws.append([Q(x, k) for x in d])
    left = max(ends[0][0] - ends[1][1], ends[1][0] - ends[0][1])
    distance = total_variation(*laws)
    return left, 2 * model.rt_l / (1 - model.gamma) * distance, [f"the two distributions have total variation {distance}"]


def total_variation(p: list[Q], q: list[Q]) -> Q:
    """Half the l1 distance."""
    return sum((abs(x - y) for x, y in zip(p, q, strict=True)), Q(0)) / 2


def shares(c: tuple[int, ...]) -> list[Q]:
    """The empirical distribution of a count vector."""
    return [Q(x, sum(c)) for x in c]


def population(document: Any, key: str) -> tuple[int, ...]:
    """A population or a sample of one: counts over classes."""
    found = get(get(document, "parameters", dict), key, list, "parameters")
    c = tuple(integer(x, 0, 10_000, key) for x in found)
    require(1 <= len(c) <= 30 and sum(c) >= 1, f"{key}: expected one to 30 classes and somebody in them")
    return c


def tail(claim: str, document: Any, work: Work) -> tuple[Q, Q, list[str]]:
    """C2, C3: ``Pr[TV(F_Delta, F_[n]) >= d]`` exactly, and the bound that the claim gives for every epsilon just below d (it is
    continuous, so at d itself); C3 is solved for its delta."""
    c, n = population(document, "population"), document.get("agents")
    k, d = (
        integer(document.get("subsample"), 1, sum(c), "subsample"),
        rational(get(document, "parameters", dict).get("deviation"), "deviation"),
    )
    require(n == sum(c) and min(c) > 0 and d > 0, "expected a population of n agents, every class occupied, and a positive deviation")
    work.spend(10 * comb(k + len(c) - 1, len(c) - 1))
    ways = sum(w for x, w in samples(c, k) if total_variation(shares(x), shares(c)) >= d)
    exponent = (2 if claim == "C2" else 8) * n * k * d * d / (n - k + 1)
    return Q(ways, comb(n, k)), 2 * len(c) / exponential(exponent)[0], [f"a sample of {k} lies {d} or more away from the population"]


def transition(claim: str, document: Any, work: Work) -> tuple[Q, Q, list[str]]:
    """C7, C7b: the mean distance of sample and population after every agent has moved once, and (the mean of) the one before."""
    c, n = population(document, "population"), document.get("agents")
    k = integer(document.get("subsample"), 1, sum(c), "subsample")
    rows = nested(get(get(document, "parameters", dict), "kernel", list), (len(c), len(c)), "kernel")
    require(n == sum(c), "population: its counts do not add up to the number of agents")
    require(all(min(row) >= 0 and sum(row) == 1 for row in rows), "kernel: a row is not a probability law")
    if claim == "C7":
        sample = population(document, "sample")
        require(
            len(sample) == len(c) and sum(sample) == k and all(x <= y for x, y in zip(sample, c, strict=True)), "sample: not a k-subset"
        )
        drawn = [(sample, Q(1))]
    else:
        drawn = [(x, Q(w, comb(n, k))) for x, w in samples(c, k)]
    work.spend(len(drawn) * len(c) * n * n * 4)
    after, before = Q(0), Q(0)
    for x, p in drawn:
        before += p * total_variation(shares(x), shares(c))
        for t in range(len(c)):  # arrivals in class t, from the sample and from the others, are independent; TV adds up over classes
            inner, outer = arrivals(x, rows, t), arrivals(tuple(a - b for a, b in zip(c, x, strict=True)), rows, t)
            pairs = product(enumerate(inner), enumerate(outer))
            after += p * sum((u * v * abs(Q(i, k) - Q(i + j, n)) for (i, u), (j, v) in pairs), Q(0)) / 2
    return after, before, [f"before the step the distance is {before}, after it {after} in the mean"]


def arrivals(c: tuple[int, ...], rows: list[list[Q]], t: int) -> list[Q]:
    """The law of how many of these agents move to class t."""
    law = [Q(1)]
    for x, row in zip(c, rows, strict=True):
        for _ in range(x):
            law = [u * (1 - row[t]) + v * row[t] for u, v in zip([*law, Q(0)], [Q(0), *law], strict=True)]
    return law


CLAIMS = {
    **dict.fromkeys(("T1", "T1b", "T2", "T2b", "T3", "P3", "P4", "S4b", "X3b"), gap),
    **{"L2": lipschitz, "C2": tail, "C3": tail, "C7": transition, "C7b": transition},
}


def check(text: bytes) -> Answer:
    """Check the text of a certificate. Never raises: what goes wrong is a reason for refusal."""
    work = Work()
    try:
        require(len(text) <= LARGEST_FILE, f"the file is longer than {LARGEST_FILE} bytes")
        document = json.loads(text.decode("utf-8"), parse_float=unwanted, parse_constant=unwanted, object_pairs_hook=unique)
        wanted = {
            "version",
            "claim",
            "model",
            "agents",
            "subsample",
            "parameters",
            "state",
            "actual",
            "bound",
            "margin",
            "proof",
            "cost",
            "digest",
        }
        require(isinstance(document, dict) and set(document) == wanted, f"the keys of a certificate are {', '.join(sorted(wanted))}")
        require(document["version"] == VERSION, f"version: this checker knows version {VERSION}")
        content = json.dumps({key: part for key, part in document.items() if key != "digest"}, sort_keys=True, separators=(",", ":"))
        require(document["digest"] == hashlib.sha256(content.encode()).hexdigest(), "digest: the content has been changed")
        claim = get(document, "claim", str)
        require(claim in CLAIMS, f"claim {claim[:20]!r}: this checker knows {', '.join(CLAIMS)}")
        left, right, notes = CLAIMS[claim](claim, document, work)
        at_least = rational(get(get(document, "actual", dict), "lower", str, "actual"), "actual")
        at_most = rational(get(get(document, "bound", dict), "upper", str, "bound"), "bound")
        margin = rational(get(document, "margin", str), "margin")
        require(left > right, f"the left side is only certain to be at least {float(left):.10g}, the right side may be {float(right):.10g}")
        require(left >= at_least, f"actual: {float(at_least):.10g} is stated, {float(left):.10g} is certain")
        require(right <= at_most, f"bound: {float(at_most):.10g} is stated, {float(right):.10g} is certain")
        require(0 < margin <= at_least - at_most, "margin: it is not a positive part of what lies between the two sides")
        shown = f"{claim} is violated: left side >= {float(at_least):.10g}, right side <= {float(at_most):.10g}"
        return Answer(True, [shown, *notes], work.done)
    except Refused as refusal:
        return Answer(False, [str(refusal)], work.done)
    except RecursionError:
        return Answer(False, ["the file is nested too deeply"], work.done)
    except (ValueError, MemoryError, OverflowError) as error:
        return Answer(False, [f"the file is not a certificate: {' '.join(str(error).split())[:200]}"], work.done)


def unwanted(text: str) -> Any:
    """Decimal fractions stand in strings, so that none is rounded on the way in."""
    raise Refused(f"found the number {text[:20]}; numbers that are not integers are written as strings")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which every key stands once."""
    require(len(dict(pairs)) == len(pairs), "an object has the same key twice")
    return dict(pairs)


def check_file(path: str) -> Answer:
    """Check a file; no more of it is read than a certificate may have."""
    try:
        with open(path, "rb") as stream:
            return check(stream.read(LARGEST_FILE + 1))
    except OSError as error:
        return Answer(False, [f"the file cannot be read ({error.strerror})"], 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python check_certificate.py FILE")
    answer = check_file(sys.argv[1])
    print("accepted" if answer.accepted else "refused", *answer.reasons, f"{answer.steps} steps", sep="\n  ")
    sys.exit(0 if answer.accepted else 1)
