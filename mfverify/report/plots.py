"""The plots of the report: one light SVG drawing each, with the numbers behind it as CSV.

Every line has a colour of its own (the Okabe-Ito palette, by the page's style sheet) and a marker of its own, so either tells lines apart. A
shaded band is the enclosure of a line; where none is seen it is thinner than the line. Three points or fewer are not drawn: a line
through them would say more than they do, and the table has their numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup, escape

from mfverify.report.axes import Axis, geometric, linear, logarithmic
from mfverify.report.digits import compared, drawn, listed, plain
from mfverify.report.document import ClaimRecord, Curve, InstanceRecord, Series, Side
from mfverify.report.summary import counted, excess, where
from mfverify.theory.claim import Verdict

FEWEST_POINTS: Final = 4
"""Fewer points are left to the table of instances."""

MOST_CURVES: Final = 8
"""Curves that are drawn of one claim; the page counts the others, which are in report.json."""

MOST_POINTS: Final = 32
"""Of a longer curve every second, third, ... point is drawn, and the last; the caption says so."""

_SPOKEN_POINTS: Final = 4
"""A text alternative of both sides against k lists at most this many points."""

_WIDTH: Final = 700
_HEIGHT: Final = 300
"""Width of a drawing and height of its axes, in units of which a line of text takes 26; the page scales it. Coordinates are whole units."""

_LEFT, _RIGHT, _BELOW, _LINE = 116, 20, 72, 26
_MIDDLE, _SAMPLE = 10, (28, 84, 56)
"""Height of the middle of a letter above its line; start, end and middle of a line's sample in the legend."""

_LONGEST_LABEL: Final = 52
_LONGEST_Y_LABEL: Final = 38
_MOST_MARKED: Final = 8
"""Abscissas on a logarithmic axis that are labelled each."""

_MOST_MARKERS: Final = 8

_FAR: Final = 3
"""A trivial bound beyond this many times everything else would flatten the plot, so it is mentioned instead of drawn."""

_DOTS: Final = 2
"""The first styles, whose markers are dots that the page's style sheet makes round or square: the ends of lines of no length."""

_MARKERS: Final = (
    "h0",
    "h0",
    "m0-7l6 12h-12z",
    "m0-8l8 8l-8 8l-8-8z",
    "m0 7l6-12h-12z",
    "m-6 0h12m-6-6v12",
    "m-5-5l10 10m0-10l-10 10",
)
"""Circle, square, triangle, diamond, triangle upside down, plus and cross, each relative to its centre."""

_RING: Final = "m-13 0a13 13 0 1 0 26 0a13 13 0 1 0-26 0"
_TRIVIAL: Final = -1
"""The style of a line without markers: dashed and grey."""

_DOWN: Final = Context(prec=6, rounding=ROUND_FLOOR, Emax=999999999, Emin=-999999999)
_UP: Final = Context(prec=6, rounding=ROUND_CEILING, Emax=999999999, Emin=-999999999)


@dataclass(frozen=True)
class Panel:
    """One plot: inline SVG with an accessible name, a caption, and the numbers drawn as a file for download."""

    svg: Markup
    caption: str
    file: str
    data: str


@dataclass(frozen=True)
class Line:
    """What to draw of one quantity: a lower and an upper bound per abscissa; ``style`` is the number of its colour and marker."""

    label: str
    x: Sequence[float]
    lower: Sequence[float]
    upper: Sequence[float]
    style: int


@dataclass(frozen=True)
class Group:
    """The instances of a claim that differ in the subsample size alone, by size."""

    title: str
    instances: tuple[InstanceRecord, ...]

    @property
    def violated(self) -> list[InstanceRecord]:
        """Those that violate the claim."""
        return [instance for instance in self.instances if instance.verdict is Verdict.VIOLATED]


