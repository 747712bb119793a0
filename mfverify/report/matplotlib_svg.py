"""Drawings by matplotlib as inline SVG: the settings of every drawing, and what makes its output fit to be one of several in a page.

The same input gives the same bytes: ids are hashed with a fixed salt, no date is written, and the user's matplotlib settings are not read.
"""

from __future__ import annotations

import re
from typing import Any, Final

from markupsafe import Markup

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
