"""The picture of a sweep: both sides against one axis, or a map of verdicts over two. It stands alone: title, axes, legend, what is fixed.

Colours are those of Okabe and Ito, and every verdict and every line has a pattern too. The same document gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mfverify.errors import ModelError
from mfverify.files import check_writable, whole_file
from mfverify.rationals import from_text
from mfverify.theory.claim import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES: Final = (".svg", ".png", ".pdf")

_LOOK: Final = {
    Verdict.HOLDS: ("#009E73", "", "holds"),
    Verdict.VIOLATED: ("#D55E00", "xxx", "violated"),
    Verdict.VACUOUS: ("#B4DCF2", "...", "vacuous: holds trivially"),
    Verdict.NOT_APPLICABLE: ("#EEEEEE", "", "not applicable"),
    Verdict.UNDECIDED: ("#F0E442", "///", "undecided"),
}
"""Colour, pattern and name of a verdict on a map."""

_LINES: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9")
_MARKERS: Final = "osD^vP"
_NAMES: Final = {"n": "agents n", "k": "sampled agents k", "discount": "discount", "classes": "classes"}
_SETTINGS: Final = {
    "svg.hashsalt": "mfverify points",
    "svg.fonttype": "path",
    "text.parse_math": False,
    "hatch.linewidth": 0.6,
    "font.size": 10.0,
}
_MOST_LINES: Final = len(_LINES)


def check_picture(path: Path, shape: Sequence[int], option: str = "plot") -> None:
    """Refuse a path of another kind, one that cannot be written, and axes that one picture cannot show, before any work.

    ``shape``: how many values each axis has.
    """
    if path.suffix not in SUFFIXES:
        raise ModelError(f"{option}: {path}: found the ending {path.suffix!r}, expected {', '.join(SUFFIXES)}")
    check_writable(path, option)
    _check_shape(shape, option)


def is_map(document: Mapping[str, Any]) -> bool:
    """Whether verdicts are shown over two axes: where only they were requested, or where there are too many lines."""
    several = sorted(len(axis["values"]) for axis in document["axes"] if len(axis["values"]) > 1)
    return len(several) == 2 and (document["shows"] == "verdicts" or several[0] > _MOST_LINES)


def figure(document: Mapping[str, Any]) -> Figure:
    """The figure of a sweep's document. Raises :class:`ModelError` where more than two axes have several values."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    _check_shape([len(axis["values"]) for axis in document["axes"]], "plot")
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        made = Figure(figsize=(7.2, 4.8), layout="constrained")
        axes = made.add_subplot()
        if is_map(document):
            _map(axes, document)
        else:
            _curves(axes, document)
        made.suptitle(f"{document['claim']}. {document['title']}", fontsize=11)
        axes.set_title(described(document), fontsize=9)
    return made


def write_picture(document: Mapping[str, Any], path: Path) -> None:
    """Write the picture whole or not at all, as the ending of ``path`` says."""
    check_picture(path, [len(axis["values"]) for axis in document["axes"]])
    content = rendered(document, path.suffix[1:])
    with whole_file(path) as stream:
        stream.write(content)


def rendered(document: Mapping[str, Any], kind: str) -> bytes:
    """The content of a file of a kind: ``svg``, ``png`` or ``pdf``."""
    import matplotlib as mpl

    made, buffer = figure(document), io.BytesIO()
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[kind]
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        made.savefig(buffer, format=kind, metadata=metadata, dpi=160)
    content = buffer.getvalue()
    if kind != "svg":
        return content
    text = content.decode("utf-8")
    at = text.index(">", text.index("<svg")) + 1
    return (text[:at] + f"<title>{_escaped(spoken(document))}</title>" + text[at:]).encode("utf-8")


def spoken(document: Mapping[str, Any]) -> str:
    """The picture in words, for readers who do not see it."""
    told = ", ".join(f"{number} {word}" for word, number in document["summary"].items() if number)
    return f"{document['claim']}. {document['title']}. {described(document)}. {len(document['points'])} points: {told}."


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _check_shape(shape: Sequence[int], option: str) -> None:
    if sum(size > 1 for size in shape) > 2:
        raise ModelError(f"{option}: more than two axes have several values; draw two at a time, or write the table alone")


def described(document: Mapping[str, Any]) -> str:
    """What does not vary: the model, axes with one value, the start."""
    fixed = [str(document["model"])] if document["model"] is not None else []
    fixed += [f"{axis['name']} = {axis['values'][0]}" for axis in document["axes"] if len(axis["values"]) == 1]
    return ", ".join([*fixed, *([f"start {document['start']}"] if document["start"] else [])])


