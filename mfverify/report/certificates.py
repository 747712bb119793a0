"""The bundled certificates (``reports/certificates/``), as a report names them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from mfverify.bundled import folder
from mfverify.errors import ModelError
from mfverify.json_files import parse_json, read_text

FOLDER: Final = folder("reports") / "certificates"
_LARGEST: Final = 16 * 2**20


def beside_the_sources(claims: set[str], folder: Path = FOLDER) -> list[dict[str, Any]]:
    """The certificates of these claims: file, SHA-256, the two numbers they state, and the file with the story if there is one.

    An installation without the project's folder has none. What is no certificate is left out; whether one is *accepted* is for the
    independent checker to say. Sorted by claim and file.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            text = read_text(path, _LARGEST, "a certificate")
            document = parse_json(path, text)
            stated = str(document["actual"]["lower"]), str(document["bound"]["upper"])
        except (ModelError, KeyError, TypeError):
            continue
        if document.get("claim") in claims:
            story = path.with_name(f"{document['claim']}.md")
            found.append(
                {
                    "claim": document["claim"],
                    "file": f"reports/certificates/{path.name}",
                    "sha256": hashlib.sha256(text.encode()).hexdigest(),
                    "left_at_least": stated[0],
                    "right_at_most": stated[1],
                    "story": f"reports/certificates/{story.name}" if story.exists() else None,
                }
            )
    return sorted(found, key=lambda one: (one["claim"], one["file"]))