def against_subsample(claim: ClaimRecord) -> list[Panel]:
    """Panels of both sides against k, the most informative first.

    There is one per (model, agents, parameters) with at least :data:`FEWEST_POINTS` subsample sizes that have two certified sides,
    unless neither side changes with k: two flat lines say no more than the table does.
    """
    groups = sorted(_groups(claim), key=_telling, reverse=True)
    return [_subsample_panel(claim, group, number) for number, group in enumerate(groups, start=1)]


def curves(claim: ClaimRecord, drawn_before: dict[Curve, str]) -> tuple[list[Panel], dict[str, int], int]:
    """Panels of the curves that the instances bring along, violated ones first, each curve once and at most :data:`MOST_CURVES`.

    ``drawn_before`` has the curves that other claims have drawn, with the id of the claim; the new ones are added to it. The second value
    counts by claim those that are not drawn again, the third those that are left out.
    """
    having: dict[Curve, list[InstanceRecord]] = {}
    for instance in sorted(claim.instances, key=lambda instance: instance.verdict is not Verdict.VIOLATED):
        if instance.curve is not None and len(set(instance.curve.x)) >= FEWEST_POINTS:
            having.setdefault(instance.curve, []).append(instance)
    elsewhere = Counter(drawn_before[curve] for curve in having if curve in drawn_before)
    undrawn = [(curve, instances) for curve, instances in having.items() if curve not in drawn_before]
    new = undrawn[:MOST_CURVES]
    drawn_before.update((curve, claim.id) for curve, _ in new)
    panels = [
        curve_panel(curve, _places(instances), f"{claim.id}-curve-{number}") for number, (curve, instances) in enumerate(new, start=1)
    ]
    return panels, dict(elsewhere), len(undrawn) - len(new)


def _places(instances: Sequence[InstanceRecord]) -> str:
    """The instances of one curve: the first, and how many more."""
    return where(instances[0]) + (f", and {counted(len(instances) - 1, 'more instance')}" if len(instances) > 1 else "")


def curve_panel(curve: Curve, place: str, file: str) -> Panel:
    """The panel of one curve; ``place`` names the claim and instance, ``file`` the data for download."""
    curve, every = _thinned(curve)
    lines = [Line(one.label, curve.x, one.lower, one.upper, number % len(_MARKERS)) for number, one in enumerate(curve.series)]
    spoken = "; ".join(_spoken_line(line) for line in lines)
    name = f"{curve.title}. {curve.y_label} against {curve.x_label}. {spoken}."
    svg = _svg(lines, [], (curve.x_label, curve.y_label), curve.scale, name)
    header = [curve.x_label, *(f"{one.label}, {end}" for one in curve.series for end in ("lower", "upper"))]
    rows = [
        [f"{x:.12g}", *(end for one in curve.series for end in (_outward(one.lower[i], _DOWN), _outward(one.upper[i], _UP)))]
        for i, x in enumerate(curve.x)
    ]
    thinned = f" Every {every}{'nd' if every == 2 else 'rd' if every == 3 else 'th'} point; all are in report.json." if every > 1 else ""
    return Panel(svg, f"{curve.title} ({place}).{thinned}", file_name(file), data([header, *rows]))


