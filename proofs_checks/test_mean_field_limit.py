"""Infinitely many agents: V1 and V2."""

from mfverify.claims.claim import Instance

from .checks import check_control, check_instance, check_status, claim_cases, instance_cases

CLAIMS = ("V1", "V2")


@instance_cases(*CLAIMS)
def test_inequality(claim_id: str, instance: Instance) -> None:
    check_instance(claim_id, instance)


@claim_cases(*CLAIMS)
def test_status_is_as_registered(claim_id: str) -> None:
    check_status(claim_id)


@claim_cases(*CLAIMS)
def test_check_can_fail(claim_id: str) -> None:
    check_control(claim_id)
