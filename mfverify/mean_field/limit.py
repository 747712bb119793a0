r"""The value of infinitely many agents, ``V_inf(s_g, F)``, enclosed for every distribution ``F`` of local states at once.

``V_inf(s_g, .)`` is a supremum of linear functions, one for each plan (``plans.py``). The iteration keeps finitely many plans ``W``:

1. apply the operator: all plans that continue with plans of ``W``;
2. keep those that are needed, up to a certified slack (``dominance.py``);
3. what remains refers to ``W``; let it refer to itself instead and solve for what it is worth (Hansen 1998). That gives the next ``W``.

Step 3 is not certified and need not be: an application encloses ``V_inf`` for any ``W``. With ``lo`` and ``hi`` the least and the
largest value of ``T W - W`` over all distributions (bounded by ``dominance.rise``, no distribution is sampled),

    T W + gamma lo / (1 - gamma)  <=  V_inf  <=  T W + gamma hi / (1 - gamma)       (MacQueen 1966).

What the limit says of n agents is in ``finite.py`` (claims V1, V2s and V2p).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mfverify import counts
from mfverify.enclosure import Enclosure, Interval, StopReason, Work, add_down, add_up, round_down, round_up, rounding_error
from mfverify.errors import ModelError, TooLargeError
from mfverify.mean_field.dominance import needed, rise
from mfverify.mean_field.plans import PlanOperator, Plans, joined
from mfverify.progress import narrowed, waiting
from mfverify.rationals import exact, quoted, shown
from mfverify.validation import positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Exact, Floats, Integers

_MOST_NUMBERS: Final = 4 * 10**6
"""Numbers in a table of plans with one global action; with more, partial sums are left out with a larger slack."""

_FEW_COMBINATIONS: Final = 1000
"""Combinations of a partial sum with the next continuation that are made without a search for partial sums that are not needed."""

_MOST_VALUES: Final = 10**8
"""Numbers in an enclosure for all count vectors."""

_MOST_UNKNOWNS: Final = 1000
"""Values of plans that are solved for exactly at once."""

_SHARE_OF_PRUNING: Final = Fraction(1, 8)
"""The part of the width that may be spent on leaving plans out."""


@dataclass(frozen=True, eq=False)
class MeanFieldLimit:
    """``V_inf`` of a model: ``max_i <vectors[g][i], F> <= V_inf(g, F) <= max_i <vectors[g][i], F> + excess`` for every distribution F.

    ``vectors[g]``: array ``(plans, |S_l|)``: a plan of global state g is worth at least this to an agent in each local state, when all agents
    follow it. ``global_action[g][i]`` and ``local_action[g][i, s]`` are its first step, ``next_plan[g][i, h]`` the plan of global state h with
    which to continue if h comes next (-1 where h cannot). Following these forever is a policy; :func:`exact_values` computes its value,
    which may be less than ``vectors`` by up to about ``excess``.
    """

    model: Model
    vectors: tuple[Floats, ...]
    excess: float
    global_action: tuple[Any, ...]
    local_action: tuple[Any, ...]
    next_plan: tuple[Any, ...]
    work: Work

    def enclose(self, s_g: int, distribution: Sequence[Any]) -> Interval:
        """``V_inf(s_g, F)`` at one distribution of local states, given as rationals (Fractions, ints, floats, strings such as ``"1/3"``).

        Computed in exact arithmetic from ``vectors``, so its width is at most ``excess``. Raises :class:`ModelError` for a global state
        that there is not and for what is no distribution.
        """
        shares = self._distribution(distribution)
        if isinstance(s_g, bool) or not isinstance(s_g, (int, np.integer)) or not 0 <= s_g < len(self.vectors):
            raise ModelError(f"global state: found {s_g!r}, expected 0 to {len(self.vectors) - 1}")
        lower = max(sum((f * Fraction(float(x)) for f, x in zip(shares, row, strict=True)), Fraction(0)) for row in self.vectors[s_g])
        return Interval(lower, lower + Fraction(self.excess))

    def value(self, n: int) -> Enclosure:
        """``V_inf(s_g, c/n)`` for all count vectors of n agents, axes ``[g, rank in count_vectors(n, |S_l|)]``.

        Raises :class:`TooLargeError` where they do not fit; :meth:`enclose` answers for one distribution.
        """
        n = positive_integer("agents", n)
        size = self.model.sizes[2]
        states = counts.number_of_count_vectors(n, size)
        if states * len(self.vectors) * size > _MOST_VALUES:
            raise TooLargeError(f"{n} agents have {states:.3g} count vectors, too many for one array; ask for single states (--state, optimal_value_at)")
        shares = counts.count_vectors(n, size)
        lower = np.empty((len(self.vectors), states))
        for g, rows in enumerate(self.vectors):
            lower[g] = np.max([shares @ row for row in rows], axis=0) / n
        largest = Fraction(float(max(np.abs(rows).max() for rows in self.vectors)))
        # A product and at most |S_l| sums, relative to n times the largest entry, and a division. The counts are exact.
        error = round_up(rounding_error(size + 2, largest, size + 2))
        return Enclosure(add_down(lower, np.array(-error)), add_up(lower, np.array(round_up(Fraction(error) + Fraction(self.excess)))), None, self.work)

    def _distribution(self, given: Sequence[Any]) -> list[Fraction]:
        size = self.model.sizes[2]
        if isinstance(given, str) or not hasattr(given, "__len__"):
            raise ModelError(f"distribution: found {quoted(given)}, expected {size} rationals such as '1/3'")
        shares = [exact(f, f"distribution[{s}]") for s, f in enumerate(given)]
        if len(shares) != size or any(f < 0 for f in shares) or sum(shares) != 1:
            raise ModelError(f"distribution: found [{', '.join(map(shown, shares))}], expected {size} rationals >= 0 that add up to 1")
        return shares


def mean_field_value(model: Model, width: float = 1e-6) -> MeanFieldLimit:
    """Enclose the value of infinitely many agents for every distribution of local states.

    Parameters
    ----------
    model
        The system.
    width
        Requested largest difference between lower and upper bound.

    Returns
    -------
    MeanFieldLimit
        ``enclose(s_g, distribution)`` is an :class:`Interval`; ``vectors[s_g]`` has the axes ``[plan, s_l]``. ``work.stop`` says whether
        ``width`` was reached, or why not: double precision, or more plans than can be compared.

    Raises
    ------
    ModelError
        A width that is not positive.

    Examples
    --------
    >>> from mfverify import models
    >>> limit = mean_field_value(models.coordination())
    >>> limit.enclose(0, ["1/2", "1/2"]).width < 1e-6
    True
    """
    requested = exact(width, "width")
    if not requested > 0:
        raise ModelError(f"width: found {shown(requested)}, expected a positive number")
    with waiting("value of infinitely many agents"):
        return _Iteration(model, requested).run()


def exact_values(limit: MeanFieldLimit) -> list[Exact]:
    """What following the plans forever is worth to an agent in each local state, as Fractions: an array ``(plans, |S_l|)`` for each g.

    One exact linear solve in as many unknowns as ``vectors`` has numbers. Raises :class:`TooLargeError` for more than a thousand.
    """
    import flint

    model = limit.model
    size = model.sizes[2]
    sizes = [len(rows) for rows in limit.vectors]
    starts = [sum(sizes[:g]) * size for g in range(len(sizes) + 1)]
    if starts[-1] > _MOST_UNKNOWNS:
        raise TooLargeError(f"the plans have {starts[-1]} values, too many for exact arithmetic (at most {_MOST_UNKNOWNS}); ask for a larger width")
    matrix, reward = flint.fmpq_mat(starts[-1], starts[-1]), flint.fmpq_mat(starts[-1], 1)
    for g, many in enumerate(sizes):
        for i in range(many):
            b = int(limit.global_action[g][i])
            for s in range(size):
                a = int(limit.local_action[g][i, s])
                at = starts[g] + i * size + s
                total = model.global_reward[g, b] + model.local_reward[s, g, a]
                reward[at, 0] = flint.fmpq(total.numerator, total.denominator)
                matrix[at, at] += 1
                for h, p in enumerate(model.global_kernel[g, b]):
                    for t, q in enumerate(model.local_kernel[s, g, a]) if p else ():
                        weight = model.discount * p * q
                        if weight:
                            matrix[at, starts[h] + int(limit.next_plan[g][i, h]) * size + t] -= flint.fmpq(weight.numerator, weight.denominator)
    solved = matrix.solve(reward)
    values = np.array([Fraction(int(x.p), int(x.q)) for x in solved.entries()], dtype=object)
    return [values[starts[g] : starts[g + 1]].reshape(sizes[g], size) for g in range(len(sizes))]


class _Iteration:
    def __init__(self, model: Model, width: Fraction) -> None:
        self.model, self.width = model, width
        self.operator = PlanOperator(model)
        self.discount = model.discount
        # What is left out of W costs at most slack / (1 - gamma) in the end. Far from the end few plans are enough.
        self.least_slack = float(_SHARE_OF_PRUNING * width * (1 - model.discount))
        self.slack = np.inf
        self.points = _sample(model.sizes[2])
        self.thinned = False

    def run(self) -> MeanFieldLimit:
        plans = [_nothing(self.model) for _ in range(self.model.sizes[0])]
        best: MeanFieldLimit | None = None
        stalled, sweeps, first = 0, 0, 0.0
        while True:
            image, excess = self._certified(plans)
            image = self._among_themselves(image, plans)
            sweeps += 1
            first = first or float(excess)
            narrowed(sweeps, first, float(excess), float(self.width))
            before = np.inf if best is None else best.excess
            if float(excess) < before:
                best = self._limit(image, excess, sweeps)
            assert best is not None
            # A plain application narrows by about gamma; half of that is progress.
            stalled = stalled + 1 if float(excess) > (1 + float(self.discount)) / 2 * before else 0
            if Fraction(best.excess) <= self.width or stalled > _MOST_STALLED:
                return best
            self.slack = max(self.least_slack, float(_SHARE_OF_PRUNING * (1 - self.discount)) * best.excess)
            plans = self._improved(image)

    def _certified(self, plans: list[Plans]) -> tuple[list[Plans], Fraction]:
        """The needed plans of ``T W``, shifted so that they are lower bounds, and how far ``V_inf`` may lie above their maximum."""
        error = self.operator.error(plans)
        image: list[Plans] = []
        missing, pruned, highest, lowest = 0.0, 0.0, -np.inf, np.inf
        for g, base in enumerate(plans):
            every, left_before = self.operator.apply_pruned(plans, g, self._keep)
            pruned = max(pruned, left_before)
            kept, left_out = needed(every.vectors, self.slack, self.points)
            chosen = every.chosen(kept)
            missing = max(missing, left_out)
            highest = max(highest, float(rise(every.vectors, base.vectors, highest)[0].max()))
            lowest = min(lowest, -float(rise(base.vectors, chosen.vectors)[0].max()))
            image.append(chosen)
        factor = self.discount / (1 - self.discount)
        low = factor * (Fraction(lowest) - error) - error
        high = factor * (Fraction(highest) + Fraction(pruned) + error) + error + Fraction(missing) + Fraction(pruned)
        shift = round_down(low)
        lifted = [replace(part, vectors=add_down(part.vectors, np.array(shift))) for part in image]
        # add_down moves an entry by at most one unit in the last place more than the sum's rounding.
        sloppy = max(float(np.spacing(np.abs(part.vectors)).max()) for part in lifted)
        return lifted, high - Fraction(shift) + 2 * Fraction(sloppy)

    def _limit(self, image: list[Plans], excess: Fraction, sweeps: int) -> MeanFieldLimit:
        stop = StopReason.WIDTH if excess <= self.width else StopReason.PLANS if self.thinned else StopReason.PRECISION
        return MeanFieldLimit(
            self.model,
            tuple(part.vectors for part in image),
            round_up(excess),
            tuple(part.global_action for part in image),
            tuple(part.local_action for part in image),
            tuple(part.next_plan for part in image),
            Work(stop, sweeps, sweeps, self.operator.combinations([len(part) for part in image])),
        )

    def _among_themselves(self, image: list[Plans], before: list[Plans]) -> list[Plans]:
        """The plans of the image with continuations among themselves: for each plan of W the one of the image that is least below it."""
        heir = []
        for own, old in zip(image, before, strict=True):
            below = (old.vectors[:, None, :] - own.vectors[None, :, :]).max(axis=2)
            heir.append(np.append(below.argmin(axis=1), -1))
        return [replace(p, next_plan=np.stack([heir[h][p.next_plan[:, h]] for h in range(len(image))], axis=1)) for p in image]

    def _improved(self, image: list[Plans]) -> list[Plans]:
        """The plans with the values that they have if each continues with plans of the same set forever."""
        solved = self.operator.value(image)
        return [self._both(p, replace(p, vectors=v)) if np.isfinite(v).all() else p for p, v in zip(image, solved, strict=True)]

    def _both(self, one: Plans, other: Plans) -> Plans:
        """What is needed of two lists: an application that solving does not improve on is not lost."""
        every = joined([one, other])
        return every.chosen(needed(every.vectors, self.slack, self.points)[0])

    def _keep(self, rows: Floats, following: int) -> tuple[Integers, float]:
        """Partial sums that are needed; while there are too many combinations with what follows, the slack of what is left out is doubled."""
        if len(rows) * following <= _FEW_COMBINATIONS:
            return np.arange(len(rows)), 0.0
        slack = self.slack / len(self.operator.support)
        while True:
            kept, missing = needed(rows, slack, np.empty((0, rows.shape[1])))
            if len(kept) * following * rows.shape[1] <= _MOST_NUMBERS:
                return kept, missing
            self.thinned = True
            slack *= 2


_MOST_STALLED: Final = 5
"""Applications in a row without progress, after which the iteration ends."""


def _nothing(model: Model) -> Plans:
    """One plan of value zero to begin with; its first step is never followed."""
    global_states, _, size, _ = model.sizes
    return Plans(np.zeros((1, size)), np.zeros(1, dtype=np.int64), np.zeros((1, size), dtype=np.int64), np.zeros((1, global_states), dtype=np.int64))


def _sample(size: int) -> Floats:
    """Distributions at which plans are compared first: a lattice, as fine as a few hundred points allow."""
    k = max(k for k in range(1, 65) if k == 1 or counts.number_of_count_vectors(k, size) <= 300)
    return counts.count_vectors(k, size) / k
