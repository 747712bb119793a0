"""How a theorem check runs: one test per claim and instance, one per claim for its status, one for its negative control."""

from __future__ import annotations

import os
from functools import cache

import pytest

from mfverify.papers import CATALOGUE
from mfverify.papers.plans import cases_of
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Claim, Finding, Profile, Status, Verdict, finding, judge, status

PROFILE = Profile(os.environ.get("MFVERIFY_PROFILE", "quick"))
"""Which instances are checked: ``MFVERIFY_PROFILE=full pytest proofs_checks`` for all of them."""

_MOST_AGENTS_OF_A_CONTROL = 500


@cache
def found(claim_id: str, instance: Case) -> Finding:
    """What was found on an instance; computed once per session."""
    return finding(CATALOGUE[claim_id], instance)


def instance_cases(*claim_ids: str) -> pytest.MarkDecorator:
    """Every instance of the given claims, with readable ids."""
    cases = [(i, instance) for i in claim_ids for instance in cases_of(CATALOGUE[i], PROFILE)]
    assert cases, "a theme without instances checks nothing"
    return pytest.mark.parametrize(("claim_id", "instance"), [pytest.param(i, x, id=f"{i}-{x.label}".replace(" ", "-")) for i, x in cases])


def claim_cases(*claim_ids: str) -> pytest.MarkDecorator:
    """The given claims."""
    return pytest.mark.parametrize("claim_id", claim_ids)


def describe(f: Finding) -> str:
    """The two enclosures, the instance and the command that computes it again."""
    lines = [f"{f.claim} is {f.verdict.value} on: {f.instance.label}"]
    lines += [f"  left  {f.left!r}", f"  right {f.right!r}"] if f.left is not None else [f"  {f.reason}"]
    lines += [f"  {f.details['worst']}"] if "worst" in f.details else []
    return "\n".join([*lines, f"  mfverify verify --claims {f.claim} --instance '{f.instance.label}'"])


def check_instance(claim_id: str, instance: Case) -> None:
    """The inequality holds, certified. A violation of a claim that is registered as refuted is an expected failure."""
    f = found(claim_id, instance)
    if f.verdict is Verdict.VIOLATED and CATALOGUE[claim_id].registered is Status.REFUTED:
        pytest.xfail("registered as refuted\n" + describe(f))
    assert f.verdict in (Verdict.HOLDS, Verdict.VACUOUS, Verdict.NOT_APPLICABLE), describe(f)


def check_status(claim_id: str) -> None:
    """Over all instances the claim has the status that the catalogue registers."""
    claim = CATALOGUE[claim_id]
    findings = [found(claim_id, x) for x in cases_of(claim, PROFILE)]
    verdicts = [f.verdict for f in findings]
    assert status(verdicts) is claim.registered, "\n".join(
        describe(f) for f in findings if f.verdict in (Verdict.VIOLATED, Verdict.UNDECIDED)
    )


def check_control(claim_id: str) -> None:
    """The same check says *holds* where the claim is true and *violated* for its sabotaged twin on the same instance."""
    claim: Claim = CATALOGUE[claim_id]
    seen = []
    for instance in claim.controlled():
        if (instance.written.agents or 0) > _MOST_AGENTS_OF_A_CONTROL:
            continue
        pair = found(claim_id, instance).verdict, judge(claim.sabotaged(instance))
        seen.append(f"{instance.label}: {pair[0].value}, sabotaged {pair[1].value}")
        if pair == (Verdict.HOLDS, Verdict.VIOLATED):
            return
    pytest.fail(f"no instance on which {claim_id} holds and its sabotage ({claim.control.sabotage}) is violated:\n" + "\n".join(seen))
