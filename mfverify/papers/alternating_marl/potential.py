"""The value of all agents as an exact potential. Claim A2, in the reading in which an agent's utility is its own reward.

One agent is enough: no local reward, a global agent that plays 1 if the agent is in state 1, and a global reward for that. Then the utility is 0
whatever the agent does, and the value of all changes with its policy. If the utility of an agent is the value of all, as in a game of identical
interests, the identity is trivial.
"""

from __future__ import annotations

from mfverify.enclosure import Interval
from mfverify.errors import TooLargeError
from mfverify.papers.alternating_marl.deviations import Deviation, Reads, deviation_at, deviation_cases, largest_change
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.quantities import trivial_gap
from mfverify.rationals import written
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, Unresolved
from mfverify.theory.search_costs import rational_cost
from mfverify.theory.search_space import Arrangement
from mfverify.theory.witness import Witness


def potential_sides(case: Deviation) -> Outcome:
    """The largest difference of the two changes, against 0."""
    try:
        found = largest_change(case)
    except TooLargeError as error:
        return Unresolved(str(error))
    return Sides(Interval.exactly(found.largest), Interval.exactly(0), trivial_gap(case.model) * 2, {"worst": found.where})


def _two_policies(case: Deviation) -> Witness:
    """The two policies of the first agent between which the changes differ most, each with the value of all less its share."""
    found = largest_change(case)
    places, (g, locals_) = case.model.sizes[2], found.state
    proof = {}
    for key, policy, rest in zip(("first", "second"), found.policies, found.rest, strict=True):
        rows = [list(policy[i : i + places]) for i in range(0, len(policy), places)]
        states = [sorted(state for state in rest if state[0] == h) for h in range(len(rows))]
        proof[key] = {"policy": rows, "values": [[written(rest[state]) for state in row] for row in states]}
    return Witness(Interval.exactly(found.largest), Interval.exactly(0), proof, state={"global": g, "locals": list(locals_)})


def _for_all(case: Deviation) -> Outcome:
    """The same where the global policy reads all states."""
    return potential_sides(Deviation(case.model, case.agents, Reads.ALL))


A2 = Claim(
    id="A2",
    title="The value of all as an exact potential",
    statement=r"$U_i(\pi_i', \pi_{-i}) - U_i(\pi) = \Phi(\pi_i', \pi_{-i}) - \Phi(\pi)$ with $\Phi = V$ and $U_i$ the discounted sum of $\frac1n r_l(s_i, s_g, a_i)$.",
    source="arXiv 2603.03759",
    reading="the definition of the utilities was not read in the original: here that of a local agent is its own part of the value; with the value of all as the "
    "utility of each agent the identity is trivial. All deterministic policies of one agent, the others fixed; the global policy is the parameter; exact",
    assumptions=FINITE,
    registered=Status.REFUTED,
    sides=potential_sides,
    instances=deviation_cases,
    control=Control(
        "the global policy reads all states",
        sides=_for_all,
        instances=lambda: [c for c in deviation_cases(Profile.QUICK, None) if c.global_policy is Reads.GLOBAL],
    ),
    left_means="largest |change of U_i - change of V|",
    right_means="0",
    failing_step="A policy that reads local states passes the deviation of one agent on: the global action changes, and with it what the global agent and the other "
    "local agents earn. That is part of V and not of the agent's own reward",
    certificate=_two_policies,
    searched=Arrangement(deviation_at, rational_cost, (1, 2)),
)
