"""The repaired statements: what stands in for what, their sides against brute force, and a seeded attack on all of them."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from itertools import combinations, product

import pytest
import sympy as sp

from mfverify.model import Model
from mfverify.models import splitting
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.failure_probability import ENOUGH_SAMPLES
from mfverify.papers.ours import symbols as paper
from mfverify.papers.ours.all_agents_sampled import everybody_shares
from mfverify.papers.ours.independent_draws import INDEPENDENT_DRAWS, disagreement
from mfverify.papers.ours.one_global_choice import one_global_choice
from mfverify.papers.ours.shared_draw import SHARED_DRAW, SHARED_DRAW_UNIFORM
from mfverify.papers.ours.shared_draw_noise import SHARED_DRAW_NOISE
from mfverify.papers.ours.shared_draw_types import SHARED_DRAW_TYPES
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Sides, Status, Verdict, judge
from tests import oracles
from tests.agreement.checks import model_of

REFUTED = [claim for claim in CATALOGUE if claim.registered is Status.REFUTED]
SIZES = {paper.gamma: Fraction(1, 3), paper.S_l: 3, paper.A_l: 2, paper.Z: 6, paper.rt_l: 2}


@pytest.mark.parametrize("claim", REFUTED, ids=[claim.id for claim in REFUTED])
def test_a_refuted_claim_says_which_step_fails_and_has_a_repair(claim: Claim) -> None:
    assert claim.failing_step.strip() == claim.failing_step != ""
    repairs = [other for other in CATALOGUE if claim.id in other.repairs]
    assert repairs
    assert all(other.registered is Status.CORROBORATED and other.source.startswith("ours") for other in repairs)


def test_only_refuted_claims_fail_and_are_repaired() -> None:
    ids = {claim.id for claim in REFUTED}
    assert {claim.id for claim in CATALOGUE if claim.failing_step} == ids
    assert {repaired for claim in CATALOGUE for repaired in claim.repairs} == ids


# ------------------------------------------------------------------------------------------------------------------ formulas


def test_the_uniform_bound_is_at_least_the_bound_for_every_n() -> None:
    compared = 0
    for k in range(1, 12):
        uniform = SHARED_DRAW_UNIFORM.enclose(SIZES | {paper.k: k})
        for n in [*range(max(k, 2), 4 * k + 4), 10**6]:
            compared += 1
            assert (SHARED_DRAW.enclose(SIZES | {paper.n: n, paper.k: k}) <= uniform) is True
    assert compared > 200


def test_the_uniform_bound_is_of_order_one_over_root_k() -> None:
    x = sp.Symbol("x", positive=True)
    at = SHARED_DRAW_UNIFORM.expression.subs({symbol: sp.Rational(v) for symbol, v in SIZES.items()}).subs(paper.k, x).doit()
    limit = sp.limit(at * sp.sqrt(x), x, sp.oo)
    assert sp.simplify(limit - 9 * (sp.sqrt(2) / 2 + sp.sqrt(3) / 4 + sp.sqrt(2) / 4)) == 0


def test_one_type_is_the_bound_without_types() -> None:
    values = SIZES | {paper.n: 30, paper.k: 7}
    one = SHARED_DRAW_TYPES.enclose(values | {paper.E: 1})
    plain = SHARED_DRAW.enclose(values)
    assert (one <= plain) is not False
    assert (one >= plain) is not False
    assert one.width < Fraction(1, 10**15)


def test_the_price_of_disagreeing_and_of_noise_are_added() -> None:
    values = SIZES | {paper.n: 30, paper.k: 7}
    plain = SHARED_DRAW.expression
    for bound, given, expected in (
        (INDEPENDENT_DRAWS, {paper.disagreement: Fraction(1, 9)}, 1),  # L/(1-gamma) = 9
        (SHARED_DRAW_NOISE, {paper.eps_km: Fraction(1, 3)}, 1),  # 2 eps/(1-gamma)
    ):
        difference = (bound.expression - plain).doit().subs({s: sp.Rational(v) for s, v in {**values, **given}.items()})
        assert sp.simplify(difference - expected) == 0


def test_the_number_of_samples_makes_hoeffding_s_bound_small_enough() -> None:
    """2 N exp(-2 m t^2/span^2) at t = (1-gamma)/(gamma sqrt k) and the stated m is 1/(100 e^k), N = |S_g||A_g| Z^k."""
    gamma, k, span, pairs = paper.gamma, paper.k, paper.span, paper.S_g * paper.A_g * paper.Z**paper.k
    t = (1 - gamma) / (gamma * sp.sqrt(k))
    exponent = (-2 * ENOUGH_SAMPLES.expression.doit() * t**2 / span**2).simplify()
    total = sp.expand_log(sp.log(2 * pairs), force=True) + exponent
    assert sp.simplify(sp.expand_log(sp.expand(total + sp.log(100) + k), force=True)) == 0


# ------------------------------------------------------------------------------------------------------------- against brute force


@pytest.mark.parametrize(("seed", "n", "k"), [(1, 3, 1), (1, 3, 2), (2, 4, 2), (5, 4, 3)])
def test_disagreement_by_listing_every_draw(seed: int, n: int, k: int) -> None:
    data = oracles.random_instance(seed, 2, 2, 2, 2)
    greedy = oracles.Greedy(oracles.LabelledSystem(data, k))
    largest = Fraction(0)
    for g, s in product(range(2), product(range(2), repeat=n)):
        own = [
            Counter(
                greedy.local_action(g, s[i], tuple(s[j] for j in others)) for others in combinations([j for j in range(n) if j != i], k - 1)
            )
            for i in range(n)
        ]
        draws = list(combinations(range(n), k))
        differing = Fraction(0)
        for draw in draws:
            _, part = greedy.shared_action(g, tuple(s[i] for i in draw))
            played = dict(zip(draw, part, strict=True))
            for i in range(n):
                law = {a: Fraction(times, own[i].total()) for a, times in own[i].items()}
                options = [played[i]] if i in played else [played[j] for j in draw if s[j] == s[i]] or [0]
                copied = {a: Fraction(options.count(a), len(options)) for a in range(2)}
                if i in played:
                    # Members of one state are equal up to their names: the mean over them is what the formula holds.
                    differing += 1 - law.get(played[i], Fraction(0))
                else:
                    differing += sum(abs(copied[a] - law.get(a, Fraction(0))) for a in range(2)) / 2
        largest = max(largest, differing / (n * len(draws)))
    assert disagreement(model_of(data), n, k)[0] == largest


@pytest.mark.parametrize("seed", range(4))
def test_everybody_shares_is_the_listed_shared_play(seed: int) -> None:
    data = oracles.random_instance(seed, 2, 2, 2, 2)
    system = oracles.LabelledSystem(data, 3)
    best, played = system.by_counts(system.optimum), oracles.execution_value(data, 3, 3, "shared")
    assert everybody_shares(model_of(data), 3)[0] == max(best[state] - played[state] for state in best) == 0


def test_the_condition_of_r5b_by_listing() -> None:
    answers = Counter()
    for seed in range(12):
        data = oracles.random_instance(seed, 2, 2, 2, 2)
        found = oracles.LabelledSystem(data, 1).maximisers
        best = {(g, s): {b for b, _ in actions} for (g, (s,)), actions in found.items()}
        holds = all(len(best[g, 0]) == 1 and best[g, 0] == best[g, 1] for g in range(2))
        assert (one_global_choice(model_of(data)) == "") is holds
        answers[holds] += 1
    assert len(answers) == 2


# ------------------------------------------------------------------------------------------------------------------ the attack


def attacked(rng: random.Random) -> Model:
    """A small model of a kind that broke a claim before: free moves, lotteries, near-ties, scaled rewards, extreme discounts."""
    g, b, s, a = (rng.choice((1, 2, 2)) for _ in range(4))
    discount, scale = rng.choice(("1/100", "1/2", "9/10", "99/100")), rng.choice((Fraction(1, 1000), 1, 1000))

    def row(size: int) -> list[Fraction]:
        first, second = rng.randrange(size), rng.randrange(size)
        return [Fraction(int(t == first) + int(t == second), 2) for t in range(size)]

    def reward() -> Fraction:
        return Fraction(rng.choice((-1, 1, 1, 0))) * scale + Fraction(rng.randint(-1, 1), 100)

    return Model(
        [[row(g) for _ in range(b)] for _ in range(g)],
        [[[row(s) for _ in range(a)] for _ in range(g)] for _ in range(s)],
        [[reward() / 4 for _ in range(b)] for _ in range(g)],
        [[[reward() for _ in range(a)] for _ in range(g)] for _ in range(s)],
        discount,
        "attacked",
    )


@pytest.mark.slow
def test_a_seeded_attack_violates_none_of_them() -> None:
    rng = random.Random(3)
    verdicts: Counter[tuple[str, Verdict]] = Counter()
    for _ in range(25):
        model = attacked(rng)
        n = rng.choice((2, 3, 4))
        k = rng.randint(1, n - 1)
        for claim, size in (
            ("R1", k),
            ("R2", k),
            ("R2L", k),
            ("P4r", k),
            ("R4", k),
            ("R4", n),
            ("R4u", k),
            ("R6", k),
            ("R5b", k),
            ("P3r", n),
            ("P3s", n),
        ):
            verdict = judge(CATALOGUE[claim].sides(Subsampled(model, n, size)))
            verdicts[claim, verdict] += 1
            assert verdict is not Verdict.VIOLATED, f"{claim} n={n} k={size}: {model!r}"
    for claim in ("R1", "R2", "R2L", "P4r", "R4", "P3r", "P3s"):
        assert verdicts[claim, Verdict.HOLDS] > 3


def test_the_factor_of_r4_cannot_be_smaller() -> None:
    """Agents whose state does not occur in a sample of one lose what there is to lose: the ratio tends to (1-gamma)^2 as n grows."""
    stay = [[[[1, 0]] * 2], [[[0, 1]] * 2]]
    for gamma, n, least in (("1/2", 2, 0.0), ("1/64", 10, 0.6), ("1/64", 2000, 0.93), ("1/1000", 2000, 0.96)):
        model = Model([[[1]]], stay, [[0]], [[[-1, 1]], [[-1, 1]]], gamma)
        outcome = CATALOGUE["R4"].sides(Subsampled(model, n, 1))
        assert isinstance(outcome, Sides) and judge(outcome) is not Verdict.VIOLATED
        assert outcome.left.lower <= 1 / (1 - model.discount) <= outcome.left.upper
        ratio = outcome.left.lower / outcome.right.upper
        assert least < ratio < (1 - model.discount) ** 2


def test_without_its_condition_p3r_is_refuted() -> None:
    """The optimum of the splitting lottery tells agents of one state apart: not applicable, and the gap there is not 0."""
    instance = Subsampled(splitting(), 2, 2)
    assert judge(CATALOGUE["P3r"].sides(instance)) is Verdict.NOT_APPLICABLE
    assert judge(CATALOGUE["P3"].sides(instance)) is Verdict.VIOLATED
    shared = CATALOGUE["P3s"].sides(instance)
    assert isinstance(shared, Sides)
    assert shared.left.upper == 0
