"""Populations of n agents in classes, all of them occupied: their text, all of few agents, and larger ones."""

from __future__ import annotations

from collections.abc import Sequence

from mfverify.model import Model
from mfverify.papers.mean_field_sampling.tails import populations
from mfverify.theory.claim import Instance, Profile
from mfverify.theory.populations import Population, counts_of, partitions, text_of

ALL = "all"
"""Value of the parameter ``population`` for every population of n agents, up to the names of the classes."""


def cases(instance: Instance) -> list[tuple[Population, int]]:
    """The (population, k) that an instance covers: one, or all of n agents in at least two classes with 1 <= k <= n."""
    if instance["population"] != ALL:
        assert instance.subsample is not None
        return [(counts_of(instance["population"]), instance.subsample)]
    assert instance.agents is not None
    return [(p, size) for p in partitions(instance.agents) if len(p) > 1 for size in range(1, instance.agents + 1)]


def population_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    """All populations of few agents, then larger ones with several k each."""
    most = 8 if profile is Profile.QUICK else 11
    out = [Instance(None, size, None, (("population", ALL),)) for size in range(2, most + 1)]
    large = [p for p in populations(profile) if sum(p) > most] + [(7, 1), (60, 20, 15, 5)]
    for population in large:
        total = sum(population)
        for size in sorted({1, total // 4, total // 2, total - 1}):
            out.append(Instance(None, total, size, (("population", text_of(population)),)))
    if profile is Profile.FULL:
        out += [
            Instance(None, sum(p), size, (("population", text_of(p)),))
            for p, size in (((100,) * 4, 40), ((97, 101, 50, 52), 40), ((150, 100, 50), 100))
        ]
    return out


def population_control_instances() -> list[Instance]:
    """Those of the quick profile, and two that are far from a bound."""
    return [Instance(None, 100, size, (("population", "50+50"),)) for size in (3, 25)] + population_instances(Profile.QUICK, None)


OCCUPIED = "|Z_l| is the number of classes that the population occupies; 'all' means every population of n agents in two or more classes and every k <= n"
