r"""What should happen as k grows to n. Claims P3 (optimal at k = n), P4 (monotone in k), T3 (order 1/sqrt(k) uniformly in n), T3f.

P3 and P4 turn on equality, so both sides are computed in exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache, partial

import sympy as sp

from mfverify import counts, models
from mfverify.bounds import optimality, symbols
from mfverify.bounds.evaluate import enclose
from mfverify.claims.claim import Claim, Control, Instance, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.claims.grounds import proof
from mfverify.claims.quantities import executed, learned, optimum, rational_system, trivial_gap
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.models.redrawn import limit_of_mean_loss
from mfverify.rationals import estimate, from_text, written
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
    return Sides(Interval.exactly(gap + sabotage), Interval.exactly(0), trivial_gap(model), {"worst": where})


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
        trivial_gap(model),
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


def _uniform_rate(instance: Instance, faster: sp.Expr = sp.Integer(1)) -> Outcome:
    """``gap(n, k) <= C (1 + ln k)/sqrt(k)`` for the constant C that the instance tries; ``faster`` divides the right side (sabotage)."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    constant = from_text(str(instance["C"]))
    if constant <= 0:
        return NotApplicable(f"the claim speaks of a constant C > 0, and C is {instance['C']} here")
    try:
        gap = optimum(model, n) - executed(model, n, k, "independent")
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    largest, smallest = gap.max(), -(-gap).max()
    rate = enclose(optimality.UNIFORM_RATE.expression / faster, {symbols.k: k})
    details = {
        "gap / rate": f"{estimate((largest / rate).lower, 4)}, the constants below it are refuted by this instance",
        "smallest gap over start states": estimate(smallest.lower),
    }
    return Sides(largest, rate * constant, trivial_gap(model), details)


def _t3_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:
        return [Instance(m, 8, k, (("C", written(m.rt / (1 - m.discount) or 1)),)) for m in given for k in (2, 8)]
    patient = models.redrawn(discount="9/10")
    plan: list[tuple[Model, int, int, str]] = [
        (models.redrawn(), 400, 51, "1/2"),
        (models.redrawn(), 400, 101, "1"),
        (patient, 400, 101, "7"),
        (models.coordination(), 2000, 401, "2"),
        (models.coordination(), 100, 11, "2"),
        (models.redrawn(), 100, 11, "2"),
        *((models.random_coupled(seed), 33, 32, "1") for seed in (4, 5, 16)),
    ]
    if profile is Profile.FULL:
        plan += [(models.redrawn(), 1000, 401, "7/4"), (patient, 1000, 401, "12"), (models.coordination(), 2000, 1999, "5/2")]
    return [Instance(m, n, k, (("C", c),)) for m, n, k, c in plan]


def _redrawn_types(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The closed form from below against the smallest gap over start states; where it is not positive it says nothing."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    eta, discount = from_text(str(instance["eta"])), model.discount
    try:
        gap = optimum(model, n) - executed(model, n, k, "independent")
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    left = optimality.REDRAWN_TYPES.enclose({symbols.n: n, symbols.k: k, symbols.gamma: discount, symbols.eta: eta}) * scale
    smallest = -(-gap).max()
    right = Interval(max(Fraction(0), smallest.lower), max(Fraction(0), smallest.upper))  # no gap is negative
    trivial = Interval.exactly(0) if (left <= Interval.exactly(0)) is True else None
    limit = discount**2 / (1 - discount**2) * limit_of_mean_loss(k, eta, discount)
    return Sides(left, right, trivial, {"limit of the smallest gap as n grows": estimate(limit), "largest gap": repr(gap.max())})


def _t3f_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:  # the statement is about one family of models, not about a model of the user's
        return []
    plan: list[tuple[str, str, int, tuple[int, ...]]] = [
        ("1/100", "1/2", 20, (2, 3, 10, 19)),
        ("1/100", "1/2", 100, (2, 11, 50, 99)),
        ("1/100", "1/2", 400, (51, 101)),
        ("1/100", "9/10", 400, (101,)),
        ("1/2", "9/10", 60, (5, 20, 31)),
    ]
    if profile is Profile.FULL:
        plan += [("1/100", "1/2", 1000, (3, 101, 401)), ("1/100", "9/10", 1000, (401,)), ("1/100", "99/100", 200, (2, 11, 101))]
    return [Instance(models.redrawn(eta, gamma), n, k, (("eta", eta),)) for eta, gamma, n, ks in plan for k in ks]


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
    failing_step="At k = n every agent sees the whole population, but each plays its own part of the maximiser that has itself as first agent: where the optimum gives "
    "agents in one local state different actions, all of them take the same one",
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
    failing_step="A bound that falls with k says nothing about the order of the gaps below it: a larger sample can disagree with another one more often, and its greedy "
    "policy can be a worse one for n agents",
)

T3 = Claim(
    id="T3",
    title="A gap of order 1/sqrt(k) uniformly in n",
    statement=r"$V^* - V^{\pi_k} \le C\, " + optimality.UNIFORM_RATE.latex + "$ with one constant $C$ for all $n$ and $k$ of a model.",
    source="abstract",
    reading="one logarithm for the tilde. Each instance tries one constant C > 0, and a violation refutes that constant and every smaller one on that model; no finite "
    "number of them refutes all. That no constant can escape is T3f: on one fixed model the gap stays above a number > 0 for every k as n grows, while the right side "
    "falls to 0 for every C",
    assumptions=_FINITE,
    registered=Status.REFUTED,
    sides=_uniform_rate,
    instances=_t3_instances,
    control=Control(
        "the rate is 1/k in place of 1/sqrt(k)",
        partial(_uniform_rate, faster=sp.sqrt(symbols.k)),
        lambda: [Instance(models.coordination(), 100, 11, (("C", "2"),)), Instance(models.redrawn(), 100, 11, (("C", "2"),))],
    ),
    rests_on=("T1",),
    left_means="largest gap at (n, k)",
    right_means="C times the rate",
    failing_step="Uniformity in n needs the draws of different agents to agree with high probability. Samples of size k of a balanced population disagree with "
    "probability near 1/2 for every k, as long as n is much larger",
)

T3F = Claim(
    id="T3f",
    title="A model whose gap does not fall with k",
    statement=r"On the model of redrawn types, for every $s_0$, $n$ and $k$: $V^*(s_0) - V^{\pi_k}(s_0) \ge "
    + optimality.REDRAWN_TYPES.latex
    + "$",
    source="ours, unreviewed; proof in models/redrawn.py",
    reading="the smallest gap over all start states, so that no start is an exception. As n grows with k fixed the right side tends to a number > 0 for every k >= 2, "
    "and for large k to gamma^3/(1 - gamma^2): no C (ln k)^p / sqrt(k) stays above it",
    assumptions=(*_FINITE, "the model of redrawn types with 0 < eta < 2 gamma"),
    registered=Status.CORROBORATED,
    sides=_redrawn_types,
    instances=_t3f_instances,
    control=Control(
        "the left side is multiplied by two", partial(_redrawn_types, scale=Fraction(2)), lambda: _t3f_instances(Profile.QUICK, None)[:5]
    ),
    left_means="closed form from below",
    right_means="smallest gap over start states",
    grounds=proof("mfverify.models.redrawn", "Bound for every n", uses=("P2",)),
)

CLAIMS = (P3, P4, T3, T3F)
