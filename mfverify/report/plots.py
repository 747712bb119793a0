"""The plots of the report: small SVG panels, each with its numbers as text.

Every line has its own colour (the Okabe-Ito palette), dash pattern and marker, so none of the three is needed to tell
lines apart. The shaded band of a line is its enclosure; usually it is thinner than the line. The same input gives the
same bytes: ids are hashed with a fixed salt, no date is written, and the user's matplotlib settings are not read.
"""

from __future__ import annotations

import io
import math
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from mfverify.report.digits import compact, compared, drawn, listed, plain, superscript
from mfverify.report.document import ClaimRecord, Curve, InstanceRecord, Side, side_between
from mfverify.report.summary import counted, excess, where
from mfverify.theory.claim import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS: Final = 6
"""Panels of the same type per claim; the most informative come first."""

_SPOKEN_POINTS: Final = 12
"""A text alternative lists up to this many points, then only ends and extremes."""

_SIZE: Final = (4.3, 2.9)
"""Width and height of a panel in inches; the page scales it."""

_LEGEND_COLUMNS: Final = 2

_LINE: Final = 13.5
"""Height of a line of text in points."""

_STYLES: Final = (
    ("#0072B2", "-", "o"),
    ("#D55E00", "--", "s"),
    ("#009E73", "-.", "^"),
    ("#CC79A7", (0, (5, 1, 1, 1, 1, 1)), "D"),
    ("#000000", ":", "v"),
    ("#56B4E9", (0, (1, 1)), "P"),
    ("#E69F00", (0, (8, 2)), "X"),
)  # fmt: skip
"""Okabe-Ito colour, dash pattern, marker: of the actual value, of the bound, then of further series."""

_FAR: Final = 3
"""A trivial bound beyond this many times everything else would flatten the plot, so it is mentioned instead of drawn."""

_TRIVIAL: Final = ("#555555", (0, (1, 2)), "")

SETTINGS: Final[Any] = {
    "svg.hashsalt": "mfverify report",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "font.size": 10.0,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 10.0,
    "figure.facecolor": "white",
}
"""Matplotlib settings of every drawing; the user's own are not read."""


@dataclass(frozen=True)
class Panel:
    """One plot: inline SVG with an accessible name, a caption, and the numbers drawn as rows (header first) if there are few."""

    svg: Markup
    caption: str
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Line:
    """What to draw of one quantity: a lower and an upper bound per abscissa."""

    label: str
    x: Sequence[float]
    lower: Sequence[float]
    upper: Sequence[float]
    style: tuple[str, Any, str]


@dataclass(frozen=True)
class Group:
    """The instances of a claim that differ in the subsample size alone, by size."""

    title: str
    instances: tuple[InstanceRecord, ...]

    @property
    def violated(self) -> list[InstanceRecord]:
        """Those that violate the claim."""
        return [instance for instance in self.instances if instance.verdict is Verdict.VIOLATED]


def against_subsample(claim: ClaimRecord) -> tuple[list[Panel], int]:
    """Panels of both sides against k, the most informative first, and the number of panels left out.

    There is one per (model, agents, parameters) with at least two subsample sizes that have two certified sides, unless
    neither side changes with k: two flat lines say no more than the table does.
    """
    groups = sorted(_groups(claim), key=_telling, reverse=True)
    panels = [_subsample_panel(group, f"plot-{claim.anchor}-k{number}") for number, group in enumerate(groups[:MOST_PANELS], start=1)]
    return panels, len(groups) - len(panels)


def curves(claim: ClaimRecord) -> tuple[list[Panel], int]:
    """Panels of the curves that the instances bring along, violated ones first, and how many more there would be.

    A curve of a single point is not drawn: it says no more than the two sides of its instance.
    """
    having = [(instance, instance.curve) for instance in claim.instances if instance.curve is not None and len(set(instance.curve.x)) >= 2]
    having.sort(key=lambda pair: pair[0].verdict is not Verdict.VIOLATED)
    panels = [
        curve_panel(curve, where(instance), f"plot-{claim.anchor}-c{number}")
        for number, (instance, curve) in enumerate(having[:MOST_PANELS], start=1)
    ]
    return panels, len(having) - len(panels)


