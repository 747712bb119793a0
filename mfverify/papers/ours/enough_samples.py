"""A number of samples that grows with the rewards. Claim N1r, in place of N1c.

Unlike m*, it grows with the square of the rewards, through the span of ``V*_k``. Proof: docs/mathematics/samples.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mfverify.enclosure import Interval
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.failure_probability import ENOUGH_SAMPLES, RARE, Paid, enough_samples, failure_probability, lottery
from mfverify.papers.ours import symbols
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status
from mfverify.theory.evaluate import enclose
from mfverify.theory.grounds import proof
from mfverify.theory.search_space import Parameters


def _failure(case: Paid) -> Outcome:
    """The exact failure probability on the lottery at the number of samples of N1r."""
    model, k = case.model, case.subsample
    m = enough_samples(model, k)
    return Sides(failure_probability(k, case.reward, m), enclose(RARE, {symbols.k: k}), Interval.exactly(1), {"m": m})


def _at_a_hundredth(left: Interval, case: Paid) -> Interval:
    del left
    return failure_probability(case.subsample, case.reward, max(1, enough_samples(case.model, case.subsample) // 100))


def _failure_instances(profile: Profile, given: Sequence[Model] | None) -> list[Paid]:
    if given is not None:  # the exact probability is known for one family of rewards, not for a model of the user's
        return []
    sizes = [(1, 1), (1, 2), (1, 4), (2, 1), (2, 4), (3, 2)]
    sizes += [(1, 10), (2, 10), (4, 4)] if profile is Profile.FULL else []
    return [Paid(lottery(reward), k, Fraction(reward)) for k, reward in sizes]


def _few_samples(k: int, reward: Fraction) -> Paid | None:
    """A case of a search: at most some thousands of samples, about ``2 k R^2 (ln 200 + k)``."""
    return Paid(lottery(reward), k, reward) if 2 * k * reward**2 * (6 + k) <= 2500 else None


N1R = Claim(
    id="N1r",
    title="A number of samples that grows with the rewards suffices",
    statement=r"With $m \ge " + ENOUGH_SAMPLES.latex + r"$ samples: $\Pr[\epsilon_{k,m} > 1/\sqrt k] \le \frac{1}{100 e^k}$.",
    source="ours, unreviewed",
    reading=r"$\mathrm{span}$ is that of $V^*_k$; on the smallest random model the probability is an exact rational, so that "
    "the statement itself is checked; N1b compares its m with m*",
    assumptions=("Assumption 2.1 (finite sets)", "Assumption 2.2 (bounded rewards)"),
    registered=Status.CORROBORATED,
    sides=_failure,
    instances=_failure_instances,
    control=Control("a hundredth of m", left=_at_a_hundredth),
    left_means="probability that eps > 1/sqrt(k)",
    right_means="1/(100 e^k)",
    repairs=("N1c",),
    grounds=proof("docs/mathematics/samples.md", "N1r", uses=("B3", "B4")),
    searched=Parameters((range(1, 35), tuple(Fraction(x, 160) for x in range(1, 2400))), _few_samples),
)
