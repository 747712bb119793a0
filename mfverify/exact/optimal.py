"""The optimal value ``V*`` of the n-agent system as an enclosure, three ways.

- ``lumped``: policy iteration on (global state, count vector). Greedy sweep, value of the greedy policy, and so on; each
  sweep yields a certified enclosure of ``V*`` by itself, so the iteration may stop whenever it is narrow enough. Many agents
  begin with the value of fewer (``exact/fewer_agents.py``), which on most models halves the sweeps.
- ``flat``: value iteration over labelled joint states and actions, without symmetry. The reference for small n.
- ``rational``: policy iteration in exact arithmetic (``exact/rational.py``).

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
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mfverify import costs, counts
from mfverify.bellman.choices import Wanted
from mfverify.bellman.labelled import LabelledOperator
from mfverify.bellman.lumped import LumpedOperator
from mfverify.enclosure import Enclosure, StopReason
from mfverify.errors import ModelError
from mfverify.exact import greedy_value
from mfverify.exact.fewer_agents import interpolated
from mfverify.exact.rational import rational_optimal_value
from mfverify.fixed_point import correction, enclose
from mfverify.validation import chosen, positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats

_FEWER_AGENTS_FROM: Final = 10**7
"""Pairs of a sweep from which on the value of a quarter of the agents is computed first."""


class Method(Enum):
    """How the optimum is computed; the value is the word that users type."""

    LUMPED = "lumped"
    FLAT = "flat"
    RATIONAL = "rational"


def optimal_value(model: Model, n: int, method: str | Method = Method.LUMPED, width: float = 1e-9) -> Enclosure:
    """Enclose the optimal value of the n-agent system (paper, eq. 3-4).

    Returns an :class:`Enclosure` with axes ``[g, rank in count_vectors(n, |S_l|)]`` that contains ``V*`` of the rational
    model in every entry; its largest width is at most ``width`` unless ``work.stop`` says that double precision does not
    allow it. ``method`` is ``"lumped"``, ``"flat"`` or ``"rational"``. Raises :class:`ModelError` for n < 1, a width that
    is not positive or an unknown method, :class:`TooLargeError` before any work where memory would not suffice.
    """
    n = positive_integer("agents", n)
    if not width > 0:
        raise ModelError(f"width: found {width}, expected a positive number")
    method = chosen("method", method, Method)
    costs.check(costs.solving(model, n, method.value))
    if method is Method.FLAT:
        return _flat(LabelledOperator(model, n), width)
    if method is Method.RATIONAL:
        return rational_optimal_value(model, n)
    return _lumped(LumpedOperator(model, n), width)


def _lumped(operator: LumpedOperator, width: float) -> Enclosure:
    """Policy iteration until a policy repeats; then, or where policies are too expensive to evaluate, value iteration."""
    start = _first_guess(operator, width)
    if not greedy_value.fits(operator):
        return _with_pairs(enclose(operator, width, start), operator.pairs)
    improving = _PolicyIteration(operator)
    return _with_pairs(enclose(improving, width, start, improving.newton), operator.pairs)


class _PolicyIteration:
    """The lumped operator, and the step from a vector towards the value of its greedy policy."""

    def __init__(self, operator: LumpedOperator) -> None:
        self.operator, self.shape, self.discount = operator, operator.shape, operator.discount
        self.error = operator.error
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
        return value + correction(chain.moved, image - value, float(np.abs(value).max()))


def _with_pairs(found: Enclosure, pairs: int) -> Enclosure:
    """The same with the number of (state, joint action) pairs of a sweep noted."""
    assert found.work is not None
    return replace(found, work=replace(found.work, pairs_per_sweep=pairs))


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
    return Enclosure(lower, upper, None, replace(best.work, stop=stop, pairs_per_sweep=operator.pairs))
