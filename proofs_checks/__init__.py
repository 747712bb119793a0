"""The executable theorem list: ``pytest proofs_checks`` checks the catalogue claim by claim and instance by instance."""
