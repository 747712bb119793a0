"""The optimal value ``V*`` of the n-agent system as an enclosure, three ways.

- ``lumped``: policy iteration on (global state, count vector). Greedy sweep, value of the greedy policy, and so on; each
  sweep yields a certified enclosure of ``V*`` by itself, so the iteration may stop whenever it is narrow enough.
- ``flat``: value iteration over labelled joint states and actions, without symmetry. The reference for small n.
- ``rational``: policy iteration in exact arithmetic (``exact/rational.py``).

An iteration stops when the enclosure is as narrow as asked, or when double precision cannot narrow it further; it never
stops at a number of iterations. The result says which.
"""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from mfverify import counts
from mfverify.bellman import sweeps
from mfverify.bellman.labelled import LabelledOperator
from mfverify.bellman.lumped import LumpedOperator
from mfverify.enclosure import Enclosure, StopReason, Work, fixed_point_enclosure
from mfverify.errors import ModelError
from mfverify.exact.policy_value import PolicyChain, compact
from mfverify.exact.rational import rational_optimal_value
from mfverify.validation import chosen, positive_integer

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.notation import Floats, Integers

_MOST_CHAIN_NUMBERS = 3 * 10**8
"""A policy whose transition rows need more doubles than this is improved by value iteration instead (2.4 GB)."""


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
    if method is Method.FLAT:
        return _flat(LabelledOperator(model, n), width)
    if method is Method.RATIONAL:
        return rational_optimal_value(model, n)
    return _lumped(LumpedOperator(model, n), width)


def _lumped(operator: LumpedOperator, width: float) -> Enclosure:
    """Policy iteration until a policy comes back, then (or where the transition rows do not fit) value iteration."""
    global_states, states = operator.shape
    improving = global_states * states * states <= _MOST_CHAIN_NUMBERS
    value = np.zeros(operator.shape)
    seen: set[bytes] = set()
    best: Enclosure | None = None
    made = evaluations = 0
    while True:
        image, policy = operator.apply(value)
        made += 1
        now = fixed_point_enclosure(image, value, operator.error(value), operator.model.discount)
        narrower = best is None or bool(now.width.max() < best.width.max())
        if best is None or narrower:
            best = now
        reached = bool(best.width.max() <= width)
        # Value iteration narrows the span of the residual by gamma in every sweep until only rounding is left.
        if reached or not (improving or narrower):
            stop = StopReason.WIDTH if reached else StopReason.PRECISION
            return Enclosure(best.lower, best.upper, None, Work(stop, made, evaluations, operator.pairs))
        key = b"".join(part.tobytes() for pair in policy for part in pair)
        # In exact arithmetic no policy comes back before the optimum; one that does differs by rounding only.
        improving = improving and key not in seen
        if improving:
            seen.add(key)
            value = policy_chain(operator, policy).solve()
            evaluations += 1
        else:
            value = image


def policy_chain(operator: LumpedOperator, policy: list[tuple[Integers, Integers]]) -> PolicyChain:
    """The Markov chain of a deterministic policy given as in :meth:`LumpedOperator.apply`. Cost: n times the rows."""
    model, n = operator.model, operator.n
    global_states, states = operator.shape
    local_states = model.sizes[2]
    global_law = np.empty((global_states, states, global_states))
    local_law = []
    reward = np.empty((global_states, states))
    kernel = model.floats("global_kernel")
    for g, (global_action, action_counts) in enumerate(policy):
        choices = operator.choices[g]
        weights = np.array([[float(p) for p in row] for row in choices.kernels])
        multiplicity = operator.kernel_counts(g, action_counts)
        per_state = np.broadcast_to(weights, (states, *weights.shape))
        law = np.empty((states, states))
        law[:, operator.order] = sweeps.next_count_laws(multiplicity, np.ascontiguousarray(per_state), operator.up, operator.level_sizes)
        local_law.append(compact(law))
        global_law[g] = kernel[g, global_action]
        local = action_counts @ np.array([float(r / n) for r in choices.reward])
        reward[g] = np.array([float(r) for r in model.global_reward[g]])[global_action] + local
    roundings = (local_states + 1) * n + 1
    return PolicyChain(reward, model.discount, roundings, model.rt, Fraction(0), global_law, local_law)


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
