"""Model files: TOML and JSON in mfverify's own format, and the paper authors' configuration format (JSON).

A model file is data and is never executed. The own format has the keys ``name``, ``discount``, ``global_kernel``,
``local_kernel``, ``global_reward``, ``local_reward`` and optionally ``documentation``; numbers may be strings such as
``"1/3"``. What :func:`save_model` writes, :func:`load_model` reads back exactly.
"""

from __future__ import annotations

import json
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

import tomli_w

from mfverify.authors_config import model_from_config
from mfverify.errors import ModelError
from mfverify.files import write_whole
from mfverify.json_files import parse_json, read_text
from mfverify.model import ARRAYS, Model, derived_name
from mfverify.rationals import from_text

_LARGEST_FILE = 16 * 2**20


def load_model(path: str | Path) -> Model:
    """Read a model from a file; a JSON file with a key ``environment`` is an authors' configuration.

    Decimal numbers in files are the rationals that they spell: ``0.1`` is 1/10, and a row ``[0.3333333333333333, ...]`` that a program has
    written from floats does not sum to one; write ``"1/3"``. Numbers in strings: :mod:`mfverify.rationals`.

    Parameters
    ----------
    path
        A ``.toml`` or ``.json`` file.

    Returns
    -------
    Model
        The model, in exact rationals.

    Raises
    ------
    ModelError
        With the file, the place and the remedy.

    Examples
    --------
    >>> import tempfile
    >>> from mfverify.models import absorbing
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(absorbing(), Path(folder) / "model.toml")
    ...     load_model(Path(folder) / "model.toml") == absorbing()
    True
    """
    path = Path(path)
    text = read_text(path, _LARGEST_FILE, "the path of a .toml or .json model file")
    document = _parse(path, text)
    try:
        return (
            model_from_config(document, name=derived_name(path.stem))
            if "environment" in document
            else model_from_document(document, default_name=derived_name(path.stem))
        )
    except ModelError as error:
        raise ModelError(*(f"{path}: {issue}" for issue in error.issues)) from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    if path.suffix == ".json":
        return parse_json(path, text, _decimal)
    if path.suffix != ".toml":
        raise ModelError(f"{path}: unknown file type {path.suffix!r}; expected .toml or .json")
    try:
        return tomllib.loads(text, parse_float=_decimal)
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{path}: {error}") from None
    except (RecursionError, ValueError):
        raise ModelError(f"{path}: nested too deeply or holds a number that is too long") from None


def _decimal(literal: str) -> Fraction | str:
    """The rational that a decimal literal denotes; nan, inf and huge exponents stay text, which is refused later.

    TOML allows underscores in numbers, and has checked their places.
    """
    try:
        return from_text(literal.replace("_", ""))
    except ValueError:
        return literal


def model_from_document(document: dict[str, Any], default_name: str = "model") -> Model:
    """A model from the keys of the own format; unknown and missing keys are refused by name."""
    issues = [
        f"{key}: unknown key; the keys are name, discount, {', '.join(ARRAYS)}, documentation"
        for key in sorted(set(document) - {"name", "discount", "documentation", *ARRAYS})
    ]
    issues += [f"{key}: missing key" for key in ("discount", *ARRAYS) if key not in document]
    if issues:
        raise ModelError(*issues)
    return Model(
        **{key: document[key] for key in ARRAYS},
        discount=document["discount"],
        name=document.get("name", default_name),
        documentation=document.get("documentation", ""),
    )


def model_document(model: Model) -> dict[str, Any]:
    """The keys of the own format, every number an exact string."""
    documentation = {"documentation": model.documentation} if model.documentation else {}
    return {"name": model.name} | documentation | model.numbers_as_text()


def save_model(model: Model, path: str | Path) -> None:
    """Write a model, whole or not at all; :func:`load_model` gives the same model back.

    Parameters
    ----------
    model
        The model.
    path
        A file whose name ends in ``.toml`` or ``.json``.

    Raises
    ------
    ModelError
        Another ending, or a path that cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from mfverify.models import absorbing
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(absorbing(), Path(folder) / "model.json")
    ...     load_model(Path(folder) / "model.json").name
    'absorbing'
    """
    path = Path(path)
    if path.suffix not in (".toml", ".json"):
        raise ModelError(f"{path}: unknown file type {path.suffix!r}; expected .toml or .json")
    document = model_document(model)
    text = tomli_w.dumps(document) if path.suffix == ".toml" else json.dumps(document, indent=2) + "\n"
    write_whole(path, text)
