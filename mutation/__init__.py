"""Mutation testing of the certified core: ``make mutants``."""
