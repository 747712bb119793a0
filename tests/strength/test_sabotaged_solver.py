"""The agreement checks can fail: each solver is sabotaged in one small way, and the check against the oracle must notice.

Every case first passes its check untouched, then one function of the solver is replaced by a slightly wrong one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import comb, factorial, prod
from typing import Any

import numpy as np
import pytest

from mfverify import counts
from mfverify.bellman import labelled, lumped, sampled, sweeps
from mfverify.enclosure import Enclosure
from mfverify.exact import optimal, policy_value, rational
from mfverify.model import Model
from mfverify.models import coordination
from mfverify.subsample_mfq import execution, learning, ties
from tests import oracles
from tests.agreement import checks
from tests.agreement.checks import check_execution, check_methods_agree, check_optimal_value, check_policy, instance_of, model_of
from tests.oracles import assert_encloses, random_instance, with_local_reward

TWO = random_instance(1, 2, 2, 2, 2)
THREE = random_instance(2, 2, 2, 3, 2)
COORDINATION = instance_of(coordination())
NEAR_TIE = with_local_reward(COORDINATION, 1, 1, 1, Fraction(1, 10**30))

Patch = pytest.MonkeyPatch
Check = Callable[[], None]

OF_TWO: Check = partial(check_optimal_value, TWO, 3, "lumped")
OF_THREE: Check = partial(check_optimal_value, THREE, 2, "lumped")
OF_FLAT: Check = partial(check_optimal_value, TWO, 2, "flat")
OF_RATIONAL: Check = partial(check_optimal_value, TWO, 2, "rational")
OF_BOTH: Check = partial(check_methods_agree, TWO, 3)
OF_INDEPENDENT: Check = partial(check_execution, COORDINATION, 3, 2, "independent")
OF_SHARED: Check = partial(check_execution, COORDINATION, 3, 2, "shared")


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
    return first + np.array([-1e-6, 1e-6]), second, rest


def moved_rows(original: Any, model: Model, name: str) -> Any:
    """The same in the arrays of the labelled operator."""
    array = original(model, name)
    if name == "local_kernel":
        array = array + 1e-6 * np.where(np.arange(array.shape[-1]) == 0, -1.0, 1.0 / max(array.shape[-1] - 1, 1))
    return array


def moved_tree(original: Any, f: Any, up: Any, sizes: Any, weights: Any, n: int, length: int) -> Any:
    return original(f, up, sizes, weights + 1e-6 * (np.arange(weights.shape[1]) == 1), n, length)


def shifted(original: Any, operator: Any, g: int, value: Any) -> Any:
    """Every reward a millionth too large."""
    return [table + 1e-6 for table in original(operator, g, value)]


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


def without_last_global_action(original: Any, operator: Any, g: int, value: Any) -> Any:
    return original(operator, g, value)[:-1]


def without_last_joint_action(original: Any, system: Any, counts_: Any) -> Any:
    found = list(original(system, counts_))
    return iter(found[:-1] if len(found) > 1 else found)


def image_hardly_off(original: Any, operator: Any, value: Any) -> Any:
    """The image of the operator is off by a ten-thousandth of a millionth, hundred times its error bound."""
    image, policy = original(operator, value)
    return image + 1e-10, policy


def reward_hardly_off(original: Any, system: Any, g: int, action: Any) -> Any:
    return original(system, g, action) + rational._fmpq(Fraction(1, 10**12))


def with_replacement(original: Any, population: Any, samples: Any) -> Any:
    """The numerators of draws with replacement, over ``n^k``."""
    k = int(samples[0].sum())
    weights = [
        factorial(k) // prod(factorial(int(x)) for x in row) * prod(size ** int(x) for size, x in zip(population, row, strict=True))
        for row in samples
    ]
    return np.array(weights, dtype=object)


def over_powers(original: Any, learned: Any, n: int) -> Any:
    return replace(original(learned, n), global_denominator=n**learned.k, local_denominator=(n - 1) ** (learned.k - 1))


def draws_with_replacement(patch: Patch) -> None:
    Around(execution, "_numerators", with_replacement)(patch)
    Around(execution, "policy_marginals", over_powers)(patch)


def uniform_over_samples(original: Any, population: Any, k: int) -> Any:
    """Every count vector of a sample equally likely."""
    law = original(population, k)
    return [(sample, Fraction(1, len(law))) for sample, _ in law]


def laws_leak(original: Any, *arguments: Any) -> Any:
    """A millionth of the probability is lost."""
    return original(*arguments) * (1 - 1e-6)


def largest_of_ties(patch: Patch) -> None:
    """The policy tables take the largest action among the maximisers."""
    patch.setattr(learning, "min", max, raising=False)


def largest_joint_action(patch: Patch) -> None:
    """A shared sample plays the largest of its maximisers."""
    patch.setattr(execution, "min", max, raising=False)


def shared_for_independent(patch: Patch) -> None:
    """Everybody uses one draw although each should use its own."""
    patch.setattr(execution, "independent_chain", execution.shared_chain)


def never_copying(_original: Any, _counts: Any, _sample: Any, _s: int, local_actions: int) -> Any:
    return np.array([Fraction(int(a == 0)) for a in range(local_actions)], dtype=object)


def everything_is_the_same(_original: Any, _operator: Any, _g: int, _candidates: Any) -> bool:
    return True


def first_candidates(_original: Any, _operator: Any, candidates: Any) -> Any:
    return {state: actions[:1] for state, actions in candidates.items()}


def satisfied_too_early(patch: Patch) -> None:
    """The solver is content with a width that nobody asked for."""
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
    "lumped: kernel weight": (OF_TWO, Around(lumped, "_segment_weights", moved_weight)),
    "lumped: kernel weight, three local states": (OF_THREE, Around(sweeps, "expectation_tree", moved_tree)),
    "lumped: reward": (OF_TWO, Around(lumped.LumpedOperator, "action_values", shifted)),
    "lumped: discount": (OF_TWO, Around(lumped.LumpedOperator, "action_values", discounted_twice)),
    "lumped: local action dropped": (OF_TWO, Around(lumped, "choices_in", without_last_local_action)),
    "lumped: global action dropped": (OF_TWO, Around(lumped.LumpedOperator, "action_values", without_last_global_action)),
    "lumped: image hardly off": (OF_TWO, Around(lumped.LumpedOperator, "apply", image_hardly_off)),
    "lumped: count vectors reversed": (OF_TWO, Around(checks, "optimal_value", reversed_counts)),
    "lumped: count vector missing": (OF_TWO, Around(checks, "optimal_value", missing_column)),
    "flat: kernel weight": (OF_FLAT, Around(Model, "floats", moved_rows)),
    "flat: reward": (OF_FLAT, Around(labelled.LabelledOperator, "action_values", shifted_table)),
    "flat: discount": (OF_FLAT, Around(labelled.LabelledOperator, "action_values", discounted_twice)),
    "flat: stops too early": (OF_FLAT, satisfied_too_early),
    "flat and lumped: reward of one": (OF_BOTH, Around(labelled.LabelledOperator, "action_values", shifted_table)),
    "flat and lumped: action of the other": (OF_BOTH, Around(lumped, "choices_in", without_last_local_action)),
    "rational: reward": (OF_RATIONAL, Around(rational.RationalSystem, "reward", reward_hardly_off)),
    "rational: joint action dropped": (OF_RATIONAL, Around(rational.RationalSystem, "local_action_counts", without_last_joint_action)),
    "execution: draws with replacement": (OF_INDEPENDENT, draws_with_replacement),
    "execution: one draw for all": (OF_INDEPENDENT, shared_for_independent),
    "execution: laws leak": (OF_INDEPENDENT, Around(sweeps, "next_count_laws", laws_leak)),
    "execution: ties the other way": (OF_INDEPENDENT, largest_of_ties),
    "shared: laws leak": (OF_SHARED, Around(sweeps, "next_count_laws", laws_leak)),
    "shared: uniform over samples": (OF_SHARED, Around(counts, "subsample_law", uniform_over_samples)),
    "shared: nobody copies": (OF_SHARED, Around(execution, "copied_mixture", never_copying)),
    "shared: ties the other way": (OF_SHARED, largest_joint_action),
    "policy: ties the other way": (OF_TIES, largest_of_ties),
    "policy: near-ties taken for ties": (OF_NEAR_TIES, Around(ties, "_same_expression", everything_is_the_same)),
    "policy: exact comparison skipped": (OF_NEAR_TIES, Around(ties, "_decide_exactly", first_candidates)),
}


@pytest.mark.parametrize("case", SABOTAGES)
def test_check_notices(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check, sabotage = SABOTAGES[case]
    check()
    with monkeypatch.context() as patch:
        sabotage(patch)
        with pytest.raises(AssertionError):
            check()
    check()


# ------------------------------------------------------------------------------------------------- the certificates themselves


def test_an_understated_rounding_error_is_noticed_unless_the_bound_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that always rounds down to 20 bits is caught, and is sound again once its error bound admits it."""
    original = lumped.LumpedOperator.apply

    def coarse(operator: Any, value: Any) -> Any:
        image, policy = original(operator, value)
        return image - np.abs(image) * 2.0**-20, policy

    def honest(operator: Any, value: Any) -> Fraction:
        return Fraction(1, 2**19) * (TWO.rt + Fraction(float(np.abs(value).max())))

    monkeypatch.setattr(lumped.LumpedOperator, "apply", coarse)
    with pytest.raises(AssertionError, match="misses"):
        OF_TWO()
    monkeypatch.setattr(lumped.LumpedOperator, "error", honest)
    system = oracles.LabelledSystem(TWO, 3)
    assert_encloses(optimal.optimal_value(model_of(TWO), 3), system.by_counts(system.optimum), TWO, 3)


def test_an_understated_error_of_a_policy_chain_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    original = policy_value.PolicyChain.expect

    def coarse(chain: Any, value: Any) -> Any:
        expected = original(chain, value)
        return expected - np.abs(expected) * 2.0**-20

    monkeypatch.setattr(policy_value.PolicyChain, "expect", coarse)
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


def test_the_law_with_replacement_used_here_is_a_law_and_differs() -> None:
    samples = counts.count_vectors(2, 2)
    weights = with_replacement(None, (2, 1), samples)
    assert weights.tolist() == [1, 4, 4]
    assert sum(weights) == 3**2
    assert execution._numerators((2, 1), samples).tolist() == [0, 2, 1]
    assert comb(3, 2) == 3
