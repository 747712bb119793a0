"""Models whose agents are coupled by the global state, and pairs of sizes that are quick in exact arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mfverify import counts, models
from mfverify.model import Model
from mfverify.theory.cases.of_model import Subsampled, fewer_sampled
from mfverify.theory.claim import Profile
from mfverify.theory.search_costs import comparison_cost
from mfverify.theory.search_space import Arrangement


def coupled(given: Sequence[Model] | None) -> list[Model]:
    """The models that these claims are checked on unless a user gives others."""
    if given is not None:
        return list(given)
    coupled = [
        models.random_coupled(s, discount=gamma) for s, gamma in ((4, "9/10"), (16, "9/10"), (5, "1/2"), (100, "1/2"), (100, "1/10"))
    ]
    return [models.coordination(), models.absorbing(), models.splitting(), *coupled]


def exact_pairs(profile: Profile, given: Sequence[Model] | None) -> list[Subsampled]:
    """Every 1 <= k < n for which exact arithmetic is quick."""
    most = 3 if profile is Profile.QUICK else 5
    return [
        Subsampled(m, n, k)
        for m in coupled(given)
        for n in range(2, most + 1)
        for k in range(1, n)
        if m.sizes[0] * m.sizes[1] * counts.number_of_count_vectors(n, m.sizes[2] * m.sizes[3]) <= 2000
    ]


SEARCHED: Final = Arrangement(fewer_sampled, comparison_cost)
"""Where claims are searched that compare systems of k < n agents in exact arithmetic."""
