"""False claims for the falsifier, each with a case at which it fails, and true claims that are as near to a false one.

The list :data:`FALSE` was written before any of them was searched, and each case was found by hand or by enumeration, not by a search of the
package: see ``docs/explanation/falsifier.md``. :data:`EARLIER` are claims that were chosen while searches were improved by them.
``test_planted_claims.py`` checks every case and searches some of the claims; ``python -m tests.strength.tally`` searches all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from functools import partial
from typing import Any, Final

import numpy as np
import sympy as sp

from mfverify import counts, models, screening
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.exact.rational import fraction
from mfverify.model import Model
from mfverify.models.redrawn import hard as redrawn_places
from mfverify.papers import CATALOGUE
from mfverify.papers.alternating_marl.alternating_answers import Alternation
from mfverify.papers.mean_field_sampling.dkw_without_replacement import SUP_NORM_TAIL, largest_deviation
from mfverify.papers.mean_field_sampling.exact_gaps import exact_gap
from mfverify.papers.mean_field_sampling.gaps import gap_sides
from mfverify.papers.mean_field_sampling.mean_distance import TV_MEAN_SHARP
from mfverify.papers.mean_field_sampling.number_of_iterations import asked_iterations, iteration_errors
from mfverify.papers.mean_field_sampling.sampled_transition import before_and_after
from mfverify.papers.mean_field_sampling.symbols import epsilon, symbol_values
from mfverify.papers.mean_field_sampling.table_sizes import Distributions
from mfverify.papers.mean_field_sampling.tails import tail_sides
from mfverify.papers.mean_field_sampling.theorem_4_12 import LinearProcess
from mfverify.papers.mean_field_sampling.theorem_e_3 import SLOPE, TwoSizes
from mfverify.papers.mean_field_sampling.total_variation import exact_mean, mean_sides, never_more
from mfverify.papers.ours.one_local_action import fixed_sides
from mfverify.papers.ours.plan_for_a_sample import PLAN_ONCE, excess_forever
from mfverify.papers.ours.shared_draw import SHARED_DRAW
from mfverify.papers.ours.symbols import A_g, A_l, S_l, Z, excess, gamma, k, n, rt_l
from mfverify.papers.ours.transition_with_fluctuation import fluctuation
from mfverify.papers.quantities import executed, learned, optimum, rational_system, trivial_gap
from mfverify.papers.screens import GAP_RISES, independent_gap, plan_gap, shared_gap
from mfverify.screening import Models
from mfverify.theory.bound import Bound
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import OfAgents, OfSample, Subsampled, agents_alone, fewer_sampled
from mfverify.theory.cases.populations import SampledPopulation
from mfverify.theory.cases.transitions import Transition, seeded
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Sides, Unresolved
from mfverify.theory.evaluate import enclose
from mfverify.theory.formula import HALF, indicator, plus, root, times
from mfverify.theory.sabotage import by_factor
from mfverify.theory.screen import Screen
from mfverify.theory.search_costs import lumped_cost, rational_cost, shared_cost
from mfverify.theory.search_space import LARGE, Arrangement


class Kind(Enum):
    """In what way a claim is false."""

    CONSTANT = "a constant that is too small"
    EXPONENT = "a wrong exponent"
    DROPPED = "a term or an assumption dropped"
    SHIFT = "an inequality with room on the wrong side"
    RESTRICTED = "a false statement where its violations are rare"
    MONOTONE = "a false monotonicity"
    RELATION = "a false relation between ways of drawing"
    QUANTIFIER = "a quantifier that is too strong"


@dataclass(frozen=True)
class Planted:
    """A false claim, why it is false, and a case at which it fails."""

    claim: Claim
    kind: Kind
    why: str
    witness: Case


def _changed(claim_id: str, name: str, **changes: Any) -> Claim:
    """A claim of the catalogue with other fields."""
    return replace(CATALOGUE[claim_id], id=f"{claim_id}, {name}", **changes)


# --------------------------------------------------------------------------------------------------------------------- models


def fixed_signs(discount: str) -> Model:
    """Agents that never move: +1 in local state 0, -1 in 1."""
    return Model([[[1]]], [[[[1, 0]]], [[[0, 1]]]], [[0]], [[[1]], [[-1]]], discount, f"fixed-signs(discount={discount})")


def second_action(discount: str) -> Model:
    """Agents that never move: +1 for action 1, -1 for action 0, which agents play whose state is not in the sample."""
    stay = [[[[1, 0]] * 2], [[[0, 1]] * 2]]
    return Model([[[1]]], stay, [[0]], [[[-1, 1]]] * 2, discount, f"second-action(discount={discount})")


def tossed(discount: str) -> Model:
    """In global state 0 agents are tossed to one of two sides, where they then stay; from then on the global agent picks its next side, +1 for agents there."""
    pick = [[0, 1, 0], [0, 0, 1]]
    moves = [[[[HALF_OF_ONE] * 2], [[1, 0]], [[1, 0]]], [[[HALF_OF_ONE] * 2], [[0, 1]], [[0, 1]]]]
    return Model([pick] * 3, moves, [[0, 0]] * 3, [[[0], [1], [-1]], [[0], [-1], [1]]], discount, f"tossed(discount={discount})")


def sides_and_actions(discount: str) -> Model:
    """Agents on two sides that they never leave, with two equal actions; the global agent picks its next side, +1 for agents there, -1 for others."""
    stay = [[[[1, 0]] * 2] * 2, [[[0, 1]] * 2] * 2]
    return Model(
        [[[1, 0], [0, 1]]] * 2,
        stay,
        [[0, 0]] * 2,
        [[[1, 1], [-1, -1]], [[-1, -1], [1, 1]]],
        discount,
        f"sides-and-actions(discount={discount})",
    )


def drifting(discount: str) -> Model:
    """As fixed sides, but an agent changes sides with probability 1/4."""
    moves = [[[["3/4", "1/4"]]] * 2, [[["1/4", "3/4"]]] * 2]
    return Model([[[1, 0], [0, 1]]] * 2, moves, [[0, 0]] * 2, [[[1], [-1]], [[-1], [1]]], discount, f"drifting(discount={discount})")


def splitting_without_ties(discount: str) -> Model:
    """The splitting lottery with action 1 at a cost everywhere, and a small reward for global action 0."""
    model = models.splitting(discount=discount)
    reward = model.local_reward.copy()
    reward[1:, :, 1] -= Fraction(1, 10)
    return replace(
        model,
        local_reward=reward,
        global_reward=np.array([[Fraction(1, 100), Fraction(0)]] * 2),
        name=f"splitting without ties(discount={discount})",
    )


def paid(discount: str) -> Model:
    """One state and one action of every kind, reward 1."""
    return Model([[[1]]], [[[[1]]]], [[0]], [[[1]]], discount, f"paid(discount={discount})")


HALF_OF_ONE: Final = Fraction(1, 2)


# ----------------------------------------------------------------------------------------------------- claims with another right side


def _times_sides(factor: Callable[[Any], Fraction], sides: Callable[[Any], Outcome], case: Any) -> Outcome:
    outcome = sides(case)
    return replace(outcome, right=outcome.right * factor(case)) if isinstance(outcome, Sides) else outcome


def _times_screen(factor: Fraction, screen: Screen, models: Models, n: int, k: int) -> Any:
    left, right = screen.sides(models, n, k)
    return left, right * float(factor)


def _always(factor: Fraction, case: Case) -> Fraction:
    del case
    return factor


def times_constant(claim_id: str, factor: str) -> Claim:
    """The claim with its right side multiplied by a constant, in its screen too."""
    claim, number = CATALOGUE[claim_id], Fraction(factor)
    screen = (
        None
        if claim.screen is None
        else Screen(partial(_times_screen, number, claim.screen), local_states=claim.screen.local_states, agents=claim.screen.agents)
    )
    return _changed(claim_id, f"times {factor}", sides=partial(_times_sides, partial(_always, number), claim.sides), screen=screen)


def _gap_claim(claim_id: str, name: str, bound: Bound, sampling: str, searched: Arrangement[Subsampled]) -> Claim:
    """The largest gap against a bound."""
    screen = independent_gap(bound) if sampling == "independent" else shared_gap(bound)
    return _changed(claim_id, name, sides=partial(gap_sides, bound, sampling), screen=Screen(screen.sides), searched=searched)


_FEWER: Final = Arrangement(fewer_sampled, shared_cost, LARGE)

_ONE_LESS: Final = Bound(
    "R4 one less",
    times(
        SLOPE / (1 - gamma),
        plus(
            times(HALF, root((S_l - 1) * (n - k - 1) / (k * (n - 1)))),
            times(1 / (2 * n), root(S_l * (A_l - 1) * (n - k - 1))),
            times(gamma / (1 - gamma), plus(times(HALF, root((S_l - 1) * (n - k - 1) / (n * k))), times(indicator(k < n), Z / (4 * n)))),
        ),
    ),
    "false",
    "n - k - 1 for n - k",
)

_ONE_OVER_K: Final = Bound(
    "R7 with 1/k",
    times(gamma * SLOPE / (1 - gamma), root(times((n - k + 1) / (2 * n * k**2), sp.log(A_g)))),
    "false",
    "1/k for 1/sqrt(k)",
)

_ONCE_WITHOUT_LIMIT: Final = Bound(
    "V3f without V2",
    plus(times(rt_l / (1 - gamma), root((S_l - 1) * (n - k) / (k * (n - 1)))), excess),
    "false",
    "the distance of the limit is left out",
    PLAN_ONCE.symbols,
)


def _plan_once(case: Subsampled) -> Outcome:
    model, n, k = case.model, case.agents, case.subsample
    if n == 1:
        return NotApplicable("the bound divides by n - 1")
    try:
        gap = (optimum(model, n) - executed(model, n, k, "plan-fixed")).max()
        return Sides(gap, _ONCE_WITHOUT_LIMIT.enclose({**symbol_values(model, n, k), excess: excess_forever(model)}), trivial_gap(model))
    except TooLargeError as error:
        return Unresolved(str(error))


def _four_terms(case: TwoSizes) -> Fraction:
    """What makes the slope ``2 rt_l/(1-gamma)`` into ``2 rt_l (1 + gamma + gamma^2 + gamma^3)``."""
    return 1 - case.model.discount**4


def _four_terms_screen(models: Models, n: int, k: int) -> Any:
    screen = CATALOGUE["L1"].screen
    assert screen is not None
    left, right = screen.sides(models, n, k)
    return left, right * (1 - models.discount**4)


def _three_or_more(model: Model, n: int, k: int) -> TwoSizes | None:
    del k
    return TwoSizes(model, n, n) if n >= 3 else None


def _lower_power(case: OfSample) -> Outcome:
    """N1b with ``(1-gamma)^2`` for ``(1-gamma)^5`` in m*."""
    outcome = CATALOGUE["N1b"].sides(case)
    if not isinstance(outcome, Sides):
        return outcome
    less = enclose(3 * sp.log(1 - gamma) / sp.log(10), {gamma: case.model.discount})
    return replace(outcome, right=outcome.right + less)


def _fewer_iterations(case: OfSample) -> Outcome:
    """B7 with three sevenths of the iterations."""
    outcome = CATALOGUE["B7"].sides(case)
    if not isinstance(outcome, Sides) or not outcome.details["required iterations"]:
        return outcome
    asked = asked_iterations(case.model, case.subsample)
    return replace(outcome, left=iteration_errors(case.model, case.subsample, asked)[-(-3 * asked // 7) - 1])


# ------------------------------------------------------------------------------------------------------- claims about gaps alone


_SLACK: Final = Fraction(1, 20)


def _rise(case: Subsampled) -> Outcome:
    """P4 with a twentieth of the range of a gap as room."""
    outcome = CATALOGUE["P4"].sides(case)
    return replace(outcome, left=outcome.left - trivial_gap(case.model) * _SLACK) if isinstance(outcome, Sides) else outcome


def _rise_screen(models: Models, n: int, k: int) -> Any:
    later, now = GAP_RISES.sides(models, n, k)
    return later - float(_SLACK) * 2 * (models.rt_g + models.rt_l) / (1 - models.discount), now


def _three_states(model: Model) -> bool:
    return model.sizes[2] == 3


def _one_action(model: Model) -> bool:
    return model.sizes[3] == 1


def _two_actions(model: Model) -> bool:
    return model.sizes[3] == 2


def _most(model: Model, n: int, k: int) -> Subsampled | None:
    """Half of the agents or more, but not all."""
    return Subsampled(model, n, k) if n <= 2 * k < 2 * n else None


def _odd(model: Model, n: int, k: int) -> Subsampled | None:
    return Subsampled(model, n, k) if k % 2 and 3 <= k < n else None


def _half_at_most(model: Model, n: int, k: int) -> Subsampled | None:
    return Subsampled(model, n, k) if 2 * k <= n else None


def _less_than_half(model: Model, n: int, k: int) -> Subsampled | None:
    return Subsampled(model, n, k) if 2 * k < n else None


def _largest_gap(model: Model, n: int, k: int, sampling: str) -> Interval:
    return (optimum(model, n) - executed(model, n, k, sampling)).max()


def _gap_against_gap(first: Callable[[Subsampled], Interval], second: Callable[[Subsampled], Interval], case: Subsampled) -> Outcome:
    try:
        return Sides(first(case), second(case), trivial_gap(case.model))
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))


def _drawn(sampling: str, more_agents: int, more_sampled: int, case: Subsampled) -> Interval:
    return _largest_gap(case.model, case.agents + more_agents, case.subsample + more_sampled, sampling)


_SHARED_GAP: Final = shared_gap(SHARED_DRAW).sides


def _shared_rises(more_agents: int, more_sampled: int, models: Models, n: int, k: int) -> Any:
    return _SHARED_GAP(models, n + more_agents, k + more_sampled)[0], _SHARED_GAP(models, n, k)[0]


def _relation(name: str, first: str, second: str, make: Callable[[Model, int, int], Subsampled | None] = fewer_sampled) -> Claim:
    """The largest gap with one way of drawing is at most that with another."""
    return _changed(
        "P4",
        name,
        sides=partial(_gap_against_gap, partial(_drawn, first, 0, 0), partial(_drawn, second, 0, 0)),
        screen=None,
        searched=Arrangement(make, rational_cost),
    )


def _smallest_against_largest(case: Subsampled) -> Outcome:
    model, n, k = case.model, case.agents, case.subsample
    try:
        gap = optimum(model, n) - executed(model, n, k, "independent")
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(-(-gap).max(), gap.max() / 2, trivial_gap(model))


def _smallest_screen(models: Models, n: int, k: int) -> Any:
    gap = screening.solve(models, n).value - screening.independent_value(screening.solve(models, k), n)
    return gap.min(axis=(0, 1)), gap.max(axis=(0, 1)) / 2


def _unique_optimum(case: Subsampled) -> Outcome:
    """The gap at k = n against 0 where each state has one optimal joint action."""
    model, n = case.model, case.agents
    try:
        if any(found.actions is None or len(found.actions) > 1 for found in learned(model, n).choices.values()):
            return NotApplicable("a tie")
        gap, _ = exact_gap(model, n, n)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(gap), Interval.exactly(0), trivial_gap(model))


def _unique_screen(models: Models, n: int, k: int) -> Any:
    best = screening.solve(models, n)
    each = np.add.reduceat(best.tied.sum(axis=1), best.layout.starts, axis=1)
    gap = (best.value - screening.independent_value(best, n)).max(axis=(0, 1))
    return np.where((each == 1).all(axis=(0, 1)), gap, np.nan), np.zeros(models.number)


def _twice(case: Subsampled) -> Outcome:
    """The gap at n against twice the gap at k."""
    sides = _gap_against_gap(partial(_all_drawn, "independent"), partial(_drawn, "independent", 0, 0), case)
    return replace(sides, right=sides.right * 2) if isinstance(sides, Sides) else sides


def _all_drawn(sampling: str, case: Subsampled) -> Interval:
    return _largest_gap(case.model, case.agents, case.agents, sampling)


def _most_of_a_process(model: Model, n: int, k: int) -> LinearProcess | None:
    return LinearProcess(model, n, k, None, 0) if n <= 2 * k < 2 * n and model.discount <= Fraction(3, 4) else None


# ---------------------------------------------------------------------------------------------------------------- values across sizes


def _means(model: Model, n: int, size: int) -> dict[Any, Fraction]:
    """``E V_size`` over uniform samples of each state of n agents."""
    small = rational_system(model, size).optimum
    return {
        (g, c): sum((p * fraction(small[g, sample]) for sample, p in counts.subsample_law(c, size)), Fraction(0))
        for g in range(model.sizes[0])
        for c in (tuple(int(x) for x in row) for row in counts.count_vectors(n, model.sizes[2]))
    }


def _weighted(sizes: Callable[[int, int], dict[int, Fraction]], case: Subsampled) -> Outcome:
    """The largest weighted sum of ``E V_size`` over the states, against 0."""
    model, n = case.model, case.agents
    means = {size: _means(model, n, size) for size in sizes(n, case.subsample)}
    weights = sizes(n, case.subsample)
    states = next(iter(means.values()))
    worst = max(sum((w * means[size][state] for size, w in weights.items()), Fraction(0)) for state in states)
    return Sides(Interval.exactly(worst), Interval.exactly(0), trivial_gap(model))


def _weighted_screen(sizes: Callable[[int, int], dict[int, Fraction]], models: Models, n: int, k: int) -> Any:
    states = models.sizes[2]
    parts = [
        float(w) * np.einsum("cd,gdm->gcm", screening.subsample_matrix(n, size, states), screening.solve(models, size).value)
        for size, w in sizes(n, k).items()
    ]
    return np.sum(parts, axis=0).max(axis=(0, 1)), np.zeros(models.number)


def _halving(n: int, k: int) -> dict[int, Fraction]:
    """``E V_2k - V_n`` less half of ``E V_k - V_n``."""
    return {2 * k: Fraction(1), k: -HALF_OF_ONE, n: -HALF_OF_ONE}


def _convexity(n: int, k: int) -> dict[int, Fraction]:
    """The fall from k + 1 to k + 2 less the fall from k to k + 1."""
    del n
    return {k: Fraction(-1), k + 1: Fraction(2), k + 2: Fraction(-1)}


def _two_fewer(model: Model, n: int, k: int) -> Subsampled | None:
    return Subsampled(model, n, k) if k + 2 <= n else None


def _values(name: str, sizes: Callable[[int, int], dict[int, Fraction]], make: Callable[[Model, int, int], Subsampled | None]) -> Claim:
    return _changed(
        "P4r",
        name,
        sides=partial(_weighted, sizes),
        screen=Screen(partial(_weighted_screen, sizes)),
        searched=Arrangement(make, rational_cost),
    )


def _largest_values(first: int, second: int, case: OfAgents) -> Outcome:
    """The largest value over states of n + first agents against that of n + second agents."""
    sides = [max(map(fraction, rational_system(case.model, case.agents + more).optimum.values())) for more in (first, second)]
    return Sides(Interval.exactly(sides[0]), Interval.exactly(sides[1]), trivial_gap(case.model))


def _largest_values_screen(first: int, second: int, models: Models, n: int, k: int) -> Any:
    left, right = (screening.solve(models, n + more).value.max(axis=(0, 1)) for more in (first, second))
    return left, right


def _values_of_sizes(name: str, first: int, second: int) -> Claim:
    return _changed(
        "R1",
        name,
        sides=partial(_largest_values, first, second),
        screen=Screen(partial(_largest_values_screen, first, second)),
        searched=Arrangement(agents_alone, rational_cost),
    )


def _gain_within_eta(case: Subsampled) -> Outcome:
    """A1 with eta for 2 eta, without the rate of eta."""
    model, n, k = case.model, case.agents, case.subsample
    if isinstance(CATALOGUE["A1"].sides(case), NotApplicable):
        return NotApplicable("too many policies")
    game = Alternation(model, n, k)
    gain = max(fraction(game.gain(*game.end(start))) for start in game.local_policies)
    return Sides(Interval.exactly(gain), Interval.exactly(fraction(game.eta)), trivial_gap(model))


# ------------------------------------------------------------------------------------------------------- populations and parameters


def _large_samples(case: SampledPopulation) -> Outcome:
    """R3k times 51/100 for samples of 10 and more."""
    if case.subsample < 10:
        return NotApplicable("fewer than 10 sampled")
    return _times_sides(partial(_always, Fraction(51, 100)), CATALOGUE["R3k"].sides, case)


def _far_apart(case: Transition) -> Outcome:
    """C7 where the distance before is a quarter or more."""
    before, _ = before_and_after(case)
    return CATALOGUE["C7"].sides(case) if before >= Fraction(1, 4) else NotApplicable("the distance before is below 1/4")


def _power_of_k(exponent: Fraction, least: int, case: Distributions) -> Outcome:
    """S1 with the exponent ``|Z| - exponent``, for at least so many pairs."""
    outcome = CATALOGUE["S1"].sides(case)
    if case.classes < least or not isinstance(outcome, Sides):
        return NotApplicable("fewer pairs")
    right = enclose(k ** (Z - sp.Rational(exponent.numerator, exponent.denominator)), {k: case.subsample, Z: case.classes})
    return replace(outcome, right=right)


# ------------------------------------------------------------------------------------------------------------------------ the lists

_P4: Final = CATALOGUE["P4"]
_R7: Final = CATALOGUE["R7"].searched
assert isinstance(_R7, Arrangement)

FALSE: Final = (
    Planted(
        times_constant("R4", "3/4"),
        Kind.CONSTANT,
        "one agent sampled of many in two equal groups: half of all agents play the worst action; the bound is met up to sqrt(2/n) and the discount",
        Subsampled(second_action("1/50"), 32, 1),
    ),
    Planted(
        _gap_claim("R4", "n - k - 1 for n - k", _ONE_LESS, "shared", _FEWER),
        Kind.EXPONENT,
        "at k = n - 1 the bound falls to 0 with the discount; the agent outside still plays the worst action",
        Subsampled(second_action("1/10"), 2, 1),
    ),
    Planted(
        _gap_claim("R4", "independent draws", SHARED_DRAW, "independent", _FEWER),
        Kind.DROPPED,
        "independent samples of a balanced population disagree for every k; the bound falls like 1/n at k = n - 1",
        Subsampled(models.coordination(), 60, 59),
    ),
    Planted(
        _gap_claim("R7", "1/k for 1/sqrt(k)", _ONE_OVER_K, "shared", replace(_R7, make=fewer_sampled)),
        Kind.EXPONENT,
        "a sample of k finds the wrong majority of a lead of 1/sqrt(k) with a constant probability",
        Subsampled(fixed_sides("1/100"), 16, 8),
    ),
    Planted(
        times_constant("R6", "1/9"),
        Kind.CONSTANT,
        "coordination, discount 1/2: the gap tends to 1/2, dis to 1/2, so the ratio to 1/8 as n grows at k = n - 1",
        Subsampled(models.coordination(), 40, 39),
    ),
    Planted(
        replace(_P4, id="P4, three local states, k >= n/2", searched=Arrangement(_most, rational_cost, admits=_three_states)),
        Kind.RESTRICTED,
        "splitting: at k = n agents in one state act the same, smaller samples spread them",
        Subsampled(models.splitting(discount="3/4"), 4, 3),
    ),
    Planted(
        replace(_P4, id="P4, one local action, odd k >= 3", searched=Arrangement(_odd, rational_cost, admits=_one_action)),
        Kind.RESTRICTED,
        "fixed sides: an even sample can be tied, which the smallest action decides",
        Subsampled(fixed_sides("1/2"), 5, 3),
    ),
    Planted(
        _changed("P4", "a twentieth of the range as room", sides=_rise, screen=Screen(_rise_screen)),
        Kind.SHIFT,
        "fixed sides, discount 9/10: the gap rises from 9/4 to 9/2, the range is 20",
        Subsampled(fixed_sides("9/10"), 4, 1),
    ),
    Planted(
        _changed(
            "P4",
            "shared draw, two local actions, k >= n/2",
            sides=partial(_gap_against_gap, partial(_drawn, "shared", 0, 1), partial(_drawn, "shared", 0, 0)),
            screen=Screen(partial(_shared_rises, 0, 1)),
            searched=Arrangement(_most, rational_cost, admits=_two_actions),
        ),
        Kind.MONOTONE,
        "ties of even samples, as with one local action",
        Subsampled(sides_and_actions("1/2"), 5, 3),
    ),
    Planted(
        _changed(
            "P4",
            "shared draw: the gap does not grow with n from 2k on",
            sides=partial(_gap_against_gap, partial(_drawn, "shared", 1, 0), partial(_drawn, "shared", 0, 0)),
            screen=Screen(partial(_shared_rises, 1, 0)),
            searched=Arrangement(_half_at_most, rational_cost),
        ),
        Kind.MONOTONE,
        "fixed sides, one sampled: 2/9 with 3 agents and 1/4 with 4",
        Subsampled(fixed_sides("1/2"), 3, 1),
    ),
    Planted(
        _changed(
            "P4",
            "the smallest gap over start states is at most half of the largest",
            sides=_smallest_against_largest,
            screen=Screen(_smallest_screen),
            searched=Arrangement(fewer_sampled, lumped_cost),
        ),
        Kind.QUANTIFIER,
        "where all states are redrawn at each step every start state loses nearly the same if the discount is large",
        Subsampled(redrawn_places(2, Fraction(1, 16), Fraction(9, 10), Fraction(1)), 6, 5),
    ),
    Planted(
        _changed("P3", "where each state has one optimal joint action", sides=_unique_optimum, screen=Screen(_unique_screen)),
        Kind.DROPPED,
        "P3r also asks that agents in one state get the same action; splitting with its ties broken does not",
        Subsampled(splitting_without_ties("1/2"), 2, 2),
    ),
    Planted(
        _changed(
            "X3",
            "twice the gap at k, k >= n/2, discount <= 3/4",
            sides=_twice,
            searched=Arrangement(_most_of_a_process, lumped_cost),
        ),
        Kind.RESTRICTED,
        "splitting, discount 3/4: 1.075 at k = n = 2 and 0.425 at k = 1",
        LinearProcess(models.splitting(discount="3/4"), 2, 1, None, 0),
    ),
    Planted(
        times_constant("V2", "1/5"),
        Kind.CONSTANT,
        "tossed once: V_n - V_inf = gamma^2/(1-gamma) E|2X - n|/n, at n = 3 and discount 1/2 the bound times 0.2165",
        OfAgents(tossed("1/2"), 3),
    ),
    Planted(
        _changed(
            "V3f",
            "without the distance of the limit",
            sides=_plan_once,
            screen=plan_gap(_ONCE_WITHOUT_LIMIT, excess, anew=False),
        ),
        Kind.DROPPED,
        "at k = n the right side is the excess alone, and V_n is more than V_inf",
        Subsampled(tossed("1/2"), 3, 3),
    ),
    Planted(
        _values("E V_2k - V_n is at most half of E V_k - V_n", _halving, _less_than_half),
        Kind.EXPONENT,
        "optimism falls like 1/sqrt(k): fixed sides, 4 + 4 agents: 3/7 at k = 2 and 9/35 at k = 4",
        Subsampled(fixed_sides("1/2"), 8, 2),
    ),
    Planted(
        _values("E V_k is convex in k", _convexity, _two_fewer),
        Kind.MONOTONE,
        "fixed sides, 2 + 2 agents: 1, 1/3, 1/3, 0",
        Subsampled(fixed_sides("1/2"), 4, 2),
    ),
    Planted(
        _changed(
            "L1",
            "slope 2 rt_l (1 + gamma + gamma^2 + gamma^3), k >= 3",
            sides=partial(_times_sides, _four_terms, CATALOGUE["L1"].sides),
            screen=Screen(_four_terms_screen),
            searched=replace(CATALOGUE["L1"].searched, make=_three_or_more),  # type: ignore[type-var]
        ),
        Kind.EXPONENT,
        "agents that never move differ forever: the slope 2 rt_l/(1-gamma) is attained",
        TwoSizes(fixed_signs("1/2"), 3, 3),
    ),
    Planted(
        times_constant("R2", "97/100"),
        Kind.CONSTANT,
        "agents that never move: the difference is L TV, and the rest of the bound falls to 0 with the discount",
        Subsampled(fixed_signs("1/50"), 3, 1),
    ),
    Planted(
        times_constant("R2L", "7/10"),
        Kind.CONSTANT,
        "agents that never move: L TV against L (TV + 1/(2k)), at n = 6 and k = 3 a ratio of 3/4",
        Subsampled(fixed_signs("1/2"), 6, 3),
    ),
    Planted(
        _changed("B7", "three sevenths of the iterations", sides=_fewer_iterations),
        Kind.CONSTANT,
        "one reward: the error is gamma^t/(1-gamma), so for discounts near 1 half of the iterations are needed",
        OfSample(paid("9/10"), 1),
    ),
    Planted(
        _changed("N1b", "(1-gamma)^2 for (1-gamma)^5", sides=_lower_power),
        Kind.EXPONENT,
        "the samples that suffice grow like (1-gamma)^-4 where the span is 2 rt/(1-gamma)",
        OfSample(fixed_signs("9/10"), 1),
    ),
    Planted(
        _changed("R3k", "times 51/100, k >= 10", sides=_large_samples),
        Kind.CONSTANT,
        "E KL tends to half of the bound from above, (1/2)(1 + 1/(2k)) times it for two equal classes",
        SampledPopulation((40, 40), 10),
    ),
    Planted(
        _changed("C7", "where the distance before is 1/4 or more", sides=_far_apart),
        Kind.RESTRICTED,
        "two classes that stay keep the distance, a third one fluctuates",
        Transition((1, 0, 1), (1, 1, 2), seeded(6)),
    ),
    Planted(
        _changed("S1", "exponent |Z| - 3/2, four or more pairs", sides=partial(_power_of_k, Fraction(3, 2), 4)),
        Kind.EXPONENT,
        "C(k+2, 3) is about k^3/6, more than k^(5/2) from k = 30 on",
        Distributions(36, 4),
    ),
    Planted(
        _values_of_sizes("the largest value over states does not fall with n", 0, 1),
        Kind.MONOTONE,
        "drifting: the global agent follows one agent at every step, two agents only on average",
        OfAgents(drifting("1/2"), 1),
    ),
    Planted(
        _relation("the gap of systematic draws is at most that of independent ones", "systematic", "independent"),
        Kind.RELATION,
        "splitting, n = 5, k = 3: 0.253 against 0.193 (10 of 198 enumerated cases)",
        Subsampled(models.splitting(), 5, 3),
    ),
    Planted(
        _relation("the gap of independent draws is at most that with replacement", "independent", "with-replacement"),
        Kind.RELATION,
        "splitting, n = 3, k = 2: 4/9 against 10/27, since repetitions spread the actions (11 of 198 enumerated cases)",
        Subsampled(models.splitting(), 3, 2),
    ),
    Planted(
        _relation("the gap of a draw at each step is at most that of one draw forever", "shared", "fixed"),
        Kind.RELATION,
        "splitting, n = 2, k = 1: 0.367 against 0.275 (68 of 198 enumerated cases)",
        Subsampled(models.splitting(), 2, 1),
    ),
    Planted(
        _changed("A1", "eta for 2 eta", sides=_gain_within_eta),
        Kind.CONSTANT,
        "an answer that is not accepted may gain eta, and the best one eta more (18 of 534 random cases)",
        Subsampled(models.random_coupled(133, discount="1/2"), 3, 1),
    ),
)
"""Thirty false claims."""

TRUE: Final = (
    times_constant("R4", "101/100"),
    CATALOGUE["L1"],
    CATALOGUE["R1"],
    CATALOGUE["R2"],
    CATALOGUE["P4r"],
    CATALOGUE["R7b"],
    CATALOGUE["V1"],
    CATALOGUE["C4"],
    _changed("S1", "exponent |Z| - 1", sides=partial(_power_of_k, Fraction(1), 1)),
    _values_of_sizes("the largest value over states does not grow with n", 1, 0),
)
"""Ten true claims. ``C(k+Z-2, Z-1)`` is a product of ``(k-1+i)/i <= k``; ``V_{n+1}`` is at most a mean of ``V_n`` (R1)."""


# ----------------------------------------------------------------------------------------------------------------- earlier claims


def _control(claim_id: str, control: Control | None = None) -> Claim:
    """The sabotaged claim, of its own control or of another one."""
    claim = CATALOGUE[claim_id] if control is None else replace(CATALOGUE[claim_id], control=control)
    return _changed(claim_id, claim.control.sabotage, sides=claim.sabotaged)


def _less_fluctuation(right: Interval, case: Transition) -> Interval:
    """The right side of C7r with three quarters of the fluctuation."""
    return right - fluctuation(case) / 4


def _table_without_two(case: Distributions) -> Outcome:
    outcome = CATALOGUE["S1"].sides(case)
    assert isinstance(outcome, Sides)
    return replace(outcome, right=outcome.right * Fraction(1, case.subsample**2))


def _shifted_optimism(case: Subsampled) -> Outcome:
    """R1 with a thousandth of the range of a gap added to its left side."""
    outcome = CATALOGUE["R1"].sides(case)
    return replace(outcome, left=outcome.left + trivial_gap(case.model) / 1000) if isinstance(outcome, Sides) else outcome


def _even(model: Model, n: int, k: int) -> Subsampled | None:
    return fewer_sampled(model, n, k) if k % 2 == 0 else None


_ROOT_OF_THE_CUBE: Final = 2 * Z * sp.exp(-2 * k * n * epsilon ** sp.Rational(3, 2) / (n - k + 1))
_N_FOR_N_MINUS_1: Final = sp.sqrt((Z - 1) * (n - k) / (k * n)) / 2

EARLIER: Final = (
    times_constant("C1", "1/3"),
    _changed(
        "C1", "epsilon^1.5 for epsilon^2", sides=partial(tail_sides, largest_deviation, replace(SUP_NORM_TAIL, expression=_ROOT_OF_THE_CUBE))
    ),
    _changed("C4", "n for n - 1", sides=partial(mean_sides, exact_mean, replace(TV_MEAN_SHARP, expression=_N_FOR_N_MINUS_1), never_more)),
    _control("C4l", Control("2/5 for 1/4", left=by_factor(Fraction(8, 5)))),
    times_constant("C4m", "99/100"),
    _control("C7r", Control("three quarters of the fluctuation", right=_less_fluctuation)),
    times_constant("R3m", "3/4"),
    _changed("S1", "exponent |Z| - 2 for |Z|", sides=_table_without_two),
    _control("R1"),
    times_constant("L1", "99/100"),
    times_constant("R2", "9/10"),
    times_constant("R4", "1/2"),
    times_constant("R3", "2/5"),
    times_constant("R3k", "9/10"),
    times_constant("C5", "99/100"),
    times_constant("C5e", "99/100"),
    times_constant("S3", "7/10"),
    times_constant("B3", "19/20"),
    times_constant("B5", "19/20"),
    times_constant("B6", "3/5"),
    times_constant("X2", "9/10"),
    times_constant("N1", "1/2"),
    times_constant("B4r", "2/5"),
    _changed("R1", "shifted by a thousandth of the range", sides=_shifted_optimism),
    replace(_P4, id="P4, even k", searched=Arrangement(_even, rational_cost)),
    _relation("the gap under a shared list is at most that under a shared draw", "shared-list", "shared"),
)
"""False claims that are known to be found."""
