"""Algorithm 2 of SUBSAMPLE-MFQ: n agents act on samples of k, and the exact value of that.

At every step of the *independent* variant (the paper's):

1. the global agent draws a uniform k-subset of the n local agents and plays the global part of ``pi-hat(s_g, s_Delta)``;
2. each local agent draws its own uniform (k-1)-subset of the others and plays its own part of
   ``pi-hat(s_g, s_i, s_Delta_i)``.

The files of ``draws`` are this and the other ways of drawing (ours); ``way.py`` says what they have in common.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import flint
import numpy as np

from mfverify import costs, counts
from mfverify.bellman import small
from mfverify.enclosure import Enclosure, StopReason, Work
from mfverify.errors import ModelError, TooLargeError
from mfverify.exact.rational import fraction, solve_chain
from mfverify.progress import waiting
from mfverify.subsample_mfq import small_chains
from mfverify.subsample_mfq.draws import shared, way
from mfverify.subsample_mfq.learning import Learned, Regime
from mfverify.subsample_mfq.own_draws import Marginals, OwnDraws, own_marginals
from mfverify.subsample_mfq.plays import joint_action
from mfverify.validation import positive_integer

if TYPE_CHECKING:
    from mfverify.exact.rational import State
    from mfverify.model import Model
    from mfverify.notation import Exact
    from mfverify.subsample_mfq.way import Way

_MOST_EXACT_STATES = 400


def execution_value(model: Model, n: int, learned: Learned, sampling: str | Way = "independent", width: float = 1e-9) -> Enclosure:
    """Enclose the value of the executed policy ``pi_k`` in the n-agent system (Algorithm 2).

    Parameters
    ----------
    model
        The system.
    n
        Number of local agents, at least k.
    learned
        The result of :func:`learn` on this model.
    sampling
        How the agents draw: a word, one for each file of ``draws``, or a :class:`~mfverify.subsample_mfq.way.Way`.
    width
        Requested largest difference between the two bounds.

    Returns
    -------
    Enclosure
        The value; axes ``[g, rank in count_vectors(n, |S_l|)]``.

    Raises
    ------
    ModelError
        k > n, an unknown way of drawing, or a policy that was learned on another model.
    UndecidedTieError
        A needed greedy action is undecided.
    TooLargeError
        Before work that does not fit into memory or a day.

    Notes
    -----
    Cost with two local states: about ``n`` operations and at most ``20 sqrt(n)`` numbers per state; otherwise
    ``C(n+S-1, S-1)`` sums over ``C(k+S-2, S-1)`` samples in integers, then rows of n agents each. Then one sparse linear solve.
    Rows are held, and with three local states they are nearly full up to some hundred agents: about ``n^4/4`` numbers for each global
    state, 2.4 GB for n = 140 and two of them, which is where it is refused. No law that is left out of a row brings that far down: what
    a law loses has to stay below the width over the number of states.

    Examples
    --------
    >>> from mfverify.models import coordination
    >>> from mfverify.subsample_mfq.learning import learn
    >>> alone, shared = (execution_value(coordination(), 4, learn(coordination(), 3), how) for how in ("independent", "shared"))
    >>> (alone - shared).max().lower < 0.3 < (shared - alone).max().lower     # agents that draw alone disagree
    True
    """
    n = positive_integer("agents", n)
    how = way(sampling)
    check_learned(model, n, learned, how)
    if isinstance(how, OwnDraws) or how is shared.WAY:
        value = _small_value(model, n, learned, how, width)
        if value is not None:
            return value
    costs.check(how.cost(model, n, learned.k))
    with waiting(f"executing with {n} agents, k = {learned.k}"):
        return how.value(model, n, learned, width)


def _small_value(model: Model, n: int, learned: Learned, how: Way, width: float) -> Enclosure | None:
    """A small system in one compiled call; None where it is not small, a tie is undecided or the width is not reached."""
    k, (_, _, size, actions) = learned.k, model.sizes
    copied, own_draws = how is shared.WAY, how if isinstance(how, OwnDraws) else None
    if not small_chains.fits(n, k, model.sizes, own_draws) or learned.undecided:
        return None
    played, own = learned.global_action, learned.local_action
    joint = np.zeros((*played.shape, size * actions), dtype=np.int64)
    if copied:
        listed = [[joint_action(learned, g, tuple(c)) for c in counts.count_vectors(k, size).tolist()] for g in range(len(played))]
        played, joint = (np.array([[move[i] for move in of_g] for of_g in listed], dtype=np.int64) for i in (0, 1))
    policies = small_chains.Policies(played[None], own[None], joint[None], np.array([True]))
    given = small.copies(model, merged=False)
    lower, upper = small_chains.execute(given, n, k, policies, copied, small.Roundings(), width, own_draws)
    if not (np.nextafter(upper - lower, np.inf) <= width).all():
        return None
    return Enclosure(lower[0], upper[0], None, Work(StopReason.WIDTH))


def check_learned(model: Model, n: int, learned: Learned, how: Way | None = None) -> None:
    """Refuse a policy that was learned on another model, with k > n, or without the table that agents look up, by :class:`ModelError`."""
    if learned.model is not model and learned.model != model:
        raise ModelError(
            f"learned: the policy was learned on the model {learned.model.name!r}, which differs from {model.name!r}; learn it on this model"
        )
    if learned.k > n:
        raise ModelError(f"subsample: found {learned.k}, expected at most agents = {n}")
    if learned.regime is Regime.NONE and (how is None or how.table):
        raise ModelError("learned: found no table (regime 'none'), and agents look one up; learn with another regime, or let them follow plans")


def policy_marginals(learned: Learned, n: int, sampling: str | Way = "independent") -> Marginals:
    """The exact marginals of ``pi_k`` (eq. 11-12) for agents that draw on their own; :class:`ModelError` for other ways."""
    how = way(sampling)
    if not isinstance(how, OwnDraws):
        raise ModelError(f"sampling: found {how.word!r}, expected a way in which each agent draws on its own")
    return own_marginals(how, learned, n)


def exact_execution_value(learned: Learned, n: int) -> Enclosure:
    """The value of ``pi_k`` under independent draws as Fractions, for small systems (claims that turn on equality).

    Rows are convolved agent by agent in rational arithmetic and the linear system is solved exactly. Raises
    :class:`TooLargeError` before any work beyond a few hundred states.
    """
    model = learned.model
    check_learned(model, n, learned)
    global_states, _, size, _ = model.sizes
    vectors = [tuple(int(x) for x in row) for row in counts.count_vectors(n, size)]
    if global_states * len(vectors) > _MOST_EXACT_STATES:
        raise TooLargeError(
            f"{n} agents have {global_states * len(vectors)} states, more than {_MOST_EXACT_STATES} for exact arithmetic; use execution_value"
        )
    marginals = policy_marginals(learned, n)
    of_global, of_local = marginals.global_action, marginals.local_action
    rows: dict[State, dict[State, flint.fmpq]] = {}
    rewards: dict[State, flint.fmpq] = {}
    for g in range(global_states):
        for i, c in enumerate(vectors):
            law: dict[tuple[int, ...], Fraction] = {(0,) * size: Fraction(1)}
            reward = of_global[g, i] @ model.global_reward[g]
            for s, x in enumerate(c):
                mixture = of_local[g, i, s]
                move = mixture @ model.local_kernel[s, g]
                reward += Fraction(x, n) * (mixture @ model.local_reward[s, g]) if x else 0
                for _agent in range(x):
                    law = _one_agent_more(law, move)
            next_global = of_global[g, i] @ model.global_kernel[g]
            rows[g, c] = {
                (h, d): flint.fmpq((p * q).numerator, (p * q).denominator) for h, p in enumerate(next_global) if p for d, q in law.items()
            }
            rewards[g, c] = flint.fmpq(reward.numerator, reward.denominator)
    value = solve_chain(rows, rewards, flint.fmpq(model.discount.numerator, model.discount.denominator))
    exact = np.array([[fraction(value[g, c]) for c in vectors] for g in range(global_states)], dtype=object)
    return Enclosure.of_fractions(exact)


def _one_agent_more(law: dict[tuple[int, ...], Fraction], move: Exact) -> dict[tuple[int, ...], Fraction]:
    """The law of the counts after one more independent agent has moved."""
    out: dict[tuple[int, ...], Fraction] = {}
    for c, p in law.items():
        for t, q in enumerate(move):
            if q:
                target = (*c[:t], c[t] + 1, *c[t + 1 :])
                out[target] = out.get(target, Fraction(0)) + p * q
    return out
