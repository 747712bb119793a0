"""The optimal value ``V*`` of the n-agent system as an enclosure, three ways.

- ``lumped``: policy iteration on (global state, count vector). Greedy sweep, value of the greedy policy, and so on; each
  sweep yields a certified enclosure of ``V*`` by itself, so the iteration may stop whenever it is narrow enough. Many agents
  begin with the value of fewer (``exact/fewer_agents.py``), which on most models halves the sweeps.
- ``flat``: value iteration over labelled joint states and actions, without symmetry. The reference for small n.
- ``rational``: policy iteration in exact arithmetic (``exact/rational.py``).

An iteration stops when the enclosure is as narrow as asked, or when double precision cannot narrow it further; it never
stops at a number of iterations. The result says which.

Two refinements were measured and left out. *Modified policy iteration* needs the transition rows of a policy as much as the
linear solve does: GMRES multiplies by them some thirty times, and with as many multiplications in its place the sweeps were
no fewer (2 to 5 either way on models with two and three local states; 12 with five, 32 with one). Where the rows do not fit,
neither does it, and value iteration with extrapolation takes 5 to 29 sweeps. *Action elimination* by MacQueen's bounds
excludes nothing after the first sweep. Before the last one it excluded 98 to 100 % of the (state, joint action) pairs where two
sweeps are enough anyhow, and 0 to 83 % where three to five are needed, there without one chain of rows that could have been
skipped as a whole; and an excluded pair still has to be computed, because the next row is a combination of this one.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np

from mfverify import costs, counts
from mfverify.bellman.choices import Wanted
from mfverify.bellman.labelled import LabelledOperator
from mfverify.bellman.lumped import LumpedOperator
from mfverify.enclosure import Enclosure, StopReason, Work, fixed_point_enclosure
from mfverify.errors import ModelError
from mfverify.exact import greedy_value
from mfverify.exact.fewer_agents import interpolated
from mfverify.exact.rational import rational_optimal_value
from mfverify.validation import chosen, positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats

_FEWER_AGENTS_FROM: Final = 10**7
"""Pairs of a sweep from which on the value of a quarter of the agents is computed first."""

_REMEMBERED: Final = 6
"""Steps of value iteration that an extrapolation looks back on, beside the last one."""


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
    """Policy iteration until a policy comes back; then, or where policies are too dear to evaluate, value iteration."""
    improving = greedy_value.fits(operator)
    wanted = Wanted.POLICY if improving else Wanted.VALUES
    value = _first_guess(operator, width)
    seen: set[int] = set()
    best: Enclosure | None = None
    made = evaluations = 0
    while True:
        image, policy = operator.apply(value, wanted)
        made += 1
        now = fixed_point_enclosure(image, value, operator.error(value), operator.model.discount)
        if best is None or now.width.max() < best.width.max():
            best = now
        key = hash(b"".join(part.tobytes() for pair in policy for part in pair))
        # In exact arithmetic no policy comes back before the optimum; one that does differs by rounding only.
        if best.width.max() <= width or not improving or key in seen:
            return _value_iteration(operator, value, image, best, width, made, evaluations)
        seen.add(key)
        value = greedy_value.policy_chain(operator, policy).solve(image)
        evaluations += 1


def _first_guess(operator: LumpedOperator, width: float) -> Floats:
    """Zero, or where sweeps are dear the value of fewer agents."""
    k = operator.n // 4
    if k < 1 or operator.work < _FEWER_AGENTS_FROM:
        return np.zeros(operator.shape)
    return interpolated(_lumped(LumpedOperator(operator.model, k), width).midpoint, k, operator.vectors)


def _value_iteration(
    operator: LumpedOperator, value: Floats, image: Floats, best: Enclosure, width: float, made: int, evaluations: int
) -> Enclosure:
    """Value iteration with Anderson's extrapolation, each step certified by itself.

    A plain step narrows the span of the residual by gamma until only rounding is left; that ends the iteration. An
    extrapolated step is kept if it narrows the enclosure at least as much, otherwise a plain step takes its place.
    """
    discount = operator.model.discount
    history = [(value, image)]
    candidate, plain = image, True
    while best.width.max() > width:
        image, _ = operator.apply(candidate, Wanted.VALUES)
        made += 1
        now = fixed_point_enclosure(image, candidate, operator.error(candidate), discount)
        wanted = best.width.max() if plain else float(discount) * best.width.max()
        if now.width.max() < wanted:
            best = now
            history = [*history[-_REMEMBERED:], (candidate, image)]
            candidate, plain = _extrapolated(history), False
        elif plain:
            return Enclosure(best.lower, best.upper, None, Work(StopReason.PRECISION, made, evaluations, operator.pairs))
        else:
            history = history[-1:]
            candidate, plain = history[0][1], True
    return Enclosure(best.lower, best.upper, None, Work(StopReason.WIDTH, made, evaluations, operator.pairs))


def _extrapolated(history: list[tuple[Floats, Floats]]) -> Floats:
    """The affine combination of the images whose residual is least (Anderson 1965); constants do not count, they are certified away."""
    residuals = np.stack([(image - value).ravel() for value, image in history])
    residuals -= residuals.mean(axis=1, keepdims=True)
    images = np.stack([image.ravel() for _, image in history])
    share, *_ = np.linalg.lstsq(np.diff(residuals, axis=0).T, residuals[-1], rcond=None)
    mixed: Floats = images[-1] - share @ np.diff(images, axis=0)
    return mixed.reshape(history[-1][1].shape) if np.isfinite(mixed).all() else history[-1][1]


def _flat(operator: LabelledOperator, width: float) -> Enclosure:
    """Value iteration; then per count vector the hull over all labelled states, so that no symmetry is assumed."""
    value: Floats = np.zeros(operator.shape)
    best: Enclosure | None = None
    made = 0
    while True:
        image = operator.apply(value)
        made += 1
        now = fixed_point_enclosure(image, value, operator.error(value), operator.model.discount)
        narrower = best is None or bool(now.width.max() < best.width.max())
        if best is None or narrower:
            best = now
        if best.width.max() <= width or not narrower:
            break
        value = image
    position = counts.rank(operator.count_vector_of_state()).ravel()
    size = counts.number_of_count_vectors(operator.n, operator.shape[1])
    lower = np.full((operator.shape[0], size), np.inf)
    upper = np.full((operator.shape[0], size), -np.inf)
    for g in range(operator.shape[0]):
        np.minimum.at(lower[g], position, best.lower[g].ravel())
        np.maximum.at(upper[g], position, best.upper[g].ravel())
    reached = bool((upper - lower).max() <= width)
    return Enclosure(lower, upper, None, Work(StopReason.WIDTH if reached else StopReason.PRECISION, made, 0, operator.pairs))
