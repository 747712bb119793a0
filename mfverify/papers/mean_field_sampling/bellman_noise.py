"""Section 4: the Bellman noise ``eps_{k,m} = ||Q^est_{k,m} - Q*_k||_inf`` falls like ``1/sqrt(m)``. Claim B6; proof: docs/mathematics/operators.md.

*The sides of B6.* No seed plays a part in them: sample sets of different pairs are independent, so the law of the largest entry has the
product of the distribution functions, and its mean is an exact rational. A run of the learner on seeds is shown as a figure. It is an
experiment: chance can make any such curve rise, so no verdict depends on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import Any, Final

import numpy as np
import sympy as sp

from mfverify import models
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError
from mfverify.exact.rational import fraction
from mfverify.model import Model
from mfverify.papers.curves import curve, line
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.laws_of_estimates import (
    Estimate,
    joint_actions,
    law_of_mean,
    mean_of,
    mean_of_maximum,
    optimum_of,
    pairs_of_counts,
)
from mfverify.papers.mean_field_sampling.symbols import TABLE, A_g, S_g, Z, gamma, k, m, span, symbol_values
from mfverify.papers.quantities import rational_system
from mfverify.rationals import estimate
from mfverify.subsample_mfq.learning import noise_of_samples
from mfverify.theory.bound import Bound
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.formula import plus, root, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement

MEAN_NOISE: Final = Bound(
    "B6",
    times(gamma, span, root(plus(sp.log(2 * S_g * A_g), times(k, sp.log(Z))) / (2 * m))) / (1 - gamma),
    "sub-Gaussian maximal inequality over |S_g||A_g||Z_l|^k labelled pairs (ours)",
    "bounds the mean of eps_{k,m} for every m",
    TABLE,
)


def deterministic(model: Model) -> bool:
    """Whether every next state is certain, so that any sample tells all."""
    return all(p in (0, 1) for kernel in (model.global_kernel, model.local_kernel) for p in kernel.ravel())


def noise_of(model: Model, k: int, samples: int, seeds: Sequence[int]) -> list[Interval]:
    """``eps_{k,m}`` enclosed, once for each seed; the generator's seed is ``10^6 m + i`` so that different m share no draws."""
    return [noise_of_samples(model, k, samples, 10**6 * samples + i) for i in seeds]


def _mean(intervals: Sequence[Interval]) -> Interval:
    return sum(intervals[1:], intervals[0]) * Fraction(1, len(intervals))


