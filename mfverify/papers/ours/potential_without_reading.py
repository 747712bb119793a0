"""When the value of all is an exact potential for local agents. Claim A2r, in place of A2.

If no policy reads the local states of other agents, a deviation of agent i changes the law of agent i alone. Proof: docs/mathematics/related.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from mfverify.model import Model
from mfverify.papers.alternating_marl.deviations import Deviation, Reads, deviation_cases
from mfverify.papers.alternating_marl.potential import potential_sides
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.theory.claim import Claim, Control, NotApplicable, Outcome, Profile, Status
from mfverify.theory.grounds import proof
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement


def _sides(case: Deviation) -> Outcome:
    if case.global_policy is Reads.ALL:
        return NotApplicable("the global policy reads local states")
    return potential_sides(case)


def _reading(case: Deviation) -> Outcome:
    """The same where the global policy reads all states."""
    return potential_sides(Deviation(case.model, case.agents, Reads.ALL))


def _instances(profile: Profile, given: Sequence[Model] | None) -> list[Deviation]:
    return [case for case in deviation_cases(profile, given) if case.global_policy is Reads.GLOBAL]


def _at(model: Model, n: int, k: int) -> Deviation | None:
    del k
    return Deviation(model, n, Reads.GLOBAL) if n <= 2 and model.sizes[3] ** (model.sizes[0] * model.sizes[2]) <= 64 else None


A2R = Claim(
    id="A2r",
    title="An exact potential where no policy reads other agents' states",
    statement=r"If the global policy reads $s_g$ alone and local policies read $(s_g, s_i)$: $U_i(\pi_i', \pi_{-i}) - U_i(\pi) = V(\pi_i', \pi_{-i}) - V(\pi)$.",
    source="ours, unreviewed",
    reading="as A2: the utility of a local agent is its own part of the value; all deterministic policies of one agent, exact",
    assumptions=(*FINITE, "the global policy reads the global state alone"),
    registered=Status.CORROBORATED,
    sides=_sides,
    instances=_instances,
    control=Control("the global policy reads all states", sides=_reading),
    left_means="largest |change of U_i - change of V|",
    right_means="0",
    repairs=("A2",),
    grounds=proof("docs/mathematics/related.md", "A2r"),
    searched=Arrangement(_at, rational_cost, (1, 2)),
)
