"""Statements of ours, unreviewed, one file a statement or a family with one proof: what does hold where a statement of a paper is refuted."""

from typing import Final

from mfverify.theory.paper import Paper

PAPER: Final = Paper(
    name="ours",
    title="What does hold: statements of ours, with proofs",
    themes={
        "R": "repaired statements",
        "M": "maxima and expectations",
        "B": "Bellman operators",
        "S": "sizes and costs",
        "C": "concentration and distances",
        "P": "policies",
        "T": "the optimality gap",
        "N": "numbers of samples",
        "X": "extensions",
        "V": "the mean-field limit",
        "A": "equilibria",
        "H": "neighbourhoods",
    },
    place=2,
)
