r"""The gap where only the global agent acts. Claims R7 and R7b, in place of Theorem 4.2 (T1, T1b) for one local action.

``L = 2 rt_l/(1-gamma)``; ``V_n`` belongs to the n-agent system, W is the value of the policy that is played.

**R7, R7b.** *Policy.* One uniform k-subset D per step; the global agent plays ``a^D``, a maximiser of ``Q_k(s_g, s_D, .)``. Local agents have
no choice, so this is Algorithm 2 itself. *Proof.*

1. *Optimism* (R1): ``V_n(s) <= U(s) = E_D V_k(s_g, s_D)``, so it suffices to bound ``U - W``.
2. *One step.* ``V_k(s_g, s_D) = r_g(s_g, a^D) + mean over D of r_l + gamma E[V_k(s_g', s_D') | a^D]``; the local rewards do not depend on the action,
   so their mean over D and [n] is the same in expectation: ``U(s) - W(s) = gamma E_D E[V_k(s_g', s_D') - W(s') | a^D]``.
3. *Telescoping.* Put ``f_a(D) = E[V_k(s_g', s_D') - U(s') | s, a]``. The local agents move as they do for every a, so ``E_D f_a(D) = 0`` for
   every fixed a, and ``U(s) - W(s) = gamma E_D f_{a^D}(D) + gamma E[(U - W)(s')] <= gamma E_D max_a f_a(D) + gamma max (U - W)``.
4. *Exchanges.* Exchanging one member of D changes one agent of the k-system, hence ``f_a`` by at most ``L/k`` (L1 after the move). Reveal
   the members of D one at a time. Given the first j - 1, let the j-th be x or y, and exchange x and y in what follows: where
   y is drawn later the subset is the same, so the two conditional means differ by at most ``(L/k) (1 - (k-j)/(n-j)) = (L/k) (n-k)/(n-j)``.
5. *Sub-Gaussian tails.* By Hoeffding's lemma for the increments ``f_a(D)`` is sub-Gaussian with variance proxy ``(L/2k)^2 v``, where ``v =
   (n-k)^2 sum_{i=n-k}^{n-1} 1/i^2 <= k (n-k+1)/n``: equality at k = 1, and from n to n + 1 with m = n - k fixed the left side grows by
   ``m^2/n^2 <= m (m+1)/(n (n+1))``, the growth of the right side. The complement of D is a uniform (n-k)-subset with the same exchanges,
   so also ``v <= (n-k)(k+1)/n`` (R7b).
6. *Maximum* of ``|A_g|`` such variables of mean 0: ``E_D max_a f_a(D) <= (L/k) sqrt(v ln|A_g|/2)``. Steps 1, 3 and 6 give the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import sympy as sp

from mfverify import models
from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import EXACT_OPERATOR, FINITE
from mfverify.papers.mean_field_sampling.gaps import gap_sides
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.mean_field_sampling.theorem_e_3 import SLOPE
from mfverify.papers.ours.all_agents_sampled import everybody_shares
from mfverify.papers.ours.symbols import A_g, gamma, k, n
from mfverify.papers.quantities import trivial_gap
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.formula import root, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import rational_cost, shared_cost
from mfverify.theory.search_space import LARGE, Arrangement

ONE_LOCAL_ACTION: Final = Bound(
    "R7",
    times(gamma * SLOPE / (1 - gamma), root(times((n - k + 1) / (2 * n * k), sp.log(A_g)))),
    "optimism that telescopes, and the maximum of |A_g| sub-Gaussian variables (ours)",
    "|A_l| = 1: only the global agent acts",
)

LARGE_SAMPLES: Final = Bound(
    "R7b",
    times(gamma * SLOPE / (1 - gamma), root(times((n - k) * (k + 1) / (2 * n * k**2), sp.log(A_g)))),
    "R7 with the agents that are not sampled in place of those that are (ours)",
    "|A_l| = 1; smaller than R7 from more than n/2 sampled agents on, and 0 at k = n",
)

_MOST_EXACT_AGENTS = 8


def fixed_sides(discount: str | Fraction = "1/2") -> Model:
    """Local agents on two sides that they never leave; the global agent picks its next side, and agents on its side have +1, others -1."""
    return Model(
        [[[1, 0], [0, 1]]] * 2,
        [[[[1, 0]]] * 2, [[[0, 1]]] * 2],
        [[0, 0]] * 2,
        [[[1], [-1]], [[-1], [1]]],
        discount=discount,
        name=f"fixed-sides(discount={discount})",
    )


def _one_local_action(bound: Bound, case: Subsampled) -> Outcome:
    """The largest gap against a bound; at k = n, where the gap is 0, in exact arithmetic."""
    model, n, k = case.model, case.agents, case.subsample
    if model.sizes[3] != 1:
        return NotApplicable(f"|A_l| = {model.sizes[3]}, and the statement requires |A_l| = 1")
    if k < n:
        return gap_sides(bound, "shared", case)
    if n > _MOST_EXACT_AGENTS:
        return Unresolved(f"k = n = {n}, where the gap is 0, is out of reach of exact arithmetic; choose at most {_MOST_EXACT_AGENTS}")
    try:
        gap, where = everybody_shares(model, n)
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    right = bound.enclose(symbol_values(model, n, k))
    return Sides(Interval.exactly(gap), right, trivial_gap(model), {"worst": where})


def _instances(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    if given is not None:
        return [Subsampled(m, n, k) for m in given for n, ks in ((4, (1, 2, 3, 4)), (8, (1, 2, 4))) for k in ks]
    plan: list[tuple[Model, int, tuple[int, ...]]] = [
        *((fixed_sides(discount), 3, (1, 2, 3)) for discount in ("1/100", "1/2")),
        (fixed_sides("1/10"), 60, (10, 30, 59)),
        (models.absorbing(), 10, (1, 2, 4, 8)),
        *((models.random_coupled(seed, 3, 1, 2, 2, discount="1/2"), 12, (3, 6, 11)) for seed in (7, 9)),
        (models.random_coupled(4, 3, 1, 2, 4, discount="1/10"), 5, (1, 3, 4, 5)),
    ]
    if profile is Profile.FULL:
        plan += [(fixed_sides("1/10"), 400, (51, 101, 399)), (models.absorbing(), 30, (5, 15, 29))]
        plan += [(models.random_coupled(seed, 3, 1, 2, 2, discount="1/2"), 20, (2, 5, 10, 19)) for seed in range(12)]
        plan += [(models.random_coupled(seed, 3, 1, 2, 4, discount="1/10"), 5, (1, 3, 4, 5)) for seed in (0, 1, 2, 3, 5)]
    return [Subsampled(m, n, k) for m, n, ks in plan for k in ks]


def _acts_globally_alone(model: Model) -> bool:
    return model.sizes[3] == 1


def _cost(model: Model, n: int, k: int) -> float:
    """Of a shared draw, and of exact arithmetic at k = n."""
    return max(shared_cost(model, n, k), rational_cost(model, n, k) if k == n else 0)


_OURS = "ours, unreviewed; proof in one_local_action.py"
_READING = (
    "the global agent plays the lexicographically smallest argmax on its one draw of the step; exact operator; at k = n exact rationals"
)
_SIZES = ((2, 2, 2, 1), (2, 2, 3, 1), (2, 3, 2, 1), (3, 2, 2, 1))
_SEARCHED: Final = Arrangement(Subsampled, _cost, LARGE[:10], admits=_acts_globally_alone, sizes=_SIZES)


_CONTROL: Final = Control(
    "the bound is divided by two",
    instances=lambda: [Subsampled(fixed_sides("1/100"), 3, k) for k in (1, 2)],
    right=by_factor(Fraction(1, 2)),
)


R7 = Claim(
    id="R7",
    title="A gap bound where only the global agent acts",
    statement=r"If $|\mathcal A_l| = 1$: $V^*(s_0) - V^{\pi_k}(s_0) \le " + ONE_LOCAL_ACTION.latex + "$",
    source=_OURS,
    reading=_READING,
    assumptions=(*FINITE, "|A_l| = 1", EXACT_OPERATOR),
    registered=Status.CORROBORATED,
    sides=bind(_one_local_action, ONE_LOCAL_ACTION),
    instances=_instances,
    control=_CONTROL,
    left_means="largest gap",
    right_means="bound R7",
    repairs=("T1", "T1b"),
    grounds=proof(__name__, "R7", uses=("L1", "R1")),
    searched=_SEARCHED,
)

R7B = Claim(
    id="R7b",
    title="A gap bound where only the global agent acts, for large samples",
    statement=r"If $|\mathcal A_l| = 1$: $V^*(s_0) - V^{\pi_k}(s_0) \le " + LARGE_SAMPLES.latex + "$",
    source=_OURS,
    reading=_READING,
    assumptions=(*FINITE, "|A_l| = 1", EXACT_OPERATOR),
    registered=Status.CORROBORATED,
    sides=bind(_one_local_action, LARGE_SAMPLES),
    instances=_instances,
    control=_CONTROL,
    left_means="largest gap",
    right_means="bound R7b",
    repairs=("T1", "T1b"),
    grounds=proof(__name__, "R7b", uses=("L1", "R1")),
    searched=_SEARCHED,
)
