"""Counted costs (S1 to S4) against brute force over labelled agents, and gaps of typed models against closed forms."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import comb, floor, log

import numpy as np
import pytest

from mfverify import counts, models
from mfverify.errors import ModelError
from mfverify.exact.rational import fraction
from mfverify.model import Model
from mfverify.models import agent_types
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.regime_switch import S2, S2E, Switched
from mfverify.papers.mean_field_sampling.remark_4_8 import S3B, S3F, sweep_entries
from mfverify.papers.mean_field_sampling.remark_4_9 import S4B, Typed, gap_by_types, twins, types_and_subsample
from mfverify.papers.mean_field_sampling.table_sizes import S1, Distributions, counted_tables
from mfverify.papers.quantities import learned, rational_system
from mfverify.subsample_mfq.execution import exact_execution_value
from mfverify.theory.cases.of_model import OfAgents
from mfverify.theory.claim import Claim, Profile, Sides, Verdict, judge


@pytest.mark.parametrize("claim", [claim for claim in CATALOGUE if claim.id[0] == "S"], ids=lambda claim: claim.id)
@pytest.mark.parametrize("profile", Profile)
def test_labels_are_unique(claim: Claim, profile: Profile) -> None:
    labels = [x.label for x in claim.instances(profile, None)]
    assert labels and len(set(labels)) == len(labels)


# -------------------------------------------------------------------------------------------------------------- S1


@pytest.mark.parametrize("classes", [1, 2, 3, 4])
@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_distributions_match_sorted_tuples(classes: int, k: int) -> None:
    sides = S1.sides(Distributions(k, classes))
    assert isinstance(sides, Sides)
    assert sides.left.lower == sides.left.upper == len({tuple(sorted(z)) for z in product(range(classes), repeat=k - 1)})
    assert sides.right.lower == k**classes
    assert sides.trivial is not None and sides.trivial.lower == len(list(product(range(classes), repeat=k - 1)))


@pytest.mark.parametrize(("k", "standard", "mean_field"), [(1, 16, 16), (2, 64, 64), (3, 256, 160)])
def test_counted_tables_of_coordination_by_hand(k: int, standard: int, mean_field: int) -> None:
    """|S_g||A_g| = 4 and |Z| = 4: 4 * 4^k, and 4 * 4 times the 1, 4, 10 multisets of k - 1 pairs."""
    assert counted_tables(models.coordination(), k) == (standard, mean_field)


# -------------------------------------------------------------------------------------------------------------- S2


def test_first_wrong_choice_of_the_switch_is_two_pairs_and_three_agents() -> None:
    wrong = []
    for pairs, k in product(range(1, 6), range(1, 12)):
        sizes = (
            {"standard": pairs**k, "mean-field": pairs * len({tuple(sorted(z)) for z in product(range(pairs), repeat=k - 1)})}
            if pairs**k < 10**5
            else None
        )
        if sizes is None:
            continue
        picked = sizes["standard" if pairs**k <= pairs * k**pairs else "mean-field"]
        equal = len(set(sizes.values())) == 1  # any that is picked is then the smaller one
        if picked > min(sizes.values()):
            wrong.append((pairs, k))
            assert judge(S2.sides(_switch(pairs, k))) is Verdict.VIOLATED
        else:
            assert judge(S2.sides(_switch(pairs, k))) is (Verdict.VACUOUS if equal else Verdict.HOLDS)
        assert judge(S2E.sides(_switch(pairs, k))) is (Verdict.VACUOUS if pairs**k == pairs * k**pairs else Verdict.HOLDS)
    assert min(wrong) == (2, 3) and [k for pairs, k in wrong if pairs == 2] == [3, 4, 5, 6]
    assert not [k for pairs, k in wrong if pairs == 1]
    first = S2.sides(_switch(2, 3))
    assert isinstance(first, Sides) and (first.left.lower, first.right.lower) == (8, 6)


def _switch(pairs: int, k: int) -> Switched:
    return Switched(pairs, 1, k, k)


def test_switch_curve_holds_both_tables() -> None:
    sides = S2.sides(Switched(2, 1, 1, 8))
    assert isinstance(sides, Sides)
    curve = sides.details["curve"]
    assert curve["scale"] == "log" and curve["x"] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [s["lower"] for s in curve["series"]] == [[2**k for k in range(1, 9)], [2 * k for k in range(1, 9)]]
    assert sides.details["k with the larger table"] == "3, 4, 5, 6"


# -------------------------------------------------------------------------------------------------------------- S3


def brute_sweep_entries(model: Model, k: int) -> int:
    """Over labelled agents: different multisets of (state, kernel) by state of the world, and of kernels by global row."""
    global_states, global_actions, states, actions = model.sizes
    total = 0
    for g in range(global_states):
        row = {(s, a): tuple(model.local_kernel[s, g, a]) for s in range(states) for a in range(actions)}
        pairs = sorted({(s, row[s, a]) for s, a in row})
        kernels = sorted(set(row.values()))
        total += len({tuple(sorted(z)) for z in product(pairs, repeat=k)})
        total += len({tuple(sorted(u)) for u in product(kernels, repeat=k)}) * len(
            {tuple(model.global_kernel[g, b]) for b in range(global_actions)}
        )
    return total


@pytest.mark.parametrize(
    "model", [models.coordination(), models.absorbing(), models.random_coupled(4), models.random_coupled(6, 3, 2)], ids=lambda m: m.name
)
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_sweep_entries_match_labelled_multisets(model: Model, k: int) -> None:
    assert sweep_entries(model, k) == brute_sweep_entries(model, k)


def test_fitted_exponent_is_the_least_squares_slope() -> None:
    for instance in S3F.instances(Profile.QUICK, None):
        sides = S3F.sides(instance)
        assert isinstance(sides, Sides)
        sizes = list(instance.k)
        assert len(sizes) >= 5
        entries = [sweep_entries(instance.model, k) for k in sizes]
        (slope, _), covariance = np.polyfit(np.log(sizes), np.log(entries), 1, cov=True)
        # Double precision: a fit of at most 9 points of magnitude 10.
        assert abs(slope - float(sides.left.midpoint)) < 1e-11
        assert sides.details["standard error of the exponent"] == f"{covariance[0, 0] ** 0.5:.4f}"


def test_fitted_exponent_of_coordination_is_below_the_degree_of_its_pairs() -> None:
    """Two states with two kernels each: per global state C(k+3, 3) pairs, a polynomial of degree 3 = |Z| - 1."""
    model = models.coordination()
    assert [sweep_entries(model, k) for k in (1, 2, 7)] == [2 * comb(k + 3, 3) + 4 * (k + 1) for k in (1, 2, 7)]
    sides = S3F.sides(S3F.instances(Profile.QUICK, [model])[0])
    assert isinstance(sides, Sides) and 2 < sides.left.lower <= sides.left.upper < 3


def test_logarithmic_subsample_is_the_ceiling() -> None:
    for n, k in ((2, 1), (3, 2), (4, 2), (5, 3), (1024, 10), (1025, 11)):
        sides = S3B.sides(OfAgents(models.coordination(), n))
        assert isinstance(sides, Sides)
        assert sides.details["worst"] == f"k={k}"
        assert sides.left.lower == 16 * counts.number_of_count_vectors(k - 1, 4)
        assert abs(float(sides.right.midpoint) / (16 * (log(n) / log(2) + 1) ** 4) - 1) < 1e-12


# -------------------------------------------------------------------------------------------------------------- S4


def test_types_and_subsample_match_floats_and_need_sixteen_agents() -> None:
    for n in (16, 17, 100, 12345, 10**6, 10**12):
        assert types_and_subsample(n) == (floor(log(n) / log(log(n))), floor(log(n)))
        types, k = types_and_subsample(n)
        assert k**types <= n
    with pytest.raises(ModelError, match="at least 16"):
        types_and_subsample(15)


def test_typed_model_keeps_types_and_uses_each_kinds_numbers() -> None:
    kinds = [models.random_coupled(4), models.random_coupled(5)]
    model = agent_types.typed(kinds, "both")
    assert model.sizes == (2, 2, 4, 2)
    for e, s, g, a in product(range(2), repeat=4):
        assert model.local_reward[2 * e + s, g, a] == kinds[e].local_reward[s, g, a]
        for f, t in product(range(2), repeat=2):
            assert model.local_kernel[2 * e + s, g, a, 2 * f + t] == (kinds[e].local_kernel[s, g, a, t] if e == f else 0)
    with pytest.raises(ModelError, match="one common size"):
        agent_types.typed([models.coordination(), models.absorbing()], "uneven")


def test_agents_of_one_type_are_the_model_of_that_type() -> None:
    """The optimum and the executed value on start states with a single type are those of the type's own model."""
    kinds = [models.random_coupled(4), models.random_coupled(5)]
    own = [
        Model(kinds[0].global_kernel, m.local_kernel, kinds[0].global_reward, m.local_reward, m.discount, f"kind {e}")
        for e, m in enumerate(kinds)
    ]
    both = agent_types.typed(kinds, "both")
    n, k = 3, 2
    system, value = rational_system(both, n), exact_execution_value(learned(both, k), n)
    compared = 0
    for e, alone in enumerate(own):
        single, single_value = rational_system(alone, n), exact_execution_value(learned(alone, k), n)
        for g, c in single.states:
            wide = (0,) * (2 * e) + c + (0,) * (2 - 2 * e)
            assert fraction(system.optimum[g, wide]) == fraction(single.optimum[g, c])
            assert value[g, system.position[wide]].lower == single_value[g, single.position[c]].lower
            compared += 1
    assert compared == 16


