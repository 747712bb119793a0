"""What an installation holds besides the modules: certificates, documented searches, the list of theorems, an example.

In a checkout these folders lie beside the package, in an installation inside it (``setup.py`` says which).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mfverify.errors import ModelError

FOLDERS: Final = ("examples", "proofs_checks", "reports")
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
    bundled = {path.stem: path for path in sorted((folder("reports") / "certificates").glob("*.json"))}
    name = text.removeprefix(PREFIX)
    if name not in bundled:
        raise ModelError(f"{text}: there is no bundled certificate of this name; the names are {', '.join(bundled) or 'none'}")
    return bundled[name]
