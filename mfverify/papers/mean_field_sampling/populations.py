"""Populations of n agents in classes, all of them occupied: their text, all of few agents, and larger ones."""

from __future__ import annotations

from collections.abc import Sequence

from mfverify.model import Model
from mfverify.papers.mean_field_sampling.tails import populations
from mfverify.theory.cases.populations import EveryPopulation, SampledPopulation
from mfverify.theory.claim import Profile


def population_instances(profile: Profile, _: Sequence[Model] | None) -> list[SampledPopulation | EveryPopulation]:
    """All populations of few agents, then larger ones with several k each."""
    most = 8 if profile is Profile.QUICK else 11
    out: list[SampledPopulation | EveryPopulation] = [*map(EveryPopulation, range(2, most + 1))]
    large = [p for p in populations(profile) if sum(p) > most] + [(7, 1), (60, 20, 15, 5)]
    for population in large:
        total = sum(population)
        for size in sorted({1, total // 4, total // 2, total - 1}):
            out.append(SampledPopulation(population, size))
    if profile is Profile.FULL:
        out += [SampledPopulation(p, size) for p, size in (((100,) * 4, 40), ((97, 101, 50, 52), 40), ((150, 100, 50), 100))]
    return out


def population_control_instances() -> list[SampledPopulation | EveryPopulation]:
    """Those of the quick profile, and two that are far from a bound."""
    return [SampledPopulation((50, 50), size) for size in (3, 25)] + population_instances(Profile.QUICK, None)


OCCUPIED = "|Z_l| is the number of classes that the population occupies; 'all' means every population of n agents in two or more classes and every k <= n"
