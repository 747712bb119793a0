"""The bundled certificates (``reports/certificates/``), as a report names them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from mfverify.bundled import folder
from mfverify.errors import ModelError
from mfverify.json_files import parse_json, read_text

FOLDER: Final = folder("reports") / "certificates"
_LARGEST: Final = 16 * 2**20

_LARGEST_INCLUDED: Final = 4 * 2**10
"""Bytes of the largest certificate whose content goes into a report."""


def beside_the_sources(claims: set[str], folder: Path = FOLDER) -> list[dict[str, Any]]:
    """The certificates of these claims, each with its file, its SHA-256, the instance and the two numbers that it states.

    ``story`` and ``story_text`` are the file that explains the counterexample in words and its content, null where there is none;
    ``content`` is the certificate itself in base64, null for a large one. An installation without the project's folder has none. What is
    no certificate is left out; whether one is *accepted* is for the independent checker to say. Sorted by claim and file.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            stated = _stated(path, read_text(path, _LARGEST, "a certificate"))
        except (ModelError, KeyError, TypeError, AttributeError):
            continue
        if stated["claim"] in claims:
            story = path.with_name(f"{stated['claim']}.md")
            told = {
                "story": f"reports/certificates/{story.name}" if story.exists() else None,
                "story_text": read_text(story, _LARGEST, "the story of a certificate") if story.exists() else None,
            }
            found.append({**stated, **told})
    return sorted(found, key=lambda one: (one["claim"], one["file"]))


@lru_cache(maxsize=200)
def _stated(path: Path, text: str) -> Mapping[str, Any]:
    """What a certificate states, of which one process may make many reports."""
    document = parse_json(path, text)
    raw = text.encode()
    return {
        "claim": document["claim"],
        "file": f"reports/certificates/{path.name}",
        "sha256": hashlib.sha256(raw).hexdigest(),
        "content": base64.b64encode(raw).decode() if len(raw) <= _LARGEST_INCLUDED else None,
        "where": _where(document),
        "agents": document.get("agents"),
        "left_at_least": str(document["actual"]["lower"]),
        "right_at_most": str(document["bound"]["upper"]),
    }


def _where(document: Mapping[str, Any]) -> str:
    """``commitment, n = 16, k = 15``: the instance of a certificate, for a sentence."""
    parts = [document["model"]["name"]] if document.get("model") else []
    parts += [f"{letter} = {document[name]}" for letter, name in (("n", "agents"), ("k", "subsample")) if document.get(name) is not None]
    parts += [f"{name} = {value}" for name, value in document.get("parameters", {}).items()]
    return ", ".join(map(str, parts))
