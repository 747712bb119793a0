"""The optimality gap in exact arithmetic, for claims that turn on equality, and the systems that are small enough for it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from mfverify import counts, models
from mfverify.model import Model
from mfverify.papers.quantities import learned, rational_system
from mfverify.subsample_mfq.execution import exact_execution_value
from mfverify.theory.claim import Profile


@lru_cache(maxsize=512)
def exact_gap(model: Model, n: int, k: int) -> tuple[Fraction, str]:
    """The largest ``V* - V^{pi_k}`` over start states as a Fraction, and where it is attained."""
    system = rational_system(model, n)
    difference = system.array(system.optimum) - exact_execution_value(learned(model, k), n).exact
    flat = int(difference.argmax())
    g, c = divmod(flat, difference.shape[1])
    return difference[g, c], f"s_g={g}, counts {system.vectors[c]}"


def bundled(given: Sequence[Model] | None) -> list[Model]:
    """The models that P3 and P4 are checked on unless a user gives others."""
    if given is not None:
        return list(given)
    return [
        models.splitting(),
        models.coordination(),
        models.absorbing(),
        models.random_coupled(4),
        models.random_coupled(16),
        models.random_coupled(100),
    ]


def exact_sizes(profile: Profile, model: Model) -> list[int]:
    """Numbers of agents for which exact arithmetic is quick."""
    g, b, s, a = model.sizes
    most = 2000 if profile is Profile.QUICK else 20000
    return [n for n in range(2, 9) if g * b * counts.number_of_count_vectors(n, s * a) <= most][: 3 if profile is Profile.QUICK else 6]


def small_enough(model: Model, n: int) -> bool:
    """Whether the system of n agents is quick in exact arithmetic, every joint action included."""
    g, b, s, a = model.sizes
    return g * counts.number_of_count_vectors(n, s) <= 60 and g * b * counts.number_of_count_vectors(n, s * a) <= 3000
