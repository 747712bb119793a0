"""What every case has: a written form, from which labels, keys, reports and certificates are made, and its place in the order of simplicity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from fractions import Fraction
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, get_args, get_type_hints

from mfverify.errors import ModelError
from mfverify.rationals import from_text, written

if TYPE_CHECKING:
    from mfverify.model import Model

_HEAD = ("model", "agents", "subsample")


class Written(NamedTuple):
    """The written form of a case, for labels, reports and certificates: ``parameters`` are what is neither the model nor n nor k."""

    model: Model | None
    agents: int | None
    subsample: int | None
    parameters: Mapping[str, int | str]

    @property
    def label(self) -> str:
        """A readable identifier: model, n, k and the other parameters."""
        parts = [self.model.name] if self.model else []
        parts += [f"n={self.agents}"] if self.agents is not None else []
        parts += [f"k={self.subsample}"] if self.subsample is not None else []
        return " ".join([*parts, *(f"{name}={value}" for name, value in self.parameters.items())])


@dataclass(frozen=True)
class Case:
    """Everything that the two sides of a claim depend on, as typed fields; a subclass for every kind of arguments.

    The written form has the fields (or properties) ``model``, ``agents`` and ``subsample`` in front. The other fields are its parameters, by
    name, with spaces for underscores: an int or a text as it is, a Fraction, a population or a table as its text; a field that is None is left out.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Rounds(Case):
    ...     agents: int
    ...     rounds_played: int
    >>> Rounds(4, 2).label
    'n=4 rounds played=2'
    """

    @property
    def written(self) -> Written:
        """The written form."""
        model, agents, subsample = (getattr(self, name, None) for name in _HEAD)
        values = {f.name.replace("_", " "): _text(getattr(self, f.name)) for f in fields(self) if f.name not in _HEAD}
        return Written(model, agents, subsample, {name: value for name, value in values.items() if value is not None})

    @classmethod
    def read(cls, form: Written) -> Self | None:
        """The case of this type with that written form; None where it has other arguments."""
        hints = get_type_hints(cls, localns={"Model": object})
        given = {name: value for name, value in zip(_HEAD, form, strict=False) if value is not None} | {
            name.replace(" ", "_"): value for name, value in form.parameters.items()
        }
        try:
            found = cls(**{f.name: _value(hints[f.name], given.get(f.name), f.name) for f in fields(cls) if f.init})
        except (TypeError, ValueError):
            return None
        return found if found.written == form else None

    @property
    def label(self) -> str:
        """A readable identifier: model, n, k and the other parameters."""
        return self.written.label

    def key(self, claim_id: str, code_version: str) -> str:
        """Hash of everything that determines the outcome: claim, model content, parameters, code."""
        model, agents, subsample, parameters = self.written
        content = [claim_id, model.fingerprint if model else None, agents, subsample, list(parameters.items()), code_version]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    @property
    def order(self) -> int:
        """The number of agents: of the larger system where there are two, of the sample where there is no other; 0 without agents."""
        form = self.written
        return form.agents if form.agents is not None else form.subsample or 0

    @property
    def occupied(self) -> int:
        """The number of classes that a population occupies; 1 where there is none."""
        return 1


def read(form: Written, types: Iterable[type[Case]]) -> Case:
    """The case of one of the types with that written form. Raises :class:`ModelError` where none of them has these arguments."""
    for one in types:
        found = one.read(form)
        if found is not None:
            return found
    raise ModelError(f"the instance {form.label} has other arguments than this claim; take a label from report.json")


def _text(value: Any) -> Any:
    """A field in the written form."""
    if isinstance(value, Fraction):
        return written(value)
    if isinstance(value, tuple):
        return ("/" if value and isinstance(value[0], tuple) else "+").join(str(_text(x)) for x in value)
    return value.value if isinstance(value, Enum) else value


def _value(hint: Any, value: Any, name: str) -> Any:
    """A field from the written form, by its type."""
    if NoneType in get_args(hint):
        return None if value is None else _value(get_args(hint)[0], value, name)
    if value is None:
        raise TypeError(name)
    if hint is Fraction:
        return from_text(str(value))
    if hint == tuple[tuple[int, ...], ...]:
        return tuple(_value(tuple[int, ...], row, name) for row in str(value).split("/"))
    if hint == tuple[int, ...]:
        return tuple(int(x) for x in str(value).split("+"))
    if hint in (int, str) and type(value) is not hint:
        raise TypeError(name)
    return hint(value) if isinstance(hint, type) and issubclass(hint, Enum) else value
