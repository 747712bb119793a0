"""The optimal value ``V*`` of the n-agent system as an enclosure, three ways.

- ``lumped``: policy iteration on (global state, count vector). Greedy sweep, value of the greedy policy, and so on; each
  sweep yields a certified enclosure of ``V*`` by itself, so the iteration may stop whenever it is narrow enough. Many agents
  begin with the value of fewer (``exact/fewer_agents.py``), which on most models halves the sweeps. Small systems are solved in one
  compiled call (``bellman/small.py``); where that does not reach the width, as large ones.
- ``flat``: value iteration over labelled joint states and actions, without symmetry. The reference for small n.
- ``rational``: policy iteration in exact arithmetic (``exact/rational.py``).
- ``limit``: n agents are not solved, but enclosed by infinitely many and by fewer (``mean_field/finite.py``); for any n.

The first two certify and stop as ``fixed_point.py`` says: when the enclosure is as narrow as asked, or when double precision cannot
narrow it further, and never at a number of iterations. The result says which.

Two refinements were measured and left out. *Modified policy iteration* needs the transition rows of a policy as much as the
linear solve does: GMRES multiplies by them some thirty times, and with as many multiplications in its place the sweeps were
no fewer (2 to 5 either way on models with two and three local states; 12 with five, 32 with one). Where the rows do not fit,
neither does it, and value iteration with extrapolation takes 5 to 29 sweeps. *Action elimination* by MacQueen's bounds
excludes nothing after the first sweep. Before the last one it excluded 98 to 100 % of the (state, joint action) pairs where two
sweeps are enough anyhow, and 0 to 83 % where three to five are needed, there without one chain of rows that could have been
skipped as a whole; and an excluded pair still has to be computed, because the next row is a combination of this one.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mfverify import costs, counts
from mfverify.bellman import small
from mfverify.bellman.choices import Wanted
from mfverify.bellman.labelled import LabelledOperator
from mfverify.bellman.lumped import LumpedOperator
from mfverify.enclosure import Enclosure, Interval, StopReason
from mfverify.errors import ModelError
from mfverify.exact import greedy_value
from mfverify.exact.fewer_agents import interpolated
from mfverify.exact.rational import rational_optimal_value
from mfverify.fixed_point import correction, enclose
from mfverify.progress import waiting
from mfverify.validation import chosen, positive_integer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mfverify.mean_field.limit import MeanFieldLimit
    from mfverify.model import Model
    from mfverify.notation import Floats

_FEWER_AGENTS_FROM: Final = 10**7
"""Pairs of a sweep from which on the value of a quarter of the agents is computed first."""

_LADDER: Final = tuple(sorted({round(2 ** (i / 4)) for i in range(40)}))
"""Numbers of agents that may stand for more of them."""

_QUICK: Final = 10**9
"""Elementary operations of a quick optimum."""

_MOST_SAMPLES: Final = 1000
"""Count vectors of fewer agents over which an expectation is taken exactly."""


class Method(Enum):
    """How the optimum is computed; the value is the word that users type."""

    LUMPED = "lumped"
    FLAT = "flat"
    RATIONAL = "rational"
    LIMIT = "limit"


def optimal_value(model: Model, n: int, method: str | Method = Method.LUMPED, width: float = 1e-9) -> Enclosure:
    """Enclose the optimal value of the n-agent system (paper, eq. 3-4).

    Parameters
    ----------
    model
        The system.
    n
        Number of local agents, at least 1.
    method
        ``"lumped"``, ``"flat"`` (labelled agents), ``"rational"`` (exact) or ``"limit"`` (between fewer and infinitely many agents).
    width
        Requested largest difference between the two bounds.

    Returns
    -------
    Enclosure
        Contains ``V*`` in every entry; axes ``[g, rank in count_vectors(n, |S_l|)]``. Wider than ``width`` only where ``work.stop`` says why.

    Raises
    ------
    ModelError
        n < 1, a width that is not positive, or an unknown method.
    TooLargeError
        Before any work, where memory or a day would not suffice; :func:`optimal_value_at` answers for single states.

    Examples
    --------
    >>> from mfverify.models import absorbing
    >>> value = optimal_value(absorbing(), 2)
    >>> value.lower.shape, f"{value.at(0, (2, 0, 0)):.9f}"
    ((2, 6), '0.625000000')
    """
    n = positive_integer("agents", n)
    if not width > 0:
        raise ModelError(f"width: found {width}, expected a positive number")
    method = chosen("method", method, Method)
    alone = small.solve_alone(model, n, width) if method is Method.LUMPED else None
    if alone is not None:
        return alone[0]
    costs.check(costs.solving(model, n, method.value))
    with waiting(f"optimal value of {n} agents"):
        if method is Method.FLAT:
            return _flat(LabelledOperator(model, n), width)
        if method is Method.RATIONAL:
            return rational_optimal_value(model, n)
        if method is Method.LIMIT:
            from mfverify.mean_field.finite import enclose_all
            from mfverify.mean_field.limit import mean_field_value  # brings linear programming, which no other method needs

            limit = mean_field_value(model, width)
            return enclose_all(limit, n, _fewer(limit, n, width), width)
        return _lumped(LumpedOperator(model, n), width)


def optimal_value_at(model: Model, states: Sequence[tuple[int, Sequence[int]]], width: float = 1e-9) -> list[Interval]:
    """Enclose the optimal value in single states of any number of agents, by method ``limit``: a million agents and more.

    Parameters
    ----------
    model
        The system.
    states
        Pairs ``(s_g, counts)``: a global state and the numbers of agents in each local state. Their sum is n, which may differ between states.
    width
        Requested of the mean-field limit and of the optimum of fewer agents. How narrow the result is depends on the distance between these
        two (claims V1, V2s, V2p, R1).

    Returns
    -------
    list of Interval
        One for each state, in this order.

    Raises
    ------
    ModelError
        A pair that is no state of the model, or a width that is not positive.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from mfverify.models import absorbing
    >>> (found,) = optimal_value_at(absorbing(), [(0, (1_000_000, 0, 0))])
    >>> found.contains(Fraction(1, 2)), float(found.width) < 0.01
    (True, True)
    """
    from mfverify.mean_field.finite import enclose_state, population_of_state
    from mfverify.mean_field.limit import mean_field_value

    sizes = [population_of_state(model, s_g, population) for s_g, population in states]
    limit = mean_field_value(model, width)
    fewer = {n: _fewer(limit, n, width) for n in dict.fromkeys(sizes)}
    return [enclose_state(limit, s_g, population, fewer[n]) for n, (s_g, population) in zip(sizes, states, strict=True)]


def _fewer(limit: MeanFieldLimit, n: int, width: float) -> tuple[int, Enclosure] | None:
    """The largest number of agents, of a ladder, whose optimum takes about a second, and their optimal value; None where the limit is enough."""
    from mfverify.mean_field.finite import distance

    if max(distance(limit, n)) <= Fraction(width):
        return None
    model = limit.model
    k = max(k for k in (1, *(x for x in _LADDER if x <= n)) if k == 1 or _is_quick(model, k))
    return k, _lumped(LumpedOperator(model, k), width)


def _is_quick(model: Model, k: int) -> bool:
    samples = counts.number_of_count_vectors(k, model.sizes[2])
    cost = costs.solving(model, k)
    return samples <= _MOST_SAMPLES and cost.operations + cost.preparation <= _QUICK


def _lumped(operator: LumpedOperator, width: float) -> Enclosure:
    """Policy iteration until a policy repeats; then, or where policies are too expensive to evaluate, value iteration."""
    start = _first_guess(operator, width)
    if not greedy_value.fits(operator):
        return enclose(operator, width, start)
    improving = _PolicyIteration(operator)
    return enclose(improving, width, start, improving.newton)


class _PolicyIteration:
    """The lumped operator, and the step from a vector towards the value of its greedy policy."""

    def __init__(self, operator: LumpedOperator) -> None:
        self.operator, self.error = operator, operator.error
        self.shape, self.discount, self.pairs = operator.shape, operator.discount, operator.pairs
        self._wanted, self._policy = Wanted.POLICY, list[Any]()
        self._seen: set[int] = set()

    def apply(self, value: Floats) -> Floats:
        """``T V``; a greedy policy is kept for the next step."""
        image, self._policy = self.operator.sweep(value, self._wanted)
        return image

    def newton(self, value: Floats, image: Floats, gain: float) -> Floats | None:
        """The value of the greedy policy of ``value``; None when a policy repeats and its value narrows the enclosure no further.

        In exact arithmetic no policy repeats before the optimum. One that does differs by rounding only, or this step refines its value.
        """
        key = hash(b"".join(part.tobytes() for pair in self._policy for part in pair))
        if key in self._seen and gain > 1 / 2:
            self._wanted = Wanted.VALUES
            return None
        self._seen.add(key)
        chain = greedy_value.policy_chain(self.operator, self._policy)
        return value + correction(self.operator, chain.moved, value, image)


def _first_guess(operator: LumpedOperator, width: float) -> Floats | None:
    """Where sweeps are expensive, the value of fewer agents."""
    k = operator.n // 4
    if k < 1 or operator.work < _FEWER_AGENTS_FROM:
        return None
    return interpolated(_lumped(LumpedOperator(operator.model, k), width).midpoint, k, operator.vectors)


def _flat(operator: LabelledOperator, width: float) -> Enclosure:
    """Value iteration; then per count vector the hull over all labelled states, so that no symmetry is assumed."""
    best = enclose(operator, width)
    assert best.work is not None
    position = counts.rank(operator.count_vector_of_state()).ravel()
    size = counts.number_of_count_vectors(operator.n, operator.shape[1])
    lower = np.full((operator.shape[0], size), np.inf)
    upper = np.full((operator.shape[0], size), -np.inf)
    for g in range(operator.shape[0]):
        np.minimum.at(lower[g], position, best.lower[g].ravel())
        np.maximum.at(upper[g], position, best.upper[g].ravel())
    reached = bool((upper - lower).max() <= width)
    stop = StopReason.WIDTH if reached else StopReason.PRECISION
    return Enclosure(lower, upper, None, replace(best.work, stop=stop))
