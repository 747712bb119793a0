"""Section 4: the expected total variation of a uniform k-subset. Claims C4, C4l and C4m; proofs: docs/mathematics/concentration.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from mfverify.enclosure import Interval, round_down, round_up
from mfverify.model import Model
from mfverify.papers.mean_field_sampling import symbols
from mfverify.papers.mean_field_sampling.assumptions import UNIFORM_SAMPLE
from mfverify.papers.mean_field_sampling.populations import OCCUPIED, population_control_instances, population_instances
from mfverify.papers.mean_field_sampling.symbols import Z, k, n
from mfverify.papers.mean_field_sampling.total_variation import exact_mean, mean_sides, mean_total_variation, never_more
from mfverify.theory.bind import bind
from mfverify.theory.bound import Bound
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.populations import EveryPopulation, OfPopulation, spread, text_of, with_sample, without_sample
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status, tightest
from mfverify.theory.formula import HALF, root, times
from mfverify.theory.grounds import proof
from mfverify.theory.sabotage import by_factor
from mfverify.theory.search_space import Parameters, Populations

TV_MEAN_SHARP = Bound(
    "C4",
    times(HALF, root((Z - 1) * (n - k) / (k * (n - 1)))),
    "paper, section 4 gives the order; the constant is ours",
    "bounds E TV; a single agent (n = 1) is excluded, 0/0",
)

TV_MEAN_LEAST = Bound(
    "C4l",
    times(sp.Rational(1, 4), root((n - k) / (k * (n - 1)))),
    "paper, section 4 gives the order; the constant is ours",
    "bounds E TV from below for two classes of n/2 agents each",
)

_mean = bind(mean_sides, exact_mean, TV_MEAN_SHARP, never_more)


@dataclass(frozen=True)
class Balanced(Case):
    """Two classes of ``half`` agents each."""

    half: int

    @property
    def agents(self) -> int:
        """n."""
        return 2 * self.half


@dataclass(frozen=True)
class BalancedSample(Balanced):
    """The same with one size of samples, k < n."""

    subsample: int


def _least_mean(case: Balanced | BalancedSample) -> Outcome:
    """``(1/4) sqrt((n-k)/(k(n-1))) <= E TV`` in two classes of n/2 agents, for one k or all k < n."""
    half = case.half
    candidates = []
    for size in (case.subsample,) if isinstance(case, BalancedSample) else range(1, 2 * half):
        left = TV_MEAN_LEAST.enclose({symbols.n: 2 * half, symbols.k: size})
        candidates.append(Sides(left, Interval.exactly(mean_total_variation((half, half), size)), None, {"worst": f"k={size}"}))
    return tightest(candidates)


def _least_mean_instances(profile: Profile, _: Sequence[Model] | None) -> list[Balanced | BalancedSample]:
    halves = (1, 2, 3, 5, 10, 25) if profile is Profile.QUICK else (1, 2, 3, 4, 5, 7, 10, 25, 50, 100)
    return [Balanced(half) for half in halves]


def _decrease(case: OfPopulation | EveryPopulation) -> Outcome:
    """The tightest of ``E TV at k+1 <= E TV at k`` over all k (and all populations)."""
    return _compared(case, (1, 0))


def _increase(case: OfPopulation | EveryPopulation) -> Outcome:
    return _compared(case, (0, 1))


def _compared(case: OfPopulation | EveryPopulation, steps: tuple[int, int]) -> Outcome:
    """The tightest of ``E TV at k + steps[0] <= E TV at k + steps[1]``."""
    total = case.agents
    chosen = spread(total) if isinstance(case, EveryPopulation) else [case.population]
    candidates = []
    for population in chosen:
        for size in range(1, total):
            means = [mean_total_variation(population, size + step) for step in steps]
            details = {"worst": f"population {text_of(population)}, from k={size} to k={size + 1}"}
            candidates.append(Sides(Interval.exactly(means[0]), Interval.exactly(means[1]), never_more(total, size + steps[0]), details))
    worst = tightest(candidates)
    if isinstance(case, EveryPopulation):
        return worst
    sizes = list(range(1, total + 1, max(1, total // 60)))
    means = [mean_total_variation(chosen[0], size) for size in sizes]
    limits = [TV_MEAN_SHARP.enclose({symbols.n: total, symbols.k: size, symbols.Z: len(chosen[0])}) for size in sizes]
    curve = {
        "title": f"population {text_of(case.population)}",
        "x_label": "k",
        "y_label": "mean total variation",
        "scale": "linear",
        "x": [float(size) for size in sizes],
        "series": [
            {"label": "exact E TV", "lower": [round_down(x) for x in means], "upper": [round_up(x) for x in means]},
            {"label": "bound C4", "lower": [round_down(x.lower) for x in limits], "upper": [round_up(x.upper) for x in limits]},
        ],
    }
    return Sides(worst.left, worst.right, worst.trivial, {**worst.details, "curve": curve})


def _decrease_instances(profile: Profile, _: Sequence[Model] | None) -> list[OfPopulation | EveryPopulation]:
    most = 9 if profile is Profile.QUICK else 13
    large = [(10, 10), (25, 15), (10, 10, 10), (20, 10, 5, 5)] + (
        [(50, 50), (90, 10), (100, 100), (40, 30, 20)] if profile is Profile.FULL else []
    )
    return [*map(EveryPopulation, range(2, most + 1)), *map(OfPopulation, large)]


def balanced_sample(half: int, k: int) -> Balanced | BalancedSample | None:
    """A case of a search."""
    return BalancedSample(half, k) if k < 2 * half else None


C4 = Claim(
    id="C4",
    title="The expected total variation is of order 1/sqrt(k)",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) \le "
    + TV_MEAN_SHARP.latex
    + "$, at most of order $1/\\sqrt k$ and 0 at $k = n$.",
    source="paper, section 4 (the order); the constant is ours",
    reading="upper half of 'of order', with an explicit constant; exact hypergeometric expectation; " + OCCUPIED,
    assumptions=UNIFORM_SAMPLE,
    registered=Status.CORROBORATED,
    sides=_mean,
    instances=population_instances,
    control=Control("the constant 1/2 is replaced by 1/4", None, population_control_instances, right=by_factor(Fraction(1, 2))),
    left_means="exact E TV",
    right_means="bound",
    grounds=proof("docs/mathematics/concentration.md", "C4"),
    searched=Populations(with_sample),
)

C4L = Claim(
    id="C4l",
    title="The expected total variation is no smaller than order 1/sqrt(k)",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z_\Delta}, F_{z_{[n]}}) \ge " + TV_MEAN_LEAST.latex + "$ for two classes of $n/2$ agents each.",
    source="paper, section 4 (the order); the constant is ours",
    reading="lower half of 'of order', for balanced populations (a population in one class has TV = 0); all k < n at once",
    assumptions=(*UNIFORM_SAMPLE, "two classes of equal size"),
    registered=Status.CORROBORATED,
    sides=_least_mean,
    instances=_least_mean_instances,
    control=Control("the constant 1/4 is replaced by 1/2", left=by_factor(2)),
    left_means="bound from below",
    right_means="exact E TV",
    grounds=proof("docs/mathematics/concentration.md", "C4l"),
    searched=Parameters((range(1, 101), range(1, 200)), balanced_sample),
)

C4M = Claim(
    id="C4m",
    title="The expected total variation decreases in k",
    statement=r"$\mathbb E\, \mathrm{TV}(F_{z_{\Delta_{k+1}}}, F_{z_{[n]}}) \le \mathbb E\, \mathrm{TV}(F_{z_{\Delta_k}}, F_{z_{[n]}})$ for $1 \le k < n$; it is 0 at $k = n$.",
    source="paper, section 4",
    reading="non-increasing, not strictly: population 2+2 has 1/6 at k = 2 and at k = 3; 'all' means every population of n agents",
    assumptions=UNIFORM_SAMPLE,
    registered=Status.CORROBORATED,
    sides=_decrease,
    instances=_decrease_instances,
    control=Control("k and k + 1 are exchanged", _increase),
    left_means="exact E TV at k + 1",
    right_means="exact E TV at k",
    grounds=proof("docs/mathematics/concentration.md", "C4m"),
    searched=Populations(without_sample),
)
