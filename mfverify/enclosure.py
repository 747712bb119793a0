"""Two-sided values: what is known of a number is an interval that provably contains it.

An :class:`Interval` is one number between two exact rationals; an :class:`Enclosure` is an array of numbers between two
arrays of doubles. Comparisons answer ``True``, ``False`` or :data:`UNDECIDED`, and ``UNDECIDED`` refuses to be used as
a truth value.

Rounding is accounted for in one way only. IEEE double arithmetic in the default mode returns, for ``+ - * /``, the
representable number nearest to the exact result, so the exact result lies between the two neighbours of the computed
one. Longer computations are bounded by :func:`rounding_error` (Higham, *Accuracy and Stability of Numerical
Algorithms*, 2nd ed., Lemma 3.1): a sum of products of at most ``L`` rounded factors and partial sums has a relative
error of at most ``L u / (1 - L u)``, ``u = 2**-53``, with respect to the sum of absolute values, in any order of
summation. No tolerance in this project is chosen by hand; they all come from here. A thread
whose arithmetic another library has set otherwise is refused (``floating_point.py``).
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from mfverify.counts import number_of_count_vectors, rank
from mfverify.errors import ModelError, UndecidedError
from mfverify.floating_point import require_ieee_arithmetic
from mfverify.rationals import Number, exact, from_text, outward, quoted, shown, written
from mfverify.readable import Readable

if TYPE_CHECKING:
    from mfverify.notation import Exact, Floats

UNIT_ROUNDOFF: Final = Fraction(1, 2**53)
"""Largest relative error of one rounding to nearest of a normal double."""

UNDERFLOW: Final = Fraction(1, 2**1022)
"""Largest absolute error of one operation whose result is too small for a normal double (flushed to zero or not)."""


_LONGEST_SHOWN_BITS: Final = 10_000
"""Longer numerators and denominators are not written out (Python itself refuses texts of more than 4300 digits)."""


_LONGEST_RATIONAL: Final = 11
_MOST_DECIMALS: Final = 15
"""Decimals that are shown unless more are requested."""


class _Undecided:
    """The answer of a comparison that the enclosures do not settle; it refuses to be used as a truth value.

    Examples
    --------
    >>> answer = Interval(Fraction(0), Fraction(1)) < Fraction(1, 2)
    >>> answer is UNDECIDED
    True
    >>> bool(answer)
    Traceback (most recent call last):
        ...
    mfverify.errors.UndecidedError: the enclosures do not decide this comparison; test it with 'is mfverify.UNDECIDED' first
    """

    def __bool__(self) -> bool:
        raise UndecidedError("the enclosures do not decide this comparison; test it with 'is mfverify.UNDECIDED' first")

    def __repr__(self) -> str:
        return "UNDECIDED"


UNDECIDED: Final = _Undecided()
"""The third truth value: neither side of a comparison is certified."""

Truth: TypeAlias = bool | _Undecided


def round_down(value: Fraction) -> float:
    """The largest double that is not above ``value``."""
    require_ieee_arithmetic()
    nearest = _nearest(value)
    if Fraction(nearest) > value:
        nearest = float(np.nextafter(nearest, -np.inf))
    return nearest


def round_up(value: Fraction) -> float:
    """The smallest double that is not below ``value``."""
    return 0.0 - round_down(-value)


def _nearest(value: Fraction) -> float:
    try:
        return value.numerator / value.denominator
    except OverflowError:
        raise ModelError(f"a number of magnitude 2**{abs(value.numerator).bit_length()} is beyond double precision") from None


def rounding_error(roundings: int, magnitude: Fraction, operations: int = 0) -> Fraction:
    """Bound the error of a positive-weight computation in double precision.

    ``roundings`` is the largest number ``L`` of roundings on any path from an input to the result, inputs that are
    themselves rounded included; ``magnitude`` bounds the sum of the absolute values of the exact terms; ``operations``
    is the largest number of operations that could underflow. Source: Higham 2002, Lemma 3.1 and section 2.2.
    """
    require_ieee_arithmetic()
    left = UNIT_ROUNDOFF.denominator - roundings
    if left <= 0:
        raise ModelError(f"a computation with {roundings} roundings on one path cannot be certified in double precision")
    error = Fraction(roundings, left) * magnitude  # L u / (1 - L u), 1 / u being an integer
    return error + operations * UNDERFLOW if operations else error


@dataclass(frozen=True, eq=False)
class Interval:
    """A real number between two exact rationals, ``lower <= upper``.

    Comparisons answer True, False or :data:`UNDECIDED`.

    Parameters
    ----------
    lower, upper
        Rationals.

    Raises
    ------
    ModelError
        ``lower > upper``.

    Examples
    --------
    >>> third = Interval(Fraction(33, 100), Fraction(34, 100))
    >>> third < 1, third < Interval.exactly("1/3")
    (True, UNDECIDED)
    """

    lower: Fraction
    upper: Fraction

    def __post_init__(self) -> None:
        for end in ("lower", "upper"):
            if type(getattr(self, end)) is not Fraction:
                object.__setattr__(self, end, Fraction(getattr(self, end)))
        if self.lower is not self.upper and self.lower > self.upper:
            raise ModelError(f"an interval needs lower <= upper, got [{shown(self.lower)}, {shown(self.upper)}]")

    @classmethod
    def exactly(cls, value: Fraction | int | str) -> Interval:
        """The interval that holds one rational."""
        number = value if type(value) is Fraction else exact(value, "interval") if isinstance(value, str) else Fraction(value)
        return cls(number, number)

    @property
    def is_exact(self) -> bool:
        """Whether the number is known exactly."""
        return self.lower is self.upper or self.lower == self.upper

    @property
    def midpoint(self) -> Fraction:
        """The middle, an exact rational."""
        return (self.lower + self.upper) / 2

    @property
    def width(self) -> Fraction:
        """``upper - lower``."""
        return self.upper - self.lower

    def __add__(self, other: Interval | Fraction | int) -> Interval:
        o = _interval(other)
        lower = self.lower + o.lower
        return Interval(lower, lower if self.lower is self.upper and o.lower is o.upper else self.upper + o.upper)

    def __neg__(self) -> Interval:
        upper = -self.lower
        return Interval(upper if self.lower is self.upper else -self.upper, upper)

    def __sub__(self, other: Interval | Fraction | int) -> Interval:
        return self + (-_interval(other))

    def __mul__(self, other: Interval | Fraction | int) -> Interval:
        o = _interval(other)
        if self.lower is self.upper and o.lower is o.upper:
            return Interval.exactly(self.lower * o.lower)
        if self.lower.numerator >= 0 and o.lower.numerator >= 0:
            return Interval(self.lower * o.lower, self.upper * o.upper)
        ends = [x * y for x in (self.lower, self.upper) for y in (o.lower, o.upper)]
        return Interval(min(ends), max(ends))

    def __truediv__(self, other: Interval | Fraction | int) -> Interval:
        o = _interval(other)
        if o.lower <= 0 <= o.upper:
            raise ZeroDivisionError("division by an interval that contains zero")
        lower = 1 / o.upper
        return self * Interval(lower, lower if o.lower is o.upper else 1 / o.lower)

    def __abs__(self) -> Interval:
        if self.lower >= 0:
            return self
        if self.upper <= 0:
            return -self
        return Interval(Fraction(0), max(-self.lower, self.upper))

    def __le__(self, other: Interval | Fraction | int) -> Truth:
        o = _interval(other)
        return True if self.upper <= o.lower else False if self.lower > o.upper else UNDECIDED

    def __lt__(self, other: Interval | Fraction | int) -> Truth:
        o = _interval(other)
        return True if self.upper < o.lower else False if self.lower >= o.upper else UNDECIDED

    def __ge__(self, other: Interval | Fraction | int) -> Truth:
        return _interval(other) <= self

    def __gt__(self, other: Interval | Fraction | int) -> Truth:
        return _interval(other) < self

    def __eq__(self, other: object) -> Truth:  # type: ignore[override]  # three-valued on purpose
        if not isinstance(other, (Interval, Fraction, int)):
            return NotImplemented
        o = _interval(other)
        if self.is_exact and o.is_exact and self.lower == o.lower:
            return True
        return False if self.upper < o.lower or o.upper < self.lower else UNDECIDED

    __hash__ = None  # type: ignore[assignment]  # equality is three-valued, so intervals cannot be keys

    def contains(self, value: Fraction | int) -> bool:
        """Whether a rational lies inside, bounds included."""
        return self.lower <= value <= self.upper

    def to_json(self) -> dict[str, Any]:
        """``{"lower": x, "upper": y}`` rounded outward to doubles; an exact value that is not too long adds ``"exact": "p/q"``.

        An end beyond double precision becomes the largest double on the inner side and ``None`` (unbounded) on the outer.
        """
        document: dict[str, Any] = {"lower": _lower_end(self.lower), "upper": _negated(_lower_end(-self.upper))}
        if self.is_exact and max(self.lower.numerator.bit_length(), self.lower.denominator.bit_length()) <= _LONGEST_SHOWN_BITS:
            document["exact"] = written(self.lower)
        return document

    def ends_in_full(self) -> list[str]:
        """Both bounds as rationals in hexadecimal, of any length: for documents in which doubles are not precise enough."""
        return [f"{x.numerator:#x}/{x.denominator:#x}" for x in (self.lower, self.upper)]

    def __repr__(self) -> str:
        ends = self.to_json()
        return f"[{ends['lower']!r}, {ends['upper']!r}]"

    def __format__(self, specification: str) -> str:
        """Certified digits only: the decimal that both ends round to, ``[lower, upper]`` rounded outward where there is none.

        Without a specification as many decimals as the ends agree in, at most 15, or the rational itself where it is known and short;
        ``.6f`` shows six decimals. Raises :class:`ValueError` for any other specification.

        >>> third = Interval(Fraction(3333, 10**4), Fraction(3334, 10**4))
        >>> f"{third}", f"{third:.3f}", f"{third:.6f}", f"{Interval.exactly('1/3')}"
        ('0.333', '0.333', '[0.333300, 0.333400]', '1/3')
        """
        if not specification:
            if self.is_exact and len(short := shown(self.lower)) <= _LONGEST_RATIONAL:
                return short
            decimals = next((d for d in range(_MOST_DECIMALS, -1, -1) if round(self.lower, d) == round(self.upper, d)), 0)
            low, high = round(self.lower, decimals), round(self.upper, decimals)
            return _decimal(low, decimals) if low == high and (low != 0 or self.is_exact) else outward(self.lower, self.upper)
        asked = re.fullmatch(r"\.([0-9]{1,3})f", specification)
        if asked is None:
            raise ValueError(f"format of an interval: found {specification!r}, expected nothing or a number of decimals such as .6f")
        decimals = int(asked[1])
        if round(self.lower, decimals) == round(self.upper, decimals):
            return _decimal(round(self.lower, decimals), decimals)
        unit = Fraction(1, 10**decimals)
        return f"[{_decimal(self.lower // unit * unit, decimals)}, {_decimal(-(-self.upper // unit) * unit, decimals)}]"

    def __float__(self) -> float:
        """The double nearest to the number. Raises :class:`UndecidedError` where the two ends are not nearest to the same."""
        low, high = float(self.lower), float(self.upper)
        if low != high:
            raise UndecidedError(f"the interval {self!r} does not determine one double; float(x.midpoint) is an estimate, and f'{{x}}' its certified digits")
        return low

    def __round__(self, digits: int) -> Fraction:
        """The rational that both ends round to, with so many decimals. Raises :class:`UndecidedError` where they do not round to the same."""
        low, high = round(self.lower, digits), round(self.upper, digits)
        if low != high:
            raise UndecidedError(f"the interval {self!r} does not decide its value rounded to {digits} decimals; ask for fewer, or for a narrower value")
        return Fraction(low)

    def _repr_html_(self) -> str:
        """In a notebook: the certified digits, and both bounds when pointed at."""
        return f'<span title="{self!r}">{self}</span>'


def _decimal(value: Fraction | int, decimals: int) -> str:
    """A rational that has so many decimals, with all of them."""
    scaled = abs(Fraction(value)) * 10**decimals
    digits = written(scaled).rjust(decimals + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits)


Ends: TypeAlias = "tuple[Fraction | None, Fraction | None]"
"""Lower and upper bound of a number that was written to a document; None is unbounded."""

_FULL: Final = re.compile(r"(-?0x[0-9a-f]+)/(0x[0-9a-f]*[1-9a-f][0-9a-f]*)")


def ends_of(document: Mapping[str, Any]) -> Ends:
    """What :meth:`Interval.to_json` has written: the ends in full (``"ends"``) or the exact value where it has them, else the doubles.

    Raises :class:`ModelError` where the document has another form, or an exact value is outside the doubles.
    """
    lower, upper = (None if document[end] is None else _finite(document[end]) for end in ("lower", "upper"))
    found: Ends = lower, upper
    if "ends" in document:
        parts = [_FULL.fullmatch(str(x)) for x in document["ends"]] if isinstance(document["ends"], list) else []
        low, high = (Fraction(int(x[1], 16), int(x[2], 16)) if x else None for x in (parts if len(parts) == 2 else [None, None]))
        if low is None or high is None:
            raise ModelError(f"ends: found {document['ends']!r:.60}, expected two rationals in hexadecimal such as '-0x1/0x3'")
        found = low, high
    elif document.get("exact") is not None:
        try:
            number = from_text(str(document["exact"]))
        except ValueError:
            raise ModelError(f"exact: found {quoted(document['exact'])}, expected a rational number such as '1/3'") from None
        found = number, number
    in_order = [x for x in (lower, *found, upper) if x is not None]
    if in_order != sorted(in_order):
        raise ModelError("the ends are not in order: lower, what is known in full, upper")
    return found


def _finite(value: Any) -> Fraction | None:
    """An end as the rational it is; infinities are unbounded."""
    if type(value) is int:
        return Fraction(value)
    if not isinstance(value, float) or math.isnan(value):
        raise ModelError(f"found {value!r:.60}, expected a number or null")
    return None if math.isinf(value) else Fraction(value)


def _lower_end(value: Fraction) -> float | None:
    """A double that is not above ``value``; None where there is none."""
    largest = Fraction(sys.float_info.max)
    if value >= largest:
        return sys.float_info.max
    return None if value < -largest else round_down(value)


def _negated(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


def _interval(value: Interval | Fraction | int) -> Interval:
    return value if isinstance(value, Interval) else Interval.exactly(value)


def maximum(intervals: list[Interval]) -> Interval:
    """Enclose the largest of several numbers. Raises :class:`ModelError` on an empty list: there is no maximum."""
    if not intervals:
        raise ModelError("the maximum of no numbers is not defined; give at least one interval")
    return Interval(max(i.lower for i in intervals), max(i.upper for i in intervals))


class StopReason(Enum):
    """Why an iteration ended; the value is the sentence that a report shows."""

    WIDTH = "the enclosure is as narrow as requested"
    PRECISION = "double precision cannot make the enclosure narrower"
    EXACT = "the value was computed in exact arithmetic"
    PLANS = "there are more plans than can be compared"
    BOUNDS = "infinitely many agents and fewer agents bound the value no more narrowly"


@dataclass(frozen=True)
class Work:
    """What a solver did: why it stopped, how many Bellman sweeps and policy evaluations it made."""

    stop: StopReason
    sweeps: int = 0
    evaluations: int = 0
    pairs_per_sweep: int = 0


@dataclass(frozen=True, eq=False)
class Enclosure(Readable):
    """An array of numbers, each between ``lower`` and ``upper``, guaranteed.

    Values of an n-agent system have the axes ``[global state, rank of the count vector]``.

    Parameters
    ----------
    lower, upper
        Doubles, same shape.
    exact
        The numbers themselves as Fractions where they were computed exactly.
    work
        How the enclosure was reached.

    Examples
    --------
    >>> value = Enclosure(np.array([[0.0, 0.5]]), np.array([[0.25, 0.75]]))
    >>> value.max(), value[0, 1] > value[0, 0], value.lower.shape
    ([0.5, 0.75], True, (1, 2))
    """

    lower: Floats
    upper: Floats
    exact: Exact | None = field(default=None, repr=False)
    work: Work | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        require_ieee_arithmetic()
        lower = np.array(self.lower, dtype=np.float64)
        upper = np.array(self.upper, dtype=np.float64)
        if lower.shape != upper.shape:
            raise ModelError(f"an enclosure needs two arrays of one shape, got {lower.shape} and {upper.shape}")
        if lower.size == 0:
            raise ModelError(
                f"an enclosure needs at least one entry, got the shape {lower.shape}: comparisons of nothing would all be true"
            )
        if not (np.isfinite(lower).all() and np.isfinite(upper).all() and (lower <= upper).all()):
            raise ModelError("an enclosure needs finite lower <= upper in every entry")
        lower.flags.writeable = upper.flags.writeable = False
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)

    @classmethod
    def _unchecked(cls, lower: Floats, upper: Floats, work: Work) -> Enclosure:
        """From arrays that no other code holds and a solver knows to be finite and in order: a tenth of the time."""
        require_ieee_arithmetic()
        lower.setflags(write=False)
        upper.setflags(write=False)
        found = cls.__new__(cls)
        vars(found).update(lower=lower, upper=upper, exact=None, work=work)
        return found

    @classmethod
    def of_fractions(cls, exact: Exact, work: Work | None = None) -> Enclosure:
        """The narrowest enclosure of an array of Fractions; keeps the Fractions in ``exact``."""
        exact = np.array(exact, dtype=object)
        lower = np.array([round_down(x) for x in exact.ravel()], dtype=np.float64).reshape(exact.shape)
        upper = np.array([round_up(x) for x in exact.ravel()], dtype=np.float64).reshape(exact.shape)
        return cls(lower, upper, exact, work or Work(StopReason.EXACT))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of ``lower`` and ``upper``."""
        return self.lower.shape

    @property
    def midpoint(self) -> Floats:
        """The middle of each interval, to double precision (an estimate, not a certified number)."""
        return self.lower / 2 + self.upper / 2

    @property
    def width(self) -> Floats:
        """``upper - lower`` per entry, rounded up."""
        return np.where(self.upper == self.lower, 0.0, np.nextafter(self.upper - self.lower, np.inf))

    def __getitem__(self, index: Any) -> Interval:
        """The interval of one entry; ``exact`` where the number is known exactly."""
        if self.exact is not None:
            value = self.exact[index]
            if isinstance(value, Fraction):
                return Interval(value, value)
        low, up = self.lower[index], self.upper[index]
        if np.ndim(low):
            raise ModelError(f"an enclosure of shape {self.shape} is indexed by {len(self.shape)} integers, got {index!r}")
        return Interval(Fraction(float(low)), Fraction(float(up)))

    def __iter__(self) -> Iterator[Interval]:
        """The interval of each entry, the last axis first."""
        return (self[index] for index in np.ndindex(self.shape))

    def at(self, s_g: int, counts: Sequence[int]) -> Interval:
        """The interval of a state: the global one, and how many agents are in each local one.

        Raises :class:`ModelError` for what is no state of the system that the value belongs to.

        >>> Enclosure(np.zeros((2, 3)), np.ones((2, 3))).at(1, (1, 1))
        [0.0, 1.0]
        """
        given = [int(c) for c in counts]
        fits = len(self.shape) == 2 and given and min(given) >= 0 and number_of_count_vectors(sum(given), len(given)) == self.shape[1]
        if not fits or not 0 <= s_g < self.shape[0]:
            raise ModelError(f"state: found {(s_g, tuple(given))}, which is none of the states of a value of shape {self.shape}")
        return self[s_g, int(rank(given))]

    def min(self) -> Interval:
        """Enclose the smallest entry."""
        return -(-self).max()

    def argmax(self) -> tuple[int, ...]:
        """Where the lower bound is largest, the first place of several: no other entry is certified to be larger."""
        return tuple(int(i) for i in np.unravel_index(int(self.lower.argmax()), self.shape))

    def mean(self) -> Interval:
        """Enclose the mean over all entries."""
        if self.exact is not None:
            return Interval.exactly(sum(self.exact.ravel(), Fraction(0)) / self.exact.size)
        low, high = (math.fsum(end.ravel()) for end in (self.lower, self.upper))  # correctly rounded sums
        return Interval(Fraction(float(np.nextafter(low, -np.inf))), Fraction(float(np.nextafter(high, np.inf)))) / self.lower.size

    def __mul__(self, factor: Number) -> Enclosure:
        """Every entry times a rational, rounded outward."""
        number = exact(factor, "factor")
        if self.exact is not None:
            return Enclosure.of_fractions(self.exact * number)
        require_ieee_arithmetic()
        products = [end * share for end in (self.lower, self.upper) for share in {round_down(number), round_up(number)}]
        zero = (self.lower == 0.0) & (self.upper == 0.0) if number else np.full(self.shape, True)
        low, high = np.minimum.reduce(products), np.maximum.reduce(products)
        return Enclosure(np.where(zero, 0.0, np.nextafter(low, -np.inf)), np.where(zero, 0.0, np.nextafter(high, np.inf)))

    __rmul__ = __mul__

    def __truediv__(self, divisor: Number) -> Enclosure:
        """Every entry over a rational other than 0, rounded outward."""
        return self * (1 / exact(divisor, "divisor"))

    def max(self) -> Interval:
        """Enclose the largest entry."""
        if self.exact is not None:
            return Interval.exactly(max(self.exact.ravel()))
        return Interval(Fraction(float(self.lower.max())), Fraction(float(self.upper.max())))

    def __neg__(self) -> Enclosure:
        return Enclosure(-self.upper, -self.lower, None if self.exact is None else -self.exact)

    def _like(self, other: Enclosure) -> Enclosure:
        """``other``, which must have this shape: arrays of different shapes are not broadcast."""
        if self.shape != other.shape:
            raise ModelError(f"enclosures of shapes {self.shape} and {other.shape} cannot be combined")
        return other

    def __add__(self, other: Enclosure) -> Enclosure:
        other = self._like(other)
        if self.exact is not None and other.exact is not None:
            return Enclosure.of_fractions(self.exact + other.exact)
        return Enclosure(add_down(self.lower, other.lower), add_up(self.upper, other.upper))

    def __sub__(self, other: Enclosure) -> Enclosure:
        return self + (-other)

    def __abs__(self) -> Enclosure:
        low = np.maximum(np.maximum(self.lower, -self.upper), 0.0)
        return Enclosure(low, np.maximum(-self.lower, self.upper), None if self.exact is None else abs(self.exact))

    def __le__(self, other: Enclosure) -> Truth:
        """Whether *every* entry is at most the other's: ``True``, ``False`` (some entry certainly is not) or undecided."""
        other = self._like(other)
        if self.exact is not None and other.exact is not None:
            return bool((self.exact <= other.exact).all())
        if (self.upper <= other.lower).all():
            return True
        return False if (self.lower > other.upper).any() else UNDECIDED

    def __ge__(self, other: Enclosure) -> Truth:
        return other <= self

    def __lt__(self, other: Enclosure) -> Truth:
        """Whether every entry is less than the other's."""
        other = self._like(other)
        if self.exact is not None and other.exact is not None:
            return bool((self.exact < other.exact).all())
        if (self.upper < other.lower).all():
            return True
        return False if (self.lower >= other.upper).any() else UNDECIDED

    def __gt__(self, other: Enclosure) -> Truth:
        return other < self

    def __eq__(self, other: object) -> Truth:  # type: ignore[override]  # three-valued on purpose
        if not isinstance(other, Enclosure):
            return NotImplemented
        if not self.intersects(other):
            return False
        if self.exact is not None and other.exact is not None:
            return bool((self.exact == other.exact).all())
        point = (self.lower == self.upper).all() and (other.lower == other.upper).all()
        return True if point else UNDECIDED

    __hash__ = None  # type: ignore[assignment]  # equality is three-valued, so enclosures cannot be keys

    def __repr__(self) -> str:
        span = f"between {float(self.lower.min())!r} and {float(self.upper.max())!r}"
        return f"Enclosure(shape={self.shape}, {span}, width at most {float(self.width.max()):.2g})"

    def intersects(self, other: Enclosure) -> bool:
        """Whether every pair of corresponding intervals has a point in common (two enclosures of one value must)."""
        other = self._like(other)
        return bool(((self.lower <= other.upper) & (other.lower <= self.upper)).all())


def add_down(x: Floats, y: Floats) -> Floats:
    """A lower bound of ``x + y``, entry by entry; exact where nothing is added."""
    require_ieee_arithmetic()
    return np.where(y == 0.0, x, np.where(x == 0.0, y, np.nextafter(x + y, -np.inf)))


def add_up(x: Floats, y: Floats) -> Floats:
    """An upper bound of ``x + y``, entry by entry; exact where nothing is added."""
    return -add_down(-x, -y)
