"""Rational numbers as texts: one grammar to read them, complete texts for files, short ones for people.

A number is written as a fraction, ``-1/3``, or as a decimal with or without an exponent, ``3``, ``0.25``, ``.5``, ``1e-5``::

    number   = [sign] (digits "/" digits | decimal [("e" | "E") [sign] digit [digit [digit [digit]]]])
    decimal  = digits ["." [digits]] | "." digits
    sign     = "+" | "-"

A digit is one of 0 to 9. Blanks, underscores, digits of other scripts, ``nan`` and ``inf`` are not part of a number, in any version of
Python; a denominator is not zero. The grammar holds for model files, configurations, certificates, reports and arguments in Python.

Python refuses to turn integers of more than a few thousand digits into text or back, by a limit that belongs to the process. The texts
here are complete all the same: python-flint converts without that limit, which is left as it is.
"""

from __future__ import annotations

import hashlib
import re
from decimal import MAX_EMAX, MIN_EMIN, ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from numbers import Integral, Rational, Real
from typing import Any, Final, TypeAlias

from mfverify.errors import ModelError

Number: TypeAlias = Fraction | int | float | str
"""What a single number may be given as."""

LARGEST_BITS: Final = 4096
"""Numerators and denominators longer than this are refused as input: no model needs them and they make arithmetic unbounded."""

EXPECTED: Final = 'a finite number: an int, a Fraction, a float or a string such as "1/3"'
"""The remedy in messages."""

_NUMBER: Final = re.compile(r"([+-]?)(?:([0-9]+)/([0-9]+)|(?=\.?[0-9])([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]{1,4}))?)")
_ALWAYS_CONVERTED: Final = 600
"""Decimal digits that Python converts under any limit (which is at least 640)."""

_LONGEST_PARAMETER: Final = 60
"""Characters of a number in a name."""

_KEPT_BITS: Final = 512
"""Leading bits of a longer integer that count for a decimal of at most 17 digits."""


