"""Certified values of sympy expressions: an :class:`~mfverify.enclosure.Interval` that contains the exact value.

The expression tree is walked once per working precision. Every node becomes an interval with exact rational ends:

* sums, products and integer powers of exact rationals stay exact, up to :data:`EXACT_BITS` bits; so do
  roots of perfect squares, ``exp(0)``, ``log(1)``, and every product with an exact zero (a factor ``n - k`` at k = n);
* ``log``, ``exp``, roots and long powers are monotone where they are used, so they are evaluated at both bounds in the
  ball arithmetic of python-flint (Arb: the ball contains the exact value), and the ball's ends, dyadic numbers, are
  taken over exactly;
* all other values are rounded outward to the working precision.

The precision is doubled until the width is below ``2**-60`` times the magnitude, or :data:`CEILING_BITS` is reached, or
(where an input is itself an interval) more digits no longer help. An expression that has no value at the given
numbers raises :class:`UndefinedError`: a claim then does not apply there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce
from math import ceil, comb, factorial, floor, isqrt
from numbers import Rational
from operator import add, mul
from typing import Any, Final, TypeAlias

import sympy as sp
from flint import arb, ctx, fmpq

from mfverify.enclosure import UNDECIDED, Interval, Truth, maximum
from mfverify.errors import ModelError
from mfverify.theory import symbols as model_class

STARTING_BITS: Final = 128
"""Working precision of the first walk."""

CEILING_BITS: Final = 4096
"""Working precision beyond which an enclosure is returned as wide as it is."""

WANTED: Final = Fraction(1, 2**60)
"""Relative width at which the precision is not increased further: well below the ``2**-53`` of the doubles that reports show."""

EXACT_BITS: Final = 2**14
"""A fraction of at most this many bits is kept exactly."""

EXPONENT_BITS: Final = 2**20
"""Numbers of magnitude above ``2**EXPONENT_BITS`` are refused; those below ``2**-EXPONENT_BITS`` are enclosed with 0."""

_TINY: Final = Fraction(1, 2**EXPONENT_BITS)
_ONE: Final = Interval.exactly(1)

Value: TypeAlias = Fraction | int | Interval


class UndefinedError(ModelError):
    """The expression certainly has no real value at the given numbers (a logarithm of something <= 0, say)."""


_BELOW: Final = {entry.symbol: entry.below for entry in model_class.MODEL_CLASS if entry.below is not None}
"""Symbols of the model class with an upper end that is never reached."""


class _UnsettledError(Exception):
    """At this precision it is open whether the expression is defined; carries the sentence for the user."""


@dataclass(frozen=True)
class _Setting:
    """What a walk needs: a value for each symbol, and the working precision."""

    values: Mapping[sp.Symbol, Interval]
    bits: int

    def place(self, expr: sp.Expr) -> str:
        """The subexpression and the values it was evaluated at, for an error message."""
        used = sorted(expr.free_symbols, key=str)
        at = " at " + ", ".join(f"{symbol} = {_shown(self.values[symbol])}" for symbol in used) if used else ""
        return f"{expr} is not defined{at}"


def enclose(expr: sp.Expr, values: Mapping[sp.Symbol, Value], bits: int = STARTING_BITS) -> Interval:
    """Enclose the value of an expression.

    ``values`` gives every free symbol a Fraction, an int or an Interval that contains it; further entries are ignored
    apart from the check of their ranges. ``bits`` is the precision to start from. The result contains the value for
    every choice of the inputs in their intervals; its relative width is below :data:`WANTED` when the inputs are exact
    (and the value is not an irrational expression of zero); it is exact where the module's head says so.

    Raises :class:`UndefinedError` where the expression has no value, :class:`ModelError` for a missing value, one out
    of the range of its symbol, a definedness that the given intervals leave open, a number too large, or a node of a
    kind that is not known here.
    """
    known = {symbol: _given(symbol, value) for symbol, value in values.items()}
    _check_together(known)
    free = _free_symbols(expr)
    missing = sorted(str(symbol) for symbol in free if symbol not in known)
    if missing:
        raise ModelError(f"no value was given for {', '.join(missing)} in {expr}; add it to the values")
    inputs_exact = all(known[symbol].is_exact for symbol in free)
    previous: Interval | None = None
    while True:
        last = bits >= CEILING_BITS
        try:
            result = _walk(expr, _Setting(known, bits))
        except _UnsettledError as open_question:
            if last:
                raise ModelError(f"{open_question}; give the inputs more precisely") from None
        else:
            narrow = result.is_exact or result.width <= WANTED * min(abs(result.lower), abs(result.upper))
            stalled = not inputs_exact and previous is not None and 2 * result.width > previous.width
            if narrow or last or stalled:
                return result
            previous = result
        bits = min(2 * bits, CEILING_BITS)


@lru_cache(maxsize=4096)
def _free_symbols(expr: sp.Expr) -> frozenset[sp.Symbol]:
    """The symbols of an expression, which sympy looks for anew at every call."""
    return frozenset(expr.free_symbols)


def evaluate_float(expr: sp.Expr, values: Mapping[sp.Symbol, Value]) -> float:
    """The middle of :func:`enclose` as a double: for plots, never for a verdict. Raises as :func:`enclose` does."""
    middle = enclose(expr, values).midpoint
    try:
        return middle.numerator / middle.denominator
    except OverflowError:
        size = middle.numerator.bit_length() - middle.denominator.bit_length()
        raise ModelError(f"{expr} is about 2**{size}, beyond double precision; use enclose, or plot its logarithm") from None


def _input(symbol: sp.Symbol, value: Value) -> Interval:
    """One given value as an interval inside the range of its symbol."""
    if isinstance(value, Interval):
        interval = value
    elif isinstance(value, Rational) and not isinstance(value, bool):
        number = value if type(value) is Fraction else Fraction(int(value.numerator), int(value.denominator))
        interval = Interval.exactly(number)
    else:
        raise ModelError(f"{symbol}: found {value!r} ({type(value).__name__}), expected a Fraction, an int or an Interval")
    expected = ""
    if symbol.is_integer and interval.is_exact and interval.lower.denominator != 1:
        expected = "an integer"
    elif symbol.is_positive and not interval.lower > 0:
        expected = "a number > 0"
    elif symbol.is_nonnegative and not interval.lower >= 0:
        expected = "a number >= 0"
    below = _BELOW.get(symbol)
    if below is not None and not interval.upper < below:
        expected = f"a number < {below}"
    if expected:
        raise ModelError(f"{symbol}: found {_shown(interval)}, expected {expected}")
    return interval


_number = lru_cache(maxsize=1024, typed=True)(_input)


def _given(symbol: sp.Symbol, value: Any) -> Interval:
    """:func:`_input`; the same object for the same number, so that :func:`_walk` recognises it."""
    is_number = isinstance(value, Rational)
    return _number(symbol, value) if is_number else _input(symbol, value)


def _check_together(known: Mapping[sp.Symbol, Interval]) -> None:
    """The relations that hold between the symbols of the model class: ``k <= n``, ``Z = |S_l| |A_l|``, ``rt = rt_g + rt_l``."""
    if model_class.k in known and model_class.n in known and known[model_class.k].lower > known[model_class.n].upper:
        raise ModelError(f"k: found {_shown(known[model_class.k])}, expected at most n = {_shown(known[model_class.n])}")
    defined: tuple[tuple[sp.Symbol, sp.Symbol, Callable[[Any, Any], Any], sp.Symbol], ...] = (
        (model_class.Z, model_class.S_l, mul, model_class.A_l),
        (model_class.rt, model_class.rt_g, add, model_class.rt_l),
    )
    for whole, first, operation, second in defined:
        if all(symbol in known for symbol in (whole, first, second)):
            expected = operation(known[first], known[second])
            if (known[whole] == expected) is False:
                sign = "*" if operation is mul else "+"
                raise ModelError(f"{whole}: found {_shown(known[whole])}, expected {first} {sign} {second} = {_shown(expected)}")


def _shown(value: Interval) -> str:
    """A value in an error message: exact where it is short, else a few digits of both bounds."""
    if not value.is_exact:
        return f"[{_digits(value.lower)}, {_digits(value.upper)}]"
    exact = value.lower
    return str(exact) if max(exact.numerator.bit_length(), exact.denominator.bit_length()) <= 64 else _digits(exact)


def _digits(value: Fraction) -> str:
    return str(arb(_fmpq(value)).str(6, radius=False))


_WALKED: Final[dict[tuple[int, ...], tuple[Any, ...]]] = {}
"""Enclosures of subexpressions, by the identities of the subexpression and of its inputs, and the precision; an entry keeps these objects alive."""

_MOST_WALKED: Final = 10_000


def _walk(expr: sp.Expr, setting: _Setting) -> Interval:
    """Enclose one node, once for the same inputs: bounds differ in few of their symbols from one instance to the next."""
    if isinstance(expr, sp.Symbol):
        return setting.values[expr]
    if isinstance(expr, sp.Rational):
        return _constant(expr)
    inputs = [setting.values[symbol] for symbol in _free_symbols(expr)]
    key = (id(expr), setting.bits, *map(id, inputs))
    known = _WALKED.get(key)
    if known is not None:
        found: Interval = known[-1]
        return found
    result = _enclosed(expr, setting)
    if _is_small(result.lower) and _is_small(result.upper):
        if len(_WALKED) >= _MOST_WALKED:
            _WALKED.clear()
        _WALKED[key] = (expr, inputs, result)
    return result


def _is_small(value: Fraction) -> bool:
    return max(value.numerator.bit_length(), value.denominator.bit_length()) <= CEILING_BITS


def _enclosed(expr: sp.Expr, setting: _Setting) -> Interval:
    """Enclose one node: its parts first, then the operation, rounded outward to the working precision."""
    if expr is sp.pi:
        return _ball(arb.pi, setting.bits)
    if expr is sp.E:
        return _exp(_ONE, setting.bits)
    if isinstance(expr, sp.Piecewise):
        return _piecewise(expr, setting)
    node = _NODES.get(type(expr)) or next((node for kind, node in _NODES.items() if isinstance(expr, kind)), None)
    if node is None:
        raise ModelError(f"{expr}: a node of kind {type(expr).__name__} cannot be enclosed; write it with {_known_kinds()}")
    parts = [_walk(part, setting) for part in expr.args]
    try:
        return _rounded(node(parts, setting.bits), setting.bits)
    except _UnsettledError as question:
        raise _UnsettledError(f"{setting.place(expr)} as far as can be told: {question}") from None
    except UndefinedError as reason:
        raise UndefinedError(f"{setting.place(expr)} because {reason}; the right-hand side has no value there") from None


@lru_cache(maxsize=1024)
def _constant(number: sp.Rational) -> Interval:
    """A rational number of an expression."""
    return Interval.exactly(Fraction(int(number.p), int(number.q)))


def _known_kinds() -> str:
    return ", ".join(kind.__name__ for kind in _NODES)


def _piecewise(expr: sp.Piecewise, setting: _Setting) -> Interval:
    """The first branch whose condition holds; while a condition is open, the hull of its branch and the later ones."""
    possible: list[Interval] = []
    for value, condition in expr.args:
        truth = _condition(condition, setting)
        if truth is False:
            continue
        possible.append(_walk(value, setting))
        if truth is True:
            return Interval(min(i.lower for i in possible), maximum(possible).upper)
    raise UndefinedError(f"{setting.place(expr)} because none of its conditions holds; the right-hand side has no value there")


def _condition(condition: Any, setting: _Setting) -> Truth:
    if condition in (sp.true, sp.false):
        return bool(condition)
    comparison = next((compare for kind, compare in _COMPARISONS.items() if isinstance(condition, kind)), None)
    if comparison is None:
        raise ModelError(f"{condition}: a condition of kind {type(condition).__name__} cannot be decided; use one comparison")
    return comparison(_walk(condition.lhs, setting), _walk(condition.rhs, setting))


def _unequal(x: Interval, y: Interval) -> Truth:
    equal = x == y
    return UNDECIDED if equal is UNDECIDED else not equal


_COMPARISONS: Final[Mapping[Any, Callable[[Interval, Interval], Truth]]] = {
    sp.StrictLessThan: lambda x, y: x < y,
    sp.LessThan: lambda x, y: x <= y,
    sp.StrictGreaterThan: lambda x, y: x > y,
    sp.GreaterThan: lambda x, y: x >= y,
    sp.Equality: lambda x, y: x == y,
    sp.Unequality: _unequal,
}


def _sum(parts: list[Interval], bits: int) -> Interval:
    return reduce(lambda x, y: _rounded(x + y, bits), parts)


def _product(parts: list[Interval], bits: int) -> Interval:
    return reduce(lambda x, y: _rounded(x * y, bits), parts)


def _power(parts: list[Interval], bits: int) -> Interval:
    base, exponent = parts
    if exponent.is_exact and exponent.lower.denominator == 1:
        return _integer_power(base, int(exponent.lower), bits)
    if base.upper < 0:
        raise UndefinedError("the base of a root is < 0")
    if base.lower < 0:
        raise _UnsettledError("the base of a root may be < 0")
    if exponent.is_exact and exponent.lower < 0:
        return _power([_inverse(base), -exponent], bits)
    if exponent.is_exact:
        return Interval(_root_power(base.lower, exponent.lower, bits).lower, _root_power(base.upper, exponent.lower, bits).upper)
    if base.upper == 0 and exponent.lower > 0:
        return base
    return _exp(exponent * _log(base, bits), bits)


def _root_power(base: Fraction, exponent: Fraction, bits: int) -> Interval:
    """``base ** exponent`` for one rational base >= 0 and one rational exponent > 0."""
    if base == 0:
        return Interval.exactly(0)
    if exponent.denominator == 2:
        p, q = isqrt(base.numerator), isqrt(base.denominator)
        if p * p == base.numerator and q * q == base.denominator:
            return _integer_power(Interval.exactly(Fraction(p, q)), exponent.numerator, bits)
        square_root = _ball(lambda: arb(_fmpq(base)).sqrt(), bits)
        return _integer_power(square_root, exponent.numerator, bits)
    return _exp(_log(Interval.exactly(base), bits) * exponent, bits)


def _integer_power(base: Interval, exponent: int, bits: int) -> Interval:
    if exponent < 0:
        return _integer_power(_inverse(base), -exponent, bits)
    if exponent == 0:
        return _ONE
    low, high = (_point_power(end, exponent, bits) for end in (base.lower, base.upper))
    if exponent % 2 or base.lower >= 0:
        return Interval(low.lower, high.upper)
    if base.upper <= 0:
        return Interval(high.lower, low.upper)
    return Interval(Fraction(0), max(low.upper, high.upper))


def _point_power(base: Fraction, exponent: int, bits: int) -> Interval:
    """``base ** exponent`` for one rational base and an integer exponent > 0: exactly, or where that is long, in Arb."""
    if base in (0, 1):
        return Interval.exactly(base)
    length = max(base.numerator.bit_length(), base.denominator.bit_length()) * exponent
    if length <= (EXPONENT_BITS if base.denominator == 1 else EXACT_BITS):
        return Interval.exactly(base**exponent)
    size = _ball(lambda: arb(_fmpq(abs(base))) ** exponent, bits)
    size = Interval(max(size.lower, Fraction(0)), size.upper)
    return -size if base < 0 and exponent % 2 else size


def _inverse(value: Interval) -> Interval:
    if value.lower == value.upper == 0:
        raise UndefinedError("it divides by 0")
    if value.lower <= 0 <= value.upper:
        raise _UnsettledError("it may divide by 0")
    return _ONE / value


def _log(value: Interval, bits: int) -> Interval:
    if value.upper <= 0:
        raise UndefinedError("log argument <= 0")
    if value.lower <= 0:
        raise _UnsettledError("log argument may be <= 0")
    return _monotone(value, Fraction(1), Fraction(0), lambda x: _ball(lambda: arb(_fmpq(x)).log(), bits))


def _exp(value: Interval, bits: int) -> Interval:
    def point(x: Fraction) -> Interval:
        if x > EXPONENT_BITS:  # exp(x) > 2**x
            raise _too_large()
        if x < -EXPONENT_BITS:  # exp(x) < 2**x
            return Interval(Fraction(0), _TINY)
        ball = _ball(lambda: arb(_fmpq(x)).exp(), bits)
        return Interval(max(ball.lower, Fraction(0)), ball.upper)

    return _monotone(value, Fraction(0), Fraction(1), point)


def _monotone(value: Interval, special: Fraction, image: Fraction, point: Callable[[Fraction], Interval]) -> Interval:
    """An increasing function of an interval, known exactly at one ``special`` argument."""
    low, high = (Interval.exactly(image) if end == special else point(end) for end in (value.lower, value.upper))
    return Interval(low.lower, high.upper)


def _integers(parts: list[Interval], what: str) -> list[int]:
    """Arguments of a function that is enclosed at exactly known integers >= 0 only."""
    for part in parts:
        if not part.is_exact or part.lower.denominator != 1:
            raise ModelError(f"a {what} is enclosed at exactly known integers only, found {_shown(part)}; give exact integers")
        if part.lower < 0:
            raise UndefinedError(f"an argument of a {what} is {_shown(part)} < 0")
    return [int(part.lower) for part in parts]


def _binomial(parts: list[Interval], _bits: int) -> Interval:
    top, bottom = _integers(parts, "binomial coefficient")
    if min(bottom, abs(top - bottom)) * top.bit_length() > EXPONENT_BITS:
        raise _too_large()
    return Interval.exactly(comb(top, bottom))


def _factorial(parts: list[Interval], _bits: int) -> Interval:
    (number,) = _integers(parts, "factorial")
    if number * number.bit_length() > EXPONENT_BITS:
        raise _too_large()
    return Interval.exactly(factorial(number))


def _stepwise(step: Callable[[Fraction], int]) -> Callable[[list[Interval], int], Interval]:
    return lambda parts, _bits: Interval(Fraction(step(parts[0].lower)), Fraction(step(parts[0].upper)))


_NODES: Final[Mapping[Any, Callable[[list[Interval], int], Interval]]] = {
    sp.Add: _sum,
    sp.Mul: _product,
    sp.Pow: _power,
    sp.log: lambda parts, bits: _log(parts[0], bits),
    sp.exp: lambda parts, bits: _exp(parts[0], bits),
    sp.Abs: lambda parts, _bits: abs(parts[0]),
    sp.Min: lambda parts, _bits: -maximum([-part for part in parts]),
    sp.Max: lambda parts, _bits: maximum(parts),
    sp.floor: _stepwise(floor),
    sp.ceiling: _stepwise(ceil),
    sp.binomial: _binomial,
    sp.factorial: _factorial,
}


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


class _Precision:
    """The precision of balls is one setting of the process: of two threads that change it, one could leave it changed by the other."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """In a forked process, where a lock that another thread held is never released."""
        self.changing = threading.RLock()


_PRECISION = _Precision()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_PRECISION.renew)


def _ball(compute: Callable[[], arb], bits: int) -> Interval:
    """The ends of a ball computed with ``bits`` bits, taken over exactly; a ball around nearly 0 is widened to _TINY."""
    with _PRECISION.changing, ctx.workprec(bits):
        ball = compute()
    if not ball.is_finite():
        raise _UnsettledError("its value is out of reach at this precision")
    middle, radius = _dyadic(ball.mid()), _dyadic(ball.rad())
    if middle is None or radius is None:
        middle, radius = middle or Fraction(0), (radius or Fraction(0)) + _TINY
    return Interval(middle - radius, middle + radius)


def _dyadic(point: arb) -> Fraction | None:
    """An exact ball as a Fraction; None where it is nonzero and of magnitude at most half of _TINY."""
    mantissa, exponent = (int(part) for part in point.man_exp())
    top = mantissa.bit_length() + exponent
    if top > EXPONENT_BITS:
        raise _too_large()
    if mantissa and top < -EXPONENT_BITS:
        return None
    return Fraction(mantissa << exponent) if exponent >= 0 else Fraction(mantissa, 1 << -exponent)


def _too_large() -> ModelError:
    return ModelError(f"a number beyond 2**{EXPONENT_BITS} cannot be enclosed; choose smaller parameters")


def _rounded(value: Interval, bits: int) -> Interval:
    """Exact and short values as they are, every other one outward to ``bits`` significant bits."""
    if value.is_exact and _is_short(value.lower):
        return value
    return Interval(_down(value.lower, bits), -_down(-value.upper, bits))


def _is_short(value: Fraction) -> bool:
    if value.denominator == 1:
        return value.numerator.bit_length() <= EXPONENT_BITS
    return max(value.numerator.bit_length(), value.denominator.bit_length()) <= EXACT_BITS


def _down(value: Fraction, bits: int) -> Fraction:
    """The largest multiple of a power of two, with about ``bits`` significant bits, that is not above ``value``."""
    size = value.numerator.bit_length() - value.denominator.bit_length()
    if value == 0:
        return value
    if size > EXPONENT_BITS:
        raise _too_large()
    if size < -EXPONENT_BITS - 1:  # |value| < 2**(size + 1) <= _TINY
        return Fraction(0) if value > 0 else -_TINY
    shift = bits - size
    if shift >= 0:
        return Fraction((value.numerator << shift) // value.denominator, 1 << shift)
    return Fraction((value.numerator // (value.denominator << -shift)) << -shift)
