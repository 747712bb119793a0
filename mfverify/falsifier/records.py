"""Records of what was searched and of classes that were decided: lists in JSON files that runs add to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mfverify.errors import ModelError
from mfverify.files import is_stream
from mfverify.json_files import parse_json, read_text
from mfverify.papers import CATALOGUE

_LARGEST = 256 * 2**20

Entry = Mapping[str, Any]


def recorded(path: Path, name: str) -> list[Entry]:
    """The entries of the record ``name`` in a file; none where there is no file or a stream that is only written to (``/dev/null``).

    Raises :class:`ModelError` for any other file.
    """
    if not path.exists() or is_stream(path):
        return []
    document = parse_json(path, read_text(path, _LARGEST, f"a record of {name}"))
    entries = document.get(name)
    if document.get("format") != 1 or not isinstance(entries, list) or not all(isinstance(x, dict) and "claim" in x for x in entries):
        raise ModelError(f"{path}: is no record of {name}, which would be lost; choose another file")
    return entries


def with_new(name: str, new: Sequence[Entry], earlier: Sequence[Entry], key: Callable[[Entry], Any]) -> dict[str, Any]:
    """The record of ``new`` and ``earlier`` entries; of earlier ones those whose key is none of the new ones.

    Claims are in the order of the catalogue, those that it does not have come last; classes of one claim are ordered by their size.
    """
    done = {key(one) for one in new}
    place = {claim.id: i for i, claim in enumerate(CATALOGUE)}
    entries = [*(one for one in earlier if key(one) not in done), *new]
    return {"format": 1, name: sorted(entries, key=lambda one: (place.get(one["claim"], len(place)), one.get("models", 0)))}
