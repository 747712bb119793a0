"""Where the bounds say something: thresholds and plain sentences against a look at every k."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mfverify.bounds import optimality
from mfverify.bounds.bound import Bound
from mfverify.claims.vacuity import plain_statements, share_of_trivial, threshold


@pytest.mark.parametrize("bound", [optimality.THEOREM_4_2, optimality.THEOREM_4_4, optimality.SHARED_DRAW], ids=lambda b: b.name)
@pytest.mark.parametrize("discount", ["1/2", "9/10"])
def test_the_threshold_is_the_last_vacuous_k_and_one(bound: Bound, discount: str) -> None:
    gamma = Fraction(discount)
    shares = [share_of_trivial(bound, 50, k, gamma) for k in range(1, 50)]
    telling = [k for k, share in enumerate(shares, start=1) if share is not None and share[1] < 1]
    assert threshold(bound, 50, gamma).first == (telling[0] if telling else None)
    assert telling == list(range(50 - len(telling), 50))


def test_at_eight_agents_the_theorems_say_nothing_and_the_sentence_says_so() -> None:
    sentences = plain_statements()
    assert len(sentences) == 4
    assert "n = 8 agents the bound T1 says nothing, whatever k is" in sentences[0]
    assert "n = 50 agents the bound T1 says something only for k >= 43 of 50" in sentences[1]
    for k in range(1, 9):
        share = share_of_trivial(optimality.THEOREM_4_2, 8, k, Fraction(9, 10))
        assert share is not None and share[0] > 1
