"""The distance of infinitely many agents from n, sharpened by a factor gamma. Claim V2s; a family of models shows that it is tight.

The reward of the next step costs nothing in expectation, since the next distribution of n agents has that of infinitely many as its mean. Proof:
docs/mathematics/mean-field-limit.md.

*Tight.* Agents toss a fair coin in the first step and keep its side; the global agent then chooses a side for all later steps, on which agents earn 1,
and -1 on the other. For one agent the distance is ``gamma^2/(1-gamma)``, which is ``1 - gamma`` of the bound; for many agents the ratio is
``(1-gamma) sqrt(2/pi)``. So no smaller constant holds for small discounts, and for all of them the rate ``1/sqrt(n)`` is attained.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from mfverify import counts, models
from mfverify.errors import TooLargeError
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.papers.ours.symbols import S_l, gamma, n, rt_l
from mfverify.papers.quantities import optimum, trivial_gap
from mfverify.papers.screens import more_than_infinitely_many
from mfverify.subsample_mfq.limit_plans import limit_of
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import OfAgents, agents_alone
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.formula import root, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_costs import lumped_cost
from mfverify.theory.search_space import LARGE, Arrangement

SHARPER_RATE: Final = Bound(
    "V2s",
    times(gamma**2 * rt_l / (1 - gamma) ** 2, root((S_l - 1) / n)),
    "V2 with the reward of the next step taken out (ours)",
    "bounds V_n - V_inf for every distribution of n agents",
)


def toss(discount: str | Fraction = "1/10") -> Model:
    """Agents toss a fair coin once and keep the side; the global agent then chooses a side forever, which they earn 1 on, and lose 1 off it.

    Global states: toss, choose, and the two sides.
    """
    sides = range(2)
    go = [[0, 1, 0, 0], [0, 1, 0, 0]]
    fair, stay = [["1/2", "1/2"]], [[[int(s == t) for t in sides]] for s in sides]
    return Model(
        [go, [[0, 0, 1, 0], [0, 0, 0, 1]], [[0, 0, 1, 0]] * 2, [[0, 0, 0, 1]] * 2],
        [[fair, stay[s], stay[s], stay[s]] for s in sides],
        [[0, 0]] * 4,
        [[[0], [0], *[[1 if s == side else -1] for side in sides]] for s in sides],
        discount=discount,
        name=f"toss(discount={discount})",
    )


def _distance(case: OfAgents) -> Outcome:
    """The largest ``V_n - V_inf`` over all states against the rate."""
    model, agents = case.model, case.agents
    try:
        difference = optimum(model, agents) - limit_of(model).value(agents)
    except TooLargeError as error:
        return Unresolved(str(error))
    g, c = np.unravel_index(int(difference.lower.argmax()), difference.shape)
    vector = tuple(int(x) for x in counts.count_vectors(agents, model.sizes[2])[c])
    right = SHARPER_RATE.enclose(symbol_values(model, agents, 1))
    return Sides(difference.max(), right, trivial_gap(model), {"worst": f"s_g={g}, counts {vector}"})


def _instances(profile: Profile, given: Sequence[Model] | None) -> list[OfAgents]:
    if given is not None:
        return [OfAgents(m, agents) for m in given for agents in (1, 2, 4, 8)]
    plan: list[tuple[Model, tuple[int, ...]]] = [(toss(discount), (1, 2, 8, 32)) for discount in ("1/100", "1/10", "1/2", "9/10")]
    plan += [(models.absorbing(), (2, 8, 20)), (models.splitting(), (2, 8))]
    plan += [(models.random_coupled(seed, discount="1/2"), (2, 20)) for seed in (0, 4)]
    if profile is Profile.FULL:
        plan += [(toss("1/2"), (200, 2000)), *((models.random_coupled(seed), (2, 20, 200)) for seed in range(12))]
    return [OfAgents(m, agents) for m, many in plan for agents in many]


V2S = Claim(
    id="V2s",
    title="How far infinitely many agents are from n, sharper",
    statement=r"$V_n(s_g, F) - V_\infty(s_g, F) \le " + SHARPER_RATE.latex + "$",
    source="ours, unreviewed",
    reading="all states, certified enclosures of both values",
    assumptions=(
        "Assumption 2.1 (finite sets)",
        "Assumption 2.2 (bounded rewards)",
        "kernels and rewards do not depend on the distribution (eq. 1, 2)",
    ),
    registered=Status.CORROBORATED,
    screen=more_than_infinitely_many(SHARPER_RATE),
    sides=_distance,
    instances=_instances,
    control=Control("the bound is multiplied by 97/100", right=by_factor(Fraction(97, 100))),
    left_means="largest V_n - V_inf",
    right_means="bound V2s",
    grounds=proof("docs/mathematics/mean-field-limit.md", "V2s", uses=("V2",)),
    searched=Arrangement(agents_alone, lumped_cost, LARGE[:12]),
)
