"""The smallest counterexamples: what is kept side by side, and the descent to fewer agents."""

from __future__ import annotations

import random
import runpy
import time
from itertools import islice

import pytest

from mfverify import models
from mfverify.bundled import folder
from mfverify.enclosure import Interval
from mfverify.falsifier.climb import space_of
from mfverify.falsifier.evaluation import Asked, Candidate, Evaluated, Evaluator, Island, climbed, evaluate
from mfverify.falsifier.model_domains import Fewer
from mfverify.falsifier.search import Searched
from mfverify.falsifier.shrink import Shrunk
from mfverify.falsifier.smallest import Front, descend, measures
from mfverify.papers import CATALOGUE
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.cases.populations import SampledPopulation, partitions
from mfverify.theory.claim import Verdict, judge
from mfverify.theory.search_space import Arrangement


def violated(n: int, k: int, verdict: Verdict = Verdict.VIOLATED, eta: str = "1/100") -> Evaluated:
    two, one = Interval.exactly(2), Interval.exactly(1)
    return Evaluated(Candidate("given", Subsampled(models.coordination(eta=eta), n, k)), verdict, two, one)


def test_measures_are_agents_sample_sizes_and_denominators() -> None:
    assert measures(violated(5, 3)) == (5, 3, 8, 100)


def test_the_tables_of_the_index_are_those_of_the_certificates_and_of_the_record() -> None:
    certificates = folder("reports") / "certificates"
    build = runpy.run_path(str(certificates / "build.py"))
    text = (certificates / "README.md").read_text(encoding="utf-8")
    for heading, rows in (("The smallest on file", build["smallest_rows"]()), ("Not refuted", build["searched_rows"]())):
        section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
        assert [line for line in section.splitlines() if line.startswith("| ")][1:] == rows
        assert any(row.startswith(("| C3 | [2](C3.json) | [1](C3.json)", "| C5e | 0 |")) for row in rows)


def test_seven_agents_are_the_fewest_against_the_tail_bound_of_tv() -> None:
    """C2 holds on all populations of at most six agents, at all k, and fails for seven."""
    verdicts = {
        (n, k, c): judge(CATALOGUE["C2"].sides(SampledPopulation(c, k)))
        for n in range(1, 7)
        for c in partitions(n)
        for k in range(1, n + 1)
    }
    assert len(verdicts) == sum(n * p for n, p in zip(range(1, 7), (1, 2, 3, 5, 7, 11), strict=True)), "n times the partitions of n"
    assert Verdict.VIOLATED not in verdicts.values() and Verdict.UNDECIDED not in verdicts.values()
    assert judge(CATALOGUE["C2"].sides(SampledPopulation((1,) * 7, 3))) is Verdict.VIOLATED


def test_none_of_those_kept_beats_another() -> None:
    front = Front()
    for one in (violated(5, 4), violated(6, 2), violated(6, 4), violated(5, 3), violated(7, 1, Verdict.HOLDS), violated(9, 9, eta="1/2")):
        front.add(one)
    assert [measures(one)[:2] for one in sorted(front.kept, key=measures)] == [(5, 3), (6, 2), (9, 9)]
    listed = front.to_json()
    assert [one["agents"] for one in listed] == [5, 6, 9]
    assert listed[0]["denominator"] == 100 and listed[0]["actual"]["lower"] == 2.0


def test_below_a_number_of_agents_no_island_has_as_many() -> None:
    claim = CATALOGUE["P4"]
    space = space_of(claim, 5)
    assert space is not None and space.agents == (2, 3, 4)
    assert space_of(claim, 1) is None
    out = climbed(Island(claim, "a", time.monotonic() + 600, 4))
    assert out is not None and out.agents in (2, 3)


def test_a_descent_ends_where_the_claim_has_no_fewer_agents() -> None:
    """P4 compares k with k + 1, so it speaks of no single agent: the draws end, and do not go on for ever."""
    arrangement = CATALOGUE["P4"].searched
    assert isinstance(arrangement, Arrangement)
    fewer = Fewer.of(arrangement, 2)
    assert list(fewer.families(0)["fewer agents"]) == []
    assert list(fewer.neighbours(violated(2, 1).candidate.instance, random.Random(0))) == []


def test_neighbours_have_fewer_agents_and_mostly_another_model() -> None:
    arrangement = CATALOGUE["P4"].searched
    assert isinstance(arrangement, Arrangement)
    start, fewer = violated(5, 4).candidate.instance, Fewer.of(arrangement, 5)
    for n in (5, 4):
        case = Subsampled(start.written.model, n, n - 1)
        found = list(islice(fewer.neighbours(case, random.Random(0)), 200))
        assert {one.order for one in found} == {3, 4}
        others = [one for one in found if one.written.model != start.written.model]
        assert len(others) > 100
        assert len(others) < len(found) or n < 5, "with fewer agents the model may be the same"
        assert any(one.order < n for one in others)


@pytest.mark.slow
def test_the_descent_reaches_fewer_agents() -> None:
    claim, shrunk, front = CATALOGUE["P4"], Shrunk(violated(5, 4)), Front()
    descend(claim, Evaluator(claim, 1, time.monotonic() + 600), Searched("P4", 0), shrunk, front)
    case = shrunk.best.candidate.instance
    assert isinstance(case, Subsampled) and case.agents < 5
    assert shrunk.best.left is not None and shrunk.best.right is not None and shrunk.best.left.lower > shrunk.best.right.upper
    assert measures(shrunk.best)[0] == min(measures(one)[0] for one in front.kept)


class _Enough(Exception):
    """Raised where a test has seen what it asks for."""


@pytest.mark.slow
def test_theorem_4_2_descends_below_twenty_agents() -> None:
    """From a violation with 24 agents, without a hint where to go."""
    claim, front = CATALOGUE["T1"], Front()
    start = Subsampled(models.commitment(2, "1/64", "1/2", 8), 24, 23)
    shrunk = Shrunk(evaluate(Asked(claim, Candidate("given", start), time.monotonic() + 600)))
    assert shrunk.best.verdict is Verdict.VIOLATED

    def enough(shrunk: Shrunk) -> None:
        if shrunk.best.candidate.instance.order < 20:
            raise _Enough

    with pytest.raises(_Enough):
        descend(claim, Evaluator(claim, 1, time.monotonic() + 600), Searched("T1", 0), shrunk, front, enough)
    assert shrunk.best.verdict is Verdict.VIOLATED and shrunk.best in front.kept
