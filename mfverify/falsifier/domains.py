"""The instances on which a claim is searched: the search space of its statement, or the instances that it lists.

A statement names its search space with plain data (``searched=``, see :mod:`mfverify.theory.search_space`). A claim without one is searched
through its own list of instances, on generated models (:class:`OwnDomain`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from mfverify.falsifier.model_domains import ModelDomain, OwnDomain
from mfverify.falsifier.number_domains import ParameterDomain, PopulationDomain, TransitionDomain
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Claim
from mfverify.theory.search_space import Arrangement, Parameters, Populations, Transitions


class Domain(Protocol):
    """Where instances of a claim come from, the neighbours of one, and simpler ones."""

    def families(self, seed: int) -> Mapping[str, Iterator[Case]]:
        """Named sequences of instances, endless or exhaustive, each a function of the seed alone."""

    def neighbours(self, instance: Any, rng: random.Random) -> Iterator[Case]:
        """Small changes of an instance, for local search."""

    def simpler(self, instance: Any) -> Iterator[Case]:
        """Instances that are simpler, the simplest first."""


def domain_of(claim: Claim) -> Domain:
    """The domain of a claim: that of its search space, or its own list of instances."""
    match claim.searched:
        case Arrangement():
            return ModelDomain(claim.searched)
        case Populations():
            return PopulationDomain(claim.searched.make)
        case Transitions():
            return TransitionDomain(claim.searched.uniform)
        case Parameters():
            return ParameterDomain(claim.searched.axes, claim.searched.make)
    return OwnDomain(claim)
