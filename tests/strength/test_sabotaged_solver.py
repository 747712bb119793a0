"""The agreement checks can fail: each solver is sabotaged in one small way, and the check against the oracle must notice.

Every case first passes its check untouched, then one function of the solver is replaced by a slightly wrong one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from math import comb
from typing import Any

import numpy as np
import pytest

from mfverify import counts
from mfverify.bellman import fused, labelled, lumped, sampled, small, sweeps, tabled
from mfverify.enclosure import Enclosure
from mfverify.exact import optimal, rational
from mfverify.model import Model
from mfverify.models import coordination, random_coupled
from mfverify.subsample_mfq import binomial_rows, group_laws, learning, plays, small_chains, ties, truncated_chain, uniform_subset
from mfverify.subsample_mfq.draws import independent, shared, shared_list, stratified, with_replacement
from mfverify.subsample_mfq.learning import Learned
from tests import oracles
from tests.agreement import checks
from tests.agreement.checks import (
    check_against_exact,
    check_execution,
    check_methods_agree,
    check_optimal_value,
    check_policy,
    instance_of,
    model_of,
)
from tests.oracles import assert_encloses, moving_instance, random_instance, with_local_reward

TWO = random_instance(1, 2, 2, 2, 2)
THREE = random_instance(2, 2, 2, 3, 2)
COORDINATION = instance_of(coordination())
NEAR_TIE = with_local_reward(COORDINATION, 1, 1, 1, Fraction(1, 10**30))

Patch = pytest.MonkeyPatch
Check = Callable[[], None]

OF_TWO: Check = partial(check_optimal_value, TWO, 3, "lumped")
OF_THREE: Check = partial(check_optimal_value, THREE, 2, "lumped")
OF_SHARING_TWO: Check = partial(check_optimal_value, moving_instance(1, 2, 2, 2), 3, "lumped")
OF_SHARING_THREE: Check = partial(check_optimal_value, moving_instance(5, 2, 3, 3), 2, "lumped")
OF_SEVEN: Check = partial(check_optimal_value, random_instance(7, 2, 2, 2, 2), 3, "lumped")
OF_SIX: Check = partial(check_methods_agree, random_instance(2, 2, 2, 2, 2), 6)
OF_FLAT: Check = partial(check_optimal_value, TWO, 2, "flat")
OF_RATIONAL: Check = partial(check_optimal_value, TWO, 2, "rational")
OF_BOTH: Check = partial(check_methods_agree, TWO, 3)
OF_INDEPENDENT: Check = partial(check_execution, COORDINATION, 3, 2, "independent")
OF_SHARED: Check = partial(check_execution, COORDINATION, 3, 2, "shared")
OF_SHARED_TWO: Check = partial(check_execution, TWO, 3, 2, "shared")
OF_INDEPENDENT_THREE: Check = partial(check_execution, THREE, 2, 2, "independent")
OF_SHARED_THREE: Check = partial(check_execution, THREE, 2, 2, "shared")
OF_LIST: Check = partial(check_execution, COORDINATION, 4, 2, "shared-list")
OF_STRATIFIED: Check = partial(check_execution, COORDINATION, 3, 2, "stratified")
OF_FIXED: Check = partial(check_execution, TWO, 3, 2, "fixed")


@cache
def of_five() -> Learned:
    """What five agents learn, with the right solver: not when tests are only collected."""
    return learning.learn(random_coupled(4), 5)


def of_many() -> None:
    """Forty agents that sample five, in their enclosure and in rationals."""
    check_against_exact(of_five(), 40)


def of_policy(instance: oracles.Instance, k: int, regime: str) -> None:
    """Learn, then compare the tables with the oracle."""
    check_policy(instance, learning.learn(model_of(instance), k, regime=regime))


OF_TIES: Check = partial(of_policy, COORDINATION, 2, "mean-field")
OF_NEAR_TIES: Check = partial(of_policy, NEAR_TIE, 2, "mean-field")


@dataclass(frozen=True)
class Around:
    """Replace ``owner.name`` by ``change(original, *arguments)``."""

    owner: Any
    name: str
    change: Callable[..., Any]

    def __call__(self, patch: Patch) -> None:
        original = getattr(self.owner, self.name)
        change = self.change

        def sabotaged(*arguments: Any, **named: Any) -> Any:
            return change(original, *arguments, **named)

        patch.setattr(self.owner, self.name, sabotaged)


# -------------------------------------------------------------------------------------------------------- the small wrong ways


def moved_weight(original: Any, kernels: Any) -> Any:
    """A millionth of probability goes to the wrong local state."""
    first, second, rest = original(kernels)
    return first + np.array([-1e-6, 1e-6]), second + np.array([1e-6, -1e-6]), rest


def moved_vertex(original: Any, *arguments: Any) -> Any:
    """The same in the plan of a fused sweep, at the first vertex that is exchanged."""
    plan = original(*arguments)
    moved = plan.exchange_weights.copy()
    moved[0, :2] += np.array([1e-6, -1e-6])
    return replace(plan, exchange_weights=moved)


def step_hardly_off(original: Any, *arguments: Any) -> Any:
    """The reward of the choices beyond the vertices is a millionth too large."""
    plan = original(*arguments)
    one = plan.chain_weights.copy()
    one[-1] += 1e-6
    return replace(plan, slot_steps=plan.slot_steps + 1e-6, chain_weights=one)


def without_last_lanes(original: Any, sweep: Any, expected: Any, wanted: Any) -> Any:
    """Of four rows that are walked at once only the first is looked at."""
    places = sweep._places.copy()
    places[1:] = -1
    sweep.__dict__["_places"] = places
    return original(sweep, expected, wanted)


def without_last_worker(original: Any, sweep: Any, expected: Any, wanted: Any) -> Any:
    """Only the first count of the first slot, and the three beside it, are walked: what another thread would have found is lost."""
    tasks, numbers = sweep._tasks
    sweep.__dict__["_tasks"] = (tasks[:, :1], numbers[:, :1])
    return original(sweep, expected, wanted)


def moved_rows(original: Any, model: Model, name: str) -> Any:
    """The same in the arrays of the labelled operator."""
    array = original(model, name)
    if name == "local_kernel":
        array = array + 1e-6 * np.where(np.arange(array.shape[-1]) == 0, -1.0, 1.0 / max(array.shape[-1] - 1, 1))
    return array


def moved_copies(original: Any, model: Model, merged: bool = True) -> Any:
    """The same in the copies of small systems."""
    found = original(model, merged)
    size = found.local_kernel.shape[-1]
    return found._replace(local_kernel=found.local_kernel + 1e-6 * np.where(np.arange(size) == 0, -1.0, 1.0 / (size - 1)))


def hardly_discounted_less(original: Any, model: Model, merged: bool = True) -> Any:
    found = original(model, merged)
    return found._replace(discount=found.discount * (1 - 1e-6))


def merged_wrongly(original: Any, model: Model, merged: bool = True) -> Any:
    """The last local action is taken for one that another replaces."""
    found = original(model, merged)
    left = found.local_reward.copy()
    left[..., -1] = -np.inf
    return found._replace(local_reward=left)


def of_other_states(original: Any, *arguments: Any) -> Any:
    """The joint actions of two count vectors of equally many are exchanged."""
    found = original(*arguments)
    return found._replace(members=found.members[::-1].copy(), here=found.here[::-1].copy())


def next_best(original: Any, *arguments: Any) -> Any:
    value, ends, policy = original(*arguments)
    return value, ends, np.stack([1 - policy[0], policy[1]])


def moved_draws(original: Any, *arguments: Any) -> Any:
    """A millionth more draws lead to every sample of others."""
    found = original(*arguments)
    return found._replace(of_local=found.of_local * (1 + 1e-6))


def uniform_draws(original: Any, *arguments: Any) -> Any:
    found = original(*arguments)
    possible = found.of_global > 0
    return found._replace(of_global=found.every[0] * possible / possible.sum(axis=1, keepdims=True))


def first_action(original: Any, models: Any, n: int, k: int, policies: Any, *arguments: Any) -> Any:
    """Members of a shared sample play action 0."""
    size, _, actions, _ = models.local_kernel.shape[1:]
    counted = policies.action_counts.reshape(*policies.action_counts.shape[:3], size, actions)
    moved = np.zeros_like(counted)
    moved[..., 0] = counted.sum(axis=-1)
    return original(models, n, k, policies._replace(action_counts=moved.reshape(policies.action_counts.shape)), *arguments)


def moved_tree(original: Any, f: Any, up: Any, sizes: Any, weights: Any, n: int, length: int) -> Any:
    return original(f, up, sizes, weights + 1e-6 * (np.arange(weights.shape[1]) == 1), n, length)


def shifted(original: Any, operator: Any, g: int, value: Any, wanted: Any) -> Any:
    """Every reward a millionth too large."""
    return [found._replace(values=found.values + 1e-6) for found in original(operator, g, value, wanted)]


def shifted_table(original: Any, operator: Any, g: int, value: Any) -> Any:
    return original(operator, g, value) + 1e-6


def discounted_twice(original: Any, operator: Any, g: int, value: Any) -> Any:
    """The discount a millionth too small."""
    return original(operator, g, value * (1 - 1e-6))


def without_last_local_action(original: Any, model: Model, g: int) -> Any:
    """Wherever a local state has a choice, its last one is forgotten."""
    full = original(model, g)
    kept: list[int] = []
    starts = [0]
    for s in range(len(full.starts) - 1):
        mine = list(range(int(full.starts[s]), int(full.starts[s + 1])))
        kept += mine[:-1] if len(mine) > 1 else mine
        starts.append(len(kept))
    return replace(
        full, starts=np.array(starts), kernel=full.kernel[kept], action=full.action[kept], reward=tuple(full.reward[j] for j in kept)
    )


def without_last_global_action(original: Any, operator: Any, g: int, value: Any, wanted: Any) -> Any:
    found = original(operator, g, value, wanted)
    return found[:-1] if len(found) > 1 else found


def without_last_joint_action(original: Any, system: Any, counts_: Any) -> Any:
    found = list(original(system, counts_))
    return iter(found[:-1] if len(found) > 1 else found)


def image_slightly_off(original: Any, operator: Any, value: Any, wanted: Any) -> Any:
    """The image of the operator is off by a ten-thousandth of a millionth, hundred times its error bound."""
    image, policy = original(operator, value, wanted)
    return image + 1e-10, policy


def reward_hardly_off(original: Any, system: Any, g: int, action: Any) -> Any:
    return original(system, g, action) + rational._fmpq(Fraction(1, 10**12))


def of_the_way(module: Any, field: str, change: Callable[..., Any]) -> Callable[[Patch], None]:
    """Sabotage one function of a way of drawing."""

    def sabotage(patch: Patch) -> None:
        patch.setattr(module, "WAY", replace(module.WAY, **{field: partial(change, getattr(module.WAY, field))}))

    return sabotage


def drawn_with_replacement(_original: Any, *arguments: Any) -> Any:
    return with_replacement.WAY.two_state_marginals(*arguments)


def numerators_with_replacement(patch: Patch) -> None:
    patch.setattr(independent, "WAY", replace(with_replacement.WAY, two_state_marginals=independent.WAY.two_state_marginals))


def drawn_from_everybody(original: Any, n: int, k: int, *arguments: Any) -> Any:
    """The samples of one more agent."""
    return tuple(found[:, : n + 1] for found in original(n + 1, k, *arguments))


def moved_odds(original: Any, *arguments: Any) -> Any:
    """A millionth of the odds of every move."""
    odds = original(*arguments)
    return replace(odds, rows=odds.rows * (1 + 1e-6))


def shifted_rows(original: Any, *arguments: Any) -> Any:
    """All next counts are one too large."""
    for block in original(*arguments):
        yield replace(block, rows=np.roll(block.rows, 1, axis=1))


def cut_rows(original: Any, block: Any) -> Any:
    """Entries below a millionth are dropped as if they were nothing."""
    return original(np.where(block < 1e-6, 0.0, block))


def uniform_weights(original: Any, *arguments: Any) -> Any:
    """Every count vector of a sample equally likely."""
    law = original(*arguments)
    law.rows.data = 1.0 / np.repeat(np.diff(law.rows.indptr), np.diff(law.rows.indptr))
    return law


def without_members(original: Any, *arguments: Any) -> Any:
    """Members of a shared list play what outsiders play."""
    return [replace(play, members=()) for play in original(*arguments)]


def others_earn_more(original: Any, *arguments: Any) -> Any:
    return original(*arguments) + Fraction(1, 10**6)


def sorted_for_systematic(original: Any, population: Any, k: int) -> Any:
    """The first agents instead of equally spaced ones."""
    sample = []
    for x in population:
        sample.append(min(x, k - sum(sample)))
    return {tuple(sample): Fraction(1)}


def laws_leak(original: Any, *arguments: Any) -> Any:
    """A millionth of the probability is lost."""
    return original(*arguments) * (1 - 1e-6)


def largest_of_ties(patch: Patch) -> None:
    """The policy tables take the largest action among the maximisers."""
    patch.setattr(learning, "min", max, raising=False)


def largest_joint_action(patch: Patch) -> None:
    """A shared sample plays the largest of its maximisers."""
    patch.setattr(plays, "min", max, raising=False)


def shared_for_independent(patch: Patch) -> None:
    """All agents use one draw although each should use its own."""
    patch.setattr(independent, "WAY", shared_list.WAY)


def never_copying(_original: Any, _counts: Any, _sample: Any, _s: int, local_actions: int) -> Any:
    return np.array([Fraction(int(a == 0)) for a in range(local_actions)], dtype=object)


def everything_is_the_same(_original: Any, _operator: Any, _g: int, _candidates: Any) -> bool:
    return True


def first_candidates(_original: Any, _operator: Any, candidates: Any, _start: Any) -> Any:
    return {state: actions[:1] for state, actions in candidates.items()}


def satisfied_too_early(patch: Patch) -> None:
    """The solver accepts a width that was not requested."""
    patch.setattr(checks, "optimal_value", partial(optimal.optimal_value, width=1e-3))


def reversed_counts(original: Any, *arguments: Any, **named: Any) -> Any:
    """The count vectors come in descending order."""
    found = original(*arguments, **named)
    return Enclosure(found.lower[:, ::-1], found.upper[:, ::-1])


def missing_column(original: Any, *arguments: Any, **named: Any) -> Any:
    """The last count vector is forgotten."""
    found = original(*arguments, **named)
    return Enclosure(found.lower[:, :-1], found.upper[:, :-1])


SABOTAGES: dict[str, tuple[Check, Callable[[Patch], None]]] = {
    "lumped: kernel weight": (OF_TWO, Around(fused, "plan_walk", moved_vertex)),
    "lumped: kernel weight, three local states": (OF_THREE, Around(fused, "plan_walk", moved_vertex)),
    "lumped: kernel weight, two shared kernels": (OF_SHARING_TWO, Around(tabled, "_segment_weights", moved_weight)),
    "lumped: kernel weight, shared kernels of three local states": (OF_SHARING_THREE, Around(sweeps, "expectation_tree", moved_tree)),
    "lumped: reward rides wrongly": (OF_TWO, Around(fused, "plan_walk", step_hardly_off)),
    "lumped: lanes are lost": (OF_SEVEN, Around(fused.FusedSweep, "maximum", without_last_lanes)),
    "lumped: a thread is lost": (OF_SIX, Around(fused.FusedSweep, "maximum", without_last_worker)),
    "lumped: reward": (OF_TWO, Around(lumped.LumpedOperator, "local_maxima", shifted)),
    "lumped: discount": (OF_TWO, Around(lumped.LumpedOperator, "_rows", discounted_twice)),
    "lumped: local action dropped": (OF_TWO, Around(lumped, "choices_in", without_last_local_action)),
    "lumped: global action dropped": (OF_TWO, Around(lumped.LumpedOperator, "local_maxima", without_last_global_action)),
    "lumped: image slightly off": (OF_TWO, Around(lumped.LumpedOperator, "sweep", image_slightly_off)),
    "lumped: count vectors reversed": (OF_TWO, Around(checks, "optimal_value", reversed_counts)),
    "lumped: count vector missing": (OF_TWO, Around(checks, "optimal_value", missing_column)),
    "small: kernel weight": (OF_TWO, Around(small, "copies", moved_copies)),
    "small: discount": (OF_TWO, Around(small, "copies", hardly_discounted_less)),
    "small: joint actions of other states": (OF_THREE, Around(small, "plan", of_other_states)),
    "small: actions that are needed are merged": (OF_TWO, Around(small, "copies", merged_wrongly)),
    "small: the next best joint action": (partial(of_policy, TWO, 3, "mean-field"), Around(small, "solve_alone", next_best)),
    "small: draws of others": (OF_INDEPENDENT_THREE, Around(small_chains, "draws", moved_draws)),
    "small: shared draws uniform over samples": (OF_SHARED_TWO, Around(small_chains, "draws", uniform_draws)),
    "small: members that play otherwise": (OF_SHARED_TWO, Around(small_chains, "execute", first_action)),
    "flat: kernel weight": (OF_FLAT, Around(Model, "floats", moved_rows)),
    "flat: reward": (OF_FLAT, Around(labelled.LabelledOperator, "action_values", shifted_table)),
    "flat: discount": (OF_FLAT, Around(labelled.LabelledOperator, "action_values", discounted_twice)),
    "flat: stops too early": (OF_FLAT, satisfied_too_early),
    "flat and lumped: reward of one": (OF_BOTH, Around(labelled.LabelledOperator, "action_values", shifted_table)),
    "flat and lumped: action of the other": (OF_BOTH, Around(lumped, "choices_in", without_last_local_action)),
    "rational: reward": (OF_RATIONAL, Around(rational.RationalSystem, "reward", reward_hardly_off)),
    "rational: joint action dropped": (OF_RATIONAL, Around(rational.RationalSystem, "local_action_counts", without_last_joint_action)),
    "execution: draws with replacement": (OF_INDEPENDENT, of_the_way(independent, "two_state_marginals", drawn_with_replacement)),
    "execution: draws with replacement, three local states": (OF_INDEPENDENT_THREE, numerators_with_replacement),
    "execution: draws from more agents": (OF_INDEPENDENT, of_the_way(independent, "two_state_marginals", drawn_from_everybody)),
    "execution: one draw for all": (OF_INDEPENDENT, shared_for_independent),
    "execution: odds": (OF_INDEPENDENT, Around(binomial_rows, "odds_of", moved_odds)),
    "execution: counts shifted": (OF_INDEPENDENT, Around(binomial_rows, "independent_rows", shifted_rows)),
    "execution: rows cut": (of_many, Around(truncated_chain, "_kept", cut_rows)),
    "execution: laws leak, three local states": (OF_INDEPENDENT_THREE, Around(sweeps, "next_count_laws", laws_leak)),
    "execution: ties the other way": (OF_INDEPENDENT, largest_of_ties),
    "shared: odds": (OF_SHARED_TWO, Around(binomial_rows, "odds_of", moved_odds)),
    "shared: laws leak, three local states": (OF_SHARED_THREE, Around(sweeps, "next_count_laws", laws_leak)),
    "shared: uniform over samples": (OF_SHARED, of_the_way(shared, "two_state_weights", uniform_weights)),
    "shared: no agent copies": (OF_SHARED, Around(plays, "copied_mixture", never_copying)),
    "shared: ties the other way": (OF_SHARED, largest_joint_action),
    "shared list: uniform over draws": (OF_LIST, of_the_way(shared_list, "two_state_weights", uniform_weights)),
    "shared list: members follow outsiders": (OF_LIST, of_the_way(shared_list, "plays", without_members)),
    "stratified: not systematic": (OF_STRATIFIED, Around(stratified, "stratified_law", sorted_for_systematic)),
    "fixed: odds": (OF_FIXED, Around(binomial_rows, "odds_of", moved_odds)),
    "fixed: no agent copies": (OF_FIXED, Around(plays, "copied_mixture", never_copying)),
    "fixed: first draw uniform over samples": (OF_FIXED, of_the_way(shared, "two_state_weights", uniform_weights)),
    "fixed: others' rewards": (OF_FIXED, Around(group_laws, "earned_by", others_earn_more)),
    "policy: ties the other way": (OF_TIES, largest_of_ties),
    "policy: near-ties taken for ties": (OF_NEAR_TIES, Around(ties, "_same_expression", everything_is_the_same)),
    "policy: exact comparison skipped": (OF_NEAR_TIES, Around(ties, "_decide_exactly", first_candidates)),
}


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was computed with the right solver, or with a sabotaged one, is not taken again."""
    for name in ("model_of", "policy_of", "rules_of"):
        monkeypatch.setattr(checks, name, getattr(checks, name).__wrapped__)


