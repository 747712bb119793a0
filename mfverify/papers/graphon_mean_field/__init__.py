"""Statements of "Graphon Mean-Field Subsampling for Cooperative Heterogeneous Multi-Agent Reinforcement Learning" (arXiv 2602.16196)."""

from typing import Final

from mfverify.theory.paper import Paper

PAPER: Final = Paper(
    name="graphon_mean_field",
    title="Graphon Mean-Field Subsampling for Cooperative Heterogeneous Multi-Agent Reinforcement Learning",
    authors=("Emile Anand", "Richard Hoffmann", "Sarah Liaw", "Adam Wierman"),
    arxiv="2602.16196",
    themes={"H": "neighbourhoods"},
)
