r"""What does hold: repaired statements, ours, with proof sketches (R1, R2, R4, R5). Unreviewed; attack them first.

``L = 2 rt_l / (1 - gamma)``.

**R1, subsampling is optimistic.** ``E_Delta V_k(s_g, s_Delta) >= V_n(s_g, s_[n])`` for a uniform k-subset. *Sketch:* the k-agent
system can simulate the other n - k agents with private randomness and play the n-optimal policy's actions for its own agents
and the global one. Averaged over Delta its local reward is the n-agent average, and the global agent's law is the same; so the
average over Delta of what the k-system can earn is at least ``V_n``.

**R2, Lipschitz across sizes with a fluctuation term.** For ``z_Delta`` inside ``z_[n]``:
``Q_k(z_Delta) - Q_n(z_[n]) <= L TV + (gamma L/(1-gamma)) [ (1/2) sqrt((|S_l|-1)(n-k)/(nk)) + Z/(4n) ]``, and
``Q_n(z_[n]) - Q_k(z_Delta) <= L (TV + Z/(4k))``. *Sketch:* induction over value iteration; the draws of shared agents are
coupled; the k-optimal actions are extended to [n] proportionally per state with rounding (the Z/(4n) term); the
fluctuation of the next empirical distribution of k among n agents has standard deviation at most the square root.

**R4, a gap bound with a shared draw and copying.** Bound in ``bounds/optimality.py``. *Sketch:* performance difference
lemma; R1 for the bracket in which the k-value exceeds the n-value on average, R2 for the other, and the copying step costs
one hypergeometric fluctuation of the action shares.

**R5, when independent draws are harmless.** If ``|A_g| = 1`` the global state is exogenous, the n-agent value is an average of
one-agent values, so every agent's own action is optimal whatever it samples: the gap is 0 for every k.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from mfverify import counts, models
from mfverify.bounds import lipschitz, optimality, symbols
from mfverify.bounds.bound import Bound
from mfverify.claims.claim import Claim, Control, Instance, NotApplicable, Outcome, Profile, Sides, Status, Unresolved, tightest
from mfverify.claims.convergence import exact_gap
from mfverify.claims.lipschitz import exact_table
from mfverify.claims.optimality_gap import gap_sides, symbol_values
from mfverify.claims.quantities import rational_system
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.exact.rational import fraction
from mfverify.model import Model


def _optimistic(instance: Instance, factor: Fraction = Fraction(1)) -> Outcome:
    """Largest ``V_n(s) - E_Delta V_k(s_Delta)`` over all states, exact; ``factor`` sabotages the k-value."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    large, small = rational_system(model, n).optimum, rational_system(model, k).optimum
    worst: tuple[Fraction, str] | None = None
    for (g, c), v in large.items():
        mean = sum((p * fraction(small[g, sample]) for sample, p in counts.subsample_law(c, k)), Fraction(0))
        excess = fraction(v) - factor * mean
        if worst is None or excess > worst[0]:
            worst = excess, f"s_g={g}, counts {c}"
    assert worst is not None
    return Sides(Interval.exactly(worst[0]), Interval.exactly(0), None, {"worst": worst[1]})


