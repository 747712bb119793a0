"""The drawing of what rests on what: claims in layers, an arrow from each claim to those that an argument for it uses.

There are two kinds of arrows: solid for the argument that the claim's grounds name (ours, a known theorem, the definitions), dashed for the
source's. Shapes and line styles say the status, so that colour is not needed: refuted claims are squares, claims without support have a
dashed outline.
"""

from __future__ import annotations

import io
from typing import Final, TypeAlias

import matplotlib as mpl
import networkx as nx
from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mfverify.report.document import Document
from mfverify.report.matplotlib_svg import SETTINGS, inlined
from mfverify.theory.claim import Status

_SHAPES: Final = {
    Status.REFUTED: ("s", "#f6d5c3", "refuted"),
    Status.CORROBORATED: ("o", "#d6e8f5", "corroborated"),
    Status.VACUOUS: ("^", "#ffffff", "vacuous"),
    Status.UNDECIDED: ("D", "#ffffff", "undecided"),
}

_Line: TypeAlias = str | tuple[int, tuple[int, int]]
_GROUNDS: Final[tuple[_Line, float, str]] = ("-", 0.08, "our argument uses")
_SOURCE: Final[tuple[_Line, float, str]] = ((0, (4, 2)), -0.08, "the source's argument uses")
"""Line style, bend and words of the two kinds of arrows."""

_WHOLE: Final = "#555555"
_BROKEN: Final = "#b04a00"


def drawing(run: Document) -> Markup | None:
    """The graph of the claims of a run that are joined by an arrow, or None where there is none."""
    statuses = {claim.id: claim.status for claim in run.claims}
    kinds = {
        _GROUNDS: [(claim.id, used) for claim in run.claims if claim.grounds for used in claim.grounds.uses if used in statuses],
        _SOURCE: [(claim.id, used) for claim in run.claims for used in claim.rests_on if used in statuses],
    }
    arrows = nx.DiGraph()
    arrows.add_edges_from(pair for pairs in kinds.values() for pair in pairs)
    if not arrows.edges:
        return None
    place = _places(arrows)
    width = max(x for x, _ in place.values()) + 1
    height = max(y for _, y in place.values()) + 1
    buffer = io.StringIO()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        figure = Figure(figsize=(max(6.0, 0.95 * width + 0.6), 1.25 * height + 1.1), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.set_axis_off()
        for (line, bend, _), pairs in kinds.items():
            for a, b in sorted(pairs):
                axes.annotate(
                    "",
                    xy=place[b],
                    xytext=place[a],
                    arrowprops={
                        "arrowstyle": "-|>",
                        "color": _BROKEN if statuses[b] is Status.REFUTED else _WHOLE,
                        "linestyle": line,
                        "shrinkA": 17,
                        "shrinkB": 17,
                        "linewidth": 1.0,
                        "connectionstyle": f"arc3,rad={bend}",
                    },
                )
        for name in sorted(arrows):
            marker, colour, _ = _SHAPES[statuses[name]]
            edge = (0, (2, 1.5)) if name in run.unsupported else "-"
            axes.scatter(*place[name], s=900, marker=marker, facecolor=colour, edgecolor="black", linestyle=[edge], linewidth=1.3, zorder=3)
            axes.text(*place[name], name, ha="center", va="center", zorder=4, fontsize=10, fontweight="bold")
        used = [s for s in _SHAPES if s in {statuses[name] for name in arrows}]
        handles: list[Artist] = [
            Line2D(
                [],
                [],
                marker=_SHAPES[s][0],
                color="none",
                markerfacecolor=_SHAPES[s][1],
                markeredgecolor="black",
                markersize=11,
                label=_SHAPES[s][2],
            )
            for s in used
        ]
        handles += [Line2D([], [], color=_WHOLE, linestyle=line, label=label) for (line, _, label), pairs in kinds.items() if pairs]
        if any(statuses[b] is Status.REFUTED for _, b in arrows.edges):
            handles.append(Line2D([], [], color=_BROKEN, label="uses a refuted claim"))
        if run.unsupported:
            handles.append(
                axes.scatter(
                    [],
                    [],
                    s=120,
                    marker="o",
                    facecolor="white",
                    edgecolor="black",
                    linestyle=[(0, (2, 1.5))],
                    label="dashed outline: every argument uses a refuted claim",
                )
            )
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
        axes.set_xlim(-0.6, width - 0.4)
        axes.set_ylim(-0.6, height - 0.4)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    spoken = "; ".join(
        f"{a}: {label} {', '.join(sorted(b for x, b in pairs if x == a))}"
        for a in sorted(arrows)
        for (_, _, label), pairs in kinds.items()
        if any(x == a for x, _ in pairs)
    )
    return inlined(buffer.getvalue(), f"What rests on what. {spoken}.", "plot-dependencies")


def _places(arrows: nx.DiGraph) -> dict[str, tuple[float, float]]:
    """Layers by what must come first (what others rest on at the bottom), each centred, by id within a layer; a circle is one layer."""
    parts = nx.condensation(arrows.reverse())
    layers = [sorted(name for part in layer for name in parts.nodes[part]["members"]) for layer in nx.topological_generations(parts)]
    widest = max(len(layer) for layer in layers)
    return {
        name: (i + (widest - len(layer)) / 2 + 0.22 * (y % 2), float(y)) for y, layer in enumerate(layers) for i, name in enumerate(layer)
    }
