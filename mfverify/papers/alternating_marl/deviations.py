"""What changes when one agent changes its policy: its own discounted reward, and the value of all. Labelled agents, exact.

The other agents play action 0. The global policy plays the number of the global state modulo the number of actions or, where it reads local states,
action 1 if some agent is in a state other than 0. All deterministic policies of the first agent are compared with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from itertools import product

import flint

from mfverify import models
from mfverify.exact.labelled_rational import LabelledRationalSystem, LabelledState
from mfverify.exact.rational import fraction, solve_chain
from mfverify.model import Model
from mfverify.theory.cases.of_model import OfAgents
from mfverify.theory.claim import Profile


class Reads(Enum):
    """What the policy of the global agent reads."""

    GLOBAL = "global state"
    ALL = "all states"


@dataclass(frozen=True)
class Deviation(OfAgents):
    """A model, n agents, and what the policy of the global agent reads."""

    global_policy: Reads


@dataclass(frozen=True)
class Change:
    """The largest ``|change of own - change of all|`` over start states and pairs of policies, the state, and the two policies.

    A policy is written as the actions of the first agent by its place ``(s_g, s_1)``; ``rest`` is, for each state, the value of all less the
    first agent's share of it.
    """

    largest: Fraction
    state: LabelledState
    policies: tuple[tuple[int, ...], tuple[int, ...]]
    rest: tuple[dict[LabelledState, Fraction], dict[LabelledState, Fraction]]

    @property
    def where(self) -> str:
        """The state, for a reader."""
        return f"start {self.state}"


@lru_cache(maxsize=256)
def largest_change(case: Deviation) -> Change:
    """The largest difference between the change of the first agent's share of the value and the change of the value.

    The share is the discounted sum of ``r_l(s_1, s_g, a_1)/n``. Every deterministic policy of the agent is evaluated once.
    """
    model, n = case.model, case.agents
    system = LabelledRationalSystem(model, n)
    _, global_actions, local_states, local_actions = model.sizes
    places = [(g, s) for g in range(model.sizes[0]) for s in range(local_states)]
    discount = flint.fmpq(model.discount.numerator, model.discount.denominator)
    kept: dict[tuple[int, ...], dict[LabelledState, Fraction]] = {}
    for own in product(range(local_actions), repeat=len(places)):
        choice = dict(zip(places, own, strict=True))
        rows, shares, totals = {}, {}, {}
        for state in system.states:
            g, s = state
            b = int(any(s)) % global_actions if case.global_policy is Reads.ALL else g % global_actions
            action = (b, (choice[g, s[0]], *[0] * (n - 1)))
            rows[state] = {t: flint.fmpq(p.numerator, p.denominator) for t, p in system.law(state, action)}
            share = model.local_reward[s[0], g, action[1][0]] / n
            shares[state] = flint.fmpq(share.numerator, share.denominator)
            total = system.reward(state, action)
            totals[state] = flint.fmpq(total.numerator, total.denominator)
        one, every = solve_chain(rows, shares, discount), solve_chain(rows, totals, discount)
        kept[own] = {state: fraction(every[state] - one[state]) for state in system.states}
    # The change of all less the change of the share is the difference of what is kept here, between two policies.
    spread = {state: max(row[state] for row in kept.values()) - min(row[state] for row in kept.values()) for state in system.states}
    worst = max(spread, key=spread.__getitem__)
    low, high = (extreme(kept, key=lambda own: kept[own][worst]) for extreme in (min, max))
    return Change(spread[worst], worst, (low, high), (kept[low], kept[high]))


def deviation_cases(profile: Profile, given: Sequence[Model] | None) -> list[Deviation]:
    """Few agents, both kinds of global policies."""
    seeds = (4, 5, 16) if profile is Profile.QUICK else range(12)
    chosen = [models.coordination(), *(models.random_coupled(seed) for seed in seeds)] if given is None else list(given)
    small = [m for m in chosen if m.sizes[3] ** (m.sizes[0] * m.sizes[2]) <= 64 and m.sizes[0] * m.sizes[2] ** 2 <= 30]
    return [Deviation(m, n, reads) for m in small for n in (1, 2) for reads in Reads]


def deviation_at(model: Model, n: int, k: int) -> Deviation | None:
    """A case of a search, for policies that read all states."""
    del k
    return Deviation(model, n, Reads.ALL) if n <= 2 and model.sizes[3] ** (model.sizes[0] * model.sizes[2]) <= 64 else None
