"""Environments of a model for learners: PettingZoo (every agent acts) and Gymnasium (one controller acts for all)."""
