"""Lemma 4.3: the number m* of samples. Claims N1, N1b and N1c.

N1: the mean noise is at most ``1/sqrt(k)`` from a number of samples on that is at most m*. N1b: from ``m >= x = gamma^2 k span^2 / (2 (1-gamma)^2)
(ln(200 N) + k)`` on, ``eps <= 1/sqrt(k)`` with probability at least ``1 - 1/(100 e^k)``, and the least such m is at most m*. The span is computed
from an enclosure of ``V*_k`` and a little larger. Proofs: docs/mathematics/samples.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any, Final

import sympy as sp
from scipy.special import betaincinv

from mfverify import models
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError
from mfverify.model import Model
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.bellman_noise import deterministic, noise_of, quick_on_seeds
from mfverify.papers.mean_field_sampling.failure_probability import RARE, Paid, enough_samples, failure_probability, lottery
from mfverify.papers.mean_field_sampling.laws_of_estimates import pairs_of_counts
from mfverify.papers.mean_field_sampling.number_of_iterations import ITERATION_TARGET
from mfverify.papers.mean_field_sampling.symbols import TABLE, A_g, A_l, S_g, S_l, Z, gamma, k, span, symbol_values
from mfverify.papers.quantities import optimum, scaled
from mfverify.rationals import estimate
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import OfSample, sample_alone
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.evaluate import enclose
from mfverify.theory.formula import plus, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import table_cost
from mfverify.theory.search_space import Arrangement, Parameters
from mfverify.theory.witness import both_sides

SAMPLES: Final = Bound(
    "N1",
    times(
        2 * S_g * A_g * S_l * A_l * k ** (sp.Rational(7, 2) + S_l * A_l) / (1 - gamma) ** 5,
        sp.log(S_g * A_g * A_l * S_l),
        sp.log((1 - gamma) ** -2),
    ),
    "Lemma 4.3",
    "m*, the number of samples per (state, action) that the lemma asks for",
)

ENOUGH_ON_AVERAGE: Final = Bound(
    "N1 samples",
    times(gamma**2 * k * span**2 / (2 * (1 - gamma) ** 2), plus(sp.log(2 * S_g * A_g), times(k, sp.log(Z)))),
    "the bound of B6 solved for m (ours)",
    "from this number of samples on the mean of eps_{k,m} is at most 1/sqrt(k)",
    TABLE,
)

_LARGEST_TRIED: Final = 2**13
_POSITIVE: Final = sp.Symbol("x", positive=True)
_GROWTH: Final = symbols.k ** (sp.Rational(7, 2) + symbols.Z) / (1 - symbols.gamma) ** 5


def _log10(value: Interval | int) -> Interval:
    return enclose(sp.log(_POSITIVE) / sp.log(10), {_POSITIVE: value})


def _power(log: Interval) -> str:
    return f"10^{float(log.midpoint):.2f}"


def _asked_samples(model: Model, k: int) -> Interval | NotApplicable:
    """``m*``, or why it is not a number of samples."""
    asked = SAMPLES.enclose(symbol_values(model, k, k))
    if asked.upper == 0:
        return NotApplicable(
            "m* = 0: there is one global state, one global action, one local state and one local action, so its logarithm is 0"
        )
    if asked.lower < 1:
        return NotApplicable(f"m* = {estimate(asked.midpoint, 3)} is less than one sample")
    return asked


def _of_unit_rewards(model: Model) -> Model:
    """Rewards larger than one scaled to ``rt = 1``: m* does not depend on them, so Lemma 4.3 can only be about bounded ones (N1c)."""
    return model if model.rt <= 1 else scaled(model, 1 / model.rt)


def enough_on_average(model: Model, k: int) -> int:
    """A number of samples from which on ``E eps_{k,m} <= 1/sqrt(k)``: proved, see N1 in the head."""
    if deterministic(model):
        return 1
    best = optimum(model, k)
    span = Fraction(float(best.upper.max())) - Fraction(float(best.lower.min()))
    return max(1, ceil(ENOUGH_ON_AVERAGE.enclose({**symbol_values(model, k, k), symbols.span: span}).upper))


def tried_samples(model: Model, k: int, seeds: int) -> int | None:
    """The smallest power of two at which ``eps_{k,m} <= 1/sqrt(k)`` is certified for all seeds 0 .. seeds - 1; None up to the largest tried."""
    target = ITERATION_TARGET.enclose({symbols.k: k})
    m = 1
    while m <= _LARGEST_TRIED:
        if all((noise_of(model, k, m, [i])[0] <= target) is True for i in range(seeds)):
            return m
        m *= 2
    return None


@dataclass(frozen=True)
class OnSeeds(OfSample):
    """k agents; with ``seeds`` the experiment too."""

    seeds: int | None = None


def _samples_on_average(case: OnSeeds) -> Outcome:
    """log10 of the m from which on the mean noise is provably small against log10 m*; with seeds, what they show, for the reader."""
    given, k = case.model, case.subsample
    model = _of_unit_rewards(given)
    asked = _asked_samples(model, k)
    if isinstance(asked, NotApplicable):
        return asked
    try:
        enough = enough_on_average(model, k)
        seen = {} if case.seeds is None else samples_on_seeds(model, k, case.seeds)
    except TooLargeError as error:
        return Unresolved(str(error))
    left, full = _log10(enough), _log10(asked)
    details = {
        "m that suffices on average": enough,
        "m*": _power(full),
        "orders of magnitude between them": round(float((full - left).midpoint), 2),
        "m that suffices with high probability (N1b)": enough_samples(model, k),
    }
    return Sides(left, full, None, details | seen)


def samples_on_seeds(model: Model, k: int, seeds: int) -> dict[str, Any]:
    """The experiment beside N1: an m that suffices on all seeds, then fresh seeds, for a confidence bound that is independent of the search."""
    found = tried_samples(model, k, seeds)
    if found is None:
        return {"experiment": f"no power of two up to {_LARGEST_TRIED} samples is certified to suffice on {seeds} seeds"}
    target = ITERATION_TARGET.enclose({symbols.k: k})
    fresh = sum((x <= target) is True for x in noise_of(model, k, found, range(seeds, 2 * seeds)))
    likely = float(betaincinv(fresh, seeds - fresh + 1, 0.05)) if fresh else 0.0
    return {
        "experiment": f"m = {found} suffices on {seeds} seeds; no verdict depends on it",
        "fresh seeds": f"{fresh} of {seeds} have eps <= 1/sqrt(k): its probability is at least {likely:.3f} with confidence 95 % (Clopper-Pearson, one-sided)",
    }


def _provable_samples(case: OfSample) -> Outcome:
    """log10 of the number of samples that provably suffices against log10 m*."""
    given, k = case.model, case.subsample
    model = _of_unit_rewards(given)
    asked = _asked_samples(model, k)
    if isinstance(asked, NotApplicable):
        return asked
    enough = enough_samples(model, k)
    left, full = _log10(enough), _log10(asked)
    details = {
        "m that provably suffices": enough,
        "m*": _power(full),
        "orders of magnitude between them": round(float((full - left).midpoint), 2),
    }
    return Sides(left, full, None, details)


def _without_growth(right: Interval, case: OfSample) -> Interval:
    return right - _log10(enclose(_GROWTH, symbol_values(case.model, case.subsample, case.subsample)))


def _n1_instances(profile: Profile, given: Sequence[Model] | None) -> list[OnSeeds]:
    seeds = 20 if profile is Profile.QUICK else 40
    if given is not None:
        return [OnSeeds(m, k, seeds if quick_on_seeds(m) else None) for m in given for k in (1, 2, 4) if pairs_of_counts(m, k) <= 700]
    plan = [(models.absorbing(), (1, 2, 4)), (models.splitting(), (1, 2)), (models.coordination(), (4,)), (models.patrol(), (1,))]
    plan += [(models.random_coupled(4), (1, 2, 4, 8)), (models.random_coupled(16), (1, 2, 4))]
    if profile is Profile.FULL:
        plan += [
            (models.absorbing(), (8,)),
            (models.splitting(), (4,)),
            (models.patrol(), (2,)),
            (models.random_coupled(16), (8,)),
        ]
    return [OnSeeds(m, k, seeds) for m, ks in [*plan, (_nothing_to_choose(), (1, 2))] for k in ks]


def _n1_control_instances() -> list[OnSeeds]:
    return [OnSeeds(models.random_coupled(4), k) for k in (2, 4)]


def _n1b_instances(profile: Profile, given: Sequence[Model] | None) -> list[OfSample]:
    if given is not None:
        return [OfSample(m, k) for m in given for k in (1, 2, 4, 8) if pairs_of_counts(m, k) <= 20_000]
    plan = [
        (models.absorbing(), (1, 4, 16)),
        (models.splitting(), (1, 4)),
        (models.coordination(), (1, 10, 100)),
        (models.patrol(), (1, 2, 4)),
    ]
    plan += [(models.random_coupled(seed), (1, 4, 16)) for seed in (4, 5, 16)]
    plan += [(models.random_coupled(4, discount=gamma), (1, 4)) for gamma in ("1/10", "1/2", "99/100")]
    plan += [(_nothing_to_choose(), (1, 2)), (models.random_coupled(0, 1, 1, 1, 2, "1/100"), (1,))]
    if profile is Profile.FULL:
        plan += [
            (models.coordination(), (400,)),
            (models.patrol(), (8,)),
            *((models.random_coupled(seed), (32, 64)) for seed in (4, 5, 16)),
        ]
    return [OfSample(m, k) for m, ks in plan for k in ks]


def _nothing_to_choose() -> Model:
    return Model([[[1]]], [[[[1]]]], [[0]], [[[1]]], "1/2", "one state and one action of every kind")


def _failure_at_asked(case: Paid) -> Outcome:
    """The failure probability at ``ceil(m*)`` samples, on the lottery."""
    k = case.subsample
    asked = _asked_samples(case.model, k)
    if isinstance(asked, NotApplicable):
        return asked
    m = max(1, ceil(asked.upper))
    left = failure_probability(k, case.reward, m)
    return Sides(left, enclose(RARE, {symbols.k: k}), Interval.exactly(1), {"m": m, "m*": estimate(asked.midpoint)})


def _at_a_hundredth(left: Interval, case: Paid) -> Interval:
    asked = _asked_samples(case.model, case.subsample)
    return left if isinstance(asked, NotApplicable) else failure_probability(case.subsample, case.reward, max(1, ceil(asked.upper / 100)))


def _n1c_instances(profile: Profile, given: Sequence[Model] | None) -> list[Paid]:
    sizes = (
        ((1, 1), (1, 4), (1, 10), (1, 100), (2, 1), (2, 10), (2, 100), (3, 10))
        if profile is Profile.QUICK
        else ((k, r) for k in (1, 2, 3) for r in (1, 4, 10, 100, 1000))
    )
    if given is not None:  # the statement concerns one family of rewards, not a model of the user
        return []
    return [Paid(lottery(r), k, Fraction(r)) for k, r in sizes]


_SIZES: Final = (1, 2, 3, 4, 6, 8)


def _without_seeds(model: Model, n: int, k: int) -> OnSeeds:
    del n
    return OnSeeds(model, k)


def _paid(k: int, reward: int) -> Paid:
    return Paid(lottery(reward), k, Fraction(reward))


N1 = Claim(
    id="N1",
    title="Lemma 4.3: the samples that suffice on average",
    statement=r"With $m^* = " + SAMPLES.latex + r"$ samples: $\mathbb E\, \epsilon_{k,m^*} \le 1/\sqrt k$.",
    source="Lemma 4.3",
    reading="m* is out of reach of any run, so the smaller m from which on the mean noise is provably at most 1/sqrt(k) is compared with it, "
    "both sides as log10. Rewards larger than one are scaled to r~ = 1 first, see N1c. The details show which m does it on seeds, and fresh seeds with a "
    "confidence bound: an experiment, on which no verdict depends",
    assumptions=(*FINITE, "more than one state or action", "m* >= 1"),
    registered=Status.CORROBORATED,
    sides=_samples_on_average,
    instances=_n1_instances,
    control=Control("m* is replaced by 1", instances=_n1_control_instances, right=by_factor(0)),
    rests_on=("B4", "B6"),
    left_means="log10 of the m that provably suffices on average",
    right_means="log10 m*",
    grounds=proof("docs/mathematics/samples.md", "N1", uses=("B6", "N1b")),
    searched=Arrangement(_without_seeds, table_cost, _SIZES),
)

N1B = Claim(
    id="N1b",
    title="Lemma 4.3: the samples that provably suffice",
    statement=r"With $m^* = " + SAMPLES.latex + r"$ samples: $\Pr[\epsilon_{k,m^*} \le 1/\sqrt k] \ge 1 - \frac{1}{100 e^k}$.",
    source="Lemma 4.3, with the probability of Theorem 4.4",
    reading="from m = gamma^2 k span(V*_k)^2 / (2 (1-gamma)^2) (ln(200 N) + k) on, Hoeffding's inequality and a union bound over the N = |S_g||A_g||Z_l|^k labelled pairs "
    "prove it; the claim is that this m is at most m*, both sides as log10. Rewards larger than one are scaled to r~ = 1 first, see N1c",
    assumptions=(*FINITE, "more than one state or action", "m* >= 1"),
    registered=Status.CORROBORATED,
    sides=_provable_samples,
    instances=_n1b_instances,
    control=Control("the factor k^(3.5 + |S_l||A_l|) / (1-gamma)^5 of m* is dropped", right=_without_growth),
    rests_on=("B3", "B4"),
    left_means="log10 of the m that provably suffices",
    right_means="log10 m*",
    grounds=proof("docs/mathematics/samples.md", "N1b", uses=("B3", "B4")),
    searched=Arrangement(sample_alone, table_cost, _SIZES),
)

N1C = Claim(
    id="N1c",
    title="Lemma 4.3: at m* itself, for all rewards",
    statement=r"With $m^* = "
    + SAMPLES.latex
    + r"$ samples: $\Pr[\epsilon_{k,m^*} > 1/\sqrt k] \le \frac{1}{100 e^k}$, for every bound $\tilde r$ of the rewards.",
    source="Lemma 4.3, with the probability of Theorem 4.4",
    reading="the constant of the order 1/sqrt(k) is 1 and does not depend on the rewards; on the smallest random model m* is in reach and the probability is an exact rational. "
    "m* does not contain the rewards while the noise is proportional to them, so the statement can only hold with a factor for the rewards in its O~",
    assumptions=FINITE,
    registered=Status.REFUTED,
    sides=_failure_at_asked,
    instances=_n1c_instances,
    control=Control("a hundredth of m*", instances=lambda: [Paid(lottery(4), 1, Fraction(4))], left=_at_a_hundredth),
    left_means="probability that eps > 1/sqrt(k) at m*",
    right_means="1/(100 e^k)",
    failing_step="Hoeffding's inequality is applied to values of magnitude rt/(1-gamma), so the number of samples has to grow with the square of the rewards; m* does "
    "not contain them. With a factor for the rewards in the O~ nothing is wrong (N1r)",
    certificate=bind(both_sides, _failure_at_asked),
    searched=Parameters((range(1, 4), (1, 2, 3, 4, 6, 8, 10, 30, 100, 1000)), _paid),
)
