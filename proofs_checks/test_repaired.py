"""What does hold: our repaired statements."""

from mfverify.claims.claim import Instance

from .checks import check_control, check_instance, check_status, claim_cases, instance_cases

CLAIMS = ("R1", "R2", "R2L", "P3r", "P3s", "P4r", "R4", "R4u", "R4n", "S4r", "X3r", "X3p", "R5", "R5b", "R6", "B4r", "N1r")


@instance_cases(*CLAIMS)
def test_inequality(claim_id: str, instance: Instance) -> None:
    check_instance(claim_id, instance)


@claim_cases(*CLAIMS)
def test_status_is_as_registered(claim_id: str) -> None:
    check_status(claim_id)


@claim_cases(*CLAIMS)
def test_check_can_fail(claim_id: str) -> None:
    check_control(claim_id)