def _varied(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The axes with several values, the longest first; at least one axis."""
    found = sorted((a for a in document["axes"] if len(a["values"]) > 1), key=lambda axis: -len(axis["values"]))
    return found or [axis for axis in document["axes"] if axis["name"] == "k"]


def _number(text: str) -> float:
    return float(from_text(text))


def _map(axes: Axes, document: Mapping[str, Any]) -> None:
    """One cell for each point, coloured and hatched by its verdict."""
    from matplotlib.patches import Patch, Rectangle

    given = [axis for axis in document["axes"] if len(axis["values"]) > 1]
    first, second = given if len(given) == 2 else (_varied(document)[0], document["axes"][0])
    widths = {
        axis["name"]: dict(zip(axis["values"], _cells([from_text(x) for x in axis["values"]]), strict=True)) for axis in (first, second)
    }
    seen = {Verdict(one["verdict"]) for one in document["points"]}
    for one in document["points"]:
        (x, width), (y, height) = (widths[axis["name"]][one["at"][axis["name"]]] for axis in (first, second))
        colour, hatch, _ = _LOOK[Verdict(one["verdict"])]
        axes.add_patch(
            Rectangle((x, y), width, height, facecolor=colour, hatch=hatch, edgecolor="#00000066" if hatch else "none", linewidth=0)
        )
    for setter, axis in ((axes.set_xlim, first), (axes.set_ylim, second)):
        spans = list(widths[axis["name"]].values())
        setter(min(x for x, _ in spans), max(x + width for x, width in spans))
    _label(axes, first["name"], second["name"])
    axes.figure.legend(
        handles=[Patch(facecolor=c, hatch=h, edgecolor="#00000066", label=name) for v, (c, h, name) in _LOOK.items() if v in seen],
        loc="outside lower center",
        ncols=3,
        frameon=False,
    )


def _cells(values: Sequence[Fraction]) -> Iterator[tuple[float, float]]:
    """The left end and the width of the cell of each value: to the middle between neighbours."""
    ordered = sorted(values)
    middles = [(a + b) / 2 for a, b in pairwise(ordered)]
    half = (ordered[1] - ordered[0]) / 2 if len(ordered) > 1 else Fraction(1, 2)
    edges = [ordered[0] - half, *middles, ordered[-1] + (ordered[-1] - ordered[-2] if len(ordered) > 1 else Fraction(1)) / 2]
    place = {x: (float(edges[i]), float(edges[i + 1] - edges[i])) for i, x in enumerate(ordered)}
    yield from (place[x] for x in values)


def _label(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(_NAMES.get(x, x))
    axes.set_ylabel(_NAMES.get(y, y))


def _curves(axes: Axes, document: Mapping[str, Any]) -> None:
    """Both sides against the longest axis, one colour for each value of the other axis; on a logarithmic scale zeros are left out."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    x, *others = _varied(document)
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for one in document["points"]:
        groups.setdefault(", ".join(f"{axis['name']} = {one['at'][axis['name']]}" for axis in others), []).append(one)
    drawn: list[float] = []
    for i, (name, points) in enumerate(groups.items()):
        colour, marker, told = _LINES[i], _MARKERS[i], f", {name}" if name else ""
        drawn += _line(
            axes, x, [p for p in points if p["by"] in ("values", "start")], "actual", (colour, "-", marker), document["left_means"] + told
        )
        drawn += _line(axes, x, points, "bound", (colour, "--", ""), document["right_means"] + told)
        simulated = [(p, p["simulated"]) for p in points if p["simulated"] and "lower" in p["simulated"]]
        if simulated:
            places = [_number(p["at"][x["name"]]) for p, _ in simulated]
            lows, highs = ([s[end] for _, s in simulated] for end in ("lower", "upper"))
            share = f"{simulated[0][1]['confidence']:.0%}"
            axes.vlines(
                places, lows, highs, colors=colour, linestyles=":", label=f"simulation, one start, {share} confidence: no verdict{told}"
            )
    trivial = {p["trivial"]["upper"] for p in document["points"] if p["trivial"]}
    if len(trivial) == 1 and drawn and max(drawn) >= next(iter(trivial)) / 3:
        axes.axhline(next(iter(trivial)), color="#555555", linestyle=(0, (1, 2)), label="what the left side never exceeds")
    ring = [(_number(p["at"][x["name"]]), p["actual"]["lower"]) for p in document["points"] if p["verdict"] == "violated" and p["actual"]]
    if ring:
        axes.plot(*zip(*ring, strict=True), "o", markersize=9, markerfacecolor="none", markeredgecolor="black", label="violated")
    positive = [value for value in drawn if value > 0]
    if positive and max(positive) > 30 * min(positive):
        axes.set_yscale("log", nonpositive="mask")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(color="#dddddd", linewidth=0.5)
    _label(axes, x["name"], "")
    axes.figure.legend(loc="outside lower center", ncols=2, frameon=False)


def _line(
    axes: Axes, x: Mapping[str, Any], points: Sequence[Mapping[str, Any]], side: str, style: tuple[str, str, str], label: str
) -> list[float]:
    """A line with the band of its enclosure; the heights drawn. Points with an unbounded side are left out."""
    known = [
        (_number(p["at"][x["name"]]), p[side]["lower"], p[side]["upper"])
        for p in points
        if p[side] and None not in (p[side]["lower"], p[side]["upper"])
    ]
    if not known:
        return []
    known.sort()
    places, lows, highs = map(list, zip(*known, strict=True))
    middle = [low / 2 + high / 2 for low, high in zip(lows, highs, strict=True)]
    colour, dashes, marker = style
    axes.fill_between(places, lows, highs, color=colour, alpha=0.25, linewidth=0)
    axes.plot(places, middle, color=colour, linestyle=dashes, marker=marker, markersize=4, markevery=max(1, len(places) // 30), label=label)
    return [max(low, 0.0) for low in lows]
