"""The searches for counterexamples that the project has documented (``reports/searches.json``), as a report shows them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mfverify.bundled import folder
from mfverify.errors import ModelError
from mfverify.json_files import parse_json, read_text

FILE: Final = folder("reports") / "searches.json"
_LARGEST: Final = 16 * 2**20


def documented_searches(statements: Mapping[str, str], path: Path = FILE) -> list[dict[str, Any]] | None:
    """What was searched against these claims, given by id with what they state; None where the record is missing.

    A search for a claim that stated something else then is left out, and so is what is no record of a search. In the order of the
    claims. ``mfverify falsify --record`` writes such files.
    """
    if not path.exists():
        return None
    try:
        searches = parse_json(path, read_text(path, _LARGEST, "a record of searches"))["searches"]
    except (ModelError, KeyError):
        return []
    found = {}
    for one in searches if isinstance(searches, list) else []:
        try:
            if statements.get(one["claim"]) == one["statement"]:
                found[one["claim"]] = _shown(one)
        except (KeyError, TypeError):
            continue
    return [found[claim] for claim in statements if claim in found]


def _shown(one: Mapping[str, Any]) -> dict[str, Any]:
    searched, best, violated = one["searched"], one["searched"]["best"], one["violated"]
    return {
        **{name: one[name] for name in ("claim", "seed", "seconds", "version", "date", "code")},
        **{name: searched[name] for name in ("candidates", "exhausted", "families", "verdicts")},
        "best": None if best is None else {name: best[name] for name in ("family", "label", "ratio", "actual", "bound")},
        "violated": None if violated is None else violated["label"],
    }
