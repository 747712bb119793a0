"""Pairs of tables ``f_a(x)``, ``g_a(x)`` with x uniform on finitely many outcomes: texts, expectations of maxima, instances.

A table is a text such as ``1+0/0+1``: a row for each action a, with the values at the outcomes x.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import TypeAlias

from mfverify.model import Model
from mfverify.theory.claim import Instance, Profile
from mfverify.theory.populations import counts_of, text_of
from mfverify.theory.search_space import Parameters

Table: TypeAlias = tuple[tuple[int, ...], ...]
"""Values by action, then by outcome."""


def table_of(text: object) -> Table:
    """The table that a text denotes."""
    return tuple(counts_of(row) for row in str(text).split("/"))


def text_of_table(table: Table) -> str:
    """A table as a text."""
    return "/".join(map(text_of, table))


def mean_of_maximum(table: Table) -> Fraction:
    """``E max_a f_a(x)``."""
    columns = list(zip(*table, strict=True))
    return Fraction(sum(map(max, columns)), len(columns))


def differences(first: Table, second: Table) -> Table:
    """``|f_a(x) - g_a(x)|``."""
    return tuple(tuple(abs(x - y) for x, y in zip(f, g, strict=True)) for f, g in zip(first, second, strict=True))


def pair(instance: Instance) -> tuple[Table, Table]:
    """The two tables of an instance."""
    return table_of(instance["first"]), table_of(instance["second"])


def of_tables(first: Table, second: Table) -> Instance:
    """The instance of two tables of one shape."""
    return Instance(None, None, None, (("first", text_of_table(first)), ("second", text_of_table(second))))


def _identity(size: int) -> Table:
    return tuple(tuple(int(a == x) for x in range(size)) for a in range(size))


def _zero(table: Table) -> Table:
    return tuple((0,) * len(row) for row in table)


def all_tables(actions: int, outcomes: int, values: Sequence[int]) -> list[Table]:
    """All tables of a shape with these values."""
    rows = list(product(values, repeat=outcomes))
    return list(product(rows, repeat=actions))


def table_instances(profile: Profile, _: Sequence[Model] | None) -> list[Instance]:
    """One action, where no maximum is taken; identity tables of 2 to 6 actions; and small pairs."""
    single = [of_tables(((1, 0),), ((0, 0),)), of_tables(((2, 0, 1),), ((0, 1, 1),))]
    against_zero = [of_tables(_identity(size), _zero(_identity(size))) for size in range(2, 7)]
    values = (0, 1) if profile is Profile.QUICK else (0, 1, 2)
    tables = all_tables(2, 2, values)
    pairs = [of_tables(f, g) for i, f in enumerate(tables) for g in tables[:i:5]]
    return list(dict.fromkeys(single + against_zero + pairs))


_TEXTS = tuple(text_of_table(table) for table in all_tables(2, 2, (0, 1, 2)))


def _searched(first: str, second: str) -> Instance | None:
    return None if first == second else of_tables(table_of(first), table_of(second))


SEARCHED = Parameters((_TEXTS, _TEXTS), _searched)
"""All pairs of tables of two actions and two outcomes with values 0, 1, 2."""
