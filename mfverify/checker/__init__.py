"""The independent checker of certificates: two files, the standard library only, no code shared with the rest."""

from mfverify.checker import finite_claims  # noqa: F401  # adds its claims to those of check_certificate
