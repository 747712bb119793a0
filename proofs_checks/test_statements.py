"""Every claim of the catalogue, one class for each paper and letter of its ids: ``-k T1``, ``-k mean_field_sampling``, ``-k ours``."""

from collections import defaultdict

from mfverify.papers import CATALOGUE
from mfverify.theory.cases.case import Case

from .checks import check_control, check_instance, check_status, claim_cases, instance_cases


def checks_of(name: str, claim_ids: list[str]) -> type:
    """The checks of some claims as a class of tests; classes are spread over processes."""

    class Checks:
        @instance_cases(*claim_ids)
        def test_inequality(self, claim_id: str, instance: Case) -> None:
            check_instance(claim_id, instance)

        @claim_cases(*claim_ids)
        def test_status_is_as_registered(self, claim_id: str) -> None:
            check_status(claim_id)

        @claim_cases(*claim_ids)
        def test_check_can_fail(self, claim_id: str) -> None:
            check_control(claim_id)

    Checks.__name__ = Checks.__qualname__ = name
    return Checks


_ids: dict[str, list[str]] = defaultdict(list)
for _claim in CATALOGUE:
    _ids[f"Test_{CATALOGUE.paper_of(_claim) or 'installed'}_{_claim.id[0]}"].append(_claim.id)
globals().update({name: checks_of(name, claim_ids) for name, claim_ids in _ids.items()})
