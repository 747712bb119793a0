"""Statements of "Efficient Reinforcement Learning for Global Decision Making in the Presence of Local Agents at Scale" (arXiv 2403.00222)."""

from typing import Final

from mfverify.theory.paper import Paper

PAPER: Final = Paper(
    name="sub_sample_q",
    title="Efficient Reinforcement Learning for Global Decision Making in the Presence of Local Agents at Scale",
    authors=("Emile Anand", "Guannan Qu"),
    arxiv="2403.00222",
    themes={"G": "only the global agent acts"},
)
