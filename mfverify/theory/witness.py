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
from mfverify.theory.bound import Bound
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Outcome, Sides
from mfverify.theory.evaluate import Value
from mfverify.theory.symbols import values_of


@dataclass(frozen=True)
class Witness:
    """The two sides, and what the checker needs beside the instance: ``state``, ``agents`` where the instance leaves it out, ``proof``."""

    left: Interval
    right: Interval
    proof: Mapping[str, Any]
    state: Mapping[str, Any] | None = None
    agents: int | None = None


def both_sides(sides: Callable[[Any], Outcome], case: Case) -> Witness:
    """The witness of a violated case whose written form is all that the checker needs. To be bound to the sides of a claim."""
    found = sides(case)
    assert isinstance(found, Sides)  # the case is violated
    return Witness(found.left, found.right, {})


def _no_values(case: Any) -> Mapping[Any, Value]:
    del case
    return {}


def _same_sample(n: int, k: int) -> int:
    del n
    return k


def _one_type(case: Case) -> int:
    del case
    return 1


@dataclass(frozen=True)
class GapProof:
    """``V*(s_0) - V^{pi_j}(s_0)`` from below, at the start state that shows most, against a number or another gap from above.

    Parameters
    ----------
    right
        The number: a :class:`~mfverify.theory.bound.Bound`, or a function of the instance that gives an interval. Of a claim that is not in the
        catalogue the certificate holds the expression of a bound, which the checker evaluates; the value of a function is taken on trust, which
        the checker says. Without it the left side is compared with ``share`` times the largest gap at the instance's own k.
    values
        A function of the instance that gives the values of the bound's symbols beside those of the model class.
    share
        The factor of the largest gap at the instance's own k, where there is no ``right``.
    later
        The sample j of the left side as a function of (n, k); by default k.
    types
        The number of agent types as a function of the instance: then the left side starts with all types present, and the other gap with a
        single one.
    every_start
        Whether the policy that bounds the optimum has to cover every start state.

    Examples
    --------
    >>> from mfverify import Bound
    >>> from mfverify.theory.symbols import gamma, rt
    >>> proof = GapProof(Bound("Y1", rt / (1 - gamma), "a thesis", "as it is written there"))
    >>> proof.right.expression
    rt/(1 - gamma)
    """

    right: Bound | Callable[[Any], Interval] | None = None
    values: Callable[[Any], Mapping[Any, Value]] = _no_values
    share: Fraction = Fraction(1)
    later: Callable[[int, int], int] = _same_sample
    types: Callable[[Any], int] = _one_type
    every_start: bool = False

    def symbol_values(self, case: Any) -> Mapping[Any, Value]:
        """The values of all symbols of a bound on a case with a model, n and k."""
        return {**values_of(case.model, case.agents, case.subsample), **self.values(case)}

    def number(self, case: Any) -> Interval | None:
        """The right side on a case, where it is a number."""
        if isinstance(self.right, Bound):
            return self.right.enclose(self.symbol_values(case))
        return None if self.right is None else self.right(case)
