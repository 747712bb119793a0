"""Claims that a smaller calculation refutes than the gap of a policy: samples, tables, estimates, agents of few states.

``python check_certificate.py FILE`` reads this file where it lies beside that one, which holds the reading of certificates, models, laws and
right sides. Each function below recomputes both sides of a claim from the object that the certificate names: the left side from below, the right
side from above. All sums are finite and exact, but for the numbers that :func:`expression` encloses.
"""

from __future__ import annotations

import re
from fractions import Fraction as Q
from itertools import product
from math import ceil, comb, prod
from random import Random
from typing import Any

if __package__:
    from mfverify.checker.check_certificate import (
        CLAIMS,
        Model,
        Sides,
        Work,
        action_value,
        all_values,
        bellman,
        check_file,
        counts,
        expression,
        flat,
        get,
        integer,
        listed,
        nested,
        one_step,
        part,
        rational,
        require,
        samples,
        sizes_of,
        vectors,
    )
else:  # a program without the package
    from check_certificate import *  # type: ignore[import-not-found]  # noqa: F403

__all__ = ["CLAIMS", "check_file"]

PRINTED = {
    "C2": "2*Z*exp(-2*n*k*d**2/(n - k + 1))",
    "C3": "2*Z*exp(-8*n*k*d**2/(n - k + 1))",
    "X1s": "C*sqrt(sqrt(k))*sqrt(log(k))",
    "N1c": "exp(-k)/100",
    "N1c samples": "2*S_g*A_g*S_l*A_l*k**(7/2 + S_l*A_l)/(1 - gamma)**5*log(S_g*A_g*S_l*A_l)*log((1 - gamma)**-2)",
}
"""The right sides of C2, of C3 (solved for its delta) and of N1c, and the numbers of samples in X1s and N1c."""


def stated(claim: str, document: Any, absent: str, names: str, proof: str) -> tuple[Any, Any]:
    """Parameters and proof, with exactly these entries, of a claim that does not speak of what is ``absent``."""
    require(all(document[key] is None for key in absent.split(", ")), f"{absent}: {claim} speaks of none, expected null")
    return part(document, "parameters", names), part(document, "proof", proof)


def lipschitz(_: str, document: Any, work: Work) -> Sides:
    """L2: ``|Q*_k(s_g, F, a_g) - Q*_k'(s_g, F', a_g)|``, and ``2 rt_l/(1 - gamma) TV(F, F')``."""
    other, proof = part(document, "parameters", "other")["other"], part(document, "proof", "first global_action second")
    model, ends, laws = Model(document), [], []
    g = integer(part(document, "state", "global")["global"], 0, model.sizes[0] - 1, "state")
    b = integer(proof["global_action"], 0, model.sizes[1] - 1, "global_action")
    require(document["agents"] is None, "agents: L2 speaks of no larger system, expected null")
    for size, key in ((document["subsample"], "first"), (other, "second")):
        k, end = integer(size, 1, 10_000, "subsample, other"), part(proof, key, "actions values")
        d, values = counts(end["actions"], k, model.sizes[2] * model.sizes[3], key), all_values(model, k, end, "values")
        off = model.gamma * bellman(model, k, values, work)[0]
        low, high = action_value(model, k, values, g, b, d, model.unit(k), work)
        ends.append((low - off, high + off))
        laws.append(d)
    left, distance = max(ends[0][0] - ends[1][1], ends[1][0] - ends[0][1]), total_variation(*laws)
    return left, 2 * model.rt_l / (1 - model.gamma) * distance, [f"the two distributions have total variation {distance}"]


