"""Theorem E.3 (appendix): Lipschitz continuity of Q*_k in the empirical distribution. Claims L1 (same size) and L2 (across sizes).

``Q*_k(s_g, F, a_g)`` for every distribution F of k state-action pairs, in exact arithmetic; the instance compares all pairs of
distributions and shows the tightest. The proof of L1 compares no empirical distributions after a transition, so it does not use C7:
docs/mathematics/across-sizes.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Final, TypeAlias

from mfverify import counts, models
from mfverify.enclosure import Interval
from mfverify.exact.rational import fraction
from mfverify.model import Model
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.symbols import TV, gamma, rt_l
from mfverify.papers.quantities import exact_values, rational_system, trivial_gap
from mfverify.papers.screens import lipschitz, lipschitz_across
from mfverify.rationals import estimate, written
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import OfSample
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, tightest
from mfverify.theory.formula import times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import comparison_cost
from mfverify.theory.search_space import Arrangement
from mfverify.theory.witness import Witness

SLOPE: Final = 2 * rt_l / (1 - gamma)
"""``L = 2 rt_l/(1-gamma)``, the Lipschitz constant of Theorem E.3."""

SAME_SIZE: Final = Bound(
    "L1",
    times(SLOPE, TV),
    "Theorem E.3 (appendix)",
    "bounds |Q*_k(s_g, F, a_g) - Q*_k(s_g, F', a_g)| for two distributions of k agents",
)

ACROSS_SIZES: Final = replace(SAME_SIZE, name="L2", reading="the same number for distributions of k and of k' agents")

Table: TypeAlias = dict[tuple[int, int], dict[tuple[int, ...], Fraction]]
"""``Q_k`` by (global state, global action), then by action counts over Z_l."""


@lru_cache(maxsize=64)
def exact_table(model: Model, k: int) -> Table:
    """``Q*_k(s_g, F, a_g)`` for all arguments, exact."""
    system = rational_system(model, k)
    optimum = system.optimum
    global_states, global_actions = model.sizes[:2]
    table: Table = {(g, b): {} for g in range(global_states) for b in range(global_actions)}
    for g, c in system.states:
        for d in system.local_action_counts(c):
            for b in range(global_actions):
                table[g, b][d] = fraction(system.action_value((g, c), (b, d), optimum))
    return table


@dataclass(frozen=True)
class TwoSizes(OfSample):
    """k agents, and another number of them that is at least k."""

    other: int

    @property
    def order(self) -> int:
        """The number of agents of the larger system."""
        return max(self.subsample, self.other)


def _sides(case: TwoSizes) -> Outcome:
    """The tightest of ``|Q_k(F) - Q_k'(F')| <= 2 rt_l / (1 - gamma) TV(F, F')`` over all pairs."""
    model = case.model
    k, other = case.subsample, case.other
    first, second = exact_table(model, k), exact_table(model, other)
    right_of: dict[Fraction, Interval] = {}
    best: dict[Fraction, tuple[Fraction, str]] = {}
    for key, rows in first.items():
        for d, q in rows.items():
            for e, p in second[key].items():
                if k == other and d >= e:
                    continue
                distance = counts.total_variation(d, e)
                difference = abs(q - p)
                if distance not in best or difference > best[distance][0]:
                    best[distance] = difference, f"s_g={key[0]}, a_g={key[1]}, action counts {d} of {k} and {e} of {other}, TV={distance}"
    candidates = []
    for distance, (difference, where) in best.items():
        right_of[distance] = SAME_SIZE.enclose({symbols.rt_l: model.rt_l, symbols.gamma: model.discount, symbols.TV: distance})
        trivial = trivial_gap(model)
        candidates.append(Sides(Interval.exactly(difference), right_of[distance], trivial, {"worst": where}))
    if not candidates:
        return NotApplicable("one local state and one local action: there is only one distribution")
    shown = tightest(candidates)
    slope = 2 * model.rt_l / (1 - model.discount)
    ratios = [difference / (slope * distance) for distance, (difference, _) in best.items() if distance and slope]
    unbounded = any(difference > 0 for distance, (difference, _) in best.items() if not distance)
    constant = "infinite: the values differ at distance 0" if unbounded else _short(max(ratios, default=Fraction(0)))
    return Sides(shown.left, shown.right, shown.trivial, {**shown.details, "exact Lipschitz constant over the stated one": constant})


def _short(number: Fraction) -> str:
    """A fraction as it is where it is short, else as a decimal number."""
    text = written(number)
    return text if len(text) <= 20 or number.denominator == 1 else estimate(number)


def _bundled(given: Sequence[Model] | None) -> list[Model]:
    return (
        list(given) if given is not None else [models.coordination(), models.absorbing(), *(models.random_coupled(s) for s in (4, 5, 16))]
    )


def _pairs(model: Model, k: int) -> int:
    """Number of comparisons between tables of size k, a cost estimate."""
    g, b, s, a = model.sizes
    return g * b * counts.number_of_count_vectors(k, s * a) ** 2


def _same_size_instances(profile: Profile, given: Sequence[Model] | None) -> list[TwoSizes]:
    sizes = (1, 2, 3) if profile is Profile.QUICK else (1, 2, 3, 4, 5)
    most = 10**5 if profile is Profile.QUICK else 10**6
    return [TwoSizes(m, k, k) for m in _bundled(given) for k in sizes if _pairs(m, k) <= most]


def _across_instances(profile: Profile, given: Sequence[Model] | None) -> list[TwoSizes]:
    sizes = (1, 2, 3) if profile is Profile.QUICK else (1, 2, 3, 4, 5)
    most = 10**5 if profile is Profile.QUICK else 10**6
    return [TwoSizes(m, k, j) for m in _bundled(given) for k in sizes for j in sizes if k < j and _pairs(m, j) <= most]


def _largest_excess(case: TwoSizes) -> Witness:
    """The pair of distributions that exceeds the bound most, with the exact optima of both systems."""
    model = case.model
    k, other = case.subsample, case.other
    first, second = exact_table(model, k), exact_table(model, other)
    slope = 2 * model.rt_l / (1 - model.discount)
    excess, difference, (g, b), d, e = max(
        (abs(q - p) - slope * counts.total_variation(d, e), abs(q - p), key, d, e)
        for key, rows in first.items()
        for d, q in rows.items()
        for e, p in second[key].items()
    )
    proof_of_excess = {
        "global_action": b,
        "first": {"actions": list(d), "values": exact_values(model, k)},
        "second": {"actions": list(e), "values": exact_values(model, other)},
    }
    return Witness(Interval.exactly(difference), Interval.exactly(difference - excess), proof_of_excess, state={"global": g})


def _same_size(model: Model, n: int, k: int) -> TwoSizes:
    del k
    return TwoSizes(model, n, n)


def _two_sizes(model: Model, n: int, k: int) -> TwoSizes | None:
    return TwoSizes(model, k, n) if k < n else None


L1 = Claim(
    id="L1",
    title="Lipschitz in the distribution, same size",
    statement=r"$|Q^*_k(s_g, F, a_g) - Q^*_k(s_g, F', a_g)| \le "
    + SAME_SIZE.latex
    + r"$ with $\mathrm{TV} = \mathrm{TV}(F, F')$, $F, F' \in \mu_k(\mathcal Z_l)$.",
    source="Theorem E.3 (appendix)",
    reading="all pairs of distributions of k state-action pairs, exact",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    screen=lipschitz(SAME_SIZE),
    sides=_sides,
    instances=_same_size_instances,
    control=Control("the constant is halved", right=by_factor(Fraction(1, 2))),
    rests_on=("B3", "C7"),
    left_means="largest |Q_k(F) - Q_k(F')| at this TV",
    right_means="Lipschitz bound",
    grounds=proof("docs/mathematics/across-sizes.md", "L1", uses=("B2",)),
    searched=Arrangement(_same_size, comparison_cost, (1, 2, 3, 4, 5)),
)

L2 = Claim(
    id="L2",
    title="Lipschitz in the distribution, across sizes",
    statement=r"$|Q^*_k(s_g, F_{z_\Delta}, a_g) - Q^*_{k'}(s_g, F_{z_{\Delta'}}, a_g)| \le "
    + ACROSS_SIZES.latex
    + r"$ with $\mathrm{TV} = \mathrm{TV}(F_{z_\Delta}, F_{z_{\Delta'}})$.",
    source="Theorem E.3 (appendix), Section 4",
    reading="all pairs of a distribution of k and one of k' state-action pairs, exact; 'other' is k'",
    assumptions=FINITE,
    registered=Status.REFUTED,
    screen=lipschitz_across(ACROSS_SIZES),
    sides=_sides,
    instances=_across_instances,
    control=Control("the constant is halved", right=by_factor(Fraction(1, 2))),
    rests_on=("B3", "C7", "M1"),
    left_means="|Q_k(F) - Q_k'(F')|",
    right_means="Lipschitz bound",
    failing_step="The induction carries the distance through one transition by data processing (C6), which holds for the mean next distribution. The maximum over the "
    "next action sees the fluctuation of the next empirical distribution as well, and that depends on the size (C7). The step that leaves it out "
    "exchanges expectation and maximum (M1)",
    certificate=_largest_excess,
    searched=Arrangement(_two_sizes, comparison_cost),
)
