"""Theorem 4.8 against a deviation of one local agent. Claim A1s, where the policy of the global agent reads the global state alone.

The end of the alternation of A1 withstands deviations of the shared local policy. One agent that leaves the shared policy is another player.
If the global policy reads ``s_g`` alone, the value is a sum over agents (A2r), so n agents that deviate together gain n times what one gains, and an
end at which the shared policy gains at most eta leaves eta/n to one agent.

The negative control lets the global policy read all local states: at an end of the exact alternation (eta = 0) on two agents one of them then gains
1/600, so the ends of A1 are no equilibria against single agents. Proof: docs/mathematics/related.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Final

import flint

from mfverify import models
from mfverify.enclosure import Interval
from mfverify.exact.labelled_rational import LabelledRationalSystem
from mfverify.exact.rational import fraction, solve_chain
from mfverify.model import Model
from mfverify.papers.alternating_marl.alternating_answers import Alternation, LocalPolicy
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.quantities import trivial_gap
from mfverify.theory.cases.of_model import OfAgents
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, tightest
from mfverify.theory.grounds import proof
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement

_MOST_POLICIES: Final = 16
_MOST_STATES: Final = 40


@dataclass(frozen=True)
class Tolerant(OfAgents):
    """A model, n agents, and by how much an answer has to raise the value to be accepted."""

    eta: Fraction


def _value(model: Model, n: int, plays: Callable[[int, tuple[int, ...]], int], own: LocalPolicy, others: LocalPolicy) -> Fraction:
    """The mean of V over the states ``(s_g, c)``, as for A1, and over their labellings.

    The first agent follows ``own``, the others ``others``, and ``plays(s_g, states)`` is the global action.
    """
    system, size = LabelledRationalSystem(model, n), model.sizes[2]
    rows, rewards = {}, {}
    for g, s in system.states:
        acts = tuple((others if i else own)[g * size + x] for i, x in enumerate(s))
        action = plays(g, s), acts
        rows[g, s] = {t: flint.fmpq(p.numerator, p.denominator) for t, p in system.law((g, s), action)}
        reward = system.reward((g, s), action)
        rewards[g, s] = flint.fmpq(reward.numerator, reward.denominator)
    value = solve_chain(rows, rewards, flint.fmpq(model.discount.numerator, model.discount.denominator))
    labellings = Counter((g, tuple(sorted(s))) for g, s in value)
    return sum((fraction(x) / labellings[g, tuple(sorted(s))] for (g, s), x in value.items()), Fraction(0)) / len(labellings)


def _fits(model: Model, n: int) -> bool:
    global_states, global_actions, size, actions = model.sizes
    policies: int = max(actions ** (global_states * size), global_actions**global_states)
    return bool(global_states * size**n <= _MOST_STATES and policies <= _MOST_POLICIES)


def _sides(case: Tolerant) -> Outcome:
    """At each end of the alternation the largest gain of one agent against ``eta/n``, and of the two players against eta."""
    model, n, eta = case.model, case.agents, case.eta
    if not _fits(model, n):
        return NotApplicable(f"more than {_MOST_POLICIES} policies or {_MOST_STATES} labelled states, too many for exact enumeration")
    global_policies = list(product(range(model.sizes[1]), repeat=model.sizes[0]))
    local_policies = list(product(range(model.sizes[3]), repeat=model.sizes[0] * model.sizes[2]))

    @cache
    def value(b: tuple[int, ...], own: LocalPolicy, others: LocalPolicy) -> Fraction:
        return _value(model, n, lambda g, _: b[g], own, others)

    def end(b: tuple[int, ...], a: LocalPolicy) -> tuple[tuple[int, ...], LocalPolicy]:
        while True:
            best_b = max(global_policies, key=lambda other: value(other, a, a))
            best_a = max(local_policies, key=lambda other: value(b, other, other))
            if value(best_b, a, a) > value(b, a, a) + eta:
                b = best_b
            elif value(b, best_a, best_a) > value(b, a, a) + eta:
                a = best_a
            else:
                return b, a

    ends = {end(b, a) for b in global_policies for a in local_policies}
    alone, together = [], []
    for b, a in ends:
        now = value(b, a, a)
        gain = max(value(b, other, a) for other in local_policies) - now
        players = max(*(value(b, other, other) for other in local_policies), *(value(other, a, a) for other in global_policies)) - now
        said = {"worst": f"global policy {b}, local policy {a}", "ends": str(len(ends))}
        alone.append(Sides(Interval.exactly(gain), Interval.exactly(eta / n), trivial_gap(model), said))
        together.append(Sides(Interval.exactly(players), Interval.exactly(eta), trivial_gap(model), said))
    return tightest(alone, together)


def _reading_all(case: Tolerant) -> Outcome:
    """The largest gain of one agent at the ends of A1 with k = n, where the global policy reads all states and eta is 0."""
    model, n = case.model, case.agents
    game = Alternation(model, n, n)
    found = []
    for answered, a in {game.end(start) for start in game.local_policies}:
        policy, size = game.answer(answered), model.sizes[2]

        def plays(g: int, s: tuple[int, ...], policy: object = policy, size: int = size) -> int:
            return int(policy[g, tuple(s.count(t) for t in range(size))])  # type: ignore[index]

        now = _value(model, n, plays, a, a)
        found.append(Sides(Interval.exactly(max(_value(model, n, plays, own, a) for own in game.local_policies) - now), Interval.exactly(0)))
    return tightest(found)


def _instances(profile: Profile, given: Sequence[Model] | None) -> list[Tolerant]:
    seeds = (4, 5) if profile is Profile.QUICK else range(12)
    chosen = [models.coordination(), *(models.random_coupled(seed) for seed in seeds)] if given is None else list(given)
    sizes = (2, 3, 4)
    return [Tolerant(m, n, Fraction(eta)) for m in chosen for n in sizes if _fits(m, n) for eta in ("0", "1/10", "1/2")]


def _at(model: Model, n: int, k: int) -> Tolerant | None:
    del k
    return Tolerant(model, n, Fraction(1, 10)) if _fits(model, n) else None


A1S = Claim(
    id="A1s",
    title="Theorem 4.8 against one local agent",
    statement=r"Let the global policy read $s_g$ alone. Where alternating answers of the global agent and of the shared local policy, each accepted if it raises $V$ "
    r"by more than $\eta$, end, no local agent gains more than $\eta/n$ by a policy of its own.",
    source="arXiv 2603.03759, Theorem 4.8",
    reading="the theorem's players were not read in the original; here one local agent leaves the shared policy for any deterministic policy of (s_g, s_i). V is the mean over "
    "the states, as for A1; exact answers, all starts and all ends",
    assumptions=(*FINITE, "the global policy reads the global state alone", "local agents share one policy of (s_g, s_i)"),
    registered=Status.CORROBORATED,
    sides=_sides,
    instances=_instances,
    control=Control(
        "the global policy reads all local states",
        sides=_reading_all,
        instances=lambda: [Tolerant(models.coordination(), 2, Fraction(0))],
    ),
    left_means="largest gain of one agent",
    right_means="eta/n",
    grounds=proof("docs/mathematics/related.md", "A1s", uses=("A2r",)),
    searched=Arrangement(_at, rational_cost, (2, 3)),
)