@pytest.mark.parametrize("k", [1, 2])
def test_types_that_do_not_differ_leave_the_gap_unchanged(k: int) -> None:
    base, n = models.coordination(), 3
    mixed, _, single, _ = gap_by_types(twins(base), 2, n, k)
    system = rational_system(base, n)
    gap = system.array(system.optimum) - exact_execution_value(learned(base, k), n).exact
    assert mixed == single == max(gap.ravel()) > 0


def preference_gap(population: tuple[int, ...], k: int) -> Fraction:
    """Closed form: from the next step on, the share of the majority minus the mean share of the first most frequent type of a subset.

    With discount 1/2 the factor gamma / (1 - gamma) is one. The present step's reward does not depend on the action.
    """
    agents = [e for e, c in enumerate(population) for _ in range(c)]
    subsets = list(combinations(agents, k))
    shares = [population[max(range(len(population)), key=lambda e: (s.count(e), -e))] for s in subsets]
    return Fraction(max(population), len(agents)) - Fraction(sum(shares), len(shares) * len(agents))


@pytest.mark.parametrize(("types", "n", "k"), [(2, 3, 1), (2, 3, 2), (2, 3, 3), (2, 6, 3), (2, 6, 5), (3, 6, 1), (3, 6, 3)])
def test_gap_of_preferences_matches_labelled_subsets(types: int, n: int, k: int) -> None:
    mixed, _, single, _ = gap_by_types(models.preferences(types), types, n, k)
    assert mixed == max(preference_gap(c, k) for c in product(range(1, n + 1), repeat=types) if sum(c) == n)
    assert single == 0


def test_three_agents_of_two_types_refute_s4b_without_any_tie() -> None:
    """One agent is sampled, so its wish is the only maximiser: with probability 1/3 it is the minority's."""
    model = models.preferences(2)
    sides = S4B.sides(Typed(model, 3, 1, 2))
    assert isinstance(sides, Sides) and judge(sides) is Verdict.VIOLATED
    assert (sides.left.lower, sides.right.upper) == (Fraction(1, 9), 0)
    maximisers = [m.actions for m in learned(model, 1).choices.values()]
    assert len(maximisers) == 4 and all(actions is not None and len(actions) == 1 for actions in maximisers)


def test_given_models_get_twins() -> None:
    instances = S4B.instances(Profile.QUICK, [models.coordination(), models.random_coupled(6, 3, 2)])
    assert [(x.agents, x.subsample) for x in instances] == [(3, 1), (3, 2)]
    assert [judge(S4B.sides(x)) for x in instances] == [Verdict.HOLDS, Verdict.HOLDS]
