"""Statements on mean-field control with a common global state (arXiv 2301.06889 and related work)."""

from typing import Final

from mfverify.theory.paper import Paper

PAPER: Final = Paper(
    name="mean_field_control",
    title="Mean-Field Control based Approximation of Multi-Agent Reinforcement Learning in Presence of a Non-decomposable Shared Global State",
    authors=("Washim Uddin Mondal", "Vaneet Aggarwal", "Satish V. Ukkusuri"),
    arxiv="2301.06889",
    themes={"M": "the limit of many agents"},
)
