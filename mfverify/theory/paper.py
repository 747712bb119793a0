"""The record of a paper: what it is called, where it is found, and in which order its claims are listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Paper:
    """A paper whose statements are checked. Its package is named ``name`` and holds the record as ``PAPER``.

    ``themes`` gives the letters with which ids of claims begin, in the order in which they are listed, with their subjects;
    ``place`` gives the order of the papers; papers with equal places come in the order of their names. ``headlines`` are the ids
    of the claims whose bound of the optimality gap a report puts into words, at the numbers of agents ``experiments`` of the
    paper's own experiments. ``main`` gives its main theorems, the most important first: of each the ids of the claims that check
    it, the reading as printed first; without it every headline is a main theorem.
    """

    name: str
    title: str
    authors: tuple[str, ...] = ()
    arxiv: str = ""
    themes: Mapping[str, str] = field(default_factory=dict)
    place: int = 1
    headlines: tuple[str, ...] = ()
    experiments: tuple[int, ...] = ()
    main: tuple[tuple[str, ...], ...] = ()

    @property
    def main_theorems(self) -> tuple[tuple[str, ...], ...]:
        """The main theorems, each as the ids of its readings."""
        return self.main or tuple((claim_id,) for claim_id in self.headlines)

    @property
    def reference(self) -> str:
        """Title, and where the paper is found."""
        return f"{self.title} (arXiv {self.arxiv})" if self.arxiv else self.title
