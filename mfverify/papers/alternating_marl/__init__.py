"""Statements of arXiv 2603.03759, and steps that its proofs are described to share with those of arXiv 2412.00661."""

from typing import Final

from mfverify.theory.paper import Paper

PAPER: Final = Paper(
    name="alternating_marl",
    title="Learning Approximate Nash Equilibria in Cooperative Multi-Agent Reinforcement Learning via Mean-Field Subsampling",
    authors=("Emile Anand", "Ishani Karmarkar"),
    arxiv="2603.03759",
    themes={
        "M": "maxima and expectations",
        "C": "concentration and distances",
        "A": "equilibria",
    },
)
