"""Check a certificate that a claim about SUBSAMPLE-MFQ (arXiv 2412.00661) is false: ``python check_certificate.py FILE``.

This file alone checks bounds of the optimality gap: those of the paper, and one's own. With ``finite_claims.py`` beside it, also the claims there.

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

import ast
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction as Q
from itertools import product
from math import ceil, comb, floor, isqrt, lcm, log, prod
from operator import add, mul, sub, truediv
from typing import Any, NamedTuple

VERSION, LARGEST_FILE, FINE = 1, 8_000_000, 2**48  # FINE: the unit of probabilities in large systems
MOST_STEPS, MOST_ENTRIES = 5 * 10**9, 2 * 10**7  # elementary steps of one check (tens of nanoseconds each), entries of one table


class Refused(Exception):
    """The certificate is not accepted, and why."""


class Answer(NamedTuple):
    """Whether the certificate is accepted, what was shown or why not, and the number of elementary steps it took."""

    accepted: bool
    reasons: list[str]
    steps: int


class Work:
    """Counts elementary steps before they are made, and refuses what would take unreasonably long."""

    done = 0

    def spend(self, steps: int) -> None:
        """Announce work."""
        self.done += steps
        require(self.done <= MOST_STEPS, f"checking takes more than {MOST_STEPS:.0e} steps, which this checker does not attempt")


# ------------------------------------------------------------------------------------------------ reading what may be hostile


def require(condition: bool, reason: str) -> None:
    """Refuse with a reason unless the condition holds."""
    if not condition:
        raise Refused(reason)


def get(document: Any, key: str, kind: type) -> Any:
    """An entry of an object, of the type that it has to be of."""
    require(isinstance(document, dict) and isinstance(document.get(key), kind), f"{key}: is missing or not of the type {kind.__name__}")
    return document[key]


def part(document: Any, key: str, names: str) -> Any:
    """An object with exactly these entries (``~``: a space in a name): what is not read here cannot be stated either."""
    found, expected = get(document, key, dict), [name.replace("~", " ") for name in names.split()]
    require(sorted(found) == sorted(expected), f"{key}: expected the entries ({', '.join(expected)}) and no others")
    return found


def integer(value: Any, low: int, high: int, place: str) -> int:
    """An integer in a range (a bool is none)."""
    require(type(value) is int and low <= value <= high, f"{place}: expected an integer in {low}..{high}")
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
    return [nested(part, shape[1:], place) for part in value]


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


def counts(value: Any, total: int, size: int, place: str) -> tuple[int, ...]:
    """A count vector: ``size`` integers >= 0 with the sum ``total``."""
    found = tuple(integer(x, 0, total, place) for x in value) if isinstance(value, list) else ()
    require(len(found) == size and sum(found) == total, f"{place}: expected {size} counts with the sum {total}")
    return found


def listed(text: str, total: int, place: str) -> tuple[int, ...]:
    """A count vector written as ``"3+1+0"``."""
    require(re.fullmatch(r"[0-9]{1,5}(\+[0-9]{1,5}){0,29}", text) is not None, f'{place}: expected counts written as "3+1+0"')
    found = [int(x) for x in text.split("+")]
    return counts(found, total, len(found), place)


State = tuple[int, tuple[int, ...]]
"""The global state and the counts of the local ones."""


class Model:
    """``P_g[s_g][a_g][s_g']``, ``P_l[s_l][s_g][a_l][s_l']``, ``r_g[s_g][a_g]``, ``r_l[s_l][s_g][a_l]``, gamma: rational and checked."""

    def __init__(self, document: Any) -> None:
        full = {"model": {"name": ""} | get(document, "model", dict)}
        given = part(full, "model", "discount global_kernel global_reward local_kernel local_reward name")
        self.name = get(given, "name", str)  # a label for the reader: nothing here depends on it or repeats it
        self.gamma = rational(given["discount"], "discount")
        at = [get(given, key, list) for key in ("global_kernel", "local_kernel", "global_reward", "local_reward")]
        try:
            G, B, S, A = self.sizes = len(at[0]), len(at[0][0]), len(at[1]), len(at[1][0][0])
        except (TypeError, IndexError, KeyError):
            raise Refused("model: the kernels are not nested lists") from None
        require(min(self.sizes) >= 1 and max(self.sizes) <= 30, "model: expected 1 to 30 states and actions of every kind")
        self.P_g, self.P_l = nested(at[0], (G, B, G), "global_kernel"), nested(at[1], (S, G, A, S), "local_kernel")
        self.r_g, self.r_l = nested(at[2], (G, B), "global_reward"), nested(at[3], (S, G, A), "local_reward")
        rows = [row for part in self.P_g for row in part] + [row for part in self.P_l for rows in part for row in rows]
        require(all(min(row) >= 0 and sum(row) == 1 for row in rows), "model: a row of a kernel is not a probability law")
        require(0 < self.gamma < 1, "discount: expected a number strictly between 0 and 1")
        self.rt_g, self.rt_l = max(map(abs, flat(self.r_g))), max(map(abs, flat(self.r_l)))
        self.rt = self.rt_g + self.rt_l
        self.most = self.rt / (1 - self.gamma)  # no value of any policy exceeds this in absolute value

    def unit(self, agents: int) -> int:
        """A unit in which all laws of this many agents are exact, if it is short enough; else a fine one."""
        step = common(flat(self.P_l))
        return step**agents if step.bit_length() * agents <= 1000 else FINE**2

    def state(self, document: Any, agents: int, place: str) -> State:
        """A state of the system with so many agents."""
        document = document if isinstance(document, dict) else {}
        g = integer(document.get("global"), 0, self.sizes[0] - 1, place)
        return g, counts(document.get("counts"), agents, self.sizes[2], place)


# ------------------------------------------------------------------------------------------------- counts and lower weights

Law = dict[int, int]
"""Lower weights of a law of counts, by their :func:`position`."""


def vectors(total: int, size: int) -> Iterator[tuple[int, ...]]:
    """All count vectors, lexicographically ascending: the order of every table in a certificate."""
    if size == 1:
        yield (total,)
    else:
        yield from ((first, *rest) for first in range(total + 1) for rest in vectors(total - first, size - 1))


def position(c: tuple[int, ...], agents: int) -> int:
    """Count vectors as numbers with digits to the base n + 1 (the last count follows from the others): adding counts adds positions."""
    return sum(x * (agents + 1) ** i for i, x in enumerate(c[:-1]))


def law_of(row: list[int], agents: int) -> Law:
    """Where one agent goes, with the lower weights ``row`` over local states."""
    return {0 if t == len(row) - 1 else (agents + 1) ** t: w for t, w in enumerate(row) if w}


def together(one: Law, other: Law, unit: int, work: Work) -> Law:
    """The sum of two independent counts, term by term, or, where positions lie close together, as one multiplication of integers: every
    coefficient of the product of polynomials is at most ``unit^2`` (both add up to at most ``unit``), so ``width`` bytes for each leave no carries."""
    spans = [range(min(law, default=0), max(law, default=0) + 1) for law in (one, other)]
    (p, q), width, terms = map(len, spans), unit.bit_length() // 4 + 1, 4 * len(one) * len(other)
    packed = 4 * (p + q) + p * q * width**2 // 2000
    work.spend(min(terms, packed))
    if terms <= packed:
        sums: Law = {}
        for (i, x), (j, y) in product(one.items(), other.items()):
            sums[i + j] = sums.get(i + j, 0) + x * y
        return {t: w // unit for t, w in sums.items() if w >= unit}
    digits = [b"".join(law.get(t, 0).to_bytes(width, "little") for t in span) for law, span in zip((one, other), spans, strict=True)]
    raw = prod(int.from_bytes(x, "little") for x in digits).to_bytes(width * (p + q), "little")
    out = [int.from_bytes(raw[t : t + width], "little") // unit for t in range(0, len(raw), width)]
    return {t: w for t, w in enumerate(out, spans[0][0] + spans[1][0]) if w}


def repeated(law: Law, times: int, unit: int, work: Work) -> Law:
    """The sum of several independent counts of one law."""
    out: Law = {0: unit}
    while times:
        out = together(out, law, unit, work) if times % 2 else out
        times //= 2
        law = together(law, law, unit, work) if times else law
    return out


class Values:
    """A value vector W as integers over one denominator, with its extremes. Where states are not listed W is taken to have the value ``other``
    there; without it they must not be reached, except by what is lost to roundings, which counts as the worst that any policy earns."""

    def __init__(self, model: Model, agents: int, listed: dict[State, Q], other: Q | None = None) -> None:
        self.whole = len(listed) == model.sizes[0] * comb(agents + model.sizes[2] - 1, model.sizes[2] - 1)
        ends = [*listed.values(), *([] if other is None else [other]), *([] if self.whole else [-model.most, model.most])]
        self.listed, self.scale = listed, common(ends)
        self.other = None if other is None else int(other * self.scale)
        self.table: list[Law] = [{} for _ in range(model.sizes[0])]
        for (g, c), value in listed.items():
            self.table[g][position(c, agents)] = int(value * self.scale)
        self.low, self.high = (int(f(ends) * self.scale) for f in (min, max))

    def expect(self, law: Law, g: int) -> int:
        """``sum w W(g, .)`` over the unit and the scale."""
        return sum(w * (self.table[g][x] if self.other is None else self.table[g].get(x, self.other)) for x, w in law.items())


def all_values(model: Model, agents: int, document: Any, key: str) -> Values:
    """Values by global state: a list in the order of :func:`vectors`, or only those of some states, by their counts."""
    G, _, S, _ = model.sizes
    rows, known, number = get(document, key, list), dict[State, Q](), comb(agents + S - 1, S - 1)
    require(len(rows) == G, f"{key}: expected a list of {G} entries")
    for g, row in enumerate(rows):
        some = isinstance(row, dict)
        names = [listed(c, agents, key) for c in row] if some else vectors(agents, S)
        values = nested([*row.values()] if some else row, (len(row) if some else number,), key)
        known |= {(g, c): x for c, x in zip(names, values, strict=True)}
    require(all(len(c) == S for _, c in known), f"{key}: expected {S} counts for each value")
    return Values(model, agents, known)


# ------------------------------------------------------------------------------------- the Bellman operator and greedy actions


class Play(NamedTuple):
    """What a sample makes its agents do: the global action, and the own action of an agent in each local state (None: no agent there)."""

    global_action: int
    local_actions: list[int | None]


def mixtures(rows: list[list[int]], agents: int, unit: int, work: Work) -> Iterator[tuple[int, Law]]:
    """For every way to spread the agents over the rows: its number to the base n + 1, and the law of the next counts."""
    work.spend(50 * comb(agents + len(rows) - 1, agents))
    powers: list[list[Law]] = [[{0: unit}] for _ in rows]
    for row, found in zip(rows, powers, strict=True):
        for _ in range(agents):
            found.append(together(found[-1], law_of(row, agents), unit, work))

    def spread(r: int, left: int, key: int, law: Law) -> Iterator[tuple[int, Law]]:
        for x in range(left + 1) if r < len(rows) - 1 else [left]:
            now = key + x * (agents + 1) ** r, together(law, powers[r][x], unit, work)
            yield from spread(r + 1, left - x, *now) if r < len(rows) - 1 else [now]

    return spread(0, agents, 0, {0: unit})


def bellman(model: Model, agents: int, values: Values, work: Work, claimed: Q | None = None) -> tuple[Q, dict[State, Play], str]:
    """One application of ``(T W)(g, c) = max over (b, d) of r_g + (1/n) sum d_z r_l(z) + gamma E W`` to every state; b is the global
    action, ``d_z`` the number of agents for each z = (local state, local action).

    E depends on the joint action only through how many agents use each distinct row of P_l. Returns a bound of ``|W - V*|``. With
    ``claimed`` (a bound of that bound, confirmed at the end) also the greedy policy by fact 3, and the first sample whose ties matter.
    """
    G, B, S, A = model.sizes
    base, unit, gamma = agents + 1, model.unit(agents), model.gamma
    # All numbers below are integers over ``one``, which holds the denominators of rewards, laws, values and discount.
    R, D = common(flat(model.r_g) + flat(model.r_l)), common(flat(model.P_g))
    to_reward, to_future = unit * D * values.scale * gamma.denominator, gamma.numerator * agents * R
    one = agents * R * to_reward
    near = None if claimed is None else ceil(2 * gamma * claimed * one)
    worst, plays, tied = 0, {}, ""
    for g in range(G):
        # Of actions that do the same the smallest represents all.
        acts = [*{(model.r_g[g][b], tuple(model.P_g[g][b])): b for b in reversed(range(B))}.values()]
        own = [[*{(model.r_l[s][g][a], tuple(model.P_l[s][g][a])): a for a in reversed(range(A))}.values()] for s in range(S)]
        rows = [list(row) for row in dict.fromkeys(tuple(model.P_l[s][g][a]) for s in range(S) for a in own[s])]
        number = [[rows.index(model.P_l[s][g][a]) for a in own[s]] for s in range(S)]
        pay = [[int(model.r_l[s][g][a] * R) * to_reward for a in own[s]] for s in range(S)]
        low, high = ([dict[int, int]() for _ in acts] for _ in range(2))
        for key, law in mixtures([[int(p * unit) for p in row] for row in rows], agents, unit, work):
            ahead = {h: values.expect(law, h) for h in range(G) if law.keys() <= values.table[h].keys()}
            lost = (unit - sum(law.values())) * D
            work.spend(4 * G * len(law) + 20 * len(acts))
            for i, b in enumerate(acts):
                chances = {h: int(p * D) for h, p in enumerate(model.P_g[g][b]) if p}
                if chances.keys() <= ahead.keys():  # otherwise states that are not listed can be reached, and no listed one may play this
                    mean = sum(p * ahead[h] for h, p in chances.items())
                    now = int(model.r_g[g][b] * R) * agents * to_reward
                    low[i][key], high[i][key] = (now + to_future * (mean + lost * end) for end in (values.low, values.high))
        exact = low == high
        for c in [c for h, c in values.listed if h == g]:
            joint_actions = prod(comb(x + len(part) - 1, len(part) - 1) for x, part in zip(c, own, strict=True)) * len(acts)
            require(joint_actions <= MOST_ENTRIES, "a state has too many joint actions for this checker")
            work.spend(joint_actions * (2 + one.bit_length() // 100))
            splits = [list(vectors(x, len(part))) for x, part in zip(c, own, strict=True)]
            keys, rewards = [0], [0]  # of every joint local action, in the order of the product of the splits
            for s, part in enumerate(splits):
                more = [sum(x * base ** number[s][a] for a, x in enumerate(d)) for d in part]
                gains = [sum(map(mul, d, pay[s])) for d in part]
                keys, rewards = [x + y for x in keys for y in more], [x + y for x in rewards for y in gains]
            tables = [[*map(add, rewards, map(table.__getitem__, keys))] for table in (low if exact else low + high)]
            tops = [max(table) for table in tables]
            best, upper, here = max(tops[: len(acts)]), max(tops[-len(acts) :]), int(values.listed[g, c] * one)
            worst = max(worst, upper - here, here - best)
            if near is None:
                continue
            # Every optimal joint action is among these. Several are exact ties if they are one expression, or if all values are exact.
            ends = zip(acts, tables[-len(acts) :], strict=True)
            left = [(b, i) for b, table in ends for i, x in enumerate(table) if x >= best - near]
            kinds = {(model.r_g[g][b], tuple(model.P_g[g][b]), keys[i], rewards[i]) for b, i in left}
            require(len(kinds) == 1 or (claimed == 0 and exact), f"sample {(g, c)}: the best action is not separated from the next")
            # The smallest global action is played, and of the actions that agents in the own state take in a tied maximiser with that
            # global action the smallest: the lexicographic rule.
            first = min(b for b, _ in left)
            joint = list(product(*splits))
            chosen = [joint[i] for b, i in left if b == first]
            taken = [{own[s][a] for d in chosen for a, x in enumerate(d[s]) if x} for s in range(S)]
            plays[g, c] = Play(first, [min(t) if t else None for t in taken])
            effects = [{(model.r_l[s][g][a], tuple(model.P_l[s][g][a])) for a in t} for s, t in enumerate(taken)]
            tied = tied or (f"sample {(g, c)}" if len(kinds) > 1 or any(len(t) > 1 for t in effects) else "")
    radius = Q(worst, one) / (1 - gamma)
    require(claimed is None or radius <= claimed, f"radius: the values are certain to within {readable(radius)} only")
    return radius, plays, tied


def one_step(model: Model, agents: int, g: int, b: int, d: tuple[int, ...], unit: int, work: Work) -> tuple[Law, Q]:
    """The law of the next counts and the reward of one joint action; ``d`` counts agents over z = s A + a."""
    law, reward = {0: unit}, model.r_g[g][b]
    for z, x in enumerate(d):
        s, a = divmod(z, model.sizes[3])
        law = together(law, repeated(law_of([int(p * unit) for p in model.P_l[s][g][a]], agents), x, unit, work), unit, work)
        reward += x * model.r_l[s][g][a] / agents
    return law, reward


def action_value(model: Model, agents: int, values: Values, g: int, b: int, d: tuple[int, ...], unit: int, work: Work) -> list[Q]:
    """``r + gamma E W`` for one joint action, between two bounds."""
    law, reward = one_step(model, agents, g, b, d, unit, work)
    mean, lost = sum(p * values.expect(law, h) for h, p in enumerate(model.P_g[g][b]) if p), unit - sum(law.values())
    return [reward + model.gamma * (mean + lost * extreme) / (unit * values.scale) for extreme in (values.low, values.high)]


# ------------------------------------------------------------------------------------------------ the executed policy (Algorithm 2)


def samples(c: tuple[int, ...], k: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """The counts of the k-subsets of a population and how many subsets have them: products of binomial coefficients."""
    if not c:
        yield (), 1
    for x in range(max(0, k - sum(c[1:])), min(k, c[0]) + 1) if c else []:
        yield from (((x, *rest), comb(c[0], x) * others) for rest, others in samples(c[1:], k - x))


def executed(model: Model, n: int, k: int, plays: dict[State, Play], values: Values, work: Work) -> Q:
    """How far the value of ``pi_k`` can lie from ``values`` (fact 2 for the operator of the policy).

    The global agent draws k of the n agents; an agent in state s draws k - 1 of the others, from ``c - e_s``, and adds itself. Given
    the state all draws are independent (eq. 11-12): the agents of one state move independently, with the same marginals.
    """
    G, B, S, A = model.sizes
    unit, worst = FINE, Q(0)
    listed_counts = dict.fromkeys(c for _, c in values.listed)
    work.spend(len(listed_counts) * (comb(k + S - 1, S - 1) * S * (10 + 4 * G + n // 20) + G * (500 + values.scale.bit_length())))
    for c in listed_counts:
        drawn = list(samples(c, k))
        others = {s: list(samples((*c[:s], c[s] - 1, *c[s + 1 :]), k - 1)) for s in range(S) if c[s]}
        for g in [g for g in range(G) if (g, c) in values.listed]:
            of_global = [0] * B  # how many subsets lead to each action; then lower weights
            for x, ways in drawn:
                of_global[plays[g, x].global_action] += ways
            of_global = [w * unit // comb(n, k) for w in of_global]
            gain, lost = sum(map(mul, of_global, model.r_g[g])), (unit - sum(of_global)) * model.rt
            law: Law = {0: unit}
            for s, seen in others.items():
                of_local = [0] * A
                for x, ways in seen:
                    of_local[plays[g, (*x[:s], x[s] + 1, *x[s + 1 :])].local_actions[s] or 0] += ways  # never None: the agent is there
                of_local = [w * unit // comb(n - 1, k - 1) for w in of_local]
                gain += Q(c[s], n) * sum(map(mul, of_local, model.r_l[s][g]))
                lost += Q(c[s], n) * (unit - sum(of_local)) * model.rt_l
                row = [int(sum(w * model.P_l[s][g][a][t] for a, w in enumerate(of_local))) for t in range(S)]
                law = together(law, repeated(law_of(row, n), c[s], unit, work), unit, work)
            weights = [int(sum(w * model.P_g[g][b][h] for b, w in enumerate(of_global))) for h in range(G)]
            mean = sum(w * values.expect(law, h) for h, w in enumerate(weights) if w)
            left = unit**2 - sum(weights) * sum(law.values())
            ahead = [model.gamma * Q(mean + left * extreme, unit**2 * values.scale) for extreme in (values.low, values.high)]
            here = values.listed[g, c]
            worst = max(worst, here - (gain - lost) / unit - ahead[0], (gain + lost) / unit + ahead[1] - here)
    return worst / (1 - model.gamma)


def witness(model: Model, n: int, entries: list[Any], work: Work) -> dict[State, Q]:
    """Lower bounds of ``V*``: values of a policy on the states listed; elsewhere it counts as ``-rt/(1 - gamma)``, which no policy falls
    below. The largest shortfall ``W - (r + gamma E W)`` over the listed states is charged to all by fact 2."""
    A, listed, actions = model.sizes[3], {}, {}
    for found in entries:
        entry = part({"witness": found}, "witness", "counts global global_action local_actions value")
        g, c = model.state(entry, n, "witness")
        b = integer(entry["global_action"], 0, model.sizes[1] - 1, "witness")
        d = counts(entry["local_actions"], n, len(c) * A, "witness")
        require(all(sum(d[s * A : s * A + A]) == x for s, x in enumerate(c)), "witness: actions do not belong to the counts of their state")
        require((g, c) not in listed, "witness: a state is listed twice")
        listed[g, c], actions[g, c] = rational(entry["value"], "witness"), (b, d)
        require(listed[g, c] >= -model.most, "witness: a value is below what any policy earns")
    values = Values(model, n, listed, -model.most)
    work.spend(len(listed) * (1000 + n))
    short = max([value - action_value(model, n, values, s[0], *actions[s], FINE, work)[0] for s, value in listed.items()], default=Q(0))
    return {s: value - max(short, Q(0)) / (1 - model.gamma) for s, value in listed.items()}


# ---------------------------------------------------------------------------------------------------- right-hand sides, enclosed

Ends = tuple[Q, Q]
"""A number between two rationals."""


def root(x: Q) -> Ends:
    """``sqrt(x)`` between two rationals."""
    require(x >= 0, "a root is taken of what may be negative, so the right side says nothing here")
    below = isqrt(int(x * 10**40))
    return Q(below, 10**20), Q(below + 1, 10**20)


def exponential(x: Q) -> Ends:
    """``e^x`` for x >= 0: the power series with every term rounded down, and rounded up plus a tail that is below its last term."""
    require(x <= 5000, "an exponent is too large for this checker")
    if x.denominator > FINE**6:  # a long fraction lies between two short ones
        return exponential(Q(floor(x * FINE**6), FINE**6))[0], exponential(Q(ceil(x * FINE**6), FINE**6))[1]
    low = high = lower = upper = 2**200
    i = 0
    while upper > 1 or i <= 2 * x:
        i += 1
        lower, upper = lower * x.numerator // (i * x.denominator), -(-upper * x.numerator // (i * x.denominator))
        low, high = low + lower, high + upper
    return Q(low, 2**200), Q(high + upper, 2**200)


def logarithm(x: Q) -> Ends:
    """``ln x`` for x >= 1: two guesses, confirmed by ``e^guess`` on either side of x."""
    require(x >= 1, "the claim takes the logarithm of a number below one here, so it says nothing")
    guess = round((log(x.numerator) - log(x.denominator)) * 10**10)
    low, high = Q(max(guess - 10, 0), 10**10), Q(guess + 10, 10**10)
    require((low == 0 or exponential(low)[1] <= x) and x <= exponential(high)[0], "a logarithm was not enclosed")
    return low, high


def any_exponential(x: Q) -> Ends:
    """``e^x``, also for x < 0."""
    low, high = exponential(abs(x))
    return (low, high) if x >= 0 else (1 / high, 1 / low)


def any_logarithm(x: Q) -> Ends:
    """``ln x`` for x > 0."""
    require(x > 0, "a logarithm is taken of what may be 0 or less, so the right side says nothing here")
    low, high = logarithm(x if x >= 1 else 1 / x)
    return (low, high) if x >= 1 else (-high, -low)


def length(*numbers: Q) -> int:
    """The bits of the longest numerator or denominator."""
    return max(end.bit_length() for x in numbers for end in (x.numerator, x.denominator))


def power(base: Ends, exponent: Ends) -> Ends:
    """A power with an exact exponent that is a multiple of 1/2."""
    (low, high), e = base, exponent[0]
    require(exponent[1] == e and e.denominator <= 2 and abs(e) <= 2000, "an exponent is no multiple of 1/2 up to 2000")
    if e.denominator == 2:
        low, high = root(low)[0], root(high)[1]
    require(e >= 0 or low * high > 0, "the right side divides by what may be 0")
    require(length(low, high) * abs(e) <= 20_000, "a power is too long for this checker")
    ends = [x ** int(e * e.denominator) for x in (low, high)] + ([Q(0)] if low < 0 < high else [])
    return min(ends), max(ends)


INCREASING: dict[str, Callable[[Q], Ends]] = {"sqrt": root, "exp": any_exponential, "log": any_logarithm}


def enclosed(node: ast.expr, at: dict[str, Ends]) -> Ends:
    """The value of an expression, from below and from above: integers, names, ``+ - * / **``, ``sqrt``, ``exp``, ``log``."""
    match node:
        case ast.Constant(value=int(number)) if type(number) is int:
            return Q(number), Q(number)
        case ast.Name(id=name):
            require(name in at, f"{name}: is no symbol of this right side")
            return at[name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            low, high = enclosed(inner, at)
            return -high, -low
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in INCREASING:
            low, high = enclosed(inner, at)
            return INCREASING[name](low)[0], INCREASING[name](high)[1]
        case ast.BinOp(left=one, op=ast.Pow(), right=other):
            return power(enclosed(one, at), enclosed(other, at))
        case ast.BinOp(left=one, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() as op, right=other):
            x, y = enclosed(one, at), enclosed(other, at)
            require(length(*x, *y) <= 20_000, "a number of the right side is too long for this checker")
            require(not isinstance(op, ast.Div) or y[0] * y[1] > 0, "the right side divides by what may be 0")
            how = {ast.Add: add, ast.Sub: sub, ast.Mult: mul, ast.Div: truediv}[type(op)]
            ends = [how(u, v) for u in x for v in y]
            return min(ends), max(ends)
    raise Refused("a right side is written with integers, symbols, + - * / **, sqrt, exp and log")


def expression(text: str, at: dict[str, Any]) -> Ends:
    """A right side written in the notation of Python, at rational values of its symbols."""
    plain = re.fullmatch(r"[A-Za-z0-9_ +*/().-]{1,1000}", text) and text.count("exp") + text.count("log") <= 20
    require(bool(plain), "a right side has at most 1000 letters, digits and + - * / ( ), and at most 20 exponentials and logarithms")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise Refused("a right side is no expression in the notation of Python") from None
    return enclosed(tree, {name: (Q(x), Q(x)) for name, x in at.items()})


RATE, GROWTH = "(n - k + 1)/(2*n*k)", "40*rt*S_l*A_l*A_g*k**(A_l + 1/2)/(1 - gamma)**2"
FIRST = f"rt/(1 - gamma)**2*sqrt({RATE}*log({GROWTH}))"
WEAKER = f"rt/(1 - gamma)**2*sqrt({RATE})*log({GROWTH})"
PRINTED = {
    **{"T1": f"{FIRST} + 1/(10*sqrt(k))", "T1b": f"{WEAKER} + 1/(10*sqrt(k))", "T1c": f"2*{FIRST} + 1/(10*sqrt(k))"},
    **{"T2": f"{FIRST} + 4/sqrt(k)", "T2b": f"{WEAKER} + 4/sqrt(k)", "T2c": f"2*{FIRST} + 4/sqrt(k)"},
    **{"T3": "C*(1 + log(k))/sqrt(k)", "P3": "0"},
}
"""The right sides of Theorems 4.2 (T1) and 4.4 (T2) with eps = 0, b: the logarithm outside the root, c: the first term twice; of T3 and P3."""


def sizes_of(model: Model, n: int, k: int) -> dict[str, Any]:
    """The symbols of the model class."""
    G, B, S, A = model.sizes
    rewards = {"rt": model.rt, "rt_g": model.rt_g, "rt_l": model.rt_l}
    return {"n": n, "k": k, "gamma": model.gamma, "S_g": G, "A_g": B, "S_l": S, "A_l": A, "Z": S * A} | rewards


def theorem_bound(claim: str, model: Model, n: int, k: int, **more: Q) -> Q:
    """The right side of a printed claim from above; where T1 or T2 takes the logarithm of a number below one it says nothing."""
    at = sizes_of(model, n, k)
    below_one = claim[:2] in ("T1", "T2") and expression(GROWTH, at)[0] < 1
    require(not below_one, "the claim takes the logarithm of a number below one here, so it says nothing")
    return expression(PRINTED[claim], at | more)[1]


def own_bound(document: Any, model: Model, n: int, k: int) -> tuple[Q, list[str]]:
    """The right side of a claim that is not in the catalogue: an expression of the certificate, or a number taken on trust."""
    said, notes = get(document, "parameters", dict), ["what the claim assumes beyond the class of models is not checked"]
    if said.get("bound") is None:
        part(document, "parameters", "bound")
        trusted = rational(part(document, "bound", "upper")["upper"], "bound")
        return trusted, ["the right side is taken on trust: the certificate has no expression of it", *notes]
    text, at = get(said, "bound", str), sizes_of(model, n, k)
    own = [name for name in said if name != "bound"]
    for name in own:
        fits = re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,39}", name) and re.search(rf"\b{name}\b", text) and name not in [*at, *INCREASING]
        require(bool(fits), f"{name[:40]!r}: is not a symbol of the bound beside those of the model")
        at[name] = rational(said[name], name)
    notes += [f"{', '.join(own)}: as the certificate states, not derived from the model"] if own else []
    return expression(text, at)[1], notes


# ---------------------------------------------------------------------------- the claims: left side from below, right side from above

Sides = tuple[Q, Q, list[str]]


def played(model: Model, n: int, k: int, document: Any, work: Work) -> tuple[Values, Q, str]:
    """The greedy policy of the k-agent system, which has to be the one written down, and bounds of its value with n agents."""
    learned = part(document, "subsampled", "policy radius values")
    claimed = rational(learned["radius"], "radius")
    _, plays, tied = bellman(model, k, all_values(model, k, learned, "values"), work, claimed)
    policy = [[[*play] for (h, _), play in plays.items() if h == g] for g in range(model.sizes[0])]
    require(learned["policy"] == policy, "policy: what is written down is not the greedy policy of the k-agent system")
    values = all_values(model, n, document, "executed")
    return values, executed(model, n, k, plays, values, work), tied


def gap(claim: str, document: Any, work: Work) -> Sides:
    """``V*(s_0) - V^{pi_k}(s_0)``, and what the claim says of it. P4, X3 and X3b speak of a larger sample on the left."""
    names = {"T3": "C", "S4b": "types", "X3": "transitions", "X3b": "transitions"}.get(claim, "")
    said = part(document, "parameters", names) if claim != "own" else {}
    model, n = Model(document), integer(document["agents"], 1, 10_000, "agents")
    first = integer(document["subsample"], 1, n, "subsample")
    k = integer({"P4": first + 1, "X3": n, "X3b": 4 * first}.get(claim, first), 1, n, "larger subsample")
    start, notes = model.state(part(document, "state", "counts global"), n, "state"), []
    proof = part(document, "proof", "executed subsampled witness" + " reference" * (claim in ("P4", "S4b", "X3", "X3b")))
    values, off, tied = played(model, n, k, proof, work)
    best = witness(model, n, get(proof, "witness", list), work)
    require(start in best, "witness: the start state is missing")
    left = best[start] - values.listed[start] - off
    if claim[:2] in ("T1", "T2"):
        right = theorem_bound(claim, model, n, k)
        sure = "this is the exact operator: the event to which the theorem gives its probability is taken to be sure"
        if all(p in (0, 1) for p in flat(model.P_g) + flat(model.P_l)):
            sure = "every next state is certain, so T_{k,m} = T_k for every m and the theorem's probability is one"
        notes += [sure] if claim[:2] == "T2" else []
    elif claim == "T3":
        C = rational(said["C"], "C")
        require(C > 0, "C: T3 speaks of a constant C > 0")
        right = theorem_bound(claim, model, n, k, C=C)
        least = min(x - values.listed[s] for s, x in best.items()) - off
        if values.whole and len(best) == len(values.listed):
            notes.append(f"and the gap is at least {floor(least * 1000) / 1000} from every start")
        notes.append("no smaller constant does for this model either; of larger ones this says nothing")
    elif claim == "P3":
        require(k == n, "P3 speaks of k = n")
        right = theorem_bound(claim, model, n, k)
    elif claim == "own":
        right, notes = own_bound(document, model, n, k)
    else:  # the largest gap at the smaller sample over all start states; S4b: at the same sample over those with a single type
        integer(said.get("transitions", 0), 0, 0, f"{claim}: this checker knows the exact regression only (transitions: 0)")
        smaller = part(proof, "reference", "executed optimum subsampled")
        top = all_values(model, n, smaller, "optimum")
        require(top.whole, "optimum: the largest gap is one over all states, and some are not listed")
        values, off, also = played(model, n, first, smaller, work)
        tied, off = tied or also, off + bellman(model, n, top, work)[0]
        types = types_in(model, integer(said["types"], 2, model.sizes[2], "types")) if claim == "S4b" else lambda _: 1
        require(claim != "S4b" or types(start[1]) == said["types"], "state: not all types are present")
        largest = max(top.listed[s] - values.listed[s] for s in top.listed if types(s[1]) == 1)
        require(claim[:2] != "X3" or largest > off, f"{claim} speaks of samples that certainly cost something, and this one may not")
        right = max(largest + off, Q(0)) * (Q(1, 2) if claim == "X3b" else 1)
    unique = "no tie-breaking is involved, except among actions that do the same"
    return left, right, [*notes, f"ties matter, as in {tied}: they are exact, and broken lexicographically" if tied else unique]


def types_in(model: Model, types: int) -> Callable[[tuple[int, ...]], int]:
    """How many types a count vector holds: a type is a block of local states, all of one size, that agents never leave."""
    G, _, S, A = model.sizes
    size = S // types
    outside = [model.P_l[s][g][a][t] for s, g, a, t in product(range(S), range(G), range(A), range(S)) if s // size != t // size]
    require(types * size == S and not any(outside), "types: they are no blocks of local states that agents never leave")
    return lambda c: len({s // size for s, x in enumerate(c) if x})


CLAIMS: dict[str, Callable[[str, Any, Work], Sides]] = dict.fromkeys(
    ("own", "T1", "T1b", "T1c", "T2", "T2b", "T2c", "T3", "P3", "P4", "S4b", "X3", "X3b"), gap
)
"""What is checked for each claim; ``finite_claims.py`` adds those that need no gap of a policy."""
KEYS = ["actual", "agents", "bound", "claim", "cost", "digest", "margin", "model", "parameters", "proof", "state", "subsample", "version"]


def check(text: bytes) -> Answer:
    """Check the text of a certificate. Never raises: what goes wrong is a reason for refusal."""
    work = Work()
    try:
        require(len(text) <= LARGEST_FILE, f"the file is longer than {LARGEST_FILE} bytes")
        document = json.loads(text.decode("utf-8"), parse_float=unwanted, parse_constant=unwanted, object_pairs_hook=unique)
        require(isinstance(document, dict) and sorted(document) == KEYS, f"the keys of a certificate are {', '.join(KEYS)}")
        require(type(document["version"]) is int and document["version"] == VERSION, f"version: this checker knows version {VERSION}")
        content = json.dumps({key: part for key, part in document.items() if key != "digest"}, sort_keys=True, separators=(",", ":"))
        require(document["digest"] == hashlib.sha256(content.encode()).hexdigest(), "digest: the content has been changed")
        named = get(document, "claim", str)
        claim = "own" if re.fullmatch(r"own:[A-Za-z0-9_.-]{1,40}", named) else named
        known = ", ".join(name for name in CLAIMS if name != "own")
        require(claim in CLAIMS and named != "own", f"claim: this checker knows {known}, own:NAME; finite_claims.py adds more")
        stated = [rational(part(document, side, end)[end], side) for side, end in (("actual", "lower"), ("bound", "upper"))]
        require(document["cost"] is None or integer(part(document, "cost", "steps")["steps"], 0, MOST_STEPS, "cost") >= 0, "cost")
        left, right, notes = CLAIMS[claim](claim, document, work)
        require(left > right, f"the left side is only certain to be at least {readable(left)}, the right side may be {readable(right)}")
        require(left >= stated[0], f"actual: {readable(stated[0])} is stated, {readable(left)} is certain")
        require(right <= stated[1], f"bound: {readable(stated[1])} is stated, {readable(right)} is certain")
        require(0 < rational(document["margin"], "margin") <= stated[0] - stated[1], "margin: it does not fit between the two sides")
        at = {"n": document["agents"], "k": document["subsample"]} | document["parameters"]
        what = f"{claim} with C = {at['C']}" if claim in ("T3", "X1s") else named
        shown = f"{what} is violated: left side >= {document['actual']['lower']}, right side <= {document['bound']['upper']}"
        shown += ", taken on trust" if claim == "own" and at.get("bound") is None else ""
        where = ", ".join(f"{key} = {value}" for key, value in at.items() if value is not None)
        return Answer(True, [shown, f"this is at {where}", *notes], work.done)
    except Refused as refusal:
        return Answer(False, [str(refusal)], work.done)
    except KeyError as missing:
        return Answer(False, [f"the values of a state that can be reached are missing ({missing})"], work.done)
    except (ValueError, MemoryError, OverflowError, RecursionError) as error:
        return Answer(False, [f"the file is not a certificate: {' '.join(str(error).split())[:200]}"], work.done)


def readable(x: Q) -> str:
    """A few digits of a number for the reader, also beyond the range of doubles."""
    return f"{float(x):.10g}" if not x or 1e-300 < abs(x) < 1e300 else f"{Decimal(x.numerator) / Decimal(x.denominator):.3e}"


def unwanted(text: str) -> Any:
    """Refuse a number that is not an integer: such numbers are strings, so that reading them does not round."""
    raise Refused(f"found the number {text[:20]}; numbers that are not integers are written as strings")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which every key occurs once."""
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
    sys.path.append(__file__.rpartition("/")[0] or ".")
    with suppress(ImportError):  # where finite_claims.py lies beside this file, its claims are checked too
        from finite_claims import check_file  # type: ignore[import-not-found,no-redef]
    if len(sys.argv) != 2:
        sys.exit("usage: python check_certificate.py FILE")
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # names need not be in the terminal's encoding
    answer = check_file(sys.argv[1])
    print("accepted" if answer.accepted else "refused", *answer.reasons, f"{answer.steps} steps", sep="\n  ")
    sys.exit(0 if answer.accepted else 1)