def from_text(text: str) -> Fraction:
    """The rational that a text of the grammar denotes, of any length. Raises :class:`ValueError` for any other text.

    >>> from_text("-1/3"), from_text("2.5e-1")
    (Fraction(-1, 3), Fraction(1, 4))
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError("not a number of the grammar")
    sign, numerator, denominator, whole, decimals, exponent = found.groups()
    if numerator is not None:
        below = _integer(denominator)
        if below == 0:
            raise ValueError("a denominator of zero")
        size = Fraction(_integer(numerator), below)
    else:
        shift = int(exponent or 0) - len(decimals)
        size = _integer(whole + decimals) * Fraction(10) ** shift
    return -size if sign == "-" else size


def exact(value: Any, place: str) -> Fraction:
    """An argument or an entry of a file as the rational that it is; a float is its exact binary value.

    Raises :class:`ModelError` that begins with ``place`` where it is no finite number, or has more than ``LARGEST_BITS``.

    >>> exact("1/3", "discount"), exact(0.5, "discount")
    (Fraction(1, 3), Fraction(1, 2))
    """
    try:
        if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):  # numpy's, without importing it
            raise ValueError
        if isinstance(value, str):
            if len(value) > LARGEST_BITS:
                raise ValueError
            number = from_text(value)
        elif isinstance(value, (Rational, Integral)):
            number = Fraction(int(value.numerator), int(value.denominator))
        elif isinstance(value, Real):
            # Every float type of Python and numpy has its exact ratio; long doubles lose digits as a plain float.
            number = Fraction(*getattr(value, "as_integer_ratio", float(value).as_integer_ratio)())
        else:
            raise TypeError
    except (ValueError, TypeError, OverflowError):
        raise ModelError(f"{place}: found {quoted(value)}, expected {EXPECTED}") from None
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > LARGEST_BITS:
        raise ModelError(f"{place}: found a fraction of more than {LARGEST_BITS} bits, expected a shorter one")
    return number


def written(number: Fraction | int) -> str:
    """The complete text of a rational, such as ``-5/8``: what files hold. :func:`from_text` reads it back.

    >>> len(written(Fraction(10**9999, 3)))
    10002
    """
    above = _digits(number.numerator)
    return above if number.denominator == 1 else f"{above}/{_digits(number.denominator)}"


def shown(number: Fraction | int, longest: int = 24) -> str:
    """A rational for people: itself where its text is short, else a decimal to 17 digits; what is near an integer never looks like it."""
    number = Fraction(number)
    if _is_short(number, longest) and len(text := written(number)) <= longest:
        return text
    decimal = _decimal(number, 17)
    nearest = round(number)
    if nearest and Fraction(decimal) == nearest != number:
        difference = number - nearest
        return f"{written(nearest)} {'+' if difference > 0 else '-'} {shown(abs(difference), longest)}"
    return f"{decimal.normalize():g}" if decimal.adjusted() < 24 else f"{decimal.normalize():e}"


def described(number: Fraction | int, longest: int) -> str:
    """A rational in full up to ``longest`` characters; else its first digits, and in brackets how long the whole is."""
    if _is_short(number, longest) and len(text := written(number)) <= longest:
        return text
    whole = number.denominator == 1
    digits = len(_digits(abs(number.numerator) if whole else number.denominator))
    return f"{estimate(number, 12)} ({'an integer of' if whole else 'a fraction with a denominator of'} {digits} digits)"


def outward(lower: Fraction, upper: Fraction) -> str:
    """``[lower, upper]`` in decimals that contain both ends, with three digits and up to 14 more where the width is that much smaller than the ends.

    >>> outward(Fraction(-1, 3), Fraction(2, 3)), outward(Fraction(12345, 1), Fraction(24693, 2))
    ('[-0.334, 0.667]', '[12345, 12346.5]')
    """
    size, width = (_decimal(x, 3).adjusted() if x else 0 for x in (max(abs(lower), abs(upper)), upper - lower))
    digits = 3 + min(14, max(0, size - width))
    down, up = (Context(prec=digits, rounding=way, Emax=MAX_EMAX, Emin=MIN_EMIN) for way in (ROUND_FLOOR, ROUND_CEILING))
    ends = [context.divide(Decimal(x.numerator), Decimal(x.denominator)) for context, x in ((down, lower), (up, upper))]
    return f"[{ends[0]:g}, {ends[1]:g}]"


def estimate(number: Fraction | int, digits: int = 6) -> str:
    """A decimal near a rational, to so many digits, also where it lies beyond double precision: ``0.333333``, ``1e-400``."""
    size = number.numerator.bit_length() - number.denominator.bit_length()
    if number == 0 or abs(size) < 1000:
        return f"{float(number):.{digits}g}"
    return f"{_decimal(number, digits).normalize():e}"


def parameter(number: Fraction | int) -> str:
    """A rational as a part of a name: itself where it is short, else a decimal and a digest, so that different numbers differ."""
    text = written(number)
    return text if len(text) <= _LONGEST_PARAMETER else f"{estimate(number, 12)}~{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def quoted(value: Any) -> str:
    """A refused value in a message: on one line, never long; of a container only the type, which is what is wrong with it."""
    if isinstance(value, (str, bytes)):
        return repr(value) if len(value) <= 40 else f"{value[:37]!r}..."
    if isinstance(value, int) and not isinstance(value, bool):
        return shown(value)
    plain = value is None or isinstance(value, (bool, float, complex)) or (type(value).__module__ == "numpy" and not hasattr(value, "__len__"))
    return repr(value) if plain else f"a {type(value).__name__}"


def _decimal(number: Fraction | int, digits: int) -> Decimal:
    """A decimal near a number, to so many digits; the leading bits of longer integers are enough for it."""
    context = Context(prec=digits, Emax=MAX_EMAX, Emin=MIN_EMIN)
    dropped = [max(0, part.bit_length() - _KEPT_BITS) for part in (number.numerator, number.denominator)]
    ratio = Context(prec=2 * digits, Emax=MAX_EMAX, Emin=MIN_EMIN)
    above, below = Decimal(number.numerator >> dropped[0]), Decimal(number.denominator >> dropped[1])
    return context.multiply(ratio.divide(above, below), ratio.power(2, dropped[0] - dropped[1]))


def _is_short(number: Fraction | int, longest: int) -> bool:
    """Whether the text may have at most so many characters: three bits are less than a digit."""
    return number.numerator.bit_length() + number.denominator.bit_length() <= 4 * longest + 8


def _digits(number: int) -> str:
    if number.bit_length() < 3 * _ALWAYS_CONVERTED:
        return str(number)
    from flint import fmpz

    return str(fmpz(number).str())


def _integer(digits: str) -> int:
    if len(digits) <= _ALWAYS_CONVERTED:
        return int(digits)
    from flint import fmpz

    return int(fmpz(digits))
