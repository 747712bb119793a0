"""How the page writes statuses, verdicts, counts and values."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from markupsafe import Markup, escape

from mfverify.report.document import ClaimRecord, text
from mfverify.theory.claim import Status, Verdict

SYMBOLS: Final = {
    Status.REFUTED: "✗", Status.CORROBORATED: "✓", Status.VACUOUS: "○", Status.UNDECIDED: "?",
    Verdict.HOLDS: "✓", Verdict.VIOLATED: "✗", Verdict.VACUOUS: "○", Verdict.NOT_APPLICABLE: "–", Verdict.UNDECIDED: "?",
}  # fmt: skip
"""The sign shown beside each word, so that no information is given by colour alone."""

_COUNTED: Final = {
    Verdict.VIOLATED: ("violated", "violated"),
    Verdict.HOLDS: ("holds", "hold"),
    Verdict.VACUOUS: ("vacuous", "vacuous"),
    Verdict.NOT_APPLICABLE: ("not applicable", "not applicable"),
    Verdict.UNDECIDED: ("undecided", "undecided"),
}

_LONGEST_VALUE: Final = 240


def mark(word: Status | Verdict) -> Markup:
    """A status or verdict as a sign and its word."""
    return Markup('<span class="mark {0}"><span class="sign" aria-hidden="true">{1}</span> {0}</span>').format(word.value, SYMBOLS[word])


def counts(claim: ClaimRecord) -> str:
    """``6 violated, 14 hold, 36 vacuous, 9 not applicable``: the instances of a claim by verdict."""
    found = [(claim.count(verdict), words) for verdict, words in _COUNTED.items()]
    return ", ".join(f"{number} {one if number == 1 else many}" for number, (one, many) in found if number) or "no instance"


def value_in_words(value: Any) -> str:
    """A value of ``details`` or ``provenance`` on one line."""
    written = text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return written if len(written) <= _LONGEST_VALUE else written[: _LONGEST_VALUE - 1] + "… (in full in report.json)"


def story(written: str) -> Markup:
    """The story of a certificate, in its Markdown: paragraphs with bold words and code; of a link the words alone."""
    paragraphs = []
    for block in re.split(r"\n\s*\n", written.strip()):
        line = str(escape(" ".join(block.removeprefix("# ").split())))
        line = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line)
        line = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", line)
        line = re.sub(r"`([^`]+)`", r"<code>\1</code>", line)
        paragraphs.append(f"<p><strong>{line}</strong></p>" if block.startswith("# ") else f"<p>{line}</p>")
    return Markup("\n".join(paragraphs))
