"""The bundled models, one file each, with their sources and closed forms. None is listed: a file with a function of its name holds one.

A file may also declare a family for searches, ``HARD = Hard(...)``, and ``FOR_ALL_CLAIMS = True``: every run then checks each claim on its
model, as on one that a user gives.

>>> from mfverify import models
>>> models.coordination(eta="1/100").sizes             # |S_g|, |A_g|, |S_l|, |A_l|
(2, 2, 2, 2)
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from mfverify.model import Model
from mfverify.models.absorbing import absorbing
from mfverify.models.agent_types import typed
from mfverify.models.commitment import commitment
from mfverify.models.commitment_twice import commitment_twice
from mfverify.models.coordination import coordination
from mfverify.models.crews import crews
from mfverify.models.elimination import elimination
from mfverify.models.exploration import exploration
from mfverify.models.hard import Hard
from mfverify.models.patrol import patrol
from mfverify.models.preferences import preferences
from mfverify.models.random_coupled import random_coupled
from mfverify.models.redrawn import redrawn
from mfverify.models.splitting import splitting
from mfverify.models.squeeze import squeeze


def _files() -> dict[str, Any]:
    """The modules that hold a model, by its name."""
    paths = sorted(Path(__file__).parent.glob("*.py"))
    names = [path.stem for path in paths if f"\ndef {path.stem}(" in path.read_text(encoding="utf-8")]
    return {name: import_module(f"{__name__}.{name}") for name in names}


_FILES: Final = _files()

BUNDLED: Final[dict[str, Callable[..., Model]]] = {name: getattr(file, name) for name, file in _FILES.items()}
"""What ``models:NAME`` on the command line refers to; all arguments have defaults."""

FOR_ALL_CLAIMS: Final = tuple(name for name, file in _FILES.items() if getattr(file, "FOR_ALL_CLAIMS", False))
"""The models on which every claim is checked, beside those that its file names."""

HARD: Final[tuple[Hard, ...]] = tuple(
    sorted((file.HARD for file in _FILES.values() if hasattr(file, "HARD")), key=lambda family: family.order)
)
"""The families that searches take models from, in their order."""

globals().update(BUNDLED)

__all__ = [
    "BUNDLED",
    "FOR_ALL_CLAIMS",
    "HARD",
    "absorbing",
    "commitment",
    "commitment_twice",
    "coordination",
    "crews",
    "elimination",
    "exploration",
    "patrol",
    "preferences",
    "random_coupled",
    "redrawn",
    "splitting",
    "squeeze",
    "typed",
]
