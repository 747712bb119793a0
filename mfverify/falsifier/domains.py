"""Which instances a claim speaks about: one domain for every claim of the catalogue, and for every claim of a user.

Domains are tied to the function by which a claim lists its instances: claims that list them alike speak about the same kind of
instance. A claim whose function is not known here is searched through that function, on generated models (:class:`OwnDomain`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from math import comb
from typing import Protocol

from mfverify import counts
from mfverify.claims import CATALOGUE
from mfverify.claims.claim import Claim, Instance
from mfverify.claims.empirical_operator import lottery
from mfverify.falsifier.model_domains import (
    Arrangement,
    ModelDomain,
    Origin,
    OwnDomain,
    comparison_cost,
    labelled_cost,
    lumped_cost,
    never_changes_type,
    rational_cost,
    shared_cost,
    table_cost,
)
from mfverify.falsifier.number_domains import ParameterDomain, PopulationDomain, TransitionDomain, text_of
from mfverify.model import Model
from mfverify.models import redrawn
from mfverify.rationals import written


class Domain(Protocol):
    """Where instances of a claim come from, what lies near one, and what is simpler than one."""

    def families(self, seed: int) -> Mapping[str, Iterator[Instance]]:
        """Named sequences of instances, endless or exhaustive, each a function of the seed alone."""

    def neighbours(self, instance: Instance, rng: random.Random) -> Iterator[Instance]:
        """Small changes of an instance, for local search."""

    def simpler(self, instance: Instance) -> Iterator[Instance]:
        """Instances that are simpler, the simplest first."""


_LARGE = (2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 96, 128)
_SMALL = (2, 3, 4, 5, 6)


def _gap(model: Model, n: int, k: int) -> Instance:
    return Instance(model, n, k)


def _everybody(model: Model, n: int, k: int) -> Instance:
    return Instance(model, n, n)


def _proper(model: Model, n: int, k: int) -> Instance | None:
    return Instance(model, n, k) if k < n else None


def _sample(model: Model, n: int, k: int) -> Instance:
    return Instance(model, None, k)


def _few_samples(model: Model, n: int, k: int) -> Instance:
    """So few samples that exact laws are quick."""
    return Instance(model, None, k, (("samples", _samples_for(k)),))


def _samples_for(k: int) -> int:
    return 4 if k == 1 else 2


def _law_cost(model: Model, n: int, k: int) -> float:
    """Of the exact law of the largest sampling error: values of the laws of all pairs, once for each pair."""
    global_states, global_actions, local_states, local_actions = model.sizes
    pairs = global_states * global_actions * comb(k + local_states * local_actions - 1, k)
    states, samples = global_states * comb(k + local_states - 1, k), _samples_for(k)
    return max(rational_cost(model, k, k), pairs**2 * comb(samples + states - 1, samples) / 2e5)


def _agents(model: Model, n: int, k: int) -> Instance | None:
    return Instance(model, n, None) if n >= 2 else None


def _any_agents(model: Model, n: int, k: int) -> Instance:
    return Instance(model, n, None)


def _same_size(model: Model, n: int, k: int) -> Instance:
    return Instance(model, None, n, (("other", n),))


def _two_sizes(model: Model, n: int, k: int) -> Instance | None:
    return Instance(model, None, k, (("other", n),)) if k < n else None


def _two_types(model: Model, n: int, k: int) -> Instance | None:
    return Instance(model, n, k, (("types", 2),)) if n >= 2 else None


def _largest_value(model: Model, n: int, k: int) -> Instance | None:
    """The constant of the rate is what any value is at most; k = 1 is left out, where the rate is 1."""
    return Instance(model, n, k, (("C", written(model.rt / (1 - model.discount) or 1)),)) if k > 1 else None


def _linear_process(model: Model, n: int, k: int) -> Instance | None:
    """A model as a linear process with the exact regression; at k = n there is nothing to compare."""
    return Instance(model, n, k, (("transitions", 0),)) if k < n else None


def _linear_process_fourfold(model: Model, n: int, k: int) -> Instance | None:
    return Instance(model, n, k, (("transitions", 0),)) if 4 * k <= n else None


def _models(
    make: Callable[[Model, int, int], Instance | None], cost: Callable[[Model, int, int], float], agents: tuple[int, ...] = _SMALL
) -> ModelDomain:
    return ModelDomain(Arrangement(make, cost, agents))


_SCALED_GAP = ModelDomain(Arrangement(_gap, lumped_cost, _LARGE, scaled=True))
_TYPED = ((2, 2, 2, 1), (2, 2, 1, 1), (2, 2, 2, 2), (2, 2, 1, 2))
_NO_CHOICE = ((2, 1, 2, 2), (1, 1, 2, 2), (3, 1, 2, 2), (2, 1, 2, 3), (2, 1, 3, 2))
_POWERS = tuple(sorted({10**i for i in range(1, 10)} | {2**i for i in range(1, 30)} | {2**i + 1 for i in range(1, 30)}))


def _with_sample(population: tuple[int, ...], k: int) -> Instance:
    return Instance(None, sum(population), k, (("population", text_of(population)),))


def _without_sample(population: tuple[int, ...], k: int) -> Instance:
    return Instance(None, sum(population), None, (("population", text_of(population)),))


def _distributions(k: int, classes: int) -> Instance | None:
    return Instance(None, None, k, (("classes", classes),)) if comb(k + classes - 2, classes - 1) <= 2 * 10**5 else None


def _switch(k: int, states: int, actions: int) -> Instance:
    return Instance(None, None, None, (("states", states), ("actions", actions), ("first k", k), ("last k", k)))


def _types_of_many(n: int, states: int, actions: int) -> Instance:
    return Instance(None, n, None, (("states", states), ("actions", actions)))


def _lottery(k: int, reward: int) -> Instance:
    return Instance(lottery(reward), None, k, (("reward", reward),))


def _redrawn(n: int, k: int, eta: str, discount: str) -> Instance | None:
    if k > n or not 0 < Fraction(eta) < 2 * Fraction(discount):
        return None
    return Instance(redrawn(eta, discount), n, k, (("eta", eta),))


def _balanced(half: int) -> Instance:
    return Instance(None, 2 * half, None, (("half", half),))


def _all_different(n: int, k: int) -> Instance | None:
    return Instance(None, n, k) if k < n else None


_DISTRIBUTIONS = tuple(
    text_of([int(x) for x in row]) for classes in (2, 3) for n in range(1, 6) for row in counts.count_vectors(n, classes)[::-1]
)


def _two_distributions(first: str, second: str, seed: int) -> Instance | None:
    if first == second or first.count("+") != second.count("+"):
        return None
    return Instance(None, None, None, (("first", first), ("second", second), ("kernels", 40), ("seed", seed)))


_DOMAINS: Mapping[str, Domain] = {
    "T1": _SCALED_GAP,
    "T2": _SCALED_GAP,
    "R4": ModelDomain(Arrangement(_proper, shared_cost, _LARGE[:10])),
    "P3": _models(_everybody, rational_cost),
    "P4": _models(_proper, rational_cost),
    "R1": _models(_proper, comparison_cost),
    "R5": ModelDomain(Arrangement(_gap, rational_cost, _SMALL, admits=lambda m: m.sizes[1] == 1, sizes=_NO_CHOICE, origin=Origin.RANDOM)),
    "T3": _models(_largest_value, lumped_cost, (8, 16, 32, 64, 128)),
    "X3": _models(_linear_process, lumped_cost),
    "X3b": _models(_linear_process_fourfold, lumped_cost, (4, 5, 6, 8, 12, 16)),
    "X3p": _models(_everybody, rational_cost),
    "X3r": _models(_gap, lambda model, n, k: max(shared_cost(model, n, k), rational_cost(model, n, k) if k == n else 0), (2, 3, 4, 6, 8)),
    "L1": _models(_same_size, comparison_cost, (1, 2, 3, 4, 5)),
    "L2": _models(_two_sizes, comparison_cost),
    "S4b": ModelDomain(Arrangement(_two_types, rational_cost, _SMALL, admits=never_changes_type, sizes=_TYPED, origin=Origin.TYPES)),
    "B7": _models(_sample, table_cost, (1, 2, 3, 4, 6, 8)),
    "B6": _models(_few_samples, _law_cost, (1, 2, 3)),
    "N1": ModelDomain(Arrangement(_sample, table_cost, (1, 2, 3, 4, 6, 8))),
    "X2": _models(_sample, lambda model, n, k: comparison_cost(model, k, k), (1, 2, 3, 4)),
    "N1b": ModelDomain(Arrangement(_sample, table_cost, (1, 2, 3, 4, 6, 8))),
    "S1t": _models(_sample, labelled_cost, (1, 2, 3, 4, 5, 6)),
    "S3": _models(_sample, table_cost, (1, 2, 3, 4, 6, 8, 12, 16)),
    "S3b": _models(_agents, lambda model, n, k: 0, _POWERS),
    "V1": _models(_any_agents, rational_cost, (1, 2, 3, 4, 5)),
    "V2": _models(_any_agents, lumped_cost, _LARGE[:12]),
    "P2": _models(_gap, labelled_cost, (2, 3, 4, 5)),
    "S1": ParameterDomain((range(1, 40), range(1, 12)), _distributions),
    "S2": ParameterDomain((range(1, 60), range(1, 4), range(1, 4)), _switch),
    "S4": ParameterDomain(((16, 20, 30, 50, *(10**i for i in range(2, 13))), range(1, 4), range(1, 4)), _types_of_many),
    "N1c": ParameterDomain((range(1, 4), (1, 2, 3, 4, 6, 8, 10, 30, 100, 1000)), _lottery),
    "T3f": ParameterDomain((range(2, 61), range(1, 61), ("1/2", "1/100", "1", "1/10", "3/2"), ("1/2", "9/10", "1/10", "3/4")), _redrawn),
    "C5e": ParameterDomain((range(2, 11), range(1, 10)), _all_different),
    "C4l": ParameterDomain((range(1, 61),), _balanced),
    "C6": ParameterDomain((_DISTRIBUTIONS, _DISTRIBUTIONS, range(2)), _two_distributions),
    "C1": PopulationDomain(_with_sample),
    "C4": PopulationDomain(_with_sample),
    "C4m": PopulationDomain(_without_sample),
    "C5": PopulationDomain(_with_sample),
    "C7": TransitionDomain(uniform=False),
    "C7b": TransitionDomain(uniform=True),
}
"""By the first claim that lists its instances so."""


def domain_of(claim: Claim) -> Domain:
    """The domain of a claim: that of a claim of the catalogue with the same list of instances, or the claim's own list."""
    for claim_id, domain in _DOMAINS.items():
        if claim_id in CATALOGUE and CATALOGUE[claim_id].instances is claim.instances:
            return domain
    return OwnDomain(claim)
