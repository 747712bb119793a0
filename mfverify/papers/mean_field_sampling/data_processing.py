"""Section 4: data processing, one kernel applied to two distributions. Claim C6; proof: docs/mathematics/concentration.md."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mfverify import counts
from mfverify.enclosure import Interval
from mfverify.model import Model
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.populations import Population
from mfverify.theory.cases.transitions import Kernel, random_kernel
from mfverify.theory.claim import Claim, Control, Outcome, Profile, Sides, Status
from mfverify.theory.grounds import proof
from mfverify.theory.search_space import Parameters


def moved(distribution: Sequence[Fraction], kernel: Kernel) -> tuple[Fraction, ...]:
    """``F P``."""
    return tuple(sum((f * row[t] for f, row in zip(distribution, kernel, strict=True)), Fraction(0)) for t in range(len(kernel[0])))


def distance(p: Sequence[Fraction], q: Sequence[Fraction]) -> Fraction:
    """``TV(p, q)`` of two distributions."""
    return sum((abs(x - y) for x, y in zip(p, q, strict=True)), Fraction(0)) / 2


def permutation_kernel(rng: random.Random, classes: int) -> Kernel:
    """A random renaming of the classes."""
    order = list(range(classes))
    rng.shuffle(order)
    return tuple(tuple(Fraction(int(t == target)) for t in range(classes)) for target in order)


@dataclass(frozen=True)
class TwoDistributions(Case):
    """Two populations of equally many classes, whose shares are the distributions; the number of seeded kernels, and their seed."""

    first: Population
    second: Population
    kernels: int
    seed: int


def _data_processing(case: TwoDistributions) -> Outcome:
    return _compared(case, lambda kernel: kernel)


def _reversed_rows(case: TwoDistributions) -> Outcome:
    return _compared(case, lambda kernel: kernel[::-1])


def _compared(case: TwoDistributions, other_kernel: Callable[[Kernel], Kernel]) -> Outcome:
    """The largest ``TV(F P, G P')`` over seeded kernels P, the last one a permutation, against ``TV(F, G)``; P' is made from P."""
    first, second = (tuple(Fraction(x, sum(c)) for x in c) for c in (case.first, case.second))
    rng = random.Random(case.seed)
    kernels = [random_kernel(rng, len(first), rng.randint(2, 5)) for _ in range(case.kernels)] + [permutation_kernel(rng, len(first))]
    right = distance(first, second)
    found = [distance(moved(first, kernel), moved(second, other_kernel(kernel))) for kernel in kernels]
    which = max(range(len(found)), key=found.__getitem__)
    worst = "the permutation" if which == len(kernels) - 1 else f"kernel {which + 1} of {len(kernels) - 1}"
    details = {"worst": worst, "kernels with equality": sum(x == right for x in found), "kernels compared": len(found)}
    return Sides(Interval.exactly(found[which]), Interval.exactly(right), Interval.exactly(1), details)


def _data_processing_instances(profile: Profile, _: Sequence[Model] | None) -> list[TwoDistributions]:
    pairs = [((1, 0), (1, 1)), ((3, 1, 0), (1, 1, 2)), ((2, 1, 1), (5, 0, 3)), ((1, 1, 1, 1), (4, 2, 1, 0)), ((9, 1), (4, 5))]
    pairs += [((1, 2, 3, 4, 5), (5, 4, 3, 2, 1))]
    kernels = 40 if profile is Profile.QUICK else 1000
    return [TwoDistributions(f, g, kernels, seed) for seed, (f, g) in enumerate(pairs)]


_DISTRIBUTIONS = tuple(
    tuple(int(x) for x in row) for classes in (2, 3) for n in range(1, 7) for row in counts.count_vectors(n, classes)[::-1]
)


def _two_distributions(first: Population, second: Population, seed: int) -> TwoDistributions | None:
    if first == second or len(first) != len(second):
        return None
    return TwoDistributions(first, second, 40, seed)


C6 = Claim(
    id="C6",
    title="Data processing",
    statement=r"$\mathrm{TV}(F P, G P) \le \mathrm{TV}(F, G)$ for every kernel $P$, with equality attained.",
    source="paper, section 4",
    reading="the largest of seeded rational kernels into 2 to 5 classes and one permutation, which attains equality; exact",
    assumptions=("the same kernel on both sides",),
    registered=Status.CORROBORATED,
    sides=_data_processing,
    instances=_data_processing_instances,
    control=Control("G is moved by the kernel with its rows reversed", _reversed_rows),
    left_means="largest TV(FP, GP)",
    right_means="TV(F, G)",
    grounds=proof("docs/mathematics/concentration.md", "C6"),
    searched=Parameters((_DISTRIBUTIONS, _DISTRIBUTIONS, range(2)), _two_distributions),
)
