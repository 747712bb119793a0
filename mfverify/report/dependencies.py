"""The drawing of what rests on what: claims in layers, an arrow from each claim to those that an argument for it uses.

There are two kinds of arrows: solid for the argument that the claim's grounds name (ours, a known theorem, the definitions), dashed for the
source's. Every claim is a link to its place. Shapes and line styles say the status, so that colour is not needed: refuted claims are squares, claims
without support have a dashed outline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Final, TypeAlias

import networkx as nx
from markupsafe import Markup

from mfverify.report.document import Document
from mfverify.theory.claim import Status

Point: TypeAlias = tuple[float, float]

_SHAPES: Final = {
    Status.REFUTED: ('<rect x="-17" y="-17" width="34" height="34"{}/>', "#f6d5c3"),
    Status.CORROBORATED: ('<circle r="18"{}/>', "#d6e8f5"),
    Status.VACUOUS: ('<path d="M0 -22L21 15H-21Z"{}/>', "#ffffff"),
    Status.UNDECIDED: ('<path d="M0 -21L21 0L0 21L-21 0Z"{}/>', "#ffffff"),
}
"""The shape and the colour of a claim, around the origin."""

_GROUNDS: Final = ("", 0.08, "our argument uses")
_SOURCE: Final = (' stroke-dasharray="5 3"', -0.08, "the source's argument uses")
"""Line style, bend and words of the two kinds of arrows."""

_WHOLE: Final = "#777777"
_BROKEN: Final = "#b04a00"
_LOST: Final = ' stroke-dasharray="4 2"'
_ACROSS: Final = 58.0
_DOWN: Final = 84.0
_MOST_ABREAST: Final = 14
"""Claims side by side; a wider layer takes several rows."""


@dataclass(frozen=True)
class Node:
    """A claim to draw: its status, whether every argument for it uses a refuted claim, where its link leads, and its title."""

    status: Status
    unsupported: bool
    link: str
    title: str


def drawing(run: Document) -> Markup | None:
    """The graph of the claims of a run that are joined by an arrow, or None where there is none."""
    nodes = {claim.id: Node(claim.status, claim.id in run.unsupported, f"#{claim.anchor}", claim.title) for claim in run.claims}
    grounds = [(claim.id, used) for claim in run.claims if claim.grounds for used in claim.grounds.uses if used in nodes]
    return graph(nodes, grounds, [(claim.id, used) for claim in run.claims for used in claim.rests_on if used in nodes])


def graph(nodes: Mapping[str, Node], grounds: Sequence[tuple[str, str]], source: Sequence[tuple[str, str]]) -> Markup | None:
    """The claims that are joined by an arrow, as an ``svg`` element, or None; ``(a, b)`` says that an argument for a uses b."""
    kinds = {_GROUNDS: grounds, _SOURCE: source}
    arrows = nx.DiGraph()
    arrows.add_edges_from(sorted({pair for pairs in kinds.values() for pair in pairs}))
    if not arrows.edges:
        return None
    place = _places(arrows)
    width = max(x for x, _ in place.values()) + _ACROSS
    bottom = max(y for _, y in place.values()) + _DOWN / 2
    parts = [_marker("whole", _WHOLE), _marker("broken", _BROKEN)]
    for (line, bend, _), pairs in kinds.items():
        parts += [_arrow(place[a], place[b], bend, line, nodes[b].status is Status.REFUTED) for a, b in sorted(pairs)]
    parts += [_node(name, nodes[name], place[name]) for name in sorted(arrows)]
    legend, height = _legend(bottom + 16, {nodes[name].status for name in arrows}, [kind for kind, pairs in kinds.items() if pairs],
                             any(nodes[b].status is Status.REFUTED for _, b in arrows.edges), any(nodes[name].unsupported for name in arrows))  # fmt: skip
    spoken = "; ".join(
        f"{a}: {label} {', '.join(sorted(b for x, b in pairs if x == a))}"
        for a in sorted(arrows)
        for (_, _, label), pairs in kinds.items()
        if any(x == a for x, _ in pairs)
    )
    opening = Markup('<svg xmlns="http://www.w3.org/2000/svg" role="group" aria-label="What rests on what. {}." viewBox="0 0 {:.0f} {:.0f}" width="{:.0f}">')
    wide = max(width, 430.0)
    return opening.format(spoken, wide, height, wide) + Markup("").join([*parts, legend]) + Markup("</svg>")


def _marker(name: str, colour: str) -> Markup:
    return Markup(
        '<marker id="arrow-{}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8Z" fill="{}"/></marker>'
    ).format(name, colour)


def _arrow(start: Point, end: Point, bend: float, line: str, broken: bool) -> Markup:
    """A curve from the rim of one claim to that of another."""
    (x, y), (u, v) = start, end
    dx, dy = u - x, v - y
    length = hypot(dx, dy) or 1.0
    cut = 21 / length
    middle = (x + u) / 2 - bend * dy, (y + v) / 2 + bend * dx
    return Markup('<path d="M{:.1f} {:.1f}Q{:.1f} {:.1f} {:.1f} {:.1f}" fill="none" stroke="{}" marker-end="url(#arrow-{})"{}/>').format(
        x + cut * dx, y + cut * dy, *middle, u - cut * dx, v - cut * dy, _BROKEN if broken else _WHOLE,
        "broken" if broken else "whole", Markup(line),
    )  # fmt: skip


def _shape(status: Status, unsupported: bool) -> Markup:
    shape, colour = _SHAPES[status]
    return Markup(shape).format(Markup(' fill="{}" stroke="#000000" stroke-width="1.3"{}').format(colour, Markup(_LOST if unsupported else "")))


def _node(name: str, node: Node, place: Point) -> Markup:
    return Markup('<a href="{}" aria-label="{}"><g transform="translate({:.1f} {:.1f})">{}{}</g></a>').format(
        node.link,
        f"{name}: {node.title} ({node.status.value})",
        *place,
        _shape(node.status, node.unsupported),
        Markup('<text y="4" text-anchor="middle" font-size="12" font-weight="bold" fill="#000000">{}</text>').format(name),
    )


def _legend(
    top: float, statuses: set[Status], kinds: Sequence[tuple[str, float, str]], broken: bool, unsupported: bool
) -> tuple[Markup, float]:
    """What shapes and lines mean, two in a row, and where the drawing ends."""
    entries = [(Markup('<g transform="scale(0.45)">{}</g>').format(_shape(s, False)), s.value) for s in _SHAPES if s in statuses]
    stroke = Markup('<path d="M-13 0H13" stroke="{}"{}/>')
    entries += [(stroke.format(_WHOLE, Markup(line)), label) for line, _, label in kinds]
    entries += [(stroke.format(_BROKEN, ""), "uses a refuted claim")] if broken else []
    if unsupported:
        dashed = Markup('<g transform="scale(0.45)">{}</g>').format(_shape(Status.CORROBORATED, True))
        entries.append((dashed, "dashed outline: every argument uses a refuted claim"))
    rows = Markup("").join(
        Markup('<g transform="translate({} {})">{}<text x="19" y="4" font-size="12" fill="currentColor">{}</text></g>').format(
            20 + 200 * (i % 2), top + 22 * (i // 2), sign, label
        )
        for i, (sign, label) in enumerate(entries)
    )
    return rows, top + 22 * ((len(entries) + 1) // 2)


def _places(arrows: nx.DiGraph) -> dict[str, Point]:
    """Layers from top to bottom, what others rest on at the bottom; within a layer a claim is near those that it uses. A circle is one layer."""
    parts = nx.condensation(arrows.reverse())
    rows: list[list[str]] = []
    rank: dict[str, float] = {}
    for layer in nx.topological_generations(parts):
        names = sorted(name for part in layer for name in parts.nodes[part]["members"])
        used = {name: [rank[b] for b in arrows[name] if b in rank] for name in names}
        names.sort(key=lambda name: (sum(used[name]) / len(used[name]) if used[name] else 0.0, name))
        rank |= {name: (i + 0.5) / len(names) for i, name in enumerate(names)}
        several = -(-len(names) // _MOST_ABREAST)
        rows += [names[i::several] for i in range(several)]
    widest = max(map(len, rows))
    return {
        name: (_ACROSS * (i + 0.5 + (widest - len(row)) / 2 + 0.22 * (y % 2)), _DOWN * (len(rows) - 1 - y) + 30)
        for y, row in enumerate(rows)
        for i, name in enumerate(row)
    }
