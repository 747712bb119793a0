"""What an installation holds besides the modules: certificates, documented searches, the list of theorems, proofs, an example.

In a checkout these folders lie beside the package, in an installation inside it (``setup.py`` says which).
"""

from __future__ import annotations

import ast
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from mfverify.errors import ModelError

FOLDERS: Final = ("docs/mathematics", "examples", "proofs_checks", "reports")
PREFIX: Final = "certificates:"
_PACKAGE: Final = Path(__file__).parent


def folder(name: str, package: Path = _PACKAGE) -> Path:
    """Where one of ``FOLDERS`` lies; it need not exist."""
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def certificate_path(text: str) -> Path:
    """The file that an argument names: a path, or ``certificates:NAME`` for a bundled certificate.

    Raises :class:`ModelError` where no bundled certificate has this name; it lists the names.
    """
    if not text.startswith(PREFIX):
        return Path(text)
    bundled = _certificates()
    name = text.removeprefix(PREFIX)
    if name not in bundled:
        raise ModelError(f"{text}: there is no bundled certificate of this name; the names are {', '.join(bundled) or 'none'}")
    return bundled[name]


def certificates_of(claim: str) -> list[str]:
    """The names of the bundled certificates of a claim; the one without a word behind the id comes first."""
    return [name for name in _certificates() if name.split("_")[0] == claim]


def _certificates() -> dict[str, Path]:
    """The bundled certificates by name."""
    return {path.stem: path for path in sorted((folder("reports") / "certificates").glob("*.json"))}


def proof_text(place: str, heading: str) -> str:
    """The text at the anchor of a proof: what follows a statement on a page, or what follows a heading in a module's docstring.

    On a page of ``docs/mathematics`` the statement is the fence ``{statement} ID``, and its text ends at the next statement or section. Raises
    :class:`ModelError` where the page, the module or the heading does not exist.
    """
    if place.endswith(".md"):
        path = folder(str(Path(place).parent)) / Path(place).name
        if not path.is_file():
            raise ModelError(f"{place}: there is no such page")
        found = re.search(rf"^```\{{statement\}} {re.escape(heading)}\n```\n(.*?)(?=^```\{{|^\([\w-]+\)=$|^#|\Z)", path.read_text("utf-8"), re.M | re.S)
        if found is None:
            raise ModelError(f"{place}: the page has no statement {heading}")
        return found[1].strip()
    spec = find_spec(place)
    source = "" if spec is None or spec.origin is None else Path(spec.origin).read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(source)) or ""
    text = _headings(docstring).get(heading, "")
    if not text:
        raise ModelError(f"{place}: the docstring of the module has no heading {heading}")
    return text


def _headings(docstring: str) -> dict[str, str]:
    """The texts of a docstring by heading: a paragraph that begins with words between asterisks, and what follows up to the next."""
    found: dict[str, str] = {}
    current: list[str] = []
    for paragraph in re.split(r"\n\s*\n", docstring):
        emphasised = re.match(r"\s*\*{1,2}([^*]+?)\.?\*{1,2}(?=[\s.:])", paragraph)
        if emphasised:
            words = re.sub(r"\s*\([^)]*\)", "", " ".join(emphasised[1].split()))
            current = [part.strip() for part in words.split(",")]
        text = paragraph[emphasised.end() :] if emphasised else paragraph
        for name in current:
            found[name] = found.get(name, "") + text
    return found
