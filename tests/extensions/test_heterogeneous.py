"""Kinds that no agent sees and kinds in the state: the same system where they are equal or known, another one where they are not."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mfverify import ModelError, counts
from mfverify.exact.optimal import optimal_value
from mfverify.extensions.heterogeneous import hidden_kinds, shown_kinds
from mfverify.extensions.outside import executed, optimum
from mfverify.models import coordination
from mfverify.subsample_mfq.execution import exact_execution_value
from mfverify.subsample_mfq.learning import learn

N = 3


def test_without_a_difference_it_is_the_coordination_model() -> None:
    system, model = hidden_kinds(0), coordination()
    best, exact = optimum(system, N)[0], optimal_value(model, N, "rational").exact
    assert exact is not None
    assert len(best) == 2 * 2**N
    for (g, places), value in best.items():
        assert exact[g, int(counts.rank((places.count(0), places.count(1))))] == value
    for k in (1, N):  # every sample has one or a clear majority, so no rule for ties plays a part
        played, theirs = executed(system, N, k), exact_execution_value(learn(model, k), N).exact
        assert theirs is not None
        assert [theirs[g, int(counts.rank((s.count(0), s.count(1))))] for g, s in played] == list(played.values())


@pytest.mark.parametrize("difference", ["1/4", "1"])
def test_shown_kinds_have_the_optimum_of_the_labelled_system(difference: str) -> None:
    best, exact = optimum(hidden_kinds(difference), N)[0], optimal_value(shown_kinds(difference), N, "rational").exact
    assert exact is not None
    for (g, places), value in best.items():
        numbers = [2 * (i % 2) + s for i, s in enumerate(places)]
        assert exact[g, int(counts.rank(tuple(numbers.count(s) for s in range(4))))] == value


def test_hidden_kinds_cost_something_even_if_everybody_is_seen() -> None:
    """With all agents in the sample the learner still takes agents for exchangeable; nothing is lost where they are."""
    gaps = {}
    for difference in ("0", "1"):
        system = hidden_kinds(difference)
        best, played = optimum(system, N)[0], executed(system, N, N)
        gaps[difference] = max(best[state] - played[state] for state in best)
    assert gaps["0"] == 0
    assert gaps["1"] > Fraction(1, 2)
    shown = shown_kinds("1")
    assert (optimal_value(shown, N) - exact_execution_value(learn(shown, N), N)).max().upper < 10**-9


def test_a_difference_beyond_the_dial_is_refused() -> None:
    for build in (hidden_kinds, shown_kinds):
        with pytest.raises(ModelError, match="difference: found 2"):
            build("2")
