"""The way the proof of Theorem E.3 uses data processing: one sampled transition of the agents. Claims C7 and C7b."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.model import Model
from mfverify.papers.mean_field_sampling.assumptions import UNIFORM_SAMPLE
from mfverify.papers.mean_field_sampling.total_variation import mean_total_variation, never_more
from mfverify.rationals import written
from mfverify.theory.cases.populations import Population
from mfverify.theory.cases.transitions import NAMED, Kernel, MeanTransition, Moving, Transition, seeded
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_space import Transitions
from mfverify.theory.witness import Witness


def _arrivals(agents: Population, kernel: Kernel, target: int) -> list[Fraction]:
    """The law of the number of agents that move to ``target``, each independently: ``[Pr[0], .., Pr[sum]]``."""
    law = [Fraction(1)]
    for count, row in zip(agents, kernel, strict=True):
        p = row[target]
        for _ in range(count):
            law = [a * (1 - p) + b * p for a, b in zip([*law, Fraction(0)], [Fraction(0), *law], strict=True)]
    return law


def mean_after_transition(sample: Population, population: Population, kernel: Kernel) -> Fraction:
    """``E TV(F_{z'_Delta}, F_{z'_[n]})`` after every agent of the population, sampled or not, has moved once, independently of the others.

    Exact: for each target class the arrivals from the sample and from the other agents are independent.
    """
    size, total = sum(sample), sum(population)
    outside = tuple(c - x for c, x in zip(population, sample, strict=True))
    twice = Fraction(0)
    for target in range(len(kernel[0])):
        inner, outer = _arrivals(sample, kernel, target), _arrivals(outside, kernel, target)
        for x, p in enumerate(inner):
            twice += sum((p * q * abs(x * (total - size) - y * size) for y, q in enumerate(outer)), Fraction(0)) / (size * total)
    return twice / 2


def mean_after_transition_of_uniform(population: Population, size: int, kernel: Kernel) -> Fraction:
    """The same for a uniform k-subset: drawn independently of the moves, so a uniform k-subset of the population that has moved."""
    total = sum(population)
    twice = Fraction(0)
    for target in range(len(kernel[0])):
        for c, p in enumerate(_arrivals(population, kernel, target)):
            ways = sum(
                comb(c, x) * comb(total - c, size - x) * abs(x * total - c * size)
                for x in range(max(0, size - total + c), min(c, size) + 1)
            )
            twice += p * Fraction(ways, comb(total, size) * size * total)
    return twice / 2


def before_and_after(case: Moving) -> tuple[Fraction, Fraction]:
    """Distance before and mean distance after: for the given sample, or averaged over the uniform one."""
    population = case.population
    if isinstance(case, MeanTransition):
        return mean_total_variation(population, case.subsample), mean_after_transition_of_uniform(population, case.subsample, case.rows)
    return counts.total_variation(case.sample, population), mean_after_transition(case.sample, population, case.rows)


def _transition(case: Moving) -> Outcome:
    """Mean distance after one sampled transition against the distance before."""
    before, after = before_and_after(case)
    details = {"worst": f"E TV after the transition {after}, TV before it {before}"}
    return Sides(Interval.exactly(after), Interval.exactly(before), never_more(case.agents, case.subsample), details)


def transition_instances(profile: Profile, _: Sequence[Model] | None) -> list[Transition]:
    """Samples of populations, each with several kernels."""
    kernels = (*NAMED, *map(seeded, range(3 if profile is Profile.QUICK else 20)))
    samples = [((1, 0), (2, 0)), ((1, 0), (1, 1)), ((2, 0), (2, 2)), ((1, 1), (3, 1)), ((2, 1, 0), (3, 2, 1)), ((4, 0), (6, 2))]
    samples += [((5, 0, 0), (5, 5, 5))]
    more = [((10, 0), (10, 10)), ((20, 5), (30, 30)), ((10, 5, 5), (20, 20, 20))] if profile is Profile.FULL else []
    return [Transition(sample, population, kernel) for sample, population in samples + more for kernel in kernels]


def _mean_transition_instances(profile: Profile, given: Sequence[Model] | None) -> list[MeanTransition]:
    return [MeanTransition(one.population, one.kernel, one.subsample) for one in transition_instances(profile, given)]


def _with_its_kernel(case: Moving) -> Witness:
    """Population and sample are in the parameters; the kernel, which has a name there, is written out."""
    before, after = before_and_after(case)
    return Witness(Interval.exactly(after), Interval.exactly(before), {"kernel": [[written(p) for p in row] for row in case.rows]})


C7 = Claim(
    id="C7",
    title="One sampled transition does not increase the distance",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z'_\Delta}, F_{z'_{[n]}}) \le \mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}})$ after one sampled transition.",
    source="the way the proof of Theorem E.3 uses it (appendix)",
    reading="each of the n agents moves once independently, those of Delta included; Delta is given; exact expectation over the moves. "
    "Smallest: one of two agents in one state, a fair coin: 1/4 after, 0 before",
    assumptions=("agents move independently given the global state (eq. 1)",),
    registered=Status.REFUTED,
    sides=_transition,
    instances=transition_instances,
    control=Control("one per cent is taken off the right side", right=by_factor(Fraction(99, 100))),
    rests_on=("C6",),
    left_means="exact E TV after",
    right_means="TV before",
    failing_step="Data processing (C6) concerns a kernel applied to a distribution. Agents that move by themselves have an empirical distribution that fluctuates around "
    "its mean, and the sample fluctuates more than the population",
    certificate=_with_its_kernel,
    searched=Transitions(uniform=False),
)

C7B = Claim(
    id="C7b",
    title="One sampled transition does not increase the mean distance",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z'_\Delta}, F_{z'_{[n]}}) \le \mathbb E\, \mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}})$ for a uniform $\Delta$.",
    source="the way the proof of Theorem E.3 uses it (appendix), weaker reading",
    reading="as C7, both sides averaged over a uniform k-subset",
    assumptions=(*UNIFORM_SAMPLE, "agents move independently given the global state (eq. 1)"),
    registered=Status.REFUTED,
    sides=_transition,
    instances=_mean_transition_instances,
    control=Control("one per cent is taken off the right side", right=by_factor(Fraction(99, 100))),
    rests_on=("C6",),
    left_means="exact E TV after",
    right_means="exact E TV before",
    failing_step="As for C7: on average over the sample, too, the fluctuation of the moves is added to the distance",
    certificate=_with_its_kernel,
    searched=Transitions(uniform=True),
)
