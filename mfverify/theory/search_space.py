"""Where a search for a counterexample takes instances of a claim from, said in the file of the statement with plain data.

A claim without a search space is searched on the instances that it lists, on generated models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import OnModel
from mfverify.theory.cases.populations import OfPopulation, Population

if TYPE_CHECKING:
    from mfverify.model import Model

C_co = TypeVar("C_co", bound=Case, covariant=True)
M_co = TypeVar("M_co", bound=OnModel, covariant=True)
P_co = TypeVar("P_co", bound=OfPopulation, covariant=True)

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
class Arrangement(Generic[M_co]):
    """How a model and sizes 1 <= k <= n become a case of a claim: ``make`` returns None where the claim does not cover them.

    A search takes any model through :meth:`instance`, which also refuses what costs too much: templates, random ones, those of an exhausted class.

    ``admits`` holds for the models that the claim covers; ``agents`` are the values of n that searches try; ``scaled``: whether
    the claim is not homogeneous in the rewards; ``sizes`` are those of random models; ``origin`` is where models come from.
    """

    make: Callable[[Model, int, int], M_co | None]
    cost: Cost
    agents: tuple[int, ...] = SMALL
    scaled: bool = False
    admits: Callable[[Model], bool] = _any_model
    sizes: tuple[tuple[int, int, int, int], ...] = RANDOM_SIZES
    origin: Origin = Origin.ANY

    def instance(self, model: Model | None, n: int, k: int) -> M_co | None:
        """The instance, or None where there is none or it costs too much."""
        if model is None or not 1 <= k <= n or not self.admits(model) or self.cost(model, n, k) > 1:
            return None
        return self.make(model, n, k)


@dataclass(frozen=True)
class Populations(Generic[P_co]):
    """Populations of n agents in two or more classes, all occupied, with a sample size 1 <= k <= n; ``make`` may ignore k."""

    make: Callable[[Population, int], P_co | None]


@dataclass(frozen=True)
class Transitions:
    """A population, a sample of it and a kernel; ``uniform``: whether the sample is a uniform one of its size."""

    uniform: bool


@dataclass(frozen=True)
class Parameters(Generic[C_co]):
    """All combinations of a few parameters, each with its values in the order from the simplest on."""

    axes: tuple[Sequence[Any], ...]
    make: Callable[..., C_co | None]


SearchSpace: TypeAlias = Arrangement[Any] | Populations[Any] | Transitions | Parameters[C_co]
