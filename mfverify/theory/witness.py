"""How a violated instance is certified, as plain data in the file of the statement.

A certificate is checked by an independent checker that recomputes every law, reward and bound; a statement only says which numbers
witness the violation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mfverify.enclosure import Interval
from mfverify.theory.cases.case import Case


@dataclass(frozen=True)
class Witness:
    """The two sides, and what the checker needs beside the instance: ``state``, ``agents`` where the instance leaves it out, ``proof``."""

    left: Interval
    right: Interval
    proof: Mapping[str, Any]
    state: Mapping[str, Any] | None = None
    agents: int | None = None


def _same_sample(n: int, k: int) -> int:
    del n
    return k


def _one_type(case: Case) -> int:
    del case
    return 1


@dataclass(frozen=True)
class GapProof:
    """``V*(s_0) - V^{pi_j}(s_0)`` from below, at the start state that shows most, against a number or another gap from above.

    ``right`` is the number, a function of the instance. Without it the left side is compared with ``share`` times the largest gap at
    the instance's own k. ``later`` is the sample j of the left side as a function of (n, k), by default k. ``types`` is the number of
    agent types: then the left side starts with all types present, and the other gap with a single one. ``every_start``: whether the
    policy that bounds the optimum has to cover every start state.
    """

    right: Callable[[Any], Interval] | None = None
    share: Fraction = Fraction(1)
    later: Callable[[int, int], int] = _same_sample
    types: Callable[[Any], int] = _one_type
    every_start: bool = False