def kernel_named(name: str, Z: int) -> list[list[Q]]:
    """The transition matrix of Z classes: uniform over the targets of a class; the targets may be drawn by Python from a seed."""
    seed, rows = re.fullmatch(r"random-(0|[1-9][0-9]{0,17})", name), []
    draw = Random(int(seed[1]) if seed else 0)
    for s in range(Z):
        known = {"stay": [s], "rotate": [(s + 1) % Z], "merge": [0], "uniform": [*range(Z)], "lazy": [s, (s + 1) % Z]}
        require(name in known or seed is not None, f"kernel: expected {', '.join(known)} or random-SEED")
        to = known.get(name) or [t for t in range(Z) for _ in range(draw.choice((0, 0, 1, 2, 5)))] + [draw.randrange(Z)]
        rows.append([Q(to.count(t), len(to)) for t in range(Z)])
    return rows


def total_variation(c: tuple[int, ...], d: tuple[int, ...]) -> Q:
    """Half the l1 distance of two empirical distributions."""
    return sum((abs(Q(x, sum(c)) - Q(y, sum(d))) for x, y in zip(c, d, strict=True)), Q(0)) / 2


def concentration(claim: str, document: Any, work: Work) -> Sides:
    """A uniform k-subset against its population. C2, C3: ``Pr[TV >= d]``, and the bound that the claim gives for all epsilon just below d
    (it is continuous, so at d itself; C3 is solved for its delta). C7, C7b: the mean distance after every agent has moved once, and
    (the mean of) the one before."""
    tail, n = claim in ("C2", "C3"), integer(document["agents"], 1, 2000, "agents")
    names = ("population", "deviation") if tail else ("kernel population sample", "kernel")
    said, proof = stated(claim, document, "model, state", *names)
    c, k = listed(get(said, "population", str), n, "population"), integer(document["subsample"], 1, n, "subsample")
    Z = len(c)
    work.spend(10 * comb(k + Z - 1, Z - 1) * (1 if tail else Z * n * n))
    if tail:
        d = rational(proof["deviation"], "deviation")
        require(min(c) > 0 and d > 0, "expected a population that occupies every class, and a positive deviation")
        ways = sum(w for x, w in samples(c, k) if total_variation(x, c) >= d)
        bound = expression(PRINTED[claim], {"Z": Z, "n": n, "k": k, "d": d})[1]
        return Q(ways, comb(n, k)), bound, [f"a sample of {k} lies {d} or more away from the population"]
    rows = nested(proof["kernel"], (Z, Z), "kernel")
    require(all(min(row) >= 0 and sum(row) == 1 for row in rows), "kernel: a row is not a probability law")
    require(rows == kernel_named(get(said, "kernel", str), Z), "kernel: the rows in the certificate are not those of the named kernel")
    require(claim == "C7" or said["sample"] == "uniform", 'sample: C7b takes a sample drawn uniformly, expected "uniform"')
    given = [(listed(get(said, "sample", str), k, "sample"), comb(n, k))] if claim == "C7" else samples(c, k)
    after = before = Q(0)
    for x, ways in given:
        require(len(x) == Z and all(y <= z for y, z in zip(x, c, strict=True)), "sample: it does not fit into the population")
        before += Q(ways, comb(n, k)) * total_variation(x, c)
        for t in range(Z):  # arrivals in class t, from the sample and from the others, are independent; TV adds up over classes
            laws = []
            for group in (x, [z - y for y, z in zip(x, c, strict=True)]):
                laws.append([Q(1)])
                for p in [rows[s][t] for s, y in enumerate(group) for _ in range(y)]:
                    laws[-1] = [u * (1 - p) + v * p for u, v in zip([*laws[-1], Q(0)], [Q(0), *laws[-1]], strict=True)]
            moved = sum(u * v * abs(Q(i, k) - Q(i + j, n)) for i, u in enumerate(laws[0]) for j, v in enumerate(laws[1]))
            after += Q(ways, comb(n, k)) * moved / 2
    return after, before, [f"before the step the distance is {before}, after it {after} in expectation"]


