"""Every reader of untrusted input, as a function of bytes that raises only what a user sees as one line."""

from __future__ import annotations

import copy
import json
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from mfverify import results
from mfverify.certificate import check_certificate as check_loaded
from mfverify.certificate import load_certificate
from mfverify.checker import check_certificate
from mfverify.errors import MfverifyError
from mfverify.json_files import parse_json
from mfverify.model_files import load_model
from mfverify.report import render
from mfverify.report.compare import compare

Reader = Callable[[bytes], str]
"""Gives "read" or "refused"; any exception is a finding."""


def _model(suffix: str) -> Reader:
    def reader(content: bytes) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"model{suffix}"
            path.write_bytes(content)
            load_model(path)
        return "read"

    return reader


def _certificate(content: bytes) -> str:
    answer = check_certificate.check(content)
    assert answer.reasons, "an answer gives its reasons"
    return "read" if answer.accepted else "refused"


def _report(content: bytes) -> str:
    document = parse_json(Path("report.json"), content.decode("utf-8", "replace"))
    page = render(document)
    assert page.count("<script>") == 1, "the page has a script that is not its own"
    compare(document, document)
    return "read"


def _loaded_certificate(content: bytes) -> str:
    """A certificate by way of the Python interface: loaded, rebuilt as an instance, written again and judged."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.json"
        path.write_bytes(content)
        loaded = load_certificate(path)
        direct, again = check_loaded(path), check_loaded(loaded)
        assert direct.accepted <= again.accepted, "what is accepted as a file is accepted when it was loaded"
        loaded.instance  # noqa: B018  # its errors are what is looked for
    return "read" if again.accepted else "refused"


def _store(content: bytes) -> str:
    """A file in the place of the store of results: opened, every row asked for, one written, old ones dropped."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.sqlite"
        path.write_bytes(content)
        with results.Store(path) as store:
            for key in _keys(path):
                found = store.get(key)
                assert found is None or set(found) == set(_instance(_sound_report()))
            store.put("key", _instance(_sound_report()))
            assert store.get("key") == _instance(_sound_report())
            store.forget_other_code()
    return "read"


def _keys(path: Path) -> list[str]:
    try:
        with closing(sqlite3.connect(path)) as connection:
            return [str(key) for (key,) in connection.execute("SELECT key FROM finding LIMIT 20")]
    except (sqlite3.Error, UnicodeDecodeError):
        return []


def _stored_row(content: bytes) -> str:
    """A row of the store with a digest that fits, as a forger writes it: taken over by a run that is resumed, and reported."""
    text = content.decode("utf-8", "replace")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.sqlite"
        with results.Store(path) as store:
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(
                    "INSERT INTO finding (key, code, digest, document) VALUES (?, ?, ?, ?)",
                    ("key", results.code_version(), results._digest("key", text), text),
                )
            found = store.get("key")
    if found is None:
        return "refused"
    document = copy.deepcopy(_sound_report())
    document["claims"][0]["instances"][0] = found
    _report(json.dumps(document).encode("utf-8", "surrogatepass"))
    return "read"


def _sound_report() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CORPUS / "report" / "sound.json").read_bytes())
    return document


def _instance(document: dict[str, Any]) -> dict[str, Any]:
    """The first instance of a report."""
    found: dict[str, Any] = document["claims"][0]["instances"][0]
    return found


def guarded(reader: Reader) -> Reader:
    """The reader with errors for users turned into "refused"; the message is one short line that can be printed."""

    def read(content: bytes) -> str:
        try:
            return reader(content)
        except MfverifyError as error:
            message = str(error)
            assert message
            assert "\n" not in message
            assert len(message) < 2000
            message.encode("utf-8", "strict")
            return "refused"

    return read


READERS: dict[str, Reader] = {
    "model_json": guarded(_model(".json")),
    "model_toml": guarded(_model(".toml")),
    "config": guarded(_model(".json")),
    "certificate": guarded(_certificate),
    "loaded_certificate": guarded(_loaded_certificate),
    "report": guarded(_report),
    "store": guarded(_store),
    "stored_row": guarded(_stored_row),
}
"""By the name of the folder of its corpus."""

CORPUS = Path(__file__).parents[1] / "corpus"


def seeds(name: str) -> list[bytes]:
    """The files of a corpus."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def documents(name: str) -> list[dict[str, object]]:
    """The sound JSON documents of a corpus: those that are named so."""
    return [json.loads(path.read_bytes()) for path in sorted((CORPUS / name).glob("sound*.json"))]
