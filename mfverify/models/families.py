"""Bundled models with arguments, as text: ``coordination(eta=1/50, discount=9/10)``.

A value is an integer or a number of the grammar of :mod:`mfverify.rationals`; nothing is evaluated.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from mfverify.errors import ModelError
from mfverify.model import Model, derived_name
from mfverify.models import BUNDLED
from mfverify.rationals import exact, parameter, quoted

PREFIX: Final = "models:"
"""How a bundled model is named where a file could be."""

_CALL: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\((.*)\))?", re.DOTALL)
_ARGUMENT: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*([^\s,=]+)\s*")


@dataclass(frozen=True)
class Family:
    """A bundled model by its name and the arguments that differ from the defaults."""

    name: str
    arguments: tuple[tuple[str, Fraction], ...] = ()

    @classmethod
    def named(cls, text: str) -> Family:
        """Read ``NAME`` or ``NAME(argument=value, ...)``. Raises :class:`ModelError` for an unknown name, argument or value."""
        found = _CALL.fullmatch(text.strip())
        if found is None:
            raise ModelError(f"{PREFIX}{text}: expected NAME or NAME(argument=value, ...), such as coordination(eta=1/50)")
        name, listed = found.groups()
        family = cls(name)
        family._function()  # an unknown name is refused before its arguments
        for part in listed.split(",") if listed and listed.strip() else ():
            argument = _ARGUMENT.fullmatch(part)
            if argument is None:
                raise ModelError(f"{PREFIX}{name}: found {quoted(part.strip())}, expected argument=value with a number as value")
            if argument[1] in dict(family.arguments):
                raise ModelError(f"{PREFIX}{name}: the argument {argument[1]} is given twice")
            family = family.at({argument[1]: exact(argument[2], f"{PREFIX}{name}, {argument[1]}")})
        return family

    @property
    def parameters(self) -> dict[str, bool]:
        """The arguments that the model takes; True for one that has to be an integer."""
        found = inspect.signature(self._function()).parameters.values()
        return {one.name: str(one.annotation).startswith("int") for one in found}

    def at(self, changes: Mapping[str, Fraction | int]) -> Family:
        """The same family with other arguments. Raises :class:`ModelError` for one that it does not take, or no integer where one is needed."""
        known = self.parameters
        for name, value in changes.items():
            if name not in known:
                takes = f"it takes {', '.join(known)}" if known else "it takes none"
                raise ModelError(f"{PREFIX}{self.name}: has no argument {name}; {takes}")
            if known[name] and Fraction(value).denominator != 1:
                raise ModelError(f"{PREFIX}{self.name}, {name}: found {parameter(Fraction(value))}, expected an integer")
        return replace(self, arguments=tuple({**dict(self.arguments), **{name: Fraction(x) for name, x in changes.items()}}.items()))

    @property
    def text(self) -> str:
        """What :meth:`named` reads."""
        given = ", ".join(f"{name}={parameter(value)}" for name, value in self.arguments)
        return f"{self.name}({given})" if given else self.name

    def model(self) -> Model:
        """The model; with arguments it is named after them. Raises :class:`ModelError` for values that the model refuses."""
        whole = self.parameters
        made = self._function()(**{name: int(value) if whole[name] else value for name, value in self.arguments})
        return replace(made, name=derived_name(self.text)) if self.arguments else made

    def _function(self) -> Callable[..., Model]:
        if self.name not in BUNDLED:
            raise ModelError(f"{PREFIX}{self.name}: there is no bundled model of this name; the names are {', '.join(BUNDLED)}")
        return BUNDLED[self.name]