def exchanged(claim: str, document: Any, _: Work) -> Sides:
    """M1: ``|E max_a f_a(x) - E max_a g_a(x)|`` and ``max_a |E f_a(x) - E g_a(x)|``, x uniform on finitely many outcomes. A table is
    written as ``1+0/0+1``: a row for each a, a number for each x."""
    said, _proof = stated(claim, document, "model, state, agents, subsample", "first second", "")
    tables = [get(said, name, str) for name in ("first", "second")]
    written = all(re.fullmatch(r"-?[0-9]{1,9}([+/]-?[0-9]{1,9}){0,99}", text) for text in tables)
    require(written, 'first, second: expected a table written as "1+0/0+1"')
    f, g = ([[int(x) for x in row.split("+")] for row in text.split("/")] for text in tables)
    require(len(f) == len(g) and len({len(row) for row in f + g}) == 1, "first, second: expected tables of one shape")
    outcomes = len(f[0])
    left = abs(sum(max(column) for column in zip(*f, strict=True)) - sum(max(column) for column in zip(*g, strict=True)))
    return Q(left, outcomes), max(Q(abs(sum(x) - sum(y)), outcomes) for x, y in zip(f, g, strict=True)), []


def half_of_maximum(claim: str, document: Any, _: Work) -> Sides:
    """C3b, solved for its epsilon, for one sample of the population: TV and half of the largest deviation of one class, in both directions."""
    said, proof = stated(claim, document, "model, state", "direction population", "sample")
    n = integer(document["agents"], 1, 10_000, "agents")
    c, k = listed(get(said, "population", str), n, "population"), integer(document["subsample"], 1, n, "subsample")
    x = counts(proof["sample"], k, len(c), "sample")
    require(all(y <= z for y, z in zip(x, c, strict=True)), "sample: it does not fit into the population")
    half = max(abs(Q(y, k) - Q(z, n)) for y, z in zip(x, c, strict=True)) / 2
    sides = {"maximum to TV": (total_variation(x, c), half), "TV to maximum": (half, total_variation(x, c))}
    require(said["direction"] in list(sides), f"direction: expected {' or '.join(sides)}")
    return *sides[said["direction"]], [f"the sample is {'+'.join(map(str, x))}"]


