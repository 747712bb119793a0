"""Screens for the kinds of sides that several claims have: gaps, values across sizes, Lipschitz continuity.

What a screen is: :mod:`mfverify.theory.screen`. A screen for sides of another kind belongs into the file of its claim.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial, reduce
from math import comb, lcm, nextafter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import sympy as sp

from mfverify import batch, counts, screening, screening_labelled
from mfverify.enclosure import Interval
from mfverify.errors import ModelError, TooLargeError
from mfverify.papers.mean_field_sampling.symbols import eps_km
from mfverify.screening import Models, Solved
from mfverify.screening_plans import controller
from mfverify.theory import symbols
from mfverify.theory.bound import Bound
from mfverify.theory.screen import Exactness, Screen

if TYPE_CHECKING:
    from mfverify.notation import Floats, Integers

_COMPILED_FROM: Final = 5
"""Agents from which on compiled loops are faster than arrays: 1.0 times at 4 agents, 3 times at 8, in processor time."""

Two: TypeAlias = "tuple[Floats, Floats]"
"""Left and right side of each model; or an upper bound of the left side less the right side, and a ratio for the reader."""


# ------------------------------------------------------------------------------------------------------------- right-hand sides


_NODES: dict[type[sp.Basic], Callable[..., Any]] = {
    sp.Add: lambda *parts: reduce(np.add, parts),
    sp.Mul: lambda *parts: reduce(np.multiply, parts),
    sp.Pow: np.power,
    sp.log: np.log,
    sp.exp: np.exp,
    sp.Max: lambda *parts: reduce(np.maximum, parts),
    sp.Min: lambda *parts: reduce(np.minimum, parts),
    sp.StrictLessThan: np.less,
    sp.LessThan: np.less_equal,
    sp.StrictGreaterThan: np.greater,
    sp.GreaterThan: np.greater_equal,
}


def _in_doubles(expr: sp.Basic, values: Mapping[sp.Symbol, Any]) -> Any:
    """An expression on arrays of values; nan where it has none. Raises :class:`ModelError` for a node that a screen does not know."""
    if isinstance(expr, sp.Symbol):
        return np.asarray(values[expr], dtype=float)
    if expr in (sp.true, sp.false):
        return bool(expr)
    if isinstance(expr, sp.Number | sp.NumberSymbol):
        return float(expr)
    if isinstance(expr, sp.Piecewise):
        pieces, conditions = zip(*((_in_doubles(x, values), _in_doubles(condition, values)) for x, condition in expr.args), strict=True)
        return np.select(np.broadcast_arrays(*conditions), np.broadcast_arrays(*pieces), np.nan)
    node = next((node for kind, node in _NODES.items() if isinstance(expr, kind)), None)
    if node is None:
        raise ModelError(f"{expr}: a node of kind {type(expr).__name__} has no screen")
    return node(*(_in_doubles(part, values) for part in expr.args))


def _known(models: Models, n: int, k: int) -> dict[sp.Symbol, Any]:
    """The values of the symbols of the model class that are the same for all models; the learner is exact."""
    global_states, global_actions, states, actions = models.sizes
    sizes = {symbols.S_g: global_states, symbols.A_g: global_actions, symbols.S_l: states, symbols.A_l: actions}
    return {symbols.n: n, symbols.k: k, symbols.Z: states * actions, eps_km: 0, **sizes}


def right_side(bound: Bound, models: Models, n: int, k: int, extra: Mapping[sp.Symbol, Any] | None = None) -> Floats:
    """The value of a bound for each model, in doubles; nan where it has none."""
    rewards = {symbols.rt: models.rt_g + models.rt_l, symbols.rt_g: models.rt_g, symbols.rt_l: models.rt_l}
    values = {**_known(models, n, k), symbols.gamma: models.discount, **rewards, **(extra or {})}
    with np.errstate(all="ignore"):
        found = _in_doubles(bound.expression, values)
    return np.broadcast_to(np.asarray(found, dtype=float), (models.number,))


def certified_right(bound: Bound, models: Models, n: int, k: int, extra: Mapping[sp.Symbol, Any] | None = None) -> Floats:
    """Certified lower bounds of a right side, for models with few different discounts and largest rewards."""
    data = np.stack([models.rt_g, models.rt_l, models.discount], axis=1)
    kinds, which = np.unique(data, axis=0, return_inverse=True)
    lower = []
    for rt_g, rt_l, gamma in (map(Fraction, kind) for kind in kinds):
        rewards = {symbols.rt: rt_g + rt_l, symbols.rt_g: rt_g, symbols.rt_l: rt_l}
        lower.append(_down(bound.enclose({**_known(models, n, k), symbols.gamma: gamma, **rewards, **(extra or {})})))
    return np.array(lower)[which.ravel()]


def _down(x: Interval) -> float:
    """The lower end, or a double below it."""
    near = float(x.lower)
    return near if near <= x.lower else nextafter(near, -np.inf)


# --------------------------------------------------------------------------------------------------------------------------- gaps


def _executed(learned: Solved, n: int, sampling: str) -> Floats:
    return screening.independent_value(learned, n) if sampling == "independent" else screening.shared_value(learned, n)


def _gap(models: Models, n: int, k: int, sampling: str) -> Floats:
    """The largest gap of each model: by compiled loops for more than a few agents, otherwise, and at their ties, in arrays."""
    if n < _COMPILED_FROM:
        return _gap_in_arrays(models, n, k, sampling)
    parts = (models.global_kernel, models.local_kernel, models.global_reward, models.local_reward)
    kernel, local_kernel, reward, local_reward = (np.moveaxis(part, -1, 0) for part in parts)
    try:
        found = batch.gaps(batch.Models(kernel, local_kernel, reward, local_reward, models.discount.copy()), n, k, sampling)
    except TooLargeError:
        return _gap_in_arrays(models, n, k, sampling)
    gap, tied = found.upper.copy(), np.flatnonzero(~found.decided)
    if len(tied):
        gap[tied] = _gap_in_arrays(models.some(tied), n, k, sampling)
    return gap


def _gap_in_arrays(models: Models, n: int, k: int, sampling: str) -> Floats:
    best = screening.solve(models, n)
    learned = best if k == n else screening.solve(models, k)
    gap: Floats = (best.value - _executed(learned, n, sampling)).max(axis=(0, 1))
    return gap


def _gap_sides(bound: Bound | None, sampling: str, models: Models, n: int, k: int) -> Two:
    right = np.zeros(models.number) if bound is None else right_side(bound, models, n, k)
    return _gap(models, n, k, sampling), right


def _shared_excess(bound: Bound, models: Models, n: int, k: int) -> Two:
    """The gap under a shared draw for the worst way of breaking ties.

    At k = n it is at most what is lost in a step over ``1 - gamma``, and where a bound is 0 it is 0 if all that is played is optimal.
    """
    best, right = screening.solve(models, n), certified_right(bound, models, n, k)
    if k == n:
        lost, _ = _of_played(best, best, best.tied)
        gap = lost / (1 - models.discount) * (1 + 2.0**-40)
        return np.where(right == 0, lost, np.where(gap <= right, gap - right, np.inf)), np.zeros(models.number)
    learned = screening.solve(models, k)
    gap = (best.value + best.radius - screening.worst_shared_value(learned, best)).max(axis=(0, 1))
    return _raised(gap - right, models), np.divide(gap, right, out=np.zeros_like(gap), where=right > 0)


def _raised(excess: Floats, models: Models) -> Floats:
    """An excess made of a few sums and differences of values, with their roundings added."""
    return excess + 2.0**-48 * (models.rt_g + models.rt_l) / (1 - models.discount)


def no_gap() -> Screen:
    """The largest gap of independent draws against 0 where there is one global action; decided for every way of breaking ties."""
    return Screen(partial(_gap_sides, None, "independent"), _each_own_maximiser, _played_grain)


def independent_gap(bound: Bound | None = None) -> Screen:
    """The largest gap of independent draws against a bound, or 0."""
    return Screen(partial(_gap_sides, bound, "independent"))


def shared_gap(bound: Bound) -> Screen:
    """The largest gap under a shared draw that the others copy, against a bound; decided for every way of breaking ties."""
    return Screen(partial(_gap_sides, bound, "shared"), partial(_shared_excess, bound), _shared_grain)


def _only_where(holds: Callable[[Solved], Any], sampling: str, models: Models, n: int, k: int) -> Two:
    """The largest gap at k = n against 0, nan where a condition on the optimum of all agents fails."""
    best = screening.solve(models, n)
    gap = (best.value - _executed(best, n, sampling)).max(axis=(0, 1))
    return np.where(holds(best), gap, np.nan), np.zeros(models.number)


def _anyhow(best: Solved) -> Any:
    return np.ones(best.models.number, dtype=bool)


def _unique_and_pure(best: Solved) -> Any:
    """Whether each state has one maximiser and it gives agents in one local state the same action; those that do the same count once."""
    states, actions = best.models.sizes[2:]
    joint = best.layout.joint[best.layout.order].reshape(-1, states, actions)
    mixed = ((joint > 0).sum(axis=2) > 1).any(axis=1)
    each = np.add.reduceat(best.distinct.sum(axis=1), best.layout.starts, axis=1)
    return (each == 1).all(axis=(0, 1)) & ~(best.distinct & mixed[:, None]).any(axis=(0, 1, 2))


def _of_played(best: Solved, learned: Solved, played: Any) -> Two:
    """What a joint action that may be played is worth less than the best one at most, ``played[g, b, joint action, m]``.

    Infinite where doubles may miss a maximiser of the learner. Where it is below :func:`_played_grain` all of them are optimal, so the gap is 0.
    """
    largest = np.repeat(best.value, np.diff(best.layout.starts, append=len(best.layout.order)), axis=1)
    short = np.where(played, largest[:, None] - best.action_values, 0.0).max(axis=(0, 1, 2))
    scale = (learned.models.rt_g + learned.models.rt_l) / (1 - learned.models.discount)
    known = 4 * learned.radius <= screening.TIED * scale
    return np.where(known, _raised(short + 2 * best.radius, best.models), np.inf), short


def _played_grain(sizes: tuple[int, int, int, int], exact: Exactness, n: int, k: int) -> Fraction:
    """``V_n`` and ``Q_n`` are multiples of a number that is at least this."""
    del k
    scale: int = 2 ** _bits_of_step(exact, n)
    return 1 / (_common_denominator(sizes, exact, n) * scale)


def _shared_grain(sizes: tuple[int, int, int, int], exact: Exactness, n: int, k: int) -> Fraction:
    return _played_grain(sizes, exact, n, k) if k == n else Fraction(0)


def _any_maximiser(models: Models, n: int, k: int) -> Two:
    best = screening.solve(models, n)
    return _of_played(best, best, best.tied)


def _each_own_maximiser(models: Models, n: int, k: int) -> Two:
    """Each agent may play what any maximiser gives to its local state, for any sample that it may draw."""
    best = screening.solve(models, n)
    learned = best if k == n else screening.solve(models, k)
    return _of_played(best, learned, screening.played_on_own_samples(learned, best))


OPTIMAL_AT_N = Screen(partial(_only_where, _anyhow, "shared"), _any_maximiser, _played_grain)
"""The gap of one joint maximiser at k = n against 0; decided for every way of breaking ties."""


def _unique_maximiser(models: Models, n: int, k: int) -> Two:
    best = screening.solve(models, n)
    lost, shown = _of_played(best, best, best.tied)
    return lost, np.where(_unique_and_pure(best), shown, np.nan)


UNIQUE_OPTIMUM_AT_N = Screen(partial(_only_where, _unique_and_pure, "independent"), _unique_maximiser, _played_grain)
"""The gap of independent draws at k = n against 0, where the optimum is unique and gives agents in one local state the same action.

