"""How far n agents are from infinitely many, with states and actions in the rate. Claim M2.

The constant of the source was not read; it depends on Lipschitz constants of kernels and rewards in the distribution, which are 0 in our model
class. The reading takes the constant that V2s proves, so a larger constant of the source makes the statement weaker than what is checked.

The number of actions is not needed. Proof: docs/mathematics/related.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
import sympy as sp

from mfverify import counts, models
from mfverify.enclosure import maximum
from mfverify.errors import TooLargeError
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.symbols import TABLE, A_l, S_l, gamma, n, rt_l, symbol_values
from mfverify.papers.quantities import optimum, trivial_gap
from mfverify.papers.screens import more_than_infinitely_many
from mfverify.subsample_mfq.limit_plans import limit_of
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import OfAgents, agents_alone
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.formula import plus, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import lumped_cost
from mfverify.theory.search_space import LARGE, Arrangement

WITH_ACTIONS: Final = Bound(
    "M2",
    times(gamma**2 * rt_l / (1 - gamma) ** 2, plus(sp.sqrt(S_l), sp.sqrt(A_l)) / sp.sqrt(n)),
    "arXiv 2301.06889 and related work",
    "C (sqrt|S_l| + sqrt|A_l|)/sqrt(n) with C = gamma^2 rt_l/(1-gamma)^2; the constant of the source was not read",
    TABLE,
)


def _distance(case: OfAgents) -> Outcome:
    """The largest ``|V_n - V_inf|`` over all states against the rate."""
    model, agents = case.model, case.agents
    try:
        infinite = limit_of(model).value(agents)
        difference = optimum(model, agents) - infinite
    except TooLargeError as error:
        return Unresolved(str(error))
    g, c = np.unravel_index(int(difference.lower.argmax()), difference.shape)
    vector = tuple(int(x) for x in counts.count_vectors(agents, model.sizes[2])[c])
    left = maximum([difference.max(), (infinite - optimum(model, agents)).max()])
    return Sides(left, WITH_ACTIONS.enclose(symbol_values(model, agents, 1)), trivial_gap(model), {"worst": f"s_g={g}, counts {vector}"})


def _instances(profile: Profile, given: Sequence[Model] | None) -> list[OfAgents]:
    if given is not None:
        return [OfAgents(m, agents) for m in given for agents in (2, 4, 8)]
    seeds = range(4) if profile is Profile.QUICK else range(20)
    chosen = [models.absorbing(), models.splitting(), *(models.random_coupled(seed, discount="1/2") for seed in seeds)]
    return [OfAgents(m, agents) for m in chosen for agents in (2, 8, 20)]


M2 = Claim(
    id="M2",
    title="The rate of mean-field control",
    statement=r"$|V_n(s_g, F) - V_\infty(s_g, F)| \le " + WITH_ACTIONS.latex + "$",
    source="arXiv 2301.06889 and related work: C (sqrt|S_l| + sqrt|A_l|)/sqrt(n)",
    reading="all states, certified enclosures of both values; the constant of the source was not read in the original, that of V2s is checked; kernels and rewards "
    "do not depend on the distribution, so the Lipschitz conditions of the source hold",
    assumptions=(
        "Assumption 2.1 (finite sets)",
        "Assumption 2.2 (bounded rewards)",
        "kernels and rewards do not depend on the distribution (eq. 1, 2)",
    ),
    registered=Status.CORROBORATED,
    screen=more_than_infinitely_many(WITH_ACTIONS, absolute=True),
    sides=_distance,
    instances=_instances,
    control=Control("the bound is divided by a hundred", right=by_factor(Fraction(1, 100))),
    left_means="largest |V_n - V_inf|",
    right_means="bound M2",
    grounds=proof("docs/mathematics/related.md", "M2", uses=("V1", "V2s")),
    searched=Arrangement(agents_alone, lumped_cost, LARGE[:12]),
)