def _lipschitz_side(bound: Bound, upward: bool, instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The tightest of all differences between a sample's Q_k and its population's Q_n against the bound."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    large, small = exact_table(model, n), exact_table(model, k)
    values = symbol_values(model, n, k)
    best: dict[Fraction, tuple[Fraction, str]] = {}
    for key, rows in large.items():
        for e, q in rows.items():
            for d in counts.subcounts(e, k):
                difference = (small[key][d] - q) * (1 if upward else -1)
                distance = counts.total_variation(d, e)
                if distance not in best or difference > best[distance][0]:
                    best[distance] = difference, f"s_g={key[0]}, a_g={key[1]}, sample {d} of {e}, TV={distance}"
    trivial = Interval.exactly(2 * model.rt / (1 - model.discount))
    return tightest(
        [
            Sides(Interval.exactly(x), bound.enclose({**values, symbols.TV: distance}) * scale, trivial, {"worst": where})
            for distance, (x, where) in best.items()
        ]
    )


def _coupled(given: Sequence[Model] | None) -> list[Model]:
    if given is not None:
        return list(given)
    return [models.coordination(), models.absorbing(), models.splitting(), *(models.random_coupled(s) for s in (4, 5, 16, 100))]


def _exact_pairs(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    most = 3 if profile is Profile.QUICK else 5
    return [
        Instance(m, n, k)
        for m in _coupled(given)
        for n in range(2, most + 1)
        for k in range(1, n)
        if m.sizes[0] * m.sizes[1] * counts.number_of_count_vectors(n, m.sizes[2] * m.sizes[3]) <= 2000
    ]


def _shared_gap(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    if instance.agents == 1:
        return NotApplicable("the bound divides by n - 1; with one agent k = n and there is nothing to subsample")
    return gap_sides(optimality.SHARED_DRAW, instance, "shared", scale)


def _shared_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:
        return [Instance(m, n, k) for m in given for n, ks in ((4, (1, 2, 3, 4)), (8, (1, 2, 4, 8))) for k in ks]
    plan: list[tuple[Model, int, tuple[int, ...]]] = [
        (models.coordination(), 60, (11, 31, 51, 59)),
        (models.coordination(), 100, (91, 99)),
        (models.absorbing(), 10, (1, 2, 4, 8)),
        (models.splitting(), 10, (1, 2, 4, 8)),
        *((models.random_coupled(seed, discount="1/2"), 24, (1, 6, 12, 18, 23)) for seed in (4, 5, 16, 100)),
    ]
    if profile is Profile.FULL:
        plan += [(models.random_coupled(seed, discount="1/2"), 40, (1, 5, 20, 35, 39)) for seed in range(10)]
        plan += [(models.coordination(), 200, (101, 151, 191, 199))]
    return [Instance(m, n, k) for m, n, ks in plan for k in ks]


def _no_global_choice(instance: Instance, sabotage: Fraction = Fraction(0)) -> Outcome:
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    if model.sizes[1] != 1:
        return NotApplicable(f"|A_g| = {model.sizes[1]}, and the statement is about |A_g| = 1")
    try:
        gap, where = exact_gap(model, n, k)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(gap + sabotage), Interval.exactly(0), None, {"worst": where})


def _r5_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    seeds = range(4) if profile is Profile.QUICK else range(20)
    chosen = list(given) if given is not None else [models.random_coupled(s, 2, 2, 2, 1) for s in seeds] + [models.coordination()]
    return [Instance(m, n, k) for m in chosen for n in (2, 3) for k in range(1, n + 1)]


_FINITE = ("Assumption 2.1 (finite sets)", "Assumption 2.2 (bounded rewards)")
_OURS = "ours, unreviewed; proof sketch in mfverify/claims/repaired.py"

R1 = Claim(
    id="R1",
    title="Subsampling is optimistic",
    statement=r"$V_n(s_g, s_{[n]}) - \mathbb E_\Delta V_k(s_g, s_\Delta) \le 0$ for a uniform $k$-subset $\Delta$.",
    source=_OURS,
    reading="all states, exact rationals; the sides are the largest difference and 0",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_optimistic,
    instances=_exact_pairs,
    control=Control(
        "the k-value is multiplied by 9/10", partial(_optimistic, factor=Fraction(9, 10)), lambda: _exact_pairs(Profile.QUICK, None)
    ),
    left_means="largest V_n - E V_k",
    right_means="0",
)

R2 = Claim(
    id="R2",
    title="Lipschitz across sizes with a fluctuation term",
    statement=r"$Q_k(z_\Delta) - Q_n(z_{[n]}) \le " + lipschitz.UPPER.latex + r"$ for $\Delta \subseteq [n]$.",
    source=_OURS,
    reading="all samples of all populations, exact rationals against the enclosed bound",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=partial(_lipschitz_side, lipschitz.UPPER, True),
    instances=_exact_pairs,
    control=Control(
        "the bound is divided by four",
        partial(_lipschitz_side, lipschitz.UPPER, True, scale=Fraction(1, 4)),
        lambda: _exact_pairs(Profile.QUICK, None),
    ),
    rests_on=("B3",),
    left_means="largest Q_k - Q_n",
    right_means="bound",
)

R2L = Claim(
    id="R2L",
    title="Lipschitz across sizes, the other side",
    statement=r"$Q_n(z_{[n]}) - Q_k(z_\Delta) \le " + lipschitz.LOWER.latex + r"$ for $\Delta \subseteq [n]$.",
    source=_OURS,
    reading="all samples of all populations, exact rationals against the enclosed bound",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=partial(_lipschitz_side, lipschitz.LOWER, False),
    instances=_exact_pairs,
    control=Control(
        "the bound is divided by four",
        partial(_lipschitz_side, lipschitz.LOWER, False, scale=Fraction(1, 4)),
        lambda: _exact_pairs(Profile.QUICK, None),
    ),
    rests_on=("B3",),
    left_means="largest Q_n - Q_k",
    right_means="bound",
)

R4 = Claim(
    id="R4",
    title="A gap bound with a shared draw",
    statement=r"With one $k$-subset per step for everybody and copying: $V^*(s_0) - V(s_0) \le " + optimality.SHARED_DRAW.latex + "$",
    source=_OURS,
    reading="members play their part of the lexicographically smallest joint argmax; an agent outside copies a random member in the same state, or plays action 0",
    assumptions=(*_FINITE, "eps_{k,m} = 0 (exact operator)"),
    registered=Status.CORROBORATED,
    sides=_shared_gap,
    instances=_shared_instances,
    control=Control(
        "the bound is divided by forty", partial(_shared_gap, scale=Fraction(1, 40)), lambda: _shared_instances(Profile.QUICK, None)
    ),
    rests_on=("P1", "R1", "R2"),
    left_means="largest gap, shared draw",
    right_means="bound R4",
)

R5 = Claim(
    id="R5",
    title="Without a global choice independent draws are harmless",
    statement=r"If $|\mathcal A_g| = 1$ then $V^{\pi_k} = V^*$ for every $k$.",
    source=_OURS,
    reading="independent draws, exact operator, exact rationals; the sides are the largest gap and 0",
    assumptions=(*_FINITE, "|A_g| = 1"),
    registered=Status.CORROBORATED,
    sides=_no_global_choice,
    instances=_r5_instances,
    control=Control(
        "a millionth is added to the gap",
        partial(_no_global_choice, sabotage=Fraction(1, 10**6)),
        lambda: _r5_instances(Profile.QUICK, None),
    ),
    left_means="largest gap",
    right_means="0",
)

CLAIMS = (R1, R2, R2L, R4, R5)
