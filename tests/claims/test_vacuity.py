"""Where the bounds say something: thresholds and plain sentences against a look at every k."""

from __future__ import annotations

from fractions import Fraction

import pytest

from mfverify import verify
from mfverify.models import splitting
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.theorem_4_2 import THEOREM_4_2, THEOREM_4_2_DOUBLED, THEOREM_4_2_WEAKER
from mfverify.papers.mean_field_sampling.theorem_4_4 import THEOREM_4_4, THEOREM_4_4_DOUBLED, THEOREM_4_4_WEAKER
from mfverify.papers.ours.shared_draw import SHARED_DRAW
from mfverify.theory.bound import Bound
from mfverify.theory.vacuity import plain_statements, share_of_trivial, threshold


@pytest.mark.parametrize("bound", [THEOREM_4_2, THEOREM_4_4, SHARED_DRAW], ids=lambda b: b.name)
@pytest.mark.parametrize("discount", ["1/2", "9/10"])
def test_the_threshold_is_the_last_vacuous_k_and_one(bound: Bound, discount: str) -> None:
    gamma = Fraction(discount)
    shares = [share_of_trivial(bound, 50, k, gamma) for k in range(1, 50)]
    telling = [k for k, share in enumerate(shares, start=1) if share is not None and share[1] < 1]
    assert threshold(bound, 50, gamma).first == (telling[0] if telling else None)
    assert telling == list(range(50 - len(telling), 50))


def test_at_eight_agents_the_theorems_say_nothing_and_the_sentence_says_so() -> None:
    (paper,) = (one for one in CATALOGUE.papers if one.headlines)
    assert paper.headlines == ("T1", "T2") and paper.experiments == (8, 50)
    sentences = plain_statements([THEOREM_4_2, THEOREM_4_4], paper.experiments)
    assert len(sentences) == 4
    assert "n = 8 agents the bound T1 is vacuous for every k" in sentences[0]
    assert "n = 50 agents the bound T1 is informative only for k >= 43 of 50" in sentences[1]
    for k in range(1, 9):
        share = share_of_trivial(THEOREM_4_2, 8, k, Fraction(9, 10))
        assert share is not None and share[0] > 1


def test_a_report_shows_the_bounds_of_the_gap_and_puts_the_paper_s_into_words() -> None:
    bounds = {claim.id: claim.gap_bound for claim in CATALOGUE if claim.gap_bound is not None}
    assert bounds == {"T1": THEOREM_4_2, "T1b": THEOREM_4_2_WEAKER, "T1c": THEOREM_4_2_DOUBLED} | {
        "T2": THEOREM_4_4,
        "T2b": THEOREM_4_4_WEAKER,
        "T2c": THEOREM_4_4_DOUBLED,
        "R4": SHARED_DRAW,
    }
    shown = verify(["T1"], models=[splitting()], instance="splitting n=4 k=1", workers=1).document["vacuity"]
    assert {row["bound"] for row in shown["rows"]} == set(bounds)
    assert [sentence.split(" the bound ")[1].split()[0] for sentence in shown["plain"]] == ["T1", "T1", "T2", "T2"]
    assert verify(["S1"], instance="k=1 classes=1", workers=1).document["vacuity"] is None
