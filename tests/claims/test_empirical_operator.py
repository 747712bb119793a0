"""The claims about learning from samples against brute force: every sample set listed, every iterate in Fractions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product
from math import comb, exp, log
from typing import Any

import mpmath
import numpy as np
import pytest

from mfverify import models
from mfverify.bellman.sampled import SampledOperator
from mfverify.enclosure import Interval
from mfverify.exact.labelled_rational import LabelledRationalSystem
from mfverify.exact.rational import RationalSystem, fraction
from mfverify.papers.mean_field_sampling.bellman_noise import B6, Noisy, fitted_exponent, noise_of
from mfverify.papers.mean_field_sampling.empirical_operator_bias import B4, B4B
from mfverify.papers.mean_field_sampling.failure_probability import Paid, enough_samples, failure_probability, lottery, lottery_noise
from mfverify.papers.mean_field_sampling.laws_of_estimates import Estimate, estimate_law, mean_of, mean_of_maximum
from mfverify.papers.mean_field_sampling.lemma_4_3 import N1, N1B, N1C, OnSeeds, tried_samples
from mfverify.papers.mean_field_sampling.number_of_iterations import B7, asked_iterations, iteration_errors
from mfverify.papers.mean_field_sampling.theorem_4_4 import T2
from mfverify.papers.quantities import scaled
from mfverify.theory.cases.of_model import Learned, OfSample, Subsampled
from mfverify.theory.claim import NotApplicable, Profile, Sides, Unresolved, Verdict, finding, judge
from tests import oracles
from tests.agreement.checks import instance_of, model_of

QUARTER = Fraction(1, 4)


def sides_of(outcome: Any) -> Sides:
    assert isinstance(outcome, Sides), outcome
    return outcome


# ------------------------------------------------------------------------------------------------------------------ B4, B4b


def listed_estimates(
    instance: oracles.Instance, k: int, m: int, state: oracles.State, action: oracles.Action, value: dict[oracles.State, Fraction]
) -> dict[Fraction, Fraction]:
    """The law of Qhat(state, action): all sample sets of m labelled next states, one by one."""
    reward, law = oracles.LabelledSystem(instance, k).row(state, action)
    size = instance.sizes[2]
    out: Counter[Fraction] = Counter()
    for drawn in product(law.items(), repeat=m):
        probability, total = Fraction(1), Fraction(0)
        for (h, t), p in drawn:
            probability *= p
            total += value[h, oracles.counts_of(t, size)]
        out[reward + instance.discount * total / m] += probability
    assert sum(out.values()) == 1
    return dict(out)


@pytest.mark.parametrize(("k", "m"), [(1, 1), (1, 3), (2, 1), (2, 2)])
@pytest.mark.parametrize("seed", [0, 1])
def test_estimates_match_all_sample_sets_and_are_unbiased(k: int, m: int, seed: int) -> None:
    instance = oracles.random_instance(seed, 2, 2, 2, 2)
    model = model_of(instance)
    labelled = oracles.LabelledSystem(instance, k)
    value = labelled.by_counts(labelled.optimum)
    mixed = 0
    for (g, s), moves in labelled.decisions.items():
        laws = []
        for (b, a), (reward, law) in moves.items():
            pairs = Counter(zip(s, a, strict=True))
            d = tuple(pairs[x, y] for x in range(2) for y in range(2))
            found = estimate_law(model, LabelledRationalSystem(model, k), (g, oracles.counts_of(s, 2)), (b, d), value, m)
            expected = listed_estimates(instance, k, m, (g, s), (b, a), value)
            assert found == expected
            assert mean_of(found) == reward + instance.discount * sum(p * value[h, oracles.counts_of(t, 2)] for (h, t), p in law.items())
            laws.append(expected)
            mixed += len(expected) > 1
        if k == 1:
            brute = sum(
                (p * q * r * u * max(w, x, y, z) for (w, p), (x, q), (y, r), (z, u) in product(*(law.items() for law in laws))), Fraction(0)
            )
            assert mean_of_maximum(laws) == brute
    assert mixed > 0


def test_the_bias_after_the_maximum_on_the_absorbing_lottery() -> None:
    """One agent, one sample, from i: V is 2 where the sign is met and 1 where it is not, each with probability 1/2; two global actions."""
    sides = sides_of(B4B.sides(Estimate(models.absorbing(), 1, 1)))
    expected = Fraction(1, 2) * (Fraction(3, 4) * 2 + QUARTER * 1) - Fraction(1, 2) * Fraction(3, 2)
    assert sides.left.lower == sides.left.upper == expected == Fraction(1, 8)
    assert sides.right == 0


def test_without_chance_there_is_no_bias() -> None:
    for claim in (B4, B4B):
        assert finding(claim, Estimate(models.coordination(), 2, 2)).verdict is Verdict.HOLDS


@pytest.mark.parametrize("k", [1, 2])
def test_the_operator_draws_from_the_law_whose_mean_is_claimed(k: int) -> None:
    """Hoeffding: with m draws a frequency is off by more than sqrt(ln(2 cells / 1e-9) / (2 m)) with probability at most 1e-9 in all."""
    model = models.random_coupled(4)
    m = 20_000
    operator = SampledOperator(model, k, m, np.random.default_rng(3))
    system = RationalSystem(model, k)
    pairs = [(state, action) for state, actions in zip(operator.states, operator.actions, strict=True) for action in actions]
    cells = len(pairs) * len(operator.states)
    slack = (log(2 * cells / 1e-9) / (2 * m)) ** 0.5
    assert slack < 0.03
    for row, ((g, _), (b, d)) in zip(operator.successors, pairs, strict=True):
        law = system.law(g, d)
        times = np.bincount(row, minlength=len(operator.states))
        for i, (h, c) in enumerate(operator.states):
            exact = float(model.global_kernel[g, b, h]) * (float(law[c].p) / float(law[c].q) if c in law else 0.0)
            assert abs(times[i] / m - exact) <= slack


# ----------------------------------------------------------------------------------------------------------------------- B6


@pytest.mark.parametrize(("reward", "k", "m"), [(1, 1, 5), (3, 1, 40), (10, 2, 7), (4, 3, 100)])
def test_noise_on_the_lottery_has_a_closed_form(reward: int, k: int, m: int) -> None:
    model = lottery(reward)
    seen = set()
    for i, found in enumerate(noise_of(model, k, m, range(6))):
        operator = SampledOperator(model, k, m, np.random.default_rng(10**6 * m + i))
        assert operator.states[0][0] == 0
        hits = int((operator.successors[0] == operator.states.index((1, (k,)))).sum())
        assert found.contains(lottery_noise(Fraction(reward), hits, m))
        assert found.width <= Fraction(1, 10**7)
        seen.add(hits)
    assert len(seen) > 1


@pytest.mark.parametrize(("k", "m"), [(1, 2), (2, 3)])
def test_noise_against_exact_fixed_points(k: int, m: int) -> None:
    instance = oracles.random_instance(41, 2, 2, 2, 2)
    model = model_of(instance)
    system = RationalSystem(model, k)
    optimum = {state: fraction(v) for state, v in system.optimum.items()}
    for i, found in enumerate(noise_of(model, k, m, range(3))):
        operator = SampledOperator(model, k, m, np.random.default_rng(10**6 * m + i))
        decisions: dict[int, dict[int, oracles.Row[int]]] = {}
        for j in range(len(operator.states)):
            pairs = operator.pairs_of(j)
            decisions[j] = {
                p: (operator.rewards[p], {int(t): Fraction(x, m) for t, x in Counter(operator.successors[p].tolist()).items()})
                for p in range(pairs.start, pairs.stop)
            }
        estimate, _ = oracles.solve_decisions(decisions, instance.discount)
        largest = Fraction(0)
        for j, ((g, _), actions) in enumerate(zip(operator.states, operator.actions, strict=True)):
            values = oracles.action_values(decisions[j], instance.discount, estimate)
            for (b, d), q in zip(actions, values.values(), strict=True):
                pairs_of_action = [(z // 2, z % 2) for z, x in enumerate(d) for _ in range(x)]
                s, a = tuple(x for x, _ in pairs_of_action), tuple(y for _, y in pairs_of_action)
                reward, law = oracles.LabelledSystem(instance, k).row((g, s), (b, a))
                truth = reward + instance.discount * sum(p * optimum[h, oracles.counts_of(t, 2)] for (h, t), p in law.items())
                largest = max(largest, abs(q - truth))
        assert found.contains(largest)
        assert largest > 0


def test_fitted_exponent() -> None:
    grid = [4, 16, 64, 256]
    exact, spread = fitted_exponent(grid, [[3 / m**0.5] * 4 for m in grid])
    assert abs(exact + 0.5) < 1e-12
    assert spread < 1e-12
    rng = np.random.default_rng(0)
    slopes, errors = [], []
    for _ in range(400):
        slope, error = fitted_exponent(grid, [[float(x) / m**0.5 for x in rng.uniform(0.5, 1.5, 10)] for m in grid])
        slopes.append(slope)
        errors.append(error)
    assert 0.85 < np.mean(errors) / np.std(slopes) < 1.15  # both estimate one number; 400 runs know it to 4 per cent
    rows = [[1.0, 2.0], [0.5, 0.7], [0.3, 0.5], [0.1, 0.3]]
    slope, _ = fitted_exponent(grid, rows)
    assert abs(slope - np.polyfit(np.log(grid), np.log(np.mean(rows, axis=1)), 1)[0]) < 1e-12


def test_noise_is_not_applicable_without_chance() -> None:
    outcome = B6.sides(Noisy(models.coordination(), 2, 4, 64, 2))
    assert isinstance(outcome, NotApplicable)


# ----------------------------------------------------------------------------------------------------------------------- B7


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("seed", [0, 2])
def test_iteration_errors_against_fractions(k: int, seed: int) -> None:
    instance = oracles.random_instance(seed, 2, 2, 2, 2)
    system = oracles.LabelledSystem(instance, k)
    found = iteration_errors(model_of(instance), k, 7)
    assert len(found) == 7
    for t, interval in enumerate(found, start=1):
        before = oracles.iterate_values(system.decisions, instance.discount, t - 1)
        largest = Fraction(0)
        for moves in system.decisions.values():
            now = oracles.action_values(moves, instance.discount, before)
            limit = oracles.action_values(moves, instance.discount, system.optimum)
            largest = max(largest, *(abs(now[a] - limit[a]) for a in moves))
        assert interval.contains(largest)
        assert interval.width < Fraction(1, 10**7)
        assert largest > 0


@pytest.mark.parametrize(
    ("model", "k"),
    [
        (models.coordination(), 1),
        (models.coordination(), 100),
        (models.absorbing(), 4),
        (models.random_coupled(4), 16),
        (models.patrol(), 3),
    ],
)
def test_iterations_asked_for(model: Any, k: int) -> None:
    gamma, rt = float(model.discount), float(model.rt)
    with mpmath.workdps(40):
        exact = mpmath.mpf(2) / (1 - mpmath.mpf(model.discount.numerator) / model.discount.denominator)
        exact *= mpmath.log(
            mpmath.mpf(model.rt.numerator)
            / model.rt.denominator
            * mpmath.sqrt(k)
            / (1 - mpmath.mpf(model.discount.numerator) / model.discount.denominator)
        )
        assert asked_iterations(model, k) == int(mpmath.ceil(exact))
    # Half of them suffice by the contraction alone.
    assert gamma ** (asked_iterations(model, k) / 2) * rt / (1 - gamma) <= k**-0.5


def test_no_iterations_are_asked_for_where_the_rewards_are_small() -> None:
    sides = sides_of(B7.sides(OfSample(scaled(models.coordination(), Fraction(1, 1000)), 4)))
    # The best that a single state is worth is 1/(1 - gamma) times a thousandth; no action value exceeds rt/(1 - gamma).
    assert sides.left.lower <= Fraction(2, 1000) <= sides.left.upper <= Fraction(101, 50_000)
    assert sides.details["required iterations"] == 0
    assert judge(sides) is Verdict.VACUOUS


def test_without_rewards_the_number_of_iterations_is_not_defined() -> None:
    assert isinstance(B7.sides(OfSample(scaled(models.coordination(), 0), 2)), NotApplicable)


def test_too_many_iterations_are_refused() -> None:
    assert isinstance(B7.sides(OfSample(models.coordination(discount="9999/10000"), 2)), Unresolved)


# ----------------------------------------------------------------------------------------------------------------------- N1


def test_asked_samples_of_the_lottery() -> None:
    """Two global states, everything else single: m* = 2 * 2 * ln 2 / (1/2)^5 * ln 4 at k = 1."""
    sides = sides_of(N1C.sides(Paid(lottery(1), 1, Fraction(1))))
    with mpmath.workdps(30):
        assert sides.details["m"] == int(mpmath.ceil(4 * mpmath.log(2) * 32 * mpmath.log(4)))


@pytest.mark.parametrize("reward", [1, 4, 10])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_samples_that_provably_suffice_do(reward: int, k: int) -> None:
    """The probability of failure at Hoeffding's m, exact: a sum of binomial terms."""
    m = enough_samples(lottery(reward), k)
    failing = sum(comb(m, hits) for hits in range(m + 1) if abs(2 * Fraction(hits, m + hits) - Fraction(2, 3)) * reward * k**0.5 > 1)
    assert failing / 2**m <= exp(-k) / 100


