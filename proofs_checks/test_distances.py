"""How far a sample lies from its population: in the mean, in KL, after a transition, and the repaired tails."""

from mfverify.claims.claim import Instance

from .checks import check_control, check_instance, check_status, claim_cases, instance_cases

CLAIMS = ("C4", "C4l", "C4m", "C5", "C5e", "C6", "C7", "C7b", "C7r", "R3", "R3m", "R3k")


@instance_cases(*CLAIMS)
def test_inequality(claim_id: str, instance: Instance) -> None:
    check_instance(claim_id, instance)


@claim_cases(*CLAIMS)
def test_status_is_as_registered(claim_id: str) -> None:
    check_status(claim_id)


@claim_cases(*CLAIMS)
def test_check_can_fail(claim_id: str) -> None:
    check_control(claim_id)
