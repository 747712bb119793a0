"""The cases on which a run checks a claim: those that its file lists, and those on bundled models that are for all claims."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from mfverify.model import Model
from mfverify.models import BUNDLED, FOR_ALL_CLAIMS
from mfverify.theory.claim import C, Claim, Profile


@cache
def _for_all_claims() -> tuple[Model, ...]:
    return tuple(BUNDLED[name]() for name in FOR_ALL_CLAIMS)


def cases_of(claim: Claim[C], profile: Profile, given: Sequence[Model] | None = None) -> list[C]:
    """The cases of a profile on the given models, or on the bundled ones; a model that is for all claims counts as given."""
    listed = list(claim.instances(profile, given))
    further = _for_all_claims() if given is None else ()
    return listed + [one for one in (claim.instances(profile, further) if further else ()) if one.written.model is not None]
