"""The argument for Theorems 4.2 and 4.4 as reconstructed, on one instance, with certified numbers.

    gap  =  (1/(1-gamma)) E_{s ~ d^pi} loss(s)  <=  (1/(1-gamma)) max_s loss(s)         performance difference (P1)
         <=  (1/(1-gamma)) max_s loss_one(s)                                            the draws are treated as one sample
         <=  (2 L/(1-gamma)) E TV(F_Delta, F_[n])                                       Q*_n against Q*_k, twice (L2); two brackets:
                 V*_n(s) - E V*_k(s_Delta)             <=  L E TV
                 E V*_k(s_Delta) - E Q*_n(s, a_Delta)  <=  L E TV
         <=  (2 L/(1-gamma)) t_d + (2 rt/(1-gamma)^2) |A_g| k^|A_l| d                   Theorem D.2 (C3) and a union bound
         <=  the printed bound

with ``L = 2 rt/(1-gamma)``, ``d = (1-gamma)^2/(20 rt |A_g| k^(|A_l|+1/2))`` and ``t_d`` the quantile of Theorem D.2. ``loss(s)`` is what one
step of the executed policy loses, ``V*(s) - E Q*(s, a)``, with independent draws; ``loss_one(s)`` is that of one joint action for one sample that
all agents share, the agents outside copying its members. The distance on the third line is over state-action pairs; what is stated is an upper bound
of it, the exact mean over local states and what copying at random adds at most (proof of R4), so that the line is not broken by its reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from mfverify import counts
from mfverify.enclosure import Enclosure, Interval, add_down, add_up, round_up
from mfverify.errors import ModelError
from mfverify.papers.mean_field_sampling.symbols import A_l, S_l, gamma, k, n, rt, symbol_values
from mfverify.papers.mean_field_sampling.total_variation import mean_total_variation
from mfverify.papers.quantities import executed, learned, optimum
from mfverify.subsample_mfq.draws import way
from mfverify.theory.argument import Line
from mfverify.theory.bound import Bound
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.evaluate import enclose
from mfverify.theory.formula import HALF, root, times

if TYPE_CHECKING:
    from mfverify.model import Model
    from mfverify.theory.cases.case import Case

_COPIES: Final = times(HALF, root(S_l * (A_l - 1) * (n - k))) / n
"""What copying at random adds to the mean distance over state-action pairs, at most (proof of R4)."""

_SLOPES: Final = 4 * rt / (1 - gamma) ** 2
"""``2 L/(1-gamma)`` with ``L = 2 rt/(1-gamma)``."""


def step_loss(model: Model, agents: int, size: int, sampling: str) -> Enclosure:
    """``V*(s) - E_{a ~ pi} Q*(s, a)`` in every state: what one step of a policy loses before the optimum takes over.

    One application of the chain of the policy to each bound of ``V*``; the operator is monotone.
    """
    best = optimum(model, agents)
    chain = way(sampling).chain(model, agents, learned(model, size))
    low, high = (chain.apply(end) for end in (best.lower, best.upper))
    off = round_up(max(chain.error(best.lower), chain.error(best.upper)))
    return best - Enclosure(add_down(low, np.array(-off)), add_up(high, np.array(off)))


def _mean_over_samples(value: Enclosure, g: int, population: tuple[int, ...], size: int) -> Interval:
    """``E V_k(g, s_Delta)`` over uniform k-subsets, exactly from the ends of an enclosure."""
    law = counts.subsample_law(population, size)
    parts = [value[g, int(counts.rank(sample))] * p for sample, p in law]
    return sum(parts, Interval.exactly(0))


def _largest(value: Enclosure) -> tuple[int, tuple[int, int]]:
    """The place of the largest lower bound, as a rank of all entries and as an index."""
    flat = int(value.lower.argmax())
    g, c = np.unravel_index(flat, value.shape)
    return flat, (int(g), int(c))


def walk(bound: Bound, doubled: Bound, case: Case) -> Sequence[Line]:
    """The lines for a bound of the gap with independent draws; ``doubled`` is what Theorem D.2 and the union bound give.

    Raises :class:`ModelError` for a case that is not one of n agents, k of them sampled, with the exact operator.
    """
    if not isinstance(case, Subsampled):
        raise ModelError(f"instance: {case.label!r} is not one of a model with the exact operator; the argument is walked through on those")
    model, agents, size = case.model, case.agents, case.subsample
    values = symbol_values(model, agents, size)
    vectors = counts.count_vectors(agents, model.sizes[2])

    def at(index: tuple[int, int]) -> str:
        return f"s_g={index[0]}, counts {tuple(int(x) for x in vectors[index[1]])}"

    gap = optimum(model, agents) - executed(model, agents, size, "independent")
    own, one = (step_loss(model, agents, size, sampling) for sampling in ("independent", "shared"))
    horizon = Interval.exactly(1 / (1 - model.discount))
    place = _largest(one)[1]
    population = tuple(int(x) for x in vectors[place[1]])
    distance = Interval.exactly(mean_total_variation(population, size)) + enclose(_COPIES, values)
    compared = enclose(_SLOPES, values) * distance
    slope = compared * (1 - model.discount) / 2
    of_sample = _mean_over_samples(learned(model, size).value, place[0], population, size)
    best = optimum(model, agents)[place]
    brackets = best - of_sample, of_sample - (best - one[place])
    quantile = doubled.enclose(values)
    losses = own.max() * horizon, one.max() * horizon
    stated = Line(
        "what the steps give is replaced by the stated bound",
        "twice the printed first term, and 1/(10 sqrt(k))", quantile, f"bound of {bound.name}", bound.enclose(values), (),
    )  # fmt: skip
    return [
        Line(
            "the gap is a mean of losses of one step over the visited states, divided by 1 - gamma, so at most the largest of them",
            "gap", gap.max(), "largest loss of one step, independent draws, over 1 - gamma", losses[0], ("P1",), at(_largest(gap)[1]),
        ),
        Line(
            "the joint action of agents that draw independently is compared as if all had seen one sample",
            "largest loss of one step, independent draws, over 1 - gamma", losses[0],
            "largest loss of one step, one sample for all agents, over 1 - gamma", losses[1], (), at(_largest(own)[1]),
        ),
        Line(
            "first bracket: the optimum of n agents is compared with that of the sampled agents",
            "V*_n(s) - E V*_k(s_Delta)", brackets[0], "L E TV, L = 2 rt/(1-gamma)", slope, ("L2",), at(place),
        ),
        Line(
            "second bracket: the value of the sample's joint action to the sampled agents is compared with its value to n agents",
            "E V*_k(s_Delta) - E Q*_n(s, a_Delta)", brackets[1], "L E TV", slope, ("L2", "M1"), at(place),
        ),
        Line(
            "the loss of one sample is the sum of the two brackets",
            "largest loss of one step, one sample for all agents, over 1 - gamma", losses[1],
            "(2 L/(1-gamma)) E TV, L = 2 rt/(1-gamma)", compared, (), at(place),
        ),
        Line(
            "the mean distance is at most the quantile of Theorem D.2, and the rest is a union bound over joint actions",
            "(2 L/(1-gamma)) E TV", compared, "twice the printed first term, and 1/(10 sqrt(k))", quantile, ("C3",), at(place),
        ),
        *([] if bound is doubled else [stated]),
    ]  # fmt: skip
