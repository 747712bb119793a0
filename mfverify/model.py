"""The paper's structured Markov decision process, rational and validated before any computation.

One global agent and any number of exchangeable local agents (paper, section 2). The global state moves by
``P_g(g'|g,b)``; each local state, independently given the rest, by ``P_l(s'|s,g,a)`` (eq. 1). The stage reward is
``r_g(g,b) + (1/n) sum_i r_l(s_i,g,a_i)`` (eq. 2). All numbers are rationals: strings such as ``"1/3"`` or ``"0.9"``,
ints and Fractions are taken as they are, a float is its exact binary value.

A row of floats that misses one by no more than the rounding of its own normalisation (``m`` entries, each at most
``m`` roundings from the truth: ``|sum - 1| <= 2 m u``) is divided by its exact sum; any other row that does not sum to
one is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from mfverify.errors import ModelError
from mfverify.rationals import Number, exact, shown, written

if TYPE_CHECKING:
    from mfverify.notation import Exact, Floats

_AXES = {
    "global_kernel": ("s_g", "a_g", "s_g'"),
    "local_kernel": ("s_l", "s_g", "a_l", "s_l'"),
    "global_reward": ("s_g", "a_g"),
    "local_reward": ("s_l", "s_g", "a_l"),
}

ARRAYS: Final = tuple(_AXES)
"""The arrays of a model, in the order of its arguments."""

Nested: TypeAlias = Any
"""Nested lists or an array of numbers, as many levels deep as the array has axes."""

_LONGEST_NAME = 200
_KEPT_OF_NAME = 80
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_LOOKS_ROUNDED = Fraction(1, 100)
"""A row whose sum misses one by less was probably rounded: the message then names the remedy."""

_LARGEST_COMMON_BITS = 2**17
"""Of the common denominator of a row of a kernel."""

_LARGEST_VALUE = 2**1000
"""Rewards that can add up to more than this are refused: values would leave the range of double precision."""


@dataclass(frozen=True, eq=False, init=False)
class Model:
    """A global agent and exchangeable local agents with exact rational dynamics (paper, section 2, eq. 1-2, Assumptions 2.1 and 2.2).

    Entries may be Fractions, ints, floats or strings such as ``"1/3"``, in arrays or nested lists. After construction every array holds
    Fractions and is read-only.

    Parameters
    ----------
    global_kernel
        ``P_g[s_g, a_g, s_g']``, rows sum to one.
    local_kernel
        ``P_l[s_l, s_g, a_l, s_l']``, rows sum to one.
    global_reward
        ``r_g[s_g, a_g]``.
    local_reward
        ``r_l[s_l, s_g, a_l]``.
    discount
        ``gamma``, strictly between 0 and 1.
    name, documentation
        Shown in reports.

    Raises
    ------
    ModelError
        With the array, the index, the value found and what was expected.

    Examples
    --------
    >>> model = Model([[[1]]], [[[["1/2", "1/2"]]], [[["1/3", "2/3"]]]], [[0]], [[[0]], [[1]]], "9/10")
    >>> model.sizes                                                # |S_g|, |A_g|, |S_l|, |A_l|
    (1, 1, 2, 1)
    >>> Model([[[1]]], [[[["1/2", "1/3"]]]], [[0]], [[[0]]], "9/10")
    Traceback (most recent call last):
        ...
    mfverify.errors.ModelError: ...
    """

    global_kernel: Exact
    local_kernel: Exact
    global_reward: Exact
    local_reward: Exact
    discount: Fraction
    name: str = "model"
    documentation: str = field(default="", repr=False)

    def __init__(
        self,
        global_kernel: Nested,
        local_kernel: Nested,
        global_reward: Nested,
        local_reward: Nested,
        discount: Number,
        name: str = "model",
        documentation: str = "",
    ) -> None:
        given = {"global_kernel": global_kernel, "local_kernel": local_kernel, "global_reward": global_reward, "local_reward": local_reward}
        issues: list[str] = []
        arrays = {key: _rational_array(key, values, issues) for key, values in given.items()}
        if not issues:
            _check_shapes(arrays, issues)
        if not issues:
            for key in ("global_kernel", "local_kernel"):
                arrays[key] = _check_rows(key, arrays[key], given[key], issues)
        gamma = _rational(discount, "discount", issues)
        if gamma is not None and not 0 < gamma < 1:
            issues.append(f"discount: found {shown(gamma)}, expected a number strictly between 0 and 1")
        elif gamma is not None and not issues:
            _check_magnitudes(arrays, gamma, issues)
        for key, text in (("name", name), ("documentation", documentation)):
            if not isinstance(text, str):
                issues.append(f"{key}: found {type(text).__name__}, expected text")
            elif _LONE_SURROGATE.search(text):
                issues.append(f"{key}: found half of a surrogate pair, which no file can hold; expected text that can be written as UTF-8")
        if isinstance(name, str) and not 1 <= len(name) <= _LONGEST_NAME:
            issues.append(f"name: found {len(name)} characters, expected 1 to {_LONGEST_NAME}")
        if issues:
            raise ModelError(*issues)
        for key, array in arrays.items():
            array.flags.writeable = False
            object.__setattr__(self, key, array)
        object.__setattr__(self, "discount", gamma)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "documentation", documentation)

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """``(|S_g|, |A_g|, |S_l|, |A_l|)``; finite by construction (Assumption 2.1)."""
        s, g, a, _ = self.local_kernel.shape
        return g, self.global_kernel.shape[1], s, a

    @cached_property
    def rt_g(self) -> Fraction:
        """``max |r_g|`` (Assumption 2.2)."""
        largest: Fraction = max(abs(r) for r in self.global_reward.ravel())
        return largest

    @cached_property
    def rt_l(self) -> Fraction:
        """``max |r_l|`` (Assumption 2.2)."""
        largest: Fraction = max(abs(r) for r in self.local_reward.ravel())
        return largest

    @property
    def rt(self) -> Fraction:
        """``rt_g + rt_l``, the bound of the stage reward (Assumption 2.2)."""
        return self.rt_g + self.rt_l

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the exact content (name and documentation apart): equal for equal models, in any file format."""
        return hashlib.sha256(json.dumps(self.numbers_as_text(), sort_keys=True).encode()).hexdigest()

    def numbers_as_text(self) -> dict[str, Any]:
        """The discount and the four arrays, each number a string such as ``"1/3"``: what model files, certificates and records hold."""
        return {"discount": written(self.discount)} | {name: _nested_strings(getattr(self, name)) for name in ARRAYS}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    @cached_property
    def _floats(self) -> dict[str, Floats]:
        return {}

    @cached_property
    def _kept(self) -> dict[Any, Any]:
        """What solvers derive from the model and need in every call."""
        return {}

    def floats(self, name: str) -> Floats:
        """One of the four arrays with every entry rounded to the nearest double (relative error at most ``u``); read-only, made once."""
        found = self._floats.get(name)
        if found is None:
            exact: Exact = getattr(self, name)
            found = np.array([float(x) for x in exact.ravel()], dtype=np.float64).reshape(exact.shape)
            found.flags.writeable = False
            self._floats[name] = found
        return found


def derived_name(name: str, before: str = "", after: str = "") -> str:
    """The name of a model that is made from the one called ``name``; of a long name the beginning and a digest, so that names still differ."""
    whole = f"{before}{name}{after}"
    if len(whole) <= _LONGEST_NAME:
        return whole
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{before}{name[:_KEPT_OF_NAME]}~{digest[:8]}{after}"


def _nested_strings(array: Exact) -> Any:
    if array.ndim == 0:
        number: Any = array[()]
        return written(number)
    return [_nested_strings(np.asarray(row, dtype=object)) for row in array]


def _rational(value: Any, place: str, issues: list[str]) -> Fraction | None:
    """One number as an exact rational, or an issue that names the place."""
    try:
        return exact(value, place)
    except ModelError as error:
        issues.extend(error.issues)
        return None


def _rational_array(name: str, values: Any, issues: list[str]) -> Exact:
    """A nested list or array as an object array of Fractions with as many axes as its name demands."""
    axes = _AXES[name]
    flat: list[Fraction] = []
    shape: list[int | None] = [None] * len(axes)

    def visit(part: Any, index: tuple[int, ...]) -> None:
        depth = len(index)
        place = f"{name}[{', '.join(map(str, index))}]" if index else name
        if depth == len(axes):
            number = _rational(part, place, issues)
            flat.append(Fraction(0) if number is None else number)
            return
        if isinstance(part, np.ndarray) and part.ndim > 0:
            part = list(part)
        if not isinstance(part, (list, tuple)):
            issues.append(f"{place}: found {type(part).__name__}, expected a list along the axis {axes[depth]} (axes {', '.join(axes)})")
            return
        if not part:
            issues.append(f"{place}: found an empty list along the axis {axes[depth]}, expected at least one entry")
            return
        if shape[depth] is None:
            shape[depth] = len(part)
        elif shape[depth] != len(part):
            issues.append(f"{place}: found {len(part)} entries along the axis {axes[depth]}, expected {shape[depth]} as in the rows before")
            return
        for i, entry in enumerate(part):
            visit(entry, (*index, i))

    visit(values, ())
    if issues:
        return np.zeros((0,), dtype=object)
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    return array.reshape([length or 0 for length in shape])


def _check_shapes(arrays: dict[str, Exact], issues: list[str]) -> None:
    """Every axis of the same set has the same length in all four arrays."""
    first: dict[str, tuple[str, int]] = {}
    for name in ("local_kernel", "global_kernel", "global_reward", "local_reward"):
        for axis, length in zip(_AXES[name], arrays[name].shape, strict=True):
            member = axis.rstrip("'")
            known_in, known = first.setdefault(member, (name, length))
            if known != length:
                issues.append(
                    f"{name}: found {length} entries along the axis {axis}, expected {known} as in {known_in} (shape {arrays[name].shape})"
                )


def _check_rows(name: str, kernel: Exact, given: Any, issues: list[str]) -> Exact:
    """Every row of a kernel is a probability distribution; rows of floats are normalised when only rounding is off."""
    kernel = kernel.copy()
    for index in np.ndindex(kernel.shape[:-1]):
        row = kernel[index]
        place = f"{name}[{', '.join(map(str, index))}"
        for j, p in enumerate(row):
            if p < 0:
                issues.append(f"{place}, {j}]: found {shown(p)}, expected a probability >= 0")
        if not _addable(row):
            issues.append(f"{place}, :]: the denominators have no common multiple of up to {_LARGEST_COMMON_BITS} bits, expected shorter fractions")
            continue
        total = sum(row, Fraction(0))
        if total == 1:
            continue
        precision = _float_precision(given, index)
        if precision is not None and abs(total - 1) <= len(row) * precision:
            kernel[index] = np.array([p / total for p in row], dtype=object)
        else:
            remedy = '; write numbers that decimals only approximate as strings such as "1/3"' if abs(total - 1) < _LOOKS_ROUNDED else ""
            issues.append(f"{place}, :]: the row sums to {shown(total)}, expected 1{remedy}")
    return kernel


def _addable(row: Exact) -> bool:
    """Whether a row can be added up in little time: a few thousand long denominators without common factors would take hours."""
    common = 1
    for p in row:
        common = lcm(common, p.denominator)
        if common.bit_length() > _LARGEST_COMMON_BITS:
            return False
    return True


def _check_magnitudes(arrays: dict[str, Exact], discount: Fraction, issues: list[str]) -> None:
    """The discounted sum of any reward fits into double precision."""
    most = (1 - discount) * _LARGEST_VALUE
    for name in ("global_reward", "local_reward"):
        for index, r in np.ndenumerate(arrays[name]):
            if abs(r) > most:
                issues.append(
                    f"{name}[{', '.join(map(str, index))}]: found {shown(r)}, expected at most (1 - discount) 2**1000 in absolute value; rescale the rewards"
                )


def _float_precision(given: Any, index: tuple[int, ...]) -> Fraction | None:
    """Spacing of floats at one (``2u``) for the coarsest float type in a row as given, or None for a row without floats."""
    row = given
    for i in index:
        row = row[i]
    precisions = [Fraction(float(np.finfo(type(x)).eps)) for x in row if isinstance(x, (float, np.floating))]
    return max(precisions, default=None)
