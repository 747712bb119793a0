"""Statements of "Mean-Field Sampling for Cooperative Multi-Agent Reinforcement Learning" (arXiv 2412.00661), one file a statement."""

from typing import Final

from mfverify.theory.paper import Paper

PAPER: Final = Paper(
    name="mean_field_sampling",
    title="Mean-Field Sampling for Cooperative Multi-Agent Reinforcement Learning",
    authors=("Emile Anand", "Ishani Karmarkar", "Guannan Qu"),
    arxiv="2412.00661",
    themes={
        "B": "Bellman operators",
        "S": "sizes and costs",
        "C": "concentration and distances",
        "L": "Lipschitz continuity",
        "P": "policies",
        "T": "the optimality gap",
        "N": "numbers of samples",
        "X": "extensions",
    },
    place=0,
    headlines=("T1", "T2"),
    experiments=(8, 50),
    main=(("T1", "T1b", "T1c"), ("T2", "T2b", "T2c"), ("T3",)),
)