def _groups(claim: ClaimRecord) -> list[Group]:
    gathered: dict[tuple[Any, ...], list[InstanceRecord]] = {}
    for instance in claim.instances:
        if instance.subsample is not None and instance.actual and instance.bound:
            gathered.setdefault((instance.model, instance.agents, instance.parameters), []).append(instance)
    groups = []
    for instances in gathered.values():
        ordered = sorted(instances, key=lambda instance: instance.subsample or 0)
        varies = any(len({(side.lower, side.upper) for side in sides}) > 1 for sides in _sides(ordered))
        if len({instance.subsample for instance in ordered}) >= 2 and (varies or any(i.verdict is Verdict.VIOLATED for i in ordered)):
            groups.append(Group(where(replace(ordered[0], subsample=None)), tuple(ordered)))
    return groups


def _sides(instances: Sequence[InstanceRecord]) -> tuple[list[Side], list[Side]]:
    """Left sides and right sides."""
    return [i.actual for i in instances if i.actual], [i.bound for i in instances if i.bound]


def _telling(group: Group) -> tuple[Any, ...]:
    """Groups with violations first, the clearest first; then those that come closest to one."""
    return bool(group.violated), max(excess(instance) for instance in group.instances)


def _subsample_panel(group: Group, prefix: str) -> Panel:
    x = [float(instance.subsample or 0) for instance in group.instances]
    trivial = [instance.trivial for instance in group.instances]
    actual = [drawn(instance.actual) for instance in group.instances if instance.actual]
    bound = [drawn(instance.bound) for instance in group.instances if instance.bound]
    lines = [
        Line("left side", x, [low for low, _ in actual], [high for _, high in actual], _STYLES[0]),
        Line("right side", x, [low for low, _ in bound], [high for _, high in bound], _STYLES[1]),
    ]
    far = ""
    if all(trivial):
        ends = [drawn(side) for side in trivial if side]
        largest = max((high for _, high in (*actual, *bound) if not math.isnan(high)), default=math.nan)
        if min(low for low, _ in ends) > _FAR * largest > 0:
            far = " The trivial bound lies far above what is drawn."
        else:
            lines.append(Line("trivial", x, [low for low, _ in ends], [high for _, high in ends], _TRIVIAL))
    violated = [(point, ends[1]) for point, ends, instance in zip(x, actual, group.instances, strict=True) if instance in group.violated]
    name = f"{group.title}: both sides against k. {_spoken_instances(group)}"
    svg = _svg(lines, violated, ("subsample size k", ""), _scale(lines), name, prefix)
    found = f"violated at k = {listed([str(instance.subsample) for instance in group.violated])}" if violated else "no violation"
    return Panel(svg, f"{group.title}: {counted(len(x), 'subsample size')}, {found}.{far}")


def _spoken_instances(group: Group) -> str:
    chosen = group.instances
    if len(chosen) > _SPOKEN_POINTS:
        step = (len(chosen) - 1) / (_SPOKEN_POINTS - 1)
        chosen = tuple(chosen[round(index * step)] for index in range(_SPOKEN_POINTS))
    said = []
    for instance in chosen:
        assert instance.actual is not None  # only instances with two sides are grouped
        assert instance.bound is not None
        left, right = compared(instance.actual, instance.bound)
        said.append(f"k = {instance.subsample}: left {left.text}, right {right.text}, {instance.verdict.value}")
    more = f" ({len(chosen)} of {len(group.instances)} points.)" if len(chosen) < len(group.instances) else ""
    return "; ".join(said) + "." + more


def curve_panel(curve: Curve, place: str, prefix: str) -> Panel:
    """The panel of one curve; ``place`` names the claim and instance, ``prefix`` makes its ids unique."""
    styles = islice(cycle(_STYLES), len(curve.series))
    lines = [Line(series.label, curve.x, series.lower, series.upper, style) for series, style in zip(curve.series, styles, strict=True)]
    spoken = "; ".join(_spoken_line(line) for line in lines)
    name = f"{curve.title}, {place}. {curve.y_label} against {curve.x_label}. {spoken}."
    svg = _svg(lines, [], (curve.x_label, curve.y_label), curve.scale, name, prefix)
    few = len(curve.x) <= 3 * _SPOKEN_POINTS
    return Panel(svg, f"{curve.title} ({place}).", _rows(curve) if few else ())


