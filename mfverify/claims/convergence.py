r"""What should happen as k grows to n. Claims P3 (optimal at k = n), P4 (monotone in k), T3 (order 1/sqrt(k) uniformly in n).

P3 and P4 turn on equality, so both sides are computed in exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache, partial

import sympy as sp

from mfverify import counts, models
from mfverify.bounds import symbols
from mfverify.bounds.evaluate import enclose
from mfverify.claims.claim import Claim, Control, Instance, Outcome, Profile, Sides, Status, Unresolved
from mfverify.claims.quantities import executed, learned, optimum, rational_system
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.subsample_mfq.execution import exact_execution_value


@lru_cache(maxsize=512)
def exact_gap(model: Model, n: int, k: int) -> tuple[Fraction, str]:
    """The largest ``V* - V^{pi_k}`` over start states as a Fraction, and where it is attained."""
    system = rational_system(model, n)
    best = system.array(system.optimum)
    played = exact_execution_value(learned(model, k), n).exact
    assert played is not None
    difference = best - played
    flat = int(difference.argmax())
    g, c = divmod(flat, difference.shape[1])
    return difference[g, c], f"s_g={g}, counts {system.vectors[c]}"


def _optimal_at_n(instance: Instance, sabotage: Fraction = Fraction(0)) -> Outcome:
    model, n = instance.model, instance.agents
    assert model is not None and n is not None
    try:
        gap, where = exact_gap(model, n, n)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(gap + sabotage), Interval.exactly(0), None, {"worst": where})


def _monotone(instance: Instance, sabotage: Fraction = Fraction(0)) -> Outcome:
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    try:
        (smaller, _), (larger, where) = exact_gap(model, n, k), exact_gap(model, n, k + 1)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(
        Interval.exactly(larger + sabotage),
        Interval.exactly(smaller),
        Interval.exactly(2 * model.rt / (1 - model.discount)),
        {"worst": f"at k+1: {where}"},
    )


def _bundled(given: Sequence[Model] | None) -> list[Model]:
    if given is not None:
        return list(given)
    return [
        models.splitting(),
        models.coordination(),
        models.absorbing(),
        models.random_coupled(4),
        models.random_coupled(16),
        models.random_coupled(100),
    ]


def _exact_sizes(profile: Profile, model: Model) -> list[int]:
    """Numbers of agents for which exact arithmetic is quick."""
    g, b, s, a = model.sizes
    most = 2000 if profile is Profile.QUICK else 20000
    return [n for n in range(2, 9) if g * b * counts.number_of_count_vectors(n, s * a) <= most][: 3 if profile is Profile.QUICK else 6]


def _p3_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    return [Instance(m, n, n) for m in _bundled(given) for n in _exact_sizes(profile, m)]


def _p4_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    return [Instance(m, n, k) for m in _bundled(given) for n in _exact_sizes(profile, m) for k in range(1, n)]


_RATE = (1 + sp.log(symbols.k)) / sp.sqrt(symbols.k)
"""The order that T3 claims, with one logarithm for the tilde: (1 + ln k) / sqrt(k)."""


def _uniform_rate(instance: Instance, exponent: int = 1) -> Outcome:
    """``gap(n', k') <= gap(n, k) rate(k')/rate(k)``: what any bound C (1 + ln k)/sqrt(k) that is attained at (n, k) demands."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    start_n, start_k = int(instance["from_n"]), int(instance["from_k"])
    try:
        first = (optimum(model, start_n) - executed(model, start_n, start_k, "independent")).max()
        later = (optimum(model, n) - executed(model, n, k, "independent")).max()
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    ratio = enclose(_RATE, {symbols.k: k}) / enclose(_RATE, {symbols.k: start_k})
    for _ in range(exponent - 1):
        ratio = ratio * ratio
    return Sides(
        later,
        first * ratio,
        Interval.exactly(2 * model.rt / (1 - model.discount)),
        {"gap at the start": repr(first), "demanded factor": f"{float(ratio.upper):.4g}"},
    )


def _t3_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:
        return [Instance(m, 9, 8, (("from_n", 3), ("from_k", 2))) for m in given]
    ends = (
        ((64, 63), (128, 127), (256, 255), (400, 399))
        if profile is Profile.QUICK
        else ((64, 63), (128, 127), (256, 255), (512, 511), (800, 799))
    )
    family = [Instance(models.coordination(), n, k, (("from_n", 16), ("from_k", 15))) for n, k in ends]
    others = [Instance(models.random_coupled(seed), 33, 32, (("from_n", 3), ("from_k", 2))) for seed in (4, 5, 16)]
    return family + others


_FINITE = (
    "Assumption 2.1 (finite sets)",
    "Assumption 2.2 (bounded rewards)",
    "independent draws (Algorithm 2)",
    "eps_{k,m} = 0 (exact operator)",
)

P3 = Claim(
    id="P3",
    title="At k = n the executed policy is optimal",
    statement=r"$V^{\pi_n}(s_0) = V^*(s_0)$ for all $s_0$.",
    source="'converges to the optimal policy as k -> n'",
    reading="exact operator, k = n, ties broken lexicographically; the sides are the largest gap over start states and 0, exact rationals",
    assumptions=_FINITE,
    registered=Status.REFUTED,
    sides=_optimal_at_n,
    instances=_p3_instances,
    control=Control(
        "a millionth is added to the gap", partial(_optimal_at_n, sabotage=Fraction(1, 10**6)), lambda: _p3_instances(Profile.QUICK, None)
    ),
    rests_on=("B2", "P2"),
    left_means="largest gap at k = n",
    right_means="0",
)

P4 = Claim(
    id="P4",
    title="The gap does not increase with k",
    statement=r"$\max_{s_0} V^*(s_0) - V^{\pi_{k+1}}(s_0) \le \max_{s_0} V^*(s_0) - V^{\pi_k}(s_0)$",
    source="'monotonic improvement as k -> n' (Section 2, experiments)",
    reading="largest gap over start states at k + 1 against k, exact operator, exact rationals",
    assumptions=_FINITE,
    registered=Status.REFUTED,
    sides=_monotone,
    instances=_p4_instances,
    control=Control("1 is added to the gap at k + 1", partial(_monotone, sabotage=Fraction(1)), lambda: _p4_instances(Profile.QUICK, None)),
    left_means="largest gap at k + 1",
    right_means="largest gap at k",
)

T3 = Claim(
    id="T3",
    title="A gap of order 1/sqrt(k) uniformly in n",
    statement=r"$V^* - V^{\pi_k} \le C\, \frac{1 + \ln k}{\sqrt k}$ with one constant $C$ for all $n$ and $k$ of a model.",
    source="abstract",
    reading="one logarithm for the tilde; a bound of this form that is attained at (from_n, from_k) demands the ratio of rates at (n, k). "
    "On the coordination model with k = n - 1 the gap is certified to be above 1/2 at every n listed, while the demanded ratio falls to 0 "
    "(heuristically the gap tends to gamma (1 + eta/2) = 0.5025: one step after a balanced start every second agent stands on the wrong side)",
    assumptions=_FINITE,
    registered=Status.REFUTED,
    sides=_uniform_rate,
    instances=_t3_instances,
    control=Control("the rate is squared three times", partial(_uniform_rate, exponent=4), lambda: _t3_instances(Profile.QUICK, None)),
    rests_on=("T1",),
    left_means="largest gap at (n, k)",
    right_means="gap at the start times the ratio of rates",
)

CLAIMS = (P3, P4, T3)