def fitted_exponent(grid: Sequence[int], noise: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Slope of log mean noise on log m by least squares, and its standard error from the spread over seeds (delta method).

    For the reader, not for a verdict. Every mean has to be positive and every row needs at least two seeds.
    """
    x = np.log(np.array(grid, dtype=np.float64))
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    means = np.array([np.mean(row) for row in noise])
    variances = np.array([np.var(np.array(row) / mean, ddof=1) / len(row) for row, mean in zip(noise, means, strict=True)])
    return float(weights @ np.log(means)), float(np.sqrt((weights**2) @ variances))


_MOST_TERMS: Final = 4 * 10**6
"""Steps of the exact law of the largest entry, each a product of rationals."""


def mean_largest_entry(model: Model, k: int, samples: int) -> Fraction:
    """``E max |(P^ - P) V*_k|`` over all (state, joint action) pairs for m samples each, exactly.

    Raises :class:`TooLargeError` where the laws have too many values for exact arithmetic.
    """
    system, value = rational_system(model, k), optimum_of(model, k)
    laws: list[dict[Fraction, Fraction]] = []
    for state in system.states:
        for b, d in joint_actions(model, k, state):
            law: dict[Fraction, Fraction] = {}
            for h, p in enumerate(model.global_kernel[state[0], b]):
                for c, q in system.law(state[0], d).items() if p else ():
                    law[value[h, c]] = law.get(value[h, c], Fraction(0)) + p * fraction(q)
            laws.append(law)
    values = [comb(samples + len(law) - 1, samples) for law in laws]
    if sum(values) * len(laws) > _MOST_TERMS:
        raise TooLargeError(
            f"{samples} samples for each of {len(laws)} pairs have {sum(values):.3g} values, too many for exact arithmetic; lower k or the samples"
        )
    entries: dict[tuple[tuple[Fraction, Fraction], ...], dict[Fraction, Fraction]] = {}
    for law in laws:
        key = tuple(sorted(law.items()))
        if key in entries:
            continue
        mean = mean_of(law)
        deviations: dict[Fraction, Fraction] = {}
        for x, p in law_of_mean(law, samples).items():
            deviations[abs(x - mean)] = deviations.get(abs(x - mean), Fraction(0)) + p
        entries[key] = deviations
    return mean_of_maximum([entries[tuple(sorted(law.items()))] for law in laws])


@dataclass(frozen=True)
class Noisy(Estimate):
    """k agents and m samples; for the figure, the last m and the number of seeds."""

    to: int | None = None
    seeds: int | None = None


def _mean_noise(case: Noisy) -> Outcome:
    """An upper end of ``E eps_{k,m}``, exact, against the bound that falls like ``1/sqrt(m)``; with seeds, the figure too."""
    model, k, samples = case.model, case.subsample, case.samples
    if deterministic(model):
        return NotApplicable("every next state is certain, so one sample tells all and there is no Bellman noise")
    try:
        value = optimum_of(model, k)
        discounted = model.discount / (1 - model.discount)
        left = discounted * mean_largest_entry(model, k, samples)
        span = max(value.values()) - min(value.values())
        bound = MEAN_NOISE.enclose({**symbol_values(model, k, k), symbols.m: samples, symbols.span: span})
        details = {} if case.to is None or case.seeds is None else noise_on_seeds(model, k, case.to, case.seeds, span)
    except TooLargeError as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(left), bound, Interval.exactly(discounted * span), details)


def noise_on_seeds(model: Model, k: int, last: int, seeds: int, span: Fraction) -> dict[str, Any]:
    """The experiment beside B6, for the reader: the noise of seeded samples against m = 4, 16, .., ``last``, and the bound of its mean."""
    grid = [4]
    while grid[-1] < last:
        grid.append(4 * grid[-1])
    noise = [noise_of(model, k, m, range(seeds)) for m in grid]
    means = [_mean(row) for row in noise]
    bound = [MEAN_NOISE.enclose({**symbol_values(model, k, k), symbols.m: m, symbols.span: span}) for m in grid]
    details: dict[str, Any] = {"the figure": f"an experiment on {seeds} seeds; no verdict depends on it"}
    if seeds > 1 and all(mean.lower > 0 for mean in means):
        # The exponent does not depend on the scale, which may lie beyond double precision.
        slope, spread = fitted_exponent(grid, [[float(x.midpoint / means[0].midpoint) for x in row] for row in noise])
        details["fitted exponent of m"] = f"{slope:.3f} with standard error {spread:.3f} (the order 1/sqrt(m) is -0.5)"
    ordered = [sorted(row, key=lambda x: x.midpoint) for row in noise]
    details["noise over the seeds at the last m"] = ", ".join(
        f"{word} {estimate(ordered[-1][i].midpoint, 3)}"
        for word, i in (("smallest", 0), ("median", len(ordered[-1]) // 2), ("largest", -1))
    )
    series = [
        line(f"mean over {seeds} seeds", means),
        line("smallest over the seeds", [row[0] for row in ordered]),
        line("largest over the seeds", [row[-1] for row in ordered]),
        line("bound of the mean over all samples", bound),
    ]
    return details | {"curve": curve(f"Bellman noise, k = {k}", "samples m per pair", "eps_{k,m}", grid, series)}


def _b6_instances(profile: Profile, given: Sequence[Model] | None) -> list[Noisy]:
    """Each m of a ladder in exact arithmetic; the figure goes with m = 4."""
    if given is not None:
        plan = [
            (m, k, samples)
            for m in given
            for k, ladder in ((1, (1, 4, 16)), (2, (1, 4)))
            if pairs_of_counts(m, k) <= 100
            for samples in ladder
        ]
        return [_noisy(m, k, samples, 256, 8 if samples == 4 and quick_on_seeds(m) else 0) for m, k, samples in plan]
    last, seeds = (1024, 8) if profile is Profile.QUICK else (4096, 16)
    chosen = [models.random_coupled(4), models.random_coupled(16), models.absorbing(), models.splitting(), models.coordination()]
    ladders = {1: (1, 2, 4, 8, 16), 2: (1, 2, 4)} if profile is Profile.QUICK else {1: (1, 2, 4, 8, 16, 32), 2: (1, 2, 4, 8), 4: (4,)}
    return [
        _noisy(m, k, samples, last, seeds if samples == 4 else 0)
        for m in chosen
        for k, ladder in ladders.items()
        if pairs_of_counts(m, k) <= 300
        for samples in ladder
    ]


def quick_on_seeds(model: Model) -> bool:
    """Whether experiments with the empirical operator are quick: its fixed point takes about 20/(1 - gamma) sweeps for every seed."""
    return model.discount <= Fraction(99, 100)


def _noisy(model: Model, k: int, samples: int, last: int, seeds: int) -> Noisy:
    return Noisy(model, k, samples, last, seeds) if seeds else Noisy(model, k, samples)


def _control_ladder(model: Model) -> list[Noisy]:
    return [_noisy(model, 1, samples, 0, 0) for samples in (1, 4, 16)]


def _samples_for(k: int) -> int:
    return 4 if k == 1 else 2


def _few_samples(model: Model, n: int, k: int) -> Noisy:
    """So few samples that exact laws are quick."""
    del n
    return Noisy(model, k, _samples_for(k))


def _law_cost(model: Model, n: int, k: int) -> float:
    """Of the exact law of the largest sampling error: values of the laws of all pairs, once for each pair."""
    del n
    global_states, global_actions, local_states, local_actions = model.sizes
    pairs = global_states * global_actions * comb(k + local_states * local_actions - 1, k)
    states, samples = global_states * comb(k + local_states - 1, k), _samples_for(k)
    return max(rational_cost(model, k, k), pairs**2 * comb(samples + states - 1, samples) / 2e5)


B6 = Claim(
    id="B6",
    title="Bellman noise vanishes",
    statement=r"For every $m$: $\mathbb E\, \|\hat Q^{est}_{k,m} - \hat Q^*_k\|_\infty \le "
    + MEAN_NOISE.latex
    + r"$, hence $\|\hat Q^{est}_{k,m} - \hat Q^*_k\|_\infty \to 0$ as $m \to \infty$.",
    source="Section 4",
    reading=r"the limit as a statement about every finite m; $\mathrm{span}$ is that of $V^*_k$. The left side is gamma/(1-gamma) times the mean of the largest "
    "sampling error of V*_k over all (state, joint action) pairs: it is at least the mean noise (step 1 of its proof), and an exact "
    "rational over all samples, so that no seed plays a part. The figure shows seeded samples: an experiment, on which no verdict depends",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    sides=_mean_noise,
    instances=_b6_instances,
    control=Control(
        "the bound is divided by four", instances=lambda: _control_ladder(models.random_coupled(4)), right=by_factor(Fraction(1, 4))
    ),
    rests_on=("B3", "B4"),
    left_means="upper end of the mean of eps",
    right_means="bound of the mean",
    grounds=proof("docs/mathematics/operators.md", "B6", uses=("B3", "B4")),
    searched=Arrangement(_few_samples, _law_cost, (1, 2, 3)),
)
