"""The claim catalogue: every statement under test, in the order of the paper."""

from mfverify.claims import bellman_operators, concentration, lipschitz, optimality_gap, policies
from mfverify.claims.claim import Catalogue

CATALOGUE = Catalogue()
for theme in (bellman_operators, concentration, lipschitz, policies, optimality_gap):
    for claim in theme.CLAIMS:
        CATALOGUE.register(claim)
