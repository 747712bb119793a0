"""Instances with a model and up to two sizes: where they come from, the neighbours of one, simpler ones.

A statement about a model speaks of n agents, of samples of k, or of both; an :class:`Arrangement` says how a model and a pair of sizes
become an instance, and what it costs to evaluate. What costs more than a fixed limit is not a candidate.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, cycle, islice
from typing import Final, TypeVar

from mfverify.falsifier import templates
from mfverify.falsifier.grids import SIZES, grid
from mfverify.falsifier.model_moves import changed, random_model, simpler_models, tuned
from mfverify.falsifier.simplicity import simplicity
from mfverify.model import Model, derived_name
from mfverify.models.agent_types import typed
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import OnModel
from mfverify.theory.claim import Claim, Profile
from mfverify.theory.search_space import RANDOM_SIZES, Arrangement, Origin

_FIRST: Final = 6
"""Numbers of agents among which the grid looks for the two smallest ones that a claim covers."""

K = TypeVar("K", bound=Case)
T = TypeVar("T")

PATIENCE: Final = 32
"""How much more than in a search a candidate with fewer agents may cost."""

MOST_MISSED: Final = 40
"""Invalid changes in a row after which an instance counts as one without neighbours."""
MOST_REFUSED: Final = 200
"""Draws in a row without an instance after which a family counts as finished: a claim may have none with fewer agents."""


def hard_models(rng: random.Random) -> Iterator[Model]:
    """The templates, used cyclically, with random numbers; infinite."""
    for index in count():
        yield templates.drawn(rng, index)


def sizes_of(case: Case) -> tuple[int, int]:
    """n and k of a case; of two sizes of samples the larger counts as n."""
    subsample = case.written.subsample
    return case.order, subsample if subsample is not None else case.order


def two_types(first: Model, rng: random.Random) -> Model | None:
    """A model and a changed copy of it as two types of agents; None where the change is none or changes the sizes."""
    second = changed(first, rng)
    return None if second is None or second.sizes != first.sizes else typed([first, second], derived_name(first.name, "two types of "))


@dataclass(frozen=True)
class ModelDomain:
    """All instances of one arrangement."""

    arrangement: Arrangement[OnModel]

    def families(self, seed: int) -> Mapping[str, Iterator[OnModel]]:
        """Endless or exhaustive sequences of instances, each a function of the seed alone."""
        if self.arrangement.origin is Origin.TYPES:
            return {"two types": self._sized(self.typed_models(random.Random(f"types {seed}")), seed)}
        drawn = {"random models": self._sized(self.random_models(random.Random(f"random {seed}")), seed)}
        if self.arrangement.origin is Origin.RANDOM:
            return drawn
        return {
            "hard templates": self._sized(hard_models(random.Random(f"templates {seed}")), seed),
            **drawn,
            "exhaustive grid": chain.from_iterable(self._small(grid(*size)) for size in SIZES),
        }

    def random_models(self, rng: random.Random) -> Iterator[Model]:
        """Random models of the arrangement's sizes, used cyclically; infinite."""
        while True:
            for sizes in self.arrangement.sizes:
                yield random_model(rng, sizes, self.arrangement.scaled)

    def typed_models(self, rng: random.Random) -> Iterator[Model]:
        """A random model or template and a changed copy of it as two types of agents; infinite."""
        for index, first in enumerate(self.random_models(rng)):
            found = two_types(templates.drawn(rng, index // 2) if index % 2 else first, rng)
            if found is not None:
                yield found

    def _sized(self, models: Iterator[Model], seed: int) -> Iterator[OnModel]:
        """Each model with one pair of sizes from the ladder, unless :data:`MOST_REFUSED` in a row have no instance."""
        return found_of(self._drawn(models, seed), MOST_REFUSED)

    def _drawn(self, models: Iterator[Model], seed: int) -> Iterator[OnModel | None]:
        rng = random.Random(f"sizes {seed}")
        for model in models:
            n = rng.choice(self.arrangement.agents)
            k = max(1, rng.choice((n - 1, n - 1, n - 1, n // 2, 1, n, rng.randint(1, n))))
            yield self.arrangement.instance(model, n, k)

    def _small(self, models: Iterator[Model]) -> Iterator[OnModel]:
        """Each model with all pairs of the two smallest numbers of agents that have instances, unless :data:`MOST_REFUSED` in a row have none."""
        return chain.from_iterable(found_of((self._smallest(model) or None for model in models), MOST_REFUSED))

    def _smallest(self, model: Model) -> list[OnModel]:
        made = ([self.arrangement.instance(model, n, k) for k in range(1, n + 1)] for n in self.arrangement.agents[:_FIRST])
        covered = filter(None, ([one for one in pairs if one is not None] for pairs in made))
        return [one for pairs in islice(covered, 2) for one in pairs]

    def neighbours(self, instance: OnModel, rng: random.Random) -> Iterator[OnModel]:
        """Small changes of the model or of the sizes; infinite, unless :data:`MOST_MISSED` in a row are invalid."""
        return found_of(self._changes(instance, rng), MOST_MISSED)

    def _changes(self, instance: OnModel, rng: random.Random) -> Iterator[OnModel | None]:
        n, k = sizes_of(instance)
        while True:
            if rng.random() < 0.3:
                m = max(1, n + rng.choice((-2, -1, 1, 2, n // 2, n, -(n // 3))))
                yield self.arrangement.instance(instance.model, m, rng.choice((m - 1, m - (n - k), k, k + 1, k - 1, m)))
            else:
                yield self.arrangement.instance(changed(instance.model, rng), n, k)

    def simpler(self, instance: OnModel) -> Iterator[OnModel]:
        """Simpler instances, simplest first: fewer agents (with other discounts and scales too), a smaller sample, a simpler model."""
        model = instance.model
        n, k = sizes_of(instance)
        pairs = [(m, j) for m in sorted({n // 2, 3 * n // 4, n - 2, n - 1}) for j in (k, m - (n - k), m - 1, m // 2, m)]
        pairs += [(n, j) for j in sorted({1, k // 2, 3 * k // 4, k - 2, k - 1})]
        found = [self.arrangement.instance(model, m, j) for m, j in pairs]
        found += (
            [self.arrangement.instance(other, n - 1, j) for other in tuned(model) for j in {k, k - 1}] if self.arrangement.scaled else []
        )
        found += [self.arrangement.instance(other, n, k) for other in simpler_models(model)]
        yield from simplest_first(instance, found)


@dataclass(frozen=True)
class Fewer:
    """Instances of an arrangement with fewer than ``limit`` agents, most of them with hardly fewer: what a descent tries.

    There are fewer of them than in a search, so each may cost :data:`PATIENCE` times as much.
    """

    whole: ModelDomain
    limit: int

    @classmethod
    def of(cls, arrangement: Arrangement[OnModel], limit: int) -> Fewer:
        """The instances of this arrangement below the limit."""
        return cls(ModelDomain(replace(arrangement, cost=lambda model, n, k: arrangement.cost(model, n, k) / PATIENCE)), limit)

    def families(self, seed: int) -> Mapping[str, Iterator[OnModel]]:
        """Templates (random models where the claim takes no others) with one pair of sizes each."""
        rng, arrangement = random.Random(f"below {self.limit} {seed}"), self.whole.arrangement
        models = {
            Origin.ANY: lambda: hard_models(rng),
            Origin.RANDOM: lambda: self.whole.random_models(rng),
            Origin.TYPES: lambda: self.whole.typed_models(rng),
        }[arrangement.origin]()
        drawn = ((model, max(1, self.limit - rng.choice((1, 1, 1, 2, 2, 3, self.limit // 2)))) for model in models)
        found = (arrangement.instance(model, n, max(1, rng.choice((n - 1, n - 1, n - 1, 1, n)))) for model, n in drawn)
        return {"fewer agents": found_of(found, MOST_REFUSED)}

    def neighbours(self, instance: OnModel, rng: random.Random) -> Iterator[OnModel]:
        """Small changes with fewer agents than the limit; infinite, unless :data:`MOST_REFUSED` in a row are no instances."""
        return found_of(self._changes(instance, rng), MOST_REFUSED)

    def _changes(self, instance: OnModel, rng: random.Random) -> Iterator[OnModel | None]:
        n, k = sizes_of(instance)
        while True:
            m = n if n < self.limit and rng.random() < 0.8 else max(1, self.limit - rng.choice((1, 1, 1, 2)))
            j = m - (n - k) if rng.random() < 0.7 else rng.choice((min(k, m), m - 1, k - 1))
            model = instance.model if m != n and rng.random() < 0.25 else changed(instance.model, rng)
            yield self.whole.arrangement.instance(model, m, j)

    def simpler(self, instance: OnModel) -> Iterator[OnModel]:
        """As in the whole domain."""
        return self.whole.simpler(instance)


def found_of(drawn: Iterable[T | None], most: int) -> Iterator[T]:
    """Those that are found, until ``most`` in a row are none."""
    missed = 0
    for one in drawn:
        missed = missed + 1 if one is None else 0
        if missed == most:
            return
        if one is not None:
            yield one


def simplest_first(instance: K, candidates: Sequence[K | None]) -> Iterator[K]:
    """Of the candidates those that are simpler than the instance, each once, in the order of simplicity."""
    own = simplicity(instance)
    keyed = {simplicity(c): c for c in candidates if c is not None}
    for key in sorted(keyed):
        if key < own:
            yield keyed[key]


@dataclass(frozen=True)
class OwnDomain:
    """Instances that the claim lists itself: on generated models, or its own list where it does not take models.

    What its parameters mean is known to the claim alone, so none are invented: every instance comes out of ``claim.instances``.
    """

    claim: Claim

    def families(self, seed: int) -> Mapping[str, Iterator[Case]]:
        """The claim's instances on templates, random models and the grid; without models, those of both profiles."""
        rng = random.Random(f"own {seed}")
        if not self._on(templates.drawn(rng, 0)):
            return {"the claim's own list": iter([one for profile in Profile for one in self.claim.instances(profile, None)])}
        small = (model for model in hard_models(random.Random(f"templates {seed}")) if model.sizes[2] <= 3)
        drawn = (random_model(rng, sizes, scaled=False) for sizes in cycle(RANDOM_SIZES))
        return {
            "hard templates": self._of(small),
            "random models": self._of(drawn),
            "exhaustive grid": chain.from_iterable(self._of(grid(*size)) for size in SIZES),
        }

    def _of(self, models: Iterator[Model]) -> Iterator[Case]:
        """The instances on each model, unless :data:`MOST_REFUSED` in a row have none."""
        return chain.from_iterable(found_of((self._on(model) or None for model in models), MOST_REFUSED))

    def _on(self, model: Model | None) -> list[Case]:
        return [] if model is None else [one for one in self.claim.instances(Profile.QUICK, [model]) if one.written.model is not None]

    def neighbours(self, instance: Case, rng: random.Random) -> Iterator[Case]:
        """The same parameters on a changed model; nothing where the claim does not take models or its parameters depend on them."""
        model = instance.written.model
        if model is None:
            return iter(())
        valid = ([one for one in self._on(changed(model, rng)) if self._alike(one, instance)] or None for _ in count())
        return chain.from_iterable(found_of(valid, MOST_MISSED))

    def simpler(self, instance: Case) -> Iterator[Case]:
        """The other parameters on the same model, and the same parameters on simpler models."""
        model = instance.written.model
        if model is None:
            yield from simplest_first(instance, list(self.claim.instances(Profile.QUICK, None)))
            return
        on_simpler = (one for other in simpler_models(model) for one in self._on(other))
        yield from simplest_first(instance, [*self._on(model), *(one for one in on_simpler if self._alike(one, instance))])

    def _alike(self, one: Case, other: Case) -> bool:
        return one.written[1:] == other.written[1:]