@pytest.mark.parametrize("case", SABOTAGES)
def test_check_notices(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check, sabotage = SABOTAGES[case]
    check()
    with monkeypatch.context() as patch:
        patch.setattr(Model, "_kept", property(lambda _: {}))  # what was derived before is derived again
        patch.setattr(small, "_packed_plan", small._packed_plan.__wrapped__)
        sabotage(patch)
        with pytest.raises(AssertionError):
            check()
    check()


# ------------------------------------------------------------------------------------------------- the certificates themselves


def test_an_understated_rounding_error_is_noticed_unless_the_bound_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that always rounds down to 20 bits is caught, and is sound again once its error bound admits it."""
    original = lumped.LumpedOperator.sweep

    def coarse(operator: Any, value: Any, wanted: Any) -> Any:
        image, policy = original(operator, value, wanted)
        return image - np.abs(image) * 2.0**-20, policy

    def honest(operator: Any, value: Any) -> Fraction:
        return Fraction(1, 2**19) * (TWO.rt + Fraction(float(np.abs(value).max())))

    monkeypatch.setattr(lumped.LumpedOperator, "sweep", coarse)
    with pytest.raises(AssertionError, match="misses"):
        OF_TWO()
    monkeypatch.setattr(lumped.LumpedOperator, "error", honest)
    system = oracles.LabelledSystem(TWO, 3)
    assert_encloses(optimal.optimal_value(model_of(TWO), 3), system.by_counts(system.optimum), TWO, 3)


def test_rows_that_are_cut_are_sound_again_once_the_bound_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    of_five()
    Around(truncated_chain, "_kept", cut_rows)(monkeypatch)
    with pytest.raises(AssertionError, match="misses"):
        of_many()
    monkeypatch.setattr(truncated_chain, "dropped", lambda columns: columns * Fraction(1, 10**6))
    monkeypatch.setattr(checks, "WIDTH", 1.0)
    of_many()


def test_an_understated_error_of_a_policy_chain_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    original = truncated_chain.ProductRows.expect

    def coarse(chain: Any, value: Any) -> Any:
        expected = original(chain, value)
        return expected - np.abs(expected) * 2.0**-20

    monkeypatch.setattr(truncated_chain.ProductRows, "expect", coarse)
    with pytest.raises(AssertionError, match="misses"):
        check_execution(TWO, 3, 2, "independent")


def test_a_sampled_operator_with_other_samples_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = random_instance(33, 2, 2, 2, 2)
    model = model_of(instance)
    operator = sampled.SampledOperator(model, 2, 3, np.random.default_rng(9))
    flat = operator.successors
    decisions: dict[int, dict[int, Any]] = {}
    for i in range(len(operator.states)):
        pairs = operator.pairs_of(i)
        decisions[i] = {
            j: (operator.rewards[j], {int(t): Fraction(int((flat[j] == t).sum()), 3) for t in set(flat[j].tolist())})
            for j in range(pairs.start, pairs.stop)
        }
    value, _ = oracles.solve_decisions(decisions, instance.discount)
    expected = {state: value[i] for i, state in enumerate(operator.states)}
    assert_encloses(learning.learn(model, 2, samples=3, seed=9).value, expected, instance, 2)
    with pytest.raises(AssertionError, match="misses"):
        assert_encloses(learning.learn(model, 2, samples=3, seed=10).value, expected, instance, 2)


def test_the_numerators_of_draws_count_what_they_should() -> None:
    samples = counts.count_vectors(2, 2)
    assert with_replacement.sequence_numerators((2, 1), samples).tolist() == [1, 4, 4]
    assert uniform_subset.subset_numerators((2, 1), samples).tolist() == [0, 2, 1]
    assert comb(3, 2) == 3
