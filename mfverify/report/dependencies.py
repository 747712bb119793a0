"""The drawing of what rests on what: claims in layers, an arrow from each claim to those that its argument uses.

Shape, hatching and words say the status, so that colour is not needed: refuted claims are crossed squares, claims that rest on
a refuted one have a dashed outline.
"""

from __future__ import annotations

import io
from typing import Final

import matplotlib as mpl
import networkx as nx
from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mfverify.claims.claim import Status
from mfverify.report.document import Document
from mfverify.report.plots import SETTINGS, inlined

_SHAPES: Final = {
    Status.REFUTED: ("s", "#f6d5c3", "refuted"),
    Status.CORROBORATED: ("o", "#d6e8f5", "corroborated"),
    Status.VACUOUS: ("^", "#ffffff", "vacuous"),
    Status.UNDECIDED: ("D", "#ffffff", "undecided"),
}


def drawing(run: Document) -> Markup | None:
    """The graph of the claims of a run that are joined by an arrow, or None where there is none."""
    statuses = {claim.id: claim.status for claim in run.claims}
    arrows = nx.DiGraph([(a, b) for claim in run.claims for a, b in ((claim.id, used) for used in claim.rests_on) if b in statuses])
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
        for a, b in sorted(arrows.edges):
            broken = statuses[b] is Status.REFUTED
            axes.annotate(
                "",
                xy=place[b],
                xytext=place[a],
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": "#b04a00" if broken else "#555555",
                    "linestyle": (0, (4, 2)) if broken else "-",
                    "shrinkA": 17,
                    "shrinkB": 17,
                    "linewidth": 1.0,
                    "connectionstyle": "arc3,rad=0.08",
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
        handles.append(Line2D([], [], color="#555555", label="its argument uses"))
        handles.append(Line2D([], [], color="#b04a00", linestyle=(0, (4, 2)), label="uses a refuted claim"))
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
                    label="dashed outline: lost its support",
                )
            )
        figure.legend(handles=handles, loc="outside lower center", ncols=3)
        axes.set_xlim(-0.6, width - 0.4)
        axes.set_ylim(-0.6, height - 0.4)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    spoken = "; ".join(f"{a} rests on {', '.join(sorted(arrows.successors(a)))}" for a in sorted(arrows) if arrows.out_degree(a))
    return inlined(buffer.getvalue(), f"What rests on what: {spoken}.", "plot-dependencies")


def _places(arrows: nx.DiGraph) -> dict[str, tuple[float, float]]:
    """Layers by what must come first (what others rest on at the bottom), each centred, by id within a layer."""
    layers = [sorted(layer) for layer in nx.topological_generations(arrows.reverse())]
    widest = max(len(layer) for layer in layers)
    return {
        name: (i + (widest - len(layer)) / 2 + 0.22 * (y % 2), float(y)) for y, layer in enumerate(layers) for i, name in enumerate(layer)
    }
