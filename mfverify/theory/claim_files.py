"""Claims of a user's own, from a Python file anywhere: ``FILE.py:NAME``.

The file is *executed*: it is code that the user chose to run by naming it, as with ``python FILE.py``. This is the only kind of file
that mfverify executes; a model file, a certificate, a report or a store never is. The folder of the file is importable from it while
it is loaded, as for a script.

Worker processes read the file again instead of unpickling the claim: sympy would evaluate again what was kept unevaluated in an
expression.
"""

from __future__ import annotations

import hashlib
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

from mfverify.errors import ModelError
from mfverify.rationals import quoted
from mfverify.theory.claim import Claim

_LOADED: Final[dict[tuple[str, str], ModuleType]] = {}
"""Modules by path and digest of their text: a file that was changed is loaded again."""

_LONGEST: Final = 16 * 2**20


def is_reference(text: str) -> bool:
    """Whether a text names a claim in a file, and not one of the catalogue."""
    return ".py:" in text


def claim_in_file(text: str) -> Claim:
    """The claim ``NAME`` of ``FILE.py:NAME``, which is executed.

    Raises :class:`ModelError` where there is no such file or name, where it is not a :class:`Claim`, and where the file raises an error.

    >>> claim_in_file("nowhere.py:CLAIM")
    Traceback (most recent call last):
        ...
    mfverify.errors.ModelError: nowhere.py: there is no such file; a claim of your own is given as FILE.py:NAME
    """
    file, _, name = text.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise ModelError(f"{file}: there is no such file; a claim of your own is given as FILE.py:NAME")
    module = _module(path.resolve(), file)
    if not name or not hasattr(module, name):
        listed = ", ".join(key for key, value in vars(module).items() if isinstance(value, Claim))
        raise ModelError(f"{file}: defines no {quoted(name)}; the claims in it are {listed or 'none'}")
    found: Any = getattr(module, name)
    if not isinstance(found, Claim):
        raise ModelError(f"{text}: is a {type(found).__name__}, expected a Claim")
    return found


def reference_of(claim: Claim) -> str | None:
    """The text from which :func:`claim_in_file` reads this claim; None for one that was made in another way."""
    for (path, _), module in _LOADED.items():
        for name, value in vars(module).items():
            if value is claim:
                return f"{path}:{name}"
    return None


def digest_of(claim: Claim) -> str:
    """The digest of the file that a claim was read from; empty for another one. What the file imports is not covered."""
    return next((digest for (_, digest), module in _LOADED.items() if any(value is claim for value in vars(module).values())), "")


class _AsRead(SourceFileLoader):
    """Runs the text that the digest is of; bytecode beside it can be that of an earlier text of the same size and second."""

    def __init__(self, name: str, path: str, text: bytes) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._text, self.path)


def _module(path: Path, said: str) -> ModuleType:
    try:
        if path.stat().st_size > _LONGEST:
            raise ModelError(f"{said}: is longer than {_LONGEST // 2**20} MiB; expected a Python file")
        text = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{said}: cannot be read ({error.strerror})") from None
    digest = hashlib.sha256(text).hexdigest()
    known = _LOADED.get((str(path), digest))
    if known is not None:
        return known
    name = f"mfverify_claims_{digest[:16]}"
    spec = spec_from_file_location(name, path, loader=_AsRead(name, str(path), text))
    if spec is None or spec.loader is None:
        raise ModelError(f"{said}: is not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ModelError(f"{said}: {_place(error, path)}{type(error).__name__}: {error}") from None
    finally:
        sys.path.remove(str(path.parent))
    _LOADED[str(path), digest] = module
    return module


def _place(error: Exception, path: Path) -> str:
    """The last line of the file itself on the way to the error."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f"line {error.lineno}: "
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line}: " if line else ""
