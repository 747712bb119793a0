r"""Prose with LaTeX between dollars, typeset as HTML with MathML.

``latex2mathml`` does the translation, but it lets mistakes through: an unknown command becomes an identifier, a missing
argument an element with too few children, and the contents of ``\text`` are not escaped. The translation is therefore
taken as a tree, checked against the elements, attributes and arities of MathML Core that are known here, and written out
anew with every character escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element
from markupsafe import Markup, escape

from mfverify.errors import ModelError

ARITY: Final = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3}
"""The number of children that MathML Core requires."""

_ELEMENTS: Final = frozenset({"math", "mrow", "mstyle", "msqrt", "mi", "mn", "mo", "mtext", "mspace", "mtable", "mtr", "mtd", *ARITY})

_ATTRIBUTES: Final = frozenset(
    {
        "xmlns", "display", "alttext", "displaystyle", "scriptlevel", "mathvariant", "stretchy", "fence", "form", "separator", "accent",
        "movablelimits", "minsize", "maxsize", "lspace", "rspace", "width", "linethickness", "columnalign", "columnspacing", "rowspacing",
    }
)  # fmt: skip

_TOKENS: Final = frozenset({"mi", "mn", "mo", "mtext", "mspace"})
"""Elements that hold characters alone."""

_EMPTY: Final = frozenset({"mspace", "mrow", "mtd"})
"""Elements that may have no content."""

_LIMITS: Final = frozenset({"max", "min", "sup", "inf", "lim", "argmax", "argmin", "Pr"})
"""Operators that carry their subscript below them in display style."""

_ENTITY: Final = re.compile(r"&#x([0-9A-Fa-f]+);")
_DOLLARS: Final = re.compile(r"(?<!\\)(\$\$?)")
_COMMAND: Final = re.compile(r"\\[A-Za-z]+")
_PRIME: Final = "&#x02032;"
_NEGATIVE_THIN: Final = "-0.167em"

_ALPHABETS: Final = {
    "bold": {"A": 0x1D400, "a": 0x1D41A, "0": 0x1D7CE},
    "double-struck": {"A": 0x1D538, "a": 0x1D552, "0": 0x1D7D8},
    "script": {"A": 0x1D49C, "a": 0x1D4B6},
    "fraktur": {"A": 0x1D504, "a": 0x1D51E},
}
"""First letters of the alphabets that MathML Core wants as characters, not as the attribute ``mathvariant``."""

_ELSEWHERE: Final = {
    "double-struck": dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)),
    "script": dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True)),
    "fraktur": dict(zip("CHIRZ", "ℭℌℑℜℨ", strict=True)),
}
"""Letters of these alphabets that were characters before the alphabets were."""


def typeset(prose: str, place: str) -> Markup:
    r"""Prose with ``$...$`` and ``$$...$$`` as HTML; ``\$`` is a dollar.

    ``place`` names the field in errors. Raises :class:`ModelError` on an unclosed dollar, on LaTeX outside dollars and on
    LaTeX that does not translate cleanly.
    """
    return Markup("").join(_mathml(part, display, place) if maths else _prose(part, place) for part, maths, display in _parts(prose, place))


def _parts(prose: str, place: str) -> Iterator[tuple[str, bool, bool]]:
    """The pieces of ``prose``: (text, is it maths, is it display maths)."""
    pieces = _DOLLARS.split(prose)
    opened = ""
    for index, piece in enumerate(pieces):
        if index % 2 == 0:
            yield piece, bool(opened), opened == "$$"
        elif not opened:
            opened = piece
        elif piece == opened:
            opened = ""
        else:
            raise ModelError(f"{place}: mathematics opened with {opened} is closed with {piece} in {_shortened(prose)}; use the same one")
    if opened:
        raise ModelError(f"{place}: {opened} opens mathematics that is never closed in {_shortened(prose)}; write a dollar sign as \\$")


def _prose(piece: str, place: str) -> Markup:
    piece = piece.replace("\\$", "$")
    if command := _COMMAND.search(piece):
        raise ModelError(f"{place}: LaTeX {command.group()} is outside mathematics in {_shortened(piece)}; put it between dollars")
    return escape(piece)


@lru_cache(maxsize=4096)
def _mathml(latex: str, display: bool, place: str) -> Markup:
    _check_braces(latex, place)
    style = "block" if display else "inline"
    try:
        root = convert_to_element(latex, display=style)
    except Exception as error:  # the library has a dozen exceptions without a common root, most without a message
        problem = str(error) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()
        raise _refused(latex, place, problem) from error
    root.set("alttext", latex.strip())
    root.attrib.pop("xmlns", None)  # a page of HTML needs none
    _polish(root, display)
    written = _written(root, latex, place)
    return Markup('<span class="display">{}</span>').format(written) if display else written


def _refused(latex: str, place: str, problem: str) -> ModelError:
    return ModelError(f"{place}: the LaTeX fragment {_shortened(latex)} does not translate: {problem}")


def _shortened(fragment: str) -> str:
    line = " ".join(fragment.split())
    return repr(line if len(line) <= 120 else line[:117] + "...")


def _check_braces(latex: str, place: str) -> None:
    depth = 0
    for token in re.findall(r"\\.|[{}]", latex, flags=re.DOTALL):
        depth += {"{": 1, "}": -1}.get(token, 0)
        if depth < 0:
            raise _refused(latex, place, "a brace } closes nothing")
    if depth:
        raise _refused(latex, place, "a brace { is never closed")


def _polish(element: Element, display: bool) -> None:
    """Make up for what MathML Core does not do: limits below operators, spacing of names, alphabets, accents."""
    _gather_base(element)
    children = list(element)
    for index, child in enumerate(children):
        _polish(child, display)
        name = child[0] if child.tag in ("msub", "msubsup") and len(child) else child
        word = _characters(name.text).replace("\u2009", "")
        if name.tag in ("mi", "mo") and len(word) > 1 and word.isalpha():
            name.tag = "mo"
            following = children[index + 1] if index + 1 < len(children) else None
            name.set("lspace", "0.167em" if index else "0")
            name.set("rspace", "0" if following is None or _opens(following) else "0.167em")
            name.set("movablelimits", "false")
            if display and child is not name and word in _LIMITS:
                child.tag = {"msub": "munder", "msubsup": "munderover"}[child.tag]
    if element.tag == "msup" and len(element) == 2 and element[1].text == _PRIME and element[1].tag == "mi":
        element.tag = "mrow"  # browsers do not enlarge the prime, which fonts draw raised already
        element[1].tag = "mo"
        element[1].set("lspace", "0")
        element[1].set("rspace", "0")
    if element.tag == "mover" and len(element) == 2 and element[1].tag == "mo":
        element.set("accent", "true")
    if element.tag == "mo" and element.text in ("&#x0007C;", "&#x02016;", "&#x0002F;"):
        element.set("lspace", "0")
        element.set("rspace", "0")
    if element.tag == "mspace" and element.get("width") == "negativethinmathspace":
        element.set("width", _NEGATIVE_THIN)
    variant = element.get("mathvariant")
    if variant in _ALPHABETS and element.text and not len(element):
        element.text = "".join(_in_alphabet(letter, variant) for letter in element.text)
        del element.attrib["mathvariant"]


def _gather_base(element: Element) -> None:
    """Make one base of ``( fraction )``, which the library leaves in three pieces when a binomial carries an exponent."""
    pieces = list(element)[:3]
    loose = element.tag in ("msub", "msup", "msubsup") and len(element) == ARITY[element.tag] + 2
    if loose and [_characters(piece.text) for piece in (pieces[0], pieces[2])] == ["(", ")"]:
        for piece in pieces:
            element.remove(piece)
        base = Element("mrow")
        base.extend(pieces)
        element.insert(0, base)


def _characters(content: str | None) -> str:
    """The content of an element; the library writes symbols as hexadecimal entities."""
    return _ENTITY.sub(lambda entity: chr(int(entity.group(1), 16)), content or "")


def _opens(element: Element) -> bool:
    """Whether an element starts with an opening parenthesis, bracket or brace."""
    while len(element):
        element = element[0]
    return _characters(element.text) in ("(", "[", "{")


def _in_alphabet(letter: str, variant: str) -> str:
    if letter in _ELSEWHERE.get(variant, {}):
        return _ELSEWHERE[variant][letter]
    starts = _ALPHABETS[variant]
    for first, size in (("A", 26), ("a", 26), ("0", 10)):
        if 0 <= ord(letter) - ord(first) < size:
            return chr(starts[first] + ord(letter) - ord(first))
    return letter


def _written(element: Element, latex: str, place: str) -> Markup:
    """The element as markup, or a :class:`ModelError` saying what of the LaTeX did not come through."""
    tag, content = element.tag, element.text or ""
    if tag not in _ELEMENTS:
        raise _refused(latex, place, f"it needs the element <{tag}>, which is not among those this report writes")
    for name in element.attrib:
        if name == "mathvariant" and element.get(name) not in ("normal", "italic"):
            raise _refused(latex, place, f"browsers do not draw the alphabet {element.get(name)!r}")
        if name not in _ATTRIBUTES:
            raise _refused(latex, place, f"it needs the attribute {name!r}, which is not among those this report writes")
    if tag in ARITY and len(element) != ARITY[tag]:
        raise _refused(latex, place, f"an argument is missing (<{tag}> has {len(element)} of {ARITY[tag]} parts)")
    if content.startswith("\\"):
        raise _refused(latex, place, f"the command {content} is not known")
    if content == "&":
        raise _refused(latex, place, "an & is outside a matrix or cases; write the lines as separate formulas")
    if tag not in _EMPTY and not content.strip() and not len(element):
        hint = "; \\operatorname takes letters only" if tag == "mo" else ""
        raise _refused(latex, place, f"a part of it is empty (<{tag}>{hint})")
    if tag in _TOKENS and len(element):
        raise _refused(latex, place, "it makes an operator of several parts; write its name with \\operatorname")
    inside = escape(_characters(content))
    inside += Markup("").join(_written(child, latex, place) for child in element)
    attributes = Markup("").join(Markup(' {}="{}"').format(name, value) for name, value in element.attrib.items())
    return Markup("<{0}{1}>{2}</{0}>").format(tag, attributes, inside)
