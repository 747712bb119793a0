"""Maps of verdicts over two parameters, as a report shows them: kept in ``reports/maps.json``, which ``mfverify map --record`` writes.

A map is drawn by one path for each verdict, with a line for each run of equal verdicts in a row: a few hundred bytes for hundreds of points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup, escape

from mfverify.bundled import folder
from mfverify.errors import ModelError
from mfverify.json_files import parse_json, read_text
from mfverify.report.document import MapRecord
from mfverify.report.plots import Panel, data, file_name
from mfverify.theory.claim import LETTERS

FILE: Final = folder("reports") / "maps.json"
_LARGEST: Final = 16 * 2**20
_LEFT, _TOP, _ACROSS, _HEIGHT, _LINE, _ENTRY = 110, 40, 570, 260, 26, 285
_IN_A_ROW: Final = 2
_SHOWN: Final = ("claim", "place", "x", "y", "rows", "command")
_WORDS: Final = {letter: verdict.value for verdict, letter in LETTERS.items()}


def documented_maps(statements: Mapping[str, str], path: Path = FILE) -> list[dict[str, Any]]:
    """The maps of these claims, given by id with what they state; one of a claim that stated something else then is left out."""
    if not path.exists():
        return []
    try:
        maps = parse_json(path, read_text(path, _LARGEST, "a record of maps"))["maps"]
        return [{name: one[name] for name in _SHOWN} for one in maps if statements.get(one["claim"]) == one["statement"]]
    except (ModelError, KeyError, TypeError, AttributeError):
        return []


def panel(found: MapRecord) -> Panel:
    """The drawing, what it shows in words, and the verdicts as a file."""
    counted = Counter(_WORDS[letter] for row in found.rows for letter in row)
    told = ", ".join(f"{number} {word}" for word, number in counted.most_common())
    caption = f"{found.place}. A certified verdict at each of {counted.total()} points: {told}. To compute it again: {found.command}"
    legend = f"{found.y[0]} \\ {found.x[0]} ({'; '.join(f'{letter} {word}' for letter, word in _WORDS.items() if counted[word])})"
    rows = [[legend, *found.x[1]], *([value, *row] for value, row in zip(found.y[1], found.rows, strict=True))]
    spoken = f"{found.claim} over {found.x[0]} and {found.y[0]}. {found.place}. {told}."
    return Panel(_svg(found, counted, spoken), caption, file_name(f"{found.claim}-map"), data(rows))


def _svg(found: MapRecord, counted: Mapping[str, int], spoken: str) -> Markup:
    columns, lines, top = len(found.x[1]), len(found.rows), _TOP + _LINE * (-(-len(counted) // _IN_A_ROW) - 1)
    parts = []
    for number, (word, count) in enumerate(sorted(counted.items())):
        x, y = _LEFT + number % _IN_A_ROW * _ENTRY, 20 + number // _IN_A_ROW * _LINE
        parts.append(f'<g transform="translate({x} {y - 8})scale(24 16)">{_drawn(word, "M0 0h1")}</g><text x="{x + 34}" y="{y}">{word} {count}</text>')
    # The first row is at the bottom; a line of width one is drawn along the middle of its row.
    parts.append(f'<g transform="translate({_LEFT} {top})scale({_ACROSS / columns:.4g} {_HEIGHT / lines:.4g})translate(0 .5)">')
    parts += [_drawn(word, "".join(_runs(found.rows, word))) for word in sorted(counted)]
    bottom = top + _HEIGHT
    texts = [
        (_LEFT, bottom + _LINE, "", found.x[1][0]),
        (_LEFT + _ACROSS // 2, bottom + _LINE, "middle", found.x[0]),
        (_LEFT + _ACROSS, bottom + _LINE, "end", found.x[1][-1]),
        (_LEFT - 8, bottom - 4, "end", found.y[1][0]),
        (_LEFT - 8, top + _HEIGHT // 2, "end", found.y[0]),
        (_LEFT - 8, top + 18, "end", found.y[1][-1]),
    ]
    parts += ["</g>", *(f'<text{f" class={kind}" if kind else ""} x="{x}" y="{y}">{escape(text)}</text>' for x, y, kind, text in texts)]
    size = f"0 0 {_LEFT + _ACROSS + 20} {bottom + _LINE + 10}"
    return Markup(f'<svg class="map" viewBox="{size}" role="img" aria-label="{escape(spoken)}">{"".join(parts)}</svg>')


def _drawn(word: str, path: str) -> str:
    """The cells of a verdict, with a stripe through violated ones, so that colour alone tells nothing."""
    return f'<path class="{word}" d="{path}"/>' + (f'<path class="stripe" d="{path}"/>' if word == "violated" else "")


def _runs(rows: tuple[str, ...], word: str) -> Iterator[str]:
    for y, row in enumerate(reversed(rows)):
        x = 0
        for letter, run in groupby(row):
            length = len(list(run))
            if _WORDS[letter] == word:
                yield f"M{x} {y}h{length}"
            x += length
