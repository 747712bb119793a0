"""Maps that the project keeps beside the sources, for its reports: the verdicts alone, one letter a point (``reports/maps.json``)."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mfverify.errors import ModelError
from mfverify.files import is_stream, write_whole
from mfverify.json_files import parse_json, read_text
from mfverify.points.picture import described
from mfverify.theory.claim import LETTERS, Verdict
from mfverify.version import __version__

_LARGEST: Final = 16 * 2**20


def entry(document: Mapping[str, Any], statement: str, command: str) -> dict[str, Any]:
    """A map as a record; of its two axes with several values the first goes to the right, the second up."""
    x, y = (axis for axis in document["axes"] if len(axis["values"]) > 1)
    letter = {(one["at"][x["name"]], one["at"][y["name"]]): LETTERS[Verdict(one["verdict"])] for one in document["points"]}
    return {
        "claim": document["claim"],
        "statement": statement,
        "place": described(document),
        **{name: {"name": axis["name"], "values": list(axis["values"])} for name, axis in (("x", x), ("y", y))},
        "rows": ["".join(letter[right, up] for right in x["values"]) for up in y["values"]],
        "command": command,
        "version": __version__,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def keep(path: Path, new: Mapping[str, Any]) -> None:
    """Put a map into a file of maps, in place of an earlier one of the same claim."""
    maps = sorted([*(one for one in kept(path) if one["claim"] != new["claim"]), new], key=lambda one: str(one["claim"]))
    write_whole(path, json.dumps({"format": 1, "maps": maps}, indent=1) + "\n")


def kept(path: Path) -> Sequence[Mapping[str, Any]]:
    """The maps in a file; none where there is no file. Raises :class:`ModelError` for any other file."""
    if not path.exists() or is_stream(path):
        return []
    document = parse_json(path, read_text(path, _LARGEST, "a record of maps"))
    maps = document.get("maps")
    if document.get("format") != 1 or not isinstance(maps, list) or not all(isinstance(x, dict) and "claim" in x for x in maps):
        raise ModelError(f"{path}: is no record of maps, which would be lost; choose another file")
    return maps