Decided as :data:`OPTIMAL_AT_N`: where the condition holds, what the agents play is one of the joint actions that count as tied. If all of
these are optimal there is no gap.
"""


def _one_global_choice(models: Models, n: int, k: int) -> Two:
    alone = screening.solve(models, 1)
    wins = alone.winning  # [g, b, s, m]
    decided = (wins.sum(axis=1) == 1).all(axis=(0, 1)) & (wins == wins[:, :, :1]).all(axis=(0, 1, 2))
    return np.where(decided, _gap(models, n, k, "independent"), np.nan), np.zeros(models.number)


def _one_global_choice_excess(models: Models, n: int, k: int) -> Two:
    """At most the grain if no action that may be played loses anything, or if two global actions are optimal for one agent.

    A global action's loss ``V_1 - max_a Q_1`` is taken at the local state where it is smallest. If the second smallest loss is 0 in some
    s_g, then two global actions are optimal, each for a local state, so the condition fails. The grain of n agents is below that of one.
    """
    loss, shown = _each_own_maximiser(models, n, k)
    if models.sizes[1] == 1:
        return loss, shown
    alone = screening.solve(models, 1)
    best = np.maximum.reduceat(alone.action_values, alone.layout.starts, axis=2)  # [g, b, s, m]
    smallest = np.sort((alone.value[:, None] - best).min(axis=2), axis=1)[:, 1]
    margin = _raised(smallest + 2 * alone.radius, models).min(axis=0)
    scale = (models.rt_g + models.rt_l) / (1 - models.discount)
    return np.minimum(loss, margin), np.where(margin > screening.TIED * scale, shown, np.nan)


ONE_GLOBAL_CHOICE = Screen(_one_global_choice, _one_global_choice_excess, _played_grain)
"""The gap of independent draws against 0, where in the one-agent system one global action is the only optimal one for every local state."""


def _agreeing_gap(bound: Bound, disagreement: sp.Symbol, models: Models, n: int, k: int) -> Two:
    share = screening.disagreement(screening.solve(models, k), n)
    return _gap(models, n, k, "independent"), right_side(bound, models, n, k, {disagreement: share})


def agreeing_gap(bound: Bound, disagreement: sp.Symbol) -> Screen:
    """The gap of independent draws against a bound in the share of agents that act otherwise than with a shared draw."""
    return Screen(partial(_agreeing_gap, bound, disagreement))


def _typed_gap(bound: Bound, types: tuple[sp.Symbol, int], models: Models, n: int, k: int) -> Two:
    name, number = types
    states, pairs = models.sizes[2] // number, models.sizes[2] * models.sizes[3] // number
    return _gap(models, n, k, "shared"), right_side(bound, models, n, k, {name: number, symbols.S_l: states, symbols.Z: pairs})


def typed_gap(bound: Bound, types: sp.Symbol, number: int) -> Screen:
    """The gap under a shared draw of models with so many types against a bound in the sizes of one type."""
    return Screen(partial(_typed_gap, bound, (types, number)))


def _rising_gap(models: Models, n: int, k: int) -> Two:
    return _gap(models, n, k + 1, "independent"), _gap(models, n, k, "independent")


GAP_RISES = Screen(_rising_gap)
"""The largest gap at k + 1 against that at k."""


# ----------------------------------------------------------------------------------------------------------------- the operator


def _contraction(pairs: int, models: Models, n: int, k: int) -> Two:
    return screening_labelled.largest_contraction(models, n, pairs), models.discount


def contraction(pairs: int) -> Screen:
    """The largest contraction of the labelled operator of n agents over so many pairs of value functions, against gamma."""
    return Screen(partial(_contraction, pairs))


def _iterates(iterations: int, models: Models, n: int, k: int) -> Two:
    return screening_labelled.largest_difference_of_iterates(models, n, iterations), np.zeros(models.number)


def iterates(iterations: int) -> Screen:
    """The largest difference of labelled iterates and iterates on counts, against 0."""
    return Screen(partial(_iterates, iterations))


# --------------------------------------------------------------------------------------------------------- infinitely many agents


_PLANNED_AGENTS: Final = 6
_PLANNED_STATES: Final = 2
"""With more local states the few plans of a controller may be worth much less than the best ones."""


def _more_than_infinitely_many(bound: Bound, absolute: bool, models: Models, n: int, k: int) -> Two:
    plans = controller(models, n)
    more = screening.solve(models, n).value - plans.value(n)
    left = np.maximum(more - plans.excess, -more) if absolute else more - plans.excess
    return left.max(axis=(0, 1)), right_side(bound, models, n, n)


def more_than_infinitely_many(bound: Bound, *, absolute: bool = False) -> Screen:
    """``V_n - V_inf``, or its absolute value, against a bound; with the excess of the plans, so that bad plans raise no ratio."""
    return Screen(partial(_more_than_infinitely_many, bound, absolute), local_states=_PLANNED_STATES, agents=_PLANNED_AGENTS)


def _plans_below(models: Models, n: int, k: int) -> Two:
    return (controller(models, n).value(n) - screening.solve(models, n).value).max(axis=(0, 1)), np.zeros(models.number)


PLANS_BELOW = Screen(_plans_below, local_states=_PLANNED_STATES, agents=_PLANNED_AGENTS)
"""What plans are worth more than ``V_n`` at most, against 0."""


def _plan_gap(bound: Bound, excess: sp.Symbol, anew: bool, models: Models, n: int, k: int) -> Two:
    plans = controller(models, n)
    played = plans.anew_value(n, k) if anew else plans.once_value(n, k)
    return (screening.solve(models, n).value - played).max(axis=(0, 1)), right_side(bound, models, n, k, {excess: plans.excess})


def plan_gap(bound: Bound, excess: sp.Symbol, *, anew: bool) -> Screen:
    """The gap of the plan for a shared sample, drawn anew at each step or once, against a bound; plans and excess are those of a controller."""
    return Screen(partial(_plan_gap, bound, excess, anew), local_states=_PLANNED_STATES, agents=_PLANNED_AGENTS)


# --------------------------------------------------------------------------------------------------------- values across sizes


def _optimism(models: Models, n: int, k: int) -> tuple[Floats, Floats]:
    """``V_n - E V_k`` at its largest, and the sum of the radii."""
    large, small = screening.solve(models, n), screening.solve(models, k)
    mean = np.einsum("cd,gdm->gcm", screening.subsample_matrix(n, k, models.sizes[2]), small.value)
    return (large.value - mean).max(axis=(0, 1)), large.radius + small.radius


def _optimism_sides(models: Models, n: int, k: int) -> Two:
    return _optimism(models, n, k)[0], np.zeros(models.number)


def _optimism_excess(models: Models, n: int, k: int) -> Two:
    excess, radius = _optimism(models, n, k)
    # the weights are rounded once, and the mean has as many terms as there are samples
    return _raised(excess + radius, models), excess


def _bits_of_step(exact: Exactness, agents: int) -> int:
    """Bits behind the binary point of ``gamma P`` for that many agents."""
    return exact.global_bits + agents * exact.local_bits + exact.discount.denominator.bit_length() - 1


def _common_denominator(sizes: tuple[int, int, int, int], exact: Exactness, agents: int) -> Fraction:
    """A bound of the denominators that the optimal values of a system share.

    ``V = (I - gamma P)^-1 r`` for an optimal policy; ``2**b (I - gamma P)`` is a matrix of integers, whose determinant is a common
    denominator of its inverse times ``2**-b``. ``|det (I - gamma P)| <= (1-gamma)(1+gamma)^(N-1)``: the eigenvalues of P are at most 1 in
    absolute value and one of them is 1. Rewards are multiples of 1/agents.
    """
    states = sizes[0] * counts.number_of_count_vectors(agents, sizes[2])
    determinant = (1 - exact.discount) * (1 + exact.discount) ** (states - 1)
    scale: int = 2 ** (states * _bits_of_step(exact, agents))
    return agents * determinant * scale


def _optimism_grain(sizes: tuple[int, int, int, int], exact: Exactness, n: int, k: int) -> Fraction:
    """``V_n - E V_k`` is a multiple of a number that is at least this: the mean over k-subsets has the denominator C(n, k)."""
    return 1 / (_common_denominator(sizes, exact, n) * _common_denominator(sizes, exact, k) * comb(n, k))


def _falling(models: Models, n: int, k: int) -> tuple[Floats, Floats]:
    """``E V_{k+1} - E V_k`` at its largest, and the sum of the radii."""
    fewer, more = screening.solve(models, k), screening.solve(models, k + 1)
    means = [np.einsum("cd,gdm->gcm", screening.subsample_matrix(n, one.n, models.sizes[2]), one.value) for one in (fewer, more)]
    return (means[1] - means[0]).max(axis=(0, 1)), fewer.radius + more.radius


def _falling_sides(models: Models, n: int, k: int) -> Two:
    return _falling(models, n, k)[0], np.zeros(models.number)


def _falling_excess(models: Models, n: int, k: int) -> Two:
    excess, radius = _falling(models, n, k)
    return _raised(excess + radius, models), excess


def _falling_grain(sizes: tuple[int, int, int, int], exact: Exactness, n: int, k: int) -> Fraction:
    common = _common_denominator(sizes, exact, k) * _common_denominator(sizes, exact, k + 1)
    return 1 / (common * comb(n, k) * comb(n, k + 1))


OPTIMISM_FALLS = Screen(_falling_sides, _falling_excess, _falling_grain)
"""The largest ``E V_{k+1} - E V_k`` against 0."""

OPTIMISM = Screen(_optimism_sides, _optimism_excess, _optimism_grain)
"""The largest ``V_n - E V_k`` against 0."""


# --------------------------------------------------------------------------------------------------------- Lipschitz continuity


@dataclass(frozen=True)
class _Pairs:
    """Pairs of joint actions of k and of n agents, ordered by their distance ``steps / (k n)``; ``starts`` of each distance."""

    first: Integers
    second: Integers
    starts: Integers
    distances: tuple[Fraction, ...]


@lru_cache(maxsize=32)
def _pairs(k: int, n: int, states: int, actions: int, inside: bool) -> _Pairs:
    """``inside``: only samples of the n agents."""
    small, large = screening.layout(k, states, actions), screening.layout(n, states, actions)
    d, e = small.joint[small.order], large.joint[large.order]
    first, second = np.divmod(np.arange(len(d) * len(e)), len(e))
    everything = first < second if k == n else np.ones(len(first), dtype=bool)
    kept = (d[first] <= e[second]).all(axis=1) if inside else everything
    first, second = first[kept], second[kept]
    steps = np.abs(n * d[first] - k * e[second]).sum(axis=1) // 2
    order = np.argsort(steps, kind="stable")
    distances, starts = np.unique(steps[order], return_index=True)
    return _Pairs(first[order], second[order], starts, tuple(Fraction(int(x), k * n) for x in distances))


def _differences(models: Models, k: int, n: int, inside: bool, sign: int) -> tuple[_Pairs, Floats, Floats]:
    """The largest difference ``Q_k - Q_n`` (``sign`` 1), ``Q_n - Q_k`` (-1) or its absolute value (0) at each distance, ``[distance, m]``."""
    small = screening.solve(models, k)
    large = small if k == n else screening.solve(models, n)
    pairs = _pairs(k, n, *models.sizes[2:], inside)
    if not len(pairs.first):
        return pairs, np.zeros((0, models.number)), small.radius
    step = max(1, 2 * 10**6 // (models.sizes[0] * models.sizes[1] * models.number))
    most = np.full((len(pairs.distances), models.number), -np.inf)
    group = np.repeat(np.arange(len(pairs.starts)), np.diff(pairs.starts, append=len(pairs.first)))
    for begin in range(0, len(pairs.first), step):
        part = slice(begin, begin + step)
        difference = small.action_values[:, :, pairs.first[part]] - large.action_values[:, :, pairs.second[part]]
        signed = (np.abs(difference) if sign == 0 else sign * difference).max(axis=(0, 1))
        groups, starts = np.unique(group[part], return_index=True)
        most[groups] = np.maximum(most[groups], np.maximum.reduceat(signed, starts, axis=0))
    return pairs, most, small.radius + large.radius


def _tightest(left: Floats, right: Floats) -> Two:
    """The side that exceeds its bound, or comes nearest to it: the largest ratio, or excess where a bound is 0."""
    with np.errstate(all="ignore"):
        score = np.where(right > 0, left / np.where(right > 0, right, 1), np.where(left > screening.TIED, np.inf, -np.inf))
    at = score.argmax(axis=0)[None]
    return np.take_along_axis(left, at, axis=0)[0], np.take_along_axis(right, at, axis=0)[0]


def _lipschitz_sides(bound: Bound, inside: bool, sign: int, equal: bool, models: Models, n: int, k: int) -> Two:
    pairs, left, _ = _differences(models, n if equal else k, n, inside, sign)
    if not len(left):
        return np.zeros(models.number), np.zeros(models.number)
    right = np.stack([right_side(bound, models, n, n if equal else k, {symbols.TV: float(x)}) for x in pairs.distances])
    return _tightest(left, right)


def _lipschitz_excess(bound: Bound, inside: bool, sign: int, equal: bool, models: Models, n: int, k: int) -> Two:
    pairs, left, radius = _differences(models, n if equal else k, n, inside, sign)
    right = np.stack([certified_right(bound, models, n, n if equal else k, {symbols.TV: x}) for x in pairs.distances])
    left_side, right_side_ = _tightest(left, right)
    ratio = np.divide(left_side, right_side_, out=np.zeros_like(left_side), where=right_side_ > 0)
    return _raised((left - right).max(axis=0) + radius, models), ratio


def _lipschitz_grain(sizes: tuple[int, int, int, int], exact: Exactness, n: int, k: int) -> Fraction:
    """Differences of ``Q_n`` and multiples of the slope ``2 rt_l/(1-gamma)`` times 1/n have a common denominator of at most one over this."""
    del k
    slope = 2 / (1 - exact.discount)
    scale: int = 2 ** _bits_of_step(exact, n)
    of_values = _common_denominator(sizes, exact, n) * scale
    return 1 / (of_values * lcm(n, slope.denominator))


def lipschitz(bound: Bound) -> Screen:
    """``|Q_n(F) - Q_n(F')|`` against a bound in their distance."""
    return Screen(partial(_lipschitz_sides, bound, False, 0, True), partial(_lipschitz_excess, bound, False, 0, True), _lipschitz_grain)


def lipschitz_across(bound: Bound) -> Screen:
    """``|Q_k(F) - Q_n(F')|`` against a bound in their distance."""
    return Screen(partial(_lipschitz_sides, bound, False, 0, False))


def sample_above(bound: Bound) -> Screen:
    """``Q_k(z_Delta) - Q_n(z_[n])`` for samples of the n agents against a bound in their distance."""
    return Screen(partial(_lipschitz_sides, bound, True, 1, False), partial(_lipschitz_excess, bound, True, 1, False))


def sample_below(bound: Bound) -> Screen:
    """``Q_n(z_[n]) - Q_k(z_Delta)`` for samples of the n agents against a bound in their distance."""
    return Screen(partial(_lipschitz_sides, bound, True, -1, False), partial(_lipschitz_excess, bound, True, -1, False))
