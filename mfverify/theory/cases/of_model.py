"""Cases with a model: its system of n agents, that of k agents, or k sampled of n."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mfverify.theory.cases.case import Case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mfverify.model import Model


@dataclass(frozen=True)
class OnModel(Case):
    """A model, and what a subclass adds."""

    model: Model


@dataclass(frozen=True)
class OfAgents(OnModel):
    """The system of n agents.

    Parameters
    ----------
    model
        The system.
    agents
        n, at least 1.

    Examples
    --------
    >>> from mfverify.models import absorbing
    >>> OfAgents(absorbing(), 4).label
    'absorbing n=4'
    """

    agents: int


@dataclass(frozen=True)
class OfSample(OnModel):
    """The system of k agents.

    Parameters
    ----------
    model
        The system.
    subsample
        k, at least 1.

    Examples
    --------
    >>> from mfverify.models import absorbing
    >>> OfSample(absorbing(), 2).label
    'absorbing k=2'
    """

    subsample: int


@dataclass(frozen=True)
class Subsampled(OnModel):
    """The system of n agents, of which k are sampled.

    Parameters
    ----------
    model
        The system.
    agents, subsample
        n and k, 1 <= k <= n.

    Examples
    --------
    >>> from mfverify.models import absorbing
    >>> Subsampled(absorbing(), 4, 2).label
    'absorbing n=4 k=2'
    """

    agents: int
    subsample: int


@dataclass(frozen=True)
class Learned(OnModel):
    """The system of n agents, of which k are sampled, with the policy that an empirical operator learned: m samples, drawn with a seed."""

    agents: int
    subsample: int
    samples: int
    seed: int


def all_sampled(model: Model, n: int, k: int) -> Subsampled:
    """n agents, all of them sampled."""
    del k
    return Subsampled(model, n, n)


def fewer_sampled(model: Model, n: int, k: int) -> Subsampled | None:
    """n agents, fewer of them sampled."""
    return Subsampled(model, n, k) if k < n else None


def sample_alone(model: Model, n: int, k: int) -> OfSample:
    """The system of k agents."""
    del n
    return OfSample(model, k)


def agents_alone(model: Model, n: int, k: int) -> OfAgents:
    """The system of n agents."""
    del k
    return OfAgents(model, n)


def few_and_all_sampled(given: Sequence[Model]) -> list[Subsampled]:
    """Each model with 4 agents and all k, and with 8 agents and half of them or fewer: what a user's models are checked on."""
    return [Subsampled(m, n, k) for m in given for n, ks in ((4, (1, 2, 3, 4)), (8, (1, 2, 4))) for k in ks]
