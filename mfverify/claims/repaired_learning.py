r"""What does hold of learning from samples, ours, with proofs: B4r in place of B4b, N1r in place of N1c.

**B4r.** *Proof.* For fixed V let ``X_a`` be the mean of m samples of ``V(s')`` for the joint action a, ``mu_a`` its expectation. By Jensen
``E max >= max E``, so the bias is not negative. By Hoeffding's lemma ``X_a - mu_a`` is sub-Gaussian with variance proxy ``span^2/(4m)``, so
for N joint actions, independent or not, ``E max_a (X_a - mu_a) <= span sqrt(ln N / (2m))``, and ``E max_a (c_a + X_a) - max_a (c_a +
mu_a)`` is at most that. The operator discounts it.

**N1r.** *Proof.* ``Q^est - Q*_k = gamma P^ (V^est - V*_k) + gamma (P^ - P) V*_k``, so ``eps <= gamma/(1-gamma) max |(P^ - P) V*_k|``. By
Hoeffding's inequality and a union over N pairs the maximum exceeds t with probability at most ``2 N exp(-2 m t^2/span^2)``; with ``t =
(1-gamma)/(gamma sqrt(k))`` that is at most ``1/(100 e^k)`` from the stated m on. Unlike m*, it grows with the square of the rewards,
through the span of ``V*_k``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from mfverify.bounds import noise, symbols
from mfverify.bounds.evaluate import enclose
from mfverify.claims import empirical_operator as learning
from mfverify.claims.claim import Claim, Control, Instance, Outcome, Profile, Sides, Status, tightest
from mfverify.claims.grounds import proof
from mfverify.claims.optimality_gap import symbol_values
from mfverify.enclosure import Interval
from mfverify.model import Model
from mfverify.rationals import estimate


def _bias(instance: Instance, scale: Fraction = Fraction(1)) -> Outcome:
    """``bias <= bound`` over all states, or ``0 <= bias`` where that fails: that a bias has a sign does not make a vacuous bound telling."""
    model, k, samples = instance.model, instance.subsample, int(instance["samples"])
    assert model is not None and k is not None
    bias = learning.biases(model, k, samples)
    value = learning.optimum_of(model, k)
    span = max(value.values()) - min(value.values())
    right = noise.BIAS.enclose({**symbol_values(model, k, k), symbols.m: samples, symbols.span: span}) * scale
    smallest, largest = min(bias.values()), max(bias.values())
    most = Interval.exactly(model.discount * span)
    return tightest(
        [Sides(Interval.exactly(largest), right, most, {"worst": f"largest bias {estimate(largest)}"})],
        companions=[Sides(Interval.exactly(-smallest), Interval.exactly(0), None, {"worst": f"smallest bias {estimate(smallest)}"})],
    )


def _failure(instance: Instance, share: int = 1) -> Outcome:
    """The exact failure probability on the lottery at the number of samples of N1r, divided by ``share`` (sabotage)."""
    model, k = instance.model, instance.subsample
    assert model is not None and k is not None
    m = max(1, learning.enough_samples(model, k) // share)
    return Sides(
        learning.failure_probability(k, int(instance["reward"]), m), enclose(learning.RARE, {symbols.k: k}), Interval.exactly(1), {"m": m}
    )


def _failure_instances(profile: Profile, given: Sequence[Model] | None) -> list[Instance]:
    if given is not None:  # the exact probability is known for one family of rewards, not for a model of the user's
        return []
    sizes = [(1, 1), (1, 2), (1, 4), (2, 1), (2, 4), (3, 2)]
    sizes += [(1, 10), (2, 10), (4, 4)] if profile is Profile.FULL else []
    return [Instance(learning.lottery(reward), None, k, (("reward", reward),)) for k, reward in sizes]


B4R = Claim(
    id="B4r",
    title="The bias after the maximum is small and one-sided",
    statement=r"$0 \le \mathbb E\big[(\hat{\mathcal T}_{k,m} V)(s)\big] - (\mathcal T_k V)(s) \le "
    + noise.BIAS.latex
    + r"$, $\mathrm{span}$ being that of $V$.",
    source="ours, unreviewed; proof in repaired_learning.py",
    reading="V = V*_k, all states, exact law of the maximum; vacuous where the bound is no smaller than gamma times the span",
    assumptions=("Assumption 2.1 (finite sets)", "Assumption 2.2 (bounded rewards)"),
    registered=Status.CORROBORATED,
    sides=_bias,
    instances=learning.b4b_instances,
    control=Control(
        "the bound is divided by eight", partial(_bias, scale=Fraction(1, 8)), lambda: learning.b4b_instances(Profile.QUICK, None)
    ),
    left_means="bias (or minus the bias)",
    right_means="bound (or 0)",
    repairs=("B4b",),
    grounds=proof(__name__, "B4r", uses=("B4",)),
)

N1R = Claim(
    id="N1r",
    title="A number of samples that grows with the rewards suffices",
    statement=r"With $m \ge " + noise.ENOUGH_SAMPLES.latex + r"$ samples: $\Pr[\epsilon_{k,m} > 1/\sqrt k] \le \frac{1}{100 e^k}$.",
    source="ours, unreviewed; proof in repaired_learning.py",
    reading=r"$\mathrm{span}$ is that of $V^*_k$; on the smallest random model the probability is an exact rational, so that "
    "the statement itself is checked; N1b compares its m with m*",
    assumptions=("Assumption 2.1 (finite sets)", "Assumption 2.2 (bounded rewards)"),
    registered=Status.CORROBORATED,
    sides=_failure,
    instances=_failure_instances,
    control=Control("a hundredth of m", partial(_failure, share=100), lambda: _failure_instances(Profile.QUICK, None)),
    left_means="probability that eps > 1/sqrt(k)",
    right_means="1/(100 e^k)",
    repairs=("N1c",),
    grounds=proof(__name__, "N1r", uses=("B3", "B4")),
)

CLAIMS = (B4R, N1R)