def _spoken_line(line: Line) -> str:
    points = list(zip(line.x, line.lower, line.upper, strict=True))
    if len(points) > _SPOKEN_POINTS:
        known = [(low, high) for _, low, high in points if not (math.isnan(low) or math.isnan(high))]
        extremes = f", between {plain(min(low for low, _ in known))} and {plain(max(high for _, high in known))}" if known else ""
        return f"{line.label}: {len(points)} points from {plain(points[0][1])} at {plain(points[0][0])} to {plain(points[-1][1])} at {plain(points[-1][0])}{extremes}"
    said = [f"{_spoken_value(low, high)} at {plain(x)}" for x, low, high in points]
    return f"{line.label}: {', '.join(said)}"


def _spoken_value(low: float, high: float) -> str:
    return plain(low) if plain(low) == plain(high) else f"{plain(low)} to {plain(high)}"


def _rows(curve: Curve) -> tuple[tuple[str, ...], ...]:
    header = (curve.x_label, *(series.label for series in curve.series))
    body = [
        (f"{point:g}", *(_enclosed(series.lower[index], series.upper[index]) for series in curve.series))
        for index, point in enumerate(curve.x)
    ]
    return header, *body


def _enclosed(low: float, high: float) -> str:
    if math.isnan(low) and math.isnan(high):
        return "–"
    return compact(side_between(low, high)).text


def _scale(lines: Sequence[Line]) -> str:
    """Logarithmic where the values are positive and spread over a factor of more than 30."""
    values = [value for line in lines for end in (line.lower, line.upper) for value in end if not math.isnan(value)]
    return "log" if values and min(values) > 0 and max(values) > 30 * min(values) else "linear"


def _svg(
    lines: Sequence[Line], violated: Sequence[tuple[float, float]], labels: tuple[str, str], scale: str, name: str, prefix: str
) -> Markup:
    buffer = io.StringIO()
    with mpl.rc_context(), np.errstate(over="ignore"):  # axes may reach beyond double precision
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        figure = Figure(figsize=_SIZE)
        FigureCanvasSVG(figure)
        wrapped = _wrapped(labels[0], 50), _wrapped(labels[1], 36)
        names = _names(lines, violated)
        axes = figure.add_axes(_box(wrapped, names))
        _draw(axes, lines, violated, wrapped, names, scale)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return inlined(buffer.getvalue(), name, prefix)


def _names(lines: Sequence[Line], violated: Sequence[tuple[float, float]]) -> list[str]:
    """The entries of the legend; matplotlib leaves out those that begin with an underscore."""
    names = [" " + line.label if line.label.startswith("_") else line.label for line in lines]
    return [_wrapped(name, 30) for name in (*names, *(["violated"] if violated else []))]


