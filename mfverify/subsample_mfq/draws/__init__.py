"""The ways of drawing, one file each.

The name of a file, with hyphens, is the word that users type, and the file defines ``WAY``, a
:class:`~mfverify.subsample_mfq.way.Way`. Values, simulated episodes, cost estimates and ``mfverify gap --sampling`` find it here.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final

from mfverify.errors import ModelError

if TYPE_CHECKING:
    from mfverify.subsample_mfq.way import Way

WORDS: Final = tuple(sorted(module.name.replace("_", "-") for module in iter_modules(__path__)))
"""The words for all ways of drawing; the files are imported when they are used."""


def way(sampling: str | Way) -> Way:
    """The way of drawing of a word; a way is returned as it is. Raises :class:`ModelError` for other words."""
    if isinstance(sampling, str) and sampling in WORDS:
        found: Way = import_module(f"{__name__}.{sampling.replace('-', '_')}").WAY
        return found
    from mfverify.subsample_mfq.way import Way

    if not isinstance(sampling, Way):
        raise ModelError(f"sampling: found {sampling!r}, expected one of {', '.join(map(repr, WORDS))}")
    return sampling
