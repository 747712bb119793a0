"""The gap of a learned policy under a shared draw. Claim R4n, in place of Theorem 4.4 (T2, T2b).

A maximiser of ``Q^est`` loses at most ``2 eps`` in ``Q_k`` at every step. With ``eps <= 1/sqrt(k)``, which N1r's number of samples gives with
probability ``1 - 1/(100 e^k)``, R4n replaces Theorem 4.4. Proof: docs/mathematics/gap.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from mfverify import models
from mfverify.errors import TooLargeError, UndecidedTieError
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.mean_field_sampling.number_of_iterations import ITERATION_TARGET
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.ours import symbols
from mfverify.papers.ours.shared_draw import COPYING, ONE_AGENT, SHARED_DRAW
from mfverify.papers.ours.symbols import TABLE, eps_km, gamma
from mfverify.papers.quantities import optimum, trivial_gap
from mfverify.subsample_mfq.execution import execution_value
from mfverify.subsample_mfq.learning import bellman_noise, learn
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Learned
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.formula import plus
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor

SHARED_DRAW_NOISE: Final = Bound(
    "R4n",
    plus(SHARED_DRAW.expression, 2 * eps_km / (1 - gamma)),
    "R4 with the Bellman noise of the operator that was learned (ours)",
    "a greedy action for Q^est loses at most 2 eps_{k,m} in Q*_k, at every step",
    TABLE,
)


def _noisy_gap(case: Learned) -> Outcome:
    """The largest gap of what an empirical operator learned, under a shared draw, with its own certified noise."""
    model, n, k = case.model, case.agents, case.subsample
    if n == 1:
        return ONE_AGENT
    try:
        found = learn(model, k, samples=case.samples, seed=case.seed)
        eps = bellman_noise(found)
        gap = (optimum(model, n) - execution_value(model, n, found, "shared")).max()
    except (UndecidedTieError, TooLargeError) as error:
        return Unresolved(str(error))
    right = SHARED_DRAW_NOISE.enclose({**symbol_values(model, n, k), symbols.eps_km: eps})
    target = ITERATION_TARGET.enclose({symbols.k: k})
    details = {"Bellman noise": repr(eps), "noise at most 1/sqrt(k)": str((eps <= target) is True)}
    return Sides(gap, right, trivial_gap(model), details)


def _noisy_instances(profile: Profile, given: Sequence[Model] | None) -> list[Learned]:
    if given is not None:
        return [Learned(m, 4, k, 64, 0) for m in given for k in (1, 3)]
    plan = [(models.coordination(), 60, 11, 1, 0)]
    plan += [(models.random_coupled(seed, discount="1/2"), 12, k, m, 0) for seed in (4, 16) for k, m in ((4, 4), (11, 16), (11, 256))]
    if profile is Profile.FULL:
        plan += [(models.random_coupled(s, discount="1/2"), 20, 16, m, seed) for s in (4, 5, 16) for m in (4, 64) for seed in (0, 1)]
    return [Learned(model, n, k, m, seed) for model, n, k, m, seed in plan]


_OURS = "ours, unreviewed"

R4N = Claim(
    id="R4n",
    title="The gap of a learned policy with a shared draw",
    statement=r"With the greedy policy of $\hat Q^{est}_{k,m}$, one $k$-subset per step and copying: $V^*(s_0) - V(s_0) \le "
    + SHARED_DRAW_NOISE.latex
    + "$",
    source=_OURS,
    reading="certified noise of the sample that was drawn (parameters samples, seed), not a bound of it; " + COPYING,
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    sides=_noisy_gap,
    instances=_noisy_instances,
    control=Control("the bound is divided by two hundred", right=by_factor(Fraction(1, 200))),
    left_means="largest gap, shared draw",
    right_means="bound R4n",
    repairs=("T2", "T2b", "T2c"),
    grounds=proof("docs/mathematics/gap.md", "R4n", uses=("R4",)),
)