def reward_samples(claim: str, document: Any, work: Work) -> Sides:
    """X1s: the probability that the mean of N fair rewards of 1 or -1 is farther than ``error/sqrt(k)`` from 0, and 1/2."""
    said, _ = stated(claim, document, "model, state, agents", "C error", "")
    C, error, k = rational(said["C"], "C"), rational(said["error"], "error"), integer(document["subsample"], 2, 10**9, "subsample")
    require(C > 0 and error > 0, "C, error: X1s speaks of positive constants")
    low, high = expression(PRINTED[claim], {"C": C, "k": k})
    N = ceil(low)
    require(ceil(high) == N and 1 <= N <= 20_000, "C: the number of samples is not certain, or more than 20000")
    work.spend(N * N // 4)
    ways, far = 1, 0
    for i in range(N + 1):
        far += ways if k * (2 * i - N) ** 2 > error**2 * N**2 else 0
        ways = ways * (N - i) // (i + 1)
    return Q(far, 2**N), Q(1, 2), [f"the number of samples is {N}; of other constants this says nothing"]


def by_states(claim: str, document: Any, _: Work) -> Sides:
    """H1: ``|Q^t - Q^t'|`` of two (states, actions), and ``2 (1 + .. + gamma^(t-1))`` times the TV of the states alone. n agents in the
    places 0 and 1 choose their next place and all earn the share of agents in place 1; they are counted over (place, action)."""
    said, proof = stated(claim, document, "model, state, subsample", "discount steps", "first second")
    n, steps = integer(document["agents"], 1, 10**6, "agents"), integer(said["steps"], 1, 2, "steps")
    gamma = rational(said["discount"], "discount")
    require(0 < gamma < 1, "discount: expected a number strictly between 0 and 1")
    pairs = [counts(proof[key], n, 4, key) for key in ("first", "second")]
    now, ahead = ([Q(d[i] + d[3], n) for d in pairs] for i in (2, 1))  # the share in place 1 at this step and at the next
    later = gamma * (steps - 1)
    distance = abs(now[0] - now[1])
    return abs(now[0] - now[1] + later * (ahead[0] - ahead[1])), 2 * (1 + later) * distance, [f"the states have total variation {distance}"]


def picked_table(claim: str, document: Any, _: Work) -> Sides:
    """S2: entries over ``|S_g| |A_g|`` of the table that the rule ``Z^k <= Z k^Z`` picks, and of the smaller table."""
    said, proof = stated(claim, document, "model, state, agents, subsample", "actions first~k last~k states", "k")
    Z = integer(said["states"], 1, 30, "states") * integer(said["actions"], 1, 30, "actions")
    last = integer(said["last k"], 1, 1000, "last k")
    k = integer(proof["k"], integer(said["first k"], 1, last, "first k"), last, "k")
    standard, mean_field = Z**k, Z * comb(k + Z - 2, Z - 1)
    return Q(standard if Z**k <= Z * k**Z else mean_field), Q(min(standard, mean_field)), [f"this is so for k = {k}"]


def lottery_samples(claim: str, document: Any, work: Work) -> Sides:
    """N1c: how likely ``|V^ - V| > 1/sqrt(k)`` is after m* samples, and ``1/(100 e^k)``. On the lottery state 0 goes to state 1 with
    probability 1/2, which stays and earns R; nothing is chosen. With the estimate p of 1/2, ``V^(0) = 2 p R/(1 + p)`` at gamma = 1/2."""
    said, _ = part(document, "parameters", "reward"), part(document, "proof", "")
    require(document["agents"] is None and document["state"] is None, f"agents, state: {claim} speaks of none, expected null")
    model, k, R = Model(document), integer(document["subsample"], 1, 100, "subsample"), rational(said["reward"], "reward")
    kernels = [[[Q(1, 2), Q(1, 2)]], [[Q(0), Q(1)]]], [[[[Q(1)]], [[Q(1)]]]]
    numbers = (model.P_g, model.P_l, model.r_g, model.r_l, model.gamma)
    require(numbers == (*kernels, [[0], [R]], [[[0], [0]]], Q(1, 2)), "model: it is not the lottery with this reward")
    low, high = expression(PRINTED["N1c samples"], sizes_of(model, k, k))
    m = ceil(low)
    require(ceil(high) == m and 1 <= m <= 10_000, "subsample: the number of samples is not certain, or more than 10000")
    work.spend(m * m // 4 + 100 * m)
    ways, far = 1, 0
    for i in range(m + 1):
        off = 2 * R * (Q(i, m + i) - Q(1, 3))
        far += ways if k * off**2 > 1 else 0
        ways = ways * (m - i) // (i + 1)
    return Q(far, 2**m), expression(PRINTED[claim], {"k": k})[1], [f"the number of samples is {m}"]


def mean_of_maximum(claim: str, document: Any, work: Work) -> Sides:
    """B4b: by how much ``E max_a Q^(s, a)`` exceeds ``max_a Q(s, a) = V*_k(s)``, and 0. ``Q^(s, a)`` is the reward and gamma times the mean of
    V*_k over m next states, drawn independently for each joint action of k agents. If W is off by at most rho, so are the means of W."""
    said, proof = part(document, "parameters", "samples"), part(document, "proof", "values")
    require(document["agents"] is None, f"agents: {claim} speaks of no larger system, expected null")
    model, k, m = Model(document), integer(document["subsample"], 1, 50, "subsample"), integer(said["samples"], 1, 50, "samples")
    g, c = model.state(part(document, "state", "counts global"), k, "state")
    values, unit, laws = all_values(model, k, proof, "values"), model.unit(k), []
    off = bellman(model, k, values, work)[0]
    for b, split in product(range(model.sizes[1]), product(*(list(vectors(x, model.sizes[3])) for x in c))):
        weights, reward = one_step(model, k, g, b, tuple(x for d in split for x in d), unit, work)
        require(sum(weights.values()) == unit, "model: its laws are too long for exact sums")
        once: dict[Q, Q] = {}
        for (h, p), (i, w) in product(enumerate(model.P_g[g][b]), weights.items()):
            x = Q(values.table[h][i], values.scale)
            once[x] = once.get(x, Q(0)) + p * Q(w, unit)
        total = {Q(0): Q(1)}
        for _ in range(m):
            work.spend(100 * len(total) * len(once))
            more: dict[Q, Q] = {}
            for (x, p), (y, q) in product(total.items(), once.items()):
                more[x + y] = more.get(x + y, Q(0)) + p * q
            total = more
        laws.append({reward + model.gamma * x / m: p for x, p in total.items()})
    points = sorted({x for law in laws for x in law})
    work.spend(100 * len(points) * len(laws))
    below, before, mean = [Q(0)] * len(laws), Q(0), Q(0)
    for x in points:  # the distribution function of a maximum is the product of those of its parts
        below = [F + law.get(x, 0) for F, law in zip(below, laws, strict=True)]
        now = prod(below, start=Q(1))
        mean, before = mean + x * (now - before), now
    return mean - values.listed[g, c] - (1 + model.gamma) * off, Q(0), [f"the maximum is over {len(laws)} joint actions"]


def own_share(claim: str, document: Any, work: Work) -> Sides:
    """A2: when agent 1 changes its policy, by how much the change of the value differs from that of its own part ``r_l(s_1, s_g, a_1)/n``,
    and 0. The rest, V less the own part, is the value of a chain; given values of it are certified by fact 2. The other agents play 0,
    the global agent its state or, if it reads all states, 1 where an agent is in another state than 0 (modulo ``|A_g|``)."""
    reads = part(document, "parameters", "global~policy")["global policy"]
    require(reads in ("global state", "all states"), "global policy: expected global state or all states")
    require(document["subsample"] is None, f"subsample: {claim} speaks of none, expected null")
    model, n = Model(document), integer(document["agents"], 1, 10, "agents")
    (G, B, S, A), rest = model.sizes, []
    work.spend(40 * n * (G * S**n) ** 2)
    states, at = list(product(range(G), *[range(S)] * n)), part(document, "state", "global locals")
    start = (integer(at["global"], 0, G - 1, "state"), *(integer(x, 0, S - 1, "state") for x in get(at, "locals", list)))
    require(len(start) == n + 1, "state: expected a global state and the local state of each agent")
    for key in ("first", "second"):
        end = part(part(document, "proof", "first second"), key, "policy values")
        given = nested(end["values"], (G, S**n), key)
        W = dict(zip(states, flat(given), strict=True))
        policy = get(end, "policy", list)
        fits = len(policy) == G and all(isinstance(x, list) and len(x) == S for x in policy)
        require(fits, f"{key}: expected an action for each global and local state")
        worst = Q(0)
        for g, *s in states:
            b, own = (g if reads == "global state" else int(any(s))) % B, integer(policy[g][s[0]], 0, A - 1, key)
            rows = [model.P_g[g][b], *(model.P_l[x][g][0 if i else own] for i, x in enumerate(s))]
            reward = model.r_g[g][b] + sum((model.r_l[x][g][0] for x in s[1:]), Q(0)) / n
            ahead = sum((prod(row[t] for row, t in zip(rows, after, strict=True)) * x for after, x in W.items()), Q(0))
            worst = max(worst, abs(W[g, *s] - reward - model.gamma * ahead))
        rest.append((W[start], worst / (1 - model.gamma)))
    return abs(rest[0][0] - rest[1][0]) - rest[0][1] - rest[1][1], Q(0), ["the part of an agent in the value is read as its own reward"]


CLAIMS |= dict.fromkeys(("C2", "C3", "C7", "C7b"), concentration)
CLAIMS |= {"L2": lipschitz, "M1": exchanged, "C3b": half_of_maximum, "X1s": reward_samples, "H1": by_states, "S2": picked_table}
CLAIMS |= {"N1c": lottery_samples, "B4b": mean_of_maximum, "A2": own_share}