def _thinned(curve: Curve) -> tuple[Curve, int]:
    """A curve of at most about :data:`MOST_POINTS` points, and which part of the points these are: every first, second, third, ..."""
    last = len(curve.x) - 1
    every = -(-last // MOST_POINTS) or 1
    kept = [*range(0, last, every), last]
    series = tuple(Series(one.label, tuple(one.lower[i] for i in kept), tuple(one.upper[i] for i in kept)) for one in curve.series)
    return replace(curve, x=tuple(curve.x[i] for i in kept), series=series), every


def _groups(claim: ClaimRecord) -> list[Group]:
    gathered: dict[tuple[Any, ...], list[InstanceRecord]] = {}
    for instance in claim.instances:
        if instance.subsample is not None and instance.actual and instance.bound:
            gathered.setdefault((instance.model, instance.agents, instance.parameters), []).append(instance)
    groups = []
    for instances in gathered.values():
        ordered = sorted(instances, key=lambda instance: instance.subsample or 0)
        varies = any(len({(side.lower, side.upper) for side in sides}) > 1 for sides in _sides(ordered))
        enough = len({instance.subsample for instance in ordered}) >= FEWEST_POINTS
        if enough and (varies or any(i.verdict is Verdict.VIOLATED for i in ordered)):
            groups.append(Group(where(replace(ordered[0], subsample=None)), tuple(ordered)))
    return groups


def _sides(instances: Sequence[InstanceRecord]) -> tuple[list[Side], list[Side]]:
    """Left sides and right sides."""
    return [i.actual for i in instances if i.actual], [i.bound for i in instances if i.bound]


def _telling(group: Group) -> tuple[Any, ...]:
    """Groups with the most violations first, the clearest first of equals; then those that come closest to one."""
    return len(group.violated), max(excess(instance) for instance in group.instances)


def _subsample_panel(claim: ClaimRecord, group: Group, number: int) -> Panel:
    x = [float(instance.subsample or 0) for instance in group.instances]
    trivial = [instance.trivial for instance in group.instances]
    sides = _sides(group.instances)
    actual, bound = ([drawn(side) for side in chosen] for chosen in sides)
    means = _in_plain_text(claim.left_means), _in_plain_text(claim.right_means)
    lines = [_between(words, x, ends, style) for style, (words, ends) in enumerate(zip(means, (actual, bound), strict=True))]
    far = ""
    if all(trivial):
        ends = [drawn(side) for side in trivial if side]
        largest = max((high for _, high in (*actual, *bound) if not math.isnan(high)), default=math.nan)
        if min(low for low, _ in ends) > _FAR * largest > 0:
            far = " The trivial bound lies far above what is drawn."
        else:
            lines.append(_between("trivial bound", x, ends, _TRIVIAL))
    violated = [(point, ends[1]) for point, ends, instance in zip(x, actual, group.instances, strict=True) if instance in group.violated]
    found = f"violated at k = {listed([str(instance.subsample) for instance in group.violated])}" if violated else "no violation"
    name = f"{group.title}: both sides against k, {found}. {_spoken_instances(group)}"
    svg = _svg(lines, violated, ("subsample size k", means[0]), _scale(lines), name)
    header = ["k", *(f"{words}, {end}" for words in means for end in ("lower", "upper"))]
    rows = [
        [f"{k:.0f}", *_written(left), *_written(right), instance.verdict.value]
        for k, instance, left, right in zip(x, group.instances, *sides, strict=True)
    ]
    caption = f"{group.title}: {counted(len(x), 'subsample size')}, {found}.{far}"
    return Panel(svg, caption, file_name(f"{claim.id}-{number}"), data([[*header, "verdict"], *rows]))


def _between(label: str, x: Sequence[float], ends: Sequence[tuple[float, float]], style: int) -> Line:
    return Line(label, x, [low for low, _ in ends], [high for _, high in ends], style)


def _in_plain_text(prose: str) -> str:
    """Prose for a drawing, which has no mathematical markup."""
    for sign in ("$", "\\", "{", "}"):
        prose = prose.replace(sign, "")
    return " ".join(prose.split())


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


def _spoken_line(line: Line) -> str:
    known = [
        (x, low, high) for x, low, high in zip(line.x, line.lower, line.upper, strict=True) if not (math.isnan(low) or math.isnan(high))
    ]
    if not known:
        return f"{line.label}: no number"
    (first, *_, last) = known if len(known) > 1 else known * 2
    low, high = min(low for _, low, _ in known), max(high for *_, high in known)
    ends = ", ".join(f"{_spoken_value(*one[1:])} at {plain(one[0])}" for one in (first, last))
    return f"{line.label}: {counted(len(known), 'point')}, {ends}, between {plain(low)} and {plain(high)}"


def _spoken_value(low: float, high: float) -> str:
    return plain(low) if plain(low) == plain(high) else f"{plain(low)} to {plain(high)}"


def _scale(lines: Sequence[Line]) -> str:
    """Logarithmic where the values are positive and spread over a factor of more than 30."""
    values = [value for line in lines for end in (line.lower, line.upper) for value in end if not math.isnan(value)]
    return "log" if values and min(values) > 0 and max(values) > 30 * min(values) else "linear"


# ------------------------------------------------------------------------------------------------------------------- the numbers


def _written(side: Side) -> tuple[str, str]:
    """Both ends of a side with six digits, rounded outward; empty where it is unbounded."""
    return _outward(side.lower, _DOWN), _outward(side.upper, _UP)


def _outward(end: float | Fraction | None, context: Context) -> str:
    if end is None or (isinstance(end, float) and math.isnan(end)):
        return ""
    exact = Fraction(end)
    rounded = context.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    return format(rounded.normalize(context), "f" if not rounded or -7 < rounded.adjusted() < 15 else "E")


def data(rows: Sequence[Sequence[str]]) -> str:
    """Rows as the address of a CSV file that holds them."""
    return "data:text/csv;charset=utf-8," + quote("\n".join(",".join(map(_cell, row)) for row in rows) + "\n", safe=",.-+/:'()*")


def _cell(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if any(sign in value for sign in ',"\n\r') else value


def file_name(words: str) -> str:
    """The name of a CSV file."""
    return "-".join("".join(c if c.isascii() and (c.isalnum() or c == ".") else " " for c in words).split())[:80] + ".csv"


# ------------------------------------------------------------------------------------------------------------------- the drawing


def _svg(lines: Sequence[Line], violated: Sequence[tuple[float, float]], labels: tuple[str, str], scale: str, name: str) -> Markup:
    """The drawing: legend above, axes with labels, then the lines. Its ``data-x`` are the places of the abscissas, for the page's script."""
    names = [line.label for line in lines] + (["violated"] if violated else [])
    top = _LINE * len(names) + 20
    bottom = top + _HEIGHT
    x_values = [x for line in lines for x in line.x]
    y_values = [y for line in lines for end in (line.lower, line.upper) for y in end if math.isfinite(y) and (scale == "linear" or y > 0)]
    place = logarithmic if geometric(x_values) else linear
    x_axis = place(x_values, _LEFT, _WIDTH - _RIGHT)
    y_axis = logarithmic(y_values, bottom, top) if scale == "log" else linear(y_values, bottom, top, from_zero=True)
    parts = [*_axes_drawn(x_axis, y_axis, x_values, labels, top, bottom)]
    for number, line in enumerate(lines):
        parts += _line_drawn(line, x_axis, y_axis, _LINE * number + _LINE - _MIDDLE)
    if violated:
        rings = [(_SAMPLE[2], _LINE * len(names) - _MIDDLE), *(_place(x_axis, y_axis, x, y) for x, y in violated)]
        parts.append(f'<path class="ring" d="{"".join(f"M{x} {y}{_RING}" for x, y in rings)}"/>')
    parts += [f'<g transform="translate({_SAMPLE[1] + 8} {_LINE - 2})">']
    parts += [_text(label, _LONGEST_LABEL, y=_LINE * number) for number, label in enumerate(names)] + ["</g>"]
    opening = Markup('<svg role="img" aria-label="{}" viewBox="0 0 {} {}" data-x="{}">')
    places = " ".join(str(round(x_axis.at(x))) for x in lines[0].x)
    return opening.format(name, _WIDTH, bottom + _BELOW, places) + Markup("".join(map(str, parts))) + Markup("</svg>")


def _axes_drawn(x_axis: Axis, y_axis: Axis, marked: Sequence[float], labels: tuple[str, str], top: int, bottom: int) -> Iterator[str]:
    right = _WIDTH - _RIGHT
    named = sorted(set(marked)) if x_axis.logarithmic else []
    ticks = [(x, f"{x:g}") for x in named] if 0 < len(named) <= _MOST_MARKED else x_axis.ticks()
    x_ticks = [(round(x_axis.at(value)), label) for value, label in ticks]
    y_ticks = [(label, round(y_axis.at(value))) for value, label in y_axis.ticks()]
    grid = "".join(f"M{_LEFT} {y}H{right}" for _, y in y_ticks)
    marks = "".join(f"M{x} {bottom}v6" for x, _ in x_ticks)
    yield f'<path class="grid" d="{grid}"/><path class="axis" d="M{_LEFT} {top}V{bottom}H{right}{marks}"/>'
    yield f'<g class="middle" transform="translate(0 {bottom + 28})">'
    yield from (_text(label, x=x) for x, label in x_ticks)
    yield _text(labels[0], _LONGEST_LABEL, x=(_LEFT + right) // 2, y=32) + "</g>"
    if labels[1]:
        yield f'<g class="middle" transform="translate(22 {bottom // 2 + 30})rotate(-90)">{_text(labels[1], _LONGEST_Y_LABEL)}</g>'
    yield f'<g class="end" transform="translate({_LEFT - 10} 8)">'
    yield from (_text(label, y=y) for label, y in y_ticks)
    yield "</g>"


def _line_drawn(line: Line, x_axis: Axis, y_axis: Axis, legend: int) -> Iterator[str]:
    """The band of a line, if it is wide enough to be seen, and the line with its markers and its sample in the legend."""
    pieces = _pieces(line, y_axis.logarithmic)
    bands = [
        ([_place(x_axis, y_axis, x, low) for x, low, _ in piece], [_place(x_axis, y_axis, x, high) for x, _, high in piece])
        for piece in pieces
        if any(abs(y_axis.at(low) - y_axis.at(high)) > 1.5 for _, low, high in piece)
    ]
    if bands:
        yield f'<path class="band s{line.style}" d="{"".join(_through([*below, *reversed(above)]) + "z" for below, above in bands)}"/>'
    placed = [[_place(x_axis, y_axis, x, low / 2 + high / 2) for x, low, high in piece] for piece in pieces]
    path = f"M{_SAMPLE[0]} {legend}H{_SAMPLE[1]}" + "".join(_through(piece) for piece in placed if len(piece) > 1)
    if line.style == _TRIVIAL:
        yield f'<path class="trivial" d="{path}"/>'
        return
    marked = [point for piece in placed for point in piece]
    marked = [(_SAMPLE[2], legend), *marked[:: -(-len(marked) // _MOST_MARKERS) or 1]]
    markers = "".join(f"M{x} {y}{_MARKERS[line.style]}" for x, y in marked)
    if line.style < _DOTS:
        yield f'<path class="s{line.style}" d="{path}"/><path class="s{line.style} dots" d="{markers}"/>'
    else:
        yield f'<path class="s{line.style}" d="{path}{markers}"/>'


def _pieces(line: Line, positive: bool) -> list[list[tuple[float, float, float]]]:
    """The points of a line as runs without a gap: an end that is unknown, or not positive on a logarithmic axis, is not drawn."""
    runs: list[list[tuple[float, float, float]]] = [[]]
    for x, low, high in zip(line.x, line.lower, line.upper, strict=True):
        if math.isfinite(low) and math.isfinite(high) and (low > 0 or not positive):
            runs[-1].append((x, low, high))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _place(x_axis: Axis, y_axis: Axis, x: float, y: float) -> tuple[int, int]:
    return round(x_axis.at(x)), round(y_axis.at(y))


def _through(points: Sequence[tuple[int, int]]) -> str:
    """A path through points, each relative to the one before."""
    (x, y), *_ = points
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]
    return f"M{x} {y}l" + "".join(f"{'' if i == 0 or dx < 0 else ' '}{dx}{'' if dy < 0 else ' '}{dy}" for i, (dx, dy) in enumerate(steps))


def _text(words: str, longest: int = 99, *, x: int = 0, y: int = 0) -> str:
    shown = words if len(words) <= longest else words[: longest - 1].rstrip() + "…"
    place = "".join(f' {name}="{value}"' for name, value in (("x", x), ("y", y)) if value)
    return f"<text{place}>{escape(shown)}</text>"
