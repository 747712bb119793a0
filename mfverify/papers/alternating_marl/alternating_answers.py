r"""Theorem 4.8: alternating best responses with subsampling end near an equilibrium. Claim A1.

Two players maximise V: the global agent, and the local agents with one shared policy of ``(s_g, s_i)``. Against a shared local policy the system
has one local action, so the answer of the global agent from k sampled agents is that of claim G1, and what it loses at most is ``eta``. An
answer is accepted if it raises V by more than ``eta``. Everything is computed in exact arithmetic, from each deterministic local policy as a start.

The alternation compares an equilibrium with deviations of one player. It need not reach the optimum: ``details`` has the welfare gap at the
ends, the optimum of all joint actions less V. Proof: docs/mathematics/related.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache, cached_property
from itertools import product
from typing import Final, TypeAlias

import flint
import numpy as np

from mfverify import counts, models
from mfverify.enclosure import Interval
from mfverify.exact.rational import CountVector, RationalSystem, State, fraction, solve_chain
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import EXACT_OPERATOR, FINITE
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.quantities import rational_system, trivial_gap
from mfverify.papers.sub_sample_q.theorem_3_4 import THEOREM_3_4_LOCAL
from mfverify.rationals import written
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, tightest
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement

LocalPolicy: TypeAlias = tuple[int, ...]
"""The action in each place ``s_g |S_l| + s_l``."""

GlobalPolicy: TypeAlias = Mapping[State, int]
"""The action for each global state and counts of k sampled agents."""

_MOST_POLICIES: Final = 64
_MOST_STATES: Final = 40


class Alternation:
    """The game of the two players for n agents, of which the global agent samples k. All values are means over the states ``(s_g, c)``."""

    def __init__(self, model: Model, n: int, k: int) -> None:
        self.model, self.n, self.k = model, n, k
        places = model.sizes[0] * model.sizes[2]
        self.local_policies: list[LocalPolicy] = list(product(range(model.sizes[3]), repeat=places))
        self._discount = flint.fmpq(model.discount.numerator, model.discount.denominator)
        self.against, self.answer, self.value = cache(self._against), cache(self._answer), cache(self._value)
        self.best_global = cache(self._best_global)

    def _against(self, local: LocalPolicy) -> Model:
        """The model in which local agents follow the policy: one local action."""
        size = self.model.sizes[2]
        kernel = [[[self.model.local_kernel[s, g, local[g * size + s]]] for g in range(self.model.sizes[0])] for s in range(size)]
        reward = [[[self.model.local_reward[s, g, local[g * size + s]]] for g in range(self.model.sizes[0])] for s in range(size)]
        return Model(self.model.global_kernel, np.array(kernel), self.model.global_reward, np.array(reward), self.model.discount)

    def _answer(self, local: LocalPolicy) -> GlobalPolicy:
        """The optimal global policy of k agents that follow ``local``; of equal actions the smallest."""
        small = RationalSystem(self.against(local), self.k)
        return {state: small.greedy(state, small.optimum)[1][0][0] for state in small.states}

    def _value(self, answered: LocalPolicy, local: LocalPolicy) -> flint.fmpq:
        """V where the global agent plays its answer to ``answered`` on a fresh sample a step, and the local agents follow ``local``."""
        policy = self.answer(answered)
        system = RationalSystem(self.against(local), self.n)
        rows: dict[State, dict[State, flint.fmpq]] = {}
        rewards: dict[State, flint.fmpq] = {}
        for g, c in system.states:
            played = self._law_of_actions(policy, g, c)
            moves = system.law(g, c)
            ahead: dict[int, flint.fmpq] = {}
            for b, p in played.items():
                for h, q in enumerate(self.model.global_kernel[g, b]):
                    if q:
                        ahead[h] = ahead.get(h, flint.fmpq(0)) + p * flint.fmpq(q.numerator, q.denominator)
            rows[g, c] = {(h, d): p * q for h, p in ahead.items() for d, q in moves.items()}
            rewards[g, c] = sum((p * system.reward(g, (b, c)) for b, p in played.items()), flint.fmpq(0))
        return _mean(solve_chain(rows, rewards, self._discount))

    def _law_of_actions(self, policy: GlobalPolicy, g: int, c: CountVector) -> dict[int, flint.fmpq]:
        """What the global agent plays, with the probability over its sample."""
        law: dict[int, flint.fmpq] = {}
        for sample, p in counts.subsample_law(c, self.k):
            b = policy[g, sample]
            law[b] = law.get(b, flint.fmpq(0)) + flint.fmpq(p.numerator, p.denominator)
        return law

    def _best_global(self, local: LocalPolicy) -> flint.fmpq:
        """The largest V over all global policies, those that read all agents included."""
        return _mean(RationalSystem(self.against(local), self.n).optimum)

    def best_local(self, answered: LocalPolicy) -> LocalPolicy:
        """The best shared local policy against an answer; of equal ones the first."""
        return max(self.local_policies, key=lambda local: self.value(answered, local))

    @cached_property
    def eta(self) -> flint.fmpq:
        """What an answer loses at most against the best global policy."""
        return max(self.best_global(local) - self.value(local, local) for local in self.local_policies)

    def end(self, start: LocalPolicy) -> tuple[LocalPolicy, LocalPolicy]:
        """The pair at which the alternation ends: the local policy that the global agent answers, and that of the local agents.

        Every accepted answer raises V, and there are finitely many pairs, so it ends.
        """
        answered = local = start
        while True:
            now = self.value(answered, local)
            better = self.best_local(answered)
            if self.value(local, local) > now + self.eta:
                answered = local
            elif self.value(answered, better) > now + self.eta:
                local = better
            else:
                return answered, local

    def gain(self, answered: LocalPolicy, local: LocalPolicy) -> flint.fmpq:
        """The most that one player gains by a deviation of its own."""
        now = self.value(answered, local)
        return max(self.best_global(local), self.value(answered, self.best_local(answered))) - now


def _mean(values: Mapping[State, flint.fmpq]) -> flint.fmpq:
    return sum(values.values(), flint.fmpq(0)) / len(values)


def _fits(model: Model, n: int) -> bool:
    states = model.sizes[0] * counts.number_of_count_vectors(n, model.sizes[2])
    return model.sizes[3] ** (model.sizes[0] * model.sizes[2]) <= _MOST_POLICIES and states <= _MOST_STATES


def _sides(case: Subsampled) -> Outcome:
    """The largest gain at an end of the alternation against ``2 eta``, and ``eta`` against its bound."""
    model, n, k = case.model, case.agents, case.subsample
    if not _fits(model, n):
        return NotApplicable(f"more than {_MOST_POLICIES} local policies or {_MOST_STATES} states, too many for exact enumeration")
    game = Alternation(model, n, k)
    ends = {start: game.end(start) for start in game.local_policies}
    worst = max(ends, key=lambda start: game.gain(*ends[start]))
    optimum = _mean(rational_system(model, n).optimum)
    welfare = sorted(fraction(optimum - game.value(*end)) for end in ends.values())
    details = {
        "worst": f"start {worst}, ends with the answer to {ends[worst][0]} and {ends[worst][1]}",
        "eta": written(fraction(game.eta)),
        "welfare gap at the ends": f"{written(welfare[0])} to {written(welfare[-1])}",
    }
    trivial = trivial_gap(model)
    near = Sides(Interval.exactly(fraction(game.gain(*ends[worst]))), Interval.exactly(fraction(2 * game.eta)), trivial, details)
    rate = Sides(Interval.exactly(fraction(game.eta)), THEOREM_3_4_LOCAL.enclose(symbol_values(model, n, k)), trivial, details)
    return tightest([near], [rate])


def _instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    seeds = (4, 5) if profile is Profile.QUICK else range(12)
    chosen = [models.coordination(), *(models.random_coupled(seed) for seed in seeds)] if given is None else list(given)
    sizes = [(n, k) for n in (2, 3) for k in range(1, n + 1)]
    return [Subsampled(m, n, k) for m in chosen for n, k in sizes if given is not None or _fits(m, n)]


def _at(model: Model, n: int, k: int) -> Subsampled | None:
    return Subsampled(model, n, k) if _fits(model, n) else None


A1 = Claim(
    id="A1",
    title="Theorem 4.8: where alternating answers end",
    statement=r"Let $\eta$ be the most by which an answer of the global agent from $k$ sampled agents is worth less than its best one. Alternating answers, each "
    r"accepted if it raises $V$ by more than $\eta$, end at a pair of policies from which no player gains more than $2\eta$, and $\eta = \tilde O(1/\sqrt k)$.",
    source="arXiv 2603.03759, Theorem 4.8",
    reading="neither the algorithm nor the constants were read in the original. Two players: the global agent, and the local agents with one shared "
    "deterministic policy of (s_g, s_i), whose best answer is exact. V is the mean over the states; the global agent deviates to any policy, those that "
    "read all agents included, the local agents to any shared one; the rate of eta is read as the bound of G2. All starts, exact",
    assumptions=(*FINITE, EXACT_OPERATOR, "local agents share one policy of (s_g, s_i)"),
    registered=Status.CORROBORATED,
    sides=_sides,
    instances=_instances,
    control=Control("the right side is divided by four", right=by_factor(Fraction(1, 4))),
    left_means="largest gain of a deviation",
    right_means="2 eta",
    grounds=proof("docs/mathematics/related.md", "A1", uses=("G2",)),
    searched=Arrangement(_at, rational_cost, (2, 3)),
)
