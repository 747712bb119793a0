"""The prose of README, documentation and notebooks: short paragraphs and sentences in the README, and plain words everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.sources import PROJECT

README = "\n\n".join((PROJECT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/commands.md", "docs/explanation/outcomes.md", "docs/how-to/sweep-and-map.md"))
"""The README and the pages that it begins with."""
DOCS = [path for path in sorted((PROJECT / "docs").rglob("*.md")) if "_build" not in path.parts]
PAGES = [PROJECT / "README.md", PROJECT / "SECURITY.md", *DOCS, *sorted((PROJECT / "notebooks").glob("*.py"))]
AVOIDED = re.compile(
    r"\b(everybody|nobody|somebody|anybody|whoever|whatever|strangers?|alike|for ever|in the mean|at the door|told apart|says nothing)\b",
    re.IGNORECASE,
)
"""Words that the table of the contributing guide replaces."""


def paragraphs(page: str) -> list[str]:
    """Paragraphs and items of lists; no headings, tables, pictures or code."""
    text = re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    parts = [part.strip() for block in text.split("\n\n") for part in re.split(r"\n(?=- )", block)]
    return [part for part in parts if part and not part.startswith(("#", "|", "!"))]


def sentences(paragraph: str) -> list[list[str]]:
    """The words of each sentence; code and the address of a link count as one word."""
    text = re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "code", re.sub(r"\s+", " ", paragraph)))
    return [re.findall(r"\w[\w'-]*", sentence) for sentence in re.split(r"(?<=[.!?:])\*{0,2} (?=[A-Z\[*c])", text)]


def test_paragraphs_of_the_readme_are_short() -> None:
    found = paragraphs(README)
    assert len(found) > 40
    assert [part for part in found if part.count("\n") >= 4] == []


def test_sentences_of_the_readme_are_short() -> None:
    found = [words for part in paragraphs(README) for words in sentences(part)]
    assert len(found) > 100
    assert [" ".join(words) for words in found if len(words) >= 30] == []


def test_a_long_sentence_is_noticed() -> None:
    assert [len(words) for words in sentences("One two `three four` [five](six.md). " + "Word " * 30)] == [4, 30]
    assert paragraphs("# Title\n\na\nb\n\n```sh\nc\n```\n\n- d\n- e\n\n| f |") == ["a\nb", "- d", "- e"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_words_are_plain(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [f"line {i}: {line}" for i, line in enumerate(lines, 1) if AVOIDED.search(line)] == []
