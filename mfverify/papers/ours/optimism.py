"""Subsampling is optimistic, and less so the more agents are sampled. Claims R1, and P4r in place of P4.

``V_n``, ``Q_n`` belong to the n-agent system.

**R1, subsampling is optimistic.** ``E_Delta V_k(s_g, s_Delta) >= V_n(s_g, s_[n])`` for any random k-subset that contains every agent with
probability k/n (a uniform one, say), and the same for Q. *Proof.* The k-agent system can draw Delta, simulate the other n - k agents with
private randomness and play the n-optimal policy's actions for its own agents and the global one: the labelled n-agent process has its own
law, Delta is independent of it, and so the mean over Delta of the mean reward over Delta is the mean reward over [n]. What it earns with
randomness and memory is at most ``V_k(s_g, s_Delta)``.

**P4r.** *Proof.* Given k + 1 sampled agents, a uniform k of them: R1 with k + 1 in place of n, then the mean over the k + 1. So ``E V_k``
falls as k grows, from ``E V_1`` down to ``V_n`` at k = n. This monotonicity in k, of what the learner expects and not of what it gets,
replaces P4.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.exact.rational import fraction
from mfverify.papers.mean_field_sampling.assumptions import FINITE
from mfverify.papers.ours.coupled_models import SEARCHED, exact_pairs
from mfverify.papers.quantities import rational_system, trivial_gap
from mfverify.papers.screens import OPTIMISM, OPTIMISM_FALLS
from mfverify.theory.claim import Claim, Control, Instance, Outcome, Profile, Sides, Status
from mfverify.theory.grounds import proof


def _optimistic(instance: Instance, factor: Fraction = Fraction(1)) -> Outcome:
    """Largest ``V_n(s) - E_Delta V_k(s_Delta)`` over all states, exact; ``factor`` sabotages the k-value."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    large, small = rational_system(model, n).optimum, rational_system(model, k).optimum
    worst: tuple[Fraction, str] | None = None
    for (g, c), v in large.items():
        mean = sum((p * fraction(small[g, sample]) for sample, p in counts.subsample_law(c, k)), Fraction(0))
        excess = fraction(v) - factor * mean
        if worst is None or excess > worst[0]:
            worst = excess, f"s_g={g}, counts {c}"
    assert worst is not None
    return Sides(Interval.exactly(worst[0]), Interval.exactly(0), trivial_gap(model), {"worst": worst[1]})


def _optimism_falls(instance: Instance, exchanged: bool = False) -> Outcome:
    """The largest ``E V_{k+1} - E V_k`` over populations of n agents, exact; ``exchanged`` sabotages."""
    model, n, k = instance.model, instance.agents, instance.subsample
    assert model is not None and n is not None and k is not None
    fewer, more = rational_system(model, k).optimum, rational_system(model, k + 1).optimum
    worst: tuple[Fraction, str] | None = None
    for g in range(model.sizes[0]):
        for row in counts.count_vectors(n, model.sizes[2]):
            population = tuple(int(x) for x in row)
            means = [
                sum((p * fraction(table[g, sample]) for sample, p in counts.subsample_law(population, size)), Fraction(0))
                for size, table in ((k, fewer), (k + 1, more))
            ]
            rise = means[0] - means[1] if exchanged else means[1] - means[0]
            if worst is None or rise > worst[0]:
                worst = rise, f"s_g={g}, counts {population}"
    assert worst is not None
    return Sides(Interval.exactly(worst[0]), Interval.exactly(0), trivial_gap(model), {"worst": worst[1]})


_OURS = "ours, unreviewed; proof in optimism.py"

R1 = Claim(
    id="R1",
    title="Subsampling is optimistic",
    statement=r"$V_n(s_g, s_{[n]}) - \mathbb E_\Delta V_k(s_g, s_\Delta) \le 0$ for a uniform $k$-subset $\Delta$.",
    source=_OURS,
    reading="all states, exact rationals; the sides are the largest difference and 0",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    screen=OPTIMISM,
    sides=_optimistic,
    instances=exact_pairs,
    control=Control(
        "the k-value is multiplied by 9/10", partial(_optimistic, factor=Fraction(9, 10)), lambda: exact_pairs(Profile.QUICK, None)
    ),
    left_means="largest V_n - E V_k",
    right_means="0",
    grounds=proof(__name__, "R1"),
    searched=SEARCHED,
)

P4R = Claim(
    id="P4r",
    title="What the learner expects falls with k, down to the optimum",
    statement=r"$\mathbb E_{\Delta} V_{k+1}(s_g, s_{\Delta}) - \mathbb E_{\Delta'} V_k(s_g, s_{\Delta'}) \le 0$ for uniform subsets of $k+1$ and of $k$ of the $n$ agents.",
    source=_OURS,
    reading="all populations of n agents, exact rationals; at k + 1 = n the first mean is V_n. The bound R4 of the gap falls with k too, the gap itself need not (P4)",
    assumptions=FINITE,
    registered=Status.CORROBORATED,
    screen=OPTIMISM_FALLS,
    sides=_optimism_falls,
    instances=exact_pairs,
    control=Control("k and k + 1 are exchanged", partial(_optimism_falls, exchanged=True), lambda: exact_pairs(Profile.QUICK, None)),
    left_means="largest E V_{k+1} - E V_k",
    right_means="0",
    repairs=("P4",),
    grounds=proof(__name__, "P4r", uses=("R1",)),
    searched=SEARCHED,
)