def _box(labels: tuple[str, str], names: Sequence[str]) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of the axes as parts of the figure, with space for the labels and for the legend above.

    A layout that matplotlib finds for itself draws everything three times.
    """
    width, height = (72 * inches for inches in _SIZE)
    below, beside = (label.count("\n") + bool(label) for label in labels)
    first = -(-len(names) // _LEGEND_COLUMNS)
    above = max(sum(_LINE * (name.count("\n") + 1) + 5 for name in column) for column in (names[:first], names[first:])) + 9
    left, bottom, right = 46 + _LINE * beside, 20 + _LINE * below, 8
    return left / width, bottom / height, (width - left - right) / width, (height - bottom - above) / height


def _draw(
    axes: Axes, lines: Sequence[Line], violated: Sequence[tuple[float, float]], labels: tuple[str, str], names: Sequence[str], scale: str
) -> None:
    handles = []
    if scale == "log":
        axes.set_yscale("log", nonpositive="mask")
        axes.yaxis.set_major_formatter(FuncFormatter(_power))
        axes.yaxis.set_minor_formatter(NullFormatter())
    for line in lines:
        colour, dashes, marker = line.style
        middle = [low / 2 + high / 2 for low, high in zip(line.lower, line.upper, strict=True)]
        axes.fill_between(line.x, line.lower, line.upper, color=colour, alpha=0.25, linewidth=0)
        every = max(1, len(line.x) // 20)
        handles += axes.plot(line.x, middle, color=colour, linestyle=dashes, marker=marker, markevery=every)
    if violated:
        ring: dict[str, Any] = {
            "linestyle": "",
            "marker": "o",
            "markersize": 10,
            "markerfacecolor": "none",
            "markeredgecolor": "black",
            "clip_on": False,
        }
        handles += axes.plot([x for x, _ in violated], [y for _, y in violated], **ring)
    if scale == "linear":
        low = min((value for line in lines for value in line.lower if not math.isnan(value)), default=0.0)
        axes.set_ylim(bottom=min(0.0, low) if low >= 0 else None)
    if all(x.is_integer() for line in lines for x in line.x):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.figure.legend(handles, names, loc="upper left", ncols=_LEGEND_COLUMNS, handlelength=3.2, borderaxespad=0.1)


def _wrapped(label: str, width: int) -> str:
    """A label on at most two lines; the text alternative has all of it."""
    return "\n".join(textwrap.wrap(label, width, max_lines=2, placeholder=" …"))


def _power(value: float, _position: int) -> str:
    """The tick of a logarithmic axis, in plain characters: mathematical markup is off in the plots. None beyond doubles."""
    if not 0 < value < math.inf:
        return ""
    exponent = round(math.log10(value))
    if -3 <= exponent <= 4:
        return f"{value:.{max(0, -exponent)}f}"
    return "10" + superscript(exponent)


def inlined(document: str, name: str, prefix: str) -> Markup:
    """The ``svg`` element of a matplotlib document, fit to be one of several in a page.

    Ids that nothing refers to are dropped and the others get a prefix of their own; the style sheet, which would apply to
    the whole page, is dropped (the page states the same rule for its plots), and so is what only makes the page heavy: groups
    without a purpose, the font's name on every word, rotations by nothing.
    """
    body = document[document.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<style .*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->\s*", "", body, flags=re.DOTALL)
    referred = set(re.findall(r'(?:href="#|url\(#)([^")]+)', body))

    def own(tag: re.Match[str]) -> str:
        kept = re.sub(r' id="([^"]*)"', lambda found: f' id="{prefix}-{found.group(1)}"' if found.group(1) in referred else "", tag.group())
        return kept.replace('xlink:href="#', f'href="#{prefix}-').replace("url(#", f"url(#{prefix}-")

    body = re.sub(r"<[^>]*>", lambda tag: _light(own(tag)), body)  # in tags only: a label may read like an attribute
    body = _without_idle_groups(re.sub(r"<defs>\s*</defs>", "", body))
    head, rest = body.split(">", 1)
    view_box = re.search(r'viewBox="[^"]*"', head)
    assert view_box is not None  # matplotlib writes one always
    opening = Markup('<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{}" {}>')
    return opening.format(name, Markup(view_box.group())) + Markup(re.sub(r"\n\s*", "\n", rest).strip())


def _light(tag: str) -> str:
    """A tag without what the page's style sheet says once, its coordinates to a hundredth of a point and on one line."""
    tag = re.sub(r"font-family: [^;\"]*;? ?", "", tag)
    tag = re.sub(r' transform="rotate\(-?0 [^"]*"', "", tag)
    if tag.startswith(("<path", "<use", "<text")):
        tag = re.sub(r"(\.\d\d)\d+", r"\1", tag)
    return re.sub(r"\s*\n\s*", "", tag) if tag.startswith("<path") else tag


def _without_idle_groups(body: str) -> str:
    """The body without the groups that have no attribute or no content: they mean nothing."""
    body = re.sub(r"<g\b[^>]*/>\s*", "", body)
    kept: list[bool] = []

    def group(tag: re.Match[str]) -> str:
        if tag.group() == "</g>":
            return tag.group() if kept.pop() else ""
        kept.append(tag.group() != "<g>")
        return tag.group() if kept[-1] else ""

    return re.sub(r"<g\b[^>]*>|</g>", group, body)
