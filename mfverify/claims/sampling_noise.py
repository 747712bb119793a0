r"""Section 4: the empirical operator T_{k,m}, its noise, the number of iterations, and Theorem 4.4. Claims B4, B4b, B6, B7, N1, T2, T2b.

``eps_{k,m} = ||Q^est_{k,m} - Q*_k||_inf``. Samples are drawn once per (state, joint action), so that the operator has a fixed point;
each eps is a certified enclosure for the samples of its seed. What is said about a distribution of eps is said about the seeds
that were drawn, and the readings say so.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache, partial
from itertools import product

import flint
import numpy as np

from mfverify import models
from mfverify.bounds import noise, optimality, symbols
from mfverify.bounds.bound import Bound
from mfverify.bounds.evaluate import UndefinedError
from mfverify.claims.claim import Claim, Control, Instance, NotApplicable, Outcome, Profile, Sides, Status
from mfverify.claims.optimality_gap import gap_sides, symbol_values
from mfverify.claims.quantities import rational_system
from mfverify.enclosure import Interval
from mfverify.exact.rational import JointAction, RationalSystem, State, fraction
from mfverify.model import Model
from mfverify.subsample_mfq.learning import bellman_noise, learn


def _actions(system: RationalSystem, state: State) -> list[JointAction]:
    return [(b, d) for b in range(system.model.sizes[1]) for d in system.local_action_counts(state[1])]


def _successors(system: RationalSystem, state: State, action: JointAction) -> list[tuple[State, Fraction]]:
    """The law of the next state of the k-agent system, exactly."""
    g, _ = state
    b, d = action
    local = [(c, fraction(q)) for c, q in system.law(g, d).items()]
    return [((h, c), p * q) for h, p in enumerate(system.model.global_kernel[g, b]) if p for c, q in local]


def _random_values(system: RationalSystem, seed: int) -> dict[State, Fraction]:
    rng = random.Random(seed)
    return {state: Fraction(rng.randint(-9, 9), rng.randint(1, 4)) for state in system.states}


def _unbiased(instance: Instance, divisor: int = 0) -> Outcome:
    """``max |E[(T_{k,m} Q)(s, a)] - (T_k Q)(s, a)|`` by enumerating every tuple of m samples; ``divisor`` sabotages the mean."""
    assert instance.model is not None and instance.subsample is not None
    system = rational_system(instance.model, instance.subsample)
    m = int(instance["samples"])
    value = _random_values(system, int(instance["seed"]))
    exact_value = {state: flint.fmpq(v.numerator, v.denominator) for state, v in value.items()}
    worst, where, tuples = Fraction(-1), "", 0
    for state in system.states:
        for action in _actions(system, state):
            mean = Fraction(0)
            for drawn in product(_successors(system, state, action), repeat=m):
                tuples += 1
                mean += math.prod((p for _, p in drawn), start=Fraction(1)) * sum((value[t] for t, _ in drawn), Fraction(0)) / (m + divisor)
            expected = fraction(system.reward(state[0], action)) + instance.model.discount * mean
            difference = abs(expected - fraction(system.action_value(state, action, exact_value)))
            if difference > worst:
                worst, where = difference, f"state {state}, action {action}"
    return Sides(Interval.exactly(worst), Interval.exactly(0), None, {"worst": where, "sample tuples enumerated": tuples})


def _unbiased_maximum(instance: Instance, shift: Fraction = Fraction(0)) -> Outcome:
    """``max_s |E[max_a (T_{k,1} Q)(s, a)] - max_a (T_k Q)(s, a)|``, one sample per action, by enumerating all of them."""
    assert instance.model is not None and instance.subsample is not None
    system = rational_system(instance.model, instance.subsample)
    value = _random_values(system, int(instance["seed"]))
    gamma = instance.model.discount
    worst, where = Fraction(-1), ""
    for state in system.states:
        # The law of each action's sampled value; the maximum of independent ones follows from products of distribution functions.
        laws = []
        for action in _actions(system, state):
            r = fraction(system.reward(state[0], action))
            laws.append([(r + gamma * value[t], p) for t, p in _successors(system, state, action)])
        levels = sorted({x for law in laws for x, _ in law})
        below = [math.prod((sum((p for x, p in law if x <= level), Fraction(0)) for law in laws), start=Fraction(1)) for level in levels]
        mean = sum((level * (here - before) for level, here, before in zip(levels, below, [Fraction(0), *below[:-1]], strict=True)), Fraction(0))
        largest = max(sum((x * p for x, p in law), Fraction(0)) for law in laws)
        difference = abs(mean - largest) + shift
        if difference > worst:
            worst, where = difference, f"state {state}"
    return Sides(Interval.exactly(worst), Interval.exactly(0), None, {"worst": where})


def _bundled(given: Sequence[Model] | None) -> list[Model]:
    return list(given) if given is not None else [models.coordination(), models.absorbing(), models.random_coupled(4), models.random_coupled(16)]


def _b4_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    most = 2 if profile is Profile.QUICK else 3
    return [Instance(x, None, k, (("samples", m), ("seed", 0))) for x in _bundled(given) for k in (1, 2) for m in range(1, most + 1) if _small(x)]


def _b4b_instances(_: Profile, given: Sequence[Model] | None) -> list[Instance]:
    return [Instance(x, None, k, (("samples", 1), ("seed", seed))) for x in _bundled(given) for k in (1, 2) for seed in (0, 1) if _small(x)]


def _small(model: Model) -> bool:
    g, b, s, a = model.sizes
    return g * b * s * a <= 40


@lru_cache(maxsize=2048)
def measured_noise(model: Model, k: int, m: int, seed: int) -> Interval:
    """``eps_{k,m}`` for the samples of one seed, certified."""
    return bellman_noise(learn(model, k, samples=m, seed=seed))


def _mean_noise(model: Model, k: int, m: int, seeds: int) -> Interval:
    total = Interval.exactly(0)
    for seed in range(seeds):
        total = total + measured_noise(model, k, m, seed)
    return total / seeds


def _noise_decays(instance: Instance, first: int = 0, last: int = 2) -> Outcome:
    """Mean noise at 256 m against half the mean noise at m (1/sqrt(m) would give a sixteenth); first, last index the grid."""
    model, k = instance.model, instance.subsample
    assert model is not None and k is not None
    base, seeds = int(instance["samples"]), int(instance["seeds"])
    grid = [base, 16 * base, 256 * base]
    means = [_mean_noise(model, k, m, seeds) for m in grid]
    logs = [(math.log(m), math.log(float(measured_noise(model, k, m, s).midpoint))) for m in grid for s in range(seeds) if measured_noise(model, k, m, s).midpoint > 0]
    details: dict[str, object] = {}
    if len(logs) > len(grid):
        x, y = np.array(logs).T
        (slope, intercept), residual = np.polyfit(x, y, 1), 0.0
        residual = float(np.sum((y - slope * x - intercept) ** 2)) / (len(x) - 2)
        error = math.sqrt(residual / float(np.sum((x - x.mean()) ** 2)))
        details["fitted exponent of m"] = f"{slope:.3f} +- {2 * error:.3f} (two standard errors, {len(x)} fixed points)"
    details["curve"] = {
        "title": f"mean eps over {seeds} seeds",
        "x_label": "samples m",
        "y_label": "eps",
        "scale": "log",
        "x": grid,
        "series": [
            {"label": "mean eps", "lower": [float(e.lower) for e in means], "upper": [float(e.upper) for e in means]},
            {"label": "1/sqrt(m) from the first", "lower": [float(means[0].midpoint) / math.sqrt(m / base) for m in grid], "upper": [float(means[0].midpoint) / math.sqrt(m / base) for m in grid]},
        ],
    }
    if means[0].upper == 0 or means[0].lower <= 0:
        return NotApplicable("the noise at the smallest m is not certainly positive (deterministic kernels have none)", details)
    return Sides(means[last], means[first] * Fraction(1, 2), None, details)


def _b6_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    seeds = 6 if profile is Profile.QUICK else 30
    return [Instance(x, None, k, (("samples", 4), ("seeds", seeds))) for x in _noisy(given) for k in (1, 2)]


def _noisy(given: Sequence[Model] | None) -> list[Model]:
    return list(given) if given is not None else [models.absorbing(), models.splitting(), models.random_coupled(4), models.random_coupled(16), models.coordination()]


def _iteration_error(instance: Instance, divisor: int = 1) -> Outcome:
    """``||Q^T_k - Q*_k||_inf`` after T exact iterations from 0, T from the lemma (divided by ``divisor``, rounded down, as sabotage)."""
    model, k = instance.model, instance.subsample
    assert model is not None and k is not None
    values = symbol_values(model, k, k)
    try:
        iterations = math.ceil(noise.ITERATIONS.enclose(values).upper)
    except UndefinedError as error:
        return NotApplicable(str(error))
    iterations = max(0, iterations) // divisor
    system = rational_system(model, k)
    optimum = system.optimum
    value = dict.fromkeys(system.states, flint.fmpq(0))
    table = {(state, action): flint.fmpq(0) for state in system.states for action in _actions(system, state)}
    for _ in range(iterations):
        table = {(state, action): system.action_value(state, action, value) for state, action in table}
        value = {state: max(table[state, action] for action in _actions(system, state)) for state in system.states}
    worst = max(abs(fraction(system.action_value(state, action, optimum) - q)) for (state, action), q in table.items())
    return Sides(Interval.exactly(worst), noise.ITERATION_TARGET.enclose(values), Interval.exactly(model.rt / (1 - model.discount)), {"iterations T": iterations})


def _b7_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    sizes = (1, 2) if profile is Profile.QUICK else (1, 2, 3, 4)
    return [Instance(x, None, k) for x in _bundled(given) for k in sizes if _small(x)]


def _sufficient_samples(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """The smallest power of two m at which eps <= 1/sqrt(k) is certified for all seeds, against m* of Lemma 4.3."""
    model, k = instance.model, instance.subsample
    assert model is not None and k is not None
    seeds = int(instance["seeds"])
    values = symbol_values(model, k, k)
    target = noise.ITERATION_TARGET.enclose(values)
    m = 1
    while not all((measured_noise(model, k, m, seed) <= target) is True for seed in range(seeds)):
        m *= 2
        if m > 2**14:
            return NotApplicable(f"no m up to 2^14 reaches eps <= 1/sqrt(k) for all {seeds} seeds")
    try:
        lemma = noise.SAMPLES.enclose(values)
    except UndefinedError as error:
        return NotApplicable(str(error))
    orders = math.log10(float(lemma.lower)) - math.log10(m)
    # One-sided 95 % bound for the probability of success when all of the seeds succeed (Clopper and Pearson).
    confidence = 0.05 ** (1 / seeds)
    details = {
        "orders of magnitude between m* and the m that suffices": f"{orders:.2f}",
        "confidence": f"{seeds} of {seeds} seeds succeed: the success probability is above {confidence:.3f} at 95 % confidence",
    }
    return Sides(Interval.exactly(m), lemma * scale, None, details)


def _n1_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    sizes, seeds = ((1, 2, 3), 10) if profile is Profile.QUICK else ((1, 2, 3, 4), 60)
    return [Instance(x, None, k, (("seeds", seeds),)) for x in _noisy(given) for k in sizes if _small(x)]


def _theorem_4_4(bound: Bound, instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    return gap_sides(bound, instance, "independent", scale)


def _t2_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:
        return [Instance(x, n, k) for x in given for n, ks in ((4, (1, 2, 4)), (8, (1, 4, 8))) for k in ks]
    plan: list[tuple[Model, int, tuple[int, ...]]] = [
        (models.coordination(), 100, (25, 51, 75, 99)),
        (models.coordination(), 200, (101, 151, 199)),
        (models.coordination(), 400, (399,)),
        (models.absorbing(), 12, (1, 4, 8, 12)),
        *((models.random_coupled(seed), 40, (1, 10, 40)) for seed in (4, 5, 16)),
    ]
    if profile is Profile.FULL:
        plan += [(models.coordination(), 800, (401, 601, 799)), *((models.random_coupled(seed, discount="1/2"), 40, (1, 10, 39)) for seed in range(6))]
    return [Instance(x, n, k) for x, n, ks in plan for k in ks]


def _t2_controls() -> list[Instance]:
    return [Instance(models.coordination(), 100, k) for k in (51, 75)]


_FINITE = ("Assumption 2.1 (finite sets)", "Assumption 2.2 (bounded rewards)")

B4 = Claim(
    id="B4",
    title="The empirical operator is unbiased",
    statement=r"$\mathbb E\big[(\hat{\mathcal T}_{k,m} Q)(s, a)\big] = (\mathcal T_k Q)(s, a)$ for a fixed $Q$.",
    source="Section 4",
    reading="per (state, joint action), before the maximum of the next step; every tuple of m samples is enumerated, exact; seeded rational values",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_unbiased,
    instances=_b4_instances,
    control=Control("the mean divides by m + 1", partial(_unbiased, divisor=1), lambda: _b4_instances(Profile.QUICK, None)),
    left_means="largest |E T_{k,m} Q - T_k Q|",
    right_means="0",
)

B4B = Claim(
    id="B4b",
    title="The empirical operator is unbiased after the maximum",
    statement=r"$\mathbb E\big[\max_a (\hat{\mathcal T}_{k,m} Q)(s, a)\big] = \max_a (\mathcal T_k Q)(s, a)$",
    source="Section 4, stronger reading",
    reading="the greedy value of one empirical sweep (m = 1), which is what the next sweep uses; exact law of the maximum",
    assumptions=_FINITE,
    registered=Status.REFUTED,
    sides=_unbiased_maximum,
    instances=_b4b_instances,
    control=Control("a millionth is added to the difference", partial(_unbiased_maximum, shift=Fraction(1, 10**6)), lambda: _b4b_instances(Profile.QUICK, None)),
    rests_on=("B4",),
    left_means="largest |E max - max|",
    right_means="0",
)

B6 = Claim(
    id="B6",
    title="The Bellman noise vanishes as m grows",
    statement=r"$\epsilon_{k,m} = \|\hat Q^{est}_{k,m} - \hat Q^*_k\|_\infty \to 0$ as $m \to \infty$.",
    source="Section 4",
    reading="in a form that can fail: the mean certified noise over fixed seeds at 256 m is at most half of that at m (the rate 1/sqrt(m) would give a sixteenth); "
    "the fitted exponent stands in the notes of each instance",
    assumptions=(*_FINITE, "stochastic kernels"),
    registered=Status.CORROBORATED,
    sides=_noise_decays,
    instances=_b6_instances,
    control=Control("the two sample sizes are swapped", partial(_noise_decays, first=2, last=0), lambda: _b6_instances(Profile.QUICK, None)),
    rests_on=("B3", "B4"),
    left_means="mean eps at 256 m",
    right_means="half the mean eps at m",
)

B7 = Claim(
    id="B7",
    title="The stated number of iterations suffices",
    statement=r"After $T = \lceil " + noise.ITERATIONS.latex + r" \rceil$ iterations from 0: $\|Q^T_k - Q^*_k\|_\infty \le " + noise.ITERATION_TARGET.latex + "$",
    source="Lemma 4.3, Theorem 4.4",
    reading="explicit form with constant one, exact operator, exact iterates",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_iteration_error,
    instances=_b7_instances,
    control=Control("a quarter of the iterations, rounded down", partial(_iteration_error, divisor=4), lambda: _b7_instances(Profile.QUICK, None)),
    rests_on=("B3", "B5"),
    left_means="iteration error after T",
    right_means="1/sqrt(k)",
)

N1 = Claim(
    id="N1",
    title="The stated number of samples suffices",
    statement=r"With $m^* = " + noise.SAMPLES.latex + r"$: $\epsilon_{k,m^*} \le 1/\sqrt k$ up to logarithms.",
    source="Lemma 4.3",
    reading="m* itself is out of reach; checked is that the smallest power of two which certifiably suffices for all seeds drawn is at most m*; "
    "the notes say by how many orders of magnitude m* is larger",
    assumptions=_FINITE,
    registered=Status.CORROBORATED,
    sides=_sufficient_samples,
    instances=_n1_instances,
    control=Control("m* is divided by 10^9", partial(_sufficient_samples, scale=Fraction(1, 10**9)), lambda: _n1_instances(Profile.QUICK, None)),
    rests_on=("B3", "B4", "B7"),
    left_means="m that suffices for the seeds drawn",
    right_means="m*",
)

_GAP = (*_FINITE, "rewards additive over agents (eq. 2)", "independent draws (Algorithm 2)")

T2 = Claim(
    id="T2",
    title="Theorem 4.4: the gap with learning",
    statement=r"$V^*(s_0) - V^{\pi_k}(s_0) \le " + optimality.THEOREM_4_4.latex + r"$ with probability at least $1 - \frac{1}{100 e^k}$.",
    source="Theorem 4.4",
    reading="with the exact operator (eps = 0, better than any m), so that the event is sure; the logarithm under the root",
    assumptions=_GAP,
    registered=Status.REFUTED,
    sides=partial(_theorem_4_4, optimality.THEOREM_4_4),
    instances=_t2_instances,
    control=Control("the bound is halved", partial(_theorem_4_4, optimality.THEOREM_4_4, scale=Fraction(1, 2)), _t2_controls),
    rests_on=("T1", "N1", "B7"),
    left_means="largest gap over start states",
    right_means="bound of Theorem 4.4",
)

T2B = Claim(
    id="T2b",
    title="Theorem 4.4, weaker reading",
    statement=r"$V^*(s_0) - V^{\pi_k}(s_0) \le " + optimality.THEOREM_4_4_WEAKER.latex + r"$ with probability at least $1 - \frac{1}{100 e^k}$.",
    source="Theorem 4.4, weaker reading",
    reading="with the exact operator, so that the event is sure; the logarithm outside the root: a larger right side",
    assumptions=_GAP,
    registered=Status.REFUTED,
    sides=partial(_theorem_4_4, optimality.THEOREM_4_4_WEAKER),
    instances=_t2_instances,
    control=Control("the bound is divided by eight", partial(_theorem_4_4, optimality.THEOREM_4_4_WEAKER, scale=Fraction(1, 8)), _t2_controls),
    rests_on=("T1b", "N1", "B7"),
    left_means="largest gap over start states",
    right_means="bound, weaker reading",
)

CLAIMS = (B4, B4B, B6, B7, N1, T2, T2B)
