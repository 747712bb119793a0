"""Where a search for a counterexample takes instances of a claim from, said in the file of the statement with plain data.

A claim without a search space is searched on the instances that it lists, on generated models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from mfverify.theory.claim import Instance
from mfverify.theory.populations import text_of

if TYPE_CHECKING:
    from mfverify.model import Model

Cost: TypeAlias = "Callable[[Model, int, int], float]"
"""How much an evaluation costs for a model, n and k, as a share of what is allowed: a candidate has at most 1."""

LARGE: Final = (2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 96, 128)
"""Numbers of agents where a solver in doubles is enough."""

SMALL: Final = (2, 3, 4, 5, 6)
"""Numbers of agents for exact arithmetic."""

RANDOM_SIZES: Final = ((2, 2, 2, 1), (2, 2, 2, 2), (2, 2, 3, 1), (2, 2, 2, 2), (3, 2, 2, 2), (2, 2, 3, 2), (1, 2, 2, 2), (2, 3, 2, 1))
"""``(|S_g|, |A_g|, |S_l|, |A_l|)`` of random models, used cyclically."""


class Origin(Enum):
    """Where the models of a claim come from."""

    ANY = "templates, random models and the grid"
    RANDOM = "random models only: the others have more than one global action"
    TYPES = "two kinds of agents that never change, put into one model"


def _any_model(model: Model) -> bool:
    del model
    return True


@dataclass(frozen=True)
class Arrangement:
    """How a model and sizes 1 <= k <= n become an instance of a claim: ``make`` returns None where the claim does not cover them.

    ``admits`` holds for the models that the claim covers; ``agents`` are the values of n that searches try; ``scaled``: whether
    the claim is not homogeneous in the rewards; ``sizes`` are those of random models; ``origin`` is where models come from.
    """

    make: Callable[[Model, int, int], Instance | None]
    cost: Cost
    agents: tuple[int, ...] = SMALL
    scaled: bool = False
    admits: Callable[[Model], bool] = _any_model
    sizes: tuple[tuple[int, int, int, int], ...] = RANDOM_SIZES
    origin: Origin = Origin.ANY

    def instance(self, model: Model | None, n: int, k: int) -> Instance | None:
        """The instance, or None where there is none or it costs too much."""
        if model is None or not 1 <= k <= n or not self.admits(model) or self.cost(model, n, k) > 1:
            return None
        return self.make(model, n, k)


@dataclass(frozen=True)
class Populations:
    """Populations of n agents in two or more classes, all occupied, with a sample size 1 <= k <= n; ``make`` may ignore k."""

    make: Callable[[tuple[int, ...], int], Instance | None]


@dataclass(frozen=True)
class Transitions:
    """A population, a sample of it and a kernel; ``uniform``: whether the sample is a uniform one of its size."""

    uniform: bool


@dataclass(frozen=True)
class Parameters:
    """All combinations of a few parameters, each with its values in the order from the simplest on."""

    axes: tuple[Sequence[int | str], ...]
    make: Callable[..., Instance | None]


SearchSpace: TypeAlias = Arrangement | Populations | Transitions | Parameters


def any_sizes(model: Model, n: int, k: int) -> Instance:
    """n agents, k of them sampled."""
    return Instance(model, n, k)


def all_sampled(model: Model, n: int, k: int) -> Instance:
    """n agents, all of them sampled."""
    del k
    return Instance(model, n, n)


def fewer_sampled(model: Model, n: int, k: int) -> Instance | None:
    """n agents, fewer of them sampled."""
    return Instance(model, n, k) if k < n else None


def sample_alone(model: Model, n: int, k: int) -> Instance:
    """The system of k agents."""
    del n
    return Instance(model, None, k)


def agents_alone(model: Model, n: int, k: int) -> Instance:
    """The system of n agents."""
    del k
    return Instance(model, n, None)


def with_sample(population: tuple[int, ...], k: int) -> Instance:
    """A population and the size of a sample."""
    return Instance(None, sum(population), k, (("population", text_of(population)),))


def without_sample(population: tuple[int, ...], k: int) -> Instance:
    """A population alone."""
    del k
    return Instance(None, sum(population), None, (("population", text_of(population)),))
