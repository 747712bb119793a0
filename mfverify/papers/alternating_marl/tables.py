"""Pairs of tables ``f_a(x)``, ``g_a(x)`` with x uniform on finitely many outcomes: expectations of maxima, instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TypeAlias

from mfverify.model import Model
from mfverify.theory.cases.case import Case
from mfverify.theory.claim import Profile
from mfverify.theory.search_space import Parameters

Table: TypeAlias = tuple[tuple[int, ...], ...]
"""Values by action, then by outcome."""


@dataclass(frozen=True)
class TwoTables(Case):
    """Two tables of one shape; a table is written as ``1+0/0+1``, a row for each action."""

    first: Table
    second: Table


def mean_of_maximum(table: Table) -> Fraction:
    """``E max_a f_a(x)``."""
    columns = list(zip(*table, strict=True))
    return Fraction(sum(map(max, columns)), len(columns))


def differences(first: Table, second: Table) -> Table:
    """``|f_a(x) - g_a(x)|``."""
    return tuple(tuple(abs(x - y) for x, y in zip(f, g, strict=True)) for f, g in zip(first, second, strict=True))


def _identity(size: int) -> Table:
    return tuple(tuple(int(a == x) for x in range(size)) for a in range(size))


def _zero(table: Table) -> Table:
    return tuple((0,) * len(row) for row in table)


def all_tables(actions: int, outcomes: int, values: Sequence[int]) -> list[Table]:
    """All tables of a shape with these values."""
    rows = list(product(values, repeat=outcomes))
    return list(product(rows, repeat=actions))


def table_instances(profile: Profile, _: Sequence[Model] | None) -> list[TwoTables]:
    """One action, where no maximum is taken; identity tables of 2 to 6 actions; and small pairs."""
    single = [TwoTables(((1, 0),), ((0, 0),)), TwoTables(((2, 0, 1),), ((0, 1, 1),))]
    against_zero = [TwoTables(_identity(size), _zero(_identity(size))) for size in range(2, 7)]
    values = (0, 1) if profile is Profile.QUICK else (0, 1, 2)
    tables = all_tables(2, 2, values)
    pairs = [TwoTables(f, g) for i, f in enumerate(tables) for g in tables[:i:5]]
    return list(dict.fromkeys(single + against_zero + pairs))


_TABLES = tuple(all_tables(2, 2, (0, 1, 2, 3)))


def _searched(first: Table, second: Table) -> TwoTables | None:
    return None if first == second else TwoTables(first, second)


READING = "finitely many actions a, x uniform on finitely many outcomes, functions with integer values as tables, one row for each action; exact"
"""What claims about two tables say."""

SEARCHED = Parameters((_TABLES, _TABLES), _searched)
"""All pairs of tables of two actions and two outcomes with values 0 to 3."""
