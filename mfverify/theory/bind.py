"""``functools.partial`` for positional arguments, with the type of what is left: type checkers lose it, and with it the type of a claim's cases."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
D = TypeVar("D")
R = TypeVar("R")
P = ParamSpec("P")


@overload
def bind(function: Callable[Concatenate[A, P], R], first: A, /) -> Callable[P, R]: ...
@overload
def bind(function: Callable[Concatenate[A, B, P], R], first: A, second: B, /) -> Callable[P, R]: ...
@overload
def bind(function: Callable[Concatenate[A, B, D, P], R], first: A, second: B, third: D, /) -> Callable[P, R]: ...
def bind(function: Callable[..., Any], /, *arguments: Any) -> Callable[..., Any]:
    """The function with its first arguments given."""
    return partial(function, *arguments)