def test_the_probability_at_the_asked_samples_is_the_sum_over_all_sample_sets() -> None:
    instance = Paid(lottery(100), 1, Fraction(100))
    sides = sides_of(N1C.sabotaged(instance))
    m = -(-sides.details["m"] // 100)
    assert m == 2, "a hundredth of the samples, rounded up"
    failing = Fraction(0)
    for drawn in product((0, 1), repeat=m):
        chance = Fraction(sum(drawn), m)
        # V(0) = gamma ((1 - p) V(0) + p V(1)), V(1) = 100 / (1 - gamma) = 200
        estimate = chance * 100 / (1 - (1 - chance) / 2)
        truth = Fraction(50) / (1 - QUARTER)
        failing += Fraction(abs(estimate - truth) > 1, 2**m)
    assert sides.left.lower == sides.left.upper == failing > 0


def test_the_search_finds_the_first_power_of_two_that_does_it_on_every_seed() -> None:
    model, k, seeds = models.random_coupled(4), 2, 5
    found = tried_samples(model, k, seeds)
    assert found is not None
    assert found > 1
    reached = {
        m: [float(x.upper) * k**0.5 <= 1 for x in noise_of(model, k, m, range(seeds))] for m in (2**i for i in range(12)) if m <= found
    }
    assert [m for m, good in reached.items() if all(good)] == [found]


def test_fresh_seeds_and_their_confidence_bound() -> None:
    sides = sides_of(N1.sides(OnSeeds(models.coordination(), 2, 4)))
    # No chance in the model: one sample does it, on all seeds; then the bound is 0.05 ** (1/4) = 0.473.
    assert sides.left == 0
    assert sides.details["experiment"].startswith("m = 1 suffices on 4 seeds")
    assert sides.details["fresh seeds"].startswith("4 of 4")
    assert "at least 0.473 " in sides.details["fresh seeds"]


@pytest.mark.parametrize("claim", [N1, N1B], ids=lambda c: c.id)
def test_degenerate_numbers_of_samples_are_not_applicable(claim: Any) -> None:
    nothing = next(x for x in N1B.instances(Profile.QUICK, None) if x.model is not None and x.model.sizes == (1, 1, 1, 1))
    small = models.random_coupled(0, 1, 1, 1, 2, "1/100")
    for model in (nothing.model, small):
        assert isinstance(claim.sides(OnSeeds(model, 1, 2)), NotApplicable)


# ----------------------------------------------------------------------------------------------------------------------- T2


@pytest.mark.parametrize("k", [1, 3])
def test_without_chance_one_sample_gives_the_gap_of_the_exact_operator(k: int) -> None:
    model = models.coordination()
    instance = instance_of(model)
    system = oracles.LabelledSystem(instance, 4)
    best, played = system.by_counts(system.optimum), oracles.execution_value(instance, 4, k, "independent")
    expected = max(best[state] - played[state] for state in best)
    exact = sides_of(T2.sides(Subsampled(model, 4, k)))
    sampled = sides_of(T2.sides(Learned(model, 4, k, 1, 0)))
    assert exact.left.contains(expected)
    assert sampled.left.contains(expected)
    assert (exact.right.lower, exact.right.upper) == (sampled.right.lower, sampled.right.upper)


def test_rewards_scale_the_gap_and_the_first_term_but_not_the_rest() -> None:
    plain = sides_of(T2.sides(Subsampled(models.coordination(), 20, 19)))
    large = sides_of(T2.sides(Subsampled(scaled(models.coordination(), 100), 20, 19)))
    assert abs(large.left.midpoint - 100 * plain.left.midpoint) <= large.left.width + 100 * plain.left.width
    rate = (20 - 19 + 1) / (2 * 20 * 19)
    for sides, rt in ((plain, 1.01), (large, 101.0)):
        expected = rt * 4 * (rate * log(40 * rt * 8 * 19**2.5 * 4)) ** 0.5 + 4 / 19**0.5
        assert abs(float(sides.right.midpoint) / expected - 1) < 1e-12


def test_a_noisy_learner_is_outside_the_theorem() -> None:
    outcome = T2.sides(Learned(models.random_coupled(4), 6, 4, 1, 0))
    assert isinstance(outcome, NotApplicable)


@pytest.mark.parametrize("reward", [Fraction(1, 3), Fraction(1), Fraction(7, 2), Fraction(10)])
@pytest.mark.parametrize("samples", [1, 2, 7, 50, 51])
def test_the_failure_probability_is_the_sum_over_all_hits_that_fail(reward: Fraction, samples: int) -> None:
    failing = sum(comb(samples, hits) for hits in range(samples + 1) if lottery_noise(reward, hits, samples) ** 2 * 2 > 1)
    assert failure_probability(2, reward, samples) == Interval.exactly(Fraction(failing, 2**samples))
